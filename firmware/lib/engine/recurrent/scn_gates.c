/* SPDX-License-Identifier: MIT */
/*
 * Logistic and tanh in 16 bits, with the roundings of the fixed-point library that TFLite uses: exp(-x) by a polynomial
 * of fourth order on a quarter and one factor for each bit of the quarters left, then a division by Newton's method.
 */
#include "scn_gates.h"
#include "scn_fixedpoint.h"
#include "scn_simd.h"

enum {
    Q15_HALF = 1 << 14,
    Q15_ONE = INT16_MAX,
    Q2_13_ONE = 1 << 13,
    EXP_EIGHTH = 28918,   /* exp(-1/8) in Q0.15 */
    THIRD = 10923,        /* 1/3 in Q0.15 */
    FIRST_GUESS = 23130,  /* 48/17 in Q2.13 */
    FIRST_SLOPE = -15420, /* -32/17 in Q2.13 */
    /* exp of minus as much, in Q0.15 */
    EXP_OF_QUARTER = 25520,
    EXP_OF_HALF = 19875,
    EXP_OF_1 = 12055,
    EXP_OF_2 = 4435,
    EXP_OF_4 = 600,
    EXP_OF_8 = 11,
    EXP_OF_16 = 0,
};

/* a * b / 2^15, halves rounded up; both fit int16. */
static inline int32_t gate_mul(int32_t a, int32_t b) {
    return scn_mul_low((uint32_t)a, (uint32_t)b, Q15_HALF) >> 15;
}

/* exp of a value in Q0.15, -1/4 up to but not 0, around -1/8; Q0.15. */
static inline int32_t gate_exp_in_quarter(int32_t value) {
    const int32_t x = value + (1 << 12), x2 = gate_mul(x, x), x3 = gate_mul(x2, x), x4 = gate_mul(x2, x2);
    /* Not negative, since |x| is at most 1/8: so halves are added before the shifts. */
    const int32_t rest = (gate_mul(((x4 + 2) >> 2) + x3, THIRD) + x2 + 1) >> 1;
    return scn_min(EXP_EIGHTH + gate_mul(EXP_EIGHTH, x + rest), Q15_ONE);
}

static inline int32_t gate_exp_of_bit(int32_t made, int32_t bit, int32_t factor) {
    return bit ? gate_mul(made, factor) : made;
}

/* exp of a negative value with `integer_bits` bits before the point, 1 .. 7; Q0.15. */
static SCN_INLINE int32_t gate_exp(int32_t value, int32_t integer_bits) {
    /* From 2^-46 on, which no result shows, TFLite gives 0. */
    if (integer_bits > 5 && value < -(1 << (20 - integer_bits))) {
        return 0;
    }
    const int32_t quarter = 1 << (13 - integer_bits), in_quarter = (value & (quarter - 1)) - quarter;
    int32_t made = gate_exp_in_quarter(scn_wrap_shift(in_quarter, integer_bits));
    const int32_t quarters = (in_quarter - value) >> (13 - integer_bits);
    made = gate_exp_of_bit(made, quarters & 1, EXP_OF_QUARTER);
    made = gate_exp_of_bit(made, quarters & 2, EXP_OF_HALF);
    made = gate_exp_of_bit(made, quarters & 4, EXP_OF_1);
    made = gate_exp_of_bit(made, quarters & 8, EXP_OF_2);
    made = gate_exp_of_bit(made, quarters & 16, EXP_OF_4);
    made = gate_exp_of_bit(made, quarters & 32, EXP_OF_8);
    made = gate_exp_of_bit(made, quarters & 64, EXP_OF_16);
    return made;
}

static inline int32_t gate_newton(int32_t half, int32_t x) {
    return x + gate_mul(x, Q2_13_ONE - gate_mul(half, x)) * 4;
}

/* 2 / (1 + value), value in Q0.15, not negative; Q2.13, 1 .. 2. Three steps, as many as TFLite takes. */
static inline int32_t gate_inverse(int32_t value) {
    const int32_t half = (value + Q15_ONE + 1) >> 1, guess = FIRST_GUESS + gate_mul(half, FIRST_SLOPE);
    return gate_newton(half, gate_newton(half, gate_newton(half, guess)));
}

int32_t scn_gate_logistic(int32_t value) {
    if (value == 0) {
        return Q15_HALF;
    }
    const int32_t positive = scn_min(gate_inverse(gate_exp(value > 0 ? -value : value, 3)) * 2, Q15_ONE);
    return value > 0 ? positive : Q15_ONE - positive;
}

int32_t scn_gate_tanh(int32_t value, int32_t integer_bits) {
    if (value == 0) {
        return 0;
    }
    const int32_t inverse = gate_inverse(gate_exp(value > 0 ? -value : value, integer_bits + 1));
    const int32_t positive = scn_saturate_s16((inverse - Q2_13_ONE) * 4);
    return value > 0 ? positive : -positive;
}

/* SPDX-License-Identifier: MIT */
/*
 * Logistic and tanh in 16 bits, with the roundings of the fixed-point library that TFLite uses: exp(-x) by a polynomial
 * of fourth order on a quarter and one factor for each bit of the quarters left, then a division by Newton's method.
 */
#include "scn_gates.h"
#include "scn_fixedpoint.h"

enum {
    Q15_HALF = 1 << 14,
    Q15_ONE = INT16_MAX,
    Q2_13_ONE = 1 << 13,
    NEWTON_STEPS = 3,
    EXP_EIGHTH = 28918,   /* exp(-1/8) in Q0.15 */
    THIRD = 10923,        /* 1/3 in Q0.15 */
    FIRST_GUESS = 23130,  /* 48/17 in Q2.13 */
    FIRST_SLOPE = -15420, /* -32/17 in Q2.13 */
};

/* exp of -1/4, -1/2, -1 .. -16, in Q0.15. */
static const int16_t EXP_OF_BITS[] = {25520, 19875, 12055, 4435, 600, 11, 0};

/* a * b / 2^15, halves rounded up. */
static inline int32_t gate_mul(int32_t a, int32_t b) {
    return (a * b + Q15_HALF) >> 15;
}

static inline int32_t gate_saturate(int32_t value) {
    return scn_min(scn_max(value, INT16_MIN), INT16_MAX);
}

/* exp of a value in Q0.15, -1/4 up to but not 0, around -1/8; Q0.15. */
static inline int32_t gate_exp_in_quarter(int32_t value) {
    const int32_t x = value + (1 << 12), x2 = gate_mul(x, x), x3 = gate_mul(x2, x), x4 = gate_mul(x2, x2);
    /* Not negative, since |x| is at most 1/8: so halves are added before the shifts. */
    const int32_t rest = (gate_mul(((x4 + 2) >> 2) + x3, THIRD) + x2 + 1) >> 1;
    return scn_min(EXP_EIGHTH + gate_mul(EXP_EIGHTH, x + rest), Q15_ONE);
}

/* exp of a negative value with `integer_bits` bits before the point, 1 .. 7; Q0.15. */
static inline int32_t gate_exp(int32_t value, int32_t integer_bits) {
    /* From 2^-46 on, which no result shows, TFLite gives 0. */
    if (integer_bits > 5 && value < -(1 << (20 - integer_bits))) {
        return 0;
    }
    const int32_t quarter = 1 << (13 - integer_bits), in_quarter = (value & (quarter - 1)) - quarter;
    int32_t made = gate_exp_in_quarter(scn_wrap_shift(in_quarter, integer_bits));
    int32_t quarters = (in_quarter - value) >> (13 - integer_bits);
    for (const int16_t *factor = EXP_OF_BITS; quarters; quarters >>= 1, ++factor) {
        if (quarters & 1) {
            made = gate_mul(made, *factor);
        }
    }
    return made;
}

/* 2 / (1 + value), value in Q0.15, not negative; Q2.13, 1 .. 2. */
static inline int32_t gate_inverse(int32_t value) {
    const int32_t half = (value + Q15_ONE + 1) >> 1;
    int32_t x = FIRST_GUESS + gate_mul(half, FIRST_SLOPE);
    for (int i = 0; i < NEWTON_STEPS; ++i) {
        x += gate_mul(x, Q2_13_ONE - gate_mul(half, x)) * 4;
    }
    return x;
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
    const int32_t positive = gate_saturate((inverse - Q2_13_ONE) * 4);
    return value > 0 ? positive : -positive;
}

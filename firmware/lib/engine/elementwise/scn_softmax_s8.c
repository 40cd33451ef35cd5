/* SPDX-License-Identifier: MIT */
/*
 * SOFTMAX in fixed point. exp(x) for x <= 0 is a polynomial on [-1/4, 0) times factors exp(-2^k), one per bit of the
 * rest. Qm.n: sign, m integer bits, n fraction bits.
 */
#include "scn_fixedpoint.h"
#include "scn_inverses.h"
#include "scn_softmax.h"

#include <stddef.h>

enum {
    DIFF_FRACTION = 26, /* differences to the maximum: Q5.26 */
    SUM_INTEGER = 12,   /* sum of exponentials: Q12.19 */
};

/* exp(-2^k) in Q0.31 for k = -2 .. 4. */
static const int32_t exp_factor[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
enum { FACTORS = sizeof exp_factor / sizeof exp_factor[0] };

/* exp(x), x in [-1/4, 0), both Q0.31: Taylor's series of order 4 around -1/8. */
static int32_t exp_small(int32_t x) {
    const int32_t exp_eighth = 1895147668; /* exp(-1/8) */
    const int32_t third = 715827883;
    const int32_t d = x + (1 << 28);
    const int32_t d2 = scn_high_mul(d, d);
    const int32_t d3 = scn_high_mul(d2, d);
    const int32_t d4 = scn_high_mul(d2, d2);
    const int32_t cubic = scn_high_mul(scn_round_shift(d4, 2) + d3, third);
    const int32_t higher = scn_round_shift(cubic + d2, 1);
    return exp_eighth + scn_high_mul(exp_eighth, d + higher);
}

/* exp(x), x <= 0 in Q5.26, result in Q0.31. */
static int32_t exp_negative(int32_t x) {
    const int32_t quarter = 1 << (DIFF_FRACTION - 2);
    if (x == 0) {
        return INT32_MAX;
    }
    const int32_t small = (x & (quarter - 1)) - quarter;
    const int32_t rest = small - x;
    int32_t result = exp_small(scn_wrap_shift(small, 31 - DIFF_FRACTION));
    for (int k = 0; k < FACTORS; ++k) {
        if (rest & (quarter << k)) {
            result = scn_high_mul(result, exp_factor[k]);
        }
    }
    return result;
}

static int leading_zeros(uint32_t value) {
    return value ? __builtin_clz(value) : 32;
}

static int32_t row_max(const int8_t *row, int32_t depth) {
    int32_t most = INT8_MIN;
    for (int32_t i = 0; i < depth; ++i) {
        most = scn_max(most, row[i]);
    }
    return most;
}

static int32_t exp_of(const scn_softmax_t *layer, int32_t diff) {
    return exp_negative(scn_scale(diff, layer->scale));
}

static int32_t row_sum(const scn_softmax_t *layer, const int8_t *row, int32_t most) {
    int32_t sum = 0;
    for (int32_t i = 0; i < layer->depth; ++i) {
        if (row[i] - most >= layer->diff_min) {
            sum = scn_wrap_add(sum, scn_round_shift(exp_of(layer, row[i] - most), SUM_INTEGER));
        }
    }
    return sum;
}

/* What all probabilities of a row share: they are scale * exp(value - most), shifted right. */
typedef struct {
    int32_t most, scale, right;
} softmax_row_t;

/* `bits` of a probability: 8 or 16. */
static softmax_row_t begin_row(const scn_softmax_t *layer, const int8_t *row, int bits) {
    const int32_t most = row_max(row, layer->depth);
    const uint32_t sum = (uint32_t)row_sum(layer, row, most);
    const int zeros = leading_zeros(sum);
    const int32_t scale = scn_reciprocal((int32_t)((sum << zeros) - (1u << 31)));
    return (softmax_row_t){.most = most, .scale = scale, .right = SUM_INTEGER - zeros + 31 - bits};
}

static int32_t probability(const scn_softmax_t *layer, const softmax_row_t *row, int32_t value) {
    const int32_t diff = value - row->most;
    const int32_t product = diff >= layer->diff_min ? scn_high_mul(row->scale, exp_of(layer, diff)) : 0;
    return scn_round_shift(product, row->right);
}

void scn_softmax_s8(const scn_softmax_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t i = 0; i < layer->rows; ++i, input += layer->depth, output += layer->depth) {
        const softmax_row_t row = begin_row(layer, input, 8);
        for (int32_t k = 0; k < layer->depth; ++k) {
            output[k] = scn_clamp(probability(layer, &row, input[k]) + INT8_MIN, INT8_MIN, INT8_MAX);
        }
    }
}

void scn_softmax_s8_s16(const scn_softmax_t *layer, const int8_t *input, void *output) {
    int16_t *to = output;
    for (int32_t i = 0; i < layer->rows; ++i, input += layer->depth, to += layer->depth) {
        const softmax_row_t row = begin_row(layer, input, 16);
        for (int32_t k = 0; k < layer->depth; ++k) {
            to[k] = (int16_t)scn_min(probability(layer, &row, input[k]) + INT16_MIN, INT16_MAX);
        }
    }
}

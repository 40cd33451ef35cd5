/* SPDX-License-Identifier: MIT */
/*
 * SOFTMAX in fixed point. Qm.n: sign, m integer bits, n fraction bits.
 */
#include "scn_exponential.h"
#include "scn_fixedpoint.h"
#include "scn_inverses.h"
#include "scn_softmax.h"

#include <stddef.h>

enum { SUM_INTEGER = 12 /* sum of exponentials: Q12.19 */ };

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
    return scn_exp_negative(scn_scale(diff, layer->scale));
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

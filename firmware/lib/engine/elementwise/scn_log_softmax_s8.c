/* SPDX-License-Identifier: MIT */
/*
 * LOG_SOFTMAX in fixed point: differences to the row's maximum, minus the logarithm of the sum of their exponentials.
 * Qm.n: sign, m integer bits, n fraction bits.
 */
#include "scn_exponential.h"
#include "scn_fixedpoint.h"
#include "scn_inverses.h"
#include "scn_softmax.h"

enum {
    SUM_BITS = 12,                        /* integer bits of a sum: Q12.19 */
    LOG_FRACTION = SCN_EXP_FRACTION,      /* Q5.26, as differences have it */
    WIDE_FRACTION = SCN_EXP_FRACTION - 1, /* Q6.25, in which the logarithm's terms are added */
    OUTPUT_FRACTION = 4,                  /* of the output, scale 1/16 */
    OUTPUT_ZERO_POINT = 127,
};

/* Q0.31 */
static const int32_t ln_2 = 1488522236, root_half = 1518500250, root_root_half = 1805811301;

/*
 * ln(m) for m in about [2^-1/2, 2^1/2] times 2^-1/4, Q0.31 in, Q6.25 out. Around c = 2^-1/4, with q = 2 (m - c):
 * (q m + a q^3) / (1 + (m + c) / 2 (i + q + d q^2) + f q), where a = 11/240 / c, d = 1/20 / c, i = 2 c - 1 / c,
 * f = 1/4 / c.
 */
static int32_t log_near_one(int32_t m) {
    const int32_t a = 117049297, d = 127690142, i = 1057819769, f = 638450708;
    const int32_t mean = (int32_t)(((int64_t)m + root_root_half + 1) / 2);
    const int32_t q = 2 * (m - root_root_half), square = scn_high_mul(q, q);
    const int32_t above = scn_high_mul(q, m) + scn_high_mul(scn_high_mul(q, square), a);
    const int32_t below = scn_high_mul(mean, i + q + scn_high_mul(d, square)) + scn_high_mul(f, q);
    return scn_high_mul(scn_round_shift(above, 31 - WIDE_FRACTION), scn_reciprocal(below));
}

static int log_zeros(int32_t value) {
    return __builtin_clz((uint32_t)value);
}

/* ln(sum), sum >= 1 in Q12.19; Q5.26. The sum is m times a power of two plus or minus a quarter of an octave. */
static int32_t log_of(int32_t sum) {
    const int32_t quarter = 1 << (WIDE_FRACTION - 2);
    /* Scaled to [1/2, 1) and then by the root of a half, or so that the root of a half times it is in [1/2, 1). */
    const int zeros = log_zeros(sum);
    const int32_t lower = scn_saturating_shift(scn_high_mul(sum << (zeros - 1), root_half), 1);
    const int32_t lower_octaves = (SUM_BITS - zeros) * (1 << WIDE_FRACTION) + quarter;
    const int room = log_zeros(scn_high_mul(sum, root_half)) - 1;
    const int32_t upper = scn_saturating_shift(sum, room);
    const int32_t upper_octaves = (SUM_BITS - room) * (1 << WIDE_FRACTION) - quarter;
    const int32_t octaves = scn_max(lower_octaves, upper_octaves);
    return scn_saturating_shift(scn_high_mul(octaves, ln_2) + log_near_one(scn_min(lower, upper)), 1);
}

static int32_t row_most(const int8_t *row, int32_t depth) {
    int32_t most = INT8_MIN;
    for (int32_t i = 0; i < depth; ++i) {
        most = scn_max(most, row[i]);
    }
    return most;
}

static int32_t sum_of_exponentials(const scn_log_softmax_t *layer, const int8_t *row, int32_t most) {
    int32_t sum = 0;
    for (int32_t i = 0; i < layer->depth; ++i) {
        if (row[i] - most >= layer->diff_min) {
            sum += scn_round_shift(scn_exp_negative(scn_scale(row[i] - most, layer->scale)), SUM_BITS);
        }
    }
    return sum;
}

void scn_log_softmax_s8(const scn_log_softmax_t *layer, const int8_t *input, int8_t *output) {
    const int32_t right = LOG_FRACTION - OUTPUT_FRACTION;
    for (int32_t i = 0; i < layer->rows; ++i, input += layer->depth, output += layer->depth) {
        const int32_t most = row_most(input, layer->depth);
        const int32_t log = log_of(sum_of_exponentials(layer, input, most));
        /* Differences from here on down give the least output: with the logarithm they would leave Q5.26. */
        const int32_t bound = scn_max(layer->diff_min - 1, scn_scale(log + INT32_MIN, layer->inverse));
        for (int32_t k = 0; k < layer->depth; ++k) {
            const int32_t diff = input[k] - most;
            output[k] = INT8_MIN;
            if (diff > bound) {
                const int32_t value = scn_round_shift(scn_scale(diff, layer->scale) - log, right);
                output[k] = scn_clamp(value + OUTPUT_ZERO_POINT, INT8_MIN, INT8_MAX);
            }
        }
    }
}

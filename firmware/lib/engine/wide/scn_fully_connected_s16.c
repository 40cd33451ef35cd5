/* SPDX-License-Identifier: MIT */
/* FULLY_CONNECTED with 16-bit activations: rescaled by one rounding of a factor of 62 bits. */
#include "scn_wide_sums.h"

/* x times the factor, halves away from zero; |x| < 2^47, the result under 2^31. */
static int32_t wide_scale_once(int64_t x, scn_fine_multiplier_t by) {
    const uint64_t magnitude = x < 0 ? 0U - (uint64_t)x : (uint64_t)x, high = magnitude >> 32,
                   low = (uint32_t)magnitude;
    const uint32_t multiplier = (uint32_t)by.multiplier, fraction = (uint32_t)by.fraction;
    /* The product without 31 bits that are below the half which rounding adds, in two parts: upper * 2^32 + lower. */
    const uint64_t rest = high * fraction * 2 + (low * fraction >> 31);
    const uint64_t lowest = low * multiplier + rest;
    const uint64_t upper = high * multiplier + (lowest >> 32), lower = (uint32_t)lowest;
    const int32_t right = 31 - by.shift;
    uint64_t rounded;
    if (right > 32) {
        rounded = (upper + ((uint64_t)1 << (right - 33))) >> (right - 32);
    } else {
        rounded = (((upper << 32) | lower) + ((uint64_t)1 << (right - 1))) >> right;
    }
    return x < 0 ? -(int32_t)rounded : (int32_t)rounded;
}

void scn_fully_connected_s16(const scn_wide_dense_t *layer, const void *input, void *output) {
    const int16_t *x = input;
    int16_t *out = output;
    for (int32_t n = 0; n < layer->batches; ++n, x += layer->inputs) {
        for (int32_t i = 0; i < layer->outputs; ++i) {
            const int64_t start = layer->bias ? layer->bias[i] : 0;
            const int64_t sum = scn_wide_dot(x, layer->weights + i * layer->inputs, layer->inputs, start);
            const int32_t scaled = wide_scale_once(sum, layer->scale[i]);
            *out++ = (int16_t)scn_min(scn_max(scaled, layer->activation_min), layer->activation_max);
        }
    }
}

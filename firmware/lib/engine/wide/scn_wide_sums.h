/* SPDX-License-Identifier: MIT */
/* 64-bit sums of int16 activations and INT8 weights; private to the kernels of 16-bit activations. */
#ifndef SCN_WIDE_SUMS_H
#define SCN_WIDE_SUMS_H

#include "scn_fixedpoint.h"
#include "scn_simd.h"
#include "scn_wide.h"

/* sum + a[0] * b[0] + a[1] * b[1]. */
static inline int64_t scn_wide_pair(uint32_t a, uint32_t b, int64_t sum) {
#if defined(__ARM_FEATURE_DSP)
    uint32_t low = (uint32_t)sum, high = (uint32_t)((uint64_t)sum >> 32);
    __asm__("smlald %0, %1, %2, %3" : "+r"(low), "+r"(high) : "r"(a), "r"(b));
    return (int64_t)((uint64_t)high << 32 | low);
#else
    return sum + scn_low(a) * scn_low(b) + scn_high(a) * scn_high(b);
#endif
}

static inline uint32_t scn_wide_two(const int16_t *from) {
    uint32_t pair;
    memcpy(&pair, from, sizeof pair);
    return pair;
}

/* sum + the products of `count` values and weights that follow one another. */
static inline int64_t scn_wide_dot(const int16_t *x, const int8_t *w, int32_t count, int64_t sum) {
    int32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint32_t first = scn_wide_two(x + i), second = scn_wide_two(x + i + 2), quad = scn_load_quad(w + i);
        sum = scn_wide_pair(scn_pack_low(first, second), scn_even(quad), sum);
        sum = scn_wide_pair(scn_pack_high(first, second), scn_odd(quad), sum);
    }
    for (; i < count; ++i) {
        sum += x[i] * w[i];
    }
    return sum;
}

static inline int32_t scn_wide_factor(int64_t sum, scn_wide_scale_t by) {
    if (by.right == 32) {
        /* The words apart: the product may have more than 64 bits. */
        const uint64_t low = (uint64_t)(uint32_t)sum * (uint32_t)by.multiplier + 0x80000000u;
        const uint32_t high = (uint32_t)(uint64_t)(sum >> 32) * (uint32_t)by.multiplier;
        return (int32_t)(high + (uint32_t)(low >> 32));
    }
    return (int32_t)((sum * by.multiplier + ((int64_t)1 << (by.right - 1))) >> by.right);
}

static inline int16_t scn_wide_scaled(const scn_wide_conv_t *layer, int32_t channel, int64_t sum) {
    const int32_t scaled = scn_wide_factor(sum, layer->scale[channel]);
    return (int16_t)scn_min(scn_max(scaled, layer->activation_min), layer->activation_max);
}

#endif

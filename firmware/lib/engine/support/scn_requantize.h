/* SPDX-License-Identifier: MIT */
/*
 * From sums to INT8 in four instructions, with constants that the host has prepared (scn_requantize_pair_t); private to
 * the kernels.
 *
 * Sums are doubled, so that SMMLAR's high word is TFLite's doubling product. TFLite then divides by 2^right, halves
 * away from zero: it adds half, minus 1 if the product is negative. The sign of the sum can replace that of the
 * product: they differ only where a negative sum has the product 0, and (2^(right - 1) - 1) >> right is 0 too.
 */
#ifndef SCN_REQUANTIZE_H
#define SCN_REQUANTIZE_H

#include "scn_fixedpoint.h"

#if defined(__ARM_FEATURE_DSP)

/* added + a * b / 2^32, halves rounded up. */
static inline int32_t scn_high_mul_add(int32_t a, int32_t b, int32_t added) {
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(added));
    return result;
}

#else

static inline int32_t scn_high_mul_add(int32_t a, int32_t b, int32_t added) {
    return added + (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

#endif

/* A doubled sum to INT8. */
static inline int8_t scn_requantize(scn_requant_t by, int32_t doubled) {
    return scn_saturate(scn_high_mul_add(doubled, by.multiplier, by.added - (doubled < 0)) >> by.right);
}

#endif

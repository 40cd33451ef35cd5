/* SPDX-License-Identifier: MIT */
/*
 * From sums to INT8 in four instructions, private to the kernels that get their constants ready made (scn_requantize_pair_t).
 *
 * Sums come doubled, so that SMMULR's high word is TFLite's doubling product. TFLite then divides by 2^right, halves
 * away from zero: adds half, less 1 if the product is negative. The sign of the sum serves as well: it only differs
 * where a negative sum's product is 0, and (2^(right - 1) - 1) >> right is 0 too.
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

/* SPDX-License-Identifier: MIT */
/*
 * From sums to INT8 in two or four instructions, with constants that the host has prepared; private to the kernels.
 *
 * Two: sums are 2^SCN_SUM_SHIFT times as large, because weights and biases are. SMMLA multiplies and adds, SSAT shifts by
 * SCN_REQUANTIZE_SHIFT and saturates. The host has searched the constants of each channel and compared all 255 steps
 * of the result with TFLite's, for every sum that the channel's weights permit.
 *
 * Four, where no such constants exist: sums are doubled, so that SMMLAR's high word is TFLite's doubling product. TFLite then divides by 2^right, halves
 * away from zero: it adds half, minus 1 if the product is negative. The sign of the sum can replace that of the
 * product: they differ only where a negative sum has the product 0, and (2^(right - 1) - 1) >> right is 0 too.
 */
#ifndef SCN_REQUANTIZE_H
#define SCN_REQUANTIZE_H

#include "scn_fixedpoint.h"

/* Left shift of weights and biases: the largest with which a weight fits int16. */
#define SCN_SUM_SHIFT 8
/* Right shift of the two instructions. */
#define SCN_REQUANTIZE_SHIFT 12

#if defined(__ARM_FEATURE_DSP)

/* added + a * b / 2^32, halves rounded up. */
static inline int32_t scn_high_mul_add(int32_t a, int32_t b, int32_t added) {
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(added));
    return result;
}

/* sum * multiplier / 2^32, rounded down, + added, / 2^SCN_REQUANTIZE_SHIFT, rounded down, saturated. */
static inline int32_t scn_requantize_two(int32_t sum, int32_t multiplier, int32_t added) {
    int32_t result;
    __asm__("smmla %0, %1, %2, %3\n\tssat %0, #8, %0, asr #12" : "=r"(result) : "r"(sum), "r"(multiplier), "r"(added));
    return result;
}

_Static_assert(SCN_REQUANTIZE_SHIFT == 12, "above");

/* The same, rounded down. */
static inline int32_t scn_high_mul_add_down(int32_t a, int32_t b, int32_t added) {
    int32_t result;
    __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(added));
    return result;
}

#else

static inline int32_t scn_requantize_two(int32_t sum, int32_t multiplier, int32_t added) {
    return scn_saturate32(((int32_t)((int64_t)sum * multiplier >> 32) + added) >> SCN_REQUANTIZE_SHIFT);
}

static inline int32_t scn_high_mul_add(int32_t a, int32_t b, int32_t added) {
    return added + (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

static inline int32_t scn_high_mul_add_down(int32_t a, int32_t b, int32_t added) {
    return added + (int32_t)(((int64_t)a * b) >> 32);
}

#endif

/* A doubled sum to INT8. */
static inline int8_t scn_requantize(scn_requant_t by, int32_t doubled) {
    return scn_saturate(scn_high_mul_add(doubled, by.multiplier, by.added - (doubled < 0)) >> by.right);
}

/* By how much weights are shifted for constants with this `right`; 0 stands for two instructions. */
static inline int32_t scn_weight_shift(int32_t right) {
    return right == 0 ? SCN_SUM_SHIFT : 1;
}

/* In two instructions if by.right is 0, else in four. */
static inline int8_t scn_requantize_any(scn_requant_t by, int32_t sum) {
    return by.right == 0 ? (int8_t)scn_requantize_two(sum, by.multiplier, by.added) : scn_requantize(by, sum);
}

#endif

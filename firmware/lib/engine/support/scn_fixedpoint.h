/* SPDX-License-Identifier: MIT */
/*
 * TFLite's integer arithmetic; private to the kernels. Right shifts of negative values must be arithmetic, as in gcc
 * and clang; sums that may wrap are computed in unsigned arithmetic.
 */
#ifndef SCN_FIXEDPOINT_H
#define SCN_FIXEDPOINT_H

#include "scn_types.h"

#include <stdbool.h>
#include <stdint.h>

#define SCN_NOINLINE __attribute__((noinline))
/* Where arguments must become constants, whatever the compiler thinks of the size. */
#define SCN_INLINE inline __attribute__((always_inline))

/* a + b modulo 2^32. */
static inline int32_t scn_wrap_add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* a - b modulo 2^32. */
static inline int32_t scn_wrap_sub(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

/* a * 2^left modulo 2^32. */
static inline int32_t scn_wrap_shift(int32_t a, int32_t left) {
    return (int32_t)((uint32_t)a << left);
}

/* value * 2^left, saturated; left 1 .. 30. */
static inline int32_t scn_saturating_shift(int32_t value, int32_t left) {
    const int32_t limit = 1 << (31 - left);
    return value >= limit ? INT32_MAX : value < -limit ? INT32_MIN : value * (1 << left);
}

/* a * b / 2^31, halves rounded up; not both -2^31. */
static inline int32_t scn_high_mul(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* value / 2^right, halves rounded away from zero; right 1..31, value over -2^31. */
static inline int32_t scn_round_shift(int32_t value, int32_t right) {
    /* The second shift comes after adding the half, so that the sum cannot overflow. */
    return (((value - (value < 0)) >> (right - 1)) + 1) >> 1;
}

/* x times a real factor: see scn_multiplier_t. */
int32_t scn_scale(int32_t x, scn_multiplier_t by);

/* x times a real factor, rounded once, limited to +-2^30 so that a zero point can be added: scn_fine_multiplier_t. */
static inline int32_t scn_scale_once(int32_t x, scn_fine_multiplier_t by) {
    const uint64_t magnitude = x < 0 ? 0U - (uint32_t)x : (uint32_t)x;
    /* The second shift drops only bits below the half that rounding adds: they cannot change the result. */
    const uint64_t product = magnitude * (uint32_t)by.multiplier + (magnitude * (uint32_t)by.fraction >> 31);
    const uint64_t rounded = (product + ((uint64_t)1 << (30 - by.shift))) >> (31 - by.shift);
    const int32_t value = rounded > 1 << 30 ? 1 << 30 : (int32_t)rounded;
    return x < 0 ? -value : value;
}

/*
 * A factor of at most 1 (shift <= 0), prepared for many values under 2^30: the same results as scn_scale in a third of
 * the instructions. To round away from zero, a half is added before the shift, and 1 subtracted from negative values.
 */
typedef struct {
    int32_t multiplier;
    int32_t right;
    int32_t half;
    int32_t negative; /* -1, or 0 where nothing is shifted and so nothing rounded */
} scn_scaler_t;

/* Bound of the magnitudes that a scaler takes: the product is computed from the doubled value. */
#define SCN_SCALER_LIMIT (1 << 30)

static inline bool scn_has_scaler(scn_multiplier_t by) {
    return by.shift <= 0;
}

static inline scn_scaler_t scn_scaler(scn_multiplier_t by) {
    const int32_t right = -by.shift;
    return (scn_scaler_t){by.multiplier, right, (int32_t)((1u << right) >> 1), right > 0 ? -1 : 0};
}

/* The largest bias with which sums of `taps` taps stay under the limit; -1 if none. A tap is at most 255 * 128. */
static inline int32_t scn_bias_limit(int64_t taps) {
    const int64_t room = SCN_SCALER_LIMIT - 1 - taps * 255 * 128;
    return room > 0 ? (int32_t)room : -1;
}

/* Like scn_high_mul(twice / 2, b), twice even. */
static inline int32_t scn_high_mul_twice(int32_t twice, int32_t b) {
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(twice), "r"(b));
    return result;
#else
    return scn_high_mul(twice / 2, b);
#endif
}

/* Like scn_high_mul, |a| < 2^30. */
static inline int32_t scn_high_mul_small(int32_t a, int32_t b) {
    return scn_high_mul_twice(a * 2, b);
}

/* x times the factor, |x| < SCN_SCALER_LIMIT. */
static inline int32_t scn_scale_small(int32_t x, scn_scaler_t by) {
    const int32_t high = scn_high_mul_small(x, by.multiplier);
    return (high + by.half + (-(high < 0) & by.negative)) >> by.right;
}

/*
 * scn_scaler_t with the output's zero point in the rounding constant. Shifts of -1 .. -SCN_REQUANT_MOST_SHIFT and INT8
 * zero points: nothing overflows.
 */
typedef struct {
    int32_t multiplier;
    int32_t right;
    int32_t added;
} scn_requant_t;

#define SCN_REQUANT_MOST_SHIFT 20

static inline bool scn_has_requant(scn_multiplier_t by) {
    return by.shift < 0 && by.shift >= -SCN_REQUANT_MOST_SHIFT;
}

static inline scn_requant_t scn_requant(scn_multiplier_t by, int32_t zero_point) {
    const int32_t right = -by.shift;
    return (scn_requant_t){by.multiplier, right, (1 << (right - 1)) + zero_point * (1 << right)};
}

/* twice / 2 times the factor plus the zero point; twice is even. */
static inline int32_t scn_apply_twice(scn_requant_t stage, int32_t twice) {
    const int32_t high = scn_high_mul_twice(twice, stage.multiplier);
    return (high - (high < 0) + stage.added) >> stage.right;
}

/* x times the factor plus the zero point, |x| < SCN_SCALER_LIMIT. */
static inline int32_t scn_apply(scn_requant_t stage, int32_t x) {
    return scn_apply_twice(stage, x * 2);
}

/* The same as scn_scale, faster for small values with factors under 1. */
static inline int32_t scn_scale_quick(int32_t x, scn_multiplier_t by) {
    const bool small = x < SCN_SCALER_LIMIT && x > -SCN_SCALER_LIMIT;
    return by.shift < 0 && small ? scn_round_shift(scn_high_mul_small(x, by.multiplier), -by.shift) : scn_scale(x, by);
}

static inline int32_t scn_min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static inline int32_t scn_max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* Saturated to INT8 but returned as int32_t, so that the compiler need not extend the sign again. */
static inline int32_t scn_saturate32(int32_t value) {
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
#else
    return scn_min(scn_max(value, INT8_MIN), INT8_MAX);
#endif
}

static inline int8_t scn_saturate(int32_t value) {
    return (int8_t)scn_saturate32(value);
}

/* Saturated to int16. */
static inline int32_t scn_saturate_s16(int32_t value) {
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("ssat %0, #16, %1" : "=r"(result) : "r"(value));
    return result;
#else
    return scn_min(scn_max(value, INT16_MIN), INT16_MAX);
#endif
}

/* value / 2^16, rounded down, saturated to INT8. */
static inline int32_t scn_saturate_q16(int32_t value) {
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("ssat %0, #8, %1, asr #16" : "=r"(result) : "r"(value));
    return result;
#else
    return scn_min(scn_max(value >> 16, INT8_MIN), INT8_MAX);
#endif
}

static inline int8_t scn_affine(scn_affine_map_t map, int32_t value) {
    const int32_t middle = scn_saturate_q16(value * map.multiplier + map.added);
    return (int8_t)scn_saturate_q16(middle * map.multiplier2 + map.added2);
}

/* ADD as in scn_fused_add_t; middle: entry of its table for the other value 0. */
static inline int32_t scn_add_lut(const int32_t *middle, int32_t multiplier, int32_t value, int32_t other) {
    return scn_saturate_q16(value * multiplier + middle[other]);
}

/* Applies a post map to a value of a channel. */
static inline int8_t scn_post(scn_post_t post, int32_t channel, int8_t value) {
    if (post.table) {
        return post.table[channel * 256 + 128 + value];
    }
    return post.affine ? scn_affine(post.affine[channel], value) : value;
}

static inline int8_t scn_clamp(int32_t value, int32_t low, int32_t high) {
    return (int8_t)scn_min(scn_max(value, low), high);
}

#endif

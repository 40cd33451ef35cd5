/*
 * TFLite's integer arithmetic, private to the kernels. Right shifts of negative values are arithmetic on every compiler
 * that this project uses; sums that may wrap do so in unsigned arithmetic.
 */
#ifndef SCN_FIXEDPOINT_H
#define SCN_FIXEDPOINT_H

#include "scn_engine.h"

/* a + b modulo 2^32. */
static inline int32_t scn_wrap_add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* a * b modulo 2^32. */
static inline int32_t scn_wrap_mul(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

/* a * 2^left modulo 2^32. */
static inline int32_t scn_wrap_shift(int32_t a, int32_t left) {
    return (int32_t)((uint32_t)a << left);
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
static inline int32_t scn_scale(int32_t x, scn_multiplier_t by) {
    if (by.shift >= 0) {
        return scn_high_mul(scn_wrap_shift(x, by.shift), by.multiplier);
    }
    return scn_round_shift(scn_high_mul(x, by.multiplier), -by.shift);
}

/* x times a real factor, rounded once, limited to +-2^30 so that a zero point can be added: scn_fine_multiplier_t. */
static inline int32_t scn_scale_once(int32_t x, scn_fine_multiplier_t by) {
    const uint64_t magnitude = x < 0 ? 0U - (uint32_t)x : (uint32_t)x;
    /* The bits that the second shift drops lie below the half that rounding adds: they cannot change the result. */
    const uint64_t product = magnitude * (uint32_t)by.multiplier + (magnitude * (uint32_t)by.fraction >> 31);
    const uint64_t rounded = (product + ((uint64_t)1 << (30 - by.shift))) >> (31 - by.shift);
    const int32_t value = rounded > 1 << 30 ? 1 << 30 : (int32_t)rounded;
    return x < 0 ? -value : value;
}

static inline int32_t scn_min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static inline int32_t scn_max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static inline int8_t scn_clamp(int32_t value, int32_t low, int32_t high) {
    return (int8_t)scn_min(scn_max(value, low), high);
}

#endif

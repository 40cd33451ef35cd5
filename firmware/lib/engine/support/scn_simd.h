/* SPDX-License-Identifier: MIT */
/*
 * The Cortex-M4's 16-bit SIMD instructions, private to the kernels; in plain C, with the same bits, everywhere else.
 * A "pair" is two int16 in one 32-bit word, the first in the lower half; "quad" is four int8, the first lowest.
 */
#ifndef SCN_SIMD_H
#define SCN_SIMD_H

#include <stdint.h>
#include <string.h>

/* Four bytes from any address. */
static inline uint32_t scn_load_quad(const int8_t *from) {
    uint32_t quad;
    memcpy(&quad, from, sizeof quad);
    return quad;
}

static inline void scn_store_quad(int8_t *to, uint32_t quad) {
    memcpy(to, &quad, sizeof quad);
}

static inline uint32_t scn_pair(int32_t low, int32_t high) {
    return ((uint32_t)low & 0xFFFFu) | ((uint32_t)high << 16);
}

static inline int32_t scn_low(uint32_t pair) {
    return (int16_t)(uint16_t)pair;
}

static inline int32_t scn_high(uint32_t pair) {
    return (int16_t)(uint16_t)(pair >> 16);
}

#if defined(__ARM_FEATURE_DSP)

/* (quad[0] + pair[0], quad[2] + pair[1]). */
static inline uint32_t scn_widen_even(uint32_t pair, uint32_t quad) {
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(pair), "r"(quad));
    return result;
}

/* (quad[1] + pair[0], quad[3] + pair[1]). */
static inline uint32_t scn_widen_odd(uint32_t pair, uint32_t quad) {
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(pair), "r"(quad));
    return result;
}

/* (quad[0], quad[2]). */
static inline uint32_t scn_even(uint32_t quad) {
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(quad));
    return result;
}

/* (quad[1], quad[3]). */
static inline uint32_t scn_odd(uint32_t quad) {
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(quad));
    return result;
}

/* (a[0], b[0]). */
static inline uint32_t scn_pack_low(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

/* (a[1], b[1]). */
static inline uint32_t scn_pack_high(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(b), "r"(a));
    return result;
}

/* (a[0] + b[0], a[1] + b[1]), no sum over int16. */
static inline uint32_t scn_add_pair(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("sadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

/* (a[0] - b[0], a[1] - b[1]), no difference over int16. */
static inline uint32_t scn_sub_pair(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

/* sum + a[0] * b[0] + a[1] * b[1], modulo 2^32. */
static inline int32_t scn_dot_pair(uint32_t a, uint32_t b, int32_t sum) {
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + a[0] * b[0], modulo 2^32. */
static inline int32_t scn_mul_low(uint32_t a, uint32_t b, int32_t sum) {
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + a[1] * b[1], modulo 2^32. */
static inline int32_t scn_mul_high(uint32_t a, uint32_t b, int32_t sum) {
    int32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* The larger of each of four int8. */
static inline uint32_t scn_max_quad(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

#else

static inline int32_t scn_byte(uint32_t quad, int index) {
    return (int8_t)(uint8_t)(quad >> (8 * index));
}

static inline uint32_t scn_widen_even(uint32_t pair, uint32_t quad) {
    return scn_pair(scn_low(pair) + scn_byte(quad, 0), scn_high(pair) + scn_byte(quad, 2));
}

static inline uint32_t scn_widen_odd(uint32_t pair, uint32_t quad) {
    return scn_pair(scn_low(pair) + scn_byte(quad, 1), scn_high(pair) + scn_byte(quad, 3));
}

static inline uint32_t scn_even(uint32_t quad) {
    return scn_widen_even(0, quad);
}

static inline uint32_t scn_odd(uint32_t quad) {
    return scn_widen_odd(0, quad);
}

static inline uint32_t scn_pack_low(uint32_t a, uint32_t b) {
    return (a & 0xFFFFu) | (b << 16);
}

static inline uint32_t scn_pack_high(uint32_t a, uint32_t b) {
    return (a >> 16) | (b & 0xFFFF0000u);
}

static inline uint32_t scn_add_pair(uint32_t a, uint32_t b) {
    return scn_pair(scn_low(a) + scn_low(b), scn_high(a) + scn_high(b));
}

static inline uint32_t scn_sub_pair(uint32_t a, uint32_t b) {
    return scn_pair(scn_low(a) - scn_low(b), scn_high(a) - scn_high(b));
}

static inline int32_t scn_mul_low(uint32_t a, uint32_t b, int32_t sum) {
    return (int32_t)((uint32_t)sum + (uint32_t)(scn_low(a) * scn_low(b)));
}

static inline int32_t scn_mul_high(uint32_t a, uint32_t b, int32_t sum) {
    return (int32_t)((uint32_t)sum + (uint32_t)(scn_high(a) * scn_high(b)));
}

static inline int32_t scn_dot_pair(uint32_t a, uint32_t b, int32_t sum) {
    return scn_mul_high(a, b, scn_mul_low(a, b, sum));
}

static inline uint32_t scn_max_quad(uint32_t a, uint32_t b) {
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i) {
        const int32_t larger = scn_byte(a, i) > scn_byte(b, i) ? scn_byte(a, i) : scn_byte(b, i);
        result |= ((uint32_t)larger & 0xFFu) << (8 * i);
    }
    return result;
}

#endif

#endif

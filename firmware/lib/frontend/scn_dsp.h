/* SPDX-License-Identifier: MIT */
/* The multiplications of the front end, private to it: one Cortex-M4 instruction each, or plain C with the same bits.
 *
 * gcc 12 makes no SMMULR from C, hence the inline assembly.
 */
#ifndef SCN_DSP_H
#define SCN_DSP_H

#include <stdint.h>

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__)
#define SCN_DSP_ASM 1
#else
#define SCN_DSP_ASM 0
#endif

/* The long loops in assembly need 14 registers, which gcc -O0 and clang do not provide; single instructions always
 * fit. */
#if SCN_DSP_ASM && defined(__OPTIMIZE__) && !defined(__clang__)
#define SCN_DSP_LOOPS 1
#else
#define SCN_DSP_LOOPS 0
#endif

/* The value nearest to 1 in Q31. */
#define SCN_DSP_ONE INT32_C(0x7fffffff)

/* a * b / 2^32, rounded half up. */
static inline int32_t scn_mulr(int32_t a, int32_t b) {
#if SCN_DSP_ASM
    int32_t product;
    __asm__("smmulr %0, %1, %2" : "=r"(product) : "r"(a), "r"(b));
    return product;
#else
    return (int32_t)(((int64_t)a * b + INT64_C(0x80000000)) >> 32);
#endif
}

/* sum + a * b / 2^32, the product rounded half up. The caller leaves headroom for the sum. */
static inline int32_t scn_mlar(int32_t sum, int32_t a, int32_t b) {
#if SCN_DSP_ASM
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return sum + (int32_t)(((int64_t)a * b + INT64_C(0x80000000)) >> 32);
#endif
}

/* sum - a * b / 2^32, the difference rounded half up. The caller leaves headroom for the difference. */
static inline int32_t scn_mlsr(int32_t sum, int32_t a, int32_t b) {
#if SCN_DSP_ASM
    int32_t result;
    __asm__("smmlsr %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return sum + (int32_t)((INT64_C(0x80000000) - (int64_t)a * b) >> 32);
#endif
}

/* The nearest value of 24 bits. */
static inline int32_t scn_sat24(int32_t value) {
#if SCN_DSP_ASM
    int32_t result;
    __asm__("ssat %0, #24, %1" : "=r"(result) : "r"(value));
    return result;
#else
    const int32_t most = 0x7fffff;
    return value > most ? most : value < -most - 1 ? -most - 1 : value;
#endif
}

/* Leading zeros, 32 for 0. */
static inline uint32_t scn_clz(uint32_t value) {
    return value ? (uint32_t)__builtin_clz(value) : 32u;
}

/* The bits in reverse order. */
static inline uint32_t scn_rbit(uint32_t value) {
#if SCN_DSP_ASM
    uint32_t result;
    __asm__("rbit %0, %1" : "=r"(result) : "r"(value));
    return result;
#else
    value = ((value >> 1) & 0x55555555u) | ((value & 0x55555555u) << 1);
    value = ((value >> 2) & 0x33333333u) | ((value & 0x33333333u) << 2);
    value = ((value >> 4) & 0x0f0f0f0fu) | ((value & 0x0f0f0f0fu) << 4);
    value = ((value >> 8) & 0x00ff00ffu) | ((value & 0x00ff00ffu) << 8);
    return (value >> 16) | (value << 16);
#endif
}

/* Sums over the bins of a segment. */
typedef struct {
    uint64_t low, high; /* weight times the low and the high word of the power */
    uint64_t whole;     /* power */
} scn_sums_t;

/* Sum `bins` 64-bit powers (low word first) from `power` on, with 16-bit weights and without. */
static inline scn_sums_t scn_weighted_sums(const int32_t *power, const uint16_t *weight, uint32_t bins) {
    scn_sums_t sums = {0, 0, 0};
    for (; bins > 0; bins--) {
#if SCN_DSP_LOOPS
        uint32_t low, high, by;
        __asm__("ldrd %[low], %[high], [%[power]], #8\n\t"
                "ldrh %[by], [%[weight]], #2\n\t"
                "umlal %Q[lows], %R[lows], %[low], %[by]\n\t"
                "umlal %Q[highs], %R[highs], %[high], %[by]\n\t"
                "adds %Q[whole], %Q[whole], %[low]\n\t"
                "adc %R[whole], %R[whole], %[high]"
                : [low] "=&r"(low), [high] "=&r"(high), [by] "=&r"(by), [power] "+&r"(power), [weight] "+&r"(weight),
                  [lows] "+&r"(sums.low), [highs] "+&r"(sums.high), [whole] "+&r"(sums.whole)
                :
                : "cc", "memory");
#else
        const uint32_t low = (uint32_t)power[0], high = (uint32_t)power[1];
        sums.low += (uint64_t)low * *weight;
        sums.high += (uint64_t)high * *weight;
        sums.whole += ((uint64_t)high << 32) | low;
        power += 2;
        weight++;
#endif
    }
    return sums;
}

#endif

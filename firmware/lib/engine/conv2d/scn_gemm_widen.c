/* SPDX-License-Identifier: MIT */
/* Inputs and weights in the formats of scn_gemm_2x4.h. */
#include "scn_gemm_2x4.h"
#include "scn_requantize.h"
#include "scn_simd.h"

#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_gemm_windows_t, offset) == 16, "offsets below");
_Static_assert(offsetof(scn_gemm_windows_t, rows) == 24, "offsets below");
_Static_assert(offsetof(scn_gemm_windows_t, row_step) == 36, "offsets below");
_Static_assert(SCN_SUM_SHIFT == 8, "a shift below");

/*
 * 16 bytes in 14 instructions. r0-r3 windows, r12 offset, lr to; [sp] rows left, [sp, #4] whole, [sp, #8] rest,
 * [sp, #12] row_step, [sp, #16] end of the row in the first window.
 */
/* clang-format off */
#define LOAD                                                                                                           \
    "ldr r4, [r0], #4\n"                                                                                               \
    "ldr r5, [r1], #4\n"                                                                                               \
    "ldr r6, [r2], #4\n"                                                                                               \
    "ldr r7, [r3], #4\n"

#define EVEN                                                                                                           \
    "sxtab16 r8, r12, r4\n"                                                                                            \
    "sxtab16 r9, r12, r5\n"                                                                                            \
    "sxtab16 r10, r12, r6\n"                                                                                           \
    "sxtab16 r11, r12, r7\n"                                                                                           \
    "stm lr!, {r8-r11}\n"

#define ODD                                                                                                            \
    "sxtab16 r4, r12, r4, ror #8\n"                                                                                    \
    "sxtab16 r5, r12, r5, ror #8\n"                                                                                    \
    "sxtab16 r6, r12, r6, ror #8\n"                                                                                    \
    "sxtab16 r7, r12, r7, ror #8\n"                                                                                    \
    "stm lr!, {r4-r7}\n"

__attribute__((naked)) uint32_t *
scn_gemm_widen_windows(__attribute__((unused)) const scn_gemm_windows_t *windows) {
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "sub sp, #20\n"
        "add r1, r0, #24\n"
        "ldm r1, {r4-r7}\n"
        "stm sp, {r4-r7}\n"
        "ldrd r12, lr, [r0, #16]\n"
        "ldm r0, {r0-r3}\n"
        "1:\n" /* a row */
        "ldr r4, [sp, #4]\n"
        "cmp r4, #0\n"
        "beq 4f\n"
        "add r4, r0\n"
        "str r4, [sp, #16]\n"
        "b 3f\n"
        "2:\n"
        LOAD
        EVEN
        ODD
        "3:\n"
        "ldr r8, [sp, #16]\n"
        "sub r8, r0\n"
        "cmp r8, #8\n"
        "blt 6f\n"
        LOAD
        EVEN
        ODD
        LOAD
        EVEN
        ODD
        "b 3b\n"
        "6:\n"
        "cmp r8, #0\n"
        "bne 2b\n"
        "4:\n"
        "ldr r4, [sp, #8]\n"
        "cbz r4, 5f\n"
        "subs r4, #1\n" /* the flags last until beq */
        "ldr r4, [r0]\n"
        "ldr r5, [r1]\n"
        "ldr r6, [r2]\n"
        "ldr r7, [r3]\n"
        EVEN
        "beq 5f\n"
        ODD
        "5:\n"
        "ldrd r4, r5, [sp, #8]\n"
        "add r0, r5\n"
        "add r1, r5\n"
        "add r2, r5\n"
        "add r3, r5\n"
        "ldr r4, [sp]\n"
        "subs r4, #1\n"
        "str r4, [sp]\n"
        "bne 1b\n"
        "mov r0, lr\n"
        "add sp, #20\n"
        "pop {r4-r11, pc}\n");
}

/* A byte becomes the upper byte of an int16: two words from one in three instructions. */
#define LARGER(even, odd)                                                                                              \
    "and " even ", r11, " odd ", lsl #8\n"                                                                             \
    "and " odd ", r11\n"

__attribute__((naked)) void scn_gemm_widen_weights(__attribute__((unused)) const int8_t *packed,
                                                   __attribute__((unused)) uint32_t *to,
                                                   __attribute__((unused)) int32_t words) {
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "mov r11, #0xFF00FF00\n"
        "subs r2, #4\n"
        "blt 2f\n"
        "1:\n"
        "ldm r0!, {r4, r6, r8, r10}\n"
        LARGER("r3", "r4")
        LARGER("r5", "r6")
        LARGER("r7", "r8")
        LARGER("r9", "r10")
        "stm r1!, {r3-r10}\n"
        "subs r2, #4\n"
        "bge 1b\n"
        "2:\n"
        "adds r2, #4\n"
        "beq 4f\n"
        "3:\n"
        "ldr r4, [r0], #4\n"
        LARGER("r3", "r4")
        "strd r3, r4, [r1], #8\n"
        "subs r2, #1\n"
        "bne 3b\n"
        "4:\n"
        "pop {r4-r11, pc}\n");
}
/* clang-format on */

#else

enum { WINDOWS = 4 };

uint32_t *scn_gemm_widen_windows(const scn_gemm_windows_t *windows) {
    const int32_t words = windows->whole / 2 + windows->rest;
    uint32_t *to = windows->to;
    for (int32_t row = 0; row < windows->rows; ++row) {
        for (int32_t i = 0; i < words; ++i) {
            for (int k = 0; k < WINDOWS; ++k) {
                const int8_t *from = windows->from[k] + row * (windows->whole + windows->row_step);
                const uint32_t quad = scn_load_quad(from + i / 2 * 4);
                *to++ = i % 2 ? scn_widen_odd(windows->offset, quad) : scn_widen_even(windows->offset, quad);
            }
        }
    }
    return to;
}

void scn_gemm_widen_weights(const int8_t *packed, uint32_t *to, int32_t words) {
    for (const uint32_t *end = to + 2 * words; to < end; to += 2, packed += 4) {
        const uint32_t quad = scn_load_quad(packed);
        to[0] = quad << SCN_SUM_SHIFT & 0xFF00FF00u;
        to[1] = quad & 0xFF00FF00u;
    }
}

#endif

/* SPDX-License-Identifier: MIT */
/* Dot products of two output channels at four positions. */
#include "scn_dot_2x4.h"
#include "scn_simd.h"
#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_dot_2x4_t, w) == 4, "offsets below");
_Static_assert(offsetof(scn_dot_2x4_t, rows) == 8, "offsets below");
_Static_assert(offsetof(scn_dot_2x4_t, main_bytes) == 12, "offsets below");
_Static_assert(offsetof(scn_dot_2x4_t, rest_bytes) == 16, "offsets below");
_Static_assert(offsetof(scn_dot_2x4_t, w_skip) == 20, "offsets below");
_Static_assert(offsetof(scn_dot_2x4_t, sum) == 24, "offsets below");

/*
 * 16 MACs in 13 instructions: one word of weights holds two taps of both channels and is widened into two pairs; four
 * words of x hold the positions. The function is naked because all 14 registers are in use, which no compiler achieves:
 * r0 x, r1 w, r2 r3 weights, r4-r7 and r8-r11 the channels' sums, r12 lr two positions; [sp] end of x, [sp, #4] rows
 * left, [sp, #8] dot.
 */
/* clang-format off */
#define STEP                                                                                                           \
    "ldr r2, [r1], #4\n"                                                                                               \
    "ldrd r12, lr, [r0], #8\n"                                                                                         \
    "sxtb16 r3, r2, ror #8\n"                                                                                          \
    "sxtb16 r2, r2\n"                                                                                                  \
    "smlad r4, r2, r12, r4\n"                                                                                          \
    "smlad r8, r3, r12, r8\n"                                                                                          \
    "smlad r5, r2, lr, r5\n"                                                                                           \
    "smlad r9, r3, lr, r9\n"                                                                                           \
    "ldrd r12, lr, [r0], #8\n"                                                                                         \
    "smlad r6, r2, r12, r6\n"                                                                                          \
    "smlad r10, r3, r12, r10\n"                                                                                        \
    "smlad r7, r2, lr, r7\n"                                                                                           \
    "smlad r11, r3, lr, r11\n"

__attribute__((naked)) void scn_dot_2x4(__attribute__((unused)) scn_dot_2x4_t *dot) {
    __asm__ volatile(
        "push {r0, r4-r11, lr}\n"
        "sub sp, #8\n"
        "mov r2, r0\n"
        "ldr r3, [r2, #8]\n"
        "str r3, [sp, #4]\n"
        "ldrd r0, r1, [r2]\n"
        "adds r2, #24\n"
        "ldm r2, {r4-r11}\n"
        "1:\n" /* a row */
        "ldr r2, [sp, #8]\n"
        "ldr r3, [r2, #12]\n"
        "cmp r3, #0\n"
        "beq 3f\n"
        "add r3, r0\n"
        "str r3, [sp]\n"
        "2:\n"
        STEP
        STEP
        STEP
        STEP
        "ldr r2, [sp]\n"
        "cmp r0, r2\n"
        "bne 2b\n"
        "3:\n"
        "ldr r2, [sp, #8]\n"
        "ldr r3, [r2, #16]\n"
        "cmp r3, #0\n"
        "beq 5f\n"
        "add r3, r0\n"
        "str r3, [sp]\n"
        "4:\n"
        STEP
        "ldr r2, [sp]\n"
        "cmp r0, r2\n"
        "bne 4b\n"
        "5:\n"
        "ldr r2, [sp, #8]\n"
        "ldr r3, [r2, #20]\n"
        "add r1, r3\n"
        "ldr r3, [sp, #4]\n"
        "subs r3, #1\n"
        "str r3, [sp, #4]\n"
        "bne 1b\n"
        "adds r2, #24\n"
        "stm r2, {r4-r11}\n"
        "add sp, #12\n"
        "pop {r4-r11, pc}\n");
}
/* clang-format on */

#else

void scn_dot_2x4(scn_dot_2x4_t *dot) {
    const int32_t row_pairs = (dot->main_bytes + dot->rest_bytes) / 16;
    const uint32_t *x = dot->x;
    const int8_t *w = dot->w;
    for (int32_t row = 0; row < dot->rows; ++row) {
        for (int32_t i = 0; i < row_pairs; ++i) {
            const uint32_t quad = scn_load_quad(w);
            const uint32_t first = scn_even(quad);
            const uint32_t second = scn_odd(quad);
            for (int p = 0; p < 4; ++p) {
                dot->sum[p] = scn_dot_pair(first, x[p], dot->sum[p]);
                dot->sum[4 + p] = scn_dot_pair(second, x[p], dot->sum[4 + p]);
            }
            x += 4;
            w += 4;
        }
        w += dot->w_skip;
    }
}

#endif

/* SPDX-License-Identifier: MIT */
/* Dot products of two output channels at four vertical positions. */
#include "scn_dot_column.h"
#include "scn_simd.h"
#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_dot_column_t, w) == 4, "offsets below");
_Static_assert(offsetof(scn_dot_column_t, runs) == 8, "offsets below");
_Static_assert(offsetof(scn_dot_column_t, taps) == 12, "offsets below");
_Static_assert(offsetof(scn_dot_column_t, run_bytes) == 16, "offsets below");

/*
 * 16 MACs in 11 instructions; naked, because no register is left. Each step advances x by one row only. r0 x, r1 w,
 * r2 r3 weights, r4-r7 and r8-r11 the channels' sums, r12 lr two positions; [sp] end of the run in x, [sp, #4]
 * run_bytes, [sp, #8] bytes from the end of a run to the start of the next, [sp, #12] end of w, [sp, #16] entry of a
 * run into the unrolled steps of 44 bytes, [sp, #20] sum.
 */
/* clang-format off */
#define STEP                                                                                                           \
    "ldrd r2, r3, [r1], #8\n"                                                                                          \
    "ldrd r12, lr, [r0], #4\n"                                                                                         \
    "smlad r4, r2, r12, r4\n"                                                                                          \
    "smlad r8, r3, r12, r8\n"                                                                                          \
    "smlad r5, r2, lr, r5\n"                                                                                           \
    "smlad r9, r3, lr, r9\n"                                                                                           \
    "ldrd r12, lr, [r0, #4]\n"                                                                                         \
    "smlad r6, r2, r12, r6\n"                                                                                          \
    "smlad r10, r3, r12, r10\n"                                                                                        \
    "smlad r7, r2, lr, r7\n"                                                                                           \
    "smlad r11, r3, lr, r11\n"

__attribute__((naked)) void scn_dot_column_2x4(__attribute__((unused)) const scn_dot_column_t *dot,
                                               __attribute__((unused)) int32_t *sum) {
    __asm__ volatile(
        "push {r1, r4-r11, lr}\n"
        "ldr r7, [r0, #12]\n" /* taps */
        "ldr r3, [r0, #16]\n"
        "ldr r5, [r0, #8]\n"
        "mul r5, r5, r7\n"
        "ldrd r0, r1, [r0]\n"
        "add r5, r1, r5, lsl #3\n"
        "add r2, r0, r7, lsl #2\n"
        "sub r4, r3, r7, lsl #2\n"
        "rsb r7, r7, #0\n"
        "and r7, r7, #7\n"
        "mov r6, #44\n"
        "mul r7, r7, r6\n"
        "adr.w r6, 1f\n"
        "add r6, r7\n"
        "orr r6, r6, #1\n"
        "push {r2-r6}\n"
        "ldr r2, [sp, #20]\n"
        "mov r3, r6\n"
        "ldm r2, {r4-r11}\n"
        "bx r3\n"
        ".balign 4\n"
        "1:\n"
        STEP
        STEP
        STEP
        STEP
        STEP
        STEP
        STEP
        STEP
        "ldr r2, [sp]\n"
        "cmp r0, r2\n"
        "bne 1b\n"
        "ldr r3, [sp, #4]\n"
        "add r2, r3\n"
        "str r2, [sp]\n"
        "ldr r3, [sp, #8]\n"
        "add r0, r3\n"
        "ldr r2, [sp, #12]\n"
        "ldr r3, [sp, #16]\n"
        "cmp r1, r2\n"
        "beq 2f\n"
        "bx r3\n"
        "2:\n"
        "ldr r2, [sp, #20]\n"
        "stm r2, {r4-r11}\n"
        "add sp, #24\n"
        "pop {r4-r11, pc}\n");
}
/* clang-format on */

#else

void scn_dot_column_2x4(const scn_dot_column_t *dot, int32_t *sum) {
    const uint32_t *w = dot->w;
    for (int32_t run = 0; run < dot->runs; ++run) {
        const uint32_t *x = dot->x + run * dot->run_bytes / 4;
        for (int32_t tap = 0; tap < dot->taps; ++tap) {
            for (int p = 0; p < 4; ++p) {
                sum[p] = scn_dot_pair(w[0], x[tap + p], sum[p]);
                sum[4 + p] = scn_dot_pair(w[1], x[tap + p], sum[4 + p]);
            }
            w += 2;
        }
    }
}

#endif

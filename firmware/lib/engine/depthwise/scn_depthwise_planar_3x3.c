/* SPDX-License-Identifier: MIT */
/* 3x3 taps: four outputs in 59 instructions, which no compiler achieves with 14 registers. */
#include "scn_depthwise_planar_3x3.h"
#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_depthwise_planar_3x3_t, to) == 16, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_3x3_t, step_a) == 20, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_3x3_t, w01) == 28, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_3x3_t, bias) == 52, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_3x3_t, plane) == 56, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_3x3_t, four_bytes) == 64, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_3x3_t, columns) == 72, "offsets below");
_Static_assert(sizeof(scn_depthwise_planar_3x3_t) == 76, "offsets below");

/*
 * r0, r1 a pair and the next one in the plane, r2 r3 words at two positions of b, r4-r6 w01, r7-r9 w12, r10 r11 the
 * sums of an output pair at b, r12 lr at b + 1. The stack holds the struct, and [sp, #76] the first output of the
 * column.
 */
/* clang-format off */
#define LOAD                                                                                                           \
    "add r10, sp, #28\n"                                                                                               \
    "ldm r10, {r4-r10}\n"                                                                                              \
    "mov r11, r10\n"

/* One word of the first pair (FIRST), or of the next one (NEXT), and one tap along b. */
#define FIRST(x, w, one, other)                                                                                        \
    "smlad " one ", " x ", " w ", " one "\n"                                                                           \
    "smlatb " other ", " x ", " w ", " other "\n"

#define NEXT(x, w, one, other)                                                                                         \
    "smlabt " one ", " x ", " w ", " one "\n"                                                                          \
    "smlad " other ", " x ", " w ", " other "\n"

/* Four rows of words from `from` for outputs at b and b + 1. */
#define FOUR(add, from, w0, w1, w2)                                                                                    \
    "ldrd r2, r3, [" from "], #8\n"                                                                                    \
    add("r2", w0, "r10", "r11")                                                                                        \
    add("r3", w1, "r10", "r11")                                                                                        \
    add("r3", w0, "r12", "lr")                                                                                         \
    "ldrd r2, r3, [" from "]\n"                                                                                        \
    add("r2", w2, "r10", "r11")                                                                                        \
    add("r2", w1, "r12", "lr")                                                                                         \
    add("r3", w2, "r12", "lr")

#define THREE(add, from, w0, w1, w2)                                                                                   \
    "ldrd r2, r3, [" from "]\n"                                                                                        \
    add("r2", w0, "r10", "r11")                                                                                        \
    add("r3", w1, "r10", "r11")                                                                                        \
    "ldr r2, [" from ", #8]\n"                                                                                         \
    add("r2", w2, "r10", "r11")

/* r3 end, r4 multiplier, r5 added, r6 right, r7 to, r8 step_a, r9 step_b. */
#define REQUANTIZE(sum)                                                                                                \
    "add r2, r5, " sum ", asr #31\n"                                                                                   \
    "smmlar " sum ", " sum ", r4, r2\n"                                                                                \
    "asr " sum ", " sum ", r6\n"                                                                                       \
    "ssat " sum ", #8, " sum "\n"

/* The second output goes first: where step_a is 0, the first one overwrites it. */
#define STORE(one, other)                                                                                              \
    "strb " other ", [r7, r8]\n"                                                                                       \
    "strb " one ", [r7]\n"                                                                                             \
    "add r7, r9\n"

__attribute__((naked)) void scn_depthwise_planar_3x3(__attribute__((unused)) const scn_depthwise_planar_3x3_t *run) {
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "sub sp, #80\n"
        "mov r12, sp\n"
        "ldr r8, [r0, #16]\n"
        "ldm r0!, {r1-r7}\n"
        "stm r12!, {r1-r7}\n"
        "ldm r0!, {r1-r7}\n"
        "stm r12!, {r1-r7}\n"
        "ldm r0, {r1-r5}\n"
        "stm r12!, {r1-r5}\n"
        "str r8, [r12]\n"
        "1:\n" /* a column of pairs */
        "ldrd r0, r1, [sp, #56]\n"
        "ldr r2, [sp, #64]\n"
        "add r1, r0\n"
        "add r3, r0, r2\n"
        "str r3, [sp]\n"
        "cmp r2, #0\n"
        "beq 3f\n"
        "2:\n"
        LOAD
        "mov r12, r10\n"
        "mov lr, r10\n"
        FOUR(FIRST, "r0", "r4", "r5", "r6")
        FOUR(NEXT, "r1", "r7", "r8", "r9")
        "ldm sp, {r3-r9}\n"
        REQUANTIZE("r10")
        REQUANTIZE("r11")
        REQUANTIZE("r12")
        REQUANTIZE("lr")
        STORE("r10", "r11")
        STORE("r12", "lr")
        "str r7, [sp, #16]\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        "3:\n"
        "ldr r2, [sp, #68]\n"
        "cmp r2, #0\n"
        "beq 4f\n"
        LOAD
        THREE(FIRST, "r0", "r4", "r5", "r6")
        THREE(NEXT, "r1", "r7", "r8", "r9")
        "ldm sp, {r3-r9}\n"
        REQUANTIZE("r10")
        REQUANTIZE("r11")
        STORE("r10", "r11")
        "4:\n"
        "ldrd r0, r1, [sp, #56]\n"
        "add r0, r1\n"
        "str r0, [sp, #56]\n"
        "ldr r2, [sp, #76]\n"
        "ldr r3, [sp, #20]\n"
        "add r2, r2, r3, lsl #1\n"
        "str r2, [sp, #76]\n"
        "str r2, [sp, #16]\n"
        "ldr r3, [sp, #72]\n"
        "subs r3, #1\n"
        "str r3, [sp, #72]\n"
        "bne 1b\n"
        "add sp, #80\n"
        "pop {r4-r11, pc}\n");
}
/* clang-format on */

#endif

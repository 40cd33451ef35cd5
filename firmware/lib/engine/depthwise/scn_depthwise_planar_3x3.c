/* SPDX-License-Identifier: MIT */
/* 3x3 taps: four outputs in 52 instructions, which no compiler achieves with 14 registers. */
#include "scn_depthwise_planar_3x3.h"
#include "scn_requantize.h"
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
_Static_assert(SCN_REQUANTIZE_SHIFT == 12, "a shift below");

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
#define IN_TWO(sum)                                                                                                    \
    "smmla " sum ", " sum ", r4, r5\n"                                                                                 \
    "ssat " sum ", #8, " sum ", asr #12\n"

#define IN_FOUR(sum)                                                                                                   \
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
        "cbz r6, 5f\n"
        IN_FOUR("r10")
        IN_FOUR("r11")
        IN_FOUR("r12")
        IN_FOUR("lr")
        "b 6f\n"
        "5:\n"
        IN_TWO("r10")
        IN_TWO("r11")
        IN_TWO("r12")
        IN_TWO("lr")
        "6:\n"
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
        "cbz r6, 7f\n"
        IN_FOUR("r10")
        IN_FOUR("r11")
        "b 8f\n"
        "7:\n"
        IN_TWO("r10")
        IN_TWO("r11")
        "8:\n"
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

_Static_assert(offsetof(scn_depthwise_planar_widen_t, to) == 12, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_widen_t, offset) == 24, "offsets below");
_Static_assert(offsetof(scn_depthwise_planar_widen_t, gap_bytes) == 36, "offsets below");

/*
 * 17 instructions for four words. r0 from, r1 second, r2 step, r3 to, r4 plane_bytes, r5 positions left, r6 offset,
 * r7 the fourth channel's word. [sp] count, [sp, #4] pairs left, pair_step, gap_bytes.
 */
__attribute__((naked)) void
scn_depthwise_planar_widen(__attribute__((unused)) const scn_depthwise_planar_widen_t *widen) {
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "sub sp, #20\n"
        "ldr r4, [r0, #20]\n"
        "add r8, r0, #28\n"
        "ldm r8, {r5-r7}\n"
        "stm sp, {r4-r7}\n"
        "ldr r6, [r0, #24]\n"
        "ldm r0, {r0-r4}\n"
        "add r7, r4, r4, lsl #1\n"
        "add r7, r3\n"
        "1:\n"
        "ldr r5, [sp]\n"
        "2:\n"
        "ldr r9, [r0, r1]\n"
        "ldr r8, [r0]\n"
        "add r0, r2\n"
        "sxtab16 r11, r6, r9\n"
        "sxtab16 r10, r6, r8\n"
        "sxtab16 r9, r6, r9, ror #8\n"
        "sxtab16 r8, r6, r8, ror #8\n"
        "pkhbt r12, r10, r11, lsl #16\n"
        "pkhtb r11, r11, r10, asr #16\n"
        "pkhbt r10, r8, r9, lsl #16\n"
        "pkhtb r9, r9, r8, asr #16\n"
        "str r10, [r3, r4]\n"
        "str r11, [r3, r4, lsl #1]\n"
        "str r9, [r7], #4\n"
        "str r12, [r3], #4\n"
        "subs r5, #1\n"
        "bne 2b\n"
        "ldrd r8, r9, [sp, #8]\n"
        "add r0, r8\n"
        "add r3, r9\n"
        "add r7, r9\n"
        "ldr r8, [sp, #4]\n"
        "subs r8, #1\n"
        "str r8, [sp, #4]\n"
        "bne 1b\n"
        "add sp, #20\n"
        "pop {r4-r11, pc}\n");
}
/* clang-format on */

#else

/* The first and second output of a pair at position b. */
static void planar_pair(const scn_depthwise_planar_3x3_t *run, const uint32_t *words, int32_t b, int8_t *to) {
    const scn_requant_t by = {run->multiplier, run->right, run->added};
    int32_t first = run->bias, second = first;
    for (int32_t tap = 0; tap < 3; ++tap) {
        const uint32_t x01 = words[b + tap], x23 = words[b + tap + run->pitch / 4];
        first = scn_mul_low(x23, scn_pack_high(run->w12[tap], 0), scn_dot_pair(x01, run->w01[tap], first));
        second = scn_dot_pair(x23, run->w12[tap], scn_mul_high(x01, scn_pair(0, scn_low(run->w01[tap])), second));
    }
    to[run->step_a] = scn_requantize_any(by, second);
    to[0] = scn_requantize_any(by, first);
}

void scn_depthwise_planar_3x3(const scn_depthwise_planar_3x3_t *run) {
    for (int32_t column = 0; column < run->columns; ++column) {
        const uint32_t *words = run->plane + column * (run->pitch / 4);
        int8_t *to = run->to + 2 * column * run->step_a;
        for (int32_t b = 0; b < run->four_bytes / 4 + run->odd; ++b) {
            planar_pair(run, words, b, to + b * run->step_b);
        }
    }
}

void scn_depthwise_planar_widen(const scn_depthwise_planar_widen_t *widen) {
    const int8_t *from = widen->from;
    uint32_t *to = widen->to;
    for (int32_t pair = 0; pair < widen->pairs; ++pair) {
        for (int32_t i = 0; i < widen->count; ++i, from += widen->step) {
            const uint32_t first = scn_load_quad(from), second = scn_load_quad(from + widen->second);
            scn_depthwise_planar_store(to++, widen->plane_bytes, first, second, widen->offset);
        }
        from += widen->pair_step;
        to += widen->gap_bytes / (int32_t)sizeof *to;
    }
}

#endif

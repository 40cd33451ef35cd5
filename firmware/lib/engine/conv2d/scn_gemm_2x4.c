/* SPDX-License-Identifier: MIT */
/* Dot products of two output channels at many positions, requantized and stored. */
#include "scn_gemm_2x4.h"
#include "scn_requantize.h"
#include "scn_simd.h"

#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_gemm_2x4_t, block_bytes) == 4, "offsets below");
_Static_assert(offsetof(scn_gemm_2x4_t, x) == 8, "offsets below");
_Static_assert(offsetof(scn_gemm_2x4_t, requantize) == 12, "offsets below");
_Static_assert(offsetof(scn_gemm_2x4_t, to) == 16, "offsets below");
_Static_assert(offsetof(scn_gemm_2x4_t, step) == 20, "offsets below");
_Static_assert(offsetof(scn_gemm_2x4_t, blocks) == 24, "offsets below");
_Static_assert(offsetof(scn_gemm_2x4_t, after) == 28, "offsets below");
_Static_assert(offsetof(scn_gemm_2x4_t, form) == 32, "offsets below");
_Static_assert(SCN_TWO == 0 && SCN_FOUR == 1 && SCN_FOUR_LARGE == 2, "compared below");
_Static_assert(SCN_REQUANTIZE_SHIFT == 12 && SCN_SUM_SHIFT == 8, "shifts below");
_Static_assert(offsetof(scn_gemm_after_t, middle) == 4 && offsetof(scn_gemm_after_t, skip) == 12, "offsets below");
_Static_assert(offsetof(scn_requantize_pair_t, multiplier0) == 8 && offsetof(scn_requantize_pair_t, multiplier1) == 20,
               "offsets below");

/*
 * 16 MACs in 11 instructions, then 8 outputs; naked, because all 14 registers are in use: r0 x, r1 w, r2 r3 weights,
 * r4-r7 and r8-r11 the channels' sums, r12 lr two positions. [sp] end of the block in x, [sp, #4] entry of a block into
 * the unrolled steps of 44 bytes, [sp, #8] dot, [sp, #12] to, [sp, #16] blocks left. The first step of a block takes the
 * biases from r7 and r11, so that no sum need be set.
 */
/* clang-format off */
#define STEP                                                                                                           \
    "ldrd r2, r3, [r1], #8\n"                                                                                          \
    "ldrd r12, lr, [r0], #8\n"                                                                                         \
    "smlad r4, r2, r12, r4\n"                                                                                          \
    "smlad r8, r3, r12, r8\n"                                                                                          \
    "smlad r5, r2, lr, r5\n"                                                                                           \
    "smlad r9, r3, lr, r9\n"                                                                                           \
    "ldrd r12, lr, [r0], #8\n"                                                                                         \
    "smlad r6, r2, r12, r6\n"                                                                                          \
    "smlad r10, r3, r12, r10\n"                                                                                        \
    "smlad r7, r2, lr, r7\n"                                                                                           \
    "smlad r11, r3, lr, r11\n"

#define STEP_4 STEP STEP STEP STEP

/* r2 multiplier, r3 added. */
#define IN_TWO(sum)                                                                                                    \
    "smmla " sum ", " sum ", r2, r3\n"                                                                                 \
    "ssat " sum ", #8, " sum ", asr #12\n"

/* r2 multiplier, r3 added, lr right, r0 free. */
#define IN_FOUR(sum)                                                                                                   \
    "add r0, r3, " sum ", asr #31\n"                                                                                   \
    "smmlar " sum ", " sum ", r2, r0\n"                                                                                \
    "asr " sum ", " sum ", lr\n"                                                                                       \
    "ssat " sum ", #8, " sum "\n"

/* r3 middle of a channel's table. */
#define LOOK_UP(value) "ldrsb " value ", [r3, " value "]\n"

/* r0 skip, r1 step, r3 middle, lr multiplier, r2 free. */
#define ADD(value, skip)                                                                                               \
    "ldrsb r2, [r0" skip "]\n"                                                                                         \
    "ldr r2, [r3, r2, lsl #2]\n"                                                                                       \
    "mla " value ", " value ", lr, r2\n"                                                                               \
    "ssat " value ", #8, " value ", asr #16\n"

#define ADD_TWO(first, second)                                                                                         \
    ADD(first, "")                                                                                                     \
    ADD(second, ", #1")                                                                                                \
    "add r0, r1\n"

#define DOUBLED(sum) "asr " sum ", " sum ", #7\n"

__attribute__((naked)) void scn_gemm_2x4(__attribute__((unused)) const scn_gemm_2x4_t *dot) {
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "ldrd r4, r5, [r0, #16]\n" /* to, step */
        "ldr r5, [r0, #24]\n"
        "ldr r1, [r0, #4]\n"
        "lsr r1, r1, #4\n"
        "subs r1, #1\n"
        "rsb r1, r1, #0\n"
        "and r1, r1, #15\n"
        "it eq\n" /* a single step: straight to the end of the unrolled ones */
        "moveq r1, #16\n"
        "mov r2, #44\n"
        "mul r1, r1, r2\n"
        "adr.w r2, 2f\n"
        "add r2, r1\n"
        "orr r2, r2, #1\n"
        "mov r1, #0\n"
        "mov r3, r0\n"
        "push {r1-r5}\n"
        "ldr r0, [r3, #8]\n"
        "1:\n" /* a block */
        "ldr r12, [sp, #8]\n"
        "ldrd r1, r3, [r12]\n"
        "add r3, r0\n"
        "str r3, [sp]\n"
        "ldr r12, [r12, #12]\n"
        "ldrd r7, r11, [r12]\n"
        "ldrd r2, r3, [r1], #8\n"
        "ldrd r12, lr, [r0], #8\n"
        "smlad r4, r2, r12, r7\n"
        "smlad r8, r3, r12, r11\n"
        "smlad r5, r2, lr, r7\n"
        "smlad r9, r3, lr, r11\n"
        "ldrd r12, lr, [r0], #8\n"
        "smlad r6, r2, r12, r7\n"
        "smlad r10, r3, r12, r11\n"
        "smlad r7, r2, lr, r7\n"
        "smlad r11, r3, lr, r11\n"
        "ldr pc, [sp, #4]\n"
        ".balign 4\n"
        "2:\n"
        STEP_4
        STEP_4
        STEP_4
        STEP_4
        "ldr r2, [sp]\n"
        "cmp r0, r2\n"
        "bne.w 2b\n"
        "ldr r0, [sp, #8]\n"
        "ldr r12, [sp, #12]\n"
        "ldr r1, [r0, #12]\n"
        "ldr lr, [r0, #32]\n"
        "cmp lr, #1\n"
        "bhs 4f\n"
        "ldrd r2, r3, [r1, #8]\n"
        IN_TWO("r4")
        IN_TWO("r5")
        IN_TWO("r6")
        IN_TWO("r7")
        "ldrd r2, r3, [r1, #20]\n"
        IN_TWO("r8")
        IN_TWO("r9")
        IN_TWO("r10")
        IN_TWO("r11")
        "3:\n" /* INT8 in r4-r11, dot in r0 */
        "ldr r2, [r0, #28]\n"
        "ldr r1, [r0, #20]\n"
        "cmp r2, #0\n"
        "bne 6f\n"
        "5:\n"
        "bfi r4, r8, #8, #8\n"
        "bfi r5, r9, #8, #8\n"
        "bfi r6, r10, #8, #8\n"
        "bfi r7, r11, #8, #8\n"
        "strh r4, [r12]\n"
        "strh r5, [r12, r1]\n"
        "strh r6, [r12, r1, lsl #1]\n"
        "add r2, r12, r1\n"
        "strh r7, [r2, r1, lsl #1]\n"
        "add r12, r12, r1, lsl #2\n"
        "ldr r0, [sp]\n"
        "ldr r2, [sp, #16]\n"
        "subs r2, #1\n"
        "strd r12, r2, [sp, #12]\n"
        "bne.w 1b\n"
        "add sp, #20\n"
        "pop {r4-r11, pc}\n"
        "4:\n"
        "beq 7f\n"
        DOUBLED("r4")
        DOUBLED("r5")
        DOUBLED("r6")
        DOUBLED("r7")
        DOUBLED("r8")
        DOUBLED("r9")
        DOUBLED("r10")
        DOUBLED("r11")
        "7:\n"
        "adds r1, #8\n"
        "ldm r1!, {r2, r3, lr}\n"
        IN_FOUR("r4")
        IN_FOUR("r5")
        IN_FOUR("r6")
        IN_FOUR("r7")
        "ldm r1, {r2, r3, lr}\n"
        IN_FOUR("r8")
        IN_FOUR("r9")
        IN_FOUR("r10")
        IN_FOUR("r11")
        "ldr r0, [sp, #8]\n"
        "b 3b\n"
        "6:\n" /* fused steps */
        "ldr r3, [r2]\n"
        "cbz r3, 8f\n"
        LOOK_UP("r4")
        LOOK_UP("r5")
        LOOK_UP("r6")
        LOOK_UP("r7")
        "add r3, #256\n"
        LOOK_UP("r8")
        LOOK_UP("r9")
        LOOK_UP("r10")
        LOOK_UP("r11")
        "8:\n"
        "ldrd r3, lr, [r2, #4]\n"
        "cmp r3, #0\n"
        "beq 5b\n"
        "ldr r2, [r2, #12]\n"
        "ldr r0, [r0, #16]\n"
        "sub r0, r12, r0\n"
        "add r0, r2\n"
        ADD_TWO("r4", "r8")
        ADD_TWO("r5", "r9")
        ADD_TWO("r6", "r10")
        ADD_TWO("r7", "r11")
        "b 5b\n");
}

/* clang-format on */

#else

/* The sum of one channel at one position. */
static int32_t sum_of(const scn_gemm_2x4_t *dot, const uint32_t *x, const uint32_t *w, int32_t sum) {
    for (int32_t i = 0; i < dot->block_bytes / 16; ++i) {
        sum = scn_dot_pair(w[2 * i], x[4 * i], sum);
    }
    return sum;
}

/* Apply the fused steps to the value of dot->to[place]; post: distance from the first channel's table to its own. */
static int32_t follow(const scn_gemm_after_t *after, int32_t value, int32_t post, int32_t place) {
    if (after && after->post) {
        value = after->post[post + value];
    }
    return after && after->middle ? scn_add_lut(after->middle, after->multiplier, value, after->skip[place]) : value;
}

static int8_t requantized(const scn_gemm_2x4_t *dot, scn_requant_t by, int32_t sum) {
    if (dot->form == SCN_TWO) {
        return (int8_t)scn_requantize_two(sum, by.multiplier, by.added);
    }
    return scn_requantize(by, dot->form == SCN_FOUR ? sum : sum >> (SCN_SUM_SHIFT - 1));
}

void scn_gemm_2x4(const scn_gemm_2x4_t *dot) {
    const scn_requantize_pair_t *by = dot->requantize;
    const scn_requant_t first = {by->multiplier0, by->right0, by->added0};
    const scn_requant_t second = {by->multiplier1, by->right1, by->added1};
    for (int32_t i = 0; i < 4 * dot->blocks; ++i) {
        const uint32_t *x = dot->x + i / 4 * (dot->block_bytes / 4) + i % 4;
        const int8_t one = requantized(dot, first, sum_of(dot, x, dot->w, by->bias0));
        const int8_t other = requantized(dot, second, sum_of(dot, x, dot->w + 1, by->bias1));
        dot->to[i * dot->step] = (int8_t)follow(dot->after, one, 0, i * dot->step);
        dot->to[i * dot->step + 1] = (int8_t)follow(dot->after, other, 256, i * dot->step + 1);
    }
}

#endif

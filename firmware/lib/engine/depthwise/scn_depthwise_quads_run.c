/* SPDX-License-Identifier: MIT */
/* 3x3 taps: two outputs of four channels in 147 instructions, with stride 2 in 153, one in 93. */
#include "scn_depthwise_quads_run.h"
#include "scn_requantize.h"
#include "scn_simd.h"

#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_depthwise_quads_run_t, tap_bytes) == 8, "offsets below");
_Static_assert(offsetof(scn_depthwise_quads_run_t, tap_step) == 16, "offsets below");
_Static_assert(offsetof(scn_depthwise_quads_run_t, to) == 24, "offsets below");
_Static_assert(offsetof(scn_depthwise_quads_run_t, outputs) == 32, "offsets below");
_Static_assert(offsetof(scn_depthwise_quads_run_t, in_two) == 40, "offsets below");
_Static_assert(sizeof(scn_depthwise_quads_run_t) == 44, "offsets below");
_Static_assert(SCN_REQUANTIZE_SHIFT == 12, "a shift below");

/* clang-format off */

/* The struct onto the stack, whose 60 bytes have room for four words more. Clobbers r1-r7. */
#define COPY                                                                                                           \
    "push {r4-r11, lr}\n"                                                                                              \
    "sub sp, #60\n"                                                                                                    \
    "mov r12, sp\n"                                                                                                    \
    "ldm r0!, {r1-r7}\n"                                                                                               \
    "stm r12!, {r1-r7}\n"                                                                                              \
    "ldm r0, {r1-r4}\n"                                                                                                \
    "stm r12, {r1-r4}\n"

/* Four channels' products of x (even, odd) and weights (w0, w1). */
#define ADD(even, odd, w0, w1, a, b, c, d)                                                                             \
    "smlabb " a ", " even ", " w0 ", " a "\n"                                                                          \
    "smlatt " c ", " even ", " w0 ", " c "\n"                                                                          \
    "smlabb " b ", " odd ", " w1 ", " b "\n"                                                                           \
    "smlatt " d ", " odd ", " w1 ", " d "\n"

#define IN_TWO(sum)                                                                                                    \
    "smmla " sum ", " sum ", r2, r3\n"                                                                                 \
    "ssat " sum ", #8, " sum ", asr #12\n"

/* r2 multiplier, r3 added, r12 right, lr free. */
#define IN_FOUR(sum)                                                                                                   \
    "add lr, r3, " sum ", asr #31\n"                                                                                   \
    "smmlar " sum ", " sum ", r2, lr\n"                                                                                \
    "asr " sum ", " sum ", r12\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"

#define IN_TWO_BOTH(one, other)                                                                                        \
    "ldrd r2, r3, [r1], #8\n"                                                                                          \
    IN_TWO(one)                                                                                                        \
    IN_TWO(other)

#define IN_FOUR_BOTH(one, other)                                                                                       \
    "ldm r1!, {r2, r3, r12}\n"                                                                                         \
    IN_FOUR(one)                                                                                                       \
    IN_FOUR(other)

/* Four INT8 into the first of their registers. */
#define PACK(a, b, c, d)                                                                                               \
    "bfi " a ", " b ", #8, #8\n"                                                                                       \
    "bfi " c ", " d ", #8, #8\n"                                                                                       \
    "pkhbt " a ", " a ", " c ", lsl #16\n"

/*
 * r0 x, r1 constants, r2 r3 an input, r12 lr a tap, r4-r7 and r8-r11 the sums of both outputs. [sp, #44] end of the taps
 * in x, [sp, #48] entry of a row into the four unrolled steps, [sp, #52] end of a row in the weights, [sp, #56] bytes
 * from a row's end to the next row.
 */
#define FIRST ADD("r2", "r3", "r12", "lr", "r4", "r5", "r6", "r7")
#define SECOND ADD("r2", "r3", "r12", "lr", "r8", "r9", "r10", "r11")

/* Stride 1: the second output takes the tap that the first one has just had. */
#define START_1                                                                                                        \
    "ldrd r12, lr, [r1], #8\n"                                                                                         \
    "ldrd r2, r3, [r0], #8\n"                                                                                          \
    FIRST

#define STEP_1                                                                                                         \
    "ldrd r2, r3, [r0], #8\n"                                                                                          \
    SECOND                                                                                                             \
    "ldrd r12, lr, [r1], #8\n"                                                                                         \
    FIRST

#define END_1                                                                                                          \
    "ldrd r2, r3, [r0]\n"                                                                                              \
    SECOND

/* Stride 2: each tap for both. */
#define STEP_2                                                                                                         \
    "ldrd r12, lr, [r1], #8\n"                                                                                         \
    "ldrd r2, r3, [r0, #16]\n"                                                                                         \
    SECOND                                                                                                             \
    "ldrd r2, r3, [r0], #8\n"                                                                                          \
    FIRST

#define NEXT_ROW                                                                                                       \
    "ldr r2, [sp, #56]\n"                                                                                              \
    "ldr r3, [sp, #44]\n"                                                                                              \
    "add r0, r2\n"                                                                                                     \
    "cmp r0, r3\n"

/* before: steps of a row that START and END make; three: a row of three taps; step_bytes: of the code of a step. */
#define PAIRS(before, start, step, end, three, step_bytes, x_bytes)                                                    \
    __asm__ volatile(                                                                                                  \
        COPY                                                                                                           \
        "ldr r0, [sp]\n"                                                                                               \
        "ldrd r1, r2, [sp, #8]\n" /* tap_bytes, rows */                                                                \
        "ldr r3, [sp, #20]\n"     /* row_step */                                                                       \
        "mul r2, r2, r3\n"                                                                                             \
        "str r2, [sp, #16]\n" /* the taps' extent, in the place of tap_step */                                         \
        "sub r3, r1\n"                                                                                                 \
        "str r3, [sp, #56]\n"                                                                                          \
        "lsr r1, r1, #3\n"                                                                                             \
        "subs r1, #" before "\n"                                                                                       \
        "rsb r1, r1, #0\n"                                                                                             \
        "and r1, r1, #3\n"                                                                                             \
        "it eq\n"                                                                                                      \
        "moveq r1, #4\n"                                                                                               \
        "mov r2, #" step_bytes "\n"                                                                                    \
        "mul r1, r1, r2\n"                                                                                             \
        "adr.w r2, 4f\n"                                                                                               \
        "add r2, r1\n"                                                                                                 \
        "orr r2, r2, #1\n"                                                                                             \
        "str r2, [sp, #48]\n"                                                                                          \
        "1:\n" /* a pair of outputs */                                                                                 \
        "ldr r2, [sp, #16]\n"                                                                                          \
        "ldr r1, [sp, #4]\n"                                                                                           \
        "add r2, r0\n"                                                                                                 \
        "str r2, [sp, #44]\n"                                                                                          \
        "ldm r1!, {r4-r11}\n"                                                                                          \
        "ldr r2, [sp, #8]\n"                                                                                           \
        "cmp r2, #24\n"                                                                                                \
        "bne.w 3f\n"                                                                                                   \
        "2:\n"                                                                                                         \
        three                                                                                                          \
        NEXT_ROW                                                                                                       \
        "bne.w 2b\n"                                                                                                   \
        "b 6f\n"                                                                                                       \
        "3:\n"                                                                                                         \
        "ldr r2, [sp, #8]\n"                                                                                           \
        "add r2, r1\n"                                                                                                 \
        "str r2, [sp, #52]\n"                                                                                          \
        start                                                                                                          \
        "ldr pc, [sp, #48]\n"                                                                                          \
        ".balign 4\n"                                                                                                  \
        "4:\n"                                                                                                         \
        step                                                                                                           \
        step                                                                                                           \
        step                                                                                                           \
        step                                                                                                           \
        "ldr r2, [sp, #52]\n"                                                                                          \
        "cmp r1, r2\n"                                                                                                 \
        "bne.w 4b\n"                                                                                                   \
        end                                                                                                            \
        NEXT_ROW                                                                                                       \
        "bne.w 3b\n"                                                                                                   \
        "6:\n"                                                                                                         \
        "ldr r0, [sp, #40]\n"                                                                                          \
        "cbz r0, 7f\n"                                                                                                 \
        IN_TWO_BOTH("r4", "r8")                                                                                        \
        IN_TWO_BOTH("r5", "r9")                                                                                        \
        IN_TWO_BOTH("r6", "r10")                                                                                       \
        IN_TWO_BOTH("r7", "r11")                                                                                       \
        "b 8f\n"                                                                                                       \
        "7:\n"                                                                                                         \
        IN_FOUR_BOTH("r4", "r8")                                                                                       \
        IN_FOUR_BOTH("r5", "r9")                                                                                       \
        IN_FOUR_BOTH("r6", "r10")                                                                                      \
        IN_FOUR_BOTH("r7", "r11")                                                                                      \
        "8:\n"                                                                                                         \
        "ldrd r2, r3, [sp, #24]\n"                                                                                     \
        PACK("r4", "r5", "r6", "r7")                                                                                   \
        PACK("r8", "r9", "r10", "r11")                                                                                 \
        "str r4, [r2]\n"                                                                                               \
        "str r8, [r2, r3]\n"                                                                                           \
        "add r2, r2, r3, lsl #1\n"                                                                                     \
        "str r2, [sp, #24]\n"                                                                                          \
        "ldr r0, [sp]\n"                                                                                               \
        "ldr r2, [sp, #32]\n"                                                                                          \
        "adds r0, #" x_bytes "\n"                                                                                      \
        "str r0, [sp]\n"                                                                                               \
        "subs r2, #2\n"                                                                                                \
        "str r2, [sp, #32]\n"                                                                                          \
        "bne.w 1b\n"                                                                                                   \
        "add sp, #60\n"                                                                                                \
        "pop {r4-r11, pc}\n")

__attribute__((naked)) void scn_depthwise_quads_pairs(__attribute__((unused)) const scn_depthwise_quads_run_t *run) {
    PAIRS("1", START_1, STEP_1, END_1, START_1 STEP_1 STEP_1 END_1, "40", "16");
}

__attribute__((naked)) void scn_depthwise_quads_pairs_2(__attribute__((unused)) const scn_depthwise_quads_run_t *run) {
    PAIRS("0", "", STEP_2, "", STEP_2 STEP_2 STEP_2, "44", "32");
}

/*
 * r0 x, r1 constants, r2 tap_step, r3 end of a row in the weights, r4-r7 sums, r8 r9 a tap, r10 r11 an input, r12 bytes
 * from the end of a row in x to the next one, lr end of the weights. [sp, #44] entry of a row into the four unrolled
 * steps of 28 bytes.
 */
#define SINGLE                                                                                                         \
    "ldrd r10, r11, [r0]\n"                                                                                            \
    "add.w r0, r0, r2\n"                                                                                               \
    "ldrd r8, r9, [r1], #8\n"                                                                                          \
    ADD("r10", "r11", "r8", "r9", "r4", "r5", "r6", "r7")

#define SINGLE_NEAR                                                                                                    \
    "ldrd r10, r11, [r0], #8\n"                                                                                        \
    "ldrd r8, r9, [r1], #8\n"                                                                                          \
    ADD("r10", "r11", "r8", "r9", "r4", "r5", "r6", "r7")

#define SINGLE_IN_FOUR(sum)                                                                                            \
    "ldm r1!, {r8-r10}\n"                                                                                              \
    "add r11, r9, " sum ", asr #31\n"                                                                                  \
    "smmlar " sum ", " sum ", r8, r11\n"                                                                               \
    "asr " sum ", " sum ", r10\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"

__attribute__((naked)) void scn_depthwise_quads_single(__attribute__((unused)) const scn_depthwise_quads_run_t *run) {
    __asm__ volatile(
        COPY
        "ldrd r1, r2, [sp, #8]\n" /* tap_bytes, rows */
        "ldrd r3, r4, [sp, #16]\n" /* tap_step, row_step */
        "ldr lr, [sp, #4]\n"
        "add lr, #32\n"
        "mul r2, r2, r1\n"
        "add lr, r2\n"
        "lsr r5, r1, #3\n"
        "mul r6, r5, r3\n"
        "sub r12, r4, r6\n"
        "rsb r5, r5, #0\n"
        "and r5, r5, #3\n"
        "mov r6, #28\n"
        "mul r5, r5, r6\n"
        "adr.w r6, 4f\n"
        "add r6, r5\n"
        "orr r6, r6, #1\n"
        "str r6, [sp, #44]\n"
        "mov r2, r3\n"
        "1:\n" /* an output */
        "ldrd r0, r1, [sp]\n"
        "ldm r1, {r4-r7}\n"
        "adds r1, #32\n"
        "ldr r3, [sp, #8]\n"
        "cmp r3, #24\n"
        "it eq\n"
        "cmpeq r2, #8\n"
        "bne 3f\n"
        "2:\n" /* three taps side by side */
        SINGLE_NEAR
        SINGLE_NEAR
        SINGLE_NEAR
        "add r0, r12\n"
        "cmp r1, lr\n"
        "bne 2b\n"
        "b 6f\n"
        "3:\n"
        "ldr r3, [sp, #8]\n"
        "add r3, r1\n"
        "ldr pc, [sp, #44]\n"
        ".balign 4\n"
        "4:\n"
        SINGLE
        SINGLE
        SINGLE
        SINGLE
        "cmp r1, r3\n"
        "bne 4b\n"
        "add r0, r12\n"
        "cmp r1, lr\n"
        "bne 3b\n"
        "6:\n"
        "ldr r0, [sp, #40]\n"
        "cbz r0, 7f\n"
        "ldm r1, {r0, r3, r8-r11}\n"
        "smmla r4, r4, r0, r3\n"
        "ssat r4, #8, r4, asr #12\n"
        "smmla r5, r5, r8, r9\n"
        "ssat r5, #8, r5, asr #12\n"
        "smmla r6, r6, r10, r11\n"
        "ssat r6, #8, r6, asr #12\n"
        "ldrd r0, r3, [r1, #24]\n"
        "smmla r7, r7, r0, r3\n"
        "ssat r7, #8, r7, asr #12\n"
        "b 8f\n"
        "7:\n"
        SINGLE_IN_FOUR("r4")
        SINGLE_IN_FOUR("r5")
        SINGLE_IN_FOUR("r6")
        SINGLE_IN_FOUR("r7")
        "8:\n"
        "ldrd r8, r9, [sp, #24]\n"
        PACK("r4", "r5", "r6", "r7")
        "str r4, [r8]\n"
        "add r8, r9\n"
        "str r8, [sp, #24]\n"
        "ldr r0, [sp]\n"
        "ldrd r8, r9, [sp, #32]\n"
        "add r0, r9\n"
        "str r0, [sp]\n"
        "subs r8, #1\n"
        "str r8, [sp, #32]\n"
        "bne.w 1b\n"
        "add sp, #60\n"
        "pop {r4-r11, pc}\n");
}

#define POSITIONS_2                                                                                                    \
    "ldr r5, [r1]\n"                                                                                                   \
    "ldr r7, [r1, r2]\n"                                                                                               \
    "add r1, r1, r2, lsl #1\n"                                                                                         \
    "sxtab16 r4, r12, r5\n"                                                                                            \
    "sxtab16 r5, r12, r5, ror #8\n"                                                                                    \
    "sxtab16 r6, r12, r7\n"                                                                                            \
    "sxtab16 r7, r12, r7, ror #8\n"                                                                                    \
    "stm r0!, {r4-r7}\n"

/* r0 to, r1 from, r2 step, r3 count, r12 offset. */
__attribute__((naked)) void scn_depthwise_quads_widen(__attribute__((unused)) uint32_t *to,
                                                      __attribute__((unused)) const int8_t *from,
                                                      __attribute__((unused)) int32_t step,
                                                      __attribute__((unused)) int32_t count,
                                                      __attribute__((unused)) uint32_t offset) {
    __asm__ volatile(
        "ldr r12, [sp]\n"
        "push {r4-r9}\n"
        "subs r3, #4\n"
        "blt 2f\n"
        "1:\n"
        POSITIONS_2
        POSITIONS_2
        "subs r3, #4\n"
        "bge 1b\n"
        "2:\n"
        "adds r3, #4\n"
        "beq 4f\n"
        "3:\n"
        "ldr r5, [r1]\n"
        "add r1, r2\n"
        "sxtab16 r4, r12, r5\n"
        "sxtab16 r5, r12, r5, ror #8\n"
        "stm r0!, {r4, r5}\n"
        "subs r3, #1\n"
        "bne 3b\n"
        "4:\n"
        "pop {r4-r9}\n"
        "bx lr\n");
}
/* clang-format on */

#else

static const uint32_t *bytes_on(const uint32_t *words, int32_t bytes) {
    return words + bytes / (int32_t)sizeof *words;
}

/* One output of four channels, its first tap at x. */
static void quads_output(const scn_depthwise_quads_run_t *run, const uint32_t *x, int8_t *to) {
    const uint32_t *w = run->constants + 8;
    int32_t sum[4];
    for (int i = 0; i < 4; ++i) {
        sum[i] = (int32_t)run->constants[i];
    }
    for (int32_t row = 0; row < run->rows; ++row) {
        const uint32_t *from = bytes_on(x, row * run->row_step);
        for (const uint32_t *end = bytes_on(w, run->tap_bytes); w < end; w += 2) {
            sum[0] = scn_mul_low(from[0], w[0], sum[0]);
            sum[1] = scn_mul_low(from[1], w[1], sum[1]);
            sum[2] = scn_mul_high(from[0], w[0], sum[2]);
            sum[3] = scn_mul_high(from[1], w[1], sum[3]);
            from = bytes_on(from, run->tap_step);
        }
    }
    for (int i = 0; i < 4; ++i, w += run->in_two ? 2 : 3) {
        const scn_requant_t by = {(int32_t)w[0], run->in_two ? 0 : (int32_t)w[2], (int32_t)w[1]};
        to[i] = scn_requantize_any(by, sum[i]);
    }
}

void scn_depthwise_quads_single(const scn_depthwise_quads_run_t *run) {
    for (int32_t i = 0; i < run->outputs; ++i) {
        quads_output(run, bytes_on(run->x, i * run->x_step), run->to + i * run->to_step);
    }
}

void scn_depthwise_quads_pairs(const scn_depthwise_quads_run_t *run) {
    scn_depthwise_quads_single(run);
}

void scn_depthwise_quads_pairs_2(const scn_depthwise_quads_run_t *run) {
    scn_depthwise_quads_single(run);
}

void scn_depthwise_quads_widen(uint32_t *to, const int8_t *from, int32_t step, int32_t count, uint32_t offset) {
    for (; count > 0; --count, from += step, to += 2) {
        const uint32_t quad = scn_load_quad(from);
        to[0] = scn_widen_even(offset, quad);
        to[1] = scn_widen_odd(offset, quad);
    }
}

#endif

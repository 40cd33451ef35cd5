/* SPDX-License-Identifier: MIT */
/* Four dense outputs at a time: a step of eight inputs is 32 MACs in 27 instructions, expanded in 21. */
#include "scn_dense_four.h"
#include "scn_fixedpoint.h"
#include "scn_simd.h"

#include <stddef.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_dense_four_t, w) == 4, "offsets below");
_Static_assert(offsetof(scn_dense_four_t, bytes) == 8, "offsets below");
_Static_assert(offsetof(scn_dense_four_t, requantize) == 12, "offsets below");
_Static_assert(offsetof(scn_dense_four_t, to) == 16, "offsets below");
_Static_assert(offsetof(scn_dense_four_t, groups) == 20, "offsets below");
_Static_assert(sizeof(scn_dense_requantize_t) == 64, "offsets below");
_Static_assert(offsetof(scn_dense_sums_t, starts) == 12, "offsets below");
_Static_assert(offsetof(scn_dense_sums_t, sums) == 16, "offsets below");
_Static_assert(offsetof(scn_dense_sums_t, groups) == 20, "offsets below");

/*
 * r0 x, r1 w, r2-r5 weights, r6 r7 r12 lr inputs, r8-r11 sums. [sp] end of x, [sp, #4] entry of a group into the four
 * unrolled steps, [sp, #8] start of x, [sp, #12] requantize, [sp, #16] to, [sp, #20] groups left.
 */
/* clang-format off */
#define PAIRED(w, x, both, second)                                                                                     \
    "smlad " both ", " w ", " x ", " both "\n"                                                                         \
    "sxtb16 " w ", " w "\n"                                                                                            \
    "smlad " second ", " w ", " x ", " second "\n"

#define PAIRED_WORDS(x0, x1)                                                                                           \
    "ldm.w r1!, {r2-r5}\n"                                                                                             \
    PAIRED("r2", x0, "r8", "r9")                                                                                       \
    PAIRED("r3", x0, "r10", "r11")                                                                                     \
    PAIRED("r4", x1, "r8", "r9")                                                                                       \
    PAIRED("r5", x1, "r10", "r11")

#define PAIRED_STEP                                                                                                    \
    "ldm.w r0!, {r6, r7, r12, lr}\n"                                                                                   \
    PAIRED_WORDS("r6", "r7")                                                                                           \
    PAIRED_WORDS("r12", "lr")

#define EXPANDED_WORD(x)                                                                                               \
    "ldm.w r1!, {r2-r5}\n"                                                                                             \
    "smlad r8, r2, " x ", r8\n"                                                                                        \
    "smlad r9, r3, " x ", r9\n"                                                                                        \
    "smlad r10, r4, " x ", r10\n"                                                                                      \
    "smlad r11, r5, " x ", r11\n"

#define EXPANDED_STEP                                                                                                  \
    "ldm.w r0!, {r6, r7, r12, lr}\n"                                                                                   \
    EXPANDED_WORD("r6")                                                                                                \
    EXPANDED_WORD("r7")                                                                                                \
    EXPANDED_WORD("r12")                                                                                               \
    EXPANDED_WORD("lr")

/* r0 requantize, r12 to. */
#define REQUANTIZE(sum)                                                                                                \
    "ldm r0!, {r2-r4}\n"                                                                                               \
    "smmla r2, " sum ", r2, r3\n"                                                                                      \
    "asr r2, r2, r4\n"                                                                                                 \
    "ssat r2, #8, r2\n"                                                                                                \
    "strb r2, [r12], #1\n"

#define SEPARATE                                                                                                     \
    "sub r8, r8, r9\n"                                                                                                 \
    "asr r8, r8, #8\n"                                                                                                 \
    "sub r10, r10, r11\n"                                                                                              \
    "asr r10, r10, #8\n"

#define REQUANTIZED                                                                                                    \
    REQUANTIZE("r8")                                                                                                   \
    REQUANTIZE("r9")                                                                                                   \
    REQUANTIZE("r10")                                                                                                  \
    REQUANTIZE("r11")

#define SUMS "stm r12!, {r8-r11}\n"

#define FUNCTION(step, step_bytes, separate, store)                                                                    \
    __asm__ volatile(                                                                                                  \
        "push {r4-r11, lr}\n"                                                                                          \
        "ldm r0, {r2-r7}\n" /* x, w, bytes, requantize, to, groups */                                                  \
        "mov r1, r3\n"                                                                                                 \
        "add r3, r2, r4\n"                                                                                             \
        "lsr r4, r4, #4\n"                                                                                             \
        "rsb r4, r4, #0\n"                                                                                             \
        "and r4, r4, #3\n"                                                                                             \
        "mov r8, #" step_bytes "\n"                                                                                    \
        "mul r4, r4, r8\n"                                                                                             \
        "adr.w r8, 2f\n"                                                                                               \
        "add r4, r8\n"                                                                                                 \
        "orr r4, r4, #1\n"                                                                                             \
        "push {r2-r7}\n"                                                                                               \
        "strd r3, r4, [sp]\n"                                                                                          \
        "str r2, [sp, #8]\n"                                                                                           \
        "1:\n" /* a group */                                                                                           \
        "ldrd r0, r2, [sp, #8]\n"                                                                                      \
        "ldm r2!, {r8-r11}\n"                                                                                          \
        "str r2, [sp, #12]\n"                                                                                          \
        "ldr pc, [sp, #4]\n"                                                                                           \
        ".balign 4\n"                                                                                                  \
        "2:\n"                                                                                                         \
        step                                                                                                           \
        step                                                                                                           \
        step                                                                                                           \
        step                                                                                                           \
        "ldr r2, [sp]\n"                                                                                               \
        "cmp r0, r2\n"                                                                                                 \
        "bne 2b\n"                                                                                                     \
        "ldrd r0, r12, [sp, #12]\n"                                                                                    \
        separate                                                                                                       \
        store                                                                                                          \
        "ldr r2, [sp, #20]\n"                                                                                          \
        "strd r0, r12, [sp, #12]\n"                                                                                    \
        "subs r2, #1\n"                                                                                                \
        "str r2, [sp, #20]\n"                                                                                          \
        "bne 1b\n"                                                                                                     \
        "add sp, #24\n"                                                                                                \
        "pop {r4-r11, pc}\n")

__attribute__((naked)) void scn_dense_paired(__attribute__((unused)) const scn_dense_four_t *dense) {
    FUNCTION(PAIRED_STEP, "108", SEPARATE, REQUANTIZED);
}

__attribute__((naked)) void scn_dense_paired_sums(__attribute__((unused)) const scn_dense_sums_t *dense) {
    FUNCTION(PAIRED_STEP, "108", SEPARATE, SUMS);
}

__attribute__((naked)) void scn_dense_expanded(__attribute__((unused)) const scn_dense_four_t *dense) {
    FUNCTION(EXPANDED_STEP, "84", "", REQUANTIZED);
}

__attribute__((naked)) void scn_dense_expanded_sums(__attribute__((unused)) const scn_dense_sums_t *dense) {
    FUNCTION(EXPANDED_STEP, "84", "", SUMS);
}
/* clang-format on */

#else

static int8_t dense_requantize(const int32_t by[3], int32_t sum) {
    return scn_saturate((int32_t)((((int64_t)sum * by[0]) >> 32) + by[1]) >> by[2]);
}

static void dense_requantize_four(const scn_dense_requantize_t *by, const int32_t sum[4], int8_t *to) {
    to[0] = dense_requantize((const int32_t[]){by->multiplier0, by->added0, by->right0}, sum[0]);
    to[1] = dense_requantize((const int32_t[]){by->multiplier1, by->added1, by->right1}, sum[1]);
    to[2] = dense_requantize((const int32_t[]){by->multiplier2, by->added2, by->right2}, sum[2]);
    to[3] = dense_requantize((const int32_t[]){by->multiplier3, by->added3, by->right3}, sum[3]);
}

static uint32_t word(const int16_t *w) {
    return scn_pair(w[0], w[1]);
}

/* The sums of a group; returns the next group's weights. */
static const int16_t *paired_group(const uint32_t *x, int32_t bytes, const int16_t *w, const int32_t start[4],
                                   int32_t sum[4]) {
    int32_t both0 = start[0], second0 = start[1], both1 = start[2], second1 = start[3];
    for (int32_t i = 0; i < bytes / 4; ++i, w += 4) {
        both0 = scn_dot_pair(word(w), x[i], both0);
        second0 = scn_dot_pair(scn_even(word(w)), x[i], second0);
        both1 = scn_dot_pair(word(w + 2), x[i], both1);
        second1 = scn_dot_pair(scn_even(word(w + 2)), x[i], second1);
    }
    sum[0] = scn_wrap_sub(both0, second0) >> 8;
    sum[1] = second0;
    sum[2] = scn_wrap_sub(both1, second1) >> 8;
    sum[3] = second1;
    return w;
}

static const int16_t *expanded_group(const uint32_t *x, int32_t bytes, const int16_t *w, const int32_t start[4],
                                     int32_t sum[4]) {
    memcpy(sum, start, 4 * sizeof *sum);
    for (int32_t i = 0; i < bytes / 4; ++i) {
        for (int lane = 0; lane < 4; ++lane, w += 2) {
            sum[lane] = scn_dot_pair(word(w), x[i], sum[lane]);
        }
    }
    return w;
}

typedef const int16_t *(*dense_group_t)(const uint32_t *, int32_t, const int16_t *, const int32_t[4], int32_t[4]);

static void dense_outputs(const scn_dense_four_t *dense, dense_group_t compute) {
    const int16_t *w = dense->w;
    for (int32_t group = 0; group < dense->groups; ++group) {
        const scn_dense_requantize_t *by = &dense->requantize[group];
        int32_t sum[4];
        w = compute(dense->x, dense->bytes, w, (const int32_t[]){by->start0, by->start1, by->start2, by->start3}, sum);
        dense_requantize_four(by, sum, dense->to + 4 * group);
    }
}

static void dense_sums(const scn_dense_sums_t *dense, dense_group_t compute) {
    const int16_t *w = dense->w;
    for (int32_t group = 0; group < dense->groups; ++group) {
        w = compute(dense->x, dense->bytes, w, dense->starts + 4 * group, dense->sums + 4 * group);
    }
}

void scn_dense_paired(const scn_dense_four_t *dense) {
    dense_outputs(dense, paired_group);
}

void scn_dense_expanded(const scn_dense_four_t *dense) {
    dense_outputs(dense, expanded_group);
}

void scn_dense_paired_sums(const scn_dense_sums_t *dense) {
    dense_sums(dense, paired_group);
}

void scn_dense_expanded_sums(const scn_dense_sums_t *dense) {
    dense_sums(dense, expanded_group);
}

#endif

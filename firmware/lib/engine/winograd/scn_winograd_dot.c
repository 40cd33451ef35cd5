/* SPDX-License-Identifier: MIT */
/* Dot products of two output channels at two tiles and two positions; both operands are int16. */
#include "scn_winograd_dot.h"
#include "scn_simd.h"

#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(scn_winograd_dot_t, taps) == 8, "registers below");
_Static_assert(sizeof(scn_winograd_dot_t) == 36, "registers below");
_Static_assert(SCN_WINOGRAD_DOT_MOST_TAPS == 7 && SCN_WINOGRAD_DOT_MOST_SHARED == 4, "steps below");

/*
 * 16 MACs in 10 instructions; naked, because no register is left. r0 x, r1 w, r2 r3 the weights of a tap, r12 lr an
 * input tile of both tiles; r4 r5 and r8 r9 the channels' sums at the first position, r6 r7 and r10 r11 at the second.
 * The struct lies on the stack: [sp] skip, #4 w_end, #8 entry into the unrolled steps of 40 bytes (instead of taps),
 * #12 x, #16 w, #20 w_last, #24 from, #28 from_bytes, #32 sum.
 */
/* bytes: from an input tile, or a tap, to the next: those of all planes. */
/* clang-format off */
#define INPUT_TILE(bytes) "ldrd r12, lr, [r0], #" bytes "\n"
#define TAP(bytes) "ldrd r2, r3, [r1], #" bytes "\n"
#define FIRST "smlad r4, r2, r12, r4\nsmlad r8, r3, r12, r8\nsmlad r5, r2, lr, r5\nsmlad r9, r3, lr, r9\n"
#define SECOND "smlad r6, r2, r12, r6\nsmlad r10, r3, r12, r10\nsmlad r7, r2, lr, r7\nsmlad r11, r3, lr, r11\n"
#define STEP(bytes) INPUT_TILE(bytes) SECOND TAP(bytes) FIRST
#define ENTER "ldr pc, [sp, #8]\n"

#define BEGIN(most)                                                                                                    \
    "push {r4-r11, lr}\n"                                                                                              \
    "ldm r0, {r1-r9}\n"                                                                                                \
    "rsb r3, r3, #" most "\n"                                                                                          \
    "mov r12, #40\n"                                                                                                   \
    "mul r3, r3, r12\n"                                                                                                \
    "adr.w r12, 1f\n"                                                                                                  \
    "add r3, r12\n"                                                                                                    \
    "orr r3, r3, #1\n"                                                                                                 \
    "push {r1-r9}\n"                                                                                                   \
    "3:\n"                                                                                                             \
    "ldrd r2, r3, [sp, #24]\n"                                                                                         \
    "ldm r2, {r4-r11}\n"                                                                                               \
    "add r2, r3\n"                                                                                                     \
    "str r2, [sp, #24]\n"                                                                                              \
    "ldrd r0, r1, [sp, #12]\n"

#define END                                                                                                            \
    "2:\n"                                                                                                             \
    "ldr r2, [sp, #32]\n"                                                                                              \
    "stm r2!, {r4-r11}\n"                                                                                              \
    "str r2, [sp, #32]\n"                                                                                              \
    "add r3, #8\n"                                                                                                     \
    "str r3, [sp, #4]\n"                                                                                               \
    "ldrd r0, r1, [sp, #12]\n"                                                                                         \
    "ldr r2, [sp, #20]\n"                                                                                              \
    "cmp r1, r2\n"                                                                                                     \
    "add r0, #8\n"                                                                                                     \
    "add r1, #8\n"                                                                                                     \
    "strd r0, r1, [sp, #12]\n"                                                                                         \
    "bne 3b\n"                                                                                                         \
    "add sp, #36\n"                                                                                                    \
    "pop {r4-r11, pc}\n"

#define SLIDE(bytes)                                                                                                   \
    BEGIN("7")                                                                                                         \
    INPUT_TILE(bytes)                                                                                                  \
    ENTER                                                                                                              \
    ".balign 4\n"                                                                                                      \
    "1:\n"                                                                                                             \
    TAP(bytes)                                                                                                         \
    FIRST                                                                                                              \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    INPUT_TILE(bytes)                                                                                                  \
    SECOND                                                                                                             \
    "ldrd r2, r3, [sp]\n"                                                                                              \
    "cmp r1, r3\n"                                                                                                     \
    "beq 2f\n"                                                                                                         \
    "add r0, r2\n"                                                                                                     \
    INPUT_TILE(bytes)                                                                                                  \
    ENTER                                                                                                              \
    END

#define SHARED(bytes)                                                                                                  \
    BEGIN("4")                                                                                                         \
    TAP(bytes)                                                                                                         \
    ENTER                                                                                                              \
    ".balign 4\n"                                                                                                      \
    "1:\n"                                                                                                             \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    STEP(bytes)                                                                                                        \
    "ldrd r2, r3, [sp]\n"                                                                                              \
    "cmp r1, r3\n"                                                                                                     \
    "beq 2f\n"                                                                                                         \
    "add r1, r2\n"                                                                                                     \
    TAP(bytes)                                                                                                         \
    ENTER                                                                                                              \
    END

__attribute__((naked)) void scn_winograd_dot_f4x3(__attribute__((unused)) const scn_winograd_dot_t *dot) {
    __asm__ volatile(SLIDE("48"));
}

__attribute__((naked)) void scn_winograd_dot_f2x3(__attribute__((unused)) const scn_winograd_dot_t *dot) {
    __asm__ volatile(SLIDE("32"));
}

__attribute__((naked)) void scn_winograd_dot_shared_f4x3(__attribute__((unused)) const scn_winograd_dot_t *dot) {
    __asm__ volatile(SHARED("48"));
}

__attribute__((naked)) void scn_winograd_dot_shared_f2x3(__attribute__((unused)) const scn_winograd_dot_t *dot) {
    __asm__ volatile(SHARED("32"));
}
/* clang-format on */

#else

/* A kind of tile: its planes, and whether both positions depend on all input tiles. */
typedef struct {
    int32_t planes;
    int shared;
} way_t;

/* One step: the first position reads input tile s with tap s + shared, the second tile s + 1 - shared with tap s. */
static void dot_run_step(way_t way, const uint32_t *x, const uint32_t *w, int32_t taps, int32_t *sum) {
    for (int32_t i = 0; i < taps * 4; ++i) {
        const int32_t s = i / 4, position = i / 2 % 2, tile = i % 2;
        const uint32_t seen = x[(position ? s + 1 - way.shared : s) * 2 * way.planes + tile];
        const uint32_t *by = w + (position ? s : s + way.shared) * 2 * way.planes;
        sum[i % 4] = scn_dot_pair(by[0], seen, sum[i % 4]);
        sum[4 + i % 4] = scn_dot_pair(by[1], seen, sum[4 + i % 4]);
    }
}

static void dot_run_plane(way_t way, const scn_winograd_dot_t *dot, int plane, int32_t *sum) {
    const int32_t input_tiles = way.shared ? dot->taps : dot->taps + 1, taps = dot->taps + way.shared,
                  skip = dot->skip / 4;
    const uint32_t *x = dot->x + 2 * plane, *w = dot->w;
    dot_run_step(way, x, w + 2 * plane, dot->taps, sum);
    while ((w += taps * 2 * way.planes) != dot->w_end) {
        w += way.shared ? skip : 0;
        x += input_tiles * 2 * way.planes + (way.shared ? 0 : skip);
        dot_run_step(way, x, w + 2 * plane, dot->taps, sum);
    }
}

static void dot_run(way_t way, const scn_winograd_dot_t *dot) {
    for (int plane = 0; plane < way.planes; ++plane) {
        int32_t sum[SCN_WINOGRAD_UNIT_SUMS];
        memcpy(sum, dot->from + plane * dot->from_bytes / 4, sizeof sum);
        dot_run_plane(way, dot, plane, sum);
        memcpy(dot->sum + plane * SCN_WINOGRAD_UNIT_SUMS, sum, sizeof sum);
    }
}

void scn_winograd_dot_f4x3(const scn_winograd_dot_t *dot) {
    dot_run((way_t){SCN_WINOGRAD_F4X3_PLANES, 0}, dot);
}

void scn_winograd_dot_f2x3(const scn_winograd_dot_t *dot) {
    dot_run((way_t){SCN_WINOGRAD_F2X3_PLANES, 0}, dot);
}

void scn_winograd_dot_shared_f4x3(const scn_winograd_dot_t *dot) {
    dot_run((way_t){SCN_WINOGRAD_F4X3_PLANES, 1}, dot);
}

void scn_winograd_dot_shared_f2x3(const scn_winograd_dot_t *dot) {
    dot_run((way_t){SCN_WINOGRAD_F2X3_PLANES, 1}, dot);
}

#endif

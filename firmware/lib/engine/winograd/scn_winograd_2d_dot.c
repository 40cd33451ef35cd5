/* SPDX-License-Identifier: MIT */
/* Dot products in the transform domain of two axes; both operands are int16. */
#include "scn_simd.h"
#include "scn_winograd_2d_tile.h"

#include <stddef.h>

#if defined(__ARM_FEATURE_DSP)

_Static_assert(sizeof(scn_2d_dot_t) == 16 && offsetof(scn_2d_dot_t, steps) == 12, "registers below");
_Static_assert(SCN_2D_PLANES == 36 && SCN_2D_UNIT == 8, "counts below");

/*
 * 16 MACs in 11 instructions, or 10.5 where tiles share inputs; naked, because no register is left. r0 x, r1 w, r2 r3
 * a pair of w, r12 lr a pair of x, r4-r7 and r8-r11 the sums of either of w. The first step of a plane multiplies
 * without adding, so that no sum need be cleared. [sp] end of the plane in x, #4 entry into the unrolled steps, #8
 * sums, #12 bytes of x in a plane, #16 planes left.
 */
/* clang-format off */
#define ADDED(x, to, other) "smlad " to ", r2, " x ", " to "\nsmlad " other ", r3, " x ", " other "\n"
#define ALONE(x, to, other) "smuad " to ", r2, " x "\nsmuad " other ", r3, " x "\n"
#define FRONT(way) way("r12", "r4", "r8") way("lr", "r5", "r9")
#define BACK(way) way("r12", "r6", "r10") way("lr", "r7", "r11")
#define W "ldrd r2, r3, [r1], #8\n"
#define X "ldrd r12, lr, [r0], #8\n"
#define X_AT(bytes) "ldrd r12, lr, [r0, #" bytes "]\n"
#define X_LAST(bytes) "ldrd r12, lr, [r0, #" bytes "]!\n"

/* unroll - 1 is a mask; bytes: of a step in x, and of its instructions. */
#define BEGIN(unroll, x_bytes, step_bytes, before)                                                                     \
    "push {r4-r11, lr}\n"                                                                                              \
    "sub sp, #20\n"                                                                                                    \
    "ldm r0, {r4-r7}\n"                                                                                                \
    "sub r0, r4, #" before "\n"                                                                                        \
    "mov r1, r5\n"                                                                                                     \
    "mov r9, #" x_bytes "\n"                                                                                           \
    "mul r9, r9, r7\n"                                                                                                 \
    "rsb r10, r7, #1\n"                                                                                                \
    "and r10, r10, #" unroll " - 1\n"                                                                                  \
    "mov r11, #" step_bytes "\n"                                                                                       \
    "mul r10, r10, r11\n"                                                                                              \
    "adr.w r11, 2f\n"                                                                                                  \
    "add r10, r11\n"                                                                                                   \
    "orr r10, r10, #1\n"                                                                                               \
    "mov r8, #36\n"                                                                                                    \
    "strd r10, r6, [sp, #4]\n"                                                                                         \
    "strd r9, r8, [sp, #12]\n"                                                                                         \
    "1:\n"                                                                                                             \
    "ldr r2, [sp, #12]\n"                                                                                              \
    "add r2, r0\n"                                                                                                     \
    "str r2, [sp]\n"

#define ENTER                                                                                                          \
    "ldr pc, [sp, #4]\n"                                                                                               \
    ".balign 4\n"                                                                                                      \
    "2:\n"

#define END                                                                                                            \
    "ldr r2, [sp]\n"                                                                                                   \
    "cmp r0, r2\n"                                                                                                     \
    "bne.w 2b\n"                                                                                                       \
    "ldr r2, [sp, #8]\n"                                                                                               \
    "ldr r3, [sp, #16]\n"                                                                                              \
    "stm r2!, {r4-r11}\n"                                                                                              \
    "str r2, [sp, #8]\n"                                                                                               \
    "subs r3, #1\n"                                                                                                    \
    "str r3, [sp, #16]\n"                                                                                              \
    "bne.w 1b\n"                                                                                                       \
    "add sp, #20\n"                                                                                                    \
    "pop {r4-r11, pc}\n"

#define PLAIN(way) W X FRONT(way) X BACK(way)
#define SLIDE(way) W X FRONT(way) X BACK(way) W FRONT(ADDED) X BACK(ADDED)
/* The parts of the second axis: r0 stays 8 bytes before the step's first word. */
#define HALF(way, first, second, third)                                                                                \
    W X_AT(first) FRONT(way) X_AT(second) BACK(way) W FRONT(ADDED) third BACK(ADDED)
#define BOTH(way) HALF(way, "8", "20", X_AT("32")) HALF(ADDED, "12", "24", X_LAST("36"))

__attribute__((naked)) void scn_winograd_2d_dot(__attribute__((unused)) const scn_2d_dot_t *dot) {
    __asm__ volatile(
        BEGIN("8", "16", "44", "0")
        PLAIN(ALONE)
        ENTER
        PLAIN(ADDED)
        PLAIN(ADDED)
        PLAIN(ADDED)
        PLAIN(ADDED)
        PLAIN(ADDED)
        PLAIN(ADDED)
        PLAIN(ADDED)
        PLAIN(ADDED)
        END);
}

__attribute__((naked)) void scn_winograd_2d_dot_slide(__attribute__((unused)) const scn_2d_dot_t *dot) {
    __asm__ volatile(
        BEGIN("4", "24", "84", "0")
        SLIDE(ALONE)
        ENTER
        SLIDE(ADDED)
        SLIDE(ADDED)
        SLIDE(ADDED)
        SLIDE(ADDED)
        END);
}

__attribute__((naked)) void scn_winograd_2d_dot_both(__attribute__((unused)) const scn_2d_dot_t *dot) {
    __asm__ volatile(
        BEGIN("2", "36", "168", "8")
        BOTH(ALONE)
        ENTER
        BOTH(ADDED)
        BOTH(ADDED)
        END);
}
/* clang-format on */

#else

/* Tiles along either axis of four, and input tiles of a step: all apart, or neighbours that share them. */
typedef struct {
    int32_t parts[2];
    int32_t slots;
    int32_t row_slots;
} share_t;

/* Adds the products of a step of a plane. Output tile t is at (t / 2, t % 2). */
static void multiply_step(share_t share, const uint32_t *x, const uint32_t *w, int32_t *sums) {
    for (int32_t i = 0; i < SCN_2D_UNIT; ++i) {
        const int32_t tile = i % 4, apart = share.row_slots == 0;
        for (int32_t part = 0; part < share.parts[0] * share.parts[1]; ++part) {
            const int32_t down = tile / 2 + part % share.parts[0], right = tile % 2 + part / share.parts[0];
            const uint32_t seen = x[apart ? tile : down * share.row_slots + right];
            sums[i] = scn_dot_pair(w[2 * part + i / 4], seen, sums[i]);
        }
    }
}

static void multiply_planes(share_t share, const scn_2d_dot_t *dot) {
    const uint32_t *x = dot->x, *w = dot->w;
    const int32_t w_words = 2 * share.parts[0] * share.parts[1];
    for (int32_t plane = 0; plane < SCN_2D_PLANES; ++plane) {
        int32_t sums[SCN_2D_UNIT] = {0};
        for (int32_t step = 0; step < dot->steps; ++step, x += share.slots, w += w_words) {
            multiply_step(share, x, w, sums);
        }
        memcpy(dot->sums + plane * SCN_2D_UNIT, sums, sizeof sums);
    }
}

void scn_winograd_2d_dot(const scn_2d_dot_t *dot) {
    multiply_planes((share_t){{1, 1}, SCN_WINOGRAD_2D_SLOTS, 0}, dot);
}

void scn_winograd_2d_dot_slide(const scn_2d_dot_t *dot) {
    multiply_planes((share_t){{2, 1}, SCN_WINOGRAD_2D_SLIDE_SLOTS, 2}, dot);
}

void scn_winograd_2d_dot_both(const scn_2d_dot_t *dot) {
    multiply_planes((share_t){{2, 2}, SCN_WINOGRAD_2D_BOTH_SLOTS, 3}, dot);
}

#endif

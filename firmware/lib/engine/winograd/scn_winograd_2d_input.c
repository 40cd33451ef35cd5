/* SPDX-License-Identifier: MIT */
/*
 * The transform of Lavin and Gray (2015) along either axis. Inputs are taken as value + 128, so that both halves of a
 * word are positive, and the word is the integer high * 65536 + low: sums and differences of such integers are those of
 * the halves, and shifts cost nothing in ADD and SUB. At the end a negative low half has taken 1 from the high half;
 * two instructions give it back.
 */
#include "scn_simd.h"
#include "scn_winograd_2d_tile.h"
#include "scn_winograd_tile.h"

#include <stddef.h>

enum { SIDE = SCN_2D_SIDE, PATCH = SIDE * SIDE };

/* Two sets of channels, the even and the odd ones of a quad: [set][first axis][second axis]. */
typedef uint32_t halfway_t[2][SIDE][SIDE];

/* Six quads along the first axis, for all inputs of the second axis up to `end`. */
typedef struct {
    const int8_t *from;
    int32_t down;        /* bytes from one input to the next along the first axis, */
    uint32_t *to;        /* [0][0] of a halfway_t, at the first input of the second axis, */
    int32_t right;       /* and along the second */
    const uint32_t *end; /* of `to` */
} first_axis_t;

#if defined(__ARM_FEATURE_DSP)

_Static_assert(offsetof(first_axis_t, to) == 8 && sizeof(first_axis_t) == 20, "registers below");

/* Both are naked, because no register is left. */
/* clang-format off */
/* put(plane, register) of a line d0 .. d5, in r9 - r12 and lr. */
#define LINE(d0, d1, d2, d3, d4, d5, put)                                                                              \
    "sub r11, " d4 ", " d2 "\n"                                                                                        \
    "sub r9, " d4 ", " d2 ", lsl #2\n"                                                                                 \
    "sub lr, " d0 ", " d2 "\n"                                                                                         \
    "add lr, r11, lr, lsl #2\n"                                                                                        \
    put(0, "lr")                                                                                                       \
    "sub r10, " d3 ", " d1 ", lsl #2\n"                                                                                \
    "sub r12, " d3 ", " d1 "\n"                                                                                        \
    "add lr, r9, r10\n"                                                                                                \
    put(1, "lr")                                                                                                       \
    "sub r9, r10\n"                                                                                                    \
    put(2, "r9")                                                                                                       \
    "add lr, r11, r12, lsl #1\n"                                                                                       \
    put(3, "lr")                                                                                                       \
    "sub r11, r11, r12, lsl #1\n"                                                                                      \
    put(4, "r11")                                                                                                      \
    "sub r10, " d5 ", " d3 "\n"                                                                                        \
    "sub r10, r10, r12, lsl #2\n"                                                                                      \
    put(5, "r10")

/* r2 to, r0 128 in both halves, r3-r8 quads. */
#define PUT_EVEN(plane, from) "str " from ", [r2, #24 * " #plane "]\n"
#define PUT_ODD(plane, from) "str " from ", [r2, #144 + 24 * " #plane "]\n"
#define EVEN(to, quad) "sxtab16 " to ", r0, " quad "\n"
#define ODD(quad) "sxtab16 " quad ", r0, " quad ", ror #8\n"

/* [sp] from, #4 right, #8 end. The even channels are widened in turn, since the quads are still needed. */
static __attribute__((naked)) void transform_first(__attribute__((unused)) const first_axis_t *axis) {
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "sub sp, #12\n"
        "ldm r0, {r0-r4}\n"
        "strd r3, r4, [sp, #4]\n"
        "1:\n"
        "add lr, r0, r1, lsl #1\n"
        "add lr, r1\n"
        "ldr r3, [r0]\n"
        "ldr r4, [r0, r1]\n"
        "ldr r5, [r0, r1, lsl #1]\n"
        "ldr r6, [lr]\n"
        "ldr r7, [lr, r1]\n"
        "ldr r8, [lr, r1, lsl #1]\n"
        "str r0, [sp]\n"
        "mov r0, #0x00800080\n"
        EVEN("r9", "r5")
        EVEN("r10", "r7")
        "sub r11, r10, r9\n"
        "sub r10, r10, r9, lsl #2\n"
        EVEN("r12", "r3")
        "sub r12, r12, r9\n"
        "add r12, r11, r12, lsl #2\n"
        PUT_EVEN(0, "r12")
        EVEN("r9", "r6")
        EVEN("r12", "r8")
        EVEN("lr", "r4")
        "sub r12, r12, r9\n"
        "sub r12, r12, r9, lsl #2\n"
        "add r12, r12, lr, lsl #2\n"
        PUT_EVEN(5, "r12")
        "sub r12, r9, lr, lsl #2\n"
        "sub r9, r9, lr\n"
        "add lr, r10, r12\n"
        PUT_EVEN(1, "lr")
        "sub r10, r12\n"
        PUT_EVEN(2, "r10")
        "add lr, r11, r9, lsl #1\n"
        PUT_EVEN(3, "lr")
        "sub r11, r11, r9, lsl #1\n"
        PUT_EVEN(4, "r11")
        ODD("r3")
        ODD("r4")
        ODD("r5")
        ODD("r6")
        ODD("r7")
        ODD("r8")
        LINE("r3", "r4", "r5", "r6", "r7", "r8", PUT_ODD)
        "ldrd r0, lr, [sp]\n"
        "adds r2, #4\n"
        "add r0, lr\n"
        "ldr lr, [sp, #8]\n"
        "cmp r2, lr\n"
        "bne 1b\n"
        "add sp, #12\n"
        "pop {r4-r11, pc}\n");
}

/* r0 to, r1 from, r2 bytes from one plane to the next, r3-r8 values. [sp] end of from. */
#define NEXT_PLANE_0 "[r0]\n"
#define NEXT_PLANE_1 "[r0, r2]\n"
#define NEXT_PLANE_2 "[r0, r2, lsl #1]\nadd r0, r2\nadd r0, r0, r2, lsl #1\n"
#define NEXT_PLANE_3 NEXT_PLANE_0
#define NEXT_PLANE_4 NEXT_PLANE_1
#define NEXT_PLANE_5 NEXT_PLANE_2
#define PUT_HALVES(plane, from)                                                                                        \
    "add " from ", " from ", #0x8000\n"                                                                                \
    "eor " from ", " from ", #0x8000\n"                                                                                \
    "str " from ", " NEXT_PLANE_##plane

/* A set, along the second axis; to: [plane]. */
static __attribute__((naked)) void transform_second(__attribute__((unused)) uint32_t *to,
                                                    __attribute__((unused)) const uint32_t *from,
                                                    __attribute__((unused)) int32_t plane_bytes) {
    __asm__ volatile(
        "push {r3-r11, lr}\n"
        "add r3, r1, #144\n"
        "str r3, [sp]\n"
        "1:\n"
        "ldm r1!, {r3-r8}\n"
        LINE("r3", "r4", "r5", "r6", "r7", "r8", PUT_HALVES)
        "ldr lr, [sp]\n"
        "cmp r1, lr\n"
        "bne 1b\n"
        "pop {r3-r11, pc}\n");
}
/* clang-format on */

#else

/* Six values, `stride` words apart, to planes `step` words apart. */
static void transform_line(const uint32_t *d, int32_t stride, uint32_t *to, int32_t step) {
    const uint32_t d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride];
    const uint32_t even = d4 - d2, odd = d3 - d1, high = d4 - (d2 << 2), low = d3 - (d1 << 2);
    to[0] = even + ((d0 - d2) << 2);
    to[step] = high + low;
    to[2 * step] = high - low;
    to[3 * step] = even + (odd << 1);
    to[4 * step] = even - (odd << 1);
    to[5 * step] = d[5 * stride] - d3 - (odd << 2);
}

static void transform_first(const first_axis_t *axis) {
    const uint32_t offset = scn_pair(128, 128);
    const int8_t *from = axis->from;
    for (uint32_t *to = axis->to; to != axis->end; ++to, from += axis->right) {
        uint32_t even[SIDE], odd[SIDE];
        for (int i = 0; i < SIDE; ++i) {
            const uint32_t quad = scn_load_quad(from + i * axis->down);
            even[i] = scn_widen_even(offset, quad);
            odd[i] = scn_widen_odd(offset, quad);
        }
        transform_line(even, 1, to, SIDE);
        transform_line(odd, 1, to + PATCH, SIDE);
    }
}

static void transform_second(uint32_t *to, const uint32_t *from, int32_t plane_bytes) {
    const int32_t step = plane_bytes / 4;
    for (int i = 0; i < SIDE; ++i, from += SIDE) {
        transform_line(from, 1, to, step);
        for (int k = 0; k < SIDE; ++k, to += step) {
            *to = (*to + 0x8000u) ^ 0x8000u;
        }
    }
}

#endif

/* Inputs of a quad of channels, or of fewer, one by one. */
static void gather_quads(const scn_2d_inputs_t *tile, int32_t channel, int32_t count, int32_t zero, uint32_t *patch) {
    const uint32_t beside = ((uint32_t)zero & 0xFFu) * 0x01010101u;
    const uint32_t offset = scn_pair(-zero, -zero);
    for (int32_t y = 0; y < SIDE; ++y, patch += SIDE) {
        const bool inside = y >= tile->first[0] && y < tile->end[0];
        const int8_t *from = tile->from + y * tile->stride[0] + channel;
        for (int32_t x = 0; x < SIDE; ++x, from += tile->stride[1]) {
            const bool present = inside && x >= tile->first[1] && x < tile->end[1];
            patch[x] = !present ? beside : count < 4 ? scn_load_some(from, count, offset) : scn_load_quad(from);
        }
    }
}

/* What a column beside the map is transformed to: all its inputs are the zero point. */
static void fill_columns(uint32_t *to, int32_t count, uint32_t beside) {
    for (uint32_t *end = to + count; to < end; ++to) {
        for (int32_t i = 0; i < 2 * PATCH; i += SIDE) {
            to[i] = i % PATCH == SIDE ? beside : 0;
        }
    }
}

void scn_winograd_2d_input(const scn_2d_inputs_t *tile, int32_t channels, int32_t zero, uint32_t *to,
                           int32_t plane_words, int32_t step_words) {
    const bool whole = tile->first[0] == 0 && tile->end[0] == SIDE;
    const uint32_t beside = 0u - 6u * 0x00010001u * (uint32_t)(zero + 128);
    const int32_t first = scn_min(tile->first[1], tile->end[1]), end = tile->end[1];
    halfway_t halfway;
    uint32_t patch[PATCH];
    const first_axis_t gathered = {(const int8_t *)patch, SIDE * 4, halfway[0][0], 4, halfway[0][0] + SIDE};
    first_axis_t axis = {tile->from + first * tile->stride[1], tile->stride[0], halfway[0][0] + first, tile->stride[1],
                         halfway[0][0] + end};
    fill_columns(halfway[0][0], first, beside);
    fill_columns(halfway[0][0] + end, SIDE - end, beside);
    for (int32_t channel = 0; channel < channels; channel += 4, to += 2 * step_words) {
        if (!whole || channel + 4 > channels) {
            gather_quads(tile, channel, scn_min(channels - channel, 4), zero, patch);
            transform_first(&gathered);
        } else if (end > first) {
            transform_first(&axis);
            axis.from += 4;
        }
        transform_second(to, halfway[0][0], plane_words * 4);
        if (channel + 2 < channels) {
            transform_second(to + step_words, halfway[1][0], plane_words * 4);
        }
    }
}

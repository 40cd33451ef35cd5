/* SPDX-License-Identifier: MIT */
/*
 * The inner products between Winograd's transforms: two output channels at two tiles and two neighbouring positions of
 * the slide axis, plane by plane; private to the kernel.
 *
 * What the first position sees at one input_tile, the second one sees a tap earlier: each input_tile and each tap is loaded once
 * for both.
 */
#ifndef SCN_WINOGRAD_DOT_H
#define SCN_WINOGRAD_DOT_H

#include <stdint.h>

enum {
    SCN_WINOGRAD_DOT_MOST_TAPS = 7,
    SCN_WINOGRAD_DOT_MOST_SHARED = 4,
    SCN_WINOGRAD_UNIT_SUMS = 8,
    SCN_WINOGRAD_F4X3_PLANES = 6,
    SCN_WINOGRAD_F2X3_PLANES = 4
};

/*
 * x         [step][input_tile][plane][tile] pairs of channels, from the first input_tile that counts.
 * w         [step][tap][plane][output channel] pairs of channels, from the first tap that counts.
 * taps      1 .. SCN_WINOGRAD_DOT_MOST_TAPS, or led: input_tiles, 1 .. SCN_WINOGRAD_DOT_MOST_SHARED.
 * skip      bytes of x from a step's last input_tile to the next one's first; led: of w from its last tap likewise.
 * w_end     where w stands behind the last step.
 * w_last    the last plane's w.
 * from      what sums start from; sum: where they go; both [plane][output channel][position][tile], from_bytes from one
 *           plane to the next.
 */
typedef struct {
    int32_t skip;
    const uint32_t *w_end;
    int32_t taps;
    const uint32_t *x;
    const uint32_t *w;
    const uint32_t *w_last;
    const int32_t *from;
    int32_t from_bytes;
    int32_t *sum;
} scn_winograd_dot_t;

/* The first position sees input_tiles 0 .. taps - 1, the second one input_tiles 1 .. taps. Six planes, or four. */
void scn_winograd_dot_f4x3(const scn_winograd_dot_t *dot);
void scn_winograd_dot_f2x3(const scn_winograd_dot_t *dot);

/* Both see all input_tiles: the first one with taps 1, 2, ..., the second one with taps 0, 1, ... */
void scn_winograd_dot_shared_f4x3(const scn_winograd_dot_t *dot);
void scn_winograd_dot_shared_f2x3(const scn_winograd_dot_t *dot);

#endif

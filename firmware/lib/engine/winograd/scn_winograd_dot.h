/* SPDX-License-Identifier: MIT */
/*
 * Dot products in Winograd's transform domain: two output channels at two tiles and two neighbouring positions of the
 * slide axis, plane by plane; private to the kernel.
 *
 * The second position reads each input tile one tap earlier than the first: each input tile and each tap is loaded once
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
 * x           [step][input tile][plane][tile] pairs of channels, from the first input tile to read.
 * w           [step][tap][plane][output channel] pairs of channels, from the first tap to use.
 * taps        1 .. SCN_WINOGRAD_DOT_MOST_TAPS; shared: input tiles, 1 .. SCN_WINOGRAD_DOT_MOST_SHARED.
 * skip        bytes of x from the end of one step to the start of the next; shared: of w likewise.
 * w_end       w after the last step.
 * w_last      w of the last plane.
 * from        start values of the sums; sum: results. Both [plane][output channel][position][tile].
 * from_bytes  from one plane of `from` to the next; 0 if all planes start from the same values.
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

/* The first position reads input tiles 0 .. taps - 1, the second one 1 .. taps. */
void scn_winograd_dot_f4x3(const scn_winograd_dot_t *dot);
void scn_winograd_dot_f2x3(const scn_winograd_dot_t *dot);

/* Both read all input tiles: the first one with taps 1, 2, ..., the second one with taps 0, 1, ... */
void scn_winograd_dot_shared_f4x3(const scn_winograd_dot_t *dot);
void scn_winograd_dot_shared_f2x3(const scn_winograd_dot_t *dot);

#endif

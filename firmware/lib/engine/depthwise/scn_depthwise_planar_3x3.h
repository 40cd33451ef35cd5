/* SPDX-License-Identifier: MIT */
/* 3x3 taps over the plane of one channel, stride 1; private to the planar kernel. */
#ifndef SCN_DEPTHWISE_PLANAR_3X3_H
#define SCN_DEPTHWISE_PLANAR_3X3_H

#include "scn_simd.h"

#include <stdint.h>

/*
 * end             set by the function.
 * to              first output.
 * step_a, step_b  to the next output along either axis. step_a is 0 where there is a single column: the second output
 *                 of its pairs does not exist.
 * multiplier ...  right is 0 for two instructions: scn_requantize_channel_t.
 * w01, w12        larger weights at each of three taps along b: the first two taps along a, and the last two.
 * bias            as much larger.
 * plane           [pair][b] words of two neighbours along a. A pair of outputs reads two words at each of three taps.
 * pitch           bytes from one pair to the next.
 * four_bytes      8 for every two outputs along b: four outputs are computed at a time.
 * odd             1 if one output along b remains, else 0.
 * columns         pairs of outputs along a, at least 1.
 */
typedef struct {
    const uint32_t *end;
    int32_t multiplier, added, right;
    int8_t *to;
    int32_t step_a, step_b;
    uint32_t w01[3], w12[3];
    int32_t bias;
    const uint32_t *plane;
    int32_t pitch, four_bytes, odd, columns;
} scn_depthwise_planar_3x3_t;

void scn_depthwise_planar_3x3(const scn_depthwise_planar_3x3_t *run);

/*
 * Pairs of neighbours along a of four channels, both inside the input.
 *
 * from         the first pair's first member, at the first position of b; its second one is `second` elements on.
 * step         to the next position of b; there are `count`, at least 1.
 * pair_step    from one past a pair's last position of b to the next pair's first one; there are `pairs`, at least 1.
 * to           in the first channel's plane; plane_bytes lead to the next channel's.
 * gap_bytes    from one past a pair's last word to the next pair's first one.
 * offset       minus the zero point, as a pair.
 */
typedef struct {
    const int8_t *from;
    int32_t second, step;
    uint32_t *to;
    int32_t plane_bytes, count;
    uint32_t offset;
    int32_t pairs, pair_step, gap_bytes;
} scn_depthwise_planar_widen_t;

void scn_depthwise_planar_widen(const scn_depthwise_planar_widen_t *widen);

/* Two neighbours of four channels become one word per plane. */
static inline void scn_depthwise_planar_store(uint32_t *to, int32_t plane_bytes, uint32_t first, uint32_t second,
                                              uint32_t offset) {
    const int32_t plane = plane_bytes / (int32_t)sizeof *to;
    const uint32_t even0 = scn_widen_even(offset, first), even1 = scn_widen_even(offset, second);
    const uint32_t odd0 = scn_widen_odd(offset, first), odd1 = scn_widen_odd(offset, second);
    to[0] = scn_pack_low(even0, even1);
    to[plane] = scn_pack_low(odd0, odd1);
    to[2 * plane] = scn_pack_high(even0, even1);
    to[3 * plane] = scn_pack_high(odd0, odd1);
}

#endif

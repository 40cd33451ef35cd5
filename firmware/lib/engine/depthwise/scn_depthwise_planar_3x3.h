/* SPDX-License-Identifier: MIT */
/* 3x3 taps over the plane of one channel, stride 1; private to scn_depthwise_planar_s8.c. */
#ifndef SCN_DEPTHWISE_PLANAR_3X3_H
#define SCN_DEPTHWISE_PLANAR_3X3_H

#include <stdint.h>

/*
 * end             set by the function.
 * to              first output.
 * step_a, step_b  to the next output along either axis. step_a is 0 where there is a single column: the second output
 *                 of its pairs does not exist.
 * w01, w12        doubled weights at each of three taps along b: the first two taps along a, and the last two.
 * bias            doubled.
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

#if defined(__ARM_FEATURE_DSP)
void scn_depthwise_planar_3x3(const scn_depthwise_planar_3x3_t *run);
#endif

#endif

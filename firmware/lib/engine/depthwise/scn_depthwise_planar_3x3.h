/* SPDX-License-Identifier: MIT */
/* Three by three taps over one channel's plane, stride 1; private to scn_depthwise_planar_s8.c. */
#ifndef SCN_DEPTHWISE_PLANAR_3X3_H
#define SCN_DEPTHWISE_PLANAR_3X3_H

#include <stdint.h>

/*
 * The plane: words of two neighbours along a, [pair][b]. An output pair takes two words of each of three b.
 * end          left to the function.
 * w01, w12     doubled weights of each of three b: the first two taps along a, and the last two.
 * bias         doubled.
 * to           first output; step_a, step_b: to the next along either axis. step_a is 0 where only one column is made
 *              and the second output of its pairs does not exist.
 * pitch        bytes from one pair to the next.
 * four_bytes   8 for every two outputs along b: four outputs are made at a time.
 * odd          1 if one output along b is left, else 0.
 * columns      pairs of outputs along a, at least 1.
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

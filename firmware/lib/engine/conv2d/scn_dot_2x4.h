/* SPDX-License-Identifier: MIT */
/* Dot products of CONV_2D: two output channels at four output positions; private to the kernels. */
#ifndef SCN_DOT_2X4_H
#define SCN_DOT_2X4_H

#include <stdint.h>

/*
 * x           rows * row_pairs * 4 words, 4-byte aligned: for each pair of taps, one word of two int16 per position.
 * w           packed weights (scn_conv2d_t), 4-byte aligned: the pairs of taps of a row, then w_skip bytes to ignore.
 * rows        at least 1.
 * main_bytes  of a row of x, a multiple of 64; rest_bytes: the remainder of row_pairs * 16.
 * sum         in: start values; out: sums modulo 2^32; four positions of the first channel, then of the second. No
 *             other member changes.
 */
typedef struct {
    const uint32_t *x;
    const int8_t *w;
    int32_t rows;
    int32_t main_bytes;
    int32_t rest_bytes;
    int32_t w_skip;
    int32_t sum[8];
} scn_dot_2x4_t;

void scn_dot_2x4(scn_dot_2x4_t *dot);

#endif

/* SPDX-License-Identifier: MIT */
/* Dot products of two output channels at four vertical positions; private to scn_conv2d_narrow_s8.c. */
#ifndef SCN_DOT_COLUMN_H
#define SCN_DOT_COLUMN_H

#include <stdint.h>

/*
 * x          words of two int16, one per row, in runs that start run_bytes apart. Tap t of position p is word p + t of
 *            each run.
 * w          4-byte aligned: [runs][taps][2], words of two int16, one per output channel.
 * runs, taps at least 1.
 */
typedef struct {
    const uint32_t *x;
    const uint32_t *w;
    int32_t runs;
    int32_t taps;
    int32_t run_bytes;
} scn_dot_column_t;

/* Adds to 8 sums modulo 2^32: four positions of the first channel, then of the second. */
void scn_dot_column_2x4(const scn_dot_column_t *dot, int32_t *sum);

#endif

/* SPDX-License-Identifier: MIT */
/* The inner product behind narrow convolutions: two output channels at four positions below one another; private. */
#ifndef SCN_DOT_COLUMN_H
#define SCN_DOT_COLUMN_H

#include <stdint.h>

/*
 * x          words of two int16, one a row; runs of them run_bytes apart. Position p's tap t is word p + t of each run.
 * w          4-byte aligned: [runs][taps][2], words of two int16, one an output channel.
 * runs, taps at least 1.
 */
typedef struct {
    const uint32_t *x;
    const uint32_t *w;
    int32_t runs;
    int32_t taps;
    int32_t run_bytes;
} scn_dot_column_t;

/* Adds to 8 sums modulo 2^32: the first channel's four positions, then the second's. */
void scn_dot_column_2x4(const scn_dot_column_t *dot, int32_t *sum);

#endif

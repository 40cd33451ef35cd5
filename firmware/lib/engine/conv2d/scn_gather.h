/* SPDX-License-Identifier: MIT */
/*
 * im2col for four output positions: gathers their windows, widened to int16 minus the zero point, in the order of the
 * weights; private to scn_conv2d_s8.c.
 */
#ifndef SCN_GATHER_H
#define SCN_GATHER_H

#include "scn_conv2d.h"
#include "scn_window.h"

enum { SCN_POSITIONS = 4 };

/* Up to four neighbouring output positions of one image, and the part of their windows inside the input. */
typedef struct {
    const scn_conv2d_t *layer;
    const scn_row_ring_t *input;
    uint32_t *words; /* scratch: [row][pair of taps][position] */
    int32_t y, x;    /* the first position */
    int32_t count;   /* positions, 1 .. 4 */
    bool down;       /* whether the others lie below it, else to its right */

    scn_span_t rows;  /* set by scn_gather: taps that are inside the input for any position, */
    scn_span_t taps;  /* along x, */
    int32_t elements; /* and elements of one row of them */
} scn_gather_t;

/* Find the taps inside the input and write them to block->words. Values of absent positions are undefined. */
void scn_gather(scn_gather_t *block);

#endif

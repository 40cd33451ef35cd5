/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D's windows: gathered from the input for four output positions at once, widened to int16 with the zero point
 * removed, in the order of the weights; private to the kernel.
 */
#ifndef SCN_GATHER_H
#define SCN_GATHER_H

#include "scn_conv2d.h"
#include "scn_window.h"

enum { SCN_POSITIONS = 4 };

/* Up to four output positions of one image, side by side or one below the other, and what of their windows counts. */
typedef struct {
    const scn_conv2d_t *layer;
    const scn_row_ring_t *input;
    uint32_t *words; /* scratch: [row][pair of taps][position] */
    int32_t y, x;    /* the first position */
    int32_t count;   /* positions, 1 .. 4 */
    bool down;       /* the others lie below it, else to its right */

    scn_span_t rows;  /* found: taps that any position has inside the input, */
    scn_span_t taps;  /* along x, */
    int32_t elements; /* and the elements of one row of them */
} scn_gather_t;

/* Find the taps that count and write them to block->words. Values of absent positions are left undefined. */
void scn_gather(scn_gather_t *block);

#endif

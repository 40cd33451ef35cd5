/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D of four channels at a time; scn_engine.h states what holds for all kernels. */
#ifndef SCN_DEPTHWISE_QUADS_H
#define SCN_DEPTHWISE_QUADS_H

#include "scn_depthwise_planar.h"
#include "scn_stage_rows.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * DEPTHWISE_CONV_2D with any window, stride, dilation and depth multiplier; four output channels or more; one image.
 * conv.bias and scale are not read.
 *
 * down        whether the inner loop runs over taps below one another, else side by side.
 * requantize  [ceil(channels / 4) * 4]: of channels 0 .. 3, 4 .. 7, ...; where the channels are no multiple of four,
 *             the last four are those of the four last channels. `right` is 0 for all four of a group or for none.
 */
typedef struct {
    scn_depthwise_conv2d_t conv;
    bool down;
    const scn_requantize_channel_t *requantize;
} scn_depthwise_quads_t;

/* Input positions along an axis that a call for `outputs` outputs reads, padding included. */
#define SCN_DEPTHWISE_QUADS_EXTENT(outputs, taps, stride, dilation)                                                    \
    (((outputs)-1) * (stride) + ((taps)-1) * (dilation) + 1)
/* Scratch: `rows` and `columns` are such extents; `taps` of the whole window. */
#define SCN_DEPTHWISE_QUADS_SCRATCH_BYTES(rows, columns, taps) (8 * (rows) * (columns) + 8 * (taps) + 80)

/* As a stage of a segment; layer: scn_depthwise_quads_t. */
void scn_depthwise_quads_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif

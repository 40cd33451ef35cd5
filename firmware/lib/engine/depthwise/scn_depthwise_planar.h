/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D on deinterleaved channels; scn_engine.h states what holds for all kernels. */
#ifndef SCN_DEPTHWISE_PLANAR_H
#define SCN_DEPTHWISE_PLANAR_H

#include "scn_depthwise_conv2d.h"
#include "scn_stage_rows.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How the doubled sums of a channel become INT8: see scn_requantize.h. The host has proved that the sums without
 * doubling stay under 2^30, that right is 1 .. 20, and that the activation clamps to INT8's own bounds.
 */
typedef struct {
    int32_t bias;                     /* doubled */
    int32_t multiplier, added, right; /* added: 2^(right - 1) + output zero point * 2^right */
} scn_requantize_channel_t;

/*
 * DEPTHWISE_CONV_2D by planes, one per channel: depth_multiplier 1, a multiple of four channels, dilation 1, one image.
 * conv.bias and scale are not read.
 *
 * down        whether a word holds two vertical neighbours, else two horizontal ones. The stride along that axis is 1
 *             or 2.
 * requantize  [channels].
 */
typedef struct {
    scn_depthwise_conv2d_t conv;
    bool down;
    const scn_requantize_channel_t *requantize;
} scn_depthwise_planar_t;

/*
 * Words of a window along the axis of neighbours. Multiplied by the taps of the other axis, they are at most
 * SCN_DEPTHWISE_PLANAR_MOST_WORDS.
 */
#define SCN_DEPTHWISE_PLANAR_TAP_WORDS(taps, stride) ((stride) == 1 ? (taps) / 2 + 1 : ((taps) + 1) / 2)
#define SCN_DEPTHWISE_PLANAR_MOST_WORDS 32
/* Words along that axis that a call for `outputs` outputs reads. */
#define SCN_DEPTHWISE_PLANAR_PAIRS(outputs, taps, stride)                                                              \
    (((stride) == 1 ? ((outputs) + 1) / 2 : (outputs)) - 1 + SCN_DEPTHWISE_PLANAR_TAP_WORDS(taps, stride))
/* Scratch: four planes of `pairs` words by the rows that a call reads along the other axis, padding included. */
#define SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES(pairs, rows) (16 * (pairs) * (rows))

/* As a stage of a segment; layer: scn_depthwise_planar_t. */
void scn_depthwise_planar_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif

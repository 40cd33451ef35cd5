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
 * How the sums of a channel become INT8: see scn_requantize.h. The host has proved that the activation clamps to INT8's
 * own bounds, and either
 * - right is 0: the two instructions give TFLite's result. Sums and bias are 2^SCN_SUM_SHIFT times as large; or
 * - right is 1 .. 20, sums without doubling stay under 2^30, and the bias is doubled.
 */
typedef struct {
    int32_t bias;
    int32_t multiplier, added, right; /* right over 0: added is 2^(right - 1) + output zero point * 2^right */
} scn_requantize_channel_t;

/*
 * DEPTHWISE_CONV_2D with 3x3 taps by planes, one per channel: stride, dilation and depth multiplier 1, a multiple of four
 * channels, one image. conv.bias and scale are not read.
 *
 * down        whether a word holds two vertical neighbours, else two horizontal ones.
 * requantize  [channels].
 */
typedef struct {
    scn_depthwise_conv2d_t conv;
    bool down;
    const scn_requantize_channel_t *requantize;
} scn_depthwise_planar_t;

/* Words that a call for so many outputs reads along the axis of neighbours, and along the other one. */
#define SCN_DEPTHWISE_PLANAR_PAIRS(outputs) (((outputs) + 1) / 2 + 1)
#define SCN_DEPTHWISE_PLANAR_ROWS(outputs) ((outputs) + 2)
/* Scratch: four planes, padding included. */
#define SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES(pairs, rows) (16 * (pairs) * (rows))

/* As a stage of a segment; layer: scn_depthwise_planar_t. */
void scn_depthwise_planar_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif

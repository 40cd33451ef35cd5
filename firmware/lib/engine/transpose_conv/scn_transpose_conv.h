/* SPDX-License-Identifier: MIT */
/* TRANSPOSE_CONV; scn_engine.h states what holds for all kernels. */
#ifndef SCN_TRANSPOSE_CONV_H
#define SCN_TRANSPOSE_CONV_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * TRANSPOSE_CONV: input pixel (y, x) adds to the outputs (y * stride_h - pad_top + tap, x * stride_w - pad_left + tap).
 * window   its pads are those of the convolution that makes the input's size of the output's; no dilation.
 * weights  as in the .tflite: [oc][kernel_h][kernel_w][ic].
 * bias     [oc], int32 at scale input * weight, or NULL.
 * scale    [oc], input scale * weight scale / output scale; a per-tensor scale is repeated.
 */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    const int8_t *weights;
    const int32_t *bias;
    const scn_multiplier_t *scale;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min;
    int32_t activation_max;
} scn_transpose_conv_t;

/* Needs no scratch: an output is the sum over the taps that reach it. */
void scn_transpose_conv_s8(const scn_transpose_conv_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D; scn_engine.h states what holds for all kernels. */
#ifndef SCN_DEPTHWISE_CONV2D_H
#define SCN_DEPTHWISE_CONV2D_H

#include "scn_stage_rows.h"
#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * DEPTHWISE_CONV_2D: output channel c reads input channel c / depth_multiplier.
 * weights  as in the .tflite: [kernel_h][kernel_w][oc].
 * bias     [oc], int32 at scale input * weight, or NULL.
 * scale    [oc], input scale * weight scale / output scale; a per-tensor scale is repeated.
 */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    int32_t depth_multiplier;
    const int8_t *weights;
    const int32_t *bias;
    const scn_multiplier_t *scale;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min;
    int32_t activation_max;
} scn_depthwise_conv2d_t;

/* Needs no scratch. */
void scn_depthwise_conv2d_s8(const scn_depthwise_conv2d_t *layer, const int8_t *input, int8_t *output);

/* As a stage of a segment; layer: scn_depthwise_conv2d_t. */
void scn_depthwise_conv2d_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif

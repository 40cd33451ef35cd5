/* SPDX-License-Identifier: MIT */
/* FULLY_CONNECTED of any shape; scn_engine.h states what holds for all kernels. */
#ifndef SCN_FULLY_CONNECTED_H
#define SCN_FULLY_CONNECTED_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * FULLY_CONNECTED: [batches][inputs] -> [batches][outputs].
 * weights  as in the .tflite: [outputs][inputs].
 * bias     [outputs], int32 at scale input * weight, or NULL.
 * scale    [outputs], input scale * weight scale / output scale; a per-tensor scale is repeated.
 */
typedef struct {
    int32_t batches;
    int32_t inputs;
    int32_t outputs;
    const int8_t *weights;
    const int32_t *bias;
    const scn_fine_multiplier_t *scale;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min;
    int32_t activation_max;
} scn_fully_connected_t;

void scn_fully_connected_s8(const scn_fully_connected_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif

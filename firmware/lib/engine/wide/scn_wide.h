/* SPDX-License-Identifier: MIT */
/*
 * Networks of 16-bit activations and INT8 weights; scn_engine.h states what holds for all kernels. Activations are int16
 * with zero point 0 that lie at the pointers given, aligned to 2 bytes; sums have 64 bits.
 */
#ifndef SCN_WIDE_H
#define SCN_WIDE_H

#include "scn_elementwise_ops.h"
#include "scn_pooling.h"
#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A factor of 64-bit sums: (sum * multiplier + 2^(right - 1)) / 2^right, rounded down, which fits int32. Sums stay under
 * 2^47; multiplier 0 .. 2^15 - 1 and right 8 .. 46, or, where `right` is 32, multiplier 0 .. 2^30 - 1.
 */
typedef struct {
    int32_t multiplier;
    int32_t right;
} scn_wide_scale_t;

/*
 * CONV_2D and DEPTHWISE_CONV_2D.
 * weights  as in the .tflite: [oc][kernel_h][kernel_w][ic], depthwise [kernel_h][kernel_w][oc].
 * bias     [oc], or NULL.
 * scale    [oc].
 */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    const int8_t *weights;
    const int64_t *bias;
    const scn_wide_scale_t *scale;
    int32_t activation_min;
    int32_t activation_max;
} scn_wide_conv_t;

/* Scratch of CONV_2D: a window. */
#define SCN_WIDE_CONV_SCRATCH_BYTES(kernel_h, kernel_w, ic) (2 * (kernel_h) * (kernel_w) * (ic))

void scn_conv2d_s16(const scn_wide_conv_t *layer, const void *input, void *output, void *scratch);
void scn_depthwise_conv2d_s16(const scn_wide_conv_t *layer, const void *input, void *output);

/* FULLY_CONNECTED. weights: [outputs][inputs]; bias: [outputs], or NULL; scale: [outputs]. Sums stay under 2^47. */
typedef struct {
    int32_t batches;
    int32_t inputs;
    int32_t outputs;
    const int8_t *weights;
    const int64_t *bias;
    const scn_fine_multiplier_t *scale;
    int32_t activation_min;
    int32_t activation_max;
} scn_wide_dense_t;

void scn_fully_connected_s16(const scn_wide_dense_t *layer, const void *input, void *output);

/* Pools of at most 2^16 - 1 values in place or not, as scn_pool_t says, and MEAN over as many. */
void scn_max_pool_s16(const scn_pool_t *layer, const void *input, void *output);
void scn_average_pool_s16(const scn_pool_t *layer, const void *input, void *output);
void scn_mean_s16(const scn_mean_t *layer, const void *input, void *output);

/*
 * ADD and MUL; zero points are 0, and ADD widens by 2^15 instead of 2^20. In place: output may replace an operand of its
 * own shape.
 */
typedef scn_add_t scn_wide_add_t;
typedef scn_mul_t scn_wide_mul_t;

void scn_add_s16(const scn_wide_add_t *layer, const void *input1, const void *input2, void *output);
void scn_mul_s16(const scn_wide_mul_t *layer, const void *input1, const void *input2, void *output);

/*
 * QUANTIZE, and RELU and its relatives: (value - input_zero_point) * scale + output_zero_point, clamped.
 * Between int16, from INT8 to int16 and from int16 to INT8. The first may be in place.
 */
typedef struct {
    int32_t elements;
    int32_t input_zero_point;
    int32_t output_zero_point;
    scn_multiplier_t scale;
    int32_t activation_min;
    int32_t activation_max;
} scn_rescale_t;

void scn_rescale_s16(const scn_rescale_t *layer, const void *input, void *output);
void scn_rescale_s8_s16(const scn_rescale_t *layer, const void *input, void *output);
void scn_rescale_s16_s8(const scn_rescale_t *layer, const void *input, void *output);

/*
 * LOGISTIC and TANH: a value becomes (value * multiplier + half) / 2^right, rounded down, in units of 2^-14 / 0.75, which
 * is interpolated. In place.
 * sigmoid  2^16 / (1 + exp(-i / 24)) for i = 0 .. 255. Python: scenelet.compiler.operators.wide.tables.
 */
typedef struct {
    int32_t elements;
    int32_t multiplier;
    int32_t right;
    const uint16_t *sigmoid;
} scn_wide_function_t;

void scn_logistic_s16(const scn_wide_function_t *layer, const void *input, void *output);
void scn_tanh_s16(const scn_wide_function_t *layer, const void *input, void *output);

/*
 * SOFTMAX over the last of two dims. scale: from differences to units of 10 / 65535. In place.
 * exponential, inverse  513 values each, interpolated: exp(x) for x = -10 .. 0, 1 / (1 + x) for x = 0 .. 1; Q0.15.
 */
typedef struct {
    int32_t rows;
    int32_t depth;
    scn_multiplier_t scale;
    const int16_t *exponential;
    const int16_t *inverse;
} scn_wide_softmax_t;

void scn_softmax_s16(const scn_wide_softmax_t *layer, const void *input, void *output);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* MUL. */
#include "scn_broadcast.h"
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"

/* For factors over 1. */
static void mul_row_up(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                       int32_t stride2, int8_t *out) {
    const scn_mul_t *mul = layer;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t product = (*a - mul->zero_point1) * (*b - mul->zero_point2);
        const int32_t value = scn_wrap_add(scn_scale(product, mul->scale), mul->output_zero_point);
        out[i] = scn_clamp(value, mul->activation_min, mul->activation_max);
        a += stride1;
        b += stride2;
    }
}

static void mul_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                    int32_t stride2, int8_t *out) {
    const scn_mul_t mul = *(const scn_mul_t *)layer;
    const scn_scaler_t scale = scn_scaler(mul.scale);
    for (int32_t i = 0; i < count; ++i) {
        const int32_t product = (*a - mul.zero_point1) * (*b - mul.zero_point2);
        const int32_t value = scn_scale_small(product, scale) + mul.output_zero_point;
        out[i] = scn_clamp(value, mul.activation_min, mul.activation_max);
        a += stride1;
        b += stride2;
    }
}

void scn_mul_s8(const scn_mul_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    const scn_broadcast_row_t row = scn_has_scaler(layer->scale) ? mul_row : mul_row_up;
    scn_broadcast_rows(&layer->shape, row, layer, input1, input2, output);
}

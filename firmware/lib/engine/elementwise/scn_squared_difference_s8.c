/* SPDX-License-Identifier: MIT */
/* SQUARED_DIFFERENCE. */
#include "scn_broadcast.h"
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"

enum { WIDENED_BITS = 7 };

/* A scale is a half at most, so that no difference is larger than one widened input. */
_Static_assert((int64_t)(255 << WIDENED_BITS) * (255 << WIDENED_BITS) < SCN_SCALER_LIMIT, "scn_scale_small");

static int32_t widened(int8_t value, int32_t zero_point, scn_scaler_t scale) {
    return scn_scale_small((value - zero_point) * (1 << WIDENED_BITS), scale);
}

static void squared_difference_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                                   int32_t stride2, int8_t *out) {
    const scn_squared_difference_t squared = *(const scn_squared_difference_t *)layer;
    const scn_scaler_t scale1 = scn_scaler(squared.scale1);
    const scn_scaler_t scale2 = scn_scaler(squared.scale2);
    const scn_scaler_t output_scale = scn_scaler(squared.output_scale);
    for (int32_t i = 0; i < count; ++i) {
        const int32_t difference = widened(*a, squared.zero_point1, scale1) - widened(*b, squared.zero_point2, scale2);
        out[i] = scn_saturate(scn_scale_small(difference * difference, output_scale) + squared.output_zero_point);
        a += stride1;
        b += stride2;
    }
}

void scn_squared_difference_s8(const scn_squared_difference_t *layer, const int8_t *input1, const int8_t *input2,
                               int8_t *output) {
    scn_broadcast_rows(&layer->shape, squared_difference_row, layer, input1, input2, output);
}

/* SPDX-License-Identifier: MIT */
/* ADD: both operands are rescaled to one fine common scale, summed, and rescaled to the output's. */
#include "scn_broadcast.h"
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"

enum { FINE_BITS = 20 };

/* Differences to a zero point have 9 bits: 2^20 times one, and the sum of two scaled by at most 1/2, fit. */
_Static_assert(512 << FINE_BITS <= SCN_SCALER_LIMIT, "scn_scale_small");

static int32_t fine(int8_t value, int32_t zero_point, scn_scaler_t scale) {
    return scn_scale_small((value - zero_point) * (1 << FINE_BITS), scale);
}

static void add_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                    int32_t stride2, int8_t *out) {
    const scn_add_t add = *(const scn_add_t *)layer;
    const scn_scaler_t scale1 = scn_scaler(add.scale1);
    const scn_scaler_t scale2 = scn_scaler(add.scale2);
    const scn_scaler_t output_scale = scn_scaler(add.output_scale);
    for (int32_t i = 0; i < count; ++i) {
        const int32_t sum = fine(*a, add.zero_point1, scale1) + fine(*b, add.zero_point2, scale2);
        const int32_t value = scn_scale_small(sum, output_scale) + add.output_zero_point;
        out[i] = scn_clamp(value, add.activation_min, add.activation_max);
        a += stride1;
        b += stride2;
    }
}

void scn_add_s8(const scn_add_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    scn_broadcast_rows(&layer->shape, add_row, layer, input1, input2, output);
}

/* SPDX-License-Identifier: MIT */
/* SUB: like ADD, with the second operand taken from the first. */
#include "scn_broadcast.h"
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"

enum { COMMON_BITS = 20 };

/* As in scn_add_s8.c: what is subtracted fits. */
_Static_assert(512 << COMMON_BITS <= SCN_SCALER_LIMIT, "scn_scale_small");

static int32_t common(int8_t value, int32_t zero_point, scn_scaler_t scale) {
    return scn_scale_small((value - zero_point) * (1 << COMMON_BITS), scale);
}

static void sub_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                    int32_t stride2, int8_t *out) {
    const scn_sub_t sub = *(const scn_sub_t *)layer;
    const scn_scaler_t scale1 = scn_scaler(sub.scale1);
    const scn_scaler_t scale2 = scn_scaler(sub.scale2);
    const scn_scaler_t output_scale = scn_scaler(sub.output_scale);
    for (int32_t i = 0; i < count; ++i) {
        const int32_t difference = common(*a, sub.zero_point1, scale1) - common(*b, sub.zero_point2, scale2);
        const int32_t value = scn_scale_small(difference, output_scale) + sub.output_zero_point;
        out[i] = scn_clamp(value, sub.activation_min, sub.activation_max);
        a += stride1;
        b += stride2;
    }
}

void scn_sub_s8(const scn_sub_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    scn_broadcast_rows(&layer->shape, sub_row, layer, input1, input2, output);
}

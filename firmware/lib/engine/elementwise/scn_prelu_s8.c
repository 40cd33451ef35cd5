/* SPDX-License-Identifier: MIT */
/* PRELU: x where x >= 0, else alpha * x, each with its own factor to the output's scale. */
#include "scn_broadcast.h"
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"

static void prelu_row(const void *layer, int32_t count, const int8_t *input, int32_t stride1, const int8_t *alpha,
                      int32_t stride2, int8_t *out) {
    const scn_prelu_t *prelu = layer;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t x = *input - prelu->zero_point;
        const int32_t slope = *alpha - prelu->alpha_zero_point;
        const int32_t value =
            x >= 0 ? scn_scale_quick(x, prelu->scale) : scn_scale_quick(x * slope, prelu->alpha_scale);
        out[i] = scn_clamp(scn_wrap_add(value, prelu->output_zero_point), INT8_MIN, INT8_MAX);
        input += stride1;
        alpha += stride2;
    }
}

void scn_prelu_s8(const scn_prelu_t *layer, const int8_t *input, const int8_t *alpha, int8_t *output) {
    scn_broadcast_rows(&layer->shape, prelu_row, layer, input, alpha, output);
}

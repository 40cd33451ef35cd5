/* SPDX-License-Identifier: MIT */
/* QUANTIZE from one INT8 scale to another. */
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"

void scn_quantize_s8(const scn_quantize_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t i = 0; i < layer->elements; ++i) {
        const int32_t value = scn_scale(input[i] - layer->input_zero_point, layer->scale);
        output[i] = scn_clamp(scn_wrap_add(value, layer->output_zero_point), INT8_MIN, INT8_MAX);
    }
}

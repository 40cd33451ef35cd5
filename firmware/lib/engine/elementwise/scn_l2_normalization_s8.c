/* SPDX-License-Identifier: MIT */
/* L2_NORMALIZATION. */
#include "scn_dot_runs.h"
#include "scn_fixedpoint.h"
#include "scn_inverses.h"
#include "scn_l2_normalization.h"

enum { OUTPUT_BITS = 7 };

void scn_l2_normalization_s8(const scn_l2_normalization_t *layer, const int8_t *input, int8_t *output) {
    const int32_t zero = layer->input_zero_point;
    for (int32_t row = 0; row < layer->rows; ++row) {
        scn_multiplier_t inverse = scn_inverse_sqrt(scn_dot_runs(input, zero, input, zero, layer->depth));
        inverse.shift += OUTPUT_BITS;
        for (int32_t i = 0; i < layer->depth; ++i) {
            output[i] = scn_saturate(scn_scale(input[i] - zero, inverse));
        }
        input += layer->depth;
        output += layer->depth;
    }
}

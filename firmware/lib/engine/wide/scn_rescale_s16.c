/* SPDX-License-Identifier: MIT */
/* QUANTIZE between INT8 and int16 and within int16, and the RELU family. */
#include "scn_fixedpoint.h"
#include "scn_wide.h"

static inline int32_t wide_rescaled(const scn_rescale_t *layer, int32_t value) {
    const int32_t scaled = scn_scale(value - layer->input_zero_point, layer->scale);
    return scn_min(scn_max(scn_wrap_add(scaled, layer->output_zero_point), layer->activation_min),
                   layer->activation_max);
}

void scn_rescale_s16(const scn_rescale_t *layer, const void *input, void *output) {
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = 0; i < layer->elements; ++i) {
        to[i] = (int16_t)wide_rescaled(layer, from[i]);
    }
}

void scn_rescale_s8_s16(const scn_rescale_t *layer, const void *input, void *output) {
    const int8_t *from = input;
    int16_t *to = output;
    for (int32_t i = 0; i < layer->elements; ++i) {
        to[i] = (int16_t)wide_rescaled(layer, from[i]);
    }
}

void scn_rescale_s16_s8(const scn_rescale_t *layer, const void *input, void *output) {
    const int16_t *from = input;
    int8_t *to = output;
    for (int32_t i = 0; i < layer->elements; ++i) {
        to[i] = (int8_t)wide_rescaled(layer, from[i]);
    }
}

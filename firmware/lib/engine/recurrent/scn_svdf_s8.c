/* SPDX-License-Identifier: MIT */
#include "scn_fixedpoint.h"
#include "scn_svdf.h"

#include <stddef.h>
#include <string.h>

/* How values of the state are read and written, whose type is INT8 or int16. */
typedef struct {
    size_t bytes;
    int32_t least, most;
    void (*put)(int8_t *place, int32_t value);
    uint32_t (*sum)(const void *time, const int8_t *memory, int32_t count);
} state_kind_t;

static void svdf_put_s8(int8_t *place, int32_t value) {
    const uint8_t byte = (uint8_t)value;
    memcpy(place, &byte, sizeof byte);
}

static void svdf_put_s16(int8_t *place, int32_t value) {
    const uint16_t half = (uint16_t)value;
    memcpy(place, &half, sizeof half);
}

static uint32_t svdf_sum_s8(const void *time, const int8_t *memory, int32_t count) {
    const int8_t *weights = time;
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += (uint32_t)(weights[i] * memory[i]);
    }
    return sum;
}

static uint32_t svdf_sum_s16(const void *time, const int8_t *memory, int32_t count) {
    const int16_t *weights = time;
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        int16_t value;
        memcpy(&value, memory + (size_t)i * sizeof value, sizeof value);
        sum += (uint32_t)(weights[i] * value);
    }
    return sum;
}

static const state_kind_t svdf_kind_s8 = {1, INT8_MIN, INT8_MAX, svdf_put_s8, svdf_sum_s8};
static const state_kind_t svdf_kind_s16 = {2, INT16_MIN, INT16_MAX, svdf_put_s16, svdf_sum_s16};

/* The svdf_newest value of one filter. */
static int32_t svdf_newest(const scn_svdf_t *layer, const state_kind_t *kind, const int8_t *input, int32_t filter) {
    const uint32_t sum = svdf_sum_s8(layer->feature + filter * layer->inputs, input, layer->inputs);
    const int32_t scaled = scn_scale((int32_t)(sum + (uint32_t)layer->feature_bias[filter]), layer->feature_scale);
    return scn_min(scn_max(scaled, kind->least), kind->most) + layer->state_zero_point;
}

static void svdf_image(const scn_svdf_t *layer, const state_kind_t *kind, const int8_t *input, int8_t *state,
                       int8_t *output) {
    const size_t memory = (size_t)layer->memory * kind->bytes;
    const int8_t *time = layer->time;
    for (int32_t unit = 0, filter = 0; unit < layer->units; ++unit) {
        uint32_t sum = (uint32_t)layer->bias[unit];
        for (int32_t i = 0; i < layer->rank; ++i, ++filter) {
            memmove(state, state + kind->bytes, memory - kind->bytes);
            kind->put(state + memory - kind->bytes, svdf_newest(layer, kind, input, filter));
            sum += kind->sum(time, state, layer->memory);
            time += memory;
            state += memory;
        }
        output[unit] = scn_clamp(scn_wrap_add(scn_scale((int32_t)sum, layer->scale), layer->output_zero_point),
                                 INT8_MIN, INT8_MAX);
    }
}

static void svdf(const scn_svdf_t *layer, const state_kind_t *kind, const int8_t *input, int8_t *state,
                 int8_t *output) {
    const size_t image = (size_t)(layer->units * layer->rank * layer->memory) * kind->bytes;
    for (int32_t n = 0; n < layer->batches; ++n) {
        svdf_image(layer, kind, input, state, output);
        input += layer->inputs;
        state += image;
        output += layer->units;
    }
}

void scn_svdf_s8(const scn_svdf_t *layer, const int8_t *input, int8_t *state, int8_t *output) {
    svdf(layer, &svdf_kind_s8, input, state, output);
}

void scn_svdf_s16(const scn_svdf_t *layer, const int8_t *input, int8_t *state, int8_t *output) {
    svdf(layer, &svdf_kind_s16, input, state, output);
}

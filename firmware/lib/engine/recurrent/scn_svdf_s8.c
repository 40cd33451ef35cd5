/* SPDX-License-Identifier: MIT */
#include "scn_fixedpoint.h"
#include "scn_simd.h"
#include "scn_svdf.h"

/* Sum of products, modulo 2^32. */
static uint32_t svdf_sum_s8(const int8_t *weights, const int8_t *values, int32_t count) {
    int32_t sum = 0, i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint32_t w = scn_load_quad(weights + i), v = scn_load_quad(values + i);
        sum = scn_dot_pair(scn_even(w), scn_even(v), sum);
        sum = scn_dot_pair(scn_odd(w), scn_odd(v), sum);
    }
    for (; i < count; ++i) {
        sum = scn_wrap_add(sum, weights[i] * values[i]);
    }
    return (uint32_t)sum;
}

/* Move `count` values one place down, to `values`, and sum their products. */
static uint32_t svdf_move_s8(const int8_t *weights, int8_t *values, int32_t count) {
    int32_t sum = 0, i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint32_t w = scn_load_quad(weights + i), v = scn_load_quad(values + i + 1);
        scn_store_quad(values + i, v);
        sum = scn_dot_pair(scn_even(w), scn_even(v), sum);
        sum = scn_dot_pair(scn_odd(w), scn_odd(v), sum);
    }
    for (; i < count; ++i) {
        values[i] = values[i + 1];
        sum = scn_wrap_add(sum, weights[i] * values[i]);
    }
    return (uint32_t)sum;
}

static uint32_t svdf_move_s16(const int16_t *weights, int16_t *values, int32_t count) {
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        const int16_t value = values[i + 1];
        values[i] = value;
        sum += (uint32_t)(weights[i] * value);
    }
    return sum;
}

/* The newest value of a filter's memory, before the state's zero point. */
static int32_t svdf_newest(const scn_svdf_t *layer, const int8_t *input, int32_t filter, int32_t least, int32_t most) {
    const uint32_t sum = svdf_sum_s8(layer->feature + filter * layer->inputs, input, layer->inputs);
    const int32_t biased = (int32_t)(sum + (uint32_t)layer->feature_bias[filter]);
    return scn_min(scn_max(scn_scale(biased, layer->feature_scale), least), most);
}

static int8_t svdf_output(const scn_svdf_t *layer, uint32_t sum) {
    const int32_t scaled = scn_scale((int32_t)sum, layer->scale);
    return scn_clamp(scn_wrap_add(scaled, layer->output_zero_point), INT8_MIN, INT8_MAX);
}

void scn_svdf_s8(const scn_svdf_t *layer, const int8_t *input, int8_t *state, int8_t *output) {
    const int32_t memory = layer->memory;
    for (int32_t n = 0; n < layer->batches; ++n, input += layer->inputs) {
        const int8_t *time = layer->time;
        for (int32_t unit = 0, filter = 0; unit < layer->units; ++unit) {
            uint32_t sum = (uint32_t)layer->bias[unit];
            for (const int32_t end = filter + layer->rank; filter < end; ++filter) {
                const int32_t value = svdf_newest(layer, input, filter, INT8_MIN, INT8_MAX) + layer->state_zero_point;
                sum += svdf_move_s8(time, state, memory - 1);
                state[memory - 1] = (int8_t)(uint8_t)(uint32_t)value;
                sum += (uint32_t)(time[memory - 1] * state[memory - 1]);
                time += memory;
                state += memory;
            }
            *output++ = svdf_output(layer, sum);
        }
    }
}

void scn_svdf_s16(const scn_svdf_t *layer, const int8_t *input, int8_t *state, int8_t *output) {
    const int32_t memory = layer->memory;
    int16_t *values = (int16_t *)(void *)state;
    for (int32_t n = 0; n < layer->batches; ++n, input += layer->inputs) {
        const int16_t *time = layer->time;
        for (int32_t unit = 0, filter = 0; unit < layer->units; ++unit) {
            uint32_t sum = (uint32_t)layer->bias[unit];
            for (const int32_t end = filter + layer->rank; filter < end; ++filter) {
                sum += svdf_move_s16(time, values, memory - 1);
                values[memory - 1] = (int16_t)svdf_newest(layer, input, filter, INT16_MIN, INT16_MAX);
                sum += (uint32_t)(time[memory - 1] * values[memory - 1]);
                time += memory;
                values += memory;
            }
            *output++ = svdf_output(layer, sum);
        }
    }
}

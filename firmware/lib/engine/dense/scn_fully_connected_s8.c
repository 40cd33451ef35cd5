/* SPDX-License-Identifier: MIT */
/* FULLY_CONNECTED, four outputs at a time, then one: inputs are widened in registers, once for all four. */
#include "scn_fixedpoint.h"
#include "scn_fully_connected.h"
#include "scn_simd.h"

enum { LANES = 4 };

/* Four inputs minus their zero point, as pairs (0, 2), (1, 3): the cheapest order to widen weights. */
typedef struct {
    uint32_t even, odd;
} four_inputs_t;

static inline four_inputs_t load_inputs(const int8_t *input, uint32_t offset) {
    const uint32_t quad = scn_load_quad(input);
    return (four_inputs_t){scn_widen_even(offset, quad), scn_widen_odd(offset, quad)};
}

static inline int32_t add_quad(const int8_t *w, four_inputs_t inputs, int32_t sum) {
    const uint32_t quad = scn_load_quad(w);
    sum = scn_dot_pair(scn_even(quad), inputs.even, sum);
    return scn_dot_pair(scn_odd(quad), inputs.odd, sum);
}

/* Four rows of `inputs` weights, a multiple of four, `step` apart. */
static void dot_four(const int8_t *w, int32_t step, const int8_t *input, int32_t inputs, uint32_t offset,
                     int32_t sum[LANES]) {
    const int8_t *w1 = w + step, *w2 = w1 + step, *w3 = w2 + step;
    int32_t sum0 = sum[0], sum1 = sum[1], sum2 = sum[2], sum3 = sum[3];
    for (const int8_t *end = input + inputs; input < end; input += 4) {
        const four_inputs_t four = load_inputs(input, offset);
        sum0 = add_quad(w, four, sum0);
        sum1 = add_quad(w1, four, sum1);
        sum2 = add_quad(w2, four, sum2);
        sum3 = add_quad(w3, four, sum3);
        w += 4, w1 += 4, w2 += 4, w3 += 4;
    }
    sum[0] = sum0, sum[1] = sum1, sum[2] = sum2, sum[3] = sum3;
}

static int32_t dot_one(const int8_t *w, const int8_t *input, int32_t inputs, uint32_t offset, int32_t sum) {
    for (int32_t i = 0; i < inputs; i += 4) {
        sum = add_quad(w + i, load_inputs(input + i, offset), sum);
    }
    return sum;
}

/* The last inputs, where their number is not a multiple of four. */
static int32_t dot_rest(const scn_fully_connected_t *layer, const int8_t *input, int32_t output, int32_t sum) {
    const int8_t *w = layer->weights + output * layer->inputs;
    for (int32_t i = layer->inputs / 4 * 4; i < layer->inputs; ++i) {
        sum = scn_wrap_add(sum, (input[i] - layer->input_zero_point) * w[i]);
    }
    return sum;
}

static int8_t fully_connected_requantize(const scn_fully_connected_t *layer, int32_t output, int32_t sum) {
    const int32_t value = scn_wrap_add(scn_scale_once(sum, layer->scale[output]), layer->output_zero_point);
    return scn_clamp(value, layer->activation_min, layer->activation_max);
}

static void run_lanes(const scn_fully_connected_t *layer, const int8_t *input, int32_t first, int32_t lanes,
                      int8_t *output) {
    const uint32_t offset = scn_pair(-layer->input_zero_point, -layer->input_zero_point);
    const int32_t whole = layer->inputs / 4 * 4;
    const int8_t *w = layer->weights + first * layer->inputs;
    int32_t sum[LANES];
    for (int32_t i = 0; i < lanes; ++i) {
        sum[i] = layer->bias ? layer->bias[first + i] : 0;
    }
    if (lanes == LANES) {
        dot_four(w, layer->inputs, input, whole, offset, sum);
    } else {
        sum[0] = dot_one(w, input, whole, offset, sum[0]);
    }
    for (int32_t i = 0; i < lanes; ++i) {
        output[first + i] = fully_connected_requantize(layer, first + i, dot_rest(layer, input, first + i, sum[i]));
    }
}

void scn_fully_connected_s8(const scn_fully_connected_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t n = 0; n < layer->batches; ++n) {
        int32_t first = 0;
        for (; first + LANES <= layer->outputs; first += LANES) {
            run_lanes(layer, input, first, LANES, output);
        }
        for (; first < layer->outputs; ++first) {
            run_lanes(layer, input, first, 1, output);
        }
        input += layer->inputs;
        output += layer->outputs;
    }
}

/* SPDX-License-Identifier: MIT */
/* FULLY_CONNECTED: the input is widened once; then four outputs, or one, at a time. */
#include "scn_fixedpoint.h"
#include "scn_fully_connected.h"
#include "scn_simd.h"

enum { LANES = 4 };

/* The input minus its zero point as pairs (0, 2), (1, 3) of every four values: the cheapest order to widen weights. */
static void fully_connected_widen(const scn_fully_connected_t *layer, const int8_t *input, uint32_t *pairs) {
    const uint32_t offset = scn_pair(-layer->input_zero_point, -layer->input_zero_point);
    for (int32_t i = 0; i + 4 <= layer->inputs; i += 4) {
        const uint32_t quad = scn_load_quad(input + i);
        *pairs++ = scn_widen_even(offset, quad);
        *pairs++ = scn_widen_odd(offset, quad);
    }
}

static int32_t add_quad(const int8_t *w, const uint32_t pairs[2], int32_t sum) {
    const uint32_t quad = scn_load_quad(w);
    sum = scn_dot_pair(scn_even(quad), pairs[0], sum);
    return scn_dot_pair(scn_odd(quad), pairs[1], sum);
}

/* Four rows of weights, without the inputs past the last four. */
static void dot_four(const int8_t *w, int32_t inputs, const uint32_t *pairs, int32_t sum[LANES]) {
    const int8_t *w1 = w + inputs, *w2 = w1 + inputs, *w3 = w2 + inputs;
    int32_t sum0 = sum[0], sum1 = sum[1], sum2 = sum[2], sum3 = sum[3];
    for (const uint32_t *end = pairs + inputs / 4 * 2; pairs < end; pairs += 2) {
        sum0 = add_quad(w, pairs, sum0);
        sum1 = add_quad(w1, pairs, sum1);
        sum2 = add_quad(w2, pairs, sum2);
        sum3 = add_quad(w3, pairs, sum3);
        w += 4, w1 += 4, w2 += 4, w3 += 4;
    }
    sum[0] = sum0, sum[1] = sum1, sum[2] = sum2, sum[3] = sum3;
}

static int32_t dot_one(const int8_t *w, int32_t inputs, const uint32_t *pairs, int32_t sum) {
    for (int32_t i = 0; i + 4 <= inputs; i += 4) {
        sum = add_quad(w + i, pairs, sum);
        pairs += 2;
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

static void run_lanes(const scn_fully_connected_t *layer, const int8_t *input, const uint32_t *pairs, int32_t first,
                      int32_t lanes, int8_t *output) {
    const int8_t *w = layer->weights + first * layer->inputs;
    int32_t sum[LANES];
    for (int32_t i = 0; i < lanes; ++i) {
        sum[i] = layer->bias ? layer->bias[first + i] : 0;
    }
    if (lanes == LANES) {
        dot_four(w, layer->inputs, pairs, sum);
    } else {
        sum[0] = dot_one(w, layer->inputs, pairs, sum[0]);
    }
    for (int32_t i = 0; i < lanes; ++i) {
        output[first + i] = fully_connected_requantize(layer, first + i, dot_rest(layer, input, first + i, sum[i]));
    }
}

void scn_fully_connected_s8(const scn_fully_connected_t *layer, const int8_t *input, int8_t *output, void *scratch) {
    for (int32_t n = 0; n < layer->batches; ++n) {
        int32_t first = 0;
        fully_connected_widen(layer, input, scratch);
        for (; first + LANES <= layer->outputs; first += LANES) {
            run_lanes(layer, input, scratch, first, LANES, output);
        }
        for (; first < layer->outputs; ++first) {
            run_lanes(layer, input, scratch, first, 1, output);
        }
        input += layer->inputs;
        output += layer->outputs;
    }
}

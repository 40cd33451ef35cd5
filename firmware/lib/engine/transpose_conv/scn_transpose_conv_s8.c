/* SPDX-License-Identifier: MIT */
/* TRANSPOSE_CONV: every output gathers what its taps meet; the taps that meet an input pixel are a stride apart. */
#include "scn_dot_runs.h"
#include "scn_transpose_conv.h"
#include "scn_window.h"

/* Along one axis: taps first, first + stride ... under last; tap `first` meets input `input`, the next one the one before. */
typedef struct {
    int32_t first;
    int32_t last;
    int32_t input;
} met_t;

/* place: the output's coordinate plus the pad. */
static met_t meet(int32_t place, int32_t stride, int32_t size, int32_t taps) {
    met_t met = {place % stride, taps, place / stride};
    if (met.input >= size) {
        met.first += (met.input - size + 1) * stride;
        met.input = size - 1;
    }
    met.last = scn_min(taps, place + 1);
    return met;
}

static int32_t window_sum(const scn_transpose_conv_t *layer, const int8_t *image, met_t rows, met_t columns,
                          const int8_t *weights) {
    const int32_t depth = layer->input.channels;
    int32_t sum = 0;
    for (int32_t tap_y = rows.first, y = rows.input; tap_y < rows.last; tap_y += layer->window.stride_h, --y) {
        const int8_t *row = weights + tap_y * layer->window.width * depth;
        for (int32_t tap_x = columns.first, x = columns.input; tap_x < columns.last;
             tap_x += layer->window.stride_w, --x) {
            const int8_t *pixel = image + scn_pixel(&layer->input, y, x);
            sum = scn_wrap_add(sum, scn_dot_runs(pixel, layer->input_zero_point, row + tap_x * depth, 0, depth));
        }
    }
    return sum;
}

static void transpose_conv_pixel(const scn_transpose_conv_t *layer, const int8_t *image, met_t rows, met_t columns,
                                 int8_t *output) {
    const int32_t taps = layer->window.height * layer->window.width * layer->input.channels;
    for (int32_t c = 0; c < layer->output.channels; ++c) {
        const int32_t sum = window_sum(layer, image, rows, columns, layer->weights + c * taps);
        const int32_t whole = scn_wrap_add(sum, layer->bias ? layer->bias[c] : 0);
        const int32_t value = scn_wrap_add(scn_scale(whole, layer->scale[c]), layer->output_zero_point);
        output[c] = scn_clamp(value, layer->activation_min, layer->activation_max);
    }
}

void scn_transpose_conv_s8(const scn_transpose_conv_t *layer, const int8_t *input, int8_t *output) {
    const scn_window_t *window = &layer->window;
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        for (int32_t y = 0; y < layer->output.height; ++y) {
            const met_t rows = meet(y + window->pad_top, window->stride_h, layer->input.height, window->height);
            for (int32_t x = 0; x < layer->output.width; ++x) {
                const met_t columns = meet(x + window->pad_left, window->stride_w, layer->input.width, window->width);
                transpose_conv_pixel(layer, input, rows, columns, output);
                output += layer->output.channels;
            }
        }
        input += scn_image_elements(&layer->input);
    }
}

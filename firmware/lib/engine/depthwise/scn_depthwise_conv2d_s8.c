/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D: four channels at a time where depth_multiplier is 1 and sums are small, else one. */
#include "scn_depthwise_conv2d.h"
#include "scn_depthwise_four.h"
#include "scn_window.h"

/* The taps of one output pixel that lie inside the input. */
typedef struct {
    const scn_depthwise_conv2d_t *layer;
    const int8_t *x; /* first pixel */
    const int8_t *w; /* first tap's weights */
    int32_t rows, taps;
    int32_t x_step, x_row; /* from one tap, and from one row, to the next */
    int32_t w_step, w_row;
} window_t;

static int32_t depthwise_bias(const scn_depthwise_conv2d_t *layer, int32_t channel) {
    return layer->bias ? layer->bias[channel] : 0;
}

static int8_t depthwise_requantize(const scn_depthwise_conv2d_t *layer, int32_t channel, int32_t sum) {
    const int32_t value = scn_wrap_add(scn_scale_quick(sum, layer->scale[channel]), layer->output_zero_point);
    return scn_clamp(value, layer->activation_min, layer->activation_max);
}

static int8_t one_channel(const window_t *window, int32_t channel) {
    const scn_depthwise_conv2d_t *layer = window->layer;
    int32_t sum = depthwise_bias(layer, channel);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *x = window->x + row * window->x_row + channel / layer->depth_multiplier;
        const int8_t *w = window->w + row * window->w_row + channel;
        for (int32_t taps = window->taps; taps > 0; --taps) {
            sum = scn_wrap_add(sum, (*x - layer->input_zero_point) * *w);
            x += window->x_step;
            w += window->w_step;
        }
    }
    return depthwise_requantize(layer, channel, sum);
}

/* Whether the factors and sums of all channels fit scn_apply. */
static bool is_usual(const scn_depthwise_conv2d_t *layer) {
    const int32_t limit = scn_bias_limit((int64_t)layer->window.height * layer->window.width);
    bool usual = true;
    for (int32_t channel = 0; channel < layer->output.channels; ++channel) {
        const int32_t bias = depthwise_bias(layer, channel);
        usual = usual && scn_has_requant(layer->scale[channel]) && bias <= limit && bias >= -limit;
    }
    return usual;
}

static window_t depthwise_window(const scn_depthwise_conv2d_t *layer, const int8_t *image, scn_span_t rows,
                                 scn_span_t taps) {
    const scn_window_t *window = &layer->window;
    const int32_t y = rows.start + rows.first * window->dilation_h;
    const int32_t x = taps.start + taps.first * window->dilation_w;
    return (window_t){
        .layer = layer,
        .x = image + scn_pixel(&layer->input, y, x),
        .w = layer->weights + (rows.first * window->width + taps.first) * layer->output.channels,
        .rows = rows.last - rows.first,
        .taps = taps.last - taps.first,
        .x_step = scn_pixel(&layer->input, 0, window->dilation_w),
        .x_row = scn_pixel(&layer->input, window->dilation_h, 0),
        .w_step = layer->output.channels,
        .w_row = window->width * layer->output.channels,
    };
}

/* All channels from `channel` on, one at a time. */
static void depthwise_run_rest(const scn_depthwise_conv2d_t *layer, const int8_t *image, int8_t *output,
                               int32_t channel) {
    for (int32_t y = 0; y < layer->output.height; ++y) {
        const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t taps = scn_span_x(&layer->window, &layer->input, x);
            const window_t window = depthwise_window(layer, image, rows, taps);
            int8_t *to = output + scn_pixel(&layer->output, y, x);
            for (int32_t c = channel; c < layer->output.channels; ++c) {
                to[c] = one_channel(&window, c);
            }
        }
    }
}

void scn_depthwise_conv2d_s8(const scn_depthwise_conv2d_t *layer, const int8_t *input, int8_t *output) {
    const bool fits = layer->window.height * layer->window.width <= SCN_DEPTHWISE_MOST_TAPS;
    const bool fours = layer->depth_multiplier == 1 && fits && is_usual(layer);
    const int32_t end = fours ? layer->output.channels / 4 * 4 : 0;
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        for (int32_t channel = 0; channel < end; channel += 4) {
            scn_depthwise_four(layer, input, output, channel);
        }
        if (end < layer->output.channels) {
            depthwise_run_rest(layer, input, output, end);
        }
        input += scn_image_elements(&layer->input);
        output += scn_image_elements(&layer->output);
    }
}

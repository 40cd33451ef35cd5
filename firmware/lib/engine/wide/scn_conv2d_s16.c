/* SPDX-License-Identifier: MIT */
/* CONV_2D with 16-bit activations: a window is gathered once for all output channels. */
#include "scn_wide_sums.h"
#include "scn_window.h"

#include <string.h>

/* The window of one output, with zeros where it lies outside the input. */
static void wide_gather(const scn_wide_conv_t *layer, const int16_t *image, int32_t y, int32_t x, int16_t *window) {
    const scn_window_t *by = &layer->window;
    const scn_span_t span_y = scn_span_y(by, &layer->input, y), span_x = scn_span_x(by, &layer->input, x);
    const int32_t depth = layer->input.channels, row = by->width * depth;
    const size_t pixel_bytes = (size_t)depth * sizeof *window;
    memset(window, 0, (size_t)(by->height * row) * sizeof *window);
    for (int32_t ky = span_y.first; ky < span_y.last; ++ky) {
        const int32_t in_y = span_y.start + ky * by->dilation_h;
        int16_t *to = window + ky * row;
        if (by->dilation_w == 1) {
            const int16_t *from = image + scn_pixel(&layer->input, in_y, span_x.start + span_x.first);
            memcpy(to + span_x.first * depth, from, (size_t)(span_x.last - span_x.first) * pixel_bytes);
            continue;
        }
        for (int32_t kx = span_x.first; kx < span_x.last; ++kx) {
            const int16_t *from = image + scn_pixel(&layer->input, in_y, span_x.start + kx * by->dilation_w);
            memcpy(to + kx * depth, from, pixel_bytes);
        }
    }
}

static void wide_conv_pixel(const scn_wide_conv_t *layer, const int16_t *window, int16_t *out) {
    const int32_t taps = layer->window.height * layer->window.width * layer->input.channels;
    const int8_t *weights = layer->weights;
    for (int32_t channel = 0; channel < layer->output.channels; ++channel, weights += taps) {
        const int64_t start = layer->bias ? layer->bias[channel] : 0;
        out[channel] = scn_wide_scaled(layer, channel, scn_wide_dot(window, weights, taps, start));
    }
}

void scn_conv2d_s16(const scn_wide_conv_t *layer, const void *input, void *output, void *scratch) {
    const int16_t *image = input;
    int16_t *out = output;
    for (int32_t n = 0; n < layer->input.batches; ++n, image += scn_image_elements(&layer->input)) {
        for (int32_t y = 0; y < layer->output.height; ++y) {
            for (int32_t x = 0; x < layer->output.width; ++x, out += layer->output.channels) {
                wide_gather(layer, image, y, x, scratch);
                wide_conv_pixel(layer, scratch, out);
            }
        }
    }
}

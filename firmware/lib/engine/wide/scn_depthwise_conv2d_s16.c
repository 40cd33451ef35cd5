/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D with 16-bit activations, one output at a time. */
#include "scn_wide_sums.h"
#include "scn_window.h"

static void wide_depthwise_pixel(const scn_wide_conv_t *layer, const int16_t *image, int32_t y, int32_t x,
                                 int16_t *out) {
    const scn_window_t *window = &layer->window;
    const scn_span_t span_y = scn_span_y(window, &layer->input, y), span_x = scn_span_x(window, &layer->input, x);
    const int32_t channels = layer->output.channels, multiplier = channels / layer->input.channels;
    for (int32_t channel = 0; channel < channels; ++channel) {
        int64_t sum = layer->bias ? layer->bias[channel] : 0;
        for (int32_t ky = span_y.first; ky < span_y.last; ++ky) {
            const int32_t in_y = span_y.start + ky * window->dilation_h;
            const int16_t *from = image + scn_pixel(&layer->input, in_y, span_x.start) + channel / multiplier;
            const int8_t *weights = layer->weights + ky * window->width * channels + channel;
            for (int32_t kx = span_x.first; kx < span_x.last; ++kx) {
                sum += from[kx * window->dilation_w * layer->input.channels] * weights[kx * channels];
            }
        }
        out[channel] = scn_wide_scaled(layer, channel, sum);
    }
}

void scn_depthwise_conv2d_s16(const scn_wide_conv_t *layer, const void *input, void *output) {
    const int16_t *image = input;
    int16_t *out = output;
    for (int32_t n = 0; n < layer->input.batches; ++n, image += scn_image_elements(&layer->input)) {
        for (int32_t y = 0; y < layer->output.height; ++y) {
            for (int32_t x = 0; x < layer->output.width; ++x, out += layer->output.channels) {
                wide_depthwise_pixel(layer, image, y, x, out);
            }
        }
    }
}

/* DEPTHWISE_CONV_2D: four channels at a time where input and output channels correspond, else one. */
#include "scn_simd.h"
#include "scn_window.h"

typedef struct {
    const scn_depthwise_conv2d_t *layer;
    const int8_t *image;
    scn_span_t rows, taps; /* inside the input */
} window_t;

static int32_t bias_of(const scn_depthwise_conv2d_t *layer, int32_t channel) {
    return layer->bias ? layer->bias[channel] : 0;
}

static int8_t finish(const scn_depthwise_conv2d_t *layer, int32_t channel, int32_t sum) {
    const int32_t value = scn_wrap_add(scn_scale(sum, layer->scale[channel]), layer->output_zero_point);
    return scn_clamp(value, layer->activation_min, layer->activation_max);
}

static const int8_t *input_at(const window_t *at, int32_t ky) {
    const scn_window_t *window = &at->layer->window;
    const int32_t y = at->rows.start + ky * window->dilation_h;
    return at->image + scn_pixel(&at->layer->input, y, at->taps.start + at->taps.first * window->dilation_w);
}

static const int8_t *weights_at(const window_t *at, int32_t ky) {
    const scn_depthwise_conv2d_t *layer = at->layer;
    return layer->weights + (ky * layer->window.width + at->taps.first) * layer->output.channels;
}

static int8_t one_channel(const window_t *at, int32_t channel) {
    const scn_depthwise_conv2d_t *layer = at->layer;
    int32_t sum = bias_of(layer, channel);
    for (int32_t ky = at->rows.first; ky < at->rows.last; ++ky) {
        const int8_t *x = input_at(at, ky) + channel / layer->depth_multiplier;
        const int8_t *w = weights_at(at, ky) + channel;
        for (int32_t kx = at->taps.first; kx < at->taps.last; ++kx) {
            sum = scn_wrap_add(sum, (*x - layer->input_zero_point) * *w);
            x += layer->window.dilation_w * layer->input.channels;
            w += layer->output.channels;
        }
    }
    return finish(layer, channel, sum);
}

/* One row of taps of four neighbouring channels. */
static void add_row(const window_t *at, int32_t ky, int32_t channel, int32_t sum[4]) {
    const scn_depthwise_conv2d_t *layer = at->layer;
    const uint32_t offset = scn_pair(-layer->input_zero_point, -layer->input_zero_point);
    const int32_t x_step = layer->window.dilation_w * layer->input.channels;
    const int32_t w_step = layer->output.channels;
    const int8_t *x = input_at(at, ky) + channel;
    const int8_t *w = weights_at(at, ky) + channel;
    int32_t sum0 = sum[0], sum1 = sum[1], sum2 = sum[2], sum3 = sum[3];
    for (int32_t taps = at->taps.last - at->taps.first; taps > 0; --taps) {
        const uint32_t x_quad = scn_load_quad(x), w_quad = scn_load_quad(w);
        const uint32_t x_even = scn_widen_even(offset, x_quad), w_even = scn_widen_even(0, w_quad);
        const uint32_t x_odd = scn_widen_odd(offset, x_quad), w_odd = scn_widen_odd(0, w_quad);
        sum0 = scn_mul_low(x_even, w_even, sum0);
        sum1 = scn_mul_low(x_odd, w_odd, sum1);
        sum2 = scn_mul_high(x_even, w_even, sum2);
        sum3 = scn_mul_high(x_odd, w_odd, sum3);
        x += x_step;
        w += w_step;
    }
    sum[0] = sum0, sum[1] = sum1, sum[2] = sum2, sum[3] = sum3;
}

static void four_channels(const window_t *at, int32_t channel, int8_t *out) {
    int32_t sum[4];
    for (int i = 0; i < 4; ++i) {
        sum[i] = bias_of(at->layer, channel + i);
    }
    for (int32_t ky = at->rows.first; ky < at->rows.last; ++ky) {
        add_row(at, ky, channel, sum);
    }
    for (int i = 0; i < 4; ++i) {
        out[i] = finish(at->layer, channel + i, sum[i]);
    }
}

static void run_pixel(const window_t *at, int8_t *out) {
    const int32_t channels = at->layer->output.channels;
    int32_t channel = 0;
    if (at->layer->depth_multiplier == 1) {
        for (; channel + 4 <= channels; channel += 4) {
            four_channels(at, channel, out + channel);
        }
    }
    for (; channel < channels; ++channel) {
        out[channel] = one_channel(at, channel);
    }
}

static int8_t *run_image(const scn_depthwise_conv2d_t *layer, const int8_t *image, int8_t *output) {
    window_t at = {.layer = layer, .image = image};
    for (int32_t y = 0; y < layer->output.height; ++y) {
        at.rows = scn_span_y(&layer->window, &layer->input, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            at.taps = scn_span_x(&layer->window, &layer->input, x);
            run_pixel(&at, output);
            output += layer->output.channels;
        }
    }
    return output;
}

void scn_depthwise_conv2d_s8(const scn_depthwise_conv2d_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        output = run_image(layer, input, output);
        input += scn_image_elements(&layer->input);
    }
}

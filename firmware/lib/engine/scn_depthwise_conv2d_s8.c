/* DEPTHWISE_CONV_2D: four channels at a time where input and output channels correspond, else one. */
#include "scn_simd.h"
#include "scn_window.h"

/* One output pixel's taps that lie inside the input. */
typedef struct {
    const scn_depthwise_conv2d_t *layer;
    const int8_t *x; /* first pixel */
    const int8_t *w; /* first tap's weights */
    int32_t rows, taps;
    int32_t x_step, x_row; /* from one tap, and from one row, to the next */
    int32_t w_step, w_row;
    uint32_t offset; /* the input's zero point to take off, as a pair */
} window_t;

static int32_t bias_of(const scn_depthwise_conv2d_t *layer, int32_t channel) {
    return layer->bias ? layer->bias[channel] : 0;
}

static int8_t finish(const scn_depthwise_conv2d_t *layer, int32_t channel, int32_t sum) {
    const int32_t value = scn_wrap_add(scn_scale_quick(sum, layer->scale[channel]), layer->output_zero_point);
    return scn_clamp(value, layer->activation_min, layer->activation_max);
}

static int8_t one_channel(const window_t *window, int32_t channel) {
    const scn_depthwise_conv2d_t *layer = window->layer;
    int32_t sum = bias_of(layer, channel);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *x = window->x + row * window->x_row + channel / layer->depth_multiplier;
        const int8_t *w = window->w + row * window->w_row + channel;
        for (int32_t taps = window->taps; taps > 0; --taps) {
            sum = scn_wrap_add(sum, (*x - layer->input_zero_point) * *w);
            x += window->x_step;
            w += window->w_step;
        }
    }
    return finish(layer, channel, sum);
}

/* One row of taps of four neighbouring channels, added to sum. Kept apart: its loop needs every register. */
static SCN_NOINLINE void add_row(const window_t *window, const int8_t *x, const int8_t *w, int32_t sum[4]) {
    const uint32_t offset = window->offset;
    const int32_t x_step = window->x_step, w_step = window->w_step;
    int32_t sum0 = sum[0], sum1 = sum[1], sum2 = sum[2], sum3 = sum[3];
    for (int32_t taps = window->taps; taps > 0; --taps) {
        const uint32_t x_quad = scn_load_quad(x), w_quad = scn_load_quad(w);
        const uint32_t x_even = scn_widen_even(offset, x_quad), w_even = scn_even(w_quad);
        const uint32_t x_odd = scn_widen_odd(offset, x_quad), w_odd = scn_odd(w_quad);
        sum0 = scn_mul_low(x_even, w_even, sum0);
        sum1 = scn_mul_low(x_odd, w_odd, sum1);
        sum2 = scn_mul_high(x_even, w_even, sum2);
        sum3 = scn_mul_high(x_odd, w_odd, sum3);
        x += x_step;
        w += w_step;
    }
    sum[0] = sum0, sum[1] = sum1, sum[2] = sum2, sum[3] = sum3;
}

/* Four channels' outputs as one word: a byte stored in between could, for all the compiler knows, change the layer. */
static uint32_t finish_four(const scn_depthwise_conv2d_t *layer, int32_t channel, const int32_t sum[4]) {
    const scn_multiplier_t *scale = layer->scale + channel;
    uint32_t quad = 0;
    for (int i = 0; i < 4; ++i) {
        const int32_t value = scn_wrap_add(scn_scale_quick(sum[i], scale[i]), layer->output_zero_point);
        const int8_t clamped = scn_clamp(value, layer->activation_min, layer->activation_max);
        quad |= (uint32_t)(uint8_t)clamped << (8 * i);
    }
    return quad;
}

static void four_channels(const window_t *window, int32_t channel, int8_t *out) {
    const int8_t *x = window->x + channel, *w = window->w + channel;
    int32_t sum[4] = {0};
    if (window->layer->bias) {
        memcpy(sum, window->layer->bias + channel, sizeof sum);
    }
    for (int32_t row = 0; row < window->rows; ++row) {
        add_row(window, x, w, sum);
        x += window->x_row;
        w += window->w_row;
    }
    scn_store_quad(out, finish_four(window->layer, channel, sum));
}

static void run_pixel(const window_t *window, int8_t *out) {
    const int32_t channels = window->layer->output.channels;
    int32_t channel = 0;
    if (window->layer->depth_multiplier == 1) {
        for (; channel + 4 <= channels; channel += 4) {
            four_channels(window, channel, out + channel);
        }
    }
    for (; channel < channels; ++channel) {
        out[channel] = one_channel(window, channel);
    }
}

static window_t window_of(const scn_depthwise_conv2d_t *layer, const int8_t *image, scn_span_t rows, scn_span_t taps) {
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
        .offset = scn_pair(-layer->input_zero_point, -layer->input_zero_point),
    };
}

static int8_t *run_image(const scn_depthwise_conv2d_t *layer, const int8_t *image, int8_t *output) {
    for (int32_t y = 0; y < layer->output.height; ++y) {
        const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t taps = scn_span_x(&layer->window, &layer->input, x);
            const window_t window = window_of(layer, image, rows, taps);
            run_pixel(&window, output);
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

/* MAX_POOL_2D: four channels at a time, then one. */
#include "scn_simd.h"
#include "scn_window.h"

typedef struct {
    const scn_pool_t *layer;
    const int8_t *first; /* the first pixel inside the input */
    int32_t rows;        /* pixels inside */
    int32_t columns;
} window_t;

static uint32_t splat(int32_t value) {
    return ((uint32_t)value & 0xFFu) * 0x01010101u;
}

/* max(-x - 1) = -min(x) - 1, and -x - 1 is the complement. */
static uint32_t min_quad(uint32_t a, uint32_t b) {
    return ~scn_max_quad(~a, ~b);
}

static uint32_t window_quad(const window_t *window, int32_t channel) {
    const int32_t step = window->layer->input.channels;
    const int32_t row_step = step * window->layer->input.width;
    uint32_t most = splat(window->layer->activation_min);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = window->first + row * row_step + channel;
        for (int32_t column = 0; column < window->columns; ++column) {
            most = scn_max_quad(most, scn_load_quad(from));
            from += step;
        }
    }
    return min_quad(most, splat(window->layer->activation_max));
}

static int8_t window_one(const window_t *window, int32_t channel) {
    const int32_t step = window->layer->input.channels;
    const int32_t row_step = step * window->layer->input.width;
    int32_t most = INT8_MIN;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = window->first + row * row_step + channel;
        for (int32_t column = 0; column < window->columns; ++column) {
            most = scn_max(most, from[column * step]);
        }
    }
    return scn_clamp(most, window->layer->activation_min, window->layer->activation_max);
}

static void run_pixel(const window_t *window, int8_t *output) {
    const int32_t channels = window->layer->input.channels;
    int32_t channel = 0;
    for (; channel + 4 <= channels; channel += 4) {
        scn_store_quad(output + channel, window_quad(window, channel));
    }
    for (; channel < channels; ++channel) {
        output[channel] = window_one(window, channel);
    }
}

static int8_t *run_image(const scn_pool_t *layer, const int8_t *image, int8_t *output) {
    for (int32_t y = 0; y < layer->output.height; ++y) {
        const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t columns = scn_span_x(&layer->window, &layer->input, x);
            const int32_t first = scn_pixel(&layer->input, rows.start + rows.first, columns.start + columns.first);
            run_pixel(&(window_t){layer, image + first, rows.last - rows.first, columns.last - columns.first}, output);
            output += layer->output.channels;
        }
    }
    return output;
}

/* Raster order, channels innermost: an output may replace its input where there is no padding in front. */
void scn_max_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        output = run_image(layer, input, output);
        input += scn_image_elements(&layer->input);
    }
}

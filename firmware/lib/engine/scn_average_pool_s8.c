/* AVERAGE_POOL_2D: halves are rounded away from zero; padding does not count. */
#include "scn_window.h"

/* One channel of one window; image points at the channel in the first pixel. */
static int32_t window_average(const scn_pool_t *layer, const int8_t *image, scn_span_t y, scn_span_t x) {
    const int32_t count = (y.last - y.first) * (x.last - x.first);
    int32_t sum = 0;
    for (int32_t ky = y.first; ky < y.last; ++ky) {
        const int8_t *from = image + scn_pixel(&layer->input, y.start + ky, x.start + x.first);
        for (int32_t kx = x.first; kx < x.last; ++kx) {
            sum += *from;
            from += layer->input.channels;
        }
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* Raster order, channels innermost: an output may replace its input where there is no padding in front. */
static int8_t *run_image(const scn_pool_t *layer, const int8_t *image, int8_t *output) {
    for (int32_t y = 0; y < layer->output.height; ++y) {
        const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t columns = scn_span_x(&layer->window, &layer->input, x);
            for (int32_t c = 0; c < layer->output.channels; ++c) {
                const int32_t value = window_average(layer, image + c, rows, columns);
                *output++ = scn_clamp(value, layer->activation_min, layer->activation_max);
            }
        }
    }
    return output;
}

void scn_average_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        output = run_image(layer, input, output);
        input += scn_image_elements(&layer->input);
    }
}

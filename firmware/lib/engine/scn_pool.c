/* What both pools share. */
#include "scn_pool.h"

static int8_t *pool_pixel(const scn_pool_t *layer, scn_pool_window_t window, const int8_t *image, scn_span_t y,
                          scn_span_t x, int8_t *output) {
    for (int32_t c = 0; c < layer->output.channels; ++c) {
        const int32_t value = window(layer, image + c, y, x);
        *output++ = scn_clamp(value, layer->activation_min, layer->activation_max);
    }
    return output;
}

void scn_pool_s8(const scn_pool_t *layer, scn_pool_window_t window, const int8_t *input, int8_t *output) {
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        for (int32_t y = 0; y < layer->output.height; ++y) {
            const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
            for (int32_t x = 0; x < layer->output.width; ++x) {
                const scn_span_t columns = scn_span_x(&layer->window, &layer->input, x);
                output = pool_pixel(layer, window, input, rows, columns, output);
            }
        }
        input += scn_image_elements(&layer->input);
    }
}

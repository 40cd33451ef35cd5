/* SPDX-License-Identifier: MIT */
/* AVERAGE_POOL_2D: halves are rounded away from zero; padding does not count. */
#include "scn_pooling.h"
#include "scn_row_ring.h"
#include "scn_window.h"

/* Of one channel of one window. */
static int32_t window_average(const scn_row_ring_t *input, int32_t channels, int32_t channel, scn_span_t y,
                              scn_span_t x) {
    const int32_t count = (y.last - y.first) * (x.last - x.first);
    int32_t sum = 0;
    for (int32_t ky = y.first; ky < y.last; ++ky) {
        const int8_t *from = scn_ring_row(input, y.start + ky) + (x.start + x.first) * channels + channel;
        for (int32_t kx = x.first; kx < x.last; ++kx) {
            sum += *from;
            from += channels;
        }
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* Raster order, channels innermost: without padding before the input, outputs may overwrite it. */
void scn_average_pool_rows_s8(const scn_pool_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                              const scn_row_ring_t *output) {
    const int32_t channels = layer->output.channels;
    for (const int32_t end = y + count; y < end; ++y) {
        const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
        int8_t *to = scn_ring_row(output, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t columns = scn_span_x(&layer->window, &layer->input, x);
            for (int32_t c = 0; c < channels; ++c) {
                const int32_t value = window_average(input, channels, c, rows, columns);
                *to++ = scn_clamp(value, layer->activation_min, layer->activation_max);
            }
        }
    }
}

void scn_average_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output) {
    scn_row_ring_t from = scn_image_rows(&layer->input, input), to = scn_image_rows(&layer->output, output);
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        scn_average_pool_rows_s8(layer, &from, 0, layer->output.height, &to);
        from.data += scn_image_elements(&layer->input);
        to.data += scn_image_elements(&layer->output);
    }
}

/* SPDX-License-Identifier: MIT */
/* MAX_POOL_2D and AVERAGE_POOL_2D with 16-bit activations; padding does not count. */
#include "scn_wide.h"
#include "scn_window.h"

/* The taps of one output pixel that lie inside the input. */
typedef struct {
    const int16_t *from;
    int32_t rows, columns;
    int32_t row_step, step; /* from one row, and from one pixel, to the next */
} wide_taps_t;

typedef int32_t (*wide_pool_t)(const wide_taps_t *taps);

static int32_t wide_largest(const wide_taps_t *taps) {
    int32_t largest = INT16_MIN;
    for (int32_t y = 0; y < taps->rows; ++y) {
        for (int32_t x = 0; x < taps->columns; ++x) {
            largest = scn_max(largest, taps->from[y * taps->row_step + x * taps->step]);
        }
    }
    return largest;
}

static int32_t wide_average(const wide_taps_t *taps) {
    int32_t sum = 0;
    for (int32_t y = 0; y < taps->rows; ++y) {
        for (int32_t x = 0; x < taps->columns; ++x) {
            sum += taps->from[y * taps->row_step + x * taps->step];
        }
    }
    const int32_t count = taps->rows * taps->columns;
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static SCN_INLINE void wide_pool(const scn_pool_t *layer, const int16_t *image, int16_t *out, wide_pool_t pooled) {
    const int32_t channels = layer->input.channels, row_step = layer->input.width * channels;
    for (int32_t y = 0; y < layer->output.height; ++y) {
        const scn_span_t span_y = scn_span_y(&layer->window, &layer->input, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t span_x = scn_span_x(&layer->window, &layer->input, x);
            const int16_t *from =
                image + scn_pixel(&layer->input, span_y.start + span_y.first, span_x.start + span_x.first);
            for (int32_t channel = 0; channel < channels; ++channel) {
                const wide_taps_t taps = {from + channel, span_y.last - span_y.first, span_x.last - span_x.first,
                                          row_step, channels};
                *out++ = (int16_t)scn_min(scn_max(pooled(&taps), layer->activation_min), layer->activation_max);
            }
        }
    }
}

void scn_max_pool_s16(const scn_pool_t *layer, const void *input, void *output) {
    for (int32_t n = 0; n < layer->input.batches; ++n) {
        wide_pool(layer, (const int16_t *)input + n * scn_image_elements(&layer->input),
                  (int16_t *)output + n * scn_image_elements(&layer->output), wide_largest);
    }
}

void scn_average_pool_s16(const scn_pool_t *layer, const void *input, void *output) {
    for (int32_t n = 0; n < layer->input.batches; ++n) {
        wide_pool(layer, (const int16_t *)input + n * scn_image_elements(&layer->input),
                  (int16_t *)output + n * scn_image_elements(&layer->output), wide_average);
    }
}

/* SPDX-License-Identifier: MIT */
/* MEAN over any of four dims. */
#include "scn_fixedpoint.h"
#include "scn_pooling.h"

#include <string.h>

typedef struct {
    int32_t count[4];  /* elements to sum along each dim; 1 where it is kept */
    int32_t stride[4]; /* the input's, in elements */
    int32_t total;     /* elements per output */
} sweep_t;

static sweep_t sweep_of(const scn_mean_t *layer) {
    sweep_t sweep = {.total = 1};
    int32_t stride = 1;
    for (int dim = 3; dim >= 0; --dim) {
        sweep.count[dim] = layer->reduced[dim] ? layer->size[dim] : 1;
        sweep.stride[dim] = stride;
        sweep.total *= sweep.count[dim];
        stride *= layer->size[dim];
    }
    return sweep;
}

static int32_t sum_plane(const sweep_t *sweep, const int8_t *from) {
    int32_t sum = 0;
    for (int32_t x = 0; x < sweep->count[2]; ++x) {
        for (int32_t c = 0; c < sweep->count[3]; ++c) {
            sum += from[x * sweep->stride[2] + c];
        }
    }
    return sum;
}

static int32_t sum_all(const sweep_t *sweep, const int8_t *from) {
    int32_t sum = 0;
    for (int32_t n = 0; n < sweep->count[0]; ++n) {
        for (int32_t y = 0; y < sweep->count[1]; ++y) {
            sum += sum_plane(sweep, from + n * sweep->stride[0] + y * sweep->stride[1]);
        }
    }
    return sum;
}

static int8_t mean_of(const scn_mean_t *layer, int32_t sum, int32_t total) {
    const int32_t centred = sum - total * layer->input_zero_point;
    return scn_clamp(scn_wrap_add(scn_scale(centred, layer->scale), layer->output_zero_point), INT8_MIN, INT8_MAX);
}

static int32_t kept(const scn_mean_t *layer, int dim) {
    return layer->reduced[dim] ? 1 : layer->size[dim];
}

void scn_mean_s8(const scn_mean_t *layer, const int8_t *input, int8_t *output) {
    const sweep_t sweep = sweep_of(layer);
    for (int32_t n = 0; n < kept(layer, 0); ++n) {
        for (int32_t y = 0; y < kept(layer, 1); ++y) {
            for (int32_t x = 0; x < kept(layer, 2); ++x) {
                const int8_t *from = input + n * sweep.stride[0] + y * sweep.stride[1] + x * sweep.stride[2];
                for (int32_t c = 0; c < kept(layer, 3); ++c) {
                    *output++ = mean_of(layer, sum_all(&sweep, from + c), sweep.total);
                }
            }
        }
    }
}

static void add_pixels(const int8_t *from, int32_t pixels, int32_t channels, int32_t *sums) {
    for (; pixels > 0; --pixels) {
        for (int32_t c = 0; c < channels; ++c) {
            sums[c] += *from++;
        }
    }
}

void scn_mean_rows(const void *layer, const scn_rows_t *rows) {
    const scn_mean_t *mean = layer;
    const int32_t height = mean->size[1], width = mean->size[2], channels = mean->size[3];
    int32_t *sums = (int32_t *)(uintptr_t)rows->input[1];
    if (rows->input_y == 0) {
        memset(sums, 0, (size_t)channels * sizeof *sums);
    }
    add_pixels(rows->input[0], rows->input_rows * width, channels, sums);
    for (int32_t c = 0; rows->input_y + rows->input_rows == height && c < channels; ++c) {
        rows->output[c] = mean_of(mean, sums[c], height * width);
    }
}

/* SPDX-License-Identifier: MIT */
/* MEAN over any of four dims, with 16-bit activations. */
#include "scn_fixedpoint.h"
#include "scn_wide.h"

/* How many elements along each dim, and how far they are apart, of those that are kept or of those that are summed. */
typedef struct {
    int32_t count[4];
    int32_t stride[4];
} wide_sweep_t;

static wide_sweep_t wide_sweep(const scn_mean_t *layer, bool reduced) {
    wide_sweep_t sweep;
    int32_t stride = 1;
    for (int dim = 3; dim >= 0; --dim) {
        sweep.count[dim] = layer->reduced[dim] == reduced ? layer->size[dim] : 1;
        sweep.stride[dim] = stride;
        stride *= layer->size[dim];
    }
    return sweep;
}

/* The element that comes after one in order; index is where that lies. Returns whether there is one. */
static bool wide_next(const wide_sweep_t *sweep, int32_t index[4]) {
    for (int dim = 3; dim >= 0; --dim) {
        if (++index[dim] < sweep->count[dim]) {
            return true;
        }
        index[dim] = 0;
    }
    return false;
}

static int32_t wide_place(const wide_sweep_t *sweep, const int32_t index[4]) {
    int32_t place = 0;
    for (int dim = 0; dim < 4; ++dim) {
        place += index[dim] * sweep->stride[dim];
    }
    return place;
}

void scn_mean_s16(const scn_mean_t *layer, const void *input, void *output) {
    const wide_sweep_t kept = wide_sweep(layer, false), summed = wide_sweep(layer, true);
    const int16_t *values = input;
    int16_t *out = output;
    int32_t at[4] = {0};
    do {
        const int16_t *from = values + wide_place(&kept, at);
        int32_t index[4] = {0}, sum = 0;
        do {
            sum += from[wide_place(&summed, index)];
        } while (wide_next(&summed, index));
        *out++ = (int16_t)scn_min(scn_max(scn_scale(sum, layer->scale), INT16_MIN), INT16_MAX);
    } while (wide_next(&kept, at));
}

/* SPDX-License-Identifier: MIT */
/* REDUCE_MAX and REDUCE_MIN: every value of the input, in order, meets its output. */
#include "scn_extremum.h"

#include <string.h>

/* The output's strides, 0 along what is reduced, and its number of elements. */
static int32_t place_outputs(const scn_reduce_extremum_t *layer, int32_t stride[4]) {
    int32_t elements = 1;
    for (int dim = 3; dim >= 0; --dim) {
        stride[dim] = layer->reduced[dim] ? 0 : elements;
        elements *= layer->reduced[dim] ? 1 : layer->size[dim];
    }
    return elements;
}

static void meet_row(const scn_reduce_extremum_t *layer, const int8_t *from, int32_t stride, int8_t *to) {
    for (int32_t i = 0; i < layer->size[3]; ++i) {
        if (layer->largest ? from[i] > *to : from[i] < *to) {
            *to = from[i];
        }
        to += stride;
    }
}

void scn_reduce_extremum_s8(const scn_reduce_extremum_t *layer, const int8_t *input, int8_t *output) {
    int32_t stride[4];
    memset(output, layer->largest ? INT8_MIN : INT8_MAX, (size_t)place_outputs(layer, stride));
    for (int32_t n = 0; n < layer->size[0]; ++n) {
        for (int32_t y = 0; y < layer->size[1]; ++y) {
            for (int32_t x = 0; x < layer->size[2]; ++x) {
                meet_row(layer, input, stride[3], output + n * stride[0] + y * stride[1] + x * stride[2]);
                input += layer->size[3];
            }
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* A copy by strides: rows along the innermost dim, in the order of the output. */
#include "scn_copy.h"

#include <stdbool.h>
#include <string.h>

enum { INNER = SCN_COPY_DIMS - 1 };

static void copy_row(const int8_t *from, int32_t stride, int32_t count, int8_t *to) {
    if (stride == 1) {
        memcpy(to, from, (size_t)count);
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        to[i] = *from;
        from += stride;
    }
}

/* Moves to the next row: its distance from the start, or false after the last. */
static bool next_row(const scn_copy_t *layer, int32_t index[INNER], int32_t *place) {
    for (int dim = INNER - 1; dim >= 0; --dim) {
        *place += layer->stride[dim];
        if (++index[dim] < layer->size[dim]) {
            return true;
        }
        *place -= layer->stride[dim] * layer->size[dim];
        index[dim] = 0;
    }
    return false;
}

void scn_copy_s8(const scn_copy_t *layer, const int8_t *input, int8_t *output) {
    int32_t index[INNER] = {0};
    int32_t place = layer->start;
    do {
        copy_row(input + place, layer->stride[INNER], layer->size[INNER], output);
        output += layer->size[INNER];
    } while (next_row(layer, index, &place));
}

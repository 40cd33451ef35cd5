/* SPDX-License-Identifier: MIT */
/* Broadcasting for ADD, MUL and PRELU. */
#include "scn_broadcast.h"

#include <stdbool.h>

static int32_t at(const int32_t stride[4], const int32_t index[3]) {
    return index[0] * stride[0] + index[1] * stride[1] + index[2] * stride[2];
}

/* Merge inner dims over which both operands are contiguous into one long row. */
static scn_broadcast_t merge(scn_broadcast_t shape) {
    for (int dim = 2; dim >= 0; --dim) {
        const int32_t inner = shape.size[3];
        const bool alike =
            shape.stride1[dim] == inner * shape.stride1[3] && shape.stride2[dim] == inner * shape.stride2[3];
        if (shape.size[dim] != 1 && !alike) {
            break;
        }
        shape.size[3] *= shape.size[dim];
        shape.size[dim] = 1;
    }
    return shape;
}

void scn_broadcast_rows(const scn_broadcast_t *shape, scn_broadcast_row_t row, const void *layer, const int8_t *a,
                        const int8_t *b, int8_t *out) {
    const scn_broadcast_t merged = merge(*shape);
    const int32_t count = merged.size[3];
    int32_t index[3];
    for (index[0] = 0; index[0] < merged.size[0]; ++index[0]) {
        for (index[1] = 0; index[1] < merged.size[1]; ++index[1]) {
            for (index[2] = 0; index[2] < merged.size[2]; ++index[2]) {
                row(layer, count, a + at(merged.stride1, index), merged.stride1[3], b + at(merged.stride2, index),
                    merged.stride2[3], out);
                out += count;
            }
        }
    }
}

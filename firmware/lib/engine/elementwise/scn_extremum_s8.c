/* SPDX-License-Identifier: MIT */
/* MINIMUM and MAXIMUM. */
#include "scn_broadcast.h"
#include "scn_elementwise_ops.h"

static void maximum_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                        int32_t stride2, int8_t *out) {
    (void)layer;
    for (int32_t i = 0; i < count; ++i) {
        out[i] = *a > *b ? *a : *b;
        a += stride1;
        b += stride2;
    }
}

static void minimum_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                        int32_t stride2, int8_t *out) {
    (void)layer;
    for (int32_t i = 0; i < count; ++i) {
        out[i] = *a < *b ? *a : *b;
        a += stride1;
        b += stride2;
    }
}

void scn_extremum_s8(const scn_extremum_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    scn_broadcast_rows(&layer->shape, layer->largest ? maximum_row : minimum_row, layer, input1, input2, output);
}

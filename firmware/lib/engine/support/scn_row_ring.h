/* SPDX-License-Identifier: MIT */
/* Rows of a feature map that may be kept only for a while; private to the kernels. */
#ifndef SCN_ROW_RING_H
#define SCN_ROW_RING_H

#include "scn_types.h"

static inline int8_t *scn_ring_row(const scn_row_ring_t *lines, int32_t y) {
    return lines->data + y % lines->rows * lines->row_elements;
}

/* One image that lies whole in memory; kernels only read what they take as input. */
static inline scn_row_ring_t scn_image_rows(const scn_dims_t *dims, const int8_t *image) {
    return (scn_row_ring_t){(int8_t *)(uintptr_t)image, dims->height, dims->width * dims->channels};
}

#endif

/* SPDX-License-Identifier: MIT */
/* Rows of a feature map in a ring that may hold fewer than all of them; private to the kernels. */
#ifndef SCN_ROW_RING_H
#define SCN_ROW_RING_H

#include "scn_types.h"

static inline int8_t *scn_ring_row(const scn_row_ring_t *ring, int32_t y) {
    return ring->data + y % ring->rows * ring->row_elements;
}

/* One image that lies complete in memory. The cast is safe: kernels only read their input. */
static inline scn_row_ring_t scn_image_rows(const scn_dims_t *dims, const int8_t *image) {
    return (scn_row_ring_t){(int8_t *)(uintptr_t)image, dims->height, dims->width * dims->channels};
}

#endif

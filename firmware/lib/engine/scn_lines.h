/* Rows of a feature map that may be kept only for a while; private to the kernels. */
#ifndef SCN_LINES_H
#define SCN_LINES_H

#include "scn_engine.h"

static inline int8_t *scn_line(const scn_lines_t *lines, int32_t y) {
    return lines->data + y % lines->rows * lines->row_elements;
}

/* One image that lies whole in memory; kernels only read what they take as input. */
static inline scn_lines_t scn_whole(const scn_dims_t *dims, const int8_t *image) {
    return (scn_lines_t){(int8_t *)(uintptr_t)image, dims->height, dims->width * dims->channels};
}

#endif

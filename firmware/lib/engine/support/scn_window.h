/* SPDX-License-Identifier: MIT */
/* The part of a sliding window that lies inside the input; private to the kernels. */
#ifndef SCN_WINDOW_H
#define SCN_WINDOW_H

#include "scn_fixedpoint.h"

/* Taps first .. last - 1 lie inside the input; `start` is the input coordinate of tap 0 and may be negative. */
typedef struct {
    int32_t start;
    int32_t first;
    int32_t last;
} scn_span_t;

/* Along one axis: `size` input positions, `taps` taps `dilation` apart, at input coordinate start. */
static inline scn_span_t scn_span(int32_t start, int32_t size, int32_t taps, int32_t dilation) {
    scn_span_t span = {start, 0, taps};
    if (start < 0) {
        span.first = (dilation - 1 - start) / dilation;
    }
    if (start + (taps - 1) * dilation >= size) {
        span.last = (size - start + dilation - 1) / dilation;
    }
    span.last = scn_max(span.last, span.first);
    return span;
}

static inline scn_span_t scn_span_y(const scn_window_t *window, const scn_dims_t *input, int32_t y) {
    return scn_span(y * window->stride_h - window->pad_top, input->height, window->height, window->dilation_h);
}

static inline scn_span_t scn_span_x(const scn_window_t *window, const scn_dims_t *input, int32_t x) {
    return scn_span(x * window->stride_w - window->pad_left, input->width, window->width, window->dilation_w);
}

/* Distance of a pixel's first channel from the start of its image, in elements. */
static inline int32_t scn_pixel(const scn_dims_t *dims, int32_t y, int32_t x) {
    return (y * dims->width + x) * dims->channels;
}

static inline int32_t scn_image_elements(const scn_dims_t *dims) {
    return dims->height * dims->width * dims->channels;
}

#endif

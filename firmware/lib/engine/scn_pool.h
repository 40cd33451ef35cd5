/* Walks a pool's windows; private to the kernels. */
#ifndef SCN_POOL_H
#define SCN_POOL_H

#include "scn_window.h"

/* One channel of one window: the pixel of tap (0, 0), which may lie outside, and the spans of taps inside. */
typedef int32_t (*scn_pool_window_t)(const scn_pool_t *layer, const int8_t *image, scn_span_t y, scn_span_t x);

/* Raster order, channels innermost, so that an output may replace its input where there is no padding. */
void scn_pool_s8(const scn_pool_t *layer, scn_pool_window_t window, const int8_t *input, int8_t *output);

#endif

/* MAX_POOL_2D. */
#include "scn_pool.h"

static int32_t window_max(const scn_pool_t *layer, const int8_t *image, scn_span_t y, scn_span_t x) {
    int32_t most = INT8_MIN;
    for (int32_t ky = y.first; ky < y.last; ++ky) {
        const int8_t *from = image + scn_pixel(&layer->input, y.start + ky, x.start + x.first);
        for (int32_t kx = x.first; kx < x.last; ++kx) {
            most = scn_max(most, *from);
            from += layer->input.channels;
        }
    }
    return most;
}

void scn_max_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output) {
    scn_pool_s8(layer, window_max, input, output);
}

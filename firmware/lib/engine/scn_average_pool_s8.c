/* AVERAGE_POOL_2D: halves are rounded away from zero; padding does not count. */
#include "scn_pool.h"

static int32_t window_average(const scn_pool_t *layer, const int8_t *image, scn_span_t y, scn_span_t x) {
    const int32_t count = (y.last - y.first) * (x.last - x.first);
    int32_t sum = 0;
    for (int32_t ky = y.first; ky < y.last; ++ky) {
        const int8_t *from = image + scn_pixel(&layer->input, y.start + ky, x.start + x.first);
        for (int32_t kx = x.first; kx < x.last; ++kx) {
            sum += *from;
            from += layer->input.channels;
        }
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

void scn_average_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output) {
    scn_pool_s8(layer, window_average, input, output);
}

/* ADD: both operands on one fine common scale, summed, and rescaled to the output's. */
#include "scn_elementwise.h"
#include "scn_fixedpoint.h"

enum { FINE_BITS = 20 };

static int32_t fine(int8_t value, int32_t zero_point, scn_multiplier_t scale) {
    return scn_scale((value - zero_point) * (1 << FINE_BITS), scale);
}

static void add_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                    int32_t stride2, int8_t *out) {
    const scn_add_t *add = layer;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t sum = fine(*a, add->zero_point1, add->scale1) + fine(*b, add->zero_point2, add->scale2);
        const int32_t value = scn_scale(sum, add->output_scale) + add->output_zero_point;
        out[i] = scn_clamp(value, add->activation_min, add->activation_max);
        a += stride1;
        b += stride2;
    }
}

void scn_add_s8(const scn_add_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    scn_for_rows(&layer->shape, add_row, layer, input1, input2, output);
}

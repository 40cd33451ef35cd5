/* MUL. */
#include "scn_elementwise.h"
#include "scn_fixedpoint.h"

static void mul_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                    int32_t stride2, int8_t *out) {
    const scn_mul_t *mul = layer;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t product = (*a - mul->zero_point1) * (*b - mul->zero_point2);
        const int32_t value = scn_wrap_add(scn_scale(product, mul->scale), mul->output_zero_point);
        out[i] = scn_clamp(value, mul->activation_min, mul->activation_max);
        a += stride1;
        b += stride2;
    }
}

void scn_mul_s8(const scn_mul_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    scn_for_rows(&layer->shape, mul_row, layer, input1, input2, output);
}

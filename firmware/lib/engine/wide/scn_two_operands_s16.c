/* SPDX-License-Identifier: MIT */
/* ADD and MUL with 16-bit activations. */
#include "scn_fixedpoint.h"
#include "scn_wide.h"

/* Bits by which ADD widens its inputs before it scales them. */
enum { WIDE_ADD_SHIFT = 15 };

typedef int32_t (*wide_operation_t)(const void *layer, int32_t a, int32_t b);

static int32_t wide_add(const void *layer, int32_t a, int32_t b) {
    const scn_wide_add_t *add = layer;
    const int32_t one = scn_scale(scn_wrap_shift(a, WIDE_ADD_SHIFT), add->scale1);
    const int32_t other = scn_scale(scn_wrap_shift(b, WIDE_ADD_SHIFT), add->scale2);
    const int32_t sum = scn_scale(scn_wrap_add(one, other), add->output_scale);
    return scn_min(scn_max(sum, add->activation_min), add->activation_max);
}

static int32_t wide_mul(const void *layer, int32_t a, int32_t b) {
    const scn_wide_mul_t *mul = layer;
    return scn_min(scn_max(scn_scale(a * b, mul->scale), mul->activation_min), mul->activation_max);
}

static SCN_INLINE void wide_rows(const scn_broadcast_t *shape, wide_operation_t operation, const void *layer,
                                 const int16_t *a, const int16_t *b, int16_t *out) {
    int32_t at[4];
    for (at[0] = 0; at[0] < shape->size[0]; ++at[0]) {
        for (at[1] = 0; at[1] < shape->size[1]; ++at[1]) {
            for (at[2] = 0; at[2] < shape->size[2]; ++at[2]) {
                const int16_t *one = a, *other = b;
                for (int dim = 0; dim < 3; ++dim) {
                    one += at[dim] * shape->stride1[dim];
                    other += at[dim] * shape->stride2[dim];
                }
                for (at[3] = 0; at[3] < shape->size[3]; ++at[3]) {
                    const int32_t made =
                        operation(layer, one[at[3] * shape->stride1[3]], other[at[3] * shape->stride2[3]]);
                    *out++ = (int16_t)made;
                }
            }
        }
    }
}

void scn_add_s16(const scn_wide_add_t *layer, const void *input1, const void *input2, void *output) {
    wide_rows(&layer->shape, wide_add, layer, input1, input2, output);
}

void scn_mul_s16(const scn_wide_mul_t *layer, const void *input1, const void *input2, void *output) {
    wide_rows(&layer->shape, wide_mul, layer, input1, input2, output);
}

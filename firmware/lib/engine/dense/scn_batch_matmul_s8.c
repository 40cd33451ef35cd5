/* SPDX-License-Identifier: MIT */
/* BATCH_MATMUL: one sum at a time, by SIMD where both operands lie in runs. */
#include "scn_batch_matmul.h"
#include "scn_dot_runs.h"

static int32_t matmul_sum(const scn_batch_matmul_t *layer, const int8_t *a, const int8_t *b) {
    const int32_t a_zero = layer->left.zero_point, b_zero = layer->right.zero_point;
    if (layer->left.addend == 1 && layer->right.addend == 1) {
        return scn_dot_runs(a, a_zero, b, b_zero, layer->depth);
    }
    int32_t sum = 0;
    for (int32_t i = 0; i < layer->depth; ++i) {
        sum += (*a - a_zero) * (*b - b_zero);
        a += layer->left.addend;
        b += layer->right.addend;
    }
    return sum;
}

static int8_t *matmul(const scn_batch_matmul_t *layer, const int8_t *left, const int8_t *right, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; ++row) {
        for (int32_t column = 0; column < layer->columns; ++column) {
            const int32_t sum =
                matmul_sum(layer, left + row * layer->left.output, right + column * layer->right.output);
            *output++ = scn_saturate(scn_wrap_add(scn_scale(sum, layer->scale), layer->output_zero_point));
        }
    }
    return output;
}

static int32_t batch_start(const scn_matrix_t *matrix, const int32_t index[SCN_MATMUL_BATCHES]) {
    return index[0] * matrix->batch[0] + index[1] * matrix->batch[1] + index[2] * matrix->batch[2];
}

void scn_batch_matmul_s8(const scn_batch_matmul_t *layer, const int8_t *left, const int8_t *right, int8_t *output) {
    int32_t index[SCN_MATMUL_BATCHES];
    for (index[0] = 0; index[0] < layer->batches[0]; ++index[0]) {
        for (index[1] = 0; index[1] < layer->batches[1]; ++index[1]) {
            for (index[2] = 0; index[2] < layer->batches[2]; ++index[2]) {
                output = matmul(layer, left + batch_start(&layer->left, index),
                                right + batch_start(&layer->right, index), output);
            }
        }
    }
}

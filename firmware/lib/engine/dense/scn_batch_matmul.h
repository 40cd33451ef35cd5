/* SPDX-License-Identifier: MIT */
/* BATCH_MATMUL; scn_engine.h states what holds for all kernels. */
#ifndef SCN_BATCH_MATMUL_H
#define SCN_BATCH_MATMUL_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SCN_MATMUL_BATCHES = 3 };

/* A matrix of every batch: distances in elements between batches (0 where it is broadcast), outputs, and addends. */
typedef struct {
    int32_t batch[SCN_MATMUL_BATCHES];
    int32_t output;
    int32_t addend;
    int32_t zero_point;
} scn_matrix_t;

/*
 * BATCH_MATMUL, of either operand transposed: output [batches][rows][columns] of sums of `depth` products, at most
 * 33,025. left.output is the distance between rows, right.output that between columns.
 * scale  left scale * right scale / output scale.
 */
typedef struct {
    int32_t batches[SCN_MATMUL_BATCHES];
    int32_t rows;
    int32_t columns;
    int32_t depth;
    scn_matrix_t left;
    scn_matrix_t right;
    int32_t output_zero_point;
    scn_multiplier_t scale;
} scn_batch_matmul_t;

void scn_batch_matmul_s8(const scn_batch_matmul_t *layer, const int8_t *left, const int8_t *right, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif

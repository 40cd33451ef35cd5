/* SPDX-License-Identifier: MIT */
/* FULLY_CONNECTED, the fast kernel; scn_engine.h states what holds for all kernels. */
#ifndef SCN_DENSE_H
#define SCN_DENSE_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Four outputs of scn_dense_s8. start: the sums before any product. An output is
 * (start * multiplier / 2^32, rounded down, + added) / 2^right, rounded down, clamped to INT8. The host has proved for
 * every sum that this equals the one rounding of scn_fine_multiplier_t.
 */
typedef struct {
    int32_t start0, start1, start2, start3;
    int32_t multiplier0, added0, right0;
    int32_t multiplier1, added1, right1;
    int32_t multiplier2, added2, right2;
    int32_t multiplier3, added3, right3;
} scn_dense_requantize_t;

/*
 * FULLY_CONNECTED with activations that clamp to INT8's own bounds. Weights are grouped by four outputs; absent inputs
 * and outputs are 0. Pairs of inputs are (0, 2), (1, 3) of every four.
 *
 * paired      256 * w + w' of two outputs and one input in an int16, or NULL: [ceil(outputs / 4)][pairs of inputs]
 *             [2 pairs of outputs][2 inputs]. One product gives 256 times the first output's sum plus the second's; a
 *             product with the low byte alone gives the second's, which separates them if the first sum stays under
 *             2^23. As large as INT8 weights, with half the instructions to unpack. Starts: 256 * bias + bias', bias'
 *             of both pairs.
 * expanded    int16, or NULL: [ceil(outputs / 4)][pairs of inputs][4 outputs][2 inputs]. Starts: biases.
 * requantize  [ceil(outputs / 4)]. Python: scenelet.compiler.kernels.dense.
 */
typedef struct {
    int32_t batches;
    int32_t inputs;
    int32_t outputs;
    int32_t input_zero_point;
    const int16_t *paired;
    const int16_t *expanded;
    const scn_dense_requantize_t *requantize;
} scn_dense_t;

/* Scratch: one input vector, widened to int16. */
#define SCN_DENSE_SCRATCH_BYTES(inputs) (2 * (((inputs) + 7) / 8 * 8))

void scn_dense_s8(const scn_dense_t *layer, const int8_t *input, int8_t *output, void *scratch);

#ifdef __cplusplus
}
#endif

#endif

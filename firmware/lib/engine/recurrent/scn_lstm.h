/* SPDX-License-Identifier: MIT */
/* UNIDIRECTIONAL_SEQUENCE_LSTM; scn_engine.h states what holds for all kernels. */
#ifndef SCN_LSTM_H
#define SCN_LSTM_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One of the two matrices of an LSTM: the sums that it adds to the gates, and their scales. */
typedef struct {
    int32_t columns;
    int32_t zero_point; /* of what it multiplies */
    /*
     * As in scn_dense_t, a cell's four gates for four outputs: paired, or expanded where that is not exact, or NULL.
     * Gates are in the order input, forget, cell, output.
     */
    const int16_t *paired;
    const int16_t *expanded;
    const int32_t *starts;         /* [cells][4], as scn_dense_requantize_t's */
    const scn_multiplier_t *scale; /* [4], from sums to Q3.12 */
} scn_lstm_matrix_t;

/*
 * Every step computes, for all cells, with sums and gates clamped to int16 in Q3.12,
 *   gate = input matrix * input + state matrix * output of the step before
 *   cell = forget * cell + input gate * tanh(cell gate), in Q(15 - cell_fraction).cell_fraction, within +-cell_clip
 *   output = output gate * tanh(cell) * hidden_scale + hidden_zero_point
 * where input, forget and output gates are logistic functions. Scalings round as scn_multiplier_t.
 *
 * The vector of step t and batch b is number t * step_stride + b * batch_stride of input and output.
 * cell_fraction   9 .. 15
 * cell_clip       1 .. 2^15 - 1, or 0 for none.
 */
typedef struct {
    int32_t batches;
    int32_t steps;
    int32_t cells;
    int32_t step_stride;
    int32_t batch_stride;
    scn_lstm_matrix_t input;
    scn_lstm_matrix_t state;
    int32_t cell_fraction;
    int32_t cell_clip;
    scn_multiplier_t hidden_scale;
    int32_t hidden_zero_point;
} scn_lstm_t;

/* Cells whose sums are computed at a time. */
#define SCN_LSTM_BLOCK 8

/* Scratch: an input and an output, widened to int16, and the sums of a block of cells. */
#define SCN_LSTM_SCRATCH_BYTES(inputs, cells)                                                                          \
    (2 * (((inputs) + 7) / 8 * 8) + 2 * (((cells) + 7) / 8 * 8) + SCN_LSTM_BLOCK * 32)

/*
 * input   [batches * steps][inputs], output [batches * steps][cells].
 * hidden  [batches][cells], the output of the last step; kept from one call to the next, like
 * cell    [batches][cells], int16 that lie at `cell`, aligned to 2 bytes.
 */
void scn_lstm_s8(const scn_lstm_t *layer, const int8_t *input, int8_t *hidden, int8_t *cell, int8_t *output,
                 void *scratch);

#ifdef __cplusplus
}
#endif

#endif

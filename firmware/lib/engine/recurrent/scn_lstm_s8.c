/* SPDX-License-Identifier: MIT */
/* LSTM: the sums of a block of cells by the dense kernel's loops, four gates at a time, then cell after cell. */
#include "scn_dense_four.h"
#include "scn_fixedpoint.h"
#include "scn_gates.h"
#include "scn_lstm.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { GATES = 4, INPUT_GATE = 0, FORGET_GATE = 1, CELL_GATE = 2, OUTPUT_GATE = 3, GATE_INTEGER_BITS = 3 };

/* Where a call's scratch begins and ends, and where the sums of a block of cells lie. */
typedef struct {
    uint32_t *input;
    uint32_t *state;
    int32_t *from_input;
    int32_t *from_state;
} lstm_scratch_t;

static lstm_scratch_t lstm_scratch(const scn_lstm_t *layer, void *scratch) {
    uint32_t *input = scratch, *state = input + SCN_DENSE_SCRATCH_BYTES(layer->input.columns) / 4;
    int32_t *sums = (int32_t *)(void *)(state + SCN_DENSE_SCRATCH_BYTES(layer->state.columns) / 4);
    return (lstm_scratch_t){input, state, sums, sums + SCN_LSTM_BLOCK * GATES};
}

static void lstm_sums(const scn_lstm_matrix_t *by, const uint32_t *x, int32_t first, int32_t count, int32_t *sums) {
    const int32_t bytes = SCN_DENSE_SCRATCH_BYTES(by->columns);
    const int32_t elements = bytes / 2 * (by->expanded ? GATES : GATES / 2);
    const int16_t *w = by->expanded ? by->expanded : by->paired;
    const scn_dense_sums_t dense = {x, w + first * elements, bytes, by->starts + first * GATES, sums, count};
    if (by->expanded) {
        scn_dense_expanded_sums(&dense);
    } else {
        scn_dense_paired_sums(&dense);
    }
}

/* Scales as scn_scale_small takes them; only where `quick`, but for that of the output. */
typedef struct {
    scn_scaler_t input[GATES];
    scn_scaler_t state[GATES];
    scn_scaler_t hidden;
    bool quick;
} lstm_scales_t;

/* Paired sums stay under 2^23, so that all but factors over 1 are quick. */
static lstm_scales_t lstm_scales(const scn_lstm_t *layer) {
    lstm_scales_t scales = {.hidden = scn_scaler(layer->hidden_scale), .quick = true};
    for (int gate = 0; gate < GATES; ++gate) {
        scales.quick = scales.quick && scn_has_scaler(layer->input.scale[gate]) &&
                       scn_has_scaler(layer->state.scale[gate]) && layer->input.paired && layer->state.paired;
    }
    for (int gate = 0; gate < GATES && scales.quick; ++gate) {
        scales.input[gate] = scn_scaler(layer->input.scale[gate]);
        scales.state[gate] = scn_scaler(layer->state.scale[gate]);
    }
    return scales;
}

/* A gate before its function: Q3.12. */
static SCN_INLINE int32_t lstm_gate(const scn_lstm_t *layer, const lstm_scales_t *scales, int gate,
                                    const int32_t *from_input, const int32_t *from_state) {
    if (scales) {
        const int32_t input = scn_saturate_s16(scn_scale_small(from_input[gate], scales->input[gate]));
        return scn_saturate_s16(scn_scale_small(from_state[gate], scales->state[gate]) + input);
    }
    const int32_t input = scn_saturate_s16(scn_scale(from_input[gate], layer->input.scale[gate]));
    return scn_saturate_s16(scn_scale(from_state[gate], layer->state.scale[gate]) + input);
}

/* One cell, from the gates before their functions: its new state and its output. */
static int8_t lstm_cell(const scn_lstm_t *layer, const int32_t gates[GATES], scn_scaler_t hidden_scale, int16_t *cell) {
    const int32_t input = scn_gate_logistic(gates[INPUT_GATE]), forget = scn_gate_logistic(gates[FORGET_GATE]);
    const int32_t update = scn_gate_tanh(gates[CELL_GATE], GATE_INTEGER_BITS);
    const int32_t kept = scn_round_shift(forget * *cell, 15);
    int32_t made = scn_saturate_s16(kept + scn_round_shift(input * update, 30 - layer->cell_fraction));
    if (layer->cell_clip) {
        made = scn_min(scn_max(made, -layer->cell_clip), layer->cell_clip);
    }
    *cell = (int16_t)made;
    const int32_t hidden = scn_gate_logistic(gates[OUTPUT_GATE]) * scn_gate_tanh(made, 15 - layer->cell_fraction);
    return scn_saturate(scn_scale_small(hidden, hidden_scale) + layer->hidden_zero_point);
}

static void lstm_cells(const scn_lstm_t *layer, const lstm_scales_t *scales, const lstm_scratch_t *at, int32_t count,
                       int16_t *cell, int8_t *output) {
    for (int32_t i = 0; i < count; ++i) {
        const int32_t *from_input = at->from_input + i * GATES, *from_state = at->from_state + i * GATES;
        int32_t gates[GATES];
        for (int gate = 0; gate < GATES; ++gate) {
            gates[gate] = scales->quick ? lstm_gate(layer, scales, gate, from_input, from_state)
                                        : lstm_gate(layer, NULL, gate, from_input, from_state);
        }
        output[i] = lstm_cell(layer, gates, scales->hidden, &cell[i]);
    }
}

static void lstm_step(const scn_lstm_t *layer, const lstm_scales_t *scales, const lstm_scratch_t *at, int16_t *cell,
                      int8_t *output) {
    for (int32_t first = 0; first < layer->cells; first += SCN_LSTM_BLOCK) {
        const int32_t count = scn_min(layer->cells - first, SCN_LSTM_BLOCK);
        lstm_sums(&layer->input, at->input, first, count, at->from_input);
        lstm_sums(&layer->state, at->state, first, count, at->from_state);
        lstm_cells(layer, scales, at, count, cell + first, output + first);
    }
}

void scn_lstm_s8(const scn_lstm_t *layer, const int8_t *input, int8_t *hidden, int8_t *cell, int8_t *output,
                 void *scratch) {
    const lstm_scratch_t at = lstm_scratch(layer, scratch);
    const lstm_scales_t scales = lstm_scales(layer);
    const int32_t cells = layer->cells;
    int16_t *states = (int16_t *)(void *)cell;
    for (int32_t n = 0; n < layer->batches; ++n, hidden += cells, states += cells) {
        const int8_t *before = hidden;
        for (int32_t t = 0; t < layer->steps; ++t) {
            const int32_t vector = t * layer->step_stride + n * layer->batch_stride;
            int8_t *made = output + vector * cells;
            scn_dense_widen(input + vector * layer->input.columns, layer->input.columns, layer->input.zero_point,
                            at.input);
            scn_dense_widen(before, cells, layer->state.zero_point, at.state);
            lstm_step(layer, &scales, &at, states, made);
            before = made;
        }
        memcpy(hidden, before, (size_t)cells);
    }
}

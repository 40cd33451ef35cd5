/* SPDX-License-Identifier: MIT */
/* FULLY_CONNECTED with weights grouped by four outputs: the input is widened once; one call computes all groups. */
#include "scn_dense.h"
#include "scn_dense_four.h"

enum { STEP = 8, LANES = 4 };

static void dense_run(const scn_dense_t *layer, const scn_dense_four_t *dense) {
    if (layer->expanded) {
        scn_dense_expanded(dense);
    } else {
        scn_dense_paired(dense);
    }
}

/* Fewer than four outputs: through a buffer, so that nothing after them is overwritten. */
static void dense_run_rest(const scn_dense_t *layer, scn_dense_four_t dense, int32_t count) {
    int8_t outputs[LANES];
    int8_t *to = dense.to;
    dense.to = outputs;
    dense.groups = 1;
    dense_run(layer, &dense);
    for (int32_t i = 0; i < count; ++i) {
        to[i] = outputs[i];
    }
}

void scn_dense_s8(const scn_dense_t *layer, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t steps = (layer->inputs + STEP - 1) / STEP, groups = layer->outputs / LANES;
    const int32_t group_elements = steps * STEP * (layer->expanded ? LANES : LANES / 2);
    scn_dense_four_t dense = {.x = scratch, .bytes = steps * STEP * 2, .requantize = layer->requantize};
    for (int32_t n = 0; n < layer->batches; ++n) {
        scn_dense_widen(input, layer->inputs, layer->input_zero_point, scratch);
        dense.w = layer->expanded ? layer->expanded : layer->paired;
        dense.to = output;
        dense.groups = groups;
        dense.requantize = layer->requantize;
        if (groups) {
            dense_run(layer, &dense);
        }
        if (layer->outputs % LANES) {
            dense.w += groups * group_elements;
            dense.to += groups * LANES;
            dense.requantize += groups;
            dense_run_rest(layer, dense, layer->outputs % LANES);
        }
        input += layer->inputs;
        output += layer->outputs;
    }
}

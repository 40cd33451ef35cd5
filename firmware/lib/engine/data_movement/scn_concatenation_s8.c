/* SPDX-License-Identifier: MIT */
/* CONCATENATION and PACK: in each turn a run of every input. */
#include "scn_concatenation.h"

#include <string.h>

void scn_concatenation_s8(const scn_concatenation_t *layer, const int8_t *const *inputs, int8_t *output) {
    for (int32_t turn = 0; turn < layer->turns; ++turn) {
        for (int32_t i = 0; i < layer->inputs; ++i) {
            const int32_t run = layer->runs[i];
            memcpy(output, inputs[i] + turn * run, (size_t)run);
            output += run;
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* Values picked by constant indices: a run at a time. */
#include "scn_pick.h"

#include <string.h>

enum { SHORT = 8 }; /* values that are moved before a call of memcpy would have begun */

static void pick_run(const int8_t *from, int32_t count, int8_t *to) {
    if (count > SHORT) {
        memcpy(to, from, (size_t)count);
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        to[i] = from[i];
    }
}

void scn_pick_s8(const scn_pick_t *layer, const int8_t *input, int8_t *output) {
    const int32_t run = layer->run;
    for (int32_t r = 0; r < layer->rows; ++r) {
        const int8_t *start = input + layer->row[r].start;
        const int32_t *column = layer->column + layer->row[r].first;
        for (int32_t c = 0; c < layer->columns; ++c) {
            if (column[c] == SCN_NOWHERE) {
                memset(output, layer->fill, (size_t)run);
            } else {
                pick_run(start + column[c], run, output);
            }
            output += run;
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* PAD and PADV2: fill, then copy the input's rows to their places. */
#include "scn_pad.h"

#include <string.h>

static size_t elements(const int32_t size[4]) {
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2] * (size_t)size[3];
}

/* Distance of an input row from the output's start. */
static int32_t place(const scn_pad_t *layer, int32_t n, int32_t y, int32_t x) {
    const int32_t *size = layer->output_size;
    const int32_t *before = layer->before;
    return (((n + before[0]) * size[1] + y + before[1]) * size[2] + x + before[2]) * size[3] + before[3];
}

void scn_pad_s8(const scn_pad_t *layer, const int8_t *input, int8_t *output) {
    const int32_t *size = layer->input_size;
    memset(output, layer->value, elements(layer->output_size));
    for (int32_t n = 0; n < size[0]; ++n) {
        for (int32_t y = 0; y < size[1]; ++y) {
            for (int32_t x = 0; x < size[2]; ++x) {
                memcpy(output + place(layer, n, y, x), input, (size_t)size[3]);
                input += size[3];
            }
        }
    }
}

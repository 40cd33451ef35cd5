/* SPDX-License-Identifier: MIT */
/* A table of 256 values, or two affine steps, per channel. */
#include "scn_fixedpoint.h"
#include "scn_lut.h"

static void table_row(const int8_t *table, int32_t count, int32_t step, const int8_t *input, int8_t *output) {
    const int8_t *middle = table + 128;
    for (int32_t i = 0; i < count; ++i) {
        output[i] = middle[input[i]];
        middle += step;
    }
}

static void affine_row(const scn_affine_map_t *map, int32_t count, int32_t step, const int8_t *input, int8_t *output) {
    for (int32_t i = 0; i < count; ++i) {
        output[i] = scn_affine(*map, input[i]);
        map += step;
    }
}

void scn_lut_s8(const scn_lut_t *layer, const int8_t *input, int8_t *output) {
    /* A map that is the same for all channels is one row. */
    const bool single = layer->channels == 1;
    const int32_t rows = single ? 1 : layer->pixels, count = single ? layer->pixels : layer->channels;
    for (int32_t row = 0; row < rows; ++row) {
        if (layer->post.table) {
            table_row(layer->post.table, count, single ? 0 : 256, input, output);
        } else {
            affine_row(layer->post.affine, count, single ? 0 : 1, input, output);
        }
        input += count;
        output += count;
    }
}

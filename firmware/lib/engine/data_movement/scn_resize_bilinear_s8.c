/* SPDX-License-Identifier: MIT */
/* RESIZE_BILINEAR: four pixels, weighted in 2^20ths, halves rounded away from zero. */
#include "scn_resize_bilinear.h"
#include "scn_window.h"

enum { ONE = 1 << 10 };

static int8_t rounded(int32_t sum) {
    return (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

static void resize_pixel(const scn_resize_bilinear_t *layer, const int8_t *image, scn_between_t row,
                         scn_between_t column, int8_t *output) {
    const int8_t *a = image + scn_pixel(&layer->input, row.low, column.low);
    const int8_t *b = image + scn_pixel(&layer->input, row.low, column.high);
    const int8_t *c = image + scn_pixel(&layer->input, row.high, column.low);
    const int8_t *d = image + scn_pixel(&layer->input, row.high, column.high);
    const int32_t at_a = (ONE - row.weight) * (ONE - column.weight), at_b = (ONE - row.weight) * column.weight;
    const int32_t at_c = row.weight * (ONE - column.weight), at_d = row.weight * column.weight;
    for (int32_t i = 0; i < layer->output.channels; ++i) {
        output[i] = rounded(a[i] * at_a + b[i] * at_b + c[i] * at_c + d[i] * at_d);
    }
}

void scn_resize_bilinear_s8(const scn_resize_bilinear_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        for (int32_t y = 0; y < layer->output.height; ++y) {
            for (int32_t x = 0; x < layer->output.width; ++x) {
                resize_pixel(layer, input, layer->row[y], layer->column[x], output);
                output += layer->output.channels;
            }
        }
        input += scn_image_elements(&layer->input);
    }
}

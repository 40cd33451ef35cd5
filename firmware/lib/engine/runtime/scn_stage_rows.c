/* SPDX-License-Identifier: MIT */
/*
 * Stages of a segment: each call runs a layer on a shorter input and output, with the padding that remains for them.
 */
#include "scn_stage_rows.h"
#include "scn_conv2d.h"
#include "scn_depthwise_conv2d.h"
#include "scn_elementwise_ops.h"
#include "scn_lut.h"
#include "scn_pooling.h"
#include "scn_winograd_conv2d.h"

/* Rows of padding above the first input row of this call. */
static int32_t padding_left(const scn_window_t *window, const scn_rows_t *rows) {
    return window->pad_top - rows->y * window->stride_h + rows->input_y;
}

static scn_conv2d_t conv2d_part(const scn_conv2d_t *layer, const scn_rows_t *rows) {
    scn_conv2d_t part = *layer;
    part.window.pad_top = padding_left(&part.window, rows);
    part.input.height = rows->input_rows;
    part.output.height = rows->rows;
    return part;
}

static scn_fused_conv2d_t fused_part(const scn_fused_conv2d_t *layer, const scn_rows_t *rows) {
    scn_fused_conv2d_t part = {conv2d_part(&layer->conv, rows), layer->post, layer->added};
    part.added.skip = rows->input[1];
    return part;
}

static scn_row_ring_t rows_of(const scn_dims_t *dims, const int8_t *data) {
    /* The cast is safe: kernels only read their input. */
    return (scn_row_ring_t){(int8_t *)(uintptr_t)data, dims->height, dims->width * dims->channels};
}

void scn_conv2d_rows(const void *layer, const scn_rows_t *rows) {
    const scn_fused_conv2d_t *whole = layer;
    const scn_fused_conv2d_t part = fused_part(whole, rows);
    const scn_row_ring_t input = rows_of(&part.conv.input, rows->input[0]);
    const scn_row_ring_t output = rows_of(&part.conv.output, rows->output);
    scn_conv2d_rows_s8(&part, &input, 0, rows->rows, &output, rows->scratch);
}

void scn_conv2d_narrow_rows(const void *layer, const scn_rows_t *rows) {
    const scn_fused_conv2d_t *whole = layer;
    const scn_fused_conv2d_t part = fused_part(whole, rows);
    const scn_row_ring_t input = rows_of(&part.conv.input, rows->input[0]);
    const scn_row_ring_t output = rows_of(&part.conv.output, rows->output);
    scn_conv2d_narrow_rows_s8(&part, &input, 0, rows->rows, &output, rows->scratch);
}

typedef void (*winograd_t)(const scn_winograd_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                           const scn_row_ring_t *output, void *scratch);

static inline void winograd_rows(winograd_t run, const void *layer, const scn_rows_t *rows) {
    scn_winograd_t part = *(const scn_winograd_t *)layer;
    /* Each pooled row takes pool_height rows of the convolution. */
    scn_rows_t conv_rows = *rows;
    conv_rows.y *= part.pool_height;
    conv_rows.rows *= part.pool_height;
    part.conv = conv2d_part(&part.conv, &conv_rows);
    part.added.skip = rows->input[1];
    const scn_dims_t *dims = &part.conv.output;
    const scn_row_ring_t input = rows_of(&part.conv.input, rows->input[0]);
    const scn_row_ring_t output = {rows->output, rows->rows, dims->width / part.pool_width * dims->channels};
    run(&part, &input, 0, rows->rows, &output, rows->scratch);
}

void scn_winograd_f4x3_rows(const void *layer, const scn_rows_t *rows) {
    winograd_rows(scn_winograd_f4x3_rows_s8, layer, rows);
}

void scn_winograd_f2x3_rows(const void *layer, const scn_rows_t *rows) {
    winograd_rows(scn_winograd_f2x3_rows_s8, layer, rows);
}

void scn_depthwise_conv2d_rows(const void *layer, const scn_rows_t *rows) {
    scn_depthwise_conv2d_t part = *(const scn_depthwise_conv2d_t *)layer;
    part.window.pad_top = padding_left(&part.window, rows);
    part.input.height = rows->input_rows;
    part.output.height = rows->rows;
    scn_depthwise_conv2d_s8(&part, rows->input[0], rows->output);
}

static scn_pool_t pool_part(const scn_pool_t *layer, const scn_rows_t *rows) {
    scn_pool_t part = *layer;
    part.window.pad_top = padding_left(&part.window, rows);
    part.input.height = rows->input_rows;
    part.output.height = rows->rows;
    return part;
}

void scn_max_pool_rows(const void *layer, const scn_rows_t *rows) {
    const scn_pool_t part = pool_part(layer, rows);
    scn_max_pool_s8(&part, rows->input[0], rows->output);
}

void scn_average_pool_rows(const void *layer, const scn_rows_t *rows) {
    const scn_pool_t part = pool_part(layer, rows);
    scn_average_pool_s8(&part, rows->input[0], rows->output);
}

void scn_add_rows(const void *layer, const scn_rows_t *rows) {
    scn_add_t part = *(const scn_add_t *)layer;
    part.shape.size[1] = rows->rows;
    scn_add_s8(&part, rows->input[0], rows->input[1], rows->output);
}

void scn_add_lut_rows(const void *layer, const scn_rows_t *rows) {
    scn_add_lut_t part = *(const scn_add_lut_t *)layer;
    part.elements = rows->rows * part.elements;
    scn_add_lut_s8(&part, rows->input[0], rows->input[1], rows->output);
}

void scn_lut_rows(const void *layer, const scn_rows_t *rows) {
    scn_lut_t part = *(const scn_lut_t *)layer;
    part.pixels = rows->input_rows * part.pixels;
    scn_lut_s8(&part, rows->input[0], rows->output);
}

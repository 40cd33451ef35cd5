/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D: four output positions at a time. Their windows are gathered once and multiplied with each pair of output
 * channels.
 *
 * The four positions follow one another along the longer axis of the output. Taps that lie outside the input at all
 * four positions are left out of the sum, so that nearly all padding along the other axis costs nothing.
 */
#include "scn_conv2d.h"
#include "scn_conv2d_output.h"
#include "scn_dot_2x4.h"
#include "scn_gather.h"
#include "scn_row_ring.h"

#include <stddef.h>

typedef struct {
    scn_gather_t block;
    scn_dot_2x4_t dot;
    scn_conv2d_output_t output;
    int8_t *to[SCN_POSITIONS]; /* outputs of the positions */
} work_t;

/* Bytes of one row of one channel pair's weights. */
static int32_t weight_row_bytes(const scn_conv2d_t *layer) {
    return (layer->window.width * layer->input.channels + 1) / 2 * 4;
}

/* Where the weights of the gathered taps lie, for channel pair 0; 0 rows where every tap is outside the input. */
static scn_dot_2x4_t direct_plan_dot(const scn_gather_t *block) {
    const int32_t pairs = (block->elements + 1) / 2;
    const int32_t row_bytes = weight_row_bytes(block->layer);
    const int32_t rows = pairs ? block->rows.last - block->rows.first : 0;
    const int32_t start = block->rows.first * row_bytes + block->taps.first * block->layer->input.channels * 2;
    const bool whole = pairs * 4 == row_bytes && rows > 0;
    const int32_t run = whole ? rows * pairs : pairs;
    return (scn_dot_2x4_t){
        .x = block->words,
        .w = block->layer->weights + start,
        .rows = whole ? 1 : rows,
        .main_bytes = run / 4 * 64,
        .rest_bytes = run % 4 * 16,
        .w_skip = row_bytes - pairs * 4,
    };
}

static void direct_multiply_pair(work_t *work, int32_t channel) {
    const scn_conv2d_t *layer = work->block.layer;
    const bool both = channel + 1 < layer->output.channels;
    int32_t *sum = work->dot.sum;
    sum[0] = sum[1] = sum[2] = sum[3] = scn_conv2d_bias(layer, channel);
    sum[4] = sum[5] = sum[6] = sum[7] = both ? scn_conv2d_bias(layer, channel + 1) : 0;
    if (work->dot.rows) {
        scn_dot_2x4(&work->dot);
    }
    scn_conv2d_store(&work->output, channel, sum, work->to, channel, work->block.count);
    if (both) {
        scn_conv2d_store(&work->output, channel + 1, sum + SCN_POSITIONS, work->to, channel + 1, work->block.count);
    }
}

static void direct_run_block(work_t *work) {
    const scn_conv2d_t *layer = work->block.layer;
    const int32_t pair_bytes = layer->window.height * weight_row_bytes(layer);
    scn_gather(&work->block);
    work->dot = direct_plan_dot(&work->block);
    for (int32_t channel = 0; channel < layer->output.channels; channel += 2) {
        direct_multiply_pair(work, channel);
        work->dot.w += pair_bytes;
    }
}

/* The block's positions start at y, x. */
static void direct_place_block(work_t *work, const scn_row_ring_t *output, int32_t y, int32_t x, int32_t count) {
    const int32_t channels = work->block.layer->output.channels;
    const bool down = work->block.down;
    work->block.y = y;
    work->block.x = x;
    work->block.count = count;
    for (int32_t i = 0; i < count; ++i) {
        work->to[i] = scn_ring_row(output, down ? y + i : y) + (down ? x : x + i) * channels;
    }
}

/* Rows y .. y + count - 1 of one image, along the longer axis first. */
static void direct_run_rows(work_t *work, int32_t y, int32_t count, const scn_row_ring_t *output) {
    const bool down = work->block.down;
    const int32_t width = work->block.layer->output.width;
    const int32_t along = down ? count : width;
    const int32_t across = down ? width : count;
    for (int32_t line = 0; line < across; ++line) {
        for (int32_t i = 0; i < along; i += SCN_POSITIONS) {
            direct_place_block(work, output, down ? y + i : y + line, down ? line : i,
                               scn_min(SCN_POSITIONS, along - i));
            direct_run_block(work);
        }
    }
}

static work_t direct_work(const scn_conv2d_t *layer, scn_conv2d_output_t output, const scn_row_ring_t *input,
                          int32_t rows, void *scratch) {
    return (work_t){
        .block = {.layer = layer, .input = input, .words = scratch, .down = rows >= layer->output.width},
        .output = output,
    };
}

void scn_conv2d_rows_s8(const scn_fused_conv2d_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                        const scn_row_ring_t *output, void *scratch) {
    const scn_conv2d_output_t stored = scn_conv2d_output(&layer->conv, layer->post, layer->added, output->data);
    work_t work = direct_work(&layer->conv, stored, input, count, scratch);
    direct_run_rows(&work, y, count, output);
}

/* A 1x1 convolution reads no neighbours: all pixels of all images can form one row. */
static scn_conv2d_t flatten(scn_conv2d_t layer) {
    const scn_window_t *window = &layer.window;
    if (window->height * window->width * window->stride_h * window->stride_w == 1) {
        layer.output.width *= layer.output.height * layer.output.batches;
        layer.output.height = layer.output.batches = 1;
        layer.input.width = layer.output.width;
        layer.input.height = layer.input.batches = 1;
    }
    return layer;
}

void scn_conv2d_s8(const scn_conv2d_t *layer, const int8_t *input, int8_t *output, void *scratch) {
    const scn_conv2d_t flat = flatten(*layer);
    scn_row_ring_t from = scn_image_rows(&flat.input, input), to = scn_image_rows(&flat.output, output);
    const scn_conv2d_output_t stored =
        scn_conv2d_output(&flat, (scn_post_t){NULL, NULL}, (scn_fused_add_t){NULL, 0, NULL}, output);
    work_t work = direct_work(&flat, stored, &from, flat.output.height, scratch);
    for (int32_t n = 0; n < flat.output.batches; ++n) {
        direct_run_rows(&work, 0, flat.output.height, &to);
        from.data += scn_image_elements(&flat.input);
        to.data += scn_image_elements(&flat.output);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D by Winograd's F(4, 3) or F(2, 3), in units of two tiles at two neighbouring positions of the slide axis.
 *
 * Across: the two tiles of a pair lie side by side, on maps of up to four columns one below the other; positions are
 * rows. Down: the tiles lie one below the other; positions are columns. An input tile is the part of a row (across) or
 * column (down) of the input that a tile depends on, transformed.
 *
 * The input tiles of a block are transformed once. Then, for each pair of output channels and each part of the input
 * channels, weights are transformed and multiplied with all units of the block.
 */
#include "scn_row_ring.h"
#include "scn_simd.h"
#include "scn_window.h"
#include "scn_winograd_conv2d.h"
#include "scn_winograd_tile.h"

#include <string.h>

_Static_assert((int)SCN_WINOGRAD_DOT_MOST_TAPS == SCN_WINOGRAD_MOST_TAPS, "the host relies on this limit");

static const int32_t zeros[SCN_WINOGRAD_UNIT_SUMS];

typedef struct {
    const scn_tile_kind_t *kind;
    const scn_winograd_t *layer;
    const scn_row_ring_t *input;
    const scn_row_ring_t *output;
    scn_conv2d_output_t stage;
    uint32_t *tiles;    /* scratch: [pair of tiles][step][input tile][plane][tile of the pair] */
    int8_t *padding;    /* scratch: a pixel of zero points */
    uint32_t *weights;  /* scratch, of a part: [step][tap][plane][output channel] */
    int32_t *sums;      /* scratch: of all units, or of one */
    int32_t taps;       /* of the slide axis */
    int32_t steps;      /* pairs of input channels */
    int32_t outputs;    /* of a tile */
    int32_t tile_words; /* of an input tile, and of the weights of a tap */
    int32_t input_tiles;
    int32_t first_input_tile; /* its coordinate minus that of the block's first position */
    int32_t step_words;
    int32_t pair_words;
    bool shared;              /* all positions depend on all input tiles */
    int32_t tile_offset;      /* rows from the first tile of a pair to the second, 0 if that is to the right */
    scn_tile_places_t places; /* strides and pools */

    int32_t y, x;      /* of the block: its first output, */
    int32_t end_y;     /* the row after its last one, */
    int32_t positions; /* and its size */
    int32_t pairs;
} work_t;

static bool inside(int32_t at, int32_t size) {
    return at >= 0 && at < size;
}

static void winograd_transform(const work_t *work, const int8_t *const *from, uint32_t *to) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const uint32_t offset = scn_pair(-conv->input_zero_point, -conv->input_zero_point);
    work->kind->input(from, conv->input.channels, offset, to, work->step_words);
}

/* Input tiles of the tile at y, x, one per row. */
static void winograd_gather_across(const work_t *work, int32_t y, int32_t x, uint32_t *to) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t last = (work->positions + 1) / 2 * 2 + work->taps - 1;
    for (int32_t input_tile = 0; input_tile < last; ++input_tile) {
        const int32_t in_y = y + input_tile + work->first_input_tile;
        const bool present = inside(in_y, conv->input.height);
        const int8_t *line = present ? scn_ring_row(work->input, in_y) : NULL;
        const int8_t *from[SCN_TILE_INPUTS];
        for (int32_t i = 0; i < work->outputs + 2; ++i) {
            const int32_t in_x = x + i - conv->window.pad_left;
            from[i] = present && inside(in_x, conv->input.width) ? line + in_x * conv->input.channels : work->padding;
        }
        winograd_transform(work, from, to + input_tile * work->tile_words);
    }
}

/* Input tiles of the tiles at row y, one per column. */
static void winograd_gather_down(const work_t *work, int32_t y, uint32_t *to) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int8_t *line[SCN_TILE_INPUTS] = {NULL};
    for (int32_t i = 0; i < work->outputs + 2; ++i) {
        const int32_t in_y = y + i - conv->window.pad_top;
        line[i] = inside(in_y, conv->input.height) ? scn_ring_row(work->input, in_y) : NULL;
    }
    for (int32_t input_tile = 0; input_tile < work->input_tiles; ++input_tile) {
        const int32_t in_x = input_tile + work->first_input_tile;
        const bool present = inside(in_x, conv->input.width);
        const int8_t *from[SCN_TILE_INPUTS];
        for (int32_t i = 0; i < work->outputs + 2; ++i) {
            from[i] = present && line[i] ? line[i] + in_x * conv->input.channels : work->padding;
        }
        winograd_transform(work, from, to + input_tile * work->tile_words);
    }
}

static void winograd_gather(const work_t *work) {
    for (int32_t pair = 0; pair < work->pairs; ++pair) {
        for (int32_t tile = 0; tile < SCN_TILES; ++tile) {
            uint32_t *to = work->tiles + pair * work->pair_words + tile;
            const int32_t y = work->y + pair * SCN_TILES * work->outputs + tile * work->tile_offset;
            const int32_t x = work->x + (work->tile_offset ? 0 : tile * work->outputs);
            if (y >= work->end_y || x >= work->layer->conv.output.width) {
                continue;
            }
            if (work->layer->across) {
                winograd_gather_across(work, y, x, to);
            } else {
                winograd_gather_down(work, y, to);
            }
        }
    }
}

/* Outputs along the axis of the tile at y, x that lie inside the map, before pooling. */
static int32_t winograd_count(const work_t *work, int32_t y, int32_t x) {
    const scn_dims_t *dims = &work->layer->conv.output;
    if (y >= work->end_y || x >= dims->width) {
        return 0;
    }
    return scn_min(work->layer->across ? dims->width - x : work->end_y - y, work->outputs);
}

/* Set the counts at the edges of a block. */
static void winograd_count_outputs(const work_t *work, int32_t y, int32_t x, int32_t at, scn_tile_places_t *places) {
    const bool across = work->layer->across;
    for (int32_t i = 0; i < 2 * SCN_TILES; ++i) {
        const int32_t position = i / SCN_TILES, tile = i % SCN_TILES;
        const int32_t below = tile * work->tile_offset + (across ? position : 0);
        const int32_t right = (work->tile_offset ? 0 : tile * work->outputs) + (across ? 0 : position);
        const int32_t count = at + position < work->positions ? winograd_count(work, y + below, x + right) : 0;
        places->count[i] = places->pool_along ? count / 2 : count;
    }
    if (places->pool_slide) {
        places->count[0] = places->count[SCN_TILES];
        places->count[1] = places->count[SCN_TILES + 1];
    }
    places->full = false;
}

/* Where the outputs of a unit are stored: positions `at` and at + 1 of a pair of tiles. */
static scn_tile_places_t winograd_places(const work_t *work, int32_t pair, int32_t at) {
    const scn_winograd_t *layer = work->layer;
    const int32_t y = work->y + pair * SCN_TILES * work->outputs + (layer->across ? at : 0);
    const int32_t x = work->x + (layer->across ? 0 : at);
    scn_tile_places_t made = work->places;
    made.to = scn_ring_row(work->output, y >> (layer->pool_height > 1));
    made.to += (x >> (layer->pool_width > 1)) * layer->conv.output.channels;
    if (!made.full || at + 1 >= work->positions) {
        winograd_count_outputs(work, y, x, at, &made);
    }
    return made;
}

static void winograd_store_unit(const work_t *work, const int32_t *sums, int32_t channel, const scn_tile_channel_t *two,
                                const scn_tile_places_t *places) {
    work->kind->store(&two[0], sums, places);
    if (channel + 1 < work->layer->conv.output.channels) {
        work->kind->store(&two[1], sums + SCN_WINOGRAD_UNIT_SUMS / 2, places);
    }
}

/* Parameters that the dot products of all units share: `count` steps, with weights at w. */
static scn_winograd_dot_t winograd_dot_of(const work_t *work, const uint32_t *w, int32_t first, int32_t count) {
    const int32_t taps = work->taps, input_tiles = work->input_tiles;
    const int32_t seen = work->shared ? input_tiles + 1 : taps;
    return (scn_winograd_dot_t){
        .skip = (work->shared ? taps - seen : input_tiles - taps - 1) * work->tile_words * 4,
        .w_end = w + ((count - 1) * taps + seen) * work->tile_words,
        .taps = work->shared ? input_tiles : taps,
        .x = work->tiles + first * work->step_words,
        .w = w,
        .w_last = w + work->tile_words - 2,
        .from = zeros,
        .from_bytes = first ? SCN_WINOGRAD_UNIT_SUMS * 4 : 0,
    };
}

static void winograd_multiply(const work_t *work, scn_winograd_dot_t dot, int32_t pair, int32_t at, int32_t *sums) {
    dot.x += pair * work->pair_words;
    dot.from = dot.from_bytes ? sums : dot.from;
    dot.sum = sums;
    if (work->shared) {
        const int32_t skipped = (work->layer->conv.window.pad_left - at - 1) * work->tile_words;
        dot.w += skipped;
        dot.w_end += skipped;
        dot.w_last += skipped;
        work->kind->dot_shared(&dot);
    } else {
        dot.x += at * work->tile_words;
        work->kind->dot(&dot);
    }
}

/* The transformed weights of a channel pair, for a part of the input channels. */
static const uint32_t *winograd_weights(const work_t *work, int32_t channel, int32_t first, int32_t count) {
    const int32_t start = (channel / 2 * work->steps + first) * work->taps;
    if (work->layer->expanded) {
        return (const uint32_t *)(const void *)work->layer->expanded + start * work->tile_words;
    }
    work->kind->weights(work->layer->packed + start * 12, count * work->taps, work->weights);
    return work->weights;
}

/* Multiply a part of the input channels. The sums are complete after the last part. */
static void winograd_run_part(const work_t *work, int32_t channel, const scn_tile_channel_t *two, int32_t first,
                              int32_t count) {
    const uint32_t *weights = winograd_weights(work, channel, first, count);
    const scn_winograd_dot_t dot = winograd_dot_of(work, weights, first, count);
    const bool whole = count == work->steps, last = first + count == work->steps;
    int32_t *sums = work->sums;
    for (int32_t pair = 0; pair < work->pairs; ++pair) {
        for (int32_t at = 0; at < work->positions; at += 2) {
            winograd_multiply(work, dot, pair, at, sums);
            if (last) {
                const scn_tile_places_t places = winograd_places(work, pair, at);
                winograd_store_unit(work, sums, channel, two, &places);
            }
            sums += whole ? 0 : work->tile_words / 2 * SCN_WINOGRAD_UNIT_SUMS;
        }
    }
}

/* Whether all tiles of a block lie inside the map. */
static bool winograd_is_full(const work_t *work) {
    const int32_t rows = work->end_y - work->y, left = work->layer->conv.output.width - work->x;
    if (!work->layer->across) {
        return rows % (SCN_TILES * work->outputs) == 0;
    }
    return work->tile_offset ? left == work->outputs && rows == 2 * work->tile_offset
                             : left >= SCN_TILES * work->outputs;
}

/* Strides and counts of the outputs that a block stores. */
static scn_tile_places_t winograd_block_places(const work_t *work) {
    const scn_winograd_t *layer = work->layer;
    const bool across = layer->across;
    const int32_t right = layer->conv.output.channels, below = work->output->row_elements;
    scn_tile_places_t made = {
        .full = winograd_is_full(work),
        .stride = across ? right : below,
        .position_stride = across ? below : right,
        .pool_along = (across ? layer->pool_width : layer->pool_height) > 1,
        .pool_slide = (across ? layer->pool_height : layer->pool_width) > 1,
    };
    const int32_t outputs = made.pool_along ? work->outputs / 2 : work->outputs;
    made.tile_stride =
        across && work->tile_offset ? work->tile_offset / layer->pool_height * below : outputs * made.stride;
    made.count[0] = made.count[1] = made.count[2] = made.count[3] = outputs;
    return made;
}

static void winograd_run_block(work_t *work) {
    const int32_t channels = work->layer->conv.output.channels;
    work->places = winograd_block_places(work);
    winograd_gather(work);
    for (int32_t channel = 0; channel < channels; channel += 2) {
        const scn_tile_channel_t two[] = {scn_tile_channel(&work->stage, channel),
                                          scn_tile_channel(&work->stage, scn_min(channel + 1, channels - 1))};
        for (int32_t first = 0; first < work->steps; first += work->layer->part) {
            winograd_run_part(work, channel, two, first, scn_min(work->layer->part, work->steps - first));
        }
    }
}

/* Positions and tiles of a block of `rows` rows from y. */
static void winograd_place_block(work_t *work, int32_t y, int32_t rows) {
    const int32_t width = work->layer->conv.output.width;
    work->y = y;
    work->end_y = y + rows;
    if (!work->layer->across) {
        work->pairs = (rows + SCN_TILES * work->outputs - 1) / (SCN_TILES * work->outputs);
        work->positions = width;
    } else {
        work->pairs = 1;
        work->tile_offset = SCN_WINOGRAD_TILE_OFFSET(work->outputs, width, rows);
        work->positions = work->tile_offset ? work->tile_offset : rows;
    }
}

static work_t winograd_work(const scn_tile_kind_t *kind, const scn_winograd_t *layer, const scn_row_ring_t *input,
                            const scn_row_ring_t *output, void *scratch) {
    const scn_conv2d_t *conv = &layer->conv;
    const bool across = layer->across;
    const int32_t width = conv->input.width, outputs = kind->outputs;
    work_t work = {.kind = kind, .layer = layer, .input = input, .output = output, .tiles = scratch};
    work.outputs = outputs;
    work.tile_words = SCN_TILES * (outputs + 2);
    work.stage = scn_conv2d_output(conv, layer->post, layer->added, output->data);
    work.taps = across ? conv->window.height : conv->window.width;
    work.shared = !across && SCN_WINOGRAD_SHARED(width, work.taps, conv->window.pad_left);
    work.first_input_tile = work.shared ? 0 : across ? -conv->window.pad_top : -conv->window.pad_left;
    work.input_tiles = across
                           ? SCN_WINOGRAD_INPUT_TILES_ACROSS(outputs, conv->output.width, layer->rows, work.taps)
                           : SCN_WINOGRAD_INPUT_TILES_DOWN(width, conv->output.width, work.taps, conv->window.pad_left);
    work.steps = (conv->input.channels + 1) / 2;
    work.step_words = work.input_tiles * work.tile_words;
    work.pair_words = work.steps * work.step_words;
    work.tile_offset = outputs;
    const int32_t pairs = across ? 1 : layer->rows / (SCN_TILES * outputs);
    uint32_t *padding = work.tiles + pairs * work.pair_words;
    work.padding = memset(padding, conv->input_zero_point, (size_t)(work.steps + 1) / 2 * 4);
    work.weights = padding + (work.steps + 1) / 2;
    work.sums = (int32_t *)(work.weights + (layer->expanded ? 0 : layer->part * work.taps * work.tile_words));
    return work;
}

static void winograd_run_rows(work_t work, int32_t y, int32_t count) {
    const scn_winograd_t *layer = work.layer;
    const int32_t width = layer->conv.output.width, end = (y + count) * layer->pool_height;
    for (y *= layer->pool_height; y < end; y += layer->rows) {
        winograd_place_block(&work, y, scn_min(layer->rows, end - y));
        for (work.x = 0; work.x < width; work.x += layer->across ? SCN_TILES * work.outputs : width) {
            winograd_run_block(&work);
        }
    }
}

void scn_winograd_f4x3_rows_s8(const scn_winograd_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                               const scn_row_ring_t *output, void *scratch) {
    winograd_run_rows(winograd_work(&scn_tile_f4x3, layer, input, output, scratch), y, count);
}

void scn_winograd_f2x3_rows_s8(const scn_winograd_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                               const scn_row_ring_t *output, void *scratch) {
    winograd_run_rows(winograd_work(&scn_tile_f2x3, layer, input, output, scratch), y, count);
}

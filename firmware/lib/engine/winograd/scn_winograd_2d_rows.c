/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D by Winograd's algorithms along both axes. The input tiles of some blocks are transformed once; then, group by
 * group of output channels, weights are transformed where they are packed, and multiplied with all these blocks.
 */
#include "scn_fixedpoint.h"
#include "scn_winograd_2d_tile.h"

#include <stddef.h>

enum { AXES = 2, TILES = 4, PACKED_BYTES = 4, BIAS_PLANE = SCN_2D_SIDE + 1 };

/* Tiles of one shape, and the functions that work on them. */
typedef struct {
    int32_t outputs[AXES]; /* of a tile, before pooling */
    int32_t parts[AXES];
    int32_t tiles[AXES];  /* of a block along either axis; without parts, the next ones in the map */
    int32_t inputs[AXES]; /* input tiles of a block likewise */
    int32_t channels;     /* of a group */
    int32_t taps;         /* packed, of both axes */
    void (*weights)(const int8_t *from, int32_t steps, uint32_t *to, int32_t plane_words, int32_t step_words);
    void (*dot)(const scn_2d_dot_t *dot);
    void (*store)(const scn_winograd_2d_channel_t *by, const int32_t *sums, const scn_2d_outputs_t *places);
} shape_t;

/* An axis of the map, as far as this call sees it. */
typedef struct {
    int32_t pad;
    int32_t size; /* of the input */
    int32_t outputs;
    int32_t stride; /* of the input, bytes */
    int32_t out_stride;
    int32_t pool;
    int32_t tiles;
} axis_t;

/* Where the outputs of a tile go, from channel 0 of the call's first output on, and how many of them are in the map. */
typedef struct {
    int32_t offset;
    uint8_t count[AXES];
    bool whole;
    bool used; /* any */
} target_t;

_Static_assert(TILES * sizeof(target_t) == SCN_WINOGRAD_2D_PLACE_BYTES(1), "the host reserves this many bytes");

typedef struct {
    const shape_t *shape;
    const scn_winograd_2d_t *layer;
    const scn_rows_t *rows;
    axis_t axis[AXES];
    uint32_t *tiles;          /* scratch: [block][plane][step][input tile] */
    int32_t *sums;            /* scratch, of a block */
    target_t *targets;        /* scratch: [block][tile] */
    scn_2d_outputs_t outputs; /* of the call */
    bool maps;                /* an activation or a map follows */
    uint32_t *weights;
    int32_t steps;
    int32_t slots;       /* input tiles of a block */
    int32_t block_words; /* of the input tiles of a block */
    int32_t blocks;      /* of the call */
} work_t;

/* Where a tile of a block is: along either axis. */
typedef struct {
    int32_t at[AXES];
} place_t;

static bool slides(const work_t *work) {
    return work->shape->parts[0] > 1;
}

/* The axis along which blocks follow one another: one in parts, the second where both are. */
static int32_t along_of(const shape_t *shape) {
    return shape->parts[1] > 1;
}

/* Tile `number` of a block, an input tile or one of outputs; neighbouring blocks share input tiles. */
static place_t place_of(const work_t *work, int32_t block, int32_t number, int32_t in_line) {
    const shape_t *shape = work->shape;
    if (!slides(work)) {
        const int32_t tile = block * shape->tiles[1] + number, width = work->axis[1].tiles;
        return (place_t){{tile / width, tile % width}};
    }
    const int32_t along = along_of(shape), length = (work->axis[along].tiles + 1) / 2;
    place_t place = {{number / in_line, number % in_line}};
    place.at[along] += block % length * 2;
    place.at[1 - along] += block / length * 2;
    return place;
}

static void gather_tile(const work_t *work, place_t place, uint32_t *to) {
    const scn_conv2d_t *conv = &work->layer->conv;
    scn_2d_inputs_t tile = {.from = work->rows->input[0]};
    for (int i = 0; i < AXES; ++i) {
        const axis_t *axis = &work->axis[i];
        const int32_t start = place.at[i] * work->shape->outputs[i] - axis->pad;
        tile.from += start * axis->stride;
        tile.stride[i] = axis->stride;
        tile.first[i] = scn_min(scn_max(-start, 0), SCN_2D_SIDE);
        tile.end[i] = scn_max(scn_min(axis->size - start, SCN_2D_SIDE), 0);
    }
    scn_winograd_2d_input(&tile, conv->input.channels, conv->input_zero_point, to, work->steps * work->slots,
                          work->slots);
}

/* The last line of input tiles of a block is the first one of the next. */
static void pass_on(const work_t *work, const uint32_t *from, uint32_t *to) {
    const int32_t line = work->shape->inputs[1], slots = work->slots;
    const int32_t step = along_of(work->shape) ? line : 1, more = along_of(work->shape) ? 2 : 2 * line;
    const int32_t count = along_of(work->shape) ? slots : line;
    for (const uint32_t *end = from + work->block_words; from < end; from += slots, to += slots) {
        for (int32_t i = 0; i < count; i += step) {
            to[i] = from[more + i];
        }
    }
}

static void gather_block(const work_t *work, int32_t block, uint32_t *to, const uint32_t *before) {
    const int32_t line = work->shape->inputs[1];
    const bool passed = slides(work) && before && place_of(work, block, 0, line).at[along_of(work->shape)] > 0;
    if (passed) {
        pass_on(work, before, to);
    }
    for (int32_t slot = 0; slot < work->slots; ++slot) {
        const place_t place = place_of(work, block, slot, line);
        const bool first = (along_of(work->shape) ? slot % line : slot / line) == 0;
        const bool used = slides(work) ? !(passed && first) : place.at[0] < work->axis[0].tiles;
        if (used) {
            gather_tile(work, place, to + slot);
        }
    }
}

static const uint32_t *weights_of(const work_t *work, int32_t channel) {
    const shape_t *shape = work->shape;
    const int32_t parts = shape->parts[0] * shape->parts[1], steps = work->steps;
    const int32_t step_words = parts * shape->channels, plane_words = steps * step_words;
    if (!shape->weights) {
        return (const uint32_t *)(const void *)work->layer->expanded +
               channel / shape->channels * SCN_2D_PLANES * plane_words;
    }
    for (int32_t i = 0; i < shape->channels; i += 2) {
        if (channel + i < work->layer->conv.output.channels) {
            const int8_t *from = work->layer->packed + (channel + i) / 2 * steps * shape->taps * PACKED_BYTES;
            shape->weights(from, steps, work->weights + i, plane_words, step_words);
        }
    }
    return work->weights;
}

/* What follows the outputs of a channel. */
static scn_2d_after_t after_of(const work_t *work, int32_t channel) {
    const scn_winograd_2d_t *layer = work->layer;
    return (scn_2d_after_t){
        .maps = work->maps,
        .table = layer->post.table ? layer->post.table + channel * 256 + 128 : NULL,
        .affine = layer->post.affine ? layer->post.affine + channel : NULL,
        .middle = layer->added.table ? layer->added.table + 128 : NULL,
        .multiplier = layer->added.multiplier,
        .skip = work->rows->input[1] ? work->rows->input[1] - work->rows->output : 0,
        .low = layer->conv.activation_min,
        .high = layer->conv.activation_max,
    };
}

static target_t target_of(const work_t *work, place_t place) {
    target_t made = {0, {0, 0}, true, true};
    for (int i = 0; i < AXES; ++i) {
        const axis_t *axis = &work->axis[i];
        const int32_t most = work->shape->outputs[i] / axis->pool, start = place.at[i] * most;
        const int32_t count = scn_max(scn_min(axis->outputs / axis->pool - start, most), 0);
        made.offset += start * axis->out_stride;
        made.count[i] = (uint8_t)count;
        made.whole = made.whole && count == most;
        made.used = made.used && count > 0;
    }
    return made;
}

/* Store a channel of a tile of which only a part lies inside the map. */
static SCN_NOINLINE void store_part(const work_t *work, const target_t *target, const scn_winograd_2d_channel_t *by,
                                    const int32_t *sums, const scn_2d_outputs_t *places) {
    int8_t tile[TILES * TILES];
    const scn_2d_outputs_t apart = {tile, {TILES, 1}, {places->pool[0], places->pool[1]}, NULL};
    work->shape->store(by, sums, &apart);
    for (int32_t i = 0; i < target->count[0]; ++i) {
        int8_t *to = places->to + i * places->stride[0];
        int32_t values[TILES];
        for (int32_t k = 0; k < target->count[1]; ++k) {
            values[k] = tile[i * TILES + k];
            to[k * places->stride[1]] = tile[i * TILES + k];
        }
        if (places->after) {
            scn_winograd_2d_follow(places->after, to, places->stride[1], values, target->count[1]);
        }
    }
}

/* Store a channel of all tiles of a block. */
static void store_channel(const work_t *work, const target_t *targets, int32_t channel, int32_t *sums) {
    const shape_t *shape = work->shape;
    const scn_winograd_2d_channel_t *by = work->layer->channels + channel;
    const target_t *end = targets + SCN_2D_UNIT / shape->channels;
    const int32_t next = shape->channels > 2 ? TILES : 1;
    scn_2d_after_t after;
    scn_2d_outputs_t places = work->outputs;
    if (work->maps || work->layer->added.table) {
        after = after_of(work, channel);
        places.after = &after;
    }
    for (; targets < end; ++targets, sums += next) {
        places.to = work->outputs.to + targets->offset + channel;
        sums[BIAS_PLANE * SCN_2D_UNIT] = scn_wrap_add(sums[BIAS_PLANE * SCN_2D_UNIT], by->start);
        if (targets->whole) {
            shape->store(by, sums, &places);
        } else if (targets->used) {
            store_part(work, targets, by, sums, &places);
        }
    }
}

static void multiply_block(const work_t *work, int32_t channel, const uint32_t *tiles, const uint32_t *weights,
                           const target_t *targets) {
    const shape_t *shape = work->shape;
    const bool few = shape->channels > 2;
    const scn_2d_dot_t dot = {few ? weights : tiles, few ? tiles : weights, work->sums, work->steps};
    const int32_t last = scn_min(channel + shape->channels, work->layer->conv.output.channels);
    int32_t *sums = work->sums;
    shape->dot(&dot);
    for (; channel < last; ++channel, sums += few ? 1 : TILES) {
        store_channel(work, targets, channel, sums);
    }
}

static void run_blocks(const work_t *work, int32_t first, int32_t count) {
    const int32_t channels = work->layer->conv.output.channels;
    const uint32_t *before = first > 0 ? work->tiles + (work->layer->blocks - 1) * work->block_words : NULL;
    for (int32_t i = 0; i < count; ++i) {
        uint32_t *to = work->tiles + i * work->block_words;
        gather_block(work, first + i, to, before);
        before = to;
        for (int32_t tile = 0; tile < SCN_2D_UNIT / work->shape->channels; ++tile) {
            work->targets[i * TILES + tile] = target_of(work, place_of(work, first + i, tile, 2));
        }
    }
    for (int32_t channel = 0; channel < channels; channel += work->shape->channels) {
        const uint32_t *weights = weights_of(work, channel);
        for (int32_t i = 0; i < count; ++i) {
            multiply_block(work, channel, work->tiles + i * work->block_words, weights, work->targets + i * TILES);
        }
    }
}

/* The axes of a call; rows of the convolution are those of the output times the pool's. */
static void set_axes(work_t *work) {
    const scn_winograd_2d_t *layer = work->layer;
    const scn_rows_t *rows = work->rows;
    const scn_conv2d_t *conv = &layer->conv;
    const int32_t row = conv->input.width * conv->input.channels;
    const int32_t out_row = conv->output.width / layer->pool_width * conv->output.channels;
    const int32_t pad = conv->window.pad_top - rows->y * layer->pool_height + rows->input_y;
    const axis_t height = {pad, rows->input_rows, rows->rows * layer->pool_height, row, out_row, layer->pool_height, 0};
    const axis_t width = {conv->window.pad_left,
                          conv->input.width,
                          conv->output.width,
                          conv->input.channels,
                          conv->output.channels,
                          layer->pool_width,
                          0};
    work->axis[layer->turned ? 1 : 0] = height;
    work->axis[layer->turned ? 0 : 1] = width;
    for (int i = 0; i < AXES; ++i) {
        axis_t *axis = &work->axis[i];
        axis->tiles = (axis->outputs + work->shape->outputs[i] - 1) / work->shape->outputs[i];
    }
}

static void run(const shape_t *shape, const scn_winograd_2d_t *layer, const scn_rows_t *rows) {
    work_t work = {.shape = shape, .layer = layer, .rows = rows, .tiles = rows->scratch};
    set_axes(&work);
    work.steps = (layer->conv.input.channels + 1) / 2;
    work.slots = shape->inputs[0] * shape->inputs[1];
    work.block_words = SCN_2D_PLANES * work.steps * work.slots;
    work.sums = (int32_t *)work.tiles + layer->blocks * work.block_words;
    work.targets = (target_t *)(work.sums + SCN_2D_PLANES * SCN_2D_UNIT);
    work.weights = (uint32_t *)(work.targets + layer->blocks * TILES);
    work.outputs = (scn_2d_outputs_t){rows->output,
                                      {work.axis[0].out_stride, work.axis[1].out_stride},
                                      {work.axis[0].pool > 1, work.axis[1].pool > 1},
                                      NULL};
    work.maps = layer->post.table || layer->post.affine || layer->conv.activation_min > INT8_MIN ||
                layer->conv.activation_max < INT8_MAX;
    const int32_t down = work.axis[0].tiles, right = work.axis[1].tiles;
    work.blocks =
        slides(&work) ? ((down + 1) / 2) * ((right + 1) / 2) : (down * right + shape->tiles[1] - 1) / shape->tiles[1];
    for (int32_t first = 0; first < work.blocks; first += layer->blocks) {
        run_blocks(&work, first, scn_min(layer->blocks, work.blocks - first));
    }
}

#define SQUARE                                                                                                         \
    .outputs = {4, 4}, .parts = {1, 1}, .taps = 9, .dot = scn_winograd_2d_dot, .store = scn_winograd_2d_store_4x4
#define SINGLE SQUARE, .tiles = {1, 4}, .inputs = {1, 4}, .channels = 2
#define FEW SQUARE, .tiles = {1, 2}, .inputs = {1, 2}, .channels = 4
#define SLIDE                                                                                                          \
    .outputs = {3, 4}, .parts = {2, 1}, .tiles = {2, 2}, .inputs = {3, 2}, .channels = 2, .taps = 21,                  \
    .dot = scn_winograd_2d_dot_slide, .store = scn_winograd_2d_store_3x4
#define BOTH                                                                                                           \
    .outputs = {3, 3}, .parts = {2, 2}, .tiles = {2, 2}, .inputs = {3, 3}, .channels = 2, .taps = 49,                  \
    .dot = scn_winograd_2d_dot_both, .store = scn_winograd_2d_store_3x3

void scn_winograd_2d_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {SINGLE};
    run(&shape, layer, rows);
}

void scn_winograd_2d_few_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {FEW};
    run(&shape, layer, rows);
}

void scn_winograd_2d_slide_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {SLIDE};
    run(&shape, layer, rows);
}

void scn_winograd_2d_both_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {BOTH};
    run(&shape, layer, rows);
}

void scn_winograd_2d_packed_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {SINGLE, .weights = scn_winograd_2d_weights};
    run(&shape, layer, rows);
}

void scn_winograd_2d_packed_few_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {FEW, .weights = scn_winograd_2d_weights};
    run(&shape, layer, rows);
}

void scn_winograd_2d_packed_slide_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {SLIDE, .weights = scn_winograd_2d_weights_slide};
    run(&shape, layer, rows);
}

void scn_winograd_2d_packed_both_rows(const void *layer, const scn_rows_t *rows) {
    static const shape_t shape = {BOTH, .weights = scn_winograd_2d_weights_both};
    run(&shape, layer, rows);
}

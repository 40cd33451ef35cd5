/*
 * CONV_2D by Winograd's F(4, 3): four tiles at a time. They are transformed once and multiplied with every pair of
 * output channels.
 *
 * Across: the tiles lie side by side, on narrow maps also in rows one below another; a slot holds what one tap of the
 * slide axis sees of them. A group of rows below them sees later slots. Down: the tiles lie one below another; a slot
 * is a column of the input, and one set of transformed tiles serves all columns of the output.
 */
#include "scn_dot_wide.h"
#include "scn_lines.h"
#include "scn_output.h"
#include "scn_simd.h"
#include "scn_window.h"
#include "scn_winograd.h"

enum { OUTPUTS = SCN_TILES * SCN_TILE_OUTPUTS, GROUPS = SCN_WINOGRAD_MOST_AHEAD + 1 };

/* Which taps of the slide axis count, and the slot that the first of them sees. */
typedef struct {
    int32_t first_tap;
    int32_t first_slot;
    int32_t taps;
    int32_t offset; /* of the outputs from group_t.to */
} slide_t;

/* Four tiles of outputs. */
typedef struct {
    int32_t y;
    int8_t *to[OUTPUTS]; /* in column 0 if down */
    int32_t count[SCN_TILES];
    int32_t plain; /* outputs in tiles that are whole, if no other tile has any; else 0 */
    slide_t slide; /* if across */
} group_t;

typedef struct {
    const scn_winograd_t *layer;
    const scn_lines_t *input;
    const scn_lines_t *output;
    scn_output_t stage;
    uint32_t *tiles;   /* scratch: [plane][slot][two channels][tile] */
    int8_t *padding;   /* a pixel of zero points */
    uint32_t *weights; /* scratch for one pair's */
    int32_t slide_taps;
    int32_t slots;
    int32_t slot_steps;  /* pairs of input channels */
    int32_t plane_words; /* slots * slot_steps * SCN_TILES */
    int32_t rows;        /* of a group */
    int32_t y, x;        /* the block's first output */
    int32_t end_y;       /* the output row after the last wanted */
    int32_t kept;        /* slots at the start that the block before has left, if across */
    int32_t groups;
    group_t group[GROUPS];
} work_t;

static int32_t tiles_a_row(const work_t *work) {
    return work->layer->across ? SCN_TILES / work->rows : 1;
}

/* From the first row of a group. */
static int32_t row_of_tile(const work_t *work, int32_t tile) {
    return work->layer->across ? tile / tiles_a_row(work) : tile * SCN_TILE_OUTPUTS;
}

static int32_t column_of_tile(const work_t *work, int32_t tile) {
    return work->layer->across ? work->x + tile % tiles_a_row(work) * SCN_TILE_OUTPUTS : 0;
}

static bool inside(int32_t at, int32_t size) {
    return at >= 0 && at < size;
}

static void transform(const work_t *work, const int8_t *const *from, int32_t tile, int32_t slot) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const uint32_t offset = scn_pair(-conv->input_zero_point, -conv->input_zero_point);
    uint32_t *to = work->tiles + slot * work->slot_steps * SCN_TILES + tile;
    scn_tile_in(from, conv->input.channels, offset, to, work->plane_words);
}

static void gather_across(const work_t *work, int32_t tile) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t x = column_of_tile(work, tile) - conv->window.pad_left;
    for (int32_t slot = work->kept; slot < work->slots; ++slot) {
        const int32_t in_y = work->y + row_of_tile(work, tile) + slot - conv->window.pad_top;
        const bool present = inside(in_y, conv->input.height);
        const int8_t *line = present ? scn_line(work->input, in_y) : NULL;
        const int8_t *from[SCN_TILE_INPUTS];
        for (int32_t i = 0; i < SCN_TILE_INPUTS; ++i) {
            const bool seen = present && inside(x + i, conv->input.width);
            from[i] = seen ? line + (x + i) * conv->input.channels : work->padding;
        }
        transform(work, from, tile, slot);
    }
}

static void gather_down(const work_t *work, int32_t tile) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t channels = conv->input.channels;
    const int32_t in_y = work->y + row_of_tile(work, tile) - conv->window.pad_top;
    const int8_t *from[SCN_TILE_INPUTS];
    int32_t step[SCN_TILE_INPUTS];
    for (int32_t i = 0; i < SCN_TILE_INPUTS; ++i) {
        const bool seen = inside(in_y + i, conv->input.height);
        from[i] = seen ? scn_line(work->input, in_y + i) : work->padding;
        step[i] = seen ? channels : 0;
    }
    for (int32_t slot = 0; slot < work->slots; ++slot) {
        transform(work, from, tile, slot);
        for (int32_t i = 0; i < SCN_TILE_INPUTS; ++i) {
            from[i] += step[i];
        }
    }
}

static void place_tile(const work_t *work, group_t *group, int32_t tile) {
    const scn_dims_t *dims = &work->layer->conv.output;
    const bool across = work->layer->across;
    const int32_t y = group->y + row_of_tile(work, tile), x = column_of_tile(work, tile);
    const int32_t left = across ? (y < work->end_y ? dims->width - x : 0) : work->end_y - y;
    const int32_t count = scn_min(scn_max(left, 0), SCN_TILE_OUTPUTS);
    for (int32_t i = 0; i < count; ++i) {
        int8_t *line = scn_line(work->output, across ? y : y + i);
        group->to[tile * SCN_TILE_OUTPUTS + i] = across ? line + (x + i) * dims->channels : line;
    }
    group->count[tile] = count;
    group->plain = group->plain == tile * SCN_TILE_OUTPUTS ? group->plain + count : count ? 0 : group->plain;
}

static void store_channel(const work_t *work, const group_t *group, const int32_t *sum, int32_t channel,
                          int32_t offset) {
    if (group->plain) {
        scn_put(&work->stage, channel, sum, group->to, offset, group->plain);
        return;
    }
    for (int32_t tile = 0; tile < SCN_TILES; ++tile) {
        const int32_t at = tile * SCN_TILE_OUTPUTS;
        scn_put(&work->stage, channel, sum + at, group->to + at, offset, group->count[tile]);
    }
}

static void store(const work_t *work, const group_t *group, const int32_t *planes, int32_t channel, int32_t offset) {
    const int32_t bias = scn_bias(&work->layer->conv, channel);
    int32_t sum[OUTPUTS];
    for (int32_t tile = 0; tile < SCN_TILES; ++tile) {
        scn_tile_out(planes + tile, bias, sum + tile * SCN_TILE_OUTPUTS);
    }
    store_channel(work, group, sum, channel, offset + channel);
}

/* One pair of output channels of a group, or of one column of it. */
static void multiply(const work_t *work, const group_t *group, const slide_t *slide, const uint32_t *weights,
                     int32_t channel) {
    int32_t planes[SCN_PLANES * 2 * SCN_TILES];
    const uint32_t *x = work->tiles + slide->first_slot * work->slot_steps * SCN_TILES;
    const uint32_t *w = weights + slide->first_tap * work->slot_steps * 2;
    if (slide->taps == 0) {
        memset(planes, 0, sizeof planes);
    }
    for (int32_t plane = 0; slide->taps && plane < SCN_PLANES; ++plane) {
        scn_dot_wide_2x4(x, w, slide->taps * work->slot_steps, planes + plane * 2 * SCN_TILES);
        x += work->plane_words;
        w += work->slide_taps * work->slot_steps * 2;
    }
    store(work, group, planes, channel, slide->offset);
    if (channel + 1 < work->layer->conv.output.channels) {
        store(work, group, planes + SCN_TILES, channel + 1, slide->offset);
    }
}

/* The weights of a pair of output channels, transformed. */
static const uint32_t *weights_of(const work_t *work, int32_t pair) {
    const int32_t fours = work->slide_taps * work->slot_steps / 2;
    if (work->layer->expanded) {
        return (const uint32_t *)(const void *)work->layer->expanded + pair * fours * SCN_PLANES * 4;
    }
    scn_tile_weights(work->layer->packed + pair * fours * 24, fours, work->weights);
    return work->weights;
}

static slide_t slide_across(const work_t *work, int32_t y) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t last = scn_min(y + work->rows, work->end_y) - 1;
    const scn_span_t top = scn_span_y(&conv->window, &conv->input, y);
    const scn_span_t bottom = scn_span_y(&conv->window, &conv->input, last);
    const int32_t first = scn_min(top.first, bottom.first);
    return (slide_t){first, y - work->y + first, scn_max(top.last, bottom.last) - first, 0};
}

static slide_t slide_down(const work_t *work, int32_t x) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const scn_span_t taps = scn_span_x(&conv->window, &conv->input, x);
    return (slide_t){taps.first, taps.start + taps.first, taps.last - taps.first, x * conv->output.channels};
}

static void multiply_pair(const work_t *work, int32_t channel) {
    const uint32_t *weights = weights_of(work, channel / 2);
    if (work->layer->across) {
        for (int32_t i = 0; i < work->groups; ++i) {
            multiply(work, &work->group[i], &work->group[i].slide, weights, channel);
        }
        return;
    }
    for (int32_t x = 0; x < work->layer->conv.output.width; ++x) {
        const slide_t slide = slide_down(work, x);
        multiply(work, work->group, &slide, weights, channel);
    }
}

static void place_group(const work_t *work, group_t *group, int32_t y) {
    group->y = y;
    group->plain = 0;
    for (int32_t tile = 0; tile < SCN_TILES; ++tile) {
        place_tile(work, group, tile);
    }
    if (work->layer->across) {
        group->slide = slide_across(work, y);
    }
}

static void run_block(work_t *work) {
    const int32_t left = (work->end_y - work->y + work->rows - 1) / work->rows;
    work->groups = scn_min(work->layer->ahead + 1, left);
    for (int32_t i = 0; i < work->groups; ++i) {
        place_group(work, &work->group[i], work->y + i * work->rows);
    }
    for (int32_t tile = 0; tile < SCN_TILES; ++tile) {
        if (work->layer->across && column_of_tile(work, tile) < work->layer->conv.output.width) {
            gather_across(work, tile);
        } else if (!work->layer->across && work->group->count[tile]) {
            gather_down(work, tile);
        }
    }
    for (int32_t channel = 0; channel < work->layer->conv.output.channels; channel += 2) {
        multiply_pair(work, channel);
    }
}

/* What one slot of a pair of channels holds. */
typedef struct {
    uint32_t tile[SCN_TILES];
} step_t;

/* A block that starts `rows` further down sees the slots that far further up. */
static void keep_slots(work_t *work, int32_t rows) {
    work->kept = scn_max(work->slots - rows, 0);
    for (int32_t plane = 0; plane < SCN_PLANES; ++plane) {
        step_t *to = (step_t *)(void *)(work->tiles + plane * work->plane_words);
        const step_t *from = to + rows * work->slot_steps;
        for (const step_t *end = to + work->kept * work->slot_steps; to < end; ++to) {
            *to = *from++;
        }
    }
}

static work_t work_of(const scn_winograd_t *layer, const scn_lines_t *input, const scn_lines_t *output, void *scratch) {
    const scn_conv2d_t *conv = &layer->conv;
    work_t work = {.layer = layer, .input = input, .output = output, .tiles = scratch};
    work.stage = scn_output(conv, layer->post);
    work.rows = SCN_WINOGRAD_ROWS(layer->across, conv->output.width);
    work.slide_taps = layer->across ? conv->window.height : conv->window.width;
    work.slots = layer->across ? conv->window.height + layer->ahead * work.rows : conv->input.width;
    work.slot_steps = (conv->input.channels + 3) / 4 * 2;
    work.plane_words = work.slots * work.slot_steps * SCN_TILES;
    uint32_t *padding = work.tiles + SCN_PLANES * work.plane_words;
    work.padding = memset(padding, conv->input_zero_point, (size_t)work.slot_steps * 2);
    work.weights = padding + work.slot_steps / 2;
    return work;
}

void scn_winograd_rows_s8(const scn_winograd_t *layer, const scn_lines_t *input, int32_t y, int32_t count,
                          const scn_lines_t *output, void *scratch) {
    work_t work = work_of(layer, input, output, scratch);
    const int32_t width = layer->conv.output.width;
    const int32_t columns = layer->across ? tiles_a_row(&work) * SCN_TILE_OUTPUTS : width;
    work.end_y = y + count;
    for (work.y = y; work.y < work.end_y; work.y += work.groups * work.rows) {
        for (work.x = 0; work.x < width; work.x += columns) {
            run_block(&work);
        }
        const int32_t made = work.groups * work.rows;
        if (layer->across && columns >= width && work.y + made < work.end_y) {
            keep_slots(&work, made);
        }
    }
}

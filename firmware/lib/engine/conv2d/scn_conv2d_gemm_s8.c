/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D as im2col and GEMM: the windows of many output positions are widened into scratch, then each pair of output
 * channels multiplies them all in one call. The input is copied with its padding first, once for all windows, so that a
 * row of any window is one run of bytes. A pointwise layer reads its input in place.
 */
#include "scn_conv2d_gemm.h"
#include "scn_fixedpoint.h"
#include "scn_gemm_2x4.h"
#include "scn_simd.h"

enum { POSITIONS = 4 };

typedef struct {
    const scn_conv2d_gemm_t *layer;
    const int8_t *lines; /* padded input, from the window of the first output position on */
    int32_t line_bytes;
    int32_t run;          /* bytes of a row of a window */
    int32_t words;        /* pairs of taps of a window */
    uint32_t *columns;    /* [block][pair of taps][position] */
    uint32_t *weights;    /* of one channel pair, widened */
    int32_t y, x;         /* the next position to gather, */
    const int8_t *window; /* its window, */
    int32_t step;         /* and bytes to the one beside it */
} work_t;

static bool is_padded(const scn_conv2d_gemm_t *layer) {
    return layer->conv.window.height * layer->conv.window.width > 1 || layer->conv.input.channels % 4 != 0;
}

static void fill(int8_t *to, int32_t count, uint32_t quad) {
    for (; count >= 16; count -= 16, to += 16) {
        scn_store_quad(to, quad);
        scn_store_quad(to + 4, quad);
        scn_store_quad(to + 8, quad);
        scn_store_quad(to + 12, quad);
    }
    for (; count >= 4; count -= 4, to += 4) {
        scn_store_quad(to, quad);
    }
    for (; count > 0; --count) {
        *to++ = (int8_t)(uint8_t)quad;
    }
}

static void copy(int8_t *to, const int8_t *from, int32_t count) {
    for (; count >= 16; count -= 16, to += 16, from += 16) {
        const uint32_t first = scn_load_quad(from), second = scn_load_quad(from + 4);
        const uint32_t third = scn_load_quad(from + 8), fourth = scn_load_quad(from + 12);
        scn_store_quad(to, first);
        scn_store_quad(to + 4, second);
        scn_store_quad(to + 8, third);
        scn_store_quad(to + 12, fourth);
    }
    for (; count >= 4; count -= 4, to += 4, from += 4) {
        scn_store_quad(to, scn_load_quad(from));
    }
    for (; count > 0; --count) {
        *to++ = *from++;
    }
}

/*
 * Copy the input with padding on all sides, `top` rows of it above the first input row. Rows without padding at their
 * sides follow one another as in the input; others are put into what was filled.
 */
static void gemm_pad(work_t *work, int8_t *to, int32_t top, const scn_rows_t *rows) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t channels = conv->input.channels;
    const int32_t height = (rows->rows - 1) * conv->window.stride_h + conv->window.height;
    const int32_t left = conv->window.pad_left * channels;
    const int32_t inside = scn_min(conv->input.width * channels, work->line_bytes - left);
    const uint32_t quad = (uint8_t)conv->input_zero_point * 0x01010101u;
    const int32_t copied = scn_min(rows->input_rows, height - top), step = conv->input.width * channels;
    const int8_t *from = rows->input[0];
    work->lines = to;
    if (inside == work->line_bytes && inside == step) {
        const int32_t above = top * inside, middle = copied * inside;
        fill(to, above, quad);
        copy(to + above, from, middle);
        fill(to + above + middle, height * inside - above - middle, quad);
        return;
    }
    fill(to, height * work->line_bytes, quad);
    to += top * work->line_bytes + left;
    for (int32_t y = 0; y < copied; ++y, to += work->line_bytes, from += step) {
        copy(to, from, inside);
    }
}

static const int8_t *window_at(const work_t *work) {
    const scn_conv2d_t *conv = &work->layer->conv;
    return work->lines + work->y * conv->window.stride_h * work->line_bytes +
           work->x * conv->window.stride_w * conv->input.channels;
}

/* Start of the next position's window. */
static inline const int8_t *gemm_next_window(work_t *work) {
    const int8_t *window = work->window;
    work->window += work->step;
    if (++work->x == work->layer->conv.output.width) {
        work->x = 0;
        ++work->y;
        work->window = window_at(work);
    }
    return window;
}

/* Let the next window be that of the position `back` before. */
static void step_back(work_t *work, int32_t back) {
    for (work->x -= back; work->x < 0; --work->y) {
        work->x += work->layer->conv.output.width;
    }
    work->window = window_at(work);
}

/* Windows of `count` positions. A last block with fewer than four repeats the last ones of the block before, if any. */
static void gemm_gather(work_t *work, int32_t count, bool repeats) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t rest = work->run % 4;
    scn_gemm_windows_t windows = {
        .offset = scn_pair(-conv->input_zero_point, -conv->input_zero_point),
        .to = work->columns,
        .rows = conv->window.height,
        .whole = work->run - rest,
        .rest = scn_min(rest, 2),
        .row_step = work->line_bytes - (work->run - rest),
    };
    for (int32_t first = 0; first < count; first += POSITIONS) {
        if (repeats && count - first < POSITIONS) {
            step_back(work, POSITIONS - (count - first));
        }
        const int32_t last = repeats ? POSITIONS : count - first;
        for (int i = 0; i < POSITIONS; ++i) {
            windows.from[i] = i < last ? gemm_next_window(work) : windows.from[0];
        }
        windows.to = scn_gemm_widen_windows(&windows);
    }
}

static void widen_doubled(const int8_t *from, uint32_t *to, int32_t words) {
    for (const uint32_t *end = to + 2 * words; to < end; to += 2, from += 4) {
        const uint32_t quad = scn_load_quad(from);
        const uint32_t even = scn_even(quad), odd = scn_odd(quad);
        to[0] = scn_add_pair(even, even);
        to[1] = scn_add_pair(odd, odd);
    }
}

/* The weights of one channel pair in the format of scn_gemm_2x4_t. */
static const uint32_t *gemm_weights(const work_t *work, int32_t pair) {
    const scn_conv2d_gemm_t *layer = work->layer;
    const int32_t first = pair * work->words * 4;
    if (layer->expanded) {
        return (const uint32_t *)(const void *)(layer->expanded + first);
    }
    const int8_t *from = layer->packed + first;
    if (layer->doubled) {
        widen_doubled(from, work->weights, work->words);
    } else {
        scn_gemm_widen_weights(from, work->weights, work->words);
    }
    return work->weights;
}

/* The last positions, fewer than a block: through a buffer, so that nothing after them is overwritten. */
static SCN_NOINLINE void gemm_run_some(scn_gemm_2x4_t *dot, scn_gemm_after_t *after, int32_t count) {
    int8_t outputs[2 * POSITIONS] = {0}, added[2 * POSITIONS] = {0};
    int8_t *to = dot->to;
    const int8_t *skip = after->skip;
    const int32_t step = dot->step;
    for (int32_t i = 0; after->middle && i < 2 * count; ++i) {
        added[i] = skip[i / 2 * step + i % 2];
    }
    after->skip = added;
    dot->to = outputs;
    dot->step = 2;
    dot->blocks = 1;
    scn_gemm_2x4(dot);
    for (int32_t i = 0; i < 2 * count; ++i) {
        to[i / 2 * step + i % 2] = outputs[i];
    }
}

static scn_requantize_form_t form_of(const scn_conv2d_gemm_t *layer, const scn_requantize_pair_t *by) {
    if (by->right0 == 0) {
        return SCN_TWO;
    }
    return layer->expanded || layer->doubled ? SCN_FOUR : SCN_FOUR_LARGE;
}

/* The last block, of `count` positions: in the place of the last four, or through a buffer. */
static void gemm_run_last(scn_gemm_2x4_t *dot, scn_gemm_after_t *after, int32_t count, bool repeats) {
    if (repeats) {
        const int32_t back = (POSITIONS - count) * dot->step;
        dot->to -= back;
        after->skip = after->skip ? after->skip - back : NULL;
        dot->blocks = 1;
        scn_gemm_2x4(dot);
    } else {
        gemm_run_some(dot, after, count);
    }
}

/*
 * All channels of `count` positions. The outputs of the first position go to `to`; `skip` is added to them. `repeats` as
 * in gemm_gather.
 */
static void gemm_multiply(const work_t *work, int32_t count, bool repeats, int8_t *to, const int8_t *skip) {
    const scn_conv2d_gemm_t *layer = work->layer;
    const int32_t channels = layer->conv.output.channels, blocks = count / POSITIONS;
    scn_gemm_after_t after = {NULL, layer->added.table ? layer->added.table + 128 : NULL, layer->added.multiplier,
                              NULL};
    scn_gemm_2x4_t dot = {.block_bytes = work->words * 16, .after = layer->post || after.middle ? &after : NULL};
    for (int32_t pair = 0; pair < channels / 2; ++pair) {
        dot.w = gemm_weights(work, pair);
        dot.requantize = layer->requantize + pair;
        dot.form = form_of(layer, dot.requantize);
        dot.x = work->columns;
        dot.to = to + 2 * pair;
        dot.step = channels;
        dot.blocks = blocks;
        after.post = layer->post ? layer->post + pair * 512 + 128 : NULL;
        after.skip = skip ? skip + 2 * pair : NULL;
        if (blocks) {
            scn_gemm_2x4(&dot);
        }
        if (count % POSITIONS) {
            const int32_t done = blocks * POSITIONS * channels;
            dot.x += blocks * dot.block_bytes / 4;
            dot.to += done;
            after.skip = skip ? after.skip + done : NULL;
            gemm_run_last(&dot, &after, count % POSITIONS, repeats);
        }
    }
}

static work_t gemm_work(const scn_conv2d_gemm_t *layer, const scn_rows_t *rows) {
    const scn_conv2d_t *conv = &layer->conv;
    const int32_t run = conv->window.width * conv->input.channels;
    work_t work = {.layer = layer, .run = run, .words = SCN_CONV2D_GEMM_WORDS(conv->window.height, run)};
    work.columns = rows->scratch;
    work.weights = work.columns + layer->group * work.words * POSITIONS;
    work.lines = rows->input[0];
    work.line_bytes = conv->input.width * conv->input.channels;
    if (is_padded(layer)) {
        const int32_t top = conv->window.pad_top - rows->y * conv->window.stride_h + rows->input_y;
        work.line_bytes =
            ((conv->output.width - 1) * conv->window.stride_w + conv->window.width) * conv->input.channels;
        gemm_pad(&work, (int8_t *)(work.weights + (layer->expanded ? 0 : 2 * work.words)), top, rows);
    }
    work.window = work.lines;
    work.step = conv->window.stride_w * conv->input.channels;
    return work;
}

void scn_conv2d_gemm_rows(const void *layer, const scn_rows_t *rows) {
    const scn_conv2d_gemm_t *columns = layer;
    const int32_t most = columns->group * POSITIONS;
    const int32_t positions = rows->rows * columns->conv.output.width;
    work_t work = gemm_work(columns, rows);
    const int32_t channels = columns->conv.output.channels;
    for (int32_t first = 0; first < positions; first += most) {
        const int32_t count = scn_min(most, positions - first);
        const int8_t *skip = rows->input[1] ? rows->input[1] + first * channels : NULL;
        const bool repeats = first + count >= POSITIONS;
        gemm_gather(&work, count, repeats);
        gemm_multiply(&work, count, repeats, rows->output + first * channels, skip);
    }
}

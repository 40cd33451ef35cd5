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
    int32_t run;       /* bytes of a row of a window */
    int32_t words;     /* pairs of taps of a window */
    uint32_t *columns; /* [block][pair of taps][position] */
    uint32_t *weights; /* of one channel pair, widened */
    int32_t y, x;      /* the next position to gather */
} work_t;

static bool is_padded(const scn_conv2d_gemm_t *layer) {
    return layer->conv.window.height * layer->conv.window.width > 1 || layer->conv.input.channels % 4 != 0;
}

static void fill(int8_t *to, int32_t count, uint32_t quad) {
    for (; count >= 4; count -= 4, to += 4) {
        scn_store_quad(to, quad);
    }
    for (; count > 0; --count) {
        *to++ = (int8_t)(uint8_t)quad;
    }
}

static void copy(int8_t *to, const int8_t *from, int32_t count) {
    for (; count >= 4; count -= 4, to += 4, from += 4) {
        scn_store_quad(to, scn_load_quad(from));
    }
    for (; count > 0; --count) {
        *to++ = *from++;
    }
}

/* Copy the input with padding on all sides, `top` rows of it above the first input row. */
static void gemm_pad(work_t *work, int8_t *to, int32_t top, const scn_rows_t *rows) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t channels = conv->input.channels;
    const int32_t height = (rows->rows - 1) * conv->window.stride_h + conv->window.height;
    const int32_t left = conv->window.pad_left * channels;
    const int32_t inside = scn_min(conv->input.width * channels, work->line_bytes - left);
    const uint32_t quad = (uint8_t)conv->input_zero_point * 0x01010101u;
    work->lines = to;
    for (int32_t y = -top; y < height - top; ++y) {
        if (y < 0 || y >= rows->input_rows) {
            fill(to, work->line_bytes, quad);
        } else {
            fill(to, left, quad);
            copy(to + left, rows->input[0] + y * conv->input.width * channels, inside);
            fill(to + left + inside, work->line_bytes - left - inside, quad);
        }
        to += work->line_bytes;
    }
}

/* Widen four runs, interleaved word by word: of every four bytes first the even ones, then the odd ones. */
static uint32_t *gemm_widen(uint32_t *to, const int8_t *const from[POSITIONS], int32_t offset_bytes, int32_t run,
                            uint32_t offset) {
    const int8_t *a = from[0] + offset_bytes, *b = from[1] + offset_bytes;
    const int8_t *c = from[2] + offset_bytes, *d = from[3] + offset_bytes;
    for (; run > 0; run -= 4) {
        const uint32_t qa = scn_load_quad(a), qb = scn_load_quad(b), qc = scn_load_quad(c), qd = scn_load_quad(d);
        to[0] = scn_widen_even(offset, qa), to[1] = scn_widen_even(offset, qb);
        to[2] = scn_widen_even(offset, qc), to[3] = scn_widen_even(offset, qd);
        to += POSITIONS;
        if (run > 1) {
            to[0] = scn_widen_odd(offset, qa), to[1] = scn_widen_odd(offset, qb);
            to[2] = scn_widen_odd(offset, qc), to[3] = scn_widen_odd(offset, qd);
            to += POSITIONS;
        }
        a += 4, b += 4, c += 4, d += 4;
    }
    return to;
}

/* Start of the next position's window. */
static const int8_t *gemm_next_window(work_t *work) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const int32_t column = work->x * conv->window.stride_w * conv->input.channels;
    const int8_t *window = work->lines + work->y * conv->window.stride_h * work->line_bytes + column;
    if (++work->x == conv->output.width) {
        work->x = 0;
        ++work->y;
    }
    return window;
}

static void gemm_gather(work_t *work, int32_t count) {
    const scn_conv2d_t *conv = &work->layer->conv;
    const uint32_t offset = scn_pair(-conv->input_zero_point, -conv->input_zero_point);
    uint32_t *to = work->columns;
    for (int32_t first = 0; first < count; first += POSITIONS) {
        const int8_t *from[POSITIONS] = {gemm_next_window(work)};
        for (int i = 1; i < POSITIONS; ++i) {
            from[i] = first + i < count ? gemm_next_window(work) : from[0];
        }
        for (int32_t row = 0; row < conv->window.height; ++row) {
            to = gemm_widen(to, from, row * work->line_bytes, work->run, offset);
        }
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
    uint32_t *to = work->weights;
    for (const uint32_t *end = to + 2 * work->words; to < end; to += 2, from += 4) {
        const uint32_t quad = scn_load_quad(from);
        const uint32_t even = scn_even(quad), odd = scn_odd(quad);
        to[0] = scn_add_pair(even, even);
        to[1] = scn_add_pair(odd, odd);
    }
    return work->weights;
}

/* The last positions, fewer than a block: through a buffer, so that nothing after them is overwritten. */
static void gemm_run_some(scn_gemm_2x4_t *dot, scn_gemm_after_t *after, int32_t count) {
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

/* All channels of `count` positions. The outputs of the first position go to `to`; `skip` is added to them. */
static void gemm_multiply(const work_t *work, int32_t count, int8_t *to, const int8_t *skip) {
    const scn_conv2d_gemm_t *layer = work->layer;
    const int32_t channels = layer->conv.output.channels, blocks = count / POSITIONS;
    scn_gemm_after_t after = {NULL, layer->added.table ? layer->added.table + 128 : NULL, layer->added.multiplier,
                              NULL};
    scn_gemm_2x4_t dot = {.block_bytes = work->words * 16, .after = layer->post || after.middle ? &after : NULL};
    for (int32_t pair = 0; pair < channels / 2; ++pair) {
        dot.w = gemm_weights(work, pair);
        dot.requantize = layer->requantize + pair;
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
            gemm_run_some(&dot, &after, count % POSITIONS);
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
        gemm_gather(&work, count);
        gemm_multiply(&work, count, rows->output + first * channels, skip);
    }
}

/*
 * CONV_2D: four output positions at a time. Their windows are gathered once, widened to int16 with the zero point
 * removed, and multiplied with every pair of output channels.
 *
 * The four positions follow one another along the output's longer axis. Taps outside the input are left out of the sum
 * where all four positions miss them: nearly all padding across that axis costs nothing.
 */
#include "scn_dot.h"
#include "scn_simd.h"
#include "scn_window.h"

enum { POSITIONS = 4 };

typedef struct {
    const scn_conv2d_t *layer;
    const int8_t *image;
    int8_t *output;
    uint32_t *words;  /* scratch: [row][pair of taps][position] */
    int32_t y, x;     /* the first position */
    int32_t count;    /* positions, 1 .. 4 */
    int32_t dy, dx;   /* from one position to the next */
    scn_span_t rows;  /* taps that any position has inside the input */
    scn_span_t taps;  /* along x */
    int32_t elements; /* a gathered row's */
} block_t;

/* Element e of one position's row; elements arrive in order. */
static void put(uint32_t *words, int32_t e, int32_t value) {
    uint32_t *word = words + e / 2 * POSITIONS;
    *word = e % 2 ? *word | (uint32_t)value << 16 : (uint32_t)value & 0xFFFFu;
}

static void put_zeros(uint32_t *words, int32_t e, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
        put(words, e + i, 0);
    }
}

/* count values from the input, less the zero point. */
static void put_run(uint32_t *words, int32_t e, const int8_t *from, int32_t count, int32_t zero_point) {
    const uint32_t offset = scn_pair(-zero_point, -zero_point);
    int32_t i = 0;
    if (e % 2 == 0) {
        uint32_t *word = words + e / 2 * POSITIONS;
        for (; i + 4 <= count; i += 4) {
            const uint32_t quad = scn_load_quad(from + i);
            const uint32_t even = scn_widen_even(offset, quad);
            const uint32_t odd = scn_widen_odd(offset, quad);
            word[0] = scn_pack_low(even, odd);
            word[POSITIONS] = scn_pack_high(even, odd);
            word += 2 * POSITIONS;
        }
    }
    for (; i < count; ++i) {
        put(words, e + i, from[i] - zero_point);
    }
}

/* The taps of one row of one position's window. */
static void gather_row(const block_t *block, uint32_t *words, int32_t in_y, scn_span_t inside) {
    const scn_conv2d_t *layer = block->layer;
    const int32_t channels = layer->input.channels;
    const int32_t dilation = layer->window.dilation_w;
    /* Undilated taps are neighbours in memory too, so that all that lie inside are one run. */
    const int32_t run = dilation == 1 ? inside.last - inside.first : 1;
    int32_t e = (inside.first - block->taps.first) * channels;
    put_zeros(words, 0, e);
    for (int32_t kx = inside.first; kx < inside.last; kx += run) {
        const int8_t *from = block->image + scn_pixel(&layer->input, in_y, inside.start + kx * dilation);
        put_run(words, e, from, run * channels, layer->input_zero_point);
        e += run * channels;
    }
    put_zeros(words, e, block->elements - e);
}

/* One position's window. */
static void gather_window(const block_t *block, int32_t position) {
    const scn_conv2d_t *layer = block->layer;
    const int32_t row_words = (block->elements + 1) / 2 * POSITIONS;
    const scn_span_t rows = scn_span_y(&layer->window, &layer->input, block->y + position * block->dy);
    const scn_span_t taps = scn_span_x(&layer->window, &layer->input, block->x + position * block->dx);
    uint32_t *words = block->words + position;
    for (int32_t ky = block->rows.first; ky < block->rows.last; ++ky) {
        if (ky >= rows.first && ky < rows.last) {
            gather_row(block, words, rows.start + ky * layer->window.dilation_h, taps);
        } else {
            put_zeros(words, 0, block->elements);
        }
        words += row_words;
    }
}

static scn_span_t either(scn_span_t a, scn_span_t b) {
    return (scn_span_t){a.start, scn_min(a.first, b.first), scn_max(a.last, b.last)};
}

/* Find the taps to multiply, and gather all positions' windows. */
static void gather(block_t *block) {
    const scn_conv2d_t *layer = block->layer;
    const scn_window_t *window = &layer->window;
    const int32_t end = block->count - 1;
    block->rows = either(scn_span_y(window, &layer->input, block->y),
                         scn_span_y(window, &layer->input, block->y + end * block->dy));
    block->taps = either(scn_span_x(window, &layer->input, block->x),
                         scn_span_x(window, &layer->input, block->x + end * block->dx));
    if (layer->input.channels % 2) {
        /* Weights come in pairs of taps that a cut between two columns would split. */
        block->taps.first = 0;
        block->taps.last = window->width;
    }
    block->elements = (block->taps.last - block->taps.first) * layer->input.channels;
    for (int32_t position = 0; position < block->count; ++position) {
        gather_window(block, position);
    }
}

/* Bytes of one row of one channel pair's weights. */
static int32_t weight_row_bytes(const scn_conv2d_t *layer) {
    return (layer->window.width * layer->input.channels + 1) / 2 * 4;
}

/* How the gathered taps lie in the weights of channel pair 0; no rows where every tap is outside. */
static scn_dot_t plan_dot(const block_t *block) {
    const int32_t pairs = (block->elements + 1) / 2;
    const int32_t row_bytes = weight_row_bytes(block->layer);
    const int32_t rows = pairs ? block->rows.last - block->rows.first : 0;
    const int32_t start = block->rows.first * row_bytes + block->taps.first * block->layer->input.channels * 2;
    const bool whole = pairs * 4 == row_bytes && rows > 0;
    const int32_t run = whole ? rows * pairs : pairs;
    return (scn_dot_t){
        .x = block->words,
        .w = block->layer->weights + start,
        .rows = whole ? 1 : rows,
        .main_bytes = run / 4 * 64,
        .rest_bytes = run % 4 * 16,
        .w_skip = row_bytes - pairs * 4,
    };
}

/* One output channel of all positions. */
static void store(const block_t *block, int32_t channel, const int32_t sum[POSITIONS]) {
    const scn_conv2d_t *layer = block->layer;
    const scn_multiplier_t scale = layer->scale[channel];
    const int32_t step = scn_pixel(&layer->output, block->dy, block->dx);
    int8_t *out = block->output + scn_pixel(&layer->output, block->y, block->x) + channel;
    for (int32_t position = 0; position < block->count; ++position) {
        const int32_t value = scn_wrap_add(scn_scale(sum[position], scale), layer->output_zero_point);
        *out = scn_clamp(value, layer->activation_min, layer->activation_max);
        out += step;
    }
}

static void multiply_pair(const block_t *block, scn_dot_t dot, int32_t channel) {
    const scn_conv2d_t *layer = block->layer;
    const bool both = channel + 1 < layer->output.channels;
    for (int p = 0; p < POSITIONS; ++p) {
        dot.sum[p] = layer->bias ? layer->bias[channel] : 0;
        dot.sum[POSITIONS + p] = layer->bias && both ? layer->bias[channel + 1] : 0;
    }
    if (dot.rows) {
        scn_dot_2x4(&dot);
    }
    store(block, channel, dot.sum);
    if (both) {
        store(block, channel + 1, dot.sum + POSITIONS);
    }
}

static void run_block(block_t *block) {
    const int32_t pair_bytes = block->layer->window.height * weight_row_bytes(block->layer);
    gather(block);
    scn_dot_t dot = plan_dot(block);
    for (int32_t channel = 0; channel < block->layer->output.channels; channel += 2) {
        multiply_pair(block, dot, channel);
        dot.w += pair_bytes;
    }
}

/* One image, in lines along the longer axis. */
static void run_image(block_t *block) {
    const scn_dims_t *output = &block->layer->output;
    const bool down = output->height > output->width;
    const int32_t along = down ? output->height : output->width;
    const int32_t across = down ? output->width : output->height;
    block->dy = down;
    block->dx = !down;
    for (int32_t line = 0; line < across; ++line) {
        for (int32_t i = 0; i < along; i += POSITIONS) {
            block->y = down ? i : line;
            block->x = down ? line : i;
            block->count = scn_min(POSITIONS, along - i);
            run_block(block);
        }
    }
}

/* A 1x1 convolution sees no neighbours: all pixels of all images are one line. */
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
    block_t block = {.layer = &flat, .image = input, .output = output, .words = scratch};
    for (int32_t n = 0; n < flat.output.batches; ++n) {
        run_image(&block);
        block.image += scn_image_elements(&flat.input);
        block.output += scn_image_elements(&flat.output);
    }
}

/*
 * CONV_2D: four output positions at a time. Their windows are gathered once and multiplied with every pair of output
 * channels.
 *
 * The four positions follow one another along the output's longer axis. Taps outside the input are left out of the sum
 * where all four positions miss them: nearly all padding across that axis costs nothing.
 */
#include "scn_dot.h"
#include "scn_gather.h"

typedef struct {
    scn_block_t block;
    scn_dot_t dot;
    int8_t *output;     /* the image */
    int32_t step;       /* from one position's output to the next */
    int32_t bias_limit; /* sums stay under SCN_SCALER_LIMIT if the bias does not exceed this */
    bool whole_range;   /* the activation clamps to INT8's own bounds */
} work_t;

/* Bytes of one row of one channel pair's weights. */
static int32_t weight_row_bytes(const scn_conv2d_t *layer) {
    return (layer->window.width * layer->input.channels + 1) / 2 * 4;
}

/* How the gathered taps lie in the weights of channel pair 0; no rows where every tap is outside. */
static scn_dot_t plan_dot(const scn_block_t *block) {
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

/* Any bias, any factor. */
static void store_any(const work_t *work, int32_t channel, const int32_t *sum, int8_t *out) {
    const scn_conv2d_t *layer = work->block.layer;
    for (int32_t i = 0; i < work->block.count; ++i) {
        const int32_t value = scn_wrap_add(scn_scale(sum[i], layer->scale[channel]), layer->output_zero_point);
        *out = scn_clamp(value, layer->activation_min, layer->activation_max);
        out += work->step;
    }
}

static void store_small(const work_t *work, int32_t channel, const int32_t *sum, int8_t *out) {
    const scn_conv2d_t *layer = work->block.layer;
    const scn_scaler_t scale = scn_scaler(layer->scale[channel]);
    /* Copies: a stored byte could, for all the compiler knows, change the layer. */
    const int32_t zero_point = layer->output_zero_point, step = work->step;
    const int32_t low = layer->activation_min, high = layer->activation_max;
    const int32_t *end = sum + work->block.count;
    if (work->whole_range) {
        for (; sum < end; out += step) {
            *out = scn_saturate(scn_scale_small(*sum++, scale) + zero_point);
        }
    } else {
        for (; sum < end; out += step) {
            *out = scn_clamp(scn_scale_small(*sum++, scale) + zero_point, low, high);
        }
    }
}

/* One output channel of all positions. */
static void store(const work_t *work, int32_t channel, int32_t bias, const int32_t *sum) {
    const scn_conv2d_t *layer = work->block.layer;
    int8_t *out = work->output + scn_pixel(&layer->output, work->block.y, work->block.x) + channel;
    if (scn_has_scaler(layer->scale[channel]) && bias <= work->bias_limit && bias >= -work->bias_limit) {
        store_small(work, channel, sum, out);
    } else {
        store_any(work, channel, sum, out);
    }
}

static void multiply_pair(work_t *work, int32_t channel) {
    const scn_conv2d_t *layer = work->block.layer;
    const bool both = channel + 1 < layer->output.channels;
    const int32_t bias = layer->bias ? layer->bias[channel] : 0;
    const int32_t partner_bias = layer->bias && both ? layer->bias[channel + 1] : 0;
    int32_t *sum = work->dot.sum;
    sum[0] = sum[1] = sum[2] = sum[3] = bias;
    sum[4] = sum[5] = sum[6] = sum[7] = partner_bias;
    if (work->dot.rows) {
        scn_dot_2x4(&work->dot);
    }
    store(work, channel, bias, sum);
    if (both) {
        store(work, channel + 1, partner_bias, sum + SCN_POSITIONS);
    }
}

static void run_block(work_t *work) {
    const scn_conv2d_t *layer = work->block.layer;
    const int32_t pair_bytes = layer->window.height * weight_row_bytes(layer);
    scn_gather(&work->block);
    work->dot = plan_dot(&work->block);
    for (int32_t channel = 0; channel < layer->output.channels; channel += 2) {
        multiply_pair(work, channel);
        work->dot.w += pair_bytes;
    }
}

/* One image, in lines along the longer axis. */
static void run_image(work_t *work) {
    const scn_dims_t *output = &work->block.layer->output;
    const bool down = work->block.down;
    const int32_t along = down ? output->height : output->width;
    const int32_t across = down ? output->width : output->height;
    for (int32_t line = 0; line < across; ++line) {
        for (int32_t i = 0; i < along; i += SCN_POSITIONS) {
            work->block.y = down ? i : line;
            work->block.x = down ? line : i;
            work->block.count = scn_min(SCN_POSITIONS, along - i);
            run_block(work);
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

/* A product of two INT8, one less a zero point, is at most 255 * 128. */
static int32_t bias_limit(const scn_conv2d_t *layer) {
    const int64_t taps = (int64_t)layer->window.height * layer->window.width * layer->input.channels;
    const int64_t room = SCN_SCALER_LIMIT - 1 - taps * 255 * 128;
    return room > 0 ? (int32_t)room : -1;
}

void scn_conv2d_s8(const scn_conv2d_t *layer, const int8_t *input, int8_t *output, void *scratch) {
    const scn_conv2d_t flat = flatten(*layer);
    const bool down = flat.output.height >= flat.output.width;
    work_t work = {
        .block = {.layer = &flat, .image = input, .words = scratch, .down = down},
        .output = output,
        .step = down ? scn_pixel(&flat.output, 1, 0) : flat.output.channels,
        .bias_limit = bias_limit(&flat),
        .whole_range = flat.activation_min == INT8_MIN && flat.activation_max == INT8_MAX,
    };
    for (int32_t n = 0; n < flat.output.batches; ++n) {
        run_image(&work);
        work.block.image += scn_image_elements(&flat.input);
        work.output += scn_image_elements(&flat.output);
    }
}

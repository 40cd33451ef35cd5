/*
 * DEPTHWISE_CONV_2D by planes: four channels at a time are taken apart into planes of int16, padding included, two
 * neighbours along one axis a word. A multiplication then takes two taps, and every word serves all windows that see it.
 */
#include "scn_finish.h"
#include "scn_planes_3x3.h"
#include "scn_segment.h"
#include "scn_simd.h"

enum { CHANNELS = 4 };

/* The input and output along one axis. Positions of the input lie at 0 .. size - 1, the first window starts at -pad. */
typedef struct {
    int32_t size, step; /* of the input; elements from one position to the next */
    int32_t outputs, output_step;
    int32_t taps, tap_step;
    int32_t stride, pad;
} axis_t;

typedef struct {
    const scn_planes_t *layer;
    axis_t a, b;       /* words hold neighbours along a */
    int32_t pairs;     /* words along a */
    int32_t rows;      /* words along b, */
    int32_t tap_words; /* and those of a window along a */
    uint32_t *planes;  /* [channel][pair][b] */
    const int8_t *input;
    int8_t *output;
    uint32_t weights[2 * SCN_PLANES_MOST_WORDS]; /* one channel's: [tap along b][word], for the first of two outputs
                                                    and for the second */
} work_t;

static axis_t axis_x(const scn_depthwise_conv2d_t *layer) {
    return (axis_t){
        .size = layer->input.width,
        .step = layer->input.channels,
        .outputs = layer->output.width,
        .output_step = layer->output.channels,
        .taps = layer->window.width,
        .tap_step = layer->output.channels,
        .stride = layer->window.stride_w,
        .pad = layer->window.pad_left,
    };
}

static axis_t axis_y(const scn_depthwise_conv2d_t *layer, const scn_rows_t *rows) {
    return (axis_t){
        .size = rows->input_rows,
        .step = layer->input.width * layer->input.channels,
        .outputs = rows->rows,
        .output_step = layer->output.width * layer->output.channels,
        .taps = layer->window.height,
        .tap_step = layer->window.width * layer->output.channels,
        .stride = layer->window.stride_h,
        .pad = layer->window.pad_top - rows->y * layer->window.stride_h + rows->input_y,
    };
}

static work_t work_of(const scn_planes_t *layer, const scn_rows_t *rows) {
    work_t work = {.layer = layer, .planes = rows->scratch, .input = rows->input[0], .output = rows->output};
    work.a = layer->down ? axis_y(&layer->conv, rows) : axis_x(&layer->conv);
    work.b = layer->down ? axis_x(&layer->conv) : axis_y(&layer->conv, rows);
    work.pairs = SCN_PLANES_PAIRS(work.a.outputs, work.a.taps, work.a.stride);
    work.rows = (work.b.outputs - 1) * work.b.stride + work.b.taps;
    work.tap_words = SCN_PLANES_TAP_WORDS(work.a.taps, work.a.stride);
    return work;
}

static void clear(const work_t *work) {
    uint32_t *to = work->planes;
    for (const uint32_t *end = to + CHANNELS * work->pairs * work->rows; to < end;) {
        *to++ = 0;
    }
}

/* Two neighbours of four channels become a word of each plane; quads outside the input hold its zero point. */
static inline void put(uint32_t *to, int32_t plane, uint32_t first, uint32_t second, uint32_t offset) {
    const uint32_t even0 = scn_widen_even(offset, first), even1 = scn_widen_even(offset, second);
    const uint32_t odd0 = scn_widen_odd(offset, first), odd1 = scn_widen_odd(offset, second);
    to[0] = scn_pack_low(even0, even1);
    to += plane;
    to[0] = scn_pack_low(odd0, odd1);
    to += plane;
    to[0] = scn_pack_high(even0, even1);
    to += plane;
    to[0] = scn_pack_high(odd0, odd1);
}

/* Words of one pair, along all of b that lies inside. */
static void widen_pair(const work_t *work, const int8_t *input, int32_t pair) {
    const int32_t zero_point = work->layer->conv.input_zero_point;
    const uint32_t offset = scn_pair(-zero_point, -zero_point), outside = (uint8_t)zero_point * 0x01010101u;
    const int32_t a = 2 * pair - work->a.pad;
    const bool has_first = a >= 0 && a < work->a.size, has_second = a + 1 >= 0 && a + 1 < work->a.size;
    const int32_t count = scn_min(work->b.size, work->rows - work->b.pad);
    const int32_t step = work->b.step, plane = work->pairs * work->rows;
    const int8_t *first = input + a * work->a.step, *second = first + work->a.step;
    uint32_t *to = work->planes + pair * work->rows + work->b.pad;
    if (has_first && has_second) {
        for (const uint32_t *end = to + count; to < end; ++to, first += step, second += step) {
            put(to, plane, scn_load_quad(first), scn_load_quad(second), offset);
        }
    } else if (has_first) {
        for (const uint32_t *end = to + count; to < end; ++to, first += step) {
            put(to, plane, scn_load_quad(first), outside, offset);
        }
    } else if (has_second) {
        for (const uint32_t *end = to + count; to < end; ++to, second += step) {
            put(to, plane, outside, scn_load_quad(second), offset);
        }
    }
}

static int32_t weight(const work_t *work, int32_t channel, int32_t b, int32_t a) {
    const bool inside = a >= 0 && a < work->a.taps;
    return inside ? 2 * work->layer->conv.weights[b * work->b.tap_step + a * work->a.tap_step + channel] : 0;
}

static void prepare_weights(work_t *work, int32_t channel) {
    uint32_t *to = work->weights;
    for (int32_t b = 0; b < work->b.taps; ++b) {
        for (int32_t a = 0; a < 2 * work->tap_words; a += 2) {
            *to++ = scn_pair(weight(work, channel, b, a), weight(work, channel, b, a + 1));
            *to++ = scn_pair(weight(work, channel, b, a - 1), weight(work, channel, b, a));
        }
    }
}

/* One or two outputs side by side along a. */
static void run_pair(const work_t *work, const uint32_t *from, const scn_finish_channel_t *finish, int8_t *to,
                     bool two) {
    const scn_requant_t by = {finish->multiplier, finish->right, finish->added};
    const uint32_t *w = work->weights;
    int32_t sum0 = finish->bias, sum1 = finish->bias;
    for (int32_t b = 0; b < work->b.taps; ++b) {
        const uint32_t *x = from + b;
        for (const uint32_t *end = w + 2 * work->tap_words; w < end; w += 2) {
            sum0 = scn_dot_pair(*x, w[0], sum0);
            sum1 = scn_dot_pair(*x, w[1], sum1);
            x += work->rows;
        }
    }
    to[0] = scn_finish(by, sum0);
    if (two) {
        to[work->a.output_step] = scn_finish(by, sum1);
    }
}

static void run_any(work_t *work, const uint32_t *plane, int32_t channel) {
    const scn_finish_channel_t finish = work->layer->finish[channel];
    const int32_t ahead = work->a.stride == 1 ? 2 : 1;
    prepare_weights(work, channel);
    for (int32_t a = 0; a < work->a.outputs; a += ahead) {
        int8_t *to = work->output + a * work->a.output_step + channel;
        for (int32_t b = 0; b < work->b.outputs; ++b) {
            run_pair(work, plane + b * work->b.stride, &finish, to, ahead == 2 && a + 1 < work->a.outputs);
            to += work->b.output_step;
        }
        plane += work->rows;
    }
}

#if defined(__ARM_FEATURE_DSP)

static bool is_3x3(const work_t *work) {
    return work->a.taps == 3 && work->b.taps == 3 && work->a.stride == 1 && work->b.stride == 1;
}

static void run_3x3(const work_t *work, const uint32_t *plane, int32_t channel) {
    const scn_finish_channel_t finish = work->layer->finish[channel];
    scn_planes_3x3_t run = {
        .multiplier = finish.multiplier,
        .added = finish.added,
        .right = finish.right,
        .to = work->output + channel,
        .step_a = work->a.output_step,
        .step_b = work->b.output_step,
        .bias = finish.bias,
        .plane = plane,
        .pitch = 4 * work->rows,
        .four_bytes = work->b.outputs / 2 * 8,
        .odd = work->b.outputs % 2,
        .columns = work->a.outputs / 2,
    };
    for (int32_t b = 0; b < 3; ++b) {
        const int8_t *w = work->layer->conv.weights + b * work->b.tap_step + channel;
        const int32_t w0 = 2 * w[0], w1 = 2 * w[work->a.tap_step], w2 = 2 * w[2 * work->a.tap_step];
        run.w01[b] = scn_pair(w0, w1);
        run.w12[b] = scn_pair(w1, w2);
    }
    if (run.columns) {
        scn_planes_3x3(&run);
    }
    if (work->a.outputs % 2) {
        run.to += 2 * run.columns * run.step_a;
        run.plane += run.columns * work->rows;
        run.step_a = 0;
        run.columns = 1;
        scn_planes_3x3(&run);
    }
}

static void run_plane(work_t *work, const uint32_t *plane, int32_t channel) {
    if (is_3x3(work)) {
        run_3x3(work, plane, channel);
    } else {
        run_any(work, plane, channel);
    }
}

#else

static void run_plane(work_t *work, const uint32_t *plane, int32_t channel) {
    run_any(work, plane, channel);
}

#endif

void scn_planes_rows(const void *layer, const scn_rows_t *rows) {
    work_t work = work_of(layer, rows);
    clear(&work);
    for (int32_t channel = 0; channel < work.layer->conv.output.channels; channel += CHANNELS) {
        for (int32_t pair = 0; pair < work.pairs; ++pair) {
            widen_pair(&work, work.input + channel, pair);
        }
        for (int32_t i = 0; i < CHANNELS; ++i) {
            run_plane(&work, work.planes + i * work.pairs * work.rows, channel + i);
        }
    }
}

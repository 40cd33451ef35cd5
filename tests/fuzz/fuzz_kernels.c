/* SPDX-License-Identifier: MIT */
/* Kernels with parameters that a hostile .tflite may choose: sizes, windows, multipliers, biases and zero points from
 * end to end of what their headers permit. All memory has exactly the documented size. */
#include "fuzz.h"
#include "scn_engine.h"

/* Memory of one call; freed together. */
static void *kept[12];
static size_t kept_count;

static void *memory(size_t bytes) {
    FUZZ_REQUIRE(kept_count < sizeof kept / sizeof *kept);
    return kept[kept_count++] = fuzz_memory(bytes);
}

static void *filled(fuzz_input_t *input, size_t bytes) {
    void *made = memory(bytes);
    fuzz_fill(input, made, bytes);
    return made;
}

static int32_t zero_point(fuzz_input_t *input) {
    return fuzz_extreme(input, INT8_MIN, INT8_MAX);
}

static scn_multiplier_t multiplier(fuzz_input_t *input, int32_t most_shift) {
    return (scn_multiplier_t){fuzz_extreme(input, 0, INT32_MAX), fuzz_extreme(input, -31, most_shift)};
}

static const scn_multiplier_t *multipliers(fuzz_input_t *input, int32_t count) {
    scn_multiplier_t *made = memory((size_t)count * sizeof *made);
    const scn_multiplier_t usual = multiplier(input, 30);
    const int32_t odd = fuzz_between(input, 0, 3 * count);
    for (int32_t i = 0; i < count; i++) {
        made[i] = i == odd ? multiplier(input, 30) : usual;
    }
    return made;
}

static const int32_t *biases(fuzz_input_t *input, int32_t count) {
    if (fuzz_byte(input) & 1u) {
        return NULL;
    }
    int32_t *made = memory((size_t)count * sizeof *made);
    for (int32_t i = 0; i < count; i++) {
        made[i] = fuzz_extreme(input, INT32_MIN, INT32_MAX);
    }
    return made;
}

/* One axis of a sliding window: every output position covers at least one input. */
static void draw_axis(fuzz_input_t *input, int32_t most_dilation, int32_t *size, int32_t *made, int32_t *kernel,
                      int32_t *stride, int32_t *dilation, int32_t *pad) {
    *size = fuzz_between(input, 1, 9);
    *kernel = fuzz_between(input, 1, 5);
    *stride = fuzz_between(input, 1, 3);
    *dilation = fuzz_between(input, 1, most_dilation);
    const int32_t extent = (*kernel - 1) * *dilation + 1;
    *pad = fuzz_below(input, 2u) ? fuzz_between(input, 0, *dilation > 1 ? 0 : extent - 1) : 0;
    const int32_t after = fuzz_below(input, 2u) ? fuzz_between(input, 0, *dilation > 1 ? 0 : extent - 1) : 0;
    const int32_t room = *size + *pad + after - extent;
    if (room < 0) {
        *size = extent;
        *pad = 0;
    }
    *made = room < 0 ? 1 : room / *stride + 1;
}

static size_t elements(const scn_dims_t *dims) {
    return (size_t)(dims->batches * dims->height * dims->width * dims->channels);
}

static void draw_map(fuzz_input_t *input, int32_t most_dilation, scn_dims_t *from, scn_dims_t *to,
                     scn_window_t *window) {
    from->batches = to->batches = fuzz_between(input, 1, 2);
    draw_axis(input, most_dilation, &from->height, &to->height, &window->height, &window->stride_h, &window->dilation_h,
              &window->pad_top);
    draw_axis(input, most_dilation, &from->width, &to->width, &window->width, &window->stride_w, &window->dilation_w,
              &window->pad_left);
    from->channels = to->channels = fuzz_between(input, 1, 9);
}

static void draw_activation(fuzz_input_t *input, int32_t *least, int32_t *most) {
    *least = fuzz_extreme(input, INT8_MIN, INT8_MAX);
    *most = fuzz_extreme(input, *least, INT8_MAX);
}

static void convolve(fuzz_input_t *input) {
    scn_conv2d_t layer = {0};
    draw_map(input, 3, &layer.input, &layer.output, &layer.window);
    const int32_t made = layer.output.channels = fuzz_between(input, 1, 9);
    const scn_window_t *window = &layer.window;
    const size_t weights = (size_t)SCN_CONV2D_WEIGHT_BYTES(window->height, window->width, layer.input.channels, made);
    const size_t scratch = (size_t)SCN_CONV2D_SCRATCH_BYTES(window->height, window->width, layer.input.channels);
    layer.weights = filled(input, weights);
    layer.bias = biases(input, made);
    layer.scale = multipliers(input, made);
    layer.input_zero_point = zero_point(input);
    layer.output_zero_point = zero_point(input);
    draw_activation(input, &layer.activation_min, &layer.activation_max);
    const int8_t *from = filled(input, elements(&layer.input));
    scn_conv2d_s8(&layer, from, memory(elements(&layer.output)), memory(scratch));
}

static void convolve_depthwise(fuzz_input_t *input) {
    scn_depthwise_conv2d_t layer = {0};
    draw_map(input, 3, &layer.input, &layer.output, &layer.window);
    layer.depth_multiplier = fuzz_between(input, 1, 3);
    const int32_t made = layer.output.channels = layer.input.channels * layer.depth_multiplier;
    layer.weights = filled(input, (size_t)(layer.window.height * layer.window.width * made));
    layer.bias = biases(input, made);
    layer.scale = multipliers(input, made);
    layer.input_zero_point = zero_point(input);
    layer.output_zero_point = zero_point(input);
    draw_activation(input, &layer.activation_min, &layer.activation_max);
    const int8_t *from = filled(input, elements(&layer.input));
    scn_depthwise_conv2d_s8(&layer, from, memory(elements(&layer.output)));
}

static void connect_fully(fuzz_input_t *input) {
    scn_fully_connected_t layer = {.batches = fuzz_between(input, 1, 2), .inputs = fuzz_between(input, 1, 40)};
    const int32_t made = layer.outputs = fuzz_between(input, 1, 9);
    scn_fine_multiplier_t *scale = memory((size_t)made * sizeof *scale);
    for (int32_t i = 0; i < made; i++) {
        scale[i] = (scn_fine_multiplier_t){fuzz_extreme(input, 0, INT32_MAX), fuzz_extreme(input, 0, INT32_MAX),
                                           fuzz_extreme(input, -31, 30)};
    }
    layer.scale = scale;
    layer.weights = filled(input, (size_t)(layer.inputs * made));
    layer.bias = biases(input, made);
    layer.input_zero_point = zero_point(input);
    layer.output_zero_point = zero_point(input);
    draw_activation(input, &layer.activation_min, &layer.activation_max);
    const int8_t *from = filled(input, (size_t)(layer.batches * layer.inputs));
    scn_fully_connected_s8(&layer, from, memory((size_t)(layer.batches * made)));
}

static void pool(fuzz_input_t *input) {
    scn_pool_t layer = {0};
    draw_map(input, 1, &layer.input, &layer.output, &layer.window);
    draw_activation(input, &layer.activation_min, &layer.activation_max);
    const int8_t *from = filled(input, elements(&layer.input));
    int8_t *to = memory(elements(&layer.output));
    (fuzz_below(input, 2u) ? scn_max_pool_s8 : scn_average_pool_s8)(&layer, from, to);
}

/* Sizes and which dims are reduced; returns the bytes that remain. */
static size_t draw_reduction(fuzz_input_t *input, int32_t size[4], bool reduced[4], size_t *all) {
    size_t rest = 1;
    *all = 1;
    for (int i = 0; i < 4; i++) {
        size[i] = fuzz_between(input, 1, 6);
        reduced[i] = fuzz_byte(input) & 1u;
        *all *= (size_t)size[i];
        rest *= reduced[i] ? 1u : (size_t)size[i];
    }
    return rest;
}

static void reduce(fuzz_input_t *input) {
    size_t all;
    scn_mean_t mean = {.input_zero_point = zero_point(input), .output_zero_point = zero_point(input)};
    mean.scale = multiplier(input, 30);
    size_t rest = draw_reduction(input, mean.size, mean.reduced, &all);
    scn_mean_s8(&mean, filled(input, all), memory(rest));
    scn_reduce_extremum_t extremum = {.largest = fuzz_byte(input) & 1u};
    rest = draw_reduction(input, extremum.size, extremum.reduced, &all);
    scn_reduce_extremum_s8(&extremum, filled(input, all), memory(rest));
}

/* Dense operands, or broadcast along some dims; their bytes in `bytes`. */
static scn_broadcast_t draw_broadcast(fuzz_input_t *input, size_t bytes[3]) {
    scn_broadcast_t shape;
    bytes[0] = bytes[1] = bytes[2] = 1;
    for (int i = 3; i >= 0; i--) {
        const uint8_t kind = fuzz_byte(input);
        shape.size[i] = 1 + kind % 7;
        shape.stride1[i] = kind & 0x80u ? 0 : (int32_t)bytes[0];
        shape.stride2[i] = kind & 0x40u ? 0 : (int32_t)bytes[1];
        bytes[0] *= kind & 0x80u ? 1u : (size_t)shape.size[i];
        bytes[1] *= kind & 0x40u ? 1u : (size_t)shape.size[i];
        bytes[2] *= (size_t)shape.size[i];
    }
    return shape;
}

static void combine(fuzz_input_t *input) {
    size_t bytes[3];
    scn_add_t add = {.shape = draw_broadcast(input, bytes)};
    add.zero_point1 = zero_point(input), add.zero_point2 = zero_point(input), add.output_zero_point = zero_point(input);
    /* At most 1/2, as a factor of twice the larger scale. */
    add.scale1 = (scn_multiplier_t){fuzz_extreme(input, 0, INT32_MAX), fuzz_extreme(input, -31, -1)};
    add.scale2 = (scn_multiplier_t){fuzz_extreme(input, 0, INT32_MAX), fuzz_extreme(input, -31, -1)};
    add.output_scale = multiplier(input, 0);
    draw_activation(input, &add.activation_min, &add.activation_max);
    const int8_t *a = filled(input, bytes[0]), *b = filled(input, bytes[1]);
    scn_add_s8(&add, a, b, memory(bytes[2]));
    scn_sub_s8(&add, a, b, memory(bytes[2]));
    const scn_mul_t mul = {
        add.shape,          add.zero_point1,   add.zero_point2, add.output_zero_point, multiplier(input, 30),
        add.activation_min, add.activation_max};
    scn_mul_s8(&mul, a, b, memory(bytes[2]));
    const scn_prelu_t prelu = {add.shape,
                               add.zero_point1,
                               add.zero_point2,
                               add.output_zero_point,
                               multiplier(input, 30),
                               multiplier(input, 30)};
    scn_prelu_s8(&prelu, a, b, memory(bytes[2]));
    const scn_extremum_t extremum = {add.shape, fuzz_byte(input) & 1u};
    scn_extremum_s8(&extremum, a, b, memory(bytes[2]));
}

static void normalise(fuzz_input_t *input) {
    const int32_t rows = fuzz_between(input, 1, 3), depth = fuzz_between(input, 1, 511);
    scn_softmax_t softmax = {rows, depth, {fuzz_extreme(input, 1, INT32_MAX), fuzz_extreme(input, 0, 30)}, 0};
    /* As the compiler derives it: what no difference below it can reach. */
    softmax.diff_min = -(int32_t)(((int64_t)31 << 26) >> softmax.scale.shift);
    const size_t bytes = (size_t)(rows * depth);
    scn_softmax_s8(&softmax, filled(input, bytes), memory(bytes));
    const scn_quantize_t quantize = {(int32_t)bytes, zero_point(input), zero_point(input), multiplier(input, 30)};
    scn_quantize_s8(&quantize, filled(input, bytes), memory(bytes));
}

static void move(fuzz_input_t *input) {
    scn_pad_t pad = {.value = (int8_t)fuzz_byte(input)};
    size_t small = 1, large = 1;
    for (int i = 0; i < 4; i++) {
        pad.input_size[i] = fuzz_between(input, 1, 5);
        pad.before[i] = fuzz_between(input, 0, 3);
        pad.output_size[i] = pad.input_size[i] + pad.before[i] + fuzz_between(input, 0, 3);
        small *= (size_t)pad.input_size[i];
        large *= (size_t)pad.output_size[i];
    }
    scn_pad_s8(&pad, filled(input, small), memory(large));
    /* Every second value backwards along the last dim of the padded map, and all along the others. */
    scn_copy_t copy = {.start = pad.output_size[3] - 1, .size = {1, 1, 1, 1, 1, 1}};
    int32_t stride = 1;
    for (int i = 3; i >= 0; i--) {
        copy.size[i + 2] = i == 3 ? (pad.output_size[3] + 1) / 2 : pad.output_size[i];
        copy.stride[i + 2] = i == 3 ? -2 : stride;
        stride *= pad.output_size[i];
    }
    const size_t copied = (size_t)(copy.size[2] * copy.size[3] * copy.size[4] * copy.size[5]);
    scn_copy_s8(&copy, filled(input, large), memory(copied));
    const int32_t runs[3] = {fuzz_between(input, 1, 40), fuzz_between(input, 1, 40), fuzz_between(input, 1, 40)};
    const scn_concatenation_t joined = {fuzz_between(input, 1, 5), 3, runs};
    const int8_t *parts[3];
    size_t total = 0;
    for (int i = 0; i < 3; i++) {
        const size_t bytes = (size_t)(joined.turns * runs[i]);
        parts[i] = filled(input, bytes);
        total += bytes;
    }
    scn_concatenation_s8(&joined, parts, memory(total));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static void (*const parts[])(fuzz_input_t *) = {convolve, convolve_depthwise, connect_fully, pool, reduce,
                                                    combine,  normalise,          move};
    fuzz_input_t input = {bytes, bytes + count};
    kept_count = 0;
    parts[fuzz_below(&input, sizeof parts / sizeof *parts)](&input);
    for (size_t i = 0; i < kept_count; i++) {
        free(kept[i]);
    }
    return 0;
}

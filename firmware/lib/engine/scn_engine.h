/*
 * INT8 inference: what generated models are made of, and the kernels that they call; FULLY_CONNECTED, and pools, MEAN
 * and SOFTMAX, are in headers of their own, of which all of this holds, too.
 *
 * Numbers    real = scale * (q - zero_point), q INT8. Every kernel gives the bits of TFLite's reference kernels.
 * Layout     activations NHWC, dense. "dims" are of one tensor, "elements" are INT8 values (= bytes).
 * Ownership  the caller owns all memory: activations and scratch lie in one arena that the host has planned; parameter
 *            structs, weights and biases are constants in flash. No kernel allocates, keeps state or calls back.
 * Alignment  the arena, every scratch area and CONV_2D's weights: 4 bytes. Activations and other weights: any.
 * In place   output must not overlap an input or the scratch, except where a kernel says so.
 * Sizes      dims, strides and dilations are positive, pads are not negative; the host has checked them, kernels do
 * not.
 */
#ifndef SCN_ENGINE_H
#define SCN_ENGINE_H

#include "scn_fully_connected.h"
#include "scn_pooling.h"
#include "scn_types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------------- model */

/* A tensor that lies whole in the arena after a step. */
typedef struct {
    uint16_t tensor; /* index in the .tflite */
    uint32_t offset; /* bytes from the arena's start */
    uint32_t bytes;
} scn_view_t;

/* What runs between two observations: one operator, or several that the compiler has fused. */
typedef struct {
    const char *name; /* layer, for people */
    const char *op;   /* TFLite's name of the operator */
    uint32_t macs;    /* by the challenge's counting rules */
    void (*run)(uint8_t *arena);
    uint16_t first_view; /* this step's views: scn_model_t.views[first_view .. first_view + view_count - 1] */
    uint16_t view_count;
} scn_step_t;

typedef struct {
    const char *name;
    const char *sha256;    /* of the .tflite, 64 lower-case hexadecimal digits */
    uint32_t arena_bytes;  /* activations and scratch together */
    uint32_t params_bytes; /* by the challenge's counting rules */
    uint32_t macs;
    uint32_t input_offset; /* the input lies here before the first step; any step may overwrite it */
    uint32_t input_bytes;
    uint32_t output_offset; /* the output lies here after the last step */
    uint32_t output_bytes;
    const scn_step_t *steps;
    const scn_view_t *views;
    uint16_t step_count;
    uint16_t view_count;
} scn_model_t;

/* Called after every step; must not change the arena. */
typedef void (*scn_observer_t)(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *arena);

/* Run all steps on an arena of model->arena_bytes that holds the input; observer may be NULL. */
void scn_model_run(const scn_model_t *model, uint8_t *arena, scn_observer_t observer, void *context);

/* --------------------------------------------------------------------------------------------------- convolutions */

/*
 * CONV_2D.
 * weights  packed by the host: output channels in pairs, the two channels' weights interleaved,
 *          [ceil(oc / 2)][kernel_h][row][2] where row = kernel_w * ic in (x, channel) order, padded with one 0 if odd;
 *          the partner of a last odd channel is all 0. Python: scenelet.compiler.kernels.direct.pack_conv2d.
 * bias     [oc], int32 at scale input * weight, or NULL.
 * scale    [oc], input scale * weight scale / output scale; a per-tensor scale is repeated.
 */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    const int8_t *weights;
    const int32_t *bias;
    const scn_multiplier_t *scale;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min;
    int32_t activation_max;
} scn_conv2d_t;

/* Bytes of one channel pair's packed weights, and of all. */
#define SCN_CONV2D_PAIR_BYTES(kernel_h, kernel_w, ic) (2 * (kernel_h) * (((kernel_w) * (ic) + 1) / 2 * 2))
#define SCN_CONV2D_WEIGHT_BYTES(kernel_h, kernel_w, ic, oc)                                                            \
    (((oc) + 1) / 2 * SCN_CONV2D_PAIR_BYTES(kernel_h, kernel_w, ic))
/*
 * Scratch: the windows of four output positions, widened to int16. As columns count kernel_w, but at most width - 1
 * more than the smaller of output width and 4 where stride_w and dilation_w are 1 and ic is even: others are left out.
 */
#define SCN_CONV2D_SCRATCH_BYTES(kernel_h, columns, ic) (4 * SCN_CONV2D_PAIR_BYTES(kernel_h, columns, ic))

void scn_conv2d_s8(const scn_conv2d_t *layer, const int8_t *input, int8_t *output, void *scratch);

/*
 * Two steps from INT8 to INT8, each sat8((v * multiplier + added) >> 16); no sum may leave int32, for any v.
 * A sixteenth of a table's bytes, and three more instructions a value.
 */
typedef struct {
    int32_t multiplier;
    int32_t added;
    int32_t multiplier2;
    int32_t added2;
} scn_affine_map_t;

/*
 * What follows a step element by element, channel by channel: value v of channel c is replaced. At most one of the two;
 * both NULL where nothing follows.
 * table    [channels][256]: v becomes table[c * 256 + 128 + v].
 * affine   [channels].
 */
typedef struct {
    const int8_t *table;
    const scn_affine_map_t *affine;
} scn_post_t;

/*
 * ADD of a map that is there to one that is being made: value v becomes sat8((v * multiplier + table[128 + s]) >> 16),
 * where s is the other map's value at the same place. The host has proved for all 65,536 pairs that this is TFLite's
 * ADD, and that no sum leaves int32. Python: scenelet.compiler.kernels.fused_add.
 * table    [256], or NULL where nothing is added.
 * skip     s; value i belongs to value i of a call's output. Constants leave it NULL, whoever calls a kernel sets it.
 */
typedef struct {
    const int32_t *table;
    int32_t multiplier;
    const int8_t *skip;
} scn_fused_add_t;

/*
 * CONV_2D and what follows it element by element.
 * post     after the clamp.
 * added    after that.
 */
typedef struct {
    scn_conv2d_t conv;
    scn_post_t post;
    scn_fused_add_t added;
} scn_fused_conv2d_t;

/*
 * Output rows y .. y + count - 1 of the only image. The input rows that they see must be there, the output's must be
 * distinct; the two must not overlap. Fastest where count is a multiple of 4, or the output is wider than high.
 * Scratch: SCN_CONV2D_SCRATCH_BYTES.
 */
void scn_conv2d_rows_s8(const scn_fused_conv2d_t *layer, const scn_lines_t *input, int32_t y, int32_t count,
                        const scn_lines_t *output, void *scratch);

/*
 * The same for layers with few weights, such as the first one of a network: strides and dilations 1. All weights are
 * widened into the scratch at each call, and each row of the input once for all rows that see it. Fastest where count
 * is a multiple of 16.
 */
#define SCN_CONV2D_NARROW_SCRATCH_BYTES(kernel_h, kernel_w, ic, oc)                                                    \
    (2 * SCN_CONV2D_WEIGHT_BYTES(kernel_h, kernel_w, ic, oc) + ((kernel_w) * (ic) + 1) / 2 * (15 + (kernel_h)) * 4)

void scn_conv2d_narrow_rows_s8(const scn_fused_conv2d_t *layer, const scn_lines_t *input, int32_t y, int32_t count,
                               const scn_lines_t *output, void *scratch);

/*
 * CONV_2D by Winograd's F(4, 3) along an axis with 3 taps: 6 products for 4 outputs instead of 12, exact in integers;
 * or by F(2, 3), 4 products for 2 outputs, for less scratch, more taps, and maps of which tiles of 4 cover too much.
 * Strides and dilations are 1, one image, at least two positions along the other axis, the "slide", with up to
 * SCN_WINOGRAD_MOST_TAPS taps. conv.weights is not read, but packed or expanded.
 *
 * across    the axis: the width, else the height.
 *
 * rows      output rows that share transformed weights: across: even, on maps of up to four columns (two) a multiple
 *           of 4; down: a multiple of 8 (4). In brackets here and below: F(2, 3).
 *
 * pool_*    1, or 2 where a MAX_POOL_2D with this window and stride, without padding, follows the post map: only its
 *           output is stored. Then |bias| + kernel_h * kernel_w * ic * 255 * 128 < 2^30, shifts are -1 .. -20, and a
 * post map is monotone for each channel and follows no narrower activation.
 *
 * part      pairs of input channels whose weights are transformed at a time, 1 .. (ic + 1) / 2; expanded: all.
 *
 * packed    int8, transformed on the fly: [ceil(oc / 2)][ceil(ic / 2)][slide taps][3][2][2]. The last three axes: the
 *           tap along the axis; the input channel of a pair; the output channel of a pair. Input channels pair up by
 *           fours, the first with the third, the second with the fourth; of a rest of two, both. Absent channels are 0.
 *           Python: scenelet.compiler.kernels.winograd_weights.
 *
 * expanded  int16, or NULL: [ceil(oc / 2)][ceil(ic / 2)][slide taps][6][2][2]: the transformed value; the output
 *           channel of the pair; the input channel of the pair. From taps g0, g1, g2 along the axis: g0, g0 + g1 + g2,
 *           g0 - g1 + g2, g0 + 2 g1 + 4 g2, g0 - 2 g1 + 4 g2, g2 (the first three and the last).
 *
 * Transformed inputs are at most 10 * 255 (2 * 255), transformed weights 7 * 128 (3 * 128): both fit int16 for every
 * model. The host must prove that |sum without bias| < 2^28 (2^30): kernel_h * kernel_w * ic <= 8192 (32768) is enough.
 */
typedef struct {
    scn_conv2d_t conv;
    scn_post_t post;   /* like scn_fused_conv2d_t */
    scn_fused_add_t added; /* likewise; nothing where pool_height * pool_width > 1 */
    bool across;
    int32_t pool_height;
    int32_t pool_width;
    int32_t rows;
    int32_t part;
    const int8_t *packed;
    const int16_t *expanded;
} scn_winograd_t;

#define SCN_WINOGRAD_MOST_TAPS 7
#define SCN_WINOGRAD_PACKED_BYTES(slide_taps, ic, oc) (((oc) + 1) / 2 * (slide_taps) * (((ic) + 1) / 2) * 12)
/* `outputs` of a tile, here and below: 4, or 2 of F(2, 3). */
#define SCN_WINOGRAD_EXPANDED_BYTES(outputs, slide_taps, ic, oc)                                                       \
    (((oc) + 1) / 2 * (slide_taps) * (((ic) + 1) / 2) * ((outputs) + 2) * 8)
/* Across: on narrow maps a pair's second tile lies so many rows below the first; 0: to its right. */
#define SCN_WINOGRAD_TILE_OFFSET(outputs, width, rows) ((width) > (outputs) ? 0 : ((rows) + 3) / 4 * 2)
#define SCN_WINOGRAD_INPUT_TILES_ACROSS(outputs, width, rows, slide_taps)                                                    \
    (((width) > (outputs) ? (rows) : SCN_WINOGRAD_TILE_OFFSET(outputs, width, rows)) + (slide_taps)-1)
/* Down: whether a map is so narrow that all columns see all of it. */
#define SCN_WINOGRAD_SHARED(width, slide_taps, pad_left)                                                                  \
    ((width) <= 4 && (pad_left) >= ((width) + 1) / 2 * 2 - 1 && (slide_taps) >= (width) + (pad_left))
#define SCN_WINOGRAD_INPUT_TILES_DOWN(width, out_width, slide_taps, pad_left)                                                \
    (SCN_WINOGRAD_SHARED(width, slide_taps, pad_left) ? (width) : ((out_width) + 1) / 2 * 2 + (slide_taps)-1)
/*
 * Scratch: transformed tiles - pairs of tiles: across: 1, down: rows / (2 * outputs) - and a pixel; the weights of a
 * part; the sums of all units, pairs of tiles times pairs of positions (columns, or rows as far as two tiles lie
 * apart), or of one if the part is all.
 */
#define SCN_WINOGRAD_TILE_BYTES(outputs, tile_pairs, slots, ic)                                                        \
    ((tile_pairs) * (slots) * (((ic) + 1) / 2) * ((outputs) + 2) * 8 + ((ic) + 3) / 4 * 4)
#define SCN_WINOGRAD_WEIGHT_SCRATCH_BYTES(outputs, part, slide_taps) ((part) * (slide_taps) * ((outputs) + 2) * 8)
#define SCN_WINOGRAD_SUM_BYTES(outputs, units) ((units) * ((outputs) + 2) * 32)

/*
 * Like scn_conv2d_rows_s8; y, count and output are pooled rows, and those of a call lie one behind the other. Fastest
 * where count is a multiple of `rows`.
 */
void scn_winograd_f4x3_rows_s8(const scn_winograd_t *layer, const scn_lines_t *input, int32_t y, int32_t count,
                          const scn_lines_t *output, void *scratch);
void scn_winograd_f2x3_rows_s8(const scn_winograd_t *layer, const scn_lines_t *input, int32_t y, int32_t count,
                                 const scn_lines_t *output, void *scratch);

/*
 * DEPTHWISE_CONV_2D: output channel c reads input channel c / depth_multiplier.
 * weights  as in the .tflite: [kernel_h][kernel_w][oc].
 * bias, scale: like scn_conv2d_t. Needs no scratch.
 */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    int32_t depth_multiplier;
    const int8_t *weights;
    const int32_t *bias;
    const scn_multiplier_t *scale;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min;
    int32_t activation_max;
} scn_depthwise_conv2d_t;

void scn_depthwise_conv2d_s8(const scn_depthwise_conv2d_t *layer, const int8_t *input, int8_t *output);

/* ------------------------------------------------------------------------------------------------- element by element
 */

/*
 * Two operands over one dense output of four dims (fewer: leading 1s). A stride is the operand's distance in elements
 * along that dim, 0 where it is broadcast.
 */
typedef struct {
    int32_t size[4];
    int32_t stride1[4];
    int32_t stride2[4];
} scn_broadcast_t;

/*
 * ADD. scale1, scale2: input scale / (2 * the larger input scale); output_scale: 2 * that / (2^20 * output scale),
 * under 1 like TFLite demands: no shift is positive.
 */
typedef struct {
    scn_broadcast_t shape;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t output_zero_point;
    scn_multiplier_t scale1;
    scn_multiplier_t scale2;
    scn_multiplier_t output_scale;
    int32_t activation_min;
    int32_t activation_max;
} scn_add_t;

/* In place: output may be an input that is not broadcast. */
void scn_add_s8(const scn_add_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/* ADD of two whole maps whose activation clamps to INT8's own bounds, as scn_fused_add_t says: v of input1, s of input2. */
typedef struct {
    int32_t elements;
    const int32_t *table;
    int32_t multiplier;
} scn_add_lut_t;

/* In place: output may be an input. */
void scn_add_lut_s8(const scn_add_lut_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/* MUL. scale: input scale 1 * input scale 2 / output scale. */
typedef struct {
    scn_broadcast_t shape;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t output_zero_point;
    scn_multiplier_t scale;
    int32_t activation_min;
    int32_t activation_max;
} scn_mul_t;

/* In place: output may be an input that is not broadcast. */
void scn_mul_s8(const scn_mul_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/*
 * PRELU; operand 2 is alpha.
 * scale: input scale / output scale, for inputs >= zero point; alpha_scale: input scale * alpha scale / output scale.
 */
typedef struct {
    scn_broadcast_t shape;
    int32_t zero_point;
    int32_t alpha_zero_point;
    int32_t output_zero_point;
    scn_multiplier_t scale;
    scn_multiplier_t alpha_scale;
} scn_prelu_t;

/* In place: output may be the input where that is not broadcast. */
void scn_prelu_s8(const scn_prelu_t *layer, const int8_t *input, const int8_t *alpha, int8_t *output);

/* QUANTIZE of INT8 to INT8. scale: input scale / output scale. */
typedef struct {
    int32_t elements;
    int32_t input_zero_point;
    int32_t output_zero_point;
    scn_multiplier_t scale;
} scn_quantize_t;

/* In place: output may be the input. */
void scn_quantize_s8(const scn_quantize_t *layer, const int8_t *input, int8_t *output);

/* ------------------------------------------------------------------------------------------------------ data movers */

/* PAD, PADV2: [input size] inside [output size], `before` elements in front along each dim, the rest = value. */
typedef struct {
    int32_t input_size[4];
    int32_t output_size[4];
    int32_t before[4];
    int8_t value; /* PAD: the output's zero point */
} scn_pad_t;

void scn_pad_s8(const scn_pad_t *layer, const int8_t *input, int8_t *output);

/* RESHAPE that the plan could not turn into an alias. In place: output may be the input. */
void scn_reshape_s8(int32_t elements, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* CONV_2D by Winograd's algorithms along both axes; scn_engine.h states what holds for all kernels. */
#ifndef SCN_WINOGRAD_2D_H
#define SCN_WINOGRAD_2D_H

#include "scn_conv2d.h"
#include "scn_stage_rows.h"
#include "scn_types.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How an output channel's sums are rescaled. What comes out of the transforms is 9 * 2^k times a sum, k = 2 .. 6.
 * start       36 * (bias - (input zero point + 128) * the sum of the channel's weights), modulo 2^32.
 * multiplier  right > 0: sat8((floor(576 * sum * multiplier / 2^32) + added) >> right) is TFLite's output for every sum
 *             that the channel can have. All |576 * sum| < 2^31.
 *             Else: as in scn_requant_t, of the shift -right. All |sum| < 2^25.
 * added       likewise.
 */
typedef struct {
    int32_t start;
    int32_t multiplier;
    int32_t added;
    int32_t right;
} scn_winograd_2d_channel_t;

/*
 * CONV_2D by Winograd's algorithms along both axes: of a tile of 6 x 6 inputs, 36 products give 4 x 4 outputs of 3 x 3
 * taps. An axis of 5 to 7 taps is the sum of two: the first three taps, and the others (up to four), which see the next
 * tile. Tiles of such an axis have three outputs. All is exact in integers.
 *
 * Strides and dilations are 1, and there is one image. conv.weights, conv.bias and conv.scale are not read. The
 * activation covers INT8.
 *
 * post      like scn_fused_conv2d_t.
 *
 * added     likewise; nothing where pool_height * pool_width > 1.
 *
 * turned    the first axis, which is the one of 5 to 7 taps where only one has them, is the width, else the height.
 *
 * pool_*    1; or 2, along an axis of 3 taps, where a MAX_POOL_2D with this window and stride, without padding, follows
 *           the post map: only the pooled output is stored. All channels then have right > 0, and a post map must be
 *           monotone. For a channel whose map falls, weights, start and multiplier are negated.
 *
 * blocks    of tiles that are transformed at a time, and so share transformed weights.
 *
 * packed    int8, transformed for each `blocks` blocks, or NULL:
 *           [pairs of output channels][pairs of input channels][taps of both axes][input channel][output channel]. Taps: the first axis first; of an axis in two, three then four, absent ones 0. Input channels are
 *           paired as in scn_winograd_t. Absent channels are 0. Python: scenelet.compiler.kernels.winograd_2d.weights.
 *
 * expanded  int16, or NULL: [channel groups][36 planes][pairs of input channels][parts of the second axis][parts of
 *           the first][output channel of the group][input channel of the pair]. Of taps g0, g1, .. along an axis the planes are 3 g0,
 *           g0 + g1 + g2 + g3, g0 - g1 + g2 - g3, g0 + 2 g1 + 4 g2 + 8 g3, g0 - 2 g1 + 4 g2 - 8 g3, 3 times the last.
 *
 * Transformed inputs are at most 100 * 255, transformed weights 7 * 7, 15 * 7 or 15 * 15 times 128: both fit int16 for
 * every model.
 */
typedef struct {
    scn_conv2d_t conv;
    scn_post_t post;
    scn_fused_add_t added;
    bool turned;
    int32_t pool_height;
    int32_t pool_width;
    int32_t blocks;
    const int8_t *packed;
    const int16_t *expanded;
    const scn_winograd_2d_channel_t *channels;
} scn_winograd_2d_t;

/*
 * A block: input tiles, tiles of outputs, and output channels whose products are computed together. "few" is for maps
 * of few tiles, or little scratch: two tiles, four output channels. Elsewhere four tiles, two channels. Where one axis
 * is in two parts the four tiles are two by two, and depend on three by two input tiles; where both are, on three by
 * three.
 */
#define SCN_WINOGRAD_2D_SLOTS 4
#define SCN_WINOGRAD_2D_FEW_SLOTS 2
#define SCN_WINOGRAD_2D_SLIDE_SLOTS 6
#define SCN_WINOGRAD_2D_BOTH_SLOTS 9
/* Scratch: transformed inputs of all blocks, sums of a block, where outputs go, the weights of a channel group where they are packed. */
#define SCN_WINOGRAD_2D_TILE_BYTES(blocks, slots, ic) ((blocks) * (slots) * (((ic) + 1) / 2) * 144)
#define SCN_WINOGRAD_2D_SUM_BYTES 1152
#define SCN_WINOGRAD_2D_PLACE_BYTES(blocks) ((blocks)*32)
#define SCN_WINOGRAD_2D_WEIGHT_SCRATCH_BYTES(channels, parts, ic) ((channels) * (parts) * (((ic) + 1) / 2) * 144)
#define SCN_WINOGRAD_2D_PACKED_BYTES(taps, ic, oc) (((oc) + 1) / 2 * (((ic) + 1) / 2) * (taps)*4)
/* channels: of a group, 2 or 4. */
#define SCN_WINOGRAD_2D_EXPANDED_BYTES(channels, parts, ic, oc)                                                        \
    (((oc) + (channels)-1) / (channels)*SCN_WINOGRAD_2D_WEIGHT_SCRATCH_BYTES(channels, parts, ic))

/* As stages of a segment; layer: scn_winograd_2d_t. Both axes have 3 taps; one has 5 to 7; both have. */
void scn_winograd_2d_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_2d_few_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_2d_slide_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_2d_both_rows(const void *layer, const scn_rows_t *rows);
/* The same with packed weights. */
void scn_winograd_2d_packed_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_2d_packed_few_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_2d_packed_slide_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_2d_packed_both_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* CONV_2D by Winograd's minimal filtering algorithms; scn_engine.h states what holds for all kernels. */
#ifndef SCN_WINOGRAD_CONV2D_H
#define SCN_WINOGRAD_CONV2D_H

#include "scn_conv2d.h"
#include "scn_stage_rows.h"
#include "scn_types.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * CONV_2D by F(4, 3) along an axis with 3 taps: 6 products for 4 outputs instead of 12, exact in integers; or by
 * F(2, 3), 4 products for 2 outputs. F(2, 3) takes less scratch, permits more taps, and suits maps that tiles of 4
 * would overhang too far. Figures of F(2, 3) stand in brackets below.
 *
 * Strides and dilations are 1, and there is one image. The other axis, the "slide", has at least two positions and up
 * to SCN_WINOGRAD_MOST_TAPS taps. conv.weights is not read, but packed or expanded.
 *
 * post      like scn_fused_conv2d_t.
 *
 * added     likewise; nothing where pool_height * pool_width > 1.
 *
 * across    whether the axis with 3 taps is the width, else it is the height.
 *
 * pool_*    1; or 2 where a MAX_POOL_2D with this window and stride, without padding, follows the post map: only the
 *           pooled output is stored. This requires |bias| + kernel_h * kernel_w * ic * 255 * 128 < 2^30 and shifts of
 *           -1 .. -20. A post map must then be monotone for each channel, and the activation clamp to INT8's bounds.
 *
 * rows      output rows that share transformed weights. Across: even, and on maps of up to four columns (two) a
 *           multiple of 4. Down: a multiple of 8 (4).
 *
 * part      pairs of input channels whose weights are transformed at a time, 1 .. (ic + 1) / 2; expanded: all.
 *
 * packed    int8, transformed at each call: [ceil(oc / 2)][ceil(ic / 2)][slide taps][3][2][2]. The last three axes: the
 *           tap along the axis; the input channel of a pair; the output channel of a pair. Input channels are paired
 *           within groups of four, the first with the third, the second with the fourth; a remaining two form a pair.
 *           Absent channels are 0. Python: scenelet.compiler.kernels.winograd_weights.
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
    scn_post_t post;
    scn_fused_add_t added;
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
/* Across: on narrow maps the second tile of a pair lies this many rows below the first; 0: to its right. */
#define SCN_WINOGRAD_TILE_OFFSET(outputs, width, rows) ((width) > (outputs) ? 0 : ((rows) + 3) / 4 * 2)
/* Input tiles along the slide axis. */
#define SCN_WINOGRAD_INPUT_TILES_ACROSS(outputs, width, rows, slide_taps)                                              \
    (((width) > (outputs) ? (rows) : SCN_WINOGRAD_TILE_OFFSET(outputs, width, rows)) + (slide_taps)-1)
/* Down: whether a map is so narrow that all output columns depend on all input columns, and so share input tiles. */
#define SCN_WINOGRAD_SHARED(width, slide_taps, pad_left)                                                               \
    ((width) <= 4 && (pad_left) >= ((width) + 1) / 2 * 2 - 1 && (slide_taps) >= (width) + (pad_left))
#define SCN_WINOGRAD_INPUT_TILES_DOWN(width, out_width, slide_taps, pad_left)                                          \
    (SCN_WINOGRAD_SHARED(width, slide_taps, pad_left) ? (width) : ((out_width) + 1) / 2 * 2 + (slide_taps)-1)
/*
 * Scratch, three parts: the transformed input tiles of `tile_pairs` (across: 1, down: rows / (2 * outputs)) and a
 * pixel; the weights of a part; the sums of all units, or of one if the part is all. A unit is a pair of tiles at a
 * pair of positions of the slide axis; there are tile_pairs times half the columns, or half the rows as far as the two
 * tiles lie apart.
 */
#define SCN_WINOGRAD_TILE_BYTES(outputs, tile_pairs, input_tiles, ic)                                                  \
    ((tile_pairs) * (input_tiles) * (((ic) + 1) / 2) * ((outputs) + 2) * 8 + ((ic) + 3) / 4 * 4)
#define SCN_WINOGRAD_WEIGHT_SCRATCH_BYTES(outputs, part, slide_taps) ((part) * (slide_taps) * ((outputs) + 2) * 8)
#define SCN_WINOGRAD_SUM_BYTES(outputs, units) ((units) * ((outputs) + 2) * 32)

/*
 * Like scn_conv2d_rows_s8. y, count and output are in pooled rows, and the rows of one call lie one after the other.
 * Fastest where count is a multiple of `rows`.
 */
void scn_winograd_f4x3_rows_s8(const scn_winograd_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                               const scn_row_ring_t *output, void *scratch);
void scn_winograd_f2x3_rows_s8(const scn_winograd_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                               const scn_row_ring_t *output, void *scratch);

/* As stages of a segment; layer: scn_winograd_t. */
void scn_winograd_f4x3_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_f2x3_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif

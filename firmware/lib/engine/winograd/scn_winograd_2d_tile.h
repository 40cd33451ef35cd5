/* SPDX-License-Identifier: MIT */
/*
 * The parts of Winograd's algorithms along two axes; private to the kernel. A tile has 6 inputs along either axis. The
 * transform domain has 36 planes, plane 6 * i + k of row i along the first axis and k along the second; they are
 * independent of one another. Input channels come in pairs, "steps". A word is a pair of int16.
 */
#ifndef SCN_WINOGRAD_2D_TILE_H
#define SCN_WINOGRAD_2D_TILE_H

#include "scn_winograd_2d.h"

enum { SCN_2D_SIDE = 6, SCN_2D_PLANES = 36, SCN_2D_UNIT = 8 };

/*
 * Where the inputs of a tile lie.
 * from        its first input, first channel; perhaps beside the map.
 * stride      bytes from one to the next along either axis.
 * first, end  the inputs along either axis that lie inside the map, others are the zero point.
 */
typedef struct {
    const int8_t *from;
    int32_t stride[2];
    int32_t first[2];
    int32_t end[2];
} scn_2d_inputs_t;

/*
 * Transform a tile.
 * zero         the zero point.
 * to           [plane][step]: the first word.
 * plane_words  from one plane to the next; step_words likewise.
 */
void scn_winograd_2d_input(const scn_2d_inputs_t *tile, int32_t channels, int32_t zero, uint32_t *to,
                           int32_t plane_words, int32_t step_words);

/*
 * Transform the weights of two output channels.
 * from         [steps][taps][input channel of the pair][output channel].
 * to           [plane][step][parts][output channel], parts as below; plane_words and step_words as above.
 */
void scn_winograd_2d_weights(const int8_t *from, int32_t steps, uint32_t *to, int32_t plane_words, int32_t step_words);
void scn_winograd_2d_weights_slide(const int8_t *from, int32_t steps, uint32_t *to, int32_t plane_words,
                                   int32_t step_words);
void scn_winograd_2d_weights_both(const int8_t *from, int32_t steps, uint32_t *to, int32_t plane_words,
                                  int32_t step_words);

/*
 * Dot products, plane by plane.
 * x      [plane][step][4] words of four tiles; or of output channels, for two tiles of w.
 *        Slide: [plane][step][3][2] input tiles. Both: [plane][step][3][3].
 * w      [plane][step][parts of the second axis][parts of the first][2].
 * sums   [plane][of w: 2][of x: 4].
 * steps  at least 2.
 */
typedef struct {
    const uint32_t *x;
    const uint32_t *w;
    int32_t *sums;
    int32_t steps;
} scn_2d_dot_t;

void scn_winograd_2d_dot(const scn_2d_dot_t *dot);
void scn_winograd_2d_dot_slide(const scn_2d_dot_t *dot);
void scn_winograd_2d_dot_both(const scn_2d_dot_t *dot);

/*
 * What a channel's outputs become before they are stored.
 * maps        whether there is an activation or a map.
 * table       middle of the map, or NULL; affine likewise.
 * middle      of the table of a fused ADD, or NULL; the other operand of an output lies `skip` bytes after its place.
 * low, high   the activation.
 */
typedef struct {
    bool maps;
    const int8_t *table;
    const scn_affine_map_t *affine;
    const int32_t *middle;
    int32_t multiplier;
    intptr_t skip;
    int32_t low;
    int32_t high;
} scn_2d_after_t;

/*
 * Where the outputs of a tile are stored: bytes from one to the next along either axis, after pooling, and whether two
 * are pooled. after: NULL where nothing follows.
 */
typedef struct {
    int8_t *to;
    int32_t stride[2];
    bool pool[2];
    const scn_2d_after_t *after;
} scn_2d_outputs_t;

/* Store `count` values in a line after what follows; they are overwritten. */
void scn_winograd_2d_follow(const scn_2d_after_t *after, int8_t *to, int32_t stride, int32_t *values, int count);

/* Transform sums back, pool and rescale them, and store all outputs of a tile: 4 x 4, 3 x 4 or 3 x 3 before pooling. */
void scn_winograd_2d_store_4x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                               const scn_2d_outputs_t *places);
void scn_winograd_2d_store_3x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                               const scn_2d_outputs_t *places);
void scn_winograd_2d_store_3x3(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                               const scn_2d_outputs_t *places);

#endif

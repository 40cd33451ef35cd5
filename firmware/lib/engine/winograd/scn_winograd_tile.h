/* SPDX-License-Identifier: MIT */
/*
 * The transforms of Winograd's F(4, 3) and F(2, 3); private to the kernel. A "tile" is four outputs (or two) along the
 * axis of three taps, and the six inputs (or four) that they depend on. The transform domain has as many planes as a
 * tile has inputs, which are independent of one another. Input channels come in pairs, "steps".
 */
#ifndef SCN_WINOGRAD_TILE_H
#define SCN_WINOGRAD_TILE_H

#include "scn_conv2d_output.h"
#include "scn_fixedpoint.h"
#include "scn_winograd_dot.h"

enum { SCN_TILES = 2, SCN_TILE_INPUTS = 6, SCN_TILE_OUTPUTS = 4, SCN_TILE_F2X3_OUTPUTS = 2 };

_Static_assert((int)SCN_TILE_INPUTS == (int)SCN_WINOGRAD_F4X3_PLANES, "one plane per input, two more than outputs");

/* One to three bytes as a quad whose even half is a whole pair; absent bytes become 0 once `offset` is added. */
uint32_t scn_load_some(const int8_t *from, int32_t count, uint32_t offset);

/*
 * Transform one input tile.
 * from      its pixels, each of `channels` values.
 * offset    minus the zero point, as a pair.
 * to        [step][plane], `step_words` and SCN_TILES words apart; a last odd channel's partner becomes 0.
 */
void scn_tile_input_f4x3(const int8_t *const *from, int32_t channels, uint32_t offset, uint32_t *to,
                         int32_t step_words);

/* Transform `count` pairs of channels and taps, from the order of scn_winograd_t.packed to that of its expanded. */
void scn_tile_weights_f4x3(const int8_t *from, int32_t count, uint32_t *to);

/*
 * Where the outputs of the four tiles of two positions are stored, and whether two outputs along the axis, or the two
 * positions, are pooled to their maximum first. Counts and strides are those of the stored outputs.
 */
typedef struct {
    int8_t *to;       /* the first output of the first tile, channel 0 */
    int32_t count[4]; /* [position][tile]: outputs to store, 0 .. those of a tile */
    int32_t stride;   /* from one output to the next, */
    int32_t tile_stride;
    int32_t position_stride;
    bool full; /* all tiles store all their outputs */
    bool pool_along;
    bool pool_slide;
} scn_tile_places_t;

/* Prepared parameters of an output channel. */
typedef struct {
    const scn_conv2d_output_t *output;
    int32_t channel;
    bool quick; /* sums and factor fit scn_requant_t: only then are the members below valid */
    bool whole_range;
    bool falling; /* larger sums give smaller outputs */
    int32_t twice_bias;
    scn_requant_t stage;
    const int8_t *table; /* middle of the channel's post map; NULL: affine, or none */
    const scn_affine_map_t *affine;
} scn_tile_channel_t;

scn_tile_channel_t scn_tile_channel(const scn_conv2d_output_t *output, int32_t channel);

/*
 * Transform the sums of the planes back and store the outputs. planes: [plane][channel of two][position][tile], from
 * this channel on. Pooled channels must be quick, and their post maps monotone.
 */
void scn_tile_store_f4x3(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places);

/* A kind of tile: its number of outputs, and its versions of the functions above. */
typedef struct {
    int32_t outputs;
    void (*input)(const int8_t *const *from, int32_t channels, uint32_t offset, uint32_t *to, int32_t step_words);
    void (*weights)(const int8_t *from, int32_t count, uint32_t *to);
    void (*dot)(const scn_winograd_dot_t *dot);
    void (*dot_shared)(const scn_winograd_dot_t *dot);
    void (*store)(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places);
} scn_tile_kind_t;

extern const scn_tile_kind_t scn_tile_f4x3; /* F(4, 3) */
extern const scn_tile_kind_t scn_tile_f2x3; /* F(2, 3) */

#endif

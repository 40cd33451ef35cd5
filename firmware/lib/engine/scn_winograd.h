/*
 * The transforms of Winograd's F(4, 3); private to the kernel. A "tile" is four outputs along the axis of three taps
 * and the six inputs that they see. Between the transforms lie six planes of products, independent of one another.
 */
#ifndef SCN_WINOGRAD_H
#define SCN_WINOGRAD_H

#include <stdbool.h>
#include <stdint.h>

enum { SCN_TILES = 4, SCN_TILE_INPUTS = 6, SCN_TILE_OUTPUTS = 4, SCN_PLANES = 6 };

/*
 * Transform one slot of one tile.
 * from      the six pixels, each of `channels` values.
 * offset    pair of minus the zero point.
 * to        [plane][two channels], `plane_words` and SCN_TILES words apart; absent channels of four become 0.
 */
void scn_tile_in(const int8_t *const *from, int32_t channels, uint32_t offset, uint32_t *to, int32_t plane_words);

/* Transform `count` fours of weights as scn_winograd_t.packed has them to planes like its expanded, in words. */
void scn_tile_weights(const int8_t *from, int32_t count, uint32_t *to);

/* From the planes' sums of one channel, stride 8, to the sums of four outputs, bias included. */
void scn_tile_out(const int32_t *plane, int32_t bias, int32_t *sum);

#endif

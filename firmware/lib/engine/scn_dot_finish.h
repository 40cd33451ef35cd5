/* Inner products of two output channels at many positions, rescaled and stored; private to the kernels. */
#ifndef SCN_DOT_FINISH_H
#define SCN_DOT_FINISH_H

#include "scn_segment.h"

/*
 * x            blocks of four positions, 4-byte aligned: for each pair of taps, one word of two int16 a position.
 * w            int16, 4-byte aligned: for each pair of taps, those of the first channel and those of the second.
 * block_bytes  of x: 16 * pairs of taps, at least 16.
 * finish       bias, bias, then multiplier, added, right of either channel: scn_finish.h.
 * post         the first channel's 256 output values, -128 first, then the second's; or NULL: scn_fused_conv2d_t.
 * to           position i's outputs go to to[i * step] and to[i * step + 1].
 */
typedef struct {
    const uint32_t *w;
    int32_t block_bytes;
    const uint32_t *x;
    const scn_finish_t *finish;
    int8_t *to;
    int32_t step;
    int32_t blocks;
    const int8_t *post;
} scn_dot_finish_t;

void scn_dot_finish(const scn_dot_finish_t *dot);

#endif

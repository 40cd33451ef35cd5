/* The inner product behind Winograd's convolution: two output channels at four tiles; private to the kernels. */
#ifndef SCN_DOT_WIDE_H
#define SCN_DOT_WIDE_H

#include <stdint.h>

/*
 * x       steps * 4 words, 4-byte aligned: for each pair of taps, one word of two int16 a tile.
 * w       steps * 2 words, 4-byte aligned: for each pair of taps, one word of two int16 an output channel.
 * steps   at least 1.
 * sum     out: 8 sums modulo 2^32; first channel's four tiles, then the second's.
 */
void scn_dot_wide_2x4(const uint32_t *x, const uint32_t *w, int32_t steps, int32_t *sum);

#endif

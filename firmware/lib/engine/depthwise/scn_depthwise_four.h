/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D of four neighbouring channels over a whole image; private to the kernel. */
#ifndef SCN_DEPTHWISE_FOUR_H
#define SCN_DEPTHWISE_FOUR_H

#include "scn_depthwise_conv2d.h"

/* Largest number of taps of a window. */
#define SCN_DEPTHWISE_MOST_TAPS 25

/* depth_multiplier must be 1, and the factors and sums of the four channels fit scn_apply. */
void scn_depthwise_four(const scn_depthwise_conv2d_t *layer, const int8_t *image, int8_t *output, int32_t channel);

#endif

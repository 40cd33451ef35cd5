/* SPDX-License-Identifier: MIT */
/* Outputs of four channels along one line; private to scn_depthwise_quads_s8.c. */
#ifndef SCN_DEPTHWISE_QUADS_RUN_H
#define SCN_DEPTHWISE_QUADS_RUN_H

#include <stdint.h>

/*
 * A position of x is two words: channels 0 and 2 in int16, then 1 and 3. Steps are in bytes.
 *
 * x          first tap of the first output.
 * constants  4 biases, the same again, weights of every tap ([row of taps][tap], in the order of x's channels), then for
 *            each channel multiplier, added and, unless in_two, right: scn_requantize_channel_t.
 * taps       of a row, 8 bytes each; rows of them.
 * tap_step   of x.
 * row_step   of x.
 * to         first output, 4-byte groups of int8.
 * to_step    from one output to the next.
 * outputs    at least 1; for pairs, an even number.
 * x_step     from one output to the next.
 * in_two     whether sums become INT8 in two instructions.
 */
typedef struct {
    const uint32_t *x;
    const uint32_t *constants;
    int32_t tap_bytes;
    int32_t rows;
    int32_t tap_step;
    int32_t row_step;
    int8_t *to;
    int32_t to_step;
    int32_t outputs;
    int32_t x_step;
    int32_t in_two;
} scn_depthwise_quads_run_t;

/* One output at a time. */
void scn_depthwise_quads_single(const scn_depthwise_quads_run_t *run);
/* Two outputs at a time, which share inputs: tap_step and x_step are 8. */
void scn_depthwise_quads_pairs(const scn_depthwise_quads_run_t *run);
/* Two outputs at a time: tap_step is 8, x_step 16. */
void scn_depthwise_quads_pairs_2(const scn_depthwise_quads_run_t *run);

/* Widen four channels of `count` positions, at least 1, `step` bytes apart. offset: added to both halves of each word. */
void scn_depthwise_quads_widen(uint32_t *to, const int8_t *from, int32_t step, int32_t count, uint32_t offset);

#endif

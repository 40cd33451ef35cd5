/* SPDX-License-Identifier: MIT */
/* From the bytes of a window to its scores: the one window of the product, as bytes on the wire, and its self-test. */
#ifndef SCN_CLASSIFIER_H
#define SCN_CLASSIFIER_H

#include "scn_selftest.h"

#if SCN_HAS_FRONTEND
/* Bytes of one sample on the wire, little endian. */
#define SCN_SAMPLE_BYTES (SCN_FRONTEND_SAMPLE_BITS / 8)
#else
/* A model without a front end: the device takes tensors only, and has no known answer. */
#define SCN_SAMPLE_BYTES 1
#endif

typedef enum {
    SCN_SELFTEST_PASS,
    SCN_SELFTEST_NONE,     /* no known answer */
    SCN_SELFTEST_FLASH,    /* the contents of flash differ from what was linked */
    SCN_SELFTEST_FEATURES, /* the front end computes other features */
    SCN_SELFTEST_SCORES,   /* the network computes other scores */
} scn_selftest_t;

/* Drop the unfinished window and set the mode of the next ones. A network with state starts anew with them, and keeps
 * its state from each to the next. */
void scn_classifier_begin(scn_input_mode_t mode);

/* Let a network with state start anew with the next decision, as after a pause in the audio. */
void scn_classifier_reset(void);

/* Take at most `count` bytes of the window, whole samples of audio. Returns how many were taken: fewer once the
 * window is complete. */
size_t scn_classifier_push(const uint8_t *bytes, size_t count);

/* Whether the window is complete. */
bool scn_classifier_complete(void);

/* Whether the complete window is silent; see scn_pipeline_silent. */
bool scn_classifier_silent(void);

/* Run the network on the complete window and begin the next one. Returns SCN_MODEL_OUTPUT_BYTES scores, which stay
 * valid until the next call. `observer` may be NULL. */
const int8_t *scn_classifier_decide(scn_observer_t observer, void *context);

/* Take the window of the last decision into the answer; see scn_pipeline_answer. */
const int8_t *scn_classifier_answer(void);

/* Begin the next window as scn_classifier_decide does, without running the network. */
void scn_classifier_skip(void);

/* Mean absolute value of the samples since the last window was complete, rounded down, in the front end's sample width;
 * 0 where there were none. */
uint32_t scn_classifier_loudness(void);

/* The network's input, SCN_MODEL_INPUT_BYTES, filled as far as samples have come. */
const int8_t *scn_classifier_input(void);

/* Whether it is still the complete input of the last decision, so that the network would give the same scores again. */
bool scn_classifier_input_held(void);

/* Position of the highest score of the first output; the first of equal ones. */
uint32_t scn_classifier_best(const int8_t *scores);

/* Check flash against its seal, the CRC-32 of everything that was linked; then the device against the known answer:
 * noise that it generates itself, features by CRC-32, scores one by one. A network in damaged flash is not run. Drops
 * the unfinished window. */
scn_selftest_t scn_classifier_selftest(void);

/* Compute the features of the known answer's window; drops the unfinished window. Without a front end the input is all
 * zero bytes. */
void scn_classifier_known_window(void);

/* The same, with calls after each hop of samples and at the end, to time them; no calls without a front end. */
void scn_classifier_known_hops(scn_hop_t hop, void *context);

#endif

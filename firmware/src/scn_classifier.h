/* SPDX-License-Identifier: MIT */
/* From a window's bytes to its scores: the front end, the network, and the memory that both share. */
#ifndef SCN_CLASSIFIER_H
#define SCN_CLASSIFIER_H

#include "scn_engine.h"
#include "scn_model.h"

#if __has_include("scn_frontend_tables.h")
#include "scn_frontend_tables.h"
#include "scn_known_answer.h"
#define SCN_HAS_FRONTEND 1
/* Bytes of one sample on the wire, little endian. */
#define SCN_SAMPLE_BYTES (SCN_FRONTEND_SAMPLE_BITS / 8)
#else
/* A model that came without one: the device takes tensors only, and has no known answer. */
#define SCN_HAS_FRONTEND 0
#define SCN_SAMPLE_BYTES 1
#endif

typedef enum {
    SCN_SELFTEST_PASS,
    SCN_SELFTEST_NONE,     /* no known answer */
    SCN_SELFTEST_FLASH,    /* flash does not hold what was linked */
    SCN_SELFTEST_FEATURES, /* the front end gives other features */
    SCN_SELFTEST_SCORES,   /* the network gives other scores */
} scn_selftest_t;

/* What a window is made of. */
typedef enum {
    SCN_INPUT_MODE_TENSOR, /* the network's INT8 input */
    SCN_INPUT_MODE_CLIPS,  /* samples, clip_samples of them; nothing of a window is in the next one */
    SCN_INPUT_MODE_LIVE, /* samples without end: on the continuous grid a window keeps the newest columns of the last one,
                         and one FFT a hop is all that is computed; on the "clip" grid as SCN_INPUT_MODE_CLIPS */
} scn_input_mode_t;

/* Forget the unfinished window, and say what follows. */
void scn_classifier_begin(scn_input_mode_t mode);

/* Take bytes of the window, whole samples of audio, at most `count`. Returns how many were taken; fewer where the
 * window is complete. */
size_t scn_classifier_push(const uint8_t *bytes, size_t count);

/* Whether the window is complete. */
bool scn_classifier_complete(void);

/* Run the network on the complete window and begin the next one. Returns SCN_MODEL_OUTPUT_BYTES scores, which stay
 * valid until the next call. `observer` may be NULL. */
const int8_t *scn_classifier_decide(scn_observer_t observer, void *context);

/* Begin the next window as scn_classifier_decide does, without running the network. */
void scn_classifier_skip(void);

/* Mean absolute value of the live samples since the last window was complete, rounded down; full scale is that of the
 * front end's width. 0 where nothing was heard. */
uint32_t scn_classifier_loudness(void);
/* The network's input, SCN_MODEL_INPUT_BYTES, as far as it has been filled. */
const int8_t *scn_classifier_input(void);

/* Whether it is still that of the last decision, whole; running the network again then gives the same scores. */
bool scn_classifier_input_held(void);

/* Position of the highest score; the first of equal ones. */
uint32_t scn_classifier_best(const int8_t *scores);

/* Hold the device to its seal, the CRC-32 of all that was linked, and to the known answer: noise that it makes itself,
 * features by CRC-32, scores one by one. What a damaged flash holds is not run. Drops the unfinished window. */
scn_selftest_t scn_classifier_selftest(void);

/* Make the known answer's window complete, up to its features; drops the unfinished window. Without a front end the
 * input is all zero bytes. */
void scn_classifier_known_window(void);

/* The same, with a call after every hop of samples and at the end, to be timed; none without a front end. */
typedef void (*scn_hop_t)(void *context);
void scn_classifier_known_hops(scn_hop_t hop, void *context);

#endif

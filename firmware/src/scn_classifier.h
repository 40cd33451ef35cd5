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

typedef enum { SCN_SELFTEST_PASS, SCN_SELFTEST_NONE, SCN_SELFTEST_FEATURES, SCN_SELFTEST_SCORES } scn_selftest_t;

/* Forget the unfinished window. `audio` true: samples follow; false: the network's INT8 input follows. */
void scn_classifier_begin(bool audio);

/* Take bytes of the window, whole samples of audio, at most `count`. Returns how many were taken; fewer where the
 * window is complete. */
size_t scn_classifier_push(const uint8_t *bytes, size_t count);

/* Whether the window is complete. */
bool scn_classifier_complete(void);

/* Run the network on the complete window and begin the next one. Returns SCN_MODEL_OUTPUT_BYTES scores, which stay
 * valid until the next call. `observer` may be NULL. */
const int8_t *scn_classifier_decide(scn_observer_t observer, void *context);

/* The network's input, SCN_MODEL_INPUT_BYTES, as far as it has been filled. */
const int8_t *scn_classifier_input(void);

/* Whether it is still that of the last decision, whole; running the network again then gives the same scores. */
bool scn_classifier_input_held(void);

/* Position of the highest score; the first of equal ones. */
uint32_t scn_classifier_best(const int8_t *scores);

/* Hold the device to the known answer: noise that it makes itself, features by CRC-32, scores one by one. Drops the
 * unfinished window. */
scn_selftest_t scn_classifier_selftest(void);

/* Make the known answer's window complete, up to its features; drops the unfinished window. Without a front end the
 * input is all zero bytes. */
void scn_classifier_known_window(void);

#endif

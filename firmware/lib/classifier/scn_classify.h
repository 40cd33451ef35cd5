/* SPDX-License-Identifier: MIT */
/* From audio samples to a label, in three calls:
 *
 *     static scn_classify_t ear;                      all memory, sizeof ear bytes
 *
 *     scn_classify_begin(&ear);
 *     scn_classify_push_s16(&ear, samples, count);    any count, as they come
 *     puts(scn_classify_read(&ear).label);
 *
 * Samples are mono, at SCN_FRONTEND_SAMPLE_RATE (scn_frontend_tables.h). Define SCN_MICROPHONE_HZ to your rate before this
 * header is included, and another rate of the model does not compile.
 *
 * The answer is that of the model's clip head for the last windows, where it has one, else that of the newest window.
 *
 * A window of samples takes the front end and the network once, a silent one the front end alone; windows follow one
 * another, or overlap as the model's front end says. Nothing is allocated, nothing is static: two classifiers hear two
 * microphones. Not for interrupts: a push may run the network. */
#ifndef SCN_CLASSIFY_H
#define SCN_CLASSIFY_H

#include "scn_decision.h"
#include "scn_pipeline.h"

#if !SCN_HAS_FRONTEND
#error "this model has no front end: export one that has, or name one with --frontend"
#endif

#if defined(SCN_MICROPHONE_HZ) && SCN_MICROPHONE_HZ != SCN_FRONTEND_SAMPLE_RATE
#error                                                                                                                 \
    "the model hears another sample rate than SCN_MICROPHONE_HZ: see SCN_FRONTEND_SAMPLE_RATE in scn_frontend_tables.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A classifier; the caller owns it. For reading only. */
typedef struct {
    scn_pipeline_t pipeline;
    scn_decision_t decision;
    uint32_t windows; /* decided since scn_classify_begin */
    bool silent;      /* the newest of them was silent */
} scn_classify_t;

/* What a classifier hears. */
typedef struct {
    const char *label; /* of the class; "unknown": no class reaches the rule's threshold, or no window is complete;
                          "silence": all windows so far were silent */
    int32_t index; /* of the class, in the order of scn_model_labels, or SCN_DECISION_UNKNOWN or SCN_DECISION_SILENT */
    uint8_t percent;  /* smoothed score of the class, 0 to 100: its probability where the network ends in SOFTMAX or
                          LOGISTIC; 0 for "unknown" and "silence" */
    uint32_t windows; /* decided so far, silent ones included; a new decision is there where it has grown */
    bool silent; /* the newest window was silent: the network did not run, and the answer is that of those before */
} scn_heard_t;

/* Forget everything, and decide without a rule: the highest score, never "unknown". */
void scn_classify_begin(scn_classify_t *classifier);

/* Forget everything, and decide by a rule: smoothing over windows, a margin for changes, a threshold for "unknown".
 * `scenelet device calibrate` finds one. */
void scn_classify_begin_by(scn_classify_t *classifier, scn_decision_rule_t rule);

/* Take samples of 16 bits, -32768 to 32767; any number. Runs the network for every window that they complete. Returns how
 * many were completed. */
uint32_t scn_classify_push_s16(scn_classify_t *classifier, const int16_t *samples, size_t count);

/* The same for samples of 24 bits in words, -2^23 to 2^23 - 1. Where the model hears 16 bits, they are rounded. */
uint32_t scn_classify_push_s24(scn_classify_t *classifier, const int32_t *samples, size_t count);

/* What is heard now. */
scn_heard_t scn_classify_read(const scn_classify_t *classifier);

#ifdef __cplusplus
}
#endif

#endif

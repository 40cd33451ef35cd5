/* SPDX-License-Identifier: MIT */
/* One window: samples or a tensor in, scores out; the front end, the network, and the memory that both share.
 *
 *   scn_pipeline_begin --> [collecting] --push--> complete --decide or skip--> [collecting] ...
 *
 * Compiled with the headers that `scenelet export` wrote, whose sizes it takes. Without a front end among them, windows
 * are tensors only. */
#ifndef SCN_PIPELINE_H
#define SCN_PIPELINE_H

#include "scn_engine.h"
#include "scn_model.h"

#include <stdbool.h>

#if defined(SCN_MODEL_INPUT_INT16) || defined(SCN_MODEL_INPUT0_INT16)
#error "features are INT8; run a model with an input of int16 by scn_model_run"
#elif defined(SCN_MODEL_OUTPUT_INT16) || defined(SCN_MODEL_OUTPUT0_INT16)
#error "scores are INT8; run a model with an output of int16 by scn_model_run"
#endif

#if __has_include("scn_frontend_tables.h")
#include "scn_clip.h"
#include "scn_frontend_tables.h"
#define SCN_HAS_FRONTEND 1
#else
#define SCN_HAS_FRONTEND 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a window is made of. */
typedef enum {
    SCN_INPUT_MODE_TENSOR, /* the network's INT8 input; several follow one another in the file's order */
    SCN_INPUT_MODE_CLIPS,  /* clip_samples samples; windows share nothing */
    /* Endless samples. On the continuous grid a window keeps the newest columns of the last one, and each hop takes one
     * FFT; on the "clip" grid like SCN_INPUT_MODE_CLIPS. */
    SCN_INPUT_MODE_LIVE,
} scn_input_mode_t;

/* Number of scores of the first output, which the labels belong to. */
#ifdef SCN_MODEL_OUTPUT_COUNT
#define SCN_PIPELINE_CLASSES SCN_MODEL_OUTPUT0_BYTES
#else
#define SCN_PIPELINE_CLASSES SCN_MODEL_OUTPUT_BYTES
#endif

/* State and all memory of one window; the caller owns it, and need not initialise it. For reading only. */
typedef struct {
    /* Front end and network never run at the same time, so they share memory. The features, which pass from one to
     * the other, lie outside it; so does the network's state, which the arena begins with. */
    union {
        uint8_t arena[SCN_MODEL_ARENA_BYTES];
        uint64_t aligned;
#if SCN_HAS_FRONTEND
        struct {
#ifdef SCN_MODEL_STATE_BYTES
            uint8_t state[SCN_MODEL_STATE_BYTES];
#endif
            int32_t work[SCN_FRONTEND_WORK_BYTES / sizeof(int32_t)];
            int32_t history[SCN_FRONTEND_HISTORY_BYTES / sizeof(int32_t)];
        } frontend;
#endif
    } memory;
#if SCN_HAS_FRONTEND
    scn_clip_t clip;
    uint64_t loud; /* sum of the absolute samples of `loud_count` */
    uint32_t loud_count;
#if SCN_FRONTEND_CONTINUOUS
    /* Samples that the next frame shares with the last one, saved while the network uses the memory of the history.
     * One word more than necessary, because frames may share nothing. */
    int32_t shared[SCN_FRONTEND_N_FFT - SCN_FRONTEND_HOP_LENGTH + 1];
#endif
#endif
    scn_input_mode_t mode;
    size_t filled;                         /* bytes of a tensor so far */
    int8_t input[SCN_MODEL_INPUT_BYTES];   /* the network's input, filled as far as samples have come */
    int8_t scores[SCN_MODEL_OUTPUT_BYTES]; /* of the last decision */
#ifdef SCN_MODEL_CLIP_WINDOWS
    /* The embeddings of the last windows that were not silent, and what the clip head says of them. */
    scn_clip_memory_t clip_memory;
    int8_t embedding[SCN_MODEL_CLIP_WIDTH]; /* of the last decision */
    int8_t embeddings[SCN_MODEL_CLIP_WINDOWS][SCN_MODEL_CLIP_WIDTH];
    uint16_t statistics[SCN_MODEL_CLIP_INPUTS];
    int32_t logits[SCN_PIPELINE_CLASSES];
    int8_t clip_scores[SCN_PIPELINE_CLASSES];
#endif
} scn_pipeline_t;

/* Drop the unfinished window and set the mode of the next ones. A network with state starts anew with them, and keeps
 * its state from each to the next. */
void scn_pipeline_begin(scn_pipeline_t *pipeline, scn_input_mode_t mode);

/* Let a network with state start anew with the next decision, as after a pause in the audio. */
void scn_pipeline_reset(scn_pipeline_t *pipeline);

/* Take at most `count` bytes of a tensor. Returns how many were taken: fewer once the window is complete. */
size_t scn_pipeline_push_tensor(scn_pipeline_t *pipeline, const uint8_t *bytes, size_t count);

/* Take one sample, in the front end's width. Returns whether it was taken: not once the window is complete. Always false
 * without a front end. */
bool scn_pipeline_push_sample(scn_pipeline_t *pipeline, int32_t sample);

/* Whether the window is complete. */
bool scn_pipeline_complete(const scn_pipeline_t *pipeline);

/* Whether the complete window is silent: every value of the network's input, INT8 in its own scale, is below
 * SCN_MODEL_SILENCE_LEVEL, which the model's metadata name. Always false for a tensor, and for a model without a level. */
bool scn_pipeline_silent(const scn_pipeline_t *pipeline);

/* Run the network on the complete window and begin the next one. Returns `scores`. `observer` may be NULL. */
const int8_t *scn_pipeline_decide(scn_pipeline_t *pipeline, scn_observer_t observer, void *context);

/* Take the window of the last decision, which was not silent, into the answer; once for each window. Returns the scores
 * to answer by, SCN_PIPELINE_CLASSES of them: those of the model's clip head for the last windows that were taken since
 * scn_pipeline_begin, or, where the model has none, those of the window. */
const int8_t *scn_pipeline_answer(scn_pipeline_t *pipeline);

/* Whether the model has a clip head. */
#ifdef SCN_MODEL_CLIP_WINDOWS
#define SCN_PIPELINE_HAS_CLIP_HEAD 1
#else
#define SCN_PIPELINE_HAS_CLIP_HEAD 0
#endif

/* Begin the next window as scn_pipeline_decide does, without running the network; one with state then starts anew. */
void scn_pipeline_skip(scn_pipeline_t *pipeline);

/* Mean absolute value of the samples since the last window was complete, rounded down, in the front end's sample width;
 * 0 where there were none. */
uint32_t scn_pipeline_loudness(const scn_pipeline_t *pipeline);

#ifdef __cplusplus
}
#endif

#endif

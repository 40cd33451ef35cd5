/* SPDX-License-Identifier: MIT */
#include "scn_pipeline.h"

#include <string.h>

#if SCN_HAS_FRONTEND
_Static_assert(SCN_FRONTEND_FEATURES_BYTES == SCN_MODEL_INPUT_BYTES, "the front end's features must fill the input");

static void begin_audio(scn_pipeline_t *pipeline) {
    pipeline->loud = pipeline->loud_count = 0;
    scn_clip_begin(&pipeline->clip, &scn_frontend_tables, pipeline->memory.frontend.history,
                   pipeline->memory.frontend.work, pipeline->input);
}

/* A live window is complete with its last column: samples after it, up to the length of a clip, belong to no column. */
static bool audio_complete(const scn_pipeline_t *pipeline) {
    return SCN_FRONTEND_CONTINUOUS && pipeline->mode == SCN_INPUT_MODE_LIVE ? scn_clip_ready(&pipeline->clip)
                                                                            : scn_clip_done(&pipeline->clip);
}

#if SCN_FRONTEND_CONTINUOUS
static void save_history(scn_pipeline_t *pipeline) {
    memcpy(pipeline->shared, pipeline->memory.frontend.history, pipeline->clip.filled * sizeof *pipeline->shared);
}

static void slide(scn_pipeline_t *pipeline) {
    pipeline->loud = pipeline->loud_count = 0;
    memcpy(pipeline->memory.frontend.history, pipeline->shared, pipeline->clip.filled * sizeof *pipeline->shared);
    scn_clip_slide(&pipeline->clip, SCN_FRONTEND_SLIDE);
}
#else
static void save_history(scn_pipeline_t *pipeline) {
    (void)pipeline;
}

static void slide(scn_pipeline_t *pipeline) {
    begin_audio(pipeline);
}
#endif

bool scn_pipeline_push_sample(scn_pipeline_t *pipeline, int32_t sample) {
    while (!audio_complete(pipeline)) {
        if (scn_clip_push(&pipeline->clip, &sample, 1) == 1) {
            pipeline->loud += (uint32_t)(sample < 0 ? -sample : sample);
            pipeline->loud_count++;
            return true;
        }
    }
    return false;
}

uint32_t scn_pipeline_loudness(const scn_pipeline_t *pipeline) {
    return pipeline->loud_count ? (uint32_t)(pipeline->loud / pipeline->loud_count) : 0u;
}
#else
static void begin_audio(scn_pipeline_t *pipeline) {
    (void)pipeline;
}

static bool audio_complete(const scn_pipeline_t *pipeline) {
    (void)pipeline;
    return false;
}

static void save_history(scn_pipeline_t *pipeline) {
    (void)pipeline;
}

static void slide(scn_pipeline_t *pipeline) {
    (void)pipeline;
}

bool scn_pipeline_push_sample(scn_pipeline_t *pipeline, int32_t sample) {
    (void)pipeline;
    (void)sample;
    return false;
}

uint32_t scn_pipeline_loudness(const scn_pipeline_t *pipeline) {
    (void)pipeline;
    return 0;
}
#endif

#ifdef SCN_MODEL_SILENCE_LEVEL
bool scn_pipeline_silent(const scn_pipeline_t *pipeline) {
    if (pipeline->mode == SCN_INPUT_MODE_TENSOR) {
        return false;
    }
    for (size_t i = 0; i < sizeof pipeline->input; i++) {
        if (pipeline->input[i] >= SCN_MODEL_SILENCE_LEVEL) {
            return false;
        }
    }
    return true;
}
#else
bool scn_pipeline_silent(const scn_pipeline_t *pipeline) {
    (void)pipeline;
    return false;
}
#endif

static void begin_window(scn_pipeline_t *pipeline) {
    pipeline->filled = 0;
    begin_audio(pipeline);
}

void scn_pipeline_reset(scn_pipeline_t *pipeline) {
    scn_model_reset(&scn_model, pipeline->memory.arena);
}

#ifdef SCN_MODEL_CLIP_WINDOWS
static void begin_clip(scn_pipeline_t *pipeline) {
    pipeline->clip_memory.embeddings = pipeline->embeddings[0];
    pipeline->clip_memory.statistics = pipeline->statistics;
    pipeline->clip_memory.logits = pipeline->logits;
    scn_clip_head_reset(&pipeline->clip_memory);
}

typedef struct {
    scn_pipeline_t *pipeline;
    scn_observer_t observer;
    void *context;
} scn_watch_t;

/* Copy the embedding, which later steps overwrite, then call the caller's observer. */
static void watch(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *arena) {
    const scn_watch_t *watched = context;
    if (step == &model->steps[scn_model_clip_head.step]) {
        memcpy(watched->pipeline->embedding, arena + scn_model_clip_head.offset, SCN_MODEL_CLIP_WIDTH);
    }
    if (watched->observer) {
        watched->observer(watched->context, model, step, arena);
    }
}

static void run_model(scn_pipeline_t *pipeline, scn_observer_t observer, void *context) {
    scn_watch_t watched = {pipeline, observer, context};
    scn_model_run(&scn_model, pipeline->memory.arena, watch, &watched);
}

const int8_t *scn_pipeline_answer(scn_pipeline_t *pipeline) {
    scn_clip_head_push(&scn_model_clip_head, &pipeline->clip_memory, pipeline->embedding, pipeline->clip_scores);
    return pipeline->clip_scores;
}
#else
static void begin_clip(scn_pipeline_t *pipeline) {
    (void)pipeline;
}

static void run_model(scn_pipeline_t *pipeline, scn_observer_t observer, void *context) {
    scn_model_run(&scn_model, pipeline->memory.arena, observer, context);
}

const int8_t *scn_pipeline_answer(scn_pipeline_t *pipeline) {
    return pipeline->scores;
}
#endif

void scn_pipeline_begin(scn_pipeline_t *pipeline, scn_input_mode_t mode) {
    pipeline->mode = mode;
    begin_clip(pipeline);
    scn_pipeline_reset(pipeline);
    begin_window(pipeline);
}

size_t scn_pipeline_push_tensor(scn_pipeline_t *pipeline, const uint8_t *bytes, size_t count) {
    const size_t rest = sizeof pipeline->input - pipeline->filled, taken = count < rest ? count : rest;
    memcpy(pipeline->input + pipeline->filled, bytes, taken);
    pipeline->filled += taken;
    return taken;
}

bool scn_pipeline_complete(const scn_pipeline_t *pipeline) {
    return pipeline->mode == SCN_INPUT_MODE_TENSOR ? pipeline->filled == sizeof pipeline->input
                                                   : audio_complete(pipeline);
}

static void next_window(scn_pipeline_t *pipeline) {
    if (pipeline->mode == SCN_INPUT_MODE_LIVE) {
        slide(pipeline);
    } else {
        begin_window(pipeline);
    }
}

void scn_pipeline_skip(scn_pipeline_t *pipeline) {
    save_history(pipeline);
    scn_pipeline_reset(pipeline);
    next_window(pipeline);
}

const int8_t *scn_pipeline_decide(scn_pipeline_t *pipeline, scn_observer_t observer, void *context) {
    save_history(pipeline);
    scn_model_put_inputs(&scn_model, pipeline->memory.arena, pipeline->input);
    run_model(pipeline, observer, context);
    scn_model_get_outputs(&scn_model, pipeline->memory.arena, pipeline->scores);
    next_window(pipeline);
    return pipeline->scores;
}

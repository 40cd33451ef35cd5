/* SPDX-License-Identifier: MIT */
/* Nothing for a model without a front end: the product takes tensors then, and what includes scn_classify.h is told. */
#if __has_include("scn_frontend_tables.h")
#include "scn_classify.h"

_Static_assert(SCN_FRONTEND_SAMPLE_BITS == 16 || SCN_FRONTEND_SAMPLE_BITS == 24, "samples have 16 or 24 bits");

#define EVERY_WINDOW 256u /* the newest window's share of the level: all of it */

void scn_classify_begin(scn_classify_t *classifier) {
    const scn_decision_rule_t newest = {EVERY_WINDOW, 0, 0};
    scn_classify_begin_by(classifier, newest);
}

void scn_classify_begin_by(scn_classify_t *classifier, scn_decision_rule_t rule) {
    classifier->windows = 0;
    classifier->silent = false;
    scn_decision_begin(&classifier->decision, rule, SCN_PIPELINE_CLASSES);
    scn_pipeline_begin(&classifier->pipeline, SCN_INPUT_MODE_LIVE);
}

/* Take one sample of the model's width; returns 1 where it completes a window. */
static uint32_t hear(scn_classify_t *classifier, int32_t sample) {
    scn_pipeline_push_sample(&classifier->pipeline, sample);
    if (!scn_pipeline_complete(&classifier->pipeline)) {
        return 0;
    }
    classifier->silent = scn_pipeline_silent(&classifier->pipeline);
    if (classifier->silent) {
        scn_pipeline_skip(&classifier->pipeline);
        scn_decision_push_silence(&classifier->decision);
    } else {
        scn_pipeline_decide(&classifier->pipeline, NULL, NULL);
        scn_decision_push(&classifier->decision, scn_pipeline_answer(&classifier->pipeline));
    }
    classifier->windows++;
    return 1;
}

uint32_t scn_classify_push_s16(scn_classify_t *classifier, const int16_t *samples, size_t count) {
    uint32_t windows = 0;
    for (size_t i = 0; i < count; i++) {
        windows += hear(classifier, samples[i] * (1 << (SCN_FRONTEND_SAMPLE_BITS - 16)));
    }
    return windows;
}

static int32_t of_24_bits(int32_t sample) {
#if SCN_FRONTEND_SAMPLE_BITS == 16
    const int32_t rounded = (sample + 128) >> 8;
    return rounded > INT16_MAX ? INT16_MAX : rounded;
#else
    return sample;
#endif
}

uint32_t scn_classify_push_s24(scn_classify_t *classifier, const int32_t *samples, size_t count) {
    uint32_t windows = 0;
    for (size_t i = 0; i < count; i++) {
        windows += hear(classifier, of_24_bits(samples[i]));
    }
    return windows;
}

scn_heard_t scn_classify_read(const scn_classify_t *classifier) {
    const scn_decision_t *decision = &classifier->decision;
    scn_heard_t heard = {decision->held == SCN_DECISION_SILENT ? "silence" : "unknown", decision->held, 0,
                         classifier->windows, classifier->silent};
    if (decision->held >= 0) {
        heard.label = scn_model_labels[decision->held];
        heard.percent = (uint8_t)((decision->level[decision->held] * 100 + 32768) / 65536);
    }
    return heard;
}
#endif

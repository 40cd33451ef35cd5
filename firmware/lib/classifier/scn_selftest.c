/* SPDX-License-Identifier: MIT */
#include "scn_selftest.h"

#if SCN_HAS_FRONTEND
#include <string.h>

_Static_assert(SCN_KNOWN_ANSWER_SCORE_COUNT == SCN_MODEL_OUTPUT_BYTES, "the known answer is of another model");

static uint32_t xorshift32(uint32_t state) {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^ state << 5;
}

static void ignore_hop(void *context) {
    (void)context;
}

void scn_selftest_window(scn_pipeline_t *pipeline, scn_hop_t hop, void *context) {
    const scn_hop_t each = hop ? hop : ignore_hop;
    uint32_t pushed = 0;
    scn_pipeline_begin(pipeline, SCN_INPUT_MODE_CLIPS);
    for (uint32_t state = xorshift32(SCN_KNOWN_ANSWER_SEED);
         scn_pipeline_push_sample(pipeline, (int32_t)state >> (32 - SCN_FRONTEND_SAMPLE_BITS));
         state = xorshift32(state)) {
        if (++pushed % SCN_FRONTEND_HOP_LENGTH == 0) {
            each(context);
        }
    }
    each(context); /* the remaining samples, and the columns that the end of the clip completes */
}

bool scn_selftest_passes(scn_pipeline_t *pipeline) {
    scn_selftest_window(pipeline, NULL, NULL);
    const int8_t *scores = scn_pipeline_decide(pipeline, NULL, NULL);
    return memcmp(scores, scn_known_answer_scores, sizeof pipeline->scores) == 0;
}
#endif

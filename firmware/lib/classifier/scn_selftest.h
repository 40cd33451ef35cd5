/* SPDX-License-Identifier: MIT */
/* The known answer: noise that a device makes itself, and the scores that the model must give for it. */
#ifndef SCN_SELFTEST_H
#define SCN_SELFTEST_H

#include "scn_pipeline.h"

/* Called between two parts of the known window. */
typedef void (*scn_hop_t)(void *context);

#if SCN_HAS_FRONTEND

#include "scn_known_answer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fill a pipeline with the known window; its unfinished window is dropped. `hop`, unless NULL, is called after each hop
 * of samples and at the end. */
void scn_selftest_window(scn_pipeline_t *pipeline, scn_hop_t hop, void *context);

/* Run the known window; whether every score is the known one. */
bool scn_selftest_passes(scn_pipeline_t *pipeline);

#ifdef __cplusplus
}
#endif

#endif

#endif

/* SPDX-License-Identifier: MIT */
/* The decision rule over windows: scores are smoothed over time, changes need a margin, and the answer is "unknown"
 * where no class reaches the threshold. Integers only; python/scenelet/evaluation/decision.py computes the same. */
#ifndef SCN_DECISION_H
#define SCN_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCN_DECISION_CLASSES 256u /* at most; of a model with more, only the first 256 are considered */
#define SCN_DECISION_UNKNOWN (-1)
#define SCN_DECISION_SILENT (-2) /* nothing but silent windows so far */

/* A score counts from 0 (INT8 -128) to 255. */
typedef struct {
    uint16_t share;    /* weight of the newest window in the level, 1 to 256 of 256; 256: no smoothing */
    uint8_t margin;    /* the held class stays while no other is more than this above it */
    uint8_t threshold; /* no class is held below it, minus `margin` for the held one; 0: never unknown */
} scn_decision_rule_t;

typedef struct {
    scn_decision_rule_t rule;
    uint32_t classes;
    int32_t level[SCN_DECISION_CLASSES]; /* smoothed scores, 1/256 */
    int32_t held;                        /* the held class, or SCN_DECISION_UNKNOWN, or SCN_DECISION_SILENT */
    bool begun;
} scn_decision_t;

/* Forget all windows. */
void scn_decision_begin(scn_decision_t *decision, scn_decision_rule_t rule, uint32_t classes);

/* Take the INT8 scores of a window; returns the held class, or SCN_DECISION_UNKNOWN. */
int32_t scn_decision_push(scn_decision_t *decision, const int8_t *scores);

/* Take a silent window: levels and held class stay, so it has no part in the decision. Returns the held class, or
 * SCN_DECISION_UNKNOWN, or SCN_DECISION_SILENT where there was no other window since scn_decision_begin. */
int32_t scn_decision_push_silence(scn_decision_t *decision);

#ifdef __cplusplus
}
#endif

#endif

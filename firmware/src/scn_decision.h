/* SPDX-License-Identifier: MIT */
/* From scores of windows to what is said: smoothed over time, slow to change its mind, and "unknown" where no class is
 * sure enough. Integers only; python/scenelet/evaluation/decision.py is the same. */
#ifndef SCN_DECISION_H
#define SCN_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#define SCN_DECISION_CLASSES 256u /* at most; a model with more is decided by its first 256 */
#define SCN_DECISION_UNKNOWN (-1)

/* A score counts from 0 (INT8 -128) to 255. */
typedef struct {
    uint16_t share;    /* of the newest window in the level, 1 to 256 of 256; 256: no smoothing */
    uint8_t margin;    /* a class in charge stays as long as no other is more than this above it */
    uint8_t threshold; /* below it nobody takes charge; who has it loses it `margin` further down; 0: never unknown */
} scn_decision_rule_t;

typedef struct {
    scn_decision_rule_t rule;
    uint32_t classes;
    int32_t level[SCN_DECISION_CLASSES]; /* smoothed scores, 1/256 */
    int32_t held;                        /* class in charge, or SCN_DECISION_UNKNOWN */
    bool begun;
} scn_decision_t;

/* Forget all windows. */
void scn_decision_begin(scn_decision_t *decision, scn_decision_rule_t rule, uint32_t classes);

/* Take a window's INT8 scores; returns the class in charge, or SCN_DECISION_UNKNOWN. */
int32_t scn_decision_push(scn_decision_t *decision, const int8_t *scores);

#endif

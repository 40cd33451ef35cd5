/* SPDX-License-Identifier: MIT */
#include "scn_decision.h"

void scn_decision_begin(scn_decision_t *decision, scn_decision_rule_t rule, uint32_t classes) {
    decision->rule = rule;
    decision->classes = classes < SCN_DECISION_CLASSES ? classes : SCN_DECISION_CLASSES;
    decision->held = SCN_DECISION_UNKNOWN;
    decision->begun = false;
}

static void smooth(scn_decision_t *decision, const int8_t *scores) {
    for (uint32_t i = 0; i < decision->classes; i++) {
        const int32_t newest = (scores[i] + 128) * 256;
        int32_t *level = &decision->level[i];
        /* Divided towards zero, which is the same everywhere. */
        *level = decision->begun ? *level + (newest - *level) * decision->rule.share / 256 : newest;
    }
    decision->begun = true;
}

int32_t scn_decision_push(scn_decision_t *decision, const int8_t *scores) {
    const int32_t margin = decision->rule.margin * 256, threshold = decision->rule.threshold * 256;
    int32_t best = 0;
    smooth(decision, scores);
    for (int32_t i = 1; i < (int32_t)decision->classes; i++) {
        best = decision->level[i] > decision->level[best] ? i : best;
    }
    if (decision->held >= 0) {
        const int32_t defended = decision->level[decision->held] + margin;
        if (defended >= decision->level[best] && defended >= threshold) {
            return decision->held;
        }
    }
    decision->held = decision->level[best] >= threshold ? best : SCN_DECISION_UNKNOWN;
    return decision->held;
}

int32_t scn_decision_push_silence(scn_decision_t *decision) {
    if (!decision->begun) {
        decision->held = SCN_DECISION_SILENT;
    }
    return decision->held;
}

/* SPDX-License-Identifier: MIT */
#include "scn_results.h"

#include "scn_commands.h"
#include "scn_decision.h"
#include "scn_port.h"
#include "scn_report.h"

#include <string.h>

static uint32_t windows;
static const int8_t *last_scores; /* of window `windows - 1`; NULL where it has none */
static scn_decision_t decision;
static SCN_PORT_SETTING bool rule_in_use; /* "decide" has set the rule of `decision` */
static SCN_PORT_SETTING uint32_t gate;    /* loudness below which live windows are not classified; 0: all are */

void scn_results_begin(scn_input_mode_t mode) {
    windows = 0;
    last_scores = NULL;
    scn_decision_begin(&decision, decision.rule, SCN_MODEL_OUTPUT_BYTES);
    scn_classifier_begin(mode);
    scn_port_led(false);
}

void scn_results_skip_gap(void) {
    scn_classifier_begin(SCN_INPUT_MODE_LIVE);
}

void scn_results_forget(void) {
    last_scores = NULL;
    scn_port_led(false);
}

uint32_t scn_results_count(void) {
    return windows;
}

/* A silent window has scores as well, for the host that waits for them; the rule does not take them. */
static void decide(void) {
    const bool silent = scn_classifier_silent();
    bool answered = !silent;
    last_scores = scn_classifier_decide(NULL, NULL);
    const int8_t *answer = last_scores;
    if (silent) {
        scn_report_silent(windows);
    } else {
        answer = scn_classifier_answer();
    }
    if (SCN_PIPELINE_HAS_CLIP_HEAD && !silent) {
        scn_report_clip(windows, answer);
    }
    if (rule_in_use) {
        const int32_t held = silent ? scn_decision_push_silence(&decision) : scn_decision_push(&decision, answer);
        answered = answered && held >= 0;
        scn_report_heard(windows, held);
    }
    scn_report_decision(windows++, last_scores);
    scn_port_led(answered);
}

static void skip(void) {
    scn_classifier_skip();
    last_scores = NULL;
    scn_port_led(false);
}

void scn_results_take(const uint8_t *bytes, size_t count, void (*decided)(void)) {
    for (size_t taken = 0; taken < count;) {
        taken += scn_classifier_push(bytes + taken, count - taken);
        if (!scn_classifier_complete()) {
            continue;
        }
        const uint32_t loudness = scn_classifier_loudness();
        if (!decided && loudness < gate) {
            skip();
            scn_report_quiet(windows++, loudness);
            continue;
        }
        if (!decided && scn_classifier_silent()) {
            skip();
            scn_report_silent(windows++);
            continue;
        }
        decide();
        if (decided) {
            decided();
        }
    }
}

void scn_results_repeat(void) {
    if (last_scores) {
        scn_report_decision(windows - 1u, last_scores);
    } else {
        scn_report_error("no decision yet", "last");
    }
}

/* "decide SHARE MARGIN THRESHOLD", or "decide off". */
static void dispatch_rule(const char *line, const char *rest) {
    if (strcmp(rest, "off") == 0) {
        rule_in_use = false;
        scn_report_rule(NULL);
        return;
    }
    const uint32_t share = scn_command_number(&rest), margin = scn_command_number(&rest);
    const uint32_t threshold = scn_command_number(&rest);
    if (share < 1u || share > 256u || margin > 255u || threshold > 255u || *rest) {
        scn_report_error("decide takes 1..256 0..255 0..255, or off", line);
        return;
    }
    const scn_decision_rule_t rule = {(uint16_t)share, (uint8_t)margin, (uint8_t)threshold};
    scn_decision_begin(&decision, rule, SCN_MODEL_OUTPUT_BYTES);
    rule_in_use = true;
    scn_report_rule(&rule);
}

/* "gate LOUDNESS", or "gate off". */
static void dispatch_gate(const char *line, const char *rest) {
    const bool off = strcmp(rest, "off") == 0;
    const uint32_t loudness = off ? 0u : scn_command_number(&rest);
    if (loudness == SCN_NO_NUMBER || (!off && *rest)) {
        scn_report_error("gate takes a number of at most six digits, or off", line);
        return;
    }
    gate = loudness;
    scn_report_gate(gate);
}

bool scn_results_command(const char *line) {
    const char *rule = scn_command_rest(line, "decide"), *loudness = scn_command_rest(line, "gate");
    if (rule) {
        dispatch_rule(line, rule);
    } else if (loudness) {
        dispatch_gate(line, loudness);
    }
    return rule || loudness;
}

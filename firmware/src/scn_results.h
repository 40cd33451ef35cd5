/* SPDX-License-Identifier: MIT */
/* Windows as they become complete, and what is said of each: its decision, what the rule over windows makes of it, and
 * the LED, which is lit while the last window has an answer. */
#ifndef SCN_RESULTS_H
#define SCN_RESULTS_H

#include "scn_classifier.h"

/* Forget all windows, which are counted from 0 again, and say what follows; rule and gate stay. */
void scn_results_begin(scn_input_mode_t mode);

/* Samples are missing: the window that they were for is forgotten, and counting goes on. */
void scn_results_skip_gap(void);

/* The network's memory was used for something else: no decision can be repeated, and the LED is dark. */
void scn_results_forget(void);

/* Windows since scn_results_begin. */
uint32_t scn_results_count(void);

/* Take bytes of windows. `decided` is called after every decision; NULL for the microphone, to whose windows alone the
 * gate applies: a host waits for every decision. */
void scn_results_take(const uint8_t *bytes, size_t count, void (*decided)(void));

/* Say the last decision again. */
void scn_results_repeat(void);

/* Obey "decide .." or "gate ..", and answer; false where the line is neither. */
bool scn_results_command(const char *line);

#endif

/* SPDX-License-Identifier: MIT */
/* Results of windows as they become complete: the decision, the result of the rule over windows, and the LED, which
 * is lit while the last window has an answer. */
#ifndef SCN_RESULTS_H
#define SCN_RESULTS_H

#include "scn_classifier.h"

/* Forget all windows, count from 0 again, and set the mode of the next ones; rule and gate stay. */
void scn_results_begin(scn_input_mode_t mode);

/* Samples are missing: drop the window that they were for; counting continues. */
void scn_results_skip_gap(void);

/* To be called where the network's memory is used for something else: no decision can be repeated; the LED is off. */
void scn_results_forget(void);

/* Windows since scn_results_begin. */
uint32_t scn_results_count(void);

/* Take bytes of windows. `decided` is called after every decision; it is NULL for the microphone. Gate and
 * silence spare the network for the microphone only: a host waits for every decision. */
void scn_results_take(const uint8_t *bytes, size_t count, void (*decided)(void));

/* Print the last decision again. */
void scn_results_repeat(void);

/* Execute and answer "decide .." or "gate .."; false where the line is neither. */
bool scn_results_command(const char *line);

#endif

/* SPDX-License-Identifier: MIT */
/* Everything that the device prints: lines of text for people, with checksums for machines. docs/PROTOCOL.md lists them
 * all. */
#ifndef SCN_REPORT_H
#define SCN_REPORT_H

#include "scn_classifier.h"
#include "scn_decision.h"

/* After every answer, and after boot: the device waits for commands. */
void scn_report_ready(void);

/* Version, board, clock. */
void scn_report_boot(void);

/* The end of initialization, in the words that MLPerf Tiny's runner waits for. */
void scn_report_initialized(void);

/* The crash that ended the previous run; nothing where there was none. */
void scn_report_crash(void);

/* Checks and errors since the start, then the crash that ended the previous run, if there was one. */
void scn_report_health(uint32_t dropped_bytes);

void scn_report_selftest(scn_selftest_t result);

/* Model, front end, memory, and parameters of the link. */
void scn_report_info(uint32_t ring_bytes, uint32_t credit, uint32_t dropped_bytes);

/* One line per label, in the order of the scores. */
void scn_report_labels(void);

/* `window` counts from 0 since the session's START. */
void scn_report_decision(uint32_t window, const int8_t *scores);

/* What the clip head says of the last windows: `scores` of the classes. */
void scn_report_clip(uint32_t window, const int8_t *scores);

/* The result of the rule over windows; `held` is a class, SCN_DECISION_UNKNOWN or SCN_DECISION_SILENT. */
void scn_report_heard(uint32_t window, int32_t held);

/* A window that is silent by the model's level. */
void scn_report_silent(uint32_t window);

/* A window that was too quiet to classify, and its loudness. */
void scn_report_quiet(uint32_t window, uint32_t loudness);

/* The loudness below which windows are not classified; 0: all are. */
void scn_report_gate(uint32_t loudness);

/* Whether the microphone runs. */
void scn_report_listen(bool on);

/* Samples were lost before this window. */
void scn_report_gap(uint32_t window);

/* The rule over windows; NULL: there is none. */
void scn_report_rule(const scn_decision_rule_t *rule);

/* Why a line was not executed, `e-[problem: line]`. */
void scn_report_error(const char *problem, const char *line);

/* The input of the last decision, byte by byte; an error where it is no longer complete. */
void scn_report_features(void);

/* Run the network on that input again and print the CRC-32 of every tensor that a step writes. */
void scn_report_checksums(void);

/* A session that was opened or ended by a command; `windows` were decided in it. */
void scn_report_stream(bool on, uint32_t windows);

/* Time the front end and the network on the known window, step by step, in processor cycles. In the emulator a cycle
 * is emulated time. */
void scn_report_bench(void);

#endif

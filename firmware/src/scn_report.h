/* SPDX-License-Identifier: MIT */
/* What the device says: one line of text each, made for people, with a checksum for machines. docs/PROTOCOL.md lists
 * them all. */
#ifndef SCN_REPORT_H
#define SCN_REPORT_H

#include "scn_classifier.h"
#include "scn_decision.h"

/* After every answer, and after boot: the device listens. */
void scn_report_ready(void);

/* Version, board, clock. */
void scn_report_boot(void);

/* That everything is set up, in the words that MLPerf Tiny's runner waits for. */
void scn_report_initialized(void);

/* The crash that ended the run before this one; nothing where there was none. */
void scn_report_crash(void);

void scn_report_selftest(scn_selftest_t result);

/* What the device holds, what it costs, and what the link carries. */
void scn_report_info(uint32_t ring_bytes, uint32_t credit, uint32_t dropped_bytes);

/* One line a label, in the order of the scores. */
void scn_report_labels(void);

/* `window` counts from 0 since the session's START. */
void scn_report_decision(uint32_t window, const int8_t *scores);

/* What the rule makes of the windows so far; `held` is a class, or SCN_DECISION_UNKNOWN. */
void scn_report_heard(uint32_t window, int32_t held);

/* A window that was too quiet for the network, and how loud it was. */
void scn_report_quiet(uint32_t window, uint32_t loudness);

/* The loudness below which windows are quiet; 0: none is. */
void scn_report_gate(uint32_t loudness);

/* Whether the microphone is heard. */
void scn_report_listen(bool on);

/* Samples were lost before this window. */
void scn_report_gap(uint32_t window);

/* The rule; NULL: there is none. */
void scn_report_rule(const scn_decision_rule_t *rule);

/* Why a line was not obeyed, `e-[problem: line]`. */
void scn_report_error(const char *problem, const char *line);

/* The input of the last decision, byte by byte; an error where it is no longer whole. */
void scn_report_features(void);

/* Run the network on that input again, and tell the CRC-32 of every tensor that a step has written. */
void scn_report_checksums(void);

/* A session that was opened or ended by hand; `windows` were decided in it. */
void scn_report_stream(bool on, uint32_t windows);

/* Time the front end and the network on the known window, step by step, in processor cycles. In the emulator a cycle
 * is emulated time. */
void scn_report_bench(void);

#endif

/* SPDX-License-Identifier: MIT */
/* The text commands: numbers, names and help come from one list. */
#ifndef SCN_COMMANDS_H
#define SCN_COMMANDS_H

#include <stdint.h>

#define SCN_COMMANDS(X)                                                                                                \
    X(INFO, "info", "what the device holds, and what it costs")                                                        \
    X(LABELS, "labels", "the classes, in the order of the scores")                                                     \
    X(LAST, "last", "the last decision again")                                                                         \
    X(FEATURES, "features", "the network's input in the last decision or test")                                        \
    X(CHECKSUMS, "checksums", "CRC-32 of every tensor, on that input")                                                 \
    X(SELFTEST, "selftest", "hold the device to its known answer; ends a session")                                     \
    X(BENCH, "bench", "time the front end and the network; ends a session")                                            \
    X(HEALTH, "health", "checks and errors since the start, and the last crash")                                       \
    X(HELP, "help", "this list")

#define SCN_COMMAND(name, word, text) SCN_COMMAND_##name,
typedef enum { SCN_COMMANDS(SCN_COMMAND) SCN_COMMAND_UNKNOWN } scn_command_t;
#undef SCN_COMMAND

/* Drop spaces around a line, and all but one between its words, as the reference firmware's parser ignores them. */
void scn_command_tidy(char *line);

/* The command of a line. */
scn_command_t scn_command(const char *line);

/* The rest of the line after `word` and a space, "" for the word alone, NULL for another word. */
const char *scn_command_rest(const char *line, const char *word);

/* Read an integer of at most six digits and one space after it; SCN_NO_NUMBER where there is none. */
#define SCN_NO_NUMBER UINT32_MAX
uint32_t scn_command_number(const char **text);

/* Print the list. */
void scn_commands_list(void);

#endif

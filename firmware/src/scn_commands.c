/* SPDX-License-Identifier: MIT */
#include "scn_commands.h"

#include "scn_port.h"
#include "scn_text.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *word, *text;
} commands[] = {
#define SCN_COMMAND(name, word, text) {word, text},
    SCN_COMMANDS(SCN_COMMAND)
#undef SCN_COMMAND
};

void scn_command_tidy(char *line) {
    char *end = line;
    for (const char *from = line; *from; from++) {
        const bool keep = *from != ' ' || (end > line && from[1] != ' ' && from[1] != '\0');
        *end = *from;
        end += keep;
    }
    *end = '\0';
}

scn_command_t scn_command(const char *line) {
    int command = 0;
    while (command < SCN_COMMAND_UNKNOWN && strcmp(line, commands[command].word) != 0) {
        command++;
    }
    return (scn_command_t)command;
}

const char *scn_command_rest(const char *line, const char *word) {
    const size_t length = strlen(word);
    if (strncmp(line, word, length) != 0 || (line[length] != '\0' && line[length] != ' ')) {
        return NULL;
    }
    return line + length + (line[length] == ' ');
}

uint32_t scn_command_number(const char **text) {
    uint32_t value = 0, digits = 0;
    for (; **text >= '0' && **text <= '9' && digits < 7u; digits++, (*text)++) {
        value = 10u * value + (uint32_t)(**text - '0');
    }
    if (digits == 0 || digits > 6u || (**text != '\0' && **text != ' ')) {
        return SCN_NO_NUMBER;
    }
    *text += **text == ' ';
    return value;
}

void scn_commands_list(void) {
    for (int command = 0; command < SCN_COMMAND_UNKNOWN; command++) {
        scn_text_t text = scn_text_start(scn_port_write);
        scn_text_string(&text, "help ");
        scn_text_string(&text, commands[command].word);
        scn_text_string(&text, ": ");
        scn_text_string(&text, commands[command].text);
        scn_text_end(&text);
    }
    static const char *const longer[] = {
        "help listen on, listen off: hear the microphone; ends a session",
        "help stream on, stream off: a session for whatever sends DATA, and its end",
        "help decide SHARE MARGIN THRESHOLD, decide off: what is said of many windows",
        "help gate LOUDNESS, gate off: live windows below it are not classified",
        "help name, profile, timestamp, db load N, db HEX, db print, infer N W, results: as MLPerf Tiny has them",
    };
    for (uint32_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        scn_text_t text = scn_text_start(scn_port_write);
        scn_text_string(&text, longer[i]);
        scn_text_end(&text);
    }
}

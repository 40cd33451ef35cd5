#include "scn_commands.h"

#include "scn_port.h"
#include "scn_text.h"

#include <string.h>

static const struct {
    const char *word, *text;
} commands[] = {
#define SCN_COMMAND(name, word, text) {word, text},
    SCN_COMMANDS(SCN_COMMAND)
#undef SCN_COMMAND
};

scn_command_t scn_command(const char *line) {
    int command = 0;
    while (command < SCN_COMMAND_UNKNOWN && strcmp(line, commands[command].word) != 0) {
        command++;
    }
    return (scn_command_t)command;
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
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text,
                    "help name, profile, timestamp, db load N, db HEX, infer N W, results: as MLPerf Tiny has them");
    scn_text_end(&text);
}

/* SPDX-License-Identifier: MIT */
#include "scn_flash.h"

#include <string.h>

enum { INSTRUCTION_LINES = 64, DATA_LINES = 8 };

/* Lines in flash, the most recently used one first. */
typedef struct {
    uint64_t lines[INSTRUCTION_LINES];
    int size;
} cache_t;

static cache_t instructions = {.size = INSTRUCTION_LINES}, data = {.size = DATA_LINES};
static uint64_t flash_first, flash_end;
static unsigned clocks[SCN_FLASH_MOST_CLOCKS];
static int clock_count;

/* The line that is being executed, and the cycles spent in it. */
static struct {
    uint64_t line;
    uint64_t cycles;
} now;

void scn_flash_begin(uint64_t first, uint64_t end, const unsigned *wait_states, int count) {
    flash_first = first;
    flash_end = end;
    clock_count = count;
    memcpy(clocks, wait_states, (size_t)count * sizeof *wait_states);
    memset(instructions.lines, 0xff, sizeof instructions.lines);
    memset(data.lines, 0xff, sizeof data.lines);
    now.line = UINT64_MAX - 1;
}

/* Whether a line is kept; it then is the most recently used one. */
static bool find(cache_t *cache, uint64_t line) {
    int at = 0;
    while (at < cache->size - 1 && cache->lines[at] != line) {
        at++;
    }
    const bool found = cache->lines[at] == line;
    memmove(cache->lines + 1, cache->lines, (size_t)at * sizeof *cache->lines);
    cache->lines[0] = line;
    return found;
}

void scn_flash_fetch(uint64_t line, unsigned cycles, scn_flash_waits_t *waits) {
    if (line == now.line) {
        now.cycles += cycles;
        return;
    }
    if (!find(&instructions, line)) {
        const bool ahead = line == now.line + 1;
        for (int i = 0; i < clock_count; i++) {
            const uint64_t needed = clocks[i] ? clocks[i] + (ahead ? 1u : 0u) : 0, passed = ahead ? now.cycles : 0;
            waits->fetch[i] += needed > passed ? needed - passed : 0;
        }
    }
    now.line = line;
    now.cycles = cycles;
}

void scn_flash_load(uint64_t address, scn_flash_waits_t *waits) {
    if (address >= flash_first && address < flash_end && !find(&data, address / SCN_FLASH_LINE_BYTES)) {
        waits->data_lines++;
    }
}

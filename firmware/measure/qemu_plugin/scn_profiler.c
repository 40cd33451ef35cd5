/* SPDX-License-Identifier: MIT */
/* A plugin of QEMU that counts how often each block of instructions runs, by the place (scn_probe.h) that it runs for,
 * and what it waits for flash by a model (scn_flash.h).
 *
 * The program (firmware/measure/runner, built with SCN_PROBE) signals its place by the addresses of its stores into an
 * array of marks; see measure/runner/stage_timer.h. Without marks, everything from reset to the end is counted as step
 * 0, place 0. Arguments:
 *
 *   out=FILE          to write at the end
 *   marks=ADDRESS     of the array
 *   costs=FILE        what instructions take: lines of an address, hexadecimal, and cycles without wait states
 *   flash=FIRST:END   addresses of flash
 *   waits=A:B:...     wait states of each clock
 *
 * One line per block, all hexadecimal; "jumps" counts the runs after which the program continued elsewhere than right
 * after the block, the lines of data and the cycles for each clock are what it waited for:
 *
 *   address of the first instruction, one past the last one, then step:place:runs:jumps:lines[:cycles]... for each
 *   place where it ran
 *
 * Unlike the firmware this runs on a computer: it may allocate. Counts are for one processor.
 */
#include "qemu_plugin_api.h"
#include "scn_flash.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in measure/runner/stage_timer.h. */
enum { MARK_STEP = 256, MARK_START, MARK_STOP, MARK_FRAME, MARKS };
#define STEP_FRAME UINT32_MAX

typedef struct {
    uint32_t step, place;
    uint64_t runs, jumps;
    scn_flash_waits_t waits;
} count_t;

/* Instructions of one line of flash. */
typedef struct {
    uint64_t line;
    unsigned cycles;
} piece_t;

typedef struct block {
    struct block *before;
    uint64_t first, end;
    count_t *counts;
    size_t used, room;
    piece_t *pieces;
    size_t piece_count;
} block_t;

int qemu_plugin_version = SCN_PLUGIN_VERSION;

static block_t *blocks;
static uint64_t marks;
static const char *out;

/* The processor's clocks, and what each half-word of flash that begins an instruction costs; 0 elsewhere. */
static int clocks;
static uint64_t flash_first, flash_end;
static uint8_t *costs;

/* Where the program is, and the count and the end of the block that ran before. */
static struct {
    bool active;
    uint32_t step, place;
    block_t *block;
    size_t count;
} now;

static void *must(void *memory) {
    if (!memory) {
        fputs("scn_profiler: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

/* The counter of a block for the present place. Places recur soon, so the latest are compared first. */
static size_t counter(block_t *block) {
    for (size_t i = block->used; i > 0; i--) {
        if (block->counts[i - 1].step == now.step && block->counts[i - 1].place == now.place) {
            return i - 1;
        }
    }
    if (block->used == block->room) {
        block->room = block->room ? 2 * block->room : 4;
        block->counts = must(realloc(block->counts, block->room * sizeof *block->counts));
    }
    block->counts[block->used] = (count_t){now.step, now.place, 0, 0, {{0}, 0}};
    return block->used++;
}

static void run(unsigned vcpu, void *userdata) {
    block_t *block = userdata;
    (void)vcpu;
    if (!now.active) {
        return;
    }
    if (now.block && now.block->end != block->first) {
        now.block->counts[now.count].jumps++;
    }
    now.block = block;
    now.count = counter(block);
    count_t *count = &block->counts[now.count];
    count->runs++;
    for (size_t i = 0; i < block->piece_count; i++) {
        scn_flash_fetch(block->pieces[i].line, block->pieces[i].cycles, &count->waits);
    }
}

static void mark(uint64_t address) {
    if (address < marks || address >= marks + MARKS) {
        return;
    }
    const uint32_t kind = (uint32_t)(address - marks);
    if (kind == MARK_STEP) {
        now.step++;
        now.place = 0;
    } else if (kind >= MARK_START) {
        now.active = kind != MARK_STOP;
        now.step = kind == MARK_FRAME ? STEP_FRAME : 0;
        now.place = 0;
        now.block = NULL;
    } else {
        now.place = kind;
    }
}

/* One callback for loads and stores: QEMU 7.2 calls only one of two that an instruction has. */
static void access_memory(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *userdata) {
    (void)vcpu;
    (void)userdata;
    if (qemu_plugin_mem_is_store(info)) {
        mark(address);
    } else if (costs && now.active && now.block) {
        scn_flash_load(address, &now.block->counts[now.count].waits);
    }
}

/* Add an instruction to the lines of flash that it lies in; its cycles count for the first. */
static void add_piece(block_t *block, uint64_t address, size_t bytes) {
    const uint64_t first = address / SCN_FLASH_LINE_BYTES, last = (address + bytes - 1) / SCN_FLASH_LINE_BYTES;
    const unsigned cycles = costs[(address - flash_first) / 2];
    for (uint64_t line = first; line <= last; line++) {
        piece_t *piece = block->piece_count ? &block->pieces[block->piece_count - 1] : NULL;
        if (!piece || piece->line != line) {
            piece = &block->pieces[block->piece_count++];
            *piece = (piece_t){line, 0};
        }
        piece->cycles += line == first ? cycles : 0;
    }
}

/* List the lines of flash that a block lies in. */
static void list_pieces(block_t *block, const struct qemu_plugin_tb *tb, size_t count) {
    block->pieces = must(calloc(2 * count, sizeof *block->pieces));
    for (size_t i = 0; i < count; i++) {
        const struct qemu_plugin_insn *one = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(one);
        if (address >= flash_first && address < flash_end) {
            add_piece(block, address, qemu_plugin_insn_size(one));
        }
    }
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(tb);
    const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, count - 1);
    block_t *block = must(calloc(1, sizeof *block));
    block->first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
    block->end = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last);
    block->before = blocks;
    blocks = block;
    if (costs) {
        list_pieces(block, tb, count);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, run, QEMU_PLUGIN_CB_NO_REGS, block);
    for (size_t i = 0; (marks || costs) && i < count; i++) {
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), access_memory, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_R | QEMU_PLUGIN_MEM_W, NULL);
    }
}

static void finish(qemu_plugin_id_t id, void *userdata) {
    (void)id;
    (void)userdata;
    FILE *file = fopen(out, "w");
    if (!file) {
        perror(out);
        return;
    }
    for (const block_t *block = blocks; block; block = block->before) {
        if (block->used) {
            fprintf(file, "%" PRIx64 " %" PRIx64, block->first, block->end);
            for (const count_t *one = block->counts; one < block->counts + block->used; one++) {
                fprintf(file, " %" PRIx32 ":%" PRIx32 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64, one->step, one->place,
                        one->runs, one->jumps, one->waits.data_lines);
                for (int i = 0; i < clocks; i++) {
                    fprintf(file, ":%" PRIx64, one->waits.fetch[i]);
                }
            }
            fputc('\n', file);
        }
    }
    fclose(file);
}

/* What instructions cost; false where the file cannot be read. */
static bool read_costs(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return false;
    }
    costs = must(calloc((flash_end - flash_first) / 2, sizeof *costs));
    uint64_t address;
    unsigned cycles;
    while (fscanf(file, "%" SCNx64 " %u", &address, &cycles) == 2) {
        if (address >= flash_first && address < flash_end) {
            costs[(address - flash_first) / 2] = (uint8_t)cycles;
        }
    }
    fclose(file);
    return true;
}

/* The numbers between colons; returns how many. */
static int numbers(const char *text, uint64_t *values, int most) {
    int count = 0;
    for (char *end; count < most; text = end + 1) {
        values[count++] = strtoull(text, &end, 0);
        if (*end != ':') {
            break;
        }
    }
    return count;
}

/* Begin to model flash where there are costs; false where the arguments do not say enough. */
static bool begin_flash(const char *costs_path, const uint64_t *waits) {
    if (!costs_path) {
        return true;
    }
    unsigned states[SCN_FLASH_MOST_CLOCKS];
    for (int i = 0; i < clocks; i++) {
        states[i] = (unsigned)waits[i];
    }
    scn_flash_begin(flash_first, flash_end, states, clocks);
    return clocks > 0 && flash_end > flash_first && read_costs(costs_path);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
    (void)info;
    const char *costs_path = NULL;
    uint64_t waits[SCN_FLASH_MOST_CLOCKS], flash[2] = {0, 0};
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "marks=", 6) == 0) {
            marks = strtoull(argv[i] + 6, NULL, 0);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = strcpy(must(malloc(strlen(argv[i]) + 1)), argv[i] + 4);
        } else if (strncmp(argv[i], "costs=", 6) == 0) {
            costs_path = argv[i] + 6;
        } else if (strncmp(argv[i], "flash=", 6) == 0) {
            numbers(argv[i] + 6, flash, 2);
        } else if (strncmp(argv[i], "waits=", 6) == 0) {
            clocks = numbers(argv[i] + 6, waits, SCN_FLASH_MOST_CLOCKS);
        }
    }
    flash_first = flash[0];
    flash_end = flash[1];
    if (!out || !begin_flash(costs_path, waits)) {
        fputs("scn_profiler: give out=FILE, and with costs=FILE flash=FIRST:END and waits=A:B\n", stderr);
        return 1;
    }
    now.active = !marks;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}

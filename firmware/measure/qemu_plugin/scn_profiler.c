/* SPDX-License-Identifier: MIT */
/* A plugin of QEMU that counts how often each block of instructions runs, by the place (scn_probe.h) that it runs for.
 *
 * The program (firmware/measure/runner, built with SCN_PROBE) signals its place by the addresses of its stores into an
 * array of marks; see measure/runner/stage_timer.h. Arguments: marks=ADDRESS of that array, out=FILE to write at the end.
 * Without marks, everything from reset to the end is counted as step 0, place 0. One line per block:
 *
 *   address of the first instruction, one past the last one, then step:place:runs:jumps for each place where it ran
 *
 * all hexadecimal. "jumps" counts the runs after which the program continued elsewhere than right after the block.
 *
 * Unlike the firmware this runs on a computer: it may allocate. Counts are for one processor.
 */
#include "qemu_plugin_api.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in measure/runner/stage_timer.h. */
enum { MARK_STEP = 256, MARK_START, MARK_STOP, MARKS };

typedef struct {
    uint32_t step, place;
    uint64_t runs, jumps;
} count_t;

typedef struct block {
    struct block *before;
    uint64_t first, end;
    count_t *counts;
    size_t used, room;
} block_t;

int qemu_plugin_version = SCN_PLUGIN_VERSION;

static block_t *blocks;
static uint64_t marks;
static const char *out;

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
    block->counts[block->used] = (count_t){now.step, now.place, 0, 0};
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
    block->counts[now.count].runs++;
}

static void store(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *userdata) {
    (void)vcpu;
    (void)info;
    (void)userdata;
    if (address < marks || address >= marks + MARKS) {
        return;
    }
    const uint32_t mark = (uint32_t)(address - marks);
    if (mark == MARK_STEP) {
        now.step++;
        now.place = 0;
    } else if (mark >= MARK_START) {
        now.active = mark == MARK_START;
        now.step = now.place = 0;
        now.block = NULL;
    } else {
        now.place = mark;
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
    qemu_plugin_register_vcpu_tb_exec_cb(tb, run, QEMU_PLUGIN_CB_NO_REGS, block);
    for (size_t i = 0; marks && i < count; i++) {
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), store, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_W, NULL);
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
                fprintf(file, " %" PRIx32 ":%" PRIx32 ":%" PRIx64 ":%" PRIx64, one->step, one->place, one->runs,
                        one->jumps);
            }
            fputc('\n', file);
        }
    }
    fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "marks=", 6) == 0) {
            marks = strtoull(argv[i] + 6, NULL, 0);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = strcpy(must(malloc(strlen(argv[i]) + 1)), argv[i] + 4);
        }
    }
    if (!out) {
        fputs("scn_profiler: give out=FILE\n", stderr);
        return 1;
    }
    now.active = !marks;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}

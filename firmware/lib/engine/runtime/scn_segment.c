/* SPDX-License-Identifier: MIT */
/*
 * Of all stages whose input rows are ready, the last one runs: rows are consumed as early as possible, so that line
 * buffers stay short. The host simulates exactly this (scenelet.compiler.depth_first.row_schedule).
 */
#include "scn_segment.h"
#include "scn_fixedpoint.h"
#include "scn_probe.h"

#include <stddef.h>
#include <string.h>

enum { NO_INPUT = 0xFF, INPUT = 0, OUTPUT = 1, SECOND = 2 };

/* Rows first .. last - 1 are held. */
typedef struct {
    uint16_t first;
    uint16_t last;
} held_t;

_Static_assert(sizeof(held_t) == SCN_SEGMENT_STATE_BYTES(1), "the host reserves this many bytes");

typedef struct {
    const scn_segment_t *segment;
    const int8_t *input;
    const int8_t *second; /* NULL: buffer 2 is like any other */
    int8_t *output;
    uint8_t *memory;
    held_t *held;
} work_t;

static int8_t *row_of(const work_t *work, int32_t buffer, int32_t y) {
    const scn_line_buffer_t *lines = &work->segment->buffers[buffer];
    int8_t *start = buffer == OUTPUT ? work->output : (int8_t *)work->memory + lines->offset;
    return start + (y - work->held[buffer].first) * lines->row_bytes;
}

static const int8_t *input_row(const work_t *work, int32_t buffer, int32_t y) {
    const int8_t *whole = buffer == INPUT ? work->input : buffer == SECOND ? work->second : NULL;
    return whole ? whole + y * work->segment->buffers[buffer].row_bytes : row_of(work, buffer, y);
}

/* Rows of the next stripe of a stage. */
static int32_t stripe_of(const work_t *work, const scn_stage_t *stage) {
    return scn_min(stage->stripe, work->segment->buffers[stage->output].height - work->held[stage->output].last);
}

/* First row of an input that output row y needs. The second input is read row by row. */
static int32_t first_needed(const scn_stage_t *stage, int input, int32_t y) {
    return input ? y : scn_max(y * stage->stride - stage->pad_top, 0);
}

/* One past the last row of an input that output rows before `end` need. */
static int32_t end_needed(const scn_stage_t *stage, int input, int32_t end, int32_t height) {
    return scn_min(input ? end : (end - 1) * stage->stride - stage->pad_top + stage->reach, height);
}

static bool can_run(const work_t *work, const scn_stage_t *stage) {
    const int32_t rows = stripe_of(work, stage);
    const int32_t end = work->held[stage->output].last + rows;
    bool ready = rows > 0;
    for (int i = 0; i < 2 && stage->inputs[i] != NO_INPUT; ++i) {
        const int32_t height = work->segment->buffers[stage->inputs[i]].height;
        ready = ready && work->held[stage->inputs[i]].last >= end_needed(stage, i, end, height);
    }
    return ready;
}

/* First row of a buffer that any stage will still read. */
static int32_t still_needed(const work_t *work, int32_t buffer) {
    int32_t needed = work->held[buffer].last;
    for (int32_t i = 0; i < work->segment->stage_count; ++i) {
        const scn_stage_t *stage = &work->segment->stages[i];
        for (int k = 0; k < 2; ++k) {
            if (stage->inputs[k] == buffer && stripe_of(work, stage) > 0) {
                needed = scn_min(needed, first_needed(stage, k, work->held[stage->output].last));
            }
        }
    }
    return needed;
}

/* If the next rows would not fit after the present ones, move those that are still needed to the front. */
static void make_room(const work_t *work, int32_t buffer, int32_t rows) {
    const scn_line_buffer_t *lines = &work->segment->buffers[buffer];
    held_t *held = &work->held[buffer];
    if (held->last - held->first + rows > lines->capacity) {
        const int32_t first = still_needed(work, buffer);
        memmove(row_of(work, buffer, held->first), row_of(work, buffer, first),
                (size_t)((held->last - first) * lines->row_bytes));
        held->first = (uint16_t)first;
    }
}

static void apply_map(const scn_lut_t *map, const scn_line_buffer_t *lines, int8_t *output, int32_t rows) {
    const scn_lut_t part = {rows * lines->row_bytes / map->channels, map->channels, map->post};
    scn_lut_s8(&part, output, output);
}

static void run_stage(const work_t *work, const scn_stage_t *stage) {
    const scn_line_buffer_t *lines = &work->segment->buffers[stage->output];
    const int32_t rows = stripe_of(work, stage);
    make_room(work, stage->output, rows);
    held_t *held = &work->held[stage->output];
    const int32_t y = held->last;
    const int32_t input_y = first_needed(stage, 0, y);
    const int32_t height = work->segment->buffers[stage->inputs[0]].height;
    const bool two = stage->inputs[1] != NO_INPUT;
    const scn_rows_t part = {
        .input = {input_row(work, stage->inputs[0], input_y), two ? input_row(work, stage->inputs[1], y) : NULL},
        .output = row_of(work, stage->output, y),
        .scratch = work->memory + work->segment->scratch_offset,
        .y = y,
        .rows = rows,
        .input_y = input_y,
        .input_rows = end_needed(stage, 0, y + rows, height) - input_y,
    };
    scn_probe((uint32_t)(stage - work->segment->stages) + 1);
    stage->run(stage->layer, &part);
    if (stage->map) {
        apply_map(stage->map, lines, part.output, rows);
    }
    scn_probe(0);
    held->last = (uint16_t)(y + rows);
}

void scn_segment_run(const scn_segment_t *segment, const int8_t *input, int8_t *output, void *memory) {
    scn_segment_run_two(segment, input, NULL, output, memory);
}

void scn_segment_run_two(const scn_segment_t *segment, const int8_t *input, const int8_t *second, int8_t *output,
                         void *memory) {
    const work_t work = {segment, input, second, output, memory, memory};
    memset(memory, 0, SCN_SEGMENT_STATE_BYTES((size_t)segment->buffer_count));
    work.held[INPUT].last = segment->buffers[INPUT].height;
    if (second) {
        work.held[SECOND].last = segment->buffers[SECOND].height;
    }
    while (work.held[1].last < segment->buffers[1].height) {
        int32_t last = segment->stage_count - 1;
        while (last > 0 && !can_run(&work, &segment->stages[last])) {
            --last;
        }
        run_stage(&work, &segment->stages[last]);
    }
}

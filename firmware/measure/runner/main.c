/* SPDX-License-Identifier: MIT */
/* The measuring program: the product's engine and front end, with the same flags, controlled by a computer.
 *
 * Requests are read from the file "request", answers written to the file "answer" of the emulator's folder, both named
 * pipes. A request is a 32-bit number and its input; the computer knows the size of every answer. All little endian.
 * Several inputs, or outputs, of a model follow one another in the file's order.
 *
 *   0 RUN       input                    -> output
 *   1 TENSORS   input                    -> for each tensor: index (4), bytes (4), values; then index 0xFFFFFFFF, 0
 *   2 MEASURE   input                    -> cycles (8) of each step
 *   3 FEATURES  clip_samples int32       -> features
 *   4 FRAME     n_fft int32              -> cycles (8) of one frame
 *   5 COUNT     instructions (4)         -> cycles (8) of that many instructions, to check the counter itself
 *   6 STAGES    input                    -> for each step: places (4), cycles (8) of each; built with SCN_PROBE only
 *   7 PROFILE   input                    -> output, while a plugin of the emulator watches; likewise
 *   8 PROFILE_FRAME n_fft int32          -> features, the first column made of that frame; likewise
 *   9 RESET                              -> the model's state is that before the first run, as at the start
 *
 * The program ends when the request pipe is closed.
 */
#include "scn_engine.h"
#include "scn_model.h"
#include "scn_port.h"
#include "semihost.h"
#include "stage_timer.h"

#if __has_include("scn_frontend_tables.h")
#include "scn_clip.h"
#include "scn_frontend_tables.h"
#define HAS_FRONTEND 1
#else
#define HAS_FRONTEND 0
#endif

#define STATUS_BAD_REQUEST 3
#define STATUS_BROKEN_PIPE 4
#define END_OF_TENSORS UINT32_MAX

enum request { RUN, TENSORS, MEASURE, FEATURES, FRAME, COUNT, STAGES, PROFILE, PROFILE_FRAME, RESET };

_Alignas(16) static uint8_t arena[SCN_MODEL_ARENA_BYTES];
static int request_file, answer_file;

/* False at the end of the pipe. A read may return fewer bytes than asked for, so this may take several. */
static bool receive(void *bytes, size_t count) {
    while (count > 0) {
        const size_t missing = (size_t)scn_semihost_read(request_file, bytes, count);
        if (missing >= count) {
            return false;
        }
        bytes = (uint8_t *)bytes + (count - missing);
        count = missing;
    }
    return true;
}

static void must_receive(void *bytes, size_t count) {
    if (!receive(bytes, count)) {
        scn_port_exit(STATUS_BROKEN_PIPE);
    }
}

static void send(const void *bytes, size_t count) {
    if (scn_semihost_write(answer_file, bytes, count) != 0) {
        scn_port_exit(STATUS_BROKEN_PIPE);
    }
}

static void receive_input(void) {
    if (!scn_model.inputs) {
        must_receive(arena + scn_model.input_offset, scn_model.input_bytes);
    }
    for (uint16_t i = 0; i < scn_model.input_count; i++) {
        must_receive(arena + scn_model.inputs[i].offset, scn_model.inputs[i].bytes);
    }
}

static void send_output(void) {
    if (!scn_model.outputs) {
        send(arena + scn_model.output_offset, scn_model.output_bytes);
    }
    for (uint16_t i = 0; i < scn_model.output_count; i++) {
        send(arena + scn_model.outputs[i].offset, scn_model.outputs[i].bytes);
    }
}

static void run(void) {
    receive_input();
    scn_model_run(&scn_model, arena, NULL, NULL);
    send_output();
}

static void send_views(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *memory) {
    (void)context;
    for (uint32_t i = step->first_view; i < (uint32_t)step->first_view + step->view_count; i++) {
        const scn_view_t *view = &model->views[i];
        const uint32_t header[] = {view->tensor, view->bytes};
        send(header, sizeof header);
        send(memory + view->offset, view->bytes);
    }
}

static void tensors(void) {
    const uint32_t end[] = {END_OF_TENSORS, 0};
    receive_input();
    scn_model_run(&scn_model, arena, send_views, NULL);
    send(end, sizeof end);
}

typedef struct {
    uint64_t last, overhead;
    uint64_t cycles[SCN_MODEL_STEP_COUNT];
} laps_t;

/* Cycles since the last lap, without the cost of reading the counter. */
static uint64_t lap(laps_t *laps) {
    const uint64_t now = scn_port_cycles(), cycles = now - laps->last;
    laps->last = now;
    return cycles > laps->overhead ? cycles - laps->overhead : 0;
}

static void start(laps_t *laps) {
    laps->overhead = 0;
    lap(laps);
    laps->overhead = lap(laps);
    lap(laps);
}

static void keep_lap(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *memory) {
    (void)memory;
    laps_t *laps = context;
    laps->cycles[step - model->steps] = lap(laps);
}

static void measure(void) {
    static laps_t laps;
    receive_input();
    start(&laps);
    scn_model_run(&scn_model, arena, keep_lap, &laps);
    send(laps.cycles, sizeof laps.cycles);
}

#if HAS_FRONTEND
#define BLOCK 160

static int32_t history[SCN_FRONTEND_HISTORY_BYTES / sizeof(int32_t)];
static _Alignas(8) int32_t work[SCN_FRONTEND_WORK_BYTES / sizeof(int32_t)];
static int8_t features[SCN_FRONTEND_FEATURES_BYTES];

static void push(scn_clip_t *clip, const int32_t *samples, size_t count) {
    for (size_t taken = 0; taken < count && !scn_clip_done(clip);) {
        taken += scn_clip_push(clip, samples + taken, count - taken);
    }
}

static void clip_features(void) {
    scn_clip_t clip;
    int32_t block[BLOCK];
    scn_clip_begin(&clip, &scn_frontend_tables, history, work, features);
    for (uint32_t rest = SCN_FRONTEND_CLIP_SAMPLES; rest > 0;) {
        const uint32_t count = rest < BLOCK ? rest : BLOCK;
        must_receive(block, count * sizeof *block);
        push(&clip, block, count);
        rest -= count;
    }
    send(features, sizeof features);
}

static void frame(void) {
    laps_t laps;
    must_receive(history, SCN_FRONTEND_N_FFT * sizeof *history);
    start(&laps);
    scn_frontend_frame(&scn_frontend_tables, history, work, features, SCN_FRONTEND_FRAMES);
    const uint64_t cycles = lap(&laps);
    send(&cycles, sizeof cycles);
}

#ifdef SCN_PROBE
static void profile_frame(void) {
    must_receive(history, SCN_FRONTEND_N_FFT * sizeof *history);
    scn_probe_marks[SCN_MARK_FRAME] = 1;
    scn_frontend_frame(&scn_frontend_tables, history, work, features, SCN_FRONTEND_FRAMES);
    scn_probe_marks[SCN_MARK_STOP] = 1;
    send(features, sizeof features);
}
#endif
#else
static void clip_features(void) {
    scn_port_exit(STATUS_BAD_REQUEST);
}

static void frame(void) {
    scn_port_exit(STATUS_BAD_REQUEST);
}

#ifdef SCN_PROBE
static void profile_frame(void) {
    scn_port_exit(STATUS_BAD_REQUEST);
}
#endif
#endif

/* Two instructions per iteration. */
static void spin(uint32_t iterations) {
    __asm volatile("1: subs %0, %0, #1\n bne 1b\n" : "+r"(iterations)::"cc");
}

static void count(void) {
    uint32_t instructions;
    laps_t laps;
    must_receive(&instructions, sizeof instructions);
    start(&laps);
    spin(instructions / 2u);
    const uint64_t cycles = lap(&laps);
    send(&cycles, sizeof cycles);
}

#ifdef SCN_PROBE
static void stages(void) {
    receive_input();
    scn_stage_timer_measure(arena, send);
}

static void profile(void) {
    receive_input();
    scn_stage_timer_profile(arena);
    send_output();
}
#endif

static void reset(void) {
    scn_model_reset(&scn_model, arena);
}

static void dispatch(uint32_t request) {
    static void (*const handlers[])(void) = {
        [RUN] = run,
        [TENSORS] = tensors,
        [MEASURE] = measure,
        [FEATURES] = clip_features,
        [FRAME] = frame,
        [COUNT] = count,
#ifdef SCN_PROBE
        [STAGES] = stages,
        [PROFILE] = profile,
        [PROFILE_FRAME] = profile_frame,
#endif
        [RESET] = reset,
    };
    if (request >= sizeof handlers / sizeof *handlers || !handlers[request]) {
        scn_port_exit(STATUS_BAD_REQUEST);
    }
    handlers[request]();
}

static void ignore(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

int main(void) {
    uint32_t request;
    scn_port_init(ignore, NULL);
    request_file = scn_semihost_open("request", SCN_SEMIHOST_READ);
    answer_file = scn_semihost_open("answer", SCN_SEMIHOST_WRITE);
    if (request_file < 0 || answer_file < 0) {
        return STATUS_BROKEN_PIPE;
    }
    reset();
    while (receive(&request, sizeof request)) {
        dispatch(request);
    }
    return 0;
}

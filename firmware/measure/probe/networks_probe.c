/* SPDX-License-Identifier: MIT */
/* Runs many networks on the emulated board for tests: reads the file "inputs" (repeatedly a network number, 4 bytes,
 * and its inputs) and writes "tensors" (for each tensor after each step its index, 4 bytes, size, 4 bytes, and values;
 * after each input UINT32_MAX and 0). The state of a network starts anew where its number differs from the last one. */
#include "scn_engine.h"
#include "scn_port.h"
#include "semihost.h"

extern const scn_model_t *const scn_networks[];
extern uint8_t scn_networks_arena[];

static int written;
static bool failed;

static void ignore(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

static void write_bytes(const void *bytes, size_t count) {
    failed = failed || scn_semihost_write(written, bytes, count) != 0;
}

static void write_views(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *arena) {
    (void)context;
    for (uint32_t i = step->first_view; i < (uint32_t)step->first_view + step->view_count; i++) {
        const scn_view_t *view = &model->views[i];
        const uint32_t header[] = {view->tensor, view->bytes};
        write_bytes(header, sizeof header);
        write_bytes(arena + view->offset, view->bytes);
    }
}

/* One network, one input; false at the end of the inputs. */
static bool run(int inputs) {
    static const scn_model_t *before;
    const uint32_t end[] = {UINT32_MAX, 0};
    uint32_t number;
    if (scn_semihost_read(inputs, &number, sizeof number) != 0) {
        return false;
    }
    const scn_model_t *model = scn_networks[number];
    if (model != before) {
        scn_model_reset(model, scn_networks_arena);
        before = model;
    }
    const scn_place_t one = {model->input_offset, model->input_bytes};
    const scn_place_t *places = model->inputs ? model->inputs : &one;
    for (uint16_t i = 0; i < (model->inputs ? model->input_count : 1u); i++) {
        failed = failed || scn_semihost_read(inputs, scn_networks_arena + places[i].offset, places[i].bytes) != 0;
    }
    scn_model_run(model, scn_networks_arena, write_views, NULL);
    write_bytes(end, sizeof end);
    return true;
}

int main(void) {
    scn_port_init(ignore, NULL);
    const int inputs = scn_semihost_open("inputs", SCN_SEMIHOST_READ);
    written = scn_semihost_open("tensors", SCN_SEMIHOST_WRITE);
    while (run(inputs)) {
    }
    scn_semihost_close(written);
    scn_port_exit(failed || inputs < 0 || written < 0);
}

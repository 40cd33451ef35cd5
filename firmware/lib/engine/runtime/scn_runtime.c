/* SPDX-License-Identifier: MIT */
/* Runs the steps of a generated model. */
#include "scn_runtime.h"

#include <string.h>

void scn_model_put_inputs(const scn_model_t *model, uint8_t *arena, const void *values) {
    const scn_place_t one = {model->input_offset, model->input_bytes};
    const scn_place_t *places = model->inputs ? model->inputs : &one;
    const uint8_t *from = values;
    for (uint32_t i = 0; i < (model->inputs ? model->input_count : 1u); ++i) {
        memcpy(arena + places[i].offset, from, places[i].bytes);
        from += places[i].bytes;
    }
}

void scn_model_get_outputs(const scn_model_t *model, const uint8_t *arena, void *values) {
    const scn_place_t one = {model->output_offset, model->output_bytes};
    const scn_place_t *places = model->outputs ? model->outputs : &one;
    uint8_t *to = values;
    for (uint32_t i = 0; i < (model->outputs ? model->output_count : 1u); ++i) {
        memcpy(to, arena + places[i].offset, places[i].bytes);
        to += places[i].bytes;
    }
}

void scn_model_reset(const scn_model_t *model, uint8_t *arena) {
    for (uint16_t i = 0; i < model->state_count; ++i) {
        const scn_state_t *state = &model->states[i];
        if (state->initial) {
            memcpy(arena + state->offset, state->initial, state->bytes);
        } else {
            memset(arena + state->offset, state->fill, state->bytes);
        }
    }
}

void scn_model_run(const scn_model_t *model, uint8_t *arena, scn_observer_t observer, void *context) {
    for (uint16_t i = 0; i < model->step_count; ++i) {
        model->steps[i].run(arena);
        if (observer) {
            observer(context, model, &model->steps[i], arena);
        }
    }
}

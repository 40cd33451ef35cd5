/* SPDX-License-Identifier: MIT */
/* Runs the steps of a generated model. */
#include "scn_runtime.h"

void scn_model_run(const scn_model_t *model, uint8_t *arena, scn_observer_t observer, void *context) {
    for (uint16_t i = 0; i < model->step_count; ++i) {
        model->steps[i].run(arena);
        if (observer) {
            observer(context, model, &model->steps[i], arena);
        }
    }
}

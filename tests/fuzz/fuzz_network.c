/* SPDX-License-Identifier: MIT */
/* Generated networks on any input, in an arena of exactly the planned size that holds anything before. */
#include "fuzz.h"
#include "subjects.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    fuzz_input_t input = {bytes, bytes + count};
    const scn_model_t *model = fuzz_networks[fuzz_below(&input, fuzz_network_count)];
    uint8_t *arena = fuzz_memory(model->arena_bytes), *kept = fuzz_memory(model->input_bytes);
    uint8_t *scores = fuzz_memory(model->output_bytes), *again = fuzz_memory(model->output_bytes);
    fuzz_fill(&input, arena, model->arena_bytes);
    fuzz_fill(&input, kept, model->input_bytes);
    size_t rest;
    const uint8_t *tail = fuzz_run(&input, model->input_bytes, &rest);
    memcpy(kept, tail, rest);
    scn_model_put_inputs(model, arena, kept);
    scn_model_run(model, arena, NULL, NULL);
    scn_model_get_outputs(model, arena, scores);
    /* The same input over what the first run left: nothing of the arena's contents but the input counts. */
    scn_model_put_inputs(model, arena, kept);
    scn_model_run(model, arena, NULL, NULL);
    scn_model_get_outputs(model, arena, again);
    FUZZ_REQUIRE(memcmp(scores, again, model->output_bytes) == 0);
    free(arena), free(kept), free(scores), free(again);
    return 0;
}

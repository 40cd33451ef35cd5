/* SPDX-License-Identifier: MIT */
/* Generated models, and the loop that runs them. */
#ifndef SCN_RUNTIME_H
#define SCN_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tensor that lies complete in the arena after a step. */
typedef struct {
    uint16_t tensor; /* index in the .tflite */
    uint32_t offset; /* bytes from the arena's start */
    uint32_t bytes;
} scn_view_t;

/* What runs between two observations: one operator, or several that the compiler has fused. */
typedef struct {
    const char *name; /* of the layer, for people */
    const char *op;   /* TFLite's name of the operator */
    uint32_t macs;    /* by the challenge's counting rules */
    void (*run)(uint8_t *arena);
    uint16_t first_view; /* this step's views: scn_model_t.views[first_view .. first_view + view_count - 1] */
    uint16_t view_count;
} scn_step_t;

/* Where an input or output lies in the arena. */
typedef struct {
    uint32_t offset; /* bytes from the arena's start */
    uint32_t bytes;
} scn_place_t;

/* A variable: memory of the arena that keeps its values between runs. */
typedef struct {
    uint32_t offset; /* bytes from the arena's start */
    uint32_t bytes;
    const void *initial; /* its values before the first run; NULL: every byte is `fill` */
    int8_t fill;
} scn_state_t;

typedef struct {
    const char *name;
    const char *sha256;    /* of the .tflite, 64 lower-case hexadecimal digits */
    uint32_t arena_bytes;  /* activations and scratch together */
    uint32_t params_bytes; /* by the challenge's counting rules */
    uint32_t macs;
    uint32_t input_offset; /* the input, or the first one, lies here before the first step; any step may overwrite it */
    uint32_t input_bytes;  /* of all inputs */
    uint32_t output_offset; /* the output, or the first one, lies here after the last step */
    uint32_t output_bytes;  /* of all outputs */
    const scn_step_t *steps;
    const scn_view_t *views;
    uint16_t step_count;
    uint16_t view_count;
    /* A model with several inputs or outputs: their places in the file's order. NULL and 0 where there is one. */
    const scn_place_t *inputs;
    const scn_place_t *outputs;
    uint16_t input_count;
    uint16_t output_count;
    /* A model with state: the arena's first state_bytes are what one run leaves to the next. NULL and 0 without. */
    const scn_state_t *states;
    uint32_t state_bytes;
    uint16_t state_count;
} scn_model_t;

/* Called after every step; must not change the arena. */
typedef void (*scn_observer_t)(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *arena);

/* Copy model->input_bytes to where the model reads them: its inputs one after the other, in the file's order. */
void scn_model_put_inputs(const scn_model_t *model, uint8_t *arena, const void *values);

/* Copy model->output_bytes from where the model leaves them: its outputs one after the other, in the file's order. */
void scn_model_get_outputs(const scn_model_t *model, const uint8_t *arena, void *values);

/* Give a model's state its initial values: before the first run, and wherever the input starts anew. Changes nothing of
 * a model without state. */
void scn_model_reset(const scn_model_t *model, uint8_t *arena);

/* Run all steps on an arena of model->arena_bytes that holds the inputs; observer may be NULL. */
void scn_model_run(const scn_model_t *model, uint8_t *arena, scn_observer_t observer, void *context);

#ifdef __cplusplus
}
#endif

#endif

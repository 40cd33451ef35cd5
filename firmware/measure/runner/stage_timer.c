/* SPDX-License-Identifier: MIT */
#include "stage_timer.h"

#ifdef SCN_PROBE
#include "scn_model.h"
#include "scn_port.h"
#include "scn_probe.h"

#define PLACES SCN_MARK_STEP
#define CALIBRATIONS 64u

volatile uint8_t scn_probe_marks[SCN_MARK_FRAME + 1];

/* Cycles between the calls of scn_probe, without the cost of a call. */
static struct {
    uint64_t cycles[PLACES];
    uint32_t calls[PLACES];
    uint64_t last, overhead; /* of CALIBRATIONS calls */
    uint32_t place, places;
    void (*send)(const void *bytes, size_t count);
} laps;

void scn_probe(uint32_t place) {
    const uint64_t now = scn_port_cycles();
    scn_probe_marks[place] = 1;
    laps.cycles[laps.place] += now - laps.last;
    laps.calls[laps.place]++;
    laps.place = place;
    laps.places = place >= laps.places ? place + 1 : laps.places;
    laps.last = scn_port_cycles();
}

static void begin(void) {
    for (uint32_t i = 0; i < PLACES; i++) {
        laps.cycles[i] = 0;
        laps.calls[i] = 0;
    }
    laps.place = 0;
    laps.places = 1;
    laps.last = scn_port_cycles();
}

static void calibrate(void) {
    begin();
    for (uint32_t i = 0; i < CALIBRATIONS; i++) {
        scn_probe(0);
    }
    laps.overhead = laps.cycles[0];
}

static void send_places(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *memory) {
    (void)context;
    (void)model;
    (void)step;
    (void)memory;
    scn_probe(0);
    const uint32_t places = laps.places;
    laps.send(&places, sizeof places);
    for (uint32_t i = 0; i < places; i++) {
        const uint64_t spent = laps.calls[i] * laps.overhead / CALIBRATIONS;
        const uint64_t cycles = laps.cycles[i] > spent ? laps.cycles[i] - spent : 0;
        laps.send(&cycles, sizeof cycles);
    }
    begin();
}

void scn_stage_timer_measure(uint8_t *arena, void (*send)(const void *bytes, size_t count)) {
    laps.send = send;
    calibrate();
    begin();
    scn_model_run(&scn_model, arena, send_places, NULL);
}

static void mark_step(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *memory) {
    (void)context;
    (void)model;
    (void)step;
    (void)memory;
    scn_probe_marks[SCN_MARK_STEP] = 1;
}

void scn_stage_timer_profile(uint8_t *arena) {
    scn_probe_marks[SCN_MARK_START] = 1;
    scn_model_run(&scn_model, arena, mark_step, NULL);
    scn_probe_marks[SCN_MARK_STOP] = 1;
}
#endif

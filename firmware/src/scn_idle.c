/* SPDX-License-Identifier: MIT */
#include "scn_idle.h"

static uint64_t began, asleep; /* cycles */

void scn_idle_begin(void) {
    began = scn_port_cycles();
    asleep = 0;
}

void scn_idle_wait(scn_port_idle_t idle, void *context) {
    const uint64_t before = scn_port_cycles();
    scn_port_wait(idle, context);
    asleep += scn_port_cycles() - before;
}

uint32_t scn_idle_permille(void) {
    const uint64_t passed = scn_port_cycles() - began;
    return passed ? (uint32_t)(asleep * 1000u / passed) : 0u;
}

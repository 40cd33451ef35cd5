/* SPDX-License-Identifier: MIT */
/* A port without hardware (scn_port.h): what arrives is queued, what is printed is kept, time is counted in calls. */
#ifndef FUZZ_PORT_H
#define FUZZ_PORT_H

#include "scn_port.h"

/* Queue bytes for the console's interrupt. */
void fuzz_port_receive(const void *bytes, size_t count);

/* Deliver a block of the microphone, or a loss, if it runs. */
void fuzz_port_play(const uint16_t *block);

/* Whether queued bytes wait. */
bool fuzz_port_waiting(void);

/* Whether what was printed ends in this text. */
bool fuzz_port_said(const char *text);

#endif

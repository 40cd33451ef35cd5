/* SPDX-License-Identifier: MIT */
/* The session with the host: receives bytes, separates frames from lines, classifies windows, sends answers. */
#ifndef SCN_SESSION_H
#define SCN_SESSION_H

#include "scn_classifier.h"

/* Bytes of the ring that holds received bytes while the network runs, a power of two. 8 kB are 0.09 s at 921,600 bits
 * per second; the host then waits for credit, and nothing is lost. They are 0.34 s of audio at 8 kHz and 24 bit. */
#ifndef SCN_RING_BYTES
#define SCN_RING_BYTES 8192u
#endif

/* Start the hardware, run the self-test, print boot messages. */
void scn_session_begin(void);

/* Sleep until something is received, and process all of it. */
void scn_session_step(void);

#endif

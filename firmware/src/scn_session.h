/* SPDX-License-Identifier: MIT */
/* The conversation with the host: bytes in, frames and lines told apart, windows decided, answers out. */
#ifndef SCN_SESSION_H
#define SCN_SESSION_H

#include "scn_classifier.h"

/* Bytes that may wait while the network runs: a power of two. At 921,600 bits a second, 8 kB are 0.09 s of a host that
 * sends as fast as it can; it waits for credit then, and nothing is lost. Or 0.34 s of audio at 8 kHz and 24 bit. */
#ifndef SCN_RING_BYTES
#define SCN_RING_BYTES 8192u
#endif

/* Start the machine, greet, test oneself. */
void scn_session_begin(void);

/* Sleep until something was received, and deal with all of it. */
void scn_session_step(void);

#endif

/* The conversation with the host: bytes in, frames and lines told apart, windows decided, answers out. */
#ifndef SCN_SESSION_H
#define SCN_SESSION_H

#include "scn_classifier.h"

/* Bytes that may wait while the network runs: a power of two. At 921,600 bits a second, 16 kB are 0.18 s of a host that
 * sends as fast as it can, or 0.67 s of live audio at 8 kHz and 24 bit. */
#ifndef SCN_RING_BYTES
#define SCN_RING_BYTES 16384u
#endif

/* Start the machine, greet, test oneself. */
void scn_session_begin(void);

/* Sleep until something was received, and deal with all of it. */
void scn_session_step(void);

#endif

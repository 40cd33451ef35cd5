/* SPDX-License-Identifier: MIT */
/* Live audio: from the microphone's interrupt through the decimator into a ring, and out of it as the link carries
 * samples, so that a window does not know where it came from. */
#ifndef SCN_LISTEN_H
#define SCN_LISTEN_H

#include "scn_classifier.h"

#if __has_include("scn_board.h")
#include "scn_board.h"
#endif

/* Whether this build can decimate: the board has a microphone, or the model says what it is trained to be fed from. */
#if SCN_HAS_FRONTEND && (defined(SCN_BOARD_MICROPHONE) || defined(SCN_FRONTEND_CAPTURE_RATE))
#define SCN_CAN_CAPTURE 1
#else
#define SCN_CAN_CAPTURE 0
#endif

/* Hz that a microphone gives, or that the link's capture input carries: what the model was trained with, or twice the
 * front end's own; at 32 kHz its own, since no microphone is heard at 64 kHz. */
#if SCN_HAS_FRONTEND
#ifdef SCN_FRONTEND_CAPTURE_RATE
#define SCN_LISTEN_RATE SCN_FRONTEND_CAPTURE_RATE
#elif SCN_FRONTEND_SAMPLE_RATE >= 32000
#define SCN_LISTEN_RATE SCN_FRONTEND_SAMPLE_RATE
#else
#define SCN_LISTEN_RATE (2 * SCN_FRONTEND_SAMPLE_RATE)
#endif
#else
#define SCN_LISTEN_RATE 0
#endif

/* Samples wait here while the network runs: 0.17 s of 24 bit at 8 and 16 kHz, 0.34 s at 32 kHz, whose networks are the
 * larger ones. A power of two. */
#ifndef SCN_LISTEN_BYTES
#if SCN_HAS_FRONTEND && SCN_FRONTEND_SAMPLE_RATE > 16000
#define SCN_LISTEN_BYTES 32768u
#elif SCN_HAS_FRONTEND && SCN_FRONTEND_SAMPLE_RATE > 8000
#define SCN_LISTEN_BYTES 8192u
#else
#define SCN_LISTEN_BYTES 4096u
#endif
#endif

typedef struct {
    uint32_t overruns;    /* times that samples were lost: a block that nobody took in time, or a full ring */
    uint32_t lost_blocks; /* blocks of the microphone that were heard in vain since the first of them */
} scn_listen_lost_t;

/* Begin, with silence behind the filters. False where there is no microphone, where it does not start, or where no
 * filters lead from it to this model. */
bool scn_listen_start(void);

void scn_listen_stop(void);

bool scn_listening(void);

/* Whether there is nothing to take, and no gap; also asked with interrupts off. */
bool scn_listen_idle(void);

/* Take samples in the wire's format, at most `count` bytes, whole ones; 0 where none wait. */
size_t scn_listen_take(uint8_t *bytes, size_t count);

/* Whether samples are missing behind those that were taken. Then nothing comes any more until it is started again. */
bool scn_listen_gap(void);

/* Since the program began. */
scn_listen_lost_t scn_listen_lost(void);

/* The link's capture input: begin, and turn samples of 24 bits at SCN_LISTEN_RATE, 3 bytes each, into the wire's
 * format. At most SCN_LISTEN_CAPTURE samples at once; returns the bytes in `out`. Not while a microphone is heard. */
#define SCN_LISTEN_CAPTURE 64u
bool scn_listen_capture_begin(void);
size_t scn_listen_capture(const uint8_t *bytes, size_t samples, uint8_t *out);

#endif

/* SPDX-License-Identifier: MIT */
/* Live audio: from the microphone's interrupt through the decimator into a ring, and out of it in the link's sample
 * format, so that both sources of samples are processed alike. */
#ifndef SCN_LISTEN_H
#define SCN_LISTEN_H

#include "scn_classifier.h"

#if __has_include("scn_board.h")
#include "scn_board.h"
#endif

/* Whether this build can decimate: the board has a microphone, or the model declares a capture rate. */
#if SCN_HAS_FRONTEND && (defined(SCN_BOARD_MICROPHONE) || defined(SCN_FRONTEND_CAPTURE_RATE))
#define SCN_CAN_CAPTURE 1
#else
#define SCN_CAN_CAPTURE 0
#endif

/* Sample rate of the microphone, or of the link's capture input, in Hz: the one that the model was trained with, else
 * twice the front end's; for a front end at 32 kHz that rate itself, because no microphone runs at 64 kHz. */
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

/* Size of the ring that holds samples while the network runs, a power of two: 0.17 s of 24 bit at 8 and 16 kHz, 0.34 s
 * at 32 kHz, whose networks are larger. */
#ifndef SCN_LISTEN_BYTES
#if SCN_HAS_FRONTEND && SCN_FRONTEND_SAMPLE_RATE > 16000
#define SCN_LISTEN_BYTES 32768u
#elif SCN_HAS_FRONTEND && SCN_FRONTEND_SAMPLE_RATE > 8000
#define SCN_LISTEN_BYTES 8192u
#else
#define SCN_LISTEN_BYTES 4096u
#endif
#endif

/* A microphone that delivers no block (4 ms) for a quarter of a second counts as lost; after this many such
 * silences in a row it is given up. */
#define SCN_LISTEN_SILENCES_PER_SECOND 4u
#define SCN_LISTEN_MOST_SILENCES 5u

typedef struct {
    uint32_t overruns;    /* times that samples were lost: a block was not taken in time, or the ring was full */
    uint32_t lost_blocks; /* blocks of the microphone that were dropped */
} scn_listen_lost_t;

/* Start, with filters that begin with silence. False where there is no microphone, where it does not start, or where no
 * filters lead from its rate to the model's. */
bool scn_listen_start(void);

/* After a gap: start again. False also where the microphone has delivered nothing after several starts in a row. */
bool scn_listen_restart(void);

void scn_listen_stop(void);

bool scn_listening(void);

/* Whether there is nothing to take, and no gap; may be called with interrupts off. */
bool scn_listen_idle(void);

/* Take samples in the link's format, at most `count` bytes, whole samples; 0 where none wait. */
size_t scn_listen_take(uint8_t *bytes, size_t count);

/* Whether samples are missing after those that were taken, or none have come for too long. Then no more come until it is
 * started again. */
bool scn_listen_gap(void);

/* Since the program started. */
scn_listen_lost_t scn_listen_lost(void);

/* The link's capture input: begin, and convert samples of 24 bits at SCN_LISTEN_RATE, 3 bytes each, to the link's
 * format. At most SCN_LISTEN_CAPTURE samples per call; returns the bytes in `out`. Not while a microphone runs. */
#define SCN_LISTEN_CAPTURE 64u
bool scn_listen_capture_begin(void);
size_t scn_listen_capture(const uint8_t *bytes, size_t samples, uint8_t *out);

#endif

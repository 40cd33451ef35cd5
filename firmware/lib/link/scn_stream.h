/* SPDX-License-Identifier: MIT */
/* The device's side of a stream: which frames are accepted, and which STATUS answers them. No hardware, no audio:
 * frames in, payload and STATUS fields out. */
#ifndef SCN_STREAM_H
#define SCN_STREAM_H

#include "scn_frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Frames accepted without an answer; then a STATUS gives the host new credit. */
#define SCN_STREAM_ACKNOWLEDGE_EVERY 8u

/* What the device holds. Hashes are the first bytes of the SHA-256; `has_frontend` false refuses audio. `sample_bytes`
 * is the size of one audio sample on the wire, 2 or 3. */
typedef struct {
    uint8_t model[SCN_LINK_HASH_BYTES];
    uint8_t frontend[SCN_LINK_HASH_BYTES];
    bool has_frontend;
    uint8_t sample_bytes;
    bool captures; /* it has filters for the capture input; false refuses that input */
} scn_stream_identity_t;

typedef struct {
    const scn_stream_identity_t *identity;
    uint16_t credit;           /* frames the host may send from `next` on: what the receive ring holds */
    uint8_t session;           /* the host's number for it, from START */
    uint8_t input;             /* SCN_LINK_INPUT_... of the session */
    uint8_t poll;              /* the last POLL's number */
    uint16_t next;             /* sequence number of the frame that is accepted next */
    uint16_t unacknowledged;   /* frames accepted since the last STATUS */
    scn_link_reason_t refusal; /* CLOSED: no session yet; OK: open; else why the session was refused or ended */
    bool complained;           /* the gap at `next` has been reported; report no more until it is closed */
} scn_stream_t;

/* What the caller must do after a frame. */
typedef struct {
    bool reply;   /* send a STATUS with this reason */
    bool started; /* a session began: forget the unfinished window */
    scn_link_reason_t reason;
    const uint8_t *payload; /* the accepted payload, inside the frame; NULL when there is none */
    size_t payload_bytes;
} scn_stream_result_t;

/* `healthy` false (a failed self-test) refuses every session. */
void scn_stream_init(scn_stream_t *stream, const scn_stream_identity_t *identity, uint16_t credit, bool healthy);

/* Open a session from the device's side, number 0, as START does. False: the device is not healthy. */
bool scn_stream_open(scn_stream_t *stream, uint8_t input);

/* A body that passed its check, without its CRC. */
scn_stream_result_t scn_stream_frame(scn_stream_t *stream, const uint8_t *body, size_t size);

/* A frame that failed its check. */
scn_stream_result_t scn_stream_corrupt(scn_stream_t *stream);

/* End the session, if there is one, from the device's side. */
void scn_stream_close(scn_stream_t *stream);

/* The body of a STATUS; `windows` is the number of decisions since START. */
void scn_stream_status(scn_stream_t *stream, scn_link_reason_t reason, uint32_t windows,
                       uint8_t body[SCN_LINK_STATUS_BYTES]);

#ifdef __cplusplus
}
#endif

#endif

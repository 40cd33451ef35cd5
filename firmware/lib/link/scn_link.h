/* SPDX-License-Identifier: MIT */
/* The format of the link's frames, byte by byte. docs/PROTOCOL.md states what they mean.
 *
 *   on the wire   0x00, COBS(body), 0x00
 *   body          type (1), fields (little endian), CRC-16 of all before it (2, little endian)
 *
 * Types are 0x80 and above, and a body is under 254 bytes, so the second byte of an encoded frame is never that of a
 * printable text line: frames and text lines share the wire and are told apart without further state.
 */
#ifndef SCN_LINK_H
#define SCN_LINK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCN_LINK_VERSION 1u

#define SCN_LINK_PAYLOAD_BYTES 240u /* of one DATA frame, at most: whole samples of 2 and of 3 bytes */
#define SCN_LINK_CRC_BYTES 2u
#define SCN_LINK_DATA_HEADER_BYTES 3u
#define SCN_LINK_BODY_BYTES (SCN_LINK_DATA_HEADER_BYTES + SCN_LINK_PAYLOAD_BYTES + SCN_LINK_CRC_BYTES)
#define SCN_LINK_WIRE_BYTES (SCN_LINK_BODY_BYTES + 3u) /* two delimiters and COBS's one byte */

/* Frame types. To the device: */
#define SCN_LINK_START 0x80u /* version (1), session (1), input (1), model hash (8), front-end hash (8) */
#define SCN_LINK_DATA 0x81u  /* sequence number (2), payload (1 to 240) */
#define SCN_LINK_POLL 0x82u  /* poll number (1) */
/* From the device: */
/* Session (1), poll number (1), reason (1), next sequence (2), credit (2), windows (4). */
#define SCN_LINK_STATUS 0xC0u

#define SCN_LINK_HASH_BYTES 8u
#define SCN_LINK_START_BYTES (4u + 2u * SCN_LINK_HASH_BYTES) /* with its type, without its CRC */
#define SCN_LINK_POLL_BYTES 2u
#define SCN_LINK_STATUS_BYTES 12u

/* What DATA frames carry, from START's input field. */
#define SCN_LINK_INPUT_AUDIO 0u  /* samples of the front end's width, little endian, 2 or 3 bytes each */
#define SCN_LINK_INPUT_TENSOR 1u /* the network's INT8 input, byte by byte */
/* What a microphone delivers: samples of 24 bits at the capture rate, little endian, 3 bytes each. */
#define SCN_LINK_INPUT_CAPTURE 2u
#define SCN_LINK_CAPTURE_BYTES 3u

/* Why the device sends a STATUS. From CLOSED on, there is no session, and only START helps. */
#define SCN_LINK_REASONS(X)                                                                                            \
    X(OK, "accepted")                                                                                                  \
    X(CORRUPT, "a frame failed its check; send again from `next`")                                                     \
    X(SEQUENCE, "a frame is missing; send again from `next`")                                                          \
    X(CLOSED, "no session; send START")                                                                                \
    X(PROTOCOL, "another protocol version")                                                                            \
    X(MODEL, "the device holds another model")                                                                         \
    X(FRONTEND, "the device holds another front end, or none")                                                         \
    X(INPUT, "an unknown kind of input, or a payload that is not whole samples")                                       \
    X(SELFTEST, "the device failed its self-test and decides nothing")                                                 \
    X(TYPE, "an unknown frame type, or a frame of the wrong length")

#define SCN_LINK_REASON(name, text) SCN_REASON_##name,
typedef enum { SCN_LINK_REASONS(SCN_LINK_REASON) SCN_REASON_COUNT } scn_link_reason_t;
#undef SCN_LINK_REASON

#ifdef __cplusplus
}
#endif

#endif

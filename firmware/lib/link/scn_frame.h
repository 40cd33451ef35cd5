/* SPDX-License-Identifier: MIT */
/* Encoding and decoding of frames (COBS, CRC-16), and the text lines between frames. */
#ifndef SCN_FRAME_H
#define SCN_FRAME_H

#include "scn_link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Encode a body (type and fields; the CRC is added here) for the wire, delimiters included. `size` is at most
 * SCN_LINK_BODY_BYTES - SCN_LINK_CRC_BYTES. Returns the number of bytes written to `wire`. */
size_t scn_frame_encode(const uint8_t *body, size_t size, uint8_t wire[SCN_LINK_WIRE_BYTES]);

/* Longest text line to the device, its end not counted. */
#ifndef SCN_LINE_BYTES
#define SCN_LINE_BYTES 80u
#endif

typedef enum {
    SCN_RECEIVED_NOTHING, /* the byte completed nothing */
    SCN_RECEIVED_FRAME,   /* bytes[0 .. size) is a body without its CRC, which held */
    SCN_RECEIVED_LINE,    /* bytes[0 .. size) is a text line without its end, and bytes[size] is 0 */
    SCN_RECEIVED_CORRUPT, /* a frame that failed its check, or is too long, or garbage */
    SCN_RECEIVED_REFUSED, /* a line that is too long or not printable; nothing of it was kept */
} scn_received_t;

/* Assembles bytes to frames and lines. The second byte of a chunk decides: 0x80 and above is the type of a frame,
 * after its COBS code; anything else is text.
 *
 *                          >= 0x80
 *     EMPTY ----> FIRST ------------> FRAME ----- too long ----> SKIP_FRAME
 *                   |                   | 0x00: a frame, or corrupt  | 0x00: corrupt
 *                   | < 0x80
 *                   '--------> LINE ----- too long, or not printable ----> SKIP_LINE
 *                                | CR, LF or %: a line                        | CR, LF or %: refused
 *
 * Every end returns to EMPTY, and so does 0x00 from everywhere: it is in no text and inside no frame. A frame is kept
 * encoded until its end, and decoded in place. */
typedef struct {
    uint8_t bytes[SCN_LINK_BODY_BYTES + 1u];
    size_t size;  /* after an event: of what was received */
    size_t count; /* bytes of the unfinished chunk */
    enum {
        SCN_CHUNK_EMPTY,
        SCN_CHUNK_FIRST,
        SCN_CHUNK_LINE,
        SCN_CHUNK_FRAME,
        SCN_CHUNK_SKIP_LINE,
        SCN_CHUNK_SKIP_FRAME,
    } state;
} scn_receiver_t;

void scn_receiver_init(scn_receiver_t *receiver);

/* Take one byte. The data of an event stays valid until the next call. */
scn_received_t scn_receiver_push(scn_receiver_t *receiver, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif

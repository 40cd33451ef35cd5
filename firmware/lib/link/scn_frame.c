/* SPDX-License-Identifier: MIT */
#include "scn_frame.h"

#include "scn_crc.h"

#define DELIMITER 0u

_Static_assert(SCN_LINK_BODY_BYTES < 254u, "a longer body would need more than one COBS code byte of overhead");

size_t scn_frame_encode(const uint8_t *body, size_t size, uint8_t wire[SCN_LINK_WIRE_BYTES]) {
    const uint16_t crc = scn_crc16(SCN_CRC16_START, body, size);
    const uint8_t tail[SCN_LINK_CRC_BYTES] = {(uint8_t)crc, (uint8_t)(crc >> 8)};
    size_t out = 0, code;
    wire[out++] = DELIMITER;
    code = out++;
    wire[code] = 1;
    for (size_t i = 0; i < size + SCN_LINK_CRC_BYTES; i++) {
        const uint8_t byte = i < size ? body[i] : tail[i - size];
        if (byte == 0) {
            code = out++;
            wire[code] = 1;
        } else {
            wire[out++] = byte;
            wire[code]++; /* never past 254: a body is shorter */
        }
    }
    wire[out++] = DELIMITER;
    return out;
}

void scn_receiver_init(scn_receiver_t *receiver) {
    receiver->size = 0;
    receiver->count = 0;
    receiver->state = SCN_CHUNK_EMPTY;
}

/* Decode COBS in place. Returns the body's size, or 0 when a code points past the end. */
static size_t decode(uint8_t *bytes, size_t count) {
    size_t in = 0, out = 0;
    while (in < count) {
        const size_t code = bytes[in++];
        if (in + code - 1u > count) {
            return 0;
        }
        for (size_t i = 1; i < code; i++) {
            bytes[out++] = bytes[in++];
        }
        if (in < count) {
            bytes[out++] = 0;
        }
    }
    return out;
}

static scn_received_t end_chunk(scn_receiver_t *receiver, scn_received_t event) {
    receiver->count = 0;
    receiver->state = SCN_CHUNK_EMPTY;
    return event;
}

static scn_received_t check_frame(scn_receiver_t *receiver) {
    /* A count beyond the buffer comes from a flipped bit in RAM only; here and below no such bit may reach other memory. */
    const bool fits = receiver->count <= sizeof receiver->bytes;
    const size_t size = fits ? decode(receiver->bytes, receiver->count) : 0u;
    if (size <= SCN_LINK_CRC_BYTES) {
        return SCN_RECEIVED_CORRUPT;
    }
    receiver->size = size - SCN_LINK_CRC_BYTES;
    const uint8_t *crc = receiver->bytes + receiver->size;
    const bool held = scn_crc16(SCN_CRC16_START, receiver->bytes, receiver->size) == (crc[0] | crc[1] << 8);
    return held ? SCN_RECEIVED_FRAME : SCN_RECEIVED_CORRUPT;
}

static bool printable(uint8_t byte) {
    return byte >= ' ' && byte <= '~';
}

/* CR and LF, whichever a terminal sends; % ends a command of the MLPerf Tiny runner. */
static bool ends_line(uint8_t byte) {
    return byte == '\r' || byte == '\n' || byte == '%';
}

static scn_received_t delimiter(scn_receiver_t *receiver) {
    switch (receiver->state) {
    case SCN_CHUNK_EMPTY:
        return SCN_RECEIVED_NOTHING;
    case SCN_CHUNK_FIRST: /* it may be the LF of a CR LF, if a frame follows a line */
        return end_chunk(receiver, ends_line(receiver->bytes[0]) ? SCN_RECEIVED_NOTHING : SCN_RECEIVED_CORRUPT);
    case SCN_CHUNK_FRAME:
        return end_chunk(receiver, check_frame(receiver));
    default:
        return end_chunk(receiver, SCN_RECEIVED_CORRUPT);
    }
}

static scn_received_t push_text(scn_receiver_t *receiver, uint8_t byte) {
    if (ends_line(byte)) {
        receiver->size = receiver->count;
        receiver->bytes[receiver->size] = 0;
        return end_chunk(receiver, receiver->size > 0 ? SCN_RECEIVED_LINE : SCN_RECEIVED_NOTHING);
    }
    if (!printable(byte) || receiver->count >= SCN_LINE_BYTES) {
        receiver->state = SCN_CHUNK_SKIP_LINE;
        return SCN_RECEIVED_NOTHING;
    }
    receiver->bytes[receiver->count++] = byte;
    return SCN_RECEIVED_NOTHING;
}

static scn_received_t push_frame(scn_receiver_t *receiver, uint8_t byte) {
    if (receiver->count >= sizeof receiver->bytes) {
        receiver->state = SCN_CHUNK_SKIP_FRAME;
        return SCN_RECEIVED_NOTHING;
    }
    receiver->bytes[receiver->count++] = byte;
    return SCN_RECEIVED_NOTHING;
}

/* The second byte decides what the first one is. */
static scn_received_t push_second(scn_receiver_t *receiver, uint8_t byte) {
    if (byte >= SCN_LINK_START) {
        receiver->state = SCN_CHUNK_FRAME;
        return push_frame(receiver, byte);
    }
    receiver->state = SCN_CHUNK_LINE;
    receiver->count = 0;
    if (ends_line(receiver->bytes[0])) { /* an empty line: `byte` is the first of another chunk */
        receiver->bytes[receiver->count++] = byte;
        receiver->state = SCN_CHUNK_FIRST;
        return SCN_RECEIVED_NOTHING;
    }
    push_text(receiver, receiver->bytes[0]);
    if (receiver->state == SCN_CHUNK_SKIP_LINE) { /* the first was noise; the second may end the chunk */
        return ends_line(byte) ? end_chunk(receiver, SCN_RECEIVED_REFUSED) : SCN_RECEIVED_NOTHING;
    }
    return push_text(receiver, byte);
}

scn_received_t scn_receiver_push(scn_receiver_t *receiver, uint8_t byte) {
    if (byte == 0) {
        return delimiter(receiver);
    }
    switch (receiver->state) {
    case SCN_CHUNK_EMPTY:
        receiver->state = SCN_CHUNK_FIRST;
        return push_frame(receiver, byte);
    case SCN_CHUNK_FIRST:
        return push_second(receiver, byte);
    case SCN_CHUNK_LINE:
        return push_text(receiver, byte);
    case SCN_CHUNK_FRAME:
        return push_frame(receiver, byte);
    case SCN_CHUNK_SKIP_LINE:
        return ends_line(byte) ? end_chunk(receiver, SCN_RECEIVED_REFUSED) : SCN_RECEIVED_NOTHING;
    default:
        return SCN_RECEIVED_NOTHING;
    }
}

/* SPDX-License-Identifier: MIT */
/* Any bytes into the receiver of frames and lines, and any body through encoder and receiver. */
#include "fuzz.h"
#include "scn_frame.h"
#include "scn_ring.h"

static scn_receiver_t receiver;

static void check(scn_received_t event) {
    if (event == SCN_RECEIVED_FRAME) {
        FUZZ_REQUIRE(receiver.size >= 1u && receiver.size <= SCN_LINK_BODY_BYTES - SCN_LINK_CRC_BYTES);
    }
    if (event == SCN_RECEIVED_LINE) {
        FUZZ_REQUIRE(receiver.size >= 1u && receiver.size <= SCN_LINE_BYTES);
        FUZZ_REQUIRE(strlen((const char *)receiver.bytes) == receiver.size);
    }
}

/* Bytes pass a small ring first, as they come from the interrupt. */
static void push_all(const uint8_t *bytes, size_t count) {
    static uint8_t memory[64];
    scn_ring_t ring;
    uint8_t byte = 0;
    scn_ring_init(&ring, memory, sizeof memory);
    for (size_t i = 0; i < count; i++) {
        scn_ring_push(&ring, bytes[i]);
        while (i % 3u == 0 && scn_ring_pop(&ring, &byte)) {
            check(scn_receiver_push(&receiver, byte));
        }
    }
    while (scn_ring_pop(&ring, &byte)) {
        check(scn_receiver_push(&receiver, byte));
    }
    FUZZ_REQUIRE(scn_ring_dropped(&ring) == 0);
}

/* After anything at all, a delimiter and a frame: it comes back whole. */
static void pass_frame(const uint8_t *bytes, size_t count) {
    uint8_t body[SCN_LINK_BODY_BYTES], wire[SCN_LINK_WIRE_BYTES];
    const size_t most = SCN_LINK_BODY_BYTES - SCN_LINK_CRC_BYTES, size = count < most ? count : most;
    if (size == 0) {
        return;
    }
    memcpy(body, bytes, size);
    body[0] |= 0x80u;
    const size_t sent = scn_frame_encode(body, size, wire);
    FUZZ_REQUIRE(sent <= sizeof wire && memchr(wire + 1, 0, sent - 2u) == NULL);
    (void)scn_receiver_push(&receiver, 0);
    for (size_t i = 0; i + 1u < sent; i++) {
        FUZZ_REQUIRE(scn_receiver_push(&receiver, wire[i]) == SCN_RECEIVED_NOTHING);
    }
    FUZZ_REQUIRE(scn_receiver_push(&receiver, wire[sent - 1u]) == SCN_RECEIVED_FRAME);
    FUZZ_REQUIRE(receiver.size == size && memcmp(receiver.bytes, body, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    scn_receiver_init(&receiver);
    push_all(bytes, count);
    pass_frame(bytes, count);
    return 0;
}

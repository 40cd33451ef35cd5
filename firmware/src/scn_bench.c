/* SPDX-License-Identifier: MIT */
#include "scn_bench.h"

#include "scn_classifier.h"
#include "scn_frame.h"
#include "scn_port.h"
#include "scn_ring.h"

#if SCN_HAS_FRONTEND
#define RING_BYTES 512u /* more than a frame on the wire */
_Static_assert(RING_BYTES > SCN_LINK_WIRE_BYTES, "the ring must hold a frame");

typedef struct {
    uint64_t last, most;
} lap_t;

static void end_lap(void *context) {
    lap_t *lap = context;
    const uint64_t now = scn_port_cycles();
    lap->most = now - lap->last > lap->most ? now - lap->last : lap->most;
    lap->last = now;
}

/* Pass a frame through ring and receiver, as the interrupt and the main loop do. */
static uint64_t receive(const uint8_t *wire, size_t count) {
    uint8_t bytes[RING_BYTES], byte;
    scn_ring_t ring;
    scn_receiver_t receiver;
    scn_ring_init(&ring, bytes, sizeof bytes);
    scn_receiver_init(&receiver);
    const uint64_t before = scn_port_cycles();
    for (size_t i = 0; i < count; i++) {
        scn_ring_push(&ring, wire[i]);
    }
    while (scn_ring_pop(&ring, &byte)) {
        (void)scn_receiver_push(&receiver, byte);
    }
    return scn_port_cycles() - before;
}

/* The last frame may be partly filled; it is counted as a full one. */
static uint64_t receive_hop(void) {
    uint8_t body[SCN_LINK_DATA_HEADER_BYTES + SCN_LINK_PAYLOAD_BYTES] = {SCN_LINK_DATA};
    uint8_t wire[SCN_LINK_WIRE_BYTES];
    uint64_t cycles = 0;
    for (uint32_t sent = 0; sent < SCN_FRONTEND_HOP_LENGTH * SCN_SAMPLE_BYTES; sent += SCN_LINK_PAYLOAD_BYTES) {
        for (uint32_t i = 0; i < SCN_LINK_PAYLOAD_BYTES; i++) {
            body[SCN_LINK_DATA_HEADER_BYTES + i] = (uint8_t)(i * 151u + sent);
        }
        cycles += receive(wire, scn_frame_encode(body, sizeof body, wire));
    }
    return cycles;
}

scn_bench_hop_t scn_bench_hop(void) {
    lap_t lap = {.last = scn_port_cycles()};
    scn_classifier_known_hops(end_lap, &lap);
    return (scn_bench_hop_t){SCN_FRONTEND_HOP_LENGTH, lap.most, receive_hop()};
}
#else
scn_bench_hop_t scn_bench_hop(void) {
    scn_classifier_known_window();
    return (scn_bench_hop_t){0};
}
#endif

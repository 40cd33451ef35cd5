/* SPDX-License-Identifier: MIT */
#include "scn_ring.h"

void scn_ring_init(scn_ring_t *ring, uint8_t *bytes, uint32_t capacity) {
    ring->bytes = bytes;
    ring->capacity = capacity;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->dropped, 0);
}

void scn_ring_push(scn_ring_t *ring, uint8_t byte) {
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail >= ring->capacity) {
        /* A plain load and store: only the writer changes this counter. */
        const uint32_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
        atomic_store_explicit(&ring->dropped, dropped + 1u, memory_order_relaxed);
        return;
    }
    ring->bytes[head & (ring->capacity - 1u)] = byte;
    atomic_store_explicit(&ring->head, head + 1u, memory_order_release);
}

uint32_t scn_ring_room(scn_ring_t *ring) {
    return ring->capacity - (atomic_load_explicit(&ring->head, memory_order_relaxed) -
                             atomic_load_explicit(&ring->tail, memory_order_acquire));
}

bool scn_ring_pop(scn_ring_t *ring, uint8_t *byte) {
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (head == tail) {
        return false;
    }
    if (head - tail > ring->capacity) { /* only a damaged counter does that; else 2^32 bytes might follow */
        atomic_store_explicit(&ring->tail, head, memory_order_release);
        return false;
    }
    *byte = ring->bytes[tail & (ring->capacity - 1u)];
    atomic_store_explicit(&ring->tail, tail + 1u, memory_order_release);
    return true;
}

bool scn_ring_empty(scn_ring_t *ring) {
    return atomic_load_explicit(&ring->head, memory_order_acquire) ==
           atomic_load_explicit(&ring->tail, memory_order_relaxed);
}

uint32_t scn_ring_dropped(scn_ring_t *ring) {
    return atomic_load_explicit(&ring->dropped, memory_order_relaxed);
}

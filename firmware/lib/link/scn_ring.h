/* SPDX-License-Identifier: MIT */
/* Bytes from an interrupt to the main loop: one writer, one reader, no lock. */
#ifndef SCN_RING_H
#define SCN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the interrupt and the main loop both touch. */
#ifdef __cplusplus
#include <atomic>
typedef std::atomic<uint32_t> scn_ring_counter_t;
#else
#include <stdatomic.h>
typedef _Atomic uint32_t scn_ring_counter_t;
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* `capacity` is a power of two; the ring holds that many bytes. `head` counts bytes in, `tail` bytes out. A byte that
 * does not fit is dropped and counted; the reader notices through a checksum. */
typedef struct {
    uint8_t *bytes;
    uint32_t capacity;
    scn_ring_counter_t head;
    scn_ring_counter_t tail;
    scn_ring_counter_t dropped;
} scn_ring_t;

/* `bytes` belongs to the caller and must outlive the ring. */
void scn_ring_init(scn_ring_t *ring, uint8_t *bytes, uint32_t capacity);

/* Writer's side. */
void scn_ring_push(scn_ring_t *ring, uint8_t byte);

/* Writer's side: bytes that are free at least. */
uint32_t scn_ring_room(scn_ring_t *ring);

/* Reader's side: take the oldest byte; false when there is none. Counters that no sequence of calls can give, as after
 * a flipped bit in RAM, empty the ring. */
bool scn_ring_pop(scn_ring_t *ring, uint8_t *byte);

bool scn_ring_empty(scn_ring_t *ring);

/* Bytes dropped since scn_ring_init, modulo 2^32. */
uint32_t scn_ring_dropped(scn_ring_t *ring);

#ifdef __cplusplus
}
#endif

#endif

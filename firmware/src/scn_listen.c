/* SPDX-License-Identifier: MIT */
#include "scn_listen.h"

#include "scn_port.h"

#if SCN_CAN_CAPTURE
#include "scn_capture.h"
#include "scn_ring.h"

_Static_assert((SCN_LISTEN_BYTES & (SCN_LISTEN_BYTES - 1u)) == 0, "the ring's size must be a power of two");
_Static_assert(SCN_PORT_MICROPHONE_HALFWORDS % (SCN_CAPTURE_FRAME * SCN_LISTEN_CAPTURE) == 0, "blocks are whole");

static scn_capture_t capture;

/* Write a sample in the format of the link. */
static void to_bytes(int32_t sample, uint8_t *bytes) {
    for (uint32_t i = 0; i < SCN_SAMPLE_BYTES; i++) {
        bytes[i] = (uint8_t)((uint32_t)sample >> 8u * i);
    }
}

bool scn_listen_capture_begin(void) {
    return scn_capture_begin(&capture, SCN_LISTEN_RATE, SCN_FRONTEND_SAMPLE_RATE, SCN_FRONTEND_SAMPLE_BITS);
}

size_t scn_listen_capture(const uint8_t *bytes, size_t samples, uint8_t *out) {
    int32_t block[SCN_LISTEN_CAPTURE];
    for (size_t i = 0; i < samples; i++, bytes += 3) { /* left-aligned, so that the shift back extends the sign */
        block[i] = (int32_t)((uint32_t)bytes[0] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 24) >> 8;
    }
    const size_t made = scn_capture_samples(&capture, block, samples, block);
    for (size_t i = 0; i < made; i++) {
        to_bytes(block[i], out + SCN_SAMPLE_BYTES * i);
    }
    return SCN_SAMPLE_BYTES * made;
}
#else
bool scn_listen_capture_begin(void) {
    return false;
}

size_t scn_listen_capture(const uint8_t *bytes, size_t samples, uint8_t *out) {
    (void)bytes, (void)samples, (void)out;
    return 0;
}
#endif

#if SCN_CAN_CAPTURE && defined(SCN_BOARD_MICROPHONE)
static uint8_t ring_bytes[SCN_LISTEN_BYTES];
static scn_ring_t ring;
static atomic_bool gap;        /* set by the interrupt; cleared only while it is stopped */
static scn_listen_lost_t lost; /* written by the interrupt, each field one word */
static bool listening;
static atomic_uint taken_blocks; /* counted by the interrupt */
static uint32_t seen_blocks;
static uint64_t seen_at;  /* cycles */
static uint32_t silences; /* in a row */

static void count_lost(void) {
    if (!atomic_load_explicit(&gap, memory_order_relaxed)) {
        lost.overruns++;
        atomic_store_explicit(&gap, true, memory_order_release);
    }
    lost.lost_blocks++;
}

static void push_samples(const int32_t *samples, size_t count) {
    uint8_t bytes[SCN_SAMPLE_BYTES];
    for (size_t i = 0; i < count; i++) {
        to_bytes(samples[i], bytes);
        for (uint32_t k = 0; k < SCN_SAMPLE_BYTES; k++) {
            scn_ring_push(&ring, bytes[k]);
        }
    }
}

/* Called from the microphone's interrupt. A block is taken whole or not at all. */
static void take_block(void *context, const uint16_t *block) {
    const bool pdm = *(const bool *)context;
    atomic_fetch_add_explicit(&taken_blocks, 1u, memory_order_relaxed);
    const size_t unit = pdm ? 1u : SCN_CAPTURE_FRAME, step = unit * SCN_LISTEN_CAPTURE;
    /* Bytes of a block after decimation, at most: all frames of I2S, a quarter of the words of PDM. */
    const size_t most = SCN_PORT_MICROPHONE_HALFWORDS / 4u * SCN_SAMPLE_BYTES;
    int32_t samples[SCN_LISTEN_CAPTURE];
    if (!block || atomic_load_explicit(&gap, memory_order_relaxed) || scn_ring_room(&ring) < most) {
        count_lost();
        return;
    }
    for (const uint16_t *end = block + SCN_PORT_MICROPHONE_HALFWORDS; block < end; block += step) {
        push_samples(samples, pdm ? scn_capture_pdm(&capture, block, SCN_LISTEN_CAPTURE, samples)
                                  : scn_capture_i2s(&capture, block, SCN_LISTEN_CAPTURE, samples));
    }
}

static bool begin(bool pdm) {
#ifdef SCN_FRONTEND_CAPTURE_RATE
    const uint32_t trained = SCN_FRONTEND_CAPTURE_RATE;
#else
    const uint32_t trained = 0;
#endif
    return pdm ? scn_capture_begin_pdm(&capture, trained, SCN_FRONTEND_SAMPLE_RATE, SCN_FRONTEND_SAMPLE_BITS)
               : scn_listen_capture_begin();
}

/* A microphone that runs and delivers nothing: a DMA stream that is stuck, a clock line that is open. Not where time is
 * emulated: there the microphone is a file, which ends. */
static void notice_silence(void) {
    if (scn_port_clock() == SCN_PORT_CLOCK_EMULATED) {
        return;
    }
    const uint32_t blocks = atomic_load_explicit(&taken_blocks, memory_order_relaxed);
    const uint64_t now = scn_port_cycles();
    if (blocks != seen_blocks) {
        seen_blocks = blocks;
        seen_at = now;
        silences = 0;
    } else if (now - seen_at > scn_port_cpu_hz() / SCN_LISTEN_SILENCES_PER_SECOND) {
        silences++;
        scn_port_microphone_stop(); /* from here on, only this function counts */
        count_lost();
    }
}

static bool restart(void) {
    static bool pdm;
    pdm = scn_port_microphone() == SCN_PORT_MICROPHONE_PDM;
    scn_ring_init(&ring, ring_bytes, sizeof ring_bytes);
    atomic_store(&gap, false);
    seen_blocks = atomic_load_explicit(&taken_blocks, memory_order_relaxed);
    seen_at = scn_port_cycles();
    listening = begin(pdm) && scn_port_microphone_start(SCN_LISTEN_RATE, take_block, &pdm);
    if (!listening) {
        scn_port_microphone_stop(); /* it may have started partly */
    }
    return listening;
}

bool scn_listen_start(void) {
    scn_listen_stop();
    silences = 0;
    return restart();
}

bool scn_listen_restart(void) {
    const uint32_t before = silences;
    scn_listen_stop();
    return before < SCN_LISTEN_MOST_SILENCES && restart();
}

void scn_listen_stop(void) {
    scn_port_microphone_stop();
    listening = false;
}

bool scn_listening(void) {
    return listening;
}

bool scn_listen_idle(void) {
    return !listening || (scn_ring_empty(&ring) && !atomic_load(&gap));
}

size_t scn_listen_take(uint8_t *bytes, size_t count) {
    size_t taken = 0;
    while (listening && taken + SCN_SAMPLE_BYTES <= count && !scn_ring_empty(&ring)) {
        for (uint32_t k = 0; k < SCN_SAMPLE_BYTES; k++) {
            scn_ring_pop(&ring, &bytes[taken++]);
        }
    }
    return taken;
}

bool scn_listen_gap(void) {
    if (listening) {
        notice_silence();
    }
    return listening && atomic_load(&gap);
}

scn_listen_lost_t scn_listen_lost(void) {
    return lost;
}
#else
bool scn_listen_start(void) {
    return false;
}

bool scn_listen_restart(void) {
    return false;
}

void scn_listen_stop(void) {}

bool scn_listening(void) {
    return false;
}

bool scn_listen_idle(void) {
    return true;
}

size_t scn_listen_take(uint8_t *bytes, size_t count) {
    (void)bytes, (void)count;
    return 0;
}

bool scn_listen_gap(void) {
    return false;
}

scn_listen_lost_t scn_listen_lost(void) {
    return (scn_listen_lost_t){0};
}
#endif

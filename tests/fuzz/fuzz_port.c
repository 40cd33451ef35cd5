/* SPDX-License-Identifier: MIT */
#include "fuzz_port.h"

#include "fuzz.h"

#define QUEUE_BYTES 65536u
#define BURST 4096u /* delivered at once, as while the network runs; the ring holds twice as many */

static uint8_t queue[QUEUE_BYTES];
static size_t queue_first, queue_end;
static scn_port_receive_t receive_byte;
static void *receive_context;
static scn_port_block_t block_ready;
static void *block_context;
static uint64_t cycles;
static char said[128];
static size_t said_bytes;

void fuzz_port_receive(const void *bytes, size_t count) {
    if (count <= QUEUE_BYTES - queue_end) {
        memcpy(queue + queue_end, bytes, count);
        queue_end += count;
    }
}

void fuzz_port_play(const uint16_t *block) {
    if (block_ready) {
        block_ready(block_context, block);
    }
}

bool fuzz_port_waiting(void) {
    return queue_first < queue_end;
}

bool fuzz_port_said(const char *text) {
    const size_t count = strlen(text);
    return count <= said_bytes && memcmp(said + said_bytes - count, text, count) == 0;
}

void scn_port_init(scn_port_receive_t receive, void *context) {
    receive_byte = receive;
    receive_context = context;
    block_ready = NULL;
    queue_first = queue_end = said_bytes = 0;
    cycles = 0;
}

const char *scn_port_board(void) {
    return "fuzz";
}

scn_port_clock_t scn_port_clock(void) {
    return SCN_PORT_CLOCK_EXTERNAL;
}

uint32_t scn_port_cpu_hz(void) {
    return 1000000u;
}

uint64_t scn_port_cycles(void) {
    return cycles += 1000u;
}

uint32_t scn_port_line_errors(void) {
    return 0;
}

_Noreturn void scn_port_fail(scn_port_crash_cause_t failed) {
    (void)failed;
    abort();
}

/* Keeps the last bytes. */
void scn_port_write(const void *bytes, size_t count) {
    const char *from = bytes;
    for (size_t i = 0; i < count; i++) {
        if (said_bytes == sizeof said) {
            memmove(said, said + sizeof said / 2u, sizeof said / 2u);
            said_bytes = sizeof said / 2u;
        }
        said[said_bytes++] = from[i];
    }
}

void scn_port_wait(scn_port_idle_t idle, void *context) {
    if (!idle(context)) {
        return;
    }
    for (size_t left = BURST; left > 0 && queue_first < queue_end; left--) {
        receive_byte(receive_context, queue[queue_first++]);
    }
    if (queue_first == queue_end) {
        queue_first = queue_end = 0;
    }
}

scn_port_microphone_t scn_port_microphone(void) {
    return SCN_PORT_MICROPHONE_I2S;
}

bool scn_port_microphone_start(uint32_t rate, scn_port_block_t on_block, void *context) {
    (void)rate;
    block_ready = on_block;
    block_context = context;
    return true;
}

void scn_port_microphone_stop(void) {
    block_ready = NULL;
}

void scn_port_led(bool on) {
    (void)on;
}

scn_port_memory_t scn_port_memory(void) {
    return (scn_port_memory_t){0};
}

scn_port_reset_t scn_port_reset(void) {
    return SCN_PORT_RESET_UNKNOWN;
}

scn_port_crash_t scn_port_crash(void) {
    return (scn_port_crash_t){0};
}

scn_port_settings_t scn_port_settings(void) {
    return (scn_port_settings_t){0};
}

scn_port_image_t scn_port_image(void) {
    return (scn_port_image_t){0};
}

void scn_port_watch(void) {}

void scn_port_alive(void) {}

void scn_port_survived(void) {}

_Noreturn void scn_port_exit(int status) {
    (void)status;
    abort();
}

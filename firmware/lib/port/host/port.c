/* SPDX-License-Identifier: MIT */
/* The port for this computer. The console is stdin and stdout, so that the firmware can be tested and fuzzed. The
 * microphone is the file that SCENELET_MICROPHONE names: blocks as DMA would deliver them from an I2S microphone. The
 * LED is the file that SCENELET_LED names: 1 or 0, every time that it is driven. */
#define _POSIX_C_SOURCE 200809L
#include "scn_port.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NANOSECONDS 1000000000u

static scn_port_receive_t receive_byte;
static void *receive_context;
static scn_port_block_t block_ready;
static void *block_context;
static int microphone = -1;

void scn_port_init(scn_port_receive_t receive, void *context) {
    receive_byte = receive;
    receive_context = context;
}

const char *scn_port_board(void) {
    return "host";
}

scn_port_clock_t scn_port_clock(void) {
    return SCN_PORT_CLOCK_EMULATED;
}

/* A "cycle" is a nanosecond. */
uint32_t scn_port_cpu_hz(void) {
    return NANOSECONDS;
}

uint64_t scn_port_cycles(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

uint32_t scn_port_line_errors(void) {
    return 0;
}

void scn_port_write(const void *bytes, size_t count) {
    const char *rest = bytes;
    while (count > 0) {
        const ssize_t written = write(STDOUT_FILENO, rest, count);
        if (written <= 0) {
            exit(EXIT_FAILURE); /* the reader has gone */
        }
        rest += written;
        count -= (size_t)written;
    }
}

/* Deliver a block, unless there is something to read on the console. False where no block is left. */
static bool play_block(void) {
    uint16_t block[SCN_PORT_MICROPHONE_HALFWORDS];
    struct pollfd console = {.fd = STDIN_FILENO, .events = POLLIN};
    if (microphone < 0 || poll(&console, 1, 0) != 0) {
        return false;
    }
    if (read(microphone, block, sizeof block) != (ssize_t)sizeof block) {
        scn_port_microphone_stop();
        return false;
    }
    block_ready(block_context, block);
    return true;
}

void scn_port_wait(scn_port_idle_t idle, void *context) {
    uint8_t bytes[256];
    if (!idle(context) || play_block()) {
        return;
    }
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count <= 0) {
        exit(EXIT_SUCCESS);
    }
    for (ssize_t i = 0; i < count; i++) {
        receive_byte(receive_context, bytes[i]);
    }
}

scn_port_microphone_t scn_port_microphone(void) {
    return getenv("SCENELET_MICROPHONE") ? SCN_PORT_MICROPHONE_I2S : SCN_PORT_MICROPHONE_NONE;
}

bool scn_port_microphone_start(uint32_t rate, scn_port_block_t on_block, void *context) {
    const char *path = getenv("SCENELET_MICROPHONE");
    (void)rate;
    block_ready = on_block;
    block_context = context;
    microphone = path ? open(path, O_RDONLY) : -1;
    return microphone >= 0;
}

void scn_port_microphone_stop(void) {
    if (microphone >= 0) {
        close(microphone);
        microphone = -1;
    }
}

void scn_port_led(bool on) {
    static int led = -1;
    const char *path = getenv("SCENELET_LED");
    if (path && led < 0) {
        led = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    }
    if (led >= 0 && write(led, on ? "1" : "0", 1) != 1) {
        exit(EXIT_FAILURE);
    }
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

void scn_port_survived(void) {}

scn_port_settings_t scn_port_settings(void) {
    return (scn_port_settings_t){0};
}

scn_port_image_t scn_port_image(void) {
    return (scn_port_image_t){0};
}

_Noreturn void scn_port_fail(scn_port_crash_cause_t failed) {
    (void)failed;
    exit(EXIT_FAILURE);
}

/* On a computer, whoever starts the program supervises it. */
void scn_port_watch(void) {}

void scn_port_alive(void) {}

_Noreturn void scn_port_exit(int status) {
    exit(status);
}

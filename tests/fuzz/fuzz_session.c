/* SPDX-License-Identifier: MIT */
/* The whole product around a small model: lines, frames and blocks of a microphone in any order. Afterwards it must
 * still answer. */
#include "fuzz.h"
#include "fuzz_port.h"
#include "scn_frame.h"
#include "scn_model.h"
#include "scn_session.h"

static const char *const words[] = {
    "info",    "labels", "last",      "features", "checksums", "selftest", "bench", "help",   "name", "profile",
    "results", "infer",  "db",        "load",     "print",     "decide",   "gate",  "listen", "on",   "off",
    "stream",  "health", "timestamp", "0",        "1",         "255",      "256",   "999999", "64",   "00",
};

static uint16_t next_number;

static uint8_t nibble(char digit) {
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void put_hash(uint8_t *to, const char *hexadecimal) {
    for (uint32_t i = 0; i < SCN_LINK_HASH_BYTES; i++) {
        to[i] = (uint8_t)(nibble(hexadecimal[2u * i]) << 4 | nibble(hexadecimal[2u * i + 1u]));
    }
}

static void send_body(const uint8_t *body, size_t size) {
    uint8_t wire[SCN_LINK_WIRE_BYTES];
    fuzz_port_receive(wire, scn_frame_encode(body, size, wire));
}

static void send_raw(fuzz_input_t *input) {
    size_t count;
    const uint8_t *bytes = fuzz_run(input, 1u + fuzz_below(input, 120u), &count);
    fuzz_port_receive(bytes, count);
}

static void send_line(fuzz_input_t *input) {
    for (uint32_t left = 1u + fuzz_below(input, 4u); left > 0; left--) {
        const char *word = words[fuzz_below(input, sizeof words / sizeof *words)];
        fuzz_port_receive(word, strlen(word));
        fuzz_port_receive(" ", left > 1u);
    }
    fuzz_port_receive("\n", 1u);
}

static void send_start(fuzz_input_t *input) {
    uint8_t body[SCN_LINK_START_BYTES] = {SCN_LINK_START, SCN_LINK_VERSION, fuzz_byte(input),
                                          (uint8_t)fuzz_below(input, 4u)};
    put_hash(body + 4, SCN_MODEL_SHA256);
    put_hash(body + 4 + SCN_LINK_HASH_BYTES, SCN_FRONTEND_SHA256);
    send_body(body, sizeof body);
    next_number = 0;
}

/* Up to 8 frames of full size that repeat a few bytes: enough for a window. */
static void send_data(fuzz_input_t *input) {
    uint8_t body[SCN_LINK_DATA_HEADER_BYTES + SCN_LINK_PAYLOAD_BYTES] = {SCN_LINK_DATA};
    const uint32_t frames = 1u + fuzz_below(input, 8u), kind = fuzz_byte(input);
    fuzz_fill(input, body + SCN_LINK_DATA_HEADER_BYTES, SCN_LINK_PAYLOAD_BYTES);
    for (uint32_t i = 0; i < frames; i++, next_number++) {
        body[1] = (uint8_t)next_number, body[2] = (uint8_t)(next_number >> 8);
        send_body(body, kind < 200u ? sizeof body : SCN_LINK_DATA_HEADER_BYTES + kind - 200u);
    }
}

static void send_other(fuzz_input_t *input) {
    uint8_t body[64];
    size_t count;
    const uint8_t *bytes = fuzz_run(input, 1u + fuzz_below(input, sizeof body), &count);
    if (count) {
        memcpy(body, bytes, count);
        body[0] |= 0x80u;
        send_body(body, count);
    }
}

static void play(fuzz_input_t *input) {
    uint16_t block[SCN_PORT_MICROPHONE_HALFWORDS];
    const uint32_t blocks = fuzz_below(input, 12u);
    fuzz_fill(input, block, sizeof block);
    for (uint32_t i = 0; i < blocks; i++) {
        fuzz_port_play(block);
    }
    if (blocks == 0) {
        fuzz_port_play(NULL);
    }
}

static void settle(void) {
    do {
        scn_session_step();
    } while (fuzz_port_waiting());
}

/* Started once: a self-test costs as much as ten sessions. What a session leaves, the next one finds, as on a board. */
int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count, (void)arguments;
    scn_session_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static void (*const parts[])(fuzz_input_t *) = {send_raw,  send_line,  send_start, send_data,
                                                    send_data, send_other, play,       play};
    static const char forget[] = "\0decide off\ngate off\nlisten off\nstream off\n", still[] = "\0stream off\nname\n";
    fuzz_input_t input = {bytes, bytes + count};
    fuzz_port_receive(forget, sizeof forget - 1u);
    settle();
    for (int turn = 0; turn < 16 && fuzz_left(&input); turn++) {
        parts[fuzz_below(&input, sizeof parts / sizeof *parts)](&input);
        if (fuzz_below(&input, 2u)) {
            settle();
        }
    }
    settle();
    fuzz_port_receive(still, sizeof still - 1u);
    settle();
    FUZZ_REQUIRE(fuzz_port_said("m-name-dut-[scenelet]\r\nm-ready\r\n"));
    return 0;
}

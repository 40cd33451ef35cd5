/* SPDX-License-Identifier: MIT */
#include "scn_session.h"

#include "scn_commands.h"
#include "scn_fault_injection.h"
#include "scn_idle.h"
#include "scn_integrity.h"
#include "scn_listen.h"
#include "scn_mlperf.h"
#include "scn_port.h"
#include "scn_report.h"
#include "scn_results.h"
#include "scn_ring.h"
#include "scn_stream.h"

#include <string.h>

/* Half of the ring: when a host sends frames again, those that it sent before may still be on their way. */
#define CREDIT (SCN_RING_BYTES / SCN_LINK_WIRE_BYTES / 2)
_Static_assert((SCN_RING_BYTES & (SCN_RING_BYTES - 1u)) == 0, "the ring's size must be a power of two");
_Static_assert(CREDIT >= 2 * SCN_STREAM_ACKNOWLEDGE_EVERY,
               "half the ring must hold twice what is acknowledged at once");

static uint8_t ring_bytes[SCN_RING_BYTES];
static scn_ring_t ring;
static scn_receiver_t receiver;
static SCN_PORT_SETTING scn_stream_identity_t identity;
static scn_stream_t stream;
static SCN_PORT_SETTING bool healthy; /* the last self-test did not fail: the network may run */

static void receive(void *context, uint8_t byte) {
    scn_ring_push(context, byte);
}

static bool nothing_to_do(void *context) {
    return scn_ring_empty(context) && scn_listen_idle();
}

static uint8_t hex_digit(char digit) {
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void short_hash(uint8_t hash[SCN_LINK_HASH_BYTES], const char *hexadecimal) {
    for (uint32_t i = 0; i < SCN_LINK_HASH_BYTES; i++) {
        hash[i] = (uint8_t)(hex_digit(hexadecimal[2u * i]) << 4 | hex_digit(hexadecimal[2u * i + 1u]));
    }
}

static void identify(void) {
    short_hash(identity.model, SCN_MODEL_SHA256);
#if SCN_HAS_FRONTEND
    short_hash(identity.frontend, SCN_FRONTEND_SHA256);
#endif
    identity.has_frontend = SCN_HAS_FRONTEND;
    identity.sample_bytes = SCN_SAMPLE_BYTES;
    identity.captures = scn_listen_capture_begin();
}

/* From now on: flash, and what does not change in RAM until the next command. */
static void watch_memory(void) {
    const scn_integrity_guard_t guards[SCN_INTEGRITY_GUARDS] = {
        {&ring, offsetof(scn_ring_t, head)},
        {&stream, offsetof(scn_stream_t, session)},
    };
    scn_integrity_begin(guards);
}

static void run_selftest(void) {
    scn_listen_stop();
    scn_results_forget(); /* the test overwrites the scores */
    /* Two looks at flash, both asked for whatever the other says: one flipped bit leaves one of them. */
    const scn_selftest_t result = scn_classifier_selftest();
    const bool whole = scn_integrity_whole();
    scn_mlperf_forget();
    scn_report_selftest(whole ? result : SCN_SELFTEST_FLASH);
    healthy = whole && (result == SCN_SELFTEST_PASS || result == SCN_SELFTEST_NONE);
    scn_stream_init(&stream, &identity, CREDIT, healthy);
    watch_memory();
}

static void report_info(void) {
    scn_report_info(SCN_RING_BYTES, CREDIT, scn_ring_dropped(&ring));
}

void scn_session_begin(void) {
    scn_ring_init(&ring, ring_bytes, sizeof ring_bytes);
    scn_receiver_init(&receiver);
    identify();
    scn_port_init(receive, &ring);
    scn_port_watch();
    scn_report_boot();
    scn_report_crash();
    run_selftest();
    scn_idle_begin();
    report_info();
    scn_report_initialized();
    scn_report_ready();
    scn_port_survived();
}

static void send_status(scn_link_reason_t reason) {
    uint8_t body[SCN_LINK_STATUS_BYTES], wire[SCN_LINK_WIRE_BYTES];
    scn_stream_status(&stream, reason, scn_results_count(), body);
    scn_port_write(wire, scn_frame_encode(body, sizeof body, wire));
}

static void acknowledge_decision(void) {
    send_status(SCN_REASON_OK);
}

static void take(const uint8_t *payload, size_t count) {
    uint8_t bytes[SCN_LISTEN_CAPTURE * SCN_SAMPLE_BYTES];
    if (stream.input != SCN_LINK_INPUT_CAPTURE) {
        scn_results_take(payload, count, acknowledge_decision);
        return;
    }
    for (size_t left = count / SCN_LINK_CAPTURE_BYTES, some; left > 0; left -= some) {
        some = left < SCN_LISTEN_CAPTURE ? left : SCN_LISTEN_CAPTURE;
        scn_results_take(bytes, scn_listen_capture(payload, some, bytes), acknowledge_decision);
        payload += some * SCN_LINK_CAPTURE_BYTES;
    }
}

/* Begin a host's session; ends whatever ran before. */
static void start(void) {
    static const scn_input_mode_t mode[] = {
        [SCN_LINK_INPUT_AUDIO] = SCN_INPUT_MODE_CLIPS,
        [SCN_LINK_INPUT_TENSOR] = SCN_INPUT_MODE_TENSOR,
        [SCN_LINK_INPUT_CAPTURE] = SCN_INPUT_MODE_LIVE,
    };
    scn_listen_stop();
    scn_mlperf_forget();
    scn_results_begin(stream.refusal == SCN_REASON_OK ? mode[stream.input] : SCN_INPUT_MODE_TENSOR);
    scn_idle_begin();
    if (stream.input == SCN_LINK_INPUT_CAPTURE) {
        (void)scn_listen_capture_begin(); /* the stream refuses this input where it fails */
    }
}

static void follow(const scn_stream_result_t *result) {
    if (result->started) {
        start();
    }
    if (result->reply) {
        send_status(result->reason);
    }
    take(result->payload, result->payload_bytes);
}

static void measure(void) {
    scn_listen_stop();
    scn_results_forget();
    scn_report_bench();
    scn_mlperf_forget();
    scn_stream_close(&stream); /* the measurement overwrites the unfinished window */
}

/* "listen on", "listen off". */
static void dispatch_listen(const char *line, const char *rest) {
    const bool on = strcmp(rest, "on") == 0;
    if (!on && strcmp(rest, "off") != 0) {
        scn_report_error("listen takes on or off", line);
        return;
    }
    scn_listen_stop();
    scn_port_led(false);
    if (on) {
        scn_stream_close(&stream);
        scn_mlperf_forget();
        scn_results_begin(SCN_INPUT_MODE_LIVE);
        scn_idle_begin();
        if (!healthy || !scn_listen_start()) {
            scn_report_error("no microphone that this model can hear, or a failed self-test", line);
            return;
        }
    }
    scn_report_listen(on);
}

static void dispatch_stream(const char *line, const char *rest) {
    if (strcmp(rest, "on") == 0) {
        if (!scn_stream_open(&stream, SCN_HAS_FRONTEND ? SCN_LINK_INPUT_AUDIO : SCN_LINK_INPUT_TENSOR)) {
            scn_report_error("the self-test failed", line);
            return;
        }
        start();
        scn_report_stream(true, 0);
    } else if (strcmp(rest, "off") == 0) {
        scn_stream_close(&stream);
        scn_report_stream(false, scn_results_count());
    } else {
        scn_report_error("stream takes on or off", line);
    }
}

static void dispatch_mlperf(const char *line) {
    switch (scn_mlperf(line)) {
    case SCN_MLPERF_UNKNOWN:
        scn_report_error("Unknown command", line);
        break;
    case SCN_MLPERF_TOOK_INPUT:
        scn_listen_stop();
        scn_stream_close(&stream);
        scn_results_forget();
        break;
    default:
        break;
    }
}

/* Without a passed self-test, nothing may run the network. */
static bool must_refuse(const char *line) {
    return !healthy && (scn_command(line) == SCN_COMMAND_BENCH || scn_command_rest(line, "infer"));
}

/* Commands of more than one word. */
static void dispatch_words(const char *line) {
    const char *listen = scn_command_rest(line, "listen"), *session = scn_command_rest(line, "stream");
    if (listen) {
        dispatch_listen(line, listen);
    } else if (session) {
        dispatch_stream(line, session);
    } else if (scn_results_command(line)) {
        watch_memory(); /* the rule and the gate are settings */
    } else {
        dispatch_mlperf(line);
    }
}

static void dispatch_command(const char *line) {
    if (must_refuse(line)) {
        scn_report_error("the self-test failed", line);
        scn_report_ready();
        return;
    }
    if (scn_inject_fault(line)) {
        return;
    }
    switch (scn_command(line)) {
    case SCN_COMMAND_INFO:
        report_info();
        break;
    case SCN_COMMAND_LABELS:
        scn_report_labels();
        break;
    case SCN_COMMAND_LAST:
        scn_results_repeat();
        break;
    case SCN_COMMAND_FEATURES:
        scn_report_features();
        break;
    case SCN_COMMAND_CHECKSUMS:
        scn_report_checksums();
        break;
    case SCN_COMMAND_SELFTEST:
        run_selftest();
        break;
    case SCN_COMMAND_BENCH:
        measure();
        break;
    case SCN_COMMAND_HEALTH:
        scn_report_health(scn_ring_dropped(&ring));
        break;
    case SCN_COMMAND_HELP:
        scn_commands_list();
        break;
    default:
        dispatch_words(line);
        break;
    }
    scn_report_ready();
}

/* In a session this is a damaged frame, else a mistyped line. */
static void refuse_line(void) {
    if (stream.refusal == SCN_REASON_OK) {
        const scn_stream_result_t result = scn_stream_corrupt(&stream);
        follow(&result);
        return;
    }
    scn_report_error("Line refused", "more than 80 characters, or not printable");
    scn_report_ready();
}

static void handle_byte(uint8_t byte) {
    scn_stream_result_t result;
    switch (scn_receiver_push(&receiver, byte)) {
    case SCN_RECEIVED_FRAME:
        result = scn_stream_frame(&stream, receiver.bytes, receiver.size);
        follow(&result);
        break;
    case SCN_RECEIVED_CORRUPT:
        result = scn_stream_corrupt(&stream);
        follow(&result);
        break;
    case SCN_RECEIVED_REFUSED:
        refuse_line();
        break;
    case SCN_RECEIVED_LINE:
        scn_command_tidy((char *)receiver.bytes);
        if (receiver.bytes[0]) { /* else nothing but spaces: an empty line */
            dispatch_command((const char *)receiver.bytes);
        }
        break;
    default:
        break;
    }
}

/* Take some samples of the microphone; false where none are left. */
static bool take_microphone(void) {
    uint8_t bytes[SCN_LISTEN_CAPTURE * SCN_SAMPLE_BYTES];
    const size_t count = scn_listen_take(bytes, sizeof bytes);
    scn_results_take(bytes, count, NULL);
    if (count == 0 && scn_listen_gap()) { /* all samples before the gap are taken */
        scn_report_gap(scn_results_count());
        scn_results_skip_gap();
        if (!scn_listen_restart()) {
            scn_report_error("the microphone does not start again", "listen");
        }
    }
    return count > 0;
}

void scn_session_step(void) {
    uint8_t byte;
    scn_idle_wait(nothing_to_do, &ring);
    if (healthy) {
        scn_integrity_step();
        scn_integrity_confirm();
    }
    do {
        scn_port_alive();
        while (scn_ring_pop(&ring, &byte)) {
            scn_port_alive(); /* a host that never pauses keeps the loop busy */
            handle_byte(byte);
        }
    } while (take_microphone());
}

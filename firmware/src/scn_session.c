#include "scn_session.h"

#include "scn_commands.h"
#include "scn_mlperf.h"
#include "scn_port.h"
#include "scn_report.h"
#include "scn_ring.h"
#include "scn_stream.h"

#include <string.h>

#define CREDIT (SCN_RING_BYTES / SCN_LINK_WIRE_BYTES)
_Static_assert((SCN_RING_BYTES & (SCN_RING_BYTES - 1u)) == 0, "the ring's size must be a power of two");
_Static_assert(CREDIT >= 2 * SCN_STREAM_ACKNOWLEDGE_EVERY, "the ring must hold twice what is acknowledged at once");

static uint8_t ring_bytes[SCN_RING_BYTES];
static scn_ring_t ring;
static scn_receiver_t receiver;
static scn_stream_identity_t identity;
static scn_stream_t stream;
static uint32_t windows;          /* decided since START */
static const int8_t *last_scores; /* of window `windows - 1`; NULL before the first */

static scn_decision_t decision;
static bool rule_in_use; /* `decision` has a rule, from "decide" */

static void receive(void *context, uint8_t byte) {
    scn_ring_push(context, byte);
}

static bool nothing_received(void *context) {
    return scn_ring_empty(context);
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
}

static void test_oneself(void) {
    last_scores = NULL; /* they lie in the memory that the test uses */
    const scn_selftest_t result = scn_classifier_selftest();
    scn_mlperf_forget();
    scn_report_selftest(result);
    scn_stream_init(&stream, &identity, CREDIT, result == SCN_SELFTEST_PASS || result == SCN_SELFTEST_NONE);
}

static void report_info(void) {
    scn_report_info(SCN_RING_BYTES, CREDIT, scn_ring_dropped(&ring));
}

void scn_session_begin(void) {
    scn_ring_init(&ring, ring_bytes, sizeof ring_bytes);
    scn_receiver_init(&receiver);
    identify();
    scn_port_init(receive, &ring);
    scn_report_boot();
    scn_report_crash();
    test_oneself();
    report_info();
    scn_report_initialized();
    scn_report_ready();
    scn_port_survived();
}

static void send_status(scn_link_reason_t reason) {
    uint8_t body[SCN_LINK_STATUS_BYTES], wire[SCN_LINK_WIRE_BYTES];
    scn_stream_status(&stream, reason, windows, body);
    scn_port_write(wire, scn_frame_encode(body, sizeof body, wire));
}

static void decide(void) {
    last_scores = scn_classifier_decide(NULL, NULL);
    if (rule_in_use) {
        scn_report_heard(windows, scn_decision_push(&decision, last_scores));
    }
    scn_report_decision(windows++, last_scores);
    send_status(SCN_REASON_OK);
}

static void take(const uint8_t *payload, size_t count) {
    for (size_t taken = 0; taken < count;) {
        taken += scn_classifier_push(payload + taken, count - taken);
        if (scn_classifier_complete()) {
            decide();
        }
    }
}

static void forget_session(void) {
    windows = 0;
    last_scores = NULL;
    scn_mlperf_forget();
    scn_decision_begin(&decision, decision.rule, SCN_MODEL_OUTPUT_BYTES);
    scn_classifier_begin(stream.input == SCN_LINK_INPUT_AUDIO);
}

static void follow(const scn_stream_result_t *result) {
    if (result->started) {
        forget_session();
    }
    if (result->reply) {
        send_status(result->reason);
    }
    take(result->payload, result->payload_bytes);
}

static void repeat_decision(void) {
    if (last_scores) {
        scn_report_decision(windows - 1u, last_scores);
    } else {
        scn_report_error("no decision yet", "last");
    }
}

static void measure(void) {
    last_scores = NULL;
    scn_report_bench();
    scn_mlperf_forget();
    scn_stream_close(&stream); /* it used the memory that a window was collecting in */
}

/* "decide SHARE MARGIN THRESHOLD", or "decide off". */
static void obey_rule(const char *line, const char *rest) {
    if (strcmp(rest, "off") == 0) {
        rule_in_use = false;
        scn_report_rule(NULL);
        return;
    }
    const uint32_t share = scn_command_number(&rest), margin = scn_command_number(&rest);
    const uint32_t threshold = scn_command_number(&rest);
    if (share < 1u || share > 256u || margin > 255u || threshold > 255u || *rest) {
        scn_report_error("decide takes 1..256 0..255 0..255, or off", line);
        return;
    }
    const scn_decision_rule_t rule = {(uint16_t)share, (uint8_t)margin, (uint8_t)threshold};
    scn_decision_begin(&decision, rule, SCN_MODEL_OUTPUT_BYTES);
    rule_in_use = true;
    scn_report_rule(&rule);
}

static void obey_stream(const char *line, const char *rest) {
    if (strcmp(rest, "on") == 0) {
        if (!scn_stream_open(&stream, SCN_HAS_FRONTEND ? SCN_LINK_INPUT_AUDIO : SCN_LINK_INPUT_TENSOR)) {
            scn_report_error("the self-test failed", line);
            return;
        }
        forget_session();
        scn_report_stream(true, 0);
    } else if (strcmp(rest, "off") == 0) {
        scn_stream_close(&stream);
        scn_report_stream(false, windows);
    } else {
        scn_report_error("stream takes on or off", line);
    }
}

static void obey_mlperf(const char *line) {
    switch (scn_mlperf(line)) {
    case SCN_MLPERF_UNKNOWN:
        scn_report_error("Unknown command", line);
        break;
    case SCN_MLPERF_TOOK_INPUT:
        scn_stream_close(&stream);
        last_scores = NULL;
        break;
    default:
        break;
    }
}

/* Commands of more than one word. */
static void obey_words(const char *line) {
    if (scn_command_rest(line, "decide")) {
        obey_rule(line, scn_command_rest(line, "decide"));
    } else if (scn_command_rest(line, "stream")) {
        obey_stream(line, scn_command_rest(line, "stream"));
    } else {
        obey_mlperf(line);
    }
}

static void obey(const char *line) {
    switch (scn_command(line)) {
    case SCN_COMMAND_INFO:
        report_info();
        break;
    case SCN_COMMAND_LABELS:
        scn_report_labels();
        break;
    case SCN_COMMAND_LAST:
        repeat_decision();
        break;
    case SCN_COMMAND_FEATURES:
        scn_report_features();
        break;
    case SCN_COMMAND_CHECKSUMS:
        scn_report_checksums();
        break;
    case SCN_COMMAND_SELFTEST:
        test_oneself();
        break;
    case SCN_COMMAND_BENCH:
        measure();
        break;
    case SCN_COMMAND_HELP:
        scn_commands_list();
        break;
    default:
        obey_words(line);
        break;
    }
    scn_report_ready();
}

/* Damage to a frame while a session is open; else somebody's typing. */
static void refuse_line(void) {
    if (stream.refusal == SCN_REASON_OK) {
        const scn_stream_result_t result = scn_stream_corrupt(&stream);
        follow(&result);
        return;
    }
    scn_report_error("Line refused", "more than 80 characters, or not printable");
    scn_report_ready();
}

static void deal_with(uint8_t byte) {
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
        obey((const char *)receiver.bytes);
        break;
    default:
        break;
    }
}

void scn_session_step(void) {
    uint8_t byte;
    scn_port_wait(nothing_received, &ring);
    while (scn_ring_pop(&ring, &byte)) {
        deal_with(byte);
    }
}

/* The link: checksums, ring, frames against lines, and the stream's rules. */
#include "check.h"
#include "scn_crc.h"
#include "scn_frame.h"
#include "scn_ring.h"
#include "scn_stream.h"

#include <string.h>

static scn_receiver_t receiver;

/* Push bytes; returns the last event that was not NOTHING, and counts them. */
static int events;
static scn_received_t push(const void *bytes, size_t count) {
    scn_received_t last = SCN_RECEIVED_NOTHING;
    for (size_t i = 0; i < count; i++) {
        const scn_received_t event = scn_receiver_push(&receiver, ((const uint8_t *)bytes)[i]);
        if (event != SCN_RECEIVED_NOTHING) {
            events++;
            last = event;
        }
    }
    return last;
}

static void fresh(void) {
    scn_receiver_init(&receiver);
    events = 0;
}

static scn_received_t push_text(const char *text) {
    return push(text, strlen(text));
}

static void test_crc16_of_the_check_string(void) {
    CHECK_EQUAL(scn_crc16(SCN_CRC16_START, "123456789", 9), 0x29B1);
    CHECK_EQUAL(scn_crc16(scn_crc16(SCN_CRC16_START, "1234", 4), "56789", 5), 0x29B1);
}

static void test_crc32_of_the_check_string(void) {
    CHECK_EQUAL(scn_crc32("123456789", 9), 0xCBF43926u);
    CHECK_EQUAL(scn_crc32("", 0), 0);
    CHECK_EQUAL(scn_crc32_more(scn_crc32_more(0, "1234", 4), "56789", 5), 0xCBF43926u);
}

static void test_ring_keeps_order_over_its_end(void) {
    uint8_t memory[8], byte = 0;
    scn_ring_t ring;
    scn_ring_init(&ring, memory, sizeof memory);
    for (uint32_t i = 0; i < 100; i++) {
        scn_ring_push(&ring, (uint8_t)i);
        scn_ring_push(&ring, (uint8_t)(i + 100u));
        CHECK(scn_ring_pop(&ring, &byte));
        CHECK_EQUAL(byte, (uint8_t)i);
        CHECK(scn_ring_pop(&ring, &byte));
        CHECK_EQUAL(byte, (uint8_t)(i + 100u));
    }
    CHECK(scn_ring_empty(&ring));
    CHECK(!scn_ring_pop(&ring, &byte));
}

static void test_room_is_what_is_left(void) {
    uint8_t memory[8], byte = 0;
    scn_ring_t ring;
    scn_ring_init(&ring, memory, sizeof memory);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQUAL(scn_ring_room(&ring), 8);
        scn_ring_push(&ring, 1);
        scn_ring_push(&ring, 1);
        CHECK_EQUAL(scn_ring_room(&ring), 6);
        scn_ring_pop(&ring, &byte);
        scn_ring_pop(&ring, &byte);
    }
}

static void test_full_ring_drops_the_new_and_counts(void) {
    uint8_t memory[8], byte = 0;
    scn_ring_t ring;
    scn_ring_init(&ring, memory, sizeof memory);
    for (uint8_t i = 0; i < 11; i++) {
        scn_ring_push(&ring, i);
    }
    CHECK_EQUAL(scn_ring_dropped(&ring), 3);
    for (uint8_t i = 0; i < 8; i++) {
        CHECK(scn_ring_pop(&ring, &byte));
        CHECK_EQUAL(byte, i);
    }
}

/* As after a flipped bit in RAM: else the reader would go on for up to 2^32 bytes. */
static void test_counters_that_cannot_be_empty_the_ring(void) {
    uint8_t memory[8], byte = 0;
    scn_ring_t ring;
    for (uint32_t bit = 4; bit < 32; bit++) {
        scn_ring_init(&ring, memory, sizeof memory);
        scn_ring_push(&ring, 1);
        atomic_fetch_xor(&ring.head, 1u << bit);
        CHECK(!scn_ring_pop(&ring, &byte));
        CHECK(scn_ring_empty(&ring));
        scn_ring_push(&ring, 2);
        CHECK(scn_ring_pop(&ring, &byte));
        CHECK_EQUAL(byte, 2);
    }
}

static void test_a_count_beyond_the_buffer_ends_the_chunk(void) {
    for (uint32_t bit = 8; bit < 32; bit++) {
        for (uint32_t kind = 0; kind < 2; kind++) {
            fresh();
            push(kind ? "\x05\x81 a frame" : "a line", kind ? 10 : 6);
            receiver.count ^= (size_t)1 << bit;
            CHECK(push("more\n", 5) != SCN_RECEIVED_LINE);
            push("", 1);
            CHECK_EQUAL(push_text("info\n"), SCN_RECEIVED_LINE);
        }
    }
}

/* Every body length, with every byte value at every distance from a zero that matters: the COBS code byte then takes
 * the values of LF, CR and %, which end text lines. */
static void test_frames_of_all_lengths_come_back(void) {
    uint8_t body[SCN_LINK_BODY_BYTES], wire[SCN_LINK_WIRE_BYTES];
    for (size_t size = 1; size <= SCN_LINK_BODY_BYTES - SCN_LINK_CRC_BYTES; size++) {
        for (size_t zero = 1; zero <= 40; zero += 3) {
            for (size_t i = 0; i < size; i++) {
                body[i] = (uint8_t)(i * 7u + zero);
            }
            body[0] = SCN_LINK_DATA;
            body[zero < size ? zero : 0] &= zero < size ? 0x00u : 0xFFu;
            fresh();
            CHECK_EQUAL(push(wire, scn_frame_encode(body, size, wire)), SCN_RECEIVED_FRAME);
            CHECK_EQUAL(events, 1);
            CHECK_EQUAL(receiver.size, size);
            CHECK_EQUAL(memcmp(receiver.bytes, body, size), 0);
        }
    }
}

static void test_any_flipped_bit_is_noticed(void) {
    uint8_t body[24] = {SCN_LINK_START, 1, 0, 0}, wire[SCN_LINK_WIRE_BYTES];
    const size_t count = scn_frame_encode(body, sizeof body, wire);
    for (size_t bit = 8; bit < (count - 1u) * 8u; bit++) {
        fresh();
        wire[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        CHECK(push(wire, count) != SCN_RECEIVED_FRAME);
        wire[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        push("", 1);
        CHECK_EQUAL(push(wire, count), SCN_RECEIVED_FRAME); /* and the next one is whole again */
    }
}

static void test_overlong_frame_is_dropped_once(void) {
    uint8_t body[4] = {SCN_LINK_POLL, 7}, wire[SCN_LINK_WIRE_BYTES];
    fresh();
    push("\x02\x81", 2);
    for (int i = 0; i < 100000; i++) {
        CHECK_EQUAL(push("\x55", 1), SCN_RECEIVED_NOTHING);
    }
    CHECK_EQUAL(push("", 1), SCN_RECEIVED_CORRUPT);
    CHECK_EQUAL(push(wire, scn_frame_encode(body, 2, wire)), SCN_RECEIVED_FRAME);
    CHECK_EQUAL(events, 2);
}

static void test_lines_end_with_any_end(void) {
    fresh();
    CHECK_EQUAL(push_text("info\r\n"), SCN_RECEIVED_LINE);
    CHECK_EQUAL(events, 1);
    CHECK_EQUAL(push_text("name%"), SCN_RECEIVED_LINE);
    CHECK_EQUAL(strcmp((const char *)receiver.bytes, "name"), 0);
    CHECK_EQUAL(push_text("\n\nx\n"), SCN_RECEIVED_LINE);
    CHECK_EQUAL(receiver.size, 1);
    CHECK_EQUAL(events, 3);
}

static void test_frame_after_a_line(void) {
    uint8_t body[2] = {SCN_LINK_POLL, 7}, wire[SCN_LINK_WIRE_BYTES];
    fresh();
    push_text("info\r\n");
    CHECK_EQUAL(push(wire, scn_frame_encode(body, 2, wire)), SCN_RECEIVED_FRAME);
    CHECK_EQUAL(events, 2);
}

static void test_overlong_line_is_dropped_once(void) {
    fresh();
    for (int i = 0; i < 1000; i++) {
        CHECK_EQUAL(push_text("a"), SCN_RECEIVED_NOTHING);
    }
    CHECK_EQUAL(push_text("\n"), SCN_RECEIVED_REFUSED);
    CHECK_EQUAL(push_text("info\n"), SCN_RECEIVED_LINE);
    CHECK_EQUAL(events, 2);
}

static void test_the_longest_line_is_taken_and_one_byte_more_is_not(void) {
    fresh();
    for (uint32_t i = 0; i < SCN_LINE_BYTES; i++) {
        push_text("a");
    }
    CHECK_EQUAL(push_text("\n"), SCN_RECEIVED_LINE);
    CHECK_EQUAL(receiver.size, SCN_LINE_BYTES);
    for (uint32_t i = 0; i < SCN_LINE_BYTES + 1; i++) {
        push_text("a");
    }
    CHECK_EQUAL(push_text("\n"), SCN_RECEIVED_REFUSED);
}

static void test_a_byte_of_noise_costs_its_own_line_only(void) {
    fresh();
    CHECK_EQUAL(push_text("\x01\n"), SCN_RECEIVED_REFUSED);
    CHECK_EQUAL(push_text("info\n"), SCN_RECEIVED_LINE);
    CHECK_EQUAL(strcmp((const char *)receiver.bytes, "info"), 0);
    CHECK_EQUAL(push_text("\x01xinfo\n"), SCN_RECEIVED_REFUSED);
    CHECK_EQUAL(push_text("help%"), SCN_RECEIVED_LINE);
}

static const scn_stream_identity_t identity = {
    .model = {1, 2, 3, 4, 5, 6, 7, 8}, .frontend = {9, 8, 7, 6, 5, 4, 3, 2}, .has_frontend = true, .sample_bytes = 3};
static scn_stream_t stream;

static scn_stream_result_t start(uint8_t version, uint8_t input, uint8_t model0, uint8_t frontend0) {
    uint8_t body[SCN_LINK_START_BYTES] = {SCN_LINK_START, version, 77, input};
    memcpy(body + 4, identity.model, SCN_LINK_HASH_BYTES);
    memcpy(body + 12, identity.frontend, SCN_LINK_HASH_BYTES);
    body[4] = model0;
    body[12] = frontend0;
    return scn_stream_frame(&stream, body, sizeof body);
}

static scn_stream_result_t send(uint16_t sequence, size_t payload) {
    uint8_t body[SCN_LINK_BODY_BYTES] = {SCN_LINK_DATA, (uint8_t)sequence, (uint8_t)(sequence >> 8)};
    return scn_stream_frame(&stream, body, SCN_LINK_DATA_HEADER_BYTES + payload);
}

static void open_stream(void) {
    scn_stream_init(&stream, &identity, 60, true);
    start(SCN_LINK_VERSION, SCN_LINK_INPUT_AUDIO, 1, 9);
}

static void test_start_is_held_to_what_the_device_holds(void) {
    scn_stream_init(&stream, &identity, 60, true);
    CHECK_EQUAL(start(9, 0, 1, 9).reason, SCN_REASON_PROTOCOL);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 0, 2, 9).reason, SCN_REASON_MODEL);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 0, 1, 8).reason, SCN_REASON_FRONTEND);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 2, 1, 9).reason, SCN_REASON_INPUT);
    CHECK_EQUAL(send(0, 240).payload_bytes, 0);
    CHECK_EQUAL(start(SCN_LINK_VERSION, SCN_LINK_INPUT_TENSOR, 1, 8).reason, SCN_REASON_OK);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 0, 1, 9).reason, SCN_REASON_OK);
    CHECK_EQUAL(send(0, 240).payload_bytes, 240);
}

static void test_failed_self_test_refuses_for_ever(void) {
    scn_stream_init(&stream, &identity, 60, false);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 0, 1, 9).reason, SCN_REASON_SELFTEST);
    CHECK_EQUAL(send(0, 240).reason, SCN_REASON_SELFTEST);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 0, 1, 9).reason, SCN_REASON_SELFTEST);
}

static void test_a_session_opened_by_hand_counts_from_zero(void) {
    open_stream();
    send(0, 240);
    CHECK(scn_stream_open(&stream, SCN_LINK_INPUT_AUDIO));
    CHECK_EQUAL(stream.session, 0);
    CHECK_EQUAL(send(0, 240).payload_bytes, 240);
    CHECK_EQUAL(send(1, 1).reason, SCN_REASON_INPUT);
    scn_stream_init(&stream, &identity, 60, false);
    CHECK(!scn_stream_open(&stream, SCN_LINK_INPUT_AUDIO));
    CHECK_EQUAL(send(0, 240).reason, SCN_REASON_SELFTEST);
}

static void test_gap_is_reported_once_until_closed(void) {
    open_stream();
    CHECK_EQUAL(send(0, 3).payload_bytes, 3);
    CHECK_EQUAL(send(2, 3).reason, SCN_REASON_SEQUENCE);
    CHECK(!send(3, 3).reply);
    CHECK(!scn_stream_corrupt(&stream).reply);
    CHECK_EQUAL(send(1, 3).payload_bytes, 3);
    CHECK(scn_stream_corrupt(&stream).reply);
}

static void test_repeated_frames_are_not_heard_twice(void) {
    open_stream();
    send(0, 3);
    const scn_stream_result_t again = send(0, 3);
    CHECK(again.payload == NULL && !again.reply);
    CHECK_EQUAL(stream.next, 1);
}

static void test_sequence_numbers_wrap(void) {
    open_stream();
    for (uint32_t i = 0; i < 70000; i++) {
        CHECK_EQUAL(send((uint16_t)i, 3).payload_bytes, 3);
    }
}

static void test_acknowledges_every_few_frames(void) {
    uint8_t body[SCN_LINK_STATUS_BYTES];
    open_stream();
    scn_stream_status(&stream, SCN_REASON_OK, 0, body);
    for (uint16_t i = 0; i < SCN_STREAM_ACKNOWLEDGE_EVERY - 1u; i++) {
        CHECK(!send(i, 3).reply);
    }
    CHECK(send(SCN_STREAM_ACKNOWLEDGE_EVERY - 1u, 3).reply);
    scn_stream_status(&stream, SCN_REASON_OK, 0x01020304, body);
    CHECK_EQUAL(body[1], 77);
    CHECK_EQUAL(body[4], SCN_STREAM_ACKNOWLEDGE_EVERY);
    CHECK_EQUAL(body[6], 60);
    CHECK_EQUAL(body[8], 4);
    CHECK_EQUAL(body[11], 1);
}

static void test_partial_samples_end_the_session(void) {
    open_stream();
    CHECK_EQUAL(send(0, 4).reason, SCN_REASON_INPUT);
    CHECK_EQUAL(send(0, 3).payload_bytes, 0);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 0, 1, 9).reason, SCN_REASON_OK);
    CHECK_EQUAL(send(0, 0).reason, SCN_REASON_INPUT);
}

static void test_capture_needs_filters_and_whole_samples(void) {
    static const scn_stream_identity_t hearing = {.model = {1, 2, 3, 4, 5, 6, 7, 8},
                                                  .frontend = {9, 8, 7, 6, 5, 4, 3, 2},
                                                  .has_frontend = true,
                                                  .sample_bytes = 2,
                                                  .captures = true};
    scn_stream_init(&stream, &identity, 60, true);
    CHECK_EQUAL(start(SCN_LINK_VERSION, SCN_LINK_INPUT_CAPTURE, 1, 9).reason, SCN_REASON_INPUT);
    scn_stream_init(&stream, &hearing, 60, true);
    CHECK_EQUAL(start(SCN_LINK_VERSION, SCN_LINK_INPUT_CAPTURE, 1, 8).reason, SCN_REASON_FRONTEND);
    CHECK_EQUAL(start(SCN_LINK_VERSION, SCN_LINK_INPUT_CAPTURE, 1, 9).reason, SCN_REASON_OK);
    CHECK_EQUAL(send(0, 240).payload_bytes, 240); /* 80 samples of 3 bytes, whatever the front end's width */
    CHECK_EQUAL(send(1, 4).reason, SCN_REASON_INPUT);
    CHECK_EQUAL(start(SCN_LINK_VERSION, 3, 1, 9).reason, SCN_REASON_INPUT);
}

static void test_poll_always_answers(void) {
    const uint8_t body[SCN_LINK_POLL_BYTES] = {SCN_LINK_POLL, 9};
    scn_stream_init(&stream, &identity, 60, true);
    CHECK_EQUAL(scn_stream_frame(&stream, body, sizeof body).reason, SCN_REASON_CLOSED);
    open_stream();
    send(5, 3);
    CHECK(scn_stream_frame(&stream, body, sizeof body).reply);
    CHECK_EQUAL(stream.poll, 9);
    CHECK(send(5, 3).reply); /* a new complaint after a poll */
}

static void test_unknown_frames_end_the_session(void) {
    const uint8_t unknown[] = {0x99, 1}, truncated[] = {SCN_LINK_DATA};
    open_stream();
    CHECK_EQUAL(scn_stream_frame(&stream, unknown, sizeof unknown).reason, SCN_REASON_TYPE);
    open_stream();
    CHECK_EQUAL(scn_stream_frame(&stream, truncated, sizeof truncated).reason, SCN_REASON_TYPE);
}

static char written[128];
static size_t written_bytes;
static void collect(const void *bytes, size_t count) {
    memcpy(written + written_bytes, bytes, count);
    written_bytes += count;
}

static void test_text_lines_carry_their_checksum(void) {
    scn_text_t text = scn_text_start(collect);
    written_bytes = 0;
    scn_text_signed(&text, INT32_MIN);
    scn_text_unsigned(&text, UINT64_MAX);
    scn_text_hex(&text, 0xBEEF, 6);
    scn_text_end(&text);
    const char *const line = "-21474836481844674407370955161500beef";
    CHECK_EQUAL(memcmp(written, line, strlen(line)), 0);
    CHECK_EQUAL(memcmp(written + written_bytes - 2, "\r\n", 2), 0);
    scn_text_t crc = scn_text_start(collect);
    written_bytes = 0;
    scn_text_hex(&crc, scn_crc16(SCN_CRC16_START, line, strlen(line)), 4);
    CHECK_EQUAL(written_bytes, 4);
}

static void test_names_cannot_end_their_field(void) {
    scn_text_t text = scn_text_start(collect);
    written_bytes = 0;
    scn_text_name(&text, "a b=1%[x]*\r\nm-ready\n\x01\x7f \xc3\x9f");
    const char *const line = "a%20b%3d1%25%5bx%5d*%0d%0am-ready%0a%01%7f%20\xc3\x9f";
    CHECK_EQUAL(written_bytes, strlen(line));
    CHECK_EQUAL(memcmp(written, line, strlen(line)), 0);
}

int main(void) {
    check_begin();
    RUN(test_crc16_of_the_check_string);
    RUN(test_crc32_of_the_check_string);
    RUN(test_ring_keeps_order_over_its_end);
    RUN(test_room_is_what_is_left);
    RUN(test_full_ring_drops_the_new_and_counts);
    RUN(test_counters_that_cannot_be_empty_the_ring);
    RUN(test_a_count_beyond_the_buffer_ends_the_chunk);
    RUN(test_frames_of_all_lengths_come_back);
    RUN(test_any_flipped_bit_is_noticed);
    RUN(test_overlong_frame_is_dropped_once);
    RUN(test_lines_end_with_any_end);
    RUN(test_frame_after_a_line);
    RUN(test_overlong_line_is_dropped_once);
    RUN(test_the_longest_line_is_taken_and_one_byte_more_is_not);
    RUN(test_a_byte_of_noise_costs_its_own_line_only);
    RUN(test_start_is_held_to_what_the_device_holds);
    RUN(test_failed_self_test_refuses_for_ever);
    RUN(test_a_session_opened_by_hand_counts_from_zero);
    RUN(test_gap_is_reported_once_until_closed);
    RUN(test_repeated_frames_are_not_heard_twice);
    RUN(test_sequence_numbers_wrap);
    RUN(test_acknowledges_every_few_frames);
    RUN(test_partial_samples_end_the_session);
    RUN(test_capture_needs_filters_and_whole_samples);
    RUN(test_poll_always_answers);
    RUN(test_unknown_frames_end_the_session);
    RUN(test_text_lines_carry_their_checksum);
    RUN(test_names_cannot_end_their_field);
    return check_end();
}

/* SPDX-License-Identifier: MIT */
/* Any sequence of frames whose checks hold, and of damaged ones, into the rules of the stream. */
#include "fuzz.h"
#include "scn_stream.h"

static void check(scn_stream_t *stream, const scn_stream_result_t *result, const uint8_t *body, size_t size) {
    uint8_t status[SCN_LINK_STATUS_BYTES];
    FUZZ_REQUIRE(!result->reply || result->reason < SCN_REASON_COUNT);
    FUZZ_REQUIRE(stream->refusal < SCN_REASON_COUNT && stream->unacknowledged <= SCN_STREAM_ACKNOWLEDGE_EVERY);
    if (result->payload_bytes) {
        FUZZ_REQUIRE(stream->refusal == SCN_REASON_OK && stream->input <= SCN_LINK_INPUT_CAPTURE);
        FUZZ_REQUIRE(result->payload >= body && result->payload + result->payload_bytes == body + size);
        FUZZ_REQUIRE(stream->input != SCN_LINK_INPUT_CAPTURE ||
                     (stream->identity->captures && result->payload_bytes % SCN_LINK_CAPTURE_BYTES == 0));
        FUZZ_REQUIRE(stream->input != SCN_LINK_INPUT_AUDIO ||
                     (stream->identity->has_frontend && result->payload_bytes % stream->identity->sample_bytes == 0));
    }
    if (result->reply) {
        scn_stream_status(stream, result->reason, 7u, status);
        FUZZ_REQUIRE(status[0] == SCN_LINK_STATUS && stream->unacknowledged == 0);
    }
}

/* Most frames are nearly right, so that sessions open. */
static size_t draw_frame(fuzz_input_t *input, const scn_stream_t *stream, uint8_t body[SCN_LINK_BODY_BYTES]) {
    const uint8_t kind = fuzz_byte(input);
    size_t count;
    const uint8_t *bytes;
    if (kind % 4u == 0) {
        const uint8_t start[] = {SCN_LINK_START, (uint8_t)(kind & 0x40u ? fuzz_byte(input) : SCN_LINK_VERSION),
                                 fuzz_byte(input), (uint8_t)fuzz_below(input, 5u)};
        memcpy(body, start, sizeof start);
        memcpy(body + 4, stream->identity->model, SCN_LINK_HASH_BYTES);
        memcpy(body + 4 + SCN_LINK_HASH_BYTES, stream->identity->frontend, SCN_LINK_HASH_BYTES);
        body[4u + fuzz_below(input, 2u * SCN_LINK_HASH_BYTES)] ^= kind & 0x80u ? fuzz_byte(input) : 0u;
        return SCN_LINK_START_BYTES;
    }
    if (kind % 4u < 3u) {
        const uint16_t number = (uint16_t)(stream->next + (kind & 0x40u ? (int8_t)fuzz_byte(input) : 0));
        body[0] = SCN_LINK_DATA, body[1] = (uint8_t)number, body[2] = (uint8_t)(number >> 8);
        bytes = fuzz_run(input, fuzz_below(input, SCN_LINK_PAYLOAD_BYTES + 1u), &count);
        memcpy(body + SCN_LINK_DATA_HEADER_BYTES, bytes, count);
        return SCN_LINK_DATA_HEADER_BYTES + count;
    }
    bytes = fuzz_run(input, 1u + fuzz_below(input, 24u), &count);
    body[0] = SCN_LINK_POLL;
    memcpy(body, bytes, count);
    return count ? count : 1u;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    fuzz_input_t input = {bytes, bytes + count};
    const uint8_t kind = fuzz_byte(&input);
    const scn_stream_identity_t identity = {.model = {1, 2, 3},
                                            .frontend = {4, 5, 6},
                                            .has_frontend = kind & 1u,
                                            .sample_bytes = kind & 2u ? 2u : 3u,
                                            .captures = kind & 4u};
    scn_stream_t stream;
    scn_stream_init(&stream, &identity, 16u, (kind & 0x38u) != 0);
    while (fuzz_left(&input)) {
        uint8_t drawn[SCN_LINK_BODY_BYTES] = {0};
        const size_t size = draw_frame(&input, &stream, drawn);
        uint8_t *body = fuzz_memory(size); /* nothing beyond the body may be read */
        memcpy(body, drawn, size);
        scn_stream_result_t result = scn_stream_frame(&stream, body, size);
        check(&stream, &result, body, size);
        if (fuzz_below(&input, 8u) == 0) {
            result = scn_stream_corrupt(&stream);
            check(&stream, &result, body, size);
        }
        if (fuzz_below(&input, 16u) == 0) {
            scn_stream_close(&stream);
            FUZZ_REQUIRE(stream.refusal != SCN_REASON_OK);
        }
        free(body);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "scn_stream.h"

#include <string.h>

static const scn_stream_result_t silence = {0};

void scn_stream_init(scn_stream_t *stream, const scn_stream_identity_t *identity, uint16_t credit, bool healthy) {
    *stream = (scn_stream_t){
        .identity = identity,
        .credit = credit,
        .refusal = healthy ? SCN_REASON_CLOSED : SCN_REASON_SELFTEST,
    };
}

static scn_stream_result_t reply(scn_link_reason_t reason) {
    return (scn_stream_result_t){.reply = true, .reason = reason};
}

/* Report it once: every frame already on its way after the lost one would cause the same report. */
static scn_stream_result_t complain(scn_stream_t *stream, scn_link_reason_t reason) {
    const bool again = stream->complained;
    stream->complained = true;
    return again ? silence : reply(stream->refusal == SCN_REASON_OK ? reason : stream->refusal);
}

static scn_stream_result_t end(scn_stream_t *stream, scn_link_reason_t reason) {
    if (stream->refusal == SCN_REASON_OK) {
        stream->refusal = reason;
        stream->complained = false;
    }
    return complain(stream, reason);
}

static scn_link_reason_t judge(const scn_stream_t *stream, const uint8_t *body) {
    const scn_stream_identity_t *held = stream->identity;
    const uint8_t *model = body + 4, *frontend = model + SCN_LINK_HASH_BYTES;
    if (stream->refusal == SCN_REASON_SELFTEST) {
        return SCN_REASON_SELFTEST;
    }
    if (body[1] != SCN_LINK_VERSION) {
        return SCN_REASON_PROTOCOL;
    }
    if (memcmp(model, held->model, SCN_LINK_HASH_BYTES) != 0) {
        return SCN_REASON_MODEL;
    }
    if (body[3] > SCN_LINK_INPUT_CAPTURE || (body[3] == SCN_LINK_INPUT_CAPTURE && !held->captures)) {
        return SCN_REASON_INPUT;
    }
    const bool mode = held->has_frontend && memcmp(frontend, held->frontend, SCN_LINK_HASH_BYTES) == 0;
    return body[3] == SCN_LINK_INPUT_TENSOR || mode ? SCN_REASON_OK : SCN_REASON_FRONTEND;
}

static void begin(scn_stream_t *stream, scn_link_reason_t refusal, uint8_t session, uint8_t input) {
    stream->refusal = refusal;
    stream->session = session;
    stream->input = input;
    stream->next = 0;
    stream->unacknowledged = 0;
    stream->complained = false;
}

bool scn_stream_open(scn_stream_t *stream, uint8_t input) {
    if (stream->refusal == SCN_REASON_SELFTEST) {
        return false;
    }
    begin(stream, SCN_REASON_OK, 0, input);
    return true;
}

static scn_stream_result_t start(scn_stream_t *stream, const uint8_t *body) {
    begin(stream, judge(stream, body), body[2], body[3]);
    scn_stream_result_t result = reply(stream->refusal);
    result.started = true;
    return result;
}

static bool whole_samples(const scn_stream_t *stream, size_t bytes) {
    const uint32_t unit = stream->input == SCN_LINK_INPUT_AUDIO     ? stream->identity->sample_bytes
                          : stream->input == SCN_LINK_INPUT_CAPTURE ? SCN_LINK_CAPTURE_BYTES
                                                                    : 1u;
    return bytes > 0 && bytes % unit == 0;
}

static scn_stream_result_t data(scn_stream_t *stream, const uint8_t *body, size_t size) {
    if (stream->refusal != SCN_REASON_OK) {
        return complain(stream, stream->refusal);
    }
    const uint16_t ahead = (uint16_t)((body[1] | body[2] << 8) - stream->next);
    if (ahead != 0) { /* a repeated frame is not reported; one after a gap is */
        return ahead < 0x8000u ? complain(stream, SCN_REASON_SEQUENCE) : silence;
    }
    if (!whole_samples(stream, size - SCN_LINK_DATA_HEADER_BYTES)) {
        return end(stream, SCN_REASON_INPUT);
    }
    stream->next++;
    stream->complained = false;
    stream->unacknowledged++;
    return (scn_stream_result_t){
        .reply = stream->unacknowledged >= SCN_STREAM_ACKNOWLEDGE_EVERY,
        .reason = SCN_REASON_OK,
        .payload = body + SCN_LINK_DATA_HEADER_BYTES,
        .payload_bytes = size - SCN_LINK_DATA_HEADER_BYTES,
    };
}

static scn_stream_result_t poll(scn_stream_t *stream, const uint8_t *body) {
    stream->poll = body[1];
    stream->complained = false;
    return reply(stream->refusal);
}

scn_stream_result_t scn_stream_frame(scn_stream_t *stream, const uint8_t *body, size_t size) {
    if (body[0] == SCN_LINK_DATA && size >= SCN_LINK_DATA_HEADER_BYTES) {
        return data(stream, body, size);
    }
    if (body[0] == SCN_LINK_START && size == SCN_LINK_START_BYTES) {
        return start(stream, body);
    }
    if (body[0] == SCN_LINK_POLL && size == SCN_LINK_POLL_BYTES) {
        return poll(stream, body);
    }
    return end(stream, SCN_REASON_TYPE);
}

scn_stream_result_t scn_stream_corrupt(scn_stream_t *stream) {
    return complain(stream, SCN_REASON_CORRUPT);
}

void scn_stream_close(scn_stream_t *stream) {
    if (stream->refusal == SCN_REASON_OK) {
        stream->refusal = SCN_REASON_CLOSED;
        stream->complained = false;
    }
}

void scn_stream_status(scn_stream_t *stream, scn_link_reason_t reason, uint32_t windows,
                       uint8_t body[SCN_LINK_STATUS_BYTES]) {
    const uint8_t fields[SCN_LINK_STATUS_BYTES] = {
        SCN_LINK_STATUS,
        stream->session,
        stream->poll,
        (uint8_t)reason,
        (uint8_t)stream->next,
        (uint8_t)(stream->next >> 8),
        (uint8_t)stream->credit,
        (uint8_t)(stream->credit >> 8),
        (uint8_t)windows,
        (uint8_t)(windows >> 8),
        (uint8_t)(windows >> 16),
        (uint8_t)(windows >> 24),
    };
    memcpy(body, fields, sizeof fields);
    stream->unacknowledged = 0;
}

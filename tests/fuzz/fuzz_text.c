/* SPDX-License-Identifier: MIT */
/* What is parsed out of lines and printed into them, the rule over windows, and conversions of outer values. */
#include "fuzz.h"
#include "scn_commands.h"
#include "scn_decision.h"
#include "scn_quantization.h"
#include "scn_text.h"

static char printed[4096];
static size_t printed_bytes;

static void keep(const void *bytes, size_t count) {
    FUZZ_REQUIRE(count <= sizeof printed - printed_bytes);
    memcpy(printed + printed_bytes, bytes, count);
    printed_bytes += count;
}

void scn_port_write(const void *bytes, size_t count);
void scn_port_write(const void *bytes, size_t count) {
    keep(bytes, count);
}

/* A name of any bytes stays one value of one field of one line. */
static void print_name(fuzz_input_t *input) {
    char name[65] = "";
    size_t count;
    const uint8_t *bytes = fuzz_run(input, fuzz_below(input, 65u), &count);
    memcpy(name, bytes, count);
    scn_text_t text = scn_text_start(keep);
    printed_bytes = 0;
    scn_text_string(&text, "name=");
    scn_text_name(&text, name);
    scn_text_end(&text);
    for (size_t i = 5; i + 8u < printed_bytes; i++) {
        FUZZ_REQUIRE((uint8_t)printed[i] > ' ' && printed[i] != 0x7F && !strchr("=[]", printed[i]));
    }
    FUZZ_REQUIRE(memcmp(printed + printed_bytes - 2u, "\r\n", 2u) == 0);
}

static void print_numbers(fuzz_input_t *input) {
    const uint64_t value = (uint64_t)fuzz_word(input) << 32 | fuzz_word(input);
    char *end;
    scn_text_t text = scn_text_start(keep);
    printed_bytes = 0;
    scn_text_unsigned(&text, value);
    scn_text_string(&text, " ");
    scn_text_signed(&text, (int32_t)value);
    scn_text_string(&text, " ");
    scn_text_hex(&text, (uint32_t)value, 8);
    printed[printed_bytes] = '\0';
    FUZZ_REQUIRE(strtoull(printed, &end, 10) == value);
    FUZZ_REQUIRE(strtol(end, &end, 10) == (int32_t)value);
    FUZZ_REQUIRE(strtoul(end, &end, 16) == (uint32_t)value && *end == '\0');
}

static void parse_line(fuzz_input_t *input) {
    size_t count;
    const uint8_t *bytes = fuzz_run(input, fuzz_below(input, 81u), &count);
    char *line = fuzz_memory(count + 1u); /* exactly the line: nothing beyond its end may be read */
    memcpy(line, bytes, count);
    line[count] = '\0';
    scn_command_tidy(line);
    FUZZ_REQUIRE(strlen(line) <= count && line[0] != ' ' && !strstr(line, "  "));
    FUZZ_REQUIRE(scn_command(line) <= SCN_COMMAND_UNKNOWN);
    const char *rest = scn_command_rest(line, "decide");
    for (const char *at = rest ? rest : line; at && *at;) {
        const char *before = at;
        const uint32_t number = scn_command_number(&at);
        FUZZ_REQUIRE(number == SCN_NO_NUMBER || number <= 999999u);
        FUZZ_REQUIRE(number != SCN_NO_NUMBER || at >= before);
        at = number == SCN_NO_NUMBER ? NULL : at;
    }
    free(line);
}

static void decide(fuzz_input_t *input) {
    static scn_decision_t decision;
    const scn_decision_rule_t rule = {(uint16_t)fuzz_between(input, 1, 256), fuzz_byte(input), fuzz_byte(input)};
    const uint32_t classes = 1u + fuzz_below(input, 1000u);
    int8_t scores[1000];
    scn_decision_begin(&decision, rule, classes);
    for (int i = 0; i < 4; i++) {
        fuzz_fill(input, scores, sizeof scores);
        const bool silent = fuzz_below(input, 2u) != 0u;
        const int32_t held = silent ? scn_decision_push_silence(&decision) : scn_decision_push(&decision, scores);
        FUZZ_REQUIRE(held >= (decision.begun ? SCN_DECISION_UNKNOWN : SCN_DECISION_SILENT));
        FUZZ_REQUIRE(held < (int32_t)decision.classes);
    }
}

static void convert(fuzz_input_t *input) {
    const uint32_t bits[2] = {fuzz_word(input), fuzz_word(input)};
    const int32_t zero_point = fuzz_extreme(input, INT8_MIN, INT8_MAX), outer = fuzz_extreme(input, 0, UINT8_MAX);
    const scn_multiplier_t scale = {fuzz_extreme(input, 0, INT32_MAX), fuzz_extreme(input, -31, 30)};
    float values[2];
    memcpy(values, bits, sizeof values);
    if (values[1] > 0.0f) {
        (void)scn_quantize_float(values[0], values[1], zero_point);
    }
    (void)scn_quantize_u8(fuzz_byte(input), outer, scale, zero_point);
    (void)scn_dequantize_u8((int8_t)fuzz_byte(input), zero_point, scale, outer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static void (*const parts[])(fuzz_input_t *) = {print_name, print_numbers, parse_line, decide, convert};
    fuzz_input_t input = {bytes, bytes + count};
    while (fuzz_left(&input)) {
        parts[fuzz_below(&input, sizeof parts / sizeof *parts)](&input);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "scn_mlperf.h"

#include "scn_commands.h"
#include "scn_port.h"
#include "scn_text.h"
#include "scn_version.h"

#include <string.h>

#ifndef SCN_INFER_MOST_RUNS
#define SCN_INFER_MOST_RUNS 100000u
#endif
#define BYTES_PER_LINE 8u
#define WARMUPS 10u /* where the runner gives no number */

static uint32_t expected, loaded; /* bytes of the input, from "db load" */
/* Of the last "infer": a copy, because sessions, tests and measurements use the classifier's own. */
static int8_t scores[SCN_MODEL_OUTPUT_BYTES];
static bool inferred;

static void print_words(const char *before, const char *middle, const char *after) {
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, before);
    scn_text_string(&text, middle);
    scn_text_string(&text, after);
    scn_text_end_plain(&text);
}

static void print_model(void) {
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, "m-model-[");
    scn_text_name(&text, SCN_MODEL_NAME);
    scn_text_string(&text, "]");
    scn_text_end_plain(&text);
}

static void print_number(const char *before, uint64_t value, const char *after) {
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, before);
    scn_text_unsigned(&text, value);
    scn_text_string(&text, after);
    scn_text_end_plain(&text);
}

static int hex_digit(char digit) {
    const char *const digits = "0123456789abcdef", *const capitals = "0123456789ABCDEF";
    const char *found = digit ? strchr(digits, digit) : NULL;
    if (found) {
        return (int)(found - digits);
    }
    found = digit ? strchr(capitals, digit) : NULL;
    return found ? (int)(found - capitals) : -1;
}

static scn_mlperf_t load(const char *count) {
    const uint32_t bytes = scn_command_number(&count);
    if (bytes != SCN_MODEL_INPUT_BYTES || *count) {
        print_number("e-[db load takes the input's ", SCN_MODEL_INPUT_BYTES, " bytes]");
        return SCN_MLPERF_DONE;
    }
    scn_classifier_begin(SCN_INPUT_MODE_TENSOR);
    expected = bytes;
    loaded = 0;
    print_number("m-[Expecting ", bytes, " bytes]");
    return SCN_MLPERF_TOOK_INPUT;
}

static scn_mlperf_t take(const char *hexadecimal) {
    const size_t digits = strlen(hexadecimal);
    bool good = digits > 0 && digits % 2u == 0 && digits / 2u <= expected - loaded;
    for (size_t i = 0; i < digits; i++) {
        good = good && hex_digit(hexadecimal[i]) >= 0;
    }
    if (!good) {
        print_words("e-[db takes pairs of hexadecimal digits, after db load and not beyond its bytes]", "", "");
        return SCN_MLPERF_DONE;
    }
    for (size_t i = 0; i < digits; i += 2u) {
        const uint32_t high = (uint32_t)hex_digit(hexadecimal[i]), low = (uint32_t)hex_digit(hexadecimal[i + 1u]);
        const uint8_t byte = (uint8_t)(high << 4 | low);
        scn_classifier_push(&byte, 1u);
    }
    loaded += (uint32_t)(digits / 2u);
    if (loaded == expected) {
        print_words("m-load-done", "", "");
    }
    return SCN_MLPERF_TOOK_INPUT;
}

static void print_line(uint32_t first, uint32_t end) {
    const int8_t *input = scn_classifier_input();
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, "m-buffer-");
    for (uint32_t i = first; i < end; i++) {
        scn_text_string(&text, i > first ? "-" : "");
        scn_text_hex(&text, (uint8_t)input[i], 2);
    }
    scn_text_end_plain(&text);
}

/* "db print [N [OFFSET]]": prints bytes that are loaded so far; all of them where no number is given. */
static scn_mlperf_t print(const char *rest) {
    const bool all = *rest == '\0';
    const uint32_t count = all ? loaded : scn_command_number(&rest);
    const uint32_t offset = *rest ? scn_command_number(&rest) : 0u;
    if (*rest || offset > loaded || count > loaded - offset || count == 0) {
        print_number("e-[db print takes a number of bytes and an offset within the ", loaded, " that are loaded]");
        return SCN_MLPERF_DONE;
    }
    for (uint32_t first = offset; first < offset + count; first += BYTES_PER_LINE) {
        const uint32_t end = first + BYTES_PER_LINE;
        print_line(first, end < offset + count ? end : offset + count);
    }
    return SCN_MLPERF_DONE;
}

static void timestamp(void) {
    print_number("m-lap-us-", scn_port_cycles() / (scn_port_cpu_hz() / 1000000u), "");
}

/* Probabilities with three decimals, as INT8 softmax defines them: (score + 128) / 256. */
static void results(void) {
    if (!inferred) {
        print_words("e-[no results yet]", "", "");
        return;
    }
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, "m-results-[");
    for (uint32_t i = 0; i < SCN_MODEL_OUTPUT_BYTES; i++) {
        const uint32_t thousandths = ((uint32_t)(scores[i] + 128) * 1000u + 128u) / 256u;
        scn_text_string(&text, i > 0 ? "," : "");
        scn_text_unsigned(&text, thousandths / 1000u);
        scn_text_string(&text, ".");
        for (uint32_t place = 100u; place > 0; place /= 10u) {
            scn_text_unsigned(&text, thousandths / place % 10u);
        }
    }
    scn_text_string(&text, "]");
    scn_text_end_plain(&text);
}

/* Run on the same input each time, from the initial state. */
static void run(uint32_t times) {
    for (uint32_t i = 0; i < times; i++) {
        scn_classifier_reset();
        (void)scn_classifier_decide(NULL, NULL);
    }
}

static scn_mlperf_t infer(const char *rest) {
    const uint32_t times = *rest ? scn_command_number(&rest) : 1u;
    const uint32_t warmups = *rest ? scn_command_number(&rest) : WARMUPS;
    if (times == 0 || times > SCN_INFER_MOST_RUNS || warmups > SCN_INFER_MOST_RUNS || *rest) {
        print_words("e-[infer takes a number of runs from 1 and one of warm-ups, both up to 100000]", "", "");
        return SCN_MLPERF_DONE;
    }
    if (expected == 0 || loaded != expected) {
        print_words("e-[no input yet; db load and db first]", "", "");
        return SCN_MLPERF_DONE;
    }
    print_number("m-warmup-start-", warmups, "");
    run(warmups);
    print_words("m-warmup-done", "", "");
    print_number("m-infer-start-", times, "");
    timestamp();
    run(times - 1u);
    const int8_t *last = scn_classifier_decide(NULL, NULL);
    timestamp();
    memcpy(scores, last, sizeof scores);
    inferred = true;
    print_words("m-infer-done", "", "");
    results();
    return SCN_MLPERF_TOOK_INPUT;
}

scn_mlperf_t scn_mlperf(const char *line) {
    const char *rest;
    if (strcmp(line, "name") == 0) {
        print_words("m-name-dut-[scenelet]", "", "");
    } else if (strcmp(line, "profile") == 0) {
        print_words("m-profile-[scenelet ", SCN_VERSION, "]");
        print_model();
    } else if (strcmp(line, "timestamp") == 0) {
        timestamp();
    } else if (strcmp(line, "results") == 0) {
        results();
    } else if ((rest = scn_command_rest(line, "db load"))) {
        return load(rest);
    } else if ((rest = scn_command_rest(line, "db print"))) {
        return print(rest);
    } else if ((rest = scn_command_rest(line, "db"))) {
        return take(rest);
    } else if ((rest = scn_command_rest(line, "infer"))) {
        return infer(rest);
    } else {
        return SCN_MLPERF_UNKNOWN;
    }
    return SCN_MLPERF_DONE;
}

void scn_mlperf_forget(void) {
    expected = loaded = 0;
}

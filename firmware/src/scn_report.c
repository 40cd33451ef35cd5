/* SPDX-License-Identifier: MIT */
#include "scn_report.h"

#include "scn_bench.h"
#include "scn_cic.h"
#include "scn_idle.h"
#include "scn_integrity.h"
#include "scn_link.h"
#include "scn_listen.h"
#include "scn_port.h"
#include "scn_text.h"
#include "scn_version.h"

static const char *const clock_names[] = {"external", "internal", "emulated"};
static const char *const reset_names[] = {"unknown", "power", "pin", "software", "watchdog", "low-power"};
static const char *const microphone_names[] = {"none", "i2s", "pdm"};
static const char *const crash_names[] = {"fault", "stack", "watchdog", "flash", "clock", "ram"};
static const char *const selftest_names[] = {"pass", "none", "fail: flash", "fail: features", "fail: scores"};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* The name of a number that lies in RAM, where a bit may have flipped. */
static const char *named(const char *const *names, size_t count, uint32_t number) {
    return number < count ? names[number] : "damaged";
}

static scn_text_t line(const char *start) {
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, start);
    return text;
}

static void add_string(scn_text_t *text, const char *key, const char *value) {
    scn_text_string(text, key);
    scn_text_string(text, value);
}

static void add_name(scn_text_t *text, const char *key, const char *name) {
    scn_text_string(text, key);
    scn_text_name(text, name);
}

static void add_number(scn_text_t *text, const char *key, uint64_t value) {
    scn_text_string(text, key);
    scn_text_unsigned(text, value);
}

static void add_hex(scn_text_t *text, const char *key, uint32_t value) {
    scn_text_string(text, key);
    scn_text_hex(text, value, 8);
}

void scn_report_ready(void) {
    scn_text_t text = line("m-ready");
    scn_text_end_plain(&text);
}

void scn_report_boot(void) {
    scn_text_t text = line("scenelet");
    add_string(&text, " version=", SCN_VERSION);
    add_string(&text, " board=", scn_port_board());
    add_string(&text, " clock=", named(clock_names, COUNT_OF(clock_names), scn_port_clock()));
    add_number(&text, " cpu_hz=", scn_port_cpu_hz());
    scn_text_end(&text);
}

void scn_report_initialized(void) {
    scn_text_t text = line("m-timestamp-mode-performance");
    scn_text_end_plain(&text);
    text = line("m-init-done");
    scn_text_end_plain(&text);
}

void scn_report_crash(void) {
    const scn_port_crash_t crash = scn_port_crash();
    if (crash.count == 0) {
        return;
    }
    scn_text_t text = line("crash");
    add_number(&text, " count=", crash.count);
    add_hex(&text, " exception=0x", crash.exception);
    add_hex(&text, " pc=0x", crash.pc);
    add_hex(&text, " lr=0x", crash.lr);
    add_hex(&text, " cfsr=0x", crash.cfsr);
    add_hex(&text, " hfsr=0x", crash.hfsr);
    add_hex(&text, " address=0x", crash.address);
    add_string(&text, " cause=", named(crash_names, COUNT_OF(crash_names), crash.cause));
    scn_text_end(&text);
}

static void add_lost(scn_text_t *text) {
    const scn_listen_lost_t lost = scn_listen_lost();
    add_number(text, " overruns=", lost.overruns);
    add_number(text, " lost_blocks=", lost.lost_blocks);
}

void scn_report_health(uint32_t dropped_bytes) {
    scn_text_t text = line("health");
    add_number(&text, " flash_passes=", scn_integrity_passes());
    add_number(&text, " line_errors=", scn_port_line_errors());
    add_number(&text, " dropped_bytes=", dropped_bytes);
    add_lost(&text);
    add_string(&text, " reset=", named(reset_names, COUNT_OF(reset_names), scn_port_reset()));
    add_number(&text, " crashes=", scn_port_crash().count);
    add_string(&text, " cause=",
               scn_port_crash().count ? named(crash_names, COUNT_OF(crash_names), scn_port_crash().cause) : "none");
    scn_text_end(&text);
    scn_report_crash();
}

void scn_report_selftest(scn_selftest_t result) {
    scn_text_t text = line("selftest ");
    scn_text_string(&text, selftest_names[result]);
    scn_text_end(&text);
}

static void add_frontend(scn_text_t *text) {
#if SCN_HAS_FRONTEND
    add_string(text, " frontend_sha256=", SCN_FRONTEND_SHA256);
    add_number(text, " sample_rate=", SCN_FRONTEND_SAMPLE_RATE);
#ifdef SCN_FRONTEND_CAPTURE_RATE
    add_number(text, " capture_rate=", SCN_FRONTEND_CAPTURE_RATE);
#endif
    add_number(text, " sample_bits=", SCN_FRONTEND_SAMPLE_BITS);
    add_number(text, " clip_samples=", SCN_FRONTEND_CLIP_SAMPLES);
    add_number(text, " frontend_table_bytes=", SCN_FRONTEND_TABLE_BYTES);
#else
    add_string(text, " frontend_sha256=", "none");
#endif
}

static void add_memory(scn_text_t *text) {
    const scn_port_memory_t used = scn_port_memory();
    add_number(text, " flash_bytes=", used.flash_bytes);
    add_number(text, " ram_bytes=", used.ram_bytes);
    add_number(text, " stack_bytes=", used.stack_bytes);
    add_number(text, " stack_peak_bytes=", used.stack_peak_bytes);
}

static void add_listening(scn_text_t *text) {
    add_string(text, " microphone=", microphone_names[scn_port_microphone()]);
    add_string(text, " listening=", scn_listening() ? "yes" : "no");
    add_lost(text);
    add_number(text, " asleep_permille=", scn_idle_permille());
}

void scn_report_info(uint32_t ring_bytes, uint32_t credit, uint32_t dropped_bytes) {
    scn_text_t text = line("info");
    add_number(&text, " protocol=", SCN_LINK_VERSION);
    add_string(&text, " version=", SCN_VERSION);
    add_string(&text, " board=", scn_port_board());
    add_string(&text, " clock=", named(clock_names, COUNT_OF(clock_names), scn_port_clock()));
    add_number(&text, " cpu_hz=", scn_port_cpu_hz());
    add_string(&text, " model_sha256=", SCN_MODEL_SHA256);
    add_frontend(&text);
    add_number(&text, " params_bytes=", SCN_MODEL_PARAMS_BYTES);
    add_number(&text, " macs=", SCN_MODEL_MACS);
    add_number(&text, " arena_bytes=", SCN_MODEL_ARENA_BYTES);
    add_number(&text, " input_bytes=", SCN_MODEL_INPUT_BYTES);
    add_number(&text, " output_bytes=", SCN_MODEL_OUTPUT_BYTES);
    add_number(&text, " labels=", SCN_MODEL_LABEL_COUNT);
    add_memory(&text);
    add_hex(&text, " image_crc32=0x", scn_port_image().crc32);
    add_listening(&text);
    add_string(&text, " reset=", named(reset_names, COUNT_OF(reset_names), scn_port_reset()));
    add_number(&text, " crashes=", scn_port_crash().count);
    add_number(&text, " ring_bytes=", ring_bytes);
    add_number(&text, " credit=", credit);
    add_number(&text, " dropped_bytes=", dropped_bytes);
    add_name(&text, " model=", SCN_MODEL_NAME);
    scn_text_end(&text);
}

void scn_report_labels(void) {
    for (uint32_t i = 0; i < SCN_MODEL_LABEL_COUNT; i++) {
        scn_text_t text = line("label");
        add_number(&text, " index=", i);
        add_name(&text, " name=", scn_model_labels[i]);
        scn_text_end(&text);
    }
}

static void report_scores(const char *kind, uint32_t window, const int8_t *scores, uint32_t count) {
    const uint32_t best = scn_classifier_best(scores);
    scn_text_t text = line(kind);
    add_number(&text, " window=", window);
    add_name(&text, " label=", best < SCN_MODEL_LABEL_COUNT ? scn_model_labels[best] : "none");
    scn_text_string(&text, " scores=");
    for (uint32_t i = 0; i < count; i++) {
        scn_text_string(&text, i > 0 ? "," : "");
        scn_text_signed(&text, scores[i]);
    }
    scn_text_end(&text);
}

void scn_report_decision(uint32_t window, const int8_t *scores) {
    report_scores("decision", window, scores, SCN_MODEL_OUTPUT_BYTES);
}

void scn_report_clip(uint32_t window, const int8_t *scores) {
    report_scores("clip", window, scores, SCN_PIPELINE_CLASSES);
}

void scn_report_heard(uint32_t window, int32_t held) {
    const bool class_named = held >= 0 && held < (int32_t)SCN_MODEL_LABEL_COUNT;
    const char *without = held == SCN_DECISION_UNKNOWN ? "unknown" : held == SCN_DECISION_SILENT ? "silence" : "none";
    scn_text_t text = line("heard");
    add_number(&text, " window=", window);
    add_name(&text, " label=", class_named ? scn_model_labels[held] : without);
    scn_text_end(&text);
}

void scn_report_silent(uint32_t window) {
    scn_text_t text = line("silent");
    add_number(&text, " window=", window);
    scn_text_end(&text);
}

void scn_report_quiet(uint32_t window, uint32_t loudness) {
    scn_text_t text = line("quiet");
    add_number(&text, " window=", window);
    add_number(&text, " loudness=", loudness);
    scn_text_end(&text);
}

void scn_report_gate(uint32_t loudness) {
    scn_text_t text = line("gate");
    if (loudness) {
        add_number(&text, " loudness=", loudness);
    } else {
        scn_text_string(&text, " off");
    }
    scn_text_end(&text);
}

void scn_report_listen(bool on) {
    scn_text_t text = line(on ? "listen on" : "listen off");
    if (on) {
        add_string(&text, " microphone=", microphone_names[scn_port_microphone()]);
        add_number(&text, " rate=", scn_port_microphone() == SCN_PORT_MICROPHONE_PDM ? SCN_PDM_RATE : SCN_LISTEN_RATE);
    }
    scn_text_end(&text);
}

void scn_report_gap(uint32_t window) {
    scn_text_t text = line("gap");
    add_number(&text, " window=", window);
    add_lost(&text);
    scn_text_end(&text);
}

void scn_report_stream(bool on, uint32_t windows) {
    scn_text_t text = line(on ? "stream on" : "stream off");
    add_string(&text, " input=", SCN_HAS_FRONTEND ? "audio" : "tensor");
    add_number(&text, " windows=", windows);
    scn_text_end(&text);
}

void scn_report_rule(const scn_decision_rule_t *rule) {
    scn_text_t text = line("decide");
    if (rule) {
        add_number(&text, " share=", rule->share);
        add_number(&text, " margin=", rule->margin);
        add_number(&text, " threshold=", rule->threshold);
    } else {
        scn_text_string(&text, " off");
    }
    scn_text_end(&text);
}

void scn_report_error(const char *problem, const char *about) {
    scn_text_t text = line("e-[");
    scn_text_string(&text, problem);
    add_string(&text, ": ", about);
    scn_text_string(&text, "]");
    scn_text_end_plain(&text);
}

typedef struct {
    uint64_t last;
} scn_stopwatch_t;

/* Cycles since the last call. */
static uint64_t lap(scn_stopwatch_t *watch) {
    const uint64_t now = scn_port_cycles(), cycles = now - watch->last;
    watch->last = now;
    return cycles;
}

static void report_step(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *arena) {
    (void)arena;
    const uint64_t cycles = lap(context);
    scn_text_t text = line("bench");
    add_number(&text, " step=", (uint64_t)(step - model->steps));
    add_string(&text, " op=", step->op);
    add_number(&text, " macs=", step->macs);
    add_number(&text, " cycles=", cycles);
    add_name(&text, " name=", step->name);
    scn_text_end(&text);
    lap(context); /* exclude the time for printing the line */
}

static void report_hop(void) {
    const scn_bench_hop_t hop = scn_bench_hop();
    scn_text_t text = line("bench hop");
    add_number(&text, " samples=", hop.samples);
    add_number(&text, " cycles=", hop.cycles);
    add_number(&text, " link_cycles=", hop.link_cycles);
    scn_text_end(&text);
}

void scn_report_bench(void) {
    scn_stopwatch_t watch = {0};
    lap(&watch);
    scn_classifier_known_window();
    const uint64_t frontend = lap(&watch);
    scn_text_t text = line("bench frontend");
    add_number(&text, " cycles=", SCN_HAS_FRONTEND ? frontend : 0u);
    scn_text_end(&text);
    report_hop();
    lap(&watch);
    scn_classifier_decide(report_step, &watch);
    scn_classifier_known_window();
    lap(&watch);
    scn_classifier_decide(NULL, NULL);
    const uint64_t network = lap(&watch);
    text = line("bench network");
    add_number(&text, " macs=", SCN_MODEL_MACS);
    add_number(&text, " cycles=", network);
    scn_text_end(&text);
}

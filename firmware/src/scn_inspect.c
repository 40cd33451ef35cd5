/* SPDX-License-Identifier: MIT */
/* Prints what is computed between samples and scores, for a host that searches for the first difference. */
#include "scn_crc.h"
#include "scn_port.h"
#include "scn_report.h"
#include "scn_text.h"

#define BYTES_PER_LINE 32u

static void feature_line(const int8_t *input, uint32_t first) {
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, "feature offset=");
    scn_text_unsigned(&text, first);
    scn_text_string(&text, " values=");
    for (uint32_t i = first; i < first + BYTES_PER_LINE && i < SCN_MODEL_INPUT_BYTES; i++) {
        scn_text_hex(&text, (uint8_t)input[i], 2);
    }
    scn_text_end(&text);
}

static bool input_or_error(const char *command) {
    const bool held = scn_classifier_input_held();
    if (!held) {
        scn_report_error("no decision, or more has been heard since", command);
    }
    return held;
}

void scn_report_features(void) {
    if (input_or_error("features")) {
        for (uint32_t first = 0; first < SCN_MODEL_INPUT_BYTES; first += BYTES_PER_LINE) {
            feature_line(scn_classifier_input(), first);
        }
    }
}

static void checksum_line(int32_t step, uint32_t tensor, const void *values, uint32_t bytes, const char *name) {
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, "checksum step=");
    scn_text_signed(&text, step);
    scn_text_string(&text, " tensor=");
    scn_text_unsigned(&text, tensor);
    scn_text_string(&text, " bytes=");
    scn_text_unsigned(&text, bytes);
    scn_text_string(&text, " crc32=");
    scn_text_hex(&text, scn_crc32(values, bytes), 8);
    scn_text_string(&text, " name=");
    scn_text_name(&text, name);
    scn_text_end(&text);
}

static void checksum_views(void *context, const scn_model_t *model, const scn_step_t *step, const uint8_t *arena) {
    (void)context;
    for (uint32_t i = step->first_view; i < (uint32_t)step->first_view + step->view_count; i++) {
        const scn_view_t *view = &model->views[i];
        checksum_line((int32_t)(step - model->steps), view->tensor, arena + view->offset, view->bytes, step->name);
    }
}

void scn_report_checksums(void) {
    if (input_or_error("checksums")) {
        scn_classifier_reset();
        scn_classifier_decide(checksum_views, NULL);
        scn_classifier_reset();
    }
}

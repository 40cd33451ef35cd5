/* Gives Python the kernels' private arithmetic. */
#include "scn_fixedpoint.h"
#include "scn_window.h"

int32_t probe_scale(int32_t x, int32_t multiplier, int32_t shift);
int32_t probe_scale(int32_t x, int32_t multiplier, int32_t shift) {
    return scn_scale(x, (scn_multiplier_t){multiplier, shift});
}

int32_t probe_scale_quick(int32_t x, int32_t multiplier, int32_t shift);
int32_t probe_scale_quick(int32_t x, int32_t multiplier, int32_t shift) {
    return scn_scale_quick(x, (scn_multiplier_t){multiplier, shift});
}

int32_t probe_scale_small(int32_t x, int32_t multiplier, int32_t shift);
int32_t probe_scale_small(int32_t x, int32_t multiplier, int32_t shift) {
    return scn_scale_small(x, scn_scaler((scn_multiplier_t){multiplier, shift}));
}

int32_t probe_apply(int32_t x, int32_t multiplier, int32_t shift, int32_t zero_point);
int32_t probe_apply(int32_t x, int32_t multiplier, int32_t shift, int32_t zero_point) {
    return scn_apply(scn_requant((scn_multiplier_t){multiplier, shift}, zero_point), x);
}

int32_t probe_scale_once(int32_t x, int32_t multiplier, int32_t fraction, int32_t shift);
int32_t probe_scale_once(int32_t x, int32_t multiplier, int32_t fraction, int32_t shift) {
    return scn_scale_once(x, (scn_fine_multiplier_t){multiplier, fraction, shift});
}

void probe_span(int32_t start, int32_t size, int32_t taps, int32_t dilation, int32_t *found);
void probe_span(int32_t start, int32_t size, int32_t taps, int32_t dilation, int32_t *found) {
    const scn_span_t span = scn_span(start, size, taps, dilation);
    found[0] = span.first;
    found[1] = span.last;
}

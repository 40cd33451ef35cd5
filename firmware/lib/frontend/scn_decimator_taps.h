/* SPDX-License-Identifier: MIT */
/* Made by python/scenelet/frontend/decimator_native.py; not for editing. Private to scn_decimator.c. */
#ifndef SCN_DECIMATOR_TAPS_H
#define SCN_DECIMATOR_TAPS_H

#include "scn_decimator.h"

#define SCN_TAP_BITS 30

/* clang-format off */
static const int32_t sharp_outer[16] = {
    -85165, 246559, -545438, 1046305, -1829410, 2992788, -4656278, 6970106,
    -10133159, 14432125, -20328283, 28665558, -41240729, 62746357, -110485423, 340639543,
};
static const scn_fir_t sharp_fir = {sharp_outer, 536870912, 16, 2, true};
static const int32_t short_outer[6] = {
    -564303, 3724650, -13310835, 36316741, -91298241, 333567444,
};
static const scn_fir_t short_fir = {short_outer, 536870912, 6, 2, true};
static const int32_t third_outer[48] = {
    0, -58318, -84215, 0, 156689, 205404, 0, -333830,
    -416246, 0, 625012, 754689, 0, -1073799, -1267267, 0,
    1733144, 2010466, 0, -2667561, -3053489, 0, 3957684, 4484107,
    0, -5709841, -6420909, 0, 8076232, 9039324, 0, -11298930,
    -12629494, 0, 15813189, 17737041, 0, -22522512, -25559829, 0,
    33694742, 39366633, 0, -57084304, -72298792, 0, 147146993, 295580810,
};
static const scn_fir_t third_fir = {third_outer, 357936178, 48, 3, false};
static const int32_t short_third_outer[16] = {
    -232967, 0, 1111214, 1992261, 0, -5219779, -7874522, 0,
    16339065, 22811475, 0, -43488083, -60829166, 0, 140965719, 292375828,
};
static const scn_fir_t short_third_fir = {short_third_outer, 357839734, 16, 3, false};
static const int32_t droop_outer[12] = {
    34564, -562970, 1814838, 3647363, -7035214, -15057950, 16408504, 46400017,
    -25280047, -126579285, -2915368, 360457963,
};
static const scn_fir_t droop_fir = {droop_outer, 571076994, 12, 2, false};
#define SCN_DECIMATOR_CHAINS \
    {16000, 8000, {&sharp_fir}}, \
    {32000, 8000, {&short_fir, &sharp_fir}}, \
    {48000, 8000, {&short_third_fir, &sharp_fir}}, \
    {64000, 8000, {&droop_fir, &short_fir, &sharp_fir}}, \
    {32000, 16000, {&sharp_fir}}, \
    {48000, 16000, {&third_fir}}, \
    {64000, 16000, {&droop_fir, &sharp_fir}},
/* clang-format on */

#endif

/* SPDX-License-Identifier: MIT */
/*
 * INT8 inference: the header that generated models include. Each family of kernels states its parameter structs in a
 * header of its own; the following holds for all of them.
 *
 * Numbers    real = scale * (q - zero_point), q INT8. Every kernel gives the same bits as TFLite's reference kernel.
 * Layout     activations are NHWC and dense. "dims" belong to one tensor, "elements" are INT8 values (= bytes).
 * Ownership  the caller owns all memory: activations and scratch lie in one arena that the host has planned; parameter
 *            structs, weights and biases are constants in flash. No kernel allocates, keeps state or calls back.
 * Alignment  4 bytes for the arena, every scratch area and CONV_2D's weights; any for activations and other weights.
 * In place   output must not overlap an input or the scratch, except where a kernel's comment permits it.
 * Sizes      dims, strides and dilations are positive, pads are not negative. The host checks this; kernels do not.
 */
#ifndef SCN_ENGINE_H
#define SCN_ENGINE_H

#include "scn_batch_matmul.h"
#include "scn_clip_head.h"
#include "scn_concatenation.h"
#include "scn_conv2d.h"
#include "scn_conv2d_gemm.h"
#include "scn_copy.h"
#include "scn_dense.h"
#include "scn_depthwise_conv2d.h"
#include "scn_depthwise_planar.h"
#include "scn_depthwise_quads.h"
#include "scn_elementwise_ops.h"
#include "scn_extremum.h"
#include "scn_fully_connected.h"
#include "scn_l2_normalization.h"
#include "scn_lstm.h"
#include "scn_lut.h"
#include "scn_pad.h"
#include "scn_pick.h"
#include "scn_pooling.h"
#include "scn_reshape.h"
#include "scn_resize_bilinear.h"
#include "scn_runtime.h"
#include "scn_segment.h"
#include "scn_softmax.h"
#include "scn_stage_rows.h"
#include "scn_svdf.h"
#include "scn_transpose_conv.h"
#include "scn_types.h"
#include "scn_wide.h"
#include "scn_winograd_2d.h"
#include "scn_winograd_conv2d.h"

/* Generated sources use NULL and bool. */
#include <stdbool.h>
#include <stddef.h>

#endif

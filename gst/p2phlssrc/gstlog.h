/* p2phlssrc: the core's messages in GStreamer's debug log.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any; p2p_gst_log_init() once, when the plugin is loaded.
 */
#pragma once

#include <gst/gst.h>

#include "base/log.h"

G_BEGIN_DECLS

/* Registers the debug categories and takes the core's messages. */
void p2p_gst_log_init (void);

/* The category of an area; valid after p2p_gst_log_init(). */
GstDebugCategory *p2p_gst_log_category (P2pLogArea area);

/* Copies GStreamer's thresholds to the core's table, which the core reads
 * before it formats anything. GStreamer announces no change of them, so
 * the worker asks once per batch: ten loads. */
void p2p_gst_log_update (void);

G_END_DECLS

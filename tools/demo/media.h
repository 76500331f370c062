/* p2phlssrc: the demonstration's stream.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: app.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Called now and then while encoding; per_cent of all there is to do. */
typedef void (*P2pDemoProgress) (int per_cent, gpointer user_data);

/**
 * p2p_demo_media_make:
 * @seconds: how much of it
 * @progress: told how far it is
 * @user_data: for @progress
 * @error: why there is none
 *
 * Encodes an adaptive HLS stream of two variants with GStreamer, or finds the
 * one that an earlier run has left in the user's cache.
 *
 * Returns: (transfer full): the folder with its master.m3u8, or %NULL.
 */
char *p2p_demo_media_make (guint seconds, P2pDemoProgress progress,
    gpointer user_data, GError **error);

G_END_DECLS

/* p2phlssrc: a player modelled on hls.js, above the model of a page.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/simulator.md.
 */
#pragma once

#include "sim/browser.h"

G_BEGIN_DECLS

/**
 * SimHlsJs:
 *
 * Asks the page for playlists and for whole segments, one at a time, and plays
 * by the same rule as SimPlayer.
 */
typedef struct _SimHlsJs SimHlsJs;

SimHlsJs *sim_hlsjs_new (SimBrowser *browser);
void sim_hlsjs_free (SimHlsJs *player);

void sim_hlsjs_start (SimHlsJs *player);
void sim_hlsjs_stop (SimHlsJs *player);
void sim_hlsjs_pause (SimHlsJs *player, gint64 for_us);
void sim_hlsjs_seek (SimHlsJs *player, double place);

/* The page's answers. NULL: it could not be had. */
void sim_hlsjs_take_playlist (SimHlsJs *player, const char *text);
void sim_hlsjs_take_segment (SimHlsJs *player, gint64 id, GBytes *bytes);

/* Media ahead of the playhead, 0 when it has run dry. */
gint64 sim_hlsjs_ahead_us (SimHlsJs *player);

/* The playhead, where segment n begins at n durations. */
gint64 sim_hlsjs_position_us (SimHlsJs *player);

SimPlayerResult sim_hlsjs_result (SimHlsJs *player);

G_END_DECLS

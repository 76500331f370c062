/* p2phlssrc: a viewer without our engine: a page with P2P Media Loader.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/simulator.md.
 */
#pragma once

#include "engine/stats.h"
#include "ports/event.h"
#include "sim/player.h"

G_BEGIN_DECLS

/**
 * SimBrowser:
 *
 * What a page does that loads hls.js and P2P Media Loader, of generation 2.3 or
 * 5, modelled on their sources. It stands where the engine and the player of
 * other viewers stand, above the same ports.
 */
typedef struct _SimBrowser SimBrowser;

/* The one that pages play: the first of the manifest. */
#define SIM_BROWSER_VARIANT 0

/* Of @node's kind. */
SimBrowser *sim_browser_new (SimNode *node);
void sim_browser_free (SimBrowser *browser);

void sim_browser_start (SimBrowser *browser);
gboolean sim_browser_is_running (SimBrowser *browser);
/* The page is closed. */
void sim_browser_stop (SimBrowser *browser);

/* A port has something to tell. */
void sim_browser_handle (SimBrowser *browser, const P2pEvent *event);

/* As SimPlayer's. */
void sim_browser_pause (SimBrowser *browser, gint64 for_us);
void sim_browser_seek (SimBrowser *browser, double place);
SimPlayerResult sim_browser_result (SimBrowser *browser);

/* Returns: (transfer full). */
P2pStats *sim_browser_stats (SimBrowser *browser);

G_END_DECLS

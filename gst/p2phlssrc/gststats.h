/* p2phlssrc: the counters as a GstStructure.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <gst/gst.h>

#include "engine/stats.h"

G_BEGIN_DECLS

/* Name of the structure in the `stats` property, and of the message. */
#define P2P_STATS_STRUCTURE "application/x-p2phls-stats"
#define P2P_STATS_MESSAGE "p2phls-stats"

/* Returns: (transfer full): @stats under the name @name. */
GstStructure *p2p_stats_to_structure (const P2pStats *stats, const char *name);

G_END_DECLS

/* p2phlssrc: what a run was like, in figures.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/**
 * SimReport:
 * @copies: bytes that left the origin for segments, over their sizes
 * @copies_joined: the same for those published once all had joined, but not
 *   in the last two segment durations
 * @p2p_share: of all media bytes, those that came from peers, 0 to 1
 * @overhead_share: bytes received and thrown away, of all
 * @stalls: of all viewers
 * @stalled_us: of all viewers
 * @waited_us: of all viewers that stayed: until the first whole segment, and
 *   stalled
 * @slow_segments: that took long enough to lose their variant
 * @segments: handed to players
 * @startup_us: median of all viewers
 * @startup_worst_us: the longest
 * @peers: mean of connections at the end
 * @not_playing: viewers that neither play nor have seen the end
 * @misses: requests for segments that no manifest named
 * @origin_failed: for a while
 * @digest: of the whole run
 */
typedef struct
{
  double copies;
  double copies_joined;
  double p2p_share;
  double overhead_share;
  guint stalls;
  gint64 stalled_us;
  gint64 waited_us;
  guint slow_segments;
  guint segments;
  gint64 startup_us;
  gint64 startup_worst_us;
  double peers;
  guint not_playing;
  guint64 misses;
  gboolean origin_failed;
  guint64 digest;
} SimReport;

/* After the run. Also checks the bounds that every viewer must keep. */
void sim_report (SimWorld *world, SimReport *report);

/* One line for each viewer. */
void sim_report_print_viewers (SimWorld *world);
/* One line for each segment: requests and copies. */
void sim_report_print_segments (SimWorld *world);

G_END_DECLS

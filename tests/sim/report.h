/* p2phlssrc: what a run was like, in figures.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/mix.h"

G_BEGIN_DECLS

/* A crowd is over once fewer than this many copies leave the origin. */
#define SIM_SETTLED_COPIES 1.5
/* By then it should be. */
#define SIM_SETTLED_US (30 * (gint64) G_USEC_PER_SEC)

/**
 * SimReport:
 * @copies: bytes that came from the origin for segments, over their sizes
 * @copies_joined: the same for those published once all had joined, but not
 *   in the last two segment durations
 * @copies_bound: below this many nobody can get, as far as uplinks carry
 * @peak_load: of the origin once all had joined, over its mean, in two seconds
 * @p2p_share: of all media bytes, those that came from peers, 0 to 1
 * @overhead_share: bytes received and thrown away, of all
 * @stalls: of all viewers
 * @stalled_us: of all viewers
 * @waited_us: of all viewers of ours that stayed: until the first whole segment, and
 *   stalled
 * @slow_segments: that took long enough to lose their variant
 * @segments: handed to players
 * @switches: of all viewers, from one variant to another
 * @bitrates: of the variants of these segments, added up
 * @spoiled: of these, those with wrong bytes from a liar
 * @first_byte_us: from asking for the manifest to the first byte of media,
 *   median of all viewers
 * @first_byte_p95_us: nineteen of twenty have it by then
 * @startup_us: to the first whole segment, median of all viewers
 * @startup_p95_us: nineteen of twenty have it by then
 * @startup_worst_us: the longest
 * @behind_us: from the end of a live stream to the playhead, median
 * @delays: playlists that were kept back
 * @delay_us: for how long, all together
 * @joiner_segments: what one of the crowd took from the origin, in segments,
 *   median
 * @settled_us: from the end of the crowd until fewer than SIM_SETTLED_COPIES
 *   left the origin, -1: never
 * @copies_settled: of segments published SIM_SETTLED_US after the crowd's end
 *   and later
 * @peers: mean of connections at the end
 * @viewers: there at the end
 * @not_playing: of these, those that neither play nor have seen the end
 * @misses: requests for segments that no manifest named
 * @origin_failures: times that it failed for a while
 * @quiet_seeks: that the engine cannot tell from playing on
 * @stuck: viewers that did not go on playing once all was well again
 * @copies_healed: of segments published once the swarm could have settled
 *   again after the last fault, 0: there are none
 * @mix: by kind of viewer
 * @digest: of the whole run
 */
typedef struct
{
  double copies;
  double copies_joined;
  double copies_bound;
  double peak_load;
  double p2p_share;
  double overhead_share;
  guint stalls;
  gint64 stalled_us;
  gint64 waited_us;
  guint slow_segments;
  guint segments;
  guint spoiled;
  guint switches;
  guint64 bitrates;
  gint64 first_byte_us;
  gint64 first_byte_p95_us;
  gint64 startup_us;
  gint64 startup_p95_us;
  gint64 startup_worst_us;
  gint64 behind_us;
  guint64 delays;
  gint64 delay_us;
  double joiner_segments;
  gint64 settled_us;
  double copies_settled;
  double peers;
  guint viewers;
  guint not_playing;
  guint64 misses;
  guint origin_failures;
  guint quiet_seeks;
  guint stuck;
  double copies_healed;
  SimMix mix;
  guint64 digest;
} SimReport;

/* After the run. Also checks the bounds that every viewer of ours must keep. */
void sim_report (SimWorld *world, SimReport *report);

/* Copies of the segments published in [@from_us, @to_us] that were asked
 * for. */
double sim_report_copies (SimWorld *world, gint64 from_us, gint64 to_us);

/* One line for each viewer. */
void sim_report_print_viewers (SimWorld *world);
/* One line for each segment: requests and copies. */
void sim_report_print_segments (SimWorld *world);

G_END_DECLS

/* p2phlssrc: a world with a clock of its own, in which engines meet.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Everything that happens is a timer of one queue, fired in the
 * order of time and, within one microsecond, of arming: a seed replays
 * exactly. Source: docs/design/simulator.md.
 */
#pragma once

#include "base/prng.h"
#include "base/timerq.h"
#include "base/types.h"

G_BEGIN_DECLS

typedef struct _SimWorld SimWorld;
typedef struct _SimNode SimNode;
typedef struct _SimCdn SimCdn;
typedef struct _SimTracker SimTracker;
typedef struct _SimFaults SimFaults;
typedef struct _SimTaint SimTaint;

/* What a viewer is: one of ours, or a page with P2P Media Loader 2.3 or 5. */
typedef enum
{
  SIM_KIND_NATIVE,
  SIM_KIND_V2,
  SIM_KIND_V5,
  SIM_N_KINDS,
} SimKind;

/* Of one stream. */
#define SIM_VARIANTS_MAX 8

/* The one tracker of a world. */
#define SIM_TRACKER_URL "ws://tracker.sim/"

/* The clock does not begin at 0, which means "never happened" in places. */
#define SIM_BEGIN_US ((gint64) 1000 * G_USEC_PER_SEC)

/**
 * SimConfig:
 * @seed: everything that is drawn follows from it
 * @viewers: how many join
 * @join_gap_us: between two joins, each shifted by up to a segment more
 * @spread: joins are drawn over the time that they take in all, not even
 * @crowd: how many more join, all at once
 * @crowd_at_us: from when on, since the beginning
 * @crowd_us: within this time
 * @churn: share of the viewers that go each minute once all have joined, each
 *   replaced by a new one. Every other one is killed
 * @run_us: how long it goes on after the last has joined
 * @joins_only: it ends soon after that, whatever else is said
 * @vod: a film from its beginning, not a live stream
 * @vod_us: length of the film
 * @window: segments in the live playlist
 * @segment_us: media time of each segment
 * @bitrate_bps: of the stream, of its best variant
 * @variants: of the stream, each with half the bitrate of the next
 * @uplink_bps: of each viewer, 0: no limit
 * @slow_share: share of the viewers with another uplink
 * @slow_uplink_bps: which is this
 * @downlink_bps: of each viewer, 0: no limit
 * @origin_bps: that all viewers together get from the origin, 0: no limit
 * @latency_least_us: one way from a viewer to the backbone, drawn between
 * @latency_most_us: these two
 * @unreachable: share of the pairs that cannot connect, 0 to 1
 * @max_peers: the setting of each viewer
 * @ahead_us: media that a film's player keeps ahead
 * @max_playlist_delay_us: the setting of each viewer
 * @browsers_v2: share of the viewers that are pages of generation 2.3, 0 to 1
 * @browsers_v5: and of generation 5
 * @demand_us: highDemandTimeWindow of generation 2.3
 * @late_v2: share of its pages that play a live stream from hls.js's own place,
 *   0 to 1
 * @p2p: FALSE: the same viewers over HTTP alone, for comparison
 * @faults: kinds of things that may go wrong for a while (sim/faults.h)
 * @fault_share: each of them does with this probability, 0 to 1
 * @fault_rate: and then to this share of the viewers, or in this share of the
 *   chances, once at least
 */
typedef struct
{
  guint64 seed;
  guint viewers;
  gint64 join_gap_us;
  gboolean spread;
  guint crowd;
  gint64 crowd_at_us;
  gint64 crowd_us;
  double churn;
  gint64 run_us;
  gboolean joins_only;
  gboolean vod;
  gint64 vod_us;
  guint window;
  gint64 segment_us;
  guint64 bitrate_bps;
  guint variants;
  guint64 uplink_bps;
  double slow_share;
  guint64 slow_uplink_bps;
  guint64 downlink_bps;
  guint64 origin_bps;
  gint64 latency_least_us;
  gint64 latency_most_us;
  double unreachable;
  guint max_peers;
  gint64 ahead_us;
  gint64 max_playlist_delay_us;
  double browsers_v2;
  double browsers_v5;
  gint64 demand_us;
  double late_v2;
  gboolean p2p;
  guint32 faults;
  double fault_share;
  double fault_rate;
} SimConfig;

/**
 * SimWorld:
 * @inside: (nullable): whose engine is running. Only it may call ports, and
 *   nothing may be told to any engine meanwhile
 * @failure: (nullable): what was found wrong first; ends the run
 * @joined_us: when the last viewer joins, replacements aside
 * @healed_us: when nothing goes wrong any more, 0: nothing ever does
 * @end_us: when the run is over
 * @uplink_bytes: that have left viewers, headers of all layers included
 * @peer_bytes: of segments that have reached viewers from others
 * @given: the same by kind: from, to
 * @steps: of all engines and pages
 * @digest: of everything that any engine was told, and when: equal for equal
 *   runs
 */
struct _SimWorld
{
  SimConfig config;
  P2pTimerQueue *queue;
  gint64 now_us;
  P2pPrng prng;
  SimNode *inside;
  char *failure;
  GPtrArray *nodes; /* of SimNode, owned */
  SimCdn *cdn;
  SimTracker *tracker;
  SimFaults *faults;
  SimTaint *taint;   /* (nullable): nobody sends wrong bytes */
  GPtrArray *leaves; /* who goes, and when, owned */
  GArray *samples;   /* of SimSample */
  P2pTimer sample_timer;
  gint64 joined_us;
  gint64 healed_us;
  gint64 end_us;
  guint64 uplink_bytes;
  guint64 peer_bytes;
  guint64 given[SIM_N_KINDS][SIM_N_KINDS];
  guint64 steps;
  guint64 digest;
  gboolean over; /* nothing is delivered any more */
};

/* What a run of 120 s with ten viewers is like when nothing else is said. */
void sim_config_init (SimConfig *config);

/* A small swarm with some faults, all of it drawn from @seed. */
void sim_config_draw (SimConfig *config, guint64 seed);

SimWorld *sim_world_new (const SimConfig *config);
void sim_world_free (SimWorld *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimWorld, sim_world_free)

/* Runs to the end. FALSE: @failure says what is wrong. */
gboolean sim_world_run (SimWorld *world);

/* Something is not as it must be. Only the first is kept. */
void sim_world_fail (SimWorld *world, SimNode *node, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/**
 * SimPostFunc:
 * @owner: lives as long as the world
 * @post: (transfer full): what was posted
 */
typedef void (*SimPostFunc) (gpointer owner, gpointer post);

/**
 * SimPost:
 *
 * Something that will be told once. First member of what is posted, so that
 * a message is one allocation all the way.
 */
typedef struct
{
  P2pTimer timer;
  SimWorld *world;
  SimPostFunc func;
  gpointer owner;
  GDestroyNotify free;
} SimPost;

/* Calls @func at @at_us. @post: (transfer full) is freed by @post_free should
 * the world end before. */
void sim_world_post (SimWorld *world, gint64 at_us, SimPostFunc func,
    gpointer owner, SimPost *post, GDestroyNotify post_free);

/* Node @node was told something of @kind about @id. */
void sim_world_digest (SimWorld *world, guint node, guint kind, guint64 id);

/* Uniform in [@least, @most]. */
gint64 sim_draw (P2pPrng *prng, gint64 least, gint64 most);

/* Prints what engines log from now on, up to @level (P2pLogLevel), with
 * virtual time and node. One world at a time. */
void sim_world_log (SimWorld *world, int level);

G_END_DECLS

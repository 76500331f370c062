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

/* The one tracker of a world. */
#define SIM_TRACKER_URL "ws://tracker.sim/"

/* The clock does not begin at 0, which means "never happened" in places. */
#define SIM_BEGIN_US ((gint64) 1000 * G_USEC_PER_SEC)

/**
 * SimConfig:
 * @seed: everything that is drawn follows from it
 * @viewers: how many join
 * @join_gap_us: between two joins, each shifted by up to half a second more
 * @run_us: how long it goes on after the last has joined
 * @vod: a film from its beginning, not a live stream
 * @vod_us: length of the film
 * @window: segments in the live playlist
 * @segment_us: media time of each segment
 * @bitrate_bps: of the stream
 * @uplink_bps: of each viewer, 0: no limit
 * @downlink_bps: of each viewer, 0: no limit
 * @origin_bps: that all viewers together get from the origin, 0: no limit
 * @latency_least_us: one way from a viewer to the backbone, drawn between
 * @latency_most_us: these two
 * @unreachable: share of the pairs that cannot connect, 0 to 1
 * @ahead_us: media that a film's player keeps ahead
 * @p2p: FALSE: the same viewers over HTTP alone, for comparison
 * @faults: things go wrong for a while
 */
typedef struct
{
  guint64 seed;
  guint viewers;
  gint64 join_gap_us;
  gint64 run_us;
  gboolean vod;
  gint64 vod_us;
  guint window;
  gint64 segment_us;
  guint64 bitrate_bps;
  guint64 uplink_bps;
  guint64 downlink_bps;
  guint64 origin_bps;
  gint64 latency_least_us;
  gint64 latency_most_us;
  double unreachable;
  gint64 ahead_us;
  gboolean p2p;
  gboolean faults;
} SimConfig;

/**
 * SimWorld:
 * @inside: (nullable): whose engine is running. Only it may call ports, and
 *   nothing may be told to any engine meanwhile
 * @failure: (nullable): what was found wrong first; ends the run
 * @joined_us: when the last viewer joins
 * @end_us: when the run is over
 * @steps: of all engines
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
  gpointer faults;
  gint64 joined_us;
  gint64 end_us;
  guint64 steps;
  guint64 digest;
  GQueue posts; /* of Post, not yet delivered */
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
 * @data: (transfer full): what was posted
 */
typedef void (*SimPostFunc) (gpointer owner, gpointer data);

/* Calls @func at @at_us. @data: (transfer full) is freed by @data_free should
 * the world end before. */
void sim_world_post (SimWorld *world, gint64 at_us, SimPostFunc func,
    gpointer owner, gpointer data, GDestroyNotify data_free);

/* Node @node was told something of @kind about @id. */
void sim_world_digest (SimWorld *world, guint node, guint kind, guint64 id);

/* Uniform in [@least, @most]. */
gint64 sim_draw (P2pPrng *prng, gint64 least, gint64 most);

/* Prints what engines log from now on, up to @level (P2pLogLevel), with
 * virtual time and node. One world at a time. */
void sim_world_log (SimWorld *world, int level);

G_END_DECLS

/* p2phlssrc: what a run was like, in figures.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/report.h"

#include "base/limits.h"
#include "sim/crowd.h"
#include "sim/faults.h"
#include "sim/node.h"
#include "sim/sample.h"

#include <stdio.h>

/* Copies are looked at over this many segments when a crowd is to settle. */
#define SETTLED_SEGMENTS 5

/* --- the origin ------------------------------------------------------------- */

double
sim_report_copies (SimWorld *world, gint64 from_us, gint64 to_us)
{
  guint end = sim_cdn_end (world->cdn);
  guint64 bytes = 0, sizes = 0;
  guint id;

  for (id = 0; id < end; id++) {
    SimCdnCount count = sim_cdn_count (world->cdn, id);
    gint64 at_us = sim_cdn_published_us (world->cdn, id);

    if (count.requests == 0 || at_us < from_us || at_us > to_us)
      continue;
    bytes += count.bytes;
    sizes += sim_cdn_segment_size (world->cdn, id);
  }

  return sizes == 0 ? 0 : (double) bytes / sizes;
}

/* The first look that it is judged by, and the end of the last. */
static gint64
judged_from_us (SimWorld *world)
{
  return world->joined_us + world->config.segment_us;
}

static gint64
judged_to_us (SimWorld *world)
{
  return world->end_us - 2 * world->config.segment_us;
}

/* Until then the origin gives more than one stream and a half. */
static gint64
settled_us (SimWorld *world)
{
  gint64 segment_us = world->config.segment_us;
  gint64 look_us = (SETTLED_SEGMENTS - 1) * segment_us;
  gint64 at_us;

  for (at_us = judged_from_us (world); at_us + look_us <= judged_to_us (world);
       at_us += segment_us) {
    if (sim_report_copies (world, at_us, at_us + look_us) < SIM_SETTLED_COPIES)
      return at_us - world->joined_us;
  }

  return -1;
}

static double
peak_load (SimWorld *world)
{
  guint64 peak = 0, sum = 0;
  guint n = 0;
  guint i;

  for (i = 1; i < world->samples->len; i++) {
    const SimSample *sample = &g_array_index (world->samples, SimSample, i);
    guint64 bytes = sample->origin_bytes - sample[-1].origin_bytes;

    if (sample[-1].at_us < judged_from_us (world)
        || sample->at_us > judged_to_us (world))
      continue;
    peak = MAX (peak, bytes);
    sum += bytes;
    n++;
  }

  return sum == 0 ? 0 : (double) peak * n / sum;
}

/* While all are there, viewers receive viewers × bitrate; what their uplinks
 * do not carry comes from the origin, and one copy does in any case. No uplink
 * gives more than all others can take. */
static double
copies_bound (SimWorld *world)
{
  const SimConfig *config = &world->config;
  guint viewers = config->viewers + config->crowd;
  double most = (double) (viewers - 1) * config->bitrate_bps;
  double carried = 0;
  guint i;

  for (i = 0; i < viewers; i++) {
    guint64 uplink_bps = sim_crowd_uplink_bps (config, i);

    carried +=
        uplink_bps == 0 ? most : MIN (uplink_bps / SIM_WIRE_FACTOR, most);
  }

  return MAX (1, viewers - carried / config->bitrate_bps);
}

/* --- the viewers ------------------------------------------------------------ */

static void
check_bounds (SimNode *node, const P2pStats *stats)
{
  const SimConfig *config = &node->world->config;
  /* What is listed, what is on its way, what has just left the window. */
  guint most = config->variants
      * (config->vod ? config->vod_us / config->segment_us + 1
                     : 3 * config->window + 8);

  if (stats->segments_stored > most)
    sim_world_fail (node->world, node, "stores %u segments of %u",
        stats->segments_stored, most);
  if (stats->peers > P2P_PEERS_MAX)
    sim_world_fail (node->world, node, "has %u peers", stats->peers);
  if (stats->registry_misses > 0)
    sim_world_fail (node->world, node,
        "asked for %" G_GUINT64_FORMAT " segments that no manifest named",
        stats->registry_misses);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

/* The value that @share of @times do not exceed. */
static gint64
quantile (GArray *times, double share)
{
  if (times->len == 0)
    return 0;
  g_array_sort (times, compare_times);

  return g_array_index (
      times, gint64, MIN ((guint) (share * times->len), times->len - 1));
}

/* What is gathered of one viewer after the other. */
typedef struct
{
  SimReport *report;
  GArray *first_bytes;  /* of gint64 */
  GArray *startups;     /* of gint64 */
  GArray *behind;       /* of gint64 */
  GArray *joiner_bytes; /* of gint64 */
  guint64 http;
  guint64 p2p;
  guint64 overhead;
} Gathered;

static void
add_player (Gathered *all, SimNode *node)
{
  SimPlayerResult result = sim_player_result (node->player);
  SimReport *report = all->report;

  report->stalls += result.stalls;
  report->stalled_us += result.stalled_us;
  report->slow_segments += result.slow_segments;
  report->segments += result.segments;
  report->spoiled += result.spoiled;
  report->switches += result.switches;
  report->quiet_seeks += result.quiet_seeks;
  report->bitrates += result.bitrates;
  if (result.first_byte_us >= 0)
    g_array_append_val (all->first_bytes, result.first_byte_us);
  if (result.startup_us >= 0)
    g_array_append_val (all->startups, result.startup_us);
  if (node->gone)
    return;
  report->viewers++;
  if (node->kind == SIM_KIND_NATIVE)
    report->waited_us += result.stalled_us
        + (result.startup_us >= 0 ? result.startup_us
                                  : node->world->end_us - node->join_us);
  if (result.playing)
    g_array_append_val (all->behind, result.behind_us);
  else
    report->not_playing++;
}

static void
add_stats (Gathered *all, SimNode *node)
{
  const SimConfig *config = &node->world->config;
  g_autoptr (P2pStats) own = node->gone ? NULL : sim_node_stats (node);
  const P2pStats *stats = node->gone ? node->last_stats : own;
  gint64 from_origin = stats->http_bytes;

  if (node->kind == SIM_KIND_NATIVE)
    check_bounds (node, stats);
  all->http += stats->http_bytes;
  all->p2p += stats->p2p_bytes;
  all->overhead += stats->overhead_bytes;
  all->report->misses += stats->registry_misses;
  all->report->delays += stats->playlists_delayed;
  all->report->delay_us += stats->playlist_delay_us;
  all->report->peers += (double) stats->peers / node->world->nodes->len;
  if (sim_crowd_is_of (config, node->number))
    g_array_append_val (all->joiner_bytes, from_origin);
}

static void
take_quantiles (Gathered *all, const SimConfig *config)
{
  SimReport *report = all->report;
  double segment_bytes =
      config->bitrate_bps / 8.0 * config->segment_us / G_USEC_PER_SEC;

  report->first_byte_us = quantile (all->first_bytes, 0.5);
  report->first_byte_p95_us = quantile (all->first_bytes, 0.95);
  report->startup_us = quantile (all->startups, 0.5);
  report->startup_p95_us = quantile (all->startups, 0.95);
  report->startup_worst_us = quantile (all->startups, 1);
  report->behind_us = quantile (all->behind, 0.5);
  report->joiner_segments = quantile (all->joiner_bytes, 0.5) / segment_bytes;
}

void
sim_report (SimWorld *world, SimReport *report)
{
  g_autoptr (GArray) first_bytes = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) startups = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) behind = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) joiner_bytes = g_array_new (FALSE, FALSE, sizeof (gint64));
  Gathered all = { report, first_bytes, startups, behind, joiner_bytes };
  guint64 media;
  guint i;

  *report = (SimReport){
    .origin_failures = sim_faults_of_origin (world),
    .stuck = sim_faults_stuck (world),
    .digest = world->digest,
  };
  for (i = 0; i < world->nodes->len; i++) {
    add_player (&all, world->nodes->pdata[i]);
    add_stats (&all, world->nodes->pdata[i]);
  }
  take_quantiles (&all, &world->config);

  report->copies = sim_report_copies (world, 0, world->end_us);
  report->copies_joined =
      sim_report_copies (world, judged_from_us (world), judged_to_us (world));
  if (world->healed_us > 0)
    report->copies_healed = sim_report_copies (
        world, world->healed_us + SIM_SETTLE_US, judged_to_us (world));
  report->copies_bound = copies_bound (world);
  report->peak_load = peak_load (world);
  report->settled_us = settled_us (world);
  report->copies_settled = sim_report_copies (
      world, world->joined_us + SIM_SETTLED_US, judged_to_us (world));
  media = all.http + all.p2p;
  report->p2p_share = media > 0 ? (double) all.p2p / media : 0;
  report->overhead_share = media > 0 ? (double) all.overhead / media : 0;
  sim_mix_report (world, &report->mix);
}

/* --- line by line ------------------------------------------------------------- */

void
sim_report_print_viewers (SimWorld *world)
{
  guint i;

  printf ("viewer  state     stalls  segments  slow  longest  startup  peers"
          "  http KB   p2p KB    up KB\n");
  for (i = 0; i < world->nodes->len; i++) {
    SimNode *node = world->nodes->pdata[i];
    SimPlayerResult result = sim_player_result (node->player);
    g_autoptr (P2pStats) own = node->gone ? NULL : sim_node_stats (node);
    const P2pStats *stats = node->gone ? node->last_stats : own;

    printf ("%6u  %-8s  %6u  %8u  %4u  %5.2f s  %5.2f s  %5u  %7.0f  %7.0f"
            "  %7.0f\n",
        i, result.state, result.stalls, result.segments, result.slow_segments,
        result.longest_us / 1e6, result.startup_us / 1e6,
        stats != NULL ? stats->peers : 0,
        stats != NULL ? stats->http_bytes / 1e3 : 0,
        stats != NULL ? stats->p2p_bytes / 1e3 : 0,
        stats != NULL ? stats->upload_bytes / 1e3 : 0);
  }
}

void
sim_report_print_segments (SimWorld *world)
{
  guint end = sim_cdn_end (world->cdn);
  guint id;

  for (id = 0; id < end; id++) {
    SimCdnCount count = sim_cdn_count (world->cdn, id);

    printf ("segment %4u  published %8.3f s  requests %3u  copies %5.2f\n", id,
        (sim_cdn_published_us (world->cdn, id) - SIM_BEGIN_US) / 1e6,
        count.requests,
        (double) count.bytes / sim_cdn_segment_size (world->cdn, id));
  }
}

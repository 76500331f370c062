/* p2phlssrc: what a run was like, in figures.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/report.h"

#include "base/limits.h"
#include "sim/faults.h"
#include "sim/node.h"

#include <stdio.h>

/* Copies of the segments published in [@from_us, @to_us] that were asked
 * for. */
static double
copies (SimWorld *world, gint64 from_us, gint64 to_us)
{
  guint published = sim_cdn_published (world->cdn, world->now_us);
  guint64 bytes = 0, sizes = 0;
  guint id;

  for (id = 0; id < published; id++) {
    SimCdnCount count = sim_cdn_count (world->cdn, id);
    gint64 at_us = sim_cdn_published_us (world->cdn, id);

    if (count.requests == 0 || at_us < from_us || at_us > to_us)
      continue;
    bytes += count.bytes;
    sizes += sim_cdn_segment_size (world->cdn, id);
  }

  return sizes == 0 ? 0 : (double) bytes / sizes;
}

static void
check_bounds (SimNode *node, const P2pStats *stats)
{
  const SimConfig *config = &node->world->config;
  /* What is listed, what is on its way, what has just left the window. */
  guint most = config->vod ? config->vod_us / config->segment_us + 1
                           : 3 * config->window + 8;

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

static void
add_player (SimReport *report, SimNode *node, GArray *startups)
{
  SimPlayerResult result = sim_player_result (node->player);

  report->stalls += result.stalls;
  report->stalled_us += result.stalled_us;
  report->slow_segments += result.slow_segments;
  report->segments += result.segments;
  if (result.startup_us >= 0)
    g_array_append_val (startups, result.startup_us);
  if (!node->gone)
    report->waited_us += result.stalled_us
        + (result.startup_us >= 0 ? result.startup_us
                                  : node->world->end_us - node->join_us);
  if (!node->gone && !result.playing)
    report->not_playing++;
}

void
sim_report (SimWorld *world, SimReport *report)
{
  const SimConfig *config = &world->config;
  g_autoptr (GArray) startups = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint64 http = 0, p2p = 0, overhead = 0;
  guint i;

  *report = (SimReport){
    .origin_failed = sim_faults_of_origin (world),
    .digest = world->digest,
  };
  for (i = 0; i < world->nodes->len; i++) {
    SimNode *node = world->nodes->pdata[i];
    g_autoptr (P2pStats) own = node->gone ? NULL : sim_node_stats (node);
    const P2pStats *stats = node->gone ? node->last_stats : own;

    add_player (report, node, startups);
    if (stats == NULL)
      continue;
    check_bounds (node, stats);
    http += stats->http_bytes;
    p2p += stats->p2p_bytes;
    overhead += stats->overhead_bytes;
    report->misses += stats->registry_misses;
    report->peers += (double) stats->peers / world->nodes->len;
  }

  report->copies = copies (world, 0, world->end_us);
  report->copies_joined = copies (world, world->joined_us + config->segment_us,
      world->end_us - 2 * config->segment_us);
  report->p2p_share = http + p2p > 0 ? (double) p2p / (http + p2p) : 0;
  report->overhead_share =
      http + p2p > 0 ? (double) overhead / (http + p2p) : 0;
  g_array_sort (startups, compare_times);
  if (startups->len > 0) {
    report->startup_us = g_array_index (startups, gint64, startups->len / 2);
    report->startup_worst_us =
        g_array_index (startups, gint64, startups->len - 1);
  }
}

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
  guint published = sim_cdn_published (world->cdn, world->now_us);
  guint id;

  for (id = 0; id < published; id++) {
    SimCdnCount count = sim_cdn_count (world->cdn, id);

    printf ("segment %4u  published %8.3f s  requests %3u  copies %5.2f\n", id,
        (sim_cdn_published_us (world->cdn, id) - SIM_BEGIN_US) / 1e6,
        count.requests,
        (double) count.bytes / sim_cdn_segment_size (world->cdn, id));
  }
}

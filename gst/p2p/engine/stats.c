/* p2phlssrc: counters that users see.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "stats.h"

static void
clear_tracker (gpointer data)
{
  P2pTrackerStats *tracker = data;

  g_free (tracker->url);
  g_free (tracker->error);
}

static void
clear_swarm (gpointer data)
{
  P2pSwarmStats *swarm = data;

  g_free (swarm->stream);
}

P2pStats *
p2p_stats_new (void)
{
  P2pStats *stats = g_new0 (P2pStats, 1);

  stats->trackers = g_array_new (FALSE, TRUE, sizeof (P2pTrackerStats));
  g_array_set_clear_func (stats->trackers, clear_tracker);
  stats->swarms = g_array_new (FALSE, TRUE, sizeof (P2pSwarmStats));
  g_array_set_clear_func (stats->swarms, clear_swarm);
  stats->peer_list = g_array_new (FALSE, TRUE, sizeof (P2pPeerStats));

  return stats;
}

void
p2p_stats_free (P2pStats *stats)
{
  g_array_unref (stats->trackers);
  g_array_unref (stats->swarms);
  g_array_unref (stats->peer_list);
  g_free (stats);
}

/* p2phlssrc: one viewer: an engine, its ports, a player, a line to the world.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/node.h"

#include "sim/faults.h"
#include "sim/mix.h"

#define CACHE_BYTES (256 * 1024 * 1024)

/* --- the engine -------------------------------------------------------------------- */

static void
step (SimNode *node)
{
  SimWorld *world = node->world;
  gint64 next_us;

  world->inside = node;
  next_us = p2p_engine_step (node->engine, world->now_us);
  world->inside = NULL;
  world->steps++;
  /* Most events do not move it. */
  if (next_us == node->wake_us && next_us > world->now_us)
    return;
  node->wake_us = next_us;
  p2p_timer_set (&node->wake,
      next_us == P2P_NEVER ? P2P_NEVER : MAX (next_us, world->now_us));
}

static void
on_wake (gpointer owner, gint64 now_us)
{
  SimNode *node = owner;

  node->wake_us = P2P_NEVER;
  step (node);
}

void
sim_node_deliver (SimNode *node, const P2pEvent *event)
{
  SimWorld *world = node->world;

  /* A port that called back from inside a call would be found here. */
  g_assert (world->inside == NULL);
  if (node->engine == NULL && node->browser == NULL)
    return;
  sim_world_digest (world, node->number, event->kind, event->id);
  if (node->browser != NULL) {
    sim_browser_handle (node->browser, event);
    return;
  }
  world->inside = node;
  p2p_engine_handle (node->engine, event, world->now_us);
  world->inside = NULL;
  step (node);
}

void
sim_node_assert_inside (SimNode *node)
{
  g_assert (node->world->inside == node);
}

gboolean
sim_node_is_on (SimNode *node)
{
  return node->engine != NULL
      || (node->browser != NULL && sim_browser_is_running (node->browser));
}

P2pTransportPort *
sim_node_transport (SimNode *node)
{
  return node->liar != NULL ? sim_liar_port (node->liar)
                            : sim_net_port (node->net);
}

static void
start_engine (SimNode *node)
{
  static const char *const trackers[] = { SIM_TRACKER_URL, NULL };
  SimWorld *world = node->world;
  P2pEngineConfig config = {
    .p2p = world->config.p2p,
    .upload = TRUE,
    .trackers = trackers,
    .protocols = P2P_PROTOCOL_ALL,
    .max_peers = world->config.max_peers,
    .cache_bytes = CACHE_BYTES,
    .urgent_buffer_us = -1,
    .max_playlist_delay_us = world->config.max_playlist_delay_us,
    .http_window_us = (gint64) 3000 * G_USEC_PER_SEC,
    .p2p_window_us = (gint64) 6000 * G_USEC_PER_SEC,
    .seed = p2p_prng_next (&node->prng),
  };
  P2pEnginePorts ports = {
    .http = sim_http_port (node->http),
    .websocket = sim_socket_port (node->sockets),
    .transport = sim_node_transport (node),
    .sink = sim_player_sink (node->player),
  };

  world->inside = node;
  node->wake_us = P2P_NEVER;
  node->engine = p2p_engine_new (&config, &ports, world->now_us);
  world->inside = NULL;
}

void
sim_node_stop (SimNode *node)
{
  if (node->browser != NULL)
    sim_browser_stop (node->browser);
  if (node->engine == NULL)
    return;
  p2p_timer_clear (&node->wake);
  node->world->inside = node;
  g_clear_pointer (&node->engine, p2p_engine_free);
  node->world->inside = NULL;
}

static void
on_join (gpointer owner, gint64 now_us)
{
  SimNode *node = owner;

  if (node->browser != NULL) {
    sim_browser_start (node->browser);
    return;
  }
  start_engine (node);
  sim_player_start (node->player);
}

/* --- life ---------------------------------------------------------------------------- */

SimNode *
sim_node_new (SimWorld *world, guint number, gint64 join_us)
{
  const SimConfig *config = &world->config;
  SimNode *node = g_new0 (SimNode, 1);

  node->world = world;
  node->number = number;
  node->join_us = join_us;
  p2p_prng_init (&node->prng, config->seed * 1000003 + number);
  node->latency_us =
      sim_draw (&node->prng, config->latency_least_us, config->latency_most_us);
  sim_pipe_init (&node->up, world, config->uplink_bps);
  sim_pipe_init (&node->down, world, config->downlink_bps);
  node->http = sim_http_new (node);
  node->sockets = sim_socket_new (node);
  node->net = sim_net_new (node);
  if (sim_faults_of_liars (world))
    node->liar = sim_liar_new (node, sim_net_port (node->net));
  node->player = sim_player_new (node);
  node->kind = sim_mix_kind (config, number);
  if (node->kind != SIM_KIND_NATIVE)
    node->browser = sim_browser_new (node);
  p2p_timer_init (&node->wake, world->queue, on_wake, node);
  p2p_timer_init (&node->join_timer, world->queue, on_join, node);
  p2p_timer_set (&node->join_timer, join_us);

  return node;
}

static void
close_player (SimNode *node)
{
  node->gone = TRUE;
  p2p_timer_clear (&node->join_timer);
  sim_player_stop (node->player);
  node->last_stats = sim_node_stats (node);
}

void
sim_node_leave (SimNode *node)
{
  if (node->gone)
    return;
  close_player (node);
  sim_node_stop (node);
}

void
sim_node_vanish (SimNode *node)
{
  if (node->gone)
    return;
  close_player (node);
  /* First all that could tell others, then the engine, in silence. */
  sim_net_vanish (node->net);
  sim_socket_vanish (node->sockets);
  sim_http_vanish (node->http);
  sim_node_stop (node);
}

void
sim_node_free (SimNode *node)
{
  sim_node_stop (node);
  g_clear_pointer (&node->browser, sim_browser_free);
  sim_player_free (node->player);
  sim_http_free (node->http);
  sim_socket_free (node->sockets);
  g_clear_pointer (&node->liar, sim_liar_free);
  sim_net_free (node->net);
  sim_pipe_clear (&node->up);
  sim_pipe_clear (&node->down);
  p2p_timer_clear (&node->join_timer);
  p2p_timer_clear (&node->wake);
  g_clear_pointer (&node->last_stats, p2p_stats_free);
  g_free (node);
}

P2pStats *
sim_node_stats (SimNode *node)
{
  P2pStats *stats;

  if (node->browser != NULL)
    return sim_browser_stats (node->browser);
  if (node->engine == NULL)
    return p2p_stats_new ();
  node->world->inside = node;
  stats = p2p_engine_get_stats (node->engine, node->world->now_us);
  node->world->inside = NULL;

  return stats;
}

/* p2phlssrc: a world with a clock of its own, in which engines meet.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/log.h"
#include "sim/crowd.h"
#include "sim/faults.h"
#include "sim/node.h"
#include "sim/sample.h"

#include <stdio.h>

/* Happenings in one microsecond after which the clock has stopped. */
#define SAME_TIME_MAX 1000000

void
sim_config_init (SimConfig *config)
{
  *config = (SimConfig){
    .seed = 1,
    .viewers = 10,
    .join_gap_us = 2 * G_USEC_PER_SEC,
    .run_us = 60 * G_USEC_PER_SEC,
    .vod_us = 60 * G_USEC_PER_SEC,
    .window = 6,
    .segment_us = 2 * G_USEC_PER_SEC,
    .bitrate_bps = 2 * 1000 * 1000,
    .variants = 1,
    .uplink_bps = 5 * 1000 * 1000,
    .downlink_bps = 20 * 1000 * 1000,
    .latency_least_us = 5 * 1000,
    .latency_most_us = 25 * 1000,
    .max_peers = 50,
    .fault_share = 0.2,
    .fault_rate = 0.25,
    .ahead_us = 5 * G_USEC_PER_SEC,
    .max_playlist_delay_us = G_USEC_PER_SEC,
    .demand_us = 15 * G_USEC_PER_SEC,
    .late_v2 = 0.5,
    .p2p = TRUE,
  };
}

gint64
sim_draw (P2pPrng *prng, gint64 least, gint64 most)
{
  return least + p2p_prng_below (prng, most - least + 1);
}

void
sim_config_draw (SimConfig *config, guint64 seed)
{
  P2pPrng prng;

  sim_config_init (config);
  p2p_prng_init (&prng, seed);
  config->seed = seed;
  config->viewers = sim_draw (&prng, 2, 6);
  config->join_gap_us = sim_draw (&prng, 0, 4 * G_USEC_PER_SEC);
  config->run_us = sim_draw (&prng, 20, 40) * G_USEC_PER_SEC;
  config->vod = p2p_prng_below (&prng, 3) == 0;
  config->vod_us = sim_draw (&prng, 10, 30) * G_USEC_PER_SEC;
  config->window = sim_draw (&prng, 4, 8);
  config->segment_us = sim_draw (&prng, 1, 4) * G_USEC_PER_SEC;
  config->bitrate_bps = sim_draw (&prng, 300, 2000) * 1000;
  config->uplink_bps = config->bitrate_bps * sim_draw (&prng, 1, 10);
  config->downlink_bps = config->bitrate_bps * sim_draw (&prng, 3, 20);
  config->latency_most_us = sim_draw (&prng, 5, 100) * 1000;
  config->unreachable =
      p2p_prng_below (&prng, 3) == 0 ? p2p_prng_unit (&prng) / 2 : 0;
  config->faults = SIM_FAULTS_ALL;
  if (p2p_prng_below (&prng, 4) == 0)
    config->variants = sim_draw (&prng, 2, 3);
}

/* --- time ------------------------------------------------------------------------- */

static void
on_post (gpointer owner, gint64 now_us)
{
  SimPost *post = owner;

  if (post->world->over)
    post->free (post);
  else
    post->func (post->owner, post);
}

void
sim_world_post (SimWorld *world, gint64 at_us, SimPostFunc func, gpointer owner,
    SimPost *post, GDestroyNotify post_free)
{
  post->world = world;
  post->func = func;
  post->owner = owner;
  post->free = post_free;
  p2p_timer_init (&post->timer, world->queue, on_post, post);
  p2p_timer_set (&post->timer, at_us);
}

void
sim_world_digest (SimWorld *world, guint node, guint kind, guint64 id)
{
  P2pPrng mix = { world->digest ^ world->now_us };

  mix.state ^= p2p_prng_next (&mix) + node;
  mix.state ^= p2p_prng_next (&mix) + kind;
  mix.state ^= p2p_prng_next (&mix) + id;
  world->digest = p2p_prng_next (&mix);
}

/* Whose engines are listened to. */
static SimWorld *logged;

/* --- life ------------------------------------------------------------------------- */

SimWorld *
sim_world_new (const SimConfig *config)
{
  SimWorld *world = g_new0 (SimWorld, 1);

  world->config = *config;
  world->queue = p2p_timer_queue_new ();
  world->now_us = SIM_BEGIN_US;
  p2p_prng_init (&world->prng, config->seed);
  world->nodes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) sim_node_free);
  world->cdn = sim_cdn_new (world);
  world->tracker = sim_tracker_new (world);
  sim_faults_draw (world);
  if (sim_faults_of_liars (world))
    world->taint = sim_taint_new ();
  sim_crowd_plan (world);
  sim_faults_plan (world);
  sim_samples_begin (world);

  return world;
}

void
sim_world_free (SimWorld *world)
{
  guint i;

  sim_samples_free (world);
  sim_faults_free (world);
  sim_crowd_free (world);
  for (i = 0; i < world->nodes->len; i++)
    sim_node_stop (world->nodes->pdata[i]);
  g_ptr_array_unref (world->nodes);
  sim_tracker_free (world->tracker);
  sim_cdn_free (world->cdn);
  g_clear_pointer (&world->taint, sim_taint_free);
  /* Posts are all that is left in it. */
  world->over = TRUE;
  p2p_timer_queue_run (world->queue, P2P_NEVER);
  g_assert (p2p_timer_queue_next (world->queue) == P2P_NEVER);
  p2p_timer_queue_free (world->queue);
  if (logged == world)
    p2p_log_set_sink (NULL);
  g_free (world->failure);
  g_free (world);
}

/* --- running ------------------------------------------------------------------------ */

void
sim_world_fail (SimWorld *world, SimNode *node, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  if (world->failure != NULL)
    return;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  world->failure = g_strdup_printf ("%.6f s: viewer %u %s",
      (double) (world->now_us - SIM_BEGIN_US) / G_USEC_PER_SEC, node->number,
      what);
}

gboolean
sim_world_run (SimWorld *world)
{
  guint same_time = 0;

  while (world->failure == NULL) {
    gint64 next_us = p2p_timer_queue_next (world->queue);

    if (next_us > world->end_us)
      break;
    g_assert (next_us >= world->now_us);
    same_time = next_us == world->now_us ? same_time + 1 : 0;
    if (same_time > SAME_TIME_MAX)
      g_error (
          "seed %" G_GUINT64_FORMAT ": time stands still", world->config.seed);
    world->now_us = next_us;
    p2p_timer_queue_run (world->queue, next_us);
  }
  if (world->failure == NULL)
    world->now_us = world->end_us;

  return world->failure == NULL;
}

/* --- log ------------------------------------------------------------------------------ */

static void
print_log (P2pLogArea area, P2pLogLevel level, const char *file,
    const char *function, int line, guint64 id, const char *format,
    va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);

  /* Players speak from outside: by the number of their request. */
  printf ("%11.6f %3d %s:%d #%" G_GUINT64_FORMAT " %s\n",
      (double) (logged->now_us - SIM_BEGIN_US) / G_USEC_PER_SEC,
      logged->inside != NULL ? (int) logged->inside->number : -1,
      strrchr (file, '/') != NULL ? strrchr (file, '/') + 1 : file, line, id,
      text);
}

void
sim_world_log (SimWorld *world, int level)
{
  guint area;

  logged = world;
  for (area = 0; area < P2P_N_AREAS; area++)
    p2p_log_threshold[area] = level;
  p2p_log_set_sink (print_log);
}

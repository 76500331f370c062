/* p2phlssrc: a world with a clock of its own, in which engines meet.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/log.h"
#include "sim/faults.h"
#include "sim/node.h"

#include <stdio.h>

/* Happenings in one microsecond after which the clock has stopped. */
#define SAME_TIME_MAX 1000000

/* Something that will be told once. */
typedef struct
{
  P2pTimer timer;
  SimWorld *world;
  SimPostFunc func;
  gpointer owner;
  gpointer data;
  GDestroyNotify data_free;
  GList link;
} Post;

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
    .uplink_bps = 5 * 1000 * 1000,
    .downlink_bps = 20 * 1000 * 1000,
    .latency_least_us = 5 * 1000,
    .latency_most_us = 25 * 1000,
    .ahead_us = 5 * G_USEC_PER_SEC,
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
  config->faults = TRUE;
}

/* --- time ------------------------------------------------------------------------- */

static void
on_post (gpointer owner, gint64 now_us)
{
  Post *post = owner;
  SimPostFunc func = post->func;
  gpointer to = post->owner, data = post->data;

  g_queue_unlink (&post->world->posts, &post->link);
  g_free (post);
  func (to, data);
}

void
sim_world_post (SimWorld *world, gint64 at_us, SimPostFunc func, gpointer owner,
    gpointer data, GDestroyNotify data_free)
{
  Post *post = g_new0 (Post, 1);

  post->world = world;
  post->func = func;
  post->owner = owner;
  post->data = data;
  post->data_free = data_free;
  post->link.data = post;
  g_queue_push_tail_link (&world->posts, &post->link);
  p2p_timer_init (&post->timer, world->queue, on_post, post);
  p2p_timer_set (&post->timer, at_us);
}

static void
forget_posts (SimWorld *world)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&world->posts)) != NULL) {
    Post *post = link->data;

    p2p_timer_clear (&post->timer);
    post->data_free (post->data);
    g_free (post);
  }
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

/* --- life ------------------------------------------------------------------------- */

static void
add_viewers (SimWorld *world)
{
  const SimConfig *config = &world->config;
  guint i;

  for (i = 0; i < config->viewers; i++) {
    /* Never in step with the segments, nor with each other. */
    gint64 join_us = SIM_BEGIN_US + i * config->join_gap_us
        + sim_draw (&world->prng, 0, config->segment_us);

    g_ptr_array_add (world->nodes, sim_node_new (world, i, join_us));
    world->joined_us = MAX (world->joined_us, join_us);
  }
}

SimWorld *
sim_world_new (const SimConfig *config)
{
  SimWorld *world = g_new0 (SimWorld, 1);

  world->config = *config;
  world->queue = p2p_timer_queue_new ();
  world->now_us = SIM_BEGIN_US;
  p2p_prng_init (&world->prng, config->seed);
  g_queue_init (&world->posts);
  world->nodes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) sim_node_free);
  world->cdn = sim_cdn_new (world);
  world->tracker = sim_tracker_new (world);
  add_viewers (world);
  world->end_us = world->joined_us + config->run_us;
  if (config->vod)
    world->end_us = MAX (world->end_us, world->joined_us + 2 * config->vod_us);
  sim_faults_plan (world);

  return world;
}

void
sim_world_free (SimWorld *world)
{
  guint i;

  sim_faults_free (world);
  for (i = 0; i < world->nodes->len; i++)
    sim_node_stop (world->nodes->pdata[i]);
  g_ptr_array_unref (world->nodes);
  forget_posts (world);
  sim_tracker_free (world->tracker);
  sim_cdn_free (world->cdn);
  p2p_timer_queue_free (world->queue);
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

static SimWorld *logged;

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

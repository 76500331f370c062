/* p2phlssrc: what a world is like, every two seconds.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/sample.h"

#include "sim/node.h"

static guint64
origin_bytes (SimWorld *world)
{
  guint end = sim_cdn_end (world->cdn);
  guint64 bytes = 0;
  guint id;

  for (id = 0; id < end; id++)
    bytes += sim_cdn_count (world->cdn, id).bytes;

  return bytes;
}

static void
take (SimWorld *world)
{
  SimSample sample = {
    .at_us = world->now_us,
    .origin_bytes = origin_bytes (world),
    .uplink_bytes = world->uplink_bytes,
    .peer_bytes = world->peer_bytes,
  };
  guint i;

  for (i = 0; i < world->nodes->len; i++) {
    SimNode *node = world->nodes->pdata[i];

    sample.viewers += sim_node_is_on (node);
    sample.stalls += sim_player_result (node->player).stalls;
  }
  g_array_append_val (world->samples, sample);
}

static gboolean
all_have_seen_it (SimWorld *world)
{
  guint i;

  if (world->now_us < MAX (world->joined_us, world->healed_us))
    return FALSE;
  for (i = 0; i < world->nodes->len; i++) {
    SimNode *node = world->nodes->pdata[i];

    const char *state = sim_player_result (node->player).state;

    if (!node->gone && strcmp (state, "ended") != 0)
      return FALSE;
  }

  return TRUE;
}

static void
on_timer (gpointer owner, gint64 now_us)
{
  SimWorld *world = owner;

  take (world);
  if (all_have_seen_it (world))
    world->end_us = now_us;
  else
    p2p_timer_set (&world->sample_timer, now_us + SIM_SAMPLE_US);
}

void
sim_samples_begin (SimWorld *world)
{
  world->samples = g_array_new (FALSE, FALSE, sizeof (SimSample));
  p2p_timer_init (&world->sample_timer, world->queue, on_timer, world);
  take (world);
  p2p_timer_set (&world->sample_timer, world->now_us + SIM_SAMPLE_US);
}

void
sim_samples_free (SimWorld *world)
{
  p2p_timer_clear (&world->sample_timer);
  g_array_unref (world->samples);
}

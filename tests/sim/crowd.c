/* p2phlssrc: who comes to a world, and who goes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/crowd.h"

#include "sim/faults.h"
#include "sim/node.h"

#include <math.h>

#define MINUTE_US (60 * (gint64) G_USEC_PER_SEC)

/* Nobody comes so near the end: who does must have the time to play. */
#define CALM_US (15 * G_USEC_PER_SEC)

/* Part of the run by which all is well again. */
#define HEALED 0.66

/* What is judged after that, and after it has settled. */
#define JUDGED_SEGMENTS 8

/* What a viewer takes to start, when nothing else is looked at. */
#define JOINS_ONLY_US (15 * G_USEC_PER_SEC)

typedef struct
{
  SimNode *node;
  gboolean killed;
  P2pTimer timer;
} Leave;

guint64
sim_crowd_uplink_bps (const SimConfig *config, guint number)
{
  double share = config->slow_share;

  if (floor ((number + 1) * share) > floor (number * share))
    return config->slow_uplink_bps;

  return config->uplink_bps;
}

gboolean
sim_crowd_is_of (const SimConfig *config, guint number)
{
  return number >= config->viewers && number < config->viewers + config->crowd;
}

/* --- coming ----------------------------------------------------------------- */

static SimNode *
add (SimWorld *world, gint64 join_us)
{
  guint number = world->nodes->len;
  SimNode *node = sim_node_new (world, number, join_us);

  if (world->config.slow_share > 0)
    sim_pipe_set_rate (
        &node->up, sim_crowd_uplink_bps (&world->config, number));
  g_ptr_array_add (world->nodes, node);

  return node;
}

static void
add_viewers (SimWorld *world)
{
  const SimConfig *config = &world->config;
  gint64 last_us = config->viewers * config->join_gap_us;
  guint i;

  for (i = 0; i < config->viewers; i++) {
    /* Never in step with the segments, nor with each other. */
    gint64 join_us = SIM_BEGIN_US
        + (config->spread ? sim_draw (&world->prng, 0, last_us)
                          : i * config->join_gap_us
                    + sim_draw (&world->prng, 0, config->segment_us));

    add (world, join_us);
    world->joined_us = MAX (world->joined_us, join_us);
  }
  for (i = 0; i < config->crowd; i++) {
    gint64 join_us = SIM_BEGIN_US + config->crowd_at_us
        + sim_draw (&world->prng, 0, config->crowd_us);

    add (world, join_us);
    world->joined_us = MAX (world->joined_us, join_us);
  }
}

/* --- going ------------------------------------------------------------------ */

static void
on_leave (gpointer owner, gint64 now_us)
{
  Leave *leave = owner;

  if (leave->killed)
    sim_node_vanish (leave->node);
  else
    sim_node_leave (leave->node);
}

static void
leave_free (gpointer data)
{
  Leave *leave = data;

  p2p_timer_clear (&leave->timer);
  g_free (leave);
}

static void
add_leave (SimWorld *world, SimNode *node, gint64 at_us)
{
  Leave *leave = g_new0 (Leave, 1);

  leave->node = node;
  leave->killed = world->leaves->len % 2 == 0;
  p2p_timer_init (&leave->timer, world->queue, on_leave, leave);
  p2p_timer_set (&leave->timer, at_us);
  g_ptr_array_add (world->leaves, leave);
}

static void
add_churn (SimWorld *world)
{
  const SimConfig *config = &world->config;
  g_autoptr (GPtrArray) present = g_ptr_array_new ();
  gint64 gap_us;
  gint64 at_us, until_us;
  guint i;
  P2pPrng prng;

  if (config->churn <= 0)
    return;
  p2p_prng_init (&prng, config->seed * 53);
  gap_us = MAX (MINUTE_US / (config->churn * world->nodes->len), 1);
  for (i = 0; i < world->nodes->len; i++)
    g_ptr_array_add (present, world->nodes->pdata[i]);
  until_us =
      sim_faults_any (world) ? world->healed_us : world->end_us - CALM_US;
  for (at_us = world->joined_us + gap_us; at_us < until_us; at_us += gap_us) {
    guint goes = p2p_prng_below (&prng, present->len);

    add_leave (world, present->pdata[goes], at_us);
    g_ptr_array_remove_index_fast (present, goes);
    g_ptr_array_add (
        present, add (world, at_us + sim_draw (&prng, 0, config->segment_us)));
  }
}

/* All is well again by then, and long enough to show in what the origin gives:
 * a viewer that lost the tracker may be half a minute without. */
static void
plan_healing (SimWorld *world)
{
  gint64 segment_us = world->config.segment_us;

  world->healed_us = SIM_BEGIN_US + HEALED * (world->end_us - SIM_BEGIN_US);
  world->end_us = MAX (world->end_us,
      world->healed_us + SIM_SETTLE_US + JUDGED_SEGMENTS * segment_us);
}

void
sim_crowd_plan (SimWorld *world)
{
  const SimConfig *config = &world->config;

  world->leaves = g_ptr_array_new_with_free_func (leave_free);
  add_viewers (world);
  world->end_us = world->joined_us + config->run_us;
  if (config->vod)
    world->end_us = MAX (world->end_us, world->joined_us + 2 * config->vod_us);
  if (sim_faults_any (world))
    plan_healing (world);
  if (config->joins_only)
    world->end_us = world->joined_us + JOINS_ONLY_US;
  add_churn (world);
}

void
sim_crowd_free (SimWorld *world)
{
  g_ptr_array_unref (world->leaves);
}

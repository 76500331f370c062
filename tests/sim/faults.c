/* p2phlssrc: what goes wrong in a world, and when.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/faults.h"

#include "sim/node.h"

/* Each kind is there in this share of the worlds. */
#define SHARE 0.35

/* Part of the run by which all is well again. */
#define HEALED 0.66

typedef enum
{
  FAULT_VANISH,        /* a viewer is killed */
  FAULT_TRACKER,       /* the tracker dies, and comes back */
  FAULT_ORIGIN_ERRORS, /* 503 for segments */
  FAULT_ORIGIN_SLOW,   /* it thinks before it answers */
  FAULT_ORIGIN_THIN,   /* little bandwidth for all together */
  FAULT_UPLINK,        /* a viewer's uplink is next to nothing */
  FAULT_PAUSE,         /* a viewer pauses */
  FAULT_SEEK,          /* in a film, a viewer goes elsewhere */
  N_FAULTS,
} FaultKind;

static const char *const names[N_FAULTS] = {
  [FAULT_VANISH] = "vanish",
  [FAULT_TRACKER] = "tracker",
  [FAULT_ORIGIN_ERRORS] = "origin-errors",
  [FAULT_ORIGIN_SLOW] = "origin-slow",
  [FAULT_ORIGIN_THIN] = "origin-thin",
  [FAULT_UPLINK] = "uplink",
  [FAULT_PAUSE] = "pause",
  [FAULT_SEEK] = "seek",
};

typedef struct
{
  SimWorld *world;
  FaultKind kind;
  guint node;
  gint64 lasts_us;
  double place; /* to seek to, 0 to 1 */
  P2pTimer begin;
  P2pTimer end;
} Fault;

static void
on_begin (gpointer owner, gint64 now_us)
{
  Fault *fault = owner;
  SimWorld *world = fault->world;
  SimNode *node = world->nodes->pdata[fault->node];

  switch (fault->kind) {
    case FAULT_VANISH:
      sim_node_vanish (node);
      break;
    case FAULT_TRACKER:
      sim_tracker_set_up (world->tracker, FALSE);
      break;
    case FAULT_ORIGIN_ERRORS:
      sim_cdn_misbehave (world->cdn, 503, 0, 0);
      break;
    case FAULT_ORIGIN_SLOW:
      sim_cdn_misbehave (world->cdn, 0, 700 * 1000, 0);
      break;
    case FAULT_ORIGIN_THIN:
      sim_cdn_misbehave (world->cdn, 0, 0, 2 * world->config.bitrate_bps);
      break;
    case FAULT_UPLINK:
      sim_pipe_set_rate (&node->up, world->config.bitrate_bps / 10);
      break;
    case FAULT_PAUSE:
      sim_player_pause (node->player, fault->lasts_us);
      break;
    case FAULT_SEEK:
      sim_player_seek (node->player, fault->place);
      break;
    case N_FAULTS:
      g_assert_not_reached ();
  }
}

static void
on_end (gpointer owner, gint64 now_us)
{
  Fault *fault = owner;
  SimWorld *world = fault->world;
  SimNode *node = world->nodes->pdata[fault->node];

  switch (fault->kind) {
    case FAULT_VANISH:
    case FAULT_PAUSE:
    case FAULT_SEEK:
      break;
    case FAULT_TRACKER:
      sim_tracker_set_up (world->tracker, TRUE);
      break;
    case FAULT_ORIGIN_ERRORS:
    case FAULT_ORIGIN_SLOW:
    case FAULT_ORIGIN_THIN:
      sim_cdn_heal (world->cdn);
      break;
    case FAULT_UPLINK:
      sim_pipe_set_rate (&node->up, world->config.uplink_bps);
      break;
    case N_FAULTS:
      g_assert_not_reached ();
  }
}

static void
fault_free (gpointer data)
{
  Fault *fault = data;

  p2p_timer_clear (&fault->begin);
  p2p_timer_clear (&fault->end);
  g_free (fault);
}

void
sim_faults_plan (SimWorld *world)
{
  gint64 healed_us = SIM_BEGIN_US + HEALED * (world->end_us - SIM_BEGIN_US);
  P2pPrng prng;
  guint kind;

  world->faults = g_ptr_array_new_with_free_func (fault_free);
  if (!world->config.faults)
    return;
  p2p_prng_init (&prng, world->config.seed * 47);
  for (kind = 0; kind < N_FAULTS; kind++) {
    gint64 from_us = sim_draw (&prng, SIM_BEGIN_US + G_USEC_PER_SEC, healed_us);
    gint64 lasts_us = sim_draw (&prng, G_USEC_PER_SEC, 6 * G_USEC_PER_SEC);
    guint node = p2p_prng_below (&prng, world->nodes->len);
    double place = p2p_prng_unit (&prng);
    Fault *fault;

    if (p2p_prng_unit (&prng) >= SHARE)
      continue;
    fault = g_new0 (Fault, 1);
    fault->world = world;
    fault->kind = kind;
    fault->node = node;
    fault->lasts_us = lasts_us;
    fault->place = place;
    p2p_timer_init (&fault->begin, world->queue, on_begin, fault);
    p2p_timer_init (&fault->end, world->queue, on_end, fault);
    p2p_timer_set (&fault->begin, from_us);
    p2p_timer_set (&fault->end, MIN (from_us + lasts_us, healed_us));
    g_ptr_array_add (world->faults, fault);
  }
}

void
sim_faults_free (SimWorld *world)
{
  g_clear_pointer ((GPtrArray **) &world->faults, g_ptr_array_unref);
}

gboolean
sim_faults_of_origin (SimWorld *world)
{
  GPtrArray *faults = world->faults;
  guint i;

  for (i = 0; i < faults->len; i++) {
    FaultKind kind = ((Fault *) faults->pdata[i])->kind;

    if (kind == FAULT_ORIGIN_ERRORS || kind == FAULT_ORIGIN_SLOW
        || kind == FAULT_ORIGIN_THIN)
      return TRUE;
  }

  return FALSE;
}

char *
sim_faults_describe (SimWorld *world)
{
  GPtrArray *faults = world->faults;
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < faults->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
        names[((Fault *) faults->pdata[i])->kind]);

  return g_string_free (text, FALSE);
}

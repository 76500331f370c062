/* p2phlssrc: what goes wrong in a world, and when.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/faults.h"

#include "sim/crowd.h"
#include "sim/node.h"

#include <stdio.h>

#define SECOND ((gint64) G_USEC_PER_SEC)

/* The origin and the tracker may fail once in this time. */
#define CHANCE_US (10 * SECOND)

/* Whoever is to vanish while it sends is looked at this often. */
#define LOOK_US (10 * 1000)

/* More than this in a viewer's channels is part of a segment. */
#define SENDING_BYTES (16 * 1024)

/* What churns is replaced once a minute, most of it. */
#define CHURN 1.0

/* Within which a crowd comes. */
#define CROWD_US (2 * SECOND)

typedef enum
{
  FAULT_CHURN,
  FAULT_CROWD,
  FAULT_VANISH,
  FAULT_VANISH_SENDING,
  FAULT_TRACKER,
  FAULT_ORIGIN_ERRORS,
  FAULT_ORIGIN_SLOW,
  FAULT_ORIGIN_THIN,
  FAULT_UPLINK,
  FAULT_LAG,
  FAULT_LIAR_ABSENT,
  FAULT_LIAR_BYTES,
  FAULT_LIAR_MUTE,
  FAULT_PAUSE,
  FAULT_SEEK,
  FAULT_LIAR_HOLLOW, /* last: seeds go on to mean what they did */
  N_FAULTS,
} FaultKind;

/* Whom it strikes. */
typedef enum
{
  TARGET_PLAN,   /* nobody: it is part of who comes and goes */
  TARGET_WORLD,  /* the origin, the tracker */
  TARGET_VIEWER, /* each for itself */
  TARGET_HALF,   /* the same, but no more than half of them */
} Target;

typedef struct
{
  SimWorld *world;
  FaultKind kind;
  guint node;
  gint64 lasts_us;
  double place; /* of what it is about, 0 to 1 */
  gboolean begun;
  P2pTimer begin;
  P2pTimer end;
} Fault;

/**
 * SimFaults:
 * @on: kinds that this world has
 * @list: all that is planned
 * @active: how many of each kind are under way
 */
struct _SimFaults
{
  guint32 on;
  GPtrArray *list; /* of Fault */
  guint active[N_FAULTS];
  GArray *segments; /* of guint: what each player had when all was well */
  P2pTimer healed;
};

static const struct
{
  const char *name;
  const char *about;
  Target target;
  guint least_s; /* how long it lasts */
  guint most_s;
} kinds[N_FAULTS] = {
  [FAULT_CHURN] = { "churn", "viewers go, killed or not, and others come",
      TARGET_PLAN },
  [FAULT_CROWD] = { "crowd", "as many again come within two seconds",
      TARGET_PLAN },
  [FAULT_VANISH] = { "vanish", "a viewer is killed", TARGET_HALF },
  [FAULT_VANISH_SENDING] = { "vanish-sending",
      "a viewer is killed with a segment half sent", TARGET_HALF },
  [FAULT_TRACKER] = { "tracker", "the tracker dies, and comes back",
      TARGET_WORLD, 1, 6 },
  [FAULT_ORIGIN_ERRORS] = { "origin-errors", "the origin answers 503",
      TARGET_WORLD, 1, 6 },
  [FAULT_ORIGIN_SLOW] = { "origin-slow", "the origin thinks before it answers",
      TARGET_WORLD, 1, 6 },
  [FAULT_ORIGIN_THIN] = { "origin-thin", "two streams' bandwidth for all",
      TARGET_WORLD, 1, 6 },
  [FAULT_UPLINK] = { "uplink", "a viewer's uplink is next to nothing",
      TARGET_VIEWER, 1, 6 },
  [FAULT_LAG] = { "lag", "a viewer gets playlists of one or two segments ago",
      TARGET_VIEWER, 5, 20 },
  [FAULT_LIAR_ABSENT] = { "liar-absent",
      "a viewer announces what it does not have", TARGET_VIEWER, 5, 20 },
  [FAULT_LIAR_BYTES] = { "liar-bytes", "a viewer sends wrong bytes",
      TARGET_VIEWER, 5, 20 },
  [FAULT_LIAR_MUTE] = { "liar-mute", "a viewer never answers", TARGET_VIEWER, 5,
      20 },
  [FAULT_PAUSE] = { "pause", "a viewer pauses", TARGET_VIEWER, 1, 6 },
  [FAULT_SEEK] = { "seek", "in a film, a viewer goes elsewhere",
      TARGET_VIEWER },
  [FAULT_LIAR_HOLLOW] = { "liar-hollow",
      "a viewer announces what it does not have, and sends none of it",
      TARGET_VIEWER, 5, 20 },
};

/* --- names ------------------------------------------------------------------ */

static gboolean
parse_name (const char *name, guint32 *mask, GError **error)
{
  guint kind;

  for (kind = 0; kind < N_FAULTS; kind++) {
    if (strcmp (kinds[kind].name, name) == 0) {
      *mask |= (guint32) 1 << kind;
      return TRUE;
    }
  }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "There is no fault \"%s\"; --faults list names all", name);

  return FALSE;
}

gboolean
sim_faults_parse (const char *names, guint32 *mask, GError **error)
{
  g_auto (GStrv) words = g_strsplit (names, ",", -1);
  guint i;

  *mask = 0;
  if (strcmp (names, "none") == 0)
    return TRUE;
  if (strcmp (names, "all") == 0) {
    *mask = SIM_FAULTS_ALL;
    return TRUE;
  }
  for (i = 0; words[i] != NULL; i++) {
    if (!parse_name (words[i], mask, error))
      return FALSE;
  }

  return TRUE;
}

void
sim_faults_list (void)
{
  guint kind;

  for (kind = 0; kind < N_FAULTS; kind++)
    printf ("%-15s %s\n", kinds[kind].name, kinds[kind].about);
}

static gboolean
is_on (SimWorld *world, FaultKind kind)
{
  return world->faults->on >> kind & 1;
}

static gboolean
is_of_viewers (FaultKind kind)
{
  return kinds[kind].target == TARGET_VIEWER
      || kinds[kind].target == TARGET_HALF;
}

/* --- striking --------------------------------------------------------------- */

/* What the origin does follows from all that is under way. */
static void
refresh_origin (SimWorld *world)
{
  const guint *active = world->faults->active;

  sim_cdn_misbehave (world->cdn, active[FAULT_ORIGIN_ERRORS] > 0 ? 503 : 0,
      active[FAULT_ORIGIN_SLOW] > 0 ? 700 * 1000 : 0,
      active[FAULT_ORIGIN_THIN] > 0 ? 2 * world->config.bitrate_bps
                                    : world->config.origin_bps);
}

static void
strike (Fault *fault, SimNode *node)
{
  SimWorld *world = fault->world;

  switch (fault->kind) {
    case FAULT_VANISH:
      sim_node_vanish (node);
      break;
    case FAULT_VANISH_SENDING:
      /* In the end without: the world without P2P loses it, too. */
      if (sim_net_queued (node->net) > SENDING_BYTES
          || world->now_us >= world->healed_us - LOOK_US)
        sim_node_vanish (node);
      else
        p2p_timer_set (&fault->begin, world->now_us + LOOK_US);
      break;
    case FAULT_TRACKER:
      sim_tracker_set_up (world->tracker, FALSE);
      break;
    case FAULT_ORIGIN_ERRORS:
    case FAULT_ORIGIN_SLOW:
    case FAULT_ORIGIN_THIN:
      refresh_origin (world);
      break;
    case FAULT_UPLINK:
      sim_pipe_set_rate (&node->up, world->config.bitrate_bps / 10);
      break;
    case FAULT_LAG:
      node->lag = fault->place < 0.5 ? 1 : 2;
      break;
    case FAULT_LIAR_ABSENT:
      sim_liar_set (node->liar, SIM_LIE_ABSENT, TRUE);
      break;
    case FAULT_LIAR_BYTES:
      sim_liar_set (node->liar, SIM_LIE_BYTES, TRUE);
      break;
    case FAULT_LIAR_MUTE:
      sim_liar_set (node->liar, SIM_LIE_MUTE, TRUE);
      break;
    case FAULT_LIAR_HOLLOW:
      sim_liar_set (node->liar, SIM_LIE_HOLLOW, TRUE);
      break;
    case FAULT_PAUSE:
      sim_player_pause (node->player, fault->lasts_us);
      break;
    case FAULT_SEEK:
      sim_player_seek (node->player, fault->place);
      break;
    case FAULT_CHURN:
    case FAULT_CROWD:
    case N_FAULTS:
      g_assert_not_reached ();
  }
}

static void
heal (Fault *fault, SimNode *node)
{
  SimWorld *world = fault->world;

  switch (fault->kind) {
    case FAULT_VANISH:
    case FAULT_VANISH_SENDING:
    case FAULT_PAUSE:
    case FAULT_SEEK:
      break;
    case FAULT_TRACKER:
      sim_tracker_set_up (
          world->tracker, world->faults->active[FAULT_TRACKER] == 0);
      break;
    case FAULT_ORIGIN_ERRORS:
    case FAULT_ORIGIN_SLOW:
    case FAULT_ORIGIN_THIN:
      refresh_origin (world);
      break;
    case FAULT_UPLINK:
      sim_pipe_set_rate (
          &node->up, sim_crowd_uplink_bps (&world->config, node->number));
      break;
    case FAULT_LAG:
      node->lag = 0;
      break;
    case FAULT_LIAR_ABSENT:
      sim_liar_set (node->liar, SIM_LIE_ABSENT, FALSE);
      break;
    case FAULT_LIAR_BYTES:
      sim_liar_set (node->liar, SIM_LIE_BYTES, FALSE);
      break;
    case FAULT_LIAR_MUTE:
      sim_liar_set (node->liar, SIM_LIE_MUTE, FALSE);
      break;
    case FAULT_LIAR_HOLLOW:
      sim_liar_set (node->liar, SIM_LIE_HOLLOW, FALSE);
      break;
    case FAULT_CHURN:
    case FAULT_CROWD:
    case N_FAULTS:
      g_assert_not_reached ();
  }
}

static void
on_begin (gpointer owner, gint64 now_us)
{
  Fault *fault = owner;
  SimWorld *world = fault->world;
  SimNode *node = world->nodes->pdata[fault->node];

  if (is_of_viewers (fault->kind) && node->gone)
    return;
  if (!fault->begun)
    world->faults->active[fault->kind]++;
  fault->begun = TRUE;
  strike (fault, node);
}

static void
on_end (gpointer owner, gint64 now_us)
{
  Fault *fault = owner;
  SimWorld *world = fault->world;

  p2p_timer_clear (&fault->begin);
  if (!fault->begun)
    return;
  world->faults->active[fault->kind]--;
  heal (fault, world->nodes->pdata[fault->node]);
}

/* --- when, and whom --------------------------------------------------------- */

static void
fault_free (gpointer data)
{
  Fault *fault = data;

  p2p_timer_clear (&fault->begin);
  p2p_timer_clear (&fault->end);
  g_free (fault);
}

/* At a time between the two. */
static void
add (SimWorld *world, P2pPrng *prng, FaultKind kind, guint node,
    gint64 least_us, gint64 most_us)
{
  Fault *fault = g_new0 (Fault, 1);
  gint64 at_us = sim_draw (prng, least_us, most_us);

  fault->world = world;
  fault->kind = kind;
  fault->node = node;
  fault->lasts_us = sim_draw (
      prng, kinds[kind].least_s * SECOND, kinds[kind].most_s * SECOND);
  fault->place = p2p_prng_unit (prng);
  p2p_timer_init (&fault->begin, world->queue, on_begin, fault);
  p2p_timer_init (&fault->end, world->queue, on_end, fault);
  p2p_timer_set (&fault->begin, at_us);
  /* Whoever pauses has gone on by then, too. */
  fault->lasts_us = MIN (fault->lasts_us, world->healed_us - at_us);
  if (kinds[kind].most_s > 0)
    p2p_timer_set (&fault->end, at_us + fault->lasts_us);
  g_ptr_array_add (world->faults->list, fault);
}

/* Each viewer with the world's rate, one at least. */
static void
strike_viewers (SimWorld *world, P2pPrng *prng, FaultKind kind, guint most)
{
  guint first = p2p_prng_below (prng, world->nodes->len);
  guint struck = 0;
  guint i;

  for (i = 0; i < world->nodes->len && struck < most; i++) {
    guint number = (first + i) % world->nodes->len;
    SimNode *node = world->nodes->pdata[number];
    gboolean hit = p2p_prng_unit (prng) < world->config.fault_rate;

    if (!hit && i > 0)
      continue;
    add (world, prng, kind, number,
        MIN (node->join_us + SECOND, world->healed_us - 1),
        world->healed_us - 1);
    struck++;
  }
}

/* In each span of time with the world's rate, once at least. */
static void
strike_world (SimWorld *world, P2pPrng *prng, FaultKind kind)
{
  gint64 begin_us = SIM_BEGIN_US + SECOND;
  guint chances = MAX ((world->healed_us - begin_us) / CHANCE_US, 1);
  guint first = p2p_prng_below (prng, chances);
  guint i;

  for (i = 0; i < chances; i++) {
    gboolean hit = p2p_prng_unit (prng) < world->config.fault_rate;
    gint64 from_us = begin_us + i * CHANCE_US;

    if (hit || i == first)
      add (world, prng, kind, 0, from_us,
          MAX (MIN (from_us + CHANCE_US, world->healed_us) - 1, from_us));
  }
}

void
sim_faults_draw (SimWorld *world)
{
  SimConfig *config = &world->config;
  guint kind;

  world->faults = g_new0 (SimFaults, 1);
  world->faults->list = g_ptr_array_new_with_free_func (fault_free);
  world->faults->segments = g_array_new (FALSE, FALSE, sizeof (guint));
  for (kind = 0; kind < N_FAULTS; kind++) {
    P2pPrng prng;

    p2p_prng_init (&prng, config->seed * 59 + kind);
    if ((config->faults >> kind & 1)
        && p2p_prng_unit (&prng) < config->fault_share)
      world->faults->on |= (guint32) 1 << kind;
  }
  if (is_on (world, FAULT_CHURN))
    config->churn = CHURN;
  if (is_on (world, FAULT_CROWD)) {
    config->crowd = config->viewers;
    config->crowd_at_us =
        config->viewers * config->join_gap_us + 2 * config->segment_us;
    config->crowd_us = CROWD_US;
  }
}

static void
on_healed (gpointer owner, gint64 now_us)
{
  SimWorld *world = owner;
  guint i;

  for (i = 0; i < world->nodes->len; i++) {
    SimNode *node = world->nodes->pdata[i];
    guint segments = sim_player_result (node->player).segments;

    g_array_append_val (world->faults->segments, segments);
  }
}

void
sim_faults_plan (SimWorld *world)
{
  guint kind;

  p2p_timer_init (&world->faults->healed, world->queue, on_healed, world);
  if (sim_faults_any (world))
    p2p_timer_set (&world->faults->healed, world->healed_us);
  for (kind = 0; kind < N_FAULTS; kind++) {
    P2pPrng prng;

    if (!is_on (world, kind))
      continue;
    p2p_prng_init (&prng, world->config.seed * 47 + kind);
    switch (kinds[kind].target) {
      case TARGET_PLAN:
        break;
      case TARGET_WORLD:
        strike_world (world, &prng, kind);
        break;
      case TARGET_VIEWER:
        strike_viewers (world, &prng, kind, world->nodes->len);
        break;
      case TARGET_HALF:
        strike_viewers (world, &prng, kind, MAX (world->nodes->len / 2, 1));
        break;
    }
  }
}

void
sim_faults_free (SimWorld *world)
{
  g_ptr_array_unref (world->faults->list);
  g_array_unref (world->faults->segments);
  p2p_timer_clear (&world->faults->healed);
  g_free (world->faults);
}

/* --- what there is ---------------------------------------------------------- */

gboolean
sim_faults_any (SimWorld *world)
{
  return world->faults->on != 0;
}

guint
sim_faults_of_origin (SimWorld *world)
{
  GPtrArray *list = world->faults->list;
  guint count = 0;
  guint i;

  for (i = 0; i < list->len; i++) {
    FaultKind kind = ((Fault *) list->pdata[i])->kind;

    count += kind == FAULT_ORIGIN_ERRORS || kind == FAULT_ORIGIN_SLOW
        || kind == FAULT_ORIGIN_THIN;
  }

  return count;
}

/* Live, most of what was to come since must have come; a film may be over. */
static gboolean
is_stuck (SimNode *node, guint then)
{
  SimWorld *world = node->world;
  SimPlayerResult result = sim_player_result (node->player);
  gint64 since_us = world->end_us - world->healed_us;

  if (node->gone || strcmp (result.state, "ended") == 0)
    return FALSE;
  if (world->config.vod)
    return result.segments == then;

  return result.segments - then < since_us / world->config.segment_us / 2;
}

guint
sim_faults_stuck (SimWorld *world)
{
  GArray *then = world->faults->segments;
  guint stuck = 0;
  guint i;

  for (i = 0; i < then->len; i++)
    stuck += is_stuck (world->nodes->pdata[i], g_array_index (then, guint, i));

  return stuck;
}

gboolean
sim_faults_of_liars (SimWorld *world)
{
  return is_on (world, FAULT_LIAR_ABSENT) || is_on (world, FAULT_LIAR_BYTES)
      || is_on (world, FAULT_LIAR_MUTE) || is_on (world, FAULT_LIAR_HOLLOW);
}

char *
sim_faults_describe (SimWorld *world)
{
  GString *text = g_string_new (NULL);
  guint kind;

  for (kind = 0; kind < N_FAULTS; kind++) {
    if (is_on (world, kind))
      g_string_append_printf (
          text, "%s%s", text->len > 0 ? " " : "", kinds[kind].name);
  }

  return g_string_free (text, FALSE);
}

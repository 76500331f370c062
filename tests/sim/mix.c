/* p2phlssrc: viewers of several kinds, and what they give each other.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/mix.h"

#include "sim/node.h"

#include <math.h>
#include <stdio.h>

/* Multiples of it fall evenly into [0, 1), however many they are. */
#define GOLDEN 0.6180339887498949

static const char *const names[SIM_N_KINDS] = {
  [SIM_KIND_NATIVE] = "native",
  [SIM_KIND_V2] = "page 2.3",
  [SIM_KIND_V5] = "page 5",
};

gboolean
sim_mix_is_wanted (const SimConfig *config)
{
  return config->browsers_v2 > 0 || config->browsers_v5 > 0;
}

SimKind
sim_mix_kind (const SimConfig *config, guint number)
{
  P2pPrng prng;
  double place;

  if (!sim_mix_is_wanted (config))
    return SIM_KIND_NATIVE;
  p2p_prng_init (&prng, config->seed * 53);
  place = fmod (p2p_prng_unit (&prng) + number * GOLDEN, 1);
  if (place < config->browsers_v2)
    return SIM_KIND_V2;

  return place < config->browsers_v2 + config->browsers_v5 ? SIM_KIND_V5
                                                           : SIM_KIND_NATIVE;
}

void
sim_mix_gave (SimNode *from, SimNode *to, gsize bytes)
{
  to->world->peer_bytes += bytes;
  to->world->given[from->kind][to->kind] += bytes;
}

/* --- a run -------------------------------------------------------------------- */

/* Copies that went to each kind, of the segments published in
 * [@from_us, @to_us] that were asked for. */
static void
count_copies (SimWorld *world, gint64 from_us, gint64 to_us, double *copies)
{
  guint end = sim_cdn_end (world->cdn);
  guint64 bytes[SIM_N_KINDS] = { 0 }, sizes = 0;
  guint id, kind;

  for (id = 0; id < end; id++) {
    SimCdnCount count = sim_cdn_count (world->cdn, id);
    gint64 at_us = sim_cdn_published_us (world->cdn, id);

    if (count.requests == 0 || at_us < from_us || at_us > to_us)
      continue;
    sizes += sim_cdn_segment_size (world->cdn, id);
    for (kind = 0; kind < SIM_N_KINDS; kind++)
      bytes[kind] += count.bytes_of[kind];
  }
  for (kind = 0; kind < SIM_N_KINDS && sizes > 0; kind++)
    copies[kind] = (double) bytes[kind] / sizes;
}

static void
add_viewer (SimMix *mix, SimNode *node)
{
  g_autoptr (P2pStats) own = node->gone ? NULL : sim_node_stats (node);
  const P2pStats *stats = node->gone ? node->last_stats : own;
  SimPlayerResult result = sim_player_result (node->player);

  mix->viewers[node->kind]++;
  mix->http_bytes[node->kind] += stats->http_bytes;
  mix->p2p_bytes[node->kind] += stats->p2p_bytes;
  mix->stalls[node->kind] += result.stalls;
  mix->stalled_us[node->kind] += result.stalled_us;
}

void
sim_mix_report (SimWorld *world, SimMix *mix)
{
  gint64 segment_us = world->config.segment_us;
  guint i;

  *mix = (SimMix){ 0 };
  memcpy (mix->given, world->given, sizeof (mix->given));
  count_copies (world, 0, world->end_us, mix->copies);
  count_copies (world, world->joined_us + segment_us,
      world->end_us - 2 * segment_us, mix->copies_joined);
  for (i = 0; i < world->nodes->len; i++)
    add_viewer (mix, world->nodes->pdata[i]);
}

static gboolean
can_meet (const SimMix *mix, SimKind from, SimKind to)
{
  if (from == to)
    return mix->viewers[from] > 1;

  return (from == SIM_KIND_NATIVE || to == SIM_KIND_NATIVE)
      && mix->viewers[from] > 0 && mix->viewers[to] > 0;
}

guint64
sim_mix_least_given (const SimMix *mix)
{
  guint64 least = G_MAXUINT64;
  guint from, to;

  for (from = 0; from < SIM_N_KINDS; from++) {
    for (to = 0; to < SIM_N_KINDS; to++) {
      if (can_meet (mix, from, to))
        least = MIN (least, mix->given[from][to]);
    }
  }

  return least;
}

/* --- several -------------------------------------------------------------------- */

void
sim_mix_add (SimMix *sum, const SimMix *mix)
{
  guint kind, to;

  for (kind = 0; kind < SIM_N_KINDS; kind++) {
    sum->viewers[kind] += mix->viewers[kind];
    sum->copies[kind] += mix->copies[kind];
    sum->copies_joined[kind] += mix->copies_joined[kind];
    sum->http_bytes[kind] += mix->http_bytes[kind];
    sum->p2p_bytes[kind] += mix->p2p_bytes[kind];
    sum->stalls[kind] += mix->stalls[kind];
    sum->stalled_us[kind] += mix->stalled_us[kind];
    for (to = 0; to < SIM_N_KINDS; to++)
      sum->given[kind][to] += mix->given[kind][to];
  }
}

static void
print_kind (const SimMix *sum, SimKind kind, double runs)
{
  guint64 media = sum->http_bytes[kind] + sum->p2p_bytes[kind];

  printf ("%-8s  %7.1f  %6.2f  %6.2f  %5.1f%%  %6.1f  %6.2f s\n", names[kind],
      sum->viewers[kind] / runs, sum->copies[kind] / runs,
      sum->copies_joined[kind] / runs,
      media > 0 ? 100.0 * sum->p2p_bytes[kind] / media : 0,
      sum->stalls[kind] / runs, sum->stalled_us[kind] / runs / 1e6);
}

static void
print_given (const SimMix *sum, SimKind from, double runs)
{
  guint to;

  printf ("%-16s", names[from]);
  for (to = 0; to < SIM_N_KINDS; to++)
    printf ("  %8.1f", sum->given[from][to] / runs / 1e6);
  printf ("\n");
}

void
sim_mix_print (const SimMix *sum, guint runs)
{
  guint kind;

  printf ("kind      viewers  copies  joined     p2p  stalls   stalled\n");
  for (kind = 0; kind < SIM_N_KINDS; kind++)
    print_kind (sum, kind, runs);
  printf ("MB given to     ");
  for (kind = 0; kind < SIM_N_KINDS; kind++)
    printf ("  %8s", names[kind]);
  printf ("\n");
  for (kind = 0; kind < SIM_N_KINDS; kind++)
    print_given (sum, kind, runs);
}

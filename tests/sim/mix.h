/* p2phlssrc: viewers of several kinds, and what they give each other.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/simulator.md.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/**
 * SimMix:
 * @viewers: of each kind
 * @copies: of all that leaves the origin, as in SimReport, the part that went
 *   to this kind
 * @copies_joined: the same once all have joined
 * @http_bytes: of segments from the origin
 * @p2p_bytes: of segments from others
 * @stalls: of all of this kind
 * @stalled_us: of all of this kind
 * @given: bytes of segments, from the one kind to the other
 *
 * What a run was like, by kind.
 */
typedef struct
{
  guint viewers[SIM_N_KINDS];
  double copies[SIM_N_KINDS];
  double copies_joined[SIM_N_KINDS];
  guint64 http_bytes[SIM_N_KINDS];
  guint64 p2p_bytes[SIM_N_KINDS];
  guint stalls[SIM_N_KINDS];
  gint64 stalled_us[SIM_N_KINDS];
  guint64 given[SIM_N_KINDS][SIM_N_KINDS];
} SimMix;

gboolean sim_mix_is_wanted (const SimConfig *config);

/* What viewer @number is. The shares hold for any stretch of numbers; where
 * they begin is drawn. */
SimKind sim_mix_kind (const SimConfig *config, guint number);

/* Bytes of a segment have come from one viewer to another. */
void sim_mix_gave (SimNode *from, SimNode *to, gsize bytes);

/* After the run. */
void sim_mix_report (SimWorld *world, SimMix *mix);

/* The least that a kind gave another of those that it can meet: generations 2
 * and 5 are in different swarms, and one viewer has nobody of its own kind. */
guint64 sim_mix_least_given (const SimMix *mix);

/* Of several runs, their mean. */
void sim_mix_add (SimMix *sum, const SimMix *mix);
void sim_mix_print (const SimMix *sum, guint runs);

G_END_DECLS

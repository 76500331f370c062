/* p2phlssrc: what the simulator is told at the command line.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/scenario.h"

G_BEGIN_DECLS

/**
 * SimOptions:
 * @seed: the first
 * @seeds: how many
 * @scenario: (nullable): the world that was named
 * @small: a small swarm, compared with HTTP alone
 * @twice: each seed runs twice, and must go the same way
 * @verbose: one line for each viewer
 * @segments: one line for each segment
 * @log_level: (P2pLogLevel) of engines, -1: silent
 * @csv: (nullable): where the runs over time go
 * @svg: (nullable): where the picture of the first run goes
 * @most_copies: a run fails above it, 0: never
 * @most_joined: a run fails above it, 0: never
 * @most_healed: of what viewers could have from each other, what may come from
 *   the origin once all is well again, 0: anything
 * @most_stalls: a run fails above it, -1: never
 * @least_given: a run fails if one kind of viewer gives another less, in
 *   megabytes, 0: never
 */
typedef struct
{
  gint64 seed;
  int seeds;
  const SimScenario *scenario;
  gboolean small;
  gboolean twice;
  gboolean verbose;
  gboolean segments;
  int log_level;
  char *csv;
  char *svg;
  double most_copies;
  double most_joined;
  double most_healed;
  int most_stalls;
  double least_given;
} SimOptions;

/* Returns: (transfer none) (nullable): what was said; else @status is the exit
 * status, and the reason has been printed. */
const SimOptions *sim_options_parse (int argc, char **argv, int *status);

/* The world that belongs to @seed. */
void sim_options_config (guint64 seed, SimConfig *config);

/* The command that runs one seed again. Returns: (transfer full). */
char *sim_options_replay (guint64 seed);

G_END_DECLS

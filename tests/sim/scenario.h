/* p2phlssrc: named worlds, and what is wanted of them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/simulator.md.
 */
#pragma once

#include "sim/report.h"

G_BEGIN_DECLS

typedef enum
{
  SIM_FIGURE_COPIES,
  SIM_FIGURE_COPIES_JOINED,
  SIM_FIGURE_COPIES_BOUND,
  SIM_FIGURE_COPIES_OVER_PAGES,
  SIM_FIGURE_PEAK,
  SIM_FIGURE_SETTLED,
  SIM_FIGURE_COPIES_SETTLED,
  SIM_FIGURE_JOINER,
  SIM_FIGURE_STALLS,
  SIM_FIGURE_STALLS_BEYOND,
  SIM_FIGURE_STALLS_BEYOND_PAGES,
  SIM_FIGURE_STALLED,
  SIM_FIGURE_STALLED_BEYOND,
  SIM_FIGURE_SLOW,
  SIM_FIGURE_BITRATE,
  SIM_FIGURE_BITRATE_LOST,
  SIM_FIGURE_SWITCHES,
  SIM_FIGURE_SWITCHES_BEYOND,
  SIM_FIGURE_FIRST_BYTE,
  SIM_FIGURE_FIRST_BYTE_RATIO,
  SIM_FIGURE_FIRST_BYTE_P95_RATIO,
  SIM_FIGURE_STARTUP,
  SIM_FIGURE_STARTUP_RATIO,
  SIM_FIGURE_STARTUP_P95_RATIO,
  SIM_FIGURE_BEHIND,
  SIM_FIGURE_DELAY,
  SIM_FIGURE_P2P_SHARE,
  SIM_FIGURE_OVERHEAD,
  SIM_FIGURE_PEERS,
  SIM_N_FIGURES,
} SimFigure;

/* The median of @figure over all seeds is to be at most this. */
typedef struct
{
  SimFigure figure;
  double most;
} SimWanted;

#define SIM_WANTED_MAX 8

/**
 * SimScenario:
 * @name: in a word
 * @about: in a line
 * @setup: changes what sim_config_init() has set
 * @whole_twin: figures compare the whole run with HTTP alone, not only the
 *   joins
 * @pages_twin: and with pages alone, in place of the viewers of ours
 * @wanted: beside what all scenarios want
 */
typedef struct
{
  const char *name;
  const char *about;
  void (*setup) (SimConfig *config);
  gboolean whole_twin;
  gboolean pages_twin;
  SimWanted wanted[SIM_WANTED_MAX];
  guint n_wanted;
} SimScenario;

/* NULL: there is none of that name. */
const SimScenario *sim_scenario_find (const char *name);

/* One line for each. */
void sim_scenario_list (void);

/**
 * SimTable:
 *
 * The figures of several runs of one scenario.
 */
typedef struct _SimTable SimTable;

/* @config: of all its worlds, seeds aside */
SimTable *sim_table_new (const SimScenario *scenario, const SimConfig *config);
void sim_table_free (SimTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimTable, sim_table_free)

/**
 * SimTwins:
 * @alone: over HTTP alone
 * @pages: with pages alone, where that is asked for
 *
 * The same world in other ways.
 */
typedef struct
{
  SimReport alone;
  SimReport pages;
} SimTwins;

void sim_table_add (
    SimTable *table, const SimReport *report, const SimTwins *twins);

/* Returns: how many figures miss what is wanted. */
guint sim_table_print (SimTable *table);

G_END_DECLS

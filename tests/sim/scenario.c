/* p2phlssrc: named worlds, and what is wanted of them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/scenario.h"

#include <math.h>
#include <stdio.h>

#include "sim/faults.h"

#define SECOND ((gint64) G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)

/* --- worlds ----------------------------------------------------------------- */

/* Ten minutes in all, whatever the joins take of them. */
static void
run_out (SimConfig *config)
{
  config->run_us = 10 * MINUTE - config->viewers * config->join_gap_us;
}

static void
setup_live50 (SimConfig *config)
{
  config->viewers = 50;
  run_out (config);
}

static void
setup_live1000 (SimConfig *config)
{
  config->viewers = 1000;
  config->join_gap_us = 2 * MINUTE / 1000;
  /* Half as many again may come in. */
  config->max_peers = 33;
  run_out (config);
}

static void
setup_window4 (SimConfig *config)
{
  setup_live50 (config);
  config->window = 4;
}

static void
setup_flash (SimConfig *config)
{
  config->viewers = 50;
  config->crowd = 500;
  config->crowd_at_us = 2 * MINUTE;
  config->crowd_us = 10 * SECOND;
  config->run_us = MINUTE;
}

static void
setup_churn (SimConfig *config)
{
  setup_live50 (config);
  config->churn = 0.5;
}

static void
setup_thin (SimConfig *config)
{
  setup_live50 (config);
  config->slow_share = 0.5;
  config->slow_uplink_bps = 1000 * 1000;
}

/* A demuxer that can choose would stay with this stream on this line. */
static void
setup_narrow (SimConfig *config)
{
  setup_live50 (config);
  config->downlink_bps = 2500 * 1000;
}

/* Now and then the origin has two streams' bandwidth for all of them, while they
 * still come. */
static void
setup_brownout (SimConfig *config)
{
  config->viewers = 200;
  config->join_gap_us = SECOND / 2;
  config->run_us = MINUTE;
  config->fault_share = 1;
  sim_faults_parse ("origin-thin", &config->faults, NULL);
}

static void
setup_vod50 (SimConfig *config)
{
  config->vod = TRUE;
  config->vod_us = 10 * MINUTE;
  config->viewers = 50;
  config->join_gap_us = 5 * MINUTE / 50;
  config->spread = TRUE;
}

static void
setup_netns10 (SimConfig *config)
{
  config->latency_least_us = config->latency_most_us = 10 * 1000;
  config->run_us = 2 * MINUTE;
}

/* Playlists of half a minute: with fewer segments, all of them are urgent to
 * generation 2.3, and it shares nothing. */
static void
setup_mixed (SimConfig *config)
{
  setup_live50 (config);
  config->window = 15;
  config->browsers_v2 = 0.3;
  config->browsers_v5 = 0.3;
}

static void
setup_browsers (SimConfig *config)
{
  setup_mixed (config);
  config->browsers_v2 = config->browsers_v5 = 0.5;
}

static void
setup_ladder (SimConfig *config)
{
  setup_live50 (config);
  config->variants = 3;
}

#define WANTED(...) \
  .wanted = { __VA_ARGS__ }, \
  .n_wanted = G_N_ELEMENTS (((SimWanted[]){ __VA_ARGS__ }))

static const SimScenario scenarios[] = {
  { "live50", "50 viewers, live, for 10 minutes", setup_live50,
      WANTED ({ SIM_FIGURE_COPIES, 1.4 }, { SIM_FIGURE_COPIES_JOINED, 1.05 },
          { SIM_FIGURE_STALLS, 0 }) },
  { "live1000", "1000 viewers, each with 50 others, live, for 10 minutes",
      setup_live1000,
      WANTED ({ SIM_FIGURE_COPIES, 8 }, { SIM_FIGURE_COPIES_JOINED, 3 },
          { SIM_FIGURE_PEAK, 3 }, { SIM_FIGURE_STALLS, 0 }) },
  { "ladder", "live50 with variants of 0.5, 1 and 2 Mbit/s", setup_ladder,
      .whole_twin = TRUE,
      WANTED ({ SIM_FIGURE_STALLS, 0 }, { SIM_FIGURE_BITRATE_LOST, 1.05 }) },
  { "window4", "50 viewers of a live playlist of four segments", setup_window4,
      WANTED ({ SIM_FIGURE_COPIES_JOINED, 1.15 }) },
  { "flash", "50 viewers, live; then 500 more within 10 s", setup_flash,
      WANTED ({ SIM_FIGURE_STALLS, 0 }, { SIM_FIGURE_JOINER, 2 },
          { SIM_FIGURE_SETTLED, 30 }, { SIM_FIGURE_COPIES_SETTLED, 1.5 }) },
  { "churn", "50 viewers, half of them replaced each minute", setup_churn,
      .whole_twin = TRUE,
      WANTED (
          { SIM_FIGURE_COPIES_JOINED, 1.5 }, { SIM_FIGURE_STALLS_BEYOND, 0 }) },
  { "thin", "50 viewers, half of them with 1 Mbit/s up", setup_thin,
      .whole_twin = TRUE, WANTED ({ SIM_FIGURE_STALLS_BEYOND, 0 }) },
  { "narrow", "50 viewers, each with 2.5 Mbit/s down", setup_narrow,
      .whole_twin = TRUE, WANTED ({ SIM_FIGURE_STALLS_BEYOND, 0 }) },
  { "brownout", "200 viewers join, the origin is thin for seconds at a time",
      setup_brownout, .whole_twin = TRUE,
      WANTED ({ SIM_FIGURE_STALLED_BEYOND, 0 }) },
  { "vod50", "50 viewers of a film of 10 minutes, within 5", setup_vod50,
      WANTED ({ SIM_FIGURE_COPIES, 1.4 }) },
  { "netns10", "10 viewers, live: what the benchmark of that name plays",
      setup_netns10,
      WANTED ({ SIM_FIGURE_COPIES_JOINED, 1.05 }, { SIM_FIGURE_STALLS, 0 }) },
  { "mixed", "50 viewers, live: 40 % ours, 30 % pages of each generation",
      setup_mixed, .pages_twin = TRUE,
      WANTED ({ SIM_FIGURE_COPIES_OVER_PAGES, 1 },
          { SIM_FIGURE_STALLS_BEYOND_PAGES, 0 }) },
  { "browsers", "50 pages, half of each generation", setup_browsers },
};

/* Nobody waits longer to see something because there are peers. */
static const SimWanted of_all[] = {
  { SIM_FIGURE_FIRST_BYTE_RATIO, 1.05 },
  { SIM_FIGURE_FIRST_BYTE_P95_RATIO, 1.1 },
  { SIM_FIGURE_STARTUP_RATIO, 1.05 },
  { SIM_FIGURE_STARTUP_P95_RATIO, 1.1 },
};

const SimScenario *
sim_scenario_find (const char *name)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    if (strcmp (scenarios[i].name, name) == 0)
      return &scenarios[i];
  }

  return NULL;
}

void
sim_scenario_list (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (scenarios); i++)
    printf ("%-10s %s\n", scenarios[i].name, scenarios[i].about);
}

/* --- figures ------------------------------------------------------------------ */

static double
ratio (gint64 left, gint64 right)
{
  return right > 0 ? (double) left / right : INFINITY;
}

/* Of what players chose, in the mean. */
static double
bitrate (const SimReport *report)
{
  return (double) report->bitrates / MAX (report->segments, 1);
}

static double
value_of (SimFigure figure, const SimReport *report, const SimTwins *twins)
{
  const SimReport *alone = &twins->alone;

  switch (figure) {
    case SIM_FIGURE_COPIES:
      return report->copies;
    case SIM_FIGURE_COPIES_JOINED:
      return report->copies_joined;
    case SIM_FIGURE_COPIES_BOUND:
      return report->copies_bound;
    case SIM_FIGURE_COPIES_OVER_PAGES:
      return report->copies_joined / twins->pages.copies_joined;
    case SIM_FIGURE_PEAK:
      return report->peak_load;
    case SIM_FIGURE_SETTLED:
      return report->settled_us < 0 ? INFINITY : report->settled_us / 1e6;
    case SIM_FIGURE_COPIES_SETTLED:
      return report->copies_settled;
    case SIM_FIGURE_JOINER:
      return report->joiner_segments;
    case SIM_FIGURE_STALLS:
      return report->stalls;
    case SIM_FIGURE_STALLS_BEYOND:
      return MAX ((double) report->stalls - alone->stalls, 0);
    case SIM_FIGURE_STALLS_BEYOND_PAGES:
      return MAX ((double) report->stalls - twins->pages.stalls, 0);
    case SIM_FIGURE_STALLED:
      return report->stalled_us / 1e6;
    case SIM_FIGURE_STALLED_BEYOND:
      return MAX (report->stalled_us - alone->stalled_us, 0) / 1e6;
    case SIM_FIGURE_SLOW:
      return 100.0 * report->slow_segments / MAX (report->segments, 1);
    case SIM_FIGURE_SWITCHES:
      return (double) report->switches / MAX (report->viewers, 1);
    case SIM_FIGURE_SWITCHES_BEYOND:
      return MAX ((double) report->switches - alone->switches, 0)
          / MAX (report->viewers, 1);
    case SIM_FIGURE_BITRATE:
      return bitrate (report) / 1e6;
    case SIM_FIGURE_BITRATE_LOST:
      return bitrate (alone) / bitrate (report);
    case SIM_FIGURE_FIRST_BYTE:
      return report->first_byte_us / 1e6;
    case SIM_FIGURE_FIRST_BYTE_RATIO:
      return ratio (report->first_byte_us, alone->first_byte_us);
    case SIM_FIGURE_FIRST_BYTE_P95_RATIO:
      return ratio (report->first_byte_p95_us, alone->first_byte_p95_us);
    case SIM_FIGURE_STARTUP:
      return report->startup_us / 1e6;
    case SIM_FIGURE_STARTUP_RATIO:
      return ratio (report->startup_us, alone->startup_us);
    case SIM_FIGURE_STARTUP_P95_RATIO:
      return ratio (report->startup_p95_us, alone->startup_p95_us);
    case SIM_FIGURE_BEHIND:
      return report->behind_us / 1e6;
    case SIM_FIGURE_DELAY:
      return report->delay_us / 1e6 / MAX (report->delays, 1);
    case SIM_FIGURE_P2P_SHARE:
      return 100 * report->p2p_share;
    case SIM_FIGURE_OVERHEAD:
      return 100 * report->overhead_share;
    case SIM_FIGURE_PEERS:
      return report->peers;
    case SIM_N_FIGURES:
      break;
  }
  g_assert_not_reached ();
}

/* @more_is_better: the worst is the least. */
static const struct
{
  const char *name;
  const char *unit;
  gboolean more_is_better;
} figures[SIM_N_FIGURES] = {
  [SIM_FIGURE_COPIES] = { "copies per segment, whole run", "" },
  [SIM_FIGURE_COPIES_JOINED] = { "copies once all have joined", "" },
  [SIM_FIGURE_COPIES_BOUND] = { "  what the uplinks leave to the origin", "" },
  [SIM_FIGURE_COPIES_OVER_PAGES] = { "  over those of pages alone", "" },
  [SIM_FIGURE_PEAK] = { "peak of the origin, over its mean", "" },
  [SIM_FIGURE_SETTLED] = { "under 1.5 copies after the crowd", "s" },
  [SIM_FIGURE_COPIES_SETTLED] = { "copies from 30 s after the crowd on", "" },
  [SIM_FIGURE_JOINER] = { "from the origin to one of the crowd", "segments" },
  [SIM_FIGURE_STALLS] = { "stalls", "" },
  [SIM_FIGURE_STALLS_BEYOND] = { "stalls beyond those over HTTP alone", "" },
  [SIM_FIGURE_STALLS_BEYOND_PAGES] = { "stalls beyond those of pages alone",
      "" },
  [SIM_FIGURE_STALLED] = { "stalled, all viewers together", "s" },
  [SIM_FIGURE_STALLED_BEYOND] = { "  beyond that over HTTP alone", "s" },
  [SIM_FIGURE_SLOW] = { "segments slower than 0.8 of their time", "%" },
  [SIM_FIGURE_BITRATE] = { "bitrate of what is played, mean", "Mbit/s", TRUE },
  [SIM_FIGURE_BITRATE_LOST] = { "  over HTTP alone, to that", "" },
  [SIM_FIGURE_SWITCHES] = { "switches of each viewer, mean", "" },
  [SIM_FIGURE_SWITCHES_BEYOND] = { "  beyond those over HTTP alone", "" },
  [SIM_FIGURE_FIRST_BYTE] = { "first byte, median", "s" },
  [SIM_FIGURE_FIRST_BYTE_RATIO] = { "  over that of HTTP alone", "" },
  [SIM_FIGURE_FIRST_BYTE_P95_RATIO] = { "  95th percentiles", "" },
  [SIM_FIGURE_STARTUP] = { "first segment, median", "s" },
  [SIM_FIGURE_STARTUP_RATIO] = { "  over that of HTTP alone", "" },
  [SIM_FIGURE_STARTUP_P95_RATIO] = { "  95th percentiles", "" },
  [SIM_FIGURE_BEHIND] = { "behind live, median", "s" },
  [SIM_FIGURE_DELAY] = { "playlists kept back, for, mean", "s" },
  [SIM_FIGURE_P2P_SHARE] = { "from peers", "%", TRUE },
  [SIM_FIGURE_OVERHEAD] = { "thrown away", "%" },
  [SIM_FIGURE_PEERS] = { "connections, mean", "", TRUE },
};

/* --- tables --------------------------------------------------------------------- */

struct _SimTable
{
  const SimScenario *scenario;
  gboolean has_crowd;
  gboolean is_live;
  gboolean has_variants;
  GArray *values[SIM_N_FIGURES]; /* of double */
};

SimTable *
sim_table_new (const SimScenario *scenario, const SimConfig *config)
{
  SimTable *table = g_new0 (SimTable, 1);
  guint i;

  table->scenario = scenario;
  table->has_crowd = config->crowd > 0;
  table->is_live = !config->vod;
  table->has_variants = config->variants > 1;
  for (i = 0; i < SIM_N_FIGURES; i++)
    table->values[i] = g_array_new (FALSE, FALSE, sizeof (double));

  return table;
}

void
sim_table_free (SimTable *table)
{
  guint i;

  for (i = 0; i < SIM_N_FIGURES; i++)
    g_array_unref (table->values[i]);
  g_free (table);
}

void
sim_table_add (SimTable *table, const SimReport *report, const SimTwins *twins)
{
  guint i;

  for (i = 0; i < SIM_N_FIGURES; i++) {
    double value = value_of (i, report, twins);

    g_array_append_val (table->values[i], value);
  }
}

/* What is said of this kind of world at all. */
static gboolean
is_shown (SimTable *table, SimFigure figure)
{
  switch (figure) {
    case SIM_FIGURE_SETTLED:
    case SIM_FIGURE_COPIES_SETTLED:
    case SIM_FIGURE_JOINER:
      return table->has_crowd;
    case SIM_FIGURE_STALLS_BEYOND:
    case SIM_FIGURE_STALLED_BEYOND:
      return table->scenario->whole_twin;
    case SIM_FIGURE_BITRATE:
    case SIM_FIGURE_SWITCHES:
      return table->has_variants;
    case SIM_FIGURE_BITRATE_LOST:
    case SIM_FIGURE_SWITCHES_BEYOND:
      return table->has_variants && table->scenario->whole_twin;
    case SIM_FIGURE_COPIES_OVER_PAGES:
    case SIM_FIGURE_STALLS_BEYOND_PAGES:
      return table->scenario->pages_twin;
    case SIM_FIGURE_COPIES_JOINED:
    case SIM_FIGURE_COPIES_BOUND:
    case SIM_FIGURE_PEAK:
    case SIM_FIGURE_BEHIND:
    case SIM_FIGURE_DELAY:
      return table->is_live;
    case SIM_FIGURE_COPIES:
    case SIM_FIGURE_STALLED:
    case SIM_FIGURE_STALLS:
    case SIM_FIGURE_SLOW:
    case SIM_FIGURE_FIRST_BYTE:
    case SIM_FIGURE_FIRST_BYTE_RATIO:
    case SIM_FIGURE_FIRST_BYTE_P95_RATIO:
    case SIM_FIGURE_STARTUP:
    case SIM_FIGURE_STARTUP_RATIO:
    case SIM_FIGURE_STARTUP_P95_RATIO:
    case SIM_FIGURE_P2P_SHARE:
    case SIM_FIGURE_OVERHEAD:
    case SIM_FIGURE_PEERS:
      return TRUE;
    case SIM_N_FIGURES:
      break;
  }
  g_assert_not_reached ();
}

static const SimWanted *
find_wanted (const SimWanted *wanted, guint n, SimFigure figure)
{
  guint i;

  for (i = 0; i < n; i++) {
    if (wanted[i].figure == figure)
      return &wanted[i];
  }

  return NULL;
}

static gint
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
print_value (double value)
{
  if (isinf (value))
    printf ("  %8s", "never");
  else
    printf ("  %8.2f", value);
}

/* Returns: 1 for a miss. */
static guint
print_figure (SimTable *table, SimFigure figure)
{
  const SimScenario *scenario = table->scenario;
  GArray *values = table->values[figure];
  const SimWanted *wanted =
      find_wanted (scenario->wanted, scenario->n_wanted, figure);
  double median, worst;
  gboolean good;

  if (wanted == NULL)
    wanted = find_wanted (of_all, G_N_ELEMENTS (of_all), figure);
  g_array_sort (values, compare_doubles);
  median = g_array_index (values, double, values->len / 2);
  worst = g_array_index (
      values, double, figures[figure].more_is_better ? 0 : values->len - 1);

  printf ("%-40s", figures[figure].name);
  print_value (median);
  print_value (worst);
  printf (" %-8s", figures[figure].unit);
  if (wanted == NULL) {
    printf ("\n");
    return 0;
  }
  good = median <= wanted->most;
  printf (" <= %-5.4g %s\n", wanted->most, good ? "ok" : "MISS");

  return good ? 0 : 1;
}

guint
sim_table_print (SimTable *table)
{
  guint misses = 0;
  guint i;

  if (table->values[0]->len == 0)
    return 0;
  printf ("\n%s: %s\n%-40s  %8s  %8s  %7s wanted\n", table->scenario->name,
      table->scenario->about, "", "median", "worst", "");
  for (i = 0; i < SIM_N_FIGURES; i++) {
    if (is_shown (table, i))
      misses += print_figure (table, i);
  }

  return misses;
}

/* p2phlssrc: swarms on a virtual clock, replayed from a seed.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/log.h"
#include "sim/faults.h"
#include "sim/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* How much longer a viewer may wait, to begin or because it ran dry, than over
 * HTTP alone: less than half of what counts as one stall. */
#define WORSE_US (150 * 1000)

static gint64 opt_seed = 1;
static int opt_seeds = 1;
static gboolean opt_small;
static int opt_viewers;
static int opt_window;
static int opt_seconds;
static gboolean opt_vod;
static double opt_gap = -1;
static int opt_bitrate;
static int opt_uplink = -1;
static int opt_downlink = -1;
static double opt_latency;
static double opt_ahead;
static gboolean opt_http_only;
static gboolean opt_twice;
static gboolean opt_verbose;
static gboolean opt_segments;
static char *opt_log;
static double opt_most_copies;
static double opt_most_joined;
static int opt_most_stalls = -1;

static const GOptionEntry entries[] = {
  { "seed", 0, 0, G_OPTION_ARG_INT64, &opt_seed, "What is drawn follows from N",
      "N" },
  { "seeds", 0, 0, G_OPTION_ARG_INT, &opt_seeds, "Run COUNT seeds, from --seed",
      "COUNT" },
  { "small", 0, 0, G_OPTION_ARG_NONE, &opt_small,
      "A small swarm with faults, drawn from the seed, compared with HTTP "
      "alone",
      NULL },
  { "viewers", 0, 0, G_OPTION_ARG_INT, &opt_viewers, "How many join (10)",
      "N" },
  { "window", 0, 0, G_OPTION_ARG_INT, &opt_window,
      "Segments in the live playlist (6)", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_INT, &opt_seconds,
      "Live: run on after the last has joined; film: its length (60)", "S" },
  { "vod", 0, 0, G_OPTION_ARG_NONE, &opt_vod, "A film, not a live stream",
      NULL },
  { "gap", 0, 0, G_OPTION_ARG_DOUBLE, &opt_gap, "Between joins (2)", "S" },
  { "bitrate", 0, 0, G_OPTION_ARG_INT, &opt_bitrate, "Of the stream (2000)",
      "KBPS" },
  { "uplink", 0, 0, G_OPTION_ARG_INT, &opt_uplink,
      "Of each viewer, 0: no limit (5000)", "KBPS" },
  { "downlink", 0, 0, G_OPTION_ARG_INT, &opt_downlink,
      "Of each viewer, 0: no limit (20000)", "KBPS" },
  { "latency", 0, 0, G_OPTION_ARG_DOUBLE, &opt_latency,
      "To the backbone, at most (25)", "MS" },
  { "ahead", 0, 0, G_OPTION_ARG_DOUBLE, &opt_ahead,
      "Media that the player queues (5)", "S" },
  { "http-only", 0, 0, G_OPTION_ARG_NONE, &opt_http_only,
      "Without P2P, for comparison", NULL },
  { "twice", 0, 0, G_OPTION_ARG_NONE, &opt_twice,
      "Run each seed twice: fail if anything differs", NULL },
  { "most-copies", 0, 0, G_OPTION_ARG_DOUBLE, &opt_most_copies,
      "Fail above this many copies over the whole run", "X" },
  { "most-joined", 0, 0, G_OPTION_ARG_DOUBLE, &opt_most_joined,
      "Fail above this many copies once all have joined", "X" },
  { "most-stalls", 0, 0, G_OPTION_ARG_INT, &opt_most_stalls,
      "Fail above this many stalls", "N" },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &opt_verbose,
      "One line for each viewer", NULL },
  { "segments", 0, 0, G_OPTION_ARG_NONE, &opt_segments,
      "One line for each segment", NULL },
  { "log", 0, 0, G_OPTION_ARG_STRING, &opt_log,
      "What the engines say, up to error, warning, info, debug, log or trace",
      "LEVEL" },
  G_OPTION_ENTRY_NULL,
};

/* --- what to run -------------------------------------------------------------- */

static void
take_options (SimConfig *config)
{
  sim_config_init (config);
  if (opt_viewers > 0)
    config->viewers = opt_viewers;
  if (opt_window > 0)
    config->window = opt_window;
  if (opt_seconds > 0)
    config->run_us = config->vod_us = opt_seconds * (gint64) G_USEC_PER_SEC;
  if (opt_gap >= 0)
    config->join_gap_us = opt_gap * G_USEC_PER_SEC;
  if (opt_bitrate > 0)
    config->bitrate_bps = opt_bitrate * (guint64) 1000;
  if (opt_uplink >= 0)
    config->uplink_bps = opt_uplink * (guint64) 1000;
  if (opt_downlink >= 0)
    config->downlink_bps = opt_downlink * (guint64) 1000;
  if (opt_latency > 0) {
    config->latency_most_us = opt_latency * 1000;
    config->latency_least_us =
        MIN (config->latency_least_us, config->latency_most_us / 5);
  }
  if (opt_ahead > 0)
    config->ahead_us = opt_ahead * G_USEC_PER_SEC;
  config->vod = opt_vod;
  config->p2p = !opt_http_only;
}

static gboolean
set_log (SimWorld *world)
{
  static const char *const levels[] = { "error", "warning", "info", "debug",
    "log", "trace", NULL };
  guint i;

  if (opt_log == NULL)
    return TRUE;
  for (i = 0; levels[i] != NULL; i++) {
    if (strcmp (levels[i], opt_log) == 0) {
      sim_world_log (world, i);
      return TRUE;
    }
  }

  return FALSE;
}

/* --- one run ---------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): what is wrong. */
static char *
run (const SimConfig *config, SimReport *report, char **faults)
{
  g_autoptr (SimWorld) world = sim_world_new (config);
  gboolean good;

  set_log (world);
  good = sim_world_run (world);
  sim_report (world, report);
  if (faults != NULL)
    *faults = sim_faults_describe (world);
  if (opt_verbose)
    sim_report_print_viewers (world);
  if (opt_segments)
    sim_report_print_segments (world);
  if (!good || world->failure != NULL)
    return g_strdup (world->failure);
  if (report->not_playing > 0)
    return g_strdup_printf ("%u viewers do not play", report->not_playing);

  return NULL;
}

/* A small swarm, with and without P2P: it must not be worse for it. Waiting
 * for peers leaves less in the buffer when the origin then fails, up to what
 * one segment holds. */
static char *
run_small (const SimConfig *config, SimReport *report, char **faults)
{
  SimConfig alone = *config;
  SimReport without;
  char *wrong = run (config, report, faults);
  gint64 most_us = WORSE_US * config->viewers;

  if (wrong != NULL)
    return wrong;
  alone.p2p = FALSE;
  g_free (run (&alone, &without, NULL));
  if (report->origin_failed)
    most_us = config->segment_us * config->viewers;
  if (report->waited_us > without.waited_us + most_us)
    return g_strdup_printf ("waited %.2f s, over HTTP alone %.2f s",
        report->waited_us / 1e6, without.waited_us / 1e6);

  return NULL;
}

static char *
check_figures (const SimReport *report)
{
  if (opt_most_copies > 0 && report->copies > opt_most_copies)
    return g_strdup_printf (
        "%.2f copies, wanted %.2f", report->copies, opt_most_copies);
  if (opt_most_joined > 0 && report->copies_joined > opt_most_joined)
    return g_strdup_printf ("%.2f copies once all had joined, wanted %.2f",
        report->copies_joined, opt_most_joined);
  if (opt_most_stalls >= 0 && report->stalls > (guint) opt_most_stalls)
    return g_strdup_printf ("%u stalls", report->stalls);

  return NULL;
}

static char *
check_replay (const SimConfig *config, const SimReport *report)
{
  SimReport again;

  g_free (run (config, &again, NULL));
  if (again.digest != report->digest)
    return g_strdup ("the same seed went another way");

  return NULL;
}

static void
print_report (guint64 seed, const SimReport *report, const char *faults)
{
  printf ("%8" G_GUINT64_FORMAT "  %6.2f  %6.2f  %5.1f%%  %6u  %6.2f s  "
          "%4u/%-5u  %5.2f s  %5.2f s  %5.1f  %s\n",
      seed, report->copies, report->copies_joined, 100 * report->p2p_share,
      report->stalls, report->stalled_us / 1e6, report->slow_segments,
      report->segments, report->startup_us / 1e6,
      report->startup_worst_us / 1e6, report->peers,
      faults != NULL ? faults : "");
}

/* --- several ------------------------------------------------------------------------ */

static gint
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
print_spread (const char *name, GArray *values)
{
  g_array_sort (values, compare_doubles);
  printf ("%-28s median %6.2f  worst %6.2f\n", name,
      g_array_index (values, double, values->len / 2),
      g_array_index (values, double, values->len - 1));
}

static void
replay_line (guint64 seed, int argc, char **argv)
{
  int i;

  printf ("replay: %s", argv[0]);
  for (i = 1; i < argc; i++) {
    if (strcmp (argv[i], "--seed") == 0 || strcmp (argv[i], "--seeds") == 0)
      i++;
    else if (!g_str_has_prefix (argv[i], "--seed"))
      printf (" %s", argv[i]);
  }
  printf (" --seed %" G_GUINT64_FORMAT " --verbose --log debug\n", seed);
}

/* Returns: how many seeds have failed. */
static guint
run_seeds (int argc, char **argv)
{
  g_autoptr (GArray) whole = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) joined = g_array_new (FALSE, FALSE, sizeof (double));
  guint failed = 0;
  int i;

  printf ("    seed  copies  joined     p2p  stalls   stalled  slow/segs  "
          "startup    worst  peers\n");
  for (i = 0; i < opt_seeds; i++) {
    guint64 seed = opt_seed + i;
    SimReport report = { 0 };
    g_autofree char *faults = NULL;
    g_autofree char *wrong = NULL;
    SimConfig config;

    take_options (&config);
    config.seed = seed;
    if (opt_small)
      sim_config_draw (&config, seed);
    wrong = opt_small ? run_small (&config, &report, &faults)
                      : run (&config, &report, NULL);
    if (wrong == NULL)
      wrong = check_figures (&report);
    if (wrong == NULL && opt_twice)
      wrong = check_replay (&config, &report);
    print_report (seed, &report, faults);
    g_array_append_val (whole, report.copies);
    g_array_append_val (joined, report.copies_joined);
    if (wrong != NULL) {
      failed++;
      printf ("seed %" G_GUINT64_FORMAT " FAILED: %s\n", seed, wrong);
      replay_line (seed, argc, argv);
    }
    fflush (stdout);
  }
  if (opt_seeds > 1) {
    print_spread ("copies, whole run", whole);
    print_spread ("copies once all have joined", joined);
  }

  return failed;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- swarms on a virtual clock");
  g_auto (GStrv) given = g_strdupv (argv);
  g_autoptr (GError) error = NULL;
  clock_t begun = clock ();
  guint failed;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  failed = run_seeds (g_strv_length (given), given);
  printf ("%u of %d seeds failed; %.2f s of CPU\n", failed, opt_seeds,
      (double) (clock () - begun) / CLOCKS_PER_SEC);

  return failed > 0 ? 1 : 0;
}

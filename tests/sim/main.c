/* p2phlssrc: swarms on a virtual clock, replayed from a seed.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/commit.h"
#include "sim/faults.h"
#include "sim/options.h"
#include "sim/series.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

/* How much longer a viewer may wait, to begin or because it ran dry, than over
 * HTTP alone: less than half of what counts as one stall. */
#define WORSE_US (150 * 1000)

/* Each time that the origin fails for a while, a viewer may go without what one
 * has in its buffer who waits for nobody: it begins four segments from the end, and
 * the last of them is what is waited for. Of a film more is here already. */
#define BUFFERED_SEGMENTS(config) ((config)->vod ? 2 : 3)

/* An uplink that carries so many streams is none to be short of. */
#define UPLINK_STREAMS 3

static const SimOptions *options;

/**
 * Run:
 * @wrong: (nullable): what is not as it must be
 * @faults: what went wrong on purpose
 * @rows: (element-type SimRow): it over time
 */
typedef struct
{
  SimConfig config;
  SimReport report;
  char *wrong;
  char *faults;
  GArray *rows;
  gint64 joined_us;
} Run;

static void
run_clear (Run *run)
{
  g_free (run->wrong);
  g_free (run->faults);
  g_clear_pointer (&run->rows, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* --- one run ---------------------------------------------------------------- */

/* Fills @report. @run: (nullable): and the rest. Returns: (transfer full)
 * (nullable): what is wrong. */
static char *
run_world (const SimConfig *config, SimReport *report, Run *run)
{
  g_autoptr (SimWorld) world = sim_world_new (config);
  gboolean good;

  if (options->log_level >= 0 && config->p2p)
    sim_world_log (world, options->log_level);
  good = sim_world_run (world);
  sim_report (world, report);
  if (run != NULL) {
    run->faults = sim_faults_describe (world);
    run->rows = sim_series_new (world);
    run->joined_us = world->joined_us;
    if (options->verbose)
      sim_report_print_viewers (world);
    if (options->segments)
      sim_report_print_segments (world);
  }
  if (!good || world->failure != NULL)
    return g_strdup (world->failure);
  if (report->stuck > 0)
    return g_strdup_printf ("%u viewers are stuck", report->stuck);
  if (report->not_playing > 0)
    return g_strdup_printf ("%u viewers do not play", report->not_playing);

  return NULL;
}

/* The same world without P2P: until the last has joined, or the whole. */
static void
run_alone (const SimConfig *config, gboolean joins_only, SimReport *report)
{
  SimConfig alone = *config;

  alone.p2p = FALSE;
  alone.joins_only = joins_only;
  g_free (run_world (&alone, report, NULL));
}

/* The same world with pages alone, as many of each generation to one of the
 * other as there were. */
static void
run_pages (const SimConfig *config, SimReport *report)
{
  SimConfig pages = *config;

  pages.browsers_v2 /= config->browsers_v2 + config->browsers_v5;
  pages.browsers_v5 = 1 - pages.browsers_v2;
  g_free (run_world (&pages, report, NULL));
}

/* A small swarm must not be worse for P2P. Waiting for peers leaves less in
 * the buffer when the origin then fails; and who seeks to what would come next
 * is believed to have a buffer still, so that one segment may wait for peers. */
static char *
compare_with_alone (const Run *run)
{
  const SimConfig *config = &run->config;
  gint64 most_us = WORSE_US * run->report.viewers
      + run->report.quiet_seeks * config->segment_us;
  SimReport alone;

  run_alone (config, FALSE, &alone);
  if (run->report.origin_failures > 0)
    most_us += BUFFERED_SEGMENTS (config) * run->report.origin_failures
        * config->segment_us * run->report.viewers;
  if (run->report.waited_us > alone.waited_us + most_us)
    return g_strdup_printf ("waited %.2f s, over HTTP alone %.2f s",
        run->report.waited_us / 1e6, alone.waited_us / 1e6);

  return NULL;
}

/* After what went wrong, where all can connect and uplinks carry it. */
static char *
check_healed (const Run *run)
{
  const SimConfig *config = &run->config;
  double copies = run->report.copies_healed;
  double most = 1 + options->most_healed * (run->report.viewers - 1.0);

  if (options->most_healed <= 0 || !config->p2p || config->unreachable > 0
      || run->report.viewers == 0 || copies <= most
      || (config->uplink_bps > 0
          && config->uplink_bps < UPLINK_STREAMS * config->bitrate_bps))
    return NULL;

  return g_strdup_printf (
      "%.2f copies for %u viewers once all was well, wanted %.2f", copies,
      run->report.viewers, most);
}

static char *
check_figures (const SimReport *report)
{
  if (options->most_copies > 0 && report->copies > options->most_copies)
    return g_strdup_printf (
        "%.2f copies, wanted %.2f", report->copies, options->most_copies);
  if (options->most_joined > 0 && report->copies_joined > options->most_joined)
    return g_strdup_printf ("%.2f copies once all had joined, wanted %.2f",
        report->copies_joined, options->most_joined);
  if (options->most_stalls >= 0
      && report->stalls > (guint) options->most_stalls)
    return g_strdup_printf ("%u stalls", report->stalls);
  if (options->least_given > 0
      && sim_mix_least_given (&report->mix) < options->least_given * 1e6)
    return g_strdup_printf ("a kind gave another %.1f MB",
        sim_mix_least_given (&report->mix) / 1e6);

  return NULL;
}

static char *
check_replay (const Run *run)
{
  SimReport again;

  g_free (run_world (&run->config, &again, NULL));
  if (again.digest != run->report.digest)
    return g_strdup ("the same seed went another way");

  return NULL;
}

static void
run_seed (guint64 seed, Run *run)
{
  sim_options_config (seed, &run->config);
  run->wrong = run_world (&run->config, &run->report, run);
  if (run->wrong == NULL && options->small)
    run->wrong = compare_with_alone (run);
  if (run->wrong == NULL)
    run->wrong = check_figures (&run->report);
  if (run->wrong == NULL)
    run->wrong = check_healed (run);
  if (run->wrong == NULL && options->twice)
    run->wrong = check_replay (run);
}

/* --- what is printed ---------------------------------------------------------- */

static void
print_run (const Run *run)
{
  const SimReport *report = &run->report;

  printf ("%8" G_GUINT64_FORMAT "  %6.2f  %6.2f  %5.1f%%  %6u  %6.2f s  "
          "%4u/%-5u  %5.2f s  %5.2f s  %5.1f  %s",
      run->config.seed, report->copies, report->copies_joined,
      100 * report->p2p_share, report->stalls, report->stalled_us / 1e6,
      report->slow_segments, report->segments, report->startup_us / 1e6,
      report->startup_worst_us / 1e6, report->peers, run->faults);
  if (report->spoiled > 0)
    printf (", %u spoiled", report->spoiled);
  printf ("\n");
  if (run->wrong != NULL) {
    g_autofree char *replay = sim_options_replay (run->config.seed);

    printf ("seed %" G_GUINT64_FORMAT " of " SIM_COMMIT
            " FAILED: %s\nreplay: %s --verbose\n",
        run->config.seed, run->wrong, replay);
  }
  fflush (stdout);
}

static gint
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
print_spread (const char *name, GArray *values)
{
  if (values->len == 0)
    return;
  g_array_sort (values, compare_doubles);
  printf ("%-28s median %6.2f  worst %6.2f\n", name,
      g_array_index (values, double, values->len / 2),
      g_array_index (values, double, values->len - 1));
}

/* --- what is written ------------------------------------------------------------ */

static gboolean write_failed;

/* Into what is there: g_file_set_contents() would put a file in the place of
 * /dev/null. */
static void
write_file (const char *path, const char *text)
{
  FILE *file = fopen (path, "w");
  gboolean is_written = file != NULL && fputs (text, file) >= 0;

  if (file != NULL && fclose (file) != 0)
    is_written = FALSE;
  if (is_written)
    return;
  fprintf (stderr, "%s: %s\n", path, g_strerror (errno));
  write_failed = TRUE;
}

static void
draw (const Run *run)
{
  const SimConfig *config = &run->config;
  g_autofree char *title = g_strdup_printf (
      "%s, %u viewers, %.1f Mbit/s, seed %" G_GUINT64_FORMAT,
      options->scenario != NULL ? options->scenario->name
          : config->vod         ? "a film"
                                : "live",
      config->viewers + config->crowd, config->bitrate_bps / 1e6, config->seed);
  g_autofree char *svg = sim_series_svg (run->rows, title, run->joined_us);

  write_file (options->svg, svg);
}

/* --- several -------------------------------------------------------------------- */

static void
run_twins (const SimConfig *config, SimTwins *twins)
{
  *twins = (SimTwins){ 0 };
  run_alone (config, !options->scenario->whole_twin, &twins->alone);
  if (options->scenario->pages_twin)
    run_pages (config, &twins->pages);
}

static void
print_mix (const char *title, const SimMix *mix)
{
  if (mix->viewers[SIM_KIND_V2] + mix->viewers[SIM_KIND_V5] == 0)
    return;
  printf ("\n%s\n", title);
  sim_mix_print (mix, options->seeds);
}

/* Returns: how many seeds have failed. @misses: (out): figures that have. */
static guint
run_seeds (guint *misses)
{
  g_autoptr (GArray) whole = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) joined = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (SimTable) table = NULL;
  GString *csv = g_string_new (NULL);
  SimMix mix = { 0 }, pages = { 0 };
  guint failed = 0;
  int i;

  if (options->scenario != NULL) {
    SimConfig config;

    sim_options_config (options->seed, &config);
    table = sim_table_new (options->scenario, &config);
  }
  printf ("    seed  copies  joined     p2p  stalls   stalled  slow/segs  "
          "startup    worst  peers\n");
  sim_series_csv_header (csv);
  for (i = 0; i < options->seeds; i++) {
    g_auto (Run) run = { 0 };

    run_seed (options->seed + i, &run);
    print_run (&run);
    failed += run.wrong != NULL;
    g_array_append_val (whole, run.report.copies);
    if (run.report.copies_joined > 0) /* no film */
      g_array_append_val (joined, run.report.copies_joined);
    sim_mix_add (&mix, &run.report.mix);
    if (table != NULL) {
      SimTwins twins;

      run_twins (&run.config, &twins);
      sim_table_add (table, &run.report, &twins);
      sim_mix_add (&pages, &twins.pages.mix);
    }
    sim_series_csv (run.rows, run.config.seed, csv);
    if (i == 0 && options->svg != NULL)
      draw (&run);
  }
  if (table != NULL) {
    *misses = sim_table_print (table);
  } else if (options->seeds > 1) {
    print_spread ("copies, whole run", whole);
    print_spread ("copies once all have joined", joined);
  }
  print_mix ("all of them", &mix);
  print_mix ("pages alone", &pages);
  if (options->csv != NULL)
    write_file (options->csv, csv->str);
  g_string_free (csv, TRUE);

  return failed;
}

int
main (int argc, char **argv)
{
  clock_t begun = clock ();
  guint failed, misses = 0;
  int status;

  options = sim_options_parse (argc, argv, &status);
  if (options == NULL)
    return status;
  failed = run_seeds (&misses);
  printf ("%u of %d seeds failed", failed, options->seeds);
  if (options->scenario != NULL)
    printf (", %u figures missed", misses);
  printf ("; %.2f s of CPU\n", (double) (clock () - begun) / CLOCKS_PER_SEC);

  if (write_failed)
    return 2;

  return failed + misses > 0 ? 1 : 0;
}

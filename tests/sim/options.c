/* p2phlssrc: what the simulator is told at the command line.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/options.h"

#include "sim/faults.h"

#include <stdio.h>

static SimOptions options = {
  .seed = 1,
  .seeds = 1,
  .log_level = -1,
  .most_stalls = -1,
};

/* As it was called. */
static GStrv command;

/* What --faults names. */
static guint32 fault_kinds;

static gboolean opt_fresh;
static char *opt_scenario;
static int opt_viewers;
static int opt_window;
static int opt_seconds;
static gboolean opt_vod;
static double opt_gap = -1;
static int opt_bitrate;
static int opt_uplink = -1;
static int opt_slow_uplink;
static int opt_downlink = -1;
static double opt_latency;
static int opt_max_peers;
static double opt_unreachable = -1;
static double opt_ahead;
static double opt_browsers_v2 = -1;
static double opt_browsers_v5 = -1;
static int opt_variants;
static double opt_playlist_delay = -1;
static double opt_high_demand;
static double opt_late = -1;
static gboolean opt_http_only;
static char *opt_faults;
static double opt_fault_rate = -1;
static char *opt_log;

static const GOptionEntry entries[] = {
  { "scenario", 0, 0, G_OPTION_ARG_STRING, &opt_scenario,
      "A world with a name, and what is wanted of it; other options change it; "
      "\"list\" names all",
      "NAME" },
  { "small", 0, 0, G_OPTION_ARG_NONE, &options.small,
      "A small swarm with faults, drawn from the seed, compared with HTTP "
      "alone",
      NULL },
  { "seed", 0, 0, G_OPTION_ARG_INT64, &options.seed,
      "What is drawn follows from N (1)", "N" },
  { "seeds", 0, 0, G_OPTION_ARG_INT, &options.seeds,
      "Run COUNT seeds, from --seed (1)", "COUNT" },
  { "fresh", 0, 0, G_OPTION_ARG_NONE, &opt_fresh,
      "The first seed is the clock's, instead of --seed", NULL },
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
  { "variants", 0, 0, G_OPTION_ARG_INT, &opt_variants,
      "Of the stream, each with half the bitrate of the next; pages play the "
      "lowest (1)",
      "N" },
  { "uplink", 0, 0, G_OPTION_ARG_INT, &opt_uplink,
      "Of each viewer, 0: no limit (5000)", "KBPS" },
  { "slow-uplink", 0, 0, G_OPTION_ARG_INT, &opt_slow_uplink,
      "Of every other viewer, instead", "KBPS" },
  { "downlink", 0, 0, G_OPTION_ARG_INT, &opt_downlink,
      "Of each viewer, 0: no limit (20000)", "KBPS" },
  { "latency", 0, 0, G_OPTION_ARG_DOUBLE, &opt_latency,
      "To the backbone, at most (25)", "MS" },
  { "max-peers", 0, 0, G_OPTION_ARG_INT, &opt_max_peers,
      "That each viewer looks for (50)", "N" },
  { "unreachable", 0, 0, G_OPTION_ARG_DOUBLE, &opt_unreachable,
      "Share of the pairs that cannot connect (0)", "P" },
  { "ahead", 0, 0, G_OPTION_ARG_DOUBLE, &opt_ahead,
      "Media that the player queues (5)", "S" },
  { "playlist-delay", 0, 0, G_OPTION_ARG_DOUBLE, &opt_playlist_delay,
      "max-playlist-delay of each viewer (1000)", "MS" },
  { "browsers-v2", 0, 0, G_OPTION_ARG_DOUBLE, &opt_browsers_v2,
      "Of the viewers, pages with P2P Media Loader 2.3 (0)", "SHARE" },
  { "browsers-v5", 0, 0, G_OPTION_ARG_DOUBLE, &opt_browsers_v5,
      "And with P2P Media Loader 5 (0)", "SHARE" },
  { "high-demand", 0, 0, G_OPTION_ARG_DOUBLE, &opt_high_demand,
      "highDemandTimeWindow of P2P Media Loader 2.3 (15)", "S" },
  { "late", 0, 0, G_OPTION_ARG_DOUBLE, &opt_late,
      "Of its pages, those that hls.js begins at its own place (0.5)",
      "SHARE" },
  { "http-only", 0, 0, G_OPTION_ARG_NONE, &opt_http_only,
      "Without P2P, for comparison", NULL },
  { "faults", 0, 0, G_OPTION_ARG_STRING, &opt_faults,
      "What goes wrong: names with commas, \"all\" or \"none\"; \"list\" "
      "tells them. Without, --small draws some",
      "NAMES" },
  { "fault-rate", 0, 0, G_OPTION_ARG_DOUBLE, &opt_fault_rate,
      "A fault strikes this share of the viewers, or of the chances (0.25)",
      "P" },
  { "twice", 0, 0, G_OPTION_ARG_NONE, &options.twice,
      "Run each seed twice: fail if anything differs", NULL },
  { "most-copies", 0, 0, G_OPTION_ARG_DOUBLE, &options.most_copies,
      "Fail above this many copies over the whole run", "X" },
  { "most-joined", 0, 0, G_OPTION_ARG_DOUBLE, &options.most_joined,
      "Fail above this many copies once all have joined", "X" },
  { "most-healed", 0, 0, G_OPTION_ARG_DOUBLE, &options.most_healed,
      "Fail if more than this share of what peers could give comes from the "
      "origin, once all is well again",
      "X" },
  { "most-stalls", 0, 0, G_OPTION_ARG_INT, &options.most_stalls,
      "Fail above this many stalls", "N" },
  { "least-given", 0, 0, G_OPTION_ARG_DOUBLE, &options.least_given,
      "Fail if a kind of viewer gives another that it meets less", "MB" },
  { "csv", 0, 0, G_OPTION_ARG_FILENAME, &options.csv,
      "Write all runs over time, one line for each two seconds", "FILE" },
  { "svg", 0, 0, G_OPTION_ARG_FILENAME, &options.svg,
      "Draw the first run over time", "FILE" },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options.verbose,
      "One line for each viewer", NULL },
  { "segments", 0, 0, G_OPTION_ARG_NONE, &options.segments,
      "One line for each segment", NULL },
  { "log", 0, 0, G_OPTION_ARG_STRING, &opt_log,
      "What the engines say, up to error, warning, info, debug, log or trace",
      "LEVEL" },
  G_OPTION_ENTRY_NULL,
};

/* --- names ------------------------------------------------------------------ */

static gboolean
find_scenario (GError **error)
{
  if (opt_scenario == NULL)
    return TRUE;
  options.scenario = sim_scenario_find (opt_scenario);
  if (options.scenario == NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "There is no scenario \"%s\"; --scenario list names all", opt_scenario);

  return options.scenario != NULL;
}

static gboolean
find_faults (GError **error)
{
  return opt_faults == NULL
      || sim_faults_parse (opt_faults, &fault_kinds, error);
}

static gboolean
find_log_level (GError **error)
{
  static const char *const levels[] = { "error", "warning", "info", "debug",
    "log", "trace" };
  guint i;

  if (opt_log == NULL)
    return TRUE;
  for (i = 0; i < G_N_ELEMENTS (levels); i++) {
    if (strcmp (levels[i], opt_log) == 0) {
      options.log_level = i;
      return TRUE;
    }
  }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "There is no level \"%s\"", opt_log);

  return FALSE;
}

static gboolean
print_list (void)
{
  if (g_strcmp0 (opt_scenario, "list") == 0)
    sim_scenario_list ();
  else if (g_strcmp0 (opt_faults, "list") == 0)
    sim_faults_list ();
  else
    return FALSE;

  return TRUE;
}

static gboolean
check (GError **error)
{
  if (options.small && options.scenario != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--small and --scenario are two worlds");
  else if (options.seeds < 1)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--seeds is at least 1");
  else if (opt_variants < 0 || opt_variants > SIM_VARIANTS_MAX)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--variants is at most %d", SIM_VARIANTS_MAX);
  else if (MAX (opt_browsers_v2, 0) + MAX (opt_browsers_v5, 0) > 1)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--browsers-v2 and --browsers-v5 are shares of all viewers");
  else
    return TRUE;

  return FALSE;
}

const SimOptions *
sim_options_parse (int argc, char **argv, int *status)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- swarms on a virtual clock");
  g_autoptr (GError) error = NULL;

  command = g_strdupv (argv);
  g_option_context_set_summary (context,
      "Runs the engine that ships, many times over, in a world without a "
      "network:\norigin, tracker, lines and players are simulated, and a seed "
      "replays exactly.\nThe exit status is 1 if anything is not as it must "
      "be.");
  g_option_context_add_main_entries (context, entries, NULL);
  *status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return NULL;
  }
  if (print_list ()) {
    *status = 0;
    return NULL;
  }
  if (!find_scenario (&error) || !find_faults (&error)
      || !find_log_level (&error) || !check (&error)) {
    fprintf (stderr, "%s\n", error->message);
    return NULL;
  }

  if (opt_fresh)
    options.seed = g_get_real_time () / G_USEC_PER_SEC;

  return &options;
}

/* --- worlds ------------------------------------------------------------------- */

static void
take_links (SimConfig *config)
{
  if (opt_bitrate > 0)
    config->bitrate_bps = opt_bitrate * (guint64) 1000;
  if (opt_variants > 0)
    config->variants = opt_variants;
  if (opt_uplink >= 0)
    config->uplink_bps = opt_uplink * (guint64) 1000;
  if (opt_slow_uplink > 0) {
    config->slow_share = 0.5;
    config->slow_uplink_bps = opt_slow_uplink * (guint64) 1000;
  }
  if (opt_downlink >= 0)
    config->downlink_bps = opt_downlink * (guint64) 1000;
  if (opt_latency > 0) {
    config->latency_most_us = opt_latency * 1000;
    config->latency_least_us =
        MIN (config->latency_least_us, config->latency_most_us / 5);
  }
}

void
sim_options_config (guint64 seed, SimConfig *config)
{
  if (options.small)
    sim_config_draw (config, seed);
  else
    sim_config_init (config);
  if (options.scenario != NULL)
    options.scenario->setup (config);
  config->seed = seed;

  /* What is said counts. */
  if (opt_viewers > 0)
    config->viewers = opt_viewers;
  if (opt_window > 0)
    config->window = opt_window;
  if (opt_seconds > 0)
    config->run_us = config->vod_us = opt_seconds * (gint64) G_USEC_PER_SEC;
  if (opt_gap >= 0)
    config->join_gap_us = opt_gap * G_USEC_PER_SEC;
  if (opt_browsers_v2 >= 0)
    config->browsers_v2 = opt_browsers_v2;
  if (opt_browsers_v5 >= 0)
    config->browsers_v5 = opt_browsers_v5;
  if (opt_late >= 0)
    config->late_v2 = opt_late;
  if (opt_high_demand > 0)
    config->demand_us = opt_high_demand * G_USEC_PER_SEC;
  take_links (config);
  if (opt_max_peers > 0)
    config->max_peers = opt_max_peers;
  if (opt_unreachable >= 0)
    config->unreachable = opt_unreachable;
  if (opt_faults != NULL) {
    config->faults = fault_kinds;
    config->fault_share = 1;
  }
  if (opt_fault_rate >= 0)
    config->fault_rate = opt_fault_rate;
  if (opt_ahead > 0)
    config->ahead_us = opt_ahead * G_USEC_PER_SEC;
  if (opt_playlist_delay >= 0)
    config->max_playlist_delay_us = opt_playlist_delay * 1000;
  if (opt_vod)
    config->vod = TRUE;
  if (opt_http_only)
    config->p2p = FALSE;
}

/* --- again ---------------------------------------------------------------------- */

/* Options that say which seeds, or what is made of them. */
static gboolean
is_left_out (const char *word, gboolean *with_value)
{
  static const char *const names[] = { "--seed", "--seeds", "--csv", "--svg" };
  guint i;

  if (strcmp (word, "--fresh") == 0)
    return TRUE;
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    gsize length = strlen (names[i]);

    if (strncmp (word, names[i], length) == 0
        && (word[length] == '\0' || word[length] == '=')) {
      *with_value = word[length] == '\0';
      return TRUE;
    }
  }

  return FALSE;
}

char *
sim_options_replay (guint64 seed)
{
  GString *line = g_string_new (command[0]);
  guint i;

  for (i = 1; command[i] != NULL; i++) {
    gboolean with_value = FALSE;
    g_autofree char *quoted = g_shell_quote (command[i]);
    gboolean is_plain =
        strspn (command[i], G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_=,./")
        == strlen (command[i]);

    if (!is_left_out (command[i], &with_value))
      g_string_append_printf (line, " %s", is_plain ? command[i] : quoted);
    else if (with_value && command[i + 1] != NULL)
      i++;
  }
  g_string_append_printf (line, " --seed %" G_GUINT64_FORMAT, seed);

  return g_string_free (line, FALSE);
}

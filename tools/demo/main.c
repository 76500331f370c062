/* p2phlssrc: the demonstration. Four viewers share a live stream.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything happens on this machine: a stream made with GStreamer, an origin
 * and a tracker inside this process, viewers as processes of their own.
 */
#include "media.h"
#include "viewers.h"

#include "origin/origin.h"
#include "tracker/server.h"

#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Segments in the live playlist; what hlsdemux expects at least is three. */
#define WINDOW 6
#define SEGMENT_SECONDS 2
#define SEGMENTS_MAX 512

static int opt_duration = 60;
static int opt_viewers = 4;
static int opt_gap = 3;
static gboolean opt_no_p2p;

static const GOptionEntry entries[] = {
  { "duration", 'd', 0, G_OPTION_ARG_INT, &opt_duration,
      "How long it goes on (60)", "SECONDS" },
  { "viewers", 'v', 0, G_OPTION_ARG_INT, &opt_viewers,
      "How many watch, 1 to 16 (4)", "N" },
  { "gap", 'g', 0, G_OPTION_ARG_INT, &opt_gap,
      "How long after each other they join (3)", "SECONDS" },
  { "no-p2p", 'n', 0, G_OPTION_ARG_NONE, &opt_no_p2p,
      "Without sharing, for comparison", NULL },
  G_OPTION_ENTRY_NULL,
};

typedef struct
{
  GMainLoop *loop;
  P2pOrigin *origin;
  P2pTrackerServer *tracker;
  P2pDemoViewers *viewers;
  char *uri;
  gboolean terminal;
  guint lines;   /* of the table on the terminal */
  guint seconds; /* since the first joined */
  gboolean leaving;
} Demo;

/* --- what is shown ------------------------------------------------------ */

typedef struct
{
  P2pDemoSegment segments[SEGMENTS_MAX];
  guint count;
} Copies;

/* "low/00042.ts": variants of one segment count together, since a viewer
 * wants only one of them. */
static void
add_copies (JsonObject *files, const char *path, JsonNode *node, gpointer data)
{
  Copies *copies = data;
  JsonObject *file = json_node_get_object (node);
  gint64 size = json_object_get_int_member (file, "size");
  gint64 sent = json_object_get_int_member (file, "bytes");
  const char *name = strrchr (path, '/');
  guint64 number;

  if (!g_str_has_suffix (path, ".ts") || name == NULL || size == 0)
    return;
  number = g_ascii_strtoull (name + 1, NULL, 10);
  if (number >= SEGMENTS_MAX)
    return;
  copies->segments[number].copies += (double) sent / (double) size;
  copies->count = MAX (copies->count, (guint) number + 1);
}

static void
look_at_copies (Demo *demo, Copies *copies)
{
  g_autofree char *text = p2p_origin_dup_stats (demo->origin);
  g_autoptr (JsonNode) stats = json_from_string (text, NULL);
  guint asked = 0;

  memset (copies, 0, sizeof *copies);
  json_object_foreach_member (
      json_object_get_object_member (json_node_get_object (stats), "files"),
      add_copies, copies);
  /* Those nobody asked for lie before the first viewer's start. */
  for (guint i = 0; i < copies->count; i++)
    if (copies->segments[i].copies > 0) {
      copies->segments[asked] = copies->segments[i];
      copies->segments[asked++].number = i;
    }
  copies->count = asked;
}

static char *
table (Demo *demo)
{
  Copies copies;
  guint count;
  const P2pDemoViewer *seen = p2p_demo_viewers_look (demo->viewers, &count);

  look_at_copies (demo, &copies);
  return p2p_demo_table (seen, count, copies.segments, copies.count);
}

static guint
count_lines (const char *text)
{
  guint lines = 0;

  for (; *text != '\0'; text++)
    lines += *text == '\n';
  return lines;
}

/* On a terminal the new table takes the old one's place; elsewhere one is
 * printed every ten seconds. */
static void
show (Demo *demo)
{
  g_autofree char *text = NULL;

  if (!demo->terminal && demo->seconds % 10 != 0 && !demo->leaving)
    return;
  text = table (demo);
  if (demo->terminal && demo->lines > 0)
    printf ("\033[%uA\033[J", demo->lines);
  printf ("%s\n", text);
  fflush (stdout);
  demo->lines = count_lines (text) + 1;
}

static void
summarise (Demo *demo)
{
  Copies copies;
  guint count;
  const P2pDemoViewer *seen = p2p_demo_viewers_look (demo->viewers, &count);
  gint64 http = 0, p2p = 0, stalls = 0;

  look_at_copies (demo, &copies);
  for (guint i = 0; i < count; i++) {
    http += seen[i].http_bytes;
    p2p += seen[i].p2p_bytes;
    stalls += seen[i].stalls;
  }
  printf ("%u viewers took %.1f MB: %.1f MB from the origin, %.1f MB (%d %%) "
          "from each other.\n",
      count, (double) (http + p2p) / 1e6, (double) http / 1e6,
      (double) p2p / 1e6,
      http + p2p > 0 ? (int) (100 * p2p / (http + p2p)) : 0);
  printf ("The origin served each segment %.2f times; without sharing it "
          "serves it %u times.\nStalls: %" G_GINT64_FORMAT ".\n",
      p2p_demo_copies (copies.segments, copies.count), count, stalls);
}

static void
on_progress (int per_cent, gpointer data)
{
  Demo *demo = data;
  static int shown = -1;

  if (demo->terminal)
    printf ("\rmaking a stream … %d %%", per_cent);
  else if (per_cent / 25 != shown)
    printf ("making a stream … %d %%\n", per_cent);
  shown = per_cent / 25;
  fflush (stdout);
}

/* --- what happens ------------------------------------------------------- */

static gboolean
on_second (gpointer data)
{
  Demo *demo = data;
  g_autoptr (GError) error = NULL;
  guint count;

  p2p_demo_viewers_look (demo->viewers, &count);
  if (!demo->leaving && count < (guint) opt_viewers
      && demo->seconds == count * (guint) opt_gap
      && !p2p_demo_viewers_join (demo->viewers, &error))
    g_error ("%s", error->message);

  if (demo->seconds >= (guint) opt_duration && !demo->leaving) {
    demo->leaving = TRUE;
    p2p_demo_viewers_leave (demo->viewers);
  }
  show (demo);
  if (demo->leaving && p2p_demo_viewers_gone (demo->viewers))
    g_main_loop_quit (demo->loop);
  demo->seconds++;
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer data)
{
  Demo *demo = data;

  /* The viewers have heard it from the terminal, too. */
  demo->leaving = TRUE;
  p2p_demo_viewers_leave (demo->viewers);
  return G_SOURCE_CONTINUE;
}

static char *
settings (Demo *demo)
{
  if (opt_no_p2p)
    return g_strdup ("p2p=false");
  /* No STUN server: nothing leaves this machine. */
  return g_strdup_printf ("trackers=%s;ice-servers=none",
      p2p_tracker_server_get_uri (demo->tracker));
}

/* The viewer lies beside this program. */
static char *
viewer_program (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (self != NULL ? self : "");

  return g_build_filename (folder, "p2phls-viewer", NULL);
}

/* Makes the stream and starts origin and tracker. */
static gboolean
set_the_stage (Demo *demo, GError **error)
{
  /* Enough for the whole run, the window before it and some patience. */
  guint seconds = (guint) opt_duration + SEGMENT_SECONDS * (WINDOW + 4);
  g_autofree char *folder =
      p2p_demo_media_make (seconds, on_progress, demo, error);

  if (folder == NULL)
    return FALSE;
  if (demo->terminal)
    printf ("\r\033[K");

  demo->origin = p2p_origin_new (
      &(P2pOriginConfig){ .directory = folder, .live = TRUE, .window = WINDOW },
      error);
  if (demo->origin == NULL)
    return FALSE;
  demo->tracker =
      p2p_tracker_server_new (&(P2pTrackerServerConfig){ 0 }, error);
  if (demo->tracker == NULL)
    return FALSE;
  demo->uri = g_strdup_printf (
      "p2phls+%s/master.m3u8", p2p_origin_get_uri (demo->origin));
  return TRUE;
}

static void
clear_the_stage (Demo *demo)
{
  g_clear_pointer (&demo->viewers, p2p_demo_viewers_free);
  g_clear_pointer (&demo->origin, p2p_origin_free);
  g_clear_pointer (&demo->tracker, p2p_tracker_server_free);
  g_clear_pointer (&demo->uri, g_free);
  g_clear_pointer (&demo->loop, g_main_loop_unref);
}

static void
run (Demo *demo)
{
  g_autofree char *program = viewer_program ();
  g_autofree char *text = settings (demo);

  printf ("%d viewers join %s\n%s\n\n", opt_viewers, demo->uri,
      opt_no_p2p ? "and do not share." : "and share it. Control-C ends it.");
  demo->viewers = p2p_demo_viewers_new (program, demo->uri, text);
  demo->loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGINT, on_interrupt, demo);
  g_unix_signal_add (SIGTERM, on_interrupt, demo);
  on_second (demo);
  g_timeout_add_seconds (1, on_second, demo);
  g_main_loop_run (demo->loop);
  summarise (demo);
}

static gboolean
parse_arguments (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- viewers share a live stream");

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1 || opt_viewers < 1 || opt_viewers > 16 || opt_duration < 1
      || opt_duration > 600 || opt_gap < 1) {
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "1 to 16 viewers, 1 to 600 seconds, a gap of at least 1, no more");
    return FALSE;
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  Demo demo = { .terminal = isatty (STDOUT_FILENO) };
  g_autoptr (GError) error = NULL;

  if (!parse_arguments (&argc, &argv, &error)) {
    g_printerr ("p2phls-demo: %s\n", error->message);
    return 2;
  }
  gst_init (NULL, NULL);
  if (!set_the_stage (&demo, &error)) {
    g_printerr ("p2phls-demo: %s\n", error->message);
    clear_the_stage (&demo);
    return 1;
  }
  run (&demo);
  clear_the_stage (&demo);
  return 0;
}

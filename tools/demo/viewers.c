/* p2phlssrc: the demonstration's viewers, processes of their own.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "viewers.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>

#define VIEWERS_MAX 16

typedef struct
{
  P2pDemoViewers *all;
  guint number;
  GSubprocess *process;
  GDataInputStream *lines;
} Child;

struct _P2pDemoViewers
{
  char *program;
  char *uri;
  char *settings;
  GCancellable *cancellable;
  Child children[VIEWERS_MAX];
  P2pDemoViewer seen[VIEWERS_MAX];
  guint count;
  guint gone;
};

static void read_line (Child *child);

/* States are compared and printed; the child's text goes away with its line. */
static const char *
state_name (const char *state)
{
  static const char *const names[] = { "starting", "playing", "stalled",
    "ended", "error" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (state, names[i]) == 0)
      return names[i];
  return "?";
}

/* A viewer meets the same others in the swarm of each variant: the fullest
 * swarm says how many they are. */
static gint64
count_peers (JsonObject *stats)
{
  JsonArray *swarms = json_object_get_array_member (stats, "swarms");
  gint64 most = 0;

  for (guint i = 0; i < json_array_get_length (swarms); i++)
    most = MAX (most,
        json_object_get_int_member (
            json_array_get_object_element (swarms, i), "peers"));
  return most;
}

static void
take_line (P2pDemoViewer *seen, const char *line)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root, *stats;

  if (!json_parser_load_from_data (parser, line, -1, NULL)
      || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return;
  root = json_node_get_object (json_parser_get_root (parser));
  seen->state = state_name (
      json_object_get_string_member_with_default (root, "state", NULL));
  seen->played_ms =
      json_object_get_int_member_with_default (root, "played-ms", 0);
  seen->stalls = json_object_get_int_member_with_default (root, "stalls", 0);
  if (!json_object_has_member (root, "stats")) {
    seen->http_bytes =
        json_object_get_int_member_with_default (root, "bytes", 0);
    return;
  }
  stats = json_object_get_object_member (root, "stats");
  seen->peers = count_peers (stats);
  seen->http_bytes =
      json_object_get_int_member_with_default (stats, "http-bytes", 0);
  seen->p2p_bytes =
      json_object_get_int_member_with_default (stats, "p2p-bytes", 0);
  seen->upload_bytes =
      json_object_get_int_member_with_default (stats, "upload-bytes", 0);
}

static void
on_line (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_data_input_stream_read_line_finish_utf8 (
      G_DATA_INPUT_STREAM (source), result, NULL, &error);
  Child *child = data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the viewers are no more */
  if (line == NULL) {
    child->all->gone++;
    return;
  }
  take_line (&child->all->seen[child->number], line);
  read_line (child);
}

static void
read_line (Child *child)
{
  g_data_input_stream_read_line_async (child->lines, G_PRIORITY_DEFAULT,
      child->all->cancellable, on_line, child);
}

P2pDemoViewers *
p2p_demo_viewers_new (
    const char *program, const char *uri, const char *settings)
{
  P2pDemoViewers *viewers = g_new0 (P2pDemoViewers, 1);

  viewers->program = g_strdup (program);
  viewers->uri = g_strdup (uri);
  viewers->settings = g_strdup (settings);
  viewers->cancellable = g_cancellable_new ();
  return viewers;
}

void
p2p_demo_viewers_free (P2pDemoViewers *viewers)
{
  g_cancellable_cancel (viewers->cancellable);
  p2p_demo_viewers_leave (viewers);
  for (guint i = 0; i < viewers->count; i++) {
    g_subprocess_wait (viewers->children[i].process, NULL, NULL);
    g_object_unref (viewers->children[i].process);
    g_object_unref (viewers->children[i].lines);
  }
  /* What was cancelled above reports to a child that must still be there. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_object_unref (viewers->cancellable);
  g_free (viewers->program);
  g_free (viewers->uri);
  g_free (viewers->settings);
  g_free (viewers);
}

gboolean
p2p_demo_viewers_join (P2pDemoViewers *viewers, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  Child *child = &viewers->children[viewers->count];

  g_assert (viewers->count < VIEWERS_MAX);
  g_subprocess_launcher_setenv (
      launcher, "GST_P2PHLS", viewers->settings, TRUE);
  child->process = g_subprocess_launcher_spawn (
      launcher, error, viewers->program, viewers->uri, NULL);
  if (child->process == NULL)
    return FALSE;
  child->all = viewers;
  child->number = viewers->count;
  child->lines =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (child->process));
  viewers->seen[viewers->count].state = "starting";
  viewers->count++;
  read_line (child);
  return TRUE;
}

void
p2p_demo_viewers_leave (P2pDemoViewers *viewers)
{
  for (guint i = 0; i < viewers->count; i++)
    g_subprocess_send_signal (viewers->children[i].process, SIGTERM);
}

gboolean
p2p_demo_viewers_gone (P2pDemoViewers *viewers)
{
  return viewers->gone == viewers->count;
}

const P2pDemoViewer *
p2p_demo_viewers_look (P2pDemoViewers *viewers, guint *count)
{
  *count = viewers->count;
  return viewers->seen;
}

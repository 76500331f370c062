/* p2phls-origin: serves a directory as an HTTP origin, live if asked.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "origin/origin.h"
#include "soup/listener.h"

#include <glib-unix.h>
#include <stdlib.h>

static P2pOriginConfig config = { .fail_status = 404 };
static char *address;
static char *bitrate;
static char *fail;
static char **directories;
static int port = 8080;
static int window = 6;
static int ready;
static int delay_ms;

static const GOptionEntry options[] = {
  { "address", 'a', 0, G_OPTION_ARG_STRING, &address,
      "Listen on this IP address (127.0.0.1)", "ADDRESS" },
  { "port", 'p', 0, G_OPTION_ARG_INT, &port,
      "Listen on this port, 0 for any (8080)", "PORT" },
  { "live", 'l', 0, G_OPTION_ARG_NONE, &config.live,
      "Tell the finished HLS playlists below DIRECTORY as live ones, from now "
      "on",
      NULL },
  { "window", 'w', 0, G_OPTION_ARG_INT, &window,
      "Segments in a live playlist, 0 for all so far (6)", "N" },
  { "ready", 'r', 0, G_OPTION_ARG_INT, &ready,
      "Segments that are there at once (the window, at least 3)", "N" },
  { "end", 'e', 0, G_OPTION_ARG_NONE, &config.end,
      "End the playlists when the material is over", NULL },
  { "delay-ms", 0, 0, G_OPTION_ARG_INT, &delay_ms, "Wait before each answer",
      "MS" },
  { "fail", 0, 0, G_OPTION_ARG_STRING, &fail,
      "Answer every Nth request for a segment with this status", "STATUS:N" },
  { "max-bitrate", 0, 0, G_OPTION_ARG_STRING, &bitrate,
      "Send each response at no more than this (no limit)", "BITS/S" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &directories, NULL,
      "DIRECTORY" },
  { NULL },
};

static gboolean
read_fail (GError **error)
{
  char *rest;
  guint64 status, every;

  if (fail == NULL)
    return TRUE;
  status = g_ascii_strtoull (fail, &rest, 10);
  every = *rest == ':' ? g_ascii_strtoull (rest + 1, &rest, 10) : 0;
  if (status < 400 || status > 599 || every == 0 || every > G_MAXUINT
      || *rest != '\0') {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--fail %s is not STATUS:N", fail);
    return FALSE;
  }
  config.fail_status = status;
  config.fail_every = every;

  return TRUE;
}

static gboolean
read_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
      "Serves DIRECTORY over HTTP with byte ranges, for any page to read.\n"
      "GET /_stats tells what was sent, as JSON: for each file its size, "
      "requests,\nbytes, complete and partial responses.");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, error)
      || !read_fail (error))
    return FALSE;

  if (directories == NULL || directories[0] == NULL || directories[1] != NULL
      || port < 0 || port > G_MAXUINT16 || window < 0 || ready < 0
      || delay_ms < 0
      || (bitrate != NULL
          && !g_ascii_string_to_unsigned (
              bitrate, 10, 1, G_MAXINT64, &config.max_bitrate, error))) {
    if (error != NULL && *error == NULL)
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "One DIRECTORY and sensible numbers are needed, see --help");
    return FALSE;
  }
  config.directory = directories[0];
  config.address = address;
  config.port = port;
  config.window = window;
  config.ready = ready;
  config.delay_ms = delay_ms;

  return TRUE;
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);

  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (P2pOrigin) origin = NULL;

  if (!read_options (&argc, &argv, &error)) {
    g_printerr ("p2phls-origin: %s\n", error->message);
    return EXIT_FAILURE;
  }
  p2p_raise_file_limit ();
  origin = p2p_origin_new (&config, &error);
  if (origin == NULL) {
    g_printerr ("p2phls-origin: %s\n", error->message);
    return EXIT_FAILURE;
  }
  g_print ("%s/\n", p2p_origin_get_uri (origin));
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_main_loop_run (loop);

  return EXIT_SUCCESS;
}

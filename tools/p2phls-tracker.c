/* p2phls-tracker: introduces viewers to each other (WebTorrent protocol).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soup/listener.h"
#include "tracker/server.h"

#include <glib-unix.h>
#include <stdlib.h>

static char *address;
static int port = 8000;
static int interval = 120;

static const GOptionEntry options[] = {
  { "address", 'a', 0, G_OPTION_ARG_STRING, &address,
      "Listen on this IP address (127.0.0.1)", "ADDRESS" },
  { "port", 'p', 0, G_OPTION_ARG_INT, &port,
      "Listen on this port, 0 for any (8000)", "PORT" },
  { "interval", 'i', 0, G_OPTION_ARG_INT, &interval,
      "Ask clients to announce this often, in seconds (120)", "SECONDS" },
  { NULL },
};

static gboolean
read_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
      "A WebTorrent tracker: viewers of one stream find each other here.\n"
      "Prints its URL, for the property \"trackers\" or a page's "
      "announceTrackers.\nGET /stats.json tells its counts.");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1 || port < 0 || port > G_MAXUINT16 || interval < 1) {
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "only options with sensible numbers are taken, see --help");
    return FALSE;
  }

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
  g_autoptr (P2pTrackerServer) server = NULL;
  P2pTrackerServerConfig config = { 0 };

  if (!read_options (&argc, &argv, &error)) {
    g_printerr ("p2phls-tracker: %s\n", error->message);
    return EXIT_FAILURE;
  }
  config.address = address;
  config.port = port;
  config.interval_s = interval;
  p2p_raise_file_limit ();
  server = p2p_tracker_server_new (&config, &error);
  if (server == NULL) {
    g_printerr ("p2phls-tracker: %s\n", error->message);
    return EXIT_FAILURE;
  }
  g_print ("%s\n", p2p_tracker_server_get_uri (server));
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_main_loop_run (loop);

  return EXIT_SUCCESS;
}

/* p2phlssrc: plays one stream and shows what the swarm does for it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * playbin with the p2phls scheme in front of the URI; a window where there is
 * a display, silence and darkness otherwise.
 */
#include <glib-unix.h>
#include <gst/gst.h>
#include <gst/video/navigation.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

typedef struct
{
  GMainLoop *loop;
  GstElement *playbin;
  GstElement *source; /* (nullable): the one that read the playlist */
  gboolean live;
  int buffering; /* per cent */
  int exit_code;
  gboolean has_terminal;
  struct termios terminal; /* as it was */
  guint64 shown;           /* lines, where the line cannot be rewritten */
} Player;

static gboolean
has_display (void)
{
  return g_getenv ("DISPLAY") != NULL || g_getenv ("WAYLAND_DISPLAY") != NULL;
}

static char *
shared_uri (const char *uri)
{
  if (g_str_has_prefix (uri, "http://") || g_str_has_prefix (uri, "https://"))
    return g_strconcat ("p2phls+", uri, NULL);
  return g_strdup (uri);
}

static void
on_source (GstElement *playbin, GstElement *source, gpointer data)
{
  Player *player = data;

  gst_object_replace ((GstObject **) &player->source, GST_OBJECT (source));
}

/* --- the line ----------------------------------------------------------- */

static double
megabytes (const GstStructure *stats, const char *name)
{
  guint64 bytes = 0;

  gst_structure_get_uint64 (stats, name, &bytes);
  return (double) bytes / 1e6;
}

static char *
swarm_text (Player *player)
{
  g_autoptr (GstStructure) stats = NULL;
  guint peers = 0;

  if (player->source == NULL
      || g_object_class_find_property (
             G_OBJECT_GET_CLASS (player->source), "stats")
          == NULL)
    return g_strdup ("not shared");
  g_object_get (player->source, "stats", &stats, NULL);
  if (stats == NULL)
    return g_strdup ("starting");

  gst_structure_get_uint (stats, "peers", &peers);
  return g_strdup_printf (
      "peers %u   from CDN %.1f MB   from peers %.1f MB   given %.1f MB", peers,
      megabytes (stats, "http-bytes"), megabytes (stats, "p2p-bytes"),
      megabytes (stats, "upload-bytes"));
}

static char *
position_text (Player *player)
{
  gint64 position = 0;

  if (player->buffering < 100)
    return g_strdup_printf ("buffering %d%%", player->buffering);
  gst_element_query_position (player->playbin, GST_FORMAT_TIME, &position);
  return g_strdup_printf ("%u:%02u:%02u",
      (guint) (position / GST_SECOND / 3600),
      (guint) (position / GST_SECOND / 60 % 60),
      (guint) (position / GST_SECOND % 60));
}

static gboolean
on_second (gpointer data)
{
  Player *player = data;
  g_autofree char *position = position_text (player);
  g_autofree char *swarm = swarm_text (player);

  if (isatty (STDOUT_FILENO))
    printf ("\r\033[K%s   %s", position, swarm);
  else if (player->shown++ % 5 == 0)
    printf ("%s   %s\n", position, swarm);
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

/* --- playing ------------------------------------------------------------ */

/* A sink's way to say that its window was closed. */
static gboolean
is_closed_window (GstMessage *message, const GError *error)
{
  return GST_OBJECT_FLAG_IS_SET (
             GST_MESSAGE_SRC (message), GST_ELEMENT_FLAG_SINK)
      && g_error_matches (
          error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
}

static void
take_error (Player *player, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  if (is_closed_window (message, error)) {
    g_main_loop_quit (player->loop);
    return;
  }
  g_printerr ("\np2phls-play: %s\n", error->message);
  player->exit_code = 1;
  g_main_loop_quit (player->loop);
}

static void
take_buffering (Player *player, GstMessage *message)
{
  int before = player->buffering;

  gst_message_parse_buffering (message, &player->buffering);
  if (player->live || (before < 100) == (player->buffering < 100))
    return;
  gst_element_set_state (player->playbin,
      player->buffering < 100 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
}

/* A key pressed in the window. */
static void
take_navigation (Player *player, GstMessage *message)
{
  g_autoptr (GstEvent) event = NULL;
  const char *key;

  if (gst_navigation_message_get_type (message) != GST_NAVIGATION_MESSAGE_EVENT
      || !gst_navigation_message_parse_event (message, &event))
    return;
  if (gst_navigation_event_get_type (event) == GST_NAVIGATION_EVENT_KEY_PRESS
      && gst_navigation_event_parse_key_event (event, &key)
      && g_strcmp0 (key, "q") == 0)
    g_main_loop_quit (player->loop);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Player *player = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    take_error (player, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_BUFFERING)
    take_buffering (player, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    take_navigation (player, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    g_main_loop_quit (player->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_leave (gpointer data)
{
  Player *player = data;

  g_main_loop_quit (player->loop);
  return G_SOURCE_CONTINUE;
}

/* --- keys in the terminal ------------------------------------------------ */

static gboolean
on_key (int fd, GIOCondition condition, gpointer data)
{
  Player *player = data;
  char key;

  if (read (fd, &key, 1) != 1)
    return G_SOURCE_REMOVE;
  if (key == 'q')
    g_main_loop_quit (player->loop);
  return G_SOURCE_CONTINUE;
}

/* A shell with job control stops whoever changes the terminal from behind. */
static gboolean
has_terminal (void)
{
  return isatty (STDIN_FILENO) && tcgetpgrp (STDIN_FILENO) == getpgrp ();
}

/* Keys come at once and are not shown. */
static void
open_terminal (Player *player)
{
  struct termios settings;

  player->has_terminal =
      has_terminal () && tcgetattr (STDIN_FILENO, &player->terminal) == 0;
  if (!player->has_terminal)
    return;
  settings = player->terminal;
  settings.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
  tcsetattr (STDIN_FILENO, TCSADRAIN, &settings);
  g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_key, player);
}

static void
close_terminal (Player *player)
{
  if (player->has_terminal)
    tcsetattr (STDIN_FILENO, TCSADRAIN, &player->terminal);
}

static void
set_up (Player *player, const char *given)
{
  g_autofree char *uri = shared_uri (given);

  player->playbin = gst_element_factory_make ("playbin", NULL);
  if (player->playbin == NULL)
    g_error ("playbin is missing: install gstreamer1.0-plugins-base");
  g_object_set (player->playbin, "uri", uri, NULL);
  g_signal_connect (
      player->playbin, "source-setup", G_CALLBACK (on_source), player);
  if (!has_display ()) {
    GstElement *video = gst_element_factory_make ("fakesink", NULL);
    GstElement *audio = gst_element_factory_make ("fakesink", NULL);

    g_object_set (video, "sync", TRUE, NULL);
    g_object_set (audio, "sync", TRUE, NULL);
    g_object_set (player->playbin, "video-sink", video, NULL);
    g_object_set (player->playbin, "audio-sink", audio, NULL);
    printf ("no display: playing without a window\n");
  }
  printf ("%s\nq or Control-C ends it.\n", uri);
}

/* Ends the program where there is nothing to play. Returns: (transfer full). */
static char *
take_uri (int *argc, char ***argv)
{
  g_auto (GStrv) rest = NULL;
  const GOptionEntry entries[] = {
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL,
        "URI" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context,
      "Plays the stream at URI, the address of an .m3u8 (http: or https:), and "
      "shows\nwhat comes from other viewers. q or Control-C ends it.");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, &error)) {
    g_printerr ("p2phls-play: %s, see --help\n", error->message);
    exit (1);
  }
  if (rest == NULL || rest[1] != NULL) {
    g_printerr ("usage: p2phls-play URI, see --help\n");
    exit (2);
  }
  if (!gst_uri_is_valid (rest[0])) {
    g_printerr (
        "p2phls-play: \"%s\" is no URI\n"
        "usage: p2phls-play https://example.org/live.m3u8, see --help\n",
        rest[0]);
    exit (1);
  }

  return g_strdup (rest[0]);
}

int
main (int argc, char **argv)
{
  Player player = { .buffering = 100 };
  g_autofree char *uri = take_uri (&argc, &argv);
  g_autoptr (GstBus) bus = NULL;
  guint watch;

  player.loop = g_main_loop_new (NULL, FALSE);
  set_up (&player, uri);
  open_terminal (&player);

  bus = gst_element_get_bus (player.playbin);
  watch = gst_bus_add_watch (bus, on_message, &player);
  g_timeout_add_seconds (1, on_second, &player);
  g_unix_signal_add (SIGINT, on_leave, &player);
  g_unix_signal_add (SIGTERM, on_leave, &player);
  player.live = gst_element_set_state (player.playbin, GST_STATE_PLAYING)
      == GST_STATE_CHANGE_NO_PREROLL;
  g_main_loop_run (player.loop);
  on_second (&player);
  printf ("\n");
  close_terminal (&player);

  gst_element_set_state (player.playbin, GST_STATE_NULL);
  g_source_remove (watch);
  gst_object_replace ((GstObject **) &player.source, NULL);
  gst_object_unref (player.playbin);
  g_main_loop_unref (player.loop);
  return player.exit_code;
}

/* p2phlssrc: what the sources of a pipeline share.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "player.h"
#include "support/httpserver.h"

#include <gst/check/gstcheck.h>

#define WORKER "p2phls-worker"
#define CONTEXT "gst.p2phls.session"
#define QUIET "trackers=none;ice-servers=none"

static TestHttpServer *server;
static GBytes *body;

static void
set_up (void)
{
  g_thread_pool_set_max_unused_threads (0);
  g_setenv ("GST_P2PHLS", QUIET, TRUE);
  server = test_http_server_new ();
  body = test_http_body (100 * 1000, 4);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static Player *
new_player (void)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");

  return player_new ("p2phlssrc", uri);
}

static GstElement *
new_source (void)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  GstElement *src = gst_element_factory_make ("p2phlssrc", NULL);

  g_object_set (src, "location", uri, NULL);

  return gst_object_ref_sink (src);
}

static void
add_source (Player *player, GstElement **src)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);

  *src = new_source ();
  gst_bin_add_many (GST_BIN (player->pipeline), *src, sink, NULL);
  fail_unless (gst_element_link (*src, sink));
  gst_object_unref (*src);
}

/* --- sharing -------------------------------------------------------------*/

GST_START_TEST (test_pipeline_shares)
{
  g_autoptr (Player) player = new_player ();
  GstElement *two, *third;

  add_source (player, &two);
  player_set_state (player, GST_STATE_PAUSED);
  wait_until (count_threads (WORKER) == 1);
  /* A demuxer makes its own when data flows. */
  add_source (player, &third);
  player_set_state (player, GST_STATE_PLAYING);
  player_set_state (player, GST_STATE_PAUSED);
  wait_until (count_threads (WORKER) == 1);
  player_set_state (player, GST_STATE_NULL);
  fail_unless_equals_int (count_threads (WORKER), 0);
}

GST_END_TEST;

/* In a bin of a bin, as in a demuxer. */
GST_START_TEST (test_nested_bin_shares)
{
  g_autoptr (Player) player = new_player ();
  GstElement *outer = gst_bin_new ("outer"), *inner = gst_bin_new ("inner");
  GstElement *src = new_source ();
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);

  player_set_state (player, GST_STATE_PAUSED);
  gst_bin_add_many (GST_BIN (inner), src, sink, NULL);
  gst_element_link (src, sink);
  gst_bin_add (GST_BIN (outer), inner);
  gst_bin_add (GST_BIN (player->pipeline), outer);
  gst_object_unref (src);
  player_set_state (player, GST_STATE_PLAYING);
  wait_until (count_threads (WORKER) == 1);
}

GST_END_TEST;

/* The session outlives the source that made it. */
GST_START_TEST (test_maker_leaves)
{
  g_autoptr (Player) player = new_player ();
  GstElement *two;

  add_source (player, &two);
  player_run (player);
  gst_element_set_locked_state (player->src, TRUE);
  gst_element_set_state (player->src, GST_STATE_NULL);
  wait_until (count_threads (WORKER) == 1);
  gst_element_set_locked_state (player->src, FALSE);
  player_set_state (player, GST_STATE_NULL);
  fail_unless_equals_int (count_threads (WORKER), 0);
  /* What is left in contexts is over: a new one is made. */
  player_set_state (player, GST_STATE_PAUSED);
  wait_until (count_threads (WORKER) == 1);
}

GST_END_TEST;

/* An application can make two pipelines one viewer. */
GST_START_TEST (test_context_from_application)
{
  g_autoptr (Player) one = new_player ();
  g_autoptr (Player) two = new_player ();
  g_autoptr (GstContext) context = NULL;

  player_set_state (one, GST_STATE_PAUSED);
  context = gst_element_get_context (one->src, CONTEXT);
  fail_unless (context != NULL);
  gst_element_set_context (two->pipeline, context);
  player_set_state (two, GST_STATE_PAUSED);
  wait_until (count_threads (WORKER) == 1);
}

GST_END_TEST;

GST_START_TEST (test_have_context_message)
{
  g_autoptr (Player) player = new_player ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstContext) context = NULL;

  gst_element_set_state (player->pipeline, GST_STATE_PAUSED);
  message = player_wait (player, GST_MESSAGE_HAVE_CONTEXT);
  gst_message_parse_have_context (message, &context);
  fail_unless_equals_string (gst_context_get_context_type (context), CONTEXT);
  fail_unless (gst_context_is_persistent (context));
}

GST_END_TEST;

/* Contexts do not reach a source without a parent. */
GST_START_TEST (test_bare_source_joins)
{
  g_autoptr (Player) player = new_player ();
  GstElement *alike = new_source (), *other = new_source ();

  g_object_set (other, "max-peers", 3, NULL);
  player_set_state (player, GST_STATE_PAUSED);
  gst_element_set_state (alike, GST_STATE_PAUSED);
  wait_until (count_threads (WORKER) == 1);
  gst_element_set_state (other, GST_STATE_PAUSED);
  wait_until (count_threads (WORKER) == 2);
  gst_element_set_state (alike, GST_STATE_NULL);
  gst_element_set_state (other, GST_STATE_NULL);
  wait_until (count_threads (WORKER) == 1);
  gst_object_unref (alike);
  gst_object_unref (other);
}

GST_END_TEST;

/* --- settings ------------------------------------------------------------*/

static void
check_settings_error (GstElement *element, const char *named)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  ASSERT_SET_STATE (element, GST_STATE_PAUSED, GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, named) != NULL, "%s does not name %s",
      error->message, named);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
}

static GstElement *
source_with (const char *variable)
{
  g_setenv ("GST_P2PHLS", variable, TRUE);

  return new_source ();
}

GST_START_TEST (test_variable_errors)
{
  check_settings_error (source_with ("colour=red"), "colour");
  check_settings_error (source_with ("colour=red"), "GST_P2PHLS");
  check_settings_error (source_with ("max-peers=lots"), "lots");
  check_settings_error (source_with ("trackers=http://t"), "http://t");
}

GST_END_TEST;

GST_START_TEST (test_property_errors)
{
  GstElement *src = new_source ();

  g_object_set (src, "trackers", "wss://good,udp://bad", NULL);
  check_settings_error (src, "udp://bad");
  src = new_source ();
  g_object_set (src, "ice-servers", "nonsense", NULL);
  check_settings_error (src, "nonsense");
}

GST_END_TEST;

GST_START_TEST (test_variable_is_default)
{
  guint max_peers = 0;
  gboolean upload = TRUE;
  GstElement *src = source_with (QUIET ";max-peers=9;upload=false");

  g_object_get (src, "max-peers", &max_peers, "upload", &upload, NULL);
  fail_unless_equals_int (max_peers, 9);
  fail_if (upload);
  gst_object_unref (src);
}

GST_END_TEST;

/* While it runs, a bad value costs a warning, and good ones are taken. */
GST_START_TEST (test_change_while_playing)
{
  g_autoptr (Player) player = new_player ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  player_set_state (player, GST_STATE_PAUSED);
  g_object_set (player->src, "max-peers", 5, "upload", FALSE,
      "max-upload-bitrate", G_GUINT64_CONSTANT (1000), "http-window",
      1 * GST_SECOND, "p2p-window", 2 * GST_SECOND, "urgent-buffer",
      3 * GST_SECOND, "max-playlist-delay", G_GUINT64_CONSTANT (0), "p2p",
      FALSE, "p2p", TRUE, NULL);
  /* Left as they are until the next session. */
  g_object_set (player->src, "swarm-id", "x", "cache-size",
      G_GUINT64_CONSTANT (1000), NULL);
  g_object_set (player->src, "trackers", "http://bad", NULL);
  message = player_wait (player, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, "http://bad") != NULL);
  player_run (player);
  fail_unless (player_has_exactly (player, body));
}

GST_END_TEST;

/* --- stats ---------------------------------------------------------------*/

static const struct
{
  const char *name;
  const char *type;
} stats_fields[] = {
  { "http-bytes", "guint64" },
  { "p2p-bytes", "guint64" },
  { "upload-bytes", "guint64" },
  { "http-segments", "guint64" },
  { "p2p-segments", "guint64" },
  { "upload-segments", "guint64" },
  { "overhead-bytes", "guint64" },
  { "peers", "guint" },
  { "peers-known", "guint" },
  { "segments-stored", "guint" },
  { "stored-bytes", "guint64" },
  { "registry-misses", "guint64" },
  { "playlists-delayed", "guint64" },
  { "playlist-delay-us", "guint64" },
  { "trackers", "GstValueArray" },
  { "swarms", "GstValueArray" },
  { "peer-list", "GstValueArray" },
};

static void
check_stats (const GstStructure *stats, const char *name)
{
  fail_unless (gst_structure_has_name (stats, name));
  fail_unless_equals_int (
      gst_structure_n_fields (stats), G_N_ELEMENTS (stats_fields));
  for (guint i = 0; i < G_N_ELEMENTS (stats_fields); i++)
    fail_unless_equals_string (g_type_name (gst_structure_get_field_type (
                                   stats, stats_fields[i].name)),
        stats_fields[i].type);
}

static void
check_stats_property (GstElement *src)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (src, "stats", &stats, NULL);
  check_stats (stats, "application/x-p2phls-stats");
}

GST_START_TEST (test_stats)
{
  g_autoptr (Player) player = new_player ();

  check_stats_property (player->src);
  player_run (player);
  check_stats_property (player->src);
  player_set_state (player, GST_STATE_NULL);
  check_stats_property (player->src);
}

GST_END_TEST;

static GstMessage *
wait_stats (Player *player)
{
  for (;;) {
    GstMessage *message = player_wait (player, GST_MESSAGE_ELEMENT);

    if (gst_message_has_name (message, "p2phls-stats"))
      return message;
    gst_message_unref (message);
  }
}

GST_START_TEST (test_stats_messages)
{
  g_autoptr (Player) player = new_player ();
  g_autoptr (GstBus) bus = gst_element_get_bus (player->pipeline);
  GstElement *two;

  add_source (player, &two);
  g_object_set (two, "stats-interval", 10, NULL);
  player_set_state (player, GST_STATE_PLAYING);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstMessage) message = wait_stats (player);

    fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (two));
    check_stats (gst_message_get_structure (message), "p2phls-stats");
  }
  /* They end with the element that wanted them. */
  gst_element_set_locked_state (two, TRUE);
  gst_element_set_state (two, GST_STATE_NULL);
  check_stats_property (player->src);
  gst_bus_set_flushing (bus, TRUE);
  gst_bus_set_flushing (bus, FALSE);
  g_object_set (player->src, "stats-interval", 10, NULL);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstMessage) message = wait_stats (player);

    fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (player->src));
  }
}

GST_END_TEST;

static GstBusSyncReply
read_stats_at_once (GstBus *bus, GstMessage *message, gpointer user_data)
{
  gint *count = user_data;

  if (gst_message_has_name (message, "p2phls-stats")) {
    check_stats_property (GST_ELEMENT (GST_MESSAGE_SRC (message)));
    g_atomic_int_inc (count);
  }

  return GST_BUS_PASS;
}

/* On the worker itself. */
GST_START_TEST (test_stats_from_sync_handler)
{
  g_autoptr (Player) player = new_player ();
  g_autoptr (GstBus) bus = gst_element_get_bus (player->pipeline);
  gint count = 0;

  gst_bus_set_sync_handler (bus, read_stats_at_once, &count, NULL);
  g_object_set (player->src, "stats-interval", 1, NULL);
  player_set_state (player, GST_STATE_PLAYING);
  wait_until (g_atomic_int_get (&count) >= 3);
  player_set_state (player, GST_STATE_NULL);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
}

GST_END_TEST;

static gint stop_reading;

static gpointer
read_stats_for_ever (gpointer src)
{
  while (!g_atomic_int_get (&stop_reading))
    check_stats_property (src);

  return NULL;
}

/* An application's thread reads them while another one stops everything. */
GST_START_TEST (test_stats_while_stopping)
{
  g_autoptr (Player) player = new_player ();
  GThread *thread;

  g_atomic_int_set (&stop_reading, FALSE);
  thread = g_thread_new ("stats", read_stats_for_ever, player->src);
  for (guint i = 0; i < 20; i++) {
    player_set_state (player, GST_STATE_PAUSED);
    player_set_state (player, GST_STATE_NULL);
  }
  g_atomic_int_set (&stop_reading, TRUE);
  g_thread_join (thread);
}

GST_END_TEST;

static Suite *
session_suite (void)
{
  Suite *suite = suite_create ("session");
  TCase *tests = tcase_create ("session");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, test_pipeline_shares);
  tcase_add_test (tests, test_nested_bin_shares);
  tcase_add_test (tests, test_maker_leaves);
  tcase_add_test (tests, test_context_from_application);
  tcase_add_test (tests, test_have_context_message);
  tcase_add_test (tests, test_bare_source_joins);
  tcase_add_test (tests, test_variable_errors);
  tcase_add_test (tests, test_property_errors);
  tcase_add_test (tests, test_variable_is_default);
  tcase_add_test (tests, test_change_while_playing);
  tcase_add_test (tests, test_stats);
  tcase_add_test (tests, test_stats_messages);
  tcase_add_test (tests, test_stats_from_sync_handler);
  tcase_add_test (tests, test_stats_while_stopping);

  return suite;
}

GST_CHECK_MAIN (session);

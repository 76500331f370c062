/* p2phlssrc: up and down, again and again, many at once.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "player.h"
#include "support/httpserver.h"

#include <gst/check/gstcheck.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CYCLES 100
#define CROWD 16
#define BODY_BYTES (512 * 1024 + 3)
#define WORKER "p2phls-worker"

static TestHttpServer *server;
static GBytes *body;

static void
set_up (void)
{
  /* Idle threads of GStreamer's pool would be counted as ours. */
  g_thread_pool_set_max_unused_threads (0);
  g_setenv ("GST_P2PHLS", "trackers=none;ice-servers=none", TRUE);
  server = test_http_server_new ();
  body = test_http_body (BODY_BYTES, 3);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
  test_http_server_set (server, "/slow",
      &(TestHttpResource){
          .body = body, .piece_bytes = 4096, .piece_delay_ms = 5 });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static Player *
new_player (const char *path)
{
  g_autofree char *uri = test_http_server_uri (server, path);

  return player_new ("p2phlssrc", uri);
}

static guint16
server_port (void)
{
  g_autofree char *text = test_http_server_uri (server, "/");
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);

  return g_uri_get_port (uri);
}

/* The server lives in this process, and keeps its ends of connections that
 * the other end has closed. */
static gboolean
is_of_server (int descriptor)
{
  struct sockaddr_in address = { 0 };
  socklen_t size = sizeof address;

  return getsockname (descriptor, (struct sockaddr *) &address, &size) == 0
      && ntohs (address.sin_port) == server_port ();
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint count = 0;

  while ((name = g_dir_read_name (folder)) != NULL) {
    if (!is_of_server (atoi (name)))
      count++;
  }

  return count;
}

static void
cycle_whole (Player *player)
{
  g_byte_array_set_size (player->bytes, 0);
  player->eos = FALSE;
  player_run (player);
  fail_unless (player_has_exactly (player, body));
  player_set_state (player, GST_STATE_NULL);
}

/* Nothing is left behind: no thread, no descriptor. */
GST_START_TEST (test_cycles)
{
  g_autoptr (Player) player = new_player ("/body");
  guint threads, descriptors;

  cycle_whole (player);
  wait_until (count_threads (WORKER) == 0);
  threads = count_threads ("");
  descriptors = count_descriptors ();
  for (guint i = 0; i < CYCLES; i++) {
    cycle_whole (player);
    fail_unless_equals_int (count_threads (WORKER), 0);
  }
  wait_until (count_threads ("") <= threads);
  wait_until (count_descriptors () <= descriptors);
}

GST_END_TEST;

/* The same, stopped at some point of a download. */
GST_START_TEST (test_cycles_cut_short)
{
  g_autoptr (Player) player = new_player ("/slow");
  guint descriptors;

  cycle_whole (player);
  descriptors = count_descriptors ();
  for (guint i = 0; i < CYCLES; i++) {
    GST_OBJECT_LOCK (player->pipeline);
    g_byte_array_set_size (player->bytes, 0);
    GST_OBJECT_UNLOCK (player->pipeline);
    gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
    if (i % 4 != 0)
      player_wait_bytes (player, (i % 4 - 1) * 5000);
    player_set_state (player, GST_STATE_NULL);
    fail_unless_equals_int (count_threads (WORKER), 0);
  }
  wait_until (count_descriptors () <= descriptors);
}

GST_END_TEST;

/* A demuxer's source between segments: READY keeps the session. */
GST_START_TEST (test_ready_keeps_worker)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (Player) player = new_player ("/slow");

  player_run (player);
  for (guint i = 0; i < 10; i++) {
    player_set_state (player, GST_STATE_READY);
    wait_until (count_threads (WORKER) == 1);
    fail_unless (
        gst_uri_handler_set_uri (GST_URI_HANDLER (player->src), uri, NULL));
    g_byte_array_set_size (player->bytes, 0);
    player->eos = FALSE;
    player_run (player);
    fail_unless (player_has_exactly (player, body));
  }
  player_set_state (player, GST_STATE_NULL);
  fail_unless_equals_int (count_threads (WORKER), 0);
}

GST_END_TEST;

GST_START_TEST (test_two_pipelines)
{
  g_autoptr (Player) one = new_player ("/slow");
  g_autoptr (Player) two = new_player ("/slow");

  gst_element_set_state (one->pipeline, GST_STATE_PLAYING);
  player_wait_bytes (one, 1);
  gst_element_set_state (two->pipeline, GST_STATE_PLAYING);
  player_wait_bytes (two, 1);
  /* Two viewers. */
  wait_until (count_threads (WORKER) == 2);
  player_run (one);
  player_set_state (one, GST_STATE_NULL);
  wait_until (count_threads (WORKER) == 1);
  player_run (two);
  fail_unless (player_has_exactly (one, body));
  fail_unless (player_has_exactly (two, body));
}

GST_END_TEST;

GST_START_TEST (test_crowd)
{
  Player *players[CROWD];

  for (guint i = 0; i < CROWD; i++) {
    players[i] = new_player (i % 2 ? "/slow" : "/body");
    gst_element_set_state (players[i]->pipeline, GST_STATE_PLAYING);
  }
  for (guint i = 0; i < CROWD; i++) {
    player_run (players[i]);
    fail_unless (player_has_exactly (players[i], body));
  }
  wait_until (count_threads (WORKER) == CROWD);
  for (guint i = 0; i < CROWD; i++)
    player_free (players[i]);
  fail_unless_equals_int (count_threads (WORKER), 0);
}

GST_END_TEST;

static gpointer
cycle_in_thread (gpointer path)
{
  for (guint i = 0; i < 10; i++) {
    g_autoptr (Player) player = new_player (path);

    gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
    if (i % 2)
      player_run (player);
    gst_element_set_state (player->pipeline, GST_STATE_NULL);
  }

  return NULL;
}

/* Sessions come and go in several threads at once. */
GST_START_TEST (test_threads)
{
  GThread *threads[8];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (
        "cycle", cycle_in_thread, (gpointer) (i % 2 ? "/slow" : "/body"));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  fail_unless_equals_int (count_threads (WORKER), 0);
}

GST_END_TEST;

static Suite *
states_suite (void)
{
  Suite *suite = suite_create ("states");
  TCase *tests = tcase_create ("states");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, test_cycles);
  tcase_add_test (tests, test_cycles_cut_short);
  tcase_add_test (tests, test_ready_keeps_worker);
  tcase_add_test (tests, test_two_pipelines);
  tcase_add_test (tests, test_crowd);
  tcase_add_test (tests, test_threads);

  return suite;
}

GST_CHECK_MAIN (states);

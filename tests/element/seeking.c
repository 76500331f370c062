/* p2phlssrc: seeks, byte ranges, and being interrupted.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "player.h"
#include "support/httpserver.h"

#include <gst/check/gstcheck.h>

#include <string.h>

#define BODY_BYTES (4 * 1024 * 1024 + 5)
/* What unlock() may take, whatever the network does. */
#define UNLOCK_MAX_US (100 * 1000)
/* Valgrind and sanitizers are slow; what they look for is not time. */
#define SLOWNESS (g_getenv ("P2P_TEST_SLOW") != NULL ? 50 : 1)

static TestHttpServer *server;
static GBytes *body;

static void
set_up (void)
{
  server = test_http_server_new ();
  body = test_http_body (BODY_BYTES, 2);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
  test_http_server_set (server, "/silent",
      &(TestHttpResource){ .body = body, .delay_ms = 100 * 1000 });
  test_http_server_set (server, "/stalled",
      &(TestHttpResource){
          .body = body, .ending = TEST_HTTP_STALL, .ending_bytes = 1000 });
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

static GstEvent *
byte_seek (gint64 start, gint64 stop)
{
  return gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
      GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_SET, stop);
}

static void
check_range (Player *player, gsize start, gsize stop)
{
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (body, start, stop - start);

  fail_unless (player->eos);
  fail_unless (player_has_exactly (player, part), "%u bytes, not %u",
      player->bytes->len, (guint) (stop - start));
}

/* As hlsdemux asks for a byte range. */
static void
play_range (Player *player, gint64 start, gint64 stop)
{
  player_set_state (player, GST_STATE_READY);
  player->eos = FALSE;
  g_byte_array_set_size (player->bytes, 0);
  fail_unless (gst_element_send_event (player->src, byte_seek (start, stop)));
  player_run (player);
}

GST_START_TEST (test_range_in_ready)
{
  g_autoptr (Player) player = new_player ("/body");
  g_autofree char *range = NULL;
  gint64 size = 0;

  play_range (player, 1000, 5001);
  check_range (player, 1000, 5001);
  range = test_http_server_header (server, "/body", "Range");
  fail_unless_equals_string (range, "bytes=1000-5000");
  /* souphttpsrc's size is where the range ends. */
  fail_unless (
      gst_element_query_duration (player->src, GST_FORMAT_BYTES, &size));
  fail_unless_equals_int (size, 5001);

  play_range (player, 0, 10);
  check_range (player, 0, 10);
  play_range (player, BODY_BYTES - 7, -1);
  check_range (player, BODY_BYTES - 7, BODY_BYTES);
}

GST_END_TEST;

/* One source, one range after the other, on one connection. */
GST_START_TEST (test_ranges_reuse_connection)
{
  g_autoptr (Player) player = new_player ("/body");

  for (guint i = 0; i < 10; i++) {
    play_range (player, i * 1000, (i + 1) * 1000);
    check_range (player, i * 1000, (i + 1) * 1000);
  }
  fail_unless_equals_int (test_http_server_connections (server), 1);
}

GST_END_TEST;

GST_START_TEST (test_empty_range)
{
  g_autoptr (Player) player = new_player ("/body");

  play_range (player, 100, 100);
  check_range (player, 100, 100);
  fail_unless_equals_int (test_http_server_requests (server, "/body"), 0);
}

GST_END_TEST;

/* A server without ranges sends all: the surplus is not for the player. */
GST_START_TEST (test_range_at_start_without_ranges)
{
  g_autoptr (Player) player = new_player ("/whole");

  test_http_server_set (
      server, "/whole", &(TestHttpResource){ .body = body, .no_ranges = TRUE });
  play_range (player, 0, 70000);
  check_range (player, 0, 70000);
}

GST_END_TEST;

GST_START_TEST (test_range_without_ranges)
{
  g_autofree char *uri = test_http_server_uri (server, "/whole");
  const char *const factories[] = { "souphttpsrc", "p2phlssrc" };
  g_autofree char *error = NULL;

  test_http_server_set (
      server, "/whole", &(TestHttpResource){ .body = body, .no_ranges = TRUE });
  for (guint i = 0; i < 2; i++) {
    g_autoptr (Player) player = player_new (factories[i], uri);

    play_range (player, 10, -1);
    fail_if (player->eos);
    fail_unless (player->errors->len > 0);
    if (error != NULL)
      fail_unless_equals_string (player->errors->pdata[0], error);
    g_free (error);
    error = g_strdup (player->errors->pdata[0]);
  }
}

GST_END_TEST;

GST_START_TEST (test_seek_while_paused)
{
  g_autoptr (Player) player = new_player ("/body");

  player_set_state (player, GST_STATE_PAUSED);
  fail_unless (gst_element_send_event (player->src, byte_seek (2000000, -1)));
  player_set_state (player, GST_STATE_PAUSED);
  g_byte_array_set_size (player->bytes, 0);
  /* The buffer that prerolled is seen again on its way to PLAYING. */
  player_run (player);
  check_range (player, 2000000, BODY_BYTES);
}

GST_END_TEST;

/* Back and forth while bytes flow: each time what was asked for comes. The
 * sink does not preroll again: a bin that is on its way back to PLAYING forgets
 * a sink that loses its state meanwhile, and these seeks do not wait for it. */
GST_START_TEST (test_seek_while_playing)
{
  g_autoptr (Player) player = new_player ("/slow");

  g_object_set (player->sink, "async", FALSE, NULL);
  test_http_server_set (server, "/slow",
      &(TestHttpResource){
          .body = body, .piece_bytes = 10000, .piece_delay_ms = 1 });
  player_set_state (player, GST_STATE_PLAYING);
  player_wait_bytes (player, 1);
  for (guint i = 0; i < 20; i++) {
    guint before = player_count (player);

    fail_unless (gst_element_send_event (
        player->src, byte_seek ((i * 7919 * 37) % BODY_BYTES, -1)));
    player_wait_bytes (player, before + 1);
  }
  GST_OBJECT_LOCK (player->pipeline);
  g_byte_array_set_size (player->bytes, 0);
  GST_OBJECT_UNLOCK (player->pipeline);
  fail_unless (gst_element_send_event (
      player->src, byte_seek (BODY_BYTES - 100000, -1)));
  player_run (player);
  fail_unless (player->eos);
  fail_unless (player->bytes->len >= 100000);
  fail_unless (
      memcmp (player->bytes->data + player->bytes->len - 100000,
          (const guint8 *) g_bytes_get_data (body, NULL) + BODY_BYTES - 100000,
          100000)
      == 0);
}

GST_END_TEST;

GST_START_TEST (test_seekable_query)
{
  g_autoptr (Player) player = new_player ("/body");
  g_autoptr (Player) live = new_player ("/chunked");
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  player_set_state (player, GST_STATE_PAUSED);
  fail_unless (gst_element_query (player->src, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  fail_unless (seekable);

  test_http_server_set (
      server, "/chunked", &(TestHttpResource){ .body = body, .chunked = TRUE });
  player_set_state (live, GST_STATE_PAUSED);
  fail_unless (gst_element_query (live->src, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
}

GST_END_TEST;

/* --- interruption --------------------------------------------------------*/

static void
check_quick_stop (Player *player)
{
  gint64 before_us = g_get_monotonic_time ();
  gint64 took_us;

  gst_element_set_state (player->pipeline, GST_STATE_NULL);
  took_us = g_get_monotonic_time () - before_us;
  fail_unless (
      took_us < UNLOCK_MAX_US * SLOWNESS, "took %d ms", (int) (took_us / 1000));
}

static void
play_unanswered (Player *player, const char *path)
{
  guint requests = test_http_server_requests (server, path);

  gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
  wait_until (test_http_server_requests (server, path) > requests);
}

GST_START_TEST (test_stop_without_answer)
{
  for (guint i = 0; i < 5; i++) {
    g_autoptr (Player) player = new_player ("/silent");

    play_unanswered (player, "/silent");
    check_quick_stop (player);
  }
}

GST_END_TEST;

GST_START_TEST (test_stop_within_body)
{
  for (guint i = 0; i < 5; i++) {
    g_autoptr (Player) player = new_player ("/stalled");

    gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
    player_wait_bytes (player, 1000);
    check_quick_stop (player);
  }
}

GST_END_TEST;

/* Reading is far ahead of a player that takes nothing. */
GST_START_TEST (test_stop_while_full)
{
  g_autoptr (Player) player = new_player ("/body");

  player_set_state (player, GST_STATE_PAUSED);
  check_quick_stop (player);
}

GST_END_TEST;

/* Flushed without an answer, and then a range of another place is asked. */
GST_START_TEST (test_seek_without_answer)
{
  g_autoptr (Player) player = new_player ("/silent");
  gint64 before_us, took_us;

  play_unanswered (player, "/silent");
  before_us = g_get_monotonic_time ();
  /* Whether the server can seek is not known: the query must not wait. */
  gst_element_send_event (player->src, gst_event_new_flush_start ());
  gst_element_send_event (player->src, gst_event_new_flush_stop (TRUE));
  took_us = g_get_monotonic_time () - before_us;
  fail_unless (took_us < UNLOCK_MAX_US * SLOWNESS);
  check_quick_stop (player);
}

GST_END_TEST;

/* How many of the bytes that came are those of the body's beginning. */
static gsize
matching (Player *player)
{
  const guint8 *whole = g_bytes_get_data (body, NULL);
  gsize at = 0;

  while (at < player->bytes->len && player->bytes->data[at] == whole[at])
    at++;

  return at;
}

/* Flushed in the middle of a body, and nobody seeks: it goes on, over the same
 * answer, as a server without ranges has no other. What was on its way to the
 * sink is lost, one buffer each time at most. */
GST_START_TEST (test_flush_without_seek)
{
  g_autoptr (Player) player = new_player ("/slow");
  const guint8 *whole = g_bytes_get_data (body, NULL);
  gsize kept, rest;

  test_http_server_set (server, "/slow",
      &(TestHttpResource){ .body = body,
          .no_ranges = TRUE,
          .piece_bytes = 50000,
          .piece_delay_ms = 1 });
  g_object_set (player->sink, "async", FALSE, NULL);
  player_set_state (player, GST_STATE_PLAYING);
  player_wait_bytes (player, 1);
  fail_unless (
      gst_element_send_event (player->src, gst_event_new_flush_start ()));
  fail_unless (
      gst_element_send_event (player->src, gst_event_new_flush_stop (TRUE)));
  player_run (player);

  fail_unless (player->eos);
  kept = matching (player);
  rest = player->bytes->len - kept;
  fail_unless (
      memcmp (player->bytes->data + kept, whole + BODY_BYTES - rest, rest)
      == 0);
  fail_unless (player->bytes->len >= BODY_BYTES / 2, "%u bytes are left",
      player->bytes->len);
  fail_unless_equals_int (test_http_server_requests (server, "/slow"), 1);
}

GST_END_TEST;

/* Paused in the middle of a body, then on to its end. */
GST_START_TEST (test_pause)
{
  g_autoptr (Player) player = new_player ("/slow");

  test_http_server_set (server, "/slow",
      &(TestHttpResource){
          .body = body, .piece_bytes = 100000, .piece_delay_ms = 1 });
  player_set_state (player, GST_STATE_PLAYING);
  for (guint i = 0; i < 5; i++) {
    player_wait_bytes (player, MIN (player_count (player) + 1, BODY_BYTES));
    gst_element_set_state (player->pipeline, GST_STATE_PAUSED);
    gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
  }
  player_run (player);
  check_range (player, 0, BODY_BYTES);
  fail_unless_equals_int (test_http_server_requests (server, "/slow"), 1);
}

GST_END_TEST;

/* From 1.24 on, a live source's task stops for good, souphttpsrc's too, when
 * PLAYING comes before its thread has seen PAUSED; the next PLAYING starts it
 * again. */
static gboolean
has_stopped (Player *player)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (player->src, "src");

  return gst_pad_get_task_state (pad) == GST_TASK_PAUSED;
}

/* The same for a live source, whose reading PAUSED interrupts. */
GST_START_TEST (test_pause_live)
{
  g_autoptr (Player) player = new_player ("/slow");
  guint pauses = 0;

  test_http_server_set (server, "/slow",
      &(TestHttpResource){
          .body = body, .piece_bytes = 100000, .piece_delay_ms = 1 });
  g_object_set (player->src, "is-live", TRUE, NULL);
  player_set_state (player, GST_STATE_PLAYING);
  while (player_count (player) < BODY_BYTES) {
    guint count = player_count (player);

    wait_until (player_count (player) > count || has_stopped (player));
    if (pauses < 5 || has_stopped (player)) {
      gst_element_set_state (player->pipeline, GST_STATE_PAUSED);
      gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
      pauses++;
    }
  }
  player_run (player);
  check_range (player, 0, BODY_BYTES);
}

GST_END_TEST;

static Suite *
seeking_suite (void)
{
  Suite *suite = suite_create ("seeking");
  TCase *tests = tcase_create ("seeking");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, test_range_in_ready);
  tcase_add_test (tests, test_ranges_reuse_connection);
  tcase_add_test (tests, test_empty_range);
  tcase_add_test (tests, test_range_at_start_without_ranges);
  tcase_add_test (tests, test_range_without_ranges);
  tcase_add_test (tests, test_seek_while_paused);
  tcase_add_test (tests, test_seek_while_playing);
  tcase_add_test (tests, test_seekable_query);
  tcase_add_test (tests, test_stop_without_answer);
  tcase_add_test (tests, test_stop_within_body);
  tcase_add_test (tests, test_stop_while_full);
  tcase_add_test (tests, test_seek_without_answer);
  tcase_add_test (tests, test_flush_without_seek);
  tcase_add_test (tests, test_pause);
  tcase_add_test (tests, test_pause_live);

  return suite;
}

GST_CHECK_MAIN (seeking);

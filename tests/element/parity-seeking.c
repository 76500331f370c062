/* p2phlssrc: beside souphttpsrc: ranges, seeks, and what can be known of them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

#define BODY_BYTES (300 * 1000 + 5)

static TestHttpServer *server;
static GBytes *body;

static const char *const no_ranges[] = { "Accept-Ranges", "none", NULL };

static void
set_up (void)
{
  server = test_http_server_new ();
  body = test_http_body (BODY_BYTES, 18);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
  test_http_server_set (
      server, "/none", &(TestHttpResource){ .body = body, .no_ranges = TRUE });
  test_http_server_set (
      server, "/chunked", &(TestHttpResource){ .body = body, .chunked = TRUE });
  test_http_server_set (server, "/slow",
      &(TestHttpResource){
          .body = body, .piece_bytes = 5000, .piece_delay_ms = 1 });
  test_http_server_set (server, "/slow-chunked",
      &(TestHttpResource){ .body = body,
          .chunked = TRUE,
          .piece_bytes = 5000,
          .piece_delay_ms = 1 });
  test_http_server_set (server, "/slow-none",
      &(TestHttpResource){ .body = body,
          .no_ranges = TRUE,
          .headers = no_ranges,
          .piece_bytes = 5000,
          .piece_delay_ms = 1 });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static GBytes *
part (gint64 start, gint64 stop)
{
  start = MIN (start, BODY_BYTES);
  stop = stop < 0 ? BODY_BYTES : MIN (stop, BODY_BYTES);

  return g_bytes_new_from_bytes (body, start, MAX (stop - start, 0));
}

typedef struct
{
  gint64 start;
  gint64 stop;
  int error; /* of a server with ranges */
} Range;

/* --- before reading ------------------------------------------------------*/

static const Range ranges[] = {
  { 0, -1, 0 },
  { 0, 1, 0 },
  { 0, 70000, 0 },
  { 0, BODY_BYTES, 0 },
  { 0, BODY_BYTES + 10, 0 },
  { 1000, 5001, 0 },
  { 1000, -1, 0 },
  { 1000, BODY_BYTES, 0 },
  { 1000, BODY_BYTES + 10, 0 },
  { 100, 100, 0 },
  { BODY_BYTES - 1, -1, 0 },
  { BODY_BYTES, -1, GST_RESOURCE_ERROR_OPEN_READ },
  { BODY_BYTES + 5, -1, GST_RESOURCE_ERROR_OPEN_READ },
  { BODY_BYTES + 5, BODY_BYTES + 9, GST_RESOURCE_ERROR_OPEN_READ },
};

/* As hlsdemux asks for a byte range. */
static void
seek_in_ready (Player *player, const ParityCase *parity)
{
  const Range *range = parity->data;

  player_set_state (player, GST_STATE_READY);
  parity_seek (player, range->start, range->stop);
}

GST_START_TEST (test_range)
{
  const Range *range = &ranges[__i__];
  g_autoptr (GBytes) wanted = part (range->start, range->stop);

  /* libsoup's server logs a critical for an end beyond the body. */
  parity_check (server,
      &(ParityCase){ .path = range->stop > BODY_BYTES ? "/slow" : "/body",
          .prepare = seek_in_ready,
          .data = range,
          .body = wanted,
          .error = range->error });
}

GST_END_TEST;

static const Range starts[] = {
  { 0, -1, 0 },
  { 1, -1, 0 },
  { 1000, 5001, 0 },
  { BODY_BYTES + 5, -1, 0 },
};

/* A server that does not know of ranges sends all. souphttpsrc adds that to
 * where it wanted to begin. */
GST_START_TEST (test_range_is_ignored)
{
  static const ParityException exceptions[] = { { "duration", NULL, NULL },
    { "seekable", NULL, NULL }, { NULL } };
  const Range *range = &starts[__i__];

  parity_check (server,
      &(ParityCase){ .path = "/none",
          .prepare = seek_in_ready,
          .data = range,
          .error = range->start > 0 ? GST_RESOURCE_ERROR_SEEK : 0,
          .exceptions = range->start > 0 ? exceptions : NULL });
}

GST_END_TEST;

/* When that is more than was wanted, souphttpsrc gives more. */
GST_START_TEST (test_end_is_ignored)
{
  const Range *range = &ranges[1 + __i__];
  g_autoptr (GBytes) wanted = part (range->start, range->stop);

  g_free (parity_report (server, PARITY_OURS,
      &(ParityCase){ .path = "/none",
          .prepare = seek_in_ready,
          .data = range,
          .body = wanted }));
}

GST_END_TEST;

/* Another part than was asked for: souphttpsrc believes the status. */
GST_START_TEST (test_wrong_part)
{
  static const Range range = { 10, -1, 0 };
  ParityCase parity = {
    .path = "/wrong", .prepare = seek_in_ready, .data = &range
  };

  test_http_server_set (server, "/wrong",
      &(TestHttpResource){ .raw = "HTTP/1.1 206 Partial Content\r\n"
                                  "Content-Range: bytes 5-7/20\r\n"
                                  "Content-Length: 3\r\n\r\nabc" });
  g_free (parity_report (server, PARITY_SOUP, &parity));
  parity.error = GST_RESOURCE_ERROR_SEEK;
  g_free (parity_report (server, PARITY_OURS, &parity));
}

GST_END_TEST;

/* One that does not say which part it is. */
GST_START_TEST (test_unnamed_part)
{
  static const Range range = { 10, -1, 0 };

  test_http_server_set (server, "/unnamed",
      &(TestHttpResource){ .raw = "HTTP/1.1 206 Partial Content\r\n"
                                  "Content-Length: 3\r\n\r\nabc" });
  parity_check (server,
      &(ParityCase){
          .path = "/unnamed", .prepare = seek_in_ready, .data = &range });
}

GST_END_TEST;

/* --- queries -------------------------------------------------------------*/

static void
note_queries (Player *player)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean is_seekable = FALSE;
  gint64 start = -1, stop = -1, duration = -1;
  gboolean is_answered;

  is_answered = gst_element_query (player->src, query);
  gst_query_parse_seeking (query, NULL, &is_seekable, &start, &stop);
  g_string_append_printf (player->notes,
      "seekable %d %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ", ", is_answered,
      is_seekable, start, stop);
  is_answered =
      gst_element_query_duration (player->src, GST_FORMAT_BYTES, &duration);
  g_string_append_printf (player->notes, "duration %d %" G_GINT64_FORMAT "; ",
      is_answered, duration);
}

static void
ask_before_and_after (Player *player, const ParityCase *parity)
{
  player_set_state (player, GST_STATE_READY);
  note_queries (player);
  player_set_state (player, GST_STATE_PAUSED);
  note_queries (player);
  player_run (player);
  player_set_state (player, GST_STATE_READY);
  note_queries (player);
}

static const char *const paths[] = { "/body", "/none", "/chunked" };

GST_START_TEST (test_queries)
{
  parity_check (server,
      &(ParityCase){
          .path = paths[__i__], .play = ask_before_and_after, .body = body });
}

GST_END_TEST;

/* --- while reading -------------------------------------------------------*/

static GstPadProbeReturn
forget_at_flush (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Player *player = user_data;

  if (GST_EVENT_TYPE (info->data) != GST_EVENT_FLUSH_STOP)
    return GST_PAD_PROBE_OK;
  GST_OBJECT_LOCK (player->pipeline);
  g_byte_array_set_size (player->bytes, 0);
  player->n_buffers = player->n_stamped = 0;
  GST_OBJECT_UNLOCK (player->pipeline);

  return GST_PAD_PROBE_OK;
}

static void
forget_at_flushes (Player *player)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (player->sink, "sink");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      forget_at_flush, player, NULL);
}

static void
note_seek (Player *player, const Range *range)
{
  g_string_append_printf (player->notes, "seek %d; ",
      gst_element_send_event (player->src,
          gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
              GST_SEEK_TYPE_SET, range->start, GST_SEEK_TYPE_SET,
              range->stop)));
}

static void
seek_in_paused (Player *player, const ParityCase *parity)
{
  forget_at_flushes (player);
  player_set_state (player, GST_STATE_PAUSED);
  note_seek (player, parity->data);
  player_run (player);
}

static void
seek_while_playing (Player *player, const ParityCase *parity)
{
  forget_at_flushes (player);
  player_set_state (player, GST_STATE_PLAYING);
  player_wait_bytes (player, 1);
  note_seek (player, parity->data);
  player_run (player);
}

static void
seek_at_the_end (Player *player, const ParityCase *parity)
{
  forget_at_flushes (player);
  player_run (player);
  player->eos = FALSE;
  note_seek (player, parity->data);
  player_run (player);
}

static const Range places[] = {
  { 0, -1, 0 },
  { 200000, -1, 0 },
  { 200000, 200100, 0 },
  { BODY_BYTES - 1, -1, 0 },
};

GST_START_TEST (test_seek_in_paused)
{
  const Range *range = &places[__i__];
  g_autoptr (GBytes) wanted = part (range->start, range->stop);

  parity_check (server,
      &(ParityCase){ .path = "/body",
          .play = seek_in_paused,
          .data = range,
          .body = wanted,
          .any_connection = TRUE });
}

GST_END_TEST;

GST_START_TEST (test_seek_while_playing)
{
  const Range *range = &places[__i__];
  g_autoptr (GBytes) wanted = part (range->start, range->stop);

  parity_check (server,
      &(ParityCase){ .path = "/slow",
          .play = seek_while_playing,
          .data = range,
          .body = wanted,
          .any_connection = TRUE });
}

GST_END_TEST;

GST_START_TEST (test_seek_at_the_end)
{
  const Range *range = &places[__i__];
  g_autoptr (GBytes) wanted = part (range->start, range->stop);

  parity_check (server,
      &(ParityCase){ .path = "/body",
          .play = seek_at_the_end,
          .data = range,
          .body = wanted });
}

GST_END_TEST;

static const Range beyond[] = {
  { BODY_BYTES, -1, 0 },
  { BODY_BYTES + 7, -1, 0 },
};

/* souphttpsrc asks without the end, and gives more. */
GST_START_TEST (test_seek_to_a_part_of_the_start)
{
  static const Range range = { 0, 1000, 0 };
  g_autoptr (GBytes) wanted = part (range.start, range.stop);

  g_free (parity_report (server, PARITY_OURS,
      &(ParityCase){ .path = "/body",
          .play = seek_in_paused,
          .data = &range,
          .body = wanted }));
}

GST_END_TEST;

/* All was there, and nothing follows: the end, once more. */
GST_START_TEST (test_seek_beyond_at_the_end)
{
  parity_check (server,
      &(ParityCase){
          .path = "/body", .play = seek_at_the_end, .data = &beyond[__i__] });
}

GST_END_TEST;

/* Without a flush, which would have taken the segment away. */
static void
try_odd_seek (Player *player, double rate, GstFormat format)
{
  g_string_append_printf (player->notes, "%g in %d: %d; ", rate, format,
      gst_element_send_event (player->src,
          gst_event_new_seek (rate, format, 0, GST_SEEK_TYPE_SET, 1000,
              GST_SEEK_TYPE_SET, 2000)));
}

static void
seek_in_vain (Player *player, const ParityCase *parity)
{
  player_set_state (player, GST_STATE_PLAYING);
  player_wait_bytes (player, 1);
  if (parity->data == NULL)
    try_odd_seek (player, 1.0, GST_FORMAT_BYTES);
  try_odd_seek (player, -1.0, GST_FORMAT_BYTES);
  try_odd_seek (player, 1.0, GST_FORMAT_TIME);
  player_run (player);
}

static const char *const vain_paths[] = { "/slow", "/slow-none",
  "/slow-chunked" };

/* Where the server cannot, nobody can; only forward; only in bytes. */
GST_START_TEST (test_seek_in_vain)
{
  parity_check (server,
      &(ParityCase){ .path = vain_paths[__i__],
          .play = seek_in_vain,
          .data = __i__ == 0 ? "bytes will do" : NULL,
          .body = body });
}

GST_END_TEST;

/* Each range asks the first place again, and is sent on. */
GST_START_TEST (test_seek_after_redirect)
{
  g_autoptr (GBytes) wanted = part (200000, -1);

  test_http_server_set (server, "/moved",
      &(TestHttpResource){ .status = 302, .location = "/body" });
  parity_check (server,
      &(ParityCase){ .path = "/moved",
          .play = seek_at_the_end,
          .data = &places[1],
          .body = wanted });
}

GST_END_TEST;

static Suite *
parity_seeking_suite (void)
{
  Suite *suite = suite_create ("parity-seeking");
  TCase *tests = tcase_create ("seeking");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_range, 0, G_N_ELEMENTS (ranges));
  tcase_add_loop_test (tests, test_range_is_ignored, 0, G_N_ELEMENTS (starts));
  tcase_add_loop_test (tests, test_end_is_ignored, 0, 4);
  tcase_add_test (tests, test_wrong_part);
  tcase_add_test (tests, test_unnamed_part);
  tcase_add_loop_test (tests, test_queries, 0, G_N_ELEMENTS (paths));
  tcase_add_loop_test (tests, test_seek_in_paused, 0, G_N_ELEMENTS (places));
  tcase_add_loop_test (
      tests, test_seek_while_playing, 0, G_N_ELEMENTS (places));
  tcase_add_loop_test (tests, test_seek_at_the_end, 0, G_N_ELEMENTS (places));
  tcase_add_loop_test (
      tests, test_seek_beyond_at_the_end, 0, G_N_ELEMENTS (beyond));
  tcase_add_test (tests, test_seek_to_a_part_of_the_start);
  tcase_add_loop_test (tests, test_seek_in_vain, 0, G_N_ELEMENTS (vain_paths));
  tcase_add_test (tests, test_seek_after_redirect);

  return suite;
}

GST_CHECK_MAIN (parity_seeking);

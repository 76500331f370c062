/* p2phlssrc: tests of a shared stream: what is kept, told and left.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-PM0500-alice0000000"

/* Plays segment @id, waiting for the origin's turn. */
static void
play_sized (FakePorts *fake, gint64 id, gsize size)
{
  FakeRequest *request = fake_request_segment (fake, id);

  for (guint i = 0; !request->ended && i < 100; i++) {
    fake_advance (fake, 50 * 1000);
    fake_http_answer_all (fake);
  }
  fake_assert_segment (request, id, size);
}

static void
play (FakePorts *fake, gint64 id)
{
  play_sized (fake, id, SIZE);
}

/* The last announcement @conn has heard. Returns: (transfer full) (nullable):
 * the loaded ids; %NULL for an empty one. */
static GArray *
last_announced (FakeConn *conn, guint *n_announcements)
{
  P2pCommand command;
  GArray *loaded = NULL;

  *n_announcements = 0;
  while (fake_conn_find (conn, P2P_COMMAND_ANNOUNCE, &command)) {
    ++*n_announcements;
    g_clear_pointer (&loaded, g_array_unref);
    loaded = g_steal_pointer (&command.loaded);
    p2p_command_clear (&command);
  }

  return loaded;
}

static gboolean
is_absent (FakePorts *fake, FakeConn *conn, gint64 id)
{
  static gint64 request = 500;
  P2pCommand command;

  fake_conn_request (fake, conn, id, ++request, 0);
  while (fake_conn_next (conn, &command)) {
    P2pCommandKind kind = command.kind;
    gint64 answers = command.request_id;

    p2p_command_clear (&command);
    if (answers != request)
      continue;
    if (kind == P2P_COMMAND_ABSENT)
      return TRUE;
    if (kind == P2P_COMMAND_DATA)
      return FALSE;
  }
  g_assert_not_reached ();
}

/* --- what is kept ------------------------------------------------------------ */

static void
test_the_bound_is_kept (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;

  config.cache_bytes = 5 * SIZE + SIZE / 2;
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  for (gint64 id = 4; id < 20; id++) {
    g_autoptr (P2pStats) stats = NULL;

    play (fake, id);
    stats = fake_stats (fake);
    g_assert_cmpuint (stats->stored_bytes, <=, config.cache_bytes);
    g_assert_cmpuint (stats->segments_stored, >=, 4);
  }
  /* What was played longest ago has made room. */
  g_assert_cmpuint (fake_http_segment_count (fake, 19), ==, 1);
  fake_request_segment (fake, 19);
  g_assert_null (fake_http_segment (fake, 19));
  fake_request_segment (fake, 0);
  g_assert_nonnull (fake_http_segment (fake, 0));
}

/* Plays five segments of @size as fast as they come. Returns: what is stored
 * then, in bytes. */
static guint64
play_five (FakePorts *fake, gint64 first, gsize size)
{
  g_autoptr (P2pStats) stats = NULL;

  for (gint64 id = first; id < first + 5; id++) {
    g_hash_table_insert (
        fake->origin, fake_segment_uri (id), fake_segment (id, size));
    play_sized (fake, id, size);
  }
  stats = fake_stats (fake);

  return stats->stored_bytes;
}

/* Before a tracker has let us in nobody can ask, and little is kept. From then
 * on it may be more, but not at once. */
static void
test_alone_little_is_kept (void)
{
  const gsize size = P2P_STORE_ALONE_BYTES / 3;
  const gint64 grow_us =
      2 * size / P2P_STORE_GROWTH_BYTES_PER_MS * G_TIME_SPAN_MILLISECOND;
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;

  config.cache_bytes = 7 * size;
  fake = fake_ports_new (&config);
  fake_publish (fake, 0, 40, FALSE);
  fake_load_playlist (fake);
  g_assert_cmpuint (play_five (fake, 0, size), ==, 3 * size);
  fake_tracker_up (fake);
  g_assert_cmpuint (play_five (fake, 5, size), ==, 3 * size);
  fake_advance (fake, grow_us);
  g_assert_cmpuint (play_five (fake, 10, size), ==, 5 * size);
  fake_advance (fake, 10 * grow_us);
  g_assert_cmpuint (play_five (fake, 15, size), ==, 7 * size);
  g_assert_cmpuint (play_five (fake, 20, size), ==, 7 * size);
}

static void
test_evictions_are_announced (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *conn;

  config.cache_bytes = 5 * SIZE + SIZE / 2;
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, ALICE);
  for (gint64 id = 4; id < 20; id++) {
    g_autoptr (GArray) loaded = NULL;
    guint n;

    play (fake, id);
    loaded = last_announced (conn, &n);
    g_assert_nonnull (loaded);
    /* Each that is announced is there. */
    for (guint i = 0; i < loaded->len; i++)
      g_assert_false (
          is_absent (fake, conn, g_array_index (loaded, gint64, i)));
  }
}

/* A bound below one segment stores nothing and harms nobody. */
static void
test_tiny_cache (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  g_autoptr (P2pStats) stats = NULL;

  config.cache_bytes = 1000;
  fake = fake_ports_playing (&config);
  fake_connect (fake, ALICE);
  for (gint64 id = 4; id < 10; id++)
    play (fake, id);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->stored_bytes, <=, 1000);
}

/* What is being sent, or handed over, stays until it is. */
static void
test_what_is_in_use_stays (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  g_autoptr (GBytes) expected = fake_segment (0, SIZE);
  P2pCommand command;
  FakeConn *conn;

  config.cache_bytes = 5 * SIZE;
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, ALICE);
  conn->deaf = TRUE;
  fake_conn_request (fake, conn, 0, 1, 0);
  fake_conn_request (fake, conn, 0, 2, 0);
  g_assert_true (conn->was_high);
  for (gint64 id = 4; id < 20; id++)
    play (fake, id);
  while (conn->was_high)
    fake_conn_low_water (fake, conn);
  do
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_DATA, &command));
  while (command.request_id != 2);
  g_byte_array_set_size (conn->data, 0);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_COMPLETED, &command));
  g_assert_cmpmem (conn->data->data, conn->data->len,
      g_bytes_get_data (expected, NULL), SIZE);
  play (fake, 20);
  g_assert_true (is_absent (fake, conn, 0));
}

static void
test_live_window_moves (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autoptr (GArray) loaded = NULL;
  FakeConn *conn = NULL;
  guint n;

  for (gint64 first = 100; first < 110; first++) {
    fake_publish (fake, first, 6, TRUE);
    fake_load_playlist (fake);
    play (fake, first + 2);
    if (first == 100)
      conn = fake_connect (fake, ALICE);
    fake_advance (fake, FAKE_SEGMENT_US);
    fake_http_answer_all (fake);
  }
  loaded = last_announced (conn, &n);
  g_assert_cmpuint (loaded->len, >, 0);
  g_assert_cmpint (g_array_index (loaded, gint64, 0), >=, 109);
  g_assert_true (is_absent (fake, conn, 105));
  /* Told at once, not with the next event. */
  fake_publish (fake, 130, 6, TRUE);
  fake_load_playlist (fake);
  g_assert_null (last_announced (conn, &n));
  g_assert_cmpuint (n, >, 0);
}

/* --- what is told --------------------------------------------------------------- */

/* v2 counts a VOD playlist's segments from 0, v3 as the playlist does. */
static void
check_ids (P2pProtocol protocol, gint64 expected)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  g_autoptr (GArray) loaded = NULL;
  FakeConn *conn;
  P2pCommand asked;
  guint n;

  config.protocols = protocol;
  fake = fake_ports_new (&config);
  fake_publish (fake, 1000, 20, FALSE);
  fake_load_playlist (fake);
  for (gint64 id = 1000; id < 1004; id++)
    play (fake, id);
  conn = fake_connect (fake, ALICE);
  loaded = last_announced (conn, &n);
  g_assert_cmpuint (loaded->len, ==, 4);
  g_assert_cmpint (g_array_index (loaded, gint64, 0), ==, expected);
  g_assert_false (is_absent (fake, conn, expected + 3));
  conn->read = conn->messages->len;
  fake_conn_has (fake, conn, expected + 9);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, expected + 9);
}

static void
test_ids_of_both_generations (void)
{
  check_ids (P2P_PROTOCOL_V3, 1000);
  check_ids (P2P_PROTOCOL_V2, 0);
}

static void
test_upload_off_and_on (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  g_autoptr (GArray) before = last_announced (conn, &(guint){ 0 });
  g_autoptr (GArray) without = NULL;
  g_autoptr (GArray) after = NULL;
  P2pCommand command;
  guint n;

  g_assert_cmpuint (before->len, ==, 4);
  conn->deaf = TRUE;
  fake_conn_request (fake, conn, 0, 1, 0);
  conn->deaf = FALSE;
  fake->config.upload = FALSE;
  fake_configure (fake);
  /* The uplink is the user's: what was under way ends, and says so. */
  fake_conn_low_water (fake, conn);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_ABSENT, &command));
  g_assert_cmpint (command.request_id, ==, 1);
  conn->read = 0;
  g_clear_pointer (&without, g_array_unref);
  without = last_announced (conn, &n);
  g_assert_null (without);
  g_assert_true (is_absent (fake, conn, 0));
  /* One empty announcement, whatever is stored after it. */
  conn->read = conn->messages->len;
  for (gint64 id = 4; id < 8; id++)
    play (fake, id);
  g_assert_null (last_announced (conn, &n));
  g_assert_cmpuint (n, ==, 0);

  fake->config.upload = TRUE;
  fake_configure (fake);
  after = last_announced (conn, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (after->len, >=, 8);
  g_assert_false (is_absent (fake, conn, 0));
}

static void
test_without_upload_nothing_is_told (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *conn;
  P2pCommand asked;

  config.upload = FALSE;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, ALICE);
  g_assert_cmpuint (conn->messages->len, ==, 0);
  /* Others may still give. */
  fake_conn_has (fake, conn, 4);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  fake_conn_serve (fake, conn, &asked);
  play (fake, 4);
  g_assert_cmpuint (fake_http_segment_count (fake, 4), ==, 0);
}

/* --- what is left ------------------------------------------------------------------ */

static void
switch_off (FakePorts *fake)
{
  fake->config.p2p = FALSE;
  fake_configure (fake);
}

/* P2P goes off in the middle of a segment: the rest comes over HTTP. */
static void
test_off_while_a_peer_sends (void)
{
  for (guint how = 0; how < 3; how++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    P2pCommand asked;
    FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
    FakeRequest *request = fake_request_segment (fake, 4);
    FakeHttp *http;

    fake_conn_data (fake, conn, &asked, SIZE);
    fake_conn_segment (fake, conn, &asked, 0, 120000);
    switch_off (fake);
    g_assert_true (conn->over);
    http = fake_http_segment (fake, 4);
    g_assert_cmpuint (http->range.start, ==, 120000);
    if (how == 0) {
      fake_http_answer (fake, http);
    } else if (how == 1) {
      /* One that refuses them. */
      fake_http_fail (fake, http, P2P_HTTP_FAILURE_STATUS, 416, "No ranges");
      fake_http_answer_all (fake);
    } else {
      g_autoptr (GBytes) bytes = fake_segment (4, SIZE);

      /* A server without ranges. */
      fake_http_headers (fake, http, 200, 0, SIZE);
      fake_http_data (fake, http, g_bytes_get_data (bytes, NULL), SIZE);
      fake_http_done (fake, http);
    }
    fake_assert_segment (request, 4, SIZE);
  }
}

static void
test_off_while_http_sends (void)
{
  for (guint how = 0; how < 3; how++) {
    gsize so_far = how == 0 ? 0 : how == 1 ? 120000 : SIZE;
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    FakeRequest *request = fake_request_segment (fake, 4);
    FakeHttp *http = fake_http_segment (fake, 4);
    g_autoptr (GBytes) bytes = fake_http_begin (fake, http);

    fake_http_data (fake, http, g_bytes_get_data (bytes, NULL), so_far);
    switch_off (fake);
    fake_http_answer_all (fake);
    fake_assert_segment (request, 4, SIZE);
  }
}

static void
test_off_while_it_waits (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  gint64 id = 4;
  FakeConn *conn = fake_connect (fake, ALICE);
  FakeRequest *request;

  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  request = fake_request_segment (fake, 4);
  g_assert_null (fake_http_segment (fake, 4));
  switch_off (fake);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

/* What is stored need not be fetched again. */
static void
test_off_while_paced (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake_publish_variants (fake);
  fake_load_playlist (fake);
  fake_request_segment (fake, 3);
  fake_advance (fake, FAKE_SEGMENT_US);
  fake_http_answer_all (fake);
  request = fake_request_segment (fake, 3);
  fake_advance (fake, 1);
  g_assert_false (request->ended);
  switch_off (fake);
  fake_advance (fake, 1);
  fake_assert_segment (request, 3, SIZE);
  g_assert_cmpuint (fake_http_segment_count (fake, 3), ==, 1);
}

/* Many at once, from one share. */
static void
test_off_with_many_requests (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *requests[40];

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++) {
    fake->consumer = i;
    requests[i] = fake_request_segment (fake, i);
  }
  switch_off (fake);
  fake_advance (fake, FAKE_SEGMENT_US);
  fake_http_answer_all (fake);
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    fake_assert_segment (requests[i], i, SIZE);
}

static void
test_off_and_on_again (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);

  for (gint64 id = 4; id < 12; id++) {
    fake->config.p2p = id % 2;
    fake_configure (fake);
    play (fake, id);
  }
  g_assert_nonnull (fake_connect (fake, ALICE));
}

static void
test_off_keeps_nothing (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  g_autoptr (P2pStats) stats = NULL;

  fake->config.p2p = FALSE;
  fake_configure (fake);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->stored_bytes, ==, 0);
  g_assert_cmpuint (stats->segments_stored, ==, 0);
  play (fake, 0);
}

/* The playlist was on its way before. */
static void
test_off_before_the_playlist_is_read (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autoptr (GBytes) body = NULL;
  FakeRequest *request;
  FakeHttp *http;

  fake_publish (fake, 0, 40, FALSE);
  request = fake_request (fake, FAKE_PLAYLIST);
  http = fake_http (fake, FAKE_PLAYLIST);
  body = fake_http_begin (fake, http);
  fake->config.p2p = FALSE;
  fake_configure (fake);
  fake_http_data (
      fake, http, g_bytes_get_data (body, NULL), g_bytes_get_size (body));
  fake_http_done (fake, http);
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_true (request->ended);
  g_assert_cmpmem (request->body->data, request->body->len,
      g_bytes_get_data (body, NULL), g_bytes_get_size (body));
  g_assert_cmpuint (fake->sockets->len, ==, 0);
}

static guint
swarms (FakePorts *fake)
{
  g_autoptr (P2pStats) stats = fake_stats (fake);

  return stats->swarms->len;
}

/* The rendition left behind is seeded for a while, and then left. */
static void
test_rendition_is_left (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeConn *conn;

  fake_publish_variants (fake);
  fake_load_playlist (fake);
  conn = fake_connect (fake, ALICE);
  play (fake, 0);
  g_assert_cmpuint (swarms (fake), ==, 1);
  fake_request (fake, FAKE_ORIGIN "stream/high.m3u8");
  fake_http_answer_all (fake);
  g_assert_cmpuint (swarms (fake), ==, 2);
  for (guint i = 1; i < 21; i++) {
    g_autofree char *uri = g_strdup_printf (FAKE_ORIGIN "stream/high%u.ts", i);
    FakeRequest *request = fake_request (fake, uri);

    fake_http_answer_all (fake);
    fake_assert_segment (request, 1000 + i, SIZE);
    fake_advance (fake, FAKE_SEGMENT_US);
    if (i == 10)
      g_assert_false (is_absent (fake, conn, 0));
  }
  g_assert_true (conn->over);
  g_assert_cmpuint (swarms (fake), ==, 1);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/share/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("the-bound-is-kept", test_the_bound_is_kept);
  ADD ("alone-little-is-kept", test_alone_little_is_kept);
  ADD ("evictions-are-announced", test_evictions_are_announced);
  ADD ("tiny-cache", test_tiny_cache);
  ADD ("what-is-in-use-stays", test_what_is_in_use_stays);
  ADD ("live-window-moves", test_live_window_moves);
  ADD ("ids-of-both-generations", test_ids_of_both_generations);
  ADD ("upload-off-and-on", test_upload_off_and_on);
  ADD ("without-upload-nothing-is-told", test_without_upload_nothing_is_told);
  ADD ("off-while-a-peer-sends", test_off_while_a_peer_sends);
  ADD ("off-while-http-sends", test_off_while_http_sends);
  ADD ("off-while-it-waits", test_off_while_it_waits);
  ADD ("off-while-paced", test_off_while_paced);
  ADD ("off-with-many-requests", test_off_with_many_requests);
  ADD ("off-and-on-again", test_off_and_on_again);
  ADD ("off-keeps-nothing", test_off_keeps_nothing);
  ADD ("off-before-the-playlist-is-read", test_off_before_the_playlist_is_read);
  ADD ("rendition-is-left", test_rendition_is_left);

  return g_test_run ();
}

/* p2phlssrc: tests of one segment that comes from one source after another.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-PM0500-alice0000000"
#define BOB "-PM0500-bob000000000"

static void
feed (FakePorts *fake, FakeHttp *http, gint64 id, gsize from, gsize length)
{
  g_autoptr (GBytes) bytes = fake_segment (id, MAX (SIZE, from + length));
  const char *data = g_bytes_get_data (bytes, NULL);

  fake_http_data (fake, http, data + from, length);
}

/* --- the origin alone -------------------------------------------------------- */

static void
test_bytes_flow_as_they_arrive (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);

  g_assert_true (p2p_range_is_all (&http->range));
  fake_http_headers (fake, http, 200, 0, SIZE);
  feed (fake, http, 4, 0, 1000);
  g_assert_cmpuint (request->body->len, ==, 1000);
  g_assert_cmpuint (request->headers->content_length, ==, SIZE);
  feed (fake, http, 4, 1000, SIZE - 1000);
  fake_http_done (fake, http);
  fake_assert_segment (request, 4, SIZE);
}

/* hlsdemux takes "//host/path" for a path on the playlist's host. It is that
 * segment, and is asked for where HTTP alone would have: sometimes the playlist
 * is what is wrong. */
static void
test_network_path (void)
{
  static const char text[] = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
                             "#EXTINF:2,\n//cdn.test/s.ts\n#EXT-X-ENDLIST\n";
  static const char joined[] = FAKE_ORIGIN "/cdn.test/s.ts";
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autoptr (P2pStats) stats = NULL;
  FakeRequest *request;

  g_hash_table_insert (fake->origin, g_strdup (FAKE_PLAYLIST),
      g_bytes_new_static (text, strlen (text)));
  g_hash_table_insert (fake->origin, g_strdup (joined), fake_segment (0, SIZE));
  fake_load_playlist (fake);
  request = fake_request (fake, joined);
  g_assert_nonnull (fake_http (fake, joined));
  fake_http_answer (fake, fake_http (fake, joined));
  fake_assert_segment (request, 0, SIZE);
  request = fake_request (fake, "http://cdn.test/s.ts");
  fake_advance (fake, 1000);
  fake_assert_segment (request, 0, SIZE);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->registry_misses, ==, 0);
  g_assert_cmpuint (stats->http_segments, ==, 1);
}

static void
test_length_unknown (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);

  fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
  feed (fake, http, 4, 0, 5000);
  fake_http_done (fake, http);
  fake_assert_segment (request, 4, 5000);
}

static void
test_joins_what_is_under_way (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *first = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);
  FakeRequest *second;

  fake_http_headers (fake, http, 200, 0, SIZE);
  feed (fake, http, 4, 0, 50000);
  fake->consumer = 2;
  second = fake_request_segment (fake, 4);
  g_assert_cmpuint (second->body->len, ==, 50000);
  feed (fake, http, 4, 50000, 50000);
  g_assert_cmpuint (second->body->len, ==, 100000);
  /* One of them leaves. */
  fake_request_cancel (fake, first);
  g_assert_false (http->over);
  feed (fake, http, 4, 100000, SIZE - 100000);
  fake_http_done (fake, http);
  fake_assert_segment (second, 4, SIZE);
  g_assert_cmpuint (fake_http_segment_count (fake, 4), ==, 1);
}

static void
test_retries_from_the_byte_reached (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);

  fake_http_headers (fake, http, 200, 0, SIZE);
  feed (fake, http, 4, 0, 70000);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "reset");
  fake_advance (fake, G_USEC_PER_SEC);
  http = fake_http_segment (fake, 4);
  g_assert_cmpuint (http->range.start, ==, 70000);
  fake_http_answer (fake, http);
  fake_assert_segment (request, 4, SIZE);
}

static void
test_fails_as_the_origin_does (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeRequest *again;

  fake_http_fail (fake, fake_http_segment (fake, 4), P2P_HTTP_FAILURE_STATUS,
      404, "Not Found");
  g_assert_nonnull (request->failure);
  g_assert_cmpuint (request->failure->status, ==, 404);
  g_assert_cmpuint (fake_http_segment_count (fake, 4), ==, 1);
  /* The demuxer tries again. */
  again = fake_request_segment (fake, 4);
  fake_http_answer_all (fake);
  fake_assert_segment (again, 4, SIZE);
}

static void
test_gives_up_after_retries (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);

  for (guint i = 0; i < 4; i++) {
    FakeHttp *http = fake_http_segment (fake, 4);

    g_assert_null (request->failure);
    fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
    fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "connection reset");
    fake_advance (fake, G_USEC_PER_SEC);
  }
  g_assert_nonnull (request->failure);
  g_assert_cmpstr (request->failure->reason, ==, "connection reset");
  g_assert_cmpuint (fake_http_segment_count (fake, 4), ==, 4);
}

/* The adapter tells short from whole, but the totals decide. */
static void
test_short_body_is_no_segment (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);

  fake_http_headers (fake, http, 200, 0, SIZE);
  feed (fake, http, 4, 0, 5000);
  fake_http_done (fake, http);
  g_assert_false (request->ended);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

/* How an origin may answer who wants the rest of what broke off. */
typedef enum
{
  REST_REFUSED,
  REST_IGNORED, /* the whole comes */
  REST_MISNAMED,
} Rest;

static void
answer_rest (FakePorts *fake, Rest rest, guint64 length)
{
  FakeHttp *http = fake_http_segment (fake, 4);

  g_assert_nonnull (http);
  g_assert_cmpuint (http->range.start, ==, SIZE);
  switch (rest) {
    case REST_REFUSED:
      fake_http_fail (
          fake, http, P2P_HTTP_FAILURE_STATUS, 416, "Range Not Satisfiable");
      break;
    case REST_MISNAMED:
      fake_http_headers (fake, http, 206, SIZE - 1, length - SIZE);
      break;
    case REST_IGNORED:
      fake_http_headers (fake, http, 200, 0, length);
      return;
  }
  g_assert_true (http->over);
  http = fake_http_segment (fake, 4);
  g_assert_nonnull (http);
  g_assert_true (p2p_range_is_all (&http->range));
  fake_http_headers (fake, http, 200, 0, length);
}

/* The body ends early, of what is said to be @length long; then the rest is
 * asked for in vain, and the whole is on its way. */
static FakeRequest *
break_off (FakePorts *fake, Rest rest, guint64 length)
{
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);

  fake_http_headers (fake, http, 200, 0, length);
  feed (fake, http, 4, 0, SIZE);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_SHORT, 0, "short");
  fake_advance (fake, G_USEC_PER_SEC);
  answer_rest (fake, rest, length);

  return request;
}

static void
assert_refusal (FakeRequest *request, Rest rest)
{
  g_assert_nonnull (request->failure);
  g_assert_cmpint (request->failure->kind, ==,
      rest == REST_REFUSED ? P2P_HTTP_FAILURE_STATUS : P2P_HTTP_FAILURE_RANGE);
  g_assert_cmpuint (request->failure->status, ==,
      rest == REST_REFUSED       ? 416
          : rest == REST_IGNORED ? 200
                                 : 206);
  g_assert_cmpuint (request->body->len, ==, SIZE);
}

/* HTTP alone could not go on either: its error, and its bytes. */
static void
check_no_rest (Rest rest)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = break_off (fake, rest, SIZE + 1000);

  feed (fake, fake_http_segment (fake, 4), 4, 0, SIZE);
  fake_http_fail (fake, fake_http_segment (fake, 4), P2P_HTTP_FAILURE_SHORT, 0,
      "short again");
  assert_refusal (request, rest);
  g_assert_cmpuint (
      fake_http_segment_count (fake, 4), ==, rest == REST_IGNORED ? 2 : 3);

  /* The demuxer tries again: what is here comes, and the same error. */
  request = fake_request_segment (fake, 4);
  fake_advance (fake, 1000);
  answer_rest (fake, rest, SIZE + 1000);
  feed (fake, fake_http_segment (fake, 4), 4, 0, SIZE);
  fake_http_fail (fake, fake_http_segment (fake, 4), P2P_HTTP_FAILURE_SHORT, 0,
      "short again");
  assert_refusal (request, rest);
}

static void
test_no_rest_refused (void)
{
  check_no_rest (REST_REFUSED);
}

static void
test_no_rest_ignored (void)
{
  check_no_rest (REST_IGNORED);
}

static void
test_no_rest_misnamed (void)
{
  check_no_rest (REST_MISNAMED);
}

/* The whole gives what the rest would have given: no byte twice. */
static void
test_whole_for_the_rest (void)
{
  for (Rest rest = REST_REFUSED; rest <= REST_MISNAMED; rest++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    FakeRequest *request = break_off (fake, rest, SIZE + 3000);

    /* It breaks off too, but further on. */
    feed (fake, fake_http_segment (fake, 4), 4, 0, SIZE + 1000);
    fake_http_fail (fake, fake_http_segment (fake, 4), P2P_HTTP_FAILURE_SHORT,
        0, "short again");
    fake_advance (fake, G_USEC_PER_SEC);
    g_assert_true (p2p_range_is_all (&fake_http_segment (fake, 4)->range));
    fake_http_headers (fake, fake_http_segment (fake, 4), 200, 0, SIZE + 3000);
    feed (fake, fake_http_segment (fake, 4), 4, 0, SIZE + 3000);
    fake_http_done (fake, fake_http_segment (fake, 4));
    fake_assert_segment (request, 4, SIZE + 3000);
  }
}

/* Of the whole not a byte came: that is no answer yet. */
static void
test_whole_is_asked_for_again (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = break_off (fake, REST_REFUSED, SIZE + 1000);

  fake_http_fail (fake, fake_http_segment (fake, 4), P2P_HTTP_FAILURE_SHORT, 0,
      "short again");
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_null (request->failure);
  fake_http_headers (fake, fake_http_segment (fake, 4), 200, 0, SIZE + 1000);
  feed (fake, fake_http_segment (fake, 4), 4, 0, SIZE + 1000);
  fake_http_done (fake, fake_http_segment (fake, 4));
  fake_assert_segment (request, 4, SIZE + 1000);
}

/* What is here is not held back for the sake of a pace: HTTP alone would have
 * given it before it failed. */
static void
test_all_that_is_here_before_the_failure (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;
  FakeHttp *http;

  fake_publish_variants (fake);
  fake_load_playlist (fake);
  /* A network that is too slow for the other variant. */
  request = fake_request_segment (fake, 0);
  http = fake_http_segment (fake, 0);
  fake_http_headers (fake, http, 200, 0, SIZE);
  for (gsize at = 0; at < SIZE; at += 20000) {
    fake_advance (fake, 150 * 1000);
    feed (fake, http, 0, at, 20000);
  }
  fake_http_done (fake, http);
  fake_assert_segment (request, 0, SIZE);
  for (guint i = 0; i < 2; i++) {
    fake_advance (fake, G_USEC_PER_SEC);
    request = fake_request_segment (fake, 1);
    while (request->failure == NULL) {
      http = fake_http_segment (fake, 1);
      g_assert_nonnull (http);
      if (http->range.start > 0) {
        fake_http_fail (fake, http, P2P_HTTP_FAILURE_STATUS, 404, "Not Found");
        continue;
      }
      fake_http_headers (fake, http, 200, 0, SIZE);
      feed (fake, http, 1, 0, 50000);
      fake_http_fail (fake, http, P2P_HTTP_FAILURE_SHORT, 0, "short");
    }
    g_assert_cmpuint (request->failure->status, ==, 404);
    g_assert_cmpuint (request->body->len, ==, 50000);
  }
}

static void
test_empty_segment (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);

  while (!request->ended) {
    FakeHttp *http = fake_http_segment (fake, 4);

    g_assert_cmpuint (fake_http_segment_count (fake, 4), <=, 2);
    fake_http_headers (fake, http, 200, 0, 0);
    fake_http_done (fake, http);
  }
  g_assert_cmpuint (request->body->len, ==, 0);
  g_assert_null (request->failure);
}

/* Nobody asks the origin for an empty segment over and over. */
static void
test_empty_prefetch (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);

  fake_connect (fake, ALICE);
  fake_request_segment (fake, 4);
  for (guint second = 0; second < 30; second++) {
    for (guint i = 0; i < fake->https->len; i++) {
      FakeHttp *http = fake->https->pdata[i];

      if (http->over)
        continue;
      fake_http_headers (fake, http, 200, 0, 0);
      fake_http_done (fake, http);
    }
    fake_advance (fake, G_USEC_PER_SEC);
  }
  for (gint64 id = 5; id < 40; id++)
    g_assert_cmpuint (fake_http_segment_count (fake, id), <=, 1);
}

/* Over the bound a segment is not stored, and not lost either. */
static void
test_too_large_to_share (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);
  gsize piece = 8 * 1024 * 1024;
  g_autofree char *data = g_malloc (piece);
  g_autoptr (P2pStats) stats = NULL;

  memset (data, 0x55, piece);
  fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
  while (!http->over)
    fake_http_data (fake, http, data, piece);
  http = fake_http_segment (fake, 4);
  g_assert_nonnull (http);
  g_assert_cmpuint (http->range.start, ==, request->body->len);
  fake_http_headers (fake, http, 206, http->range.start, 10);
  fake_http_data (fake, http, data, 10);
  fake_http_done (fake, http);
  g_assert_true (request->ended);
  g_assert_cmpuint (request->body->len, ==, http->range.start + 10);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->stored_bytes, <=, fake->config.cache_bytes);
}

static void
test_cancel_alone (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);

  fake_request_cancel (fake, request);
  g_assert_true (http->cancelled);
}

/* Peers have heard that we fetch it, and wait. */
static void
test_cancel_with_peers (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);
  g_autoptr (P2pStats) stats = NULL;

  fake_connect (fake, ALICE);
  fake_request_cancel (fake, request);
  g_assert_false (http->over);
  fake_http_answer (fake, http);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->segments_stored, >=, 5);
}

/* --- peers ------------------------------------------------------------------- */

static void
test_from_a_peer (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  g_autoptr (P2pStats) stats = NULL;
  P2pCommand asked;
  FakeRequest *request;

  fake_conn_has (fake, conn, 4);
  /* It is prefetched from her; the player joins. */
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.byte_from, ==, 0);
  request = fake_request_segment (fake, 4);
  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 1000);
  g_assert_cmpuint (request->body->len, ==, 1000);
  fake_conn_segment (fake, conn, &asked, 1000, SIZE - 1000);
  fake_assert_segment (request, 4, SIZE);
  fake_conn_completed (fake, conn, &asked);
  g_assert_false (conn->over);
  g_assert_cmpuint (fake_http_segment_count (fake, 4), ==, 0);

  stats = fake_stats (fake);
  g_assert_cmpuint (stats->p2p_bytes, ==, SIZE);
  g_assert_cmpuint (stats->p2p_segments, ==, 1);
  g_assert_cmpuint (stats->http_segments, ==, 4);
  g_assert_cmpuint (stats->http_bytes, ==, 4 * SIZE);
  g_assert_cmpuint (stats->segments_stored, ==, 5);
}

/* The peer dries up, the origin goes on from the byte where it stopped. */
static void
check_takeover (gboolean whole)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  g_autoptr (P2pStats) stats = NULL;
  P2pCommand asked, cancel;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http;

  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 120000);
  g_assert_null (fake_http_segment (fake, 4));
  fake_advance (fake, 2 * G_USEC_PER_SEC);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_CANCEL, &cancel));
  g_assert_cmpint (cancel.request_id, ==, asked.request_id);

  http = fake_http_segment (fake, 4);
  g_assert_nonnull (http);
  g_assert_cmpuint (http->range.start, ==, 120000);
  if (whole) {
    fake_http_headers (fake, http, 200, 0, SIZE);
    feed (fake, http, 4, 0, 100000);
    feed (fake, http, 4, 100000, SIZE - 100000);
    fake_http_done (fake, http);
  } else {
    fake_http_answer (fake, http);
  }
  fake_assert_segment (request, 4, SIZE);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->overhead_bytes, ==, whole ? 120000 : 0);
  g_assert_cmpuint (stats->p2p_bytes, ==, 120000);
  g_assert_cmpuint (stats->http_bytes, ==, 4 * SIZE + SIZE - 120000);
  /* Late bytes of the peer do no harm. */
  fake_conn_segment (fake, conn, &asked, 120000, 1000);
  fake_conn_completed (fake, conn, &asked);
  g_assert_false (conn->over);
}

static void
test_takeover (void)
{
  check_takeover (FALSE);
}

static void
test_takeover_without_ranges (void)
{
  check_takeover (TRUE);
}

static void
test_takeover_of_a_slow_peer (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);
  gsize sent = 0;

  fake_conn_data (fake, conn, &asked, SIZE);
  while (fake_http_segment (fake, 4) == NULL) {
    g_assert_cmpuint (sent, <, SIZE / 2);
    fake_conn_segment (fake, conn, &asked, sent, 1000);
    sent += 1000;
    fake_advance (fake, 50 * 1000);
  }
  g_assert_cmpuint (fake_http_segment (fake, 4)->range.start, ==, sent);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

/* The player waits already when a peer is found: nothing else happens that
 * would make anybody look at how the peer does. */
static void
test_takeover_of_a_late_holder (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  const gint64 id = 4;
  P2pCommand asked;
  FakeRequest *request;

  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  request = fake_request_segment (fake, id);
  fake_conn_has (fake, conn, id);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 120000);
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_nonnull (fake_http_segment (fake, id));
  g_assert_cmpuint (fake_http_segment (fake, id)->range.start, ==, 120000);
  fake_http_answer_all (fake);
  fake_assert_segment (request, id, SIZE);
}

static void
test_takeover_when_the_connection_breaks (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 33333);
  fake_conn_close (fake, conn);
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_cmpuint (fake_http_segment (fake, 4)->range.start, ==, 33333);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

static void
check_refused_resume (guint how)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeHttp *http;
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 1000);
  fake_conn_close (fake, conn);
  fake_advance (fake, G_USEC_PER_SEC);
  http = fake_http_segment (fake, 4);
  g_assert_cmpuint (http->range.start, ==, 1000);
  if (how == 0)
    fake_http_headers (fake, http, 206, 500, SIZE - 500);
  else
    fake_http_fail (fake, http, P2P_HTTP_FAILURE_STATUS, 416, "No ranges");
  g_assert_true (http->over);
  /* HTTP alone would have asked for all of it: so do we. */
  http = fake_http_segment (fake, 4);
  g_assert_true (p2p_range_is_all (&http->range));
  fake_http_answer (fake, http);
  fake_assert_segment (request, 4, SIZE);
}

static void
test_another_range_is_refused (void)
{
  check_refused_resume (0);
}

static void
test_resume_is_refused (void)
{
  check_refused_resume (1);
}

/* What is refused whole is refused. */
static void
test_refused_twice (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 1000);
  fake_conn_close (fake, conn);
  fake_advance (fake, G_USEC_PER_SEC);
  for (guint i = 0; i < 2; i++)
    fake_http_fail (fake, fake_http_segment (fake, 4), P2P_HTTP_FAILURE_STATUS,
        403, "Forbidden");
  g_assert_nonnull (request->failure);
  g_assert_cmpuint (request->failure->status, ==, 403);
}

/* All bytes came, the last word did not. */
static void
test_whole_without_completed (void)
{
  for (guint how = 0; how < 2; how++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    P2pCommand asked;
    FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
    FakeRequest *request = fake_request_segment (fake, 4);

    fake_conn_data (fake, conn, &asked, SIZE);
    fake_conn_segment (fake, conn, &asked, 0, SIZE);
    if (how == 0)
      fake_conn_close (fake, conn);
    fake_advance (fake, 3 * G_USEC_PER_SEC);
    fake_http_answer_all (fake);
    fake_assert_segment (request, 4, SIZE);
  }
}

/* The next peer is asked for the rest only. */
static void
test_peers_take_turns (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked, rest;
  FakeConn *alice = fake_connect_holder (fake, ALICE, &asked);
  FakeConn *bob = fake_connect (fake, BOB);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_has (fake, bob, 4);
  fake_conn_data (fake, alice, &asked, SIZE);
  fake_conn_segment (fake, alice, &asked, 0, 99999);
  /* For the end. */
  g_assert_true (fake_conn_find (bob, P2P_COMMAND_REQUEST, &rest));
  fake_conn_close (fake, alice);
  fake_advance (fake, 1000);
  g_assert_true (fake_conn_find (bob, P2P_COMMAND_REQUEST, &rest));
  g_assert_cmpint (rest.segment_id, ==, 4);
  g_assert_cmpint (rest.byte_from, ==, 99999);
  fake_conn_serve (fake, bob, &rest);
  fake_assert_segment (request, 4, SIZE);
  g_assert_cmpuint (fake_http_segment_count (fake, 4), ==, 0);
}

/* Nor does the player hear of it. */
static void
test_false_length_is_not_told (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request;

  fake_conn_data (fake, conn, &asked, 77);
  request = fake_request_segment (fake, 4);
  g_assert_null (request->headers);
  fake_conn_close (fake, conn);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
  g_assert_cmpuint (request->headers->content_length, ==, SIZE);
}

/* A length that one peer claimed, and sent nothing of, binds nobody. */
static void
test_false_length_binds_nobody (void)
{
  for (guint how = 0; how < 2; how++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    P2pCommand asked, again;
    FakeConn *alice = fake_connect_holder (fake, ALICE, &asked);
    FakeConn *bob = fake_connect (fake, BOB);

    fake_conn_data (fake, alice, &asked, 77);
    fake_conn_has (fake, bob, 4);
    if (how == 0)
      fake_conn_close (fake, alice);
    else
      fake_advance (fake, 3 * G_USEC_PER_SEC);
    g_assert_true (fake_conn_find (bob, P2P_COMMAND_REQUEST, &again));
    fake_conn_serve (fake, bob, &again);
    g_assert_false (bob->over);
  }
}

/* What a peer sent ahead of the player was of something else: the origin's
 * length tells, and nothing of it reaches the player. */
static void
test_false_start_is_thrown_away (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  g_autofree char *garbage = g_malloc0 (500);
  FakeRequest *request;
  FakeHttp *http;

  fake_conn_data (fake, conn, &asked, 1000);
  fake_conn_message (fake, conn, garbage, 500);
  fake_conn_close (fake, conn);
  conn = fake_connect (fake, BOB);
  /* We are the next owner of it at some point: the prefetch over HTTP. */
  http = fake_http_segment (fake, 4);
  if (http == NULL)
    return;
  g_assert_cmpuint (http->range.start, ==, 500);
  fake_http_headers (fake, http, 206, 500, SIZE - 500);
  request = fake_request_segment (fake, 4);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

/* An origin that is busy for a moment, beneath a souphttpsrc that waits. */
static void
test_origin_is_busy (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request;

  fake->profile->retry_unavailable = TRUE;
  fake->profile->retries = 3;
  for (guint final = 0; final < 2; final++) {
    request = fake_request_segment (fake, 4 + final);
    for (guint i = 0; i < 2 + final; i++) {
      g_assert_null (request->failure);
      fake_http_fail (fake, fake_http_segment (fake, 4 + final),
          P2P_HTTP_FAILURE_STATUS, 503, "Service Unavailable");
      fake_advance (fake, G_USEC_PER_SEC);
    }
    if (final) {
      g_assert_nonnull (request->failure);
      g_assert_cmpuint (request->failure->status, ==, 503);
    } else {
      fake_http_answer_all (fake);
      fake_assert_segment (request, 4, SIZE);
    }
  }
}

/* The origin refuses what a peer holds. */
static void
test_peer_after_the_origin_failed (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  FakeRequest *request = fake_request_segment (fake, 4);
  P2pCommand asked;
  FakeHttp *http;

  fake_advance (fake, G_USEC_PER_SEC);
  http = fake_http_segment (fake, 4);
  fake_conn_has (fake, conn, 4);
  fake_http_fail (
      fake, http, P2P_HTTP_FAILURE_STATUS, 503, "Service Unavailable");
  g_assert_null (request->failure);
  do
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  while (asked.segment_id != 4);
  fake_conn_serve (fake, conn, &asked);
  fake_assert_segment (request, 4, SIZE);
}

/* It is late for a peer, but until the origin may be asked again there is nobody
 * else. */
static void
test_peer_before_the_next_attempt (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  FakeRequest *request;
  P2pCommand asked;
  FakeHttp *http;

  fake_advance (fake, 6 * FAKE_SEGMENT_US);
  request = fake_request_segment (fake, 4);
  http = fake_http_segment (fake, 4);
  g_assert_nonnull (http);
  fake_conn_has (fake, conn, 4);
  g_assert_false (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_STATUS, 503, "Busy");
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  fake_conn_serve (fake, conn, &asked);
  fake_assert_segment (request, 4, SIZE);
}

/* --- byte ranges -------------------------------------------------------------- */

#define FILE_URI FAKE_ORIGIN "stream/all.ts"

static FakeRequest *
request_range (FakePorts *fake, gint64 id)
{
  P2pRequest wanted = {
    .uri = FILE_URI,
    .range = { 1000 + id * SIZE, 1000 + (id + 1) * SIZE - 1 },
    .consumer = fake->consumer,
    .profile = fake->profile,
    .p2p = TRUE,
  };

  return fake_request_full (fake, &wanted);
}

/* One file of segments, each a byte range. */
static FakePorts *
playing_ranges (void)
{
  FakePorts *fake = fake_ports_new (NULL);
  GString *text = g_string_new ("#EXTM3U\n#EXT-X-VERSION:4\n"
                                "#EXT-X-TARGETDURATION:2\n");
  GByteArray *file = g_byte_array_new ();

  g_byte_array_set_size (file, 1000);
  memset (file->data, 0, 1000);
  for (gint64 id = 0; id < 10; id++) {
    g_autoptr (GBytes) bytes = fake_segment (id, SIZE);

    g_byte_array_append (file, g_bytes_get_data (bytes, NULL), SIZE);
    g_string_append_printf (text,
        "#EXTINF:2,\n#EXT-X-BYTERANGE:%d@%" G_GINT64_FORMAT "\nall.ts\n", SIZE,
        1000 + id * SIZE);
  }
  g_string_append (text, "#EXT-X-ENDLIST\n");
  g_hash_table_insert (
      fake->origin, g_strdup (FILE_URI), g_byte_array_free_to_bytes (file));
  g_hash_table_insert (
      fake->origin, g_strdup (FAKE_PLAYLIST), g_string_free_to_bytes (text));
  fake_load_playlist (fake);
  fake_tracker_up (fake);
  for (gint64 id = 0; id < 4; id++) {
    FakeRequest *request = request_range (fake, id);

    fake_http_answer_all (fake);
    fake_assert_segment (request, id, SIZE);
    g_assert_cmpuint (request->headers->status, ==, 206);
  }

  return fake;
}

/* The request for the end of segment @id. */
static FakeHttp *
http_range (FakePorts *fake, gint64 id)
{
  for (guint i = 0; i < fake->https->len; i++) {
    FakeHttp *http = fake->https->pdata[i];

    if (!http->over && http->range.end == 1000 + (guint64) (id + 1) * SIZE - 1)
      return http;
  }

  return NULL;
}

static void
check_takeover_in_a_range (gboolean whole)
{
  g_autoptr (FakePorts) fake = playing_ranges ();
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = request_range (fake, 4);
  FakeHttp *http;

  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 60000);
  fake_conn_close (fake, conn);
  fake_advance (fake, G_USEC_PER_SEC);
  http = http_range (fake, 4);
  g_assert_cmpuint (http->range.start, ==, 1000 + 4 * SIZE + 60000);
  g_assert_cmpuint (http->range.end, ==, 1000 + 5 * SIZE - 1);
  if (whole) {
    GBytes *file = g_hash_table_lookup (fake->origin, FILE_URI);
    gsize size;
    const char *data = g_bytes_get_data (file, &size);

    fake_http_headers (fake, http, 200, 0, size);
    for (gsize at = 0; at < size && !http->over; at += 65536)
      fake_http_data (fake, http, data + at, MIN (65536, size - at));
    /* The rest of the file is nothing to wait for. */
    g_assert_true (http->cancelled);
  } else {
    fake_http_answer (fake, http);
  }
  fake_assert_segment (request, 4, SIZE);
}

static void
test_takeover_in_a_range (void)
{
  check_takeover_in_a_range (FALSE);
}

static void
test_takeover_in_a_range_without_ranges (void)
{
  check_takeover_in_a_range (TRUE);
}

/* A playlist names the length: a peer that says another is wrong at once. */
static void
test_range_tells_the_length (void)
{
  g_autoptr (FakePorts) fake = playing_ranges ();
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = request_range (fake, 4);

  fake_conn_data (fake, conn, &asked, SIZE + 1);
  g_assert_true (conn->over);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

/* The bytes of a range that is called another one may be anything. */
static void
test_misnamed_range (void)
{
  g_autoptr (FakePorts) fake = playing_ranges ();
  FakeRequest *request = request_range (fake, 4);
  FakeHttp *http = http_range (fake, 4);

  fake_http_headers (fake, http, 206, http->range.start - 1, SIZE);
  g_assert_true (http->cancelled);
  g_assert_nonnull (request->failure);
  g_assert_cmpint (request->failure->kind, ==, P2P_HTTP_FAILURE_RANGE);
  g_assert_cmpuint (request->failure->status, ==, 206);
}

/* HTTP alone ends where the server ignores the range. */
static void
test_ignored_range (void)
{
  g_autoptr (FakePorts) fake = playing_ranges ();
  GBytes *file = g_hash_table_lookup (fake->origin, FILE_URI);
  FakeRequest *request = request_range (fake, 4);
  guint n_requests = fake_http_count (fake, FILE_URI);

  for (guint i = 0; i < 2; i++) {
    FakeHttp *http = http_range (fake, 4);

    g_assert_null (request->failure);
    fake_http_headers (fake, http, 200, 0, g_bytes_get_size (file));
    fake_http_data (fake, http, g_bytes_get_data (file, NULL),
        1000 + 4 * SIZE + (i == 0 ? 5000 : 0));
    fake_http_fail (fake, http, P2P_HTTP_FAILURE_SHORT, 0, "short");
    fake_advance (fake, G_USEC_PER_SEC);
  }
  g_assert_nonnull (request->failure);
  g_assert_cmpint (request->failure->kind, ==, P2P_HTTP_FAILURE_RANGE);
  g_assert_cmpuint (request->body->len, ==, 5000);
  g_assert_cmpuint (fake_http_count (fake, FILE_URI), ==, n_requests + 1);
}

/* Some servers round ranges up. */
static void
test_more_than_the_range (void)
{
  g_autoptr (FakePorts) fake = playing_ranges ();
  FakeRequest *request = request_range (fake, 4);
  FakeHttp *http = http_range (fake, 4);

  fake_http_headers (fake, http, 206, http->range.start, SIZE + 500);
  feed (fake, http, 4, 0, SIZE + 500);
  g_assert_true (http->cancelled);
  g_assert_cmpuint (request->headers->content_length, ==, SIZE);
  fake_assert_segment (request, 4, SIZE);
}

/* It had more bytes a moment ago. */
static void
test_segment_shrinks (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);
  FakeHttp *http = fake_http_segment (fake, 4);

  fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
  feed (fake, http, 4, 0, 5000);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "reset");
  for (guint i = 0; request->failure == NULL && i < 10; i++) {
    fake_advance (fake, G_USEC_PER_SEC);
    http = fake_http_segment (fake, 4);
    fake_http_headers (fake, http, 200, 0, 3000);
    g_assert_true (http->cancelled);
  }
  g_assert_nonnull (request->failure);
  g_assert_cmpuint (request->body->len, ==, 5000);
}

/* An origin that breaks every connection is not asked as fast as it can. */
static void
test_retries_take_time (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request;
  gint64 begun_us = fake->now_us;

  fake->profile->retries = -1;
  request = fake_request_segment (fake, 4);
  while (fake->now_us - begun_us < 10 * G_USEC_PER_SEC) {
    FakeHttp *http = fake_http_segment (fake, 4);

    if (http == NULL) {
      fake_advance (fake, 10 * 1000);
      continue;
    }
    fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
    fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "reset");
    g_assert_cmpuint (fake_http_segment_count (fake, 4), <, 30);
  }
  g_assert_cmpuint (fake_http_segment_count (fake, 4), >, 10);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/download/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("bytes-flow-as-they-arrive", test_bytes_flow_as_they_arrive);
  ADD ("network-path", test_network_path);
  ADD ("length-unknown", test_length_unknown);
  ADD ("joins-what-is-under-way", test_joins_what_is_under_way);
  ADD ("retries-from-the-byte-reached", test_retries_from_the_byte_reached);
  ADD ("fails-as-the-origin-does", test_fails_as_the_origin_does);
  ADD ("gives-up-after-retries", test_gives_up_after_retries);
  ADD ("short-body-is-no-segment", test_short_body_is_no_segment);
  ADD ("no-rest-refused", test_no_rest_refused);
  ADD ("no-rest-ignored", test_no_rest_ignored);
  ADD ("no-rest-misnamed", test_no_rest_misnamed);
  ADD ("whole-for-the-rest", test_whole_for_the_rest);
  ADD ("whole-is-asked-for-again", test_whole_is_asked_for_again);
  ADD ("all-that-is-here-before-the-failure",
      test_all_that_is_here_before_the_failure);
  ADD ("empty-segment", test_empty_segment);
  ADD ("empty-prefetch", test_empty_prefetch);
  ADD ("too-large-to-share", test_too_large_to_share);
  ADD ("cancel-alone", test_cancel_alone);
  ADD ("cancel-with-peers", test_cancel_with_peers);
  ADD ("from-a-peer", test_from_a_peer);
  ADD ("takeover", test_takeover);
  ADD ("takeover-without-ranges", test_takeover_without_ranges);
  ADD ("takeover-of-a-slow-peer", test_takeover_of_a_slow_peer);
  ADD ("takeover-of-a-late-holder", test_takeover_of_a_late_holder);
  ADD ("takeover-when-the-connection-breaks",
      test_takeover_when_the_connection_breaks);
  ADD ("another-range-is-refused", test_another_range_is_refused);
  ADD ("resume-is-refused", test_resume_is_refused);
  ADD ("refused-twice", test_refused_twice);
  ADD ("origin-is-busy", test_origin_is_busy);
  ADD ("whole-without-completed", test_whole_without_completed);
  ADD ("peers-take-turns", test_peers_take_turns);
  ADD ("false-length-is-not-told", test_false_length_is_not_told);
  ADD ("false-length-binds-nobody", test_false_length_binds_nobody);
  ADD ("false-start-is-thrown-away", test_false_start_is_thrown_away);
  ADD ("peer-after-the-origin-failed", test_peer_after_the_origin_failed);
  ADD ("peer-before-the-next-attempt", test_peer_before_the_next_attempt);
  ADD ("takeover-in-a-range", test_takeover_in_a_range);
  ADD ("takeover-in-a-range-without-ranges",
      test_takeover_in_a_range_without_ranges);
  ADD ("range-tells-the-length", test_range_tells_the_length);
  ADD ("misnamed-range", test_misnamed_range);
  ADD ("ignored-range", test_ignored_range);
  ADD ("more-than-the-range", test_more_than_the_range);
  ADD ("segment-shrinks", test_segment_shrinks);
  ADD ("retries-take-time", test_retries_take_time);

  return g_test_run ();
}

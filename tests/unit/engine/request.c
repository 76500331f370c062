/* p2phlssrc: tests of what the player asks for and gets.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/gatewayurl.h"
#include "support/fakeports.h"

#define OTHER FAKE_ORIGIN "file.bin"

static void
put (FakePorts *fake, const char *uri, const char *text)
{
  g_hash_table_insert (
      fake->origin, g_strdup (uri), g_bytes_new (text, strlen (text)));
}

static void
assert_body (FakeRequest *request, const char *text)
{
  g_assert_null (request->failure);
  g_assert_true (request->ended);
  g_assert_cmpmem (
      request->body->data, request->body->len, text, strlen (text));
}

static FakeRequest *
request_plain (FakePorts *fake, const char *uri, P2pRange range)
{
  P2pRequest wanted = {
    .uri = uri,
    .range = range,
    .consumer = 1,
    .profile = fake->profile,
  };

  return fake_request_full (fake, &wanted);
}

/* --- straight through ------------------------------------------------------ */

static void
test_passes_through (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  FakeHttp *http = fake_http (fake, OTHER);

  g_assert_true (p2p_range_is_all (&http->range));
  fake_http_headers (fake, http, 200, 0, 6);
  g_assert_nonnull (request->headers);
  g_assert_cmpuint (request->headers->content_length, ==, 6);
  fake_http_data (fake, http, "abc", 3);
  g_assert_cmpuint (request->body->len, ==, 3);
  fake_http_data (fake, http, "", 0);
  fake_http_data (fake, http, "def", 3);
  g_assert_false (request->ended);
  fake_http_done (fake, http);
  assert_body (request, "abcdef");
}

static void
test_keeps_the_range (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = request_plain (fake, OTHER, (P2pRange){ 2, 4 });
  FakeHttp *http = fake_http (fake, OTHER);

  put (fake, OTHER, "0123456789");
  g_assert_cmpuint (http->range.start, ==, 2);
  g_assert_cmpuint (http->range.end, ==, 4);
  fake_http_answer (fake, http);
  assert_body (request, "234");
  g_assert_cmpuint (request->headers->status, ==, 206);
}

static void
test_passes_an_empty_body (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *plain = request_plain (fake, OTHER, P2P_RANGE_ALL);
  FakeRequest *shared;

  fake_http_headers (fake, fake_http (fake, OTHER), 200, 0, 0);
  fake_http_done (fake, fake_http (fake, OTHER));
  assert_body (plain, "");
  shared = fake_request (fake, OTHER);
  fake_http_headers (fake, fake_http (fake, OTHER), 200, 0, 0);
  fake_http_done (fake, fake_http (fake, OTHER));
  assert_body (shared, "");
}

static void
check_back_pressure (gboolean p2p)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = p2p ? fake_request (fake, OTHER)
                             : request_plain (fake, OTHER, P2P_RANGE_ALL);
  FakeHttp *http = fake_http (fake, OTHER);
  g_autofree char *chunk = g_malloc0 (65536);

  request->slow = TRUE;
  fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
  for (guint round = 0; round < 3; round++) {
    g_assert_false (http->paused);
    while (!http->paused) {
      g_assert_cmpuint (request->waiting, <, P2P_OUTQUEUE_HIGH_BYTES);
      fake_http_data (fake, http, chunk, 65536);
    }
    g_assert_cmpuint (request->waiting, >=, P2P_OUTQUEUE_HIGH_BYTES);
    /* One read in flight still arrives. */
    fake_http_data (fake, http, chunk, 65536);
    g_assert_true (http->paused);
    fake_request_drain (fake, request);
  }
  fake_http_done (fake, http);
  g_assert_true (request->ended);
  /* Late and for nothing. */
  fake_request_drain (fake, request);
}

static void
test_back_pressure (void)
{
  check_back_pressure (FALSE);
  check_back_pressure (TRUE);
}

static void
test_cancel (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  FakeHttp *http = fake_http (fake, OTHER);

  fake_http_headers (fake, http, 200, 0, 100);
  fake_http_data (fake, http, "abc", 3);
  fake_request_cancel (fake, request);
  g_assert_true (http->cancelled);
  /* Unknown by now. */
  fake_request_cancel (fake, request);
}

/* --- attempts -------------------------------------------------------------- */

static void
test_resumes (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = request_plain (fake, OTHER, (P2pRange){ 1, 8 });
  FakeHttp *http = fake_http (fake, OTHER);

  put (fake, OTHER, "0123456789");
  fake_http_headers (fake, http, 206, 1, 8);
  fake_http_data (fake, http, "123", 3);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "reset");
  fake_advance (fake, G_USEC_PER_SEC);

  http = fake_http (fake, OTHER);
  g_assert_cmpuint (http->range.start, ==, 4);
  g_assert_cmpuint (http->range.end, ==, 8);
  fake_http_headers (fake, http, 206, 4, 5);
  fake_http_data (fake, http, "45", 2);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_SHORT, 0, "short");
  fake_advance (fake, G_USEC_PER_SEC);

  http = fake_http (fake, OTHER);
  g_assert_cmpuint (http->range.start, ==, 6);
  fake_http_answer (fake, http);
  assert_body (request, "12345678");
}

/* Breaks off after the headers: before them nobody tries again. */
static void
break_off (FakePorts *fake, FakeHttp *http)
{
  fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "connection reset");
}

static void
test_gives_up (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = request_plain (fake, OTHER, P2P_RANGE_ALL);

  for (guint i = 0; i < 4; i++) {
    g_assert_null (request->failure);
    break_off (fake, fake_http (fake, OTHER));
    fake_advance (fake, G_USEC_PER_SEC);
  }
  g_assert_nonnull (request->failure);
  g_assert_cmpstr (request->failure->reason, ==, "connection reset");
  g_assert_cmpuint (fake_http_count (fake, OTHER), ==, 4);
}

static void
test_retries_for_ever (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake->profile->retries = -1;
  request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  for (guint i = 0; i < 50; i++) {
    break_off (fake, fake_http (fake, OTHER));
    fake_advance (fake, 2 * G_USEC_PER_SEC);
  }
  g_assert_null (request->failure);
  put (fake, OTHER, "x");
  fake_http_answer_all (fake);
  assert_body (request, "x");
}

/* Once at once, as something had come; then after 4 s, 8 s and 8 s. */
static void
test_retries_back_off (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake->profile->retry_backoff_us = 2 * G_USEC_PER_SEC;
  fake->profile->retry_backoff_max_us = 8 * G_USEC_PER_SEC;
  fake->profile->retries = 4;
  request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  fake_http_headers (fake, fake_http (fake, OTHER), 200, 0, 100);
  fake_http_data (fake, fake_http (fake, OTHER), "x", 1);
  fake_http_fail (
      fake, fake_http (fake, OTHER), P2P_HTTP_FAILURE_IO, 0, "reset");
  fake_advance (fake, 1);
  for (guint i = 0; i < 3; i++) {
    guint wait_s = i == 0 ? 4 : 8;

    g_assert_cmpuint (fake_http_count (fake, OTHER), ==, 2 + i);
    fake_http_headers (fake, fake_http (fake, OTHER), 206, 1, 99);
    fake_http_fail (
        fake, fake_http (fake, OTHER), P2P_HTTP_FAILURE_IO, 0, "reset");
    fake_advance (fake, wait_s * G_USEC_PER_SEC - 1);
    g_assert_cmpuint (fake_http_count (fake, OTHER), ==, 2 + i);
    fake_advance (fake, 1);
  }
  g_assert_cmpuint (fake_http_count (fake, OTHER), ==, 5);
  g_assert_null (request->failure);
}

/* An answer is an answer. */
static void
test_does_not_retry_answers (void)
{
  static const P2pHttpFailureKind kinds[] = { P2P_HTTP_FAILURE_STATUS,
    P2P_HTTP_FAILURE_RESOLVE, P2P_HTTP_FAILURE_CONNECT, P2P_HTTP_FAILURE_TLS,
    P2P_HTTP_FAILURE_TIMEOUT, P2P_HTTP_FAILURE_URI, P2P_HTTP_FAILURE_REDIRECT,
    P2P_HTTP_FAILURE_CANCELLED, P2P_HTTP_FAILURE_IO };
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    FakeRequest *request = request_plain (fake, OTHER, P2P_RANGE_ALL);

    fake_http_fail (
        fake, fake_http (fake, OTHER), kinds[i], 503, "Unavailable");
    g_assert_nonnull (request->failure);
    g_assert_cmpint (request->failure->kind, ==, kinds[i]);
    g_assert_cmpuint (request->failure->status, ==, 503);
    g_assert_null (fake_http (fake, OTHER));
  }
}

/* But 500 and 503, where souphttpsrc takes them for no answer. */
static void
test_retries_unavailable (void)
{
  static const guint statuses[] = { 500, 503, 500 };
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake->profile->retry_unavailable = TRUE;
  fake->profile->retries = G_N_ELEMENTS (statuses);
  request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_assert_null (request->failure);
    g_assert_cmpuint (fake_http_count (fake, OTHER), ==, 1 + i);
    fake_http_fail (fake, fake_http (fake, OTHER), P2P_HTTP_FAILURE_STATUS,
        statuses[i], "not now");
    fake_advance (fake, G_USEC_PER_SEC);
  }
  g_assert_nonnull (request->failure);
  g_assert_cmpuint (request->failure->status, ==, 500);

  request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  fake_http_fail (fake, fake_http (fake, OTHER), P2P_HTTP_FAILURE_STATUS, 504,
      "not at all");
  g_assert_nonnull (request->failure);
}

/* However the rest of a body fails to come, it is asked for. */
static void
test_retries_all_breakage (void)
{
  static const P2pHttpFailureKind kinds[] = { P2P_HTTP_FAILURE_IO,
    P2P_HTTP_FAILURE_SHORT, P2P_HTTP_FAILURE_TIMEOUT, P2P_HTTP_FAILURE_CONNECT,
    P2P_HTTP_FAILURE_TLS };
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = request_plain (fake, OTHER, P2P_RANGE_ALL);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    FakeHttp *http = fake_http (fake, OTHER);

    g_assert_cmpuint (http->range.start, ==, i);
    fake_http_headers (fake, http, i > 0 ? 206 : 200, i, 10 - i);
    fake_http_data (fake, http, "x", 1);
    fake_http_fail (fake, http, kinds[i], 200, "broken");
    fake_advance (fake, G_USEC_PER_SEC);
    g_assert_null (request->failure);
  }
}

/* The player hears of the answer, although none of its body came. */
static void
test_headers_before_failure (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake->profile->retries = 0;
  request = fake_request (fake, OTHER);
  break_off (fake, fake_http (fake, OTHER));
  g_assert_nonnull (request->headers);
  g_assert_nonnull (request->failure);
}

static void
test_cannot_resume (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  FakeHttp *http = fake_http (fake, OTHER);

  fake_http_headers (fake, http, 200, 0, 10);
  fake_http_data (fake, http, "0123", 4);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "reset");
  fake_advance (fake, G_USEC_PER_SEC);
  http = fake_http (fake, OTHER);
  fake_http_headers (fake, http, 200, 0, 10);
  g_assert_nonnull (request->failure);
  g_assert_true (http->cancelled);
}

static void
test_cancel_between_attempts (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  request = request_plain (fake, OTHER, P2P_RANGE_ALL);
  for (guint i = 0; i < 2; i++) {
    break_off (fake, fake_http (fake, OTHER));
    if (i == 0)
      fake_advance (fake, G_USEC_PER_SEC);
  }
  fake_request_cancel (fake, request);
  fake_advance (fake, 10 * G_USEC_PER_SEC);
  g_assert_null (fake_http (fake, OTHER));
}

static void
test_too_many (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  for (guint i = 0; i <= P2P_REQUESTS_MAX; i++) {
    FakeRequest *request = request_plain (fake, OTHER, P2P_RANGE_ALL);

    if (i < P2P_REQUESTS_MAX)
      g_assert_null (request->failure);
    else
      g_assert_nonnull (request->failure);
  }
}

/* --- playlists ------------------------------------------------------------- */

static void
check_playlist (gsize piece)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autofree char *text = fake_playlist (5, 3, FALSE);
  FakeRequest *request = fake_request (fake, FAKE_PLAYLIST);
  FakeHttp *http = fake_http (fake, FAKE_PLAYLIST);
  gsize length = strlen (text);

  fake_http_headers (fake, http, 200, 0, length);
  for (gsize at = 0; at < length; at += piece)
    fake_http_data (fake, http, text + at, MIN (piece, length - at));
  /* Nobody acts on half of a playlist. */
  g_assert_cmpuint (request->body->len, ==, 0);
  fake_http_done (fake, http);
  assert_body (request, text);
  g_assert_cmpuint (request->headers->content_length, ==, length);

  /* It has been read: the segment is known. */
  fake_request_segment (fake, 6);
  g_assert_nonnull (fake_http_segment (fake, 6));
}

static void
test_playlist_is_read (void)
{
  check_playlist (100000);
  check_playlist (1);
  check_playlist (63);
  check_playlist (65);
}

static void
test_playlist_is_prefixed (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  const char *text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
                     "https://cdn.test/a.ts\n#EXTINF:2,\nb.ts\n";
  const char *expected = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
                         "p2phls+https://cdn.test/a.ts\n#EXTINF:2,\nb.ts\n";
  P2pRequest wanted = {
    .uri = FAKE_PLAYLIST,
    .range = P2P_RANGE_ALL,
    .consumer = 1,
    .profile = fake->profile,
    .p2p = TRUE,
    .style = P2P_PLAYLIST_PREFIXED,
  };
  FakeRequest *request = fake_request_full (fake, &wanted);

  put (fake, FAKE_PLAYLIST, text);
  fake_http_answer_all (fake);
  assert_body (request, expected);
  g_assert_cmpuint (request->headers->content_length, ==, strlen (expected));
  g_assert_cmpuint (request->headers->status, ==, 200);
}

/* What begins as a playlist and cannot be read costs sharing only. */
/* The player decides how it is written once it knows that it is one. */
static void
check_style (P2pPlaylistStyle style, gboolean p2p)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autofree char *playlist = fake_playlist (0, 4, FALSE);
  const P2pRequest answer = { .style = style, .gateway_key = "key" };
  P2pRequest wanted = {
    .uri = FAKE_PLAYLIST,
    .range = P2P_RANGE_ALL,
    .profile = fake->profile,
    .p2p = TRUE,
    .style = P2P_PLAYLIST_ASK,
  };
  FakeRequest *request;

  fake_publish (fake, 0, 4, FALSE);
  request = fake_request_full (fake, &wanted);
  fake_http_answer_all (fake);
  g_assert_nonnull (request->headers);
  g_assert_true (request->headers->is_playlist);
  g_assert_cmpuint (request->body->len, ==, 0);
  g_assert_false (request->ended);
  if (!p2p) {
    fake->config.p2p = FALSE;
    fake_configure (fake);
  }

  fake_handle (fake,
      &(P2pEvent){ .kind = P2P_EVENT_REQUEST_STYLE,
          .id = request->id,
          .request = &answer });
  g_assert_true (request->ended);
  if (style == P2P_PLAYLIST_GATEWAY) {
    g_autofree char *text =
        g_strndup ((char *) request->body->data, request->body->len);
    g_autofree char *uri = fake_segment_uri (3);
    g_autofree char *address = p2p_gateway_path ("key", uri);

    g_assert_nonnull (strstr (text, address));
    g_assert_null (strstr (text, uri));
  } else {
    g_assert_cmpuint (request->body->len, ==, strlen (playlist));
    g_assert_cmpmem (
        request->body->data, request->body->len, playlist, strlen (playlist));
  }
  /* Nobody waits any more. */
  fake_handle (fake,
      &(P2pEvent){ .kind = P2P_EVENT_REQUEST_STYLE,
          .id = request->id,
          .request = &answer });
}

static void
test_playlist_asks_for_its_style (void)
{
  check_style (P2P_PLAYLIST_AS_IT_IS, TRUE);
  check_style (P2P_PLAYLIST_GATEWAY, TRUE);
  check_style (P2P_PLAYLIST_GATEWAY, FALSE);
}

static void
test_cancel_before_the_style (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  P2pRequest wanted = {
    .uri = FAKE_PLAYLIST,
    .range = P2P_RANGE_ALL,
    .profile = fake->profile,
    .p2p = TRUE,
    .style = P2P_PLAYLIST_ASK,
  };
  FakeRequest *request;

  fake_publish (fake, 0, 4, FALSE);
  request = fake_request_full (fake, &wanted);
  fake_http_answer_all (fake);
  fake_request_cancel (fake, request);
  wanted.style = P2P_PLAYLIST_AS_IT_IS;
  fake_handle (fake,
      &(P2pEvent){ .kind = P2P_EVENT_REQUEST_STYLE,
          .id = request->id,
          .request = &wanted });
  g_assert_false (request->ended);
}

/* Whoever came through the gateway must be led back to it. */
static void
test_gateway_without_p2p (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  P2pRequest wanted = {
    .uri = FAKE_PLAYLIST,
    .range = P2P_RANGE_ALL,
    .p2p = TRUE,
    .style = P2P_PLAYLIST_GATEWAY,
    .gateway_key = "key",
  };
  g_autofree char *text = NULL;
  g_autofree char *uri = fake_segment_uri (3);
  g_autofree char *address = p2p_gateway_path ("key", uri);
  FakeRequest *request;

  config.p2p = FALSE;
  fake = fake_ports_new (&config);
  wanted.profile = fake->profile;
  fake_publish (fake, 0, 4, FALSE);
  request = fake_request_full (fake, &wanted);
  fake_http_answer_all (fake);
  g_assert_true (request->ended);
  g_assert_cmpuint (request->headers->content_length, ==, request->body->len);
  text = g_strndup ((char *) request->body->data, request->body->len);
  g_assert_nonnull (strstr (text, address));
}

static void
test_unreadable_playlist (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  GString *text = g_string_new ("#EXTM3U\n");
  FakeRequest *request = fake_request (fake, FAKE_PLAYLIST);
  FakeHttp *http = fake_http (fake, FAKE_PLAYLIST);

  g_string_append (text, "\xff\xfe rubbish\n#EXTINF:nonsense\n");
  fake_http_headers (fake, http, 200, 0, text->len);
  fake_http_data (fake, http, text->str, text->len);
  fake_http_done (fake, http);
  assert_body (request, text->str);
  g_string_free (text, TRUE);
}

static void
test_playlist_over_the_bound (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request = fake_request (fake, FAKE_PLAYLIST);
  FakeHttp *http = fake_http (fake, FAKE_PLAYLIST);
  gsize piece = 4 * 1024 * 1024, sent = 0;
  g_autofree char *data = g_malloc (piece);

  memset (data, '\n', piece);
  memcpy (data, "#EXTM3U", 7);
  fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
  while (sent <= P2P_PLAYLIST_MAX_BYTES) {
    g_assert_cmpuint (request->body->len, ==, 0);
    fake_http_data (fake, http, data, piece);
    sent += piece;
  }
  g_assert_cmpuint (request->body->len, ==, sent);
  fake_http_data (fake, http, data, 10);
  fake_http_done (fake, http);
  g_assert_cmpuint (request->body->len, ==, sent + 10);
  g_assert_true (request->ended);
}

static void
test_playlist_is_resumed (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autofree char *text = fake_playlist (5, 3, TRUE);
  FakeRequest *request = fake_request (fake, FAKE_PLAYLIST);
  FakeHttp *http = fake_http (fake, FAKE_PLAYLIST);

  put (fake, FAKE_PLAYLIST, text);
  fake_http_headers (fake, http, 200, 0, strlen (text));
  fake_http_data (fake, http, text, 20);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "reset");
  fake_advance (fake, G_USEC_PER_SEC);
  http = fake_http (fake, FAKE_PLAYLIST);
  g_assert_cmpuint (http->range.start, ==, 20);
  fake_http_answer (fake, http);
  assert_body (request, text);
}

static void
test_playlist_fails_halfway (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake->profile->retries = 0;
  request = fake_request (fake, FAKE_PLAYLIST);
  fake_http_headers (fake, fake_http (fake, FAKE_PLAYLIST), 200, 0, 100);
  fake_http_data (fake, fake_http (fake, FAKE_PLAYLIST), "#EXTM3U\n", 8);
  fake_http_fail (
      fake, fake_http (fake, FAKE_PLAYLIST), P2P_HTTP_FAILURE_IO, 0, "reset");
  /* It had got on: as beneath souphttpsrc, once more. */
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_null (request->failure);
  fake_http_headers (fake, fake_http (fake, FAKE_PLAYLIST), 206, 8, 92);
  fake_http_fail (
      fake, fake_http (fake, FAKE_PLAYLIST), P2P_HTTP_FAILURE_IO, 0, "reset");
  g_assert_nonnull (request->failure);
  g_assert_cmpuint (request->body->len, ==, 0);
}

/* --- segments ---------------------------------------------------------------- */

static guint64
misses (FakePorts *fake)
{
  g_autoptr (P2pStats) stats = fake_stats (fake);

  return stats->registry_misses;
}

static void
test_misses_are_counted (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  put (fake, OTHER, "something");
  fake_publish (fake, 0, 3, FALSE);
  /* Before any manifest nothing can be missed. */
  fake_request (fake, OTHER);
  fake_http_answer_all (fake);
  g_assert_cmpuint (misses (fake), ==, 0);

  fake_load_playlist (fake);
  fake_request_segment (fake, 1);
  fake_http_answer_all (fake);
  g_assert_cmpuint (misses (fake), ==, 0);
  fake_request (fake, OTHER);
  fake_http_answer_all (fake);
  g_assert_cmpuint (misses (fake), ==, 1);

  /* A playlist that no other one named is none. */
  g_hash_table_insert (fake->origin, g_strdup (FAKE_ORIGIN "other.m3u8"),
      g_bytes_ref (g_hash_table_lookup (fake->origin, FAKE_PLAYLIST)));
  fake_request (fake, FAKE_ORIGIN "other.m3u8");
  fake_http_answer_all (fake);
  g_assert_cmpuint (misses (fake), ==, 1);
}

static void
test_stored_segment_costs_no_http (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *first, *second;

  fake_publish (fake, 0, 3, FALSE);
  fake_load_playlist (fake);
  first = fake_request_segment (fake, 1);
  fake_http_answer_all (fake);
  fake_assert_segment (first, 1, FAKE_SEGMENT_BYTES);

  second = fake_request_segment (fake, 1);
  fake_advance (fake, FAKE_SEGMENT_US);
  fake_assert_segment (second, 1, FAKE_SEGMENT_BYTES);
  g_assert_cmpuint (fake_http_segment_count (fake, 1), ==, 1);
  g_assert_cmpuint (second->headers->status, ==, 200);
  g_assert_cmpuint (second->headers->content_length, ==, FAKE_SEGMENT_BYTES);
}

/* Downloads segment @id at @bps. */
static void
download_at (FakePorts *fake, gint64 id, guint64 bps)
{
  FakeRequest *request = fake_request_segment (fake, id);
  FakeHttp *http = fake_http_segment (fake, id);
  g_autoptr (GBytes) body = fake_http_begin (fake, http);
  const char *data = g_bytes_get_data (body, NULL);

  for (gsize at = 0; at < FAKE_SEGMENT_BYTES; at += 10000) {
    fake_advance (fake, 10000 * 8 * (gint64) G_USEC_PER_SEC / bps);
    fake_http_data (fake, http, data + at, 10000);
  }
  fake_http_done (fake, http);
  fake_assert_segment (request, id, FAKE_SEGMENT_BYTES);
}

/* The rate that hlsdemux measures from @begun_us on, once @request ends. */
static guint64
measured_bps (FakePorts *fake, FakeRequest *request, gint64 begun_us)
{
  while (!request->ended)
    fake_advance (fake, 10 * 1000);

  return FAKE_SEGMENT_BYTES * 8 * (guint64) G_USEC_PER_SEC
      / MAX (fake->now_us - begun_us, 1);
}

/* A player of the lower variant that has played two segments, over HTTP at
 * @http_bps. */
static FakePorts *
playing_low (guint64 http_bps)
{
  FakePorts *fake = fake_ports_new (NULL);

  fake_publish_variants (fake);
  fake_load_playlist (fake);
  for (gint64 id = 0; id < 2; id++)
    download_at (fake, id, http_bps);

  return fake;
}

/* Not so fast that the demuxer takes the variant above, which HTTP does not
 * carry; not so slow that it leaves this one. */
static void
test_stored_segment_is_paced (void)
{
  g_autoptr (FakePorts) fake = playing_low (500 * 1000);
  gint64 begun_us = fake->now_us;
  FakeRequest *request;
  guint64 bps;

  fake->consumer = 2;
  request = fake_request_segment (fake, 1);
  g_assert_nonnull (request->headers);
  bps = measured_bps (fake, request, begun_us);
  g_assert_cmpuint (bps, >, 1.25 * 800 * 1000);
  g_assert_cmpuint (bps, <, 1.25 * 1600 * 1000);
  fake_assert_segment (request, 1, FAKE_SEGMENT_BYTES);
}

static void
test_pace_is_https_where_that_is_more (void)
{
  g_autoptr (FakePorts) fake = playing_low (1900 * 1000);
  gint64 begun_us = fake->now_us;
  FakeRequest *request;

  request = fake_request_segment (fake, 1);
  g_assert_cmpuint (
      measured_bps (fake, request, begun_us), >, 0.95 * 1900 * 1000);
}

/* There is nothing to climb to. */
static void
test_no_pace_without_variants (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake_publish (fake, 0, 6, FALSE);
  fake_load_playlist (fake);
  download_at (fake, 0, 500 * 1000);
  fake->consumer = 2;
  request = fake_request_segment (fake, 0);
  fake_advance (fake, 1);
  fake_assert_segment (request, 0, FAKE_SEGMENT_BYTES);
}

static void
test_no_pace_where_http_carries_all (void)
{
  g_autoptr (FakePorts) fake = playing_low (2100 * 1000);
  FakeRequest *request = fake_request_segment (fake, 1);

  fake_advance (fake, 1);
  fake_assert_segment (request, 1, FAKE_SEGMENT_BYTES);
}

static void
test_no_pace_at_the_top (void)
{
  g_autoptr (FakePorts) fake = playing_low (500 * 1000);
  g_autofree char *uri = fake_high_uri (1);
  FakeRequest *request;

  fake_request (fake, FAKE_HIGH_PLAYLIST);
  fake_http_answer_all (fake);
  fake_request (fake, uri);
  fake_http_answer_all (fake);
  request = fake_request (fake, uri);
  fake_advance (fake, 1);
  g_assert_true (request->ended);
  g_assert_cmpuint (request->body->len, ==, FAKE_SEGMENT_BYTES);
}

/* What comes from the origin has the network's own pace. */
static void
test_http_is_not_paced (void)
{
  g_autoptr (FakePorts) fake = playing_low (500 * 1000);
  FakeRequest *request = fake_request_segment (fake, 2);

  fake_http_answer_all (fake);
  fake_assert_segment (request, 2, FAKE_SEGMENT_BYTES);
}

/* A neighbour sends in no time, and holds nothing of the variant above. */
static void
test_peers_are_paced (void)
{
  g_autoptr (FakePorts) fake = playing_low (500 * 1000);
  P2pCommand asked = { 0 };
  FakeRequest *request;
  FakeConn *conn;
  gint64 begun_us;
  guint64 bps;

  conn = fake_connect (fake, "-GS0100-alicealice12");
  /* On so thin a line, nothing comes ahead when the player is about to ask. */
  fake_advance (fake, 300 * 1000);
  fake_conn_has (fake, conn, 2);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  /* Some of it is here, or the player would not wait for her at all: it has
   * nothing left. */
  fake_conn_data (fake, conn, &asked, FAKE_SEGMENT_BYTES);
  fake_conn_segment (fake, conn, &asked, 0, 1000);
  begun_us = fake->now_us;
  request = fake_request_segment (fake, 2);
  fake_conn_segment (fake, conn, &asked, 1000, FAKE_SEGMENT_BYTES - 1000);
  g_assert_false (request->ended);
  bps = measured_bps (fake, request, begun_us);
  g_assert_cmpuint (bps, >, 1.25 * 800 * 1000);
  g_assert_cmpuint (bps, <, 1.25 * 1600 * 1000);
  fake_assert_segment (request, 2, FAKE_SEGMENT_BYTES);
}

static void
test_cancel_while_paced (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeRequest *request;

  fake_publish_variants (fake);
  fake_load_playlist (fake);
  download_at (fake, 0, 1000 * 1000);
  request = fake_request_segment (fake, 0);
  fake_advance (fake, 20 * 1000);
  g_assert_false (request->ended);
  fake_request_cancel (fake, request);
  fake_advance (fake, FAKE_SEGMENT_US);
}

/* A POST, or a source with p2p=false, is nobody else's business. */
static void
test_not_for_sharing (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autofree char *uri = fake_segment_uri (1);
  FakeRequest *first, *second;

  fake_publish (fake, 0, 3, FALSE);
  fake_load_playlist (fake);
  fake_request_segment (fake, 1);
  fake_http_answer_all (fake);
  first = request_plain (fake, uri, P2P_RANGE_ALL);
  g_assert_cmpuint (fake_http_count (fake, uri), ==, 2);
  fake_http_answer_all (fake);
  fake_assert_segment (first, 1, FAKE_SEGMENT_BYTES);

  fake->profile->method = g_strdup ("POST");
  second = fake_request (fake, uri);
  g_assert_cmpuint (fake_http_count (fake, uri), ==, 3);
  fake_http_answer_all (fake);
  fake_assert_segment (second, 1, FAKE_SEGMENT_BYTES);
}

/* With a floor beneath it: no tracker answers, no peer, no wait. */
static void
test_alone_there_is_no_wait (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  fake_publish (fake, 0, 30, FALSE);
  fake_load_playlist (fake);
  fake_tracker_up (fake);
  for (gint64 id = 0; id < 30; id++) {
    FakeRequest *request = fake_request_segment (fake, id);

    g_assert_nonnull (fake_http_segment (fake, id));
    fake_http_answer_all (fake);
    fake_assert_segment (request, id, FAKE_SEGMENT_BYTES);
    g_assert_cmpuint (fake_http_segment_count (fake, id), ==, 1);
  }
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/request/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("passes-through", test_passes_through);
  ADD ("keeps-the-range", test_keeps_the_range);
  ADD ("passes-an-empty-body", test_passes_an_empty_body);
  ADD ("back-pressure", test_back_pressure);
  ADD ("cancel", test_cancel);
  ADD ("resumes", test_resumes);
  ADD ("gives-up", test_gives_up);
  ADD ("retries-for-ever", test_retries_for_ever);
  ADD ("retries-back-off", test_retries_back_off);
  ADD ("does-not-retry-answers", test_does_not_retry_answers);
  ADD ("retries-unavailable", test_retries_unavailable);
  ADD ("retries-all-breakage", test_retries_all_breakage);
  ADD ("headers-before-failure", test_headers_before_failure);
  ADD ("cannot-resume", test_cannot_resume);
  ADD ("cancel-between-attempts", test_cancel_between_attempts);
  ADD ("too-many", test_too_many);
  ADD ("playlist-is-read", test_playlist_is_read);
  ADD ("playlist-is-prefixed", test_playlist_is_prefixed);
  ADD ("playlist-asks-for-its-style", test_playlist_asks_for_its_style);
  ADD ("cancel-before-the-style", test_cancel_before_the_style);
  ADD ("gateway-without-p2p", test_gateway_without_p2p);
  ADD ("unreadable-playlist", test_unreadable_playlist);
  ADD ("playlist-over-the-bound", test_playlist_over_the_bound);
  ADD ("playlist-is-resumed", test_playlist_is_resumed);
  ADD ("playlist-fails-halfway", test_playlist_fails_halfway);
  ADD ("misses-are-counted", test_misses_are_counted);
  ADD ("stored-segment-costs-no-http", test_stored_segment_costs_no_http);
  ADD ("stored-segment-is-paced", test_stored_segment_is_paced);
  ADD ("pace-is-https-where-that-is-more",
      test_pace_is_https_where_that_is_more);
  ADD ("no-pace-without-variants", test_no_pace_without_variants);
  ADD ("no-pace-where-http-carries-all", test_no_pace_where_http_carries_all);
  ADD ("no-pace-at-the-top", test_no_pace_at_the_top);
  ADD ("http-is-not-paced", test_http_is_not_paced);
  ADD ("peers-are-paced", test_peers_are_paced);
  ADD ("cancel-while-paced", test_cancel_while_paced);
  ADD ("not-for-sharing", test_not_for_sharing);
  ADD ("alone-there-is-no-wait", test_alone_there_is_no_wait);

  return g_test_run ();
}

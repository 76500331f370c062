/* p2phlssrc: tests of the HTTP port over libsoup.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/limits.h"
#include "soup/souphttp.h"
#include "support/httpserver.h"

#include <libsoup/soup.h>

/* Everything that happens to one request. */
typedef struct
{
  GPtrArray *order; /* const char *: H, D, E (end), F */
  GByteArray *body;
  P2pHttpResponse *response;
  P2pHttpFailure *failure;
  gboolean ended;
  gsize largest;
  /* what to do from inside an event */
  gboolean cancel_at_headers;
  gboolean cancel_at_data;
  gboolean pause_at_data;
  gboolean resume_at_data;
} Record;

typedef struct
{
  TestHttpServer *server;
  GMainContext *context;
  P2pHttpPort *http;
  P2pHttpProfile *profile;
  GHashTable *records; /* guint64 → Record */
  gboolean inside_call;
} Fixture;

static void
record_free (gpointer data)
{
  Record *record = data;

  g_ptr_array_unref (record->order);
  g_byte_array_unref (record->body);
  g_clear_pointer (&record->response, p2p_http_response_unref);
  g_clear_pointer (&record->failure, p2p_http_failure_unref);
  g_free (record);
}

static void
on_event (gpointer user_data, const P2pEvent *event)
{
  Fixture *fixture = user_data;
  Record *record = g_hash_table_lookup (fixture->records, &event->id);

  g_assert_false (fixture->inside_call);
  g_assert_nonnull (record);
  g_assert_false (record->ended);
  switch ((int) event->kind) {
    case P2P_EVENT_HTTP_HEADERS:
      g_assert_null (record->response);
      g_ptr_array_add (record->order, (gpointer) "H");
      record->response = p2p_http_response_ref (event->response);
      if (record->cancel_at_headers) {
        record->ended = TRUE;
        fixture->http->ops->cancel (fixture->http, event->id);
      }
      break;
    case P2P_EVENT_HTTP_DATA:
      g_assert_nonnull (record->response);
      g_assert_cmpuint (g_bytes_get_size (event->bytes), >, 0);
      g_ptr_array_add (record->order, (gpointer) "D");
      record->largest = MAX (record->largest, g_bytes_get_size (event->bytes));
      g_byte_array_append (record->body, g_bytes_get_data (event->bytes, NULL),
          g_bytes_get_size (event->bytes));
      if (record->pause_at_data)
        fixture->http->ops->pause (fixture->http, event->id);
      if (record->resume_at_data)
        fixture->http->ops->resume (fixture->http, event->id);
      if (record->cancel_at_data) {
        record->ended = TRUE;
        fixture->http->ops->cancel (fixture->http, event->id);
      }
      break;
    case P2P_EVENT_HTTP_DONE:
      g_ptr_array_add (record->order, (gpointer) "E");
      record->ended = TRUE;
      break;
    case P2P_EVENT_HTTP_FAILED:
      g_ptr_array_add (record->order, (gpointer) "F");
      record->failure = p2p_http_failure_ref (event->failure);
      record->ended = TRUE;
      break;
    default:
      g_assert_not_reached ();
  }
}

/* What GstElement defaults to. */
static P2pHttpProfile *
profile_new (void)
{
  P2pHttpProfile *profile = p2p_http_profile_new ();

  profile->user_agent = g_strdup ("tests ");
  profile->automatic_redirect = TRUE;
  profile->keep_alive = TRUE;
  profile->ssl_strict = TRUE;
  profile->ssl_use_system_ca_file = TRUE;
  profile->timeout_s = 15;

  return profile;
}

static void
set_up_client (Fixture *fixture)
{
  fixture->context = g_main_context_new ();
  g_main_context_push_thread_default (fixture->context);
  fixture->http = p2p_soup_http_new (fixture->context, on_event, fixture);
  fixture->profile = profile_new ();
  fixture->records =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, record_free);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->server = test_http_server_new ();
  set_up_client (fixture);
}

static void
set_up_tls (Fixture *fixture, gconstpointer data)
{
  fixture->server = test_http_server_new_tls (GPOINTER_TO_INT (data));
  set_up_client (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  p2p_soup_http_free (fixture->http);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_main_context_pop_thread_default (fixture->context);
  g_main_context_unref (fixture->context);
  p2p_http_profile_unref (fixture->profile);
  g_hash_table_unref (fixture->records);
  test_http_server_free (fixture->server);
}

static Record *
start_uri (Fixture *fixture, guint64 id, const char *uri, P2pRange range)
{
  Record *record = g_new0 (Record, 1);
  P2pHttpRequest request = { uri, range, fixture->profile };

  record->order = g_ptr_array_new ();
  record->body = g_byte_array_new ();
  g_hash_table_insert (fixture->records, g_memdup2 (&id, sizeof id), record);
  fixture->inside_call = TRUE;
  fixture->http->ops->start (fixture->http, id, &request);
  fixture->inside_call = FALSE;

  return record;
}

static Record *
start (Fixture *fixture, guint64 id, const char *path)
{
  g_autofree char *uri = test_http_server_uri (fixture->server, path);

  return start_uri (fixture, id, uri, P2P_RANGE_ALL);
}

static void
wait_for (Fixture *fixture, const gboolean *flag)
{
  while (!*flag)
    g_main_context_iteration (fixture->context, TRUE);
}

static gboolean
on_beat (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;

  return G_SOURCE_REMOVE;
}

/* Lets the loop run for a while in which nothing should happen. */
static void
spend (Fixture *fixture, guint ms)
{
  gboolean over = FALSE;
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, on_beat, &over, NULL);
  g_source_attach (source, fixture->context);
  g_source_unref (source);
  wait_for (fixture, &over);
}

static Record *
fetch_uri (Fixture *fixture, guint64 id, const char *uri, P2pRange range)
{
  Record *record = start_uri (fixture, id, uri, range);

  wait_for (fixture, &record->ended);

  return record;
}

static Record *
fetch (Fixture *fixture, guint64 id, const char *path)
{
  Record *record = start (fixture, id, path);

  wait_for (fixture, &record->ended);

  return record;
}

static void
assert_body (Record *record, GBytes *body, gsize from, gsize length)
{
  g_assert_null (record->failure);
  g_assert_cmpmem (record->body->data, record->body->len,
      (const guint8 *) g_bytes_get_data (body, NULL) + from, length);
}

static void
assert_failure (Record *record, P2pHttpFailureKind kind, guint status)
{
  g_assert_nonnull (record->failure);
  g_assert_cmpint (record->failure->kind, ==, kind);
  g_assert_cmpuint (record->failure->status, ==, status);
  g_assert_nonnull (record->failure->reason);
  g_assert_nonnull (record->failure->uri);
}

static void
assert_header (
    Fixture *fixture, const char *path, const char *name, const char *expected)
{
  g_autofree char *value =
      test_http_server_header (fixture->server, path, name);

  g_assert_cmpstr (value, ==, expected);
}

/* --- bodies ------------------------------------------------------------- */

static void
test_whole (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (3 * 1000 * 1000 + 17, 1);
  TestHttpResource answer = { .body = body, .content_type = "video/mp2t; x=1" };
  g_autofree char *uri = test_http_server_uri (fixture->server, "/a/../b");
  Record *record;

  test_http_server_set (fixture->server, "/b", &answer);
  record = fetch_uri (fixture, 1, uri, P2P_RANGE_ALL);
  assert_body (record, body, 0, g_bytes_get_size (body));
  g_assert_cmpuint (record->response->status, ==, 200);
  g_assert_cmpuint (
      record->response->content_length, ==, g_bytes_get_size (body));
  g_assert_cmpuint (record->response->total_size, ==, g_bytes_get_size (body));
  g_assert_cmpuint (record->response->range_start, ==, 0);
  g_assert_cmpstr (record->response->content_type, ==, "video/mp2t; x=1");
  g_assert_false (record->response->redirected);
  g_assert_true (record->response->accepts_ranges);
  g_assert_cmpstr (record->response->uri, ==, uri);
  g_assert_true (g_strv_contains (
      (const char *const *) record->response->request_headers, "User-Agent"));
  g_assert_cmpuint (record->largest, <=, 1024 * 1024);
  assert_header (fixture, "/b", "Range", NULL);
  assert_header (fixture, "/b", "Accept-Encoding", "identity");
}

static void
test_empty (Fixture *fixture, gconstpointer data)
{
  TestHttpResource answer = { 0 };
  Record *record;

  test_http_server_set (fixture->server, "/empty", &answer);
  record = fetch (fixture, 1, "/empty");
  g_assert_null (record->failure);
  g_assert_cmpuint (record->order->len, ==, 2);
  g_assert_cmpuint (record->response->content_length, ==, 0);
}

static void
test_range (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (100000, 2);
  TestHttpResource answer = { .body = body };
  g_autofree char *uri = test_http_server_uri (fixture->server, "/r");
  Record *record;

  test_http_server_set (fixture->server, "/r", &answer);
  record = fetch_uri (fixture, 1, uri, (P2pRange){ 1000, 1999 });
  assert_body (record, body, 1000, 1000);
  g_assert_cmpuint (record->response->status, ==, 206);
  g_assert_cmpuint (record->response->range_start, ==, 1000);
  g_assert_cmpuint (record->response->content_length, ==, 1000);
  g_assert_cmpuint (record->response->total_size, ==, 100000);
  assert_header (fixture, "/r", "Range", "bytes=1000-1999");

  record = fetch_uri (fixture, 2, uri, (P2pRange){ 99000, P2P_SIZE_UNKNOWN });
  assert_body (record, body, 99000, 1000);
  assert_header (fixture, "/r", "Range", "bytes=99000-");

  record = fetch_uri (fixture, 3, uri, (P2pRange){ 200000, P2P_SIZE_UNKNOWN });
  assert_failure (record, P2P_HTTP_FAILURE_STATUS, 416);
}

static void
test_range_ignored (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (5000, 3);
  TestHttpResource answer = { .body = body, .no_ranges = TRUE };
  g_autofree char *uri = test_http_server_uri (fixture->server, "/r");
  Record *record;

  test_http_server_set (fixture->server, "/r", &answer);
  record = fetch_uri (fixture, 1, uri, (P2pRange){ 1000, 1999 });
  assert_body (record, body, 0, 5000);
  g_assert_cmpuint (record->response->status, ==, 200);
  g_assert_cmpuint (record->response->range_start, ==, 0);
  g_assert_false (record->response->accepts_ranges);
}

static void
test_chunked (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (500000, 4);
  TestHttpResource answer = { .body = body, .chunked = TRUE };
  Record *record;

  test_http_server_set (fixture->server, "/c", &answer);
  record = fetch (fixture, 1, "/c");
  assert_body (record, body, 0, 500000);
  g_assert_true (record->response->content_length == P2P_SIZE_UNKNOWN);
  g_assert_true (record->response->total_size == P2P_SIZE_UNKNOWN);
}

static void
test_pieces (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (5000, 5);
  TestHttpResource answer = {
    .body = body, .piece_bytes = 1000, .piece_delay_ms = 20
  };
  Record *record;

  test_http_server_set (fixture->server, "/p", &answer);
  record = fetch (fixture, 1, "/p");
  assert_body (record, body, 0, 5000);
  /* They are handed over as they come. */
  g_assert_cmpuint (record->order->len, >, 3);
}

static void
test_compressed (Fixture *fixture, gconstpointer data)
{
  static const char *const headers[] = { "Content-Encoding", "gzip", NULL };
  g_autoptr (GBytes) body = g_bytes_new_static ("#EXTM3U\n#EXTM3U\n", 16);
  g_autoptr (GConverter) gzip =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  guint8 packed[256];
  gsize in, out;
  g_autoptr (GBytes) packed_body = NULL;
  TestHttpResource answer = { .headers = headers };
  Record *record;

  g_converter_convert (gzip, g_bytes_get_data (body, NULL), 16, packed,
      sizeof packed, G_CONVERTER_INPUT_AT_END, &in, &out, NULL);
  answer.body = packed_body = g_bytes_new (packed, out);
  test_http_server_set (fixture->server, "/z", &answer);
  fixture->profile->compress = TRUE;
  record = fetch (fixture, 1, "/z");
  assert_body (record, body, 0, 16);
  g_assert_true (record->response->content_length == P2P_SIZE_UNKNOWN);
  assert_header (fixture, "/z", "Accept-Encoding", "gzip, deflate");
}

static void
test_head (Fixture *fixture, gconstpointer data)
{
  static const guint statuses[] = { 404, 0 };
  g_autoptr (GBytes) body = test_http_body (1000, 6);
  TestHttpResource answer = { .body = body, .statuses = statuses };
  Record *record;

  test_http_server_set (fixture->server, "/h", &answer);
  fixture->profile->method = g_strdup ("HEAD");
  record = fetch (fixture, 1, "/h");
  g_assert_null (record->failure);
  g_assert_cmpuint (record->response->status, ==, 404);
  record = fetch (fixture, 2, "/h");
  g_assert_null (record->failure);
  g_assert_cmpuint (record->response->content_length, ==, 1000);
  g_assert_cmpuint (record->body->len, ==, 0);
}

/* --- flow --------------------------------------------------------------- */

static void
test_connections_are_kept (Fixture *fixture, gconstpointer data)
{
  static const guint statuses[] = { 404, 503, 0 };
  g_autoptr (GBytes) body = test_http_body (100000, 7);
  TestHttpResource answer = { .body = body };
  TestHttpResource refusal = { .body = body, .statuses = statuses };
  g_autoptr (P2pHttpProfile) other = profile_new ();
  guint64 id = 0;

  test_http_server_set (fixture->server, "/k", &answer);
  test_http_server_set (fixture->server, "/refused", &refusal);
  while (id < 10)
    assert_body (fetch (fixture, ++id, "/k"), body, 0, 100000);
  fetch (fixture, ++id, "/nothing");
  fetch (fixture, ++id, "/refused");
  fetch (fixture, ++id, "/refused");
  /* What differs per message does not cost a connection. */
  g_free (other->user_agent);
  other->user_agent = g_strdup ("other");
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = g_steal_pointer (&other);
  assert_body (fetch (fixture, ++id, "/k"), body, 0, 100000);
  assert_header (fixture, "/k", "User-Agent", "other");
  g_assert_cmpuint (test_http_server_connections (fixture->server), ==, 1);

  /* What is the session's does. */
  other = profile_new ();
  other->timeout_s = 3;
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = g_steal_pointer (&other);
  fetch (fixture, ++id, "/k");
  g_assert_cmpuint (test_http_server_connections (fixture->server), ==, 2);
}

static void
test_sessions_are_bounded (Fixture *fixture, gconstpointer data)
{
  TestHttpResource answer = { 0 };
  guint64 id;

  test_http_server_set (fixture->server, "/k", &answer);
  for (id = 1; id <= 2 * P2P_HTTP_SESSIONS_MAX; id++) {
    p2p_http_profile_unref (fixture->profile);
    fixture->profile = profile_new ();
    fixture->profile->timeout_s = id;
    g_assert_null (fetch (fixture, id, "/k")->failure);
  }
}

static void
test_side_by_side (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (300000, 8);
  TestHttpResource answer = { .body = body };
  TestHttpResource stalled = {
    .body = body, .ending = TEST_HTTP_STALL, .ending_bytes = 10
  };
  Record *records[40];
  guint i;

  test_http_server_set (fixture->server, "/s", &answer);
  test_http_server_set (fixture->server, "/stalled", &stalled);
  for (i = 0; i < 20; i++)
    start (fixture, 1000 + i, "/stalled");
  for (i = 0; i < G_N_ELEMENTS (records); i++)
    records[i] = start (fixture, i + 1, "/s");
  for (i = 0; i < G_N_ELEMENTS (records); i++) {
    wait_for (fixture, &records[i]->ended);
    assert_body (records[i], body, 0, 300000);
  }
}

static void
test_pause (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (2000000, 9);
  TestHttpResource answer = { .body = body };
  Record *record;
  guint before;

  test_http_server_set (fixture->server, "/p", &answer);
  record = start (fixture, 1, "/p");
  record->pause_at_data = TRUE;
  while (record->body->len == 0)
    g_main_context_iteration (fixture->context, TRUE);
  before = record->order->len;
  spend (fixture, 50);
  g_assert_cmpuint (record->order->len, ==, before);

  record->resume_at_data = TRUE;
  fixture->inside_call = TRUE;
  fixture->http->ops->resume (fixture->http, 1);
  fixture->inside_call = FALSE;
  wait_for (fixture, &record->ended);
  assert_body (record, body, 0, 2000000);
}

/* The engine may pause before anything has come. */
static void
test_pause_early (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (2000, 10);
  TestHttpResource answer = { .body = body };
  Record *record;

  test_http_server_set (fixture->server, "/p", &answer);
  record = start (fixture, 1, "/p");
  fixture->http->ops->pause (fixture->http, 1);
  while (record->response == NULL)
    g_main_context_iteration (fixture->context, TRUE);
  spend (fixture, 30);
  g_assert_cmpuint (record->order->len, ==, 1);
  fixture->http->ops->resume (fixture->http, 1);
  fixture->http->ops->resume (fixture->http, 1);
  wait_for (fixture, &record->ended);
  assert_body (record, body, 0, 2000);
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (2000000, 11);
  TestHttpResource answer = { .body = body };
  TestHttpResource slow = { .body = body, .delay_ms = 20 };
  Record *at_once, *at_headers, *at_data, *slowly;

  test_http_server_set (fixture->server, "/c", &answer);
  test_http_server_set (fixture->server, "/slow", &slow);
  at_once = start (fixture, 1, "/c");
  at_once->ended = TRUE;
  fixture->http->ops->cancel (fixture->http, 1);
  at_headers = start (fixture, 2, "/c");
  at_headers->cancel_at_headers = TRUE;
  at_data = start (fixture, 3, "/c");
  at_data->cancel_at_data = TRUE;
  slowly = start (fixture, 4, "/slow");
  wait_for (fixture, &at_headers->ended);
  wait_for (fixture, &at_data->ended);
  slowly->ended = TRUE;
  fixture->http->ops->cancel (fixture->http, 4);
  fixture->http->ops->cancel (fixture->http, 4);
  fixture->http->ops->cancel (fixture->http, 77);
  start_uri (fixture, 5, "nonsense", P2P_RANGE_ALL)->ended = TRUE;
  fixture->http->ops->cancel (fixture->http, 5);
  /* on_event would complain about an event for an ended one. */
  spend (fixture, 60);
  g_assert_cmpuint (at_once->order->len, ==, 0);
  g_assert_cmpuint (at_data->order->len, ==, 2);
}

/* Freed with requests in every state. */
static void
test_free_busy (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (5000000, 12);
  TestHttpResource answer = { .body = body };
  TestHttpResource slow = { .body = body, .delay_ms = 1000 };
  Record *record;

  test_http_server_set (fixture->server, "/c", &answer);
  test_http_server_set (fixture->server, "/slow", &slow);
  record = start (fixture, 1, "/c");
  record->pause_at_data = TRUE;
  start (fixture, 2, "/slow");
  while (record->body->len == 0)
    g_main_context_iteration (fixture->context, TRUE);
  start (fixture, 3, "/c");
  start_uri (fixture, 4, "nonsense", P2P_RANGE_ALL);
}

/* --- what goes wrong ---------------------------------------------------- */

static void
test_status (Fixture *fixture, gconstpointer data)
{
  static const guint statuses[] = { 404, 500, 403, 304, 0 };
  static const char *const headers[] = { "Retry-After", "7", NULL };
  g_autoptr (GBytes) body = test_http_body (10, 13);
  TestHttpResource answer = {
    .body = body, .statuses = statuses, .headers = headers
  };
  Record *record;

  test_http_server_set (fixture->server, "/e", &answer);
  record = fetch (fixture, 1, "/e");
  assert_failure (record, P2P_HTTP_FAILURE_STATUS, 404);
  g_assert_cmpstr (record->failure->reason, ==, "Not Found");
  g_assert_true (g_strv_contains (
      (const char *const *) record->failure->response_headers, "Retry-After"));
  g_assert_null (record->failure->redirection_uri);
  g_assert_null (record->response);
  assert_failure (fetch (fixture, 2, "/e"), P2P_HTTP_FAILURE_STATUS, 500);
  assert_failure (fetch (fixture, 3, "/e"), P2P_HTTP_FAILURE_STATUS, 403);
  assert_failure (fetch (fixture, 4, "/e"), P2P_HTTP_FAILURE_REDIRECT, 304);
  assert_body (fetch (fixture, 5, "/e"), body, 0, 10);
}

static void
test_short (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (100000, 14);
  TestHttpResource cut = {
    .body = body, .ending = TEST_HTTP_CUT, .ending_bytes = 40000
  };
  TestHttpResource closing = cut;
  TestHttpResource chunked = cut;
  const char *paths[] = { "/cut", "/closing", "/chunked" };
  guint i;

  closing.closes = TRUE;
  chunked.chunked = TRUE;
  test_http_server_set (fixture->server, "/cut", &cut);
  test_http_server_set (fixture->server, "/closing", &closing);
  test_http_server_set (fixture->server, "/chunked", &chunked);
  for (i = 0; i < G_N_ELEMENTS (paths); i++) {
    Record *record = fetch (fixture, i + 1, paths[i]);

    assert_failure (record, P2P_HTTP_FAILURE_SHORT, 200);
    g_assert_cmpmem (record->body->data, record->body->len,
        g_bytes_get_data (body, NULL), 40000);
  }
}

static void
test_timeout (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (1000, 15);
  TestHttpResource stalled = {
    .body = body, .ending = TEST_HTTP_STALL, .ending_bytes = 10
  };
  TestHttpResource late = { .body = body, .delay_ms = 60 * 1000 };
  Record *record;

  fixture->profile->timeout_s = 1;
  test_http_server_set (fixture->server, "/stalled", &stalled);
  test_http_server_set (fixture->server, "/late", &late);
  record = fetch (fixture, 1, "/stalled");
  assert_failure (record, P2P_HTTP_FAILURE_TIMEOUT, 200);
  g_assert_cmpuint (record->body->len, ==, 10);
  assert_failure (fetch (fixture, 2, "/late"), P2P_HTTP_FAILURE_TIMEOUT, 0);
}

static void
test_unreachable (Fixture *fixture, gconstpointer data)
{
  Record *record;

  record = fetch_uri (fixture, 1, "http://127.0.0.1:1/", P2P_RANGE_ALL);
  assert_failure (record, P2P_HTTP_FAILURE_CONNECT, 0);
  g_assert_cmpstr (record->failure->uri, ==, "http://127.0.0.1:1/");
  assert_failure (
      fetch_uri (fixture, 2, "http://nowhere.invalid/", P2P_RANGE_ALL),
      P2P_HTTP_FAILURE_RESOLVE, 0);
  assert_failure (fetch_uri (fixture, 3, "not a uri", P2P_RANGE_ALL),
      P2P_HTTP_FAILURE_URI, 0);
  assert_failure (fetch_uri (fixture, 4, "ftp://127.0.0.1/", P2P_RANGE_ALL),
      P2P_HTTP_FAILURE_URI, 0);
  assert_failure (fetch_uri (fixture, 5, "http://", P2P_RANGE_ALL),
      P2P_HTTP_FAILURE_URI, 0);
}

/* --- redirects ---------------------------------------------------------- */

static void
add_redirect (
    Fixture *fixture, const char *path, guint status, const char *location)
{
  TestHttpResource answer = { .status = status, .location = location };

  test_http_server_set (fixture->server, path, &answer);
}

static void
test_redirect (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (1000, 16);
  TestHttpResource answer = { .body = body };
  g_autofree char *end = test_http_server_uri (fixture->server, "/d/end");
  Record *record;

  test_http_server_set (fixture->server, "/d/end", &answer);
  add_redirect (fixture, "/d/a", 301, "end");
  add_redirect (fixture, "/d/b", 308, "/d/a");
  add_redirect (fixture, "/d/c", 302, "/d/a");
  record = fetch (fixture, 1, "/d/b");
  assert_body (record, body, 0, 1000);
  g_assert_cmpstr (record->response->uri, ==, end);
  g_assert_true (record->response->redirected);
  g_assert_true (record->response->permanent_redirect);
  record = fetch (fixture, 2, "/d/c");
  g_assert_true (record->response->redirected);
  g_assert_false (record->response->permanent_redirect);
}

static void
test_redirect_fails (Fixture *fixture, gconstpointer data)
{
  g_autofree char *gone = test_http_server_uri (fixture->server, "/gone");
  Record *record;

  add_redirect (fixture, "/loop", 302, "/loop");
  add_redirect (fixture, "/odd", 302, "mailto:nobody");
  add_redirect (fixture, "/to-gone", 302, "/gone");
  record = fetch (fixture, 1, "/loop");
  g_assert_cmpint (record->failure->kind, ==, P2P_HTTP_FAILURE_REDIRECT);
  record = fetch (fixture, 2, "/odd");
  g_assert_cmpint (record->failure->kind, ==, P2P_HTTP_FAILURE_REDIRECT);
  g_assert_cmpstr (record->failure->reason, ==, "Found");
  record = fetch (fixture, 3, "/to-gone");
  assert_failure (record, P2P_HTTP_FAILURE_STATUS, 404);
  g_assert_cmpstr (record->failure->uri, ==, gone);
  g_assert_cmpstr (record->failure->redirection_uri, ==, gone);

  fixture->profile->automatic_redirect = FALSE;
  record = fetch (fixture, 4, "/to-gone");
  assert_failure (record, P2P_HTTP_FAILURE_REDIRECT, 302);
  g_assert_null (record->failure->redirection_uri);
}

/* --- profiles ----------------------------------------------------------- */

static void
test_headers (Fixture *fixture, gconstpointer data)
{
  static const char *cookies[] = { "a=1", "b=2", NULL };
  static const char *extra[] = { "Referer", "http://r/", "X-Twice", "1",
    "X-Twice", "2", NULL };
  TestHttpResource answer = { 0 };
  g_autofree char *agent =
      g_strdup_printf ("tests libsoup/%u.%u.%u", soup_get_major_version (),
          soup_get_minor_version (), soup_get_micro_version ());

  test_http_server_set (fixture->server, "/h", &answer);
  fixture->profile->cookies = g_strdupv ((char **) cookies);
  fixture->profile->extra_headers = g_strdupv ((char **) extra);
  fixture->profile->iradio_mode = TRUE;
  fixture->profile->keep_alive = FALSE;
  g_assert_null (fetch (fixture, 1, "/h")->failure);
  g_assert_null (fetch (fixture, 2, "/h")->failure);
  assert_header (fixture, "/h", "User-Agent", agent);
  assert_header (fixture, "/h", "Cookie", "a=1, b=2");
  assert_header (fixture, "/h", "Referer", "http://r/");
  assert_header (fixture, "/h", "X-Twice", "1, 2");
  assert_header (fixture, "/h", "icy-metadata", "1");
  assert_header (fixture, "/h", "Connection", "close");
  g_assert_cmpuint (test_http_server_connections (fixture->server), ==, 2);
}

static void
test_cookies_come_back (Fixture *fixture, gconstpointer data)
{
  static const char *const headers[] = { "Set-Cookie", "token=7; Path=/",
    NULL };
  TestHttpResource answer = { .headers = headers };

  test_http_server_set (fixture->server, "/h", &answer);
  fetch (fixture, 1, "/h");
  fetch (fixture, 2, "/h");
  assert_header (fixture, "/h", "Cookie", "token=7");
}

static void
test_login (Fixture *fixture, gconstpointer data)
{
  gboolean digest = GPOINTER_TO_INT (data);
  g_autoptr (GBytes) body = test_http_body (1000, 17);
  TestHttpResource answer = { .body = body };

  test_http_server_set (fixture->server, "/in/a", &answer);
  test_http_server_protect (fixture->server, "/in", digest, "me", "secret");
  assert_failure (fetch (fixture, 1, "/in/a"), P2P_HTTP_FAILURE_STATUS, 401);
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  fixture->profile->user_id = g_strdup ("me");
  fixture->profile->user_pw = g_strdup ("wrong");
  assert_failure (fetch (fixture, 2, "/in/a"), P2P_HTTP_FAILURE_STATUS, 401);
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  fixture->profile->user_id = g_strdup ("me");
  fixture->profile->user_pw = g_strdup ("secret");
  assert_body (fetch (fixture, 3, "/in/a"), body, 0, 1000);
  /* It is the session's: a demuxer's own sources bring none. */
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  assert_body (fetch (fixture, 4, "/in/a"), body, 0, 1000);
  /* But not another user's. */
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  fixture->profile->user_id = g_strdup ("you");
  fixture->profile->user_pw = g_strdup ("secret");
  assert_failure (fetch (fixture, 5, "/in/a"), P2P_HTTP_FAILURE_STATUS, 401);
}

static void
test_proxy (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (1000, 18);
  TestHttpResource answer = { .body = body };
  g_autofree char *proxy = test_http_server_uri (fixture->server, "");
  Record *record;

  test_http_server_set (fixture->server, "/far", &answer);
  test_http_server_protect_proxy (fixture->server, "p", "q");
  fixture->profile->proxy = g_strdup (proxy + strlen ("http://"));
  record = fetch_uri (fixture, 1, "http://nowhere.invalid/far", P2P_RANGE_ALL);
  assert_failure (record, P2P_HTTP_FAILURE_STATUS, 407);
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  fixture->profile->proxy = g_strdup (proxy);
  fixture->profile->proxy_id = g_strdup ("p");
  fixture->profile->proxy_pw = g_strdup ("q");
  record = fetch_uri (fixture, 2, "http://nowhere.invalid/far", P2P_RANGE_ALL);
  assert_body (record, body, 0, 1000);
  assert_header (fixture, "/far", "Host", "nowhere.invalid");
}

/* An application's session, made on another thread's context. */
static gpointer
make_session (gpointer user_data)
{
  GMainContext *context = g_main_context_new ();
  SoupSession *session;

  g_main_context_push_thread_default (context);
  session = soup_session_new ();
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  return session;
}

static void
test_foreign_session (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (300000, 19);
  TestHttpResource answer = { .body = body };

  test_http_server_set (fixture->server, "/f", &answer);
  fixture->profile->soup_session =
      g_thread_join (g_thread_new ("app", make_session, NULL));
  soup_session_set_user_agent (
      SOUP_SESSION (fixture->profile->soup_session), "app");
  assert_body (fetch (fixture, 1, "/f"), body, 0, 300000);
  assert_body (fetch (fixture, 2, "/f"), body, 0, 300000);
  assert_header (fixture, "/f", "User-Agent", "app");
}

/* --- TLS ---------------------------------------------------------------- */

static void
test_tls (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) body = test_http_body (2000000, 20);
  TestHttpResource answer = { .body = body };

  test_http_server_set (fixture->server, "/t", &answer);
  assert_failure (fetch (fixture, 1, "/t"), P2P_HTTP_FAILURE_TLS, 0);

  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  fixture->profile->ssl_strict = FALSE;
  assert_body (fetch (fixture, 2, "/t"), body, 0, 2000000);

  /* A connection that was not verified serves no strict element. */
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  assert_failure (fetch (fixture, 3, "/t"), P2P_HTTP_FAILURE_TLS, 0);

  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  fixture->profile->tls_database =
      G_OBJECT (test_http_server_dup_trust (fixture->server));
  assert_body (fetch (fixture, 4, "/t"), body, 0, 2000000);
}

static void
test_ca_file (Fixture *fixture, gconstpointer data)
{
  fixture->profile->ssl_ca_file = g_strdup ("/nowhere.pem");
  assert_failure (fetch (fixture, 1, "/t"), P2P_HTTP_FAILURE_TLS, 0);
  p2p_http_profile_unref (fixture->profile);
  fixture->profile = profile_new ();
  fixture->profile->ssl_use_system_ca_file = FALSE;
  assert_failure (fetch (fixture, 2, "/t"), P2P_HTTP_FAILURE_TLS, 0);
}

static void
add (const char *name, gconstpointer data,
    void (*test) (Fixture *, gconstpointer),
    void (*before) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/adapters/souphttp/", name, NULL);

  g_test_add (path, Fixture, data, before, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("whole", NULL, test_whole, set_up);
  add ("empty", NULL, test_empty, set_up);
  add ("range", NULL, test_range, set_up);
  add ("range-ignored", NULL, test_range_ignored, set_up);
  add ("chunked", NULL, test_chunked, set_up);
  add ("pieces", NULL, test_pieces, set_up);
  add ("compressed", NULL, test_compressed, set_up);
  add ("head", NULL, test_head, set_up);
  add ("connections-are-kept", NULL, test_connections_are_kept, set_up);
  add ("sessions-are-bounded", NULL, test_sessions_are_bounded, set_up);
  add ("side-by-side", NULL, test_side_by_side, set_up);
  add ("pause", NULL, test_pause, set_up);
  add ("pause-early", NULL, test_pause_early, set_up);
  add ("cancel", NULL, test_cancel, set_up);
  add ("free-busy", NULL, test_free_busy, set_up);
  add ("status", NULL, test_status, set_up);
  add ("short", NULL, test_short, set_up);
  add ("timeout", NULL, test_timeout, set_up);
  add ("unreachable", NULL, test_unreachable, set_up);
  add ("redirect", NULL, test_redirect, set_up);
  add ("redirect-fails", NULL, test_redirect_fails, set_up);
  add ("headers", NULL, test_headers, set_up);
  add ("cookies-come-back", NULL, test_cookies_come_back, set_up);
  add ("login-basic", GINT_TO_POINTER (FALSE), test_login, set_up);
  add ("login-digest", GINT_TO_POINTER (TRUE), test_login, set_up);
  add ("proxy", NULL, test_proxy, set_up);
  add ("foreign-session", NULL, test_foreign_session, set_up);
  add ("tls", GINT_TO_POINTER (FALSE), test_tls, set_up_tls);
  add ("tls-http2", GINT_TO_POINTER (TRUE), test_tls, set_up_tls);
  add ("ca-file", GINT_TO_POINTER (FALSE), test_ca_file, set_up_tls);

  return g_test_run ();
}

/* p2phlssrc: tests of the loopback gateway.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The test is the engine: it hears what players ask, and answers by hand.
 */
#include "base/limits.h"
#include "soup/soupgateway.h"

#include <libsoup/soup.h>
#include <string.h>

#define URL "https://cdn.test/live/segment.ts"

/* One event of the gateway. */
typedef struct
{
  P2pEventKind kind;
  guint64 id;
  char *uri; /* (nullable) */
  P2pRange range;
  gboolean is_head;
} Heard;

typedef struct
{
  GMainContext *context;
  P2pSoupGateway *gateway;
  P2pSinkPort *sink;
  P2pHttpProfile *get, *head;
  SoupSession *session;
  GArray *heard; /* of Heard */
  guint read;
  gboolean inside;
} Fixture;

static void
heard_clear (gpointer data)
{
  g_free (((Heard *) data)->uri);
}

static void
on_event (gpointer user_data, const P2pEvent *event)
{
  Fixture *fixture = user_data;
  Heard heard = { .kind = event->kind, .id = event->id };

  g_assert_false (fixture->inside);
  g_assert_true (p2p_soup_gateway_owns (event->id));
  if (event->kind == P2P_EVENT_REQUEST) {
    g_assert_cmpint (event->request->style, ==, P2P_PLAYLIST_GATEWAY);
    g_assert_cmpstr (event->request->gateway_key, ==,
        p2p_soup_gateway_key (fixture->gateway));
    heard.uri = g_strdup (event->request->uri);
    heard.range = event->request->range;
    heard.is_head = event->request->profile == fixture->head;
    g_assert_true (event->request->p2p != heard.is_head);
  }
  g_array_append_val (fixture->heard, heard);
}

static Fixture *
fixture_new (void)
{
  Fixture *fixture = g_new0 (Fixture, 1);
  g_autoptr (GError) error = NULL;

  fixture->context = g_main_context_new ();
  g_main_context_push_thread_default (fixture->context);
  fixture->heard = g_array_new (FALSE, FALSE, sizeof (Heard));
  g_array_set_clear_func (fixture->heard, heard_clear);
  fixture->gateway =
      p2p_soup_gateway_new (fixture->context, 0, on_event, fixture, &error);
  g_assert_no_error (error);
  fixture->sink = p2p_soup_gateway_sink (fixture->gateway);
  fixture->get = p2p_http_profile_new ();
  fixture->head = p2p_http_profile_new ();
  p2p_soup_gateway_set_profiles (fixture->gateway, fixture->get, fixture->head);
  fixture->session = soup_session_new ();

  return fixture;
}

static void
fixture_free (Fixture *fixture)
{
  g_object_unref (fixture->session);
  g_clear_pointer (&fixture->gateway, p2p_soup_gateway_free);
  while (g_main_context_iteration (fixture->context, FALSE))
    continue;
  p2p_http_profile_unref (fixture->get);
  p2p_http_profile_unref (fixture->head);
  g_array_unref (fixture->heard);
  g_main_context_pop_thread_default (fixture->context);
  g_main_context_unref (fixture->context);
  g_free (fixture);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)

#define UNTIL(fixture, condition) \
  G_STMT_START \
    { \
      gint64 until_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC; \
      while (!(condition)) { \
        g_assert_cmpint (g_get_monotonic_time (), <, until_us); \
        if (!g_main_context_iteration (fixture->context, FALSE)) \
          g_usleep (500); \
      } \
    } \
  G_STMT_END

/* The next event, which must be a @kind. */
static Heard *
hear (Fixture *fixture, P2pEventKind kind)
{
  Heard *heard;

  UNTIL (fixture, fixture->heard->len > fixture->read);
  heard = &g_array_index (fixture->heard, Heard, fixture->read++);
  g_assert_cmpint (heard->kind, ==, kind);

  return heard;
}

/* --- the engine's answers ------------------------------------------------------ */

static void
give_headers (Fixture *fixture, guint64 id, guint status, guint64 start,
    guint64 length, guint64 total)
{
  g_autoptr (P2pHttpResponse) response = p2p_http_response_new ();

  response->status = status;
  response->range_start = start;
  response->content_length = length;
  response->total_size = total;
  response->accepts_ranges = TRUE;
  fixture->inside = TRUE;
  fixture->sink->ops->headers (fixture->sink, id, response);
  fixture->inside = FALSE;
}

static gsize
give_data (Fixture *fixture, guint64 id, const void *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  gsize waiting;

  fixture->inside = TRUE;
  waiting = fixture->sink->ops->data (fixture->sink, id, bytes);
  fixture->inside = FALSE;

  return waiting;
}

static void
give_end (Fixture *fixture, guint64 id)
{
  fixture->inside = TRUE;
  fixture->sink->ops->end (fixture->sink, id);
  fixture->inside = FALSE;
}

static void
give_failure (
    Fixture *fixture, guint64 id, P2pHttpFailureKind kind, guint status)
{
  g_autoptr (P2pHttpFailure) failure = p2p_http_failure_new (kind);

  failure->status = status;
  fixture->inside = TRUE;
  fixture->sink->ops->fail (fixture->sink, id, failure);
  fixture->inside = FALSE;
}

/* --- a player ---------------------------------------------------------------------- */

typedef struct
{
  SoupMessage *message;
  GBytes *body;
  GError *error;
  gboolean is_done;
} Call;

static void
on_read (GObject *session, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;

  call->body = soup_session_send_and_read_finish (
      SOUP_SESSION (session), result, &call->error);
  call->is_done = TRUE;
}

static Call *
call_new (Fixture *fixture, const char *method, const char *url)
{
  g_autofree char *address = p2p_soup_gateway_address (fixture->gateway, url);
  Call *call = g_new0 (Call, 1);

  call->message = soup_message_new (method, address);
  g_assert_nonnull (call->message);

  return call;
}

static void
call_send (Fixture *fixture, Call *call)
{
  soup_session_send_and_read_async (
      fixture->session, call->message, G_PRIORITY_DEFAULT, NULL, on_read, call);
}

static void
call_free (Call *call)
{
  g_assert_true (call->is_done);
  g_object_unref (call->message);
  g_clear_pointer (&call->body, g_bytes_unref);
  g_clear_error (&call->error);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
assert_header (Call *call, const char *name, const char *value)
{
  g_assert_cmpstr (soup_message_headers_get_one (
                       soup_message_get_response_headers (call->message), name),
      ==, value);
}

static void
assert_body (Call *call, guint status, const char *body)
{
  g_assert_no_error (call->error);
  g_assert_cmpuint (soup_message_get_status (call->message), ==, status);
  g_assert_cmpmem (g_bytes_get_data (call->body, NULL),
      g_bytes_get_size (call->body), body, strlen (body));
}

/* A connection without a library between. */
static GSocketConnection *
connect_raw (Fixture *fixture, const char *host, const char *request)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autofree char *address = p2p_soup_gateway_address (fixture->gateway, URL);
  g_autoptr (GUri) uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  GSocketConnection *connection = g_socket_client_connect_to_host (
      client, host, (guint16) g_uri_get_port (uri), NULL, NULL);
  g_autofree char *text = NULL;

  if (connection == NULL)
    return NULL;
  text = g_strdup_printf (
      "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", request, g_uri_get_path (uri));
  g_assert_true (g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (connection)), text,
      strlen (text), NULL, NULL, NULL));

  return connection;
}

/* --- answers ------------------------------------------------------------------------ */

static void
test_whole (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, "GET", URL "?token=1");
  Heard *heard;

  call_send (fixture, call);
  heard = hear (fixture, P2P_EVENT_REQUEST);
  g_assert_cmpstr (heard->uri, ==, URL "?token=1");
  g_assert_true (p2p_range_is_all (&heard->range));
  g_assert_false (heard->is_head);
  give_headers (fixture, heard->id, 200, 0, 11, 11);
  g_assert_cmpuint (give_data (fixture, heard->id, "hello", 5), ==, 5);
  give_data (fixture, heard->id, " world", 6);
  give_end (fixture, heard->id);
  UNTIL (fixture, call->is_done);
  assert_body (call, 200, "hello world");
  assert_header (call, "Content-Type", "video/mp2t");
  assert_header (call, "Content-Length", "11");
  assert_header (call, "Accept-Ranges", "bytes");
  assert_header (call, "Access-Control-Allow-Origin", "*");
  g_assert_cmpuint (fixture->heard->len, ==, 1);
}

static void
test_streams (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (GSocketConnection) raw = connect_raw (fixture, "127.0.0.1", "GET");
  GSocket *socket = g_socket_connection_get_socket (raw);
  g_autoptr (GString) seen = g_string_new (NULL);
  Heard *heard = hear (fixture, P2P_EVENT_REQUEST);

  g_socket_set_blocking (socket, FALSE);
  give_headers (fixture, heard->id, 200, 0, P2P_SIZE_UNKNOWN, P2P_SIZE_UNKNOWN);
  give_data (fixture, heard->id, "first", 5);
  /* It is with the player before the rest is there. */
  while (strstr (seen->str, "first") == NULL) {
    char piece[4096];
    gssize n = g_socket_receive (socket, piece, sizeof piece, NULL, NULL);

    if (n > 0)
      g_string_append_len (seen, piece, n);
    else
      g_main_context_iteration (fixture->context, FALSE);
  }
  g_assert_nonnull (strstr (seen->str, "chunked"));
  give_end (fixture, heard->id);
}

static void
test_range (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, "GET", URL);
  Heard *heard;

  soup_message_headers_set_range (
      soup_message_get_request_headers (call->message), 100, 104);
  call_send (fixture, call);
  heard = hear (fixture, P2P_EVENT_REQUEST);
  g_assert_cmpuint (heard->range.start, ==, 100);
  g_assert_cmpuint (heard->range.end, ==, 104);
  give_headers (fixture, heard->id, 206, 100, 5, 1000);
  give_data (fixture, heard->id, "12345", 5);
  give_end (fixture, heard->id);
  UNTIL (fixture, call->is_done);
  assert_body (call, 206, "12345");
  assert_header (call, "Content-Range", "bytes 100-104/1000");
}

static void
check_odd_range (const char *text, guint64 start, guint64 end)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, "GET", URL);
  Heard *heard;

  soup_message_headers_replace (
      soup_message_get_request_headers (call->message), "Range", text);
  call_send (fixture, call);
  heard = hear (fixture, P2P_EVENT_REQUEST);
  g_assert_cmpuint (heard->range.start, ==, start);
  g_assert_cmpuint (heard->range.end, ==, end);
  give_headers (fixture, heard->id, 200, 0, 1, 1);
  give_data (fixture, heard->id, "x", 1);
  give_end (fixture, heard->id);
  UNTIL (fixture, call->is_done);
  assert_body (call, 200, "x");
}

static void
test_odd_ranges (void)
{
  check_odd_range ("bytes=0-", 0, P2P_SIZE_UNKNOWN);
  check_odd_range ("bytes=7-", 7, P2P_SIZE_UNKNOWN);
  check_odd_range ("bytes=-5", 0, P2P_SIZE_UNKNOWN);
  check_odd_range ("bytes=5-3", 0, P2P_SIZE_UNKNOWN);
  check_odd_range ("bytes=1-2,4-5", 0, P2P_SIZE_UNKNOWN);
  check_odd_range ("bytes=99999999999999999999-", 0, P2P_SIZE_UNKNOWN);
  check_odd_range ("pages=1-2", 0, P2P_SIZE_UNKNOWN);
}

static void
test_head (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, "HEAD", URL);
  Heard *heard;

  call_send (fixture, call);
  heard = hear (fixture, P2P_EVENT_REQUEST);
  g_assert_true (heard->is_head);
  give_headers (fixture, heard->id, 200, 0, 4711, 4711);
  give_end (fixture, heard->id);
  UNTIL (fixture, call->is_done);
  assert_body (call, 200, "");
  assert_header (call, "Content-Length", "4711");
}

static void
test_playlist (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, "GET", "http://cdn.test/list");
  g_autoptr (P2pHttpResponse) response = p2p_http_response_new ();
  Heard *heard;

  call_send (fixture, call);
  heard = hear (fixture, P2P_EVENT_REQUEST);
  response->status = 200;
  response->content_type = g_strdup ("text/plain");
  response->content_length = 7;
  response->is_playlist = TRUE;
  fixture->sink->ops->headers (fixture->sink, heard->id, response);
  give_data (fixture, heard->id, "#EXTM3U", 7);
  give_end (fixture, heard->id);
  UNTIL (fixture, call->is_done);
  assert_body (call, 200, "#EXTM3U");
  assert_header (call, "Content-Type", "application/vnd.apple.mpegurl");
}

/* --- refusals ------------------------------------------------------------------------ */

static void
test_no_proxy (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree char *address = p2p_soup_gateway_address (fixture->gateway, URL);
  const char *path = strstr (address, "/https/");
  g_autoptr (GUri) uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  g_autofree char *code = g_strndup (g_uri_get_path (uri) + 1, 32);
  const char *const forged[] = { "", "nothing", code, path,
    "00000000000000000000000000000000/https/cdn.test/live/segment.ts" };

  for (guint i = 0; i < G_N_ELEMENTS (forged) + 1; i++) {
    g_autoptr (Call) call = g_new0 (Call, 1);
    g_autofree char *other = i < G_N_ELEMENTS (forged)
        ? g_strdup_printf (
            "http://127.0.0.1:%d/%s", g_uri_get_port (uri), forged[i])
        : g_strdup_printf ("http://127.0.0.1:%d/%s/https/cdn.test/secret",
            g_uri_get_port (uri), code);

    call->message = soup_message_new ("GET", other);
    call_send (fixture, call);
    UNTIL (fixture, call->is_done);
    g_assert_cmpuint (soup_message_get_status (call->message), ==, 404);
  }
  g_assert_cmpuint (fixture->heard->len, ==, 0);
}

static void
check_method (const char *method, guint status)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, method, URL);

  call_send (fixture, call);
  UNTIL (fixture, call->is_done);
  g_assert_cmpuint (soup_message_get_status (call->message), ==, status);
  assert_header (call, "Access-Control-Allow-Origin", "*");
  g_assert_cmpuint (fixture->heard->len, ==, 0);
}

static void
test_methods (void)
{
  check_method ("OPTIONS", 200); /* 204 would cost the connection */
  check_method ("POST", 405);
  check_method ("DELETE", 405);
}

static void
check_failure (P2pHttpFailureKind kind, guint status, guint expected)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, "GET", URL);
  Heard *heard;

  call_send (fixture, call);
  heard = hear (fixture, P2P_EVENT_REQUEST);
  give_failure (fixture, heard->id, kind, status);
  UNTIL (fixture, call->is_done);
  g_assert_no_error (call->error);
  g_assert_cmpuint (soup_message_get_status (call->message), ==, expected);
  g_assert_cmpuint (fixture->heard->len, ==, 1);
}

static void
test_failures (void)
{
  check_failure (P2P_HTTP_FAILURE_STATUS, 404, 404);
  check_failure (P2P_HTTP_FAILURE_STATUS, 503, 503);
  check_failure (P2P_HTTP_FAILURE_RESOLVE, 0, 502);
  check_failure (P2P_HTTP_FAILURE_REDIRECT, 302, 502);
  check_failure (P2P_HTTP_FAILURE_TIMEOUT, 0, 504);
  check_failure (P2P_HTTP_FAILURE_URI, 0, 400);
  check_failure (P2P_HTTP_FAILURE_RANGE, 200, 416);
}

static void
test_breaks_off (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (Call) call = call_new (fixture, "GET", URL);
  Heard *heard;

  call_send (fixture, call);
  heard = hear (fixture, P2P_EVENT_REQUEST);
  give_headers (fixture, heard->id, 200, 0, 100, 100);
  give_data (fixture, heard->id, "half", 4);
  give_failure (fixture, heard->id, P2P_HTTP_FAILURE_SHORT, 0);
  UNTIL (fixture, call->is_done);
  g_assert_true (call->error != NULL || g_bytes_get_size (call->body) < 100);
  g_assert_cmpuint (fixture->heard->len, ==, 1);
}

static void
test_too_many (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (GPtrArray) connections =
      g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (Call) call = call_new (fixture, "GET", URL);

  for (guint i = 0; i < P2P_GATEWAY_REQUESTS_MAX; i++) {
    g_ptr_array_add (connections, connect_raw (fixture, "127.0.0.1", "GET"));
    hear (fixture, P2P_EVENT_REQUEST);
  }
  call_send (fixture, call);
  UNTIL (fixture, call->is_done);
  g_assert_cmpuint (soup_message_get_status (call->message), ==, 503);
  g_assert_cmpuint (fixture->heard->len, ==, P2P_GATEWAY_REQUESTS_MAX);
}

/* --- players that do as they like -------------------------------------------------- */

static void
test_goes_away (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree char *data = g_malloc0 (65536);
  GSocketConnection *raw = connect_raw (fixture, "127.0.0.1", "GET");
  Heard *heard = hear (fixture, P2P_EVENT_REQUEST);
  guint64 id = heard->id;

  give_headers (fixture, id, 200, 0, P2P_SIZE_UNKNOWN, P2P_SIZE_UNKNOWN);
  give_data (fixture, id, data, 65536);
  g_object_unref (raw);
  while (fixture->heard->len == 1) {
    give_data (fixture, id, data, 65536);
    g_main_context_iteration (fixture->context, FALSE);
  }
  heard = hear (fixture, P2P_EVENT_REQUEST_CANCEL);
  g_assert_cmpuint (heard->id, ==, id);
  /* The engine may not have heard of it yet. */
  g_assert_cmpuint (give_data (fixture, id, data, 1), ==, 0);
  give_end (fixture, id);
}

static void
test_does_not_read (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree char *data = g_malloc0 (65536);
  g_autoptr (GSocketConnection) raw = connect_raw (fixture, "127.0.0.1", "GET");
  GSocket *socket = g_socket_connection_get_socket (raw);
  Heard *heard = hear (fixture, P2P_EVENT_REQUEST);
  guint64 id = heard->id;

  give_headers (fixture, id, 200, 0, P2P_SIZE_UNKNOWN, P2P_SIZE_UNKNOWN);
  while (give_data (fixture, id, data, 65536) < P2P_OUTQUEUE_HIGH_BYTES) {
    for (guint i = 0; i < 16; i++)
      g_main_context_iteration (fixture->context, FALSE);
  }
  g_assert_cmpuint (fixture->heard->len, ==, 1);
  g_socket_set_blocking (socket, FALSE);
  while (fixture->heard->len == 1) {
    g_socket_receive (socket, data, 65536, NULL, NULL);
    g_main_context_iteration (fixture->context, FALSE);
  }
  heard = hear (fixture, P2P_EVENT_REQUEST_DRAINED);
  g_assert_cmpuint (heard->id, ==, id);
  give_end (fixture, id);
}

static void
test_keep_alive (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree char *address = p2p_soup_gateway_address (fixture->gateway, URL);
  g_autoptr (GUri) uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  g_autofree char *again = g_strdup_printf (
      "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", g_uri_get_path (uri));
  g_autoptr (GSocketConnection) raw = connect_raw (fixture, "127.0.0.1", "GET");

  for (guint i = 0; i < 3; i++) {
    Heard *heard = hear (fixture, P2P_EVENT_REQUEST);

    give_headers (fixture, heard->id, 200, 0, 2, 2);
    give_data (fixture, heard->id, "ok", 2);
    give_end (fixture, heard->id);
    g_assert_true (g_output_stream_write_all (
        g_io_stream_get_output_stream (G_IO_STREAM (raw)), again,
        strlen (again), NULL, NULL, NULL));
  }
}

static void
test_both_loopbacks (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (GSocketConnection) raw = connect_raw (fixture, "::1", "GET");

  g_assert_nonnull (raw);
  hear (fixture, P2P_EVENT_REQUEST);
}

static void
test_ends_in_the_middle (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (GSocketConnection) a = connect_raw (fixture, "127.0.0.1", "GET");
  g_autoptr (GSocketConnection) b = NULL;
  Heard *heard = hear (fixture, P2P_EVENT_REQUEST);

  give_headers (fixture, heard->id, 200, 0, 100, 100);
  give_data (fixture, heard->id, "some", 4);
  b = connect_raw (fixture, "127.0.0.1", "GET");
  hear (fixture, P2P_EVENT_REQUEST);
  g_clear_pointer (&fixture->gateway, p2p_soup_gateway_free);
  while (g_main_context_iteration (fixture->context, FALSE))
    continue;
  g_assert_cmpuint (fixture->heard->len, ==, 2);
  g_assert_true (G_IS_SOCKET_CONNECTION (a) && G_IS_SOCKET_CONNECTION (b));
}

static void
test_port_is_taken (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree char *address = p2p_soup_gateway_address (fixture->gateway, URL);
  g_autoptr (GUri) uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (p2p_soup_gateway_new (fixture->context,
      (guint16) g_uri_get_port (uri), on_event, fixture, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/adapter/soupgateway/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("whole", test_whole);
  ADD ("streams", test_streams);
  ADD ("range", test_range);
  ADD ("odd-ranges", test_odd_ranges);
  ADD ("head", test_head);
  ADD ("playlist", test_playlist);
  ADD ("no-proxy", test_no_proxy);
  ADD ("methods", test_methods);
  ADD ("failures", test_failures);
  ADD ("breaks-off", test_breaks_off);
  ADD ("too-many", test_too_many);
  ADD ("goes-away", test_goes_away);
  ADD ("does-not-read", test_does_not_read);
  ADD ("keep-alive", test_keep_alive);
  ADD ("both-loopbacks", test_both_loopbacks);
  ADD ("ends-in-the-middle", test_ends_in_the_middle);
  ADD ("port-is-taken", test_port_is_taken);

  return g_test_run ();
}

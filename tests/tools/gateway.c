/* p2phlssrc: tests of the gateway program's settings, events and page.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gateway/eventstream.h"
#include "gateway/settings.h"
#include "gateway/status.h"

#include "base/error.h"
#include "soup/listener.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* Given up after this; reached by a failure alone. */
#define PATIENCE_US (60 * G_USEC_PER_SEC)

/* More than loopback sockets hold. */
#define LARGE_BYTES (8 * 1024 * 1024)

/* --- settings ----------------------------------------------------------------- */

static void
assert_set (P2pToolSettings *settings, const char *assignment)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (p2p_tool_settings_set (settings, assignment, &error));
  g_assert_no_error (error);
}

static void
test_set (void)
{
  g_auto (P2pToolSettings) settings = { 0 };
  g_autoptr (P2pConfig) config = NULL;
  g_autoptr (P2pHttpProfile) get = NULL;
  g_autoptr (P2pHttpProfile) head = NULL;

  p2p_tool_settings_init (&settings);
  assert_set (&settings, "p2p=false");
  assert_set (&settings, "swarm-id=a;b=c");
  assert_set (&settings, "max-peers=7");
  assert_set (&settings, "user-agent=Mine/1 ");
  assert_set (&settings, "proxy=127.0.0.1:3128");
  assert_set (&settings, "timeout=3");
  assert_set (&settings, "ssl-strict=no");
  assert_set (&settings, "cookies=a=1;b=2");
  assert_set (&settings, "extra-headers=headers, X-One=1, X-Two=\"two words\"");
  assert_set (&settings, "ssl-ca-file=/nowhere/ca.pem");
  config = p2p_config_new (&settings.p2p, NULL);
  g_assert_false (config->engine.p2p);
  g_assert_true (config->engine.upload);
  g_assert_cmpstr (config->engine.swarm_id, ==, "a;b=c");
  g_assert_cmpuint (config->engine.max_peers, ==, 7);

  get = p2p_http_props_get_profile (&settings.http);
  head = p2p_http_props_get_head_profile (&settings.http);
  g_assert_null (get->method);
  g_assert_cmpstr (head->method, ==, "HEAD");
  g_assert_cmpstr (get->user_agent, ==, "Mine/1 ");
  g_assert_cmpstr (get->proxy, ==, "http://127.0.0.1:3128");
  g_assert_cmpuint (get->timeout_s, ==, 3);
  g_assert_false (get->ssl_strict);
  g_assert_cmpstr (get->cookies[0], ==, "a=1");
  g_assert_cmpstr (get->cookies[1], ==, "b=2");
  g_assert_cmpuint (g_strv_length (get->extra_headers), ==, 4);
  g_assert_cmpstr (get->ssl_ca_file, ==, "/nowhere/ca.pem");
  /* A radio's titles would be noise between a player's bytes. */
  g_assert_false (get->iradio_mode);
}

static void
assert_refused (const char *assignment, int code)
{
  g_auto (P2pToolSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  p2p_tool_settings_init (&settings);
  g_assert_false (p2p_tool_settings_set (&settings, assignment, &error));
  g_assert_error (error, P2P_CONFIG_ERROR, code);
}

static void
test_refused (void)
{
  static const char *const names[] = { "", "=", "=x", "nonsense=1",
    "method=POST", "iradio-mode=true", "tls-database=x", "location=http://a",
    "P2P=true" };
  static const char *const values[] = { "p2p", "p2p=perhaps", "timeout",
    "timeout=-1", "timeout=4000", "retries=many", "proxy=://",
    "extra-headers=,", "max-peers=1001" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    assert_refused (names[i], P2P_CONFIG_ERROR_NAME);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    assert_refused (values[i], P2P_CONFIG_ERROR_VALUE);
}

static void
test_describe (void)
{
  g_autofree char *text = p2p_tool_settings_describe ();
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_nonnull (strstr (text, "\n  upload "));
  g_assert_nonnull (strstr (text, "\n  user-agent "));
  g_assert_null (strstr (text, "\n  method "));
  g_assert_null (strstr (text, "\n  stats-interval "));
  for (char **line = lines; *line != NULL; line++) {
    g_assert_cmpuint (g_utf8_strlen (*line, -1), <, 80);
    g_assert_false (g_str_has_suffix (*line, " "));
  }
}

/* --- a page's end of a connection ----------------------------------------------- */

typedef struct
{
  GSocketConnection *connection;
  GString *received;
} Client;

static Client *
client_new_for (
    const char *uri, const char *method, const char *path, const char *host)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, NULL);
  g_autoptr (GSocketClient) connector = g_socket_client_new ();
  g_autofree char *request =
      g_strdup_printf ("%s %s%s HTTP/1.1\r\nHost: %s\r\n\r\n", method,
          *path == '/' ? "" : g_uri_get_path (parsed), path, host);
  Client *client = g_new0 (Client, 1);

  g_socket_client_set_enable_proxy (connector, FALSE);
  client->received = g_string_new (NULL);
  client->connection = g_socket_client_connect_to_host (
      connector, g_uri_get_host (parsed), g_uri_get_port (parsed), NULL, NULL);
  g_assert_nonnull (client->connection);
  g_socket_set_blocking (
      g_socket_connection_get_socket (client->connection), FALSE);
  g_assert_true (g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (client->connection)), request,
      strlen (request), NULL, NULL, NULL));

  return client;
}

static Client *
client_new (const char *uri, const char *method, const char *path)
{
  return client_new_for (uri, method, path, "127.0.0.1");
}

static void
client_free (Client *client)
{
  g_object_unref (client->connection);
  g_string_free (client->received, TRUE);
  g_free (client);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Client, client_free)

/* Returns: whether the other end has closed. */
static gboolean
client_read (Client *client)
{
  char buffer[65536];
  gssize size =
      g_socket_receive (g_socket_connection_get_socket (client->connection),
          buffer, sizeof buffer, NULL, NULL);

  if (size > 0)
    g_string_append_len (client->received, buffer, size);

  return size == 0;
}

static void
client_await_end (Client *client)
{
  gint64 deadline_us = g_get_monotonic_time () + PATIENCE_US;

  while (!client_read (client)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
    g_main_context_iteration (NULL, FALSE);
  }
}

/* Until @text has come, which is then returned with what follows. */
static const char *
client_await (Client *client, const char *text)
{
  gint64 deadline_us = g_get_monotonic_time () + PATIENCE_US;
  const char *found;

  while ((found = strstr (client->received->str, text)) == NULL) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
    g_main_context_iteration (NULL, FALSE);
    client_read (client);
  }

  return found;
}

/* --- events ----------------------------------------------------------------------- */

typedef struct
{
  SoupServer *server;
  P2pListener *listener;
  P2pEventStream *events;
  char *uri;
} Fixture;

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  Fixture *fixture = user_data;

  p2p_event_stream_add (fixture->events, message, "data: 0\n\n");
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->server = soup_server_new (NULL, NULL);
  fixture->listener = p2p_listener_new (fixture->server, "127.0.0.1", 0, NULL);
  g_assert_nonnull (fixture->listener);
  fixture->uri = p2p_listener_get_uri (fixture->listener, "http");
  fixture->events = p2p_event_stream_new ();
  soup_server_add_handler (fixture->server, NULL, on_request, fixture, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  p2p_event_stream_free (fixture->events);
  p2p_listener_free (fixture->listener);
  soup_server_disconnect (fixture->server);
  g_object_unref (fixture->server);
  g_free (fixture->uri);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
test_format (Fixture *fixture, gconstpointer data)
{
  g_autofree char *event = p2p_event_text ("stats", "{\"a\":1}");
  g_autoptr (Client) client = client_new (fixture->uri, "GET", "/");

  g_assert_cmpstr (event, ==, "event: stats\ndata: {\"a\":1}\n\n");
  client_await (client, "retry: 2000\n\ndata: 0\n\n");
  client_await (client, "Content-Type: text/event-stream\r\n");
  g_assert_cmpuint (p2p_event_stream_clients (fixture->events), ==, 1);
  p2p_event_stream_send (fixture->events, event);
  client_await (client, event);
}

/* HTTP/1.0 has no chunks. */
static void
test_old_client (Fixture *fixture, gconstpointer data)
{
  g_autoptr (Client) client =
      client_new (fixture->uri, "GET", "/ HTTP/1.0\r\n\r\n");

  client_await (client, "retry: 2000\n\ndata: 0\n\n");
  g_assert_null (strstr (client->received->str, "chunked"));
}

static void
test_too_many (Fixture *fixture, gconstpointer data)
{
  Client *clients[P2P_EVENT_STREAM_CLIENTS_MAX];
  gint64 deadline_us;

  for (guint i = 0; i < G_N_ELEMENTS (clients); i++) {
    clients[i] = client_new (fixture->uri, "GET", "/");
    client_await (clients[i], "data: 0");
  }
  {
    g_autoptr (Client) last = client_new (fixture->uri, "GET", "/");

    client_await (last, "HTTP/1.1 503 ");
  }
  g_assert_cmpuint (p2p_event_stream_clients (fixture->events), ==,
      P2P_EVENT_STREAM_CLIENTS_MAX);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    client_free (clients[i]);
  /* Who is gone is noticed with the next events, and makes room. */
  deadline_us = g_get_monotonic_time () + PATIENCE_US;
  while (p2p_event_stream_clients (fixture->events) > 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
    p2p_event_stream_send (fixture->events, "data: 1\n\n");
    g_main_context_iteration (NULL, FALSE);
  }
  {
    g_autoptr (Client) next = client_new (fixture->uri, "GET", "/");

    client_await (next, "data: 0");
  }
}

/* Who takes nothing misses events, and is then dropped. */
static void
test_slow (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (LARGE_BYTES, 'x');
  g_autofree char *event = p2p_event_text ("large", large);
  g_autoptr (Client) slow = client_new (fixture->uri, "GET", "/");
  g_autoptr (Client) quick = NULL;

  client_await (slow, "data: 0");
  p2p_event_stream_send (fixture->events, event);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  quick = client_new (fixture->uri, "GET", "/");
  client_await (quick, "data: 0");
  for (guint i = 0; i < P2P_EVENT_STREAM_MISSED_MAX; i++) {
    g_autofree char *json = g_strdup_printf ("%u", i);
    g_autofree char *small = p2p_event_text ("small", json);

    p2p_event_stream_send (fixture->events, small);
    client_await (quick, small);
    g_assert_cmpuint (p2p_event_stream_clients (fixture->events), ==, 2);
  }
  p2p_event_stream_send (fixture->events, "data: 2\n\n");
  g_assert_cmpuint (p2p_event_stream_clients (fixture->events), ==, 1);
  client_await (quick, "data: 2");
  client_await_end (slow);
  g_assert_cmpuint (slow->received->len, <, LARGE_BYTES);
}

/* --- the page ----------------------------------------------------------------------- */

static P2pStats *
new_stats (guint64 p2p_segments)
{
  P2pStats *stats = p2p_stats_new ();
  P2pPeerStats peer = { .id = "</script>\n\r\"&", .rtt_us = 5000 };
  P2pTrackerStats tracker = { .state = "waiting" };

  stats->p2p_segments = p2p_segments;
  tracker.url = g_strdup ("ws://127.0.0.1:1");
  tracker.error = g_strdup ("no\nanswer");
  g_array_append_val (stats->peer_list, peer);
  g_array_append_val (stats->trackers, tracker);

  return stats;
}

static P2pStatusPage *
new_page (void)
{
  g_autoptr (GError) error = NULL;
  P2pStatusFacts facts = {
    .address = "http://127.0.0.1:1/code/a",
    .cache_bytes = 1000,
    .p2p = TRUE,
  };
  P2pStatusPage *page = p2p_status_page_new (&facts, &error);

  g_assert_no_error (error);

  return page;
}

static JsonObject *
data_of (JsonParser *parser, const char *event)
{
  const char *data = strstr (event, "\ndata: ") + strlen ("\ndata: ");

  g_assert_true (
      json_parser_load_from_data (parser, data, strcspn (data, "\n"), NULL));

  return json_node_get_object (json_parser_get_root (parser));
}

static void
test_events (void)
{
  g_autoptr (P2pStatusPage) page = new_page ();
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (Client) client = NULL;
  JsonObject *object;
  JsonArray *samples;

  for (guint i = 0; i <= P2P_STATUS_SAMPLES_MAX; i++) {
    g_autoptr (P2pStats) stats = new_stats (i);

    p2p_status_page_update (page, stats, 7 + i * G_USEC_PER_SEC);
  }
  client = client_new (p2p_status_page_get_uri (page), "GET", "events");
  client_await (client, "\"no\\nanswer\"");
  client_await (client, "peer-list");
  client_await (client, "\n\n\r\n");

  object = data_of (parser, client_await (client, "event: history"));
  g_assert_cmpstr (json_object_get_string_member (object, "address"), ==,
      "http://127.0.0.1:1/code/a");
  g_assert_cmpint (json_object_get_int_member (object, "cache-size"), ==, 1000);
  g_assert_true (json_object_get_boolean_member (object, "p2p"));
  g_assert_false (json_object_get_boolean_member (object, "upload"));
  samples = json_object_get_array_member (object, "samples");
  g_assert_cmpuint (
      json_array_get_length (samples), ==, P2P_STATUS_SAMPLES_MAX);
  samples = json_array_get_array_element (samples, 0);
  g_assert_cmpint (json_array_get_int_element (samples, 0), ==, 1000);
  g_assert_cmpint (json_array_get_int_element (samples, 1), ==, 0);
  g_assert_cmpint (json_array_get_int_element (samples, 2), ==, 1);

  object = data_of (parser, client_await (client, "event: stats"));
  g_assert_cmpint (json_object_get_int_member (object, "time-ms"), ==,
      P2P_STATUS_SAMPLES_MAX * 1000);
  samples = json_object_get_array_member (object, "peer-list");
  object = json_array_get_object_element (samples, 0);
  g_assert_cmpstr (
      json_object_get_string_member (object, "id"), ==, "</script>\n\r\"&");
}

static void
assert_answer (P2pStatusPage *page, const char *method, const char *path,
    const char *expected)
{
  g_autoptr (Client) client =
      client_new (p2p_status_page_get_uri (page), method, path);

  client_await (client, expected);
  client_await (client, "Content-Security-Policy: default-src 'none'; ");
  g_assert_null (strstr (client->received->str, "Access-Control-Allow"));
}

static void
test_files (void)
{
  g_autoptr (P2pStatusPage) page = new_page ();

  assert_answer (page, "GET", "", "Content-Type: text/html");
  assert_answer (page, "HEAD", "", "Content-Type: text/html");
  assert_answer (page, "GET", "status.css", "Content-Type: text/css");
  assert_answer (page, "GET", "status.js", "Content-Type: text/javascript");
  assert_answer (page, "GET", "status.gresource.xml", "HTTP/1.1 404 ");
  assert_answer (page, "HEAD", "events", "HTTP/1.1 404 ");
  assert_answer (page, "GET", "/", "HTTP/1.1 404 ");
  assert_answer (page, "GET", "/status.js", "HTTP/1.1 404 ");
  assert_answer (
      page, "GET", "/0123456789abcdef0123456789abcdef/", "HTTP/1.1 404 ");
  assert_answer (page, "POST", "events", "HTTP/1.1 405 ");
}

/* A page that has bound its own name to this machine comes under that name;
 * somebody behind a tunnel under another port. */
static void
test_rebinding (void)
{
  static const char *const strangers[] = { "evil.example", "evil.example:80",
    "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.2", "[::2]",
    "evil.example\r\nX-Forwarded-Host: 127.0.0.1" };
  static const char *const ours[] = { "127.0.0.1:1", "localhost",
    "LOCALHOST:9000", "[::1]:80" };
  static const char *const paths[] = { "", "status.js", "events" };
  g_autoptr (P2pStatusPage) page = new_page ();
  const char *uri = p2p_status_page_get_uri (page);

  for (guint i = 0; i < G_N_ELEMENTS (strangers); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (paths); j++) {
      g_autoptr (Client) client =
          client_new_for (uri, "GET", paths[j], strangers[i]);

      client_await (client, "HTTP/1.1 421 ");
      client_await (client, "Content-Length: 0\r\n");
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++) {
    g_autoptr (Client) client = client_new_for (uri, "GET", "", ours[i]);

    client_await (client, "HTTP/1.1 200 ");
  }
}

/* Nobody may guess it. */
static void
test_token (void)
{
  g_autoptr (P2pStatusPage) page = new_page ();
  g_autoptr (P2pStatusPage) other = new_page ();
  g_auto (GStrv) parts = g_strsplit (p2p_status_page_get_uri (page), "/", -1);
  g_auto (GStrv) others = g_strsplit (p2p_status_page_get_uri (other), "/", -1);

  g_assert_cmpuint (g_strv_length (parts), ==, 5);
  g_assert_cmpuint (strlen (parts[3]), ==, 32);
  g_assert_cmpstr (parts[4], ==, "");
  g_assert_cmpstr (parts[3], !=, others[3]);
}

int
main (int argc, char **argv)
{
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  /* A proxy of this machine's is not part of the test. */
  g_unsetenv ("http_proxy");
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gateway/settings/set", test_set);
  g_test_add_func ("/gateway/settings/refused", test_refused);
  g_test_add_func ("/gateway/settings/describe", test_describe);
  g_test_add (
      "/gateway/events/format", Fixture, NULL, set_up, test_format, tear_down);
  g_test_add ("/gateway/events/old-client", Fixture, NULL, set_up,
      test_old_client, tear_down);
  g_test_add ("/gateway/events/too-many", Fixture, NULL, set_up, test_too_many,
      tear_down);
  g_test_add (
      "/gateway/events/slow", Fixture, NULL, set_up, test_slow, tear_down);
  g_test_add_func ("/gateway/page/events", test_events);
  g_test_add_func ("/gateway/page/files", test_files);
  g_test_add_func ("/gateway/page/rebinding", test_rebinding);
  g_test_add_func ("/gateway/page/token", test_token);

  return g_test_run ();
}

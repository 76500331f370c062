/* p2phlssrc: the gateway program's status page.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gateway/status.h"

#include "gateway/eventstream.h"
#include "gststats.h"
#include "statsjson.h"
#include "soup/listener.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_BYTES 16

/* Everything comes from the page's own server; peers' texts can bring no
 * script and no picture with them. */
#define CONTENT_SECURITY_POLICY \
  "default-src 'none'; script-src 'self'; style-src 'self'; " \
  "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; " \
  "frame-ancestors 'none'"

/* What the timeline is made of; counters since the session's beginning. */
typedef struct
{
  gint64 time_ms;
  guint64 http_segments;
  guint64 p2p_segments;
} Sample;

struct _P2pStatusPage
{
  SoupServer *server;
  P2pListener *listener;
  P2pEventStream *events;
  char *token;
  char *uri;
  char *address; /* of the stream */
  P2pStatusFacts facts;
  gint64 begin_us; /* of the first snapshot */
  GArray *samples; /* of Sample, oldest first */
  char *latest;    /* (nullable) the last event */
};

static const struct
{
  const char *name;
  const char *resource;
  const char *type;
} files[] = {
  { "", "/p2phls/gateway/status.html", "text/html; charset=utf-8" },
  { "status.css", "/p2phls/gateway/status.css", "text/css; charset=utf-8" },
  { "status.js", "/p2phls/gateway/status.js",
      "text/javascript; charset=utf-8" },
};

/* --- what pages are told ---------------------------------------------------- */

/* What a page has missed: [[milliseconds, segments over HTTP, from peers], …],
 * and what never changes. */
static char *
history_event (P2pStatusPage *page)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *json = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "address");
  json_builder_add_string_value (builder, page->facts.address);
  json_builder_set_member_name (builder, "cache-size");
  json_builder_add_int_value (builder, (gint64) page->facts.cache_bytes);
  json_builder_set_member_name (builder, "p2p");
  json_builder_add_boolean_value (builder, page->facts.p2p);
  json_builder_set_member_name (builder, "upload");
  json_builder_add_boolean_value (builder, page->facts.upload);
  json_builder_set_member_name (builder, "samples");
  json_builder_begin_array (builder);
  for (guint i = 0; i < page->samples->len; i++) {
    const Sample *sample = &g_array_index (page->samples, Sample, i);

    json_builder_begin_array (builder);
    json_builder_add_int_value (builder, sample->time_ms);
    json_builder_add_int_value (builder, (gint64) sample->http_segments);
    json_builder_add_int_value (builder, (gint64) sample->p2p_segments);
    json_builder_end_array (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  json = p2p_stats_json_line (builder);

  return p2p_event_text ("history", json);
}

/* The members are those of the element's "stats" property. */
static char *
stats_event (const P2pStats *stats, gint64 time_ms)
{
  g_autoptr (GstStructure) structure = p2p_stats_to_structure (stats, "stats");
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *json = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "time-ms");
  json_builder_add_int_value (builder, time_ms);
  p2p_stats_json_add (builder, structure);
  json_builder_end_object (builder);
  json = p2p_stats_json_line (builder);

  return p2p_event_text ("stats", json);
}

void
p2p_status_page_update (
    P2pStatusPage *page, const P2pStats *stats, gint64 now_us)
{
  Sample sample = {
    .http_segments = stats->http_segments,
    .p2p_segments = stats->p2p_segments,
  };

  if (page->samples->len == 0)
    page->begin_us = now_us;
  sample.time_ms = (now_us - page->begin_us) / 1000;
  if (page->samples->len >= P2P_STATUS_SAMPLES_MAX)
    g_array_remove_index (page->samples, 0);
  g_array_append_val (page->samples, sample);
  g_free (page->latest);
  page->latest = stats_event (stats, sample.time_ms);
  p2p_event_stream_send (page->events, page->latest);
}

/* --- what pages ask ----------------------------------------------------------- */

static void
set_headers (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  soup_message_headers_replace (
      headers, "Content-Security-Policy", CONTENT_SECURITY_POLICY);
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_message_headers_replace (
      headers, "Cross-Origin-Resource-Policy", "same-origin");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
}

static void
answer_events (P2pStatusPage *page, SoupServerMessage *message)
{
  g_autofree char *history = history_event (page);
  g_autofree char *first = g_strconcat (history, page->latest, NULL);

  p2p_event_stream_add (page->events, message, first);
}

static gboolean
answer_file (SoupServerMessage *message, const char *name)
{
  g_autoptr (GBytes) bytes = NULL;
  guint i = 0;

  while (i < G_N_ELEMENTS (files) && !g_str_equal (files[i].name, name))
    i++;
  if (i == G_N_ELEMENTS (files))
    return FALSE;
  bytes = g_resources_lookup_data (files[i].resource, 0, NULL);
  g_assert (bytes != NULL);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), "Content-Type",
      files[i].type);
  soup_message_body_append_bytes (
      soup_server_message_get_response_body (message), bytes);

  return TRUE;
}

/* A web page whose own name has been bound to this machine (DNS rebinding)
 * comes under that name. Any port, as a tunnel may lead here. */
static gboolean
is_our_host (SoupServerMessage *message)
{
  const char *host = g_uri_get_host (soup_server_message_get_uri (message));

  return g_str_equal (host, "127.0.0.1") || g_str_equal (host, "::1")
      || g_ascii_strcasecmp (host, "localhost") == 0;
}

/* Returns: (nullable): what is asked for below our token. */
static const char *
strip_token (P2pStatusPage *page, const char *path)
{
  gsize length = strlen (page->token);

  if (path[0] != '/' || strncmp (path + 1, page->token, length) != 0
      || path[1 + length] != '/')
    return NULL;

  return path + length + 2;
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  P2pStatusPage *page = user_data;
  const char *method = soup_server_message_get_method (message);
  const char *name = strip_token (page, path);

  set_headers (message);
  if (!is_our_host (message))
    soup_server_message_set_status (
        message, SOUP_STATUS_MISDIRECTED_REQUEST, "Misdirected Request");
  else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    soup_server_message_set_status (
        message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
  else if (name != NULL && g_str_equal (name, "events")
      && method == SOUP_METHOD_GET)
    answer_events (page, message);
  else if (name == NULL || !answer_file (message, name))
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
}

/* --- life ------------------------------------------------------------------------ */

static char *
new_token (GError **error)
{
  guint8 bytes[TOKEN_BYTES];
  GString *token;

  if (getentropy (bytes, sizeof bytes) != 0) {
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno),
        "no random numbers for the status page's address");
    return NULL;
  }
  token = g_string_sized_new (2 * TOKEN_BYTES);
  for (guint i = 0; i < TOKEN_BYTES; i++)
    g_string_append_printf (token, "%02x", bytes[i]);

  return g_string_free (token, FALSE);
}

P2pStatusPage *
p2p_status_page_new (const P2pStatusFacts *facts, GError **error)
{
  g_autoptr (P2pStatusPage) page = g_new0 (P2pStatusPage, 1);
  g_autofree char *base = NULL;

  page->address = g_strdup (facts->address);
  page->facts = *facts;
  page->facts.address = page->address;
  page->samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  page->events = p2p_event_stream_new ();
  page->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (page->server, NULL, on_request, page, NULL);
  page->token = new_token (error);
  if (page->token == NULL)
    return NULL;
  page->listener = p2p_listener_new (page->server, "127.0.0.1", 0, error);
  if (page->listener == NULL)
    return NULL;
  base = p2p_listener_get_uri (page->listener, "http");
  page->uri = g_strdup_printf ("%s/%s/", base, page->token);

  return g_steal_pointer (&page);
}

void
p2p_status_page_free (P2pStatusPage *page)
{
  g_clear_pointer (&page->listener, p2p_listener_free);
  p2p_event_stream_free (page->events);
  soup_server_disconnect (page->server);
  g_object_unref (page->server);
  g_array_unref (page->samples);
  g_free (page->latest);
  g_free (page->address);
  g_free (page->token);
  g_free (page->uri);
  g_free (page);
}

const char *
p2p_status_page_get_uri (P2pStatusPage *page)
{
  return page->uri;
}

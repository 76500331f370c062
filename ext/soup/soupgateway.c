/* p2phlssrc: a loopback HTTP server in front of the engine.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soupgateway.h"

#include "contenttype.h"
#include "listener.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "formats/gatewayurl.h"

#include <errno.h>
#include <libsoup/soup.h>
#include <unistd.h>

/* Numbers of our requests, apart from those of elements. */
#define REQUEST_BIT (G_GUINT64_CONSTANT (1) << 63)

/* All requests come from one player: its consumer number at the engine, which
 * elements count up to. */
#define CONSUMER (G_GUINT64_CONSTANT (1) << 62)

#define KEY_BYTES 32

/* @sink comes first: the engine hands it back. */
struct _P2pSoupGateway
{
  P2pSinkPort sink;
  P2pEventFunc func;
  gpointer user_data;
  SoupServer *server;
  P2pListener *listeners[2]; /* IPv4, and (nullable) IPv6 */
  char *base;                /* "http://127.0.0.1:port" */
  char *key;
  P2pHttpProfile *get;  /* (nullable) */
  P2pHttpProfile *head; /* (nullable) */
  GHashTable *answers;  /* number → Answer, owned */
  guint64 last_number;
};

/* One request until its connection is done with it. */
typedef struct
{
  P2pSoupGateway *owner;
  guint64 number;
  SoupServerMessage *message;
  char *url;
  gsize waiting;    /* bytes that are not in the socket yet */
  gboolean is_full; /* the engine was told, and waits for room */
  gboolean has_headers;
  gboolean is_over; /* the engine has said its last word */
} Answer;

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  g_signal_handlers_disconnect_by_data (answer->message, answer);
  g_object_unref (answer->message);
  g_free (answer->url);
  g_free (answer);
}

static SoupMessageHeaders *
headers_of (SoupServerMessage *message)
{
  return soup_server_message_get_response_headers (message);
}

/* --- what the engine gives --------------------------------------------------- */

static Answer *
find (P2pSinkPort *port, guint64 number)
{
  return g_hash_table_lookup (((P2pSoupGateway *) port)->answers, &number);
}

static void
set_extent (Answer *answer, const P2pHttpResponse *response)
{
  SoupMessageHeaders *headers = headers_of (answer->message);
  guint64 length = response->content_length;
  gboolean has_total = response->total_size != P2P_SIZE_UNKNOWN;

  if (length == P2P_SIZE_UNKNOWN) {
    soup_message_headers_set_encoding (headers,
        soup_server_message_get_http_version (answer->message) == SOUP_HTTP_1_0
            ? SOUP_ENCODING_EOF
            : SOUP_ENCODING_CHUNKED);
    return;
  }
  soup_message_headers_set_content_length (headers, (goffset) length);
  if (response->status == SOUP_STATUS_PARTIAL_CONTENT && length > 0)
    soup_message_headers_set_content_range (headers,
        (goffset) response->range_start,
        (goffset) (response->range_start + length - 1),
        has_total ? (goffset) response->total_size : -1);
}

static void
set_type (Answer *answer, const P2pHttpResponse *response)
{
  g_autofree char *path = g_strndup (answer->url, strcspn (answer->url, "?"));
  const char *type = response->content_type;

  if (response->is_playlist)
    type = p2p_content_type (".m3u8");
  soup_message_headers_replace (headers_of (answer->message), "Content-Type",
      type != NULL ? type : p2p_content_type (path));
}

static void
sink_headers (P2pSinkPort *port, guint64 number, P2pHttpResponse *response)
{
  Answer *answer = find (port, number);

  if (answer == NULL)
    return;
  answer->has_headers = TRUE;
  soup_server_message_set_status (answer->message, response->status, NULL);
  set_extent (answer, response);
  set_type (answer, response);
  if (response->accepts_ranges)
    soup_message_headers_replace (
        headers_of (answer->message), "Accept-Ranges", "bytes");
  soup_message_body_set_accumulate (
      soup_server_message_get_response_body (answer->message), FALSE);
}

static gsize
sink_data (P2pSinkPort *port, guint64 number, GBytes *bytes)
{
  Answer *answer = find (port, number);

  if (answer == NULL)
    return 0;
  soup_message_body_append_bytes (
      soup_server_message_get_response_body (answer->message), bytes);
  answer->waiting += g_bytes_get_size (bytes);
  answer->is_full = answer->waiting >= P2P_OUTQUEUE_HIGH_BYTES;
  soup_server_message_unpause (answer->message);

  return answer->waiting;
}

static void
sink_end (P2pSinkPort *port, guint64 number)
{
  Answer *answer = find (port, number);

  if (answer == NULL)
    return;
  answer->is_over = TRUE;
  if (soup_server_message_get_method (answer->message) != SOUP_METHOD_HEAD)
    soup_message_body_complete (
        soup_server_message_get_response_body (answer->message));
  soup_server_message_unpause (answer->message);
}

static guint
status_of (const P2pHttpFailure *failure)
{
  if (failure->status >= 400)
    return failure->status;

  switch (failure->kind) {
    case P2P_HTTP_FAILURE_URI:
      return SOUP_STATUS_BAD_REQUEST;
    case P2P_HTTP_FAILURE_TIMEOUT:
      return SOUP_STATUS_GATEWAY_TIMEOUT;
    case P2P_HTTP_FAILURE_RANGE:
      return SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE;
    case P2P_HTTP_FAILURE_STATUS:
    case P2P_HTTP_FAILURE_RESOLVE:
    case P2P_HTTP_FAILURE_CONNECT:
    case P2P_HTTP_FAILURE_TLS:
    case P2P_HTTP_FAILURE_SHORT:
    case P2P_HTTP_FAILURE_IO:
    case P2P_HTTP_FAILURE_REDIRECT:
    case P2P_HTTP_FAILURE_CANCELLED:
      break;
  }

  return SOUP_STATUS_BAD_GATEWAY;
}

static void
refuse (SoupServerMessage *message, guint status, const char *reason)
{
  const char *text = reason != NULL ? reason : soup_status_get_phrase (status);

  soup_server_message_set_response (message, "text/plain; charset=utf-8",
      SOUP_MEMORY_COPY, text, strlen (text));
  soup_server_message_set_status (message, status, NULL);
}

/* Headers have promised more: only a connection that ends tells the player
 * that it does not come. Frees @answer. */
static void
break_off (Answer *answer)
{
  g_autoptr (SoupServerMessage) message = g_object_ref (answer->message);
  g_autoptr (GIOStream) stream = NULL;

  g_hash_table_remove (answer->owner->answers, &answer->number);
  stream = soup_server_message_steal_connection (message);
  if (stream != NULL)
    g_io_stream_close (stream, NULL, NULL);
}

static void
sink_fail (P2pSinkPort *port, guint64 number, P2pHttpFailure *failure)
{
  Answer *answer = find (port, number);

  if (answer == NULL)
    return;
  P2P_LOG_DEBUG (P2P_AREA_HTTP, number, "gateway: %s",
      failure->reason != NULL ? failure->reason : "failed");
  answer->is_over = TRUE;
  if (answer->has_headers) {
    break_off (answer);
    return;
  }
  refuse (answer->message, status_of (failure), failure->reason);
  soup_server_message_unpause (answer->message);
}

static const P2pSinkOps sink_ops = {
  .headers = sink_headers,
  .data = sink_data,
  .end = sink_end,
  .fail = sink_fail,
};

/* --- what players ask ---------------------------------------------------------- */

static void
emit (Answer *answer, P2pEventKind kind)
{
  P2pSoupGateway *gateway = answer->owner;

  gateway->func (
      gateway->user_data, &(P2pEvent){ .kind = kind, .id = answer->number });
}

static void
on_wrote (SoupServerMessage *message, guint length, Answer *answer)
{
  answer->waiting -= MIN (length, answer->waiting);
  if (!answer->is_full || answer->waiting > P2P_OUTQUEUE_LOW_BYTES)
    return;
  answer->is_full = FALSE;
  if (!answer->is_over)
    emit (answer, P2P_EVENT_REQUEST_DRAINED);
}

static void
on_finished (SoupServerMessage *message, Answer *answer)
{
  if (!answer->is_over)
    emit (answer, P2P_EVENT_REQUEST_CANCEL);
  g_hash_table_remove (answer->owner->answers, &answer->number);
}

/* One range of bytes with a beginning; everything else is answered with the
 * whole, as RFC 9110, 14.2 allows. */
static P2pRange
asked_range (SoupServerMessage *message)
{
  P2pRange range = P2P_RANGE_ALL;
  const char *text = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "Range");
  guint64 start, end = P2P_SIZE_UNKNOWN;
  char *rest;

  if (text == NULL || !g_str_has_prefix (text, "bytes=")
      || strchr (text, ',') != NULL)
    return range;
  text += strlen ("bytes=");
  start = g_ascii_strtoull (text, &rest, 10);
  if (!g_ascii_isdigit (*text) || *rest != '-')
    return range;
  if (g_ascii_isdigit (rest[1]))
    end = g_ascii_strtoull (rest + 1, NULL, 10);
  if (start > end || start > G_MAXINT64)
    return range;
  range.start = start;
  range.end = end;

  return range;
}

static void
ask (P2pSoupGateway *gateway, SoupServerMessage *message, const char *url)
{
  gboolean is_head =
      soup_server_message_get_method (message) == SOUP_METHOD_HEAD;
  Answer *answer = g_new0 (Answer, 1);
  P2pRequest request = {
    .uri = url,
    .range = is_head ? (P2pRange) P2P_RANGE_ALL : asked_range (message),
    .consumer = CONSUMER,
    .profile = is_head ? gateway->head : gateway->get,
    .p2p = !is_head,
    .style = P2P_PLAYLIST_GATEWAY,
    .gateway_key = gateway->key,
  };
  P2pEvent event = { .kind = P2P_EVENT_REQUEST, .request = &request };

  answer->owner = gateway;
  answer->number = REQUEST_BIT | ++gateway->last_number;
  answer->message = g_object_ref (message);
  answer->url = g_strdup (url);
  g_hash_table_insert (gateway->answers, &answer->number, answer);
  g_signal_connect (message, "wrote-body-data", G_CALLBACK (on_wrote), answer);
  g_signal_connect (message, "finished", G_CALLBACK (on_finished), answer);
  /* libsoup would cut the body once more. */
  soup_message_headers_remove (
      soup_server_message_get_request_headers (message), "Range");
  soup_server_message_pause (message);
  event.id = answer->number;
  gateway->func (gateway->user_data, &event);
}

/* What is read here is nobody's secret once one has the address. */
static void
allow_pages (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = headers_of (message);

  soup_message_headers_replace (headers, "Access-Control-Allow-Origin", "*");
  soup_message_headers_replace (headers, "Access-Control-Expose-Headers",
      "Content-Length, Content-Range, Accept-Ranges");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
}

static void
answer_preflight (SoupServerMessage *message)
{
  soup_message_headers_replace (
      headers_of (message), "Access-Control-Allow-Methods", "GET, HEAD");
  soup_message_headers_replace (
      headers_of (message), "Access-Control-Allow-Headers", "*");
  /* Not 204: libsoup ends a connection behind an answer without a length. */
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  P2pSoupGateway *gateway = user_data;
  const char *method = soup_server_message_get_method (message);
  GUri *uri = soup_server_message_get_uri (message);
  g_autofree char *url = NULL;

  allow_pages (message);
  if (method == SOUP_METHOD_OPTIONS) {
    answer_preflight (message);
    return;
  }
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
    refuse (message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
    return;
  }
  url = p2p_gateway_read (
      gateway->key, g_uri_get_path (uri), g_uri_get_query (uri));
  if (url == NULL || gateway->get == NULL)
    refuse (message, SOUP_STATUS_NOT_FOUND, NULL);
  else if (g_hash_table_size (gateway->answers) >= P2P_GATEWAY_REQUESTS_MAX)
    refuse (message, SOUP_STATUS_SERVICE_UNAVAILABLE, "too many requests");
  else
    ask (gateway, message, url);
}

/* --- life ------------------------------------------------------------------------ */

static char *
new_key (GError **error)
{
  guint8 bytes[KEY_BYTES];
  GString *key;

  if (getentropy (bytes, sizeof bytes) != 0) {
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno),
        "no random numbers for the gateway's addresses");
    return NULL;
  }
  key = g_string_sized_new (2 * KEY_BYTES);
  for (guint i = 0; i < KEY_BYTES; i++)
    g_string_append_printf (key, "%02x", bytes[i]);

  return g_string_free (key, FALSE);
}

static gboolean
listen_to (P2pSoupGateway *gateway, guint16 port, GError **error)
{
  g_autoptr (GError) no_ipv6 = NULL;

  gateway->listeners[0] =
      p2p_listener_new (gateway->server, "127.0.0.1", port, error);
  if (gateway->listeners[0] == NULL)
    return FALSE;
  gateway->base = p2p_listener_get_uri (gateway->listeners[0], "http");
  gateway->listeners[1] = p2p_listener_new (gateway->server, "::1",
      p2p_listener_get_port (gateway->listeners[0]), &no_ipv6);
  if (gateway->listeners[1] == NULL)
    P2P_LOG_DEBUG (P2P_AREA_HTTP, 0, "gateway: %s", no_ipv6->message);
  P2P_LOG_INFO (P2P_AREA_HTTP, 0, "gateway at %s", gateway->base);

  return TRUE;
}

P2pSoupGateway *
p2p_soup_gateway_new (GMainContext *context, guint16 port, P2pEventFunc func,
    gpointer user_data, GError **error)
{
  g_autoptr (P2pSoupGateway) gateway = g_new0 (P2pSoupGateway, 1);

  /* libsoup's server runs where it is made. */
  g_assert (g_main_context_get_thread_default () == context);

  gateway->sink.ops = &sink_ops;
  gateway->func = func;
  gateway->user_data = user_data;
  gateway->answers =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, answer_free);
  gateway->server = soup_server_new (
      "server-header", "p2phls-gateway/" PACKAGE_VERSION, NULL);
  soup_server_add_handler (gateway->server, NULL, on_request, gateway, NULL);
  gateway->key = new_key (error);
  if (gateway->key == NULL || !listen_to (gateway, port, error))
    return NULL;

  return g_steal_pointer (&gateway);
}

void
p2p_soup_gateway_free (P2pSoupGateway *gateway)
{
  g_hash_table_unref (gateway->answers);
  for (guint i = 0; i < G_N_ELEMENTS (gateway->listeners); i++)
    g_clear_pointer (&gateway->listeners[i], p2p_listener_free);
  soup_server_disconnect (gateway->server);
  g_object_unref (gateway->server);
  g_clear_pointer (&gateway->get, p2p_http_profile_unref);
  g_clear_pointer (&gateway->head, p2p_http_profile_unref);
  g_free (gateway->base);
  g_free (gateway->key);
  g_free (gateway);
}

void
p2p_soup_gateway_set_profiles (
    P2pSoupGateway *gateway, P2pHttpProfile *get, P2pHttpProfile *head)
{
  g_clear_pointer (&gateway->get, p2p_http_profile_unref);
  g_clear_pointer (&gateway->head, p2p_http_profile_unref);
  gateway->get = p2p_http_profile_ref (get);
  gateway->head = p2p_http_profile_ref (head);
}

char *
p2p_soup_gateway_address (P2pSoupGateway *gateway, const char *url)
{
  g_autofree char *path = p2p_gateway_path (gateway->key, url);

  return path != NULL ? g_strconcat (gateway->base, path, NULL) : NULL;
}

const char *
p2p_soup_gateway_key (P2pSoupGateway *gateway)
{
  return gateway->key;
}

P2pSinkPort *
p2p_soup_gateway_sink (P2pSoupGateway *gateway)
{
  return &gateway->sink;
}

gboolean
p2p_soup_gateway_owns (guint64 request)
{
  return (request & REQUEST_BIT) != 0;
}

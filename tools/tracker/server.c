/* p2phlssrc: a WebTorrent tracker.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server.h"
#include "request.h"
#include "swarms.h"

#include "base/limits.h"
#include "soup/listener.h"
#include "soup/wsguard.h"

#include <string.h>

#define DEFAULT_INTERVAL_S 120

struct _P2pTrackerServer
{
  SoupServer *soup;
  P2pListener *listener;
  char *uri;
  GMainContext *context;
  guint interval_s;
  P2pPrng prng;
  P2pSwarms *swarms;
  GQueue sockets;
  GPtrArray *leaving; /* connections in their closing handshake */
  GSource *sweep;
  P2pTrackerServerStats stats;
};

typedef struct
{
  P2pTrackerServer *server;
  SoupWebsocketConnection *connection;
  GList link;   /* among the server's sockets */
  GQueue peers; /* P2pSwarmPeer, by their own links */
  GSource *timer;
  gboolean heard;
  guint refusals;
  guint drops;
  gdouble tokens; /* messages that it may send now */
  gint64 tokens_us;
} Socket;

/* --- sockets ------------------------------------------------------------ */

static void
on_peer_leaving (P2pSwarmPeer *peer, gpointer user_data)
{
  Socket *socket = peer->socket;

  if (socket != NULL)
    g_queue_unlink (&socket->peers, &peer->link);
}

static void
socket_free (Socket *socket)
{
  P2pTrackerServer *server = socket->server;

  while (socket->peers.head != NULL)
    p2p_swarms_leave (server->swarms, socket->peers.head->data);
  g_queue_unlink (&server->sockets, &socket->link);
  g_source_destroy (socket->timer);
  g_source_unref (socket->timer);
  g_signal_handlers_disconnect_by_data (socket->connection, socket);
  g_object_unref (socket->connection);
  g_free (socket);
}

static void
on_left (SoupWebsocketConnection *connection, P2pTrackerServer *server)
{
  g_signal_handlers_disconnect_by_data (connection, server);
  g_ptr_array_remove_fast (server->leaving, connection);
}

/* Its peers go at once, the connection after its closing handshake: libsoup
 * may be reading from it up the stack. */
static void
socket_close (Socket *socket, gushort code, const char *reason)
{
  P2pTrackerServer *server = socket->server;
  SoupWebsocketConnection *connection = socket->connection;
  SoupWebsocketState state = soup_websocket_connection_get_state (connection);

  if (state != SOUP_WEBSOCKET_STATE_CLOSED) {
    g_ptr_array_add (server->leaving, g_object_ref (connection));
    g_signal_connect (connection, "closed", G_CALLBACK (on_left), server);
  }
  if (state == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (connection, code, reason);
  socket_free (socket);
}

static gboolean
is_writable (Socket *socket)
{
  return g_pollable_output_stream_is_writable (
      G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (
          soup_websocket_connection_get_io_stream (socket->connection))));
}

/* Sends, or drops what a full socket does not take: nothing waits here, so
 * who does not read costs nobody memory. Takes @text. */
static void
send_text (Socket *socket, GString *text)
{
  g_autoptr (GBytes) frame = g_string_free_to_bytes (text);

  if (soup_websocket_connection_get_state (socket->connection)
      != SOUP_WEBSOCKET_STATE_OPEN)
    return;
  if (!is_writable (socket)) {
    socket->drops++;
    socket->server->stats.dropped++;
    return;
  }

  socket->drops = 0;
  soup_websocket_connection_send_message (
      socket->connection, SOUP_WEBSOCKET_DATA_TEXT, frame);
}

static void
append_span (GString *text, const char *before, const P2pJsonSpan *span)
{
  g_string_append (text, before);
  g_string_append_len (text, span->start, p2p_json_length (span));
}

static void
refuse (
    Socket *socket, const char *reason, const P2pTrackerServerRequest *about)
{
  GString *text = g_string_new ("{\"action\":\"announce\"");

  socket->server->stats.refused++;
  socket->refusals++;
  if (about != NULL)
    append_span (text, ",\"info_hash\":", &about->info_hash_span);
  g_string_append_printf (text, ",\"failure reason\":\"%s\"}", reason);
  send_text (socket, text);
}

/* --- answers to requests ------------------------------------------------ */

static void
forward_offers (P2pTrackerServer *server, P2pSwarmPeer *from,
    const P2pTrackerServerRequest *request)
{
  P2pSwarmPeer *chosen[P2P_TRACKER_SERVER_OFFERS_MAX];
  guint n = p2p_swarm_choose (from, &server->prng, chosen, request->n_offers);
  guint i;

  for (i = 0; i < n; i++) {
    GString *text = g_string_new ("{\"action\":\"announce\"");

    append_span (text, ",\"offer\":", &request->offers[i].offer);
    append_span (text, ",\"offer_id\":", &request->offers[i].offer_id);
    append_span (text, ",\"peer_id\":", &request->peer_id_span);
    append_span (text, ",\"info_hash\":", &request->info_hash_span);
    g_string_append_c (text, '}');
    send_text (chosen[i]->socket, text);
    server->stats.offers++;
  }
}

static void
send_reply (
    Socket *socket, P2pSwarm *swarm, const P2pTrackerServerRequest *request)
{
  GString *text = g_string_new ("{\"action\":\"announce\"");

  append_span (text, ",\"info_hash\":", &request->info_hash_span);
  g_string_append_printf (text,
      ",\"interval\":%u,\"complete\":%u,\"incomplete\":%u}",
      socket->server->interval_s,
      swarm != NULL ? p2p_swarm_n_complete (swarm) : 0,
      swarm != NULL ? p2p_swarm_n_incomplete (swarm) : 0);
  send_text (socket, text);
}

/* A peer that comes back on another socket takes its place with it: its old
 * connection may be dead without our knowing. */
static void
give_to_socket (P2pSwarmPeer *peer, Socket *socket)
{
  Socket *before = peer->socket;

  if (before == socket)
    return;
  if (before != NULL)
    g_queue_unlink (&before->peers, &peer->link);
  peer->socket = socket;
  g_queue_push_tail_link (&socket->peers, &peer->link);
}

static void
announce (Socket *socket, const P2pTrackerServerRequest *request)
{
  P2pTrackerServer *server = socket->server;
  P2pSwarmPeer *peer = NULL;
  gboolean is_new;

  server->stats.announces++;
  if (socket->peers.length < P2P_TRACKER_SERVER_PEERS_PER_SOCKET)
    peer = p2p_swarms_join (
        server->swarms, request->info_hash, request->peer_id, &is_new);
  else if (p2p_swarms_lookup (server->swarms, request->info_hash) != NULL)
    peer = p2p_swarm_lookup (
        p2p_swarms_lookup (server->swarms, request->info_hash),
        request->peer_id);
  if (peer == NULL) {
    refuse (socket, "too many peers", request);
    return;
  }

  give_to_socket (peer, socket);
  peer->seen_us = g_get_monotonic_time ();
  p2p_swarm_set_complete (peer, request->complete);
  send_reply (socket, peer->swarm, request);
  forward_offers (server, peer, request);
}

static P2pSwarmPeer *
find_peer (P2pTrackerServer *server, const guint8 *info_hash, const guint8 *id)
{
  P2pSwarm *swarm = p2p_swarms_lookup (server->swarms, info_hash);

  return swarm != NULL ? p2p_swarm_lookup (swarm, id) : NULL;
}

/* Only who announced a peer can take it away. */
static void
stop (Socket *socket, const P2pTrackerServerRequest *request)
{
  P2pTrackerServer *server = socket->server;
  P2pSwarmPeer *peer = find_peer (server, request->info_hash, request->peer_id);

  if (peer != NULL && peer->socket == socket)
    p2p_swarms_leave (server->swarms, peer);
  send_reply (
      socket, p2p_swarms_lookup (server->swarms, request->info_hash), request);
}

static void
forward_answer (Socket *socket, const P2pTrackerServerRequest *request)
{
  P2pTrackerServer *server = socket->server;
  P2pSwarmPeer *from = find_peer (server, request->info_hash, request->peer_id);
  P2pSwarmPeer *to =
      find_peer (server, request->info_hash, request->to_peer_id);
  GString *text;

  /* An answer is a sign of life, and nobody answers for another. */
  if (from == NULL || from->socket != socket || to == NULL)
    return;
  from->seen_us = g_get_monotonic_time ();

  text = g_string_new ("{\"action\":\"announce\"");
  append_span (text, ",\"answer\":", &request->answer);
  append_span (text, ",\"offer_id\":", &request->offer_id);
  append_span (text, ",\"peer_id\":", &request->peer_id_span);
  append_span (text, ",\"info_hash\":", &request->info_hash_span);
  g_string_append_c (text, '}');
  send_text (to->socket, text);
  server->stats.answers++;
}

static void
append_scrape (GString *text, const guint8 *info_hash, P2pSwarm *swarm)
{
  if (text->str[text->len - 1] != '{')
    g_string_append_c (text, ',');
  p2p_json_append_bytes (text, info_hash, P2P_TRACKER_SERVER_ID_LENGTH);
  g_string_append_printf (text,
      ":{\"complete\":%u,\"incomplete\":%u,\"downloaded\":%u}",
      swarm != NULL ? p2p_swarm_n_complete (swarm) : 0,
      swarm != NULL ? p2p_swarm_n_incomplete (swarm) : 0,
      swarm != NULL ? p2p_swarm_n_complete (swarm) : 0);
}

static void
append_swarm (P2pSwarm *swarm, gpointer user_data)
{
  append_scrape (user_data, p2p_swarm_info_hash (swarm), swarm);
}

static gboolean
append_named (GString *text, P2pTrackerServer *server, const P2pJsonSpan *name)
{
  guint8 info_hash[P2P_TRACKER_SERVER_ID_LENGTH];

  if (!p2p_json_read_bytes (name, info_hash, sizeof info_hash))
    return FALSE;
  append_scrape (
      text, info_hash, p2p_swarms_lookup (server->swarms, info_hash));

  return TRUE;
}

static void
scrape (Socket *socket, const P2pTrackerServerRequest *request)
{
  P2pTrackerServer *server = socket->server;
  GString *text = g_string_new ("{\"action\":\"scrape\",\"files\":{");
  P2pJsonCursor cursor;
  P2pJsonSpan element;
  gboolean ok = TRUE;
  guint n = 0;

  if (request->info_hash_span.start == NULL) {
    p2p_swarms_foreach (
        server->swarms, P2P_TRACKER_SERVER_SCRAPE_MAX, append_swarm, text);
  } else if (p2p_json_open_array (&request->info_hash_span, &cursor)) {
    while (ok && n++ < P2P_TRACKER_SERVER_SCRAPE_MAX
        && p2p_json_next (&cursor, NULL, &element))
      ok = append_named (text, server, &element);
  } else {
    ok = append_named (text, server, &request->info_hash_span);
  }
  if (!ok) {
    g_string_free (text, TRUE);
    refuse (socket, "invalid info_hash", NULL);
    return;
  }

  g_string_append_printf (
      text, "},\"flags\":{\"min_request_interval\":%u}}", server->interval_s);
  send_text (socket, text);
}

/* --- a socket's life ---------------------------------------------------- */

/* A bucket: a burst at once, then the rate. */
static gboolean
take_token (Socket *socket)
{
  gint64 now_us = g_get_monotonic_time ();

  socket->tokens += (now_us - socket->tokens_us)
      * (P2P_TRACKER_SERVER_MESSAGES_PER_S / (gdouble) G_USEC_PER_SEC);
  socket->tokens = MIN (socket->tokens, P2P_TRACKER_SERVER_BURST);
  socket->tokens_us = now_us;
  if (socket->tokens < 1)
    return FALSE;
  socket->tokens--;

  return TRUE;
}

static void
handle (Socket *socket, const char *text, gsize length)
{
  P2pTrackerServerRequest request;
  const char *failure =
      p2p_tracker_server_request_parse (text, length, &request);

  if (failure != NULL) {
    refuse (socket, failure, NULL);
    return;
  }
  switch (request.action) {
    case P2P_TRACKER_SERVER_ANNOUNCE:
      announce (socket, &request);
      break;
    case P2P_TRACKER_SERVER_STOP:
      stop (socket, &request);
      break;
    case P2P_TRACKER_SERVER_ANSWER:
      forward_answer (socket, &request);
      break;
    case P2P_TRACKER_SERVER_SCRAPE:
      scrape (socket, &request);
      break;
  }
}

static void
on_message (SoupWebsocketConnection *connection, gint type, GBytes *message,
    Socket *socket)
{
  gsize length;
  const char *text = g_bytes_get_data (message, &length);

  socket->heard = TRUE;
  if (!take_token (socket)) {
    socket_close (socket, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "too fast");
    return;
  }
  if (length == 0 || !g_utf8_validate (text, length, NULL))
    refuse (socket, "not a JSON object", NULL);
  else
    handle (socket, text, length);
  if (socket->refusals > P2P_TRACKER_SERVER_REFUSALS_MAX)
    socket_close (
        socket, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "not understood");
}

static void
on_pong (SoupWebsocketConnection *connection, GBytes *message, Socket *socket)
{
  socket->heard = TRUE;
}

static void
on_closed (SoupWebsocketConnection *connection, Socket *socket)
{
  socket_free (socket);
}

static gboolean
on_silence_check (gpointer user_data)
{
  Socket *socket = user_data;

  if (!socket->heard || socket->drops > P2P_TRACKER_SERVER_DROPS_MAX) {
    socket_close (socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "silent");
    return G_SOURCE_REMOVE;
  }
  socket->heard = FALSE;

  return G_SOURCE_CONTINUE;
}

static GSource *
add_timer (
    GMainContext *context, guint seconds, GSourceFunc func, gpointer user_data)
{
  GSource *source = g_timeout_source_new_seconds (seconds);

  g_source_set_callback (source, func, user_data, NULL);
  g_source_attach (source, context);

  return source;
}

static void
on_socket (SoupServer *soup, SoupServerMessage *message, const char *path,
    SoupWebsocketConnection *connection, gpointer user_data)
{
  P2pTrackerServer *server = user_data;
  Socket *socket = g_new0 (Socket, 1);

  socket->server = server;
  socket->connection = g_object_ref (connection);
  socket->tokens = P2P_TRACKER_SERVER_BURST;
  socket->tokens_us = g_get_monotonic_time ();
  socket->link.data = socket;
  g_queue_push_tail_link (&server->sockets, &socket->link);
  p2p_ws_guard (connection, P2P_TRACKER_MESSAGE_MAX_BYTES);
  soup_websocket_connection_set_keepalive_interval (
      connection, P2P_TRACKER_SERVER_PING_S);
  socket->timer = add_timer (
      server->context, P2P_TRACKER_SERVER_SILENCE_S, on_silence_check, socket);
  g_signal_connect (connection, "message", G_CALLBACK (on_message), socket);
  g_signal_connect (connection, "pong", G_CALLBACK (on_pong), socket);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), socket);
}

/* --- the server --------------------------------------------------------- */

static void
on_http (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  P2pTrackerServer *server = user_data;
  P2pTrackerServerStats stats;
  g_autofree char *text = NULL;

  if (strcmp (path, "/stats.json") != 0) {
    /* libsoup comes by here with handshakes too, and goes on if we do not
     * answer. */
    if (soup_message_headers_get_one (
            soup_server_message_get_request_headers (message), "Upgrade")
        == NULL)
      soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  p2p_tracker_server_get_stats (server, &stats);
  text = g_strdup_printf (
      "{\"sockets\":%u,\"swarms\":%u,\"peers\":%u,"
      "\"announces\":%" G_GUINT64_FORMAT ",\"offers\":%" G_GUINT64_FORMAT
      ",\"answers\":%" G_GUINT64_FORMAT ",\"refused\":%" G_GUINT64_FORMAT
      ",\"dropped\":%" G_GUINT64_FORMAT "}",
      stats.sockets, stats.swarms, stats.peers, stats.announces, stats.offers,
      stats.answers, stats.refused, stats.dropped);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, "application/json", SOUP_MEMORY_COPY, text, strlen (text));
}

static gboolean
on_sweep (gpointer user_data)
{
  P2pTrackerServer *server = user_data;

  p2p_swarms_expire (server->swarms,
      g_get_monotonic_time ()
          - (gint64) P2P_TRACKER_SERVER_PEER_TTL_S * G_USEC_PER_SEC);

  return G_SOURCE_CONTINUE;
}

P2pTrackerServer *
p2p_tracker_server_new (const P2pTrackerServerConfig *config, GError **error)
{
  g_autoptr (P2pTrackerServer) server = g_new0 (P2pTrackerServer, 1);

  server->context = g_main_context_ref_thread_default ();
  server->interval_s =
      config->interval_s != 0 ? config->interval_s : DEFAULT_INTERVAL_S;
  p2p_prng_init (
      &server->prng, (guint64) g_random_int () << 32 | g_random_int ());
  g_queue_init (&server->sockets);
  server->leaving = g_ptr_array_new_with_free_func (g_object_unref);
  server->swarms = p2p_swarms_new (on_peer_leaving, server);
  server->soup = soup_server_new (
      "server-header", "p2phls-tracker/" PACKAGE_VERSION, NULL);
  /* A few bytes could be inflated to any number. */
  soup_server_remove_websocket_extension (
      server->soup, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
  soup_server_add_handler (server->soup, NULL, on_http, server, NULL);
  soup_server_add_websocket_handler (
      server->soup, NULL, NULL, NULL, on_socket, server, NULL);
  server->sweep =
      add_timer (server->context, P2P_TRACKER_SERVER_SWEEP_S, on_sweep, server);
  server->listener = p2p_listener_new (server->soup,
      config->address != NULL ? config->address : "127.0.0.1", config->port,
      error);
  if (server->listener == NULL)
    return NULL;
  server->uri = p2p_listener_get_uri (server->listener, "ws");

  return g_steal_pointer (&server);
}

void
p2p_tracker_server_free (P2pTrackerServer *server)
{
  guint i;

  g_clear_pointer (&server->listener, p2p_listener_free);
  while (server->sockets.head != NULL)
    socket_close (
        server->sockets.head->data, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
  for (i = 0; i < server->leaving->len; i++)
    g_signal_handlers_disconnect_by_data (
        g_ptr_array_index (server->leaving, i), server);
  g_ptr_array_unref (server->leaving);
  g_source_destroy (server->sweep);
  g_source_unref (server->sweep);
  soup_server_disconnect (server->soup);
  g_object_unref (server->soup);
  p2p_swarms_free (server->swarms);
  g_main_context_unref (server->context);
  g_free (server->uri);
  g_free (server);
}

const char *
p2p_tracker_server_get_uri (P2pTrackerServer *server)
{
  return server->uri;
}

void
p2p_tracker_server_get_stats (
    P2pTrackerServer *server, P2pTrackerServerStats *stats)
{
  *stats = server->stats;
  stats->sockets = server->sockets.length;
  stats->swarms = p2p_swarms_n_swarms (server->swarms);
  stats->peers = p2p_swarms_n_peers (server->swarms);
}

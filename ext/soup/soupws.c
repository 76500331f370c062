/* p2phlssrc: WebSockets to trackers over libsoup 3.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soupws.h"
#include "soupmessage.h"
#include "soupsession.h"
#include "wsguard.h"

#include "base/limits.h"
#include "base/log.h"

typedef struct
{
  P2pWebSocketPort port;
  GMainContext *context;
  P2pEventFunc func;
  gpointer user_data;
  SoupSession *session;
  GHashTable *sockets; /* id → Socket, owned */
  GPtrArray *leaving;  /* connections that we have said goodbye to */
} SoupWs;

/* One socket. Reference counted, as libsoup's connect callback holds one and
 * the engine may close from inside an event. */
typedef struct
{
  SoupWs *owner; /* NULL: ended, nobody wants to hear of it */
  guint64 id;
  GCancellable *cancellable;
  SoupWebsocketConnection *connection; /* NULL: connecting */
  GQueue waiting;                      /* GBytes that the socket did not take */
  gsize waiting_bytes;
  GSource *writable; /* while something waits */
  GSource *timer;    /* connecting, then silence */
  gboolean heard;    /* anything since the timer last fired */
  char *reason;      /* why it will be closed, as far as known */
} Socket;

static void
socket_clear (gpointer data)
{
  Socket *socket = data;

  g_clear_object (&socket->cancellable);
  g_clear_object (&socket->connection);
  g_queue_clear_full (&socket->waiting, (GDestroyNotify) g_bytes_unref);
  g_free (socket->reason);
}

static void
socket_unref (Socket *socket)
{
  g_rc_box_release_full (socket, socket_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Socket, socket_unref)

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
on_left (SoupWebsocketConnection *connection, SoupWs *self)
{
  g_signal_handlers_disconnect_by_data (connection, self);
  g_ptr_array_remove_fast (self->leaving, connection);
}

/* A proper closing handshake: dropping the connection at once could cost what
 * was sent last. libsoup gives the other side five seconds. */
static void
say_goodbye (SoupWs *self, SoupWebsocketConnection *connection)
{
  if (soup_websocket_connection_get_state (connection)
      == SOUP_WEBSOCKET_STATE_CLOSED)
    return;

  g_ptr_array_add (self->leaving, g_object_ref (connection));
  g_signal_connect (connection, "closed", G_CALLBACK (on_left), self);
  if (soup_websocket_connection_get_state (connection)
      == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (
        connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
}

static void
socket_end (gpointer data)
{
  Socket *socket = data;
  SoupWs *self = socket->owner;

  socket->owner = NULL;
  clear_source (&socket->timer);
  clear_source (&socket->writable);
  g_cancellable_cancel (socket->cancellable);
  if (socket->connection != NULL) {
    g_signal_handlers_disconnect_by_data (socket->connection, socket);
    say_goodbye (self, socket->connection);
  }
  socket_unref (socket);
}

static void
emit (Socket *socket, P2pEvent *event)
{
  SoupWs *self = socket->owner;

  event->id = socket->id;
  self->func (self->user_data, event);
}

/* Forgets the socket first, so that the engine can do what it likes from
 * inside the event. */
static void
lose (Socket *socket, const char *reason)
{
  SoupWs *self = socket->owner;
  P2pEvent event = { .kind = P2P_EVENT_WS_CLOSED, .id = socket->id };
  g_autofree char *text = g_strdup (reason);

  event.text = text;
  P2P_LOG_INFO (P2P_AREA_TRACKER, socket->id, "socket lost: %s", text);
  g_hash_table_remove (self->sockets, &socket->id);
  self->func (self->user_data, &event);
}

static GSource *
add_timer (Socket *socket, guint seconds, GSourceFunc func)
{
  GSource *source = g_timeout_source_new_seconds (seconds);

  g_source_set_callback (source, func, socket, NULL);
  g_source_attach (source, socket->owner->context);

  return source;
}

/* --- sending ------------------------------------------------------------ */

static GPollableOutputStream *
output_of (Socket *socket)
{
  return G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (
      soup_websocket_connection_get_io_stream (socket->connection)));
}

static gboolean
is_open (Socket *socket)
{
  return socket->connection != NULL
      && soup_websocket_connection_get_state (socket->connection)
      == SOUP_WEBSOCKET_STATE_OPEN;
}

static gboolean
on_writable (GObject *stream, gpointer user_data)
{
  Socket *socket = user_data;

  while (socket->waiting.length > 0 && is_open (socket)
      && g_pollable_output_stream_is_writable (output_of (socket))) {
    g_autoptr (GBytes) frame = g_queue_pop_head (&socket->waiting);

    socket->waiting_bytes -= g_bytes_get_size (frame);
    soup_websocket_connection_send_message (
        socket->connection, SOUP_WEBSOCKET_DATA_TEXT, frame);
  }
  if (socket->waiting.length > 0 && is_open (socket))
    return G_SOURCE_CONTINUE;

  g_clear_pointer (&socket->writable, g_source_unref);

  return G_SOURCE_REMOVE;
}

static gboolean
on_overfull (gpointer user_data)
{
  g_autoptr (Socket) socket = g_rc_box_acquire (user_data);

  lose (socket, "the tracker does not read");

  return G_SOURCE_REMOVE;
}

/* libsoup queues without a bound and does not tell how much, so it is given
 * one frame at a time while the socket is full. */
static void
wait_writable (Socket *socket, GBytes *frame)
{
  if (socket->waiting_bytes + g_bytes_get_size (frame)
      > P2P_TRACKER_QUEUE_MAX_BYTES) {
    clear_source (&socket->timer);
    socket->timer = add_timer (socket, 0, on_overfull);
    return;
  }

  g_queue_push_tail (&socket->waiting, g_bytes_ref (frame));
  socket->waiting_bytes += g_bytes_get_size (frame);
  if (socket->writable != NULL)
    return;
  socket->writable =
      g_pollable_output_stream_create_source (output_of (socket), NULL);
  g_source_set_callback (
      socket->writable, G_SOURCE_FUNC (on_writable), socket, NULL);
  g_source_attach (socket->writable, socket->owner->context);
}

/* --- a connection's life ------------------------------------------------ */

static void
on_message (SoupWebsocketConnection *connection, gint type, GBytes *message,
    Socket *socket)
{
  g_autoptr (Socket) keep G_GNUC_UNUSED = g_rc_box_acquire (socket);
  P2pEvent event = { .kind = P2P_EVENT_WS_MESSAGE, .bytes = message };

  socket->heard = TRUE;
  P2P_LOG_LOG (P2P_AREA_TRACKER, socket->id, "%" G_GSIZE_FORMAT " bytes",
      g_bytes_get_size (message));
  emit (socket, &event);
}

static void
on_pong (SoupWebsocketConnection *connection, GBytes *message, Socket *socket)
{
  socket->heard = TRUE;
}

static void
on_error (SoupWebsocketConnection *connection, GError *error, Socket *socket)
{
  g_free (socket->reason);
  socket->reason = g_strdup (error->message);
}

static char *
closing_reason (Socket *socket)
{
  gushort code = soup_websocket_connection_get_close_code (socket->connection);
  const char *data =
      soup_websocket_connection_get_close_data (socket->connection);
  g_autofree char *escaped = p2p_log_escape (data != NULL ? data : "", -1);

  if (p2p_ws_guard_tripped (socket->connection))
    return g_strdup ("the tracker's message is too long");
  if (socket->reason != NULL)
    return g_strdup (socket->reason);
  if (code == 0 || code == SOUP_WEBSOCKET_CLOSE_ABNORMAL)
    return g_strdup ("the tracker dropped the connection");

  return g_strdup_printf ("closed by the tracker: %u%s%s", code,
      *escaped != '\0' ? " " : "", escaped);
}

static void
on_closed (SoupWebsocketConnection *connection, Socket *socket)
{
  g_autoptr (Socket) keep G_GNUC_UNUSED = g_rc_box_acquire (socket);
  g_autofree char *reason = closing_reason (socket);

  lose (socket, reason);
}

static gboolean
on_silence_check (gpointer user_data)
{
  g_autoptr (Socket) socket = g_rc_box_acquire (user_data);

  if (socket->heard) {
    socket->heard = FALSE;
    return G_SOURCE_CONTINUE;
  }
  lose (socket, "the tracker is silent");

  return G_SOURCE_REMOVE;
}

static void
take_connection (Socket *socket, SoupWebsocketConnection *connection)
{
  socket->connection = g_object_ref (connection);
  p2p_ws_guard (connection, P2P_TRACKER_MESSAGE_MAX_BYTES);
  soup_websocket_connection_set_keepalive_interval (
      connection, P2P_TRACKER_PING_INTERVAL_S);
  g_signal_connect (connection, "message", G_CALLBACK (on_message), socket);
  g_signal_connect (connection, "pong", G_CALLBACK (on_pong), socket);
  g_signal_connect (connection, "error", G_CALLBACK (on_error), socket);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), socket);
  clear_source (&socket->timer);
  socket->timer = add_timer (socket, P2P_TRACKER_SILENCE_S, on_silence_check);
}

/* The answer to the handshake says more than libsoup's error about it. */
static char *
connect_reason (SoupMessage *message, const GError *error)
{
  guint status = soup_message_get_status (message);

  if (error->domain == SOUP_WEBSOCKET_ERROR && status != 0
      && status != SOUP_STATUS_SWITCHING_PROTOCOLS)
    return g_strdup_printf ("no WebSocket there: status %u", status);

  return g_strdup (error->message);
}

static void
on_connected (GObject *session, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Socket) socket = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupMessage) message = g_object_ref (
      soup_session_get_async_result_message (SOUP_SESSION (session), result));
  g_autoptr (SoupWebsocketConnection) connection =
      soup_session_websocket_connect_finish (
          SOUP_SESSION (session), result, &error);
  P2pEvent event = { .kind = P2P_EVENT_WS_OPEN };

  if (socket->owner == NULL)
    return;

  if (connection == NULL) {
    g_autofree char *reason = connect_reason (message, error);

    lose (socket, reason);
    return;
  }
  take_connection (socket, connection);
  P2P_LOG_INFO (P2P_AREA_TRACKER, socket->id, "socket open");
  emit (socket, &event);
}

static gboolean
on_connect_timeout (gpointer user_data)
{
  g_autoptr (Socket) socket = g_rc_box_acquire (user_data);

  lose (socket, "no connection in time");

  return G_SOURCE_REMOVE;
}

static gboolean
on_bad_url (gpointer user_data)
{
  g_autoptr (Socket) socket = g_rc_box_acquire (user_data);

  lose (socket, "not a ws: or wss: URL");

  return G_SOURCE_REMOVE;
}

/* --- the port ----------------------------------------------------------- */

static void
ws_open (P2pWebSocketPort *port, guint64 id, const char *url)
{
  SoupWs *self = (SoupWs *) port;
  Socket *socket = g_rc_box_new0 (Socket);
  g_autoptr (GUri) uri = p2p_soup_parse_uri (url, "ws", "wss");
  g_autoptr (SoupMessage) message = NULL;

  g_assert (g_main_context_is_owner (self->context));
  g_assert (!g_hash_table_contains (self->sockets, &id));

  socket->owner = self;
  socket->id = id;
  socket->cancellable = g_cancellable_new ();
  g_queue_init (&socket->waiting);
  g_hash_table_insert (self->sockets, &socket->id, socket);

  /* Nothing is ever answered from inside a call. */
  if (uri == NULL) {
    socket->timer = add_timer (socket, 0, on_bad_url);
    return;
  }
  message = soup_message_new_from_uri ("GET", uri);
  socket->timer =
      add_timer (socket, P2P_TRACKER_CONNECT_TIMEOUT_S, on_connect_timeout);
  soup_session_websocket_connect_async (self->session, message, NULL, NULL,
      G_PRIORITY_DEFAULT, socket->cancellable, on_connected,
      g_rc_box_acquire (socket));
}

static void
ws_send_text (P2pWebSocketPort *port, guint64 id, const char *text)
{
  SoupWs *self = (SoupWs *) port;
  Socket *socket = g_hash_table_lookup (self->sockets, &id);
  g_autoptr (GBytes) frame = NULL;

  if (socket == NULL || !is_open (socket))
    return;

  frame = g_bytes_new (text, strlen (text));
  if (socket->waiting.length > 0
      || !g_pollable_output_stream_is_writable (output_of (socket)))
    wait_writable (socket, frame);
  else
    soup_websocket_connection_send_message (
        socket->connection, SOUP_WEBSOCKET_DATA_TEXT, frame);
}

static void
ws_close (P2pWebSocketPort *port, guint64 id)
{
  SoupWs *self = (SoupWs *) port;

  g_assert (g_main_context_is_owner (self->context));
  g_hash_table_remove (self->sockets, &id);
}

static const P2pWebSocketOps ws_ops = {
  .open = ws_open,
  .send_text = ws_send_text,
  .close = ws_close,
};

P2pWebSocketPort *
p2p_soup_ws_new (GMainContext *context, P2pEventFunc func, gpointer user_data)
{
  SoupWs *self = g_new0 (SoupWs, 1);

  p2p_soup_prepare ();
  self->port.ops = &ws_ops;
  self->context = g_main_context_ref (context);
  self->func = func;
  self->user_data = user_data;
  /* Time is watched here: a socket timeout would end quiet connections. */
  self->session = soup_session_new_with_options ("timeout", 0, "user-agent",
      "p2phlssrc/" PACKAGE_VERSION, "max-conns", 4 * P2P_TRACKERS_MAX,
      "max-conns-per-host", 4 * P2P_TRACKERS_MAX, NULL);
  self->sockets =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, socket_end);
  self->leaving = g_ptr_array_new_with_free_func (g_object_unref);

  return &self->port;
}

static gboolean
on_lingered (gpointer user_data)
{
  gboolean *expired = user_data;

  *expired = TRUE;

  return G_SOURCE_REMOVE;
}

static void
linger (SoupWs *self)
{
  gboolean expired = FALSE;
  g_autoptr (GSource) timer = NULL;
  guint i;

  if (self->leaving->len == 0)
    return;

  timer = g_timeout_source_new (P2P_TRACKER_LINGER_MS);
  g_source_set_callback (timer, on_lingered, &expired, NULL);
  g_source_attach (timer, self->context);
  while (!expired && self->leaving->len > 0)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (timer);
  for (i = 0; i < self->leaving->len; i++)
    g_signal_handlers_disconnect_by_data (
        g_ptr_array_index (self->leaving, i), self);
}

void
p2p_soup_ws_free (P2pWebSocketPort *port)
{
  SoupWs *self = (SoupWs *) port;

  g_hash_table_remove_all (self->sockets);
  linger (self);
  g_hash_table_unref (self->sockets);
  g_ptr_array_unref (self->leaving);
  soup_session_abort (self->session);
  g_object_unref (self->session);
  g_main_context_unref (self->context);
  g_free (self);
}

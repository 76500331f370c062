/* p2phlssrc: a listening socket for a SoupServer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "listener.h"

#include "base/limits.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define PRETENDED_KEY "p2p-listener-pretended"

struct _P2pListener
{
  SoupServer *server;
  GSocket *socket;
  GMainContext *context;
  GSource *source;   /* accepting, or waiting to accept again */
  gint *connections; /* reference counted: streams outlive the listener */
  char *host;        /* for URIs: IPv6 in brackets */
  guint16 port;
};

static void watch (P2pListener *listener);

static void
clear_source (P2pListener *listener)
{
  if (listener->source == NULL)
    return;
  g_source_destroy (listener->source);
  g_clear_pointer (&listener->source, g_source_unref);
}

static gboolean
on_pause_over (gpointer user_data)
{
  watch (user_data);

  return G_SOURCE_REMOVE;
}

static void
pause_accepting (P2pListener *listener)
{
  clear_source (listener);
  listener->source = g_timeout_source_new (P2P_SERVER_ACCEPT_PAUSE_MS);
  g_source_set_callback (listener->source, on_pause_over, listener, NULL);
  g_source_attach (listener->source, listener->context);
}

static void
on_stream_gone (gpointer user_data, GObject *stream)
{
  gint *connections = user_data;

  --*connections;
  g_rc_box_release (connections);
}

static void
hand_over (P2pListener *listener, GSocket *socket)
{
  g_autoptr (GSocketConnection) stream = NULL;
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) remote =
      g_socket_get_remote_address (socket, NULL);

  if (local == NULL || remote == NULL
      || *listener->connections >= P2P_SERVER_CONNECTIONS_MAX)
    return;

  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  stream = g_socket_connection_factory_create_connection (socket);
  ++*listener->connections;
  g_object_weak_ref (G_OBJECT (stream), on_stream_gone,
      g_rc_box_acquire (listener->connections));
  soup_server_accept_iostream (
      listener->server, G_IO_STREAM (stream), local, remote, NULL);
}

static gboolean
on_incoming (GSocket *listening, GIOCondition condition, gpointer user_data)
{
  P2pListener *listener = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_accept (listening, NULL, &error);

  if (socket != NULL) {
    hand_over (listener, socket);
    return G_SOURCE_CONTINUE;
  }
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES))
    return G_SOURCE_CONTINUE;
  pause_accepting (listener);

  return G_SOURCE_REMOVE;
}

static void
watch (P2pListener *listener)
{
  clear_source (listener);
  listener->source = g_socket_create_source (listener->socket, G_IO_IN, NULL);
  g_source_set_callback (
      listener->source, G_SOURCE_FUNC (on_incoming), listener, NULL);
  g_source_attach (listener->source, listener->context);
}

static GSocket *
open_socket (GInetAddress *inet, guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (inet, port);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (inet),
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL)
    return NULL;

  g_socket_set_blocking (socket, FALSE);
  g_socket_set_listen_backlog (socket, P2P_SERVER_BACKLOG);
  if (!g_socket_bind (socket, address, TRUE, error)
      || !g_socket_listen (socket, error))
    return NULL;

  return g_steal_pointer (&socket);
}

/* libsoup keeps connections open for a next request only while it listens
 * itself. It gets a socket that nobody can reach: accepting on one end of a
 * closed pair fails at once, and then libsoup leaves it alone. */
static gboolean
pretend_to_listen (SoupServer *server, GError **error)
{
  g_autoptr (GSocket) nowhere = NULL;
  int pair[2];

  if (g_object_get_data (G_OBJECT (server), PRETENDED_KEY) != NULL)
    return TRUE;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno),
        "No socket pair to be had");
    return FALSE;
  }

  g_close (pair[1], NULL);
  nowhere = g_socket_new_from_fd (pair[0], error);
  if (nowhere == NULL)
    return FALSE;
  g_object_set_data (G_OBJECT (server), PRETENDED_KEY, GINT_TO_POINTER (TRUE));

  return soup_server_listen_socket (server, nowhere, 0, error);
}

P2pListener *
p2p_listener_new (
    SoupServer *server, const char *address, guint16 port, GError **error)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketAddress) bound = NULL;
  P2pListener *listener;

  if (inet == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "\"%s\" is not an IP address", address);
    return NULL;
  }
  socket = open_socket (inet, port, error);
  if (socket == NULL)
    return NULL;
  bound = g_socket_get_local_address (socket, error);
  if (bound == NULL || !pretend_to_listen (server, error))
    return NULL;

  listener = g_new0 (P2pListener, 1);
  listener->server = server;
  listener->socket = g_steal_pointer (&socket);
  listener->context = g_main_context_ref_thread_default ();
  listener->connections = g_rc_box_new0 (gint);
  listener->port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  listener->host = g_strdup_printf (
      g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6 ? "[%s]" : "%s",
      address);
  watch (listener);

  return listener;
}

void
p2p_listener_free (P2pListener *listener)
{
  clear_source (listener);
  g_socket_close (listener->socket, NULL);
  g_object_unref (listener->socket);
  g_main_context_unref (listener->context);
  g_rc_box_release (listener->connections);
  g_free (listener->host);
  g_free (listener);
}

guint16
p2p_listener_get_port (P2pListener *listener)
{
  return listener->port;
}

char *
p2p_listener_get_uri (P2pListener *listener, const char *scheme)
{
  return g_strdup_printf ("%s://%s:%u", scheme, listener->host, listener->port);
}

void
p2p_raise_file_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

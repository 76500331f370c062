/* p2phlssrc: a listening socket for a SoupServer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the one whose thread-default context it was made in.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _P2pListener P2pListener;

/**
 * p2p_listener_new:
 * @server: (transfer none): what gets the connections; must outlive it
 * @address: an IPv4 or IPv6 address
 * @port: 0: any
 * @error: (out): why it cannot listen there
 *
 * Listens in libsoup's place: soup_server_listen() of libsoup 3.2 stops
 * listening for good when accepting fails once (no file left, a client that
 * went away), and leaks a GSocket per connection.
 *
 * Returns: (transfer full) (nullable): the listener.
 * Bounds: P2P_SERVER_CONNECTIONS_MAX.
 */
P2pListener *p2p_listener_new (
    SoupServer *server, const char *address, guint16 port, GError **error);

/* Stops listening; connections stay. */
void p2p_listener_free (P2pListener *listener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pListener, p2p_listener_free)

guint16 p2p_listener_get_port (P2pListener *listener);

/* "http://127.0.0.1:8000" for the scheme "http". Returns: (transfer full). */
char *p2p_listener_get_uri (P2pListener *listener, const char *scheme);

/* Raises the limit of open files as far as it goes. */
void p2p_raise_file_limit (void);

G_END_DECLS

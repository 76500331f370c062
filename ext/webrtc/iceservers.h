/* p2phlssrc: the ICE servers of a session and their addresses.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport.
 */
#pragma once

#include "nice/niceice.h"

G_BEGIN_DECLS

typedef struct _P2pIceServers P2pIceServers;

/**
 * p2p_ice_servers_new:
 * @context: (transfer none): the transport's
 * @ready: called whenever p2p_ice_servers_are_ready () has become true
 */
P2pIceServers *p2p_ice_servers_new (
    GMainContext *context, void (*ready) (gpointer), gpointer user_data);
void p2p_ice_servers_free (P2pIceServers *servers);

/**
 * p2p_ice_servers_set:
 * @uris: (array zero-terminated=1): `stun://host:port`,
 *   `turn(s)://user:password@host:port?transport=udp|tcp`
 *
 * What cannot be read is left out, with a warning, and so is what exceeds
 * %P2P_ICE_SERVERS_MAX.
 */
void p2p_ice_servers_set (P2pIceServers *servers, const char *const *uris);

/* Whether every name has been looked up once, found or not: connections made
 * before would go without. */
gboolean p2p_ice_servers_are_ready (const P2pIceServers *servers);

/* Returns: (array length=n) (transfer none): the servers, with the addresses
 * known by now. Addresses older than %P2P_RESOLVE_LIFETIME_US are looked up
 * again behind the caller's back. */
const P2pIceServer *p2p_ice_servers_get (P2pIceServers *servers, guint *n);

/**
 * p2p_ice_server_parse:
 * @uri: as above
 * @server: (out caller-allocates): its address is "" unless @host is numeric
 * @host: (out) (transfer full): as written
 *
 * Default ports are 3478 and, for turns, 5349 (RFC 7064, RFC 7065). Pure.
 */
gboolean p2p_ice_server_parse (
    const char *uri, P2pIceServer *server, char **host, GError **error);

G_END_DECLS

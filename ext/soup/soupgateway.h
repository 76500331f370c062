/* p2phlssrc: a loopback HTTP server in front of the engine, for players that
 * fetch by themselves.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: worker. Source: docs/design/gateway.md.
 */
#pragma once

#include "ports/event.h"
#include "ports/sink.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _P2pSoupGateway P2pSoupGateway;

/**
 * p2p_soup_gateway_new:
 * @context: (transfer none): the worker's, its thread-default one
 * @port: on the loopback addresses; 0: any
 * @func: takes the players' requests, as %P2P_EVENT_REQUEST, _CANCEL and
 *   _DRAINED; never called from inside a call of ours
 * @user_data: for @func
 * @error: (out): why nothing can be listened to
 *
 * Listens on 127.0.0.1 and, where the system has it, on ::1 with the same
 * port. Answers only for addresses that it, or a playlist that went through
 * it, has given out; GET, HEAD, ranges, kept-alive connections; web pages of
 * any origin may read it.
 *
 * Returns: (transfer full) (nullable): the gateway.
 * Bounds: P2P_GATEWAY_REQUESTS_MAX, P2P_SERVER_CONNECTIONS_MAX.
 */
P2pSoupGateway *p2p_soup_gateway_new (GMainContext *context, guint16 port,
    P2pEventFunc func, gpointer user_data, GError **error);

/* Drops every connection; no event any more. */
void p2p_soup_gateway_free (P2pSoupGateway *gateway);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pSoupGateway, p2p_soup_gateway_free)

/* How the origin is asked from now on, for bodies and with HEAD. */
void p2p_soup_gateway_set_profiles (
    P2pSoupGateway *gateway, P2pHttpProfile *get, P2pHttpProfile *head);

/* The address of @url at this gateway. Returns: (transfer full) (nullable):
 * %NULL: no http(s) URL. */
char *p2p_soup_gateway_address (P2pSoupGateway *gateway, const char *url);

/* The secret behind the addresses (p2p_gateway_rewrite()). */
const char *p2p_soup_gateway_key (P2pSoupGateway *gateway);

/* Where the answers to its requests go. */
P2pSinkPort *p2p_soup_gateway_sink (P2pSoupGateway *gateway);

/* Whether a request with this number is a gateway's. */
gboolean p2p_soup_gateway_owns (guint64 request);

G_END_DECLS

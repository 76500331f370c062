/* p2phlssrc: a bound for whole WebSocket messages.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the connection's.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * p2p_ws_guard:
 * @connection: an open connection
 * @max_bytes: of one message, its fragments together
 *
 * libsoup before 3.8 bounds a frame (max-incoming-payload-size), but joins
 * fragments without a bound, and goes on joining after it has asked the other
 * side to close. It answers each ping, and before 3.8 its queue of answers has
 * no bound and is slower the longer it is. This sets the frame bound, counts
 * the bytes that are not of delivered messages, forgives a few of them each
 * second, and cuts the connection off when they are too many; it is then closed
 * as by an error.
 */
void p2p_ws_guard (SoupWebsocketConnection *connection, gsize max_bytes);

/* Whether the guard has cut @connection off. */
gboolean p2p_ws_guard_tripped (SoupWebsocketConnection *connection);

G_END_DECLS

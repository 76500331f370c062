/* p2phlssrc: WebSockets to trackers over libsoup 3.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: worker. The context must be the worker's thread-default one
 * (g_main_context_push_thread_default()): libsoup attaches its sources there.
 */
#pragma once

#include "ports/event.h"
#include "ports/websocket.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * p2p_soup_ws_new:
 * @context: (transfer none): where everything happens
 * @func: takes the events; called from @context only, never from inside a
 *   call of the port
 * @user_data: for @func
 *
 * Makes the port. Messages are bounded by P2P_TRACKER_MESSAGE_MAX_BYTES,
 * fragments together included; what waits to be sent by
 * P2P_TRACKER_QUEUE_MAX_BYTES; connecting and silence by time.
 *
 * Returns: (transfer full): free with p2p_soup_ws_free().
 * Source: docs/design/websocket.md.
 */
P2pWebSocketPort *p2p_soup_ws_new (
    GMainContext *context, P2pEventFunc func, gpointer user_data);

/**
 * p2p_soup_ws_free:
 * @port: from p2p_soup_ws_new()
 *
 * Closes every socket without an event. Sockets that were open are said
 * goodbye to: the context is iterated until they have closed, at most
 * P2P_TRACKER_LINGER_MS, so that a "stopped" sent just before arrives. Free
 * the engine first; other adapters' sources may be dispatched meanwhile.
 */
void p2p_soup_ws_free (P2pWebSocketPort *port);

G_END_DECLS

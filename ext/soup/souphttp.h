/* p2phlssrc: HTTP over libsoup 3.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: worker. The context must be the worker's thread-default one
 * (g_main_context_push_thread_default()): libsoup attaches its sources there.
 */
#pragma once

#include "ports/event.h"
#include "ports/http.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * p2p_soup_http_new:
 * @context: (transfer none): where everything happens
 * @func: takes the events; called from @context only, never from inside a
 *   call of the port
 * @user_data: for @func
 *
 * Makes the port. Connections are kept and reused per distinct set of
 * session-wide settings of the profiles it sees.
 *
 * Returns: (transfer full): free with p2p_soup_http_free().
 * Bounds: P2P_HTTP_SESSIONS_MAX, P2P_HTTP_CONNECTIONS_MAX.
 * Source: docs/design/http.md.
 */
P2pHttpPort *p2p_soup_http_new (
    GMainContext *context, P2pEventFunc func, gpointer user_data);

/**
 * p2p_soup_http_free:
 * @port: from p2p_soup_http_new()
 *
 * Ends every request without an event and closes the connections. libsoup
 * finishes what it cancelled in later iterations of the context: run
 * `while (g_main_context_iteration (context, FALSE));` once all adapters are
 * freed, or that memory stays.
 */
void p2p_soup_http_free (P2pHttpPort *port);

G_END_DECLS

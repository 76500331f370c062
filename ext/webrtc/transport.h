/* p2phlssrc: the transport port over libnice, OpenSSL and usrsctp.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: worker.
 */
#pragma once

#include "ports/event.h"
#include "ports/transport.h"

G_BEGIN_DECLS

/**
 * p2p_webrtc_transport_new:
 * @worker: (transfer none): context that events are handed over in; the
 *   caller and all calls to the port are in its thread
 * @func: takes the events; never from inside a call to the port. May call the
 *   port, but not free it
 * @user_data: for @func
 *
 * Connections themselves live in a thread shared by all transports of the
 * process (docs/design/transport.md). There are no ICE servers until
 * `configure` names some.
 *
 * Returns: (transfer full): the port
 */
P2pTransportPort *p2p_webrtc_transport_new (
    GMainContext *worker, P2pEventFunc func, gpointer user_data);

/* Ends every connection, telling its peer, and waits for that: microseconds of
 * work, no network. The last transport also waits for the end of the thread:
 * with relays, as long as their servers take to answer, at most 0.3 s. */
void p2p_webrtc_transport_free (P2pTransportPort *port);

G_END_DECLS

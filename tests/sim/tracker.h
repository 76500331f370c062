/* p2phlssrc: a WebTorrent tracker, and each viewer's way to it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Behaves as npm's bittorrent-tracker 11 does.
 */
#pragma once

#include "ports/websocket.h"
#include "sim/world.h"

G_BEGIN_DECLS

SimTracker *sim_tracker_new (SimWorld *world);
void sim_tracker_free (SimTracker *tracker);

/* Dies, or comes back without a memory. */
void sim_tracker_set_up (SimTracker *tracker, gboolean up);

/**
 * SimSocket:
 *
 * The WebSocket port of one viewer.
 */
typedef struct _SimSocket SimSocket;

SimSocket *sim_socket_new (SimNode *node);
void sim_socket_free (SimSocket *sockets);
P2pWebSocketPort *sim_socket_port (SimSocket *sockets);

/* The viewer is dead: the tracker's sockets to it close. */
void sim_socket_vanish (SimSocket *sockets);

G_END_DECLS

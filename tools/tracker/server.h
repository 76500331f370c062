/* p2phlssrc: a WebTorrent tracker.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the one whose thread-default context it was made in.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _P2pTrackerServer P2pTrackerServer;

/**
 * P2pTrackerServerConfig:
 * @address: IP address to listen on; %NULL: 127.0.0.1
 * @port: 0: any
 * @interval_s: seconds between announces that clients are told; 0: 120
 */
typedef struct
{
  const char *address;
  guint16 port;
  guint interval_s;
} P2pTrackerServerConfig;

typedef struct
{
  guint sockets;
  guint swarms;
  guint peers;
  guint64 announces;
  guint64 offers;  /* forwarded */
  guint64 answers; /* forwarded */
  guint64 refused; /* messages answered with a failure */
  guint64 dropped; /* not forwarded, as the receiver did not read */
} P2pTrackerServerStats;

/**
 * p2p_tracker_server_new:
 * @config: borrowed for the call
 * @error: (out): why it cannot listen
 *
 * Introduces peers to each other over WebSockets, on any path. Over HTTP it
 * answers its counts as JSON at /stats.json.
 *
 * Returns: (transfer full) (nullable): the tracker.
 * Bounds: bounds.h. Source: docs/design/tracker-server.md.
 */
P2pTrackerServer *p2p_tracker_server_new (
    const P2pTrackerServerConfig *config, GError **error);

/* Closes every socket. */
void p2p_tracker_server_free (P2pTrackerServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pTrackerServer, p2p_tracker_server_free)

/* "ws://127.0.0.1:PORT". Returns: (transfer none). */
const char *p2p_tracker_server_get_uri (P2pTrackerServer *server);

void p2p_tracker_server_get_stats (
    P2pTrackerServer *server, P2pTrackerServerStats *stats);

G_END_DECLS

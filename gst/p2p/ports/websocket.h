/* p2phlssrc: what the engine asks of WebSockets (trackers).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. Answers come later as a P2pEvent.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

typedef struct _P2pWebSocketPort P2pWebSocketPort;

/**
 * P2pWebSocketOps:
 * @open: connects socket @socket to @url (ws: or wss:);
 *   %P2P_EVENT_WS_OPEN or %P2P_EVENT_WS_CLOSED comes
 * @send_text: sends one text frame of UTF-8; ignored when not open
 * @close: ends @socket and forgets it: no event for it comes any more
 *
 * Socket numbers are chosen by the engine and never reused.
 */
typedef struct
{
  void (*open) (P2pWebSocketPort *port, guint64 socket, const char *url);
  void (*send_text) (P2pWebSocketPort *port, guint64 socket, const char *text);
  void (*close) (P2pWebSocketPort *port, guint64 socket);
} P2pWebSocketOps;

struct _P2pWebSocketPort
{
  const P2pWebSocketOps *ops;
};

G_END_DECLS

/* p2phlssrc: what the engine asks of WebRTC data channels.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. No call answers from inside itself: what
 * happens comes later as a P2pEvent (ports/event.h).
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

typedef struct _P2pTransportPort P2pTransportPort;

/**
 * P2pTransportInfo:
 * @remote_address: (out): host and port of the selected pair's remote side,
 *   "" while there is none
 * @rtt_us: round trip as SCTP measures it, 0: not measured
 *
 * As of the last time that it was asked for.
 */
typedef struct
{
  char remote_address[64];
  gint64 rtt_us;
} P2pTransportInfo;

/**
 * P2pTransportOps:
 * @configure: sets the ICE servers for connections made from now on:
 *   NULL-terminated `stun://host:port`, `turn(s)://user:password@host:port`
 *   (webrtcbin's syntax; the `transport` query is understood for turn)
 * @offer: starts connection @conn as offerer with one ordered, reliable data
 *   channel labelled @label. The SDP comes as %P2P_EVENT_CONN_SDP once
 *   candidates are gathered
 * @answer: starts connection @conn as answerer of @offer_sdp; the answer
 *   comes as %P2P_EVENT_CONN_SDP
 * @set_answer: gives the offerer's connection @conn the remote answer. A bad
 *   one ends the connection with %P2P_EVENT_CONN_CLOSED
 * @send: queues one binary message. Returns the bytes now waiting in the
 *   channel (P2P_SEND_HIGH_BYTES tells when to stop at the latest); once that
 *   has been above P2P_SEND_LOW_BYTES and falls to that or below,
 *   %P2P_EVENT_CONN_LOW_WATER comes. Ignored on a connection that is not open
 * @info: fills @info for stats
 * @close: ends @conn and forgets it: no event for @conn comes any more, the
 *   number may not be used again
 *
 * Connection numbers are chosen by the engine and never reused.
 */
typedef struct
{
  void (*configure) (P2pTransportPort *port, const char *const *ice_servers);
  void (*offer) (P2pTransportPort *port, guint64 conn, const char *label);
  void (*answer) (P2pTransportPort *port, guint64 conn, const char *offer_sdp);
  void (*set_answer) (
      P2pTransportPort *port, guint64 conn, const char *answer_sdp);
  gsize (*send) (P2pTransportPort *port, guint64 conn, GBytes *message);
  void (*info) (P2pTransportPort *port, guint64 conn, P2pTransportInfo *info);
  void (*close) (P2pTransportPort *port, guint64 conn);
} P2pTransportOps;

/**
 * P2pTransportPort:
 * @ops: what it can do
 *
 * Implementations begin with this struct.
 */
struct _P2pTransportPort
{
  const P2pTransportOps *ops;
};

G_END_DECLS

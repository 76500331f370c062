/* p2phlssrc: SCTP associations.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport. usrsctp is one stack for the whole process: a packet
 * that comes in, or its clock, may touch any association. So one thread, and
 * only that, uses it (docs/design/transport.md).
 */
#pragma once

#include "webrtc/stack.h"

G_BEGIN_DECLS

typedef struct _P2pAssoc P2pAssoc;

/**
 * P2pAssocEvents:
 * @output: one packet for the secure session, borrowed. Nothing of this
 *   header may be called from it
 * @up: both sides agreed
 * @message: one whole message
 * @writable: p2p_assoc_send () takes bytes again after it took none
 * @stream_reset: the peer closed @stream's outgoing half (RFC 6525)
 * @down: aborted, shut down or given up; nothing follows
 *
 * They come from p2p_assoc_input (), p2p_assoc_set_reading () and
 * p2p_sctp_advance (); @output also from _connect (), _send () and _free (),
 * @down also from _send (). The association may not be freed by them.
 */
typedef struct
{
  void (*output) (gpointer owner, const guint8 *packet, gsize length);
  void (*up) (gpointer owner);
  void (*message) (
      gpointer owner, guint16 stream, guint32 ppid, GBytes *message);
  void (*writable) (gpointer owner);
  void (*stream_reset) (gpointer owner, guint16 stream);
  void (*down) (gpointer owner, const char *reason);
} P2pAssocEvents;

/**
 * p2p_sctp_begin:
 *
 * Starts the stack in the calling thread, which owns it until p2p_sctp_end ().
 * The settings are for WebRTC: no path to discover, losses repaired fast.
 */
void p2p_sctp_begin (void);
void p2p_sctp_end (void);

/* Moves the stack's clock on; then handles what its timers did. */
void p2p_sctp_advance (guint elapsed_ms);

/**
 * p2p_assoc_new:
 * @remote_port: SCTP port of the peer's description
 * @packet_max: bytes of one SCTP packet
 * @error: what usrsctp refused
 *
 * Returns: (transfer full) (nullable): an association that is not connected
 */
P2pAssoc *p2p_assoc_new (guint16 remote_port, gsize packet_max,
    const P2pAssocEvents *events, gpointer owner, GError **error);

/* Aborts it, when it still is; nothing is emitted any more. */
void p2p_assoc_free (P2pAssoc *assoc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pAssoc, p2p_assoc_free)

/* Both sides do this; the stack resolves the collision (RFC 8831, 6.1). */
gboolean p2p_assoc_connect (P2pAssoc *assoc, GError **error);

/* One packet from the secure session. */
void p2p_assoc_input (P2pAssoc *assoc, const guint8 *packet, gsize length);

/* Whether a packet only asks for, or is, a sign of life. */
gboolean p2p_sctp_is_heartbeat (const guint8 *packet, gsize length);

/**
 * p2p_assoc_send:
 * @stream: below %P2P_SCTP_STREAMS
 * @ppid: what the bytes are
 * @data: one message
 * @length: its bytes, 1 to %P2P_SCTP_BUFFER_BYTES
 *
 * Returns: %FALSE when there is no room now; @writable will come
 */
gboolean p2p_assoc_send (P2pAssoc *assoc, guint16 stream, guint32 ppid,
    const guint8 *data, gsize length);

/**
 * p2p_assoc_set_reading:
 * @reading: whether messages are taken
 *
 * While it is off what comes stays in the stack and the peer's window closes.
 */
void p2p_assoc_set_reading (P2pAssoc *assoc, gboolean reading);

/* Smoothed round trip in microseconds, 0 while there is none. */
gint64 p2p_assoc_rtt_us (P2pAssoc *assoc);

G_END_DECLS

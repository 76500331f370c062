/* p2phlssrc: one connection: a path, DTLS, SCTP and its data channel.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport.
 */
#pragma once

#include "webrtc/stack.h"

#include "openssl/cert.h"

G_BEGIN_DECLS

typedef struct _P2pPeerconn P2pPeerconn;

/**
 * P2pPeerconnEvents:
 * @sdp: our description, candidates inside
 * @open: the channel can be written to
 * @message: one message of the peer, text or binary
 * @sent: @bytes of what was queued went to SCTP
 * @closed: nothing follows
 *
 * The connection may not be freed by them.
 */
typedef struct
{
  void (*sdp) (gpointer owner, const char *sdp);
  void (*open) (gpointer owner);
  void (*message) (gpointer owner, GBytes *message);
  void (*sent) (gpointer owner, gsize bytes);
  void (*closed) (gpointer owner, const char *reason);
} P2pPeerconnEvents;

/**
 * P2pPathFunc:
 * @controlling: whether we offer
 *
 * Makes the path of a connection: libnice's, or a test's.
 */
typedef P2pPath *(*P2pPathFunc) (gpointer user_data, gboolean controlling,
    const P2pPathEvents *events, gpointer owner);

/**
 * P2pPeerconnConfig:
 * @context: (transfer none): the transport's
 * @certificate: (transfer none): the session's
 * @make_path: how to reach the other side
 * @path_data: for @make_path
 * @busy: called when packets move
 * @id: for the log
 */
typedef struct
{
  GMainContext *context;
  const P2pCertificate *certificate;
  P2pPathFunc make_path;
  gpointer path_data;
  void (*busy) (void);
  guint64 id;
} P2pPeerconnConfig;

P2pPeerconn *p2p_peerconn_new (const P2pPeerconnConfig *config,
    const P2pPeerconnEvents *events, gpointer owner);

/* Aborts what is open and tells the peer. */
void p2p_peerconn_free (P2pPeerconn *peerconn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pPeerconn, p2p_peerconn_free)

/* As the transport port's calls of the same names. */
void p2p_peerconn_offer (P2pPeerconn *peerconn, const char *label);
void p2p_peerconn_answer (P2pPeerconn *peerconn, const char *offer);
void p2p_peerconn_set_answer (P2pPeerconn *peerconn, const char *answer);
void p2p_peerconn_send (P2pPeerconn *peerconn, GBytes *message);

/* Whether messages are read; the peer's window closes while they are not. */
void p2p_peerconn_set_reading (P2pPeerconn *peerconn, gboolean reading);

gint64 p2p_peerconn_rtt_us (P2pPeerconn *peerconn);
void p2p_peerconn_remote_address (
    P2pPeerconn *peerconn, char *text, gsize size);

G_END_DECLS

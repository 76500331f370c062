/* p2phlssrc: one DTLS connection.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport.
 */
#pragma once

#include "openssl/cert.h"

G_BEGIN_DECLS

typedef struct _P2pDtls P2pDtls;

/**
 * P2pDtlsEvents:
 * @output: one datagram for the path, borrowed
 * @up: the handshake is done and the peer's certificate is the promised one
 * @data: one decrypted record, borrowed
 * @down: refused, broken or closed by the peer; nothing follows
 *
 * They come from inside p2p_dtls_start (), _input () and _send () and from
 * timers, @output also from _close (). The connection may not be freed by them.
 */
typedef struct
{
  void (*output) (gpointer owner, const guint8 *data, gsize length);
  void (*up) (gpointer owner);
  void (*data) (gpointer owner, const guint8 *data, gsize length);
  void (*down) (gpointer owner, const char *reason);
} P2pDtlsEvents;

/**
 * p2p_dtls_new:
 * @certificate: ours; outlives the connection
 * @context: (transfer none): where retransmission timers run
 * @client: whether we send the first hello
 * @fingerprints: (array length=n_fingerprints): what the peer's certificate
 *   must match one of
 * @n_fingerprints: at most %P2P_SDP_MAX_FINGERPRINTS
 *
 * Records are at most %P2P_DATAGRAM_BYTES long on the wire.
 */
P2pDtls *p2p_dtls_new (const P2pCertificate *certificate, GMainContext *context,
    gboolean client, const P2pFingerprint *fingerprints, guint n_fingerprints,
    const P2pDtlsEvents *events, gpointer owner);
void p2p_dtls_free (P2pDtls *dtls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pDtls, p2p_dtls_free)

/* Sends the first flight (client) or begins to listen (server). */
void p2p_dtls_start (P2pDtls *dtls);

/* One datagram from the path. What is not DTLS, or does not authenticate, is
 * dropped as if it had been lost. */
void p2p_dtls_input (P2pDtls *dtls, const guint8 *data, gsize length);

/* One record; ignored before @up and after @down. */
void p2p_dtls_send (P2pDtls *dtls, const guint8 *data, gsize length);

/* Tells the peer that nothing follows. */
void p2p_dtls_close (P2pDtls *dtls);

/* Bytes of a record's payload that fit one datagram, with the cipher that was
 * agreed on; valid once @up. */
gsize p2p_dtls_payload_max (P2pDtls *dtls);

G_END_DECLS

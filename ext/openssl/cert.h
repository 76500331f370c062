/* p2phlssrc: the certificate a session shows its peers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any for new and fingerprint; the certificate itself is used by the
 * transport thread.
 */
#pragma once

#include "webrtc/stack.h"

#include <openssl/ssl.h>

G_BEGIN_DECLS

typedef struct _P2pCertificate P2pCertificate;

/**
 * p2p_certificate_new:
 * @error: why OpenSSL refused
 *
 * Makes an ECDSA P-256 key, a self-signed certificate over it and the DTLS
 * settings that go with them. Every session has its own, so two sessions of
 * one user cannot be told to belong together.
 *
 * Returns: (transfer full) (nullable): the certificate
 */
P2pCertificate *p2p_certificate_new (GError **error);
void p2p_certificate_free (P2pCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pCertificate, p2p_certificate_free)

/**
 * p2p_certificate_fingerprint:
 * @certificate: ours
 *
 * Returns: its SHA-256 fingerprint, "AB:CD:…", as SDP writes it (RFC 8122).
 */
const char *p2p_certificate_fingerprint (const P2pCertificate *certificate);

/* The settings every DTLS connection of the session is made from. */
SSL_CTX *p2p_certificate_context (const P2pCertificate *certificate);

/**
 * p2p_fingerprint_matches:
 * @fingerprints: (array length=n): what the remote description promised
 * @n: entries
 * @x509: what the remote side showed
 *
 * Returns: whether one of @fingerprints, in a hash that is still trusted
 * (SHA-2), is that of @x509
 */
gboolean p2p_fingerprint_matches (
    const P2pFingerprint *fingerprints, guint n, X509 *x509);

G_END_DECLS

/* p2phlssrc: session descriptions of data channels.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure.
 */
#pragma once

#include "webrtc/stack.h"

G_BEGIN_DECLS

/**
 * P2pSdp:
 * @ice: credentials and UDP candidates
 * @fingerprints: the first @n_fingerprints are set
 * @setup: the DTLS role offered or taken
 * @mid: identification of the media section
 * @sctp_port: port of the SCTP association
 * @max_message_bytes: longest message its writer takes
 *
 * What one side says about its end of the connection, in one
 * `m=application … UDP/DTLS/SCTP webrtc-datachannel` section (RFC 8841). About
 * 13 KiB: not for keeping.
 */
typedef struct
{
  P2pIceParams ice;
  P2pFingerprint fingerprints[P2P_SDP_MAX_FINGERPRINTS];
  guint n_fingerprints;
  P2pSetup setup;
  char mid[33];
  guint16 sctp_port;
  gsize max_message_bytes;
} P2pSdp;

/**
 * p2p_sdp_parse:
 * @text: of a stranger
 * @sdp: (out caller-allocates):
 * @error: what is missing or wrong
 *
 * Takes what Chromium, Firefox and libdatachannel write: attributes at session
 * or media level, any order, \r\n or \n. Candidates that cannot be used (TCP,
 * other components, names other than `.local`) and those beyond
 * %P2P_SDP_MAX_CANDIDATES are left out. Text longer than %P2P_SDP_MAX_BYTES,
 * or without credentials, fingerprint or data channel section, is refused.
 */
gboolean p2p_sdp_parse (const char *text, P2pSdp *sdp, GError **error);

/**
 * p2p_sdp_write:
 * @sdp: our end
 * @fingerprint: of our certificate, as text
 * @session_id: random, below 2^63
 *
 * Returns: (transfer full): the description
 */
char *p2p_sdp_write (
    const P2pSdp *sdp, const char *fingerprint, guint64 session_id);

G_END_DECLS

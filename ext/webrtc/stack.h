/* p2phlssrc: the storeys of a WebRTC connection, and what they say to each
 * other.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport. A path (ICE) carries datagrams, a secure session (DTLS)
 * makes them private, an association (SCTP) makes them messages. None knows
 * the others: ext/webrtc/peerconn.c puts them on top of one another, tests
 * put a lossy pipe in the place of the path.
 */
#pragma once

#include "base/limits.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * P2pCandidateType:
 *
 * RFC 8839, 5.1.
 */
typedef enum
{
  P2P_CANDIDATE_HOST,
  P2P_CANDIDATE_SERVER_REFLEXIVE,
  P2P_CANDIDATE_PEER_REFLEXIVE,
  P2P_CANDIDATE_RELAYED,
} P2pCandidateType;

/**
 * P2pCandidate:
 * @foundation: 1 to 32 characters
 * @priority: as computed by its owner
 * @type: how its owner came by it
 * @address: numeric IPv4 or IPv6; of a remote one also a `.local` name
 * @port: UDP port
 * @related_address: numeric, "" for none
 * @related_port: UDP port, 0 for none
 *
 * One UDP candidate of component 1; others are not kept.
 */
typedef struct
{
  char foundation[33];
  guint32 priority;
  P2pCandidateType type;
  char address[64];
  guint16 port;
  char related_address[64];
  guint16 related_port;
} P2pCandidate;

/**
 * P2pIceParams:
 * @ufrag: user fragment
 * @pwd: password
 * @candidates: the first @n_candidates are set
 *
 * One side's half of an ICE session.
 */
typedef struct
{
  char ufrag[P2P_ICE_CREDENTIAL_MAX + 1];
  char pwd[P2P_ICE_CREDENTIAL_MAX + 1];
  P2pCandidate candidates[P2P_SDP_MAX_CANDIDATES];
  guint n_candidates;
} P2pIceParams;

typedef struct _P2pPath P2pPath;

/**
 * P2pPathEvents:
 * @gathered: the local candidates are known
 * @ready: datagrams can be sent; may come again
 * @packet: one datagram that is not ICE's own, borrowed
 * @failed: no pair works, or no longer; nothing follows
 *
 * None is emitted from inside a call to the path, but for @failed of
 * set_remote.
 */
typedef struct
{
  void (*gathered) (gpointer owner);
  void (*ready) (gpointer owner);
  void (*packet) (gpointer owner, const guint8 *data, gsize length);
  void (*failed) (gpointer owner, const char *reason);
} P2pPathEvents;

/**
 * P2pPathOps:
 * @gather: begins; once
 * @local: fills @params with what is gathered so far
 * @set_remote: gives the remote half and starts checks; once. Candidates
 *   whose address is a name are left out
 * @add_remote: one more candidate of the remote half, numeric
 * @send: one datagram; %FALSE when it could not be sent (as good as lost)
 * @remote_address: the selected pair's remote side as `host:port`, or ""
 * @free: ends it; no event comes any more
 */
typedef struct
{
  void (*gather) (P2pPath *path);
  void (*local) (P2pPath *path, P2pIceParams *params);
  void (*set_remote) (P2pPath *path, const P2pIceParams *params);
  void (*add_remote) (P2pPath *path, const P2pCandidate *candidate);
  gboolean (*send) (P2pPath *path, const guint8 *data, gsize length);
  void (*remote_address) (P2pPath *path, char *text, gsize size);
  void (*free) (P2pPath *path);
} P2pPathOps;

struct _P2pPath
{
  const P2pPathOps *ops;
};

/**
 * P2pSetup:
 *
 * Who opens the DTLS connection (RFC 8842): the active side is its client.
 */
typedef enum
{
  P2P_SETUP_ACTPASS,
  P2P_SETUP_ACTIVE,
  P2P_SETUP_PASSIVE,
} P2pSetup;

/**
 * P2pFingerprint:
 * @algorithm: name as OpenSSL knows it ("sha-256" and "SHA2-256" alike)
 * @digest: the certificate's digest
 * @length: bytes of @digest
 */
typedef struct
{
  char algorithm[16];
  guint8 digest[64];
  gsize length;
} P2pFingerprint;

G_END_DECLS

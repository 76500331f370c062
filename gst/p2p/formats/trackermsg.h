/* p2phlssrc: WebTorrent tracker messages, JSON to structs and back.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Source: docs/design/tracker-messages.md.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* An offer or an answer under way. @offer_id is the string exactly as
 * received, as UTF-8 (a byte 0x80..0xFF is two UTF-8 bytes, a NUL byte is
 * C0 80 as in modified UTF-8, so that C strings hold it); 20 characters in
 * ours, up to P2P_OFFER_ID_MAX_BYTES in a stranger's. */
typedef struct
{
  char *offer_id;
  char *sdp;
} P2pTrackerOffer;

typedef enum
{
  P2P_TRACKER_EVENT_NONE,
  P2P_TRACKER_EVENT_STARTED,
  P2P_TRACKER_EVENT_STOPPED,
} P2pTrackerEvent;

/* All return one JSON object as text. Returns: (transfer full). */
char *p2p_tracker_announce (const P2pInfoHash *info_hash,
    const P2pPeerId *peer_id, P2pTrackerEvent event,
    const P2pTrackerOffer *offers, guint n_offers, const char *tracker_id);
char *p2p_tracker_answer (const P2pInfoHash *info_hash,
    const P2pPeerId *peer_id, const P2pPeerId *to_peer_id, const char *offer_id,
    const char *sdp, const char *tracker_id);

typedef enum
{
  P2P_TRACKER_REPLY,   /* interval, counts */
  P2P_TRACKER_OFFER,   /* peer_id, offer_id, sdp */
  P2P_TRACKER_ANSWER,  /* peer_id, offer_id, sdp */
  P2P_TRACKER_FAILURE, /* text */
  P2P_TRACKER_IGNORED, /* an object that says nothing to us */
} P2pTrackerMessageKind;

/**
 * P2pTrackerMessage:
 *
 * What a tracker sent. @has_info_hash is %FALSE when it named none.
 */
typedef struct
{
  P2pTrackerMessageKind kind;
  gboolean has_info_hash;
  P2pInfoHash info_hash;
  P2pPeerId peer_id;
  char *offer_id;
  char *sdp;
  char *failure;     /* (nullable) "failure reason" */
  char *warning;     /* (nullable) "warning message" */
  char *tracker_id;  /* (nullable) "tracker id" */
  gint64 interval_s; /* -1: not said */
  gint64 complete;   /* -1: not said */
  gint64 incomplete; /* -1: not said */
} P2pTrackerMessage;

void p2p_tracker_message_clear (P2pTrackerMessage *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2pTrackerMessage, p2p_tracker_message_clear)

/* Reads one frame. %FALSE and P2P_FORMAT_ERROR when it is no JSON object, too
 * long or too deep; an id that is not 20 printable ASCII characters, or an
 * offer id or SDP beyond its bound, makes the message IGNORED. */
gboolean p2p_tracker_message_parse (
    GBytes *frame, P2pTrackerMessage *message, GError **error);

G_END_DECLS

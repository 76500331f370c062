/* p2phlssrc: counters that users see.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any; a snapshot belongs to whoever asked for it.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

typedef struct
{
  char *url;
  const char *state; /* "connecting", "connected", "waiting" */
  char *error;       /* (nullable) the last one */
} P2pTrackerStats;

typedef struct
{
  char info_hash[P2P_ID_LENGTH + 1];
  P2pProtocol protocol;
  char *stream; /* playlist URL without query */
  guint peers;
} P2pSwarmStats;

typedef struct
{
  char id[P2P_ID_LENGTH + 1];
  char address[64];
  guint64 down_bytes;
  guint64 up_bytes;
  gint64 rtt_us;
} P2pPeerStats;

/**
 * P2pStats:
 *
 * Media segments only in the byte and segment counts.
 */
typedef struct
{
  guint64 http_bytes;
  guint64 p2p_bytes;
  guint64 upload_bytes;
  guint64 http_segments;
  guint64 p2p_segments;
  guint64 upload_segments;
  guint64 overhead_bytes;
  guint peers;
  guint peers_known;
  guint segments_stored;
  guint64 stored_bytes;
  guint64 registry_misses;
  guint64 playlists_delayed;
  gint64 playlist_delay_us; /* all of them together */
  GArray *trackers;         /* of P2pTrackerStats */
  GArray *swarms;           /* of P2pSwarmStats */
  GArray *peer_list;        /* of P2pPeerStats */
} P2pStats;

P2pStats *p2p_stats_new (void);
void p2p_stats_free (P2pStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pStats, p2p_stats_free)

G_END_DECLS

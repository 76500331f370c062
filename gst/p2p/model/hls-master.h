/* p2phlssrc: the streams that a multivariant playlist declares, under the
 * names that both generations give them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure. Source: docs/design/registry.md; golden vectors in
 * tests/vectors/manifests_v3.json and manifests_v2_hlsjs.json.
 */
#pragma once

#include "base/types.h"
#include "formats/m3u8.h"

G_BEGIN_DECLS

/**
 * P2pHlsDeclared:
 * @type: main for variants and alternate video, secondary for audio
 * @uri: as written; belongs to the playlist
 * @bitrate: BANDWIDTH, 0 for renditions
 * @hash_v2: identity hash
 * @hash_v3: identity hash
 */
typedef struct
{
  P2pStreamType type;
  const char *uri;
  guint64 bitrate;
  char *hash_v2;
  char *hash_v3;
} P2pHlsDeclared;

/* Returns: (transfer full) (element-type P2pHlsDeclared): no URI twice. Must
 * not outlive @master. */
GPtrArray *p2p_hls_declared_streams (const P2pM3u8 *master);

/* URIs of playlists that are not shared: subtitles, I-frames, renditions no
 * variant refers to. Returns: (transfer full) (element-type utf8). */
GPtrArray *p2p_hls_excluded_uris (const P2pM3u8 *master);

/* Identity hash of a media playlist that no multivariant playlist declares.
 * Returns: (transfer full). */
char *p2p_hls_anonymous_hash (P2pProtocol protocol);

G_END_DECLS

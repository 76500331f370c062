/* p2phlssrc: what the manifests have said: URL to stream and segment.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. Source: docs/design/registry.md.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

typedef struct _P2pRegistry P2pRegistry;
typedef struct _P2pStream P2pStream;

/**
 * P2pSegment:
 * @id: the store's key: the media sequence number, until the encoder starts
 *   anew and numbers are used again; from then on larger, never used before.
 *   What v2 and v3 call it is told by p2p_stream_external_id()
 * @uri: resolved, http: or https:; empty in some gaps
 * @range: of the resource
 * @duration_us: media time
 * @start_us: on the stream's own timeline, in media time; consecutive
 *   segments touch
 * @gap: has its number, but there is nothing to fetch (EXT-X-GAP)
 *
 * Owned by its stream; valid until the stream's playlist is read again.
 */
typedef struct
{
  gint64 id;
  char *uri;
  P2pRange range;
  gint64 duration_us;
  gint64 start_us;
  gboolean gap;
} P2pSegment;

/**
 * P2pStream:
 *
 * A rendition that can be shared. Fields are read by others, written by the
 * registry only. A stream lives as long as the registry (bounded by
 * P2P_REGISTRY_MAX_STREAMS), its pointer is stable; @serial is never reused.
 * Of all but the latest P2P_REGISTRY_MAX_PRESENTATIONS presentations the
 * segments are forgotten: @segments is empty then.
 */
struct _P2pStream
{
  guint serial;
  P2pStreamType type;
  char *playlist_uri; /* resolved */
  gboolean live;      /* more segments may come */
  gint64 target_duration_us;
  GPtrArray *segments;   /* of P2pSegment, ids ascending without holes */
  gint64 last_read;      /* the last id of the playlist that was read last, of
                            an older one as some edges give out, too */
  guint64 bitrate;       /* BANDWIDTH, 0: not known */
  gboolean has_variants; /* the player has others to choose from */
  gboolean shareable;    /* FALSE: its name is another stream's, too */
  P2pInfoHash info_hash_v2;
  P2pInfoHash info_hash_v3;
  char *swarm_id_v2; /* stream swarm ids, for the log */
  char *swarm_id_v3;
  gint64 id_offset; /* of @id above the media sequence number */
  gint64 v2_offset; /* of the media sequence number above v2's id (VOD
                       playlists that do not begin at 0), else 0 */
};

/* What v2 or v3 calls segment @id of @stream, and the way back. */
gint64 p2p_stream_external_id (
    const P2pStream *stream, P2pProtocol protocol, gint64 id);
gint64 p2p_stream_segment_id (
    const P2pStream *stream, P2pProtocol protocol, gint64 external_id);

/* The listed segment with @id, or %NULL. O(1). */
const P2pSegment *p2p_stream_segment (const P2pStream *stream, gint64 id);

/* @swarm_id: (nullable): the user's, in place of the manifest's URL. */
P2pRegistry *p2p_registry_new (const char *swarm_id);
void p2p_registry_free (P2pRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pRegistry, p2p_registry_free)

/**
 * p2p_registry_add_playlist:
 * @registry: the registry
 * @request_uri: what the player asked for
 * @response_uri: where it was found, after redirects
 * @body: the playlist
 * @stream: (out) (optional) (nullable): the stream of a media playlist that
 *   can be shared
 * @error: why it cannot be read; costs sharing, never playback
 *
 * Reads a playlist, new or refreshed. A media playlist updates its stream's
 * segments; ids that left the window are gone from it.
 */
gboolean p2p_registry_add_playlist (P2pRegistry *registry,
    const char *request_uri, const char *response_uri, GBytes *body,
    P2pStream **stream, GError **error);

/**
 * P2pResourceKind:
 * @P2P_RESOURCE_UNKNOWN: no manifest named it
 * @P2P_RESOURCE_PLAYLIST: a manifest
 * @P2P_RESOURCE_SEGMENT: a media segment of a stream that is shared
 * @P2P_RESOURCE_SEGMENT_UNSHARED: a media segment of a stream that is not
 *   (subtitles, I-frames, an anonymous stream among others)
 * @P2P_RESOURCE_OTHER: init segment, key, part, session data
 */
typedef enum
{
  P2P_RESOURCE_UNKNOWN,
  P2P_RESOURCE_PLAYLIST,
  P2P_RESOURCE_SEGMENT,
  P2P_RESOURCE_SEGMENT_UNSHARED,
  P2P_RESOURCE_OTHER,
} P2pResourceKind;

/**
 * p2p_registry_lookup:
 * @registry: the registry
 * @uri: as the player spells it: ".." in the path, CMCD in the query
 * @range: the bytes it asks for
 * @stream: (out) (optional) (nullable): the stream of a segment
 * @segment_id: (out) (optional): the segment's id
 *
 * A live segment that has just left the window is still found (the last
 * P2P_LISTING_MAX_DEPARTED of a stream), as UNSHARED: a slow player may ask
 * for it.
 */
P2pResourceKind p2p_registry_lookup (P2pRegistry *registry, const char *uri,
    const P2pRange *range, P2pStream **stream, gint64 *segment_id);

/* Whether any manifest has been read: before that, unknown is no miss. */
gboolean p2p_registry_is_empty (P2pRegistry *registry);

/* The lowest bitrate above @bitrate that a demuxer could take instead of
 * @stream: of the main streams of its presentation. 0: none. */
guint64 p2p_registry_next_bitrate (
    P2pRegistry *registry, const P2pStream *stream, guint64 bitrate);

/* All streams. Returns: (transfer none) (element-type P2pStream). */
GPtrArray *p2p_registry_streams (P2pRegistry *registry);

G_END_DECLS

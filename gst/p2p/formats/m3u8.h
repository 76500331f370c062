/* p2phlssrc: HLS playlists, bytes to structs (RFC 8216bis-15).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. No memory of the past, no time.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* Largest media sequence number: ids are JavaScript's numbers on the wire, and
 * a playlist's worth must fit above it. */
#define P2P_M3U8_SEQUENCE_MAX (G_GUINT64_CONSTANT (1) << 52)

/**
 * P2pM3u8Variant:
 *
 * EXT-X-STREAM-INF and the URI after it. Strings as written, without quotes;
 * %NULL where the attribute is missing.
 */
typedef struct
{
  char *uri;         /* as written, not resolved */
  guint64 bandwidth; /* 0: missing */
  guint64 average_bandwidth;
  guint width;
  guint height;
  char *codecs;
  char *frame_rate;
  char *video_range;
  char *audio; /* group ids */
  char *video;
  char *subtitles;
} P2pM3u8Variant;

typedef enum
{
  P2P_M3U8_RENDITION_AUDIO,
  P2P_M3U8_RENDITION_VIDEO,
  P2P_M3U8_RENDITION_SUBTITLES,
  P2P_M3U8_RENDITION_CLOSED_CAPTIONS,
} P2pM3u8RenditionType;

/**
 * P2pM3u8Rendition:
 *
 * EXT-X-MEDIA with TYPE, GROUP-ID and NAME (others are ignored).
 */
typedef struct
{
  P2pM3u8RenditionType type;
  char *uri; /* (nullable) as written */
  char *group_id;
  char *name;
  char *language;
  char *channels;
  gboolean is_default;
} P2pM3u8Rendition;

/**
 * P2pM3u8Segment:
 *
 * One media segment. @range is resolved (an offset that is left out follows
 * the previous one of the same URI); P2P_RANGE_ALL without EXT-X-BYTERANGE.
 * @gap: EXT-X-GAP, or a byte range that cannot be read: nothing to fetch, but
 * it has its number. A duration of 0 is 10 ms, so that time moves on.
 */
typedef struct
{
  char *uri; /* as written */
  P2pRange range;
  gint64 duration_us;
  guint64 discontinuity;       /* sequence number */
  gint64 program_date_time_us; /* since 1970, or -1 */
  gboolean gap;
} P2pM3u8Segment;

/**
 * P2pM3u8Other:
 *
 * What a URI is that names neither a playlist to share nor a segment:
 * EXT-X-MAP; EXT-X-KEY, EXT-X-SESSION-KEY; EXT-X-PART, EXT-X-PRELOAD-HINT;
 * EXT-X-RENDITION-REPORT; EXT-X-I-FRAME-STREAM-INF; EXT-X-SESSION-DATA.
 */
typedef enum
{
  P2P_M3U8_OTHER_MAP,
  P2P_M3U8_OTHER_KEY,
  P2P_M3U8_OTHER_PART,
  P2P_M3U8_OTHER_REPORT,
  P2P_M3U8_OTHER_I_FRAMES,
  P2P_M3U8_OTHER_SESSION_DATA,
  P2P_M3U8_N_OTHERS,
} P2pM3u8OtherKind;

typedef struct
{
  P2pM3u8OtherKind kind;
  char *uri;
  P2pRange range;
} P2pM3u8Other;

/**
 * P2pM3u8:
 *
 * A playlist, multivariant (@is_master) or media.
 */
typedef struct
{
  gboolean is_master;
  GPtrArray *variants;   /* of P2pM3u8Variant */
  GPtrArray *renditions; /* of P2pM3u8Rendition */
  GPtrArray *segments;   /* of P2pM3u8Segment */
  GPtrArray *others;     /* of P2pM3u8Other */
  guint64 media_sequence;
  guint64 skipped_segments; /* EXT-X-SKIP, counted into the first's number */
  gint64 target_duration_us;
  gboolean end_list;
  gboolean type_vod;
  gboolean type_event;
  gboolean i_frames_only;
} P2pM3u8;

/* Whether @data begins as a playlist does: a byte order mark and white space,
 * if any, then #EXTM3U. */
gboolean p2p_m3u8_detect (const char *data, gsize length);

/* Returns: (transfer full) (nullable): %NULL and P2P_FORMAT_ERROR when this
 * is no playlist or passes a bound. Lines that cannot be read are left out. */
P2pM3u8 *p2p_m3u8_parse (GBytes *body, GError **error);
void p2p_m3u8_free (P2pM3u8 *playlist);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pM3u8, p2p_m3u8_free)

/* Returns: (transfer full) (nullable): what stands in place of @uri, whose
 * variables are replaced; %NULL: it stays as it is written. */
typedef char *(*P2pM3u8UriFunc) (const char *uri, gpointer user_data);

/**
 * p2p_m3u8_map_uris:
 * @body: a playlist
 * @func: asked for every URI, in lines and in URI attributes
 * @user_data: for @func
 *
 * Everything else keeps its bytes. Returns: (transfer full): @body itself
 * when nothing had to change.
 */
GBytes *p2p_m3u8_map_uris (
    GBytes *body, P2pM3u8UriFunc func, gpointer user_data);

/* Puts @prefix before every absolute http: or https: URI. Returns: as
 * p2p_m3u8_map_uris(). */
GBytes *p2p_m3u8_prefix_uris (GBytes *body, const char *prefix);

/**
 * p2p_m3u8_trim:
 * @body: a media playlist without EXT-X-ENDLIST
 * @segments: how many of its last segments
 *
 * Returns: (transfer full): the playlist as it was before they were listed, as
 * far as its lines tell: all that follows the segment before them is cut. The
 * whole of @body when it has no more segments than that.
 */
GBytes *p2p_m3u8_trim (GBytes *body, guint segments);

G_END_DECLS

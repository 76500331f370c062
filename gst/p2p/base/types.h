/* p2phlssrc: words shared by every layer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Plain values.
 */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* "No deadline": later than any time the monotonic clock will show. */
#define P2P_NEVER G_MAXINT64

/* "Size not known". */
#define P2P_SIZE_UNKNOWN G_MAXUINT64

/* Length of an info hash and of a peer id on the tracker's wire, in bytes
 * (BEP 3; WebTorrent keeps it). */
#define P2P_ID_LENGTH 20

/**
 * P2pInfoHash:
 * @text: 20 printable ASCII characters and a NUL
 *
 * A swarm as trackers know it. The generations spoken here (v2, v3) send
 * base64 text, so no byte needs escaping.
 */
typedef struct
{
  char text[P2P_ID_LENGTH + 1];
} P2pInfoHash;

/**
 * P2pPeerId:
 * @text: 20 printable ASCII characters and a NUL
 *
 * Strangers may have others (any of U+0000..U+00FF); the tracker's reader
 * ignores what they say.
 */
typedef struct
{
  char text[P2P_ID_LENGTH + 1];
} P2pPeerId;

/**
 * P2pProtocol:
 * @P2P_PROTOCOL_V2: P2P Media Loader 2.3 to 4
 * @P2P_PROTOCOL_V3: P2P Media Loader 5
 *
 * Generations of the peer protocol. Usable as flags.
 */
typedef enum
{
  P2P_PROTOCOL_V2 = 1 << 0,
  P2P_PROTOCOL_V3 = 1 << 1,
} P2pProtocol;

#define P2P_PROTOCOL_ALL (P2P_PROTOCOL_V2 | P2P_PROTOCOL_V3)

/**
 * P2pStreamType:
 * @P2P_STREAM_MAIN: video, or video and audio together
 * @P2P_STREAM_SECONDARY: separate audio
 */
typedef enum
{
  P2P_STREAM_MAIN,
  P2P_STREAM_SECONDARY,
} P2pStreamType;

/**
 * P2pRange:
 * @start: first byte
 * @end: last byte, inclusive as in HTTP; %P2P_SIZE_UNKNOWN: to the end
 *
 * The whole resource is { 0, P2P_SIZE_UNKNOWN }.
 */
typedef struct
{
  guint64 start;
  guint64 end;
} P2pRange;

#define P2P_RANGE_ALL ((P2pRange){ 0, P2P_SIZE_UNKNOWN })

static inline gboolean
p2p_range_is_all (const P2pRange *range)
{
  return range->start == 0 && range->end == P2P_SIZE_UNKNOWN;
}

static inline gboolean
p2p_range_equal (const P2pRange *a, const P2pRange *b)
{
  return a->start == b->start && a->end == b->end;
}

/* Bytes in @range, or P2P_SIZE_UNKNOWN for an open one. */
static inline guint64
p2p_range_length (const P2pRange *range)
{
  return range->end == P2P_SIZE_UNKNOWN ? P2P_SIZE_UNKNOWN
                                        : range->end - range->start + 1;
}

static inline gboolean
p2p_info_hash_equal (const P2pInfoHash *a, const P2pInfoHash *b)
{
  return memcmp (a->text, b->text, P2P_ID_LENGTH) == 0;
}

static inline gboolean
p2p_peer_id_equal (const P2pPeerId *a, const P2pPeerId *b)
{
  return memcmp (a->text, b->text, P2P_ID_LENGTH) == 0;
}

G_END_DECLS

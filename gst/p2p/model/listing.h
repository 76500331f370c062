/* p2phlssrc: what a media playlist lists, refresh after refresh.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. Source: docs/design/registry.md.
 */
#pragma once

#include "formats/m3u8.h"
#include "formats/urlkey.h"
#include "model/registry.h"
#include "model/urlindex.h"

G_BEGIN_DECLS

/**
 * P2pListing:
 * @stream: what others see; its segments are kept here
 * @index: of all listings, not owned
 * @shared: %FALSE: subtitles, I-frames: known only to be told apart
 *
 * A media playlist as last read, and the segments that have just left it.
 * Begins with the stream, so that a stream's pointer is its listing's.
 */
typedef struct
{
  P2pStream stream;
  P2pUrlIndex *index;
  gboolean shared;
  GQueue departed;   /* of listed segments, oldest first */
  char *bases[2];    /* what references were resolved against */
  guint64 last_read; /* grows with every playlist that is read */
} P2pListing;

void p2p_listing_init (P2pListing *listing, P2pUrlIndex *index);
void p2p_listing_clear (P2pListing *listing);

/* Forgets the segments, keeps what the stream is called. */
void p2p_listing_forget (P2pListing *listing);

/**
 * p2p_listing_update:
 * @listing: the listing
 * @playlist: a media playlist, as just read
 * @response_uri: what its references are relative to
 * @request_uri: what some players resolve them against
 *
 * Takes a first or a refreshed playlist. A playlist that is older than what
 * is known changes nothing; one whose numbers have gone back, or name other
 * segments, begins anew under ids that were never used.
 *
 * Errors: none; segments that are not http(s) are gaps. O(segments).
 */
void p2p_listing_update (P2pListing *listing, const P2pM3u8 *playlist,
    const char *response_uri, const char *request_uri);

/* The segment that the entries of the index from @first on stand for, and its
 * listing. %NULL: it has left the playlist, or there is nothing to fetch. */
const P2pSegment *p2p_listing_segment_of (
    const P2pUrlEntry *first, P2pListing **listing);

G_END_DECLS

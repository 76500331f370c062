/* p2phlssrc: a finished HLS playlist told as if it were happening now.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any, one at a time. Knows no clock: the caller says how far the
 * broadcast has come.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _P2pLivePlaylist P2pLivePlaylist;

/* Reads a media playlist of our own making. %NULL when it has no segments: a
 * multivariant playlist, or none at all. Returns: (transfer full) (nullable). */
P2pLivePlaylist *p2p_live_playlist_parse (const char *text);
void p2p_live_playlist_free (P2pLivePlaylist *playlist);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pLivePlaylist, p2p_live_playlist_free)

guint p2p_live_playlist_length (const P2pLivePlaylist *playlist);
const char *p2p_live_playlist_uri (const P2pLivePlaylist *playlist, guint i);

/* When segment @i has been recorded, in microseconds of media from the
 * beginning. */
gint64 p2p_live_playlist_end_us (const P2pLivePlaylist *playlist, guint i);

/* Whether byte ranges of @uri are segments: it is there from the start. */
gboolean p2p_live_playlist_is_ranged (const P2pLivePlaylist *playlist, guint i);

/**
 * p2p_live_playlist_render:
 * @playlist: a playlist
 * @horizon_us: media that has been recorded so far, in microseconds
 * @window: segments shown at most, the newest; 0: all, as an event
 * @end: whether to say so when the last segment is there
 *
 * Writes what a live server would answer: media and discontinuity sequences
 * advance, the key and the map in effect at the first segment are repeated,
 * and byte ranges that follow on from the one before are spelled out.
 *
 * Returns: (transfer full): the playlist.
 */
char *p2p_live_playlist_render (const P2pLivePlaylist *playlist,
    gint64 horizon_us, guint window, gboolean end);

G_END_DECLS

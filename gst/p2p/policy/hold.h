/* p2phlssrc: how long a live playlist may wait for the segment it tells of.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure. Source: docs/design/hold.md.
 */
#pragma once

#include "policy/fetch.h"

G_BEGIN_DECLS

/* Segments at the end of a playlist that the player does not hear of, at most:
 * it must not come too near to the playlist's beginning. */
#define P2P_HOLD_UNLISTED_MAX 2
/* Segments that stay in it, at least: RFC 8216bis, 6.2.2 wants three target
 * durations. */
#define P2P_HOLD_LISTED_LEAST 3

/* Until when, by what the player has left, @most_us from now at the latest;
 * @view->now_us or before: not at all. */
gint64 p2p_hold_until_us (const P2pFetchView *view, gint64 most_us);

/**
 * p2p_hold_may_trim:
 * @view: the player's side
 * @listed_us: media that stays listed and has not been asked for
 *
 * Whether a segment may stay unlisted until the playlist is asked for again,
 * one duration from now.
 */
gboolean p2p_hold_may_trim (const P2pFetchView *view, gint64 listed_us);

G_END_DECLS

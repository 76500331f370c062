/* p2phlssrc: how long a live playlist may wait for the segment it tells of.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hold.h"

/* Share of the segment's duration, at most: while hlsdemux waits for a playlist
 * it answers nobody, and an application may ask it things. */
#define LONGEST 0.5

/* What stays in the buffer beyond what makes a segment urgent, in parts of its
 * duration: playlists and segments come late at times without us. */
#define SPARE 0.25

/* What can be spent of the player's buffer. */
static gint64
room_us (const P2pFetchView *view)
{
  gint64 spare_us = SPARE * view->duration_us;

  return view->ahead_us - view->urgent_us - spare_us
      - p2p_fetch_transfer_us (view);
}

gint64
p2p_hold_until_us (const P2pFetchView *view, gint64 most_us)
{
  gint64 longest_us = MIN ((gint64) (LONGEST * view->duration_us), most_us);

  return view->now_us + MIN (room_us (view), longest_us);
}

gboolean
p2p_hold_may_trim (const P2pFetchView *view, gint64 listed_us)
{
  return room_us (view) + listed_us >= view->duration_us;
}

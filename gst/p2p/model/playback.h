/* p2phlssrc: how far ahead of the playhead a demuxer has media, inferred.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. Source: docs/design/playback.md.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/**
 * P2pPlayback:
 *
 * A source element never sees the playhead. It sees which segments are asked
 * for and when they were handed over, and assumes that playback begins with
 * the first byte and runs in real time until it has nothing left. A paused player
 * looks emptier than it is, which costs sharing and never playback.
 */
typedef struct
{
  gboolean started;     /* something has been handed over */
  gint64 head_media_us; /* playhead at head_clock_us */
  gint64 head_clock_us;
  gint64 edge_media_us; /* end of what has been handed over */
  guint stream;         /* serial of the stream asked for last */
  gboolean awaited;     /* what was asked for last is not handed over yet */
  gboolean arrives;     /* but its first bytes are */
  gboolean resumes;     /* and nothing else is left: it plays what comes */
} P2pPlayback;

/**
 * p2p_playback_request:
 * @playback: the playback of one consumer
 * @stream: serial of the stream
 * @live: whether timelines of different streams may differ
 * @start_us: media time at which the segment begins
 * @duration_us: of the segment
 * @now_us: the time
 *
 * A segment that does not follow the last one, or is of the same stream and was
 * handed over before or takes the place of one that was not, is a seek: what was
 * ahead is gone.
 * Returns: whether it was a seek.
 */
gboolean p2p_playback_request (P2pPlayback *playback, guint stream,
    gboolean live, gint64 start_us, gint64 duration_us, gint64 now_us);

/* Bytes of the segment that was asked for last are handed over. */
void p2p_playback_arrives (P2pPlayback *playback, gint64 now_us);

/* The segment that ends at @end_us has been handed over. */
void p2p_playback_delivered (
    P2pPlayback *playback, gint64 end_us, gint64 now_us);

/* Media ahead of the playhead, in microseconds, never negative. */
gint64 p2p_playback_ahead (P2pPlayback *playback, gint64 now_us);

G_END_DECLS

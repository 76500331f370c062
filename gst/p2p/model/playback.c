/* p2phlssrc: how far ahead of the playhead a demuxer has media, inferred.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "playback.h"

static void
settle (P2pPlayback *playback, gint64 now_us)
{
  gint64 head_us = playback->head_media_us + (now_us - playback->head_clock_us);

  if (playback->resumes)
    return;
  if (playback->arrives && playback->awaited
      && head_us > playback->edge_media_us) {
    /* Since then it plays what comes. */
    playback->head_clock_us = now_us - (head_us - playback->edge_media_us);
    playback->head_media_us = playback->edge_media_us;
    playback->resumes = TRUE;
    return;
  }
  /* Nothing left to play: it stands at the edge until more comes. */
  playback->head_media_us = MIN (head_us, playback->edge_media_us);
  playback->head_clock_us = now_us;
}

gboolean
p2p_playback_request (P2pPlayback *playback, guint stream, gboolean live,
    gint64 start_us, gint64 duration_us, gint64 now_us)
{
  gint64 gap_us = start_us - playback->edge_media_us;
  gboolean follows = ABS (gap_us) <= duration_us + duration_us / 2;
  gboolean other_stream = stream != playback->stream;
  gboolean seeks =
      !other_stream && (playback->awaited || gap_us < -duration_us / 2);
  /* Films share one timeline: another rendition overlaps the end of this one. */
  gboolean replaces = other_stream && !live && gap_us < 0;

  playback->awaited = TRUE;
  playback->arrives = playback->resumes = FALSE;
  playback->stream = stream;
  if (playback->started)
    settle (playback, now_us);

  /* Another rendition of a live stream counts time from where its playlist
   * was first read: the same moment has another number. */
  if (playback->started && !seeks && (follows || (other_stream && live))) {
    playback->edge_media_us += gap_us;
    if (!replaces)
      playback->head_media_us += gap_us;
    playback->head_media_us =
        MIN (playback->head_media_us, playback->edge_media_us);
    return FALSE;
  }

  playback->edge_media_us = start_us;
  playback->head_media_us = start_us;
  playback->head_clock_us = now_us;
  if (!playback->started)
    return FALSE;
  playback->started = FALSE;

  return TRUE;
}

void
p2p_playback_arrives (P2pPlayback *playback, gint64 now_us)
{
  if (playback->arrives)
    return;
  if (playback->started)
    settle (playback, now_us);
  playback->arrives = TRUE;
  if (playback->started && playback->head_media_us < playback->edge_media_us)
    return;
  playback->resumes = TRUE;
  playback->head_clock_us = now_us;
}

void
p2p_playback_delivered (P2pPlayback *playback, gint64 end_us, gint64 now_us)
{
  p2p_playback_arrives (playback, now_us);
  playback->started = TRUE;
  settle (playback, now_us);
  /* What has been played of it while it came is not ahead any more. */
  playback->awaited = playback->resumes = FALSE;
  playback->edge_media_us = MAX (playback->edge_media_us, end_us);
  settle (playback, now_us);
}

gint64
p2p_playback_ahead (P2pPlayback *playback, gint64 now_us)
{
  if (!playback->started)
    return 0;
  settle (playback, now_us);

  return playback->edge_media_us - playback->head_media_us;
}

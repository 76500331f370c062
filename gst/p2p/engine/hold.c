/* p2phlssrc: live playlists that wait for the segment they tell of.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/hold.md.
 */
#include "engine-private.h"
#include "policy/hold.h"

static gboolean
is_anything_under_way (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->requests);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pPlayerRequest *) value)->share != NULL)
      return TRUE;
  }

  return FALSE;
}

static void
fill_need (P2pShare *share, gint64 id, P2pFetchView *view)
{
  P2pEngine *engine = share->engine;
  const P2pSegment *segment = p2p_stream_segment (share->stream, id);

  view->now_us = engine->now_us;
  view->duration_us = segment != NULL ? segment->duration_us
                                      : share->stream->target_duration_us;
  view->ahead_us = p2p_request_least_ahead_us (engine);
  view->urgent_us = p2p_share_urgent_us (share, view->duration_us);
  view->has_variants = p2p_share_has_variants (share);
  view->http_bps = p2p_bandwidth_bps (&engine->http_bandwidth, engine->now_us);
}

void
p2p_hold_need (P2pDownload *download, P2pFetchView *view)
{
  fill_need (download->share, download->id, view);
  /* The demuxer has not begun to measure. */
  view->asked_us = MAX (download->hold_until_us, view->now_us);
}

/* The segment that the player will ask for next, if it has not heard of it. */
static const P2pSegment *
next_of (P2pShare *share)
{
  if (!share->stream->live || share->position < share->shown
      || !p2p_share_is_followed (share))
    return NULL;

  return p2p_stream_segment (share->stream, share->position + 1);
}

gboolean
p2p_hold_begin (P2pShare *share, P2pPlayerRequest *request)
{
  P2pEngine *engine = share->engine;
  const P2pSegment *segment = next_of (share);
  P2pFetchView view = { 0 };
  P2pDownload *download;
  gint64 until_us;

  if (segment == NULL || segment->gap || p2p_share_open_peers (share) == 0
      || p2p_share_is_bad (share, segment->id)
      || is_anything_under_way (engine))
    return FALSE;
  if (p2p_download_is_here (share, segment->id))
    return FALSE;
  download = p2p_download_find (share, segment->id);
  if (download == NULL)
    download = p2p_download_new (share, segment->id);
  if (p2p_download_is_required (download))
    return FALSE;
  p2p_hold_need (download, &view);
  view.size = p2p_download_expects (download, view.duration_us);
  until_us = p2p_hold_until_us (&view, engine->max_playlist_delay_us);
  /* An idle one goes with the next pass, which looks when it is over, too. */
  p2p_share_wants_schedule (share);
  if (until_us <= engine->now_us)
    return FALSE;
  download->hold = request;
  download->hold_until_us = until_us;
  request->held_by = download;
  request->held_us = engine->now_us;
  P2P_LOG_DEBUG (P2P_AREA_POLICY, request->id,
      "the playlist waits for segment %" G_GINT64_FORMAT
      ", at most %" G_GINT64_FORMAT " ms",
      segment->id, (until_us - engine->now_us) / 1000);

  return TRUE;
}

void
p2p_hold_end (P2pDownload *download)
{
  P2pPlayerRequest *request = download->hold;

  if (request == NULL)
    return;
  p2p_hold_forget (request);
  p2p_request_pass_playlist (request);
}

void
p2p_hold_forget (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;

  if (request->held_by == NULL)
    return;
  engine->playlists_delayed++;
  engine->playlist_delay_us += engine->now_us - request->held_us;
  request->held_by->hold = NULL;
  request->held_by = NULL;
}

gboolean
p2p_hold_is_over (const P2pDownload *download)
{
  const P2pShare *share = download->share;

  return download->hold != NULL
      && (download->hold_until_us <= share->engine->now_us
          || p2p_share_open_peers (download->share) == 0);
}

/* How many may stay unlisted. */
static guint
unlisted (P2pShare *share)
{
  gint64 id = MAX (share->shown, share->position) + 1;
  P2pFetchView view = { 0 };

  if (!share->stream->live || !p2p_share_is_followed (share)
      || p2p_share_open_peers (share) == 0
      || share->engine->max_playlist_delay_us == 0)
    return 0;
  while (id <= share->newest && p2p_download_is_here (share, id))
    id++;
  id = MAX (id, share->newest - P2P_HOLD_UNLISTED_MAX + 1);
  id = MAX (id,
      share->newest - (gint64) share->stream->segments->len + 1
          + P2P_HOLD_LISTED_LEAST);
  /* What is listed lasts the longer the more of it there is. */
  for (; id <= share->newest; id++) {
    fill_need (share, id, &view);
    view.size = share->mean_bytes;
    if (p2p_hold_may_trim (
            &view, (id - share->position - 1) * view.duration_us))
      break;
  }

  return id <= share->newest ? share->newest + 1 - id : 0;
}

guint
p2p_hold_trim (P2pShare *share, gint64 last)
{
  /* A playlist that has waited may end before what is known by now. */
  gint64 end = MIN (share->newest - unlisted (share), last);

  share->shown = MAX (share->shown, end);
  if (end < last)
    P2P_LOG_DEBUG (P2P_AREA_POLICY, share->stream->serial,
        "segments after %" G_GINT64_FORMAT " stay unlisted", end);

  return last - end;
}

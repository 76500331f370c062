/* p2phlssrc: a peer that races a slow origin for the rest of a segment.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/fetch.md.
 */
#include "engine-private.h"

/* Peers that may overtake the origin for one segment: each that goes silent then
 * makes the player wait. */
#define RACES_MAX 3

/* How often two that race are looked at, and somebody is looked for. */
#define LOOK_US (200 * 1000)

/* A peer that fails would leave the rest to an origin that begins anew; and where
 * that does not say how long it is, the peer must not. */
static gboolean
is_fit (const P2pDownload *download)
{
  return !download->http_only_whole && download->refusal == NULL
      && (!download->http_answered
          || download->entry->total != P2P_SIZE_UNKNOWN);
}

static gboolean
may_race (const P2pDownload *download)
{
  return download->http != 0 && download->http_until == P2P_SIZE_UNKNOWN
      && is_fit (download) && download->races < RACES_MAX
      && download->share->engine->now_us >= download->share->race_again_us;
}

gboolean
p2p_race_is_on (const P2pDownload *download)
{
  return download->http != 0 && download->http_until == P2P_SIZE_UNKNOWN
      && p2p_tail_is_there (download);
}

void
p2p_race_answered (P2pDownload *download)
{
  if (p2p_race_is_on (download) && !is_fit (download))
    p2p_tail_stop (download);
}

gboolean
p2p_race_check (P2pDownload *download)
{
  P2pTransferView view = { 0 };
  guint64 lead = p2p_tail_lead (download);

  if (!p2p_race_is_on (download) || lead == 0)
    return FALSE;
  p2p_download_transfer (download, &view);
  if (!p2p_fetch_race_is_won (&view, lead, download->tail.source.last_byte_us))
    return FALSE;
  P2P_LOG_DEBUG (P2P_AREA_POLICY, download->http,
      "segment %" G_GINT64_FORMAT ": a peer is %" G_GUINT64_FORMAT
      " bytes in front of the origin",
      download->id, lead);
  /* It is measured anew after that. */
  if (!view.was_slow)
    download->share->slow_until_us = view.need.now_us + P2P_FETCH_SLOW_US;
  download->races++;
  /* It has not failed. */
  download->http_attempts = 0;
  download->raced_bps =
      p2p_fetch_raced_bps (&view, download->entry->size + view.rest);
  p2p_download_join_tail (download);

  return TRUE;
}

/* A peer races the origin: see whether it should go on. It is not asked for this
 * again if not. */
static void
watch_race (P2pDownload *download, P2pTransferView *view)
{
  P2pTail *tail = &download->tail;
  P2pPeer *peer = tail->peer;

  if (tail->source.bytes == 0)
    return;
  p2p_tail_fill (download, view);
  if (!p2p_fetch_race_is_lost (view, tail->source.first_byte_us))
    return;
  p2p_tail_stop (download);
  p2p_peer_forget (peer, download->id);
  download->share->race_again_us = view->need.now_us + P2P_FETCH_LOST_US;
}

void
p2p_race_watch (P2pDownload *download)
{
  P2pShare *share = download->share;
  P2pTransferView view = { 0 };
  gint64 look_us;
  P2pPeer *second;

  if (p2p_share_open_peers (share) == 0)
    return;
  p2p_download_transfer (download, &view);
  if (p2p_race_is_on (download)) {
    p2p_timer_set (&download->timer, view.need.now_us + LOOK_US);
    watch_race (download, &view);
    return;
  }
  look_us = p2p_fetch_race_us (&view);
  if (!may_race (download) || look_us == P2P_NEVER)
    return;
  p2p_timer_set (&download->timer, MAX (look_us, view.need.now_us + LOOK_US));
  if (look_us > view.need.now_us)
    return;
  second = p2p_schedule_pick_second (share, download->id);
  if (second == NULL)
    return;
  p2p_tail_start (
      download, second, download->entry->size, "the origin is slow");
}

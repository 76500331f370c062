/* p2phlssrc: who goes to the origin for a segment that nobody has.
 *
 * Word takes its time where not everybody is connected, so several claim the same.
 * A claim is open at first, and the best one stays.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/claims.md.
 */
#include "engine-private.h"
#include "policy/election.h"

gboolean
p2p_claim_is_open (P2pShare *share, gint64 id)
{
  return share->claim_until_us != 0 && share->claim == id;
}

/* Whether there is somebody whom we do not see. */
static gboolean
has_hidden (P2pShare *share)
{
  guint seen = p2p_share_open_peers (share);

  return p2p_tracker_known_peers (share->engine, share) > seen
      || seen >= share->engine->max_peers;
}

/* Whether somebody may claim it at the same moment. Of those who see each other only
 * the election's first knows that nobody does, and that only while it is idle: who
 * is busy comes later, in between the others. */
static gboolean
may_have_rivals (P2pShare *share, gint64 id, const P2pFetchView *view)
{
  return share->stream->live && id >= share->first_new
      && (view->rank > 0 || p2p_upload_load (share) > 0 || has_hidden (share));
}

gboolean
p2p_claim_make (P2pShare *share, gint64 id)
{
  P2pFetchView view = { .now_us = share->engine->now_us };

  p2p_schedule_fill_turn (share, id, &view);
  if (!may_have_rivals (share, id, &view))
    return TRUE;
  /* One at a time: the other is older. */
  if (share->claim_until_us != 0)
    return FALSE;
  if (view.now_us < share->claim_again_us) {
    p2p_share_look_again (share, share->claim_again_us);
    return FALSE;
  }
  share->claim_again_us = p2p_fetch_claim_until_us (&view);
  share->claim = id;
  share->claim_until_us = share->claim_again_us;
  p2p_share_look_again (share, share->claim_until_us);
  p2p_share_wants_announce (share);
  P2P_LOG_DEBUG (P2P_AREA_POLICY, share->stream->serial,
      "segment %" G_GINT64_FORMAT ": claimed", id);

  return FALSE;
}

void
p2p_claim_end (P2pShare *share)
{
  P2P_LOG_DEBUG (P2P_AREA_POLICY, share->stream->serial,
      "segment %" G_GINT64_FORMAT ": claim ends", share->claim);
  share->claim_until_us = 0;
  p2p_share_wants_announce (share);
}

gboolean
p2p_claim_is_best (P2pShare *share)
{
  gint64 own = p2p_election_claim (p2p_election_score (&share->engine->peer_id,
      p2p_stream_external_id (share->stream, P2P_PROTOCOL_V3, share->claim)));
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OPEN
        && p2p_peer_best_claim (peer, share->claim) < own)
      return FALSE;
  }

  return TRUE;
}

gboolean
p2p_claim_has_won (P2pShare *share)
{
  if (!p2p_claim_is_best (share)) {
    P2P_LOG_DEBUG (P2P_AREA_POLICY, share->stream->serial,
        "segment %" G_GINT64_FORMAT ": somebody else fetches it", share->claim);
    p2p_claim_end (share);
    return FALSE;
  }
  if (share->engine->now_us < share->claim_until_us) {
    p2p_share_look_again (share, share->claim_until_us);
    return FALSE;
  }
  p2p_claim_end (share);

  return TRUE;
}

/* p2phlssrc: word of a live segment that nobody gives.
 *
 * Who has the newest segment sends it to somebody, who passes it on: soon one peer after
 * the other says that it gives it. Where no more do, those who said so may have nothing,
 * and everybody would wait for them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/claims.md.
 */
#include "engine-private.h"

/* What more of our peers than one in so many say is believed. */
#define FEW_PART 2

/* Where somebody has claimed it before, uplinks may be slow: the tree has this share of
 * the segment's duration to grow. */
#define VOUCHED_SHARE 0.5

/* Who come one after the other to say so are waited for no longer than so many times
 * that. */
#define PATIENCES_MAX 2

static P2pSpread *
slot_of (P2pShare *share, gint64 id)
{
  return &share->spread[id & (P2P_SPREADS_KEPT - 1)];
}

static P2pSpread *
ensure_spread (P2pShare *share, gint64 id)
{
  P2pSpread *spread = slot_of (share, id);

  if (spread->id != id)
    *spread = (P2pSpread){ .id = id };

  return spread;
}

static P2pSaid *
said_slot_of (P2pPeer *peer, gint64 id)
{
  return &peer->said[id & (P2P_SPREADS_KEPT - 1)];
}

static P2pSaid *
ensure_said (P2pPeer *peer, gint64 id)
{
  P2pSaid *said = said_slot_of (peer, id);

  if (said->id != id)
    *said = (P2pSaid){ .id = id };

  return said;
}

gboolean
p2p_doubt_is_on (P2pShare *share, gint64 id)
{
  const P2pSpread *spread = slot_of (share, id);

  return spread->is_doubted && spread->id == id;
}

gint64
p2p_doubt_since_us (P2pShare *share, gint64 id)
{
  const P2pSpread *spread = slot_of (share, id);

  return spread->id == id ? spread->doubted_us : 0;
}

/* Who has claimed it although somebody said to give it does not believe that either,
 * and fetches it. */
static gboolean
is_believed (const P2pSpread *spread, const P2pSaid *said)
{
  return said->id == spread->id && said->claims_us > spread->said_us;
}

gboolean
p2p_doubt_of (P2pPeer *peer, gint64 id)
{
  return p2p_doubt_is_on (peer->share, id)
      && !is_believed (slot_of (peer->share, id), said_slot_of (peer, id));
}

guint64
p2p_doubt_window (P2pPeer *peer, gint64 first, guint n)
{
  guint64 bits = 0;
  guint i;

  for (i = 0; i < P2P_SPREADS_KEPT; i++) {
    const P2pSpread *spread = &peer->share->spread[i];

    if (spread->is_doubted && spread->id >= first && spread->id < first + n
        && !is_believed (spread, &peer->said[i]))
      bits |= G_GUINT64_CONSTANT (1) << (spread->id - first);
  }

  return bits;
}

/* When those who say that they give it are believed no more. */
static gint64
doubt_at_us (P2pShare *share, const P2pSpread *spread)
{
  gint64 patience_us = P2P_FETCH_STUCK_US;

  if (spread->is_vouched)
    patience_us = MAX (patience_us,
        (gint64) (VOUCHED_SHARE * share->stream->target_duration_us));

  return MIN (spread->grown_us + patience_us,
      spread->said_us + PATIENCES_MAX * patience_us);
}

static void
note_claim (P2pPeer *peer, gint64 id)
{
  P2pSpread *spread = ensure_spread (peer->share, id);

  ensure_said (peer, id)->claims_us = peer->share->engine->now_us;
  spread->is_vouched |= spread->said_us == 0;
}

static void
note_giver (P2pPeer *peer, gint64 id)
{
  P2pShare *share = peer->share;
  P2pSpread *spread = ensure_spread (share, id);
  P2pSaid *said = ensure_said (peer, id);

  /* Who says the same over and over is one all the same. */
  if (said->gives_us != 0)
    return;
  said->gives_us = spread->grown_us = share->engine->now_us;
  if (spread->said_us == 0)
    spread->said_us = spread->grown_us;
  if (!p2p_download_has_source (share, id))
    p2p_share_look_again (share, doubt_at_us (share, spread));
}

/* What everybody has for long, or nobody can know of yet, is no matter. */
static guint64
bits_of_new (P2pShare *share, gint64 first)
{
  guint64 all = (G_GUINT64_CONSTANT (1) << (P2P_ANNOUNCED_AHEAD + 1)) - 1;

  return share->stream->live ? all << (share->newest - first) : 0;
}

void
p2p_doubt_heard (
    P2pPeer *peer, gint64 first, const P2pWords *before, const P2pWords *words)
{
  guint64 new = bits_of_new (peer->share, first);
  guint64 claims = words->loading & ~(before->loading | before->gives) & new;
  guint64 gives = words->gives & ~before->gives & new;

  for (; claims != 0; claims &= claims - 1)
    note_claim (peer, first + __builtin_ctzll (claims));
  for (; gives != 0; gives &= gives - 1)
    note_giver (peer, first + __builtin_ctzll (gives));
}

static gboolean
says_to_give (P2pPeer *peer, gint64 id)
{
  return peer->state == P2P_PEER_OPEN
      && (p2p_peer_words (peer, id, 1).gives & 1) != 0;
}

static guint
count_givers (P2pShare *share, gint64 id)
{
  guint givers = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++)
    givers += says_to_give (share->peers->pdata[i], id);

  return givers;
}

/* Who has been asked, and has sent nothing, is none. */
static gboolean
arrives (P2pShare *share, gint64 id)
{
  P2pDownload *download = p2p_download_find (share, id);

  return download != NULL && (download->http != 0 || download->entry->size > 0);
}

/* What peers say of it means something else from now on, and so does what we pass on
 * of that. */
static void
set_doubted (P2pShare *share, P2pSpread *spread, gboolean is_doubted)
{
  guint i;

  if (spread->is_doubted == is_doubted)
    return;
  spread->is_doubted = is_doubted;
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    peer->has_words = FALSE;
    p2p_peer_watch (peer);
  }
  p2p_announce_words (share);
}

/* Once: after that there is another tree. */
static void
begin_doubt (P2pShare *share, P2pSpread *spread)
{
  P2P_LOG_DEBUG (P2P_AREA_POLICY, share->stream->serial,
      "segment %" G_GINT64_FORMAT ": who has it does not give it", spread->id);
  spread->doubted_us = share->engine->now_us;
  set_doubted (share, spread, TRUE);
}

static void
check (P2pShare *share, P2pSpread *spread)
{
  gint64 now_us = share->engine->now_us;
  guint givers;

  if (p2p_download_is_here (share, spread->id)) {
    set_doubted (share, spread, FALSE);
    return;
  }
  if (spread->doubted_us != 0)
    return;
  if (now_us < doubt_at_us (share, spread)) {
    p2p_share_look_again (share, doubt_at_us (share, spread));
    return;
  }
  if (arrives (share, spread->id))
    return;
  givers = count_givers (share, spread->id);
  if (givers > 0 && givers * FEW_PART <= share->n_open)
    begin_doubt (share, spread);
}

void
p2p_doubt_check (P2pShare *share)
{
  guint i;

  for (i = 0; i < P2P_SPREADS_KEPT; i++) {
    P2pSpread *spread = &share->spread[i];

    /* Who follows at a distance may still lack the one before the newest. */
    if (spread->said_us != 0 && spread->id >= share->newest - 1)
      check (share, spread);
  }
}

void
p2p_doubt_listed (P2pShare *share)
{
  guint i;

  if (!share->stream->live)
    return;
  /* What they have said of those that were too far off until now. */
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];
    guint64 given;

    if (peer->state != P2P_PEER_OPEN)
      continue;
    given = p2p_peer_words (peer, share->newest, P2P_ANNOUNCED_AHEAD + 1).gives;
    for (; given != 0; given &= given - 1)
      note_giver (peer, share->newest + __builtin_ctzll (given));
  }
}

/* p2phlssrc: what happens next with each segment of a stream.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * First what the player waits for (policy/fetch), then what may come ahead of
 * it. Source: docs/design/fetch.md.
 */
#include "engine-private.h"
#include "policy/election.h"
#include "policy/pace.h"

/* Segments at once, ahead of the player: P2P Media Loader's defaults. */
#define PEER_PREFETCHES_MAX 3
#define HTTP_PREFETCHES_MAX 2

/* Segments that one pass looks at. */
#define SCAN_MAX 512

/* Segments past the end of our copy of a live playlist that are taken from
 * peers who have seen a newer one. */
#define UNLISTED_MAX 3

/* While a player waits for a segment with less in its buffer than this many
 * times what makes a segment urgent, nothing is begun ahead of it. */
#define COMFORTABLE 4

/* For how long a peer that went to the origin counts as one who may be the
 * first to know of a segment (docs/design/claims.md). */
#define CLAIMS_MEMORY_US (20 * G_USEC_PER_SEC)
#define CLAIMS_MEMORY_SEGMENTS 4

/* What a holder that has never sent anything may be as quick as, against the
 * quickest: P2P Media Loader's share. */
#define UNPROVEN_SHARE 0.1

/* Share of the cache that segments ahead of the playhead may fill. */
#define AHEAD_SHARE 0.8

/* --- who has it -------------------------------------------------------------- */

static gboolean
can_ask (P2pPeer *peer, gboolean preempt)
{
  if (peer->state != P2P_PEER_OPEN)
    return FALSE;

  return peer->download == NULL
      || (preempt && peer->download->requests->len == 0);
}

/* The rate of the quickest peer. */
static double
best_bps (P2pShare *share)
{
  double best = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    best =
        MAX (best, p2p_bandwidth_bps (&peer->bandwidth, share->engine->now_us));
  }

  return best;
}

/* A holder at random, the quicker the likelier; one that is idle before one
 * whose prefetch must give way. Who has not shown anything yet gets its chance
 * now and then, or one quick holder would serve everybody for ever. */
static P2pPeer *
pick_holder (P2pShare *share, gint64 id, gboolean preempt)
{
  P2pEngine *engine = share->engine;
  double least = MAX (best_bps (share) * UNPROVEN_SHARE, 1);
  P2pPeer *picked = NULL;
  double sum = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];
    double weight;

    if (!can_ask (peer, preempt) || !p2p_peer_has (peer, id))
      continue;
    weight = p2p_bandwidth_bps (&peer->bandwidth, engine->now_us);
    weight = MAX (weight, least);
    if (peer->download != NULL)
      weight *= 1e-3;
    sum += weight;
    if (p2p_prng_unit (&engine->prng) * sum < weight)
      picked = peer;
  }

  return picked;
}

static gboolean
is_loading_somewhere (P2pShare *share, gint64 id)
{
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OPEN && p2p_peer_is_loading (peer, id))
      return TRUE;
  }

  return FALSE;
}

static gboolean
is_held_somewhere (P2pShare *share, gint64 id)
{
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OPEN && p2p_peer_has (peer, id))
      return TRUE;
  }

  return FALSE;
}

/* How many of those that claimed something since then go before us.
 * @claim_us: (out) (optional): the longest that a claim of them takes */
static guint
own_rank (P2pShare *share, gint64 id, gint64 claimed_since_us, gint64 *claim_us)
{
  g_autofree const P2pPeerId **ids =
      g_new (const P2pPeerId *, share->peers->len + 1);
  gint64 longest_us = P2P_FETCH_CLAIM_LEAST_US;
  guint n = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state != P2P_PEER_OPEN || !p2p_peer_elects (peer)
        || peer->claimed_us < claimed_since_us)
      continue;
    ids[n++] = &peer->id;
    longest_us = MAX (longest_us, p2p_peer_claim_us (peer));
  }
  if (claim_us != NULL)
    *claim_us = longest_us;

  return p2p_election_rank (&share->engine->peer_id, ids, n,
      p2p_stream_external_id (share->stream, P2P_PROTOCOL_V3, id));
}

/* --- what the player waits for -------------------------------------------------- */

static guint64
expected_bytes (P2pDownload *download, gint64 duration_us)
{
  P2pShare *share = download->share;
  P2pEntry *entry = download->entry;

  if (entry->total != P2P_SIZE_UNKNOWN)
    return entry->total - entry->size;
  if (share->mean_bytes > entry->size)
    return share->mean_bytes - entry->size;

  return share->stream->bitrate / 8.0 * duration_us / G_USEC_PER_SEC;
}

/* Playlists are refreshed at phases that stay as they are: who has not been
 * the first to know for a while will not be this time. */
static gint64
claims_memory_us (const P2pFetchView *view)
{
  return MAX (CLAIMS_MEMORY_US, CLAIMS_MEMORY_SEGMENTS * view->duration_us);
}

static void
fill_view (P2pDownload *download, P2pPeer *holder, P2pFetchView *view)
{
  P2pShare *share = download->share;

  p2p_request_need (download->requests->pdata[0], view);
  view->size = expected_bytes (download, view->duration_us);
  view->peers = p2p_share_open_peers (share);
  view->expect_until_us = p2p_share_expect_until_us (share);
  view->holder_free = holder != NULL;
  view->peer_bps =
      holder == NULL ? 0 : p2p_bandwidth_bps (&holder->bandwidth, view->now_us);
  view->loading = is_loading_somewhere (share, download->id);
  view->rank = own_rank (share, download->id,
      view->now_us - claims_memory_us (view), &view->claim_us);
}

static void
schedule_transfer (P2pDownload *download)
{
  P2pTransferView view = {
    .begun_us = download->begun_us,
    .last_byte_us = download->last_byte_us,
    .bytes = download->source_bytes,
    .rest = download->entry->total == P2P_SIZE_UNKNOWN
        ? P2P_SIZE_UNKNOWN
        : download->entry->total - download->entry->size,
  };
  P2pPeer *peer = download->peer;
  P2pFetchVerdict verdict;

  p2p_request_need (download->requests->pdata[0], &view.need);
  verdict = p2p_fetch_takeover (&view);
  if (verdict.action == P2P_FETCH_WAIT) {
    p2p_timer_set (&download->timer, verdict.until_us);
    return;
  }
  P2P_LOG_DEBUG (P2P_AREA_POLICY, peer->conn,
      "segment %" G_GINT64_FORMAT ": HTTP takes over, %s", download->id,
      verdict.reason);
  p2p_download_stop (download);
  p2p_download_start_http (download, verdict.reason);
  p2p_peer_strike (peer, download->id);
}

static void
ask_peer (P2pDownload *download, P2pPeer *holder, const char *reason)
{
  if (holder->download != NULL) {
    P2pDownload *prefetch = holder->download;

    g_assert (prefetch->requests->len == 0);
    p2p_download_stop (prefetch);
  }
  p2p_download_start_peer (download, holder, reason);
  /* From now on it is watched: nothing else need happen before the origin
   * must take over. */
  schedule_transfer (download);
}

static void
schedule_waiting (P2pDownload *download)
{
  P2pPeer *holder = pick_holder (download->share, download->id, TRUE);
  P2pFetchView view = { 0 };
  P2pFetchVerdict verdict;

  if (download->failure != NULL && holder == NULL) {
    p2p_download_give_up (download);
    return;
  }
  if (download->failure != NULL) {
    g_clear_pointer (&download->failure, p2p_http_failure_unref);
    ask_peer (download, holder, "the origin failed");
    return;
  }

  fill_view (download, holder, &view);
  verdict = p2p_fetch_required (&view);
  P2P_LOG_LOG (P2P_AREA_POLICY, download->share->stream->serial,
      "segment %" G_GINT64_FORMAT ": %s; %" G_GINT64_FORMAT
      " ms ahead, rank %u of %u",
      download->id, verdict.reason, view.ahead_us / 1000, view.rank,
      view.peers);
  switch (verdict.action) {
    case P2P_FETCH_HTTP:
      if (view.now_us < download->http_again_us)
        p2p_timer_set (&download->timer, download->http_again_us);
      else
        p2p_download_start_http (download, verdict.reason);
      break;
    case P2P_FETCH_PEER:
      ask_peer (download, holder, verdict.reason);
      break;
    case P2P_FETCH_WAIT:
      p2p_timer_set (&download->timer, verdict.until_us);
      break;
  }
}

static void
schedule_required (P2pShare *share)
{
  /* Not g_ptr_array_copy(): the copy would own them as well. */
  g_autoptr (GPtrArray) downloads = g_ptr_array_new ();
  guint i;

  for (i = 0; i < share->downloads->len; i++)
    g_ptr_array_add (downloads, share->downloads->pdata[i]);

  /* One pass never removes another's download that has requests. */
  for (i = 0; i < downloads->len; i++) {
    P2pDownload *download = downloads->pdata[i];

    if (!g_ptr_array_find (share->downloads, download, NULL)
        || download->requests->len == 0)
      continue;
    if (p2p_download_is_idle (download))
      schedule_waiting (download);
    else if (download->peer != NULL)
      schedule_transfer (download);
  }
}

/* --- what comes ahead ------------------------------------------------------------- */

typedef struct
{
  guint peer_slots;
  guint http_slots;
} Slots;

/* The player waits for @download and may need the whole downlink soon. */
static gboolean
is_pressing (P2pDownload *download)
{
  P2pFetchView view = { 0 };

  if (download->requests->len == 0)
    return FALSE;
  p2p_request_need (download->requests->pdata[0], &view);

  return view.ahead_us < COMFORTABLE * view.urgent_us;
}

static Slots
free_slots (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  Slots slots = { PEER_PREFETCHES_MAX, HTTP_PREFETCHES_MAX };
  guint i;

  /* They would still be there when the player asks for its next one. */
  slots.http_slots = p2p_pace_beside (
      p2p_bandwidth_bps (&engine->http_bandwidth, engine->now_us),
      share->stream->bitrate, HTTP_PREFETCHES_MAX);

  /* Who has just come may hold what we would fetch. */
  if (p2p_share_expect_until_us (share) > engine->now_us)
    slots.http_slots = 0;

  for (i = 0; i < share->downloads->len; i++) {
    P2pDownload *download = share->downloads->pdata[i];

    if (download->peer != NULL && slots.peer_slots > 0)
      slots.peer_slots--;
    if (download->http != 0 && slots.http_slots > 0)
      slots.http_slots--;
    /* The player goes first on the way to the origin. */
    if (download->requests->len > 0 && download->peer == NULL)
      slots.http_slots = 0;
    /* A thin downlink would share itself with what can wait, and playback
     * begin the later for it. */
    if (is_pressing (download))
      slots.peer_slots = slots.http_slots = 0;
  }

  return slots;
}

static gboolean
has_room_ahead (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  double bound =
      p2p_share_store_bound (engine) * AHEAD_SHARE - share->mean_bytes;

  if (p2p_store_bytes (engine->store) < bound)
    return TRUE;

  /* Of all streams: they share the cache, and what would make way at once for
   * another's would be fetched again. */
  return p2p_share_kept_bytes (engine) < bound;
}

static gboolean
is_wanted (P2pShare *share, gint64 id)
{
  P2pEntry *entry =
      p2p_store_find (share->engine->store, share->stream->serial, id);

  if (entry != NULL && entry->complete)
    return FALSE;

  return p2p_download_find (share, id) == NULL;
}

static gboolean
prefetch_from_peer (P2pShare *share, gint64 id, Slots *slots)
{
  P2pPeer *holder;

  if (slots->peer_slots == 0)
    return FALSE;
  holder = pick_holder (share, id, FALSE);
  if (holder == NULL)
    return FALSE;
  slots->peer_slots--;
  p2p_download_start_peer (
      p2p_download_new (share, id), holder, "ahead of the player");

  return TRUE;
}

static void
prefetch_from_origin (P2pShare *share, gint64 id, Slots *slots)
{
  if (slots->http_slots == 0 || p2p_share_is_bad (share, id)
      || is_held_somewhere (share, id) || is_loading_somewhere (share, id))
    return;
  if (own_rank (share, id, 0, NULL) != 0)
    return;
  slots->http_slots--;
  p2p_download_start_http (
      p2p_download_new (share, id), "owner, ahead of the player");
}

static void
schedule_ahead (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  GPtrArray *segments = share->stream->segments;
  const P2pSegment *anchor;
  Slots slots = free_slots (share);
  gint64 id, last;
  guint scanned;

  if (share->profile == NULL || segments->len == 0
      || !p2p_share_is_followed (share) || p2p_share_open_peers (share) == 0
      || !has_room_ahead (share))
    return;

  anchor = p2p_stream_segment (share->stream, share->position);
  if (anchor == NULL)
    anchor = segments->pdata[0];
  last = ((P2pSegment *) segments->pdata[segments->len - 1])->id;
  for (id = anchor->id + 1, scanned = 0; id <= last && scanned < SCAN_MAX
       && (slots.peer_slots > 0 || slots.http_slots > 0);
       id++, scanned++) {
    const P2pSegment *segment = p2p_stream_segment (share->stream, id);
    gint64 distance_us = segment->start_us - anchor->start_us;

    if (distance_us > MAX (engine->p2p_window_us, engine->http_window_us))
      break;
    if (segment->gap || !is_wanted (share, id))
      continue;
    if (distance_us <= engine->p2p_window_us
        && prefetch_from_peer (share, id, &slots))
      continue;
    if (distance_us <= engine->http_window_us)
      prefetch_from_origin (share, id, &slots);
  }

  if (!share->stream->live || share->position + UNLISTED_MAX < last)
    return;
  for (id = last + 1; id <= last + UNLISTED_MAX; id++) {
    if (is_wanted (share, id))
      prefetch_from_peer (share, id, &slots);
  }
}

/* A prefetch that lost its source begins anew by the rules, if at all. */
static void
drop_idle_prefetches (P2pShare *share)
{
  guint i;

  for (i = share->downloads->len; i > 0; i--) {
    P2pDownload *download = share->downloads->pdata[i - 1];

    if (download->requests->len == 0 && p2p_download_is_idle (download))
      g_ptr_array_remove_index_fast (share->downloads, i - 1);
  }
}

void
p2p_schedule (P2pShare *share)
{
  /* Passes may want another: stores, stops and strikes do. Each makes
   * progress, the bound is only a net. */
  guint passes;

  for (passes = 0; share->schedule_wanted && passes < 8; passes++) {
    share->schedule_wanted = FALSE;
    drop_idle_prefetches (share);
    schedule_required (share);
    schedule_ahead (share);
  }
}

/* p2phlssrc: what happens next with each segment of a stream.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * First what the player waits for (policy/fetch), then what may come ahead of
 * it. Source: docs/design/fetch.md.
 */
#include "engine-private.h"
#include "policy/election.h"
#include "policy/pace.h"
#include "policy/serve.h"

/* Segments at once, ahead of the player: P2P Media Loader's defaults. */
#define PEER_PREFETCHES_MAX 3
#define HTTP_PREFETCHES_MAX 2

/* Segments that one pass looks at. */
#define SCAN_MAX 512

/* For these at the end of a live stream, browsers are asked by one of us after
 * the other. */
#define SPARED_NEWEST 2

/* Not while the player is so many segments behind the end: it will hear of them
 * before it wants them. */
#define UNLISTED_BEHIND 6

/* While a player waits for a segment with less in its buffer than this many
 * times what makes a segment urgent, nothing is begun ahead of it. */
#define COMFORTABLE 4

/* What a holder that has never sent anything may be as quick as, against the
 * quickest: P2P Media Loader's share. */
#define UNPROVEN_SHARE 0.1

/* A second peer sends this share of what is missing at least, and is looked for
 * so soon again when nobody is free. */
#define SECOND_PART_LEAST 0.25
#define SECOND_AGAIN_US (200 * 1000)

/* What the player waits for is looked at again after so long at most. */
#define LOOK_MOST_US (200 * 1000)

/* What is played later is left to those whom we cannot see yet. */
#define SOON_US (20 * G_USEC_PER_SEC)
#define SETTLE_US (20 * G_USEC_PER_SEC)

/* Share of the cache that segments ahead of the playhead may fill. */
#define AHEAD_SHARE 0.8

/* --- who has it -------------------------------------------------------------- */

static gboolean
can_ask (P2pPeer *peer, gint64 id, gboolean preempt)
{
  P2pDownload *download = peer->download;

  if (peer->state != P2P_PEER_OPEN
      || peer->busy_until_us > peer->share->engine->now_us)
    return FALSE;

  if (download == NULL)
    return TRUE;

  /* What it sends ahead of the player gives way, and what another sends, too. */
  return preempt && download->id != id
      && (!p2p_download_is_required (download) || peer == download->tail.peer);
}

static double
best_bps (GPtrArray *peers, gint64 now_us)
{
  double best = 0;
  guint i;

  for (i = 0; i < peers->len; i++) {
    P2pPeer *peer = peers->pdata[i];

    best = MAX (best, p2p_bandwidth_bps (&peer->bandwidth, now_us));
  }

  return best;
}

static void
find_holders (P2pShare *share, gint64 id, gboolean preempt, GPtrArray *natives,
    GPtrArray *browsers)
{
  gint64 external[G_N_ELEMENTS (share->swarms)];
  guint i;

  for (i = 0; i < share->n_swarms; i++)
    external[i] =
        p2p_stream_external_id (share->stream, share->swarms[i].protocol, id);
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];
    gint64 wanted = external[peer->swarm - share->swarms];

    if ((p2p_id_set_has (&peer->loaded, wanted)
            || p2p_id_set_has (&peer->arriving, wanted))
        && can_ask (peer, id, preempt))
      g_ptr_array_add (p2p_peer_is_native (peer) ? natives : browsers, peer);
  }
}

/* How many of our peers the election puts before us.
 * @natives: of those that are like us, not of all that take part
 * @claim_us: (out) (optional): the longest that a claim of them takes */
static guint
own_rank (P2pShare *share, gint64 id, gboolean natives, gint64 *claim_us)
{
  const P2pPeerId *own = &share->engine->peer_id;
  guint32 own_score = p2p_election_score (
      own, p2p_stream_external_id (share->stream, P2P_PROTOCOL_V3, id));
  gint64 longest_us = P2P_FETCH_CLAIM_LEAST_US;
  guint rank = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state != P2P_PEER_OPEN
        || !(natives ? p2p_peer_is_native (peer) : p2p_peer_elects (peer)))
      continue;
    rank += p2p_election_is_before (
        &peer->id, p2p_peer_score (peer, id), own, own_score);
    longest_us = MAX (longest_us, p2p_peer_claim_us (peer));
  }
  if (claim_us != NULL)
    *claim_us = longest_us;

  return rank;
}

/* A browser serves all who ask at once, and passes nothing on before it has the
 * whole: if everybody asks for the newest segment that it has, nobody gets it
 * in time. So it is left to one of us after the other, and to nobody once one
 * passes it on. */
static gboolean
spares_browsers (P2pShare *share, gint64 id)
{
  P2pFetchView view = { .duration_us = share->stream->target_duration_us,
    .seen_us = MAX (share->offered_us, p2p_doubt_since_us (share, id)) };
  gint64 turn_us;
  guint i;

  if (!share->stream->live || id + SPARED_NEWEST <= share->offered)
    return FALSE;
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OPEN && p2p_peer_is_native (peer)
        && p2p_peer_gives (peer, id))
      return TRUE;
  }
  view.rank = own_rank (share, id, TRUE, &view.claim_us);
  /* To be asked for, and to pass on, takes twice as long as a claim. */
  view.claim_us *= 2;
  turn_us = p2p_fetch_turn_us (&view);
  if (turn_us > share->engine->now_us)
    p2p_share_look_again (share, turn_us);

  return turn_us > share->engine->now_us;
}

/* At random, the quicker the likelier; one that is idle before one whose prefetch
 * must give way. Who has not shown anything yet gets its chance now and then, or
 * one quick holder would serve everybody for ever. */
static P2pPeer *
pick (P2pShare *share, GPtrArray *holders)
{
  P2pEngine *engine = share->engine;
  P2pPeer *picked = NULL;
  double sum = 0, least;
  guint i;

  least = MAX (best_bps (holders, engine->now_us) * UNPROVEN_SHARE, 1);
  for (i = 0; i < holders->len; i++) {
    P2pPeer *peer = holders->pdata[i];
    double weight = p2p_bandwidth_bps (&peer->bandwidth, engine->now_us);

    weight = MAX (weight, least);
    if (peer->download != NULL)
      weight *= 1e-3;
    sum += weight;
    if (p2p_prng_unit (&engine->prng) * sum < weight)
      picked = peer;
  }

  return picked;
}

/* Returns: (transfer container): who has it, or passes it on, and may be asked. */
static GPtrArray *
holders_of (P2pShare *share, gint64 id, gboolean preempt)
{
  GPtrArray *holders = g_ptr_array_new ();
  g_autoptr (GPtrArray) browsers = g_ptr_array_new ();

  find_holders (share, id, preempt, holders, browsers);
  if (browsers->len > 0 && !spares_browsers (share, id))
    g_ptr_array_extend (holders, browsers, NULL, NULL);

  return holders;
}

static P2pPeer *
pick_holder (P2pShare *share, gint64 id, gboolean preempt)
{
  g_autoptr (GPtrArray) holders = holders_of (share, id, preempt);

  return pick (share, holders);
}

static gboolean
any_peer (
    P2pShare *share, gint64 id, gboolean (*says) (P2pPeer *peer, gint64 id))
{
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OPEN && says (peer, id))
      return TRUE;
  }

  return FALSE;
}

static gboolean
says_loading (P2pPeer *peer, gint64 id)
{
  return p2p_peer_is_loading (peer, id) || p2p_peer_has_heard (peer, id);
}

static gboolean
is_loading_somewhere (P2pShare *share, gint64 id)
{
  return any_peer (share, id, says_loading);
}

static gboolean
is_held_somewhere (P2pShare *share, gint64 id)
{
  return any_peer (share, id, p2p_peer_gives);
}

/* --- what the player waits for -------------------------------------------------- */

/* Of those that trackers know and we are not connected to, how many have a
 * better score than we. */
static double
hidden_before (P2pShare *share, gint64 id)
{
  P2pEngine *engine = share->engine;
  guint known = p2p_tracker_known_peers (engine, share);
  guint seen = p2p_share_open_peers (share);
  guint32 score = p2p_election_score (&engine->peer_id,
      p2p_stream_external_id (share->stream, P2P_PROTOCOL_V3, id));

  return known > seen ? (known - seen) * (double) score / G_MAXUINT32 : 0;
}

void
p2p_schedule_fill_turn (P2pShare *share, gint64 id, P2pFetchView *view)
{
  /* Of a film, everybody knows all segments from the beginning. */
  if (share->stream->live && id >= share->first_new && id <= share->newest)
    view->seen_us = MIN (share->listed_us, view->seen_us);
  view->rank = own_rank (share, id, FALSE, &view->claim_us);
  view->hidden = hidden_before (share, id);
  /* Until then everybody has waited for who says to have it. */
  view->seen_us = MAX (view->seen_us, p2p_doubt_since_us (share, id));
}

gboolean
p2p_schedule_is_owner (P2pShare *share, gint64 id)
{
  return own_rank (share, id, FALSE, NULL) == 0
      && hidden_before (share, id) < 1;
}

gboolean
p2p_schedule_is_known (P2pShare *share, gint64 id)
{
  return is_held_somewhere (share, id) || is_loading_somewhere (share, id);
}

/* Since when nobody goes on with what has begun to arrive. Who has the whole will
 * have a slot free soon; of a film, that is everybody. */
static gint64
stuck_us (P2pDownload *download, gint64 asked_us)
{
  P2pShare *share = download->share;
  gint64 since_us = MAX (download->moved_us, asked_us);

  if (!share->stream->live || download->moved_us == 0)
    return 0;
  /* To ask everybody takes its time, and is seldom needed. */
  if (share->engine->now_us >= since_us + P2P_FETCH_STUCK_US
      && !p2p_doubt_is_on (share, download->id)
      && any_peer (share, download->id, p2p_peer_has))
    return 0;

  return since_us;
}

static void
fill_view (P2pDownload *download, P2pPeer *holder, P2pFetchView *view)
{
  P2pShare *share = download->share;

  p2p_download_need (download, view);
  view->seen_us = view->asked_us;
  p2p_schedule_fill_turn (share, download->id, view);
  view->stuck_us = stuck_us (download, view->asked_us);
  view->size = MIN (p2p_download_expects (download, view->duration_us),
      p2p_tail_room (download));
  view->peers = p2p_share_open_peers (share);
  view->expect_until_us = p2p_share_expect_until_us (share);
  view->holder_free = holder != NULL;
  view->silent = download->silent;
  view->peer_bps =
      holder == NULL ? 0 : p2p_bandwidth_bps (&holder->bandwidth, view->now_us);
  /* Who is busy now will not be for long. */
  view->loading = is_loading_somewhere (share, download->id)
      || is_held_somewhere (share, download->id);
}

P2pPeer *
p2p_schedule_pick_second (P2pShare *share, gint64 id)
{
  g_autoptr (GPtrArray) holders = holders_of (share, id, FALSE);

  for (guint i = holders->len; i > 0; i--) {
    if (!p2p_peer_has (holders->pdata[i - 1], id))
      g_ptr_array_remove_index_fast (holders, i - 1);
  }

  return pick (share, holders);
}

/* What the second peer still has to give. */
static void
fill_tail (P2pDownload *download, P2pTransferView *view)
{
  if (p2p_tail_room (download) == P2P_SIZE_UNKNOWN)
    return;
  view->rest = p2p_tail_room (download);
  p2p_tail_fill (download, view);
}

/* The origin gives its part as well. It is not asked for this again. */
static void
drop_late_second (P2pDownload *download, const P2pTransferView *view)
{
  P2pPeer *second = download->tail.peer;

  if (second == NULL || !p2p_fetch_second_is_late (view))
    return;
  p2p_tail_stop (download);
  p2p_peer_forget (second, download->id);
}

/* The first peer alone would be late: a second one begins where both are done at
 * once. Returns: when to look again. */
static gint64
look_for_second (P2pDownload *download, const P2pTransferView *view)
{
  gint64 look_us = p2p_fetch_second_us (view);
  gint64 now_us = view->need.now_us;
  P2pPeer *second;
  double first_bps, second_bps, head;

  if (look_us > now_us)
    return look_us;
  if (p2p_tail_is_there (download))
    return now_us + SECOND_AGAIN_US;
  second = p2p_schedule_pick_second (download->share, download->id);
  if (second == NULL)
    return now_us + SECOND_AGAIN_US;
  first_bps = view->need.peer_bps;
  second_bps = p2p_bandwidth_bps (&second->bandwidth, now_us);
  head = first_bps == 0 || second_bps == 0
      ? 0.5
      : first_bps / (first_bps + second_bps);
  head = CLAMP (head, SECOND_PART_LEAST, 1 - SECOND_PART_LEAST);
  p2p_tail_start (download, second,
      download->entry->size + (guint64) (head * view->rest),
      "the first would be late");

  return now_us + SECOND_AGAIN_US;
}

static void
ask_origin (P2pDownload *download, const char *reason)
{
  p2p_download_start_http (download, reason);
  /* From now on it is watched. */
  p2p_race_watch (download);
}

/* A moment that was reckoned with rates as they are now, and those may fall. */
static gint64
look_until_us (P2pDownload *download, gint64 until_us)
{
  return MIN (until_us, download->share->engine->now_us + LOOK_MOST_US);
}

static void schedule_waiting (P2pDownload *download);

static void
schedule_transfer (P2pDownload *download)
{
  P2pTransferView view = { 0 };
  P2pPeer *peer = download->peer;
  P2pFetchVerdict verdict;
  gboolean was_racing;

  p2p_download_transfer (download, &view);
  view.need.stuck_us = stuck_us (download, view.need.asked_us);
  view.need.silent = download->silent;
  /* To be ranked takes its time, and is seldom needed. */
  if (p2p_fetch_rescue_us (&view.need) <= view.need.now_us)
    p2p_schedule_fill_turn (download->share, download->id, &view.need);
  /* An origin that was overtaken would give now what it gave then. */
  if (download->raced_bps != 0)
    view.need.http_bps = download->raced_bps;
  view.need.peer_bps = p2p_bandwidth_bps (&peer->bandwidth, view.need.now_us);
  fill_tail (download, &view);
  verdict = p2p_fetch_takeover (&view);
  /* It has just refused. */
  if (verdict.action == P2P_FETCH_HTTP
      && view.need.now_us < download->http_again_us)
    verdict =
        (P2pFetchVerdict){ P2P_FETCH_WAIT, download->http_again_us, NULL };
  if (verdict.action == P2P_FETCH_WAIT) {
    p2p_timer_set (&download->timer,
        MIN (look_until_us (download, verdict.until_us),
            look_for_second (download, &view)));
    return;
  }
  P2P_LOG_DEBUG (P2P_AREA_POLICY, peer->conn,
      "segment %" G_GINT64_FORMAT ": given up, %s", download->id,
      verdict.reason);
  was_racing = download->raced_bps != 0;
  p2p_download_leave_source (download);
  if (verdict.action == P2P_FETCH_HTTP) {
    drop_late_second (download, &view);
    /* It would race at once, with what it has sent already in its way. */
    if (was_racing || view.was_slow)
      p2p_peer_forget (peer, download->id);
    ask_origin (download, verdict.reason);
    return;
  }
  download->silent++;
  p2p_peer_strike (peer, download->id);
  schedule_waiting (download);
}

static void
ask_peer (P2pDownload *download, P2pPeer *holder, const char *reason)
{
  if (holder->download != NULL)
    p2p_download_leave_peer (holder->download, holder);
  p2p_download_start_peer (download, holder, reason);
  /* From now on it is watched: nothing else need happen before the origin
   * must take over. */
  schedule_transfer (download);
}

static void
schedule_waiting (P2pDownload *download)
{
  P2pFetchView view = { 0 };
  P2pFetchVerdict verdict;
  P2pPeer *holder = pick_holder (download->share, download->id, TRUE);

  /* The second has sent nothing yet, or nobody else is left to ask: it may as
   * well begin where we are. */
  if (holder == NULL && p2p_tail_is_there (download)
      && (p2p_tail_room (download) == P2P_SIZE_UNKNOWN
          || download->failure != NULL)) {
    p2p_tail_stop (download);
    holder = pick_holder (download->share, download->id, TRUE);
  }

  if (download->failure != NULL && holder == NULL) {
    p2p_download_give_up (download);
    return;
  }
  if (download->failure != NULL) {
    g_clear_pointer (&download->failure, p2p_http_failure_unref);
    download->http_again_us = download->share->engine->now_us + P2P_REFUSED_US;
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
      if (view.now_us >= download->http_again_us)
        ask_origin (download, verdict.reason);
      else if (holder != NULL)
        ask_peer (download, holder, "the origin is to be asked later");
      else
        p2p_timer_set (&download->timer, download->http_again_us);
      break;
    case P2P_FETCH_PEER:
      ask_peer (download, holder, verdict.reason);
      break;
    case P2P_FETCH_WAIT:
    case P2P_FETCH_LEAVE:
      p2p_timer_set (
          &download->timer, look_until_us (download, verdict.until_us));
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

    if (!g_ptr_array_find (share->downloads, download, NULL))
      continue;
    if (p2p_hold_is_over (download))
      p2p_hold_end (download);
    else if (download->hold != NULL)
      p2p_share_look_again (share, download->hold_until_us);
    if (!p2p_download_is_required (download))
      continue;
    if (p2p_download_is_idle (download))
      schedule_waiting (download);
    else if (download->peer != NULL)
      schedule_transfer (download);
    else
      p2p_race_watch (download);
  }
}

/* --- what comes ahead ------------------------------------------------------------- */

typedef struct
{
  guint peer_slots;
  guint http_slots;
  gboolean player_waits; /* for something that is not here yet */
} Slots;

/* How much may come ahead while the player waits for @download, and may need
 * the whole downlink soon. */
static void
yield_to (P2pDownload *download, Slots *slots)
{
  P2pFetchView view = { 0 };

  if (download->requests->len == 0)
    return;
  p2p_request_need (download->requests->pdata[0], &view);
  if (view.ahead_us >= COMFORTABLE * view.urgent_us)
    return;
  slots->http_slots = 0;
  /* On a wide line, what peers send takes nothing from it, but at the very
   * beginning. */
  if (view.ahead_us < view.urgent_us)
    slots->peer_slots = 0;
}

/* On a line that is not wide, what comes ahead takes its part from what the player
 * waits for, or will in a moment. */
static void
yield_line (P2pShare *share, Slots *slots)
{
  P2pEngine *engine = share->engine;
  gint64 duration_us = share->stream->target_duration_us;
  P2pFetchView view = { 0 };
  gint64 due_us;

  if (p2p_share_is_line_wide (share) || p2p_share_open_peers (share) == 0)
    return;
  due_us = p2p_request_due_until_us (engine);
  if (!slots->player_waits && due_us == 0)
    return;
  if (due_us != 0)
    p2p_share_look_again (share, due_us);
  view.duration_us = duration_us;
  view.ahead_us = p2p_request_least_ahead_us (engine);
  view.urgent_us = p2p_share_urgent_us (share, duration_us);
  view.size = share->mean_bytes;
  view.http_bps = p2p_engine_line_bps (engine);
  if (view.ahead_us < COMFORTABLE * view.urgent_us)
    slots->http_slots = 0;
  if (!p2p_fetch_has_time_beside (&view))
    slots->peer_slots = 0;
}

static Slots
free_slots (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  Slots slots = { p2p_share_line_carries (share, PEER_PREFETCHES_MAX),
    HTTP_PREFETCHES_MAX, FALSE };
  gboolean counts_http = share->stream->live && !p2p_share_is_line_wide (share);
  guint i;

  /* They would still be there when the player asks for its next one. */
  slots.http_slots = p2p_pace_beside (
      p2p_bandwidth_bps (&engine->http_bandwidth, engine->now_us),
      share->stream->bitrate, HTTP_PREFETCHES_MAX);

  /* Who has just come may hold what we would fetch. */
  if (p2p_share_expect_until_us (share) > engine->now_us)
    slots.http_slots = 0;

  if (share->claim_until_us != 0 && slots.http_slots > 0)
    slots.http_slots--;
  for (i = 0; i < share->downloads->len; i++) {
    P2pDownload *download = share->downloads->pdata[i];

    if ((download->peer != NULL || (download->http != 0 && counts_http))
        && slots.peer_slots > 0)
      slots.peer_slots--;
    if (download->http != 0 && slots.http_slots > 0)
      slots.http_slots--;
    slots.player_waits |= p2p_download_is_required (download);
    /* The player goes first on the way to the origin. */
    if (p2p_download_is_required (download) && download->peer == NULL)
      slots.http_slots = 0;
    /* A thin downlink would share itself with what can wait, and playback
     * begin the later for it. */
    yield_to (download, &slots);
  }
  yield_line (share, &slots);

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
  P2pDownload *download = p2p_download_find (share, id);

  /* One that has lost its source takes another. */
  return !p2p_download_has_source (share, id)
      && (download == NULL || !p2p_download_is_required (download));
}

static P2pDownload *
ensure_download (P2pShare *share, gint64 id)
{
  P2pDownload *download = p2p_download_find (share, id);

  return download != NULL ? download : p2p_download_new (share, id);
}

/* Who gets the newest segment first passes it on to the others: that is for those
 * who send to nobody. Not what has begun: others may wait for it behind us. */
static gboolean
leaves_to_idle (P2pShare *share, gint64 id, const Slots *slots)
{
  P2pEngine *engine = share->engine;
  GPtrArray *segments = share->stream->segments;
  const P2pSegment *last;
  gint64 until_us;

  if (!share->stream->live || id != share->offered || slots->player_waits
      || p2p_download_find (share, id) != NULL)
    return FALSE;
  last = segments->pdata[segments->len - 1];
  until_us = share->offered_us
      + p2p_serve_patience_us (p2p_upload_load (share), last->duration_us);
  if (engine->now_us >= until_us)
    return FALSE;
  p2p_share_look_again (share, until_us);

  return TRUE;
}

static gboolean
prefetch_from_peer (P2pShare *share, gint64 id, Slots *slots)
{
  P2pPeer *holder;

  if (slots->peer_slots == 0 || leaves_to_idle (share, id, slots))
    return FALSE;
  holder = pick_holder (share, id, FALSE);
  if (holder == NULL)
    return FALSE;
  slots->peer_slots--;
  p2p_download_start_peer (
      ensure_download (share, id), holder, "ahead of the player");

  return TRUE;
}

/* Whether nobody whom we do not see yet is likely to have it, or to be its
 * owner. Who has just joined meets the others one after the other. */
static gboolean
knows_swarm (P2pShare *share, gint64 id)
{
  P2pEngine *engine = share->engine;

  if (engine->now_us < share->joined_us + SETTLE_US) {
    p2p_share_look_again (share, share->joined_us + SETTLE_US);
    return FALSE;
  }

  return hidden_before (share, id) < 1;
}

/* The newest segments of a live stream are not known to everybody yet: whoever
 * is the first to know claims them. All others have an owner. */
static gboolean
is_our_turn (P2pShare *share, gint64 id, gint64 distance_us)
{
  P2pFetchView view = { .now_us = share->engine->now_us };
  gint64 turn_us;

  if (!share->stream->live || id < share->first_new)
    return own_rank (share, id, FALSE, NULL) == 0
        && (distance_us < SOON_US || knows_swarm (share, id));
  view.seen_us = share->listed_us;
  view.duration_us = share->stream->target_duration_us;
  p2p_schedule_fill_turn (share, id, &view);
  turn_us = p2p_fetch_turn_us (&view)
      + p2p_serve_patience_us (p2p_upload_load (share), view.duration_us);
  if (view.now_us < turn_us)
    p2p_share_look_again (share, turn_us);

  return view.now_us >= turn_us;
}

static void
prefetch_from_origin (
    P2pShare *share, gint64 id, gint64 distance_us, Slots *slots)
{
  if (slots->http_slots == 0 || p2p_share_is_bad (share, id)
      || p2p_schedule_is_known (share, id)
      || !is_our_turn (share, id, distance_us))
    return;
  slots->http_slots--;
  if (!p2p_claim_make (share, id))
    return;
  p2p_download_start_http (
      ensure_download (share, id), "our turn, ahead of the player");
}

/* Nobody to share with. A player that fills its buffer asks for the next segment
 * at once: it need not wait for the way to the origin. */
static void
schedule_next (P2pShare *share, Slots *slots)
{
  const P2pSegment *next =
      p2p_stream_segment (share->stream, share->position + 1);

  if (slots->http_slots > 0 && next != NULL && !next->gap
      && share->engine->admitted_us != 0
      && p2p_tracker_known_peers (share->engine, share) == 0
      && is_wanted (share, next->id) && !p2p_share_is_bad (share, next->id))
    p2p_download_start_http (
        ensure_download (share, next->id), "asked for next");
}

static gboolean
has_just_failed (const P2pDownload *download)
{
  return download != NULL
      && (download->failure != NULL
          || download->share->engine->now_us < download->http_again_us);
}

/* Others have heard of it and wait: whatever the player does now, it is fetched. */
static void
schedule_claim (P2pShare *share)
{
  gint64 id = share->claim;
  P2pDownload *download = p2p_download_find (share, id);

  if (share->claim_until_us == 0)
    return;
  if (!p2p_share_is_followed (share) || share->profile == NULL
      || p2p_stream_segment (share->stream, id) == NULL
      || p2p_download_has_source (share, id) || has_just_failed (download)) {
    p2p_claim_end (share);
    return;
  }
  /* The player need not wait for word of others. */
  if (download != NULL && p2p_download_is_required (download)
      && p2p_claim_is_best (share)) {
    p2p_claim_end (share);
    ask_origin (download, "ours");
    return;
  }
  if (p2p_claim_has_won (share))
    p2p_download_start_http (
        ensure_download (share, id), "ours, ahead of the player");
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
  gboolean is_alone = p2p_share_open_peers (share) == 0;

  /* In this order: what is ahead is counted through the whole store. */
  if (share->profile == NULL || segments->len == 0
      || !p2p_share_is_followed (share) || (is_alone && !share->is_hurried)
      || !has_room_ahead (share))
    return;
  if (is_alone) {
    schedule_next (share, &slots);
    return;
  }

  anchor = p2p_stream_segment (share->stream, share->position);
  if (anchor == NULL)
    anchor = segments->pdata[0];
  last = p2p_share_last_listed (share);
  for (id = anchor->id + 1, scanned = 0; id <= last && scanned < SCAN_MAX
       && (slots.peer_slots > 0 || slots.http_slots > 0);
       id++, scanned++) {
    const P2pSegment *segment = p2p_stream_segment (share->stream, id);
    gint64 distance_us = segment->start_us - anchor->start_us;

    if (distance_us > MAX (engine->p2p_window_us, engine->http_window_us))
      break;
    if (segment->gap || !is_wanted (share, id) || p2p_claim_is_open (share, id))
      continue;
    if (distance_us <= engine->p2p_window_us
        && prefetch_from_peer (share, id, &slots))
      continue;
    if (distance_us <= engine->http_window_us)
      prefetch_from_origin (share, id, distance_us, &slots);
  }

  if (!share->stream->live || share->position + UNLISTED_BEHIND < last)
    return;
  for (id = last + 1; id <= last + P2P_ANNOUNCED_AHEAD && id <= share->offered;
       id++) {
    if (is_wanted (share, id))
      prefetch_from_peer (share, id, &slots);
  }
}

/* Prefetches that lost their source and found no other. */
static void
drop_idle_prefetches (P2pShare *share)
{
  guint i;

  for (i = share->downloads->len; i > 0; i--) {
    P2pDownload *download = share->downloads->pdata[i - 1];

    if (!p2p_download_is_required (download) && p2p_download_is_idle (download))
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
    p2p_doubt_check (share);
    schedule_claim (share);
    schedule_required (share);
    schedule_ahead (share);
    drop_idle_prefetches (share);
  }
}

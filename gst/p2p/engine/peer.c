/* p2phlssrc: one remote viewer: its connection, what it sends us and what it
 * takes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/peer-protocol.md.
 */
#include "engine-private.h"
#include "policy/election.h"

/* Exchange timeouts: our own for gathering; as P2P Media Loader 5 (its
 * webRtcOfferTimeoutMs, and webRtcConnectionTimeoutMs plus 5 s). */
#define GATHER_US (10 * G_USEC_PER_SEC)
#define OFFER_US (50 * G_USEC_PER_SEC)
#define ANSWERER_US (20 * G_USEC_PER_SEC)

/* p2pNotReceivingBytesTimeoutMs, p2pErrorRetries. */
#define NO_BYTES_US (2 * G_USEC_PER_SEC)
#define STRIKES_MAX 3

/* Who passes on what still arrives may be kept waiting itself: several of its
 * failures are one. */
#define RELAYS_FOR_STRIKE 3

/* How long one segment may take that nobody waits for yet: a peer that sends
 * a little now and then would hold up what others could send. */
#define PREFETCH_LEAST_US (20 * G_USEC_PER_SEC)
#define PREFETCH_DURATIONS 8

/* A peer that takes nothing out of a full channel this long never reads. */
#define NOT_READING_US (30 * G_USEC_PER_SEC)

/* A peer that is busy is asked again after one to two of these, doubled each
 * time, or when it has something new. */
#define BUSY_US (80 * 1000)
#define BUSY_DOUBLINGS_MAX 3

/* Newest segments of a live stream that an announcement is looked through for,
 * and with those that are not listed yet. */
#define NEWS_MAX 6
#define NEWS_WINDOW (NEWS_MAX + P2P_ANNOUNCED_AHEAD)

/* Of a film everybody tells of each segment that he stores, most of them played in
 * minutes: to look for those so often is enough. */
#define FILM_NEWS_US (250 * 1000)

/* A browser that broke the protocol does so again as soon as it is back. */
#define SHUN_US (600 * G_USEC_PER_SEC)
#define COMMANDS_PERIOD_US (10 * G_USEC_PER_SEC)

/* --- life ------------------------------------------------------------------ */

/* When what it sends has taken too long. What the player waits for is taken
 * over sooner, by policy. */
static gint64
give_up_us (P2pPeer *peer)
{
  P2pDownload *download = peer->download;
  const P2pSource *source;
  gint64 silent_us, late_us;
  gboolean is_doubted;

  if (download == NULL)
    return P2P_NEVER;
  source = p2p_download_source_of (download, peer);
  is_doubted = source->bytes == 0 && p2p_doubt_of (peer, download->id);
  silent_us =
      source->last_byte_us + (is_doubted ? P2P_FETCH_STUCK_US : NO_BYTES_US);
  late_us = source->begun_us
      + MAX (PREFETCH_LEAST_US,
          PREFETCH_DURATIONS * peer->share->stream->target_duration_us);

  return p2p_download_is_required (download) ? silent_us
                                             : MIN (silent_us, late_us);
}

static void
arm_open_timer (P2pPeer *peer)
{
  gint64 deadline_us = give_up_us (peer);

  if (peer->overflowed)
    return;
  if (peer->blocked_since_us != 0)
    deadline_us = MIN (deadline_us, peer->blocked_since_us + NOT_READING_US);
  /* Each message moves it: it looks again when it fires too soon. */
  if (deadline_us != P2P_NEVER)
    p2p_timer_set_sooner (&peer->timer, deadline_us);
}

void
p2p_peer_watch (P2pPeer *peer)
{
  if (peer->state == P2P_PEER_OPEN)
    arm_open_timer (peer);
}

static void
on_open_timer (P2pPeer *peer, gint64 now_us)
{
  if (peer->overflowed
      || (peer->blocked_since_us != 0
          && now_us >= peer->blocked_since_us + NOT_READING_US)) {
    p2p_peer_drop (peer, "it never reads");
    return;
  }
  if (now_us >= give_up_us (peer)) {
    gint64 id = peer->download->id;

    P2P_LOG_DEBUG (P2P_AREA_PEER, peer->conn,
        "segment %" G_GINT64_FORMAT " takes too long", id);
    p2p_download_leave_peer (peer->download, peer);
    p2p_peer_strike (peer, id);
    return;
  }
  arm_open_timer (peer);
}

static void
on_timer (gpointer owner, gint64 now_us)
{
  P2pPeer *peer = owner;

  switch (peer->state) {
    case P2P_PEER_GATHERING:
      p2p_peer_drop (peer, "no offer could be made");
      break;
    case P2P_PEER_OFFERED:
      p2p_peer_drop (peer, "nobody answered the offer");
      break;
    case P2P_PEER_ANSWERING:
    case P2P_PEER_ANSWERED:
      p2p_peer_drop (peer, "it could not be reached");
      break;
    case P2P_PEER_OPEN:
      on_open_timer (peer, now_us);
      break;
  }
}

P2pPeer *
p2p_peer_new (P2pSwarm *swarm, P2pTracker *tracker, P2pPeerState state)
{
  P2pShare *share = swarm->share;
  P2pEngine *engine = share->engine;
  P2pPeer *peer = g_new0 (P2pPeer, 1);

  peer->share = share;
  peer->swarm = swarm;
  peer->tracker = tracker;
  peer->conn = p2p_engine_number (engine);
  peer->state = state;
  peer->since_us = engine->now_us;
  p2p_timer_init (&peer->timer, engine->timers, on_timer, peer);
  p2p_timer_set (&peer->timer,
      engine->now_us + (state == P2P_PEER_GATHERING ? GATHER_US : ANSWERER_US));
  g_hash_table_insert (engine->peers, &peer->conn, peer);
  g_ptr_array_add (share->peers, peer);

  return peer;
}

void
p2p_peer_free (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;
  P2pDownload *download = g_steal_pointer (&peer->download);

  if (download != NULL)
    p2p_download_peer_gone (download, peer);
  p2p_upload_forget (peer);
  engine->ports.transport->ops->close (engine->ports.transport, peer->conn);
  g_hash_table_remove (engine->peers, &peer->conn);
  engine->at_hand[peer->conn & (P2P_PEERS_AT_HAND - 1)] = NULL;
  p2p_timer_clear (&peer->timer);
  g_clear_pointer (&peer->joiner, p2p_command_joiner_free);
  p2p_id_set_clear (&peer->loaded);
  p2p_id_set_clear (&peer->loading);
  p2p_id_set_clear (&peer->arriving);
  p2p_id_set_clear (&peer->hearsay);
  p2p_id_set_clear (&peer->rumours);
  if (peer->state == P2P_PEER_OPEN) {
    peer->share->n_open--;
    peer->share->n_silent -= !peer->heard;
  }
  g_free (peer->offer_id);
  g_free (peer->sdp);
  g_free (peer);
}

void
p2p_peer_drop (P2pPeer *peer, const char *reason)
{
  P2pShare *share = peer->share;
  P2pSwarm *swarm = peer->swarm;
  P2pTracker *tracker = peer->tracker;
  gboolean was_open = peer->state == P2P_PEER_OPEN;
  gboolean was_gathering = peer->state == P2P_PEER_GATHERING;

  P2P_LOG_AT (was_open ? P2P_LOG_LEVEL_INFO : P2P_LOG_LEVEL_DEBUG,
      P2P_AREA_PEER, peer->conn, "peer %s: closed, %s",
      peer->has_id ? peer->id.text : "(unanswered)", reason);
  g_ptr_array_remove_fast (share->peers, peer);
  p2p_share_wants_schedule (share);
  /* What it said is no longer so. */
  if (was_open)
    p2p_announce_words (share);
  if (was_open)
    p2p_tracker_peer_lost (share);
  else if (was_gathering)
    p2p_tracker_offer_settled (tracker, swarm);
}

gboolean
p2p_peer_is_shunned (P2pEngine *engine, const P2pPeerId *id)
{
  guint n = MIN (engine->n_shunned, P2P_SHUNNED_MAX);

  for (guint i = 0; i < n; i++) {
    const P2pShunned *shunned = &engine->shunned[i];

    if (engine->now_us < shunned->until_us
        && p2p_peer_id_equal (&shunned->id, id))
      return TRUE;
  }

  return FALSE;
}

static void
shun (P2pEngine *engine, const P2pPeerId *id)
{
  engine->shunned[engine->n_shunned++ % P2P_SHUNNED_MAX] = (P2pShunned){
    .id = *id,
    .until_us = engine->now_us + SHUN_US,
  };
}

void
p2p_peer_violates (P2pPeer *peer, const char *what)
{
  P2P_LOG_WARNING (P2P_AREA_PEER, peer->conn, "peer %s breaks the protocol: %s",
      peer->id.text, what);
  shun (peer->share->engine, &peer->id);
  p2p_peer_drop (peer, "protocol violation");
}

void
p2p_peer_identify (P2pPeer *peer, const P2pPeerId *id)
{
  peer->has_id = TRUE;
  peer->id = *id;
  peer->native = strncmp (id->text, "-GS", 3) == 0;
}

void
p2p_peer_sdp (P2pPeer *peer, const char *sdp)
{
  P2pEngine *engine = peer->share->engine;

  if (peer->state == P2P_PEER_GATHERING && peer->sdp == NULL) {
    peer->sdp = g_strdup (sdp);
    p2p_timer_set (&peer->timer, engine->now_us + OFFER_US);
    p2p_tracker_offer_settled (peer->tracker, peer->swarm);
  } else if (peer->state == P2P_PEER_ANSWERING) {
    p2p_timer_set (&peer->timer, engine->now_us + ANSWERER_US);
    p2p_tracker_answer_ready (peer, sdp);
  }
}

void
p2p_peer_open (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;

  if (!peer->has_id || peer->state == P2P_PEER_OPEN)
    return;
  peer->state = P2P_PEER_OPEN;
  peer->share->n_open++;
  peer->share->n_silent++;
  peer->since_us = engine->now_us;
  peer->joiner = p2p_command_joiner_new ();
  peer->commands_since_us = engine->now_us;
  arm_open_timer (peer);
  P2P_LOG_INFO (P2P_AREA_PEER, peer->conn, "peer %s (%s): connected",
      peer->id.text, peer->swarm->protocol == P2P_PROTOCOL_V3 ? "v3" : "v2");
  p2p_peer_send_announcement (peer, NULL);
  p2p_share_wants_schedule (peer->share);
}

gboolean
p2p_peer_is_native (const P2pPeer *peer)
{
  return peer->native;
}

gboolean
p2p_peer_elects (const P2pPeer *peer)
{
  return peer->swarm->protocol == P2P_PROTOCOL_V3 || p2p_peer_is_native (peer);
}

/* --- sending ------------------------------------------------------------------ */

/* A peer that makes us answer and reads nothing: not from inside, the
 * callers still hold it. */
static void
check_overflow (P2pPeer *peer)
{
  if (peer->buffered <= P2P_SEND_MAX_BYTES || peer->overflowed)
    return;
  peer->overflowed = TRUE;
  p2p_timer_set (&peer->timer, peer->share->engine->now_us);
}

void
p2p_peer_send_message (P2pPeer *peer, GBytes *message)
{
  P2pEngine *engine = peer->share->engine;

  peer->buffered = engine->ports.transport->ops->send (
      engine->ports.transport, peer->conn, message);
  if (peer->buffered > p2p_upload_waiting_most (engine)
      && peer->blocked_since_us == 0) {
    peer->blocked_since_us = engine->now_us;
    arm_open_timer (peer);
  }
  check_overflow (peer);
}

gboolean
p2p_peer_is_full (const P2pPeer *peer)
{
  return peer->blocked_since_us != 0;
}

static void
send_all (P2pPeer *peer, GPtrArray *messages)
{
  guint i;

  for (i = 0; i < messages->len; i++)
    p2p_peer_send_message (peer, messages->pdata[i]);
}

void
p2p_peer_send_command (P2pPeer *peer, const P2pCommand *command)
{
  g_autoptr (GPtrArray) messages =
      p2p_command_encode (command, P2P_MESSAGE_MAX_BYTES);

  send_all (peer, messages);
}

void
p2p_peer_send_announcement (P2pPeer *peer, GPtrArray *messages)
{
  g_autoptr (GPtrArray) own = NULL;

  /* With upload off, one empty announcement takes back an earlier one. */
  if (!peer->share->engine->upload && !peer->announced)
    return;
  if (p2p_peer_is_full (peer)) {
    peer->announce_late = TRUE;
    return;
  }
  peer->announce_late = FALSE;
  peer->awaits_word = FALSE;
  peer->announced = peer->share->engine->upload;
  if (messages == NULL)
    messages = own = p2p_announce_tell (peer->share, peer);
  send_all (peer, messages);
}

void
p2p_peer_low_water (P2pPeer *peer)
{
  if (peer->state != P2P_PEER_OPEN)
    return;
  peer->buffered = 0;
  peer->blocked_since_us = 0;
  arm_open_timer (peer);
  if (peer->announce_late)
    p2p_peer_send_announcement (peer, NULL);
  p2p_upload_pump (peer);
}

/* --- what it holds ---------------------------------------------------------------- */

static gint64
external_id (P2pPeer *peer, gint64 id)
{
  return p2p_stream_external_id (
      peer->share->stream, peer->swarm->protocol, id);
}

gboolean
p2p_peer_has (P2pPeer *peer, gint64 id)
{
  return p2p_id_set_has (&peer->loaded, external_id (peer, id));
}

gboolean
p2p_peer_gives (P2pPeer *peer, gint64 id)
{
  gint64 external = external_id (peer, id);

  return (p2p_id_set_has (&peer->loaded, external)
             || p2p_id_set_has (&peer->arriving, external))
      && !p2p_doubt_of (peer, id);
}

gboolean
p2p_peer_is_loading (P2pPeer *peer, gint64 id)
{
  return p2p_id_set_has (&peer->loading, external_id (peer, id));
}

gboolean
p2p_peer_has_heard (P2pPeer *peer, gint64 id)
{
  gint64 external = external_id (peer, id);

  return p2p_id_set_has (&peer->hearsay, external)
      || p2p_id_set_has (&peer->rumours, external);
}

guint32
p2p_peer_score (P2pPeer *peer, gint64 id)
{
  guint slot = id & (G_N_ELEMENTS (peer->scores) - 1);
  gint64 elected =
      p2p_stream_external_id (peer->share->stream, P2P_PROTOCOL_V3, id);

  if (!peer->scores[slot].is_set || peer->scores[slot].id != elected) {
    peer->scores[slot].is_set = TRUE;
    peer->scores[slot].id = elected;
    peer->scores[slot].score = p2p_election_score (&peer->id, elected);
  }

  return peer->scores[slot].score;
}

gint64
p2p_peer_own_claim (P2pPeer *peer, gint64 id)
{
  if (p2p_peer_gives (peer, id))
    return 0;
  if (!p2p_peer_is_loading (peer, id))
    return P2P_NEVER;

  return peer->has_open && peer->open == external_id (peer, id)
      ? p2p_election_claim (p2p_peer_score (peer, id))
      : 0;
}

static gint64
claim_in (P2pPeer *peer, gint64 id, const P2pIdSet *hearsay, gint64 claim)
{
  gint64 external = external_id (peer, id);

  return external == hearsay->last && p2p_id_set_has (hearsay, external)
      ? claim
      : P2P_NEVER;
}

gint64
p2p_peer_heard_claim (P2pPeer *peer, gint64 id)
{
  return claim_in (peer, id, &peer->hearsay, peer->hearsay_claim);
}

gint64
p2p_peer_best_claim (P2pPeer *peer, gint64 id)
{
  gint64 heard = p2p_peer_heard_claim (peer, id);
  gint64 rumoured = claim_in (peer, id, &peer->rumours, peer->rumours_claim);

  return MIN (p2p_peer_own_claim (peer, id), MIN (heard, rumoured));
}

P2pWords
p2p_peer_words (P2pPeer *peer, gint64 first, guint n)
{
  gint64 external = external_id (peer, first);
  P2pWords words;

  words.gives = p2p_id_set_window (&peer->loaded, external, n)
      | p2p_id_set_window (&peer->arriving, external, n);
  words.loading = p2p_id_set_window (&peer->loading, external, n);
  words.heard = p2p_id_set_window (&peer->hearsay, external, n);
  words.rumoured = p2p_id_set_window (&peer->rumours, external, n);
  words.heard_claim = peer->hearsay_claim;
  words.rumoured_claim = peer->rumours_claim;

  return words;
}

static void
forget_id (P2pPeer *peer, gint64 external)
{
  p2p_id_set_remove (&peer->loaded, external);
  p2p_id_set_remove (&peer->arriving, external);
  peer->has_words = FALSE;
}

gint64
p2p_peer_claim_us (const P2pPeer *peer)
{
  /* Half a round trip, and as much again for what machines add. */
  return CLAMP (
      peer->answer_us, P2P_FETCH_CLAIM_LEAST_US, P2P_FETCH_CLAIM_MOST_US);
}

/* Who is seldom asked for anything shows no time of its own. */
static void
measure_path (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;
  P2pTransportInfo info = { 0 };

  if (peer->answer_us != 0)
    return;
  engine->ports.transport->ops->info (
      engine->ports.transport, peer->conn, &info);
  peer->answer_us = info.rtt_us;
}

/* Of a live stream only the newest can be wanted that were not before: those
 * from here on. Of a film, what is played now and next is wanted at once. */
static gint64
first_news (P2pShare *share)
{
  return share->stream->live ? share->newest + 1 - NEWS_MAX : share->position;
}

static guint64
all_words (const P2pWords *words)
{
  return words->gives | words->loading | words->heard | words->rumoured;
}

/* Whether it has more than @before of what we lack and are not getting, or takes
 * back what we may have waited for. Who only promises more makes nobody do anything
 * sooner. */
static gboolean
brings_news (P2pPeer *peer, const P2pWords *before, const P2pWords *words)
{
  P2pShare *share = peer->share;
  guint64 news = (words->gives ^ before->gives)
      | (all_words (before) & ~all_words (words));

  for (; news != 0; news &= news - 1) {
    if (!p2p_download_has_source (
            share, first_news (share) + __builtin_ctzll (news)))
      return TRUE;
  }

  return FALSE;
}

/* What had stopped may go on: it says since @before that it goes to the origin. */
static void
note_claims (P2pPeer *peer, const P2pWords *before, const P2pWords *words)
{
  P2pShare *share = peer->share;
  guint64 claims = words->loading & ~before->loading;

  for (; claims != 0; claims &= claims - 1) {
    P2pDownload *download = p2p_download_find (
        share, first_news (share) + __builtin_ctzll (claims));

    if (download != NULL)
      download->moved_us = share->engine->now_us;
  }
}

/* The newest that it knows of may be newer than what we do. */
static void
note_newest (P2pPeer *peer, const P2pIdSet *named)
{
  P2pShare *share = peer->share;
  gint64 id;

  if (p2p_id_set_is_empty (named))
    return;
  id =
      p2p_stream_segment_id (share->stream, peer->swarm->protocol, named->last);
  if (id == share->newest + 1)
    p2p_sights_add (&share->sights, id, share->engine->now_us);
}

static void
note_offered (P2pPeer *peer, const P2pIdSet *named)
{
  P2pShare *share = peer->share;
  gint64 newest;

  if (p2p_id_set_is_empty (named))
    return;
  newest =
      p2p_stream_segment_id (share->stream, peer->swarm->protocol, named->last);
  /* What nobody can know of yet would stand in the way of what comes. */
  if (newest <= share->offered
      || newest > p2p_share_last_listed (share) + P2P_ANNOUNCED_AHEAD)
    return;
  share->offered = newest;
  share->offered_us = share->engine->now_us;
}

/* Of the segments that wait for somebody, how many it speaks of. */
static guint
count_promises (P2pPeer *peer)
{
  GPtrArray *downloads = peer->share->downloads;
  guint promises = 0;
  guint i;

  for (i = 0; i < downloads->len; i++) {
    P2pDownload *download = downloads->pdata[i];

    promises += p2p_download_is_idle (download)
        && (p2p_peer_gives (peer, download->id)
            || p2p_peer_is_loading (peer, download->id)
            || p2p_peer_has_heard (peer, download->id));
  }

  return promises;
}

static guint
count_ids (const P2pCommand *command)
{
  const GArray *const lists[] = { command->loaded, command->loading,
    command->arriving, command->heard, command->rumoured };
  guint count = 0;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (lists); i++)
    count += lists[i] != NULL ? lists[i]->len : 0;

  return count;
}

static void
on_announcement (P2pPeer *peer, P2pCommand *command)
{
  P2pShare *share = peer->share;
  P2pWords before = p2p_peer_words (peer, first_news (share), NEWS_WINDOW);
  P2pWords newest_before = *p2p_announce_words_of (peer);
  P2pWords words;
  guint promised = count_promises (peer);
  gboolean first = !peer->heard;

  peer->announced_ids += count_ids (command);
  if (++peer->announcements > P2P_ANNOUNCEMENTS_PER_10S
      || peer->announced_ids > P2P_ANNOUNCED_IDS_PER_10S) {
    p2p_peer_violates (peer, "a flood of announcements");
    return;
  }
  peer->share->n_silent -= first;
  peer->heard = TRUE;
  p2p_id_set_take (&peer->loaded, &command->loaded);
  p2p_id_set_take (&peer->loading, &command->loading);
  p2p_id_set_take (&peer->arriving, &command->arriving);
  p2p_id_set_take (&peer->hearsay, &command->heard);
  p2p_id_set_take (&peer->rumours, &command->rumoured);
  peer->has_open = command->has_open;
  peer->open = command->open;
  peer->hearsay_claim = MAX (command->heard_claim, 0);
  peer->rumours_claim = MAX (command->rumoured_claim, 0);
  peer->has_words = FALSE;
  note_newest (peer, &peer->loading);
  note_newest (peer, &peer->arriving);
  note_offered (peer, &peer->loaded);
  note_offered (peer, &peer->arriving);
  words = p2p_peer_words (peer, first_news (share), NEWS_WINDOW);
  note_claims (peer, &before, &words);
  p2p_doubt_heard (peer, first_news (share), &before, &words);
  p2p_announce_heard (peer, &newest_before);
  p2p_upload_heard (peer);
  measure_path (peer);
  /* What it takes back is news to who waits for it, and so is its first word
   * at all. */
  if (first || share->claim_until_us != 0 || count_promises (peer) < promised
      || brings_news (peer, &before, &words))
    p2p_share_wants_schedule (share);
  else if (!share->stream->live)
    p2p_share_look_again (share, share->engine->now_us + FILM_NEWS_US);
}

/* --- what we ask of it --------------------------------------------------------------- */

void
p2p_peer_request (P2pPeer *peer, P2pDownload *download, guint64 from)
{
  P2pCommand command = { .kind = P2P_COMMAND_REQUEST };

  g_assert (peer->state == P2P_PEER_OPEN && peer->download == NULL);
  /* A counter modulo 10^9, as P2P Media Loader 5. */
  peer->last_request = (peer->last_request + 1) % 1000000000;
  peer->download = download;
  peer->down_request = peer->last_request;
  peer->down_begun = FALSE;
  peer->down_rest = 0;
  peer->down_came = 0;
  peer->requested_us = peer->share->engine->now_us;
  command.segment_id = external_id (peer, download->id);
  command.request_id = peer->down_request;
  command.byte_from = from;
  if (p2p_peer_is_native (peer))
    command.needed_ms = p2p_download_needed_us (download) / 1000;
  p2p_peer_send_command (peer, &command);
  arm_open_timer (peer);
}

void
p2p_peer_cancel (P2pPeer *peer)
{
  P2pDownload *download = g_steal_pointer (&peer->download);
  P2pCommand command = { .kind = P2P_COMMAND_CANCEL,
    .has_size = p2p_peer_is_native (peer),
    .size = peer->down_came };

  g_assert (download != NULL);
  command.segment_id = external_id (peer, download->id);
  command.request_id = peer->down_request;
  p2p_peer_send_command (peer, &command);
  arm_open_timer (peer);
}

void
p2p_peer_forget (P2pPeer *peer, gint64 id)
{
  forget_id (peer, external_id (peer, id));
}

void
p2p_peer_strike (P2pPeer *peer, gint64 id)
{
  /* Who is left early for the sake of others counts as one that relays. */
  gboolean relayed = !p2p_peer_has (peer, id) || p2p_doubt_of (peer, id);

  forget_id (peer, external_id (peer, id));
  peer->strikes += relayed ? 1 : RELAYS_FOR_STRIKE;
  if (peer->strikes >= STRIKES_MAX * RELAYS_FOR_STRIKE)
    p2p_peer_drop (peer, "it kept us waiting three times in a row");
}

static void
on_data (P2pPeer *peer, const P2pCommand *command)
{
  P2pDownload *download = peer->download;
  gint64 now_us = peer->share->engine->now_us;

  if (command->size < 0) {
    p2p_peer_violates (peer, "a negative size");
    return;
  }
  if (download == NULL || peer->down_begun
      || command->request_id != peer->down_request
      || command->segment_id != external_id (peer, download->id))
    return;
  if (command->size > P2P_SEGMENT_MAX_BYTES
      || (command->size == 0 && peer == download->peer
          && download->entry->size == 0)) {
    p2p_peer_violates (peer, "a segment of nothing, or over the bound");
    return;
  }
  /* It may be another that lied: nobody is shunned for it, and who was asked for
   * the end only is left for another try. */
  if (!p2p_download_peer_begins (download, peer, command->size)) {
    if (peer == download->tail.peer) {
      p2p_tail_stop (download);
      forget_id (peer, command->segment_id);
    } else {
      p2p_peer_drop (peer, "a segment of another length");
    }
    return;
  }
  peer->down_begun = TRUE;
  peer->refusals = 0;
  peer->down_rest = command->size;
  peer->down_spare = P2P_SEGMENT_MESSAGES * P2P_SEGMENT_MESSAGE_BYTES;
  if (peer->answer_us == 0 || now_us - peer->requested_us < peer->answer_us)
    peer->answer_us = now_us - peer->requested_us;
  peer->unasked = 0;
}

static void
finish_download (P2pPeer *peer)
{
  P2pDownload *download = g_steal_pointer (&peer->download);

  peer->strikes = 0;
  peer->awaits_word = TRUE;
  arm_open_timer (peer);
  p2p_download_peer_completed (download, peer);
}

static void
on_bytes (P2pPeer *peer, GBytes *message)
{
  P2pEngine *engine = peer->share->engine;
  gsize size = g_bytes_get_size (message);

  engine->arrived_bytes += size;
  if (peer->download == NULL || !peer->down_begun) {
    engine->overhead_bytes += size;
    peer->unasked += size;
    if (peer->unasked > P2P_UNASKED_MAX_BYTES)
      p2p_peer_violates (peer, "bytes that nobody asked for");
    return;
  }
  if (size > peer->down_rest) {
    p2p_peer_violates (peer, "more bytes than it said");
    return;
  }
  peer->down_spare += (gint64) size - P2P_SEGMENT_MESSAGE_BYTES;
  if (peer->down_spare < 0) {
    p2p_peer_violates (peer, "a segment in crumbs");
    return;
  }
  peer->down_rest -= size;
  peer->down_bytes += size;
  peer->down_came += size;
  p2p_download_peer_data (peer->download, peer, message);
  /* It has come to what another peer sends. */
  if (peer->download == NULL) {
    peer->strikes = 0;
    return;
  }
  /* Whole with its last byte: COMPLETED, which follows, says nothing more,
   * and may never come. */
  if (peer->down_rest == 0)
    finish_download (peer);
  else
    arm_open_timer (peer);
}

static void
on_completed (P2pPeer *peer, const P2pCommand *command)
{
  P2pDownload *download = peer->download;

  if (download == NULL || !peer->down_begun)
    return;
  if (command->request_id != peer->down_request
      || command->segment_id != external_id (peer, download->id)) {
    p2p_peer_violates (peer, "completed another request");
    return;
  }
  if (peer->down_rest != 0) {
    p2p_peer_violates (peer, "completed too early");
    return;
  }
  finish_download (peer);
}

/* One of ours says so of what it has while its uplink is taken. Who was refused
 * together does not come again together. */
static gint64
busy_until_us (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;
  gint64 wait_us = BUSY_US << MIN (peer->refusals, BUSY_DOUBLINGS_MAX);

  peer->refusals++;

  return engine->now_us + wait_us + p2p_prng_below (&engine->prng, wait_us);
}

static void
on_absent (P2pPeer *peer, const P2pCommand *command)
{
  P2pDownload *download = peer->download;

  if (p2p_peer_is_native (peer)) {
    peer->busy_until_us = busy_until_us (peer);
    p2p_share_look_again (peer->share, peer->busy_until_us);
  } else {
    forget_id (peer, command->segment_id);
  }
  if (download == NULL || command->request_id != peer->down_request
      || command->segment_id != external_id (peer, download->id))
    return;
  peer->download = NULL;
  arm_open_timer (peer);
  p2p_download_peer_gone (download, peer);
}

/* --- receiving ------------------------------------------------------------------------------ */

/* Each costs us more than them. */
static gboolean
is_flood (P2pPeer *peer)
{
  gint64 now_us = peer->share->engine->now_us;

  if (now_us - peer->commands_since_us > COMMANDS_PERIOD_US) {
    peer->commands_since_us = now_us;
    peer->commands = peer->announcements = peer->announced_ids = 0;
  }

  return ++peer->commands > P2P_COMMANDS_PER_10S;
}

static void
handle_command (P2pPeer *peer, P2pCommand *command)
{
  if (is_flood (peer)) {
    p2p_peer_violates (peer, "a flood of commands");
    return;
  }
  switch (command->kind) {
    case P2P_COMMAND_ANNOUNCE:
      on_announcement (peer, command);
      break;
    case P2P_COMMAND_REQUEST:
      p2p_upload_request (peer, command);
      break;
    case P2P_COMMAND_DATA:
      on_data (peer, command);
      break;
    case P2P_COMMAND_COMPLETED:
      on_completed (peer, command);
      break;
    case P2P_COMMAND_ABSENT:
      on_absent (peer, command);
      break;
    case P2P_COMMAND_CANCEL:
      p2p_upload_cancel (peer, command);
      break;
  }
}

void
p2p_peer_message (P2pPeer *peer, GBytes *message)
{
  g_auto (P2pCommand) command = { 0 };
  g_autoptr (GError) error = NULL;
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);

  if (peer->state != P2P_PEER_OPEN || peer->overflowed || size == 0)
    return;
  if (size > P2P_MESSAGE_ACCEPT_BYTES) {
    p2p_peer_violates (peer, "a message over the bound");
    return;
  }
  if (!p2p_command_is_chunk (data, size)) {
    on_bytes (peer, message);
    return;
  }

  switch (p2p_command_joiner_push (peer->joiner, message, &command, &error)) {
    case P2P_JOIN_MORE:
      break;
    case P2P_JOIN_DONE:
      P2P_LOG_LOG (P2P_AREA_PEER, peer->conn,
          "command %d, segment %" G_GINT64_FORMAT, command.kind,
          command.segment_id);
      handle_command (peer, &command);
      break;
    case P2P_JOIN_ERROR:
      p2p_peer_violates (peer, error->message);
      break;
  }
}

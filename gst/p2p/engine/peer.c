/* p2phlssrc: one remote viewer: its connection, what it sends us and what it
 * takes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/peer-protocol.md.
 */
#include "engine-private.h"

/* Exchange timeouts: our own for gathering; as P2P Media Loader 5 (its
 * webRtcOfferTimeoutMs, and webRtcConnectionTimeoutMs plus 5 s). */
#define GATHER_US (10 * G_USEC_PER_SEC)
#define OFFER_US (50 * G_USEC_PER_SEC)
#define ANSWERER_US (20 * G_USEC_PER_SEC)

/* p2pNotReceivingBytesTimeoutMs, p2pErrorRetries. */
#define NO_BYTES_US (2 * G_USEC_PER_SEC)
#define STRIKES_MAX 3

/* How long one segment may take that nobody waits for yet: a peer that sends
 * a little now and then would hold up what others could send. */
#define PREFETCH_LEAST_US (20 * G_USEC_PER_SEC)
#define PREFETCH_DURATIONS 8

/* A peer that takes nothing out of a full channel this long never reads. */
#define NOT_READING_US (30 * G_USEC_PER_SEC)

/* Time slice of a limited uplink. */
#define UPLOAD_TICK_US (50 * 1000)

#define COMMANDS_PERIOD_US (10 * G_USEC_PER_SEC)

static void pump (P2pPeer *peer);

/* --- life ------------------------------------------------------------------ */

/* When what it sends has taken too long. What the player waits for is taken
 * over sooner, by policy. */
static gint64
give_up_us (P2pPeer *peer)
{
  P2pDownload *download = peer->download;
  gint64 silent_us, late_us;

  if (download == NULL)
    return P2P_NEVER;
  silent_us = download->last_byte_us + NO_BYTES_US;
  late_us = download->begun_us
      + MAX (PREFETCH_LEAST_US,
          PREFETCH_DURATIONS * peer->share->stream->target_duration_us);

  return download->requests->len == 0 ? MIN (silent_us, late_us) : silent_us;
}

static void
arm_open_timer (P2pPeer *peer)
{
  gint64 deadline_us = give_up_us (peer);

  if (peer->overflowed)
    return;
  if (peer->blocked_since_us != 0)
    deadline_us = MIN (deadline_us, peer->blocked_since_us + NOT_READING_US);
  p2p_timer_set (&peer->timer, deadline_us);
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
    p2p_download_stop (peer->download);
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

static void
end_upload (P2pPeer *peer)
{
  if (peer->upload == NULL)
    return;
  peer->upload->users--;
  peer->upload = NULL;
}

void
p2p_peer_free (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;
  P2pDownload *download = g_steal_pointer (&peer->download);

  if (download != NULL)
    p2p_download_peer_gone (download);
  end_upload (peer);
  engine->ports.transport->ops->close (engine->ports.transport, peer->conn);
  g_hash_table_remove (engine->peers, &peer->conn);
  p2p_timer_clear (&peer->timer);
  g_clear_pointer (&peer->joiner, p2p_command_joiner_free);
  g_clear_pointer (&peer->loaded, g_array_unref);
  g_clear_pointer (&peer->loading, g_array_unref);
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
  if (was_open)
    p2p_tracker_peer_lost (share);
  else if (was_gathering)
    p2p_tracker_offer_settled (tracker, swarm);
}

static void
violates (P2pPeer *peer, const char *what)
{
  P2P_LOG_WARNING (P2P_AREA_PEER, peer->conn, "peer %s breaks the protocol: %s",
      peer->id.text, what);
  p2p_peer_drop (peer, "protocol violation");
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
p2p_peer_elects (const P2pPeer *peer)
{
  return peer->swarm->protocol == P2P_PROTOCOL_V3
      || strncmp (peer->id.text, "-GS", 3) == 0;
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

static void
send_message (P2pPeer *peer, GBytes *message)
{
  P2pEngine *engine = peer->share->engine;

  peer->buffered = engine->ports.transport->ops->send (
      engine->ports.transport, peer->conn, message);
  if (peer->buffered >= P2P_SEND_HIGH_BYTES && peer->blocked_since_us == 0) {
    peer->blocked_since_us = engine->now_us;
    arm_open_timer (peer);
  }
  check_overflow (peer);
}

static gboolean
is_full (P2pPeer *peer)
{
  return peer->blocked_since_us != 0;
}

static void
send_all (P2pPeer *peer, GPtrArray *messages)
{
  guint i;

  for (i = 0; i < messages->len; i++)
    send_message (peer, messages->pdata[i]);
}

static void
send_command (P2pPeer *peer, const P2pCommand *command)
{
  g_autoptr (GPtrArray) messages =
      p2p_command_encode (command, P2P_MESSAGE_MAX_BYTES);

  send_all (peer, messages);
}

void
p2p_peer_send_announcement (P2pPeer *peer, GPtrArray *messages)
{
  g_auto (P2pCommand) command = { 0 };

  /* With upload off, one empty announcement takes back an earlier one. */
  if (!peer->share->engine->upload && !peer->announced)
    return;
  if (is_full (peer)) {
    peer->announce_late = TRUE;
    return;
  }
  peer->announce_late = FALSE;
  peer->announced = peer->share->engine->upload;
  if (messages != NULL) {
    send_all (peer, messages);
    return;
  }
  p2p_share_announcement (peer->share, peer->swarm->protocol, &command);
  send_command (peer, &command);
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
  pump (peer);
}

/* --- what it holds ---------------------------------------------------------------- */

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

static gboolean
contains (GArray *ids, gint64 external_id, guint *index)
{
  return ids != NULL
      && g_array_binary_search (ids, &external_id, compare_ids, index);
}

static gint64
external_id (P2pPeer *peer, gint64 id)
{
  return p2p_stream_external_id (
      peer->share->stream, peer->swarm->protocol, id);
}

gboolean
p2p_peer_has (P2pPeer *peer, gint64 id)
{
  return contains (peer->loaded, external_id (peer, id), NULL);
}

gboolean
p2p_peer_is_loading (P2pPeer *peer, gint64 id)
{
  return contains (peer->loading, external_id (peer, id), NULL);
}

static void
forget_id (P2pPeer *peer, gint64 external)
{
  guint index;

  if (contains (peer->loaded, external, &index))
    g_array_remove_index (peer->loaded, index);
}

static void
take_ids (GArray **held, GArray *heard)
{
  g_clear_pointer (held, g_array_unref);
  if (heard == NULL)
    return;
  *held = g_array_ref (heard);
  g_array_sort (*held, compare_ids);
}

gint64
p2p_peer_claim_us (const P2pPeer *peer)
{
  /* Half a round trip, and as much again for what machines add. */
  return CLAMP (
      peer->answer_us, P2P_FETCH_CLAIM_LEAST_US, P2P_FETCH_CLAIM_MOST_US);
}

/* Who goes to the origin as early as we is seldom asked for anything. */
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

/* Whether it may know of a segment before us, or at the same time: claims that
 * come later than we would wait for them are none to wait for
 * (docs/design/claims.md). */
static void
judge_claims (P2pPeer *peer, GArray *loading_before)
{
  P2pShare *share = peer->share;
  gint64 now_us = share->engine->now_us;
  gint64 newest, id;

  if (peer->loading == NULL || peer->loading->len == 0)
    return;
  newest = g_array_index (peer->loading, gint64, peer->loading->len - 1);
  if (contains (loading_before, newest, NULL))
    return;
  measure_path (peer);
  id = p2p_stream_segment_id (share->stream, peer->swarm->protocol, newest);
  if (id > share->position
      || (id == share->position
          && now_us - share->last_request_us <= p2p_peer_claim_us (peer)))
    peer->claimed_us = now_us;
  else if (id == share->position)
    peer->claimed_us = 0;
}

static void
on_announcement (P2pPeer *peer, P2pCommand *command)
{
  g_autoptr (GArray) loading_before = NULL;

  if (++peer->announcements > P2P_ANNOUNCEMENTS_PER_10S) {
    violates (peer, "a flood of announcements");
    return;
  }
  peer->heard = TRUE;
  take_ids (&peer->loaded, command->loaded);
  loading_before = g_steal_pointer (&peer->loading);
  take_ids (&peer->loading, command->loading);
  judge_claims (peer, loading_before);
  p2p_share_wants_schedule (peer->share);
}

/* --- what we ask of it --------------------------------------------------------------- */

void
p2p_peer_request (P2pPeer *peer, P2pDownload *download)
{
  P2pCommand command = { .kind = P2P_COMMAND_REQUEST };

  g_assert (peer->state == P2P_PEER_OPEN && peer->download == NULL);
  /* A counter modulo 10^9, as P2P Media Loader 5. */
  peer->last_request = (peer->last_request + 1) % 1000000000;
  peer->download = download;
  peer->down_request = peer->last_request;
  peer->down_begun = FALSE;
  peer->down_rest = 0;
  peer->requested_us = peer->share->engine->now_us;
  command.segment_id = external_id (peer, download->id);
  command.request_id = peer->down_request;
  command.byte_from = download->entry->size;
  send_command (peer, &command);
  arm_open_timer (peer);
}

void
p2p_peer_cancel (P2pPeer *peer)
{
  P2pDownload *download = g_steal_pointer (&peer->download);
  P2pCommand command = { .kind = P2P_COMMAND_CANCEL };

  g_assert (download != NULL);
  command.segment_id = external_id (peer, download->id);
  command.request_id = peer->down_request;
  send_command (peer, &command);
  arm_open_timer (peer);
}

void
p2p_peer_strike (P2pPeer *peer, gint64 id)
{
  forget_id (peer, external_id (peer, id));
  if (++peer->strikes >= STRIKES_MAX)
    p2p_peer_drop (peer, "it kept us waiting three times in a row");
}

static void
on_data (P2pPeer *peer, const P2pCommand *command)
{
  P2pDownload *download = peer->download;
  gint64 now_us = peer->share->engine->now_us;

  if (command->size < 0) {
    violates (peer, "a negative size");
    return;
  }
  if (download == NULL || peer->down_begun
      || command->request_id != peer->down_request
      || command->segment_id != external_id (peer, download->id))
    return;
  if (!p2p_download_peer_begins (download, command->size)) {
    violates (peer, "a segment of the wrong length");
    return;
  }
  peer->down_begun = TRUE;
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
  arm_open_timer (peer);
  p2p_download_peer_completed (download);
}

static void
on_bytes (P2pPeer *peer, GBytes *message)
{
  P2pEngine *engine = peer->share->engine;
  gsize size = g_bytes_get_size (message);

  if (peer->download == NULL || !peer->down_begun) {
    engine->overhead_bytes += size;
    peer->unasked += size;
    if (peer->unasked > P2P_UNASKED_MAX_BYTES)
      violates (peer, "bytes that nobody asked for");
    return;
  }
  if (size > peer->down_rest) {
    violates (peer, "more bytes than it said");
    return;
  }
  peer->down_spare += (gint64) size - P2P_SEGMENT_MESSAGE_BYTES;
  if (peer->down_spare < 0) {
    violates (peer, "a segment in crumbs");
    return;
  }
  peer->down_rest -= size;
  peer->down_bytes += size;
  p2p_download_peer_data (peer->download, message);
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
    violates (peer, "completed another request");
    return;
  }
  if (peer->down_rest != 0) {
    violates (peer, "completed too early");
    return;
  }
  finish_download (peer);
}

static void
on_absent (P2pPeer *peer, const P2pCommand *command)
{
  P2pDownload *download = peer->download;

  forget_id (peer, command->segment_id);
  if (download == NULL || command->request_id != peer->down_request
      || command->segment_id != external_id (peer, download->id))
    return;
  peer->download = NULL;
  arm_open_timer (peer);
  p2p_download_peer_gone (download);
}

/* --- what it asks of us ------------------------------------------------------------------ */

static void
fill_tokens (P2pEngine *engine)
{
  double per_us = engine->max_upload_bps / 8.0 / G_USEC_PER_SEC;
  double most = MAX (per_us * 5 * UPLOAD_TICK_US, P2P_MESSAGE_MAX_BYTES);

  engine->upload_tokens += per_us * (engine->now_us - engine->upload_filled_us);
  engine->upload_tokens = MIN (engine->upload_tokens, most);
  engine->upload_filled_us = engine->now_us;
}

static gboolean
may_upload (P2pEngine *engine)
{
  if (engine->max_upload_bps == 0)
    return TRUE;
  fill_tokens (engine);
  if (engine->upload_tokens > 0)
    return TRUE;
  p2p_timer_set_sooner (&engine->upload_timer, engine->now_us + UPLOAD_TICK_US);

  return FALSE;
}

/* Segment bytes that happen to look like a command would be misread: in two
 * halves they do not. */
static void
send_bytes (P2pPeer *peer, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (GBytes) first = NULL, second = NULL;

  if (!p2p_command_is_chunk (data, size)) {
    send_message (peer, bytes);
    return;
  }
  first = g_bytes_new_from_bytes (bytes, 0, size / 2);
  second = g_bytes_new_from_bytes (bytes, size / 2, size - size / 2);
  send_message (peer, first);
  send_message (peer, second);
}

static void
finish_upload (P2pPeer *peer)
{
  P2pCommand command = {
    .kind = P2P_COMMAND_COMPLETED,
    .segment_id = peer->upload_id,
    .request_id = peer->upload_request,
  };

  peer->share->engine->upload_segments++;
  end_upload (peer);
  send_command (peer, &command);
}

static void
pump (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;

  while (peer->upload != NULL && !is_full (peer)) {
    g_autoptr (GBytes) bytes = NULL;
    gsize size;

    if (peer->upload_rest == 0) {
      finish_upload (peer);
      return;
    }
    if (!may_upload (engine))
      return;
    bytes = p2p_store_read (
        peer->upload, &peer->upload_cursor, P2P_MESSAGE_MAX_BYTES);
    size = g_bytes_get_size (bytes);
    g_assert (size <= peer->upload_rest);
    peer->upload_rest -= size;
    peer->up_bytes += size;
    engine->upload_bytes += size;
    if (engine->max_upload_bps != 0)
      engine->upload_tokens -= size;
    send_bytes (peer, bytes);
  }
}

void
p2p_peer_upload_tick (gpointer owner, gint64 now_us)
{
  P2pEngine *engine = owner;
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;
  guint first, i;

  g_hash_table_iter_init (&iter, engine->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pPeer *) value)->upload != NULL)
      g_ptr_array_add (waiting, value);
  }
  /* Whoever begins takes the most: another one each time. */
  first = p2p_prng_below (&engine->prng, waiting->len);
  for (i = 0; i < waiting->len; i++)
    pump (waiting->pdata[(first + i) % waiting->len]);
}

void
p2p_peer_end_uploads (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pPeer *peer = value;
    P2pCommand command = {
      .kind = P2P_COMMAND_ABSENT,
      .segment_id = peer->upload_id,
      .request_id = peer->upload_request,
    };

    if (peer->upload == NULL)
      continue;
    end_upload (peer);
    send_command (peer, &command);
  }
}

static void
on_request (P2pPeer *peer, const P2pCommand *command)
{
  P2pEngine *engine = peer->share->engine;
  P2pShare *share = peer->share;
  P2pEntry *entry = p2p_store_find (engine->store, share->stream->serial,
      p2p_stream_segment_id (
          share->stream, peer->swarm->protocol, command->segment_id));
  P2pCommand answer = {
    .segment_id = command->segment_id,
    .request_id = command->request_id,
  };
  guint64 from;

  if (command->byte_from < 0) {
    violates (peer, "a negative offset");
    return;
  }
  /* A new request supersedes what was being sent. */
  end_upload (peer);
  if (entry == NULL || !entry->complete || !engine->upload) {
    answer.kind = P2P_COMMAND_ABSENT;
    send_command (peer, &answer);
    return;
  }

  from = MIN ((guint64) command->byte_from, entry->size);
  answer.kind = P2P_COMMAND_DATA;
  answer.size = entry->size - from;
  peer->upload = entry;
  entry->users++;
  entry->last_use_us = engine->now_us;
  peer->upload_cursor = p2p_store_seek (entry, from);
  peer->upload_rest = entry->size - from;
  peer->upload_id = command->segment_id;
  peer->upload_request = command->request_id;
  send_command (peer, &answer);
  pump (peer);
}

/* --- receiving ------------------------------------------------------------------------------ */

/* Each costs us more than them. */
static gboolean
is_flood (P2pPeer *peer)
{
  gint64 now_us = peer->share->engine->now_us;

  if (now_us - peer->commands_since_us > COMMANDS_PERIOD_US) {
    peer->commands_since_us = now_us;
    peer->commands = peer->announcements = 0;
  }

  return ++peer->commands > P2P_COMMANDS_PER_10S;
}

static void
handle_command (P2pPeer *peer, P2pCommand *command)
{
  if (is_flood (peer)) {
    violates (peer, "a flood of commands");
    return;
  }
  switch (command->kind) {
    case P2P_COMMAND_ANNOUNCE:
      on_announcement (peer, command);
      break;
    case P2P_COMMAND_REQUEST:
      on_request (peer, command);
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
      if (peer->upload != NULL && command->request_id == peer->upload_request)
        end_upload (peer);
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
    violates (peer, "a message over the bound");
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
      violates (peer, error->message);
      break;
  }
}

/* p2phlssrc: what one remote viewer takes of us.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/serve.md, docs/design/peer-protocol.md.
 */
#include "engine-private.h"
#include "policy/serve.h"

/* Time slice of a limited uplink. */
#define UPLOAD_TICK_US (50 * 1000)

/* A peer that never says that it has got what was sent keeps its slot for this
 * long. */
#define UNCONFIRMED_US (2 * G_USEC_PER_SEC)

/* An upload that is cancelled sooner tells nothing of the uplink. */
#define CANCELLED_AFTER_US (500 * 1000)

/* Nothing is there sooner than this: who says so, lies. */
#define TOOK_LEAST_US (5 * 1000)

/* Who has served somebody completely is not too thin for so long. */
#define SERVES_US (10 * G_USEC_PER_SEC)

/* Nobody plans further ahead. */
#define NEEDED_MAX_MS (24 * 3600 * G_GINT64_CONSTANT (1000))

/* --- slots ----------------------------------------------------------------- */

static gboolean
is_busy (const P2pPeer *peer)
{
  return peer->upload != NULL
      || (peer->sent_us != 0
          && peer->sent_us + UNCONFIRMED_US > peer->share->engine->now_us);
}

/* Who was served a while ago is no longer looked at. */
static void
forget_idle (P2pEngine *engine)
{
  guint i;

  for (i = engine->uploads->len; i > 0; i--) {
    P2pPeer *peer = engine->uploads->pdata[i - 1];

    if (is_busy (peer))
      continue;
    peer->in_uploads = FALSE;
    g_ptr_array_remove_index (engine->uploads, i - 1);
  }
}

static void
remember (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;

  forget_idle (engine);
  if (peer->in_uploads)
    return;
  peer->in_uploads = TRUE;
  g_ptr_array_add (engine->uploads, peer);
}

/* Uploads under way, of segments not older than @id of @share (nullable: of
 * all), but for that to @ended (nullable). */
static guint
busy_uploads (
    P2pEngine *engine, P2pShare *share, gint64 id, const P2pPeer *ended)
{
  guint busy = 0;
  guint i;

  for (i = 0; i < engine->uploads->len; i++) {
    P2pPeer *peer = engine->uploads->pdata[i];

    busy += peer != ended && is_busy (peer)
        && (share == NULL
            || (peer->share == share
                && p2p_stream_segment_id (
                       share->stream, peer->swarm->protocol, peer->upload_id)
                    >= id));
  }

  return busy;
}

/* 0: nothing was measured lately. What was long ago is forgotten: one that serves
 * nobody would never be measured again. */
static guint64
measured_bps (P2pEngine *engine)
{
  gboolean is_recent =
      engine->up_measured_us + p2p_serve_believed_us (engine->up_thin)
      > engine->now_us;

  return is_recent ? engine->up_bps : 0;
}

static guint64
uplink_bps (P2pEngine *engine)
{
  guint64 bps = measured_bps (engine);

  if (engine->max_upload_bps == 0)
    return bps;

  return bps == 0 ? engine->max_upload_bps : MIN (bps, engine->max_upload_bps);
}

/* It was too thin when it was last measured. */
static gboolean
is_on_trial (P2pEngine *engine)
{
  return engine->up_thin > 0 && measured_bps (engine) == 0;
}

/* One upload for a try. */
static guint
slots_for (P2pEngine *engine, guint64 bitrate, gboolean live)
{
  guint slots = p2p_serve_slots (uplink_bps (engine), bitrate, live);

  return is_on_trial (engine) ? MIN (slots, 1) : slots;
}

gsize
p2p_upload_waiting_most (P2pEngine *engine)
{
  return p2p_serve_waiting_bytes (uplink_bps (engine));
}

gint64
p2p_upload_delay_us (P2pEngine *engine)
{
  return busy_uploads (engine, NULL, 0, NULL) > 0
      ? p2p_serve_delay_us (uplink_bps (engine))
      : 0;
}

guint
p2p_upload_load (P2pShare *share)
{
  P2pEngine *engine = share->engine;

  if (!engine->upload
      || slots_for (engine, p2p_share_bitrate (share), share->stream->live)
          == 0)
    return P2P_PEERS_MAX;

  return busy_uploads (engine, NULL, 0, NULL);
}

static guint64
bitrate_of (P2pShare *share, const P2pEntry *entry)
{
  const P2pSegment *segment = p2p_stream_segment (share->stream, entry->id);
  gint64 duration_us = segment != NULL ? segment->duration_us
                                       : share->stream->target_duration_us;

  return entry->total * 8.0 * G_USEC_PER_SEC / MAX (duration_us, 1);
}

/* The newest segment of a live stream is what most viewers lack: the ones before
 * it do not stand in its way. @ended: (nullable): whose upload would end for it */
static gboolean
has_slot (P2pShare *share, const P2pEntry *entry, const P2pPeer *ended)
{
  P2pEngine *engine = share->engine;
  guint slots =
      slots_for (engine, bitrate_of (share, entry), share->stream->live);

  guint all = busy_uploads (engine, NULL, 0, ended);

  if (!share->stream->live)
    return all < slots;

  return slots > 0 && all < slots + !is_on_trial (engine)
      && busy_uploads (engine, share, entry->id, ended) < slots;
}

static void
refuse (P2pPeer *peer, gint64 segment_id, gint64 request_id)
{
  P2pCommand command = {
    .kind = P2P_COMMAND_ABSENT,
    .segment_id = segment_id,
    .request_id = request_id,
  };

  p2p_peer_send_command (peer, &command);
}

/* The one that can wait best for what it is being sent. */
static P2pPeer *
most_patient (P2pEngine *engine)
{
  P2pPeer *patient = NULL;
  guint i;

  for (i = 0; i < engine->uploads->len; i++) {
    P2pPeer *peer = engine->uploads->pdata[i];

    if (peer->upload != NULL
        && (patient == NULL || peer->up_needed_us > patient->up_needed_us))
      patient = peer;
  }

  return patient;
}

/* Room for what is needed in @needed_us. */
static gboolean
make_way (P2pShare *share, const P2pEntry *entry, gint64 needed_us)
{
  P2pEngine *engine = share->engine;
  P2pPeer *patient;

  if (has_slot (share, entry, NULL))
    return TRUE;
  patient = most_patient (engine);
  if (patient == NULL || share->stream->live
      || !p2p_serve_gives_way (
          patient->up_needed_us - engine->now_us, needed_us)
      || !has_slot (share, entry, patient))
    return FALSE;
  p2p_upload_end (patient);
  refuse (patient, patient->upload_id, patient->upload_request);

  return TRUE;
}

/* Uploads at once, times how long, until now; less where one has not been confirmed
 * in time. To be asked before one begins or ends. */
static double
load_so_far (P2pEngine *engine)
{
  guint busy = busy_uploads (engine, NULL, 0, NULL);

  engine->up_load += (double) busy * (engine->now_us - engine->up_load_us);
  engine->up_load_us = engine->now_us;

  return engine->up_load;
}

/* What arrived at @peer since it asked, and at the others as much each at most, is
 * what the uplink carries. What was sent to them is no measure: SCTP keeps up to a
 * second of a thin uplink for each, and it need never arrive. */
static double
shown_bps (P2pPeer *peer, guint64 arrived)
{
  P2pEngine *engine = peer->share->engine;
  gint64 took_us = MAX (engine->now_us - peer->up_begun_us, TOOK_LEAST_US);
  double others = (load_so_far (engine) - peer->up_load_before) / took_us - 1;
  guint64 sent = engine->upload_bytes - peer->up_before;
  guint64 own = peer->up_size - peer->upload_rest;

  return (arrived + MIN (sent - own, arrived * MAX (others, 0))) * 8
      * G_USEC_PER_SEC / took_us;
}

/* Of the live streams that are played, and @served: who cannot carry that is of no
 * use. */
static double
live_bitrate (P2pShare *served)
{
  GHashTableIter iter;
  gpointer value;
  double most = served->stream->live ? p2p_share_bitrate (served) : 0;

  g_hash_table_iter_init (&iter, served->engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pShare *share = value;

    if (share->stream->live && p2p_share_is_followed (share))
      most = MAX (most, p2p_share_bitrate (share));
  }

  return most;
}

/* @failed: somebody has given up. While it stays too thin, what small uploads show is
 * no reason to try it later. */
static void
note_uplink (P2pPeer *peer, double bps, gboolean failed)
{
  P2pEngine *engine = peer->share->engine;
  double bitrate = live_bitrate (peer->share);
  gboolean was_thin =
      p2p_serve_slots (measured_bps (engine), bitrate, TRUE) == 0;
  gboolean is_thin = p2p_serve_slots (bps, bitrate, TRUE) == 0;

  engine->up_bps = bps;
  if (!was_thin || !is_thin)
    engine->up_measured_us = engine->now_us;
  if (is_thin && failed) {
    engine->up_thin += !was_thin;
    engine->up_thin_for = bitrate;
  } else if (p2p_serve_slots (bps, engine->up_thin_for, TRUE) > 0) {
    engine->up_thin = 0;
  }
  P2P_LOG_DEBUG (P2P_AREA_PEER, peer->conn,
      "segment %" G_GINT64_FORMAT ": %" G_GINT64_FORMAT
      " ms; the uplink carries %.0f bit/s",
      peer->upload_id, (engine->now_us - peer->up_begun_us) / 1000, bps);
}

/* However little was believed of it: one good upload shows that it is not too thin any
 * more. */
static void
measure (P2pPeer *peer)
{
  double shown = shown_bps (peer, peer->up_size);
  double before = peer->share->engine->up_bps;
  double least = p2p_serve_least_bps (live_bitrate (peer->share));

  if (before > 0 && shown > least)
    before = MAX (before, least);
  note_uplink (peer, p2p_serve_uplink_bps (before, shown), FALSE);
}

/* The first that gives up is not believed so much that nobody else is served; nor is
 * any of them while others get what they ask for. */
static void
measure_failure (P2pPeer *peer, guint64 arrived)
{
  P2pEngine *engine = peer->share->engine;
  gboolean serves = engine->up_served_us != 0
      && engine->now_us < engine->up_served_us + SERVES_US;
  double shown = shown_bps (peer, arrived);
  double bps = serves ? p2p_serve_uplink_bps (engine->up_bps, shown)
                      : p2p_serve_left_bps (engine->up_bps, shown);

  if (measured_bps (engine) == 0 && engine->up_thin == 0)
    bps = MAX (
        bps, MAX (live_bitrate (peer->share), p2p_share_bitrate (peer->share)));
  note_uplink (peer, bps, TRUE);
}

void
p2p_upload_heard (P2pPeer *peer)
{
  P2pShare *share = peer->share;
  P2pEngine *engine = share->engine;

  if (peer->sent_us == 0
      || !p2p_peer_has (peer,
          p2p_stream_segment_id (
              share->stream, peer->swarm->protocol, peer->upload_id)))
    return;
  /* A relay is no faster than its source, and what is left of a segment takes
   * mostly the way. */
  if (peer->up_whole)
    measure (peer);
  engine->up_served_us = engine->now_us;
  load_so_far (engine);
  peer->sent_us = 0;
  /* The newest segment may have been left to others for it. */
  if (share->stream->live)
    p2p_share_wants_schedule (share);
}

/* --- life ------------------------------------------------------------------ */

void
p2p_upload_cancel (P2pPeer *peer, const P2pCommand *command)
{
  P2pEngine *engine = peer->share->engine;
  guint64 own = peer->up_size - peer->upload_rest;

  if (command->request_id != peer->upload_request)
    return;
  /* It has waited for what is in the channel, not for our source. */
  if (is_busy (peer) && p2p_peer_is_full (peer) && peer->up_whole
      && command->has_size
      && engine->now_us - peer->up_begun_us > CANCELLED_AFTER_US)
    measure_failure (peer, CLAMP (command->size, 0, (gint64) own));
  p2p_upload_end (peer);
  load_so_far (engine);
  peer->sent_us = 0;
  /* Who gives up on us does not ask again before it hears of it anew. */
  peer->told = (P2pWords){ 0 };
}

void
p2p_upload_end (P2pPeer *peer)
{
  if (peer->upload == NULL)
    return;
  load_so_far (peer->share->engine);
  peer->upload->users--;
  peer->upload = NULL;
}

void
p2p_upload_forget (P2pPeer *peer)
{
  load_so_far (peer->share->engine);
  p2p_upload_end (peer);
  if (peer->in_uploads)
    g_ptr_array_remove (peer->share->engine->uploads, peer);
}

void
p2p_upload_end_all (P2pEngine *engine)
{
  guint i;

  for (i = 0; i < engine->uploads->len; i++) {
    P2pPeer *peer = engine->uploads->pdata[i];

    if (peer->upload == NULL)
      continue;
    p2p_upload_end (peer);
    refuse (peer, peer->upload_id, peer->upload_request);
  }
}

void
p2p_upload_abandon (P2pShare *share, P2pEntry *entry)
{
  GPtrArray *uploads = share->engine->uploads;
  guint i;

  for (i = 0; i < uploads->len; i++) {
    P2pPeer *peer = uploads->pdata[i];

    if (peer->upload != entry)
      continue;
    p2p_upload_end (peer);
    refuse (peer, peer->upload_id, peer->upload_request);
  }
}

static void
finish (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;
  P2pCommand command = {
    .kind = P2P_COMMAND_COMPLETED,
    .segment_id = peer->upload_id,
    .request_id = peer->upload_request,
  };

  engine->upload_segments++;
  p2p_upload_end (peer);
  peer->sent_us = engine->now_us;
  p2p_peer_send_command (peer, &command);
}

/* --- sending --------------------------------------------------------------- */

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
    p2p_peer_send_message (peer, bytes);
    return;
  }
  first = g_bytes_new_from_bytes (bytes, 0, size / 2);
  second = g_bytes_new_from_bytes (bytes, size / 2, size - size / 2);
  p2p_peer_send_message (peer, first);
  p2p_peer_send_message (peer, second);
}

/* The next message, NULL: too little of it is here yet. What the origin gave in
 * small pieces is put together: each message costs, at every hop. */
static GBytes *
next_message (P2pPeer *peer, gsize most)
{
  P2pEntry *entry = peer->upload;
  guint64 here = entry->size - (entry->total - peer->upload_rest);
  gsize least = MIN (P2P_SERVE_LEAST_BYTES, peer->upload_rest);
  g_autoptr (GBytes) first = NULL;
  GByteArray *joined;

  if (here < least)
    return NULL;
  first = p2p_store_read (entry, &peer->upload_cursor, most);
  if (g_bytes_get_size (first) >= least)
    return g_steal_pointer (&first);

  joined = g_byte_array_sized_new (least);
  while (TRUE) {
    g_byte_array_append (
        joined, g_bytes_get_data (first, NULL), g_bytes_get_size (first));
    if (joined->len >= least)
      return g_byte_array_free_to_bytes (joined);
    g_bytes_unref (first);
    first = p2p_store_read (entry, &peer->upload_cursor, least - joined->len);
  }
}

void
p2p_upload_pump (P2pPeer *peer)
{
  P2pEngine *engine = peer->share->engine;
  gsize most = 0;

  while (peer->upload != NULL && !p2p_peer_is_full (peer)) {
    g_autoptr (GBytes) bytes = NULL;
    gsize size;

    if (peer->upload_rest == 0) {
      finish (peer);
      return;
    }
    if (!may_upload (engine))
      return;
    if (most == 0)
      most = p2p_serve_message_bytes (
          uplink_bps (engine), busy_uploads (engine, NULL, 0, NULL));
    bytes = next_message (peer, most);
    if (bytes == NULL)
      return;
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
p2p_upload_grown (P2pShare *share, P2pEntry *entry)
{
  GPtrArray *uploads = share->engine->uploads;
  guint i;

  for (i = 0; i < uploads->len; i++) {
    P2pPeer *peer = uploads->pdata[i];

    if (peer->upload == entry)
      p2p_upload_pump (peer);
  }
}

void
p2p_upload_tick (gpointer owner, gint64 now_us)
{
  P2pEngine *engine = owner;
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  guint first, i;

  for (i = 0; i < engine->uploads->len; i++) {
    if (((P2pPeer *) engine->uploads->pdata[i])->upload != NULL)
      g_ptr_array_add (waiting, engine->uploads->pdata[i]);
  }
  /* Whoever begins takes the most: another one each time. */
  first = p2p_prng_below (&engine->prng, waiting->len);
  for (i = 0; i < waiting->len; i++)
    p2p_upload_pump (waiting->pdata[(first + i) % waiting->len]);
}

/* --- being asked ----------------------------------------------------------- */

gboolean
p2p_upload_relays (P2pDownload *download)
{
  P2pEntry *entry = download->entry;

  /* A peer would take offence at nothing, or at too much. */
  if (entry->total == 0 || entry->total > P2P_SEGMENT_MAX_BYTES
      || p2p_download_is_idle (download))
    return FALSE;

  /* Who says that it has the whole sends some at once, or has nothing. */
  return entry->size > 0 || download->http != 0
      || (download->peer->down_begun
          && !p2p_peer_has (download->peer, download->id));
}

/* What is still on its way goes to those who have less of it than we, or as
 * little and nobody who waits for them: so nobody waits for itself. */
static gboolean
may_have (P2pPeer *peer, P2pEntry *entry, guint64 from)
{
  P2pDownload *download;

  if (entry == NULL || !peer->share->engine->upload)
    return FALSE;
  if (entry->complete)
    return TRUE;
  download = p2p_download_find (peer->share, entry->id);

  return download != NULL && p2p_peer_is_native (peer)
      && p2p_upload_relays (download) && (from == 0 || from < entry->size);
}

static void
schedule_all (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer share;

  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &share))
    p2p_share_wants_schedule (share);
}

void
p2p_upload_request (P2pPeer *peer, const P2pCommand *command)
{
  P2pEngine *engine = peer->share->engine;
  P2pShare *share = peer->share;
  P2pEntry *entry = p2p_store_find (engine->store, share->stream->serial,
      p2p_stream_segment_id (
          share->stream, peer->swarm->protocol, command->segment_id));
  P2pCommand answer = {
    .kind = P2P_COMMAND_DATA,
    .segment_id = command->segment_id,
    .request_id = command->request_id,
  };
  guint64 from = command->byte_from;
  gint64 needed_us;

  if (command->byte_from < 0) {
    p2p_peer_violates (peer, "a negative offset");
    return;
  }
  needed_us = CLAMP (command->needed_ms, 0, NEEDED_MAX_MS) * 1000;
  /* A new request supersedes what was being sent. */
  p2p_upload_end (peer);
  load_so_far (engine);
  peer->sent_us = 0;
  /* Browsers take a refusal for good, until we announce something else: of a
   * film, nothing may follow. */
  if (!may_have (peer, entry, from)
      || ((p2p_peer_is_native (peer) || share->stream->live)
          && !make_way (share, entry, needed_us))) {
    refuse (peer, command->segment_id, command->request_id);
    return;
  }

  /* From the first one on, the origin is further away. */
  if (p2p_upload_delay_us (engine) == 0)
    schedule_all (engine);
  from = MIN (from, entry->total);
  answer.size = entry->total - from;
  peer->upload = entry;
  remember (peer);
  entry->users++;
  entry->last_use_us = engine->now_us;
  peer->upload_cursor = p2p_store_seek (entry, from);
  peer->upload_rest = entry->total - from;
  peer->upload_id = command->segment_id;
  peer->upload_request = command->request_id;
  peer->up_begun_us = engine->now_us;
  peer->up_needed_us = engine->now_us + needed_us;
  peer->up_size = entry->total - from;
  peer->up_before = engine->upload_bytes;
  peer->up_load_before = engine->up_load;
  peer->up_whole = entry->complete && from == 0;
  p2p_peer_send_command (peer, &answer);
  p2p_upload_pump (peer);
}

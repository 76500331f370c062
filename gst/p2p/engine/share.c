/* p2phlssrc: one stream that is shared: its swarms, peers and downloads.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "engine-private.h"

/* A rendition that the player has left seeds for this long: P2P Media
 * Loader's p2pInactiveLoaderDestroyTimeoutMs. */
#define LEFT_US (30 * G_USEC_PER_SEC)

/* A player that asks for nothing this long is gone, or paused for good: its
 * uplink is not ours. It joins again with its next request. */
#define IDLE_US (10 * 60 * G_USEC_PER_SEC)

/* A downlink that has room for more than the player's segment is this many times
 * as fast as the stream. */
#define WIDE 4

#define SWEEP_US (5 * G_USEC_PER_SEC)

/* A prefetch that the origin refused is not tried again for this long. */
#define BAD_US (60 * G_USEC_PER_SEC)

/* --- life ------------------------------------------------------------------ */

static void
add_swarm (P2pShare *share, P2pProtocol protocol)
{
  P2pSwarm *swarm = &share->swarms[share->n_swarms];

  if (!(share->engine->protocols & protocol))
    return;
  swarm->share = share;
  swarm->protocol = protocol;
  swarm->info_hash = protocol == P2P_PROTOCOL_V3 ? share->stream->info_hash_v3
                                                 : share->stream->info_hash_v2;
  share->n_swarms++;
}

static void
on_look (gpointer owner, gint64 now_us)
{
  p2p_share_wants_schedule (owner);
}

P2pShare *
p2p_share_ensure (P2pEngine *engine, P2pStream *stream)
{
  /* Not by address: a run would not replay, as the order of all hangs on it. */
  gpointer serial = GUINT_TO_POINTER (stream->serial);
  P2pShare *share = g_hash_table_lookup (engine->shares, serial);

  if (share != NULL)
    return share;
  if (!engine->p2p || !stream->shareable
      || g_hash_table_size (engine->shares) >= P2P_SWARMS_MAX)
    return NULL;

  if (!engine->transport_configured)
    p2p_engine_configure_transport (engine);
  share = g_new0 (P2pShare, 1);
  share->engine = engine;
  share->stream = stream;
  share->peers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) p2p_peer_free);
  share->downloads =
      g_ptr_array_new_with_free_func ((GDestroyNotify) p2p_download_free);
  share->bad =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  p2p_timer_init (&share->look_timer, engine->timers, on_look, share);
  p2p_timer_init (
      &share->refresh_timer, engine->timers, p2p_refresh_due, share);
  p2p_timer_init (&share->word_timer, engine->timers, p2p_announce_due, share);
  share->joined_us = engine->now_us;
  share->last_request_us = engine->now_us;
  add_swarm (share, P2P_PROTOCOL_V3);
  add_swarm (share, P2P_PROTOCOL_V2);
  g_hash_table_insert (engine->shares, serial, share);
  p2p_timer_set_sooner (&engine->sweep_timer, engine->now_us + SWEEP_US);
  P2P_LOG_INFO (P2P_AREA_PEER, stream->serial, "joins %s and %s",
      stream->swarm_id_v3, stream->swarm_id_v2);
  p2p_tracker_join_all (share);

  return share;
}

static void
detach_requests (P2pShare *share)
{
  g_autoptr (GPtrArray) requests = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;
  guint i;

  g_hash_table_iter_init (&iter, share->engine->requests);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pPlayerRequest *) value)->share == share)
      g_ptr_array_add (requests, value);
  }
  /* Some end with it. */
  for (i = 0; i < requests->len; i++)
    p2p_request_detach (requests->pdata[i]);
}

static void
forget_consumers (P2pShare *share)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, share->engine->consumers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pConsumer *) value)->share == share)
      ((P2pConsumer *) value)->share = NULL;
  }
}

void
p2p_share_free (P2pShare *share)
{
  guint i;

  P2P_LOG_INFO (P2P_AREA_PEER, share->stream->serial, "leaves %s",
      share->stream->swarm_id_v3);
  p2p_tracker_leave_all (share);
  forget_consumers (share);
  /* Downloads first lose their requests, then stop; peers go last. */
  detach_requests (share);
  g_ptr_array_unref (share->downloads);
  g_ptr_array_unref (share->peers);
  for (i = 0; i < G_N_ELEMENTS (share->last_told); i++)
    g_clear_pointer (&share->last_told[i], g_bytes_unref);
  p2p_timer_clear (&share->look_timer);
  p2p_timer_clear (&share->word_timer);
  p2p_refresh_stop (share);
  g_free (share->refresh_uri);
  g_free (share->refresh_found);
  g_clear_pointer (&share->profile, p2p_http_profile_unref);
  g_hash_table_unref (share->bad);
  g_free (share);
}

static gboolean
is_played (P2pShare *share)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, share->engine->consumers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pConsumer *) value)->share == share)
      return TRUE;
  }

  return FALSE;
}

gboolean
p2p_share_is_followed (P2pShare *share)
{
  gint64 patience_us = MAX (LEFT_US, 4 * share->stream->target_duration_us);

  return share->has_position && is_played (share)
      && share->last_request_us + patience_us >= share->engine->now_us;
}

static void
forget_stale_consumers (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->consumers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pConsumer *) value)->last_us + IDLE_US < engine->now_us)
      g_hash_table_iter_remove (&iter);
  }
}

void
p2p_share_sweep (gpointer owner, gint64 now_us)
{
  P2pEngine *engine = owner;
  GHashTableIter iter;
  gpointer value;

  forget_stale_consumers (engine);
  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pShare *share = value;

    if (!is_played (share) && share->last_request_us + LEFT_US < now_us)
      g_hash_table_iter_remove (&iter);
  }
  if (g_hash_table_size (engine->shares) > 0)
    p2p_timer_set (&engine->sweep_timer, now_us + SWEEP_US);
  else
    p2p_tracker_disconnect_idle (engine);
}

/* --- small questions ---------------------------------------------------------- */

void
p2p_share_wants_schedule (P2pShare *share)
{
  share->schedule_wanted = TRUE;
  share->engine->work = TRUE;
}

void
p2p_share_wants_announce (P2pShare *share)
{
  share->announce_wanted = TRUE;
  share->engine->work = TRUE;
}

void
p2p_share_look_again (P2pShare *share, gint64 at_us)
{
  p2p_timer_set_sooner (&share->look_timer, at_us);
}

guint
p2p_share_open_peers (P2pShare *share)
{
  return share->n_open;
}

guint
p2p_share_connecting_peers (P2pShare *share)
{
  guint connecting = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    connecting += peer->has_id && peer->state != P2P_PEER_OPEN;
  }

  return connecting;
}

P2pPeer *
p2p_share_find_peer (P2pShare *share, const P2pPeerId *id)
{
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->has_id && p2p_peer_id_equal (&peer->id, id))
      return peer;
  }

  return NULL;
}

double
p2p_share_bitrate (P2pShare *share)
{
  const P2pStream *stream = share->stream;

  if (stream->bitrate != 0 || stream->target_duration_us == 0)
    return stream->bitrate;

  return share->mean_bytes * 8.0 * G_USEC_PER_SEC / stream->target_duration_us;
}

gboolean
p2p_share_is_line_wide (P2pShare *share)
{
  double wide_bps = WIDE * p2p_share_bitrate (share);

  return wide_bps > 0 && p2p_engine_line_bps (share->engine) >= wide_bps;
}

guint
p2p_share_line_carries (P2pShare *share, guint most)
{
  double bitrate = p2p_share_bitrate (share);
  double line_bps = p2p_engine_line_bps (share->engine);

  return bitrate > 0 && line_bps > 0 ? CLAMP (line_bps / bitrate, 1, most)
                                     : most;
}

gint64
p2p_share_urgent_us (P2pShare *share, gint64 duration_us)
{
  gint64 given_us = share->engine->urgent_buffer_us;
  gint64 delay_us = p2p_upload_delay_us (share->engine);

  if (given_us >= 0)
    return given_us;
  /* What comes from peers at the same time makes the origin's answer late. */
  if (!p2p_share_is_line_wide (share))
    delay_us = MAX (delay_us, duration_us);

  return p2p_fetch_urgent_us (duration_us, delay_us);
}

gboolean
p2p_share_has_variants (P2pShare *share)
{
  return share->stream->has_variants || !share->stream->live;
}

static gboolean
is_over (gpointer id, gpointer failed_us, gpointer now_us)
{
  return *(gint64 *) failed_us + BAD_US <= *(gint64 *) now_us;
}

void
p2p_share_mark_bad (P2pShare *share, gint64 id)
{
  gint64 *now_us = &share->engine->now_us;

  /* A live stream never comes back to its ids: nobody else would forget. */
  g_hash_table_foreach_remove (share->bad, is_over, now_us);
  g_hash_table_insert (share->bad, g_memdup2 (&id, sizeof (id)),
      g_memdup2 (now_us, sizeof (*now_us)));
}

gboolean
p2p_share_is_bad (P2pShare *share, gint64 id)
{
  gint64 *failed_us = g_hash_table_lookup (share->bad, &id);

  return failed_us != NULL && !is_over (&id, failed_us, &share->engine->now_us);
}

void
p2p_share_expect_peers (P2pShare *share)
{
  if (share->expect_until_us == 0)
    share->expect_until_us = share->engine->now_us + P2P_FETCH_EXPECT_US;
}

gint64
p2p_share_expect_until_us (P2pShare *share)
{
  gint64 until_us = share->expect_until_us;
  guint i;

  /* It is long over in most of a stream's life. */
  if (until_us <= share->engine->now_us
      || (p2p_share_open_peers (share) > 0
          && p2p_share_connecting_peers (share) == 0))
    until_us = 0;

  for (i = 0; share->n_silent > 0 && i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OPEN && !peer->heard)
      until_us = MAX (until_us, peer->since_us + P2P_FETCH_HEAR_US);
  }

  return until_us;
}

/* --- what is listed ------------------------------------------------------- */

gboolean
p2p_share_is_false (P2pShare *share, const P2pEntry *entry)
{
  const P2pSegment *segment = p2p_stream_segment (share->stream, entry->id);
  guint64 length;

  if (segment == NULL || !entry->complete)
    return FALSE;
  length = p2p_range_length (&segment->range);

  return length != P2P_SIZE_UNKNOWN && length != entry->size;
}

static void
evict_false (P2pShare *share)
{
  P2pStore *store = share->engine->store;
  g_autoptr (GPtrArray) entries = p2p_store_list (store, share->stream->serial);
  guint i;

  for (i = 0; i < entries->len; i++) {
    P2pEntry *entry = entries->pdata[i];

    if (entry->users > 0 || !p2p_share_is_false (share, entry))
      continue;
    P2P_LOG_WARNING (P2P_AREA_STORE, share->stream->serial,
        "segment %" G_GINT64_FORMAT
        " is not what a peer gave: %" G_GUINT64_FORMAT " bytes",
        entry->id, entry->size);
    share->engine->overhead_bytes += entry->size;
    p2p_store_remove (store, entry);
    p2p_share_wants_announce (share);
  }
}

gint64
p2p_share_last_listed (P2pShare *share)
{
  GPtrArray *segments = share->stream->segments;

  return segments->len > 0
      ? ((P2pSegment *) segments->pdata[segments->len - 1])->id
      : share->newest;
}

static void
note_newest (P2pShare *share)
{
  gint64 newest = p2p_share_last_listed (share);

  if (share->stream->segments->len == 0)
    return;
  if (share->listed_us != 0 && newest <= share->newest)
    return;
  share->first_new = share->listed_us != 0 ? share->newest + 1 : newest;
  share->newest = newest;
  share->listed_us = share->engine->now_us;
  share->looks = 0;
  p2p_sights_add (&share->sights, newest, share->engine->now_us);
  p2p_doubt_listed (share);
}

void
p2p_share_listed (P2pShare *share)
{
  guint i;

  note_newest (share);
  evict_false (share);

  /* A prefetch that began before the segment was listed learns its URI. */
  for (i = 0; i < share->downloads->len; i++) {
    P2pDownload *download = share->downloads->pdata[i];
    const P2pSegment *segment =
        p2p_stream_segment (share->stream, download->id);

    if (download->uri == NULL && segment != NULL)
      p2p_download_listed (download, segment);
  }
  share->listed_anew = TRUE;
  p2p_share_wants_schedule (share);
}

/* --- what to forget ------------------------------------------------------------------ */

/* Whether nobody can ask for @entry any more: it left a live window. */
static gboolean
is_gone (P2pShare *share, P2pEntry *entry)
{
  GPtrArray *segments = share->stream->segments;

  return share->stream->live && segments->len > 0
      && entry->id < ((P2pSegment *) segments->pdata[0])->id;
}

/* What to forget first. */
typedef enum
{
  WORTH_LEFT, /* of a stream nobody goes on with */
  WORTH_BEHIND,
  WORTH_AHEAD,
} Worth;

/* @playheads: stream serial → id, of streams that are played. */
static Worth
worth (const P2pEntry *entry, GHashTable *playheads)
{
  const gint64 *playhead =
      g_hash_table_lookup (playheads, GUINT_TO_POINTER (entry->stream));

  if (playhead == NULL)
    return WORTH_LEFT;

  return entry->id < *playhead ? WORTH_BEHIND : WORTH_AHEAD;
}

/* Sorts what to forget first to the front, within a class what was longest
 * unused. */
static gint
compare_worth (gconstpointer a, gconstpointer b, gpointer data)
{
  const P2pEntry *left = *(P2pEntry *const *) a;
  const P2pEntry *right = *(P2pEntry *const *) b;
  Worth left_worth = worth (left, data);
  Worth right_worth = worth (right, data);

  if (left_worth != right_worth)
    return left_worth < right_worth ? -1 : 1;
  /* The farthest goes first. */
  if (left_worth == WORTH_AHEAD)
    return left->id > right->id ? -1 : left->id < right->id;

  return left->last_use_us < right->last_use_us
      ? -1
      : left->last_use_us > right->last_use_us;
}

/* Returns: (transfer container): for worth (). */
static GHashTable *
find_playheads (P2pEngine *engine)
{
  GHashTable *playheads = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pShare *share = value;

    if (p2p_share_is_followed (share))
      g_hash_table_insert (playheads, GUINT_TO_POINTER (share->stream->serial),
          &share->position);
  }

  return playheads;
}

guint64
p2p_share_store_bound (P2pEngine *engine)
{
  guint64 bound = P2P_STORE_ALONE_BYTES;

  /* Memory that is touched for the first time is dear: no faster than playback
   * may ask for it. */
  if (engine->admitted_us != 0)
    bound += (engine->now_us - engine->admitted_us) / G_TIME_SPAN_MILLISECOND
        * P2P_STORE_GROWTH_BYTES_PER_MS;

  return MIN (engine->cache_bytes, bound);
}

guint64
p2p_share_kept_bytes (P2pEngine *engine)
{
  g_autoptr (GHashTable) playheads = find_playheads (engine);
  g_autoptr (GPtrArray) entries = p2p_store_list_all (engine->store);
  guint64 bytes = 0;
  guint i;

  for (i = 0; i < entries->len; i++) {
    P2pEntry *entry = entries->pdata[i];

    if (entry->users > 0 || worth (entry, playheads) == WORTH_AHEAD)
      bytes += entry->size;
  }

  return bytes;
}

static void
evict_to_bound (P2pEngine *engine)
{
  g_autoptr (GHashTable) playheads = find_playheads (engine);
  g_autoptr (GHashTable) by_serial = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) entries = NULL;
  guint64 bound = p2p_share_store_bound (engine);
  GHashTableIter iter;
  gpointer value;
  guint i;

  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pShare *share = value;

    g_hash_table_insert (
        by_serial, GUINT_TO_POINTER (share->stream->serial), share);
  }
  entries = p2p_store_list_all (engine->store);
  g_ptr_array_sort_with_data (entries, compare_worth, playheads);
  for (i = 0; i < entries->len; i++) {
    P2pEntry *entry = entries->pdata[i];
    P2pShare *share;

    if (p2p_store_bytes (engine->store) <= bound)
      break;
    if (entry->users > 0)
      continue;
    share = g_hash_table_lookup (by_serial, GUINT_TO_POINTER (entry->stream));
    if (share != NULL)
      p2p_share_wants_announce (share);
    P2P_LOG_DEBUG (P2P_AREA_STORE, 0, "segment %" G_GINT64_FORMAT " makes room",
        entry->id);
    p2p_store_remove (engine->store, entry);
  }
}

static void
evict_gone (P2pShare *share)
{
  P2pStore *store = share->engine->store;
  g_autoptr (GPtrArray) entries = p2p_store_list (store, share->stream->serial);
  guint i;

  for (i = 0; i < entries->len; i++) {
    P2pEntry *entry = entries->pdata[i];

    if (!is_gone (share, entry))
      break;
    if (entry->users > 0)
      continue;
    /* Nobody asks for it: it is left out when there is something to say. */
    p2p_store_remove (store, entry);
  }
}

static void
evict_unlisted (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pShare *share = value;

    if (share->listed_anew) {
      share->listed_anew = FALSE;
      evict_gone (share);
    }
  }
}

void
p2p_share_evict (P2pEngine *engine)
{
  if (engine->work)
    evict_unlisted (engine);
  if (p2p_store_bytes (engine->store) > p2p_share_store_bound (engine))
    evict_to_bound (engine);
}

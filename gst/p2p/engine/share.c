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

P2pShare *
p2p_share_ensure (P2pEngine *engine, P2pStream *stream)
{
  P2pShare *share = g_hash_table_lookup (engine->shares, stream);

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
  share->joined_us = engine->now_us;
  share->last_request_us = engine->now_us;
  add_swarm (share, P2P_PROTOCOL_V3);
  add_swarm (share, P2P_PROTOCOL_V2);
  g_hash_table_insert (engine->shares, stream, share);
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
  P2P_LOG_INFO (P2P_AREA_PEER, share->stream->serial, "leaves %s",
      share->stream->swarm_id_v3);
  p2p_tracker_leave_all (share);
  forget_consumers (share);
  /* Downloads first lose their requests, then stop; peers go last. */
  detach_requests (share);
  g_ptr_array_unref (share->downloads);
  g_ptr_array_unref (share->peers);
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
}

void
p2p_share_wants_announce (P2pShare *share)
{
  share->announce_wanted = TRUE;
}

guint
p2p_share_open_peers (P2pShare *share)
{
  guint open = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++)
    open += ((P2pPeer *) share->peers->pdata[i])->state == P2P_PEER_OPEN;

  return open;
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

gint64
p2p_share_urgent_us (P2pShare *share, gint64 duration_us)
{
  gint64 given_us = share->engine->urgent_buffer_us;

  return given_us >= 0 ? given_us : p2p_fetch_urgent_us (duration_us);
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
  gboolean waits_for_more = p2p_share_open_peers (share) == 0
      || p2p_share_connecting_peers (share) > 0;
  gint64 until_us = waits_for_more ? share->expect_until_us : 0;
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OPEN && !peer->heard)
      until_us = MAX (until_us, peer->since_us + P2P_FETCH_HEAR_US);
  }

  return until_us;
}

/* --- announcements --------------------------------------------------------------- */

static void
add_external (GArray *ids, P2pShare *share, P2pProtocol protocol, gint64 id)
{
  gint64 external = p2p_stream_external_id (share->stream, protocol, id);

  g_array_append_val (ids, external);
}

void
p2p_share_announcement (
    P2pShare *share, P2pProtocol protocol, P2pCommand *command)
{
  P2pEngine *engine = share->engine;
  g_autoptr (GPtrArray) entries =
      p2p_store_list (engine->store, share->stream->serial);
  guint i;

  *command = (P2pCommand){ .kind = P2P_COMMAND_ANNOUNCE };
  command->loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  command->loading = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (!engine->upload)
    return;

  for (i = 0; i < entries->len; i++) {
    P2pEntry *entry = entries->pdata[i];

    if (entry->complete)
      add_external (command->loaded, share, protocol, entry->id);
  }
  for (i = 0; i < share->downloads->len; i++) {
    P2pDownload *download = share->downloads->pdata[i];

    if (download->http != 0)
      add_external (command->loading, share, protocol, download->id);
  }
}

void
p2p_share_announce (P2pShare *share)
{
  GPtrArray *messages[G_N_ELEMENTS (share->swarms)] = { NULL };
  guint i;

  share->announce_wanted = FALSE;
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];
    guint k = peer->swarm - share->swarms;

    if (peer->state != P2P_PEER_OPEN)
      continue;
    if (messages[k] == NULL) {
      g_auto (P2pCommand) command = { 0 };

      p2p_share_announcement (share, peer->swarm->protocol, &command);
      messages[k] = p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
    }
    p2p_peer_send_announcement (peer, messages[k]);
  }
  for (i = 0; i < G_N_ELEMENTS (messages); i++)
    g_clear_pointer (&messages[i], g_ptr_array_unref);
}

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

void
p2p_share_listed (P2pShare *share)
{
  guint i;

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
  /* Memory that is touched for the first time is dear. */
  return engine->met_tracker ? engine->cache_bytes
                             : MIN (engine->cache_bytes, P2P_STORE_ALONE_BYTES);
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
    p2p_store_remove (store, entry);
    p2p_share_wants_announce (share);
  }
}

void
p2p_share_evict (P2pEngine *engine)
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
  if (p2p_store_bytes (engine->store) > p2p_share_store_bound (engine))
    evict_to_bound (engine);
}

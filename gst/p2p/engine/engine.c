/* p2phlssrc: the engine. Events in, policy asked, ports called.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "engine-private.h"

#include "policy/retry.h"

/* Tells our kind from browsers (-PM05…): native peers elect whatever
 * generation they speak. */
#define PEER_ID_PREFIX "-GS0100-"

guint64
p2p_engine_number (P2pEngine *engine)
{
  return ++engine->last_number;
}

guint64
p2p_engine_line_bps (P2pEngine *engine)
{
  return MAX (p2p_bandwidth_bps (&engine->http_bandwidth, engine->now_us),
      p2p_bandwidth_bps (&engine->all_bandwidth, engine->now_us));
}

gboolean
p2p_engine_retries_http (gboolean answered, guint attempts, int retries)
{
  return answered && (retries < 0 || attempts <= (guint) retries);
}

gboolean
p2p_engine_retries_refusal (const P2pHttpProfile *profile,
    const P2pHttpFailure *failure, guint attempts)
{
  if (profile == NULL || !profile->retry_unavailable
      || failure->kind != P2P_HTTP_FAILURE_STATUS
      || (failure->status != 500 && failure->status != 503))
    return FALSE;

  return profile->retries < 0 || attempts < (guint) profile->retries;
}

gint64
p2p_engine_retry_us (const P2pHttpProfile *profile, guint attempts)
{
  return p2p_retry_http_us (
      attempts, profile->retry_backoff_us, profile->retry_backoff_max_us);
}

/* The transport looks up its servers' names at once: not before something is
 * shared, and never when nothing may be. */
void
p2p_engine_configure_transport (P2pEngine *engine)
{
  engine->transport_configured = TRUE;
  engine->ports.transport->ops->configure (
      engine->ports.transport, (const char *const *) engine->ice_servers);
}

static void
take_settings (P2pEngine *engine, const P2pEngineConfig *config)
{
  static const char *const none[] = { NULL };

  engine->p2p = config->p2p;
  engine->upload = config->upload;
  g_strfreev (engine->trackers_wanted);
  engine->trackers_wanted =
      g_strdupv ((char **) (config->trackers ? config->trackers : none));
  g_strfreev (engine->ice_servers);
  engine->ice_servers =
      g_strdupv ((char **) (config->ice_servers ? config->ice_servers : none));
  engine->max_peers = MIN (config->max_peers, P2P_PEERS_MAX);
  engine->max_upload_bps = config->max_upload_bps;
  engine->urgent_buffer_us = config->urgent_buffer_us;
  engine->http_window_us = config->http_window_us;
  engine->p2p_window_us = config->p2p_window_us;
  engine->max_playlist_delay_us = config->max_playlist_delay_us;
}

P2pEngine *
p2p_engine_new (
    const P2pEngineConfig *config, const P2pEnginePorts *ports, gint64 now_us)
{
  P2pEngine *engine = g_new0 (P2pEngine, 1);
  gsize prefix = strlen (PEER_ID_PREFIX);

  engine->now_us = now_us;
  engine->ports = *ports;
  engine->timers = p2p_timer_queue_new ();
  p2p_prng_init (&engine->prng, config->seed);
  memcpy (engine->peer_id.text, PEER_ID_PREFIX, prefix);
  p2p_prng_alnum (
      &engine->prng, engine->peer_id.text + prefix, P2P_ID_LENGTH - prefix);

  engine->protocols = config->protocols;
  engine->cache_bytes = config->cache_bytes;
  engine->registry = p2p_registry_new (config->swarm_id);
  engine->store = p2p_store_new ();
  engine->requests = g_hash_table_new_full (
      g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) p2p_request_free);
  engine->consumers =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  engine->fetches =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  engine->peers =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, NULL);
  engine->sockets =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, NULL);
  engine->uploads = g_ptr_array_new ();
  engine->trackers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) p2p_tracker_free);
  engine->shares =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) p2p_share_free);
  p2p_timer_init (
      &engine->upload_timer, engine->timers, p2p_upload_tick, engine);
  p2p_timer_init (
      &engine->sweep_timer, engine->timers, p2p_share_sweep, engine);
  take_settings (engine, config);
  P2P_LOG_INFO (P2P_AREA_POLICY, 0, "we are peer %s", engine->peer_id.text);

  return engine;
}

void
p2p_engine_free (P2pEngine *engine)
{
  P2P_ASSERT_OWNER (engine);
  g_assert (!engine->busy);

  /* Shares look for requests of theirs when they go: there are none. */
  g_hash_table_remove_all (engine->requests);
  g_hash_table_unref (engine->shares);
  g_hash_table_unref (engine->requests);
  g_ptr_array_unref (engine->trackers);
  g_ptr_array_unref (engine->uploads);
  g_hash_table_unref (engine->fetches);
  g_hash_table_unref (engine->peers);
  g_hash_table_unref (engine->sockets);
  g_hash_table_unref (engine->consumers);
  p2p_store_free (engine->store);
  p2p_registry_free (engine->registry);
  p2p_timer_clear (&engine->upload_timer);
  p2p_timer_clear (&engine->sweep_timer);
  p2p_timer_queue_free (engine->timers);
  g_strfreev (engine->trackers_wanted);
  g_strfreev (engine->ice_servers);
  g_free (engine);
}

static void
enter (P2pEngine *engine, gint64 now_us)
{
  if (engine->owner == NULL)
    engine->owner = g_thread_self ();
  P2P_ASSERT_OWNER (engine);
  g_assert (!engine->busy);
  g_assert (now_us >= engine->now_us);
  engine->busy = TRUE;
  engine->now_us = now_us;
}

/* Nobody reads the store without P2P. */
static void
leave_all (P2pEngine *engine)
{
  g_autoptr (GPtrArray) entries = NULL;
  guint i;

  g_hash_table_remove_all (engine->shares);
  entries = p2p_store_list_all (engine->store);
  for (i = 0; i < entries->len; i++)
    p2p_store_remove (engine->store, entries->pdata[i]);
}

void
p2p_engine_configure (
    P2pEngine *engine, const P2pEngineConfig *config, gint64 now_us)
{
  gboolean upload_was = engine->upload;
  GHashTableIter iter;
  gpointer share;

  enter (engine, now_us);
  take_settings (engine, config);
  if (!engine->p2p)
    leave_all (engine);
  else if (engine->transport_configured)
    p2p_engine_configure_transport (engine);
  p2p_tracker_configure_all (engine);
  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &share)) {
    p2p_share_wants_schedule (share);
    if (upload_was != engine->upload)
      p2p_share_wants_announce (share);
  }
  if (upload_was && !engine->upload)
    p2p_upload_end_all (engine);
  p2p_timer_set_sooner (&engine->upload_timer, now_us);
  engine->busy = FALSE;
}

static void
look_at_playlist (P2pShare *share, const P2pEvent *event)
{
  if (event->kind == P2P_EVENT_HTTP_HEADERS)
    p2p_refresh_http_headers (share, event->response);
  else if (event->kind == P2P_EVENT_HTTP_DATA)
    p2p_refresh_http_data (share, event->bytes);
  else if (event->kind == P2P_EVENT_HTTP_DONE)
    p2p_refresh_http_done (share);
  else if (event->kind == P2P_EVENT_HTTP_FAILED)
    p2p_refresh_http_failed (share);
}

static void
handle_http (P2pEngine *engine, const P2pEvent *event)
{
  P2pFetchOwner *found = g_hash_table_lookup (engine->fetches, &event->id);
  P2pFetchOwner owner;

  if (found == NULL)
    return;
  owner = *found;
  if (event->kind == P2P_EVENT_HTTP_DONE
      || event->kind == P2P_EVENT_HTTP_FAILED)
    g_hash_table_remove (engine->fetches, &event->id);

  if (owner.share != NULL) {
    look_at_playlist (owner.share, event);
    return;
  }
  switch (event->kind) {
    case P2P_EVENT_HTTP_HEADERS:
      if (owner.request != NULL)
        p2p_request_http_headers (owner.request, event->response);
      else
        p2p_download_http_headers (owner.download, event->response);
      break;
    case P2P_EVENT_HTTP_DATA:
      if (owner.request != NULL)
        p2p_request_http_data (owner.request, event->bytes);
      else
        p2p_download_http_data (owner.download, event->bytes);
      break;
    case P2P_EVENT_HTTP_DONE:
      if (owner.request != NULL)
        p2p_request_http_done (owner.request);
      else
        p2p_download_http_done (owner.download);
      break;
    default:
      if (owner.request != NULL)
        p2p_request_http_failed (owner.request, event->failure);
      else
        p2p_download_http_failed (owner.download, event->failure);
      break;
  }
}

static void
handle_socket (P2pEngine *engine, const P2pEvent *event)
{
  P2pTracker *tracker = g_hash_table_lookup (engine->sockets, &event->id);

  if (tracker == NULL)
    return;
  if (event->kind == P2P_EVENT_WS_OPEN)
    p2p_tracker_open (tracker);
  else if (event->kind == P2P_EVENT_WS_MESSAGE)
    p2p_tracker_message (tracker, event->bytes);
  else
    p2p_tracker_closed (tracker, event->text);
}

static P2pPeer *
find_peer (P2pEngine *engine, guint64 conn)
{
  P2pPeer **at_hand = &engine->at_hand[conn & (P2P_PEERS_AT_HAND - 1)];

  if (*at_hand == NULL || (*at_hand)->conn != conn)
    *at_hand = g_hash_table_lookup (engine->peers, &conn);

  return *at_hand;
}

static void
handle_connection (P2pEngine *engine, const P2pEvent *event)
{
  P2pPeer *peer = find_peer (engine, event->id);

  if (peer == NULL)
    return;
  if (event->kind == P2P_EVENT_CONN_SDP)
    p2p_peer_sdp (peer, event->text);
  else if (event->kind == P2P_EVENT_CONN_OPEN)
    p2p_peer_open (peer);
  else if (event->kind == P2P_EVENT_CONN_MESSAGE)
    p2p_peer_message (peer, event->bytes);
  else if (event->kind == P2P_EVENT_CONN_LOW_WATER)
    p2p_peer_low_water (peer);
  else
    p2p_peer_drop (peer, event->text);
}

void
p2p_engine_handle (P2pEngine *engine, const P2pEvent *event, gint64 now_us)
{
  enter (engine, now_us);
  switch (event->kind) {
    case P2P_EVENT_REQUEST:
      p2p_request_start (engine, event->id, event->request);
      break;
    case P2P_EVENT_REQUEST_CANCEL:
      p2p_request_cancel (engine, event->id);
      break;
    case P2P_EVENT_REQUEST_DRAINED:
      p2p_request_drained (engine, event->id);
      break;
    case P2P_EVENT_REQUEST_STYLE:
      p2p_request_style (engine, event->id, event->request);
      break;
    case P2P_EVENT_HTTP_HEADERS:
    case P2P_EVENT_HTTP_DATA:
    case P2P_EVENT_HTTP_DONE:
    case P2P_EVENT_HTTP_FAILED:
      handle_http (engine, event);
      break;
    case P2P_EVENT_WS_OPEN:
    case P2P_EVENT_WS_MESSAGE:
    case P2P_EVENT_WS_CLOSED:
      handle_socket (engine, event);
      break;
    case P2P_EVENT_CONN_SDP:
    case P2P_EVENT_CONN_OPEN:
    case P2P_EVENT_CONN_MESSAGE:
    case P2P_EVENT_CONN_LOW_WATER:
    case P2P_EVENT_CONN_CLOSED:
      handle_connection (engine, event);
      break;
  }
  engine->busy = FALSE;
}

static void
run_schedules (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pShare *) value)->schedule_wanted)
      p2p_schedule (value);
  }
}

static void
run_announcements (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer value;

  engine->work = FALSE;
  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pShare *) value)->announce_wanted)
      p2p_announce (value);
    engine->work |= ((P2pShare *) value)->schedule_wanted;
  }
}

gint64
p2p_engine_step (P2pEngine *engine, gint64 now_us)
{
  enter (engine, now_us);
  p2p_timer_queue_run (engine->timers, now_us);
  /* Mostly nothing is wanted: bytes have come, and gone on. */
  if (engine->work)
    run_schedules (engine);
  p2p_share_evict (engine);
  if (engine->work)
    run_announcements (engine);
  engine->busy = FALSE;

  return p2p_timer_queue_next (engine->timers);
}

static void
add_peer_stats (P2pEngine *engine, P2pStats *stats, P2pPeer *peer)
{
  P2pPeerStats row = { 0 };
  P2pTransportInfo info = { 0 };

  engine->ports.transport->ops->info (
      engine->ports.transport, peer->conn, &info);
  g_strlcpy (row.id, peer->id.text, sizeof (row.id));
  g_strlcpy (row.address, info.remote_address, sizeof (row.address));
  row.rtt_us = info.rtt_us;
  row.down_bytes = peer->down_bytes;
  row.up_bytes = peer->up_bytes;
  g_array_append_val (stats->peer_list, row);
}

static void
add_share_stats (P2pEngine *engine, P2pStats *stats, P2pShare *share)
{
  guint i, k;

  for (k = 0; k < share->n_swarms; k++) {
    P2pSwarmStats row = { .protocol = share->swarms[k].protocol };

    g_strlcpy (
        row.info_hash, share->swarms[k].info_hash.text, sizeof (row.info_hash));
    row.stream = g_strndup (share->stream->playlist_uri,
        strcspn (share->stream->playlist_uri, "?"));
    for (i = 0; i < share->peers->len; i++) {
      P2pPeer *peer = share->peers->pdata[i];

      if (peer->state == P2P_PEER_OPEN && peer->swarm == &share->swarms[k])
        row.peers++;
    }
    g_array_append_val (stats->swarms, row);
  }
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state != P2P_PEER_OPEN)
      continue;
    stats->peers++;
    add_peer_stats (engine, stats, peer);
  }
  stats->peers_known += p2p_tracker_known_peers (engine, share);
}

P2pStats *
p2p_engine_get_stats (P2pEngine *engine, gint64 now_us)
{
  P2pStats *stats = p2p_stats_new ();
  GHashTableIter iter;
  gpointer value;

  enter (engine, now_us);
  stats->http_bytes = engine->http_bytes;
  stats->p2p_bytes = engine->p2p_bytes;
  stats->upload_bytes = engine->upload_bytes;
  stats->http_segments = engine->http_segments;
  stats->p2p_segments = engine->p2p_segments;
  stats->upload_segments = engine->upload_segments;
  stats->overhead_bytes = engine->overhead_bytes;
  stats->registry_misses = engine->registry_misses;
  stats->playlists_delayed = engine->playlists_delayed;
  stats->playlist_delay_us = engine->playlist_delay_us;
  stats->segments_stored = p2p_store_complete_count (engine->store);
  stats->stored_bytes = p2p_store_bytes (engine->store);
  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    add_share_stats (engine, stats, value);
  p2p_tracker_stats (engine, stats);
  engine->busy = FALSE;

  return stats;
}

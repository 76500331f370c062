/* p2phlssrc: one segment on its way, from one source after the other.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "engine-private.h"
#include "formats/urlkey.h"
#include "policy/retry.h"

P2pDownload *
p2p_download_find (P2pShare *share, gint64 id)
{
  guint i;

  for (i = 0; i < share->downloads->len; i++) {
    P2pDownload *download = share->downloads->pdata[i];

    if (download->id == id)
      return download;
  }

  return NULL;
}

static void
on_timer (gpointer owner, gint64 now_us)
{
  P2pDownload *download = owner;

  p2p_share_wants_schedule (download->share);
}

P2pDownload *
p2p_download_new (P2pShare *share, gint64 id)
{
  P2pEngine *engine = share->engine;
  P2pDownload *download = g_new0 (P2pDownload, 1);

  g_assert (p2p_download_find (share, id) == NULL);
  download->share = share;
  download->id = id;
  download->entry = p2p_store_ensure (engine->store, share->stream->serial, id);
  g_assert (!download->entry->complete);
  download->entry->users++;
  download->entry->last_use_us = engine->now_us;
  download->requests = g_ptr_array_new ();
  download->range = P2P_RANGE_ALL;
  download->http_until = P2P_SIZE_UNKNOWN;
  p2p_timer_init (&download->timer, engine->timers, on_timer, download);
  g_ptr_array_add (share->downloads, download);
  if (p2p_stream_segment (share->stream, id) != NULL)
    p2p_download_listed (download, p2p_stream_segment (share->stream, id));

  return download;
}

void
p2p_download_free (P2pDownload *download)
{
  p2p_download_stop (download);
  p2p_hold_end (download);
  if (!download->entry->complete)
    p2p_upload_abandon (download->share, download->entry);
  download->entry->users--;
  p2p_timer_clear (&download->timer);
  g_ptr_array_unref (download->requests);
  g_clear_pointer (&download->profile, p2p_http_profile_unref);
  g_clear_pointer (&download->refusal, p2p_http_failure_unref);
  g_clear_pointer (&download->failure, p2p_http_failure_unref);
  g_free (download->uri);
  g_free (download);
}

/* What is here is of something else. */
static void
restart (P2pDownload *download)
{
  P2pEntry *entry = download->entry;

  p2p_upload_abandon (download->share, entry);
  download->share->engine->overhead_bytes += entry->size;
  p2p_store_restart (entry);
  download->from_peers = download->from_http = 0;
}

void
p2p_download_listed (P2pDownload *download, const P2pSegment *segment)
{
  guint64 length = p2p_range_length (&segment->range);

  g_assert (download->uri == NULL);
  download->uri = g_strdup (segment->uri);
  download->range = segment->range;
  if (length == P2P_SIZE_UNKNOWN)
    return;
  /* What a peer gave is of something else. */
  if (download->entry->total != P2P_SIZE_UNKNOWN
      && download->entry->total != length) {
    p2p_download_stop (download);
    restart (download);
  }
  download->entry->total = length;
}

gboolean
p2p_download_is_required (const P2pDownload *download)
{
  return download->requests->len > 0 || download->hold != NULL;
}

void
p2p_download_need (P2pDownload *download, P2pFetchView *view)
{
  if (download->requests->len > 0)
    p2p_request_need (download->requests->pdata[0], view);
  else
    p2p_hold_need (download, view);
}

gint64
p2p_download_needed_us (P2pDownload *download)
{
  P2pShare *share = download->share;
  P2pStream *stream = share->stream;
  const P2pSegment *next = p2p_stream_segment (stream, share->position + 1);
  const P2pSegment *segment = p2p_stream_segment (stream, download->id);

  if (p2p_download_is_required (download) || download->id <= share->position)
    return 0;
  if (next != NULL && segment != NULL)
    return segment->start_us - next->start_us;

  return (download->id - share->position - 1) * stream->target_duration_us;
}

guint64
p2p_download_expects (P2pDownload *download, gint64 duration_us)
{
  P2pShare *share = download->share;
  P2pEntry *entry = download->entry;

  if (entry->total != P2P_SIZE_UNKNOWN)
    return entry->total - entry->size;
  if (share->mean_bytes > entry->size)
    return share->mean_bytes - entry->size;

  return share->stream->bitrate / 8.0 * duration_us / G_USEC_PER_SEC;
}

gboolean
p2p_download_is_idle (const P2pDownload *download)
{
  return download->http == 0 && download->peer == NULL;
}

gboolean
p2p_download_is_here (P2pShare *share, gint64 id)
{
  P2pEntry *entry =
      p2p_store_find (share->engine->store, share->stream->serial, id);

  return entry != NULL && entry->complete;
}

gboolean
p2p_download_has_source (P2pShare *share, gint64 id)
{
  P2pDownload *download = p2p_download_find (share, id);

  return p2p_download_is_here (share, id)
      || (download != NULL && !p2p_download_is_idle (download));
}

static void
remove_download (P2pDownload *download)
{
  p2p_share_wants_schedule (download->share);
  g_ptr_array_remove_fast (download->share->downloads, download);
}

/* Of "//host/path" hlsdemux makes another URL than browsers do. Where it
 * looks, HTTP alone would look, and a playlist that no browser could read may
 * have been made for it. */
static void
take_network_path (P2pDownload *download, const char *uri)
{
  g_autofree char *key = p2p_url_key_of (uri);
  g_autofree char *meant = p2p_url_network_path_key (key);

  if (meant == NULL)
    return;
  g_free (download->uri);
  download->uri = g_strdup (uri);
}

void
p2p_download_join (P2pDownload *download, P2pPlayerRequest *request)
{
  take_network_path (download, request->uri);
  g_ptr_array_add (download->requests, request);
  g_clear_pointer (&download->profile, p2p_http_profile_unref);
  download->profile = p2p_http_profile_ref (request->profile);
  p2p_share_wants_schedule (download->share);
}

/* A prefetch that peers count on, or that is nearly there, goes on. */
static gboolean
is_worth_finishing (P2pDownload *download)
{
  P2pEntry *entry = download->entry;

  if (download->peer != NULL)
    return TRUE;
  if (download->http == 0)
    return FALSE;

  return p2p_share_open_peers (download->share) > 0
      || (entry->total != P2P_SIZE_UNKNOWN && entry->size > entry->total / 2);
}

void
p2p_download_leave (P2pDownload *download, P2pPlayerRequest *request)
{
  g_ptr_array_remove_fast (download->requests, request);
  if (!p2p_download_is_required (download) && !is_worth_finishing (download)) {
    p2p_share_wants_announce (download->share);
    remove_download (download);
  }
}

/* --- sources ---------------------------------------------------------------- */

void
p2p_source_begin (P2pSource *source, P2pEngine *engine)
{
  *source = (P2pSource){ .begun_us = engine->now_us,
    .last_byte_us = engine->now_us,
    .arrived = engine->arrived_bytes,
    .line_bps = p2p_engine_line_bps (engine) };
}

void
p2p_source_add (P2pSource *source, gsize size, gint64 now_us)
{
  if (source->first_byte_us == 0)
    source->first_byte_us = now_us;
  source->last_byte_us = now_us;
  source->bytes += size;
}

static void
begin_source (P2pDownload *download)
{
  P2pEngine *engine = download->share->engine;

  p2p_source_begin (&download->source, engine);
  p2p_timer_clear (&download->timer);
  p2p_bandwidth_begin (&engine->all_bandwidth, engine->now_us);
}

void
p2p_download_start_http (P2pDownload *download, const char *reason)
{
  P2pEngine *engine = download->share->engine;
  P2pFetchOwner owner = { .download = download };
  P2pHttpRequest http = {
    .uri = download->uri,
    .range = download->range,
    .profile = download->profile != NULL ? download->profile
                                         : download->share->profile,
  };

  g_assert (p2p_download_is_idle (download));
  if (download->refusal != NULL || p2p_tail_room (download) == P2P_SIZE_UNKNOWN)
    p2p_tail_stop (download);
  g_assert (download->uri != NULL && http.profile != NULL);
  download->http_from = download->refusal != NULL ? 0 : download->entry->size;
  http.range.start += download->http_from;
  download->http_until = P2P_SIZE_UNKNOWN;
  if (p2p_tail_is_there (download)) {
    download->http_until = download->tail.from;
    http.range.end = download->range.start + download->http_until - 1;
  }
  download->http = p2p_engine_number (engine);
  download->http_skip = 0;
  download->http_answered = FALSE;
  download->http_attempts++;
  download->http_left = P2P_SIZE_UNKNOWN;
  begin_source (download);
  p2p_bandwidth_begin (&engine->http_bandwidth, engine->now_us);
  g_hash_table_insert (engine->fetches,
      g_memdup2 (&download->http, sizeof (download->http)),
      g_memdup2 (&owner, sizeof (owner)));
  P2P_LOG_DEBUG (P2P_AREA_POLICY, download->http,
      "segment %" G_GINT64_FORMAT " from byte %" G_GUINT64_FORMAT
      " over HTTP: %s",
      download->id, download->entry->size, reason);
  engine->ports.http->ops->start (engine->ports.http, download->http, &http);
  /* The claim goes out at once: others that see the segment now wait. */
  p2p_share_wants_announce (download->share);
}

void
p2p_download_start_peer (
    P2pDownload *download, P2pPeer *peer, const char *reason)
{
  P2pEngine *engine = download->share->engine;

  g_assert (p2p_download_is_idle (download));
  download->peer = peer;
  begin_source (download);
  p2p_bandwidth_begin (&peer->bandwidth, engine->now_us);
  P2P_LOG_DEBUG (P2P_AREA_POLICY, peer->conn,
      "segment %" G_GINT64_FORMAT " from byte %" G_GUINT64_FORMAT
      " of peer %s: %s",
      download->id, download->entry->size, peer->id.text, reason);
  p2p_peer_request (peer, download, download->entry->size);
}

static void
end_http (P2pDownload *download)
{
  P2pEngine *engine = download->share->engine;

  download->http = 0;
  p2p_bandwidth_end (&engine->http_bandwidth, engine->now_us);
  p2p_bandwidth_end (&engine->all_bandwidth, engine->now_us);
  p2p_share_wants_announce (download->share);
  p2p_share_wants_schedule (download->share);
}

static void
end_peer (P2pDownload *download)
{
  P2pEngine *engine = download->share->engine;

  /* Of a request that was refused, nobody has been told. */
  if (download->peer->down_begun || download->entry->size > 0)
    p2p_share_wants_announce (download->share);
  p2p_bandwidth_end (&download->peer->bandwidth, engine->now_us);
  p2p_bandwidth_end (&engine->all_bandwidth, engine->now_us);
  download->peer = NULL;
  download->raced_bps = 0;
  /* A total that only this peer claimed binds nobody. */
  if (download->entry->size == 0
      && p2p_range_length (&download->range) == P2P_SIZE_UNKNOWN) {
    p2p_tail_stop (download);
    download->entry->total = P2P_SIZE_UNKNOWN;
  }
  /* Who waits with us for the first byte might be the next that we ask. */
  if (download->entry->size == 0)
    p2p_upload_abandon (download->share, download->entry);
  p2p_share_wants_schedule (download->share);
}

void
p2p_download_leave_source (P2pDownload *download)
{
  P2pEngine *engine = download->share->engine;

  if (download->http != 0) {
    g_hash_table_remove (engine->fetches, &download->http);
    engine->ports.http->ops->cancel (engine->ports.http, download->http);
    end_http (download);
  }
  if (download->peer != NULL) {
    P2pPeer *peer = download->peer;

    end_peer (download);
    p2p_peer_cancel (peer);
  }
}

void
p2p_download_stop (P2pDownload *download)
{
  p2p_download_leave_source (download);
  p2p_tail_stop (download);
}

void
p2p_download_leave_peer (P2pDownload *download, P2pPeer *peer)
{
  if (peer == download->tail.peer)
    p2p_tail_stop (download);
  else
    p2p_download_leave_source (download);
}

static void
advance_requests (P2pDownload *download)
{
  guint i;

  /* Incomplete: none of them goes away. */
  for (i = 0; i < download->requests->len; i++)
    p2p_request_advance (download->requests->pdata[i]);
}

static void
take (P2pDownload *download, GBytes *bytes)
{
  P2pEngine *engine = download->share->engine;
  gsize size = g_bytes_get_size (bytes);
  guint i;

  for (i = 0; download->http != 0 && i < download->requests->len; i++)
    ((P2pPlayerRequest *) download->requests->pdata[i])->from_http += size;

  p2p_source_add (&download->source, size, engine->now_us);
  download->moved_us = engine->now_us;
  download->silent = 0;
  p2p_bandwidth_add (&engine->all_bandwidth, size, engine->now_us);
  if (download->entry->size == 0)
    p2p_share_wants_announce (download->share);
  p2p_store_append (download->entry, bytes);
  advance_requests (download);
  p2p_upload_grown (download->share, download->entry);
}

static gboolean
anything_delivered (P2pDownload *download)
{
  guint i;

  for (i = 0; i < download->requests->len; i++) {
    if (((P2pPlayerRequest *) download->requests->pdata[i])->delivered > 0)
      return TRUE;
  }

  return FALSE;
}

static void
fail_requests (P2pDownload *download, P2pHttpFailure *failure)
{
  g_autoptr (GPtrArray) requests = g_steal_pointer (&download->requests);
  guint i;

  download->requests = g_ptr_array_new ();
  p2p_download_stop (download);
  remove_download (download);
  for (i = 0; i < requests->len; i++) {
    P2pPlayerRequest *request = requests->pdata[i];

    /* HTTP alone would have given all of it before it failed. */
    request->pace_bps = 0;
    p2p_request_advance (request);
    p2p_request_fail (request, failure);
  }
}

static void
count_segment (P2pDownload *download)
{
  P2pEngine *engine = download->share->engine;
  P2pShare *share = download->share;
  double size = download->entry->size;

  if (download->from_peers > download->from_http)
    engine->p2p_segments++;
  else
    engine->http_segments++;
  share->mean_bytes =
      share->mean_bytes == 0 ? size : 0.7 * share->mean_bytes + 0.3 * size;
}

/* The source has given its last byte. Frees @download. */
static void
complete (P2pDownload *download)
{
  P2pShare *share = download->share;
  g_autoptr (GPtrArray) requests = NULL;
  gboolean finished = p2p_store_finish (download->entry);
  guint i;

  if (finished) {
    count_segment (download);
    p2p_upload_grown (share, download->entry);
    P2P_LOG_DEBUG (P2P_AREA_STORE, 0,
        "segment %" G_GINT64_FORMAT " stored: %" G_GUINT64_FORMAT
        " bytes by HTTP, %" G_GUINT64_FORMAT " from peers",
        download->id, download->from_http, download->from_peers);
  } else {
    p2p_share_mark_bad (download->share, download->id);
  }
  requests = g_steal_pointer (&download->requests);
  download->requests = g_ptr_array_new ();
  p2p_share_wants_announce (share);
  remove_download (download);
  /* An empty segment is nothing to store or share: the player gets it as it
   * comes from the origin. */
  for (i = 0; i < requests->len; i++) {
    if (finished)
      p2p_request_advance (requests->pdata[i]);
    else
      p2p_request_detach (requests->pdata[i]);
  }
}

/* Too large to store: the player gets the rest straight from HTTP. */
static void
give_up_sharing (P2pDownload *download)
{
  g_autoptr (GPtrArray) requests = g_steal_pointer (&download->requests);
  guint i;

  download->requests = g_ptr_array_new ();
  p2p_download_stop (download);
  p2p_share_mark_bad (download->share, download->id);
  remove_download (download);
  for (i = 0; i < requests->len; i++)
    p2p_request_detach (requests->pdata[i]);
}

/* --- from a peer --------------------------------------------------------------- */

/* What the second peer gave, but for the first @skip bytes. */
static void
append_chunks (P2pEntry *entry, const P2pTail *tail, gsize skip)
{
  guint i;

  for (i = 0; i < tail->chunks->len; i++) {
    GBytes *chunk = tail->chunks->pdata[i];
    gsize size = g_bytes_get_size (chunk);
    gsize past = MIN (skip, size);

    skip -= past;
    if (past < size) {
      g_autoptr (GBytes) rest =
          g_bytes_new_from_bytes (chunk, past, size - past);

      p2p_store_append (entry, rest);
    }
  }
}

void
p2p_download_join_tail (P2pDownload *download)
{
  P2pEngine *engine = download->share->engine;
  P2pEntry *entry = download->entry;
  P2pTail tail = p2p_tail_take (download);
  gsize skip = entry->size - tail.from;

  p2p_download_leave_source (download);
  p2p_share_wants_announce (download->share);
  if (entry->total == P2P_SIZE_UNKNOWN)
    entry->total = tail.total;
  append_chunks (entry, &tail, skip);
  g_ptr_array_unref (tail.chunks);
  engine->overhead_bytes += skip;
  engine->p2p_bytes += tail.source.bytes - skip;
  download->from_peers += tail.source.bytes - skip;
  if (tail.peer == NULL) {
    complete (download);
    return;
  }
  download->peer = tail.peer;
  download->source = tail.source;
  advance_requests (download);
  p2p_upload_grown (download->share, download->entry);
}

/* May free @download, and says so. */
static gboolean
join_when_next (P2pDownload *download)
{
  if (p2p_tail_room (download) != 0)
    return FALSE;
  p2p_download_join_tail (download);

  return TRUE;
}

void
p2p_download_transfer (P2pDownload *download, P2pTransferView *view)
{
  P2pShare *share = download->share;
  const P2pSource *source = &download->source;
  const P2pEntry *entry = download->entry;
  guint64 total = entry->total;

  if (total == P2P_SIZE_UNKNOWN && p2p_tail_is_there (download))
    total = download->tail.total;
  view->begun_us = source->begun_us;
  view->first_byte_us = source->first_byte_us;
  view->last_byte_us = source->last_byte_us;
  view->bytes = source->bytes;
  view->arrived = share->engine->arrived_bytes - source->arrived;
  view->was_slow = share->engine->now_us < share->slow_until_us;
  view->line_bps = p2p_share_is_line_wide (share) ? 0 : source->line_bps;
  view->rest =
      total == P2P_SIZE_UNKNOWN ? total : total - MIN (entry->size, total);
  view->need.now_us = share->engine->now_us;
  view->need.duration_us = share->stream->target_duration_us;
  if (p2p_download_is_required (download))
    p2p_download_need (download, &view->need);
  view->need.size = p2p_download_expects (download, view->need.duration_us);
}

gboolean
p2p_download_peer_begins (P2pDownload *download, P2pPeer *peer, guint64 follows)
{
  P2pEntry *entry = download->entry;

  if (peer == download->tail.peer)
    return p2p_tail_begins (download, follows);
  if (entry->total == P2P_SIZE_UNKNOWN)
    entry->total = entry->size + follows;
  p2p_share_wants_announce (download->share);
  /* Now that its length is known, a second peer may be asked for the end. */
  if (p2p_download_is_required (download))
    p2p_share_wants_schedule (download->share);

  return entry->total == entry->size + follows;
}

void
p2p_download_peer_data (P2pDownload *download, P2pPeer *peer, GBytes *bytes)
{
  P2pEngine *engine = download->share->engine;
  g_autoptr (GBytes) slice = NULL;
  gsize size = g_bytes_get_size (bytes);
  guint64 room = p2p_tail_room (download);
  gsize use = MIN (size, room);

  if (peer == download->tail.peer) {
    p2p_tail_data (download, bytes);
    p2p_race_check (download);
    return;
  }
  /* It is quicker than a second peer that has sent nothing yet. */
  if (p2p_tail_is_there (download) && room == P2P_SIZE_UNKNOWN
      && download->entry->size + size >= download->tail.from)
    p2p_tail_stop (download);
  engine->p2p_bytes += use;
  engine->overhead_bytes += size - use;
  download->from_peers += use;
  p2p_bandwidth_add (&peer->bandwidth, size, engine->now_us);
  slice = use == size ? g_bytes_ref (bytes)
                      : g_bytes_new_from_bytes (bytes, 0, use);
  take (download, slice);
  join_when_next (download);
}

void
p2p_download_peer_completed (P2pDownload *download, P2pPeer *peer)
{
  if (peer == download->tail.peer) {
    p2p_tail_completed (download);
    return;
  }
  end_peer (download);
  complete (download);
}

void
p2p_download_peer_gone (P2pDownload *download, P2pPeer *peer)
{
  if (peer == download->tail.peer)
    p2p_tail_gone (download);
  else
    end_peer (download);
}

const P2pSource *
p2p_download_source_of (const P2pDownload *download, const P2pPeer *peer)
{
  return peer == download->tail.peer ? &download->tail.source
                                     : &download->source;
}

/* --- from the origin ------------------------------------------------------------ */

static void
set_failure (P2pHttpFailure **place, P2pHttpFailure *failure)
{
  g_clear_pointer (place, p2p_http_failure_unref);
  *place = p2p_http_failure_ref (failure);
}

/* The whole was on its way for want of the rest, and gave nothing beyond what
 * is here: HTTP alone would have ended with the refusal. */
static gboolean
whole_was_no_help (const P2pDownload *download)
{
  return download->refusal != NULL && download->http_attempts == 0
      && download->source.bytes == 0;
}

/* @refused: the origin has answered, and asking the same again is no use. */
static void
origin_failed (P2pDownload *download, P2pHttpFailure *failure, gboolean refused)
{
  P2pEntry *entry = download->entry;
  int retries = download->profile != NULL ? download->profile->retries : 0;
  gboolean raced = p2p_race_is_on (download);

  end_http (download);
  if (entry->size > 0 && entry->size == entry->total) {
    complete (download);
    return;
  }
  /* A peer sends it already, or soon will: no need to ask it anew. */
  if (p2p_tail_is_next (download)) {
    download->http_again_us = download->share->engine->now_us + P2P_REFUSED_US;
    p2p_download_join_tail (download);
    return;
  }
  if (raced)
    p2p_tail_stop (download);
  if (download->requests->len == 0) {
    p2p_share_mark_bad (download->share, download->id);
    remove_download (download);
    return;
  }

  /* To go on from the middle was our idea: next, all of it is asked for and
   * what is known thrown away. */
  if (refused && download->http_from > 0) {
    set_failure (&download->refusal, failure);
    return;
  }
  if (!refused && whole_was_no_help (download)) {
    set_failure (&download->failure, download->refusal);
    return;
  }
  if (!refused
      && (failure->kind == P2P_HTTP_FAILURE_STATUS
          || p2p_engine_retries_http (
              download->http_answered, download->http_attempts, retries))) {
    download->http_again_us = download->share->engine->now_us
        + p2p_engine_retry_us (download->profile, download->http_attempts);
    return;
  }

  set_failure (&download->failure, failure);
}

/* Returns: (transfer full). */
static P2pHttpFailure *
failure_of (P2pDownload *download, P2pHttpFailureKind kind, guint status,
    const char *reason)
{
  P2pHttpFailure *failure = p2p_http_failure_new (kind);

  failure->status = status;
  failure->reason = g_strdup (reason);
  failure->uri = g_strdup (download->uri);

  return failure;
}

/* The answer is no good, whatever still comes. */
static void
abort_with (P2pDownload *download, guint status, const char *reason)
{
  P2pEngine *engine = download->share->engine;
  g_autoptr (P2pHttpFailure) failure =
      failure_of (download, P2P_HTTP_FAILURE_RANGE, status, reason);

  g_hash_table_remove (engine->fetches, &download->http);
  engine->ports.http->ops->cancel (engine->ports.http, download->http);
  origin_failed (download, failure, TRUE);
}

/* What the whole segment measures by this response. */
static guint64
total_by_response (P2pDownload *download, P2pHttpResponse *response)
{
  guint64 wanted = p2p_range_length (&download->range);
  /* It was not always asked for its end. */
  gboolean is_part =
      response->status == 206 && download->http_until != P2P_SIZE_UNKNOWN;
  guint64 length = is_part ? response->total_size : response->content_length;

  if (length == P2P_SIZE_UNKNOWN)
    return P2P_SIZE_UNKNOWN;
  if (response->status == 206 && !is_part)
    return MIN (wanted, download->http_from + length);
  if (length <= download->range.start)
    return 0;

  return MIN (wanted, length - download->range.start);
}

/* Whether what is known of the segment is not of the one that the origin
 * has. */
static gboolean
contradicts (const P2pEntry *entry, guint64 total)
{
  if (total == P2P_SIZE_UNKNOWN)
    return FALSE;

  return entry->total == P2P_SIZE_UNKNOWN ? total < entry->size
                                          : total != entry->total;
}

void
p2p_download_http_headers (P2pDownload *download, P2pHttpResponse *response)
{
  P2pEntry *entry = download->entry;
  guint64 from = download->range.start + download->http_from;
  guint64 total = total_by_response (download, response);

  download->http_answered = TRUE;
  if (response->status == 206 && response->range_start != from) {
    abort_with (download, response->status, "The server sent another range");
    return;
  }
  if (response->status != 206 && from > 0) {
    g_autoptr (P2pHttpFailure) refusal = failure_of (download,
        P2P_HTTP_FAILURE_RANGE, response->status, "The server ignores ranges");

    set_failure (&download->refusal, refusal);
  }
  if (contradicts (entry, total)) {
    P2P_LOG_WARNING (P2P_AREA_STORE, download->http,
        "segment %" G_GINT64_FORMAT " has %" G_GUINT64_FORMAT
        " bytes at the origin, not %" G_GINT64_FORMAT "; %" G_GUINT64_FORMAT
        " are here",
        download->id, total, (gint64) entry->total, entry->size);
    if (entry->size > 0 && !anything_delivered (download)) {
      p2p_download_stop (download);
      restart (download);
      return;
    }
    if (total < entry->size) {
      abort_with (download, response->status,
          "The segment is shorter than what is here");
      return;
    }
  }
  if (total != P2P_SIZE_UNKNOWN && total != entry->total) {
    /* Who takes it from us was told another length, and so were we. */
    p2p_upload_abandon (download->share, entry);
    if (entry->total != P2P_SIZE_UNKNOWN || !p2p_tail_fits (download, total))
      p2p_tail_stop (download);
    if (response->status != 206)
      download->http_until = P2P_SIZE_UNKNOWN;
    entry->total = total;
  }
  download->http_only_whole = !response->accepts_ranges;
  p2p_race_answered (download);
  /* Now that its length is known, a peer may be asked for the end. */
  if (p2p_download_is_required (download))
    p2p_share_wants_schedule (download->share);
  p2p_share_wants_announce (download->share);
  download->http_skip = response->status == 206
      ? entry->size - download->http_from
      : download->range.start + entry->size;
  if (entry->total != P2P_SIZE_UNKNOWN)
    download->http_left = entry->total - entry->size;
  else if (p2p_range_length (&download->range) != P2P_SIZE_UNKNOWN)
    download->http_left = p2p_range_length (&download->range) - entry->size;
  if (download->http_until != P2P_SIZE_UNKNOWN)
    download->http_left =
        MIN (download->http_left, download->http_until - entry->size);
}

void
p2p_download_http_data (P2pDownload *download, GBytes *bytes)
{
  P2pEngine *engine = download->share->engine;
  g_autoptr (GBytes) slice = NULL;
  gsize size = g_bytes_get_size (bytes);
  gsize skip = MIN (download->http_skip, size);
  gsize use = MIN (size - skip, download->http_left);

  download->http_skip -= skip;
  engine->arrived_bytes += size;
  engine->overhead_bytes += size - use;
  download->http_attempts = 0;
  p2p_bandwidth_add (&engine->http_bandwidth, size, engine->now_us);
  if (download->entry->size + use > P2P_SEGMENT_MAX_BYTES) {
    give_up_sharing (download);
    return;
  }

  if (use > 0) {
    slice = use == size ? g_bytes_ref (bytes)
                        : g_bytes_new_from_bytes (bytes, skip, use);
    engine->http_bytes += use;
    download->from_http += use;
    if (download->http_left != P2P_SIZE_UNKNOWN)
      download->http_left -= use;
    take (download, slice);
    if (p2p_race_check (download))
      return;
  }
  /* A server without ranges sends the rest of the resource as well. */
  if (skip + use == size)
    return;
  p2p_download_leave_source (download);
  if (download->http_until == P2P_SIZE_UNKNOWN)
    complete (download);
  else
    join_when_next (download);
}

void
p2p_download_http_done (P2pDownload *download)
{
  P2pEntry *entry = download->entry;

  if (download->http_skip == 0 && entry->size == download->http_until) {
    end_http (download);
    join_when_next (download);
    return;
  }
  if (download->http_skip > 0
      || (entry->total != P2P_SIZE_UNKNOWN && entry->size < entry->total
          && entry->size > 0)) {
    g_autoptr (P2pHttpFailure) failure = failure_of (
        download, P2P_HTTP_FAILURE_SHORT, 0, "The body ended early");

    origin_failed (download, failure, FALSE);
    return;
  }
  end_http (download);
  complete (download);
}

void
p2p_download_http_failed (P2pDownload *download, P2pHttpFailure *failure)
{
  origin_failed (download, failure,
      failure->kind == P2P_HTTP_FAILURE_STATUS
          && !p2p_engine_retries_refusal (
              download->profile, failure, download->http_attempts));
}

void
p2p_download_give_up (P2pDownload *download)
{
  g_autoptr (P2pHttpFailure) failure = g_steal_pointer (&download->failure);

  g_assert (failure != NULL);
  fail_requests (download, failure);
}

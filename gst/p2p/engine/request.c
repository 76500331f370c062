/* p2phlssrc: what the player asks for, and how it is handed over.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Segments of a shared stream come from the store as it fills
 * (p2p_request_advance()); everything else passes straight through from HTTP,
 * playlists with a look at their contents.
 */
#include "engine-private.h"
#include "formats/gatewayurl.h"
#include "policy/pace.h"
#include "policy/retry.h"

/* Bytes that tell a playlist from everything else: a byte order mark, some
 * white space and "#EXTM3U". */
#define SNIFF_BYTES 64

/* Slices of a paced segment leave this often. */
#define PACE_TICK_US (20 * 1000)

/* A player that asks for a segment within this share of its duration after the
 * last one fills its buffer, and will go on so. */
#define HURRIED_SHARE 0.1

/* And one that has not asked so soon has enough, or waits for a playlist. */
#define ASKS_AGAIN_US (250 * 1000)

/* Source elements remembered; the longest unseen is forgotten. */
#define CONSUMERS_MAX 1024

static void start_http (P2pPlayerRequest *request);

/* --- playback ------------------------------------------------------------ */

static void
forget_oldest_consumer (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer key, value, oldest = NULL;
  gint64 oldest_us = P2P_NEVER;

  g_hash_table_iter_init (&iter, engine->consumers);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    if (((P2pConsumer *) value)->last_us < oldest_us) {
      oldest_us = ((P2pConsumer *) value)->last_us;
      oldest = key;
    }
  }
  if (oldest != NULL)
    g_hash_table_remove (engine->consumers, oldest);
}

static P2pConsumer *
ensure_consumer (P2pEngine *engine, guint64 number)
{
  P2pConsumer *consumer = g_hash_table_lookup (engine->consumers, &number);

  if (consumer != NULL)
    return consumer;
  if (g_hash_table_size (engine->consumers) >= CONSUMERS_MAX)
    forget_oldest_consumer (engine);
  consumer = g_new0 (P2pConsumer, 1);
  g_hash_table_insert (
      engine->consumers, g_memdup2 (&number, sizeof (number)), consumer);

  return consumer;
}

static gint64
ahead_us (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;
  P2pConsumer *consumer =
      g_hash_table_lookup (engine->consumers, &request->consumer);

  return consumer == NULL
      ? 0
      : p2p_playback_ahead (&consumer->playback, engine->now_us);
}

gint64
p2p_request_least_ahead_us (P2pEngine *engine)
{
  gint64 least_us = P2P_NEVER;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->consumers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pConsumer *consumer = value;

    if (consumer->share != NULL && p2p_share_is_followed (consumer->share))
      least_us = MIN (
          least_us, p2p_playback_ahead (&consumer->playback, engine->now_us));
  }

  return least_us == P2P_NEVER ? 0 : least_us;
}

gint64
p2p_request_due_until_us (P2pEngine *engine)
{
  gint64 until_us = 0;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, engine->consumers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pConsumer *consumer = value;

    if (consumer->ended_us != 0)
      until_us = MAX (until_us, consumer->ended_us + ASKS_AGAIN_US);
  }

  return until_us > engine->now_us ? until_us : 0;
}

void
p2p_request_need (P2pPlayerRequest *request, P2pFetchView *view)
{
  P2pEngine *engine = request->engine;
  const P2pSegment *segment =
      p2p_stream_segment (request->share->stream, request->segment_id);

  view->now_us = engine->now_us;
  view->asked_us = request->asked_us;
  view->duration_us = segment != NULL
      ? segment->duration_us
      : request->share->stream->target_duration_us;
  view->ahead_us = ahead_us (request);
  view->urgent_us = p2p_share_urgent_us (request->share, view->duration_us);
  view->has_variants = p2p_share_has_variants (request->share);
  view->http_bps = p2p_bandwidth_bps (&engine->http_bandwidth, engine->now_us);
}

/* --- life ---------------------------------------------------------------- */

void
p2p_request_free (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;

  if (request->http != 0) {
    g_hash_table_remove (engine->fetches, &request->http);
    engine->ports.http->ops->cancel (engine->ports.http, request->http);
  }
  if (request->share != NULL) {
    P2pDownload *download =
        p2p_download_find (request->share, request->segment_id);

    request->entry->users--;
    if (download != NULL)
      p2p_download_leave (download, request);
  }
  p2p_hold_forget (request);
  p2p_timer_clear (&request->pace_timer);
  g_clear_pointer (&request->body, g_bytes_unref);
  g_clear_pointer (&request->playlist, g_byte_array_unref);
  g_clear_pointer (&request->unstyled, g_bytes_unref);
  g_free (request->gateway_key);
  g_clear_pointer (&request->response, p2p_http_response_unref);
  p2p_http_profile_unref (request->profile);
  g_free (request->uri);
  g_free (request);
}

static void
send_headers (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;

  if (request->headers_sent)
    return;
  request->headers_sent = TRUE;
  engine->ports.sink->ops->headers (
      engine->ports.sink, request->id, request->response);
}

void
p2p_request_fail (P2pPlayerRequest *request, P2pHttpFailure *failure)
{
  P2pEngine *engine = request->engine;

  /* They waited for the first bytes, to see whether it is a playlist. */
  if (request->response != NULL)
    send_headers (request);
  P2P_LOG_INFO (P2P_AREA_HTTP, request->id, "failed: status %u, %s",
      failure->status, failure->reason ? failure->reason : "no reason");
  engine->ports.sink->ops->fail (engine->ports.sink, request->id, failure);
  g_hash_table_remove (engine->requests, &request->id);
}

static void
end_request (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;

  engine->ports.sink->ops->end (engine->ports.sink, request->id);
  g_hash_table_remove (engine->requests, &request->id);
}

/* --- segments ------------------------------------------------------------ */

static void
send_made_up_headers (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;
  g_autoptr (P2pHttpResponse) response = p2p_http_response_new ();
  gboolean whole = p2p_range_is_all (&request->range);

  response->status = whole ? 200 : 206;
  response->reason = g_strdup (whole ? "OK" : "Partial Content");
  response->uri = g_strdup (request->uri);
  response->content_length = request->entry->total;
  response->range_start = request->range.start;
  if (request->entry->total != P2P_SIZE_UNKNOWN)
    response->total_size = request->range.start + request->entry->total;
  response->accepts_ranges = TRUE;
  engine->ports.sink->ops->headers (engine->ports.sink, request->id, response);
  request->headers_sent = TRUE;
}

/* How many bytes may be handed over now. What comes from the origin has a pace
 * of its own, the network's. */
static guint64
allowance (P2pPlayerRequest *request)
{
  const P2pEntry *entry = request->entry;
  P2pFetchView view = { 0 };
  guint64 paced;

  if (request->pace_bps == 0)
    return G_MAXUINT64;
  p2p_request_need (request, &view);
  paced = p2p_pace_bytes (request->pace_bps,
      entry->total != P2P_SIZE_UNKNOWN ? entry->total : entry->size,
      view.duration_us, view.now_us - view.asked_us);
  paced = MAX (paced, request->from_http);

  return paced > request->delivered ? paced - request->delivered : 0;
}

void
p2p_request_advance (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;
  P2pEntry *entry = request->entry;
  guint64 allowed = allowance (request);
  P2pConsumer *consumer;
  const P2pSegment *segment;

  /* Not earlier: a total without a byte is a peer's mere word. */
  if (!request->headers_sent && entry->size > 0)
    send_made_up_headers (request);

  consumer = g_hash_table_lookup (engine->consumers, &request->consumer);
  while (allowed > 0) {
    g_autoptr (GBytes) bytes =
        p2p_store_read (entry, &request->cursor, MIN (allowed, G_MAXSIZE));

    if (bytes == NULL)
      break;
    if (request->delivered == 0 && consumer != NULL)
      p2p_playback_arrives (&consumer->playback, engine->now_us);
    request->delivered += g_bytes_get_size (bytes);
    allowed -= g_bytes_get_size (bytes);
    engine->ports.sink->ops->data (engine->ports.sink, request->id, bytes);
  }
  if (request->delivered < entry->size) {
    p2p_timer_set_sooner (&request->pace_timer, engine->now_us + PACE_TICK_US);
    return;
  }
  if (!entry->complete)
    return;

  segment = p2p_stream_segment (request->share->stream, request->segment_id);
  if (consumer != NULL && segment != NULL) {
    p2p_playback_delivered (&consumer->playback,
        segment->start_us + segment->duration_us, engine->now_us);
    consumer->ended_us = engine->now_us;
  }
  end_request (request);
}

static void
on_pace (gpointer owner, gint64 now_us)
{
  P2pPlayerRequest *request = owner;

  /* For a segment the slice is due; for anything else, the next attempt. */
  if (request->share != NULL)
    p2p_request_advance (request);
  else
    start_http (request);
}

/* What peers and the store give comes in no time, and would lead the demuxer to
 * a variant that the network cannot carry (docs/design/pacing.md). */
static guint64
pace_of (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;
  const P2pStream *stream = request->share->stream;
  guint64 http_bps =
      p2p_bandwidth_bps (&engine->http_bandwidth, engine->now_us);
  guint64 above = p2p_registry_next_bitrate (engine->registry, stream,
      MAX (stream->bitrate, p2p_pace_choice (http_bps)));

  return above != 0 ? p2p_pace_bps (http_bps, stream->bitrate, above) : 0;
}

/* Being sent to peers, so that it could not be forgotten. */
static gboolean
is_stored_false (P2pShare *share, gint64 id)
{
  P2pEntry *entry =
      p2p_store_find (share->engine->store, share->stream->serial, id);

  return entry != NULL && p2p_share_is_false (share, entry);
}

/* Through the gateway, every question goes two ways before its answer comes. */
static gboolean
is_hurried (
    P2pPlayerRequest *request, P2pConsumer *consumer, const P2pSegment *segment)
{
  gint64 since_us = request->engine->now_us - consumer->ended_us;

  return request->style == P2P_PLAYLIST_GATEWAY && consumer->ended_us != 0
      && since_us < HURRIED_SHARE * segment->duration_us;
}

static void
start_segment (P2pPlayerRequest *request, P2pShare *share, gint64 id)
{
  P2pEngine *engine = request->engine;
  const P2pSegment *segment = p2p_stream_segment (share->stream, id);
  P2pConsumer *consumer;
  P2pDownload *download;

  /* Through a gateway, one client asks for video and audio by turns. */
  request->consumer =
      request->consumer * 2 + (share->stream->type == P2P_STREAM_SECONDARY);
  consumer = ensure_consumer (engine, request->consumer);
  g_assert (segment != NULL);
  request->share = share;
  request->segment_id = id;
  request->entry = p2p_store_ensure (engine->store, share->stream->serial, id);
  request->entry->users++;
  request->entry->last_use_us = engine->now_us;
  consumer->share = share;
  consumer->last_us = engine->now_us;
  if (p2p_playback_request (&consumer->playback, share->stream->serial,
          share->stream->live, segment->start_us, segment->duration_us,
          engine->now_us))
    P2P_LOG_DEBUG (
        P2P_AREA_POLICY, request->id, "seek to segment %" G_GINT64_FORMAT, id);

  share->position = id;
  share->has_position = TRUE;
  share->is_hurried = is_hurried (request, consumer, segment);
  share->last_request_us = engine->now_us;
  g_clear_pointer (&share->profile, p2p_http_profile_unref);
  share->profile = p2p_http_profile_ref (request->profile);
  p2p_share_wants_schedule (share);

  request->pace_bps = pace_of (request);
  if (request->entry->complete) {
    P2P_LOG_DEBUG (P2P_AREA_POLICY, request->id,
        "segment %" G_GINT64_FORMAT " is stored, paced to %" G_GUINT64_FORMAT
        " bit/s",
        id, request->pace_bps);
    /* Not from inside: the first slice leaves with the next step. */
    p2p_timer_set (&request->pace_timer, engine->now_us);
    return;
  }

  download = p2p_download_find (share, id);
  if (download == NULL)
    download = p2p_download_new (share, id);
  p2p_download_join (download, request);
  /* What a prefetch has so far. */
  p2p_timer_set (&request->pace_timer, engine->now_us);
}

/* --- straight from HTTP ---------------------------------------------------- */

static void
start_http (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;
  P2pFetchOwner owner = { .request = request };
  P2pHttpRequest http = {
    .uri = request->uri,
    .range = request->range,
    .profile = request->profile,
  };

  if (!request->cannot_resume)
    http.range.start += request->received;
  request->skip = 0;
  request->http = p2p_engine_number (engine);
  request->paused = FALSE;
  request->answered = FALSE;
  request->attempts++;
  g_hash_table_insert (engine->fetches,
      g_memdup2 (&request->http, sizeof (request->http)),
      g_memdup2 (&owner, sizeof (owner)));
  engine->ports.http->ops->start (engine->ports.http, request->http, &http);
}

static gboolean
is_plain_get (const P2pHttpProfile *profile)
{
  return profile->method == NULL || strcmp (profile->method, "GET") == 0;
}

/* The gateway's clients must be led back to it, shared or not. */
static gboolean
may_be_playlist (P2pPlayerRequest *request)
{
  if (request->style != P2P_PLAYLIST_GATEWAY
      && !(request->p2p && request->engine->p2p))
    return FALSE;

  return p2p_range_is_all (&request->range) && is_plain_get (request->profile);
}

static void
send_data (P2pPlayerRequest *request, GBytes *bytes)
{
  P2pEngine *engine = request->engine;
  gsize waiting;

  send_headers (request);
  if (g_bytes_get_size (bytes) == 0)
    return;
  waiting =
      engine->ports.sink->ops->data (engine->ports.sink, request->id, bytes);
  if (waiting >= P2P_OUTQUEUE_HIGH_BYTES && !request->paused
      && request->http != 0) {
    request->paused = TRUE;
    engine->ports.http->ops->pause (engine->ports.http, request->http);
  }
}

/* Decides what the body is; what has been collected goes on its way when it
 * is no playlist. */
static void
sniff (P2pPlayerRequest *request)
{
  g_autoptr (GByteArray) head = NULL;

  request->sniffed = TRUE;
  if (p2p_m3u8_detect (
          (const char *) request->playlist->data, request->playlist->len))
    return;

  if (request->counts_as_miss) {
    request->engine->registry_misses++;
    P2P_LOG_DEBUG (P2P_AREA_MANIFEST, request->id, "no manifest named this");
  }
  head = g_steal_pointer (&request->playlist);
  if (head->len > 0) {
    g_autoptr (GBytes) bytes =
        g_byte_array_free_to_bytes (g_steal_pointer (&head));

    send_data (request, bytes);
  } else {
    send_headers (request);
  }
}

/* The rest was asked for, something else came. */
static void
fail_to_resume (P2pPlayerRequest *request, guint status)
{
  g_autoptr (P2pHttpFailure) failure =
      p2p_http_failure_new (P2P_HTTP_FAILURE_RANGE);

  failure->status = status;
  failure->reason = g_strdup ("The server cannot resume");
  failure->uri = g_strdup (request->uri);
  p2p_request_fail (request, failure);
}

void
p2p_request_http_headers (P2pPlayerRequest *request, P2pHttpResponse *response)
{
  request->answered = TRUE;
  if (request->received > 0) {
    guint64 whole = request->range.start;

    if (response->range_start == whole + request->received)
      return;
    /* HTTP alone would not have asked for the rest of a segment: all of it
     * will do. */
    if (request->was_shared && response->range_start == whole
        && (response->status == 206 || p2p_range_is_all (&request->range)))
      request->skip = request->received;
    else
      fail_to_resume (request, response->status);
    return;
  }

  g_clear_pointer (&request->response, p2p_http_response_unref);
  request->response = p2p_http_response_ref (response);
  if (!request->sniffed && may_be_playlist (request)) {
    if (request->playlist == NULL)
      request->playlist = g_byte_array_new ();
    return;
  }
  request->sniffed = TRUE;
  send_headers (request);
}

static void
skip_data (P2pPlayerRequest *request, GBytes *bytes)
{
  gsize size = g_bytes_get_size (bytes);
  gsize skip = MIN (request->skip, size);
  g_autoptr (GBytes) rest = g_bytes_new_from_bytes (bytes, skip, size - skip);

  request->skip -= skip;
  request->received += size - skip;
  send_data (request, rest);
}

void
p2p_request_http_data (P2pPlayerRequest *request, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (request->skip > 0) {
    skip_data (request, bytes);
    return;
  }
  request->received += size;
  request->attempts = 0;
  if (request->playlist == NULL) {
    send_data (request, bytes);
    return;
  }

  /* The usual case of no playlist: nothing is copied. */
  if (!request->sniffed && request->playlist->len == 0 && size >= SNIFF_BYTES
      && !p2p_m3u8_detect ((const char *) data, size)) {
    sniff (request);
    send_data (request, bytes);
    return;
  }

  g_byte_array_append (request->playlist, data, size);
  if (!request->sniffed && request->playlist->len >= SNIFF_BYTES)
    sniff (request);
  if (request->playlist != NULL
      && request->playlist->len > P2P_PLAYLIST_MAX_BYTES) {
    g_autoptr (GBytes) all =
        g_byte_array_free_to_bytes (g_steal_pointer (&request->playlist));

    P2P_LOG_WARNING (P2P_AREA_MANIFEST, request->id,
        "playlist over %d bytes: passed on unread", P2P_PLAYLIST_MAX_BYTES);
    send_data (request, all);
  }
}

static const char *
found_at (P2pPlayerRequest *request)
{
  return request->response->uri != NULL ? request->response->uri : request->uri;
}

/* Returns: (nullable): whose stream it is. */
static P2pShare *
read_playlist (P2pPlayerRequest *request, GBytes *body)
{
  P2pEngine *engine = request->engine;
  g_autoptr (GError) error = NULL;
  gboolean first = p2p_registry_is_empty (engine->registry);
  P2pStream *stream = NULL;
  P2pShare *share;

  /* Off since the headers came. */
  if (!engine->p2p)
    return NULL;
  if (!p2p_registry_add_playlist (engine->registry, request->uri,
          found_at (request), body, &stream, &error)) {
    P2P_LOG_WARNING (P2P_AREA_MANIFEST, request->id,
        "playlist is not shared: %s", error->message);
    return NULL;
  }
  if (first)
    p2p_tracker_connect_all (engine);
  if (stream == NULL)
    return NULL;
  share = p2p_share_ensure (engine, stream);
  if (share != NULL) {
    g_clear_pointer (&share->profile, p2p_http_profile_unref);
    share->profile = p2p_http_profile_ref (request->profile);
    p2p_share_listed (share);
    p2p_refresh_listed (share, request->uri);
  }

  return share;
}

static P2pHttpResponse *
response_of_playlist (const P2pHttpResponse *from, guint64 length)
{
  P2pHttpResponse *response = p2p_http_response_new ();

  response->status = from->status;
  response->reason = g_strdup (from->reason);
  response->uri = g_strdup (from->uri);
  response->redirected = from->redirected;
  response->permanent_redirect = from->permanent_redirect;
  response->content_type = g_strdup (from->content_type);
  response->content_length = length;
  response->total_size = length;
  response->accepts_ranges = from->accepts_ranges;
  response->is_playlist = TRUE;
  response->request_headers = g_strdupv (from->request_headers);
  response->response_headers = g_strdupv (from->response_headers);

  return response;
}

/* Returns: (transfer full). */
static GBytes *
styled (P2pPlayerRequest *request, GBytes *body)
{
  switch (request->style) {
    case P2P_PLAYLIST_PREFIXED:
      return p2p_m3u8_prefix_uris (body, "p2phls+");
    case P2P_PLAYLIST_GATEWAY:
      return p2p_gateway_rewrite (
          body, found_at (request), request->gateway_key);
    case P2P_PLAYLIST_AS_IT_IS:
    case P2P_PLAYLIST_ASK:
      break;
  }

  return g_bytes_ref (body);
}

static void
tell_playlist (P2pPlayerRequest *request, guint64 length)
{
  P2pHttpResponse *response = response_of_playlist (request->response, length);

  p2p_http_response_unref (request->response);
  request->response = response;
}

static void
hand_over_playlist (P2pPlayerRequest *request, GBytes *body)
{
  g_autoptr (GBytes) out = styled (request, body);

  if (!request->headers_sent && out != body)
    tell_playlist (request, g_bytes_get_size (out));
  send_data (request, out);
  end_request (request);
}

static void
finish_playlist (P2pPlayerRequest *request)
{
  request->body =
      g_byte_array_free_to_bytes (g_steal_pointer (&request->playlist));
  request->lists = read_playlist (request, request->body);
  if (request->lists != NULL)
    request->last_listed = request->lists->stream->last_read;
  if (request->lists == NULL || !p2p_hold_begin (request->lists, request))
    p2p_request_pass_playlist (request);
}

void
p2p_request_pass_playlist (P2pPlayerRequest *request)
{
  g_autoptr (GBytes) whole = g_steal_pointer (&request->body);
  guint trim = request->lists != NULL
      ? p2p_hold_trim (request->lists, request->last_listed)
      : 0;
  g_autoptr (GBytes) body = p2p_m3u8_trim (whole, trim);

  if (trim > 0)
    tell_playlist (request, g_bytes_get_size (body));
  if (request->style != P2P_PLAYLIST_ASK) {
    hand_over_playlist (request, body);
    return;
  }
  tell_playlist (request, request->response->content_length);
  request->unstyled = g_steal_pointer (&body);
  send_headers (request);
}

void
p2p_request_style (P2pEngine *engine, guint64 id, const P2pRequest *answer)
{
  P2pPlayerRequest *request = g_hash_table_lookup (engine->requests, &id);
  g_autoptr (GBytes) body = NULL;

  g_assert (answer->style != P2P_PLAYLIST_ASK);
  if (request == NULL || request->unstyled == NULL)
    return;
  request->style = answer->style;
  g_free (request->gateway_key);
  request->gateway_key = g_strdup (answer->gateway_key);
  body = g_steal_pointer (&request->unstyled);
  hand_over_playlist (request, body);
}

void
p2p_request_http_done (P2pPlayerRequest *request)
{
  request->http = 0;
  if (request->skip > 0) {
    fail_to_resume (request, 200);
    return;
  }
  if (request->playlist != NULL && !request->sniffed)
    sniff (request);
  if (request->playlist != NULL)
    finish_playlist (request);
  else
    end_request (request);
}

void
p2p_request_http_failed (P2pPlayerRequest *request, P2pHttpFailure *failure)
{
  request->http = 0;
  if (request->was_shared && request->received > 0 && !request->cannot_resume
      && failure->kind == P2P_HTTP_FAILURE_STATUS) {
    request->cannot_resume = TRUE;
    start_http (request);
    return;
  }
  if (!p2p_engine_retries_http (
          request->answered, request->attempts, request->profile->retries)
      && !p2p_engine_retries_refusal (
          request->profile, failure, request->attempts)) {
    p2p_request_fail (request, failure);
    return;
  }
  P2P_LOG_DEBUG (P2P_AREA_HTTP, request->id,
      "attempt %u after %s at byte %" G_GUINT64_FORMAT, request->attempts + 1,
      failure->reason ? failure->reason : "a failure", request->received);
  p2p_timer_set (&request->pace_timer,
      request->engine->now_us
          + p2p_engine_retry_us (request->profile, request->attempts));
}

void
p2p_request_detach (P2pPlayerRequest *request)
{
  P2pEntry *entry = request->entry;

  if (entry->complete) {
    request->pace_bps = 0;
    p2p_request_advance (request);
    return;
  }
  if (entry->size > 0 && request->delivered == entry->total) {
    end_request (request);
    return;
  }
  entry->users--;
  request->entry = NULL;
  request->share = NULL;
  request->was_shared = TRUE;
  request->received = request->delivered;
  request->sniffed = TRUE;
  p2p_timer_clear (&request->pace_timer);
  start_http (request);
}

/* --- the player's side ------------------------------------------------------ */

static void
classify (P2pPlayerRequest *request)
{
  P2pEngine *engine = request->engine;
  P2pStream *stream = NULL;
  gint64 id = 0;
  P2pShare *share;

  if (!engine->p2p || !request->p2p || !is_plain_get (request->profile)) {
    request->sniffed = !may_be_playlist (request);
    start_http (request);
    return;
  }

  switch (p2p_registry_lookup (
      engine->registry, request->uri, &request->range, &stream, &id)) {
    case P2P_RESOURCE_SEGMENT:
      share = p2p_share_ensure (engine, stream);
      if (share != NULL && !is_stored_false (share, id)) {
        start_segment (request, share, id);
        return;
      }
      request->sniffed = TRUE;
      break;
    case P2P_RESOURCE_SEGMENT_UNSHARED:
    case P2P_RESOURCE_OTHER:
      request->sniffed = TRUE;
      break;
    case P2P_RESOURCE_UNKNOWN:
      request->counts_as_miss = !p2p_registry_is_empty (engine->registry);
      if (!p2p_range_is_all (&request->range) && request->counts_as_miss)
        engine->registry_misses++;
      break;
    case P2P_RESOURCE_PLAYLIST:
      break;
  }
  start_http (request);
}

void
p2p_request_start (P2pEngine *engine, guint64 id, const P2pRequest *wanted)
{
  P2pPlayerRequest *request;

  if (g_hash_table_size (engine->requests) >= P2P_REQUESTS_MAX) {
    g_autoptr (P2pHttpFailure) failure =
        p2p_http_failure_new (P2P_HTTP_FAILURE_IO);

    failure->reason = g_strdup ("Too many requests at once");
    failure->uri = g_strdup (wanted->uri);
    engine->ports.sink->ops->fail (engine->ports.sink, id, failure);
    return;
  }

  request = g_new0 (P2pPlayerRequest, 1);
  request->engine = engine;
  request->id = id;
  request->uri = g_strdup (wanted->uri);
  request->range = wanted->range;
  request->consumer = wanted->consumer;
  request->profile = p2p_http_profile_ref (wanted->profile);
  request->p2p = wanted->p2p;
  request->style = wanted->style;
  request->gateway_key = g_strdup (wanted->gateway_key);
  request->asked_us = engine->now_us;
  p2p_timer_init (&request->pace_timer, engine->timers, on_pace, request);
  g_hash_table_insert (engine->requests, &request->id, request);
  classify (request);
}

void
p2p_request_cancel (P2pEngine *engine, guint64 id)
{
  g_hash_table_remove (engine->requests, &id);
}

void
p2p_request_drained (P2pEngine *engine, guint64 id)
{
  P2pPlayerRequest *request = g_hash_table_lookup (engine->requests, &id);

  if (request == NULL || !request->paused || request->http == 0)
    return;
  request->paused = FALSE;
  engine->ports.http->ops->resume (engine->ports.http, request->http);
}

/* p2phlssrc: ports that record what the engine asks, and hands that feed it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

/* Ports are found by their place in here. */
typedef struct
{
  FakePorts fake;
  P2pHttpPort http;
  P2pWebSocketPort websocket;
  P2pTransportPort transport;
  P2pSinkPort sink;
} Fake;

#define FAKE_OF(port, field) \
  (&((Fake *) ((char *) (port) -G_STRUCT_OFFSET (Fake, field)))->fake)

/* --- calls ------------------------------------------------------------------ */

/* A call that may fail. Returns: whether this is the one. */
static gboolean
count_call (FakePorts *fake)
{
  g_assert_true (fake->inside);

  return ++fake->calls == fake->fail_at;
}

static void
check_number (FakePorts *fake, guint64 number)
{
  /* Never used again, for whatever. */
  g_assert_cmpuint (number, >, fake->last_number);
  fake->last_number = number;
}

/* Each recorded struct begins with its number. */
static gpointer
find (GPtrArray *array, guint64 number)
{
  for (guint i = 0; i < array->len; i++) {
    if (*(guint64 *) array->pdata[i] == number)
      return array->pdata[i];
  }

  return NULL;
}

/* --- HTTP port ---------------------------------------------------------------- */

static void
http_start (P2pHttpPort *port, guint64 number, const P2pHttpRequest *request)
{
  FakePorts *fake = FAKE_OF (port, http);
  FakeHttp *http = g_new0 (FakeHttp, 1);

  check_number (fake, number);
  g_assert_true (g_str_has_prefix (request->uri, "http"));
  g_assert_nonnull (request->profile);
  g_assert_cmpuint (request->range.start, <=, request->range.end);
  http->number = number;
  http->uri = g_strdup (request->uri);
  http->range = request->range;
  http->broken = count_call (fake);
  g_ptr_array_add (fake->https, http);
}

static FakeHttp *
running_http (P2pHttpPort *port, guint64 number)
{
  FakePorts *fake = FAKE_OF (port, http);
  FakeHttp *http = find (fake->https, number);

  g_assert_true (fake->inside);
  g_assert_nonnull (http);
  g_assert_false (http->over);

  return http;
}

static void
http_pause (P2pHttpPort *port, guint64 number)
{
  FakeHttp *http = running_http (port, number);

  g_assert_false (http->paused);
  http->paused = TRUE;
}

static void
http_resume (P2pHttpPort *port, guint64 number)
{
  FakeHttp *http = running_http (port, number);

  g_assert_true (http->paused);
  http->paused = FALSE;
}

static void
http_cancel (P2pHttpPort *port, guint64 number)
{
  FakeHttp *http = running_http (port, number);

  http->over = TRUE;
  http->cancelled = TRUE;
}

static const P2pHttpOps http_ops = {
  .start = http_start,
  .pause = http_pause,
  .resume = http_resume,
  .cancel = http_cancel,
};

/* --- WebSocket port -------------------------------------------------------------- */

static void
ws_open (P2pWebSocketPort *port, guint64 number, const char *url)
{
  FakePorts *fake = FAKE_OF (port, websocket);
  FakeSocket *socket = g_new0 (FakeSocket, 1);

  check_number (fake, number);
  socket->number = number;
  socket->url = g_strdup (url);
  socket->texts = g_ptr_array_new_with_free_func (g_free);
  socket->broken = count_call (fake);
  g_ptr_array_add (fake->sockets, socket);
}

static void
ws_send_text (P2pWebSocketPort *port, guint64 number, const char *text)
{
  FakePorts *fake = FAKE_OF (port, websocket);
  FakeSocket *socket = find (fake->sockets, number);

  g_assert_nonnull (socket);
  g_assert_true (socket->open);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  if (count_call (fake))
    socket->broken = TRUE;
  g_ptr_array_add (socket->texts, g_strdup (text));
}

static void
ws_close (P2pWebSocketPort *port, guint64 number)
{
  FakePorts *fake = FAKE_OF (port, websocket);
  FakeSocket *socket = find (fake->sockets, number);

  g_assert_true (fake->inside);
  g_assert_nonnull (socket);
  g_assert_false (socket->over);
  socket->over = TRUE;
  socket->open = FALSE;
}

static const P2pWebSocketOps ws_ops = {
  .open = ws_open,
  .send_text = ws_send_text,
  .close = ws_close,
};

/* --- transport port ----------------------------------------------------------------- */

static FakeConn *
add_conn (FakePorts *fake, guint64 number)
{
  FakeConn *conn = g_new0 (FakeConn, 1);

  check_number (fake, number);
  conn->number = number;
  conn->joiner = p2p_command_joiner_new ();
  conn->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  conn->data = g_byte_array_new ();
  conn->broken = count_call (fake);
  g_ptr_array_add (fake->conns, conn);

  return conn;
}

static FakeConn *
running_conn (FakePorts *fake, guint64 number)
{
  FakeConn *conn = find (fake->conns, number);

  g_assert_true (fake->inside);
  g_assert_nonnull (conn);
  g_assert_false (conn->over);

  return conn;
}

static void
transport_configure (P2pTransportPort *port, const char *const *ice_servers)
{
  g_assert_nonnull (ice_servers);
}

static void
transport_offer (P2pTransportPort *port, guint64 number, const char *label)
{
  FakeConn *conn = add_conn (FAKE_OF (port, transport), number);

  conn->offerer = TRUE;
  conn->label = g_strdup (label);
}

static void
transport_answer (P2pTransportPort *port, guint64 number, const char *sdp)
{
  FakeConn *conn = add_conn (FAKE_OF (port, transport), number);

  conn->remote_sdp = g_strdup (sdp);
}

static void
transport_set_answer (P2pTransportPort *port, guint64 number, const char *sdp)
{
  FakePorts *fake = FAKE_OF (port, transport);
  FakeConn *conn = running_conn (fake, number);

  g_assert_true (conn->offerer);
  g_assert_null (conn->remote_sdp);
  conn->remote_sdp = g_strdup (sdp);
  if (count_call (fake))
    conn->broken = TRUE;
}

static gsize
transport_send (P2pTransportPort *port, guint64 number, GBytes *message)
{
  FakePorts *fake = FAKE_OF (port, transport);
  FakeConn *conn = running_conn (fake, number);

  g_assert_true (conn->open);
  g_assert_cmpuint (g_bytes_get_size (message), >, 0);
  g_assert_cmpuint (g_bytes_get_size (message), <=, P2P_MESSAGE_MAX_BYTES);
  if (count_call (fake))
    conn->broken = TRUE;
  g_ptr_array_add (conn->messages, g_bytes_ref (message));
  if (!conn->deaf)
    return 0;
  conn->waiting += g_bytes_get_size (message);
  conn->was_high |= conn->waiting > P2P_SEND_LOW_BYTES;

  return conn->waiting;
}

static void
transport_info (P2pTransportPort *port, guint64 number, P2pTransportInfo *info)
{
  running_conn (FAKE_OF (port, transport), number);
  g_strlcpy (info->remote_address, "192.0.2.1:9", sizeof info->remote_address);
  info->rtt_us = 1000;
}

static void
transport_close (P2pTransportPort *port, guint64 number)
{
  FakePorts *fake = FAKE_OF (port, transport);
  FakeConn *conn = find (fake->conns, number);

  g_assert_true (fake->inside);
  g_assert_nonnull (conn);
  conn->over = TRUE;
  conn->open = FALSE;
}

static const P2pTransportOps transport_ops = {
  .configure = transport_configure,
  .offer = transport_offer,
  .answer = transport_answer,
  .set_answer = transport_set_answer,
  .send = transport_send,
  .info = transport_info,
  .close = transport_close,
};

/* --- sink port ------------------------------------------------------------------------ */

static FakeRequest *
waiting_request (P2pSinkPort *port, guint64 id)
{
  FakePorts *fake = FAKE_OF (port, sink);
  FakeRequest *request = find (fake->requests, id);

  g_assert_true (fake->inside);
  g_assert_nonnull (request);
  g_assert_false (request->ended);
  g_assert_false (request->cancelled);
  g_assert_null (request->failure);

  return request;
}

static void
sink_headers (P2pSinkPort *port, guint64 id, P2pHttpResponse *response)
{
  FakeRequest *request = waiting_request (port, id);

  g_assert_null (request->headers);
  g_assert_cmpuint (request->body->len, ==, 0);
  request->headers = p2p_http_response_ref (response);
}

static gsize
sink_data (P2pSinkPort *port, guint64 id, GBytes *bytes)
{
  FakeRequest *request = waiting_request (port, id);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_assert_nonnull (request->headers);
  g_assert_cmpuint (size, >, 0);
  g_byte_array_append (request->body, data, size);
  request->pieces++;
  if (request->slow)
    request->waiting += size;

  return request->waiting;
}

static void
sink_end (P2pSinkPort *port, guint64 id)
{
  FakeRequest *request = waiting_request (port, id);

  g_assert_nonnull (request->headers);
  request->ended = TRUE;
}

static void
sink_fail (P2pSinkPort *port, guint64 id, P2pHttpFailure *failure)
{
  waiting_request (port, id)->failure = p2p_http_failure_ref (failure);
}

static const P2pSinkOps sink_ops = {
  .headers = sink_headers,
  .data = sink_data,
  .end = sink_end,
  .fail = sink_fail,
};

/* --- life -------------------------------------------------------------------------------- */

static void
free_http (gpointer data)
{
  FakeHttp *http = data;

  g_free (http->uri);
  g_free (http);
}

static void
free_socket (gpointer data)
{
  FakeSocket *socket = data;

  g_free (socket->url);
  g_ptr_array_unref (socket->texts);
  g_free (socket);
}

static void
free_conn (gpointer data)
{
  FakeConn *conn = data;

  g_free (conn->label);
  g_free (conn->remote_sdp);
  p2p_command_joiner_free (conn->joiner);
  g_ptr_array_unref (conn->messages);
  g_byte_array_unref (conn->data);
  g_free (conn);
}

static void
free_request (gpointer data)
{
  FakeRequest *request = data;

  g_clear_pointer (&request->headers, p2p_http_response_unref);
  g_clear_pointer (&request->failure, p2p_http_failure_unref);
  g_byte_array_unref (request->body);
  g_free (request->uri);
  g_free (request);
}

P2pEngineConfig
fake_config (void)
{
  static const char *const trackers[] = { FAKE_TRACKER, NULL };
  static const char *const none[] = { NULL };

  return (P2pEngineConfig){
    .p2p = TRUE,
    .upload = TRUE,
    .trackers = trackers,
    .ice_servers = none,
    .protocols = P2P_PROTOCOL_V3,
    .max_peers = 50,
    .cache_bytes = 64 * 1024 * 1024,
    .urgent_buffer_us = -1,
    .max_playlist_delay_us = G_USEC_PER_SEC,
    .http_window_us = (gint64) 3000 * G_USEC_PER_SEC,
    .p2p_window_us = (gint64) 6000 * G_USEC_PER_SEC,
    .seed = 1,
  };
}

FakePorts *
fake_ports_new (const P2pEngineConfig *config)
{
  Fake *whole = g_new0 (Fake, 1);
  FakePorts *fake = &whole->fake;

  whole->http.ops = &http_ops;
  whole->websocket.ops = &ws_ops;
  whole->transport.ops = &transport_ops;
  whole->sink.ops = &sink_ops;
  fake->ports = (P2pEnginePorts){
    .http = &whole->http,
    .websocket = &whole->websocket,
    .transport = &whole->transport,
    .sink = &whole->sink,
  };
  fake->config = config != NULL ? *config : fake_config ();
  fake->profile = p2p_http_profile_new ();
  fake->profile->retries = 3;
  fake->now_us = 1000 * G_USEC_PER_SEC;
  fake->next_us = P2P_NEVER;
  fake->consumer = 1;
  fake->https = g_ptr_array_new_with_free_func (free_http);
  fake->sockets = g_ptr_array_new_with_free_func (free_socket);
  fake->conns = g_ptr_array_new_with_free_func (free_conn);
  fake->requests = g_ptr_array_new_with_free_func (free_request);
  fake->origin = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  fake->engine = p2p_engine_new (&fake->config, &fake->ports, fake->now_us);

  return fake;
}

FakePorts *
fake_ports_playing (const P2pEngineConfig *config)
{
  FakePorts *fake = fake_ports_new (config);

  fake_publish (fake, 0, 40, FALSE);
  fake_load_playlist (fake);
  fake_tracker_up (fake);
  for (gint64 id = 0; id < 4; id++) {
    FakeRequest *request = fake_request_segment (fake, id);

    fake_http_answer_all (fake);
    fake_assert_segment (request, id, FAKE_SEGMENT_BYTES);
  }

  return fake;
}

FakePorts *
fake_ports_playing_live (const P2pEngineConfig *config, gint64 position)
{
  FakePorts *fake = fake_ports_new (config);

  fake_publish (fake, 100, 6, TRUE);
  fake_load_playlist (fake);
  for (gint64 id = 103; id <= position; id++)
    fake_request_finish (fake, fake_request_segment (fake, id), id);

  return fake;
}

void
fake_list_next (FakePorts *fake)
{
  fake_publish (fake, 101, 6, TRUE);
  fake_request (fake, FAKE_PLAYLIST);
  fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));
}

static void
assert_all_over (FakePorts *fake)
{
  for (guint i = 0; i < fake->https->len; i++)
    g_assert_true (((FakeHttp *) fake->https->pdata[i])->over);
  for (guint i = 0; i < fake->sockets->len; i++)
    g_assert_true (((FakeSocket *) fake->sockets->pdata[i])->over);
  for (guint i = 0; i < fake->conns->len; i++)
    g_assert_true (((FakeConn *) fake->conns->pdata[i])->over);
}

void
fake_ports_free (FakePorts *fake)
{
  fake->inside = TRUE;
  p2p_engine_free (fake->engine);
  assert_all_over (fake);
  p2p_http_profile_unref (fake->profile);
  g_ptr_array_unref (fake->https);
  g_ptr_array_unref (fake->sockets);
  g_ptr_array_unref (fake->conns);
  g_ptr_array_unref (fake->requests);
  g_hash_table_unref (fake->origin);
  g_free (fake);
}

static void
step (FakePorts *fake)
{
  guint spins = 0;

  fake->inside = TRUE;
  do {
    /* What is due at once must not be due for ever. */
    g_assert_cmpuint (spins++, <, 100);
    fake->next_us = p2p_engine_step (fake->engine, fake->now_us);
  } while (fake->next_us <= fake->now_us);
  fake->inside = FALSE;
}

void
fake_configure (FakePorts *fake)
{
  fake->inside = TRUE;
  p2p_engine_configure (fake->engine, &fake->config, fake->now_us);
  step (fake);
}

void
fake_handle (FakePorts *fake, const P2pEvent *event)
{
  g_assert_false (fake->inside);
  fake->inside = TRUE;
  p2p_engine_handle (fake->engine, event, fake->now_us);
  step (fake);
}

void
fake_advance (FakePorts *fake, gint64 us)
{
  gint64 until_us = fake->now_us + us;

  while (fake->next_us <= until_us) {
    fake->now_us = fake->next_us;
    step (fake);
  }
  fake->now_us = until_us;
  step (fake);
}

gboolean
fake_break (FakePorts *fake)
{
  for (guint i = 0; i < fake->https->len; i++) {
    FakeHttp *http = fake->https->pdata[i];

    if (http->broken && !http->over) {
      /* It breaks after its headers: before them nobody tries again. */
      fake_http_headers (fake, http, http->range.start > 0 ? 206 : 200,
          http->range.start, P2P_SIZE_UNKNOWN);
      if (!http->over)
        fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "broken");
      return TRUE;
    }
  }
  for (guint i = 0; i < fake->sockets->len; i++) {
    FakeSocket *socket = fake->sockets->pdata[i];

    if (socket->broken && !socket->over) {
      fake_socket_close (fake, socket);
      return TRUE;
    }
  }
  for (guint i = 0; i < fake->conns->len; i++) {
    FakeConn *conn = fake->conns->pdata[i];

    if (conn->broken && !conn->over) {
      fake_conn_close (fake, conn);
      return TRUE;
    }
  }

  return FALSE;
}

P2pStats *
fake_stats (FakePorts *fake)
{
  P2pStats *stats;

  fake->inside = TRUE;
  stats = p2p_engine_get_stats (fake->engine, fake->now_us);
  fake->inside = FALSE;

  return stats;
}

/* --- the player --------------------------------------------------------------------------- */

FakeRequest *
fake_request_full (FakePorts *fake, const P2pRequest *wanted)
{
  FakeRequest *request = g_new0 (FakeRequest, 1);
  P2pEvent event = { .kind = P2P_EVENT_REQUEST, .request = wanted };

  request->id = event.id = ++fake->last_id;
  request->uri = g_strdup (wanted->uri);
  request->body = g_byte_array_new ();
  g_ptr_array_add (fake->requests, request);
  fake_handle (fake, &event);

  return request;
}

FakeRequest *
fake_request (FakePorts *fake, const char *uri)
{
  P2pRequest wanted = {
    .uri = uri,
    .range = P2P_RANGE_ALL,
    .consumer = fake->consumer,
    .profile = fake->profile,
    .p2p = TRUE,
  };

  return fake_request_full (fake, &wanted);
}

FakeRequest *
fake_request_segment (FakePorts *fake, gint64 id)
{
  g_autofree char *uri = fake_segment_uri (id);

  return fake_request (fake, uri);
}

void
fake_request_cancel (FakePorts *fake, FakeRequest *request)
{
  P2pEvent event = { .kind = P2P_EVENT_REQUEST_CANCEL, .id = request->id };

  request->cancelled = TRUE;
  fake_handle (fake, &event);
}

void
fake_request_drain (FakePorts *fake, FakeRequest *request)
{
  P2pEvent event = { .kind = P2P_EVENT_REQUEST_DRAINED, .id = request->id };

  request->waiting = 0;
  fake_handle (fake, &event);
}

void
fake_request_finish (FakePorts *fake, FakeRequest *request, gint64 id)
{
  for (guint i = 0; !request->ended && i < 400; i++) {
    FakeHttp *http = fake_http_segment (fake, id);

    if (http != NULL)
      fake_http_answer (fake, http);
    fake_advance (fake, 10 * 1000);
  }
  fake_assert_segment (request, id, FAKE_SEGMENT_BYTES);
}

void
fake_assert_segment (FakeRequest *request, gint64 id, gsize size)
{
  g_autoptr (GBytes) expected = fake_segment (id, size);

  g_assert_null (request->failure);
  g_assert_true (request->ended);
  g_assert_cmpmem (request->body->data, request->body->len,
      g_bytes_get_data (expected, NULL), size);
}

/* --- the origin ------------------------------------------------------------------------------ */

GBytes *
fake_segment (gint64 id, gsize size)
{
  guint8 *data = g_malloc (size);

  /* No chunk of it looks like a command. */
  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i * 31 + (i >> 8) + id * 7) | 0x80;

  return g_bytes_new_take (data, size);
}

char *
fake_segment_uri (gint64 id)
{
  return g_strdup_printf (
      FAKE_ORIGIN "stream/segment%" G_GINT64_FORMAT ".ts", id);
}

char *
fake_playlist (gint64 first, guint count, gboolean live)
{
  GString *text = g_string_new ("#EXTM3U\n#EXT-X-VERSION:3\n");

  g_string_append_printf (text,
      "#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%" G_GINT64_FORMAT "\n",
      first);
  for (guint i = 0; i < count; i++)
    g_string_append_printf (
        text, "#EXTINF:2.0,\nsegment%" G_GINT64_FORMAT ".ts\n", first + i);
  if (!live)
    g_string_append (text, "#EXT-X-ENDLIST\n");

  return g_string_free (text, FALSE);
}

void
fake_publish (FakePorts *fake, gint64 first, guint count, gboolean live)
{
  char *playlist = fake_playlist (first, count, live);

  g_hash_table_insert (fake->origin, g_strdup (FAKE_PLAYLIST),
      g_bytes_new_take (playlist, strlen (playlist)));
  for (guint i = 0; i < count; i++)
    g_hash_table_insert (fake->origin, fake_segment_uri (first + i),
        fake_segment (first + i, FAKE_SEGMENT_BYTES));
}

char *
fake_high_uri (gint64 id)
{
  return g_strdup_printf (FAKE_ORIGIN "stream/high%" G_GINT64_FORMAT ".ts", id);
}

static char *
high_playlist (guint count)
{
  GString *text = g_string_new ("#EXTM3U\n#EXT-X-TARGETDURATION:2\n");

  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "#EXTINF:2,\nhigh%u.ts\n", i);
  g_string_append (text, "#EXT-X-ENDLIST\n");

  return g_string_free (text, FALSE);
}

static void
put_text (FakePorts *fake, const char *uri, char *text)
{
  g_hash_table_insert (
      fake->origin, g_strdup (uri), g_bytes_new_take (text, strlen (text)));
}

void
fake_publish_variants (FakePorts *fake)
{
  const char *master = "#EXTM3U\n"
                       "#EXT-X-STREAM-INF:BANDWIDTH=800000\nindex.m3u8\n"
                       "#EXT-X-STREAM-INF:BANDWIDTH=1600000\nhigh.m3u8\n";

  fake_publish (fake, 0, 40, FALSE);
  for (gint64 id = 0; id < 40; id++)
    g_hash_table_insert (fake->origin, fake_high_uri (id),
        fake_segment (1000 + id, FAKE_SEGMENT_BYTES));
  put_text (fake, FAKE_HIGH_PLAYLIST, high_playlist (40));
  put_text (fake, FAKE_MASTER, g_strdup (master));
  fake_request (fake, FAKE_MASTER);
  fake_http_answer_all (fake);
}

void
fake_load_playlist (FakePorts *fake)
{
  FakeRequest *request = fake_request (fake, FAKE_PLAYLIST);

  fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));
  g_assert_true (request->ended);
}

FakeHttp *
fake_http (FakePorts *fake, const char *uri)
{
  for (guint i = 0; i < fake->https->len; i++) {
    FakeHttp *http = fake->https->pdata[i];

    if (!http->over && g_str_equal (http->uri, uri))
      return http;
  }

  return NULL;
}

FakeHttp *
fake_http_segment (FakePorts *fake, gint64 id)
{
  g_autofree char *uri = fake_segment_uri (id);

  return fake_http (fake, uri);
}

guint
fake_http_count (FakePorts *fake, const char *uri)
{
  guint count = 0;

  for (guint i = 0; i < fake->https->len; i++)
    count += g_str_equal (((FakeHttp *) fake->https->pdata[i])->uri, uri);

  return count;
}

guint
fake_http_segment_count (FakePorts *fake, gint64 id)
{
  g_autofree char *uri = fake_segment_uri (id);

  return fake_http_count (fake, uri);
}

void
fake_http_headers (FakePorts *fake, FakeHttp *http, guint status,
    guint64 range_start, guint64 length)
{
  g_autoptr (P2pHttpResponse) response = p2p_http_response_new ();
  P2pEvent event = {
    .kind = P2P_EVENT_HTTP_HEADERS,
    .id = http->number,
    .response = response,
  };

  g_assert_false (http->over);
  response->status = status;
  response->uri = g_strdup (http->uri);
  response->content_length = length;
  response->range_start = range_start;
  response->accepts_ranges = !fake->without_ranges;
  if (length != P2P_SIZE_UNKNOWN)
    response->total_size =
        fake->resource != 0 ? fake->resource : range_start + length;
  fake_handle (fake, &event);
}

void
fake_http_data (
    FakePorts *fake, FakeHttp *http, gconstpointer data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  P2pEvent event = {
    .kind = P2P_EVENT_HTTP_DATA,
    .id = http->number,
    .bytes = bytes,
  };

  g_assert_false (http->over);
  fake_handle (fake, &event);
}

void
fake_http_done (FakePorts *fake, FakeHttp *http)
{
  P2pEvent event = { .kind = P2P_EVENT_HTTP_DONE, .id = http->number };

  g_assert_false (http->over);
  http->over = TRUE;
  fake_handle (fake, &event);
}

void
fake_http_fail (FakePorts *fake, FakeHttp *http, P2pHttpFailureKind kind,
    guint status, const char *reason)
{
  g_autoptr (P2pHttpFailure) failure = p2p_http_failure_new (kind);
  P2pEvent event = {
    .kind = P2P_EVENT_HTTP_FAILED,
    .id = http->number,
    .failure = failure,
  };

  g_assert_false (http->over);
  failure->status = status;
  failure->reason = g_strdup (reason);
  failure->uri = g_strdup (http->uri);
  http->over = TRUE;
  fake_handle (fake, &event);
}

GBytes *
fake_http_begin (FakePorts *fake, FakeHttp *http)
{
  GBytes *whole = g_hash_table_lookup (fake->origin, http->uri);
  guint64 end;

  g_assert_nonnull (whole);
  g_assert_cmpuint (http->range.start, <, g_bytes_get_size (whole));
  end = MIN (http->range.end, g_bytes_get_size (whole) - 1);
  fake_http_headers (fake, http, p2p_range_is_all (&http->range) ? 200 : 206,
      http->range.start, end + 1 - http->range.start);

  return g_bytes_new_from_bytes (
      whole, http->range.start, end + 1 - http->range.start);
}

void
fake_http_answer (FakePorts *fake, FakeHttp *http)
{
  GBytes *whole = g_hash_table_lookup (fake->origin, http->uri);
  g_autoptr (GBytes) body = NULL;
  gsize size, offset;
  const char *data;

  if (whole == NULL) {
    fake_http_fail (fake, http, P2P_HTTP_FAILURE_STATUS, 404, "Not Found");
    return;
  }
  if (http->range.start >= g_bytes_get_size (whole)) {
    fake_http_fail (
        fake, http, P2P_HTTP_FAILURE_STATUS, 416, "Range Not Satisfiable");
    return;
  }
  body = fake_http_begin (fake, http);
  data = g_bytes_get_data (body, &size);
  for (offset = 0; offset < size && !http->over; offset += 50000)
    fake_http_data (fake, http, data + offset, MIN (50000, size - offset));
  if (!http->over)
    fake_http_done (fake, http);
}

void
fake_http_answer_all (FakePorts *fake)
{
  guint i = 0;

  while (i < fake->https->len) {
    FakeHttp *http = fake->https->pdata[i++];

    if (!http->over && !http->broken)
      fake_http_answer (fake, http);
  }
}

/* --- the tracker --------------------------------------------------------------------------------- */

FakeSocket *
fake_socket (FakePorts *fake, const char *url)
{
  for (guint i = fake->sockets->len; i > 0; i--) {
    FakeSocket *socket = fake->sockets->pdata[i - 1];

    if (!socket->over && g_str_equal (socket->url, url))
      return socket;
  }

  return NULL;
}

void
fake_socket_open (FakePorts *fake, FakeSocket *socket)
{
  P2pEvent event = { .kind = P2P_EVENT_WS_OPEN, .id = socket->number };

  g_assert_false (socket->open);
  g_assert_false (socket->over);
  socket->open = TRUE;
  fake_handle (fake, &event);
}

void
fake_socket_close (FakePorts *fake, FakeSocket *socket)
{
  P2pEvent event = {
    .kind = P2P_EVENT_WS_CLOSED,
    .id = socket->number,
    .text = "closed by the test",
  };

  g_assert_false (socket->over);
  socket->open = FALSE;
  socket->over = TRUE;
  fake_handle (fake, &event);
}

JsonNode *
fake_socket_next (FakeSocket *socket)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  if (socket->read == socket->texts->len)
    return NULL;
  node = json_from_string (socket->texts->pdata[socket->read++], &error);
  g_assert_no_error (error);

  return node;
}

guint
fake_socket_unread (FakeSocket *socket)
{
  return socket->texts->len - socket->read;
}

void
fake_socket_skip (FakeSocket *socket)
{
  socket->read = socket->texts->len;
}

void
fake_socket_text (FakePorts *fake, FakeSocket *socket, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  P2pEvent event = {
    .kind = P2P_EVENT_WS_MESSAGE,
    .id = socket->number,
    .bytes = bytes,
  };

  g_assert_true (socket->open);
  fake_handle (fake, &event);
}

static char *
last_announced (FakeSocket *socket, const char *member)
{
  g_autoptr (JsonNode) node = NULL;

  g_assert_cmpuint (socket->texts->len, >, 0);
  node = json_from_string (socket->texts->pdata[socket->texts->len - 1], NULL);

  return g_strdup (
      json_object_get_string_member (json_node_get_object (node), member));
}

void
fake_info_hash (FakeSocket *socket, P2pInfoHash *hash)
{
  g_autofree char *text = last_announced (socket, "info_hash");

  g_assert_cmpuint (strlen (text), ==, P2P_ID_LENGTH);
  g_strlcpy (hash->text, text, sizeof hash->text);
}

char *
fake_own_id (FakePorts *fake)
{
  return last_announced (fake->sockets->pdata[0], "peer_id");
}

void
fake_tracker_reply (FakePorts *fake, FakeSocket *socket,
    const P2pInfoHash *hash, int others, int interval_s)
{
  g_autofree char *text =
      g_strdup_printf ("{\"action\":\"announce\",\"info_hash\":\"%s\","
                       "\"interval\":%d,\"complete\":0,\"incomplete\":%d}",
          hash->text, interval_s, others + 1);

  fake_socket_text (fake, socket, text);
}

static void
forward (FakePorts *fake, FakeSocket *socket, const P2pInfoHash *hash,
    const char *peer_id, const char *offer_id, const char *kind)
{
  g_autofree char *text = g_strdup_printf (
      "{\"action\":\"announce\",\"info_hash\":\"%s\",\"peer_id\":\"%s\","
      "\"offer_id\":\"%s\",\"%s\":{\"type\":\"%s\",\"sdp\":\"v=0 %s\"}}",
      hash->text, peer_id, offer_id, kind, kind, peer_id);

  fake_socket_text (fake, socket, text);
}

void
fake_tracker_offer (FakePorts *fake, FakeSocket *socket,
    const P2pInfoHash *hash, const char *peer_id, const char *offer_id)
{
  forward (fake, socket, hash, peer_id, offer_id, "offer");
}

void
fake_tracker_answer (FakePorts *fake, FakeSocket *socket,
    const P2pInfoHash *hash, const char *peer_id, const char *offer_id)
{
  forward (fake, socket, hash, peer_id, offer_id, "answer");
}

FakeSocket *
fake_tracker_up (FakePorts *fake)
{
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  P2pInfoHash hash;

  g_assert_nonnull (socket);
  if (socket->open)
    return socket;
  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, 0, 120);

  return socket;
}

/* --- the other viewer ---------------------------------------------------------------------------------- */

FakeConn *
fake_last_conn (FakePorts *fake)
{
  g_assert_cmpuint (fake->conns->len, >, 0);

  return fake->conns->pdata[fake->conns->len - 1];
}

void
fake_conn_sdp (FakePorts *fake, FakeConn *conn, const char *sdp)
{
  P2pEvent event = {
    .kind = P2P_EVENT_CONN_SDP,
    .id = conn->number,
    .text = sdp,
  };

  g_assert_false (conn->over);
  fake_handle (fake, &event);
}

void
fake_conn_open (FakePorts *fake, FakeConn *conn)
{
  P2pEvent event = { .kind = P2P_EVENT_CONN_OPEN, .id = conn->number };

  g_assert_false (conn->over);
  conn->open = TRUE;
  fake_handle (fake, &event);
}

void
fake_conn_close (FakePorts *fake, FakeConn *conn)
{
  P2pEvent event = {
    .kind = P2P_EVENT_CONN_CLOSED,
    .id = conn->number,
    .text = "closed by the test",
  };

  g_assert_false (conn->over);
  fake_handle (fake, &event);
}

FakeConn *
fake_connect (FakePorts *fake, const char *peer_id)
{
  FakeSocket *socket = fake_tracker_up (fake);
  guint conns = fake->conns->len;
  P2pInfoHash hash;
  FakeConn *conn;

  fake_info_hash (socket, &hash);
  fake_tracker_offer (fake, socket, &hash, peer_id, "abcdefghijabcdefghij");
  if (fake->conns->len == conns)
    return NULL;
  conn = fake_last_conn (fake);
  g_assert_false (conn->offerer);
  fake_conn_sdp (fake, conn, "v=0 ours");
  fake_conn_open (fake, conn);

  return conn;
}

FakeConn *
fake_connect_holder (FakePorts *fake, const char *peer_id, P2pCommand *asked)
{
  FakeConn *conn = fake_connect (fake, peer_id);

  fake_conn_has (fake, conn, 4);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, asked));
  g_assert_cmpint (asked->segment_id, ==, 4);

  return conn;
}

void
fake_conn_message (
    FakePorts *fake, FakeConn *conn, gconstpointer data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  P2pEvent event = {
    .kind = P2P_EVENT_CONN_MESSAGE,
    .id = conn->number,
    .bytes = bytes,
  };

  g_assert_true (conn->open);
  fake_handle (fake, &event);
}

void
fake_conn_command (FakePorts *fake, FakeConn *conn, const P2pCommand *command)
{
  g_autoptr (GPtrArray) messages =
      p2p_command_encode (command, P2P_MESSAGE_MAX_BYTES);

  for (guint i = 0; i < messages->len && !conn->over; i++) {
    gsize size;
    gconstpointer data = g_bytes_get_data (messages->pdata[i], &size);

    fake_conn_message (fake, conn, data, size);
  }
}

void
fake_conn_announce (FakePorts *fake, FakeConn *conn, const gint64 *loaded,
    guint n_loaded, const gint64 *loading, guint n_loading)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };

  command.loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.loading = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (n_loaded > 0)
    g_array_append_vals (command.loaded, loaded, n_loaded);
  if (n_loading > 0)
    g_array_append_vals (command.loading, loading, n_loading);
  fake_conn_command (fake, conn, &command);
}

void
fake_conn_has (FakePorts *fake, FakeConn *conn, gint64 id)
{
  fake_conn_announce (fake, conn, &id, 1, NULL, 0);
}

void
fake_conn_data (
    FakePorts *fake, FakeConn *conn, const P2pCommand *request, gint64 size)
{
  P2pCommand data = {
    .kind = P2P_COMMAND_DATA,
    .segment_id = request->segment_id,
    .request_id = request->request_id,
    .size = size,
  };

  fake_conn_command (fake, conn, &data);
}

void
fake_conn_segment (FakePorts *fake, FakeConn *conn, const P2pCommand *request,
    gsize from, gsize length)
{
  g_autoptr (GBytes) bytes = fake_segment (
      request->segment_id, MAX (FAKE_SEGMENT_BYTES, from + length));
  const char *data = g_bytes_get_data (bytes, NULL);

  while (length > 0 && !conn->over) {
    gsize size = MIN (length, P2P_MESSAGE_MAX_BYTES);

    fake_conn_message (fake, conn, data + from, size);
    from += size;
    length -= size;
  }
}

void
fake_conn_completed (FakePorts *fake, FakeConn *conn, const P2pCommand *request)
{
  P2pCommand completed = {
    .kind = P2P_COMMAND_COMPLETED,
    .segment_id = request->segment_id,
    .request_id = request->request_id,
  };

  fake_conn_command (fake, conn, &completed);
}

void
fake_conn_serve (FakePorts *fake, FakeConn *conn, const P2pCommand *request)
{
  gsize rest = FAKE_SEGMENT_BYTES - request->byte_from;

  fake_conn_data (fake, conn, request, rest);
  fake_conn_segment (fake, conn, request, request->byte_from, rest);
  if (!conn->over)
    fake_conn_completed (fake, conn, request);
}

void
fake_conn_request (FakePorts *fake, FakeConn *conn, gint64 segment,
    gint64 request, gint64 byte_from)
{
  P2pCommand command = {
    .kind = P2P_COMMAND_REQUEST,
    .segment_id = segment,
    .request_id = request,
    .byte_from = byte_from,
  };

  fake_conn_command (fake, conn, &command);
}

void
fake_conn_low_water (FakePorts *fake, FakeConn *conn)
{
  P2pEvent event = { .kind = P2P_EVENT_CONN_LOW_WATER, .id = conn->number };

  g_assert_true (conn->was_high);
  conn->waiting = 0;
  conn->was_high = FALSE;
  fake_handle (fake, &event);
}

gboolean
fake_ids_have (GArray *ids, gint64 id)
{
  for (guint i = 0; ids != NULL && i < ids->len; i++) {
    if (g_array_index (ids, gint64, i) == id)
      return TRUE;
  }

  return FALSE;
}

gboolean
fake_conn_next (FakeConn *conn, P2pCommand *command)
{
  while (conn->read < conn->messages->len) {
    GBytes *message = conn->messages->pdata[conn->read++];
    g_autoptr (GError) error = NULL;
    gsize size;
    const guint8 *data = g_bytes_get_data (message, &size);

    if (!p2p_command_is_chunk (data, size)) {
      g_byte_array_append (conn->data, data, size);
      continue;
    }
    switch (p2p_command_joiner_push (conn->joiner, message, command, &error)) {
      case P2P_JOIN_DONE:
        return TRUE;
      case P2P_JOIN_MORE:
        break;
      case P2P_JOIN_ERROR:
        g_assert_no_error (error);
        break;
    }
  }

  return FALSE;
}

gboolean
fake_conn_find (FakeConn *conn, P2pCommandKind kind, P2pCommand *command)
{
  while (fake_conn_next (conn, command)) {
    if (command->kind == kind)
      return TRUE;
    p2p_command_clear (command);
  }

  return FALSE;
}

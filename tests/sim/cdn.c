/* p2phlssrc: the origin, and each viewer's way to it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/node.h"

#include <stdio.h>
#include <stdlib.h>

#define ORIGIN_URL "http://origin.sim/live/"

/* What one read of a socket gives. */
#define READ_BYTES (32 * 1024)

/* Request and response lines, headers. */
#define HEADER_BYTES 400

/* Segments at the end of a live playlist that an edge may hide. */
#define MAX_UNLISTED 2

/* How long the origin keeps a segment that left the playlist, in windows. */
#define KEPT_WINDOWS 2

/* The segment sizes of a real encoder differ by this much either way. */
#define SIZE_SPREAD 0.2

struct _SimCdn
{
  SimWorld *world;
  SimPipe line;
  GPtrArray *segments; /* of GBytes, NULL where not made or let go */
  GArray *counts;      /* of SimCdnCount */
  char *playlists[SIM_VARIANTS_MAX];     /* (nullable) the last asked for */
  guint playlist_ends[SIM_VARIANTS_MAX]; /* its @published */
  guint status;
  gint64 slow_us;
};

struct _SimHttp
{
  P2pHttpPort port;
  SimNode *node;
  GHashTable *fetches; /* http number → Fetch, owned */
  guint connections;   /* as many as there ever were requests at once */
};

/* One request. */
typedef struct
{
  SimHttp *http;
  guint64 number;
  char *uri;
  P2pRange range;
  gint64 segment; /* -1: none */
  P2pTimer timer; /* until it is at the origin; until its failure is back */
  guint status;   /* of that failure */
  SimFlow from_origin;
  SimFlow to_viewer;
  gboolean paused;
  GQueue held; /* of Parcel: arrived while paused */
} Fetch;

/* What the origin sends, in order. */
typedef struct
{
  SimItem item;
  guint64 number;
  P2pHttpResponse *response; /* (nullable) */
  GBytes *bytes;             /* (nullable) */
  gboolean last;
} Parcel;

/* --- what there is ---------------------------------------------------------- */

SimCdn *
sim_cdn_new (SimWorld *world)
{
  SimCdn *cdn = g_new0 (SimCdn, 1);

  cdn->world = world;
  cdn->segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  cdn->counts = g_array_new (FALSE, TRUE, sizeof (SimCdnCount));
  sim_pipe_init (&cdn->line, world, world->config.origin_bps);

  return cdn;
}

void
sim_cdn_free (SimCdn *cdn)
{
  sim_pipe_clear (&cdn->line);
  g_ptr_array_unref (cdn->segments);
  g_array_unref (cdn->counts);
  for (guint i = 0; i < G_N_ELEMENTS (cdn->playlists); i++)
    g_free (cdn->playlists[i]);
  g_free (cdn);
}

const char *
sim_cdn_url (void)
{
  return ORIGIN_URL "master.m3u8";
}

guint
sim_cdn_published (SimCdn *cdn, gint64 at_us)
{
  const SimConfig *config = &cdn->world->config;

  if (config->vod)
    return config->vod_us / config->segment_us;

  return config->window + (at_us - SIM_BEGIN_US) / config->segment_us;
}

gint64
sim_cdn_published_us (SimCdn *cdn, guint id)
{
  const SimConfig *config = &cdn->world->config;
  guint number = id / config->variants;

  if (config->vod || number < config->window)
    return SIM_BEGIN_US;

  return SIM_BEGIN_US + (number - config->window + 1) * config->segment_us;
}

guint
sim_cdn_end (SimCdn *cdn)
{
  const SimWorld *world = cdn->world;

  return sim_cdn_published (cdn, world->now_us) * world->config.variants;
}

guint
sim_cdn_id (SimCdn *cdn, guint number, guint variant)
{
  return number * cdn->world->config.variants + variant;
}

guint64
sim_cdn_bps (SimCdn *cdn, guint variant)
{
  const SimConfig *config = &cdn->world->config;

  return config->bitrate_bps >> (config->variants - 1 - variant);
}

static char *
master_playlist (SimCdn *cdn)
{
  GString *text = g_string_new ("#EXTM3U\n");
  guint variant;

  for (variant = 0; variant < cdn->world->config.variants; variant++)
    g_string_append_printf (text,
        "#EXT-X-STREAM-INF:BANDWIDTH=%" G_GUINT64_FORMAT
        ",CODECS=\"avc1.42c00d,mp4a.40.2\",RESOLUTION=320x180\n"
        "media%u.m3u8\n",
        sim_cdn_bps (cdn, variant), variant);

  return g_string_free (text, FALSE);
}

static char *
write_playlist (SimCdn *cdn, guint variant, guint published)
{
  const SimConfig *config = &cdn->world->config;
  GString *text = g_string_new ("#EXTM3U\n#EXT-X-VERSION:3\n");
  guint first = 0;
  guint number;

  if (!config->vod && published > config->window)
    first = published - config->window;
  g_string_append_printf (text, "#EXT-X-TARGETDURATION:%d\n",
      (int) (config->segment_us / G_USEC_PER_SEC));
  g_string_append_printf (text, "#EXT-X-MEDIA-SEQUENCE:%u\n", first);
  for (number = first; number < published; number++)
    g_string_append_printf (text, "#EXTINF:%.3f,\nmedia%u-%06u.ts\n",
        (double) config->segment_us / G_USEC_PER_SEC, variant, number);
  if (config->vod)
    g_string_append (text, "#EXT-X-ENDLIST\n");

  return g_string_free (text, FALSE);
}

char *
sim_cdn_playlist (SimCdn *cdn, guint variant, guint published)
{
  char **playlist = &cdn->playlists[variant];

  /* All viewers ask for the same one. */
  if (*playlist == NULL || cdn->playlist_ends[variant] != published) {
    g_free (*playlist);
    *playlist = write_playlist (cdn, variant, published);
    cdn->playlist_ends[variant] = published;
  }

  return g_strdup (*playlist);
}

/* Maybe without its last segments. */
static gboolean
was_published (
    SimCdn *cdn, guint variant, const char *text, int sequence, guint count)
{
  const SimConfig *config = &cdn->world->config;
  guint published = config->vod ? count : sequence + config->window;
  g_autofree char *whole =
      sim_cdn_playlist (cdn, variant, MAX (published, sequence + count));

  return g_str_has_prefix (whole, text)
      && (config->vod || sequence == 0
          || count + MAX_UNLISTED >= config->window);
}

gboolean
sim_cdn_read_playlist (
    SimCdn *cdn, guint variant, const char *text, gint64 *first, gint64 *end)
{
  const char *tag = strstr (text, "#EXT-X-MEDIA-SEQUENCE:");
  const char *line;
  int sequence = 0;
  guint count = 0;

  if (tag != NULL)
    sscanf (tag, "#EXT-X-MEDIA-SEQUENCE:%d", &sequence);
  for (line = strstr (text, "#EXTINF"); line != NULL;
       line = strstr (line + 1, "#EXTINF"))
    count++;
  *first = sequence;
  *end = sequence + count;

  return was_published (cdn, variant, text, sequence, count);
}

gsize
sim_cdn_segment_size (SimCdn *cdn, guint id)
{
  const SimConfig *config = &cdn->world->config;
  guint64 bps = sim_cdn_bps (cdn, id % config->variants);
  double mean = bps / 8.0 * config->segment_us / G_USEC_PER_SEC;
  P2pPrng prng;

  p2p_prng_init (&prng, config->seed * 31 + id);

  return mean * (1 + SIZE_SPREAD * (2 * p2p_prng_unit (&prng) - 1)) + 1;
}

static GBytes *
make_segment (SimCdn *cdn, guint id)
{
  gsize size = sim_cdn_segment_size (cdn, id);
  gsize words = (size + sizeof (guint64) - 1) / sizeof (guint64);
  guint64 *data = g_new (guint64, words);
  P2pPrng prng;
  gsize i;

  p2p_prng_init (&prng, cdn->world->config.seed * 37 + id);
  for (i = 0; i < words; i++)
    data[i] = p2p_prng_next (&prng);

  return g_bytes_new_take (data, size);
}

/* Viewers hold what they play: the origin's own copies of old segments go. */
static void
let_go (SimCdn *cdn, guint id)
{
  const SimConfig *config = &cdn->world->config;
  guint kept = config->window * (KEPT_WINDOWS + 1) * config->variants;
  gint64 i;

  if (config->vod)
    return;
  for (i = (gint64) id - kept - config->variants;
       i >= 0 && cdn->segments->pdata[i] != NULL; i -= config->variants)
    g_clear_pointer ((GBytes **) &cdn->segments->pdata[i], g_bytes_unref);
}

GBytes *
sim_cdn_segment (SimCdn *cdn, guint id)
{
  if (id >= cdn->segments->len)
    g_ptr_array_set_size (cdn->segments, id + 1);
  if (cdn->segments->pdata[id] == NULL) {
    cdn->segments->pdata[id] = make_segment (cdn, id);
    let_go (cdn, id);
  }

  return cdn->segments->pdata[id];
}

static SimCdnCount *
count_of (SimCdn *cdn, guint id)
{
  if (id >= cdn->counts->len)
    g_array_set_size (cdn->counts, id + 1);

  return &g_array_index (cdn->counts, SimCdnCount, id);
}

SimCdnCount
sim_cdn_count (SimCdn *cdn, guint id)
{
  return *count_of (cdn, id);
}

char *
sim_cdn_segment_uri (SimCdn *cdn, guint id)
{
  guint variants = cdn->world->config.variants;

  return g_strdup_printf (
      ORIGIN_URL "media%u-%06u.ts", id % variants, id / variants);
}

gint64
sim_cdn_segment_of (SimCdn *cdn, const char *uri)
{
  const char *name = strrchr (uri, '/');
  guint variant, number;

  if (name == NULL || sscanf (name, "/media%u-%u.ts", &variant, &number) != 2
      || variant >= cdn->world->config.variants)
    return -1;

  return sim_cdn_id (cdn, number, variant);
}

static gboolean
segment_exists (SimCdn *cdn, gint64 id)
{
  const SimConfig *config = &cdn->world->config;
  guint published = sim_cdn_published (cdn, cdn->world->now_us);
  guint number = id / config->variants;

  if (number >= published)
    return FALSE;

  return config->vod
      || number + config->window * (KEPT_WINDOWS + 1) >= published;
}

/* What is at @uri now, NULL: nothing. The edge that answers hides @lag
 * segments at the end of playlists. */
static GBytes *
resource (SimCdn *cdn, const char *uri, guint lag)
{
  guint variants = cdn->world->config.variants;
  gint64 id = sim_cdn_segment_of (cdn, uri);
  char *text = NULL;
  guint variant;

  if (id >= 0)
    return segment_exists (cdn, id) ? g_bytes_ref (sim_cdn_segment (cdn, id))
                                    : NULL;
  if (strcmp (uri, ORIGIN_URL "master.m3u8") == 0)
    text = master_playlist (cdn);
  else if (sscanf (uri, ORIGIN_URL "media%u.m3u8", &variant) == 1
      && variant < variants)
    text = sim_cdn_playlist (
        cdn, variant, sim_cdn_published (cdn, cdn->world->now_us) - lag);
  if (text == NULL)
    return NULL;

  return g_bytes_new_take (text, strlen (text));
}

void
sim_cdn_misbehave (SimCdn *cdn, guint status, gint64 slow_us, guint64 rate_bps)
{
  cdn->status = status;
  cdn->slow_us = slow_us;
  if (rate_bps != cdn->line.rate_bps)
    sim_pipe_set_rate (&cdn->line, rate_bps);
}

/* --- one request -------------------------------------------------------------- */

static void
parcel_free (gpointer data)
{
  Parcel *parcel = data;

  g_clear_pointer (&parcel->response, p2p_http_response_unref);
  g_clear_pointer (&parcel->bytes, g_bytes_unref);
  g_free (parcel);
}

static void
fetch_free (gpointer data)
{
  Fetch *fetch = data;

  p2p_timer_clear (&fetch->timer);
  sim_flow_clear (&fetch->from_origin);
  sim_flow_clear (&fetch->to_viewer);
  g_queue_clear_full (&fetch->held, parcel_free);
  g_free (fetch->uri);
  g_free (fetch);
}

static void
count_bytes (SimNode *node, guint id, GBytes *bytes)
{
  SimCdnCount *count = count_of (node->world->cdn, id);

  count->bytes += g_bytes_get_size (bytes);
  count->bytes_of[node->kind] += g_bytes_get_size (bytes);
}

/* Takes @parcel. */
static void
hand_over (Fetch *fetch, Parcel *parcel)
{
  SimHttp *http = fetch->http;
  guint64 number = fetch->number;
  gboolean last = parcel->last;
  P2pEvent event = { .id = number };

  if (parcel->response != NULL) {
    event.kind = P2P_EVENT_HTTP_HEADERS;
    event.response = parcel->response;
  } else {
    event.kind = P2P_EVENT_HTTP_DATA;
    event.bytes = parcel->bytes;
    if (fetch->segment >= 0)
      count_bytes (http->node, fetch->segment, parcel->bytes);
  }
  sim_node_deliver (http->node, &event);
  parcel_free (parcel);

  /* It may have been cancelled. */
  if (!last || !g_hash_table_remove (http->fetches, &number))
    return;
  event.kind = P2P_EVENT_HTTP_DONE;
  sim_node_deliver (http->node, &event);
}

static void
on_arrived (gpointer owner, gpointer data)
{
  Fetch *fetch = owner;

  if (fetch->paused || !g_queue_is_empty (&fetch->held))
    g_queue_push_tail (&fetch->held, data);
  else
    hand_over (fetch, data);
}

/* At the viewer's line. */
static void
on_reached (gpointer owner, gpointer data)
{
  SimHttp *http = owner;
  Parcel *parcel = data;
  Fetch *fetch = g_hash_table_lookup (http->fetches, &parcel->number);
  gsize size = HEADER_BYTES;

  if (fetch == NULL) {
    parcel_free (parcel);
    return;
  }
  if (parcel->bytes != NULL)
    size = g_bytes_get_size (parcel->bytes);
  sim_flow_push (&fetch->to_viewer, size, &parcel->item);
}

static void
on_sent (gpointer owner, gpointer parcel)
{
  Fetch *fetch = owner;
  SimNode *node = fetch->http->node;

  sim_world_post (node->world, node->world->now_us + node->latency_us,
      on_reached, fetch->http, parcel, parcel_free);
}

static Parcel *
parcel_new (Fetch *fetch)
{
  Parcel *parcel = g_new0 (Parcel, 1);

  parcel->number = fetch->number;

  return parcel;
}

static void
send_headers (Fetch *fetch, const P2pRange *range, gsize total)
{
  Parcel *parcel = parcel_new (fetch);
  P2pHttpResponse *response = p2p_http_response_new ();

  response->status = p2p_range_is_all (&fetch->range) ? 200 : 206;
  response->reason = g_strdup ("OK");
  response->uri = g_strdup (fetch->uri);
  response->content_length = p2p_range_length (range);
  response->range_start = range->start;
  response->total_size = total;
  response->accepts_ranges = TRUE;
  parcel->response = response;
  sim_flow_push (&fetch->from_origin, HEADER_BYTES, &parcel->item);
}

static void
send_body (Fetch *fetch, GBytes *body)
{
  P2pRange range = fetch->range;
  guint64 at;

  range.end = MIN (range.end, g_bytes_get_size (body) - 1);
  send_headers (fetch, &range, g_bytes_get_size (body));
  for (at = range.start; at <= range.end; at += READ_BYTES) {
    Parcel *parcel = parcel_new (fetch);
    gsize size = MIN (READ_BYTES, range.end + 1 - at);

    parcel->bytes = g_bytes_new_from_bytes (body, at, size);
    parcel->last = at + size == range.end + 1;
    sim_flow_push (&fetch->from_origin, size, &parcel->item);
  }
}

static void
on_failed (gpointer owner, gint64 now_us)
{
  Fetch *fetch = owner;
  SimHttp *http = fetch->http;
  g_autoptr (P2pHttpFailure) failure =
      p2p_http_failure_new (P2P_HTTP_FAILURE_STATUS);
  P2pEvent event = { P2P_EVENT_HTTP_FAILED, fetch->number, .failure = failure };

  failure->status = fetch->status;
  failure->reason = g_strdup ("Simulated");
  failure->uri = g_strdup (fetch->uri);
  g_hash_table_remove (http->fetches, &event.id);
  sim_node_deliver (http->node, &event);
}

static void
fail (Fetch *fetch, guint status)
{
  SimWorld *world = fetch->http->node->world;

  fetch->status = status;
  p2p_timer_init (&fetch->timer, world->queue, on_failed, fetch);
  p2p_timer_set (&fetch->timer, world->now_us + fetch->http->node->latency_us);
}

static void
on_asked (gpointer owner, gint64 now_us)
{
  Fetch *fetch = owner;
  SimCdn *cdn = fetch->http->node->world->cdn;
  g_autoptr (GBytes) body = resource (cdn, fetch->uri, fetch->http->node->lag);

  if (fetch->segment >= 0)
    count_of (cdn, fetch->segment)->requests++;
  if (fetch->segment >= 0 && cdn->status != 0)
    fail (fetch, cdn->status);
  else if (body == NULL)
    fail (fetch, 404);
  else if (fetch->range.start >= g_bytes_get_size (body))
    fail (fetch, 416);
  else
    send_body (fetch, body);
}

/* --- the port ------------------------------------------------------------------ */

/* Until a request is at the origin: it waits on the viewer's line behind what
 * goes to peers, and may need a new connection first. */
static gint64
request_us (SimHttp *http)
{
  gint64 trip_us = sim_pipe_queue_us (&http->node->up);

  trip_us += http->node->latency_us;
  if (g_hash_table_size (http->fetches) < http->connections)
    return trip_us;
  http->connections++;

  return 2 * trip_us + http->node->latency_us;
}

static void
start (P2pHttpPort *port, guint64 number, const P2pHttpRequest *request)
{
  SimHttp *http = (SimHttp *) port;
  SimNode *node = http->node;
  SimCdn *cdn = node->world->cdn;
  Fetch *fetch = g_new0 (Fetch, 1);

  sim_node_assert_inside (node);
  g_assert (!g_hash_table_contains (http->fetches, &number));
  fetch->http = http;
  fetch->number = number;
  fetch->uri = g_strdup (request->uri);
  fetch->range = request->range;
  fetch->segment = sim_cdn_segment_of (cdn, request->uri);
  sim_flow_init (&fetch->from_origin, &cdn->line, on_sent, parcel_free, fetch);
  sim_flow_init (
      &fetch->to_viewer, &node->down, on_arrived, parcel_free, fetch);
  p2p_timer_init (&fetch->timer, node->world->queue, on_asked, fetch);
  p2p_timer_set (&fetch->timer,
      node->world->now_us + request_us (http)
          + (fetch->segment >= 0 ? cdn->slow_us : 0));
  g_hash_table_insert (http->fetches, &fetch->number, fetch);
}

static Fetch *
find (P2pHttpPort *port, guint64 number)
{
  SimHttp *http = (SimHttp *) port;

  sim_node_assert_inside (http->node);

  return g_hash_table_lookup (http->fetches, &number);
}

static void
pause_fetch (P2pHttpPort *port, guint64 number)
{
  Fetch *fetch = find (port, number);

  if (fetch != NULL)
    fetch->paused = TRUE;
}

/* A fetch goes on. */
typedef struct
{
  SimPost post;
  guint64 number;
} Resume;

static void
on_resumed (gpointer owner, gpointer data)
{
  SimHttp *http = owner;
  g_autofree Resume *resume = data;
  Fetch *fetch;

  while ((fetch = g_hash_table_lookup (http->fetches, &resume->number)) != NULL
      && !fetch->paused && !g_queue_is_empty (&fetch->held))
    hand_over (fetch, g_queue_pop_head (&fetch->held));
}

static void
resume_fetch (P2pHttpPort *port, guint64 number)
{
  SimWorld *world = ((SimHttp *) port)->node->world;
  Fetch *fetch = find (port, number);
  Resume *resume;

  if (fetch == NULL || !fetch->paused)
    return;
  fetch->paused = FALSE;
  resume = g_new (Resume, 1);
  resume->number = number;
  sim_world_post (
      world, world->now_us, on_resumed, fetch->http, &resume->post, g_free);
}

static void
cancel (P2pHttpPort *port, guint64 number)
{
  if (find (port, number) != NULL)
    g_hash_table_remove (((SimHttp *) port)->fetches, &number);
}

static const P2pHttpOps ops = {
  .start = start,
  .pause = pause_fetch,
  .resume = resume_fetch,
  .cancel = cancel,
};

SimHttp *
sim_http_new (SimNode *node)
{
  SimHttp *http = g_new0 (SimHttp, 1);

  http->port.ops = &ops;
  http->node = node;
  http->fetches =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, fetch_free);

  return http;
}

void
sim_http_vanish (SimHttp *http)
{
  g_hash_table_remove_all (http->fetches);
}

void
sim_http_free (SimHttp *http)
{
  g_hash_table_unref (http->fetches);
  g_free (http);
}

P2pHttpPort *
sim_http_port (SimHttp *http)
{
  return &http->port;
}

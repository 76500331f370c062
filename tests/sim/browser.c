/* p2phlssrc: a viewer without our engine: a page with P2P Media Loader.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What both generations have in common; what they do not is in browser-v2.c
 * and browser-v5.c.
 */
#include "sim/browser-private.h"

/* Generation 5's live delay: a segment inside the window's tail, a minute at
 * most. */
#define LIVE_DELAY_MOST_US (60 * G_USEC_PER_SEC)

/* Of the newest in the mean size of a segment. */
#define MEAN_WEIGHT 0.3

/* --- turns of the event loop ------------------------------------------------ */

void
sim_browser_enter (SimBrowser *browser)
{
  SimWorld *world = browser->node->world;

  g_assert (world->inside == NULL);
  world->inside = browser->node;
}

static gboolean
serve_wanted (SimBrowser *browser)
{
  gint64 id = browser->wanted;
  SimStored *stored = id < 0 ? NULL : sim_browser_find_stored (browser, id);

  if (stored == NULL)
    return FALSE;
  browser->wanted = -1;
  sim_hlsjs_take_segment (browser->player, id, stored->bytes);

  return TRUE;
}

static gboolean
run_microtask (SimBrowser *browser)
{
  if (!browser->running)
    return FALSE;
  if (serve_wanted (browser))
    return TRUE;
  if (browser->pass_wanted) {
    browser->pass_wanted = FALSE;
    browser->passed_us = sim_browser_now_us (browser);
    if (browser->anchor >= 0)
      browser->rules->pass (browser);
    return TRUE;
  }
  if (!browser->announce_wanted)
    return FALSE;
  browser->announce_wanted = FALSE;
  sim_peer_announce (browser);

  return TRUE;
}

void
sim_browser_leave (SimBrowser *browser)
{
  SimWorld *world = browser->node->world;
  guint turns = 0;

  while (run_microtask (browser))
    g_assert (turns++ < MICROTASKS_MAX);
  world->inside = NULL;
  world->steps++;
}

static void
on_tick (gpointer owner, gint64 now_us)
{
  SimBrowser *browser = owner;
  gint64 next_us;

  sim_browser_enter (browser);
  next_us = browser->rules->tick (browser);
  p2p_timer_set (&browser->tick_timer, next_us);
  sim_browser_leave (browser);
}

/* --- the playlist ------------------------------------------------------------ */

void
sim_browser_listed (SimBrowser *browser, gint64 *first, gint64 *end)
{
  const P2pStream *stream = browser->stream;

  *first = *end = 0;
  if (stream == NULL || stream->segments->len == 0)
    return;
  *first = ((P2pSegment *) stream->segments->pdata[0])->id;
  *end = *first + stream->segments->len;
}

gboolean
sim_browser_lists (SimBrowser *browser, gint64 id)
{
  gint64 first, end;

  sim_browser_listed (browser, &first, &end);

  return id >= first && id < end;
}

gint64
sim_browser_live_delay_us (SimBrowser *browser)
{
  gint64 segment_us = browser->node->world->config.segment_us;
  gint64 first, end;

  sim_browser_listed (browser, &first, &end);

  return MAX (
      segment_us, MIN ((end - first - 1) * segment_us, LIVE_DELAY_MOST_US));
}

gint64
sim_browser_live_buffer_us (SimBrowser *browser)
{
  gint64 segment_us = browser->node->world->config.segment_us;

  return MAX (2 * segment_us, sim_browser_live_delay_us (browser) - segment_us);
}

static gboolean
has_left (SimBrowser *browser, gint64 id)
{
  return !sim_browser_lists (browser, id);
}

static void
read_playlist (SimBrowser *browser)
{
  const char *uri = browser->playlist_uri;
  g_autoptr (GBytes) body =
      g_bytes_new (browser->playlist->str, browser->playlist->len);
  P2pStream *stream = NULL;
  gint64 first, end, now_first, now_end;

  sim_browser_listed (browser, &first, &end);
  p2p_registry_add_playlist (browser->registry, uri, uri, body, &stream, NULL);
  if (stream != NULL)
    browser->stream = stream;
  sim_browser_listed (browser, &now_first, &now_end);
  if (now_first == first && now_end == end)
    return;
  /* Generation 5 tells its storage what has left the playlist. */
  if (sim_browser_is_v5 (browser)
      && sim_browser_drop_stored (browser, has_left))
    browser->announce_wanted = TRUE;
  browser->pass_wanted = TRUE;
}

void
sim_browser_ask_playlist (SimBrowser *browser, const char *uri)
{
  P2pHttpRequest request = {
    .uri = uri, .range = P2P_RANGE_ALL, .profile = browser->profile
  };

  g_assert (browser->playlist_http == 0);
  g_free (browser->playlist_uri);
  browser->playlist_uri = g_strdup (uri);
  g_string_truncate (browser->playlist, 0);
  browser->playlist_http = ++browser->last_number;
  browser->http->ops->start (browser->http, browser->playlist_http, &request);
}

static gboolean
playlist_event (SimBrowser *browser, const P2pEvent *event)
{
  gboolean failed = event->kind == P2P_EVENT_HTTP_FAILED;

  if (event->id != browser->playlist_http)
    return FALSE;
  if (event->kind == P2P_EVENT_HTTP_DATA) {
    g_string_append_len (browser->playlist,
        g_bytes_get_data (event->bytes, NULL), g_bytes_get_size (event->bytes));
    return TRUE;
  }
  if (event->kind == P2P_EVENT_HTTP_HEADERS)
    return TRUE;
  browser->playlist_http = 0;
  if (!failed)
    read_playlist (browser);
  sim_hlsjs_take_playlist (
      browser->player, failed ? NULL : browser->playlist->str);

  return TRUE;
}

/* --- segments ---------------------------------------------------------------- */

static void
stored_free (gpointer data)
{
  SimStored *stored = data;

  g_bytes_unref (stored->bytes);
  g_free (stored);
}

SimStored *
sim_browser_find_stored (SimBrowser *browser, gint64 id)
{
  guint i;

  for (i = 0; i < browser->stored->len; i++) {
    SimStored *stored = browser->stored->pdata[i];

    if (stored->id == id)
      return stored;
  }

  return NULL;
}

gboolean
sim_browser_has (SimBrowser *browser, gint64 id)
{
  SimBrowserRequest *request = sim_request_find (browser, id);

  return sim_browser_find_stored (browser, id) != NULL
      || (request != NULL && request->status == SIM_REQUEST_SUCCEEDED);
}

gboolean
sim_browser_is_within (
    SimBrowser *browser, gint64 id, gint64 position_us, gint64 window_us)
{
  return sim_browser_start_us (browser, id) <= position_us + window_us
      && sim_browser_start_us (browser, id + 1) >= position_us;
}

gboolean
sim_browser_drop_stored (
    SimBrowser *browser, gboolean (*may_go) (SimBrowser *browser, gint64 id))
{
  guint before = browser->stored->len;
  guint i;

  for (i = before; i > 0; i--) {
    SimStored *stored = browser->stored->pdata[i - 1];

    if (stored->id != browser->wanted && may_go (browser, stored->id))
      g_ptr_array_remove_index (browser->stored, i - 1);
  }

  return browser->stored->len < before;
}

void
sim_browser_store (SimBrowser *browser, gint64 id, GBytes *bytes)
{
  SimStored *stored = g_new (SimStored, 1);
  gsize size = g_bytes_get_size (bytes);

  /* 5 judges by it how long one takes. */
  browser->mean_bytes += browser->mean_bytes == 0
      ? size
      : MEAN_WEIGHT * (size - browser->mean_bytes);
  if (sim_browser_is_live (browser))
    sim_browser_drop_stored (browser, browser->rules->may_go);
  *stored = (SimStored){ id, g_bytes_ref (bytes) };
  g_ptr_array_add (browser->stored, stored);
  browser->announce_wanted = TRUE;
}

void
sim_browser_ask_segment (SimBrowser *browser, gint64 id)
{
  gboolean is_first = browser->anchor < 0;
  SimBrowserRequest *request = sim_request_find (browser, id);

  browser->wanted = browser->anchor = id;
  browser->pass_wanted = TRUE;
  /* The player asks again for what failed: it may be tried again. */
  if (request != NULL && request->status == SIM_REQUEST_FAILED)
    request->failures = 0;
  if (!is_first || !browser->node->world->config.p2p)
    return;
  sim_browser_join_swarm (browser);
  p2p_timer_set (
      &browser->tick_timer, sim_browser_now_us (browser) + G_USEC_PER_SEC);
}

void
sim_browser_cancel_segment (SimBrowser *browser)
{
  browser->wanted = -1;
  browser->pass_wanted = TRUE;
}

void
sim_browser_reject_wanted (SimBrowser *browser)
{
  gint64 id = browser->wanted;

  browser->wanted = -1;
  sim_hlsjs_take_segment (browser->player, id, NULL);
}

void
sim_browser_report_playback (SimBrowser *browser)
{
  if (browser->anchor >= 0)
    browser->rules->on_playback (browser);
}

/* --- life ---------------------------------------------------------------------- */

SimBrowser *
sim_browser_new (SimNode *node)
{
  SimBrowser *browser = g_new0 (SimBrowser, 1);
  gsize length;

  browser->node = node;
  browser->rules =
      node->kind == SIM_KIND_V5 ? &sim_browser_rules_v5 : &sim_browser_rules_v2;
  browser->http = sim_http_port (node->http);
  browser->sockets = sim_socket_port (node->sockets);
  browser->transport = sim_node_transport (node);
  browser->profile = p2p_http_profile_new ();
  browser->registry = p2p_registry_new (NULL);
  browser->playlist = g_string_new (NULL);
  browser->wanted = browser->anchor = -1;
  browser->calm = -1;
  browser->queue = g_array_new (FALSE, FALSE, sizeof (SimQueued));
  browser->requests = g_ptr_array_new_with_free_func (sim_request_free);
  browser->stored = g_ptr_array_new_with_free_func (stored_free);
  browser->heard = g_array_new (FALSE, TRUE, sizeof (SimHeard));
  browser->peers = g_ptr_array_new_with_free_func (sim_peer_free);
  p2p_prng_init (&browser->prng, p2p_prng_next (&node->prng));
  length = strlen (browser->rules->prefix);
  memcpy (browser->id.text, browser->rules->prefix, length);
  p2p_prng_alnum (
      &browser->prng, browser->id.text + length, P2P_ID_LENGTH - length);
  p2p_timer_init (&browser->tick_timer, node->world->queue, on_tick, browser);
  sim_net_set_low (node->net, BUFFERED_MOST);
  sim_browser_init_swarm (browser);
  browser->player = sim_hlsjs_new (browser);

  return browser;
}

void
sim_browser_free (SimBrowser *browser)
{
  g_assert (!browser->running);
  sim_hlsjs_free (browser->player);
  g_ptr_array_unref (browser->peers);
  g_ptr_array_unref (browser->requests);
  g_ptr_array_unref (browser->stored);
  g_array_unref (browser->heard);
  g_array_unref (browser->queue);
  g_string_free (browser->playlist, TRUE);
  p2p_registry_free (browser->registry);
  p2p_http_profile_unref (browser->profile);
  g_free (browser->playlist_uri);
  g_free (browser);
}

void
sim_browser_start (SimBrowser *browser)
{
  sim_browser_enter (browser);
  browser->running = TRUE;
  sim_hlsjs_start (browser->player);
  sim_browser_leave (browser);
}

gboolean
sim_browser_is_running (SimBrowser *browser)
{
  return browser->running;
}

void
sim_browser_stop (SimBrowser *browser)
{
  if (!browser->running)
    return;
  sim_browser_enter (browser);
  browser->running = FALSE;
  sim_hlsjs_stop (browser->player);
  p2p_timer_clear (&browser->tick_timer);
  sim_browser_leave_swarm (browser);
  g_ptr_array_set_size (browser->requests, 0);
  sim_browser_leave (browser);
}

void
sim_browser_handle (SimBrowser *browser, const P2pEvent *event)
{
  if (!browser->running)
    return;
  sim_browser_enter (browser);
  if (!playlist_event (browser, event)
      && !sim_request_http_event (browser, event)
      && !sim_browser_tracker_event (browser, event))
    sim_browser_conn_event (browser, event);
  sim_browser_leave (browser);
}

void
sim_browser_pause (SimBrowser *browser, gint64 for_us)
{
  sim_hlsjs_pause (browser->player, for_us);
}

void
sim_browser_seek (SimBrowser *browser, double place)
{
  if (!browser->running)
    return;
  sim_browser_enter (browser);
  sim_hlsjs_seek (browser->player, place);
  sim_browser_leave (browser);
}

SimPlayerResult
sim_browser_result (SimBrowser *browser)
{
  return sim_hlsjs_result (browser->player);
}

P2pStats *
sim_browser_stats (SimBrowser *browser)
{
  P2pStats *stats = p2p_stats_new ();
  guint i;

  stats->http_bytes = browser->http_bytes;
  stats->p2p_bytes = browser->p2p_bytes;
  stats->upload_bytes = browser->upload_bytes;
  stats->overhead_bytes = browser->overhead_bytes;
  stats->http_segments = browser->http_segments;
  stats->p2p_segments = browser->p2p_segments;
  stats->upload_segments = browser->upload_segments;
  stats->peers = sim_peer_count (browser);
  stats->segments_stored = browser->stored->len;
  for (i = 0; i < browser->stored->len; i++)
    stats->stored_bytes +=
        g_bytes_get_size (((SimStored *) browser->stored->pdata[i])->bytes);

  return stats;
}

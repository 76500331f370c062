/* p2phlssrc: segments on their way to a page, from the origin and from peers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/log.h"
#include "sim/browser-private.h"

/* p2pNotReceivingBytesTimeoutMs, httpNotReceivingBytesTimeoutMs, and 5's
 * httpFirstByteTimeoutMs. */
#define PEER_SILENT_US (2 * G_USEC_PER_SEC)
#define HTTP_SILENT_US (3 * G_USEC_PER_SEC)
#define HTTP_FIRST_US (10 * G_USEC_PER_SEC)

/* What failed is tried again after this. */
#define FORGIVEN_US (60 * G_USEC_PER_SEC)

/* --- life --------------------------------------------------------------------- */

SimBrowserRequest *
sim_request_find (SimBrowser *browser, gint64 id)
{
  guint i;

  for (i = 0; i < browser->requests->len; i++) {
    SimBrowserRequest *request = browser->requests->pdata[i];

    if (request->id == id)
      return request;
  }

  return NULL;
}

static void
on_silence (gpointer owner, gint64 now_us)
{
  SimBrowserRequest *request = owner;
  SimBrowser *browser = request->browser;

  sim_browser_enter (browser);
  P2P_LOG_DEBUG (P2P_AREA_POLICY, request->id,
      "segment %" G_GINT64_FORMAT ": nothing comes from %s", request->id,
      request->from_peer ? request->peer->id.text : "the origin");
  if (request->from_peer)
    sim_peer_cancel (g_steal_pointer (&request->peer), TRUE);
  else
    browser->http->ops->cancel (browser->http, request->http);
  sim_request_fail (request);
  sim_browser_leave (browser);
}

static SimBrowserRequest *
ensure_request (SimBrowser *browser, gint64 id)
{
  SimCdn *cdn = browser->node->world->cdn;
  SimBrowserRequest *request = sim_request_find (browser, id);

  if (request != NULL)
    return request;
  request = g_new0 (SimBrowserRequest, 1);
  request->browser = browser;
  request->id = id;
  request->total = P2P_SIZE_UNKNOWN;
  request->pieces =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  /* What the player asks for has an address even when it is listed no more. */
  request->uri =
      sim_cdn_segment_uri (cdn, sim_cdn_id (cdn, id, SIM_BROWSER_VARIANT));
  p2p_timer_init (
      &request->timer, browser->node->world->queue, on_silence, request);
  g_ptr_array_add (browser->requests, request);

  return request;
}

void
sim_request_free (gpointer data)
{
  SimBrowserRequest *request = data;
  SimBrowser *browser = request->browser;

  if (request->http != 0)
    browser->http->ops->cancel (browser->http, request->http);
  p2p_timer_clear (&request->timer);
  g_ptr_array_unref (request->pieces);
  g_free (request->uri);
  g_free (request);
}

void
sim_request_remove (SimBrowserRequest *request)
{
  g_assert (request->status != SIM_REQUEST_LOADING);
  if (request->status != SIM_REQUEST_SUCCEEDED)
    request->browser->overhead_bytes += request->loaded;
  g_ptr_array_remove (request->browser->requests, request);
}

gboolean
sim_request_is_loading (SimBrowserRequest *request)
{
  return request != NULL && request->status == SIM_REQUEST_LOADING;
}

guint
sim_request_count (SimBrowser *browser, gboolean from_peer)
{
  guint count = 0;
  guint i;

  for (i = 0; i < browser->requests->len; i++) {
    SimBrowserRequest *request = browser->requests->pdata[i];

    count +=
        sim_request_is_loading (request) && request->from_peer == from_peer;
  }

  return count;
}

/* --- attempts ------------------------------------------------------------------ */

static void
set_status (SimBrowserRequest *request, SimRequestStatus status)
{
  gint64 now_us = sim_browser_now_us (request->browser);

  if (request->status == SIM_REQUEST_LOADING && request->http != 0)
    p2p_bandwidth_end (&request->browser->http_rate, now_us);
  p2p_timer_clear (&request->timer);
  request->http = 0;
  request->peer = NULL;
  request->status = status;
  request->handled = FALSE;
}

static void
arm (SimBrowserRequest *request, gint64 silent_us)
{
  p2p_timer_set (
      &request->timer, sim_browser_now_us (request->browser) + silent_us);
}

/* Whole already: what had come when the last attempt ended. */
static gboolean
is_whole (SimBrowserRequest *request, gboolean from_peer)
{
  request->from_peer = from_peer;
  if (request->loaded != request->total)
    return FALSE;
  sim_request_succeed (request);

  return TRUE;
}

void
sim_request_over_http (SimBrowser *browser, gint64 id)
{
  SimBrowserRequest *request = ensure_request (browser, id);
  P2pHttpRequest http = { .uri = request->uri,
    .range = { request->loaded, P2P_SIZE_UNKNOWN },
    .profile = browser->profile };

  g_assert (request->peer == NULL && request->http == 0);
  browser->announce_wanted = TRUE;
  if (is_whole (request, FALSE))
    return;
  P2P_LOG_DEBUG (P2P_AREA_POLICY, id,
      "segment %" G_GINT64_FORMAT
      " from the origin, from byte %" G_GUINT64_FORMAT,
      id, request->loaded);
  set_status (request, SIM_REQUEST_LOADING);
  request->http = ++browser->last_number;
  p2p_bandwidth_begin (&browser->http_rate, sim_browser_now_us (browser));
  arm (request, sim_browser_is_v5 (browser) ? HTTP_FIRST_US : HTTP_SILENT_US);
  browser->http->ops->start (browser->http, request->http, &http);
}

void
sim_request_from_peer (SimBrowser *browser, gint64 id)
{
  SimBrowserPeer *peer = sim_peer_choose (browser, id);
  SimBrowserRequest *request;

  if (peer == NULL)
    return;
  request = ensure_request (browser, id);
  g_assert (request->peer == NULL && request->http == 0);
  if (is_whole (request, TRUE))
    return;
  P2P_LOG_DEBUG (P2P_AREA_POLICY, id,
      "segment %" G_GINT64_FORMAT " from %s, from byte %" G_GUINT64_FORMAT, id,
      peer->id.text, request->loaded);
  set_status (request, SIM_REQUEST_LOADING);
  request->peer = peer;
  arm (request, PEER_SILENT_US);
  sim_peer_ask (peer, request);
}

void
sim_request_abort (SimBrowserRequest *request)
{
  SimBrowser *browser = request->browser;

  g_assert (request->status == SIM_REQUEST_LOADING);
  if (request->from_peer)
    sim_peer_cancel (g_steal_pointer (&request->peer), FALSE);
  else
    browser->http->ops->cancel (browser->http, request->http);
  set_status (request, SIM_REQUEST_ABORTED);
}

void
sim_request_fail (SimBrowserRequest *request)
{
  SimBrowser *browser = request->browser;

  if (!request->from_peer)
    request->failures++;
  request->failed_us = sim_browser_now_us (browser);
  set_status (request, SIM_REQUEST_FAILED);
  browser->pass_wanted = TRUE;
}

void
sim_request_succeed (SimBrowserRequest *request)
{
  SimBrowser *browser = request->browser;

  if (request->from_peer)
    browser->p2p_segments++;
  else
    browser->http_segments++;
  set_status (request, SIM_REQUEST_SUCCEEDED);
  browser->pass_wanted = TRUE;
}

void
sim_request_clear (SimBrowserRequest *request)
{
  request->browser->overhead_bytes += request->loaded;
  g_ptr_array_set_size (request->pieces, 0);
  request->loaded = 0;
  request->total = P2P_SIZE_UNKNOWN;
}

void
sim_request_touch (SimBrowserRequest *request)
{
  arm (request, request->from_peer ? PEER_SILENT_US : HTTP_SILENT_US);
}

void
sim_request_progress (SimBrowserRequest *request, GBytes *bytes)
{
  SimBrowser *browser = request->browser;
  gsize size = g_bytes_get_size (bytes);

  g_ptr_array_add (request->pieces, g_bytes_ref (bytes));
  request->loaded += size;
  sim_request_touch (request);
  if (request->from_peer) {
    browser->p2p_bytes += size;
    return;
  }
  browser->http_bytes += size;
  p2p_bandwidth_add (&browser->http_rate, size, sim_browser_now_us (browser));
}

/* --- HTTP ---------------------------------------------------------------------- */

static SimBrowserRequest *
find_http (SimBrowser *browser, guint64 http)
{
  guint i;

  for (i = 0; i < browser->requests->len; i++) {
    SimBrowserRequest *request = browser->requests->pdata[i];

    if (request->http == http)
      return request;
  }

  return NULL;
}

static void
on_headers (SimBrowserRequest *request, const P2pHttpResponse *response)
{
  sim_request_touch (request);
  if (response->status == 200 && request->total == P2P_SIZE_UNKNOWN)
    request->total = response->content_length;
}

gboolean
sim_request_http_event (SimBrowser *browser, const P2pEvent *event)
{
  SimBrowserRequest *request = NULL;

  if (event->kind >= P2P_EVENT_HTTP_HEADERS
      && event->kind <= P2P_EVENT_HTTP_FAILED)
    request = find_http (browser, event->id);
  if (request == NULL)
    return FALSE;
  if (event->kind == P2P_EVENT_HTTP_HEADERS)
    on_headers (request, event->response);
  else if (event->kind == P2P_EVENT_HTTP_DATA)
    sim_request_progress (request, event->bytes);
  else if (event->kind == P2P_EVENT_HTTP_DONE
      && request->loaded == request->total)
    sim_request_succeed (request);
  else
    sim_request_fail (request);

  return TRUE;
}

/* --- what becomes of them -------------------------------------------------------- */

static gboolean
is_origins (GPtrArray *pieces, GBytes *origin)
{
  gsize whole, at = 0;
  const guint8 *expected = g_bytes_get_data (origin, &whole);
  guint i;

  for (i = 0; i < pieces->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (pieces->pdata[i], &size);

    if (size > whole - at
        || (data != expected + at && memcmp (data, expected + at, size) != 0))
      return FALSE;
    at += size;
  }

  return at == whole;
}

/* The segment as one piece: mostly the origin's own bytes, so that pages share
 * memory. */
static GBytes *
join (SimBrowserRequest *request)
{
  SimCdn *cdn = request->browser->node->world->cdn;
  GBytes *origin =
      sim_cdn_segment (cdn, sim_cdn_id (cdn, request->id, SIM_BROWSER_VARIANT));
  GByteArray *bytes;
  guint i;

  if (is_origins (request->pieces, origin))
    return g_bytes_ref (origin);
  bytes = g_byte_array_new ();
  for (i = 0; i < request->pieces->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (request->pieces->pdata[i], &size);

    g_byte_array_append (bytes, data, size);
  }

  return g_byte_array_free_to_bytes (bytes);
}

static void
settle_success (SimBrowserRequest *request)
{
  SimBrowser *browser = request->browser;
  g_autoptr (GBytes) bytes = join (request);
  gint64 id = request->id;

  sim_request_remove (request);
  sim_browser_store (browser, id, bytes);
}

/* TRUE: it is gone. */
static gboolean
settle_failure (SimBrowserRequest *request)
{
  SimBrowser *browser = request->browser;
  gboolean is_wanted = request->id == browser->wanted;

  if (!request->from_peer && !request->handled)
    browser->announce_wanted = TRUE;
  if (is_wanted && request->failures >= HTTP_ATTEMPTS)
    sim_browser_reject_wanted (browser);
  if (is_wanted || sim_browser_lists (browser, request->id))
    return FALSE;
  sim_request_remove (request);

  return TRUE;
}

static void
settle (SimBrowserRequest *request, gboolean is_kept)
{
  switch (request->status) {
    case SIM_REQUEST_LOADING:
      if (is_kept)
        break;
      sim_request_abort (request);
      sim_request_remove (request);
      return;
    case SIM_REQUEST_SUCCEEDED:
      settle_success (request);
      return;
    case SIM_REQUEST_FAILED:
      if (settle_failure (request))
        return;
      break;
    case SIM_REQUEST_ABORTED:
      sim_request_remove (request);
      return;
  }
  request->handled = TRUE;
  if (request->failures > 0
      && sim_browser_now_us (request->browser) - request->failed_us
          > FORGIVEN_US)
    request->failures = 0;
}

static gboolean
is_to_be_had (SimBrowser *browser, gint64 id)
{
  guint i;

  if (id == browser->wanted)
    return TRUE;
  for (i = 0; i < browser->queue->len; i++) {
    if (g_array_index (browser->queue, SimQueued, i).id == id)
      return TRUE;
  }

  return FALSE;
}

void
sim_request_settle (SimBrowser *browser)
{
  guint i;

  /* Backwards, as some go. */
  for (i = browser->requests->len; i > 0; i--) {
    SimBrowserRequest *request = browser->requests->pdata[i - 1];

    settle (request, is_to_be_had (browser, request->id));
  }
}

/* p2phlssrc: what generation 5 fetches, and from where.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: hybrid-loader.ts, utils/election.ts, live-delay.ts and specs/ of
 * Novage/p2p-media-loader, of the time of 5.0.0.
 */
#include "base/log.h"
#include "policy/election.h"
#include "sim/browser-private.h"

/* Looks at playback at most this often; and at the election this often and up
 * to as much later. */
#define LOOK_US G_USEC_PER_SEC

/* What a backup allows for the owner's announcement. */
#define ALLOWANCE_US (G_USEC_PER_SEC / 2)

/* Segments kept behind the one asked for last, at least. */
#define KEPT_SEGMENTS 3

/* --- urgency ------------------------------------------------------------------------ */

static gint64
threshold_us (SimBrowser *browser)
{
  gint64 segment_us = browser->node->world->config.segment_us;

  if (!sim_browser_is_live (browser))
    return DEMAND_US;

  return MAX (
      segment_us, MIN (DEMAND_US, sim_browser_live_buffer_us (browser) / 2));
}

/* Until what the player waits for is urgent. */
static gint64
spare_us (SimBrowser *browser)
{
  return sim_hlsjs_ahead_us (browser->player) - threshold_us (browser);
}

static gboolean
is_urgent (SimBrowser *browser)
{
  return spare_us (browser) < 0;
}

/* --- the queue ----------------------------------------------------------------------- */

/* From the segment asked for last on, or what is left of it in the playlist. */
static void
fill_queue (SimBrowser *browser)
{
  gint64 position_us = sim_browser_start_us (browser, browser->anchor);
  gint64 first, end, id;

  g_array_set_size (browser->queue, 0);
  sim_browser_listed (browser, &first, &end);
  for (id = MAX (browser->anchor, first); id < end; id++) {
    SimQueued item = {
      .id = id,
      .http = sim_browser_is_within (browser, id, position_us, HTTP_WINDOW_US),
      .p2p = sim_browser_is_within (browser, id, position_us, P2P_WINDOW_US)
          && (sim_peer_somebody_has (browser, id)
              || sim_peer_somebody_loads (browser, id)),
    };

    if (!item.http && !item.p2p)
      return;
    if (!sim_browser_has (browser, id))
      g_array_append_val (browser->queue, item);
  }
}

/* --- what the player waits for --------------------------------------------------------- */

/* An urgent request has the line to itself, as far as HTTP goes. */
static void
yield_http (SimBrowser *browser)
{
  guint i;

  for (i = 0; i < browser->requests->len; i++) {
    SimBrowserRequest *request = browser->requests->pdata[i];

    if (sim_request_is_loading (request) && !request->from_peer
        && request->id != browser->wanted)
      sim_request_abort (request);
  }
}

/* Ends the download that is furthest ahead. */
static gboolean
abort_furthest (SimBrowser *browser, gboolean from_peer)
{
  SimBrowserRequest *furthest = NULL;
  guint i;

  for (i = 0; i < browser->requests->len; i++) {
    SimBrowserRequest *request = browser->requests->pdata[i];

    if (sim_request_is_loading (request) && request->from_peer == from_peer
        && request->id != browser->wanted
        && (furthest == NULL || request->id > furthest->id))
      furthest = request;
  }
  if (furthest != NULL)
    sim_request_abort (furthest);

  return furthest != NULL;
}

static gboolean
has_room (SimBrowser *browser, gboolean from_peer)
{
  guint most = from_peer ? P2P_DOWNLOADS : HTTP_DOWNLOADS;

  return sim_request_count (browser, from_peer) < most;
}

/* It is on its way already. */
static void
hurry (SimBrowser *browser, SimBrowserRequest *request, gboolean may_http)
{
  if (!request->from_peer) {
    yield_http (browser);
  } else if (may_http) {
    sim_request_abort (request);
    yield_http (browser);
    sim_request_over_http (browser, request->id);
  }
}

static void
fetch_wanted (SimBrowser *browser)
{
  gint64 id = browser->wanted;
  SimBrowserRequest *request = sim_request_find (browser, id);
  gboolean may_http = request == NULL || request->failures < HTTP_ATTEMPTS;
  gboolean urgent = is_urgent (browser);
  gboolean at_once = urgent || sim_peer_count (browser) == 0;

  browser->calm = urgent ? -1 : id;
  if (sim_request_is_loading (request)) {
    if (urgent)
      hurry (browser, request, may_http);
    return;
  }
  if (urgent && may_http) {
    yield_http (browser);
    sim_request_over_http (browser, id);
    return;
  }
  if (at_once && may_http
      && (has_room (browser, FALSE) || abort_furthest (browser, FALSE))) {
    sim_request_over_http (browser, id);
    return;
  }
  if ((sim_peer_somebody_has (browser, id)
          || sim_peer_somebody_loads (browser, id))
      && (has_room (browser, TRUE)
          || (at_once && abort_furthest (browser, TRUE))))
    sim_request_from_peer (browser, id);
}

/* --- the election ---------------------------------------------------------------------- */

static guint
rank_for (SimBrowser *browser, gint64 id)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];

    if (peer->state == SIM_PEER_OPEN)
      g_ptr_array_add (ids, &peer->id);
  }

  return p2p_election_rank (&browser->id, (const P2pPeerId *const *) ids->pdata,
      ids->len, p2p_stream_external_id (browser->stream, P2P_PROTOCOL_V3, id));
}

/* What an HTTP download should take. */
static gint64
fetch_us (SimBrowser *browser)
{
  const SimConfig *config = &browser->node->world->config;
  double bytes = browser->mean_bytes;
  double rate_bps =
      p2p_bandwidth_bps (&browser->http_rate, sim_browser_now_us (browser));

  if (bytes == 0)
    bytes = config->bitrate_bps / 8.0 * config->segment_us / G_USEC_PER_SEC;
  if (rate_bps == 0)
    rate_bps = config->bitrate_bps;

  return bytes * 8 * G_USEC_PER_SEC / rate_bps;
}

/* A backup fetches only what its player waits for, the later the lower it
 * stands. */
static gboolean
is_its_turn (SimBrowser *browser, gint64 id, guint rank)
{
  if (rank == 0)
    return TRUE;

  return id == browser->wanted
      && spare_us (browser)
      <= fetch_us (browser) * (1 + 1.0 / rank) + ALLOWANCE_US;
}

static gboolean
is_urgent_over_http (SimBrowser *browser)
{
  SimBrowserRequest *request = sim_request_find (browser, browser->wanted);

  return sim_request_is_loading (request) && !request->from_peer
      && is_urgent (browser);
}

/* What nobody has or fetches, as far as this page is elected. */
static void
prefetch (SimBrowser *browser)
{
  guint i;

  if (is_urgent_over_http (browser) || sim_peer_count (browser) == 0)
    return;
  for (i = 0; i < browser->queue->len; i++) {
    SimQueued item = g_array_index (browser->queue, SimQueued, i);
    SimBrowserRequest *request = sim_request_find (browser, item.id);
    guint rank;

    if (!has_room (browser, FALSE))
      return;
    if (!item.http || item.p2p || sim_browser_has (browser, item.id)
        || sim_request_is_loading (request)
        || (request != NULL && request->failures >= HTTP_ATTEMPTS))
      continue;
    rank = rank_for (browser, item.id);
    if (!is_its_turn (browser, item.id, rank))
      continue;
    P2P_LOG_DEBUG (P2P_AREA_POLICY, item.id,
        "a page fetches segment %" G_GINT64_FORMAT " for all, rank %u", item.id,
        rank);
    sim_request_over_http (browser, item.id);
  }
}

/* --- a pass ------------------------------------------------------------------------------ */

static void
pass (SimBrowser *browser)
{
  guint i;

  fill_queue (browser);
  sim_request_settle (browser);
  if (browser->wanted >= 0 && !sim_browser_has (browser, browser->wanted))
    fetch_wanted (browser);
  for (i = 0; i < browser->queue->len && has_room (browser, TRUE); i++) {
    SimQueued item = g_array_index (browser->queue, SimQueued, i);

    if (item.p2p && !sim_browser_has (browser, item.id)
        && !sim_request_is_loading (sim_request_find (browser, item.id)))
      sim_request_from_peer (browser, item.id);
  }
  prefetch (browser);
}

static gint64
tick (SimBrowser *browser)
{
  if (browser->wanted >= 0) {
    browser->pass_wanted = TRUE;
  } else {
    fill_queue (browser);
    prefetch (browser);
  }

  return sim_browser_now_us (browser)
      + sim_draw (&browser->prng, LOOK_US, 2 * LOOK_US);
}

static void
on_playback (SimBrowser *browser)
{
  gboolean became_urgent = browser->wanted >= 0
      && browser->calm == browser->wanted && is_urgent (browser);

  if (became_urgent
      || sim_browser_now_us (browser) - browser->passed_us > LOOK_US)
    browser->pass_wanted = TRUE;
}

/* Looked at whenever something is stored; what has left the playlist has gone
 * already. */
static gboolean
may_go (SimBrowser *browser, gint64 id)
{
  gint64 kept_us = MAX (
      KEPT_SEGMENTS * browser->node->world->config.segment_us, KEPT_BEHIND_US);

  return sim_browser_start_us (browser, browser->anchor)
      > sim_browser_start_us (browser, id + 1) + kept_us;
}

const SimBrowserRules sim_browser_rules_v5 = {
  .prefix = "-PM0500-",
  .protocol = P2P_PROTOCOL_V3,
  .pass = pass,
  .tick = tick,
  .on_playback = on_playback,
  .may_go = may_go,
};

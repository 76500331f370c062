/* p2phlssrc: what generation 2.3 fetches, and from where.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: hybrid-loader.ts, utils/queue.ts and utils/stream.ts of npm's
 * p2p-media-loader-core 2.3.1.
 */
#include "sim/browser-private.h"

/* Looks at playback at most this often; and for something to fetch for others
 * this often and up to as much later for each peer. */
#define LOOK_US G_USEC_PER_SEC

/* --- the queue -------------------------------------------------------------------- */

static SimQueued
judge (SimBrowser *browser, gint64 id)
{
  gint64 position_us = sim_hlsjs_position_us (browser->player);

  return (SimQueued){
    .id = id,
    .is_demanded = sim_browser_is_within (
        browser, id, position_us, browser->node->world->config.demand_us),
    .http = sim_browser_is_within (browser, id, position_us, HTTP_WINDOW_US),
    .p2p = sim_browser_is_within (browser, id, position_us, P2P_WINDOW_US)
        && (sim_peer_somebody_has (browser, id)
            || sim_peer_somebody_loads (browser, id)),
  };
}

static gboolean
is_in_time (const SimQueued *item)
{
  return item->is_demanded || item->http || item->p2p;
}

/* The segment asked for last may be just behind the playhead; then it counts
 * as demanded if the next is in time. */
static gboolean
judge_first (SimBrowser *browser, gint64 end, SimQueued *item)
{
  SimQueued second;

  if (is_in_time (item))
    return TRUE;
  if (item->id + 1 >= end)
    return FALSE;
  second = judge (browser, item->id + 1);
  item->is_demanded = TRUE;

  return is_in_time (&second);
}

/* From the segment that the player asked for last, as far as windows go. */
static void
fill_queue (SimBrowser *browser)
{
  gint64 first, end, id;

  g_array_set_size (browser->queue, 0);
  sim_browser_listed (browser, &first, &end);
  if (browser->anchor < first)
    return;
  for (id = browser->anchor; id < end; id++) {
    SimQueued item = judge (browser, id);

    if (id == browser->anchor ? !judge_first (browser, end, &item)
                              : !is_in_time (&item))
      return;
    if (!sim_browser_has (browser, id))
      g_array_append_val (browser->queue, item);
  }
}

/* --- a pass ----------------------------------------------------------------------- */

/* Makes room for item @at: ends the last download after it. */
static gboolean
abort_last_after (SimBrowser *browser, guint at, gboolean from_peer)
{
  guint i;

  for (i = browser->queue->len; i > at + 1; i--) {
    gint64 id = g_array_index (browser->queue, SimQueued, i - 1).id;
    SimBrowserRequest *request = sim_request_find (browser, id);

    if (!sim_request_is_loading (request) || request->from_peer != from_peer)
      continue;
    sim_request_abort (request);
    return TRUE;
  }

  return FALSE;
}

static gboolean
has_room (SimBrowser *browser, guint at, gboolean from_peer)
{
  guint most = from_peer ? P2P_DOWNLOADS : HTTP_DOWNLOADS;

  return sim_request_count (browser, from_peer) < most
      || abort_last_after (browser, at, from_peer);
}

/* Near the playhead: the origin, even if a peer is at it. */
static void
fetch_demanded (SimBrowser *browser, guint at, gint64 id)
{
  SimBrowserRequest *request = sim_request_find (browser, id);
  gboolean may_http = request == NULL || request->failures < HTTP_ATTEMPTS;

  if (sim_request_is_loading (request)) {
    if (!request->from_peer || !may_http || !has_room (browser, at, FALSE))
      return;
    sim_request_abort (request);
    sim_request_over_http (browser, id);
    return;
  }
  if (may_http && has_room (browser, at, FALSE))
    sim_request_over_http (browser, id);
  else if (sim_peer_somebody_has (browser, id) && has_room (browser, at, TRUE))
    sim_request_from_peer (browser, id);
}

static void
pass (SimBrowser *browser)
{
  guint i;

  fill_queue (browser);
  sim_request_settle (browser);
  for (i = 0; i < browser->queue->len; i++) {
    SimQueued item = g_array_index (browser->queue, SimQueued, i);

    if (sim_browser_has (browser, item.id))
      continue;
    if (item.is_demanded)
      fetch_demanded (browser, i, item.id);
    else if (item.p2p
        && !sim_request_is_loading (sim_request_find (browser, item.id))
        && sim_request_count (browser, TRUE) < P2P_DOWNLOADS)
      sim_request_from_peer (browser, item.id);
  }
}

/* --- for others -------------------------------------------------------------------- */

/* What nobody has or fetches, nor has failed too often. */
static GArray *
find_missing (SimBrowser *browser)
{
  GArray *missing = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint i;

  fill_queue (browser);
  for (i = 0; i < browser->queue->len; i++) {
    SimQueued item = g_array_index (browser->queue, SimQueued, i);
    SimBrowserRequest *request = sim_request_find (browser, item.id);

    if (item.http && !item.p2p && !sim_request_is_loading (request)
        && (request == NULL || request->failures < HTTP_ATTEMPTS))
      g_array_append_val (missing, item.id);
  }

  return missing;
}

/* Each of as many as all together can fetch, in an order that is drawn, until
 * about this page's share of them is on its way. */
static void
fetch_some (SimBrowser *browser, GArray *missing, guint peers)
{
  guint n = MIN (missing->len, HTTP_DOWNLOADS * peers);
  double probability = (double) n / peers;
  guint i;

  for (i = 0; i < n && probability > 0; i++, probability--) {
    guint other = i + p2p_prng_below (&browser->prng, n - i);
    gint64 id = g_array_index (missing, gint64, other);

    g_array_index (missing, gint64, other) = g_array_index (missing, gint64, i);
    g_array_index (missing, gint64, i) = id;
    if (sim_request_count (browser, FALSE) >= HTTP_DOWNLOADS)
      return;
    if (p2p_prng_unit (&browser->prng) <= probability)
      sim_request_over_http (browser, id);
  }
}

static gint64
tick (SimBrowser *browser)
{
  guint peers = sim_peer_count (browser);

  if (peers > 0 && sim_request_count (browser, FALSE) < HTTP_DOWNLOADS) {
    g_autoptr (GArray) missing = find_missing (browser);

    fetch_some (browser, missing, peers + 1);
  }

  return sim_browser_now_us (browser) + LOOK_US
      + sim_draw (&browser->prng, 0, LOOK_US * peers);
}

static void
on_playback (SimBrowser *browser)
{
  if (sim_browser_now_us (browser) - browser->passed_us > LOOK_US)
    browser->pass_wanted = TRUE;
}

/* Looked at whenever something is stored. */
static gboolean
may_go (SimBrowser *browser, gint64 id)
{
  return sim_hlsjs_position_us (browser->player)
      > sim_browser_start_us (browser, id + 1) + KEPT_BEHIND_US;
}

const SimBrowserRules sim_browser_rules_v2 = {
  .prefix = "-PM0203-",
  .protocol = P2P_PROTOCOL_V2,
  .pass = pass,
  .tick = tick,
  .on_playback = on_playback,
  .may_go = may_go,
};

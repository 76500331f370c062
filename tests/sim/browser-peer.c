/* p2phlssrc: what a page says to its peers, and they to it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/limits.h"
#include "base/log.h"
#include "sim/browser-private.h"

/* 5 counts its requests up to this; 2.3 draws them below 1000. */
#define REQUESTS_V5 1000000000
#define REQUESTS_V2 1000

/* Peers that have proved nothing, or little, count as this share of the best;
 * all of them together never for more than those that have. */
#define UNPROVEN_SHARE 0.1

/* --- what they hold ------------------------------------------------------------ */

static SimHeard *
heard_of (SimBrowser *browser, gint64 id)
{
  if (id >= browser->heard->len)
    g_array_set_size (browser->heard, id + 1);

  return &g_array_index (browser->heard, SimHeard, id);
}

/* @by: 1 or -1. */
static void
count_heard (SimBrowserPeer *peer, int by)
{
  guint i;

  for (i = 0; peer->loaded != NULL && i < peer->loaded->len; i++)
    heard_of (peer->browser, g_array_index (peer->loaded, gint64, i))->loaded +=
        by;
  for (i = 0; peer->loading != NULL && i < peer->loading->len; i++)
    heard_of (peer->browser, g_array_index (peer->loading, gint64, i))
        ->loading += by;
}

/* What the other side calls them, in our numbers; nonsense is left out. */
static GArray *
own_ids (SimBrowser *browser, GArray *heard)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint most = sim_cdn_published (
      browser->node->world->cdn, browser->node->world->end_us);
  guint i;

  for (i = 0; heard != NULL && i < heard->len; i++) {
    gint64 id = p2p_stream_segment_id (browser->stream,
        browser->rules->protocol, g_array_index (heard, gint64, i));

    if (id >= 0 && id < most)
      g_array_append_val (ids, id);
  }

  return ids;
}

static void
set_heard (SimBrowserPeer *peer, GArray *loaded, GArray *loading)
{
  count_heard (peer, -1);
  g_clear_pointer (&peer->loaded, g_array_unref);
  g_clear_pointer (&peer->loading, g_array_unref);
  peer->loaded = loaded;
  peer->loading = loading;
  count_heard (peer, 1);
}

static gboolean
has (SimBrowserPeer *peer, gint64 id, guint *index)
{
  guint i;

  for (i = 0; peer->loaded != NULL && i < peer->loaded->len; i++) {
    if (g_array_index (peer->loaded, gint64, i) != id)
      continue;
    *index = i;
    return TRUE;
  }

  return FALSE;
}

static void
forget_id (SimBrowserPeer *peer, gint64 id)
{
  guint index;

  if (!has (peer, id, &index))
    return;
  heard_of (peer->browser, id)->loaded--;
  g_array_remove_index_fast (peer->loaded, index);
}

gboolean
sim_peer_somebody_has (SimBrowser *browser, gint64 id)
{
  return id < browser->heard->len && heard_of (browser, id)->loaded > 0;
}

gboolean
sim_peer_somebody_loads (SimBrowser *browser, gint64 id)
{
  return id < browser->heard->len && heard_of (browser, id)->loading > 0;
}

guint
sim_peer_count (SimBrowser *browser)
{
  guint count = 0;
  guint i;

  for (i = 0; i < browser->peers->len; i++)
    count +=
        ((SimBrowserPeer *) browser->peers->pdata[i])->state == SIM_PEER_OPEN;

  return count;
}

/* --- who is asked ---------------------------------------------------------------- */

static double
rate_of (SimBrowserPeer *peer)
{
  return p2p_bandwidth_bps (&peer->rate, sim_browser_now_us (peer->browser));
}

/* What one that is not above @base counts for. */
static double
unproven_weight (GPtrArray *peers, double base)
{
  double proven = 0;
  guint unproven = 0;
  guint i;

  for (i = 0; i < peers->len; i++) {
    double rate = rate_of (peers->pdata[i]);

    if (rate <= base)
      unproven++;
    else
      proven += rate;
  }

  return unproven > 0 && proven > 0 ? MIN (base, proven / unproven) : base;
}

static SimBrowserPeer *
choose_by_rate (SimBrowser *browser, GPtrArray *peers, double best)
{
  double least = unproven_weight (peers, MAX (1, UNPROVEN_SHARE * best));
  double sum = 0, drawn;
  guint i;

  for (i = 0; i < peers->len; i++)
    sum += MAX (rate_of (peers->pdata[i]), least);
  drawn = p2p_prng_unit (&browser->prng) * sum;
  for (i = 0; i + 1 < peers->len; i++) {
    drawn -= MAX (rate_of (peers->pdata[i]), least);
    if (drawn <= 0)
      break;
  }

  return peers->pdata[i];
}

SimBrowserPeer *
sim_peer_choose (SimBrowser *browser, gint64 id)
{
  g_autoptr (GPtrArray) peers = g_ptr_array_new ();
  double best = 0;
  guint index, i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];

    if (peer->state != SIM_PEER_OPEN || peer->download != NULL
        || !has (peer, id, &index))
      continue;
    g_ptr_array_add (peers, peer);
    best = MAX (best, rate_of (peer));
  }
  if (peers->len == 0)
    return NULL;
  if (best > 0)
    return choose_by_rate (browser, peers, best);

  return peers->pdata[p2p_prng_below (&browser->prng, peers->len)];
}

/* --- sending ---------------------------------------------------------------------- */

static void
send_message (SimBrowserPeer *peer, GBytes *message)
{
  P2pTransportPort *port = peer->browser->transport;

  peer->waiting = port->ops->send (port, peer->conn, message);
}

static void
send_command (SimBrowserPeer *peer, const P2pCommand *command)
{
  g_autoptr (GPtrArray) messages =
      p2p_command_encode (command, P2P_MESSAGE_MAX_BYTES);
  guint i;

  for (i = 0; i < messages->len; i++)
    send_message (peer, messages->pdata[i]);
}

static void
say (SimBrowserPeer *peer, P2pCommandKind kind, gint64 id, gint64 request)
{
  P2pCommand command = { .kind = kind, .request_id = request };

  command.segment_id = p2p_stream_external_id (
      peer->browser->stream, peer->browser->rules->protocol, id);
  send_command (peer, &command);
}

static void
add_id (SimBrowser *browser, GArray *ids, gint64 id)
{
  gint64 external =
      p2p_stream_external_id (browser->stream, browser->rules->protocol, id);

  g_array_append_val (ids, external);
}

/* All that is stored, whether listed or not, and what the origin was asked for
 * last, even where that failed: as the sources have it. */
static GPtrArray *
encode_announcement (SimBrowser *browser)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };
  guint i;

  command.loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.loading = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (i = 0; i < browser->stored->len; i++)
    add_id (
        browser, command.loaded, ((SimStored *) browser->stored->pdata[i])->id);
  for (i = 0; i < browser->requests->len; i++) {
    SimBrowserRequest *request = browser->requests->pdata[i];

    if (!request->from_peer && sim_browser_lists (browser, request->id))
      add_id (browser, command.loading, request->id);
  }

  return p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
}

static void
send_all (SimBrowserPeer *peer, GPtrArray *messages)
{
  guint i;

  for (i = 0; i < messages->len; i++)
    send_message (peer, messages->pdata[i]);
}

void
sim_peer_announce (SimBrowser *browser)
{
  g_autoptr (GPtrArray) messages = NULL;
  guint i;

  if (browser->stream == NULL)
    return;
  messages = encode_announcement (browser);
  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];

    if (peer->state == SIM_PEER_OPEN)
      send_all (peer, messages);
  }
}

void
sim_peer_opened (SimBrowserPeer *peer)
{
  g_autoptr (GPtrArray) messages = encode_announcement (peer->browser);

  peer->state = SIM_PEER_OPEN;
  peer->opened_us = sim_browser_now_us (peer->browser);
  peer->joiner = p2p_command_joiner_new ();
  p2p_timer_clear (&peer->timer);
  send_all (peer, messages);
}

/* --- what it is asked for ---------------------------------------------------------- */

void
sim_peer_ask (SimBrowserPeer *peer, SimBrowserRequest *request)
{
  SimBrowser *browser = peer->browser;
  P2pCommand command = { .kind = P2P_COMMAND_REQUEST };

  g_assert (peer->download == NULL);
  peer->download = request;
  peer->begun = FALSE;
  peer->request = sim_browser_is_v5 (browser)
      ? (peer->request + 1) % REQUESTS_V5
      : (gint64) p2p_prng_below (&browser->prng, REQUESTS_V2);
  p2p_bandwidth_begin (&peer->rate, sim_browser_now_us (browser));
  command.segment_id = p2p_stream_external_id (
      browser->stream, browser->rules->protocol, request->id);
  command.request_id = peer->request;
  command.byte_from = request->loaded;
  send_command (peer, &command);
}

static SimBrowserRequest *
end_download (SimBrowserPeer *peer, gboolean badly)
{
  SimBrowserRequest *request = g_steal_pointer (&peer->download);

  if (request == NULL)
    return NULL;
  p2p_bandwidth_end (&peer->rate, sim_browser_now_us (peer->browser));
  if (badly)
    peer->rate = (P2pBandwidth){ 0 };

  return request;
}

void
sim_peer_cancel (SimBrowserPeer *peer, gboolean kept_waiting)
{
  say (peer, P2P_COMMAND_CANCEL, peer->download->id, peer->request);
  end_download (peer, kept_waiting);
  if (kept_waiting && ++peer->strikes >= P2P_STRIKES)
    sim_peer_close (peer);
}

/* It breaks the protocol: what it sent is worth nothing. */
static void
condemn (SimBrowserPeer *peer, const char *why)
{
  P2P_LOG_WARNING (
      P2P_AREA_PEER, peer->conn, "a page closes %s: %s", peer->id.text, why);
  if (peer->download != NULL)
    sim_request_clear (peer->download);
  sim_peer_close (peer);
}

static gboolean
is_answer (SimBrowserPeer *peer, const P2pCommand *command)
{
  return peer->download != NULL && command->request_id == peer->request
      && p2p_stream_segment_id (peer->browser->stream,
             peer->browser->rules->protocol, command->segment_id)
      == peer->download->id;
}

static void
on_data (SimBrowserPeer *peer, const P2pCommand *command)
{
  gboolean is_v5 = sim_browser_is_v5 (peer->browser);
  SimBrowserRequest *request = peer->download;

  if (request == NULL || peer->begun || !is_answer (peer, command))
    return;
  if (is_v5 && command->size == 0 && request->loaded == 0) {
    condemn (peer, "an empty segment");
    return;
  }
  peer->begun = TRUE;
  if (!is_v5)
    sim_request_touch (request);
  if (request->total == P2P_SIZE_UNKNOWN)
    request->total = command->size + (is_v5 ? request->loaded : 0);
  else if (request->total - request->loaded != (guint64) command->size)
    condemn (peer, "another length");
}

static void
on_completed (SimBrowserPeer *peer, const P2pCommand *command)
{
  SimBrowserRequest *request = peer->download;

  if (request == NULL || !peer->begun)
    return;
  if (!is_answer (peer, command) || request->loaded != request->total) {
    condemn (peer, "completed what is not complete");
    return;
  }
  end_download (peer, FALSE);
  /* All since the last success, or, in 5, in a row: both end here. */
  peer->strikes = 0;
  sim_request_succeed (request);
}

static void
on_absent (SimBrowserPeer *peer, const P2pCommand *command)
{
  gboolean is_answered = is_answer (peer, command);

  if (is_answered || sim_browser_is_v5 (peer->browser))
    forget_id (peer,
        p2p_stream_segment_id (peer->browser->stream,
            peer->browser->rules->protocol, command->segment_id));
  if (is_answered)
    sim_request_fail (end_download (peer, !sim_browser_is_v5 (peer->browser)));
}

static void
on_bytes (SimBrowserPeer *peer, GBytes *bytes)
{
  SimBrowserRequest *request = peer->download;
  gsize size = g_bytes_get_size (bytes);

  if (request == NULL || !peer->begun) {
    peer->browser->overhead_bytes += size;
    return;
  }
  if (size > request->total - request->loaded) {
    condemn (peer, "more than it said");
    return;
  }
  p2p_bandwidth_add (&peer->rate, size, sim_browser_now_us (peer->browser));
  sim_request_progress (request, bytes);
}

/* --- what it asks for ----------------------------------------------------------------- */

static void
end_upload (SimBrowserPeer *peer)
{
  g_clear_pointer (&peer->upload, g_bytes_unref);
}

static void
pump (SimBrowserPeer *peer)
{
  while (peer->upload != NULL && peer->waiting <= BUFFERED_MOST) {
    gsize rest = g_bytes_get_size (peer->upload) - peer->upload_at;
    gsize size = MIN (rest, P2P_MESSAGE_MAX_BYTES);
    g_autoptr (GBytes) bytes = NULL;

    if (rest == 0) {
      peer->browser->upload_segments++;
      end_upload (peer);
      say (peer, P2P_COMMAND_COMPLETED, peer->upload_id, peer->upload_request);
      return;
    }
    bytes = g_bytes_new_from_bytes (peer->upload, peer->upload_at, size);
    peer->upload_at += size;
    peer->browser->upload_bytes += size;
    send_message (peer, bytes);
  }
}

void
sim_peer_low_water (SimBrowserPeer *peer)
{
  peer->waiting = 0;
  pump (peer);
}

/* Of the last request only. A page does not answer for what its playlist does
 * not list, though it may announce that. */
static void
on_request (SimBrowserPeer *peer, const P2pCommand *command)
{
  SimBrowser *browser = peer->browser;
  gint64 id = p2p_stream_segment_id (
      browser->stream, browser->rules->protocol, command->segment_id);
  SimStored *stored = sim_browser_find_stored (browser, id);
  P2pCommand answer = { .kind = P2P_COMMAND_DATA,
    .segment_id = command->segment_id,
    .request_id = command->request_id };
  gsize size;

  end_upload (peer);
  if (!sim_browser_lists (browser, id))
    return;
  if (stored == NULL) {
    say (peer, P2P_COMMAND_ABSENT, id, command->request_id);
    return;
  }
  size = g_bytes_get_size (stored->bytes);
  peer->upload = g_bytes_ref (stored->bytes);
  peer->upload_at = CLAMP (command->byte_from, 0, (gint64) size);
  peer->upload_id = id;
  peer->upload_request = command->request_id;
  answer.size = size - peer->upload_at;
  send_command (peer, &answer);
  pump (peer);
}

/* --- receiving -------------------------------------------------------------------------- */

static void
on_announcement (SimBrowserPeer *peer, P2pCommand *command)
{
  SimBrowser *browser = peer->browser;

  set_heard (peer, own_ids (browser, command->loaded),
      own_ids (browser, command->loading));
  browser->pass_wanted = TRUE;
}

static void
on_command (SimBrowserPeer *peer, P2pCommand *command)
{
  switch (command->kind) {
    case P2P_COMMAND_ANNOUNCE:
      on_announcement (peer, command);
      break;
    case P2P_COMMAND_REQUEST:
      on_request (peer, command);
      break;
    case P2P_COMMAND_DATA:
      on_data (peer, command);
      break;
    case P2P_COMMAND_COMPLETED:
      on_completed (peer, command);
      break;
    case P2P_COMMAND_ABSENT:
      on_absent (peer, command);
      break;
    case P2P_COMMAND_CANCEL:
      if (peer->upload_request == command->request_id)
        end_upload (peer);
      break;
  }
}

void
sim_peer_message (SimBrowserPeer *peer, GBytes *message)
{
  g_auto (P2pCommand) command = { 0 };
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);

  if (!p2p_command_is_chunk (data, size)) {
    on_bytes (peer, message);
    return;
  }
  switch (p2p_command_joiner_push (peer->joiner, message, &command, NULL)) {
    case P2P_JOIN_MORE:
      break;
    case P2P_JOIN_DONE:
      on_command (peer, &command);
      break;
    case P2P_JOIN_ERROR:
      condemn (peer, "a command that cannot be read");
      break;
  }
}

/* --- life --------------------------------------------------------------------------------- */

void
sim_peer_free (gpointer data)
{
  SimBrowserPeer *peer = data;
  SimBrowser *browser = peer->browser;

  browser->transport->ops->close (browser->transport, peer->conn);
  set_heard (peer, NULL, NULL);
  end_upload (peer);
  p2p_timer_clear (&peer->timer);
  g_clear_pointer (&peer->joiner, p2p_command_joiner_free);
  g_free (peer->offer_id);
  g_free (peer->sdp);
  g_free (peer);
}

void
sim_peer_close (SimBrowserPeer *peer)
{
  SimBrowser *browser = peer->browser;
  SimBrowserRequest *request = end_download (peer, TRUE);

  if (request != NULL)
    sim_request_fail (request);
  g_ptr_array_remove (browser->peers, peer);
  browser->pass_wanted = TRUE;
}

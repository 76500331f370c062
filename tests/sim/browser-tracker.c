/* p2phlssrc: how a page finds its peers: bittorrent-tracker's client and
 * simple-peer in 2.3, a client of its own in 5.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/log.h"
#include "formats/trackermsg.h"
#include "sim/browser-private.h"

/* Offers in an announce; how long they stand. */
#define OFFERS 5
#define OFFER_US (50 * G_USEC_PER_SEC)

/* Until the tracker has said how often. */
#define INTERVAL_V2_US (30 * G_USEC_PER_SEC)
#define INTERVAL_V5_US (120 * G_USEC_PER_SEC)
#define INTERVAL_LEAST_US (20 * G_USEC_PER_SEC)

/* From an answer to an open channel. 5's webRtcConnectionTimeoutMs, and 5 s
 * more for who answers; in 2.3 ICE says when it has failed. */
#define OFFERER_US (15 * G_USEC_PER_SEC)
#define ANSWERER_US (20 * G_USEC_PER_SEC)
#define ICE_FAILS_US (30 * G_USEC_PER_SEC)

/* 5's p2pMaxPeers, p2pChurnMaxPeersMultiplier, p2pChurnCleanupIntervalMs,
 * p2pChurnGracePeriodMs. */
#define PEERS_V5 50
#define PEERS_MOST_V5 75
#define CHURN_US (30 * G_USEC_PER_SEC)
#define CHURN_GRACE_US (15 * G_USEC_PER_SEC)

/* A tracker that is gone is asked again after this, doubled each time. */
#define AGAIN_V2_US (10 * G_USEC_PER_SEC)
#define AGAIN_V2_MOST_US ((gint64) 3600 * G_USEC_PER_SEC)
#define AGAIN_V2_SPREAD_US (300 * G_USEC_PER_SEC)
#define AGAIN_V5_US G_USEC_PER_SEC
#define AGAIN_V5_MOST_US (30 * G_USEC_PER_SEC)
#define AGAIN_V5_SPREAD 0.2
#define DOUBLINGS_MAX 12

/* --- peers to be ----------------------------------------------------------------- */

static void
on_timer (gpointer owner, gint64 now_us)
{
  SimBrowserPeer *peer = owner;
  SimBrowser *browser = peer->browser;

  sim_browser_enter (browser);
  sim_peer_close (peer);
  sim_browser_leave (browser);
}

static SimBrowserPeer *
peer_new (SimBrowser *browser, SimPeerState state, gint64 most_us)
{
  SimBrowserPeer *peer = g_new0 (SimBrowserPeer, 1);

  peer->browser = browser;
  peer->conn = ++browser->last_number;
  peer->state = state;
  p2p_timer_init (&peer->timer, browser->node->world->queue, on_timer, peer);
  p2p_timer_set (&peer->timer, sim_browser_now_us (browser) + most_us);
  g_ptr_array_add (browser->peers, peer);

  return peer;
}

static SimBrowserPeer *
find_conn (SimBrowser *browser, guint64 conn)
{
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];

    if (peer->conn == conn)
      return peer;
  }

  return NULL;
}

static SimBrowserPeer *
find_offer (SimBrowser *browser, const char *offer_id)
{
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];

    if (peer->state == SIM_PEER_OFFERED
        && strcmp (peer->offer_id, offer_id) == 0)
      return peer;
  }

  return NULL;
}

/* Another connection to the same one, on the way or open. */
static SimBrowserPeer *
find_id (SimBrowser *browser, const char *id, const SimBrowserPeer *but)
{
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];

    if (peer != but && strcmp (peer->id.text, id) == 0)
      return peer;
  }

  return NULL;
}

/* Those that are somebody: connected, or about to be. */
static guint
count_claims (SimBrowser *browser)
{
  guint count = 0;
  guint i;

  for (i = 0; i < browser->peers->len; i++)
    count += ((SimBrowserPeer *) browser->peers->pdata[i])->id.text[0] != '\0';

  return count;
}

/* --- announcing -------------------------------------------------------------------- */

static const P2pInfoHash *
info_hash (SimBrowser *browser)
{
  return browser->rules->protocol == P2P_PROTOCOL_V3
      ? &browser->stream->info_hash_v3
      : &browser->stream->info_hash_v2;
}

static void
announce (SimBrowser *browser)
{
  g_autoptr (GArray) offers =
      g_array_new (FALSE, TRUE, sizeof (P2pTrackerOffer));
  g_autofree char *text = NULL;
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];
    P2pTrackerOffer offer = { peer->offer_id, peer->sdp };

    if (peer->state != SIM_PEER_GATHERING)
      continue;
    peer->state = SIM_PEER_OFFERED;
    g_array_append_val (offers, offer);
  }
  text = p2p_tracker_announce (info_hash (browser), &browser->id,
      browser->started ? P2P_TRACKER_EVENT_NONE : P2P_TRACKER_EVENT_STARTED,
      (P2pTrackerOffer *) offers->data, offers->len, NULL);
  browser->announcing = FALSE;
  browser->started = TRUE;
  browser->sockets->ops->send_text (browser->sockets, browser->tracker, text);
}

/* Once the last offer of a batch is made. */
static void
announce_if_ready (SimBrowser *browser)
{
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];

    if (peer->state == SIM_PEER_GATHERING && peer->sdp == NULL)
      return;
  }
  if (browser->announcing && browser->tracker_open)
    announce (browser);
}

/* bittorrent-tracker's are 20 bytes, each a character; 5's are letters and
 * figures. A NUL is left out: the simulated tracker keeps C strings. */
static char *
draw_offer_id (SimBrowser *browser)
{
  GString *id = g_string_new (NULL);
  char text[P2P_ID_LENGTH + 1];
  guint i;

  p2p_prng_alnum (&browser->prng, text, P2P_ID_LENGTH);
  for (i = 0; i < P2P_ID_LENGTH; i++)
    g_string_append_unichar (id,
        sim_browser_is_v5 (browser) ? (gunichar) text[i]
                                    : 1 + p2p_prng_below (&browser->prng, 255));

  return g_string_free (id, FALSE);
}

static void
begin_announce (SimBrowser *browser)
{
  gboolean is_full =
      sim_browser_is_v5 (browser) && count_claims (browser) >= PEERS_V5;
  guint i;

  if (browser->announcing)
    return;
  browser->announcing = TRUE;
  for (i = 0; i < OFFERS && !is_full; i++) {
    SimBrowserPeer *peer = peer_new (browser, SIM_PEER_GATHERING, OFFER_US);

    peer->offer_id = draw_offer_id (browser);
    browser->transport->ops->offer (
        browser->transport, peer->conn, "webtorrent");
  }
  announce_if_ready (browser);
}

static void
connect_to_tracker (SimBrowser *browser)
{
  browser->tracker = ++browser->last_number;
  browser->sockets->ops->open (
      browser->sockets, browser->tracker, SIM_TRACKER_URL);
}

static void
on_announce_timer (gpointer owner, gint64 now_us)
{
  SimBrowser *browser = owner;

  sim_browser_enter (browser);
  if (browser->tracker == 0) {
    connect_to_tracker (browser);
  } else {
    begin_announce (browser);
    p2p_timer_set (&browser->announce_timer, now_us + browser->interval_us);
  }
  sim_browser_leave (browser);
}

/* --- the tracker comes and goes ---------------------------------------------------- */

static void
on_open (SimBrowser *browser)
{
  browser->tracker_open = TRUE;
  browser->lost = 0;
  browser->interval_us =
      sim_browser_is_v5 (browser) ? INTERVAL_V5_US : INTERVAL_V2_US;
  p2p_timer_set (&browser->announce_timer,
      sim_browser_now_us (browser) + browser->interval_us);
  /* 5 starts anew with each connection. */
  if (sim_browser_is_v5 (browser))
    browser->started = FALSE;
  begin_announce (browser);
}

static gint64
again_us (SimBrowser *browser)
{
  guint doublings = MIN (browser->lost, DOUBLINGS_MAX);
  gint64 wait_us;

  if (!sim_browser_is_v5 (browser))
    return MIN ((gint64) AGAIN_V2_US << doublings, AGAIN_V2_MOST_US)
        + sim_draw (&browser->prng, 0, AGAIN_V2_SPREAD_US);
  wait_us = MIN ((gint64) AGAIN_V5_US << doublings, AGAIN_V5_MOST_US);

  return wait_us
      * (1 + AGAIN_V5_SPREAD * (2 * p2p_prng_unit (&browser->prng) - 1));
}

/* Nobody can answer what was offered any more. */
static void
on_closed (SimBrowser *browser)
{
  guint i;

  browser->tracker = 0;
  browser->tracker_open = FALSE;
  browser->announcing = FALSE;
  for (i = browser->peers->len; i > 0; i--) {
    SimBrowserPeer *peer = browser->peers->pdata[i - 1];

    if (peer->state <= SIM_PEER_OFFERED)
      sim_peer_close (peer);
  }
  p2p_timer_set (&browser->announce_timer,
      sim_browser_now_us (browser) + again_us (browser));
  browser->lost++;
}

/* --- offers and answers -------------------------------------------------------------- */

/* 2.3 takes any but of one that it is connected to; whichever connection opens
 * first is kept. */
static gboolean
may_take_v2 (SimBrowser *browser, const char *id)
{
  SimBrowserPeer *peer;
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    peer = browser->peers->pdata[i];
    if (peer->state == SIM_PEER_OPEN && strcmp (peer->id.text, id) == 0)
      return FALSE;
  }

  return TRUE;
}

/* 5 takes one, and of two that were offered both ways that of the lower id. */
static gboolean
may_take_v5 (SimBrowser *browser, const char *id, gboolean is_answer)
{
  SimBrowserPeer *other = find_id (browser, id, NULL);

  if (other == NULL)
    return count_claims (browser) < PEERS_MOST_V5;
  if (!is_answer || other->state != SIM_PEER_ANSWERING
      || strcmp (browser->id.text, id) >= 0)
    return FALSE;
  sim_peer_close (other);

  return TRUE;
}

static gboolean
may_take (SimBrowser *browser, const char *id, gboolean is_answer)
{
  return sim_browser_is_v5 (browser) ? may_take_v5 (browser, id, is_answer)
                                     : may_take_v2 (browser, id);
}

static void
on_offer (SimBrowser *browser, const P2pTrackerMessage *message)
{
  SimBrowserPeer *peer;

  if (!may_take (browser, message->peer_id.text, FALSE))
    return;
  peer = peer_new (browser, SIM_PEER_ANSWERING,
      sim_browser_is_v5 (browser) ? ANSWERER_US : ICE_FAILS_US);
  peer->id = message->peer_id;
  peer->offer_id = g_strdup (message->offer_id);
  browser->transport->ops->answer (
      browser->transport, peer->conn, message->sdp);
}

static void
on_answer (SimBrowser *browser, const P2pTrackerMessage *message)
{
  SimBrowserPeer *peer = find_offer (browser, message->offer_id);

  if (peer == NULL)
    return;
  if (!may_take (browser, message->peer_id.text, TRUE)) {
    sim_peer_close (peer);
    return;
  }
  peer->state = SIM_PEER_ANSWERED;
  peer->id = message->peer_id;
  p2p_timer_set (&peer->timer,
      sim_browser_now_us (browser)
          + (sim_browser_is_v5 (browser) ? OFFERER_US : ICE_FAILS_US));
  browser->transport->ops->set_answer (
      browser->transport, peer->conn, message->sdp);
}

static void
on_reply (SimBrowser *browser, const P2pTrackerMessage *message)
{
  gint64 interval_us = message->interval_s * (gint64) G_USEC_PER_SEC;

  if (sim_browser_is_v5 (browser))
    interval_us = MAX (interval_us, INTERVAL_LEAST_US);
  if (message->interval_s <= 0 || interval_us == browser->interval_us)
    return;
  browser->interval_us = interval_us;
  p2p_timer_set (
      &browser->announce_timer, sim_browser_now_us (browser) + interval_us);
}

static void
on_message (SimBrowser *browser, GBytes *frame)
{
  g_auto (P2pTrackerMessage) message = { 0 };

  if (!p2p_tracker_message_parse (frame, &message, NULL)
      || !message.has_info_hash
      || !p2p_info_hash_equal (&message.info_hash, info_hash (browser))
      || p2p_peer_id_equal (&message.peer_id, &browser->id))
    return;
  switch (message.kind) {
    case P2P_TRACKER_REPLY:
      on_reply (browser, &message);
      break;
    case P2P_TRACKER_OFFER:
      on_offer (browser, &message);
      break;
    case P2P_TRACKER_ANSWER:
      on_answer (browser, &message);
      break;
    case P2P_TRACKER_FAILURE:
    case P2P_TRACKER_IGNORED:
      break;
  }
}

gboolean
sim_browser_tracker_event (SimBrowser *browser, const P2pEvent *event)
{
  if (browser->tracker == 0 || event->id != browser->tracker)
    return FALSE;
  if (event->kind == P2P_EVENT_WS_OPEN)
    on_open (browser);
  else if (event->kind == P2P_EVENT_WS_CLOSED)
    on_closed (browser);
  else
    on_message (browser, event->bytes);

  return TRUE;
}

/* --- connections ---------------------------------------------------------------------- */

static void
on_sdp (SimBrowserPeer *peer, const char *sdp)
{
  SimBrowser *browser = peer->browser;
  g_autofree char *text = NULL;

  if (peer->state == SIM_PEER_GATHERING) {
    peer->sdp = g_strdup (sdp);
    announce_if_ready (browser);
    return;
  }
  if (!browser->tracker_open)
    return;
  text = p2p_tracker_answer (
      info_hash (browser), &browser->id, &peer->id, peer->offer_id, sdp, NULL);
  browser->sockets->ops->send_text (browser->sockets, browser->tracker, text);
}

/* Of several connections to one peer, the first that opens. */
static void
on_conn_open (SimBrowserPeer *peer)
{
  SimBrowser *browser = peer->browser;
  SimBrowserPeer *other;

  while ((other = find_id (browser, peer->id.text, peer)) != NULL)
    sim_peer_close (other);
  P2P_LOG_DEBUG (
      P2P_AREA_PEER, peer->conn, "a page is connected to %s", peer->id.text);
  sim_peer_opened (peer);
  browser->pass_wanted = TRUE;
}

gboolean
sim_browser_conn_event (SimBrowser *browser, const P2pEvent *event)
{
  SimBrowserPeer *peer = find_conn (browser, event->id);

  if (peer == NULL)
    return FALSE;
  if (event->kind == P2P_EVENT_CONN_SDP)
    on_sdp (peer, event->text);
  else if (event->kind == P2P_EVENT_CONN_OPEN)
    on_conn_open (peer);
  else if (event->kind == P2P_EVENT_CONN_CLOSED)
    sim_peer_close (peer);
  else if (event->kind == P2P_EVENT_CONN_MESSAGE)
    sim_peer_message (peer, event->bytes);
  else if (event->kind == P2P_EVENT_CONN_LOW_WATER)
    sim_peer_low_water (peer);

  return TRUE;
}

/* --- too many -------------------------------------------------------------------------- */

/* The one that 5 can spare most: idle, not new, the slowest, then the
 * oldest. */
static SimBrowserPeer *
find_spare (SimBrowser *browser)
{
  gint64 now_us = sim_browser_now_us (browser);
  SimBrowserPeer *spare = NULL;
  guint64 least = 0;
  guint i;

  for (i = 0; i < browser->peers->len; i++) {
    SimBrowserPeer *peer = browser->peers->pdata[i];
    guint64 rate = p2p_bandwidth_bps (&peer->rate, now_us);

    if (peer->state != SIM_PEER_OPEN || peer->download != NULL
        || peer->upload != NULL || now_us - peer->opened_us < CHURN_GRACE_US)
      continue;
    if (spare != NULL
        && (rate > least
            || (rate == least && peer->opened_us >= spare->opened_us)))
      continue;
    spare = peer;
    least = rate;
  }

  return spare;
}

static void
on_churn (gpointer owner, gint64 now_us)
{
  SimBrowser *browser = owner;
  SimBrowserPeer *spare;

  sim_browser_enter (browser);
  while (sim_peer_count (browser) > PEERS_V5
      && (spare = find_spare (browser)) != NULL)
    sim_peer_close (spare);
  p2p_timer_set (&browser->churn_timer, now_us + CHURN_US);
  sim_browser_leave (browser);
}

/* --- life ---------------------------------------------------------------------------------- */

void
sim_browser_init_swarm (SimBrowser *browser)
{
  P2pTimerQueue *queue = browser->node->world->queue;

  p2p_timer_init (&browser->announce_timer, queue, on_announce_timer, browser);
  p2p_timer_init (&browser->churn_timer, queue, on_churn, browser);
}

void
sim_browser_join_swarm (SimBrowser *browser)
{
  if (sim_browser_is_v5 (browser))
    p2p_timer_set (
        &browser->churn_timer, sim_browser_now_us (browser) + CHURN_US);
  connect_to_tracker (browser);
}

void
sim_browser_leave_swarm (SimBrowser *browser)
{
  p2p_timer_clear (&browser->announce_timer);
  p2p_timer_clear (&browser->churn_timer);
  while (browser->peers->len > 0)
    sim_peer_close (browser->peers->pdata[browser->peers->len - 1]);
  if (browser->tracker != 0)
    browser->sockets->ops->close (browser->sockets, browser->tracker);
  browser->tracker = 0;
  browser->tracker_open = FALSE;
}

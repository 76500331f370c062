/* p2phlssrc: one tracker: its socket, our announces, offers and answers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/tracker.md. Nothing here is a reason to stop playing.
 */
#include "engine-private.h"
#include "policy/retry.h"

/* The interval before a tracker has named its own, and its floor: P2P Media
 * Loader 5. The ceiling keeps a hostile tracker from silencing us. */
#define INTERVAL_FIRST_US (120 * G_USEC_PER_SEC)
#define INTERVAL_LEAST_US (20 * G_USEC_PER_SEC)
#define INTERVAL_MOST_US ((gint64) 60 * 60 * G_USEC_PER_SEC)

/* While peers are known that we are not connected to: the first look again,
 * doubled each time, and how often. */
#define FOLLOW_UP_US (2 * G_USEC_PER_SEC)
#define FOLLOW_UPS_MAX 5

/* Native peers sit in the swarms of both generations. The second waits this
 * long for exchanges of the first, so that nobody is offered to twice. */
#define SECOND_SWARM_US (700 * 1000)

/* From the answer to our offer to the open channel: P2P Media Loader 5's
 * webRtcConnectionTimeoutMs. */
#define OFFERER_US (15 * G_USEC_PER_SEC)

/* A connection that lasted this long was a good one. */
#define LASTED_US (30 * G_USEC_PER_SEC)

/* P2P_TRACKER_MESSAGES_PER_10S and P2P_TRACKER_BYTES_PER_10S. */
#define MESSAGES_PERIOD_US (10 * G_USEC_PER_SEC)

/* A socket that no swarm came to use. */
#define UNUSED_SOCKET_US (30 * G_USEC_PER_SEC)

/* Offers out and unanswered in one swarm. */
#define OFFERS_OUT_MAX (2 * P2P_OFFERS_PER_ANNOUNCE)

typedef enum
{
  TRACKER_WAITING, /* for the next attempt */
  TRACKER_CONNECTING,
  TRACKER_CONNECTED,
} TrackerState;

struct _P2pTracker
{
  P2pEngine *engine;
  char *url;
  TrackerState state;
  guint64 socket;
  guint failures;
  gint64 opened_us;
  gint64 messages_since_us; /* when @messages was last 0 */
  guint messages;
  gsize message_bytes;
  char *tracker_id;      /* (nullable) */
  char *error;           /* (nullable) the last one */
  GPtrArray *announcers; /* of Announcer, owned */
  P2pTimer timer;        /* next attempt to connect */
};

/* One swarm on one tracker. */
typedef struct
{
  P2pTracker *tracker;
  P2pSwarm *swarm;
  gboolean started;  /* announced on this connection */
  gboolean answered; /* the tracker has told us the counts */
  gint64 known;      /* other peers, -1: it does not say */
  gint64 interval_us;
  gint64 next_regular_us;
  guint follow_ups;
  P2pTimer timer;
} Announcer;

static void announcer_tick (gpointer owner, gint64 now_us);

/* --- sending ------------------------------------------------------------------ */

static void
send_text (P2pTracker *tracker, const char *text)
{
  P2pEngine *engine = tracker->engine;

  engine->ports.websocket->ops->send_text (
      engine->ports.websocket, tracker->socket, text);
}

static gboolean
is_pending_offer (P2pPeer *peer, Announcer *announcer)
{
  return peer->swarm == announcer->swarm && peer->tracker == announcer->tracker
      && peer->state == P2P_PEER_GATHERING;
}

/* Announces, with the offers that are ready. */
static void
announce (Announcer *announcer)
{
  P2pTracker *tracker = announcer->tracker;
  P2pShare *share = announcer->swarm->share;
  P2pEngine *engine = tracker->engine;
  g_autoptr (GArray) offers =
      g_array_new (FALSE, TRUE, sizeof (P2pTrackerOffer));
  g_autofree char *text = NULL;
  guint i;

  if (tracker->state != TRACKER_CONNECTED)
    return;
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];
    P2pTrackerOffer offer = { peer->offer_id, peer->sdp };

    if (!is_pending_offer (peer, announcer) || peer->sdp == NULL)
      continue;
    peer->state = P2P_PEER_OFFERED;
    peer->since_us = engine->now_us;
    g_array_append_val (offers, offer);
  }

  text = p2p_tracker_announce (&announcer->swarm->info_hash, &engine->peer_id,
      announcer->started ? P2P_TRACKER_EVENT_NONE : P2P_TRACKER_EVENT_STARTED,
      (P2pTrackerOffer *) offers->data, offers->len, tracker->tracker_id);
  announcer->started = TRUE;
  announcer->next_regular_us = engine->now_us + announcer->interval_us;
  /* A tracker that refuses, or says nothing, is asked again. */
  if (!announcer->answered)
    p2p_timer_set (&announcer->timer, announcer->next_regular_us);
  P2P_LOG_DEBUG (P2P_AREA_TRACKER, tracker->socket,
      "announces %s with %u offers", announcer->swarm->info_hash.text,
      offers->len);
  send_text (tracker, text);
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->state == P2P_PEER_OFFERED)
      g_clear_pointer (&peer->sdp, g_free);
  }
}

/* --- offers ---------------------------------------------------------------------- */

static guint
pending_offers (Announcer *announcer)
{
  P2pShare *share = announcer->swarm->share;
  guint pending = 0;
  guint i;

  for (i = 0; i < share->peers->len; i++)
    pending += is_pending_offer (share->peers->pdata[i], announcer);

  return pending;
}

static guint
wanted_offers (Announcer *announcer)
{
  P2pShare *share = announcer->swarm->share;
  guint connected =
      p2p_share_open_peers (share) + p2p_share_connecting_peers (share);
  guint pending = pending_offers (announcer);
  guint most = share->engine->max_peers;
  gint64 target;

  if (announcer->known >= 0)
    target = announcer->known;
  else if (announcer->follow_ups == 0
      || share->engine->now_us >= announcer->next_regular_us)
    target = connected + P2P_OFFERS_PER_ANNOUNCE;
  else
    target = 0;
  target = MIN (target, (gint64) most);

  /* Those that are still being made count: they would hold up the rest. */
  if (target <= connected + pending)
    return 0;

  /* Trackers hand them out by lot: most go to those who are connected. */
  return MIN (target - pending, P2P_OFFERS_PER_ANNOUNCE);
}

/* Offers that nobody took make room, the oldest first. */
static void
limit_offers_out (Announcer *announcer, guint room_for)
{
  P2pShare *share = announcer->swarm->share;
  guint out = 0;
  guint i;

  for (i = share->peers->len; i > 0; i--) {
    P2pPeer *peer = share->peers->pdata[i - 1];

    if (peer->swarm != announcer->swarm || peer->has_id)
      continue;
    if (++out + room_for > OFFERS_OUT_MAX && peer->state == P2P_PEER_OFFERED)
      p2p_peer_drop (peer, "a newer offer takes its place");
  }
}

static void
make_offers (Announcer *announcer, guint n)
{
  P2pEngine *engine = announcer->tracker->engine;
  guint i;

  limit_offers_out (announcer, n);
  for (i = 0; i < n; i++) {
    P2pPeer *peer =
        p2p_peer_new (announcer->swarm, announcer->tracker, P2P_PEER_GATHERING);

    peer->offer_id = g_malloc (P2P_ID_LENGTH + 1);
    p2p_prng_alnum (&engine->prng, peer->offer_id, P2P_ID_LENGTH);
    /* The label that 5.x uses; nobody checks it. */
    engine->ports.transport->ops->offer (
        engine->ports.transport, peer->conn, "webtorrent");
  }
}

static Announcer *
find_announcer (P2pTracker *tracker, const P2pSwarm *swarm)
{
  guint i;

  for (i = 0; i < tracker->announcers->len; i++) {
    Announcer *announcer = tracker->announcers->pdata[i];

    if (announcer->swarm == swarm)
      return announcer;
  }

  return NULL;
}

void
p2p_tracker_offer_settled (P2pTracker *tracker, P2pSwarm *swarm)
{
  P2pShare *share = swarm->share;
  Announcer *announcer;
  guint i;

  if (tracker == NULL)
    return;
  announcer = find_announcer (tracker, swarm);
  if (announcer == NULL)
    return;
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (is_pending_offer (peer, announcer) && peer->sdp == NULL)
      return;
  }
  announce (announcer);
}

void
p2p_tracker_answer_ready (P2pPeer *peer, const char *sdp)
{
  P2pEngine *engine = peer->share->engine;
  P2pTracker *tracker = peer->tracker;
  g_autofree char *text = NULL;

  if (tracker == NULL || tracker->state != TRACKER_CONNECTED)
    return;
  text = p2p_tracker_answer (&peer->swarm->info_hash, &engine->peer_id,
      &peer->id, peer->offer_id, sdp, tracker->tracker_id);
  send_text (tracker, text);
}

/* --- schedule ----------------------------------------------------------------------- */

static void
arm (Announcer *announcer)
{
  P2pEngine *engine = announcer->tracker->engine;
  gint64 next_us = announcer->next_regular_us;

  if (announcer->follow_ups < FOLLOW_UPS_MAX && announcer->known != 0)
    next_us =
        MIN (next_us, engine->now_us + (FOLLOW_UP_US << announcer->follow_ups));
  p2p_timer_set (&announcer->timer, next_us);
}

static void
announcer_tick (gpointer owner, gint64 now_us)
{
  Announcer *announcer = owner;
  guint offers;

  if (announcer->tracker->state != TRACKER_CONNECTED || !announcer->started)
    return;
  offers = wanted_offers (announcer);
  if (offers > 0)
    make_offers (announcer, offers); /* announces when they are ready */
  else if (now_us >= announcer->next_regular_us)
    announce (announcer);
  if (now_us >= announcer->next_regular_us)
    announcer->next_regular_us = now_us + announcer->interval_us;
  announcer->follow_ups++;
  arm (announcer);
}

static void
first_tick (Announcer *announcer)
{
  P2pTracker *tracker = announcer->tracker;
  P2pShare *share = announcer->swarm->share;
  gint64 now_us = tracker->engine->now_us;

  if (announcer->swarm != &share->swarms[0])
    p2p_timer_set (&announcer->timer, now_us + SECOND_SWARM_US);
  else
    announcer_tick (announcer, now_us);
}

static void
announcer_free (gpointer data)
{
  Announcer *announcer = data;

  p2p_timer_clear (&announcer->timer);
  g_free (announcer);
}

static void
add_announcer (P2pTracker *tracker, P2pSwarm *swarm)
{
  Announcer *announcer = g_new0 (Announcer, 1);

  announcer->tracker = tracker;
  announcer->swarm = swarm;
  announcer->known = -1;
  announcer->interval_us = INTERVAL_FIRST_US;
  p2p_timer_init (
      &announcer->timer, tracker->engine->timers, announcer_tick, announcer);
  g_ptr_array_add (tracker->announcers, announcer);
  if (tracker->state == TRACKER_CONNECTED)
    announce (announcer);
}

void
p2p_tracker_peer_lost (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  guint i, k;

  for (i = 0; i < engine->trackers->len; i++) {
    P2pTracker *tracker = engine->trackers->pdata[i];

    for (k = 0; k < tracker->announcers->len; k++) {
      Announcer *announcer = tracker->announcers->pdata[k];

      if (announcer->swarm->share != share)
        continue;
      announcer->follow_ups = MAX (announcer->follow_ups, 2) - 1;
      arm (announcer);
    }
  }
}

/* --- the socket ------------------------------------------------------------------------- */

static void
connect_tracker (P2pTracker *tracker)
{
  P2pEngine *engine = tracker->engine;

  tracker->state = TRACKER_CONNECTING;
  tracker->socket = p2p_engine_number (engine);
  g_hash_table_insert (engine->sockets, &tracker->socket, tracker);
  engine->ports.websocket->ops->open (
      engine->ports.websocket, tracker->socket, tracker->url);
}

static void
on_reconnect (gpointer owner, gint64 now_us)
{
  connect_tracker (owner);
}

static void
disconnect_tracker (P2pTracker *tracker)
{
  P2pEngine *engine = tracker->engine;

  if (tracker->state != TRACKER_WAITING) {
    g_hash_table_remove (engine->sockets, &tracker->socket);
    engine->ports.websocket->ops->close (
        engine->ports.websocket, tracker->socket);
  }
  tracker->state = TRACKER_WAITING;
  p2p_timer_clear (&tracker->timer);
}

void
p2p_tracker_open (P2pTracker *tracker)
{
  guint i;

  if (tracker->engine->admitted_us == 0)
    tracker->engine->admitted_us = tracker->engine->now_us;
  tracker->state = TRACKER_CONNECTED;
  tracker->opened_us = tracker->engine->now_us;
  tracker->messages_since_us = tracker->opened_us;
  tracker->messages = 0;
  tracker->message_bytes = 0;
  P2P_LOG_INFO (
      P2P_AREA_TRACKER, tracker->socket, "%s: connected", tracker->url);
  /* No offers yet: the reply tells whether there is anybody to offer to, so
   * that a lonely viewer gathers nothing. */
  for (i = 0; i < tracker->announcers->len; i++)
    announce (tracker->announcers->pdata[i]);
}

static void
set_error (P2pTracker *tracker, const char *text)
{
  g_free (tracker->error);
  tracker->error = p2p_log_escape (text, -1);
}

void
p2p_tracker_closed (P2pTracker *tracker, const char *reason)
{
  P2pEngine *engine = tracker->engine;
  gint64 delay_us;
  guint i;

  if (tracker->state == TRACKER_CONNECTED
      && engine->now_us - tracker->opened_us >= LASTED_US)
    tracker->failures = 0;
  tracker->failures++;
  delay_us = p2p_retry_delay_us (tracker->failures, &engine->prng);
  set_error (tracker, reason);
  P2P_LOG_WARNING (P2P_AREA_TRACKER, tracker->socket,
      "%s: %s; again in %" G_GINT64_FORMAT " ms", tracker->url, tracker->error,
      delay_us / 1000);
  g_hash_table_remove (engine->sockets, &tracker->socket);
  tracker->state = TRACKER_WAITING;
  p2p_timer_set (&tracker->timer, engine->now_us + delay_us);
  for (i = 0; i < tracker->announcers->len; i++) {
    Announcer *announcer = tracker->announcers->pdata[i];

    announcer->started = FALSE;
    announcer->answered = FALSE;
    announcer->follow_ups = 0;
    p2p_timer_clear (&announcer->timer);
  }
}

/* --- what trackers say --------------------------------------------------------------------- */

static void
on_reply (Announcer *announcer, const P2pTrackerMessage *message)
{
  P2pTracker *tracker = announcer->tracker;
  gboolean first = !announcer->answered;

  announcer->answered = TRUE;
  if (message->warning == NULL)
    g_clear_pointer (&tracker->error, g_free);
  if (message->interval_s > 0) {
    announcer->interval_us =
        CLAMP (MIN (message->interval_s, 86400) * G_USEC_PER_SEC,
            INTERVAL_LEAST_US, INTERVAL_MOST_US);
    announcer->next_regular_us =
        tracker->engine->now_us + announcer->interval_us;
  }
  if (message->complete >= 0 || message->incomplete >= 0)
    announcer->known =
        MAX (MAX (message->complete, 0) + MAX (message->incomplete, 0) - 1, 0);
  P2P_LOG_DEBUG (P2P_AREA_TRACKER, tracker->socket,
      "%s: %" G_GINT64_FORMAT " others, interval %" G_GINT64_FORMAT " s",
      announcer->swarm->info_hash.text, announcer->known,
      announcer->interval_us / G_USEC_PER_SEC);
  if (announcer->known > 0)
    p2p_share_expect_peers (announcer->swarm->share);
  if (first)
    first_tick (announcer);
}

static gboolean
has_room (P2pShare *share)
{
  guint n = p2p_share_open_peers (share) + p2p_share_connecting_peers (share);

  /* Half as many again may come in: webrtc churn of P2P Media Loader 5. */
  return n < share->engine->max_peers + share->engine->max_peers / 2;
}

static void
on_offer (Announcer *announcer, const P2pTrackerMessage *message)
{
  P2pShare *share = announcer->swarm->share;
  P2pEngine *engine = share->engine;
  P2pPeer *peer;

  if (p2p_share_find_peer (share, &message->peer_id) != NULL
      || p2p_peer_is_shunned (engine, &message->peer_id) || !has_room (share)) {
    P2P_LOG_LOG (P2P_AREA_TRACKER, announcer->tracker->socket,
        "offer of %s refused", message->peer_id.text);
    return;
  }
  peer =
      p2p_peer_new (announcer->swarm, announcer->tracker, P2P_PEER_ANSWERING);
  p2p_peer_identify (peer, &message->peer_id);
  peer->offer_id = g_strdup (message->offer_id);
  p2p_share_expect_peers (share);
  engine->ports.transport->ops->answer (
      engine->ports.transport, peer->conn, message->sdp);
}

static P2pPeer *
find_offer (Announcer *announcer, const char *offer_id)
{
  P2pShare *share = announcer->swarm->share;
  guint i;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];

    if (peer->swarm == announcer->swarm && peer->state == P2P_PEER_OFFERED
        && strcmp (peer->offer_id, offer_id) == 0)
      return peer;
  }

  return NULL;
}

static void
on_answer (Announcer *announcer, const P2pTrackerMessage *message)
{
  P2pShare *share = announcer->swarm->share;
  P2pEngine *engine = share->engine;
  P2pPeer *peer = find_offer (announcer, message->offer_id);
  P2pPeer *other = p2p_share_find_peer (share, &message->peer_id);

  if (peer == NULL)
    return;
  if (p2p_peer_is_shunned (engine, &message->peer_id)) {
    p2p_peer_drop (peer, "its answerer broke the protocol");
    return;
  }
  /* Glare: both sides keep the exchange that the lower id offered. */
  if (other != NULL) {
    if (other->state != P2P_PEER_ANSWERING
        || strcmp (engine->peer_id.text, message->peer_id.text) >= 0) {
      p2p_peer_drop (peer, "connected, or connecting, already");
      return;
    }
    p2p_peer_drop (other, "our own offer goes first");
  } else if (!has_room (share)) {
    p2p_peer_drop (peer, "enough peers");
    return;
  }

  p2p_peer_identify (peer, &message->peer_id);
  peer->state = P2P_PEER_ANSWERED;
  peer->since_us = engine->now_us;
  p2p_timer_set (&peer->timer, engine->now_us + OFFERER_US);
  engine->ports.transport->ops->set_answer (
      engine->ports.transport, peer->conn, message->sdp);
}

static void
dispatch (Announcer *announcer, const P2pTrackerMessage *message)
{
  P2pEngine *engine = announcer->tracker->engine;

  switch (message->kind) {
    case P2P_TRACKER_REPLY:
      on_reply (announcer, message);
      break;
    case P2P_TRACKER_OFFER:
      if (!p2p_peer_id_equal (&message->peer_id, &engine->peer_id))
        on_offer (announcer, message);
      break;
    case P2P_TRACKER_ANSWER:
      if (!p2p_peer_id_equal (&message->peer_id, &engine->peer_id))
        on_answer (announcer, message);
      break;
    case P2P_TRACKER_FAILURE:
    case P2P_TRACKER_IGNORED:
      break;
  }
}

static gboolean
is_flood (P2pTracker *tracker, gsize size)
{
  gint64 now_us = tracker->engine->now_us;

  if (now_us - tracker->messages_since_us > MESSAGES_PERIOD_US) {
    tracker->messages_since_us = now_us;
    tracker->messages = 0;
    tracker->message_bytes = 0;
  }
  tracker->message_bytes += size;

  return ++tracker->messages > P2P_TRACKER_MESSAGES_PER_10S
      || tracker->message_bytes > P2P_TRACKER_BYTES_PER_10S;
}

void
p2p_tracker_message (P2pTracker *tracker, GBytes *frame)
{
  P2pWebSocketPort *websocket = tracker->engine->ports.websocket;
  g_auto (P2pTrackerMessage) message = { 0 };
  g_autoptr (GError) error = NULL;
  guint i;

  if (is_flood (tracker, g_bytes_get_size (frame))) {
    websocket->ops->close (websocket, tracker->socket);
    p2p_tracker_closed (tracker, "a flood of messages");
    return;
  }
  if (!p2p_tracker_message_parse (frame, &message, &error)) {
    set_error (tracker, error->message);
    P2P_LOG_WARNING (P2P_AREA_TRACKER, tracker->socket, "%s: %s", tracker->url,
        tracker->error);
    return;
  }
  if (message.failure != NULL || message.warning != NULL) {
    set_error (tracker, message.failure ? message.failure : message.warning);
    P2P_LOG_WARNING (P2P_AREA_TRACKER, tracker->socket, "%s says: %s",
        tracker->url, tracker->error);
  }
  if (message.tracker_id != NULL) {
    g_free (tracker->tracker_id);
    tracker->tracker_id = g_strdup (message.tracker_id);
  }
  if (!message.has_info_hash)
    return;
  for (i = 0; i < tracker->announcers->len; i++) {
    Announcer *announcer = tracker->announcers->pdata[i];

    if (p2p_info_hash_equal (
            &announcer->swarm->info_hash, &message.info_hash)) {
      dispatch (announcer, &message);
      return;
    }
  }
}

/* --- which trackers ---------------------------------------------------------------------------- */

static P2pTracker *
tracker_new (P2pEngine *engine, const char *url)
{
  P2pTracker *tracker = g_new0 (P2pTracker, 1);

  tracker->engine = engine;
  tracker->url = g_strdup (url);
  tracker->announcers = g_ptr_array_new_with_free_func (announcer_free);
  p2p_timer_init (&tracker->timer, engine->timers, on_reconnect, tracker);

  return tracker;
}

static void
leave (P2pTracker *tracker, Announcer *announcer)
{
  if (tracker->state == TRACKER_CONNECTED && announcer->started) {
    g_autofree char *text = p2p_tracker_announce (&announcer->swarm->info_hash,
        &tracker->engine->peer_id, P2P_TRACKER_EVENT_STOPPED, NULL, 0,
        tracker->tracker_id);

    send_text (tracker, text);
  }
  g_ptr_array_remove (tracker->announcers, announcer);
}

static void
forget_tracker (P2pTracker *tracker)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, tracker->engine->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (((P2pPeer *) value)->tracker == tracker)
      ((P2pPeer *) value)->tracker = NULL;
  }
}

void
p2p_tracker_free (P2pTracker *tracker)
{
  while (tracker->announcers->len > 0)
    leave (tracker, tracker->announcers->pdata[0]);
  disconnect_tracker (tracker);
  forget_tracker (tracker);
  g_ptr_array_unref (tracker->announcers);
  g_free (tracker->url);
  g_free (tracker->tracker_id);
  g_free (tracker->error);
  g_free (tracker);
}

static P2pTracker *
find_tracker (P2pEngine *engine, const char *url)
{
  guint i;

  for (i = 0; i < engine->trackers->len; i++) {
    P2pTracker *tracker = engine->trackers->pdata[i];

    if (strcmp (tracker->url, url) == 0)
      return tracker;
  }

  return NULL;
}

static void
join (P2pTracker *tracker, P2pShare *share)
{
  guint k;

  for (k = 0; k < share->n_swarms; k++) {
    if (find_announcer (tracker, &share->swarms[k]) == NULL)
      add_announcer (tracker, &share->swarms[k]);
  }
}

void
p2p_tracker_connect_all (P2pEngine *engine)
{
  guint i;

  for (i = 0; engine->trackers_wanted[i] != NULL && i < P2P_TRACKERS_MAX; i++) {
    const char *url = engine->trackers_wanted[i];
    P2pTracker *tracker = find_tracker (engine, url);

    if (tracker == NULL) {
      tracker = tracker_new (engine, url);
      g_ptr_array_add (engine->trackers, tracker);
    }
    if (tracker->state == TRACKER_WAITING
        && !p2p_timer_is_armed (&tracker->timer))
      /* With the step, when the player has the playlist in its hands. */
      p2p_timer_set (&tracker->timer, engine->now_us);
  }
  p2p_timer_set_sooner (
      &engine->sweep_timer, engine->now_us + UNUSED_SOCKET_US);
}

void
p2p_tracker_disconnect_idle (P2pEngine *engine)
{
  guint i;

  for (i = 0; i < engine->trackers->len; i++) {
    P2pTracker *tracker = engine->trackers->pdata[i];

    if (tracker->announcers->len == 0)
      disconnect_tracker (tracker);
  }
}

void
p2p_tracker_join_all (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  guint i;

  p2p_tracker_connect_all (engine);
  for (i = 0; i < engine->trackers->len; i++)
    join (engine->trackers->pdata[i], share);
}

void
p2p_tracker_leave_all (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  guint i, k;

  for (i = 0; i < engine->trackers->len; i++) {
    P2pTracker *tracker = engine->trackers->pdata[i];

    for (k = 0; k < share->n_swarms; k++) {
      Announcer *announcer = find_announcer (tracker, &share->swarms[k]);

      if (announcer != NULL)
        leave (tracker, announcer);
    }
    if (tracker->announcers->len == 0)
      disconnect_tracker (tracker);
  }
}

void
p2p_tracker_configure_all (P2pEngine *engine)
{
  GHashTableIter iter;
  gpointer share;
  guint i;

  for (i = engine->trackers->len; i > 0; i--) {
    P2pTracker *tracker = engine->trackers->pdata[i - 1];

    if (!g_strv_contains (
            (const char *const *) engine->trackers_wanted, tracker->url))
      g_ptr_array_remove_index (engine->trackers, i - 1);
  }
  g_hash_table_iter_init (&iter, engine->shares);
  while (g_hash_table_iter_next (&iter, NULL, &share))
    p2p_tracker_join_all (share);
}

guint
p2p_tracker_known_peers (P2pEngine *engine, P2pShare *share)
{
  guint known = p2p_share_open_peers (share);
  guint i, k;

  for (i = 0; i < engine->trackers->len; i++) {
    P2pTracker *tracker = engine->trackers->pdata[i];

    for (k = 0; k < tracker->announcers->len; k++) {
      Announcer *announcer = tracker->announcers->pdata[k];

      if (announcer->swarm->share == share && announcer->known > 0)
        known = MAX (known, MIN (announcer->known, G_MAXUINT16));
    }
  }

  return known;
}

void
p2p_tracker_stats (P2pEngine *engine, P2pStats *stats)
{
  static const char *const states[] = {
    [TRACKER_WAITING] = "waiting",
    [TRACKER_CONNECTING] = "connecting",
    [TRACKER_CONNECTED] = "connected",
  };
  guint i;

  for (i = 0; i < engine->trackers->len; i++) {
    P2pTracker *tracker = engine->trackers->pdata[i];
    P2pTrackerStats row = {
      .url = g_strdup (tracker->url),
      .state = states[tracker->state],
      .error = g_strdup (tracker->error),
    };

    g_array_append_val (stats->trackers, row);
  }
}

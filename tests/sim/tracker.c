/* p2phlssrc: a WebTorrent tracker, and each viewer's way to it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/node.h"

#include <json-glib/json-glib.h>

/* Its answer to "when again", in seconds: npm's default over WebSockets. */
#define INTERVAL_S 120

/* What a busy machine takes to open a socket. */
#define PROCESS_US (5 * 1000)

struct _SimTracker
{
  SimWorld *world;
  P2pPrng prng;
  gboolean up;
  GHashTable *swarms; /* info hash → Swarm, owned */
  GPtrArray *sockets; /* of Socket that are connected, not owned */
};

struct _SimSocket
{
  P2pWebSocketPort port;
  SimNode *node;
  GHashTable *sockets; /* socket number → Socket, owned */
};

typedef struct
{
  SimSocket *sockets;
  guint64 number;
  gboolean open;
  P2pTimer timer; /* connected, or refused */
} Socket;

/* One peer of a swarm. */
typedef struct
{
  char *peer_id;
  Socket *socket;
} Member;

typedef struct
{
  GPtrArray *members; /* of Member, owned */
  GHashTable *by_id;  /* peer id → Member, not owned */
} Swarm;

/* A frame on its way, either direction. */
typedef struct
{
  SimPost post;
  guint64 number;
  GBytes *bytes;
} Frame;

/* Takes @text. */
static Frame *
frame_new (guint64 number, char *text)
{
  Frame *frame = g_new (Frame, 1);

  frame->number = number;
  frame->bytes = g_bytes_new_take (text, strlen (text));

  return frame;
}

static void
frame_free (gpointer data)
{
  Frame *frame = data;

  g_bytes_unref (frame->bytes);
  g_free (frame);
}

static void
member_free (gpointer data)
{
  Member *member = data;

  g_free (member->peer_id);
  g_free (member);
}

static void
swarm_free (gpointer data)
{
  Swarm *swarm = data;

  g_hash_table_unref (swarm->by_id);
  g_ptr_array_unref (swarm->members);
  g_free (swarm);
}

/* --- what the tracker says ------------------------------------------------------- */

static void
on_reached_viewer (gpointer owner, gpointer data)
{
  SimSocket *sockets = owner;
  Frame *frame = data;
  P2pEvent event = { P2P_EVENT_WS_MESSAGE, frame->number,
    .bytes = frame->bytes };

  if (g_hash_table_contains (sockets->sockets, &frame->number))
    sim_node_deliver (sockets->node, &event);
  frame_free (frame);
}

/* Takes @message. */
static void
say (Socket *socket, JsonObject *message)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  SimNode *node = socket->sockets->node;
  Frame *frame;

  json_node_take_object (root, message);
  frame = frame_new (socket->number, json_to_string (root, FALSE));
  sim_world_post (node->world, node->world->now_us + node->latency_us,
      on_reached_viewer, socket->sockets, &frame->post, frame_free);
}

static JsonObject *
message_new (const char *info_hash)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "action", "announce");
  json_object_set_string_member (message, "info_hash", info_hash);

  return message;
}

static void
reply (Socket *socket, const char *info_hash, GPtrArray *members)
{
  JsonObject *message = message_new (info_hash);

  json_object_set_int_member (message, "interval", INTERVAL_S);
  json_object_set_int_member (message, "complete", 0);
  json_object_set_int_member (message, "incomplete", members->len);
  say (socket, message);
}

static void
forward (Socket *socket, const char *info_hash, const char *from,
    const char *offer_id, const char *kind, JsonObject *description)
{
  JsonObject *message = message_new (info_hash);

  json_object_set_string_member (message, "peer_id", from);
  json_object_set_string_member (message, "offer_id", offer_id);
  json_object_set_object_member (message, kind, json_object_ref (description));
  say (socket, message);
}

/* --- what it does ------------------------------------------------------------------ */

static Member *
add_member (Swarm *swarm, const char *peer_id, Socket *socket)
{
  Member *member = g_new (Member, 1);

  *member = (Member){ g_strdup (peer_id), socket };
  g_ptr_array_add (swarm->members, member);
  g_hash_table_insert (swarm->by_id, member->peer_id, member);

  return member;
}

static void
remove_member (Swarm *swarm, Member *member)
{
  g_hash_table_remove (swarm->by_id, member->peer_id);
  g_ptr_array_remove (swarm->members, member);
}

static Swarm *
ensure_swarm (SimTracker *tracker, const char *info_hash)
{
  Swarm *swarm = g_hash_table_lookup (tracker->swarms, info_hash);

  if (swarm == NULL) {
    swarm = g_new (Swarm, 1);
    swarm->members = g_ptr_array_new_with_free_func (member_free);
    swarm->by_id = g_hash_table_new (g_str_hash, g_str_equal);
    g_hash_table_insert (tracker->swarms, g_strdup (info_hash), swarm);
  }

  return swarm;
}

/* The k-th offer goes to the k-th of the others in random order; what is over
 * is dropped. */
static void
spread_offers (SimTracker *tracker, GPtrArray *members, Member *from,
    const char *info_hash, JsonArray *offers)
{
  g_autoptr (GPtrArray) others = g_ptr_array_new ();
  guint i;

  for (i = 0; i < members->len; i++) {
    if (members->pdata[i] != from)
      g_ptr_array_add (others, members->pdata[i]);
  }
  for (i = 0; i < json_array_get_length (offers) && others->len > 0; i++) {
    JsonObject *offer = json_array_get_object_element (offers, i);
    guint k = p2p_prng_below (&tracker->prng, others->len);
    Member *to = g_ptr_array_steal_index_fast (others, k);

    forward (to->socket, info_hash, from->peer_id,
        json_object_get_string_member (offer, "offer_id"), "offer",
        json_object_get_object_member (offer, "offer"));
  }
}

static void
on_announce (SimTracker *tracker, Socket *socket, JsonObject *message)
{
  const char *info_hash = json_object_get_string_member (message, "info_hash");
  const char *peer_id = json_object_get_string_member (message, "peer_id");
  const char *event =
      json_object_get_string_member_with_default (message, "event", "");
  Swarm *swarm = ensure_swarm (tracker, info_hash);
  Member *member = g_hash_table_lookup (swarm->by_id, peer_id);

  if (json_object_has_member (message, "answer")) {
    Member *to = g_hash_table_lookup (
        swarm->by_id, json_object_get_string_member (message, "to_peer_id"));

    if (to != NULL)
      forward (to->socket, info_hash, peer_id,
          json_object_get_string_member (message, "offer_id"), "answer",
          json_object_get_object_member (message, "answer"));
    return;
  }
  if (strcmp (event, "stopped") == 0) {
    if (member != NULL)
      remove_member (swarm, member);
    member = NULL;
  } else if (member == NULL) {
    member = add_member (swarm, peer_id, socket);
  } else {
    member->socket = socket;
  }

  reply (socket, info_hash, swarm->members);
  if (member != NULL && json_object_has_member (message, "offers"))
    spread_offers (tracker, swarm->members, member, info_hash,
        json_object_get_array_member (message, "offers"));
}

static void
on_reached_tracker (gpointer owner, gpointer data)
{
  SimSocket *sockets = owner;
  Frame *frame = data;
  SimTracker *tracker = sockets->node->world->tracker;
  Socket *socket = g_hash_table_lookup (sockets->sockets, &frame->number);
  g_autoptr (JsonParser) parser = json_parser_new ();
  gsize size;
  const char *text = g_bytes_get_data (frame->bytes, &size);

  if (socket != NULL && socket->open) {
    if (json_parser_load_from_data (parser, text, size, NULL)
        && JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
      on_announce (tracker, socket,
          json_node_get_object (json_parser_get_root (parser)));
    else
      sim_world_fail (sockets->node->world, sockets->node,
          "sent the tracker what is no JSON object");
  }
  frame_free (frame);
}

/* Its peers leave all swarms. */
static void
disconnect (SimTracker *tracker, Socket *socket)
{
  GHashTableIter iter;
  gpointer value;

  if (!socket->open)
    return;
  socket->open = FALSE;
  g_ptr_array_remove (tracker->sockets, socket);
  g_hash_table_iter_init (&iter, tracker->swarms);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Swarm *swarm = value;
    guint i;

    for (i = swarm->members->len; i > 0; i--) {
      Member *member = swarm->members->pdata[i - 1];

      if (member->socket == socket)
        remove_member (swarm, member);
    }
  }
}

SimTracker *
sim_tracker_new (SimWorld *world)
{
  SimTracker *tracker = g_new0 (SimTracker, 1);

  tracker->world = world;
  tracker->up = TRUE;
  p2p_prng_init (&tracker->prng, world->config.seed * 43);
  tracker->swarms =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, swarm_free);
  tracker->sockets = g_ptr_array_new ();

  return tracker;
}

void
sim_tracker_free (SimTracker *tracker)
{
  g_hash_table_unref (tracker->swarms);
  g_ptr_array_unref (tracker->sockets);
  g_free (tracker);
}

void
sim_tracker_set_up (SimTracker *tracker, gboolean up)
{
  tracker->up = up;
  while (!up && tracker->sockets->len > 0) {
    Socket *socket = tracker->sockets->pdata[0];
    SimSocket *sockets = socket->sockets;
    P2pEvent event = { P2P_EVENT_WS_CLOSED, socket->number,
      .text = "the tracker died" };

    disconnect (tracker, socket);
    g_hash_table_remove (sockets->sockets, &event.id);
    sim_node_deliver (sockets->node, &event);
  }
}

/* --- the port ------------------------------------------------------------------------ */

static void
socket_free (gpointer data)
{
  Socket *socket = data;

  disconnect (socket->sockets->node->world->tracker, socket);
  p2p_timer_clear (&socket->timer);
  g_free (socket);
}

static void
on_connected (gpointer owner, gint64 now_us)
{
  Socket *socket = owner;
  SimSocket *sockets = socket->sockets;
  SimTracker *tracker = sockets->node->world->tracker;
  P2pEvent event = { .kind = P2P_EVENT_WS_OPEN, .id = socket->number };

  if (!tracker->up) {
    event.kind = P2P_EVENT_WS_CLOSED;
    event.text = "connection refused";
    g_hash_table_remove (sockets->sockets, &event.id);
  } else {
    socket->open = TRUE;
    g_ptr_array_add (tracker->sockets, socket);
  }
  sim_node_deliver (sockets->node, &event);
}

static void
open_socket (P2pWebSocketPort *port, guint64 number, const char *url)
{
  SimSocket *sockets = (SimSocket *) port;
  SimNode *node = sockets->node;
  Socket *socket = g_new0 (Socket, 1);

  sim_node_assert_inside (node);
  g_assert (strcmp (url, SIM_TRACKER_URL) == 0);
  g_assert (!g_hash_table_contains (sockets->sockets, &number));
  socket->sockets = sockets;
  socket->number = number;
  g_hash_table_insert (sockets->sockets, &socket->number, socket);
  p2p_timer_init (&socket->timer, node->world->queue, on_connected, socket);
  /* TCP and the upgrade: two round trips. */
  p2p_timer_set (
      &socket->timer, node->world->now_us + PROCESS_US + 4 * node->latency_us);
}

static void
send_text (P2pWebSocketPort *port, guint64 number, const char *text)
{
  SimSocket *sockets = (SimSocket *) port;
  SimNode *node = sockets->node;
  Socket *socket = g_hash_table_lookup (sockets->sockets, &number);
  Frame *frame;

  sim_node_assert_inside (node);
  if (socket == NULL || !socket->open)
    return;
  frame = frame_new (number, g_strdup (text));
  sim_world_post (node->world, node->world->now_us + node->latency_us,
      on_reached_tracker, sockets, &frame->post, frame_free);
}

static void
close_socket (P2pWebSocketPort *port, guint64 number)
{
  SimSocket *sockets = (SimSocket *) port;

  sim_node_assert_inside (sockets->node);
  g_hash_table_remove (sockets->sockets, &number);
}

static const P2pWebSocketOps ops = {
  .open = open_socket,
  .send_text = send_text,
  .close = close_socket,
};

SimSocket *
sim_socket_new (SimNode *node)
{
  SimSocket *sockets = g_new0 (SimSocket, 1);

  sockets->port.ops = &ops;
  sockets->node = node;
  sockets->sockets =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, socket_free);

  return sockets;
}

void
sim_socket_vanish (SimSocket *sockets)
{
  g_hash_table_remove_all (sockets->sockets);
}

void
sim_socket_free (SimSocket *sockets)
{
  g_hash_table_unref (sockets->sockets);
  g_free (sockets);
}

P2pWebSocketPort *
sim_socket_port (SimSocket *sockets)
{
  return &sockets->port;
}

/* p2phlssrc: data channels between viewers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/limits.h"
#include "formats/peermsg.h"
#include "sim/mix.h"
#include "sim/node.h"

#include <stdio.h>

typedef struct _Conn Conn;

/* More than a viewer has connections, so that a place is seldom shared. A power
 * of two. */
#define PLACES 256

/* Candidates of this machine and of a STUN server. */
#define GATHER_LEAST_US (10 * 1000)
#define GATHER_MOST_US (100 * 1000)

/* From the answer to the open channel, without what is on its way: libnice
 * paces its checks. */
#define ICE_US (70 * 1000)

/* Round trips in the same time: ICE, DTLS 1.2, SCTP, DCEP; the answerer sees
 * it half a trip before the offerer. */
#define HANDSHAKE_TRIPS 5

/* Consent of a dead peer expires, or SCTP gives up. */
#define NOTICE_LEAST_US (5 * G_USEC_PER_SEC)
#define NOTICE_MOST_US (30 * G_USEC_PER_SEC)

/* What SCTP buffers on the shortest path. */
#define SCTP_LEAST_BYTES (128 * 1024)

struct _SimNet
{
  P2pTransportPort port;
  SimNode *node;
  GHashTable *conns;    /* connection number → Conn, owned */
  Conn *places[PLACES]; /* (nullable) of those, the last used, by number */
  gsize low_bytes;
};

/* One end of a connection. */
struct _Conn
{
  guint refs; /* of its net, the other end, and messages on their way here */
  gboolean gone;
  SimNet *net;
  guint64 number;
  SimNet *remote; /* (nullable): not known yet */
  guint64 remote_number;
  Conn *other; /* (nullable) what @remote_number stands for, once both know */
  gboolean offers;
  gboolean open;
  P2pTimer timer; /* description ready; then channel open */
  SimFlow up;     /* of Message */
  gsize on_way;   /* bytes beyond that, which the other end does not have yet */
  SimFlow down;   /* of Message */
  gboolean was_high;
};

/* On its way to the other end. */
typedef struct
{
  SimItem item;
  Conn *to;      /* a reference */
  GBytes *bytes; /* (nullable): it closes */
} Message;

static Conn *
conn_ref (Conn *conn)
{
  conn->refs++;

  return conn;
}

static void
conn_unref (Conn *conn)
{
  if (--conn->refs == 0)
    g_free (conn);
}

/* Takes @bytes. */
static Message *
message_new (Conn *conn, GBytes *bytes)
{
  Message *message = g_new (Message, 1);

  message->to = conn_ref (conn->other);
  message->bytes = bytes;

  return message;
}

static void
message_free (gpointer data)
{
  Message *message = data;

  conn_unref (message->to);
  g_clear_pointer (&message->bytes, g_bytes_unref);
  g_free (message);
}

static gint64
path_us (Conn *conn)
{
  return conn->net->node->latency_us + conn->remote->node->latency_us;
}

static Conn *
find (SimNet *net, guint64 number)
{
  Conn **place = &net->places[number % PLACES];

  if (*place == NULL || (*place)->number != number)
    *place = g_hash_table_lookup (net->conns, &number);

  return *place;
}

/* --- messages ----------------------------------------------------------------- */

/* SCTP's own buffer: two congestion windows, which fill the path, and a bit
 * (docs/design/transport.md). */
static gsize
sctp_buffer (Conn *conn)
{
  guint64 rate_bps = conn->up.pipe->rate_bps;
  double path = (double) rate_bps / 8 * 2 * path_us (conn) / G_USEC_PER_SEC;

  if (rate_bps == 0)
    return P2P_SCTP_BUFFER_BYTES;

  return MIN (2 * path + SCTP_LEAST_BYTES, P2P_SCTP_BUFFER_BYTES);
}

/* What the channel holds beyond that. SCTP keeps what the other end has not
 * acknowledged, and a line that is thinner there than here holds it up. */
static gsize
waiting (Conn *conn)
{
  gsize buffer = sctp_buffer (conn);
  gsize held = conn->up.queued + conn->on_way;

  return held > buffer ? held - buffer : 0;
}

static void
check_low (Conn *conn)
{
  P2pEvent event = { .kind = P2P_EVENT_CONN_LOW_WATER, .id = conn->number };

  if (!conn->was_high || waiting (conn) > conn->net->low_bytes)
    return;
  conn->was_high = FALSE;
  sim_node_deliver (conn->net->node, &event);
}

static void
on_arrived (gpointer owner, gpointer data)
{
  Conn *conn = owner;
  Message *message = data;
  P2pEvent event = { P2P_EVENT_CONN_MESSAGE, conn->number,
    .bytes = message->bytes };
  Conn *sender = conn_ref (conn->other);
  gsize size, wire;
  const guint8 *start = g_bytes_get_data (message->bytes, &size);

  if (!p2p_command_is_chunk (start, size))
    sim_mix_gave (conn->remote->node, conn->net->node, size);
  /* The other end may have opened it and died since. */
  if (conn->open)
    sim_node_deliver (conn->net->node, &event);
  message_free (message);
  wire = size * SIM_WIRE_FACTOR;
  sender->on_way -= wire;
  if (!sender->gone)
    check_low (sender);
  conn_unref (sender);
}

/* At the other end's line. */
static void
on_reached (gpointer owner, gpointer data)
{
  SimNet *net = owner;
  Message *message = data;
  Conn *conn = message->to;
  P2pEvent event = { P2P_EVENT_CONN_CLOSED, conn->number,
    .text = "closed by the peer" };

  if (!conn->gone && message->bytes != NULL) {
    sim_flow_push (&conn->down,
        g_bytes_get_size (message->bytes) * SIM_WIRE_FACTOR, &message->item);
    return;
  }
  if (!conn->gone) {
    g_hash_table_remove (net->conns, &conn->number);
    sim_node_deliver (net->node, &event);
  }
  message_free (message);
}

/* Takes @message. */
static void
post (Conn *conn, gint64 delay_us, Message *message)
{
  SimWorld *world = conn->net->node->world;

  sim_world_post (world, world->now_us + delay_us, on_reached, conn->remote,
      &message->item.post, message_free);
}

static void
on_sent (gpointer owner, gpointer data)
{
  Conn *conn = owner;
  Message *message = data;
  gsize size = g_bytes_get_size (message->bytes) * SIM_WIRE_FACTOR;

  conn->net->node->world->uplink_bytes += size;
  conn->on_way += size;
  post (conn, path_us (conn), message);
  check_low (conn);
}

/* --- life ----------------------------------------------------------------------- */

/* What is still on its way to it finds it gone. */
static void
conn_close (gpointer data)
{
  Conn *conn = data;

  conn->gone = TRUE;
  conn->net->places[conn->number % PLACES] = NULL;
  p2p_timer_clear (&conn->timer);
  sim_flow_clear (&conn->up);
  sim_flow_clear (&conn->down);
  g_clear_pointer (&conn->other, conn_unref);
  conn_unref (conn);
}

static void
on_gathered (gpointer owner, gint64 now_us)
{
  Conn *conn = owner;
  char sdp[160];
  P2pEvent event = { P2P_EVENT_CONN_SDP, conn->number, .text = sdp };

  g_snprintf (sdp, sizeof (sdp),
      "v=0\r\no=- %u %" G_GUINT64_FORMAT " IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
      conn->net->node->number, conn->number);
  sim_node_deliver (conn->net->node, &event);
}

static Conn *
conn_new (SimNet *net, guint64 number, gboolean offers)
{
  SimNode *node = net->node;
  Conn *conn = g_new0 (Conn, 1);

  sim_node_assert_inside (node);
  g_assert (find (net, number) == NULL);
  conn->refs = 1;
  conn->net = net;
  conn->number = number;
  conn->offers = offers;
  sim_flow_init (&conn->up, &node->up, on_sent, message_free, conn);
  sim_flow_init (&conn->down, &node->down, on_arrived, message_free, conn);
  g_hash_table_insert (net->conns, &conn->number, conn);
  p2p_timer_init (&conn->timer, node->world->queue, on_gathered, conn);
  p2p_timer_set (&conn->timer,
      node->world->now_us
          + sim_draw (&node->prng, GATHER_LEAST_US, GATHER_MOST_US));

  return conn;
}

/* Who is at the other end, by its description. */
static gboolean
read_remote (Conn *conn, const char *sdp)
{
  SimWorld *world = conn->net->node->world;
  guint64 number;
  guint node;

  if (sscanf (sdp, "v=0\r\no=- %u %" G_GUINT64_FORMAT, &node, &number) != 2
      || node >= world->nodes->len)
    return FALSE;
  conn->remote = ((SimNode *) world->nodes->pdata[node])->net;
  conn->remote_number = number;

  return TRUE;
}

static void
on_connected (gpointer owner, gint64 now_us)
{
  Conn *conn = owner;
  P2pEvent event = { .kind = P2P_EVENT_CONN_OPEN, .id = conn->number };

  /* The other end has given up, or gone. */
  if (conn->other->gone || (conn->offers && !conn->other->open))
    return;
  conn->open = TRUE;
  sim_node_deliver (conn->net->node, &event);
}

static gboolean
is_reachable (Conn *conn)
{
  const SimConfig *config = &conn->net->node->world->config;
  guint a = conn->net->node->number, b = conn->remote->node->number;
  P2pPrng prng;

  p2p_prng_init (&prng, config->seed * 41 + MIN (a, b) * 4099 + MAX (a, b));

  return p2p_prng_unit (&prng) >= config->unreachable;
}

static void
open_in (Conn *conn, gint64 delay_us)
{
  SimWorld *world = conn->net->node->world;

  p2p_timer_clear (&conn->timer);
  p2p_timer_init (&conn->timer, world->queue, on_connected, conn);
  p2p_timer_set (&conn->timer, world->now_us + delay_us);
}

/* --- the port --------------------------------------------------------------------- */

static void
configure (P2pTransportPort *port, const char *const *ice_servers)
{
}

static void
offer (P2pTransportPort *port, guint64 number, const char *label)
{
  conn_new ((SimNet *) port, number, TRUE);
}

static void
answer (P2pTransportPort *port, guint64 number, const char *sdp)
{
  Conn *conn = conn_new ((SimNet *) port, number, FALSE);

  g_assert (read_remote (conn, sdp));
}

static void
set_answer (P2pTransportPort *port, guint64 number, const char *sdp)
{
  SimNet *net = (SimNet *) port;
  Conn *conn = find (net, number);
  Conn *remote;
  gint64 trip_us;

  sim_node_assert_inside (net->node);
  g_assert (conn != NULL && conn->offers && read_remote (conn, sdp));
  remote = find (conn->remote, conn->remote_number);
  if (remote == NULL || !is_reachable (conn))
    return;
  g_assert (remote->remote == net && remote->remote_number == number);
  g_assert (conn->other == NULL && remote->other == NULL);
  conn->other = conn_ref (remote);
  remote->other = conn_ref (conn);
  trip_us = 2 * path_us (conn);
  open_in (remote, ICE_US + HANDSHAKE_TRIPS * trip_us - trip_us / 2);
  open_in (conn, ICE_US + HANDSHAKE_TRIPS * trip_us);
}

/* An empty segment must not be offered to anybody. Who offers to whom tells
 * how far wrong bytes may come. */
static void
check_served (Conn *conn, GBytes *bytes)
{
  g_autoptr (P2pCommandJoiner) joiner = NULL;
  g_auto (P2pCommand) command = { 0 };
  SimNode *node = conn->net->node;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (!p2p_command_is_chunk (data, size) || data[4] != P2P_COMMAND_DATA)
    return;
  joiner = p2p_command_joiner_new ();
  if (p2p_command_joiner_push (joiner, bytes, &command, NULL) != P2P_JOIN_DONE
      || command.size <= 0)
    sim_world_fail (node->world, node, "offers nothing as segment %d",
        (int) command.segment_id);
  if (node->world->taint != NULL)
    sim_taint_offer (node->world->taint, node->number,
        conn->remote->node->number, command.segment_id,
        sim_liar_spoils (node->liar));
}

static gsize
send_message (P2pTransportPort *port, guint64 number, GBytes *bytes)
{
  SimNet *net = (SimNet *) port;
  Conn *conn = find (net, number);
  gsize size = g_bytes_get_size (bytes);

  sim_node_assert_inside (net->node);
  g_assert (size > 0 && size <= P2P_MESSAGE_MAX_BYTES);
  if (conn == NULL || !conn->open)
    return 0;
  check_served (conn, bytes);
  sim_flow_push (&conn->up, size * SIM_WIRE_FACTOR,
      &message_new (conn, g_bytes_ref (bytes))->item);
  if (waiting (conn) > net->low_bytes)
    conn->was_high = TRUE;

  return waiting (conn);
}

static void
get_info (P2pTransportPort *port, guint64 number, P2pTransportInfo *info)
{
  Conn *conn = find ((SimNet *) port, number);

  if (conn == NULL || conn->remote == NULL)
    return;
  g_snprintf (info->remote_address, sizeof (info->remote_address), "viewer %u",
      conn->remote->node->number);
  info->rtt_us = 2 * path_us (conn);
}

static void
close_conn (P2pTransportPort *port, guint64 number)
{
  SimNet *net = (SimNet *) port;
  Conn *conn = find (net, number);

  sim_node_assert_inside (net->node);
  if (conn == NULL)
    return;
  if (conn->open)
    post (conn, path_us (conn), message_new (conn, NULL));
  g_hash_table_remove (net->conns, &number);
}

static const P2pTransportOps ops = {
  .configure = configure,
  .offer = offer,
  .answer = answer,
  .set_answer = set_answer,
  .send = send_message,
  .info = get_info,
  .close = close_conn,
};

SimNet *
sim_net_new (SimNode *node)
{
  SimNet *net = g_new0 (SimNet, 1);

  net->port.ops = &ops;
  net->node = node;
  sim_net_set_low (net, P2P_SEND_LOW_BYTES);
  net->conns =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, conn_close);

  return net;
}

gsize
sim_net_queued (SimNet *net)
{
  GHashTableIter iter;
  gpointer value;
  gsize queued = 0;

  g_hash_table_iter_init (&iter, net->conns);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    queued += ((Conn *) value)->up.queued;

  return queued;
}

void
sim_net_set_low (SimNet *net, gsize low_bytes)
{
  net->low_bytes = low_bytes;
}

void
sim_net_vanish (SimNet *net)
{
  SimNode *node = net->node;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, net->conns);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Conn *conn = value;

    if (conn->open)
      post (conn, sim_draw (&node->prng, NOTICE_LEAST_US, NOTICE_MOST_US),
          message_new (conn, NULL));
  }
  g_hash_table_remove_all (net->conns);
}

void
sim_net_free (SimNet *net)
{
  g_hash_table_unref (net->conns);
  g_free (net);
}

P2pTransportPort *
sim_net_port (SimNet *net)
{
  return &net->port;
}

/* p2phlssrc: the transport port over libnice, OpenSSL and usrsctp.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "transport.h"

#include "webrtc/hub.h"
#include "webrtc/iceservers.h"
#include "webrtc/peerconn.h"
#include "webrtc/post.h"

#include "nice/niceice.h"

#include "base/log.h"

#include <pthread.h>
#include <string.h>

/* What a message costs beside its bytes, so that empty ones are bounded. */
#define MESSAGE_OVERHEAD_BYTES 64

/* Two threads meet here. The worker side owns @links, which tells which
 * numbers are alive; the hub side owns the connections. What they say to each
 * other goes through two boxes; the counters of back-pressure, which both
 * change, are under one lock that is never held while calling out. */
typedef struct
{
  P2pTransportPort port;
  P2pPost *commands;    /* worker to hub */
  P2pPost *events;      /* hub to worker */
  pthread_mutex_t lock; /* of every link's shared part, and @stopped */
  pthread_cond_t stopping;
  gboolean stopped; /* under lock */

  /* Worker. */
  P2pEventFunc func;
  gpointer user_data;
  GHashTable *links; /* number -> Link, borrowed from the hub side */

  /* Hub. */
  GMainContext *hub;
  P2pCertificate *certificate; /* (nullable) */
  P2pIceServers *servers;
  GHashTable *hub_links; /* owned Link, as a set */
  GQueue held;           /* Command: starts that wait for ICE servers */
} Transport;

/* One connection. Made by the worker, given to the hub with the first command
 * and freed there with the last. */
typedef struct
{
  Transport *transport;
  guint64 id;
  gboolean open; /* worker */

  P2pPeerconn *peerconn; /* hub */

  /* Under the transport's lock. */
  gsize waiting;     /* bytes between send () and SCTP */
  gboolean was_high; /* above P2P_SEND_LOW_BYTES since the last event */
  gsize unread;      /* bytes between SCTP and the worker */
  gboolean paused;
  P2pTransportInfo info;
} Link;

typedef enum
{
  COMMAND_CONFIGURE,
  COMMAND_OFFER,
  COMMAND_ANSWER,
  COMMAND_SET_ANSWER,
  COMMAND_SEND,
  COMMAND_RESUME,
  COMMAND_INFO,
  COMMAND_CLOSE,
  COMMAND_STOP,
} CommandKind;

typedef struct
{
  CommandKind kind;
  Link *link;
  char *text;
  char **servers;
  GBytes *message;
} Command;

typedef struct
{
  P2pEventKind kind;
  guint64 id;
  char *text;
  GBytes *message;
} Report;

static void
command_free (gpointer data)
{
  Command *command = data;

  g_free (command->text);
  g_strfreev (command->servers);
  g_clear_pointer (&command->message, g_bytes_unref);
  g_free (command);
}

static void
report_free (gpointer data)
{
  Report *report = data;

  g_free (report->text);
  g_clear_pointer (&report->message, g_bytes_unref);
  g_free (report);
}

/* --- hub side: connections' events --------------------------------------- */

static void
report (Link *link, P2pEventKind kind, const char *text, GBytes *message)
{
  Report *item = g_new (Report, 1);

  item->kind = kind;
  item->id = link->id;
  item->text = g_strdup (text);
  item->message = message != NULL ? g_bytes_ref (message) : NULL;
  p2p_post_push (link->transport->events, item);
}

static void
peerconn_sdp (gpointer owner, const char *sdp)
{
  report (owner, P2P_EVENT_CONN_SDP, sdp, NULL);
}

static void
peerconn_open (gpointer owner)
{
  report (owner, P2P_EVENT_CONN_OPEN, NULL, NULL);
}

static void
peerconn_message (gpointer owner, GBytes *message)
{
  Link *link = owner;
  gboolean pause = FALSE;

  pthread_mutex_lock (&link->transport->lock);
  link->unread += g_bytes_get_size (message) + MESSAGE_OVERHEAD_BYTES;
  if (link->unread >= P2P_RECEIVE_HIGH_BYTES && !link->paused)
    pause = link->paused = TRUE;
  pthread_mutex_unlock (&link->transport->lock);

  /* The pause stands before the worker can see the message that would lift
   * it: its resume comes as a command, behind us. */
  if (pause)
    p2p_peerconn_set_reading (link->peerconn, FALSE);
  report (link, P2P_EVENT_CONN_MESSAGE, NULL, message);
}

static void
peerconn_sent (gpointer owner, gsize bytes)
{
  Link *link = owner;
  gboolean low = FALSE;

  pthread_mutex_lock (&link->transport->lock);
  link->waiting -= bytes;
  if (link->was_high && link->waiting <= P2P_SEND_LOW_BYTES) {
    link->was_high = FALSE;
    low = TRUE;
  }
  pthread_mutex_unlock (&link->transport->lock);

  if (low)
    report (link, P2P_EVENT_CONN_LOW_WATER, NULL, NULL);
}

static void
peerconn_closed (gpointer owner, const char *reason)
{
  report (owner, P2P_EVENT_CONN_CLOSED, reason, NULL);
}

static const P2pPeerconnEvents peerconn_events = {
  .sdp = peerconn_sdp,
  .open = peerconn_open,
  .message = peerconn_message,
  .sent = peerconn_sent,
  .closed = peerconn_closed,
};

/* --- hub side: commands -------------------------------------------------- */

static P2pPath *
make_path (gpointer user_data, gboolean controlling,
    const P2pPathEvents *events, gpointer owner)
{
  Transport *transport = user_data;
  guint n;
  const P2pIceServer *servers = p2p_ice_servers_get (transport->servers, &n);

  return p2p_nice_path_new (
      transport->hub, controlling, servers, n, events, owner);
}

/* Made with the first connection: a viewer without peers starts sooner. */
static gboolean
ensure_certificate (Transport *transport)
{
  g_autoptr (GError) error = NULL;

  if (transport->certificate == NULL)
    transport->certificate = p2p_certificate_new (&error);
  if (transport->certificate == NULL)
    P2P_LOG_WARNING (P2P_AREA_DTLS, 0, "no peers: %s", error->message);

  return transport->certificate != NULL;
}

static gboolean
make_peerconn (Transport *transport, Link *link)
{
  gboolean can_secure = ensure_certificate (transport);
  const P2pPeerconnConfig config = {
    .context = transport->hub,
    .certificate = transport->certificate,
    .make_path = make_path,
    .path_data = transport,
    .busy = p2p_hub_busy,
    .id = link->id,
  };

  if (!can_secure) {
    report (link, P2P_EVENT_CONN_CLOSED, "no certificate", NULL);
    return FALSE;
  }
  link->peerconn = p2p_peerconn_new (&config, &peerconn_events, link);

  return TRUE;
}

/* Takes the command. */
static void
start_connecting (Transport *transport, Command *command)
{
  Link *link = command->link;

  if (make_peerconn (transport, link)) {
    if (command->kind == COMMAND_OFFER)
      p2p_peerconn_offer (link->peerconn, command->text);
    else
      p2p_peerconn_answer (link->peerconn, command->text);
  }
  command_free (command);
}

static void
start_held (gpointer user_data)
{
  Transport *transport = user_data;
  Command *command;

  while ((command = g_queue_pop_head (&transport->held)) != NULL)
    start_connecting (transport, command);
}

/* Closed before it could begin. */
static void
drop_held (Transport *transport, Link *link)
{
  for (GList *l = transport->held.head; l != NULL; l = l->next) {
    Command *command = l->data;

    if (command->link == link) {
      command_free (command);
      g_queue_delete_link (&transport->held, l);
      return;
    }
  }
}

static void
link_free (gpointer data)
{
  Link *link = data;

  g_clear_pointer (&link->peerconn, p2p_peerconn_free);
  g_free (link);
}

static void
refresh_info (Link *link)
{
  P2pTransportInfo info = { 0 };

  if (link->peerconn == NULL)
    return;

  p2p_peerconn_remote_address (
      link->peerconn, info.remote_address, sizeof info.remote_address);
  info.rtt_us = p2p_peerconn_rtt_us (link->peerconn);

  pthread_mutex_lock (&link->transport->lock);
  link->info = info;
  pthread_mutex_unlock (&link->transport->lock);
}

/* The last of the hub side: afterwards only the worker knows the transport. */
static void
stop (Transport *transport)
{
  g_queue_clear_full (&transport->held, command_free);
  g_clear_pointer (&transport->hub_links, g_hash_table_unref);
  g_clear_pointer (&transport->servers, p2p_ice_servers_free);
  g_clear_pointer (&transport->certificate, p2p_certificate_free);
  p2p_post_free (transport->commands, command_free);

  pthread_mutex_lock (&transport->lock);
  transport->stopped = TRUE;
  pthread_cond_signal (&transport->stopping);
  pthread_mutex_unlock (&transport->lock);
}

static void
obey (gpointer user_data, gpointer item)
{
  Transport *transport = user_data;
  Command *command = item;
  Link *link = command->link;
  P2pPeerconn *peerconn = link != NULL ? link->peerconn : NULL;

  switch (command->kind) {
    case COMMAND_CONFIGURE:
      p2p_ice_servers_set (
          transport->servers, (const char *const *) command->servers);
      break;
    case COMMAND_OFFER:
    case COMMAND_ANSWER:
      g_hash_table_add (transport->hub_links, link);
      g_queue_push_tail (&transport->held, command);
      if (p2p_ice_servers_are_ready (transport->servers))
        start_held (transport);
      return;
    case COMMAND_SET_ANSWER:
      if (peerconn != NULL)
        p2p_peerconn_set_answer (peerconn, command->text);
      break;
    case COMMAND_SEND:
      if (peerconn != NULL)
        p2p_peerconn_send (peerconn, command->message);
      break;
    case COMMAND_RESUME:
      if (peerconn != NULL)
        p2p_peerconn_set_reading (peerconn, TRUE);
      break;
    case COMMAND_INFO:
      refresh_info (link);
      break;
    case COMMAND_CLOSE:
      drop_held (transport, link);
      g_hash_table_remove (transport->hub_links, link);
      break;
    case COMMAND_STOP:
      command_free (command);
      stop (transport);
      return;
  }
  command_free (command);
}

/* --- worker side --------------------------------------------------------- */

static Command *
order (Transport *transport, CommandKind kind, Link *link)
{
  Command *command = g_new0 (Command, 1);

  command->kind = kind;
  command->link = link;

  return command;
}

static Link *
find (Transport *transport, guint64 id)
{
  return g_hash_table_lookup (transport->links, &id);
}

static void
forget (Transport *transport, Link *link)
{
  g_hash_table_remove (transport->links, &link->id);
  p2p_post_push (transport->commands, order (transport, COMMAND_CLOSE, link));
}

/* A message is on its way to the worker's owner: it no longer fills us. */
static void
count_read (Transport *transport, Link *link, GBytes *message)
{
  gboolean resume = FALSE;

  pthread_mutex_lock (&transport->lock);
  link->unread -= g_bytes_get_size (message) + MESSAGE_OVERHEAD_BYTES;
  if (link->paused && link->unread <= P2P_RECEIVE_LOW_BYTES) {
    link->paused = FALSE;
    resume = TRUE;
  }
  pthread_mutex_unlock (&transport->lock);

  if (resume)
    p2p_post_push (
        transport->commands, order (transport, COMMAND_RESUME, link));
}

static void
deliver (gpointer user_data, gpointer item)
{
  Transport *transport = user_data;
  Report *report = item;
  Link *link = find (transport, report->id);
  P2pEvent event = { .kind = report->kind, .id = report->id };

  /* Closed meanwhile: nothing of it comes any more. */
  if (link == NULL) {
    report_free (report);
    return;
  }

  if (report->kind == P2P_EVENT_CONN_OPEN)
    link->open = TRUE;
  if (report->kind == P2P_EVENT_CONN_MESSAGE) {
    count_read (transport, link, report->message);
    event.bytes = report->message;
  } else {
    event.text = report->text;
  }
  if (report->kind == P2P_EVENT_CONN_CLOSED)
    forget (transport, link);
  transport->func (transport->user_data, &event);
  report_free (report);
}

static void
transport_configure (P2pTransportPort *port, const char *const *ice_servers)
{
  Transport *transport = (Transport *) port;
  Command *command = order (transport, COMMAND_CONFIGURE, NULL);

  command->servers = g_strdupv ((char **) ice_servers);
  p2p_post_push (transport->commands, command);
}

static void
start (P2pTransportPort *port, guint64 conn, CommandKind kind, const char *text)
{
  Transport *transport = (Transport *) port;
  Link *link = g_new0 (Link, 1);
  Command *command;

  g_assert (find (transport, conn) == NULL);

  link->transport = transport;
  link->id = conn;
  g_hash_table_insert (transport->links, &link->id, link);
  command = order (transport, kind, link);
  command->text = g_strdup (text);
  p2p_post_push (transport->commands, command);
}

static void
transport_offer (P2pTransportPort *port, guint64 conn, const char *label)
{
  start (port, conn, COMMAND_OFFER, label);
}

static void
transport_answer (P2pTransportPort *port, guint64 conn, const char *offer_sdp)
{
  start (port, conn, COMMAND_ANSWER, offer_sdp);
}

static void
transport_set_answer (
    P2pTransportPort *port, guint64 conn, const char *answer_sdp)
{
  Transport *transport = (Transport *) port;
  Link *link = find (transport, conn);
  Command *command;

  if (link == NULL)
    return;

  command = order (transport, COMMAND_SET_ANSWER, link);
  command->text = g_strdup (answer_sdp);
  p2p_post_push (transport->commands, command);
}

static gsize
transport_send (P2pTransportPort *port, guint64 conn, GBytes *message)
{
  Transport *transport = (Transport *) port;
  Link *link = find (transport, conn);
  Command *command;
  gsize waiting;

  g_assert (g_bytes_get_size (message) <= P2P_MESSAGE_ACCEPT_BYTES);

  if (link == NULL || !link->open)
    return 0;

  pthread_mutex_lock (&transport->lock);
  waiting = link->waiting += g_bytes_get_size (message);
  if (waiting > P2P_SEND_LOW_BYTES)
    link->was_high = TRUE;
  pthread_mutex_unlock (&transport->lock);

  command = order (transport, COMMAND_SEND, link);
  command->message = g_bytes_ref (message);
  p2p_post_push (transport->commands, command);

  return waiting;
}

static void
transport_info (P2pTransportPort *port, guint64 conn, P2pTransportInfo *info)
{
  Transport *transport = (Transport *) port;
  Link *link = find (transport, conn);

  memset (info, 0, sizeof *info);
  if (link == NULL)
    return;

  /* As of the last time that was asked: stats may be that old. */
  pthread_mutex_lock (&transport->lock);
  *info = link->info;
  pthread_mutex_unlock (&transport->lock);
  p2p_post_push (transport->commands, order (transport, COMMAND_INFO, link));
}

static void
transport_close (P2pTransportPort *port, guint64 conn)
{
  Transport *transport = (Transport *) port;
  Link *link = find (transport, conn);

  if (link != NULL)
    forget (transport, link);
}

static const P2pTransportOps transport_ops = {
  .configure = transport_configure,
  .offer = transport_offer,
  .answer = transport_answer,
  .set_answer = transport_set_answer,
  .send = transport_send,
  .info = transport_info,
  .close = transport_close,
};

P2pTransportPort *
p2p_webrtc_transport_new (
    GMainContext *worker, P2pEventFunc func, gpointer user_data)
{
  Transport *transport = g_new0 (Transport, 1);

  transport->port.ops = &transport_ops;
  transport->func = func;
  transport->user_data = user_data;
  pthread_mutex_init (&transport->lock, NULL);
  pthread_cond_init (&transport->stopping, NULL);
  transport->links = g_hash_table_new (g_int64_hash, g_int64_equal);
  transport->hub_links = g_hash_table_new_full (NULL, NULL, link_free, NULL);

  transport->hub = p2p_hub_acquire ();
  transport->servers =
      p2p_ice_servers_new (transport->hub, start_held, transport);
  transport->events = p2p_post_new (worker, deliver, transport);
  transport->commands = p2p_post_new (transport->hub, obey, transport);

  return &transport->port;
}

void
p2p_webrtc_transport_free (P2pTransportPort *port)
{
  Transport *transport = (Transport *) port;

  p2p_post_push (transport->commands, order (transport, COMMAND_STOP, NULL));
  pthread_mutex_lock (&transport->lock);
  while (!transport->stopped)
    pthread_cond_wait (&transport->stopping, &transport->lock);
  pthread_mutex_unlock (&transport->lock);

  p2p_hub_release ();
  p2p_post_free (transport->events, report_free);
  g_hash_table_unref (transport->links);
  pthread_cond_destroy (&transport->stopping);
  pthread_mutex_destroy (&transport->lock);
  g_free (transport);
}

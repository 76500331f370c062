/* p2phlssrc: ICE by libnice.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "niceice.h"

#include "nice/batch.h"

#include "base/log.h"

#include <gio/gio.h>
#include <nice/agent.h>
#include <nice/interfaces.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define COMPONENT 1

/* Kernel buffers of a socket: a window of SCTP comes in bursts. The kernel
 * gives what net.core.rmem_max allows. */
#define SOCKET_BUFFER_BYTES (1024 * 1024)

typedef struct
{
  P2pPath path;
  const P2pPathEvents *events;
  gpointer owner;
  GMainContext *context;
  NiceAgent *agent;
  guint stream;
  GSource *deadline;
  P2pBatch *batch;
  gboolean relayed; /* TURN servers were asked */
  gboolean gathered;
  gboolean failed;
} NicePath;

/* Waits for the end of gathering, later for the end of an iteration. */
typedef struct
{
  GSource source;
  NicePath *path;
} DeadlineSource;

static GQueue closing = G_QUEUE_INIT; /* NiceAgent, owned; the transport's */

/* --- from the agent ------------------------------------------------------ */

static void
widen_sockets (NicePath *path)
{
  g_autoptr (GPtrArray) sockets =
      nice_agent_get_sockets (path->agent, path->stream, COMPONENT);

  for (guint i = 0; sockets != NULL && i < sockets->len; i++) {
    GSocket *socket = sockets->pdata[i];

    g_socket_set_option (
        socket, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES, NULL);
    g_socket_set_option (
        socket, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES, NULL);
  }
}

static void
finish_gathering (NicePath *path)
{
  if (path->gathered)
    return;

  path->gathered = TRUE;
  widen_sockets (path);
  path->events->gathered (path->owner);
}

static void
on_gathering_done (NiceAgent *agent, guint stream, gpointer user_data)
{
  NicePath *path = user_data;

  /* Not from inside gather (): the deadline's source says it. */
  g_source_set_ready_time (path->deadline, 0);
}

static gboolean
deadline_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  /* Also when libnice is done after the deadline: a source that stays ready
   * starves all others. */
  g_source_set_ready_time (source, -1);
  finish_gathering (user_data);

  return G_SOURCE_CONTINUE;
}

static gboolean
never_called (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* Comes before the context waits: what was sent while it handled the last
 * events goes out in one piece. */
static gboolean
deadline_prepare (GSource *source, int *timeout_ms)
{
  p2p_batch_flush (((DeadlineSource *) source)->path->batch);
  *timeout_ms = -1;

  return FALSE;
}

static GSourceFuncs deadline_funcs = { .prepare = deadline_prepare,
  .dispatch = deadline_dispatch };

/* Datagrams may go straight to the socket when libnice would not wrap them,
 * as it does for relays. */
static void
aim (NicePath *path)
{
  NiceCandidate *local, *remote;
  g_autoptr (GSocket) socket =
      nice_agent_get_selected_socket (path->agent, path->stream, COMPONENT);
  struct sockaddr_storage address;

  p2p_batch_set_target (path->batch, -1, NULL, 0);
  if (socket == NULL
      || !nice_agent_get_selected_pair (
          path->agent, path->stream, COMPONENT, &local, &remote)
      || local->transport != NICE_CANDIDATE_TRANSPORT_UDP
      || g_socket_get_socket_type (socket) != G_SOCKET_TYPE_DATAGRAM)
    return;

  nice_address_copy_to_sockaddr (&remote->addr, (struct sockaddr *) &address);
  p2p_batch_set_target (path->batch, g_socket_get_fd (socket),
      (struct sockaddr *) &address,
      address.ss_family == AF_INET ? sizeof (struct sockaddr_in)
                                   : sizeof (struct sockaddr_in6));
}

static void
on_selected (NiceAgent *agent, guint stream, guint component,
    NiceCandidate *local, NiceCandidate *remote, gpointer user_data)
{
  aim (user_data);
}

static void
on_state_changed (NiceAgent *agent, guint stream, guint component, guint state,
    gpointer user_data)
{
  NicePath *path = user_data;

  P2P_LOG_DEBUG (P2P_AREA_ICE, 0, "%s",
      nice_component_state_to_string ((NiceComponentState) state));
  if (path->failed)
    return;

  aim (path);
  if (state == NICE_COMPONENT_STATE_CONNECTED
      || state == NICE_COMPONENT_STATE_READY)
    path->events->ready (path->owner);
  if (state == NICE_COMPONENT_STATE_FAILED) {
    path->failed = TRUE;
    path->events->failed (path->owner, "ICE failed");
  }
}

static void
on_packet (NiceAgent *agent, guint stream, guint component, guint length,
    char *data, gpointer user_data)
{
  NicePath *path = user_data;

  if (!path->failed)
    path->events->packet (path->owner, (const guint8 *) data, length);
}

/* --- gathering ----------------------------------------------------------- */

/* Link-local addresses reach nobody through a tracker: the other side would
 * need to know which of its links. */
static gboolean
is_usable (const char *address)
{
  return g_ascii_strncasecmp (address, "fe80:", strlen ("fe80:")) != 0
      && !g_str_has_prefix (address, "169.254.");
}

static guint
add_addresses (NicePath *path, gboolean loopback)
{
  GList *addresses = nice_interfaces_get_local_ips (loopback);
  guint n = 0;

  for (GList *l = addresses; l != NULL && n < P2P_ICE_MAX_LOCAL_ADDRESSES;
       l = l->next) {
    NiceAddress address;

    nice_address_init (&address);
    if (is_usable (l->data) && nice_address_set_from_string (&address, l->data)
        && nice_agent_add_local_address (path->agent, &address))
      n++;
  }
  g_list_free_full (addresses, g_free);

  return n;
}

static void
add_relay (NicePath *path, const P2pIceServer *server)
{
  static const NiceRelayType types[] = {
    [P2P_ICE_SERVER_TURN_UDP] = NICE_RELAY_TYPE_TURN_UDP,
    [P2P_ICE_SERVER_TURN_TCP] = NICE_RELAY_TYPE_TURN_TCP,
    [P2P_ICE_SERVER_TURN_TLS] = NICE_RELAY_TYPE_TURN_TLS,
  };

  path->relayed = TRUE;
  nice_agent_set_relay_info (path->agent, path->stream, COMPONENT,
      server->address, server->port, server->user, server->password,
      types[server->kind]);
}

/* A TURN server tells us our address by itself. libnice 0.1.21 hands what comes
 * from there to its client of TURN, which throws the answers of STUN away. */
static gboolean
is_relay_too (
    const P2pIceServer *stun, const P2pIceServer *servers, guint n_servers)
{
  for (guint i = 0; i < n_servers; i++)
    if (servers[i].kind == P2P_ICE_SERVER_TURN_UDP
        && strcmp (servers[i].address, stun->address) == 0
        && servers[i].port == stun->port)
      return TRUE;

  return FALSE;
}

static void
add_servers (NicePath *path, const P2pIceServer *servers, guint n_servers)
{
  gboolean has_stun = FALSE;

  for (guint i = 0; i < n_servers; i++) {
    const P2pIceServer *server = &servers[i];

    if (server->address[0] == '\0')
      continue;
    if (server->kind != P2P_ICE_SERVER_STUN) {
      add_relay (path, server);
    } else if (!has_stun && !is_relay_too (server, servers, n_servers)) {
      /* libnice asks one; the first that has an address. */
      g_object_set (path->agent, "stun-server", server->address,
          "stun-server-port", (guint) server->port, NULL);
      has_stun = TRUE;
    }
  }
}

static void
nice_path_gather (P2pPath *base)
{
  NicePath *path = (NicePath *) base;

  g_source_set_ready_time (
      path->deadline, g_get_monotonic_time () + P2P_GATHER_TIMEOUT_US);
  if (!nice_agent_gather_candidates (path->agent, path->stream))
    g_source_set_ready_time (path->deadline, 0);
}

/* --- candidates ---------------------------------------------------------- */

static const P2pCandidateType candidate_types[] = {
  [NICE_CANDIDATE_TYPE_HOST] = P2P_CANDIDATE_HOST,
  [NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE] = P2P_CANDIDATE_SERVER_REFLEXIVE,
  [NICE_CANDIDATE_TYPE_PEER_REFLEXIVE] = P2P_CANDIDATE_PEER_REFLEXIVE,
  [NICE_CANDIDATE_TYPE_RELAYED] = P2P_CANDIDATE_RELAYED,
};

static const NiceCandidateType nice_types[] = {
  [P2P_CANDIDATE_HOST] = NICE_CANDIDATE_TYPE_HOST,
  [P2P_CANDIDATE_SERVER_REFLEXIVE] = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE,
  [P2P_CANDIDATE_PEER_REFLEXIVE] = NICE_CANDIDATE_TYPE_PEER_REFLEXIVE,
  [P2P_CANDIDATE_RELAYED] = NICE_CANDIDATE_TYPE_RELAYED,
};

static void
put_address (const NiceAddress *address, char *text, gsize size, guint16 *port)
{
  char plain[NICE_ADDRESS_STRING_LEN];

  nice_address_to_string (address, plain);
  g_strlcpy (text, plain, size);
  *port = nice_address_get_port (address);
}

static void
put_candidate (const NiceCandidate *from, P2pCandidate *to)
{
  memset (to, 0, sizeof *to);
  g_strlcpy (to->foundation, from->foundation, sizeof to->foundation);
  to->priority = from->priority;
  to->type = candidate_types[from->type];
  put_address (&from->addr, to->address, sizeof to->address, &to->port);
  if (from->type != NICE_CANDIDATE_TYPE_HOST)
    put_address (&from->base_addr, to->related_address,
        sizeof to->related_address, &to->related_port);
}

static void
nice_path_local (P2pPath *base, P2pIceParams *params)
{
  NicePath *path = (NicePath *) base;
  GSList *candidates =
      nice_agent_get_local_candidates (path->agent, path->stream, COMPONENT);
  g_autofree char *ufrag = NULL;
  g_autofree char *pwd = NULL;

  memset (params, 0, sizeof *params);
  if (nice_agent_get_local_credentials (
          path->agent, path->stream, &ufrag, &pwd)) {
    g_strlcpy (params->ufrag, ufrag, sizeof params->ufrag);
    g_strlcpy (params->pwd, pwd, sizeof params->pwd);
  }
  for (GSList *l = candidates; l != NULL; l = l->next) {
    const NiceCandidate *candidate = l->data;

    if (candidate->transport == NICE_CANDIDATE_TRANSPORT_UDP
        && params->n_candidates < P2P_SDP_MAX_CANDIDATES)
      put_candidate (candidate, &params->candidates[params->n_candidates++]);
  }
  g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
}

static NiceCandidate *
nice_candidate_from (const NicePath *path, const P2pCandidate *from)
{
  NiceCandidate *to = nice_candidate_new (nice_types[from->type]);

  to->transport = NICE_CANDIDATE_TRANSPORT_UDP;
  to->priority = from->priority;
  to->stream_id = path->stream;
  to->component_id = COMPONENT;
  g_strlcpy (to->foundation, from->foundation, sizeof to->foundation);
  if (!nice_address_set_from_string (&to->addr, from->address)) {
    nice_candidate_free (to);
    return NULL;
  }
  nice_address_set_port (&to->addr, from->port);

  return to;
}

static void
nice_path_set_remote (P2pPath *base, const P2pIceParams *params)
{
  NicePath *path = (NicePath *) base;
  GSList *candidates = NULL;

  for (guint i = 0; i < params->n_candidates; i++) {
    NiceCandidate *candidate =
        nice_candidate_from (path, &params->candidates[i]);

    if (candidate != NULL)
      candidates = g_slist_prepend (candidates, candidate);
  }
  nice_agent_set_remote_credentials (
      path->agent, path->stream, params->ufrag, params->pwd);
  /* With none the peer still reaches us, peer-reflexive. */
  nice_agent_set_remote_candidates (
      path->agent, path->stream, COMPONENT, candidates);
  g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
}

static void
nice_path_add_remote (P2pPath *base, const P2pCandidate *candidate)
{
  NicePath *path = (NicePath *) base;
  NiceCandidate *one = nice_candidate_from (path, candidate);
  GSList candidates = { .data = one };

  if (one == NULL)
    return;

  nice_agent_set_remote_candidates (
      path->agent, path->stream, COMPONENT, &candidates);
  nice_candidate_free (one);
}

/* --- datagrams ----------------------------------------------------------- */

static gboolean
nice_path_send (P2pPath *base, const guint8 *data, gsize length)
{
  NicePath *path = (NicePath *) base;

  if (p2p_batch_has_target (path->batch)) {
    p2p_batch_add (path->batch, data, length);
    return TRUE;
  }

  return nice_agent_send (
             path->agent, path->stream, COMPONENT, length, (const char *) data)
      == (int) length;
}

static void
nice_path_remote_address (P2pPath *base, char *text, gsize size)
{
  NicePath *path = (NicePath *) base;
  NiceCandidate *local, *remote;
  char plain[NICE_ADDRESS_STRING_LEN];

  *text = '\0';
  if (!nice_agent_get_selected_pair (
          path->agent, path->stream, COMPONENT, &local, &remote))
    return;

  nice_address_to_string (&remote->addr, plain);
  g_snprintf (text, size, strchr (plain, ':') != NULL ? "[%s]:%u" : "%s:%u",
      plain, nice_address_get_port (&remote->addr));
}

static void
on_closed (GObject *agent, GAsyncResult *result, gpointer user_data)
{
  if (g_queue_remove (&closing, agent))
    g_object_unref (agent);
}

/* An allocation that is not given back stays for ten minutes, and servers
 * count them. Takes the agent. */
static void
close_agent (NiceAgent *agent, gboolean relayed)
{
  if (!relayed) {
    g_object_unref (agent);
    return;
  }
  g_queue_push_tail (&closing, agent);
  nice_agent_close_async (agent, on_closed, NULL);
}

guint
p2p_nice_n_closing (void)
{
  return g_queue_get_length (&closing);
}

void
p2p_nice_forget_closing (void)
{
  g_queue_clear_full (&closing, g_object_unref);
}

static void
nice_path_free (P2pPath *base)
{
  NicePath *path = (NicePath *) base;

  path->failed = TRUE;
  p2p_batch_flush (path->batch);
  g_source_destroy (path->deadline);
  g_source_unref (path->deadline);
  g_signal_handlers_disconnect_by_data (path->agent, path);
  nice_agent_attach_recv (
      path->agent, path->stream, COMPONENT, path->context, NULL, NULL);
  if (!path->relayed)
    nice_agent_remove_stream (path->agent, path->stream);
  close_agent (path->agent, path->relayed);
  p2p_batch_free (path->batch);
  g_main_context_unref (path->context);
  g_free (path);
}

static const P2pPathOps nice_path_ops = {
  .gather = nice_path_gather,
  .local = nice_path_local,
  .set_remote = nice_path_set_remote,
  .add_remote = nice_path_add_remote,
  .send = nice_path_send,
  .remote_address = nice_path_remote_address,
  .free = nice_path_free,
};

P2pPath *
p2p_nice_path_new (GMainContext *context, gboolean controlling,
    const P2pIceServer *servers, guint n_servers, const P2pPathEvents *events,
    gpointer owner)
{
  NicePath *path = g_new0 (NicePath, 1);

  path->path.ops = &nice_path_ops;
  path->events = events;
  path->owner = owner;
  path->context = g_main_context_ref (context);
  /* Not its consent checks (RFC 7675): libnice 0.1.21 asks every 5 s, does
   * not repeat itself and gives up after 10 s, so a single lost datagram may
   * end a connection. Signs of life are asked for by SCTP.
   *
   * Nor regular nomination: with one pair that works it waits 2 s for those
   * that do not. */
  path->agent = nice_agent_new_full (
      context, NICE_COMPATIBILITY_RFC5245, NICE_AGENT_OPTION_NONE);
  g_object_set (path->agent, "upnp", FALSE, "ice-tcp", FALSE,
      "controlling-mode", controlling, NULL);
  g_signal_connect (path->agent, "candidate-gathering-done",
      G_CALLBACK (on_gathering_done), path);
  g_signal_connect (path->agent, "component-state-changed",
      G_CALLBACK (on_state_changed), path);
  g_signal_connect (
      path->agent, "new-selected-pair-full", G_CALLBACK (on_selected), path);

  path->batch = p2p_batch_new ();
  path->deadline = g_source_new (&deadline_funcs, sizeof (DeadlineSource));
  ((DeadlineSource *) path->deadline)->path = path;
  /* Before the others, or it is not prepared while they are busy. */
  g_source_set_priority (path->deadline, G_PRIORITY_HIGH);
  g_source_set_callback (path->deadline, never_called, path, NULL);
  g_source_attach (path->deadline, context);

  path->stream = nice_agent_add_stream (path->agent, 1);
  if (add_addresses (path, FALSE) == 0)
    add_addresses (path, TRUE);
  add_servers (path, servers, n_servers);
  nice_agent_attach_recv (
      path->agent, path->stream, COMPONENT, context, on_packet, path);

  return &path->path;
}

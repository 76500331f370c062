/* p2phlssrc: one connection: a path, DTLS, SCTP and its data channel.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "peerconn.h"

#include "webrtc/dcep.h"
#include "webrtc/resolve.h"
#include "webrtc/sdp.h"

#include "openssl/dtls.h"
#include "usrsctp/assoc.h"

#include "base/log.h"

#include <string.h>

/* A remote candidate that is a name, until the system knows it. */
typedef struct
{
  P2pPeerconn *peerconn;
  P2pCandidate candidate;
  P2pResolve *resolve;
} NamedCandidate;

struct _P2pPeerconn
{
  P2pPeerconnConfig config;
  const P2pPeerconnEvents *events;
  gpointer owner;

  P2pPath *path;
  P2pDtls *dtls;
  P2pAssoc *assoc;
  GSource *deadline;

  gboolean offerer;
  gboolean dtls_client;
  char *label;          /* offerer's */
  char mid[33];         /* answerer's: the offer's */
  P2pIceParams *remote; /* until the path has it */
  NamedCandidate named[P2P_MDNS_LOOKUPS_MAX];
  guint n_named;
  guint16 remote_sctp_port;
  gsize remote_max_bytes;

  GQueue early;   /* GBytes: datagrams before the path could answer */
  GQueue waiting; /* GBytes: messages before SCTP had room */
  GByteArray *partial;
  guint16 stream;
  gint64 heard_us; /* when the last authentic packet came */
  gboolean path_ready;
  gboolean open;
  gboolean failed;
};

static void
fail (P2pPeerconn *pc, const char *reason)
{
  if (pc->failed)
    return;

  pc->failed = TRUE;
  g_source_set_ready_time (pc->deadline, -1);
  P2P_LOG_INFO (P2P_AREA_PEER, pc->config.id, "connection ends: %s", reason);
  pc->events->closed (pc->owner, reason);
}

/* The first deadline is that of connecting; later ones ask whether the peer
 * still is there. */
static gboolean
deadline_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  P2pPeerconn *pc = user_data;
  gint64 silent_at_us = pc->heard_us + P2P_SILENCE_TIMEOUT_US;

  g_source_set_ready_time (source, -1);
  if (!pc->open)
    fail (pc, "connecting took too long");
  else if (g_get_monotonic_time () >= silent_at_us)
    fail (pc, "nothing heard of the peer any more");
  else
    g_source_set_ready_time (source, silent_at_us);

  return G_SOURCE_CONTINUE;
}

static gboolean
never_called (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs deadline_funcs = { .dispatch = deadline_dispatch };

/* --- the channel --------------------------------------------------------- */

static void
become_open (P2pPeerconn *pc, guint16 stream)
{
  pc->stream = stream;
  pc->open = TRUE;
  g_source_set_ready_time (pc->deadline, pc->heard_us + P2P_SILENCE_TIMEOUT_US);
  P2P_LOG_INFO (P2P_AREA_PEER, pc->config.id, "channel open, stream %u as %s",
      stream, pc->offerer ? "offerer" : "answerer");
  pc->events->open (pc->owner);
}

static gboolean
send_dcep (P2pPeerconn *pc, guint16 stream, GBytes *message)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);

  if (p2p_assoc_send (pc->assoc, stream, P2P_PPID_DCEP, data, length))
    return TRUE;

  fail (pc, "the channel's opening was not sent");
  return FALSE;
}

/* Only the first channel counts, and only the offerer opens one: what else a
 * peer opens is never written to or read. */
static void
handle_dcep (P2pPeerconn *pc, guint16 stream, GBytes *message)
{
  g_autoptr (GBytes) ack = NULL;

  if (p2p_dcep_parse (message) != P2P_DCEP_OPEN || pc->offerer || pc->open)
    return;

  if (stream >= P2P_SCTP_STREAMS) {
    fail (pc, "channel on a stream we have not");
    return;
  }
  ack = p2p_dcep_ack ();
  if (send_dcep (pc, stream, ack))
    become_open (pc, stream);
}

static void
handle_partial (P2pPeerconn *pc, GBytes *message)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);

  if (pc->partial == NULL)
    pc->partial = g_byte_array_new ();
  if (pc->partial->len + length > P2P_MESSAGE_ACCEPT_BYTES)
    fail (pc, "message longer than we promised to take");
  else
    g_byte_array_append (pc->partial, data, length);
}

static void
handle_whole (P2pPeerconn *pc, GBytes *message)
{
  g_autoptr (GBytes) joined = NULL;

  if (pc->partial == NULL) {
    pc->events->message (pc->owner, message);
    return;
  }

  handle_partial (pc, message);
  joined = g_byte_array_free_to_bytes (g_steal_pointer (&pc->partial));
  if (!pc->failed)
    pc->events->message (pc->owner, joined);
}

static void
assoc_message (gpointer owner, guint16 stream, guint32 ppid, GBytes *message)
{
  P2pPeerconn *pc = owner;
  g_autoptr (GBytes) empty = NULL;

  if (pc->failed)
    return;
  if (ppid == P2P_PPID_DCEP) {
    handle_dcep (pc, stream, message);
    return;
  }
  if (!pc->open || stream != pc->stream)
    return;

  switch ((P2pPpid) ppid) {
    case P2P_PPID_STRING:
    case P2P_PPID_BINARY:
      handle_whole (pc, message);
      break;
    case P2P_PPID_STRING_PARTIAL:
    case P2P_PPID_BINARY_PARTIAL:
      handle_partial (pc, message);
      break;
    case P2P_PPID_STRING_EMPTY:
    case P2P_PPID_BINARY_EMPTY:
      empty = g_bytes_new_static ("", 0);
      handle_whole (pc, empty);
      break;
    case P2P_PPID_DCEP:
      break;
  }
}

static gboolean
send_message (P2pPeerconn *pc, GBytes *message)
{
  static const guint8 zero = 0;
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);

  /* SCTP has no empty messages (RFC 8831, 6.6). */
  if (length == 0)
    return p2p_assoc_send (
        pc->assoc, pc->stream, P2P_PPID_BINARY_EMPTY, &zero, 1);

  return p2p_assoc_send (pc->assoc, pc->stream, P2P_PPID_BINARY, data, length);
}

static void
pump (P2pPeerconn *pc)
{
  GBytes *message;
  gsize sent = 0;

  while (!pc->failed && (message = g_queue_peek_head (&pc->waiting)) != NULL
      && send_message (pc, message)) {
    sent += g_bytes_get_size (message);
    g_bytes_unref (g_queue_pop_head (&pc->waiting));
  }
  if (sent > 0 && !pc->failed)
    pc->events->sent (pc->owner, sent);
}

/* --- SCTP ---------------------------------------------------------------- */

static void
assoc_output (gpointer owner, const guint8 *packet, gsize length)
{
  P2pPeerconn *pc = owner;

  p2p_dtls_send (pc->dtls, packet, length);
}

static void
assoc_up (gpointer owner)
{
  P2pPeerconn *pc = owner;
  guint16 stream = pc->dtls_client ? 0 : 1; /* RFC 8832, 6 */
  g_autoptr (GBytes) message = NULL;

  if (pc->failed || !pc->offerer)
    return;

  /* What follows the opening is in order behind it, so there is no need to
   * wait for its acknowledgement; browsers do not either. */
  message = p2p_dcep_open (pc->label);
  if (send_dcep (pc, stream, message))
    become_open (pc, stream);
}

static void
assoc_writable (gpointer owner)
{
  pump (owner);
}

static void
assoc_stream_reset (gpointer owner, guint16 stream)
{
  P2pPeerconn *pc = owner;

  if (pc->open && stream == pc->stream)
    fail (pc, "channel closed by the peer");
}

static void
assoc_down (gpointer owner, const char *reason)
{
  fail (owner, reason);
}

static const P2pAssocEvents assoc_events = {
  .output = assoc_output,
  .up = assoc_up,
  .message = assoc_message,
  .writable = assoc_writable,
  .stream_reset = assoc_stream_reset,
  .down = assoc_down,
};

/* --- DTLS ---------------------------------------------------------------- */

static void
dtls_output (gpointer owner, const guint8 *data, gsize length)
{
  P2pPeerconn *pc = owner;

  pc->path->ops->send (pc->path, data, length);
}

static void
dtls_up (gpointer owner)
{
  P2pPeerconn *pc = owner;
  g_autoptr (GError) error = NULL;

  pc->heard_us = g_get_monotonic_time ();
  pc->config.busy ();
  pc->assoc = p2p_assoc_new (pc->remote_sctp_port,
      p2p_dtls_payload_max (pc->dtls), &assoc_events, pc, &error);
  if (pc->assoc == NULL || !p2p_assoc_connect (pc->assoc, &error))
    fail (pc, error->message);
}

static void
dtls_data (gpointer owner, const guint8 *data, gsize length)
{
  P2pPeerconn *pc = owner;

  if (pc->assoc == NULL || pc->failed)
    return;

  pc->heard_us = g_get_monotonic_time ();
  if (!p2p_sctp_is_heartbeat (data, length))
    pc->config.busy ();
  p2p_assoc_input (pc->assoc, data, length);
}

static void
dtls_down (gpointer owner, const char *reason)
{
  fail (owner, reason);
}

static const P2pDtlsEvents dtls_events = {
  .output = dtls_output,
  .up = dtls_up,
  .data = dtls_data,
  .down = dtls_down,
};

/* --- ICE ----------------------------------------------------------------- */

static void
on_name (gpointer user_data, const char *address)
{
  NamedCandidate *named = user_data;
  P2pPeerconn *pc = named->peerconn;

  P2P_LOG_DEBUG (P2P_AREA_ICE, pc->config.id, "%s is %s",
      named->candidate.address, address != NULL ? address : "nowhere");
  if (address == NULL || pc->failed)
    return;

  g_strlcpy (
      named->candidate.address, address, sizeof named->candidate.address);
  pc->path->ops->add_remote (pc->path, &named->candidate);
}

/* Browsers hide their addresses behind names of multicast DNS. Where the
 * system does not know them (or is not asked, being busy with others) the
 * peer has to reach us. */
static void
resolve_names (P2pPeerconn *pc, const P2pIceParams *remote)
{
  for (guint i = 0; i < remote->n_candidates; i++) {
    const P2pCandidate *candidate = &remote->candidates[i];
    NamedCandidate *named = &pc->named[pc->n_named];

    if (!g_str_has_suffix (candidate->address, ".local"))
      continue;
    if (pc->n_named == P2P_MDNS_LOOKUPS_MAX
        || p2p_resolve_n_pending () >= P2P_MDNS_PENDING_MAX)
      break;

    pc->n_named++;
    named->peerconn = pc;
    named->candidate = *candidate;
    named->resolve = p2p_resolve_new (
        pc->config.context, candidate->address, on_name, named);
  }
}

static void
start_checks (P2pPeerconn *pc)
{
  g_autofree P2pIceParams *remote = g_steal_pointer (&pc->remote);

  g_source_set_ready_time (
      pc->deadline, g_get_monotonic_time () + P2P_CONNECT_TIMEOUT_US);
  pc->path->ops->set_remote (pc->path, remote);
  resolve_names (pc, remote);
}

static char *
describe (P2pPeerconn *pc)
{
  g_autofree P2pSdp *sdp = g_new0 (P2pSdp, 1);
  guint64 session_id = (guint64) g_random_int () << 31 | g_random_int ();

  pc->path->ops->local (pc->path, &sdp->ice);
  g_strlcpy (sdp->mid, pc->mid, sizeof sdp->mid);
  sdp->sctp_port = 5000;
  sdp->max_message_bytes = P2P_MESSAGE_ACCEPT_BYTES;
  sdp->setup = pc->offerer ? P2P_SETUP_ACTPASS
      : pc->dtls_client    ? P2P_SETUP_ACTIVE
                           : P2P_SETUP_PASSIVE;

  return p2p_sdp_write (
      sdp, p2p_certificate_fingerprint (pc->config.certificate), session_id);
}

static void
path_gathered (gpointer owner)
{
  P2pPeerconn *pc = owner;
  g_autofree char *sdp = NULL;

  if (pc->failed)
    return;

  sdp = describe (pc);
  pc->events->sdp (pc->owner, sdp);
  if (!pc->offerer)
    start_checks (pc);
}

static void
path_ready (gpointer owner)
{
  P2pPeerconn *pc = owner;
  GBytes *early;

  if (pc->failed || pc->path_ready || pc->dtls == NULL)
    return;

  pc->path_ready = TRUE;
  p2p_dtls_start (pc->dtls);
  while ((early = g_queue_pop_head (&pc->early)) != NULL) {
    gsize length;
    const guint8 *data = g_bytes_get_data (early, &length);

    if (!pc->failed)
      p2p_dtls_input (pc->dtls, data, length);
    g_bytes_unref (early);
  }
}

static void
path_packet (gpointer owner, const guint8 *data, gsize length)
{
  P2pPeerconn *pc = owner;

  if (pc->failed)
    return;

  if (pc->path_ready)
    p2p_dtls_input (pc->dtls, data, length);
  else if (g_queue_get_length (&pc->early) < P2P_EARLY_PACKETS_MAX)
    g_queue_push_tail (&pc->early, g_bytes_new (data, length));
}

static void
path_failed (gpointer owner, const char *reason)
{
  fail (owner, reason);
}

static const P2pPathEvents path_events = {
  .gathered = path_gathered,
  .ready = path_ready,
  .packet = path_packet,
  .failed = path_failed,
};

static void
start_path (P2pPeerconn *pc)
{
  pc->path = pc->config.make_path (
      pc->config.path_data, pc->offerer, &path_events, pc);
  pc->path->ops->gather (pc->path);
}

/* --- descriptions -------------------------------------------------------- */

/* Who opens DTLS: an offer of actpass leaves it to the answerer, who takes
 * it, as RFC 8842 recommends. */
static gboolean
choose_role (P2pPeerconn *pc, P2pSetup remote)
{
  if (pc->offerer && remote == P2P_SETUP_ACTPASS)
    return FALSE;

  pc->dtls_client = remote != P2P_SETUP_ACTIVE;

  return TRUE;
}

static gboolean
take_remote (P2pPeerconn *pc, const char *text)
{
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);
  g_autoptr (GError) error = NULL;

  if (!p2p_sdp_parse (text, sdp, &error)) {
    fail (pc, error->message);
    return FALSE;
  }
  if (!choose_role (pc, sdp->setup)) {
    fail (pc, "an answer has to choose its DTLS role");
    return FALSE;
  }

  g_strlcpy (pc->mid, sdp->mid, sizeof pc->mid);
  pc->remote = g_memdup2 (&sdp->ice, sizeof sdp->ice);
  pc->remote_sctp_port = sdp->sctp_port;
  pc->remote_max_bytes = sdp->max_message_bytes;
  pc->dtls =
      p2p_dtls_new (pc->config.certificate, pc->config.context, pc->dtls_client,
          sdp->fingerprints, sdp->n_fingerprints, &dtls_events, pc);

  return TRUE;
}

void
p2p_peerconn_offer (P2pPeerconn *pc, const char *label)
{
  g_assert (pc->path == NULL);

  pc->offerer = TRUE;
  pc->label = g_strdup (label);
  start_path (pc);
}

void
p2p_peerconn_answer (P2pPeerconn *pc, const char *offer)
{
  g_assert (pc->path == NULL);

  if (take_remote (pc, offer))
    start_path (pc);
}

void
p2p_peerconn_set_answer (P2pPeerconn *pc, const char *answer)
{
  if (pc->failed)
    return;

  if (!pc->offerer || pc->dtls != NULL)
    fail (pc, "an answer to no offer");
  else if (take_remote (pc, answer))
    start_checks (pc);
}

/* --- the rest ------------------------------------------------------------ */

void
p2p_peerconn_send (P2pPeerconn *pc, GBytes *message)
{
  if (pc->failed || !pc->open)
    return;

  if (g_bytes_get_size (message) > pc->remote_max_bytes) {
    fail (pc, "message longer than the peer takes");
    return;
  }
  pc->config.busy ();
  g_queue_push_tail (&pc->waiting, g_bytes_ref (message));
  if (g_queue_get_length (&pc->waiting) == 1)
    pump (pc);
}

void
p2p_peerconn_set_reading (P2pPeerconn *pc, gboolean reading)
{
  if (pc->assoc != NULL && !pc->failed)
    p2p_assoc_set_reading (pc->assoc, reading);
}

gint64
p2p_peerconn_rtt_us (P2pPeerconn *pc)
{
  return pc->assoc != NULL ? p2p_assoc_rtt_us (pc->assoc) : 0;
}

void
p2p_peerconn_remote_address (P2pPeerconn *pc, char *text, gsize size)
{
  *text = '\0';
  if (pc->path != NULL)
    pc->path->ops->remote_address (pc->path, text, size);
}

P2pPeerconn *
p2p_peerconn_new (const P2pPeerconnConfig *config,
    const P2pPeerconnEvents *events, gpointer owner)
{
  P2pPeerconn *pc = g_new0 (P2pPeerconn, 1);

  pc->config = *config;
  pc->events = events;
  pc->owner = owner;
  g_strlcpy (pc->mid, "0", sizeof pc->mid);
  g_queue_init (&pc->early);
  g_queue_init (&pc->waiting);
  pc->deadline = g_source_new (&deadline_funcs, sizeof (GSource));
  g_source_set_callback (pc->deadline, never_called, pc, NULL);
  g_source_attach (pc->deadline, config->context);

  return pc;
}

void
p2p_peerconn_free (P2pPeerconn *pc)
{
  pc->failed = TRUE; /* what follows is our own doing */
  g_source_destroy (pc->deadline);
  g_source_unref (pc->deadline);

  for (guint i = 0; i < pc->n_named; i++)
    p2p_resolve_free (pc->named[i].resolve);
  g_clear_pointer (&pc->assoc, p2p_assoc_free);
  if (pc->dtls != NULL)
    p2p_dtls_close (pc->dtls);
  g_clear_pointer (&pc->dtls, p2p_dtls_free);
  if (pc->path != NULL)
    pc->path->ops->free (pc->path);

  g_queue_clear_full (&pc->early, (GDestroyNotify) g_bytes_unref);
  g_queue_clear_full (&pc->waiting, (GDestroyNotify) g_bytes_unref);
  g_clear_pointer (&pc->partial, g_byte_array_unref);
  g_free (pc->remote);
  g_free (pc->label);
  g_free (pc);
}

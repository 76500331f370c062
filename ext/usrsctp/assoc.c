/* p2phlssrc: SCTP associations.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "assoc.h"

#include "base/error.h"
#include "base/log.h"

#include "crc32c.h"

#include <usrsctp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL_PORT 5000 /* the port our descriptions promise */
#define COMMON_HEADER_BYTES 12
#define PACKET_MIN (COMMON_HEADER_BYTES + 4) /* with one chunk's header */
#define CHECKSUM_OFFSET 8
#define CHUNK_HEARTBEAT 4 /* RFC 9260, 3.2 */
#define CHUNK_HEARTBEAT_ACK 5

/* Message buffers begin with this size and double. */
#define MESSAGE_FIRST_BYTES (64 * 1024)

/* SCTP's send buffer: what it has beyond the window, so that whole messages
 * fit while others leave, and how often it is fitted. */
#define BUFFER_MORE_BYTES (128 * 1024)
#define FIT_INTERVAL_US (50 * 1000)

struct _P2pAssoc
{
  const P2pAssocEvents *events;
  gpointer owner;
  guintptr token; /* what usrsctp knows us by */
  struct socket *socket;
  guint16 remote_port;

  guint8 *message; /* being put together */
  gsize message_length;
  gsize message_size;

  int buffer_bytes; /* of SCTP's send buffer */
  gint64 fit_at_us; /* when it is looked at again */

  gboolean pending; /* in the stack's list of those to look at */
  gboolean reading;
  gboolean wants_room;
  gboolean down;
};

/* The process's stack. A token is never used twice, so what usrsctp still
 * says about an association that is gone finds nobody. */
static struct
{
  GHashTable *assocs; /* token -> P2pAssoc, borrowed */
  GQueue pending;     /* P2pAssoc, borrowed */
  guintptr last_token;
  GThread *owner;
} stack;

#define ASSERT_OWNER() g_assert (stack.owner == g_thread_self ())

/* --- from usrsctp -------------------------------------------------------- */

static int
output (void *address, void *buffer, size_t length, guint8 tos, guint8 set_df)
{
  P2pAssoc *assoc = g_hash_table_lookup (stack.assocs, address);
  guint32 checksum;

  if (assoc == NULL || length < PACKET_MIN)
    return 0;

  /* The stack leaves the checksum to us: it counts a byte at a time. */
  memset ((guint8 *) buffer + CHECKSUM_OFFSET, 0, sizeof checksum);
  checksum = GUINT32_TO_LE (p2p_crc32c (buffer, length));
  memcpy ((guint8 *) buffer + CHECKSUM_OFFSET, &checksum, sizeof checksum);
  assoc->events->output (assoc->owner, buffer, length);

  return 0;
}

/* Comes from inside the stack with its locks held: only remembered. */
static void
upcall (struct socket *socket, void *token, int flags)
{
  P2pAssoc *assoc = g_hash_table_lookup (stack.assocs, token);

  if (assoc == NULL || assoc->pending)
    return;

  assoc->pending = TRUE;
  g_queue_push_tail (&stack.pending, assoc);
}

static void
debug_print (const char *format, ...)
{
}

/* --- what has come ------------------------------------------------------- */

static void
go_down (P2pAssoc *assoc, const char *reason)
{
  if (assoc->down)
    return;

  assoc->down = TRUE;
  assoc->events->down (assoc->owner, reason);
}

static void
handle_assoc_change (P2pAssoc *assoc, const struct sctp_assoc_change *change)
{
  switch (change->sac_state) {
    case SCTP_COMM_UP:
      P2P_LOG_DEBUG (P2P_AREA_SCTP, assoc->token, "up, %u streams out, %u in",
          change->sac_outbound_streams, change->sac_inbound_streams);
      assoc->events->up (assoc->owner);
      break;
    case SCTP_COMM_LOST:
      go_down (assoc, "SCTP association lost or aborted");
      break;
    case SCTP_SHUTDOWN_COMP:
      go_down (assoc, "SCTP association shut down by the peer");
      break;
    case SCTP_CANT_STR_ASSOC:
      go_down (assoc, "SCTP association cannot be made");
      break;
    case SCTP_RESTART:
      go_down (assoc, "SCTP association restarted by the peer");
      break;
    default:
      break;
  }
}

static void
handle_stream_reset (
    P2pAssoc *assoc, const struct sctp_stream_reset_event *event, gsize length)
{
  gsize n = (length - sizeof *event) / sizeof event->strreset_stream_list[0];

  if (!(event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN))
    return;

  /* None named means all (RFC 6525, 4.1). */
  if (n == 0)
    for (guint16 i = 0; i < P2P_SCTP_STREAMS; i++)
      assoc->events->stream_reset (assoc->owner, i);
  for (gsize i = 0; i < n; i++)
    assoc->events->stream_reset (assoc->owner, event->strreset_stream_list[i]);
}

static void
handle_notification (P2pAssoc *assoc, const guint8 *data, gsize length)
{
  const union sctp_notification *notification = (const void *) data;

  if (length < sizeof notification->sn_header)
    return;

  if (notification->sn_header.sn_type == SCTP_ASSOC_CHANGE
      && length >= sizeof notification->sn_assoc_change)
    handle_assoc_change (assoc, &notification->sn_assoc_change);
  else if (notification->sn_header.sn_type == SCTP_STREAM_RESET_EVENT
      && length >= sizeof notification->sn_strreset_event)
    handle_stream_reset (assoc, &notification->sn_strreset_event, length);
  else if (notification->sn_header.sn_type == SCTP_SHUTDOWN_EVENT)
    go_down (assoc, "SCTP association shut down by the peer");
}

/* Gives the buffer away when it is about full, copies out of it when most of
 * it would be wasted. */
static GBytes *
take_message (P2pAssoc *assoc)
{
  gsize length = assoc->message_length;

  assoc->message_length = 0;
  if (length < assoc->message_size / 4 * 3)
    return g_bytes_new (assoc->message, length);

  assoc->message_size = 0;
  return g_bytes_new_take (g_steal_pointer (&assoc->message), length);
}

static gboolean
make_room (P2pAssoc *assoc)
{
  gsize size = assoc->message_size;

  if (assoc->message_length < size)
    return TRUE;
  if (size > P2P_MESSAGE_ACCEPT_BYTES)
    return FALSE;

  assoc->message_size = size == 0 ? MESSAGE_FIRST_BYTES : size * 2;
  /* One byte beyond the limit shows that it was exceeded. */
  assoc->message_size = MIN (assoc->message_size, P2P_MESSAGE_ACCEPT_BYTES + 1);
  assoc->message = g_realloc (assoc->message, assoc->message_size);

  return TRUE;
}

static void
handle_piece (
    P2pAssoc *assoc, gsize length, const struct sctp_rcvinfo *info, int flags)
{
  g_autoptr (GBytes) message = NULL;

  assoc->message_length += length;
  if (assoc->message_length > P2P_MESSAGE_ACCEPT_BYTES) {
    go_down (assoc, "message longer than we promised to take");
    return;
  }
  if (!(flags & MSG_EOR))
    return;

  message = take_message (assoc);
  assoc->events->message (
      assoc->owner, info->rcv_sid, ntohl (info->rcv_ppid), message);
}

/* Reads one piece. Returns: whether there may be more. */
static gboolean
read_piece (P2pAssoc *assoc)
{
  struct sctp_rcvinfo info = { 0 };
  socklen_t info_length = sizeof info, from_length = 0;
  guint info_type = 0;
  int flags = 0;
  gssize length;

  if (!make_room (assoc)) {
    go_down (assoc, "message longer than we promised to take");
    return FALSE;
  }
  length = usrsctp_recvv (assoc->socket, assoc->message + assoc->message_length,
      assoc->message_size - assoc->message_length, NULL, &from_length, &info,
      &info_length, &info_type, &flags);
  if (length < 0 && errno == EWOULDBLOCK)
    return FALSE;
  if (length <= 0) {
    go_down (assoc, "SCTP association ended");
    return FALSE;
  }
  if (flags & MSG_NOTIFICATION)
    handle_notification (assoc, assoc->message + assoc->message_length, length);
  else
    handle_piece (assoc, length, &info, flags);

  return TRUE;
}

static void
look_at (P2pAssoc *assoc)
{
  while (assoc->reading && !assoc->down && read_piece (assoc)) {
  }

  if (assoc->wants_room && !assoc->down
      && (usrsctp_get_events (assoc->socket) & SCTP_EVENT_WRITE)) {
    assoc->wants_room = FALSE;
    assoc->events->writable (assoc->owner);
  }
}

static void
look_at_pending (void)
{
  P2pAssoc *assoc;

  while ((assoc = g_queue_pop_head (&stack.pending)) != NULL) {
    assoc->pending = FALSE;
    look_at (assoc);
  }
}

/* --- the stack ----------------------------------------------------------- */

static void
configure (void)
{
  usrsctp_enable_crc32c_offload ();
  usrsctp_sysctl_set_sctp_sendspace (P2P_SCTP_BUFFER_BYTES);
  usrsctp_sysctl_set_sctp_recvspace (P2P_SCTP_BUFFER_BYTES);
  usrsctp_sysctl_set_sctp_max_chunks_on_queue (16 * 1024);

  /* Nothing of the internet's SCTP that WebRTC does not use. */
  usrsctp_sysctl_set_sctp_ecn_enable (0);
  usrsctp_sysctl_set_sctp_asconf_enable (0);
  usrsctp_sysctl_set_sctp_auto_asconf (0);
  usrsctp_sysctl_set_sctp_auth_enable (0);
  usrsctp_sysctl_set_sctp_blackhole (2);

  /* Ten packets to begin with, as TCP (RFC 6928). */
  usrsctp_sysctl_set_sctp_initial_cwnd (10);
  usrsctp_sysctl_set_sctp_max_burst_default (10);
  usrsctp_sysctl_set_sctp_delayed_sack_time_default (20);
  usrsctp_sysctl_set_sctp_rto_initial_default (1000);
  usrsctp_sysctl_set_sctp_rto_min_default (200);
  usrsctp_sysctl_set_sctp_rto_max_default (10 * 1000);
  usrsctp_sysctl_set_sctp_init_rto_max_default (5 * 1000);
  usrsctp_sysctl_set_sctp_heartbeat_interval_default (P2P_HEARTBEAT_MS);
  usrsctp_sysctl_set_sctp_assoc_rtx_max_default (7);
  usrsctp_sysctl_set_sctp_path_rtx_max_default (7);
}

void
p2p_sctp_begin (void)
{
  static gsize initialised;

  /* Once per process: the stack cannot always be taken down (an association
   * in its last timer keeps it), and starting it twice is undefined. */
  if (g_once_init_enter (&initialised)) {
    usrsctp_init_nothreads (0, output, debug_print);
    configure ();
    g_once_init_leave (&initialised, 1);
  }
  g_assert (stack.owner == NULL);
  stack.owner = g_thread_self ();
  stack.assocs = g_hash_table_new (NULL, NULL);
  g_queue_init (&stack.pending);
}

void
p2p_sctp_end (void)
{
  ASSERT_OWNER ();
  g_assert (g_hash_table_size (stack.assocs) == 0);

  g_clear_pointer (&stack.assocs, g_hash_table_unref);
  stack.owner = NULL;
}

void
p2p_sctp_advance (guint elapsed_ms)
{
  ASSERT_OWNER ();

  usrsctp_handle_timers (elapsed_ms);
  look_at_pending ();
}

/* --- one association ----------------------------------------------------- */

static gboolean
set_option (P2pAssoc *assoc, int name, const void *value, gsize size)
{
  return usrsctp_setsockopt (assoc->socket, IPPROTO_SCTP, name, value, size)
      == 0;
}

static gboolean
subscribe (P2pAssoc *assoc)
{
  static const guint16 types[] = { SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT,
    SCTP_SHUTDOWN_EVENT };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    struct sctp_event event = {
      .se_assoc_id = SCTP_ALL_ASSOC, .se_type = types[i], .se_on = 1
    };

    if (!set_option (assoc, SCTP_EVENT, &event, sizeof event))
      return FALSE;
  }

  return TRUE;
}

static gboolean
set_options (P2pAssoc *assoc)
{
  const struct linger abort_on_close = { .l_onoff = 1, .l_linger = 0 };
  const struct sctp_assoc_value reset = { .assoc_id = SCTP_ALL_ASSOC,
    .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ };
  const struct sctp_initmsg init = { .sinit_num_ostreams = P2P_SCTP_STREAMS,
    .sinit_max_instreams = P2P_SCTP_STREAMS };
  const int on = 1;

  return usrsctp_set_non_blocking (assoc->socket, 1) == 0
      && usrsctp_setsockopt (assoc->socket, SOL_SOCKET, SO_LINGER,
             &abort_on_close, sizeof abort_on_close)
      == 0
      && set_option (assoc, SCTP_ENABLE_STREAM_RESET, &reset, sizeof reset)
      && set_option (assoc, SCTP_INITMSG, &init, sizeof init)
      && set_option (assoc, SCTP_NODELAY, &on, sizeof on)
      && set_option (assoc, SCTP_RECVRCVINFO, &on, sizeof on)
      && subscribe (assoc);
}

static struct sockaddr_conn
address_of (P2pAssoc *assoc, guint16 port)
{
  return (struct sockaddr_conn){ .sconn_family = AF_CONN,
    .sconn_port = htons (port),
    .sconn_addr = (void *) assoc->token };
}

/* usrsctp takes the common header for a part of the layer below. */
static gboolean
set_packet_max (P2pAssoc *assoc, gsize packet_max)
{
  struct sctp_paddrparams params = { .spp_assoc_id = SCTP_ALL_ASSOC,
    .spp_flags = SPP_PMTUD_DISABLE,
    .spp_pathmtu = (packet_max - COMMON_HEADER_BYTES) & ~(gsize) 3 };

  return set_option (assoc, SCTP_PEER_ADDR_PARAMS, &params, sizeof params);
}

P2pAssoc *
p2p_assoc_new (guint16 remote_port, gsize packet_max,
    const P2pAssocEvents *events, gpointer owner, GError **error)
{
  P2pAssoc *assoc = g_new0 (P2pAssoc, 1);
  struct sockaddr_conn local;

  ASSERT_OWNER ();

  assoc->events = events;
  assoc->owner = owner;
  assoc->token = ++stack.last_token;
  assoc->remote_port = remote_port;
  assoc->reading = TRUE;
  g_hash_table_insert (stack.assocs, (gpointer) assoc->token, assoc);
  usrsctp_register_address ((void *) assoc->token);

  local = address_of (assoc, LOCAL_PORT);
  assoc->socket =
      usrsctp_socket (AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
  if (assoc->socket == NULL || !set_options (assoc)
      || usrsctp_bind (assoc->socket, (struct sockaddr *) &local, sizeof local)
          != 0
      || !set_packet_max (assoc, packet_max)) {
    g_set_error (error, P2P_TRANSPORT_ERROR, P2P_TRANSPORT_ERROR_FAILED,
        "usrsctp makes no association: %s", g_strerror (errno));
    p2p_assoc_free (assoc);
    return NULL;
  }
  usrsctp_set_upcall (assoc->socket, upcall, (void *) assoc->token);

  return assoc;
}

void
p2p_assoc_free (P2pAssoc *assoc)
{
  ASSERT_OWNER ();

  assoc->down = TRUE;
  if (assoc->socket != NULL)
    usrsctp_close (assoc->socket);
  usrsctp_deregister_address ((void *) assoc->token);
  g_hash_table_remove (stack.assocs, (gpointer) assoc->token);
  if (assoc->pending)
    g_queue_remove (&stack.pending, assoc);
  g_free (assoc->message);
  g_free (assoc);
}

gboolean
p2p_assoc_connect (P2pAssoc *assoc, GError **error)
{
  struct sockaddr_conn remote = address_of (assoc, assoc->remote_port);

  ASSERT_OWNER ();

  if (usrsctp_connect (
          assoc->socket, (struct sockaddr *) &remote, sizeof remote)
          == 0
      || errno == EINPROGRESS)
    return TRUE;

  g_set_error (error, P2P_TRANSPORT_ERROR, P2P_TRANSPORT_ERROR_FAILED,
      "usrsctp does not connect: %s", g_strerror (errno));
  return FALSE;
}

void
p2p_assoc_input (P2pAssoc *assoc, const guint8 *packet, gsize length)
{
  ASSERT_OWNER ();

  if (assoc->down || length < PACKET_MIN)
    return;

  usrsctp_conninput ((void *) assoc->token, packet, length, 0);
  look_at_pending ();
}

/* What waits in SCTP cannot be taken back when a peer no longer wants it, so
 * there is no more of it than keeps the path full: two congestion windows,
 * as the kernel does for TCP. */
static void
fit_buffer (P2pAssoc *assoc, gsize length)
{
  gint64 now_us = g_get_monotonic_time ();
  struct sctp_status status = { 0 };
  socklen_t size = sizeof status;
  int bytes;

  if (now_us < assoc->fit_at_us && (int) length <= assoc->buffer_bytes)
    return;
  if (usrsctp_getsockopt (
          assoc->socket, IPPROTO_SCTP, SCTP_STATUS, &status, &size)
      != 0)
    return;

  bytes = MIN (2 * (gsize) status.sstat_primary.spinfo_cwnd
          + MAX (BUFFER_MORE_BYTES, length),
      P2P_SCTP_BUFFER_BYTES);
  assoc->fit_at_us = now_us + FIT_INTERVAL_US;
  if (bytes == assoc->buffer_bytes)
    return;
  assoc->buffer_bytes = bytes;
  usrsctp_setsockopt (
      assoc->socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

gboolean
p2p_sctp_is_heartbeat (const guint8 *packet, gsize length)
{
  return length >= PACKET_MIN
      && (packet[COMMON_HEADER_BYTES] == CHUNK_HEARTBEAT
          || packet[COMMON_HEADER_BYTES] == CHUNK_HEARTBEAT_ACK);
}

gboolean
p2p_assoc_send (P2pAssoc *assoc, guint16 stream, guint32 ppid,
    const guint8 *data, gsize length)
{
  struct sctp_sndinfo info = { .snd_sid = stream, .snd_ppid = htonl (ppid) };

  ASSERT_OWNER ();
  g_assert (length > 0 && length <= P2P_SCTP_BUFFER_BYTES);

  if (assoc->down)
    return FALSE;

  fit_buffer (assoc, length);
  if (usrsctp_sendv (assoc->socket, data, length, NULL, 0, &info, sizeof info,
          SCTP_SENDV_SNDINFO, 0)
      >= 0)
    return TRUE;

  if (errno == EWOULDBLOCK || errno == EAGAIN)
    assoc->wants_room = TRUE;
  else
    go_down (assoc, "SCTP does not send");
  return FALSE;
}

void
p2p_assoc_set_reading (P2pAssoc *assoc, gboolean reading)
{
  ASSERT_OWNER ();

  assoc->reading = reading;
  if (reading)
    look_at (assoc);
}

gint64
p2p_assoc_rtt_us (P2pAssoc *assoc)
{
  struct sctp_status status = { 0 };
  socklen_t length = sizeof status;

  ASSERT_OWNER ();

  if (assoc->down
      || usrsctp_getsockopt (
             assoc->socket, IPPROTO_SCTP, SCTP_STATUS, &status, &length)
          != 0)
    return 0;

  return (gint64) status.sstat_primary.spinfo_srtt * 1000;
}

/* p2phlssrc: two transports of one process, over this machine's addresses.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "webrtc/transport.h"

#include "base/limits.h"

#include <arpa/inet.h>
#include <glib-unix.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define GIVE_UP_US (20 * G_USEC_PER_SEC)
/* libnice 0.1.21 asks a server for 4 s. */
#define LIBNICE_GIVES_UP_US (6 * G_USEC_PER_SEC)

typedef struct
{
  P2pTransportPort *port;
  guint64 conn;
  char *sdp;
  gboolean open;
  char *closed;
  GPtrArray *messages; /* GBytes */
  guint64 received_bytes;
  guint low_waters;
} End;

typedef struct
{
  GMainContext *context;
  End a, b;
} Pair;

static void
on_event (gpointer user_data, const P2pEvent *event)
{
  End *end = user_data;

  g_assert_cmpuint (event->id, ==, end->conn);
  switch (event->kind) {
    case P2P_EVENT_CONN_SDP:
      g_assert_null (end->sdp);
      end->sdp = g_strdup (event->text);
      break;
    case P2P_EVENT_CONN_OPEN:
      g_assert_false (end->open);
      end->open = TRUE;
      break;
    case P2P_EVENT_CONN_MESSAGE:
      g_assert_true (end->open);
      end->received_bytes += g_bytes_get_size (event->bytes);
      g_ptr_array_add (end->messages, g_bytes_ref (event->bytes));
      break;
    case P2P_EVENT_CONN_LOW_WATER:
      end->low_waters++;
      break;
    case P2P_EVENT_CONN_CLOSED:
      g_assert_null (end->closed);
      end->closed = g_strdup (event->text);
      break;
    case P2P_EVENT_REQUEST:
    case P2P_EVENT_REQUEST_CANCEL:
    case P2P_EVENT_REQUEST_DRAINED:
    case P2P_EVENT_REQUEST_STYLE:
    case P2P_EVENT_HTTP_HEADERS:
    case P2P_EVENT_HTTP_DATA:
    case P2P_EVENT_HTTP_DONE:
    case P2P_EVENT_HTTP_FAILED:
    case P2P_EVENT_WS_OPEN:
    case P2P_EVENT_WS_MESSAGE:
    case P2P_EVENT_WS_CLOSED:
      g_assert_not_reached ();
  }
}

static gboolean
wake (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the context until @what, which is looked at after every event. */
#define UNTIL(pair, what) \
  G_STMT_START \
    { \
      gint64 give_up_us = g_get_monotonic_time () + GIVE_UP_US; \
      GSource *source = g_timeout_source_new (500); \
      g_source_set_callback (source, wake, NULL, NULL); \
      g_source_attach (source, (pair)->context); \
      while (!(what)) { \
        g_assert_cmpint (g_get_monotonic_time (), <, give_up_us); \
        g_main_context_iteration ((pair)->context, TRUE); \
      } \
      g_source_destroy (source); \
      g_source_unref (source); \
    } \
  G_STMT_END

static void
end_init (End *end, GMainContext *context, guint64 conn)
{
  end->conn = conn;
  end->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  end->port = p2p_webrtc_transport_new (context, on_event, end);
}

static void
end_clear (End *end)
{
  if (end->port != NULL)
    p2p_webrtc_transport_free (end->port);
  g_ptr_array_unref (end->messages);
  g_free (end->sdp);
  g_free (end->closed);
}

static Pair *
pair_new (void)
{
  Pair *pair = g_new0 (Pair, 1);

  pair->context = g_main_context_new ();
  end_init (&pair->a, pair->context, 7);
  end_init (&pair->b, pair->context, 8);

  return pair;
}

static void
pair_free (Pair *pair)
{
  end_clear (&pair->a);
  end_clear (&pair->b);
  g_main_context_unref (pair->context);
  g_free (pair);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)

static void
connect_pair (Pair *pair)
{
  End *a = &pair->a, *b = &pair->b;

  a->port->ops->offer (a->port, a->conn, "webtorrent");
  UNTIL (pair, a->sdp != NULL);
  b->port->ops->answer (b->port, b->conn, a->sdp);
  UNTIL (pair, b->sdp != NULL);
  a->port->ops->set_answer (a->port, a->conn, b->sdp);
  UNTIL (pair, a->open && b->open);
}

static GBytes *
pattern (gsize length, guint seed)
{
  guint8 *data = g_malloc (length);

  for (gsize i = 0; i < length; i++)
    data[i] = (i * 31 + (i >> 8) + seed) & 0xff;

  return g_bytes_new_take (data, length);
}

static void
exchange (Pair *pair, End *from, End *to)
{
  static const gsize lengths[] = { 1, 0, 100, 1200, 16384, 65535, 65536,
    P2P_MESSAGE_ACCEPT_BYTES };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GBytes) message = pattern (lengths[i], i);

    from->port->ops->send (from->port, from->conn, message);
  }
  UNTIL (pair, to->messages->len == G_N_ELEMENTS (lengths));
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GBytes) message = pattern (lengths[i], i);

    g_assert_true (g_bytes_equal (message, to->messages->pdata[i]));
  }
}

static void
test_messages (void)
{
  g_autoptr (Pair) pair = pair_new ();
  P2pTransportInfo info;

  connect_pair (pair);
  exchange (pair, &pair->a, &pair->b);
  exchange (pair, &pair->b, &pair->a);

  UNTIL (pair,
      (pair->a.port->ops->info (pair->a.port, 7, &info),
          info.remote_address[0] != '\0'));
}

static void
test_back_pressure (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a, *b = &pair->b;
  g_autoptr (GBytes) message = pattern (65535, 1);
  const guint64 total = 400;
  guint64 sent = 0;
  guint low_waters = 0;

  connect_pair (pair);
  while (sent < total) {
    while (sent < total) {
      sent++;
      if (a->port->ops->send (a->port, a->conn, message) >= P2P_SEND_HIGH_BYTES)
        break;
    }
    if (sent < total) {
      UNTIL (pair, a->low_waters > low_waters);
      low_waters = a->low_waters;
    }
  }
  g_assert_cmpuint (low_waters, >, 0);
  UNTIL (pair, b->received_bytes == total * 65535);
}

static void
test_close_is_seen (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a, *b = &pair->b;

  connect_pair (pair);
  a->port->ops->close (a->port, a->conn);
  UNTIL (pair, b->closed != NULL);
  g_assert_null (a->closed);
}

static void
test_free_is_seen (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a, *b = &pair->b;

  connect_pair (pair);
  p2p_webrtc_transport_free (g_steal_pointer (&a->port));
  UNTIL (pair, b->closed != NULL);
}

static void
test_bad_answer_closes (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a;

  a->port->ops->offer (a->port, a->conn, "webtorrent");
  UNTIL (pair, a->sdp != NULL);
  a->port->ops->set_answer (a->port, a->conn, "v=0\r\n");
  UNTIL (pair, a->closed != NULL);
}

/* --- a STUN server (RFC 8489) that says we are somebody else -------------- */

#define STUN_HEADER_BYTES 20

static gboolean
on_stun (int fd, GIOCondition condition, gpointer user_data)
{
  /* Success, 12 bytes; XOR-MAPPED-ADDRESS, 8 bytes: 203.0.113.9:54321. */
  guint8 answer[STUN_HEADER_BYTES + 12] = { 0x01, 0x01, 0, 12 };
  static const guint8 attribute[12] = { 0x00, 0x20, 0, 8, 0, 1,
    (54321 >> 8) ^ 0x21, (54321 & 0xff) ^ 0x12, 203 ^ 0x21, 0 ^ 0x12,
    113 ^ 0xa4, 9 ^ 0x42 };
  guint8 request[512];
  struct sockaddr_storage from;
  socklen_t length = sizeof from;

  if (recvfrom (
          fd, request, sizeof request, 0, (struct sockaddr *) &from, &length)
      >= STUN_HEADER_BYTES) {
    memcpy (answer + 4, request + 4, STUN_HEADER_BYTES - 4);
    memcpy (answer + STUN_HEADER_BYTES, attribute, sizeof attribute);
    sendto (fd, answer, sizeof answer, 0, (struct sockaddr *) &from, length);
  }

  return G_SOURCE_CONTINUE;
}

/* An address that this machine's sockets reach: loopback only where there is
 * nothing else, as candidates are bound to the other ones. */
static char *
own_address (void)
{
  char text[INET_ADDRSTRLEN] = "127.0.0.1";
  struct ifaddrs *all = NULL;

  g_assert_cmpint (getifaddrs (&all), ==, 0);
  for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next)
    if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET
        && !(one->ifa_flags & IFF_LOOPBACK))
      inet_ntop (AF_INET, &((struct sockaddr_in *) one->ifa_addr)->sin_addr,
          text, sizeof text);
  freeifaddrs (all);

  return g_strdup (text);
}

static guint16
bind_any (int fd)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;

  g_assert_cmpint (
      bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (
      getsockname (fd, (struct sockaddr *) &address, &length), ==, 0);

  return ntohs (address.sin_port);
}

/* A STUN server at @fd, for all who gather at @end. */
static void
use_server (End *end, int fd)
{
  g_autofree char *host = own_address ();
  g_autofree char *uri = g_strdup_printf ("stun://%s:%u", host, bind_any (fd));
  const char *servers[] = { uri, NULL };

  end->port->ops->configure (end->port, servers);
}

static void
test_server_reflexive (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a;
  int fd = socket (AF_INET, SOCK_DGRAM, 0);
  g_autoptr (GSource) server = g_unix_fd_source_new (fd, G_IO_IN);

  g_source_set_callback (server, G_SOURCE_FUNC (on_stun), NULL, NULL);
  g_source_attach (server, pair->context);
  use_server (a, fd);
  a->port->ops->offer (a->port, a->conn, "webtorrent");
  UNTIL (pair, a->sdp != NULL);
  g_assert_nonnull (strstr (a->sdp, " 203.0.113.9 54321 typ srflx raddr "));

  g_source_destroy (server);
  close (fd);
}

/* Where UDP to the world is blocked: libnice gives its server up later than we
 * do, and the thread must not be held up when it says so. */
static void
test_silent_server (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a;
  int fd = socket (AF_INET, SOCK_DGRAM, 0);
  gint64 until_us;

  use_server (a, fd);
  a->port->ops->offer (a->port, a->conn, "webtorrent");
  UNTIL (pair, a->sdp != NULL);
  until_us = g_get_monotonic_time () + LIBNICE_GIVES_UP_US;
  do {
    g_autoptr (Pair) other = pair_new ();

    connect_pair (other);
  } while (g_get_monotonic_time () < until_us);
  close (fd);
}

/* @sdp as of somebody behind a router: its own address leads to @port, where
 * nobody answers, and that of the router to it. */
static char *
hide (const char *sdp, guint16 port)
{
  g_auto (GStrv) lines = g_strsplit (sdp, "\r\n", -1);
  g_autofree char *host = own_address ();
  GString *hidden = g_string_new (NULL);
  gboolean found = FALSE;

  for (guint i = 0; lines[i] != NULL; i++) {
    gboolean is_candidate = g_str_has_prefix (lines[i], "a=candidate:");

    if (is_candidate && !found && strstr (lines[i], host) != NULL) {
      const char *type = strstr (lines[i], " typ host");

      g_assert_nonnull (type);
      found = TRUE;
      g_string_append_printf (hidden,
          "a=candidate:99 1 udp 2130706431 %s %u typ host\r\n", host, port);
      g_string_append_printf (hidden, "%.*s typ srflx raddr %s rport %u\r\n",
          (int) (type - lines[i]), lines[i], host, port);
    } else if (!is_candidate && *lines[i] != '\0') {
      g_string_append_printf (hidden, "%s\r\n", lines[i]);
    }
  }
  g_assert_true (found);

  return g_string_free (hidden, FALSE);
}

static guint
count_datagrams (int fd)
{
  char datagram[512];
  guint n = 0;

  while (recv (fd, datagram, sizeof datagram, MSG_DONTWAIT) >= 0)
    n++;

  return n;
}

/* The address that works is enough: those that lead nowhere are asked three
 * times within two seconds. */
static void
test_behind_router (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a, *b = &pair->b;
  int inside_a = socket (AF_INET, SOCK_DGRAM, 0);
  int inside_b = socket (AF_INET, SOCK_DGRAM, 0);
  g_autofree char *offer = NULL;
  g_autofree char *answer = NULL;

  a->port->ops->offer (a->port, a->conn, "webtorrent");
  UNTIL (pair, a->sdp != NULL);
  offer = hide (a->sdp, bind_any (inside_a));
  b->port->ops->answer (b->port, b->conn, offer);
  UNTIL (pair, b->sdp != NULL);
  answer = hide (b->sdp, bind_any (inside_b));
  a->port->ops->set_answer (a->port, a->conn, answer);
  UNTIL (pair, a->open && b->open);
  g_assert_cmpuint (count_datagrams (inside_a), <, 3);
  g_assert_cmpuint (count_datagrams (inside_b), <, 3);
  close (inside_a);
  close (inside_b);
}

/* As sessions of one process: threads of their own, one stack below. */
static gpointer
run_session (gpointer data)
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr (Pair) pair = pair_new ();

    connect_pair (pair);
    exchange (pair, &pair->a, &pair->b);
    exchange (pair, &pair->b, &pair->a);
  }

  return NULL;
}

static void
test_many_sessions (void)
{
  GThread *threads[6];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("session", run_session, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Ended at every stage of connecting, and with the thread's end each time. */
static void
test_cycles (void)
{
  for (guint i = 0; i < 100; i++) {
    g_autoptr (Pair) pair = pair_new ();
    End *a = &pair->a, *b = &pair->b;

    if (i % 5 == 0)
      continue;
    a->port->ops->offer (a->port, a->conn, "webtorrent");
    if (i % 5 == 1)
      continue;
    UNTIL (pair, a->sdp != NULL);
    b->port->ops->answer (b->port, b->conn, a->sdp);
    if (i % 5 == 2)
      continue;
    UNTIL (pair, b->sdp != NULL);
    a->port->ops->set_answer (a->port, a->conn, b->sdp);
    if (i % 5 == 3)
      b->port->ops->close (b->port, b->conn);
    else if (i % 10 == 4)
      UNTIL (pair, a->open && b->open);
  }
}

#ifndef __SANITIZE_THREAD__
/* Looked up by the system, in vain; not waited for when it is all over. */
static void
test_names (void)
{
  static const char *const servers[] = { "stun://nobody.invalid",
    "turn://u:p@nobody.invalid", NULL };
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a, *b = &pair->b;
  g_auto (GStrv) lines = NULL;

  a->port->ops->configure (a->port, servers);
  a->port->ops->offer (a->port, a->conn, "webtorrent");
  UNTIL (pair, a->sdp != NULL);

  /* The first candidate's address becomes a name that nobody knows. */
  lines = g_strsplit (a->sdp, "\r\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "a=candidate:")) {
      g_free (lines[i]);
      lines[i] = g_strdup ("a=candidate:1 1 udp 2113937151 "
                           "b1abbafd-d9ea-491e-b0e0-e42953c1c2f1.local 56800 "
                           "typ host");
    }
  {
    g_autofree char *offer = g_strjoinv ("\r\n", lines);

    b->port->ops->answer (b->port, b->conn, offer);
  }
  UNTIL (pair, b->sdp != NULL);
  a->port->ops->set_answer (a->port, a->conn, b->sdp);
  /* Peer-reflexive. */
  UNTIL (pair, a->open && b->open);
}
#endif

/* A worker that is stuck: what is sent to it waits at the sender. */
static void
test_stuck_worker (void)
{
  g_autoptr (Pair) pair = pair_new ();
  End *a = &pair->a, *b = &pair->b;
  GMainContext *other = g_main_context_new ();
  g_autoptr (GBytes) message = pattern (65535, 1);
  const guint64 most = 64 * 1024 * 1024;
  guint64 sent = 0;
  gint64 still_since_us = 0;
  guint low_waters = 0;

  /* The second end gets a worker that this test does not run. */
  end_clear (b);
  memset (b, 0, sizeof *b);
  end_init (b, other, 8);
  a->port->ops->offer (a->port, a->conn, "webtorrent");
  UNTIL (pair, a->sdp != NULL);
  b->port->ops->answer (b->port, b->conn, a->sdp);
  while (b->sdp == NULL)
    g_main_context_iteration (other, TRUE);
  a->port->ops->set_answer (a->port, a->conn, b->sdp);
  while (!b->open)
    g_main_context_iteration (other, TRUE);
  UNTIL (pair, a->open);

  /* Until no room has come for a while. */
  still_since_us = g_get_monotonic_time ();
  while (g_get_monotonic_time () - still_since_us < G_USEC_PER_SEC / 2) {
    gsize waiting = 0;

    if (sent == 0 || a->low_waters > low_waters) {
      low_waters = a->low_waters;
      while (waiting < P2P_SEND_HIGH_BYTES) {
        waiting = a->port->ops->send (a->port, a->conn, message);
        sent += 65535;
      }
      still_since_us = g_get_monotonic_time ();
    }
    g_assert_cmpuint (sent, <, most);
    g_main_context_iteration (pair->context, FALSE);
    g_thread_yield ();
  }
  g_assert_cmpuint (sent, <=,
      P2P_RECEIVE_HIGH_BYTES + 2 * P2P_SCTP_BUFFER_BYTES
          + 2 * P2P_SEND_HIGH_BYTES);

  /* It wakes up, and has lost nothing. */
  while (b->received_bytes < sent) {
    g_main_context_iteration (other, FALSE);
    g_main_context_iteration (pair->context, FALSE);
  }
  g_assert_null (a->closed);
  p2p_webrtc_transport_free (g_steal_pointer (&b->port));
  g_main_context_unref (other);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/messages", test_messages);
  g_test_add_func ("/transport/back-pressure", test_back_pressure);
  g_test_add_func ("/transport/close-is-seen", test_close_is_seen);
  g_test_add_func ("/transport/free-is-seen", test_free_is_seen);
  g_test_add_func ("/transport/bad-answer-closes", test_bad_answer_closes);
#ifndef __SANITIZE_THREAD__
  /* The system's resolver runs in threads of GIO, which is not instrumented:
   * what they are handed looks like a race, every byte of it. */
  g_test_add_func ("/transport/names", test_names);
#endif
  g_test_add_func ("/transport/server-reflexive", test_server_reflexive);
  g_test_add_func ("/transport/silent-server", test_silent_server);
  g_test_add_func ("/transport/behind-router", test_behind_router);
  g_test_add_func ("/transport/stuck-worker", test_stuck_worker);
  g_test_add_func ("/transport/many-sessions", test_many_sessions);
  g_test_add_func ("/transport/cycles", test_cycles);

  return g_test_run ();
}

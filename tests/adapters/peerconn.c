/* p2phlssrc: connections over a lossy pipe, with friends and with others.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "pipe.h"

#include "openssl/dtls.h"
#include "usrsctp/assoc.h"
#include "webrtc/dcep.h"
#include "webrtc/peerconn.h"
#include "webrtc/sdp.h"

#include <string.h>

/* Real time that only a failure uses up; DTLS repeats itself after 1 s. */
#define GIVE_UP_US (20 * G_USEC_PER_SEC)
#define TICK_MS 10

typedef struct
{
  P2pCertificate *certificate;
  P2pPeerconn *peerconn;
  char *sdp;
  char *closed;
  gboolean open;
  GPtrArray *messages; /* GBytes */
  gsize sent_bytes;
} End;

typedef struct
{
  GMainContext *context;
  Pipe *pipe;
  End a, b;
} World;

/* --- the ends ------------------------------------------------------------ */

static void
on_sdp (gpointer owner, const char *sdp)
{
  End *end = owner;

  g_assert_null (end->sdp);
  end->sdp = g_strdup (sdp);
}

static void
on_open (gpointer owner)
{
  End *end = owner;

  g_assert_false (end->open);
  end->open = TRUE;
}

static void
on_message (gpointer owner, GBytes *message)
{
  End *end = owner;

  g_assert_true (end->open);
  g_assert_null (end->closed);
  g_ptr_array_add (end->messages, g_bytes_ref (message));
}

static void
on_sent (gpointer owner, gsize bytes)
{
  ((End *) owner)->sent_bytes += bytes;
}

static void
on_closed (gpointer owner, const char *reason)
{
  End *end = owner;

  g_assert_null (end->closed);
  end->closed = g_strdup (reason);
}

static const P2pPeerconnEvents events = {
  .sdp = on_sdp,
  .open = on_open,
  .message = on_message,
  .sent = on_sent,
  .closed = on_closed,
};

static void
busy (void)
{
}

static void
end_init (World *world, End *end, guint64 id)
{
  P2pPeerconnConfig config = { .context = world->context,
    .make_path = pipe_path,
    .path_data = world->pipe,
    .busy = busy,
    .id = id };

  end->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  end->certificate = p2p_certificate_new (NULL);
  g_assert_nonnull (end->certificate);
  config.certificate = end->certificate;
  end->peerconn = p2p_peerconn_new (&config, &events, end);
}

static void
end_clear (End *end)
{
  g_clear_pointer (&end->peerconn, p2p_peerconn_free);
  g_clear_pointer (&end->certificate, p2p_certificate_free);
  g_ptr_array_unref (end->messages);
  g_free (end->sdp);
  g_free (end->closed);
}

static World *
world_new (void)
{
  World *world = g_new0 (World, 1);

  world->context = g_main_context_new ();
  g_main_context_push_thread_default (world->context);
  world->pipe = pipe_new (1);
  p2p_sctp_begin ();
  end_init (world, &world->a, 1);
  end_init (world, &world->b, 2);

  return world;
}

static void
world_free (World *world)
{
  end_clear (&world->a);
  end_clear (&world->b);
  p2p_sctp_end ();
  pipe_free (world->pipe);
  g_main_context_pop_thread_default (world->context);
  g_main_context_unref (world->context);
  g_free (world);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

/* SCTP's clock runs as fast as it is asked to; DTLS looks at the real one. */
static void
step (World *world)
{
  while (g_main_context_iteration (world->context, FALSE)) {
  }
  if (!pipe_pump (world->pipe))
    p2p_sctp_advance (TICK_MS);
}

#define UNTIL(world, what) \
  G_STMT_START \
    { \
      gint64 until_us = g_get_monotonic_time () + GIVE_UP_US; \
      while (!(what)) { \
        g_assert_cmpint (g_get_monotonic_time (), <, until_us); \
        step (world); \
      } \
    } \
  G_STMT_END

/* --- connecting ---------------------------------------------------------- */

static char *
replaced (const char *text, const char *from, const char *to)
{
  g_auto (GStrv) parts = g_strsplit (text, from, 2);

  g_assert_cmpuint (g_strv_length (parts), ==, 2);

  return g_strjoinv (to, parts);
}

/* Exchanges descriptions; the offer may be tampered with on its way. */
static void
introduce (World *world, const char *from, const char *to)
{
  g_autofree char *offer = NULL;

  p2p_peerconn_offer (world->a.peerconn, "webtorrent");
  UNTIL (world, world->a.sdp != NULL);
  offer = replaced (world->a.sdp, from, to);
  p2p_peerconn_answer (world->b.peerconn, offer);
  UNTIL (world, world->b.sdp != NULL || world->b.closed != NULL);
  if (world->b.sdp != NULL)
    p2p_peerconn_set_answer (world->a.peerconn, world->b.sdp);
}

static void
connect_ends (World *world)
{
  introduce (world, "v=0", "v=0");
  UNTIL (world, world->a.open && world->b.open);
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
send_patterns (End *from, gsize length, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) message = pattern (length, i);

    p2p_peerconn_send (from->peerconn, message);
  }
}

static void
expect_patterns (World *world, End *to, gsize length, guint n)
{
  UNTIL (world, to->messages->len == n);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) message = pattern (length, i);

    g_assert_true (g_bytes_equal (message, to->messages->pdata[i]));
  }
}

static void
test_both_ways (void)
{
  g_autoptr (World) world = world_new ();

  connect_ends (world);
  send_patterns (&world->a, P2P_MESSAGE_ACCEPT_BYTES, 8);
  send_patterns (&world->b, 65535, 32);
  expect_patterns (world, &world->a, 65535, 32);
  expect_patterns (world, &world->b, P2P_MESSAGE_ACCEPT_BYTES, 8);
  g_assert_cmpuint (
      world->a.sent_bytes, ==, 8 * (gsize) P2P_MESSAGE_ACCEPT_BYTES);
  g_assert_null (world->a.closed);
  g_assert_null (world->b.closed);
}

static void
test_lossy (void)
{
  g_autoptr (World) world = world_new ();

  connect_ends (world);
  world->pipe->loss_percent = 5;
  world->pipe->swap = TRUE;
  send_patterns (&world->a, 65535, 32);
  send_patterns (&world->b, 65535, 32);
  expect_patterns (world, &world->a, 65535, 32);
  expect_patterns (world, &world->b, 65535, 32);
}

static void
test_lost_handshake (void)
{
  g_autoptr (World) world = world_new ();

  introduce (world, "v=0", "v=0");
  world->pipe->drop_next = 2;
  UNTIL (world, world->a.open && world->b.open);
}

static void
test_offerer_is_active (void)
{
  g_autoptr (World) world = world_new ();

  introduce (world, "setup:actpass", "setup:active");
  g_assert_nonnull (strstr (world->b.sdp, "a=setup:passive"));
  UNTIL (world, world->a.open && world->b.open);
  send_patterns (&world->b, 1000, 3);
  expect_patterns (world, &world->a, 1000, 3);
}

static void
test_close_is_seen (void)
{
  g_autoptr (World) world = world_new ();

  connect_ends (world);
  g_clear_pointer (&world->b.peerconn, p2p_peerconn_free);
  UNTIL (world, world->a.closed != NULL);
}

/* --- strangers ----------------------------------------------------------- */

static void
test_wrong_fingerprint (void)
{
  g_autoptr (World) world = world_new ();
  g_autofree char *line = NULL;
  const char *value;

  p2p_peerconn_offer (world->a.peerconn, "webtorrent");
  UNTIL (world, world->a.sdp != NULL);
  value = strstr (world->a.sdp, "a=fingerprint:sha-256 ");
  line = g_strndup (value, strlen ("a=fingerprint:sha-256 AB:CD"));
  {
    g_autofree char *other = g_strdup (line);
    g_autofree char *offer = NULL;
    gsize last = strlen (other) - 1;

    other[last] = other[last] == '0' ? '1' : '0';
    offer = replaced (world->a.sdp, line, other);
    p2p_peerconn_answer (world->b.peerconn, offer);
  }
  UNTIL (world, world->b.sdp != NULL);
  p2p_peerconn_set_answer (world->a.peerconn, world->b.sdp);
  UNTIL (world, world->a.closed != NULL && world->b.closed != NULL);
  g_assert_cmpstr (
      world->b.closed, ==, "the peer's certificate is not the promised one");
  g_assert_false (world->a.open || world->b.open);
}

static void
test_weak_fingerprint (void)
{
  g_autoptr (World) world = world_new ();

  introduce (world, "fingerprint:sha-256", "fingerprint:sha-1");
  UNTIL (world, world->a.closed != NULL && world->b.closed != NULL);
}

static void
test_datagrams_of_strangers (void)
{
  g_autoptr (World) world = world_new ();
  P2pPrng prng;
  guint8 junk[P2P_DATAGRAM_BYTES];

  connect_ends (world);
  p2p_prng_init (&prng, 2);
  send_patterns (&world->a, 65535, 16);
  for (guint i = 0; i < 2000; i++) {
    gsize length = p2p_prng_below (&prng, sizeof junk) + 1;

    for (gsize j = 0; j < length; j++)
      junk[j] = p2p_prng_next (&prng);
    /* Every other looks like a record of the connection: DTLS 1.2, first
     * epoch, plausible length. */
    if (i % 2 == 0 && length > 13) {
      junk[0] = 20 + i / 2 % 4;
      junk[1] = 0xfe;
      junk[2] = 0xfd;
      junk[3] = 0;
      junk[4] = i / 8 % 2;
      junk[11] = (length - 13) >> 8;
      junk[12] = (length - 13) & 0xff;
    }
    pipe_inject (&world->pipe->ends[i % 2], junk, length);
    if (i % 10 == 0)
      step (world);
  }
  expect_patterns (world, &world->b, 65535, 16);
  g_assert_null (world->a.closed);
  g_assert_null (world->b.closed);
}

/* Records that claim to be encrypted and are too short to be, of every type
 * and length, alone and behind another, before and after the handshake. */
static void
inject_short_records (World *world)
{
  guint8 datagram[2 * (13 + 40)] = { 0 };

  for (guint type = 20; type <= 24; type++) {
    for (guint8 length = 0; length <= 40; length++) {
      const guint8 header[13] = { type, 0xfe, 0xfd, 0, 1, 0, 0, 1, type, length,
        0, 0, length };

      memcpy (datagram, header, sizeof header);
      memcpy (datagram + 13 + length, header, sizeof header);
      for (guint i = 0; i < 2; i++) {
        pipe_inject (&world->pipe->ends[i], datagram, 13 + length);
        pipe_inject (&world->pipe->ends[i], datagram, 2 * (13 + length));
      }
      step (world);
    }
  }
}

static void
test_short_records_of_strangers (void)
{
  g_autoptr (World) world = world_new ();

  introduce (world, "v=0", "v=0");
  inject_short_records (world);
  UNTIL (world, world->a.open && world->b.open);
  send_patterns (&world->a, 65535, 4);
  inject_short_records (world);
  expect_patterns (world, &world->b, 65535, 4);
  g_assert_null (world->a.closed);
  g_assert_null (world->b.closed);
}

static void
test_never_reads (void)
{
  g_autoptr (World) world = world_new ();
  const gsize total = 64 * 65535;
  gsize stuck;

  connect_ends (world);
  p2p_peerconn_set_reading (world->b.peerconn, FALSE);
  send_patterns (&world->a, 65535, 64);
  for (guint i = 0; i < 2000; i++)
    step (world);
  stuck = world->a.sent_bytes;
  g_assert_cmpuint (stuck, <=, 2 * P2P_SCTP_BUFFER_BYTES);
  g_assert_cmpuint (stuck, <, total);
  g_assert_null (world->a.closed);

  p2p_peerconn_set_reading (world->b.peerconn, TRUE);
  expect_patterns (world, &world->b, 65535, 64);
}

/* --- a peer that knows DTLS and SCTP, and abuses the channel -------------- */

typedef struct
{
  World *world;
  P2pPath *path;
  P2pDtls *dtls;
  P2pAssoc *assoc;
  gboolean up;
  gboolean down;
  GPtrArray *messages; /* GBytes */
  guint32 last_ppid;
} Rogue;

static void
rogue_assoc_output (gpointer owner, const guint8 *packet, gsize length)
{
  p2p_dtls_send (((Rogue *) owner)->dtls, packet, length);
}

static void
rogue_assoc_up (gpointer owner)
{
  ((Rogue *) owner)->up = TRUE;
}

static void
rogue_assoc_message (
    gpointer owner, guint16 stream, guint32 ppid, GBytes *message)
{
  Rogue *rogue = owner;

  rogue->last_ppid = ppid;
  g_ptr_array_add (rogue->messages, g_bytes_ref (message));
}

static void
rogue_assoc_writable (gpointer owner)
{
}

static void
rogue_assoc_reset (gpointer owner, guint16 stream)
{
}

static void
rogue_down (gpointer owner, const char *reason)
{
  ((Rogue *) owner)->down = TRUE;
}

static const P2pAssocEvents rogue_assoc_events = {
  .output = rogue_assoc_output,
  .up = rogue_assoc_up,
  .message = rogue_assoc_message,
  .writable = rogue_assoc_writable,
  .stream_reset = rogue_assoc_reset,
  .down = rogue_down,
};

static void
rogue_dtls_output (gpointer owner, const guint8 *data, gsize length)
{
  Rogue *rogue = owner;

  rogue->path->ops->send (rogue->path, data, length);
}

static void
rogue_dtls_up (gpointer owner)
{
  Rogue *rogue = owner;

  rogue->assoc = p2p_assoc_new (5000, p2p_dtls_payload_max (rogue->dtls),
      &rogue_assoc_events, rogue, NULL);
  g_assert_true (p2p_assoc_connect (rogue->assoc, NULL));
}

static void
rogue_dtls_data (gpointer owner, const guint8 *data, gsize length)
{
  Rogue *rogue = owner;

  if (!rogue->down)
    p2p_assoc_input (rogue->assoc, data, length);
}

static const P2pDtlsEvents rogue_dtls_events = {
  .output = rogue_dtls_output,
  .up = rogue_dtls_up,
  .data = rogue_dtls_data,
  .down = rogue_down,
};

static void
rogue_gathered (gpointer owner)
{
}

static void
rogue_ready (gpointer owner)
{
  p2p_dtls_start (((Rogue *) owner)->dtls);
}

static void
rogue_packet (gpointer owner, const guint8 *data, gsize length)
{
  Rogue *rogue = owner;

  if (!rogue->down)
    p2p_dtls_input (rogue->dtls, data, length);
}

static const P2pPathEvents rogue_path_events = {
  .gathered = rogue_gathered,
  .ready = rogue_ready,
  .packet = rogue_packet,
  .failed = rogue_down,
};

/* Takes the place of the offerer, before the well-behaved answerer. */
static void
rogue_init (Rogue *rogue, World *world)
{
  g_autofree P2pSdp *sdp = g_new0 (P2pSdp, 1);
  g_autofree P2pSdp *answer = g_new0 (P2pSdp, 1);
  g_autofree char *offer = NULL;

  memset (rogue, 0, sizeof *rogue);
  rogue->world = world;
  rogue->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  rogue->path = pipe_path (world->pipe, TRUE, &rogue_path_events, rogue);
  rogue->path->ops->local (rogue->path, &sdp->ice);
  sdp->sctp_port = 5000;
  sdp->max_message_bytes = P2P_MESSAGE_ACCEPT_BYTES;
  strcpy (sdp->mid, "0");
  offer = p2p_sdp_write (
      sdp, p2p_certificate_fingerprint (world->a.certificate), 1);
  p2p_peerconn_answer (world->b.peerconn, offer);
  UNTIL (world, world->b.sdp != NULL);
  g_assert_true (p2p_sdp_parse (world->b.sdp, answer, NULL));
  rogue->dtls = p2p_dtls_new (world->a.certificate, world->context, FALSE,
      answer->fingerprints, answer->n_fingerprints, &rogue_dtls_events, rogue);
  rogue->path->ops->set_remote (rogue->path, &answer->ice);
  UNTIL (world, rogue->up);
}

static void
rogue_clear (Rogue *rogue)
{
  p2p_assoc_free (rogue->assoc);
  p2p_dtls_free (rogue->dtls);
  rogue->path->ops->free (rogue->path);
  g_ptr_array_unref (rogue->messages);
}

static void
rogue_send (
    Rogue *rogue, guint16 stream, guint32 ppid, const void *data, gsize length)
{
  g_assert_true (p2p_assoc_send (rogue->assoc, stream, ppid, data, length));
  for (guint i = 0; i < 50; i++)
    step (rogue->world);
}

static void
rogue_open (Rogue *rogue, guint16 stream)
{
  g_autoptr (GBytes) open = p2p_dcep_open ("webtorrent");

  rogue_send (rogue, stream, P2P_PPID_DCEP, g_bytes_get_data (open, NULL),
      g_bytes_get_size (open));
}

static void
test_garbage_before_open (void)
{
  static const guint8 liar[12] = { 3, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0 };
  g_autoptr (World) world = world_new ();
  Rogue rogue;

  rogue_init (&rogue, world);
  rogue_send (&rogue, 1, P2P_PPID_DCEP, "garbage", 7);
  rogue_send (&rogue, 1, P2P_PPID_DCEP, liar, sizeof liar);
  rogue_send (&rogue, 1, P2P_PPID_BINARY, "early", 5);
  rogue_send (&rogue, 1, 4711, "unknown", 7);
  g_assert_false (world->b.open);

  rogue_open (&rogue, 3);
  UNTIL (world, world->b.open);
  UNTIL (world, rogue.messages->len == 1);
  g_assert_cmpuint (rogue.last_ppid, ==, P2P_PPID_DCEP);

  /* Another channel, and another opening of the same one. */
  rogue_open (&rogue, 5);
  rogue_open (&rogue, 3);
  rogue_send (&rogue, 5, P2P_PPID_BINARY, "other", 5);
  rogue_send (&rogue, 3, P2P_PPID_STRING, "text", 4);
  rogue_send (&rogue, 3, P2P_PPID_BINARY_PARTIAL, "par", 3);
  rogue_send (&rogue, 3, P2P_PPID_BINARY, "ts", 2);
  rogue_send (&rogue, 3, P2P_PPID_BINARY_EMPTY, "", 1);
  UNTIL (world, world->b.messages->len == 3);
  {
    g_autoptr (GBytes) text = g_bytes_new_static ("text", 4);
    g_autoptr (GBytes) parts = g_bytes_new_static ("parts", 5);

    g_assert_true (g_bytes_equal (text, world->b.messages->pdata[0]));
    g_assert_true (g_bytes_equal (parts, world->b.messages->pdata[1]));
    g_assert_cmpuint (g_bytes_get_size (world->b.messages->pdata[2]), ==, 0);
  }
  g_assert_null (world->b.closed);
  rogue_clear (&rogue);
}

static void
test_too_long (void)
{
  g_autoptr (World) world = world_new ();
  g_autofree guint8 *data = g_malloc0 (P2P_MESSAGE_ACCEPT_BYTES + 1);
  Rogue rogue;

  rogue_init (&rogue, world);
  rogue_open (&rogue, 1);
  UNTIL (world, world->b.open);
  g_assert_true (p2p_assoc_send (
      rogue.assoc, 1, P2P_PPID_BINARY, data, P2P_MESSAGE_ACCEPT_BYTES + 1));
  UNTIL (world, world->b.closed != NULL);
  g_assert_cmpuint (world->b.messages->len, ==, 0);
  rogue_clear (&rogue);
}

static void
test_too_many_parts (void)
{
  g_autoptr (World) world = world_new ();
  g_autofree guint8 *data = g_malloc0 (P2P_MESSAGE_ACCEPT_BYTES);
  Rogue rogue;

  rogue_init (&rogue, world);
  rogue_open (&rogue, 1);
  UNTIL (world, world->b.open);
  for (guint i = 0; i < 2; i++)
    UNTIL (world,
        p2p_assoc_send (rogue.assoc, 1, P2P_PPID_BINARY_PARTIAL, data,
            P2P_MESSAGE_ACCEPT_BYTES));
  UNTIL (world, world->b.closed != NULL);
  rogue_clear (&rogue);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/peerconn/both-ways", test_both_ways);
  g_test_add_func ("/peerconn/lossy", test_lossy);
  g_test_add_func ("/peerconn/lost-handshake", test_lost_handshake);
  g_test_add_func ("/peerconn/offerer-is-active", test_offerer_is_active);
  g_test_add_func ("/peerconn/close-is-seen", test_close_is_seen);
  g_test_add_func ("/peerconn/wrong-fingerprint", test_wrong_fingerprint);
  g_test_add_func ("/peerconn/weak-fingerprint", test_weak_fingerprint);
  g_test_add_func (
      "/peerconn/datagrams-of-strangers", test_datagrams_of_strangers);
  g_test_add_func (
      "/peerconn/short-records-of-strangers", test_short_records_of_strangers);
  g_test_add_func ("/peerconn/never-reads", test_never_reads);
  g_test_add_func ("/peerconn/garbage-before-open", test_garbage_before_open);
  g_test_add_func ("/peerconn/too-long", test_too_long);
  g_test_add_func ("/peerconn/too-many-parts", test_too_many_parts);

  return g_test_run ();
}

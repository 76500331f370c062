/* p2phlssrc: tests of trackers, offers and answers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/fetch.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define SECOND_TRACKER "wss://second.test/announce"
/* Below and above every id of ours, which begins with "-GS". */
#define LOWER "-AA0000-lower0000000"
#define HIGHER "-ZZ0000-higher000000"

/* A player that has loaded its playlist; the socket is not open yet. */
static FakePorts *
loaded (const P2pEngineConfig *config)
{
  FakePorts *fake = fake_ports_new (config);

  fake_publish (fake, 0, 40, FALSE);
  fake_load_playlist (fake);

  return fake;
}

static guint
connected (FakePorts *fake)
{
  g_autoptr (P2pStats) stats = fake_stats (fake);

  return stats->peers;
}

/* Offers of the engine that are being made or are out. */
static guint
offers_alive (FakePorts *fake)
{
  guint alive = 0;

  for (guint i = 0; i < fake->conns->len; i++) {
    FakeConn *conn = fake->conns->pdata[i];

    alive += conn->offerer && !conn->over;
  }

  return alive;
}

/* Makes every offer that is being made ready. */
static void
gather_all (FakePorts *fake)
{
  for (guint i = 0; i < fake->conns->len; i++) {
    FakeConn *conn = fake->conns->pdata[i];
    g_autofree char *sdp = g_strdup_printf ("v=0 offer %u", i);

    if (conn->offerer && !conn->over && conn->label != NULL) {
      fake_conn_sdp (fake, conn, sdp);
      /* Once. */
      g_clear_pointer (&conn->label, g_free);
    }
  }
}

/* The next message must be an announce. Returns: (transfer full): its offers'
 * ids in order. */
static GPtrArray *
next_announce (FakeSocket *socket, const char *event)
{
  g_autoptr (JsonNode) node = fake_socket_next (socket);
  JsonObject *message;
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  JsonArray *offers;

  g_assert_nonnull (node);
  message = json_node_get_object (node);
  g_assert_cmpstr (
      json_object_get_string_member (message, "action"), ==, "announce");
  g_assert_false (json_object_has_member (message, "answer"));
  g_assert_cmpstr (
      json_object_get_string_member_with_default (message, "event", NULL), ==,
      event);
  offers = json_object_get_array_member (message, "offers");
  for (guint i = 0; i < json_array_get_length (offers); i++)
    g_ptr_array_add (ids,
        g_strdup (json_object_get_string_member (
            json_array_get_object_element (offers, i), "offer_id")));

  return ids;
}

static void
assert_announce (FakeSocket *socket, const char *event, guint n_offers)
{
  g_autoptr (GPtrArray) ids = next_announce (socket, event);

  g_assert_cmpuint (ids->len, ==, n_offers);
}

/* The tracker knows of @others; our offers go out. Returns: (transfer full):
 * their ids. */
static GPtrArray *
offer_to (FakePorts *fake, FakeSocket *socket, guint others)
{
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  assert_announce (socket, "started", 0);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, others, 120);
  g_assert_cmpuint (offers_alive (fake), ==, others);
  gather_all (fake);

  return next_announce (socket, NULL);
}

/* --- lazy offers ----------------------------------------------------------------- */

static void
test_alone_nothing_is_gathered (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  assert_announce (socket, "started", 0);
  g_assert_cmpuint (fake_socket_unread (socket), ==, 0);
  fake_info_hash (socket, &hash);
  for (guint i = 0; i < 5; i++) {
    fake_tracker_reply (fake, socket, &hash, 0, 100);
    fake->consumer = 1;
    fake_request_segment (fake, i);
    fake_advance (fake, 101 * G_USEC_PER_SEC);
    assert_announce (socket, NULL, 0);
    g_assert_cmpuint (fake_socket_unread (socket), ==, 0);
  }
  g_assert_cmpuint (fake->conns->len, ==, 0);
}

static void
test_as_many_offers_as_others (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (GPtrArray) ids = offer_to (fake, socket, 3);

  g_assert_cmpuint (ids->len, ==, 3);
  for (guint i = 0; i < ids->len; i++) {
    g_assert_cmpuint (strlen (ids->pdata[i]), ==, P2P_ID_LENGTH);
    for (guint k = 0; k < i; k++)
      g_assert_cmpstr (ids->pdata[i], !=, ids->pdata[k]);
  }
}

static void
test_offers_are_bounded (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, 100000, 120);
  for (guint i = 0; i < 30; i++) {
    g_assert_cmpuint (offers_alive (fake), >, 0);
    g_assert_cmpuint (offers_alive (fake), <=, 2 * P2P_OFFERS_PER_ANNOUNCE);
    gather_all (fake);
    fake_advance (fake, G_USEC_PER_SEC);
  }
  while (fake_socket_unread (socket) > 0) {
    g_autoptr (JsonNode) node = fake_socket_next (socket);

    g_assert_cmpuint (json_array_get_length (json_object_get_array_member (
                          json_node_get_object (node), "offers")),
        <=, P2P_OFFERS_PER_ANNOUNCE);
  }
}

static void
test_no_more_offers_than_peers_wanted (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeSocket *socket;
  P2pInfoHash hash;

  config.max_peers = 2;
  fake = loaded (&config);
  socket = fake_socket (fake, FAKE_TRACKER);
  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, 30, 120);
  g_assert_cmpuint (offers_alive (fake), ==, 2);
}

/* A tracker that tells no counts gets offers all the same. */
static void
test_counts_unknown (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autofree char *text = NULL;
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  text = g_strdup_printf ("{\"action\":\"announce\",\"info_hash\":\"%s\","
                          "\"interval\":120}",
      hash.text);
  fake_socket_text (fake, socket, text);
  g_assert_cmpuint (offers_alive (fake), >, 0);
  gather_all (fake);
  for (gint64 id = 0; id < 11; id++) {
    fake_request_segment (fake, id);
    fake_advance (fake, 10 * G_USEC_PER_SEC);
  }
  g_assert_cmpuint (offers_alive (fake), ==, 0);
  /* And again with each regular announce. */
  fake_advance (fake, 15 * G_USEC_PER_SEC);
  g_assert_cmpuint (offers_alive (fake), >, 0);
}

static void
test_unanswered_offers_expire (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (GPtrArray) ids = offer_to (fake, socket, 1);
  FakeConn *conn = fake_last_conn (fake);
  P2pInfoHash hash;

  fake_info_hash (socket, &hash);
  fake_request_segment (fake, 0);
  fake_advance (fake, 60 * G_USEC_PER_SEC);
  g_assert_true (conn->over);
  /* Its answer comes too late. */
  fake_tracker_answer (fake, socket, &hash, LOWER, ids->pdata[0]);
  g_assert_cmpuint (connected (fake), ==, 0);
}

/* One offer that cannot be made holds up no other. */
static void
test_offer_that_fails (void)
{
  for (guint how = 0; how < 2; how++) {
    g_autoptr (FakePorts) fake = loaded (NULL);
    FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
    P2pInfoHash hash;
    FakeConn *first, *last;

    fake_socket_open (fake, socket);
    fake_info_hash (socket, &hash);
    fake_tracker_reply (fake, socket, &hash, 2, 120);
    fake_socket_skip (socket);
    first = fake->conns->pdata[0];
    last = fake->conns->pdata[1];
    fake_conn_sdp (fake, first, "v=0 first");
    g_assert_cmpuint (fake_socket_unread (socket), ==, 0);
    if (how == 0)
      fake_conn_close (fake, last);
    else
      fake_advance (fake, 11 * G_USEC_PER_SEC);
    g_assert_true (last->over);
    assert_announce (socket, NULL, 1);
  }
}

/* Nor does a viewer that can make none disappear from the tracker. */
static void
test_no_offer_can_be_made (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, 2, 60);
  fake_socket_skip (socket);
  for (guint second = 0; second < 200; second++) {
    for (guint i = 0; i < fake->conns->len; i++) {
      FakeConn *conn = fake->conns->pdata[i];

      if (!conn->over)
        fake_conn_close (fake, conn);
    }
    if (second % 20 == 0)
      fake_request_segment (fake, second / 20);
    fake_advance (fake, G_USEC_PER_SEC);
  }
  g_assert_cmpuint (fake_socket_unread (socket), >=, 2);
  g_assert_cmpuint (fake_socket_unread (socket), <=, 20);
}

/* --- exchanges --------------------------------------------------------------------- */

static void
test_our_offer_is_answered (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (GPtrArray) ids = offer_to (fake, socket, 2);
  P2pInfoHash hash;
  FakeConn *conn = fake->conns->pdata[0];
  FakeConn *other = fake->conns->pdata[1];

  fake_info_hash (socket, &hash);
  fake_tracker_answer (fake, socket, &hash, LOWER, "nobodyofferedthis000");
  g_assert_null (conn->remote_sdp);
  fake_tracker_answer (fake, socket, &hash, LOWER, ids->pdata[0]);
  g_assert_cmpstr (conn->remote_sdp, ==, "v=0 " LOWER);
  /* A second time, for this one or by the same peer for another. */
  fake_tracker_answer (fake, socket, &hash, LOWER, ids->pdata[0]);
  fake_tracker_answer (fake, socket, &hash, HIGHER, ids->pdata[0]);
  fake_tracker_answer (fake, socket, &hash, LOWER, ids->pdata[1]);
  g_assert_null (other->remote_sdp);
  g_assert_true (other->over);
  fake_conn_open (fake, conn);
  g_assert_cmpuint (connected (fake), ==, 1);
}

static void
test_their_offer_is_answered (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_tracker_up (fake);
  g_autoptr (JsonNode) node = NULL;
  const char *offer_id = "\\u0000\\u0001\\u00ff\\\"/bcdefghijabcdef";
  JsonObject *message;
  P2pInfoHash hash;
  FakeConn *conn;

  fake_info_hash (socket, &hash);
  fake_tracker_offer (fake, socket, &hash, LOWER, offer_id);
  conn = fake_last_conn (fake);
  g_assert_cmpstr (conn->remote_sdp, ==, "v=0 " LOWER);
  fake_socket_skip (socket);
  fake_conn_sdp (fake, conn, "v=0 ours");
  g_assert_nonnull (strstr (socket->texts->pdata[socket->read], "\\u0000"));
  node = fake_socket_next (socket);
  message = json_node_get_object (node);
  g_assert_cmpstr (
      json_object_get_string_member (message, "to_peer_id"), ==, LOWER);
  g_assert_cmpstr (
      json_object_get_string_member (message, "info_hash"), ==, hash.text);
  g_assert_cmpstr (
      json_object_get_string_member (
          json_object_get_object_member (message, "answer"), "sdp"),
      ==, "v=0 ours");
  fake_conn_open (fake, conn);
  g_assert_cmpuint (connected (fake), ==, 1);
}

static void
test_duplicate_offers (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_tracker_up (fake);
  g_autofree char *own = fake_own_id (fake);
  P2pInfoHash hash;
  FakeConn *conn;

  fake_info_hash (socket, &hash);
  fake_tracker_offer (fake, socket, &hash, own, "aaaaaaaaaaaaaaaaaaaa");
  g_assert_cmpuint (fake->conns->len, ==, 0);
  conn = fake_connect (fake, LOWER);
  g_assert_nonnull (conn);
  fake_tracker_offer (fake, socket, &hash, LOWER, "bbbbbbbbbbbbbbbbbbbb");
  g_assert_cmpuint (fake->conns->len, ==, 1);
  /* Connecting is as good as connected. */
  fake_tracker_offer (fake, socket, &hash, HIGHER, "cccccccccccccccccccc");
  fake_tracker_offer (fake, socket, &hash, HIGHER, "dddddddddddddddddddd");
  g_assert_cmpuint (fake->conns->len, ==, 2);
  /* It has gone, and comes back. */
  fake_conn_close (fake, conn);
  g_assert_nonnull (fake_connect (fake, LOWER));
}

static void
break_protocol (FakePorts *fake, const char *id)
{
  FakeConn *conn = fake_connect (fake, id);

  g_assert_nonnull (conn);
  fake_conn_message (fake, conn,
      "cstr\x09"
      "cend",
      9);
  g_assert_true (conn->over);
}

/* Who broke the protocol is not connected to again, whoever offers. */
static void
test_shunned (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (GPtrArray) ids = offer_to (fake, socket, 1);
  FakeConn *ours = fake_last_conn (fake);
  P2pInfoHash hash;

  break_protocol (fake, LOWER);
  g_assert_null (fake_connect (fake, LOWER));
  fake_info_hash (socket, &hash);
  fake_tracker_answer (fake, socket, &hash, LOWER, ids->pdata[0]);
  g_assert_true (ours->over);
  g_assert_nonnull (fake_connect (fake, HIGHER));
  for (guint i = 0; i < 30; i++) {
    g_assert_null (fake_connect (fake, LOWER));
    fake_advance (fake, 20 * G_USEC_PER_SEC);
    fake_load_playlist (fake); /* it goes on playing */
  }
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_nonnull (fake_connect (fake, LOWER));
}

/* Nothing for a segment is a breach, another length than others tell is none. */
static void
test_shunned_for_nothing (void)
{
  static const gint64 sizes[] = { 0, P2P_SEGMENT_MAX_BYTES + 1 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    P2pCommand asked;
    FakeConn *conn = fake_connect_holder (fake, LOWER, &asked);

    fake_conn_data (fake, conn, &asked, sizes[i]);
    g_assert_true (conn->over);
    g_assert_null (fake_connect (fake, LOWER));
  }
}

static void
test_not_shunned_for_a_length (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *liar = fake_connect_holder (fake, LOWER, &asked);
  FakeConn *honest = fake_connect (fake, HIGHER);

  fake_request_segment (fake, 4);
  fake_conn_data (fake, liar, &asked, 77000);
  fake_conn_segment (fake, liar, &asked, 0, 1000);
  fake_conn_close (fake, liar);
  fake_conn_has (fake, honest, 4);
  g_assert_true (fake_conn_find (honest, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.byte_from, ==, 1000);
  fake_conn_data (fake, honest, &asked, SIZE - 1000);
  g_assert_true (honest->over);
  g_assert_nonnull (fake_connect (fake, HIGHER));
}

static void
test_shunned_are_bounded (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);

  for (guint i = 0; i <= P2P_SHUNNED_MAX; i++) {
    g_autofree char *id = g_strdup_printf ("-AA0000-%012u", i);

    break_protocol (fake, id);
  }
  g_assert_null (fake_connect (fake, "-AA0000-000000000001"));
  g_assert_nonnull (fake_connect (fake, "-AA0000-000000000000"));
}

/* Both have offered, both answer: the lower id's offer is kept. */
static void
check_glare (const char *remote, gboolean ours_is_kept)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (GPtrArray) ids = offer_to (fake, socket, 1);
  FakeConn *ours = fake_last_conn (fake);
  FakeConn *theirs, *kept;
  P2pInfoHash hash;

  fake_info_hash (socket, &hash);
  fake_tracker_offer (fake, socket, &hash, remote, "bbbbbbbbbbbbbbbbbbbb");
  theirs = fake_last_conn (fake);
  g_assert_false (theirs->offerer);
  fake_conn_sdp (fake, theirs, "v=0 answer");
  fake_tracker_answer (fake, socket, &hash, remote, ids->pdata[0]);
  g_assert_cmpint (ours->over, ==, !ours_is_kept);
  g_assert_cmpint (theirs->over, ==, ours_is_kept);
  kept = ours_is_kept ? ours : theirs;
  fake_conn_open (fake, kept);
  g_assert_cmpuint (connected (fake), ==, 1);
}

static void
test_glare (void)
{
  check_glare (HIGHER, TRUE);
  check_glare (LOWER, FALSE);
}

/* Once it is connected, an answer changes nothing. */
static void
test_answer_of_the_connected (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (GPtrArray) ids = offer_to (fake, socket, 1);
  FakeConn *ours = fake_last_conn (fake);
  FakeConn *theirs;
  P2pInfoHash hash;

  fake_info_hash (socket, &hash);
  theirs = fake_connect (fake, HIGHER);
  fake_tracker_answer (fake, socket, &hash, HIGHER, ids->pdata[0]);
  g_assert_true (ours->over);
  g_assert_false (theirs->over);
  g_assert_cmpuint (connected (fake), ==, 1);
}

static void
test_exchanges_time_out (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (GPtrArray) ids = offer_to (fake, socket, 1);
  FakeConn *ours = fake_last_conn (fake);
  FakeConn *theirs;
  P2pInfoHash hash;

  fake_info_hash (socket, &hash);
  fake_tracker_answer (fake, socket, &hash, LOWER, ids->pdata[0]);
  fake_tracker_offer (fake, socket, &hash, HIGHER, "bbbbbbbbbbbbbbbbbbbb");
  theirs = fake_last_conn (fake);
  fake_conn_sdp (fake, theirs, "v=0 answer");
  fake_advance (fake, 25 * G_USEC_PER_SEC);
  g_assert_true (ours->over);
  g_assert_true (theirs->over);
  /* They may try again. */
  g_assert_nonnull (fake_connect (fake, HIGHER));
}

/* Half as many again as wanted may come in, not more. */
static void
test_full_house (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;

  config.max_peers = 4;
  fake = loaded (&config);
  for (guint i = 0; i < 20; i++) {
    g_autofree char *id = g_strdup_printf ("-PM0500-peer%08u", i);
    FakeConn *conn = fake_connect (fake, id);

    g_assert_cmpint (conn != NULL, ==, i < 6);
  }
  g_assert_cmpuint (connected (fake), ==, 6);
}

/* --- what trackers say ------------------------------------------------------------ */

static void
test_failure_reason (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (P2pStats) stats = NULL;
  P2pTrackerStats *row;

  fake_socket_open (fake, socket);
  assert_announce (socket, "started", 0);
  fake_socket_text (fake, socket, "{\"failure reason\":\"try again\"}");
  stats = fake_stats (fake);
  row = &g_array_index (stats->trackers, P2pTrackerStats, 0);
  g_assert_cmpstr (row->url, ==, FAKE_TRACKER);
  g_assert_cmpstr (row->state, ==, "connected");
  g_assert_cmpstr (row->error, ==, "try again");
  /* It is told again of us all the same, and so are those who wait there. */
  for (guint i = 0; i < 13; i++) {
    fake_request_segment (fake, i);
    fake_advance (fake, 10 * G_USEC_PER_SEC);
    gather_all (fake);
  }
  g_assert_cmpuint (fake_socket_unread (socket), >, 0);
}

/* The player's thread has other work than a tracker that forwards offers as
 * fast as the line carries them. */
static void
test_flood (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER), *again;
  P2pInfoHash hash;
  guint sent = 0;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  while (!socket->over && sent < 100 * 1000) {
    g_autofree char *id = g_strdup_printf ("-PM0500-f%011u", sent++);

    fake_tracker_offer (fake, socket, &hash, id, "ffffffffffffffffffff");
  }
  g_assert_true (socket->over);
  g_assert_cmpuint (sent, ==, P2P_TRACKER_MESSAGES_PER_10S + 1);
  g_assert_cmpuint (fake->conns->len, <, 100);
  /* It may try again. */
  fake_advance (fake, 2 * G_USEC_PER_SEC);
  again = fake_socket (fake, FAKE_TRACKER);
  g_assert_nonnull (again);
  g_assert_true (again != socket);
  fake_socket_open (fake, again);
  fake_tracker_reply (fake, again, &hash, 3, 120);
  g_assert_false (again->over);
}

/* Few messages, but long ones. */
static void
test_flood_of_bytes (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autofree char *padding =
      g_strnfill (P2P_TRACKER_MESSAGE_MAX_BYTES / 2, 'x');
  g_autofree char *text = g_strdup_printf ("{\"x\":\"%s\"}", padding);
  guint most = P2P_TRACKER_BYTES_PER_10S / strlen (text);
  guint i;

  fake_socket_open (fake, socket);
  for (i = 0; i < most; i++)
    fake_socket_text (fake, socket, text);
  g_assert_false (socket->over);
  fake_advance (fake, 11 * G_USEC_PER_SEC);
  for (i = 0; i < most; i++)
    fake_socket_text (fake, socket, text);
  g_assert_false (socket->over);
  fake_socket_text (fake, socket, text);
  g_assert_true (socket->over);
}

static void
test_steady_stream (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  for (guint i = 0; i < 3 * P2P_TRACKER_MESSAGES_PER_10S; i++) {
    if (i % 500 == 0)
      fake_request_segment (fake, i / 500); /* somebody plays */
    fake_tracker_reply (fake, socket, &hash, 3, 120);
    fake_advance (fake, 20 * 1000);
  }
  g_assert_false (socket->over);
}

static void
test_warning_is_shown (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (P2pStats) stats = NULL;
  g_autofree char *text = NULL;
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  text = g_strdup_printf ("{\"action\":\"announce\",\"info_hash\":\"%s\","
                          "\"interval\":120,\"incomplete\":1,"
                          "\"warning message\":\"closing soon\"}",
      hash.text);
  fake_socket_text (fake, socket, text);
  stats = fake_stats (fake);
  g_assert_cmpstr (g_array_index (stats->trackers, P2pTrackerStats, 0).error,
      ==, "closing soon");
}

static void
test_rubbish_from_the_tracker (void)
{
  static const char *const texts[] = {
    "",
    "rubbish",
    "[]",
    "{}",
    "{\"action\":\"announce\"}",
    "{\"info_hash\":7,\"peer_id\":{}}",
    ("{\"action\":\"announce\",\"info_hash\":\"aaaaaaaaaaaaaaaaaaaa\","
     "\"interval\":-1,\"incomplete\":-5}"),
  };
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_tracker_up (fake);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    fake_socket_text (fake, socket, texts[i]);
  g_assert_true (socket->open);
  g_assert_cmpuint (fake->conns->len, ==, 0);
  g_assert_nonnull (fake_connect (fake, LOWER));
}

static void
test_interval_has_bounds (void)
{
  static const int intervals_s[] = { 1, 2147483647 };
  static const guint least[] = { 2, 1 }, most[] = { 400, 4 };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (FakePorts) fake = loaded (NULL);
    FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
    P2pInfoHash hash;

    fake_socket_open (fake, socket);
    fake_info_hash (socket, &hash);
    fake_tracker_reply (fake, socket, &hash, 0, intervals_s[i]);
    fake_socket_skip (socket);
    for (guint minute = 0; minute < 125; minute++) {
      fake_request_segment (fake, minute % 40);
      fake_advance (fake, 60 * G_USEC_PER_SEC);
      fake_http_answer_all (fake);
    }
    g_assert_cmpuint (fake_socket_unread (socket), >=, least[i]);
    g_assert_cmpuint (fake_socket_unread (socket), <=, most[i]);
  }
}

static void
test_tracker_id_is_returned (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  P2pInfoHash hash;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  text = g_strdup_printf ("{\"action\":\"announce\",\"info_hash\":\"%s\","
                          "\"interval\":20,\"incomplete\":1,"
                          "\"tracker id\":\"x1\"}",
      hash.text);
  fake_socket_text (fake, socket, text);
  fake_socket_skip (socket);
  fake_advance (fake, 21 * G_USEC_PER_SEC);
  node = fake_socket_next (socket);
  g_assert_cmpstr (
      json_object_get_string_member (json_node_get_object (node), "trackerid"),
      ==, "x1");
}

/* --- the socket ---------------------------------------------------------------------- */

static void
test_reconnects_with_patience (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  gint64 waited_us = 0;

  for (guint attempt = 1; attempt <= 8; attempt++) {
    FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
    g_autoptr (P2pStats) stats = NULL;
    gint64 begun_us = fake->now_us;

    fake_socket_close (fake, socket);
    stats = fake_stats (fake);
    g_assert_cmpstr (g_array_index (stats->trackers, P2pTrackerStats, 0).state,
        ==, "waiting");
    while (fake_socket (fake, FAKE_TRACKER) == NULL) {
      fake_advance (fake, 100 * 1000);
      g_assert_cmpint (fake->now_us - begun_us, <, 40 * G_USEC_PER_SEC);
    }
    if (attempt < 5)
      g_assert_cmpint (fake->now_us - begun_us, >, waited_us);
    waited_us = fake->now_us - begun_us;
    fake_request_segment (fake, attempt);
  }
  g_assert_cmpint (waited_us, >, 20 * G_USEC_PER_SEC);
  g_assert_cmpuint (fake->sockets->len, ==, 9);
}

static void
test_reconnect_keeps_peers (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeConn *conn = fake_connect (fake, LOWER);
  FakeSocket *socket;

  fake_socket_close (fake, fake_socket (fake, FAKE_TRACKER));
  fake_advance (fake, 2 * G_USEC_PER_SEC);
  g_assert_false (conn->over);
  socket = fake_socket (fake, FAKE_TRACKER);
  fake_socket_open (fake, socket);
  assert_announce (socket, "started", 0);
  g_assert_cmpuint (connected (fake), ==, 1);
}

/* What lasted is forgiven. */
static void
test_back_off_is_reset (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);

  for (guint i = 0; i < 6; i++) {
    FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);

    fake_request_segment (fake, i);
    fake_socket_open (fake, socket);
    fake_advance (fake, 40 * G_USEC_PER_SEC);
    fake_socket_close (fake, socket);
    fake_advance (fake, 3 * G_USEC_PER_SEC / 2);
    g_assert_nonnull (fake_socket (fake, FAKE_TRACKER));
  }
}

static void
assert_last_is_stopped (FakeSocket *socket)
{
  g_autoptr (JsonNode) node =
      json_from_string (socket->texts->pdata[socket->texts->len - 1], NULL);

  g_assert_cmpstr (json_object_get_string_member_with_default (
                       json_node_get_object (node), "event", NULL),
      ==, "stopped");
}

static void
test_stopped_when_p2p_is_off (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_tracker_up (fake);
  FakeConn *conn = fake_connect (fake, LOWER);

  fake->config.p2p = FALSE;
  fake_configure (fake);
  assert_last_is_stopped (socket);
  g_assert_true (socket->over);
  g_assert_true (conn->over);
  /* And on again: with the next request. */
  fake->config.p2p = TRUE;
  fake_configure (fake);
  fake_request_segment (fake, 1);
  g_assert_nonnull (fake_socket (fake, FAKE_TRACKER));
  g_assert_nonnull (fake_connect (fake, LOWER));
}

static void
test_stopped_when_left (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_tracker_up (fake);

  fake_request_segment (fake, 1);
  fake_http_answer_all (fake);
  /* A player that asks for nothing any more. */
  fake_advance (fake, (gint64) 30 * 60 * G_USEC_PER_SEC);
  assert_last_is_stopped (socket);
  g_assert_true (socket->over);
}

/* --- several ------------------------------------------------------------------------- */

static void
test_trackers_change (void)
{
  static const char *const both[] = { FAKE_TRACKER, SECOND_TRACKER, NULL };
  static const char *const second[] = { SECOND_TRACKER, NULL };
  static const char *const none[] = { NULL };
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_tracker_up (fake);
  FakeConn *conn = fake_connect (fake, LOWER);
  P2pInfoHash hash;

  fake_info_hash (socket, &hash);
  fake->config.trackers = both;
  fake_configure (fake);
  g_assert_false (socket->over);
  g_assert_nonnull (fake_socket (fake, SECOND_TRACKER));
  fake_socket_open (fake, fake_socket (fake, SECOND_TRACKER));
  assert_announce (fake_socket (fake, SECOND_TRACKER), "started", 0);
  /* Who comes by the second is the same. */
  fake_tracker_offer (fake, fake_socket (fake, SECOND_TRACKER), &hash, LOWER,
      "bbbbbbbbbbbbbbbbbbbb");
  g_assert_cmpuint (fake->conns->len, ==, 1);

  fake->config.trackers = second;
  fake_configure (fake);
  g_assert_true (socket->over);
  assert_last_is_stopped (socket);
  g_assert_false (conn->over);
  fake->config.trackers = none;
  fake_configure (fake);
  g_assert_null (fake_socket (fake, SECOND_TRACKER));
  g_assert_false (conn->over);
}

static void
test_swarms_share_sockets (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  g_autoptr (P2pStats) stats = NULL;
  P2pInfoHash first, second;
  FakeSocket *socket;

  config.protocols = P2P_PROTOCOL_ALL;
  fake = loaded (&config);
  g_assert_cmpuint (fake->sockets->len, ==, 1);
  socket = fake->sockets->pdata[0];
  fake_socket_open (fake, socket);
  /* One announce for each generation's swarm. */
  g_assert_cmpuint (fake_socket_unread (socket), ==, 2);
  fake_info_hash (socket, &second);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->swarms->len, ==, 2);
  g_strlcpy (first.text,
      g_array_index (stats->swarms, P2pSwarmStats, 0).info_hash,
      sizeof first.text);
  g_assert_false (p2p_info_hash_equal (&first, &second));

  /* A native peer that is met in both is connected once. */
  fake_tracker_offer (fake, socket, &first, HIGHER, "aaaaaaaaaaaaaaaaaaaa");
  fake_tracker_offer (fake, socket, &second, HIGHER, "bbbbbbbbbbbbbbbbbbbb");
  g_assert_cmpuint (fake->conns->len, ==, 1);
  fake_tracker_offer (fake, socket, &second, LOWER, "bbbbbbbbbbbbbbbbbbbb");
  g_assert_cmpuint (fake->conns->len, ==, 2);
}

/* The second swarm waits, so that nobody is offered to twice. */
static void
test_second_swarm_waits (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  P2pInfoHash first, second;
  FakeSocket *socket;

  config.protocols = P2P_PROTOCOL_ALL;
  fake = loaded (&config);
  socket = fake->sockets->pdata[0];
  fake_socket_open (fake, socket);
  fake_info_hash (socket, &second);
  {
    g_autoptr (P2pStats) stats = fake_stats (fake);

    g_strlcpy (first.text,
        g_array_index (stats->swarms, P2pSwarmStats, 0).info_hash,
        sizeof first.text);
  }
  fake_tracker_reply (fake, socket, &first, 1, 120);
  fake_tracker_reply (fake, socket, &second, 1, 120);
  g_assert_cmpuint (offers_alive (fake), ==, 1);
  fake_socket_skip (socket);
  gather_all (fake);
  ids = next_announce (socket, NULL);
  fake_tracker_answer (fake, socket, &first, LOWER, ids->pdata[0]);
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_cmpuint (offers_alive (fake), ==, 1);
}

/* --- and playback ----------------------------------------------------------------------- */

/* Whatever the tracker does, no segment waits for it twice. */
static void
test_unreachable_peers_cost_once (void)
{
  g_autoptr (FakePorts) fake = loaded (NULL);
  FakeSocket *socket = fake_socket (fake, FAKE_TRACKER);
  P2pInfoHash hash;
  gint64 waited_us = 0;

  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, 5, 120);
  for (gint64 id = 0; id < 20; id++) {
    FakeRequest *request = fake_request_segment (fake, id);

    while (fake_http_segment (fake, id) == NULL) {
      fake_advance (fake, 10 * 1000);
      waited_us += 10 * 1000;
    }
    fake_http_answer (fake, fake_http_segment (fake, id));
    fake_assert_segment (request, id, SIZE);
  }
  g_assert_cmpint (waited_us, <=, P2P_FETCH_EXPECT_US + 10 * 1000);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/tracker/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("alone-nothing-is-gathered", test_alone_nothing_is_gathered);
  ADD ("as-many-offers-as-others", test_as_many_offers_as_others);
  ADD ("offers-are-bounded", test_offers_are_bounded);
  ADD ("no-more-offers-than-peers-wanted",
      test_no_more_offers_than_peers_wanted);
  ADD ("counts-unknown", test_counts_unknown);
  ADD ("unanswered-offers-expire", test_unanswered_offers_expire);
  ADD ("offer-that-fails", test_offer_that_fails);
  ADD ("no-offer-can-be-made", test_no_offer_can_be_made);
  ADD ("our-offer-is-answered", test_our_offer_is_answered);
  ADD ("their-offer-is-answered", test_their_offer_is_answered);
  ADD ("duplicate-offers", test_duplicate_offers);
  ADD ("shunned", test_shunned);
  ADD ("shunned-for-nothing", test_shunned_for_nothing);
  ADD ("not-shunned-for-a-length", test_not_shunned_for_a_length);
  ADD ("shunned-are-bounded", test_shunned_are_bounded);
  ADD ("glare", test_glare);
  ADD ("answer-of-the-connected", test_answer_of_the_connected);
  ADD ("exchanges-time-out", test_exchanges_time_out);
  ADD ("full-house", test_full_house);
  ADD ("failure-reason", test_failure_reason);
  ADD ("warning-is-shown", test_warning_is_shown);
  ADD ("flood", test_flood);
  ADD ("flood-of-bytes", test_flood_of_bytes);
  ADD ("steady-stream", test_steady_stream);
  ADD ("rubbish-from-the-tracker", test_rubbish_from_the_tracker);
  ADD ("interval-has-bounds", test_interval_has_bounds);
  ADD ("tracker-id-is-returned", test_tracker_id_is_returned);
  ADD ("reconnects-with-patience", test_reconnects_with_patience);
  ADD ("reconnect-keeps-peers", test_reconnect_keeps_peers);
  ADD ("back-off-is-reset", test_back_off_is_reset);
  ADD ("stopped-when-p2p-is-off", test_stopped_when_p2p_is_off);
  ADD ("stopped-when-left", test_stopped_when_left);
  ADD ("trackers-change", test_trackers_change);
  ADD ("swarms-share-sockets", test_swarms_share_sockets);
  ADD ("second-swarm-waits", test_second_swarm_waits);
  ADD ("unreachable-peers-cost-once", test_unreachable_peers_cost_once);

  return g_test_run ();
}

/* p2phlssrc: tests of what is fetched, when, and from whom.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/election.h"
#include "policy/fetch.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-PM0500-alice0000000"
#define BOB "-PM0500-bob000000000"
#define CAROL "-PM0500-carol0000000"
#define DAVE "-PM0500-dave00000000"
#define OLD_BROWSER "-PM0203-olga00000000"
#define OLD_NATIVE "-GS0100-oliver000000"

/* How many of @peers come before us for segment @id. */
static guint
rank_of (FakePorts *fake, gint64 id, const char *const *peers, guint n)
{
  g_autofree char *own_text = fake_own_id (fake);
  P2pPeerId own, others[8];
  const P2pPeerId *list[8];

  g_strlcpy (own.text, own_text, sizeof own.text);
  for (guint i = 0; i < n; i++) {
    g_strlcpy (others[i].text, peers[i], sizeof others[i].text);
    list[i] = &others[i];
  }

  return p2p_election_rank (&own, list, n, id);
}

/* As fake_ports_playing(), without anything ahead over HTTP. */
static FakePorts *
playing_without_prefetch (P2pProtocol protocol)
{
  P2pEngineConfig config = fake_config ();

  config.http_window_us = 0;
  config.protocols = protocol;

  return fake_ports_playing (&config);
}

/* A peer that has been to the origin lately, and holds nothing. */
static void
connect_rival (FakePorts *fake, const char *peer_id)
{
  FakeConn *conn = fake_connect (fake, peer_id);
  gint64 claimed = 3;

  fake_conn_announce (fake, conn, NULL, 0, &claimed, 1);
  fake_conn_announce (fake, conn, NULL, 0, NULL, 0);
}

/* A peer that holds nothing and says so. */
static FakeConn *
connect_empty (FakePorts *fake, const char *peer_id)
{
  FakeConn *conn = fake_connect (fake, peer_id);

  fake_conn_announce (fake, conn, NULL, 0, NULL, 0);

  return conn;
}

/* --- what the player waits for ------------------------------------------------ */

/* The owner at once, the others that go to the origin as well in their order;
 * all of them in time. */
static void
test_turns (void)
{
  static const char *const peers[] = { ALICE, BOB, CAROL };
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
  guint seen[4] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    connect_rival (fake, peers[i]);
  for (gint64 id = 4; id < 40; id++) {
    guint rank = rank_of (fake, id, peers, 3);
    FakeRequest *request = fake_request_segment (fake, id);

    seen[rank]++;
    if (rank > 0) {
      g_assert_null (fake_http_segment (fake, id));
      fake_advance (fake, rank * 60 * 1000 - 1000);
      g_assert_null (fake_http_segment (fake, id));
      fake_advance (fake, 1000);
    }
    g_assert_nonnull (fake_http_segment (fake, id));
    fake_request_finish (fake, request, id);
    g_assert_cmpuint (fake_http_segment_count (fake, id), ==, 1);
  }
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    g_assert_cmpuint (seen[i], >, 0);
}

static void
check_elects (const char *peer, gboolean elects)
{
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V2);
  guint waited = 0;

  connect_rival (fake, peer);
  for (gint64 id = 4; id < 24; id++) {
    FakeRequest *request = fake_request_segment (fake, id);

    waited += fake_http_segment (fake, id) == NULL;
    fake_request_finish (fake, request, id);
  }
  if (elects)
    g_assert_cmpuint (waited, >, 0);
  else
    g_assert_cmpuint (waited, ==, 0);
}

/* Browsers of the second generation know no election. */
static void
test_who_elects (void)
{
  check_elects (OLD_BROWSER, FALSE);
  check_elects (OLD_NATIVE, TRUE);
}

static void
test_claim_is_believed (void)
{
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
  FakeConn *conn = connect_empty (fake, ALICE);

  for (gint64 id = 4; id < 12; id++) {
    P2pCommand asked;
    FakeRequest *request;

    fake_conn_announce (fake, conn, NULL, 0, &id, 1);
    request = fake_request_segment (fake, id);
    fake_advance (fake, 500 * 1000);
    g_assert_cmpuint (fake_http_segment_count (fake, id), ==, 0);
    fake_conn_has (fake, conn, id);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
    g_assert_cmpint (asked.segment_id, ==, id);
    fake_conn_serve (fake, conn, &asked);
    fake_assert_segment (request, id, SIZE);
    g_assert_cmpuint (fake_http_segment_count (fake, id), ==, 0);
    fake_advance (fake, FAKE_SEGMENT_US);
  }
}

static void
test_claim_is_withdrawn (void)
{
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
  FakeConn *conn = connect_empty (fake, ALICE);
  FakeRequest *request;
  gint64 id = 4;

  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  request = fake_request_segment (fake, id);
  fake_advance (fake, 300 * 1000);
  g_assert_null (fake_http_segment (fake, id));
  fake_conn_announce (fake, conn, NULL, 0, NULL, 0);
  fake_advance (fake, 1000);
  g_assert_nonnull (fake_http_segment (fake, id));
  fake_request_finish (fake, request, id);
}

/* Returns: how long the player waits for it before the origin is asked. */
static gint64
wait_for_claim (FakePorts *fake)
{
  FakeConn *conn = connect_empty (fake, ALICE);
  gint64 id = 4, begun_us = fake->now_us;
  FakeRequest *request;
  gint64 waited_us;

  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  request = fake_request_segment (fake, id);
  while (fake_http_segment (fake, id) == NULL)
    fake_advance (fake, 10 * 1000);
  waited_us = fake->now_us - begun_us;
  fake_request_finish (fake, request, id);

  return waited_us;
}

/* Nobody waits so long that the variant is lost. */
static void
test_claim_is_not_kept (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;

  config.http_window_us = 0;
  config.protocols = P2P_PROTOCOL_V3;
  fake = fake_ports_new (&config);
  fake_publish_variants (fake);
  fake_load_playlist (fake);
  fake_tracker_up (fake);
  for (gint64 id = 0; id < 4; id++) {
    FakeRequest *request = fake_request_segment (fake, id);

    fake_http_answer_all (fake);
    fake_assert_segment (request, id, SIZE);
  }
  g_assert_cmpint (wait_for_claim (fake), <=, FAKE_SEGMENT_US * 7 / 10);
}

static void
test_claimant_goes_away (void)
{
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
  FakeConn *conn = connect_empty (fake, ALICE);
  gint64 id = 4;

  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  fake_request_segment (fake, id);
  fake_advance (fake, P2P_FETCH_EXPECT_US + 100 * 1000);
  g_assert_null (fake_http_segment (fake, id));
  fake_conn_close (fake, conn);
  fake_advance (fake, 1000);
  g_assert_nonnull (fake_http_segment (fake, id));
}

/* With nothing to play the origin is asked at once, whoever is there. */
static void
test_urgent (void)
{
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
  FakeConn *conn = connect_empty (fake, ALICE);
  gint64 id = 4;

  /* It has played everything. */
  fake_advance (fake, 20 * G_USEC_PER_SEC);
  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  fake_request_segment (fake, id);
  g_assert_nonnull (fake_http_segment (fake, id));
  /* A seek is the same. */
  fake_http_answer_all (fake);
  id = 30;
  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  fake_request_segment (fake, id);
  g_assert_nonnull (fake_http_segment (fake, id));
}

/* But from a peer that is known to be quick it is sooner here, and the origin is
 * spared; silence is not waited for. */
static void
test_urgent_from_a_quick_peer (void)
{
  for (guint how = 0; how < 2; how++) {
    g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
    P2pCommand asked;
    FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
    FakeRequest *request;

    fake_conn_data (fake, conn, &asked, SIZE);
    for (gsize at = 0; at < SIZE; at += SIZE / 10) {
      fake_advance (fake, 10 * 1000);
      fake_conn_segment (fake, conn, &asked, at, SIZE / 10);
    }
    fake_request_finish (fake, fake_request_segment (fake, 4), 4);
    /* It has played everything. */
    fake_advance (fake, 20 * G_USEC_PER_SEC);
    fake_conn_has (fake, conn, 5);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
    request = fake_request_segment (fake, 5);
    g_assert_null (fake_http_segment (fake, 5));
    if (how == 0) {
      fake_conn_serve (fake, conn, &asked);
      fake_assert_segment (request, 5, SIZE);
      g_assert_cmpuint (fake_http_segment_count (fake, 5), ==, 0);
    } else {
      fake_advance (fake, 300 * 1000);
      g_assert_nonnull (fake_http_segment (fake, 5));
      fake_request_finish (fake, request, 5);
    }
  }
}

static void
give_quickly (FakePorts *fake, FakeConn *conn, gint64 id)
{
  P2pCommand asked;

  fake_conn_has (fake, conn, id);
  fake_request_segment (fake, id);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  fake_conn_data (fake, conn, &asked, SIZE);
  for (gsize at = 0; at < SIZE; at += SIZE / 10) {
    fake_advance (fake, 10 * 1000);
    fake_conn_segment (fake, conn, &asked, at, SIZE / 10);
  }
}

/* Where one quick peer is silent, the next is not waited for as well. */
static void
test_urgent_from_silent_peers (void)
{
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
  FakeConn *conns[] = { connect_empty (fake, ALICE),
    connect_empty (fake, BOB) };
  P2pCommand asked;
  guint i, n_asked = 0;

  for (i = 0; i < G_N_ELEMENTS (conns); i++)
    give_quickly (fake, conns[i], 4 + i);
  /* It has played everything. */
  fake_advance (fake, 20 * G_USEC_PER_SEC);
  for (i = 0; i < G_N_ELEMENTS (conns); i++)
    fake_conn_has (fake, conns[i], 6);
  fake_request_segment (fake, 6);
  fake_advance (fake, 300 * 1000);
  g_assert_nonnull (fake_http_segment (fake, 6));
  for (i = 0; i < G_N_ELEMENTS (conns); i++)
    n_asked += fake_conn_find (conns[i], P2P_COMMAND_REQUEST, &asked);
  g_assert_cmpuint (n_asked, ==, 1);
}

static void
test_urgent_as_configured (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  gint64 id = 4;

  config.urgent_buffer_us = 30 * G_USEC_PER_SEC;
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  fake_conn_announce (fake, fake_connect (fake, ALICE), NULL, 0, &id, 1);
  fake_request_segment (fake, id);
  g_assert_nonnull (fake_http_segment (fake, id));
}

/* --- seeks ------------------------------------------------------------------------ */

static void
test_seek (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *before = fake_request_segment (fake, 4);
  FakeRequest *after, *back;

  fake_http_data (fake, fake_http_segment (fake, 4), "", 0);
  fake_request_cancel (fake, before);
  after = fake_request_segment (fake, 30);
  g_assert_nonnull (fake_http_segment (fake, 30));
  fake_request_finish (fake, after, 30);
  back = fake_request_segment (fake, 1);
  fake_advance (fake, FAKE_SEGMENT_US);
  fake_assert_segment (back, 1, SIZE);
  g_assert_cmpuint (fake_http_segment_count (fake, 1), ==, 1);
  fake_request_finish (fake, fake_request_segment (fake, 4), 4);
}

/* --- ahead of the player ------------------------------------------------------------ */

static guint
asked_of (FakeConn *conn, P2pCommand *asked)
{
  guint n = 0;
  P2pCommand command;

  while (fake_conn_next (conn, &command)) {
    n += command.kind == P2P_COMMAND_REQUEST;
    if (command.kind == P2P_COMMAND_REQUEST)
      *asked = command;
    p2p_command_clear (&command);
  }

  return n;
}

static void
test_prefetch_from_peers (void)
{
  static const char *const peers[] = { ALICE, BOB, CAROL, DAVE };
  static const gint64 ids[] = { 5, 6, 7, 8, 9 };
  g_autoptr (FakePorts) fake = playing_without_prefetch (P2P_PROTOCOL_V3);
  P2pCommand asked[4];
  FakeConn *conns[4];
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
    conns[i] = fake_connect (fake, peers[i]);
    fake_conn_announce (fake, conns[i], ids, G_N_ELEMENTS (ids), NULL, 0);
  }
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
    guint here = asked_of (conns[i], &asked[i]);

    g_assert_cmpuint (here, <=, 1);
    if (here == 1)
      g_assert_cmpint (asked[i].segment_id, >=, 5);
    n += here;
  }
  g_assert_cmpuint (n, ==, 3);
}

static void
test_prefetch_stays_in_the_p2p_window (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *conn;
  P2pCommand asked;

  config.p2p_window_us = 4 * FAKE_SEGMENT_US;
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, ALICE);
  fake_conn_has (fake, conn, 8);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 0);
  fake_conn_has (fake, conn, 7);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 1);
}

static void
test_prefetch_stays_in_the_http_window (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  guint n = 0;

  config.http_window_us = 8 * FAKE_SEGMENT_US;
  fake = fake_ports_playing (&config);
  connect_empty (fake, ALICE);
  for (guint i = 0; i < 20; i++) {
    fake_advance (fake, 100 * 1000);
    fake_http_answer_all (fake);
  }
  for (gint64 id = 4; id < 12; id++)
    n += fake_http_segment_count (fake, id);
  g_assert_cmpuint (n, >, 0);
  for (gint64 id = 12; id < 40; id++)
    g_assert_cmpuint (fake_http_segment_count (fake, id), ==, 0);
}

/* What is ours to fetch, two at once; what others claim or hold is theirs. */
static void
test_prefetch_from_the_origin (void)
{
  static const char *const peers[] = { ALICE };
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  gint64 claimed = -1;
  FakeConn *conn;

  for (gint64 id = 4; claimed < 0; id++) {
    if (rank_of (fake, id, peers, 1) == 0)
      claimed = id;
  }
  conn = fake_connect (fake, ALICE);
  fake_conn_announce (fake, conn, NULL, 0, &claimed, 1);
  for (guint i = 0; i < 100; i++) {
    guint running = 0;

    for (guint k = 0; k < fake->https->len; k++)
      running += !((FakeHttp *) fake->https->pdata[k])->over;
    g_assert_cmpuint (running, <=, 2);
    for (guint k = 0; k < fake->https->len; k++) {
      FakeHttp *http = fake->https->pdata[k];

      if (!http->over) {
        fake_http_answer (fake, http);
        break;
      }
    }
    fake_advance (fake, 250 * 1000);
  }
  for (gint64 id = 4; id < 40; id++) {
    gboolean ours = rank_of (fake, id, peers, 1) == 0 && id != claimed;

    g_assert_cmpuint (fake_http_segment_count (fake, id), ==, ours ? 1 : 0);
  }
}

static void
test_alone_nothing_is_prefetched (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);

  fake_advance (fake, 20 * G_USEC_PER_SEC);
  g_assert_cmpuint (fake_http_segment_count (fake, 4), ==, 0);
}

/* A client of the gateway asks for segments 0 to @last, each so long after it had
 * the one before. Whether the one after them is on its way, too. */
static gboolean
gateway_goes_ahead (FakePorts *fake, gint64 last, gint64 pause_us)
{
  for (gint64 id = 0; id <= last; id++) {
    g_autofree char *uri = fake_segment_uri (id);
    P2pRequest wanted = {
      .uri = uri,
      .range = P2P_RANGE_ALL,
      .profile = fake->profile,
      .p2p = TRUE,
      .style = P2P_PLAYLIST_GATEWAY,
      .gateway_key = "key",
    };

    fake_request_finish (fake, fake_request_full (fake, &wanted), id);
    fake_advance (fake, pause_us);
  }

  return fake_http_segment_count (fake, last + 1) == 1;
}

static FakePorts *
before_the_first_segment (int others)
{
  FakePorts *fake = fake_ports_new (NULL);
  FakeSocket *socket;
  P2pInfoHash hash;

  fake_publish (fake, 0, 40, FALSE);
  fake_load_playlist (fake);
  if (others < 0)
    return fake;
  socket = fake_socket (fake, FAKE_TRACKER);
  fake_socket_open (fake, socket);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, others, 120);

  return fake;
}

static void
test_gateway_fills_its_client (void)
{
  g_autoptr (FakePorts) fake = before_the_first_segment (0);

  g_assert_false (gateway_goes_ahead (fake, 0, 0));
  g_assert_true (gateway_goes_ahead (fake, 3, 100 * 1000));
  /* One at a time. */
  g_assert_cmpuint (fake_http_segment_count (fake, 5), ==, 0);
}

static void
test_gateway_of_a_full_client (void)
{
  g_autoptr (FakePorts) fake = before_the_first_segment (0);

  g_assert_false (gateway_goes_ahead (fake, 3, FAKE_SEGMENT_US / 2));
}

/* Others may have it, or will. */
static void
test_gateway_with_others (void)
{
  g_autoptr (FakePorts) fake = before_the_first_segment (1);

  g_assert_false (gateway_goes_ahead (fake, 3, 0));
}

static void
test_gateway_without_a_tracker (void)
{
  g_autoptr (FakePorts) fake = before_the_first_segment (-1);

  g_assert_false (gateway_goes_ahead (fake, 3, 0));
}

/* A player of 800 kbit/s on a line of @bps has its first @n segments. */
static void
play_at (FakePorts *fake, guint64 bps, gint64 n)
{
  fake_load_playlist (fake);
  for (gint64 id = 0; id < n; id++) {
    FakeRequest *request = fake_request_segment (fake, id);
    FakeHttp *http = fake_http_segment (fake, id);
    g_autoptr (GBytes) body = fake_http_begin (fake, http);

    fake_advance (fake, SIZE * 8 * (gint64) G_USEC_PER_SEC / bps);
    fake_http_data (fake, http, g_bytes_get_data (body, NULL), SIZE);
    fake_http_done (fake, http);
    fake_assert_segment (request, id, SIZE);
  }
}

static FakePorts *
playing_at (guint64 bps)
{
  FakePorts *fake = fake_ports_new (NULL);

  fake_publish_variants (fake);
  play_at (fake, bps, 4);

  return fake;
}

/* What comes from the origin ahead of it and beside a peer. */
static guint
prefetches_at (guint64 bps)
{
  g_autoptr (FakePorts) fake = playing_at (bps);
  guint n = 0;

  fake_conn_announce (fake, fake_connect (fake, ALICE), NULL, 0, NULL, 0);
  for (gint64 id = 4; id < 40; id++)
    n += fake_http_segment_count (fake, id);

  return n;
}

static void
test_thin_line_is_the_players (void)
{
  g_assert_cmpuint (prefetches_at (1900 * 1000), ==, 0);
  g_assert_cmpuint (prefetches_at (2100 * 1000), ==, 1);
  g_assert_cmpuint (prefetches_at (8000 * 1000), ==, 2);
}

/* What comes from peers, @after_us after its last segment. */
static guint
peers_asked_at (guint64 bps, gint64 after_us)
{
  static const char *const peers[] = { ALICE, BOB, CAROL, DAVE };
  static const gint64 ids[] = { 4, 5, 6, 7 };
  g_autoptr (FakePorts) fake = playing_at (bps);
  guint n = 0;

  fake_advance (fake, after_us);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
    FakeConn *conn = fake_connect (fake, peers[i]);
    P2pCommand asked;

    fake_conn_announce (fake, conn, ids, G_N_ELEMENTS (ids), NULL, 0);
    n += fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked);
  }

  return n;
}

/* As many at once as the line carries; but when the player is about to ask, and has
 * little in hand, it is the player's alone. */
static void
test_thin_line_and_peers (void)
{
  const gint64 later_us = 300 * 1000;

  g_assert_cmpuint (peers_asked_at (8000 * 1000, 0), ==, 3);
  g_assert_cmpuint (peers_asked_at (1900 * 1000, later_us), ==, 2);
  g_assert_cmpuint (peers_asked_at (1000 * 1000, later_us), ==, 1);
  g_assert_cmpuint (peers_asked_at (1000 * 1000, 0), ==, 0);
}

/* Nothing else need happen. */
static void
test_thin_line_is_free_again (void)
{
  static const gint64 ids[] = { 4 };
  g_autoptr (FakePorts) fake = playing_at (1000 * 1000);
  FakeConn *conn = fake_connect (fake, ALICE);
  P2pCommand asked;

  fake_conn_announce (fake, conn, ids, 1, NULL, 0);
  g_assert_false (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  fake_advance (fake, 300 * 1000);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
}

/* What the origin sends of a live stream fills it, too, much as there may be in
 * hand. */
static void
test_thin_line_and_the_origin (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  FakeConn *alice;
  FakeRequest *request;
  P2pCommand asked;

  fake_publish (fake, 0, 40, TRUE);
  play_at (fake, 1000 * 1000, 12);
  alice = fake_connect (fake, ALICE);
  request = fake_request_segment (fake, 12);
  while (fake_http_segment (fake, 12) == NULL)
    fake_advance (fake, 10 * 1000);
  fake_conn_has (fake, alice, 13);
  fake_advance (fake, 100 * 1000);
  g_assert_false (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_request_finish (fake, request, 12);
  fake_advance (fake, 300 * 1000);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, 13);
}

/* The origin goes on at the player's pace first. */
static void
test_player_goes_first_to_the_origin (void)
{
  static const char *const peers[] = { ALICE };
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_connect (fake, ALICE);
  fake_advance (fake, G_USEC_PER_SEC);
  for (gint64 id = 5; id < 40; id++)
    g_assert_null (fake_http_segment (fake, id));
  fake_request_finish (fake, request, 4);
  for (gint64 id = 5; id < 40; id++) {
    if (rank_of (fake, id, peers, 1) == 0) {
      g_assert_nonnull (fake_http_segment (fake, id));
      break;
    }
  }
}

static void
test_failed_prefetch_rests (void)
{
  static const char *const peers[] = { ALICE };
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn;
  gint64 own = -1;

  for (gint64 id = 4; own < 0; id++) {
    if (rank_of (fake, id, peers, 1) == 0)
      own = id;
  }
  {
    g_autofree char *uri = fake_segment_uri (own);

    g_hash_table_remove (fake->origin, uri);
  }
  conn = connect_empty (fake, ALICE);
  for (guint i = 0; i < 50; i++) {
    fake_http_answer_all (fake);
    fake_advance (fake, G_USEC_PER_SEC);
    /* Something that has it looked at again. */
    fake_conn_announce (fake, conn, NULL, 0, NULL, 0);
  }
  g_assert_cmpuint (fake_http_segment_count (fake, own), ==, 1);
}

/* Ahead of the player there is never more than the cache holds. */
static void
test_prefetch_leaves_room (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;

  config.cache_bytes = 10 * SIZE;
  fake = fake_ports_playing (&config);
  fake_connect (fake, ALICE);
  for (guint i = 0; i < 100; i++) {
    g_autoptr (P2pStats) stats = fake_stats (fake);

    g_assert_cmpuint (stats->stored_bytes, <=, config.cache_bytes);
    fake_http_answer_all (fake);
    fake_advance (fake, 100 * 1000);
  }
  /* And nothing is fetched twice for it. */
  for (gint64 id = 4; id < 40; id++)
    g_assert_cmpuint (fake_http_segment_count (fake, id), <=, 1);
}

/* Alice has seen a newer playlist than ours, which ends with 105, and is asked for
 * the next. */
static FakeConn *
connect_with_next (FakePorts *fake, P2pCommand *asked)
{
  FakeConn *conn = fake_connect (fake, ALICE);

  fake_conn_has (fake, conn, 106);
  g_assert_cmpuint (asked_of (conn, asked), ==, 1);

  return conn;
}

/* The player reads the playlist again, which lists 106 now: it waits for that.
 */
static FakeRequest *
list_what_she_sends (FakePorts *fake)
{
  FakeRequest *playlist = fake_request (fake, FAKE_PLAYLIST);

  fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));
  g_assert_false (playlist->ended);

  return playlist;
}

/* A peer has seen a newer playlist than we have. */
static void
test_live_edge_from_a_peer (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing_live (NULL, 105);
  FakeRequest *playlist, *request;
  P2pCommand asked;
  FakeConn *conn;

  conn = connect_with_next (fake, &asked);
  g_assert_cmpint (asked.segment_id, ==, 106);
  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 1000);
  fake_publish (fake, 101, 6, TRUE);
  playlist = list_what_she_sends (fake);
  fake_conn_segment (fake, conn, &asked, 1000, SIZE - 1000);
  fake_conn_completed (fake, conn, &asked);
  g_assert_true (playlist->ended);
  request = fake_request_segment (fake, 106);
  fake_advance (fake, 1);
  fake_assert_segment (request, 106, SIZE);
  g_assert_cmpuint (fake_http_segment_count (fake, 106), ==, 0);
}

/* She goes away with the segment half sent: by then it is listed. */
static void
test_live_edge_is_taken_over (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing_live (NULL, 105);
  FakeRequest *playlist, *request;
  P2pCommand asked;
  FakeConn *conn;

  conn = connect_with_next (fake, &asked);
  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 1000);
  fake_publish (fake, 101, 6, TRUE);
  playlist = list_what_she_sends (fake);
  fake_conn_close (fake, conn);
  g_assert_true (playlist->ended);
  request = fake_request_segment (fake, 106);
  fake_request_finish (fake, request, 106);
}

/* A native peer that comes before us for segment @id, or after. */
static FakeConn *
connect_native (FakePorts *fake, gint64 id, gboolean before)
{
  for (guint i = 0; TRUE; i++) {
    g_autofree char *text = g_strdup_printf ("-GS0100-viewer%06u", i);
    const char *const list[] = { text };

    if ((rank_of (fake, id, list, 1) == 1) == before)
      return fake_connect (fake, text);
  }
}

/* Answers @asked: not here. */
static void
refuse (FakePorts *fake, FakeConn *conn, const P2pCommand *asked)
{
  P2pCommand absent = { .kind = P2P_COMMAND_ABSENT,
    .segment_id = asked->segment_id,
    .request_id = asked->request_id };

  fake_conn_command (fake, conn, &absent);
}

/* Says that it gets @id, and passes it on. */
static void
relay (FakePorts *fake, FakeConn *conn, gint64 id)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };

  command.loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.loading = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.arriving = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_val (command.arriving, id);
  fake_conn_command (fake, conn, &command);
}

/* At the end of a live stream, 105. */
static FakePorts *
playing_at_the_edge (void)
{
  P2pEngineConfig config = fake_config ();
  FakePorts *fake;

  config.http_window_us = 0;
  fake = fake_ports_playing_live (&config, 105);
  fake_tracker_up (fake);

  return fake;
}

/* She has stopped in the middle, as whoever sends to her has been killed: we go on,
 * long before it is urgent, unless somebody else says so. */
static void
check_stopped_tree (gboolean others_go_on)
{
  g_autoptr (FakePorts) fake = playing_at_the_edge ();
  FakeConn *conn, *other;
  gint64 id = 106;
  P2pCommand asked;

  conn = fake_connect (fake, ALICE);
  relay (fake, conn, id);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 1);
  other = fake_connect (fake, "-GS0100-viewer000077");
  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, 1000);
  fake_publish (fake, 101, 6, TRUE);
  list_what_she_sends (fake);
  fake_request_segment (fake, id);
  fake_advance (fake, 400 * 1000);
  g_assert_cmpuint (fake_http_segment_count (fake, id), ==, 0);
  if (others_go_on)
    fake_conn_announce (fake, other, NULL, 0, &id, 1);
  fake_advance (fake, 400 * 1000);
  g_assert_cmpuint (fake_http_segment_count (fake, id), ==, !others_go_on);
}

static void
test_stopped_tree_goes_on (void)
{
  check_stopped_tree (FALSE);
  check_stopped_tree (TRUE);
}

/* Twice as long as a claim takes for each of us that comes before. */
static void
test_browsers_are_asked_in_turn (void)
{
  g_autoptr (FakePorts) fake = playing_at_the_edge ();
  P2pCommand asked;
  FakeConn *conn;

  connect_native (fake, 106, TRUE);
  connect_native (fake, 106, FALSE);
  conn = fake_connect (fake, ALICE);
  fake_conn_has (fake, conn, 106);
  fake_advance (fake, 2 * P2P_FETCH_CLAIM_LEAST_US - 1000);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 0);
  fake_advance (fake, 1000);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 1);
  g_assert_cmpint (asked.segment_id, ==, 106);
}

/* The first of us asks at once; the others ask the first. */
static void
test_browsers_are_asked_by_one (void)
{
  g_autoptr (FakePorts) fake = playing_at_the_edge ();
  FakeConn *native, *conn;
  P2pCommand asked;

  native = connect_native (fake, 106, FALSE);
  conn = fake_connect (fake, ALICE);
  fake_conn_has (fake, conn, 106);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 1);
  refuse (fake, conn, &asked);
  fake_conn_has (fake, conn, 106);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 1);
  relay (fake, native, 106);
  refuse (fake, conn, &asked);
  fake_conn_has (fake, conn, 106);
  g_assert_cmpuint (asked_of (native, &asked), ==, 1);
  /* Even while that one is busy. */
  refuse (fake, native, &asked);
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_cmpuint (asked_of (native, &asked), ==, 1);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 0);
}

/* What is not new any more, whoever likes may ask for. */
static void
test_browsers_are_asked_for_older_ones (void)
{
  g_autoptr (FakePorts) fake = playing_at_the_edge ();
  static const gint64 ids[] = { 106, 107, 108 };
  P2pCommand asked;
  FakeConn *conn;

  connect_native (fake, 106, TRUE);
  conn = fake_connect (fake, ALICE);
  fake_conn_announce (fake, conn, ids, G_N_ELEMENTS (ids), NULL, 0);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 1);
  g_assert_cmpint (asked.segment_id, ==, 106);
}

/* Ids far from the edge, or of nothing at all, are not asked for. */
static void
test_ids_out_of_reach (void)
{
  static const gint64 ids[] = { -5, 0, 50, 99, 110, 1000000,
    G_GINT64_CONSTANT (1) << 52 };
  g_autoptr (FakePorts) fake = fake_ports_playing_live (NULL, 105);
  FakeConn *conn = fake_connect (fake, ALICE);
  P2pCommand asked;

  fake_conn_announce (fake, conn, ids, G_N_ELEMENTS (ids), ids, 7);
  fake_advance (fake, 5 * G_USEC_PER_SEC);
  g_assert_cmpuint (asked_of (conn, &asked), ==, 0);
  g_assert_false (conn->over);
}

/* Announced before it was listed, and of another length than the playlist says:
 * it cannot be that segment. */
static void
check_live_edge_of_a_range (gsize size, gsize sent)
{
  g_autoptr (FakePorts) fake = fake_ports_playing_live (NULL, 105);
  P2pRequest wanted = {
    .uri = FAKE_ORIGIN "stream/segment106.ts",
    .range = { 0, SIZE - 1 },
    .consumer = fake->consumer,
    .profile = fake->profile,
    .p2p = TRUE,
  };
  FakeRequest *request;
  P2pCommand asked;
  FakeConn *conn;
  char *playlist;

  conn = connect_with_next (fake, &asked);
  fake_conn_data (fake, conn, &asked, size);
  fake_conn_segment (fake, conn, &asked, 0, sent);

  fake_publish (fake, 101, 6, TRUE);
  playlist = fake_playlist (101, 5, TRUE);
  playlist = g_realloc (playlist, strlen (playlist) + 200);
  g_snprintf (playlist + strlen (playlist), 200,
      "#EXTINF:2,\n#EXT-X-BYTERANGE:%d@0\nsegment106.ts\n", SIZE);
  g_hash_table_insert (fake->origin, g_strdup (FAKE_PLAYLIST),
      g_bytes_new_take (playlist, strlen (playlist)));
  fake_request (fake, FAKE_PLAYLIST);
  fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));
  fake_conn_close (fake, conn);
  request = fake_request_full (fake, &wanted);
  for (guint i = 0; !request->ended && i < 100; i++) {
    fake_http_answer_all (fake);
    fake_advance (fake, 20 * 1000);
  }
  fake_assert_segment (request, 106, SIZE);
}

static void
test_live_edge_of_another_length (void)
{
  check_live_edge_of_a_range (5000, 5000);
  check_live_edge_of_a_range (5000, 1000);
  check_live_edge_of_a_range (SIZE, 1000);
  check_live_edge_of_a_range (SIZE, SIZE);
}

/* Serves what @conn is asked for @us long, counting in @asked. */
static void
serve_for (FakePorts *fake, FakeConn *conn, gint64 us, guint *asked)
{
  gint64 end_us = fake->now_us + us;

  while (fake->now_us < end_us) {
    P2pCommand command;

    while (fake_conn_find (conn, P2P_COMMAND_REQUEST, &command)) {
      asked[command.segment_id]++;
      fake_conn_serve (fake, conn, &command);
    }
    fake_advance (fake, 50 * 1000);
  }
}

static void
announce_all (FakePorts *fake, FakeConn *conn)
{
  gint64 ids[40];

  for (gint64 id = 0; id < 40; id++)
    ids[id] = id;
  fake_conn_announce (fake, conn, ids, G_N_ELEMENTS (ids), NULL, 0);
}

/* What slow peers are still being sent leaves less room ahead; what is fetched
 * must not make way at once, to be fetched again. */
static void
test_prefetch_is_kept (void)
{
  static const char *const slow[] = { BOB, CAROL, DAVE };
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  guint asked[40] = { 0 };
  FakeConn *conn;

  config.cache_bytes = 7 * SIZE;
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  for (guint i = 0; i < G_N_ELEMENTS (slow); i++) {
    conn = connect_empty (fake, slow[i]);
    conn->deaf = TRUE;
    fake_conn_request (fake, conn, i, 1, 0);
    fake_conn_request (fake, conn, i, 2, 0);
  }
  conn = fake_connect (fake, ALICE);
  announce_all (fake, conn);
  serve_for (fake, conn, 10 * G_USEC_PER_SEC, asked);
  g_assert_cmpuint (asked[4], ==, 1);
  for (guint id = 0; id < G_N_ELEMENTS (asked); id++)
    g_assert_cmpuint (asked[id], <=, 1);
}

/* Nothing comes ahead of a player that asks for nothing. */
static void
test_prefetch_ends_with_playback (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  guint asked[40] = { 0 };
  FakeConn *conn;

  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  fake_advance (fake, 60 * G_USEC_PER_SEC);
  conn = fake_connect (fake, ALICE);
  announce_all (fake, conn);
  serve_for (fake, conn, 5 * G_USEC_PER_SEC, asked);
  for (guint id = 0; id < G_N_ELEMENTS (asked); id++)
    g_assert_cmpuint (asked[id], ==, 0);
  fake_request_finish (fake, fake_request_segment (fake, 4), 4);
  serve_for (fake, conn, 5 * G_USEC_PER_SEC, asked);
  g_assert_cmpuint (asked[5], ==, 1);
}

/* A byte now and then keeps a peer from being silent, not from being useless:
 * it must not hold up what others could send. */
static void
test_prefetch_from_a_trickle (void)
{
  static const char *const slow[] = { BOB, CAROL, DAVE };
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  guint asked[40] = { 0 };
  FakeConn *conns[3], *conn;
  gsize sent = 0;

  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  for (guint i = 0; i < G_N_ELEMENTS (slow); i++) {
    P2pCommand command;

    conns[i] = fake_connect (fake, slow[i]);
    fake_conn_has (fake, conns[i], 5 + i);
    g_assert_cmpuint (asked_of (conns[i], &command), ==, 1);
    fake_conn_data (fake, conns[i], &command, SIZE);
  }
  conn = fake_connect (fake, ALICE);
  announce_all (fake, conn);
  for (guint second = 0; second < 25 && asked[8] == 0; second++, sent++) {
    for (guint i = 0; i < G_N_ELEMENTS (slow); i++) {
      if (!conns[i]->over)
        fake_conn_message (fake, conns[i], "\1", 1);
    }
    serve_for (fake, conn, G_USEC_PER_SEC, asked);
  }
  g_assert_cmpuint (asked[8], ==, 1);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/schedule/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("turns", test_turns);
  ADD ("who-elects", test_who_elects);
  ADD ("claim-is-believed", test_claim_is_believed);
  ADD ("claim-is-withdrawn", test_claim_is_withdrawn);
  ADD ("claim-is-not-kept", test_claim_is_not_kept);
  ADD ("claimant-goes-away", test_claimant_goes_away);
  ADD ("urgent", test_urgent);
  ADD ("urgent-from-a-quick-peer", test_urgent_from_a_quick_peer);
  ADD ("urgent-from-silent-peers", test_urgent_from_silent_peers);
  ADD ("urgent-as-configured", test_urgent_as_configured);
  ADD ("seek", test_seek);
  ADD ("prefetch-from-peers", test_prefetch_from_peers);
  ADD ("prefetch-stays-in-the-p2p-window",
      test_prefetch_stays_in_the_p2p_window);
  ADD ("prefetch-stays-in-the-http-window",
      test_prefetch_stays_in_the_http_window);
  ADD ("prefetch-from-the-origin", test_prefetch_from_the_origin);
  ADD ("alone-nothing-is-prefetched", test_alone_nothing_is_prefetched);
  ADD ("gateway-fills-its-client", test_gateway_fills_its_client);
  ADD ("gateway-of-a-full-client", test_gateway_of_a_full_client);
  ADD ("gateway-with-others", test_gateway_with_others);
  ADD ("gateway-without-a-tracker", test_gateway_without_a_tracker);
  ADD ("thin-line-is-the-players", test_thin_line_is_the_players);
  ADD ("thin-line-and-peers", test_thin_line_and_peers);
  ADD ("thin-line-is-free-again", test_thin_line_is_free_again);
  ADD ("thin-line-and-the-origin", test_thin_line_and_the_origin);
  ADD ("player-goes-first-to-the-origin", test_player_goes_first_to_the_origin);
  ADD ("failed-prefetch-rests", test_failed_prefetch_rests);
  ADD ("prefetch-leaves-room", test_prefetch_leaves_room);
  ADD ("live-edge-from-a-peer", test_live_edge_from_a_peer);
  ADD ("live-edge-is-taken-over", test_live_edge_is_taken_over);
  ADD ("stopped-tree-goes-on", test_stopped_tree_goes_on);
  ADD ("browsers-are-asked-in-turn", test_browsers_are_asked_in_turn);
  ADD ("browsers-are-asked-by-one", test_browsers_are_asked_by_one);
  ADD ("browsers-are-asked-for-older-ones",
      test_browsers_are_asked_for_older_ones);
  ADD ("ids-out-of-reach", test_ids_out_of_reach);
  ADD ("live-edge-of-another-length", test_live_edge_of_another_length);
  ADD ("prefetch-is-kept", test_prefetch_is_kept);
  ADD ("prefetch-ends-with-playback", test_prefetch_ends_with_playback);
  ADD ("prefetch-from-a-trickle", test_prefetch_from_a_trickle);

  return g_test_run ();
}

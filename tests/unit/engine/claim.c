/* p2phlssrc: tests of who goes to the origin where not everybody is connected.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/election.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES

/* The segment that all is about. */
#define ID 106

/* A claim has been settled by then, and has not yet after a quarter of it. */
#define SETTLED_US (200 * 1000)

static gint64
claim_of (const char *peer_id)
{
  P2pPeerId peer;

  g_strlcpy (peer.text, peer_id, sizeof peer.text);

  return p2p_election_claim (p2p_election_score (&peer, ID));
}

/* Connects a viewer of our kind whom the election puts after us, or before. */
static FakeConn *
connect_ranked (FakePorts *fake, gboolean before_us)
{
  g_autofree char *own = NULL;
  char other[P2P_ID_LENGTH + 1];
  gint64 loaded[] = { 103, 104, 105 };
  FakeConn *conn;
  guint i = 0;

  fake_tracker_up (fake);
  own = fake_own_id (fake);
  do
    g_snprintf (other, sizeof other, "-GS0100-%012u", i++);
  while ((claim_of (other) < claim_of (own)) != before_us);
  conn = fake_connect (fake, other);
  fake_conn_announce (fake, conn, loaded, G_N_ELEMENTS (loaded), NULL, 0);

  return conn;
}

/* A player of a live stream, window 100 to 105, beside @others, of whom it sees
 * @conn. Its playlists wait for nothing. */
static FakePorts *
playing_among (guint others, FakeConn **conn)
{
  P2pEngineConfig config = fake_config ();
  FakePorts *fake;
  FakeSocket *socket;
  P2pInfoHash hash;

  config.max_playlist_delay_us = 0;
  fake = fake_ports_playing_live (&config, ID - 1);
  *conn = connect_ranked (fake, FALSE);
  socket = fake_socket (fake, FAKE_TRACKER);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, others, 120);

  return fake;
}

/* Whether @conn has last heard that we claim it, @claims if nothing since. */
static gboolean
hears_claim (FakeConn *conn, gboolean claims)
{
  P2pCommand word;

  while (fake_conn_next (conn, &word)) {
    if (word.kind == P2P_COMMAND_ANNOUNCE)
      claims = fake_ids_have (word.loading, ID);
    p2p_command_clear (&word);
  }

  return claims;
}

/* Lets it be our turn. */
static void
await_claim (FakePorts *fake, FakeConn *conn)
{
  gboolean claims = FALSE;

  fake_list_next (fake);
  for (guint i = 0; i < 200 && !claims; i++) {
    claims = hears_claim (conn, FALSE);
    if (!claims)
      fake_advance (fake, 10 * 1000);
  }
  g_assert_true (claims);
}

static void
say (FakePorts *fake, FakeConn *conn, gint64 loading, gint64 heard,
    gint64 heard_claim)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE,
    .has_open = loading != 0,
    .open = loading,
    .heard_claim = heard_claim };

  command.loading = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.heard = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (loading != 0)
    g_array_append_val (command.loading, loading);
  if (heard != 0)
    g_array_append_val (command.heard, heard);
  fake_conn_command (fake, conn, &command);
}

/* --- claims ------------------------------------------------------------------- */

/* Where all see each other, the election is enough. */
static void
test_in_full_view (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (1, &conn);

  fake_list_next (fake);
  fake_advance (fake, 10 * 1000);
  g_assert_nonnull (fake_http_segment (fake, ID));
}

/* First it is said, and then done. */
static void
check_open_at_first (FakePorts *fake, FakeConn *conn)
{
  await_claim (fake, conn);
  g_assert_null (fake_http_segment (fake, ID));
  fake_advance (fake, SETTLED_US / 4);
  g_assert_null (fake_http_segment (fake, ID));
  fake_advance (fake, SETTLED_US);
  g_assert_nonnull (fake_http_segment (fake, ID));
  g_assert_true (hears_claim (conn, TRUE));
}

static void
test_is_open_at_first (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);

  check_open_at_first (fake, conn);
}

/* Whoever comes before us does nothing; others may see their turn now, too. */
static void
test_is_open_after_others (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (1, &conn);

  connect_ranked (fake, TRUE);
  check_open_at_first (fake, conn);
}

/* We are later than the election says. */
static void
test_is_open_when_busy (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (1, &conn);

  fake_conn_request (fake, conn, 105, 1, 0);
  check_open_at_first (fake, conn);
}

static void
check_gives_way (FakePorts *fake, FakeConn *conn, gboolean gives_way)
{
  fake_advance (fake, 2 * SETTLED_US);
  g_assert_cmpint (fake_http_segment (fake, ID) == NULL, ==, gives_way);
  g_assert_cmpint (hears_claim (conn, TRUE), ==, !gives_way);
}

static void
test_gives_way_to_a_better_one (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  FakeConn *better = connect_ranked (fake, TRUE);

  await_claim (fake, conn);
  say (fake, better, ID, 0, 0);
  check_gives_way (fake, conn, TRUE);
  /* Or it would wait for us when it can not fetch it. */
  g_assert_false (hears_claim (better, TRUE));
}

static void
test_stays_before_a_worse_one (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);

  await_claim (fake, conn);
  say (fake, conn, ID, 0, 0);
  check_gives_way (fake, conn, FALSE);
}

/* One that is being fetched already is better than all. */
static void
test_gives_way_to_a_fetch (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  FakeConn *other = connect_ranked (fake, TRUE);
  gint64 id = ID;

  await_claim (fake, other);
  fake_conn_announce (fake, other, NULL, 0, &id, 1);
  check_gives_way (fake, conn, TRUE);
}

/* By hearsay, as well, and whatever is on its way already. */
static void
check_hearsay (gint64 by_how_much, gboolean on_its_way)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  g_autofree char *own = fake_own_id (fake);

  await_claim (fake, conn);
  say (fake, conn, 0, ID, on_its_way ? 0 : claim_of (own) + by_how_much);
  check_gives_way (fake, conn, by_how_much < 0 || on_its_way);
}

static void
test_better_by_hearsay (void)
{
  check_hearsay (-1, FALSE);
}

static void
test_worse_by_hearsay (void)
{
  check_hearsay (1, FALSE);
}

/* An older one says that somebody does, not who: that may be us. */
static void
test_hearsay_without_a_claim (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);

  await_claim (fake, conn);
  say (fake, conn, 0, ID, P2P_NEVER);
  check_gives_way (fake, conn, FALSE);
}

/* What is said of the newest is not so of the one before. */
static void
test_hearsay_of_another (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };
  gint64 ids[] = { ID, ID + 1 };

  await_claim (fake, conn);
  command.heard = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_vals (command.heard, ids, G_N_ELEMENTS (ids));
  fake_conn_command (fake, conn, &command);
  check_gives_way (fake, conn, FALSE);
}

static void
test_on_its_way_by_hearsay (void)
{
  check_hearsay (1, TRUE);
}

/* Who sends to somebody leaves it to the idle, who pass it on sooner. */
static gint64
turn_us (gboolean busy)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  gint64 begun_us = fake->now_us;

  if (busy)
    fake_conn_request (fake, conn, 105, 1, 0);
  await_claim (fake, conn);

  return fake->now_us - begun_us;
}

static void
test_left_to_the_idle (void)
{
  g_assert_cmpint (turn_us (TRUE), >=, turn_us (FALSE) + FAKE_SEGMENT_US / 8);
}

/* When it goes, somebody must. */
static void
test_better_one_goes (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  FakeConn *better = connect_ranked (fake, TRUE);

  await_claim (fake, conn);
  say (fake, better, ID, 0, 0);
  check_gives_way (fake, conn, TRUE);
  fake_conn_close (fake, better);
  fake_advance (fake, 3 * SETTLED_US);
  g_assert_nonnull (fake_http_segment (fake, ID));
}

/* Others wait for it: that our player is in need is no reason to leave it. */
static void
test_is_a_promise (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  FakeHttp *http;

  await_claim (fake, conn);
  fake_request_segment (fake, 102);
  fake_advance (fake, SETTLED_US);
  http = fake_http_segment (fake, 102);
  g_assert_nonnull (http);
  g_assert_nonnull (fake_http_segment (fake, ID));
}

/* When it is what our player waits for, all the more, and without delay: that others
 * have heard of our own claim makes no difference. */
static void
test_player_asks_for_it (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  g_autofree char *own = fake_own_id (fake);

  await_claim (fake, conn);
  say (fake, conn, 0, ID, claim_of (own));
  g_assert_null (fake_http_segment (fake, ID));
  fake_request_segment (fake, ID);
  g_assert_nonnull (fake_http_segment (fake, ID));
  g_assert_true (hears_claim (conn, TRUE));
}

/* And who has it gives it to us. */
static void
test_is_here_already (void)
{
  FakeConn *conn;
  g_autoptr (FakePorts) fake = playing_among (100, &conn);
  P2pCommand asked;

  await_claim (fake, conn);
  fake_conn_has (fake, conn, ID);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  fake_conn_serve (fake, conn, &asked);
  fake_advance (fake, 2 * SETTLED_US);
  g_assert_cmpuint (fake_http_segment_count (fake, ID), ==, 0);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/claim/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("in-full-view", test_in_full_view);
  ADD ("is-open-at-first", test_is_open_at_first);
  ADD ("is-open-after-others", test_is_open_after_others);
  ADD ("is-open-when-busy", test_is_open_when_busy);
  ADD ("gives-way-to-a-better-one", test_gives_way_to_a_better_one);
  ADD ("stays-before-a-worse-one", test_stays_before_a_worse_one);
  ADD ("better-by-hearsay", test_better_by_hearsay);
  ADD ("worse-by-hearsay", test_worse_by_hearsay);
  ADD ("on-its-way-by-hearsay", test_on_its_way_by_hearsay);
  ADD ("gives-way-to-a-fetch", test_gives_way_to_a_fetch);
  ADD ("hearsay-without-a-claim", test_hearsay_without_a_claim);
  ADD ("hearsay-of-another", test_hearsay_of_another);
  ADD ("player-asks-for-it", test_player_asks_for_it);
  ADD ("left-to-the-idle", test_left_to_the_idle);
  ADD ("better-one-goes", test_better_one_goes);
  ADD ("is-a-promise", test_is_a_promise);
  ADD ("is-here-already", test_is_here_already);

  return g_test_run ();
}

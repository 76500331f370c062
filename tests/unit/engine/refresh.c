/* p2phlssrc: tests of the looks that the owner of the next segment takes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/election.h"
#include "policy/sights.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES

/* The newest segment that has been listed when a test begins, and the first of
 * the window of six that it is in. */
#define NEWEST 108
#define FIRST (NEWEST - 5)

/* An encoder that keeps its pace publishes the next one then. */
#define NEXT_US FAKE_SEGMENT_US

/* Past all looks for a segment. */
#define PAST_US (5 * G_USEC_PER_SEC)

static void
play (FakePorts *fake, gint64 id)
{
  FakeRequest *request = fake_request_segment (fake, id);

  fake_http_answer_all (fake);
  fake_assert_segment (request, id, SIZE);
}

static void
load (FakePorts *fake, const char *uri)
{
  FakeRequest *request = fake_request (fake, uri);

  fake_http_answer (fake, fake_http (fake, uri));
  for (guint i = 0; !request->ended && i < 100; i++)
    fake_advance (fake, 10 * 1000);
  g_assert_true (request->ended);
}

/* A player of a live stream that has just read of NEWEST, as each time when it
 * was published, and has played that; @uri is how it asks for the playlist. */
static void
play_from (FakePorts *fake, const char *uri)
{
  for (gint64 first = FIRST - 3; first <= FIRST; first++) {
    fake_publish (fake, first, 6, TRUE);
    if (strcmp (uri, FAKE_PLAYLIST) != 0)
      g_hash_table_insert (fake->origin, g_strdup (uri),
          g_bytes_ref (g_hash_table_lookup (fake->origin, FAKE_PLAYLIST)));
    load (fake, uri);
    play (fake, first + 5);
    if (first < FIRST)
      fake_advance (fake, FAKE_SEGMENT_US);
  }
}

static FakePorts *
playing (void)
{
  FakePorts *fake = fake_ports_new (NULL);

  play_from (fake, FAKE_PLAYLIST);

  return fake;
}

/* Connects a viewer whom the election puts after us for segment @id, or before.
 */
static FakeConn *
connect_ranked (FakePorts *fake, gint64 id, gboolean before_us)
{
  g_autofree char *own_text = NULL;
  P2pPeerId own, other;
  FakeConn *conn;

  fake_tracker_up (fake);
  own_text = fake_own_id (fake);
  g_strlcpy (own.text, own_text, sizeof own.text);
  for (guint i = 0;; i++) {
    const P2pPeerId *list[] = { &other };

    g_snprintf (other.text, sizeof other.text, "-GS0100-viewer%06u", i);
    if ((p2p_election_rank (&own, list, 1, id) > 0) == before_us)
      break;
  }
  conn = fake_connect (fake, other.text);
  fake_conn_announce (fake, conn, NULL, 0, NULL, 0);

  return conn;
}

/* Looks so far, besides the player's own. */
static guint
count_looks (FakePorts *fake)
{
  return fake_http_count (fake, FAKE_PLAYLIST) - 4;
}

/* Lets time pass until there is a look. */
static FakeHttp *
await_look (FakePorts *fake)
{
  for (guint i = 0; i < PAST_US / 1000; i++) {
    FakeHttp *http = fake_http (fake, FAKE_PLAYLIST);

    if (http != NULL)
      return http;
    fake_advance (fake, 1000);
  }
  g_assert_not_reached ();
}

static void
assert_no_looks (FakePorts *fake)
{
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, 0);
}

/* --- looks -------------------------------------------------------------------- */

/* Around the time of publication, and what is found is ours to fetch. */
static void
test_finds_the_segment (void)
{
  g_autoptr (FakePorts) fake = playing ();
  FakeConn *conn = connect_ranked (fake, NEWEST + 1, FALSE);
  gint64 begun_us = fake->now_us;
  gint64 ids[] = { NEWEST + 1 };
  P2pCommand word;

  fake_http_answer (fake, await_look (fake));
  g_assert_cmpint (ABS (fake->now_us - begun_us - NEXT_US), <, 100 * 1000);
  fake_publish (fake, FIRST + 1, 6, TRUE);
  fake_http_answer (fake, await_look (fake));
  g_assert_nonnull (fake_http_segment (fake, NEWEST + 1));
  /* The others hear of it at once. */
  while (fake_conn_find (conn, P2P_COMMAND_ANNOUNCE, &word)) {
    gboolean claimed = word.loading != NULL;

    if (claimed)
      g_assert_cmpmem (word.loading->data, sizeof (gint64), ids, sizeof ids);
    p2p_command_clear (&word);
    ids[0] = claimed ? -1 : ids[0];
  }
  g_assert_cmpint (ids[0], ==, -1);
  fake_http_answer (fake, fake_http_segment (fake, NEWEST + 1));
  g_assert_cmpuint (count_looks (fake), ==, 2);
  /* The player hears of it as ever, and need not wait. */
  load (fake, FAKE_PLAYLIST);
  play (fake, NEWEST + 1);
  g_assert_cmpuint (fake_http_segment_count (fake, NEWEST + 1), ==, 1);
}

static void
test_looks_are_bounded (void)
{
  g_autoptr (FakePorts) fake = playing ();
  gint64 begun_us = fake->now_us, before_us = 0;
  guint looks = 0;

  connect_ranked (fake, NEWEST + 1, FALSE);
  while (fake->now_us < begun_us + PAST_US) {
    FakeHttp *http = fake_http (fake, FAKE_PLAYLIST);

    if (http != NULL) {
      g_assert_cmpint (fake->now_us, >=, before_us + 50 * 1000);
      before_us = fake->now_us;
      looks++;
      fake_http_answer (fake, http);
    }
    fake_advance (fake, 1000);
  }
  g_assert_cmpuint (looks, ==, P2P_SIGHTS_LOOKS_MAX);
  g_assert_cmpint (before_us, <, begun_us + NEXT_US + G_USEC_PER_SEC);
  /* A player that reads nothing new makes no difference. */
  load (fake, FAKE_PLAYLIST);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, P2P_SIGHTS_LOOKS_MAX + 1);
}

/* One at a time, however long it takes. */
static void
test_one_look_at_once (void)
{
  g_autoptr (FakePorts) fake = playing ();

  connect_ranked (fake, NEWEST + 1, FALSE);
  await_look (fake);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, 1);
}

static void
test_owner_looks_alone (void)
{
  g_autoptr (FakePorts) fake = playing ();

  connect_ranked (fake, NEWEST + 1, FALSE);
  connect_ranked (fake, NEWEST + 1, TRUE);
  assert_no_looks (fake);
}

/* Of a thousand others one is likely to come before us. */
static void
test_hidden_owner_looks (void)
{
  g_autoptr (FakePorts) fake = playing ();
  FakeSocket *socket;
  P2pInfoHash hash;

  connect_ranked (fake, NEWEST + 1, FALSE);
  socket = fake_socket (fake, FAKE_TRACKER);
  fake_info_hash (socket, &hash);
  fake_tracker_reply (fake, socket, &hash, 60000, 120);
  assert_no_looks (fake);
}

static void
test_claimed (void)
{
  g_autoptr (FakePorts) fake = playing ();
  FakeConn *conn = connect_ranked (fake, NEWEST + 1, FALSE);
  gint64 id = NEWEST + 1;

  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  assert_no_looks (fake);
}

static void
test_claimed_between_looks (void)
{
  g_autoptr (FakePorts) fake = playing ();
  FakeConn *conn = connect_ranked (fake, NEWEST + 1, FALSE);
  gint64 id = NEWEST + 1;

  fake_http_answer (fake, await_look (fake));
  fake_http_answer (fake, await_look (fake));
  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, 2);
}

/* --- no looks ------------------------------------------------------------------- */

static void
test_not_alone (void)
{
  g_autoptr (FakePorts) fake = playing ();

  fake_tracker_up (fake);
  assert_no_looks (fake);
}

static void
test_not_without_a_window (void)
{
  g_autoptr (FakePorts) fake = playing ();

  connect_ranked (fake, NEWEST + 1, FALSE);
  fake->config.http_window_us = 0;
  fake_configure (fake);
  assert_no_looks (fake);
}

/* Who has just come knows nothing of the encoder's pace. */
static void
test_not_before_enough_was_seen (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  fake_publish (fake, FIRST, 6, TRUE);
  fake_load_playlist (fake);
  play (fake, NEWEST);
  connect_ranked (fake, NEWEST + 1, FALSE);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (fake_http_count (fake, FAKE_PLAYLIST), ==, 1);
}

static void
test_not_after_the_end (void)
{
  g_autoptr (FakePorts) fake = playing ();

  connect_ranked (fake, NEWEST + 1, FALSE);
  fake_publish (fake, FIRST, 6, FALSE);
  load (fake, FAKE_PLAYLIST);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, 1);
}

/* The player has gone somewhere else. */
static void
test_not_of_what_nobody_plays (void)
{
  g_autoptr (FakePorts) fake = playing ();

  connect_ranked (fake, NEWEST + 1, FALSE);
  fake_publish_variants (fake);
  {
    g_autofree char *uri = fake_high_uri (3);

    load (fake, FAKE_HIGH_PLAYLIST);
    fake_request (fake, uri);
  }
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, 0);
}

static void
test_not_with_directives (void)
{
  const char *uri = FAKE_PLAYLIST "?_HLS_msn=108";
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  play_from (fake, uri);
  connect_ranked (fake, NEWEST + 1, FALSE);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (fake_http_count (fake, uri), ==, 4);
  g_assert_cmpuint (fake_http_count (fake, FAKE_PLAYLIST), ==, 0);
}

/* --- as the player asks ------------------------------------------------------------ */

/* Tokens change: the last one that the player used is asked with. */
static void
test_address_of_the_player (void)
{
  const char *uri = FAKE_PLAYLIST "?token=2";
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  fake_publish_variants (fake);
  play_from (fake, FAKE_PLAYLIST);
  connect_ranked (fake, NEWEST + 1, FALSE);
  await_look (fake);
  g_hash_table_insert (fake->origin, g_strdup (uri),
      g_bytes_ref (g_hash_table_lookup (fake->origin, FAKE_PLAYLIST)));
  load (fake, uri);
  /* The look with the old one is off. */
  g_assert_null (fake_http (fake, FAKE_PLAYLIST));
  for (guint i = 0; fake_http (fake, uri) == NULL; i++) {
    g_assert_cmpuint (i, <, 5000);
    fake_advance (fake, 1000);
  }
  fake_http_answer (fake, fake_http (fake, uri));
  g_assert_cmpuint (count_looks (fake), ==, 1);
}

/* --- looks that come to nothing ------------------------------------------------------- */

static void
assert_player_goes_on (FakePorts *fake)
{
  fake_publish (fake, FIRST + 1, 6, TRUE);
  load (fake, FAKE_PLAYLIST);
  play (fake, NEWEST + 1);
}

static void
test_failure (void)
{
  for (guint how = 0; how < 2; how++) {
    g_autoptr (FakePorts) fake = playing ();

    connect_ranked (fake, NEWEST + 1, FALSE);
    if (how == 0)
      fake_http_fail (
          fake, await_look (fake), P2P_HTTP_FAILURE_STATUS, 403, "Forbidden");
    else
      fake_http_fail (
          fake, await_look (fake), P2P_HTTP_FAILURE_IO, 0, "broken");
    fake_advance (fake, PAST_US);
    g_assert_cmpuint (count_looks (fake), ==, 1);
    assert_player_goes_on (fake);
  }
}

static void
test_broken_body (void)
{
  g_autoptr (FakePorts) fake = playing ();
  FakeHttp *http;

  connect_ranked (fake, NEWEST + 1, FALSE);
  http = await_look (fake);
  fake_http_headers (fake, http, 200, 0, 1000);
  fake_http_data (fake, http, "#EXTM3U\n#EXT", 12);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "broken");
  assert_player_goes_on (fake);
}

static void
test_no_playlist (void)
{
  static const char *const bodies[] = { "", "<html>Please log in</html>",
    "#EXTM3U\n#EXTINF:nonsense\n" };

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autoptr (FakePorts) fake = playing ();
    FakeHttp *http;

    connect_ranked (fake, NEWEST + 1, FALSE);
    http = await_look (fake);
    fake_http_headers (fake, http, 200, 0, strlen (bodies[i]));
    if (bodies[i][0] != '\0')
      fake_http_data (fake, http, bodies[i], strlen (bodies[i]));
    fake_http_done (fake, http);
    assert_player_goes_on (fake);
  }
}

static void
test_body_over_the_bound (void)
{
  g_autoptr (FakePorts) fake = playing ();
  gsize piece = 4 * 1024 * 1024, sent = 0;
  g_autofree char *data = g_malloc (piece);
  FakeHttp *http;

  connect_ranked (fake, NEWEST + 1, FALSE);
  memset (data, '\n', piece);
  memcpy (data, "#EXTM3U", 7);
  http = await_look (fake);
  fake_http_headers (fake, http, 200, 0, P2P_SIZE_UNKNOWN);
  while (!http->over) {
    fake_http_data (fake, http, data, piece);
    sent += piece;
    g_assert_cmpuint (sent, <=, P2P_PLAYLIST_MAX_BYTES + piece);
  }
  g_assert_true (http->cancelled);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, 1);
  assert_player_goes_on (fake);
}

/* --- while one is under way ------------------------------------------------------------- */

static void
test_switched_off (void)
{
  g_autoptr (FakePorts) fake = playing ();
  FakeHttp *http;

  connect_ranked (fake, NEWEST + 1, FALSE);
  http = await_look (fake);
  fake_http_headers (fake, http, 200, 0, 1000);
  fake_http_data (fake, http, "#EXTM3U\n", 8);
  fake->config.p2p = FALSE;
  fake_configure (fake);
  g_assert_true (http->cancelled);
  fake_advance (fake, PAST_US);
  g_assert_cmpuint (count_looks (fake), ==, 1);
}

static void
test_player_leaves (void)
{
  g_autoptr (FakePorts) fake = playing ();
  FakeHttp *http;

  connect_ranked (fake, NEWEST + 1, FALSE);
  http = await_look (fake);
  fake_advance (fake, 20 * 60 * G_USEC_PER_SEC);
  g_assert_true (http->cancelled);
}

/* fake_ports_free() asserts that nothing is left. */
static void
test_engine_goes (void)
{
  g_autoptr (FakePorts) fake = playing ();

  connect_ranked (fake, NEWEST + 1, FALSE);
  g_assert_false (await_look (fake)->over);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/refresh/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("finds-the-segment", test_finds_the_segment);
  ADD ("looks-are-bounded", test_looks_are_bounded);
  ADD ("one-look-at-once", test_one_look_at_once);
  ADD ("owner-looks-alone", test_owner_looks_alone);
  ADD ("hidden-owner-looks", test_hidden_owner_looks);
  ADD ("claimed", test_claimed);
  ADD ("claimed-between-looks", test_claimed_between_looks);
  ADD ("not-alone", test_not_alone);
  ADD ("not-without-a-window", test_not_without_a_window);
  ADD ("not-before-enough-was-seen", test_not_before_enough_was_seen);
  ADD ("not-after-the-end", test_not_after_the_end);
  ADD ("not-of-what-nobody-plays", test_not_of_what_nobody_plays);
  ADD ("not-with-directives", test_not_with_directives);
  ADD ("address-of-the-player", test_address_of_the_player);
  ADD ("failure", test_failure);
  ADD ("broken-body", test_broken_body);
  ADD ("no-playlist", test_no_playlist);
  ADD ("body-over-the-bound", test_body_over_the_bound);
  ADD ("switched-off", test_switched_off);
  ADD ("player-leaves", test_player_leaves);
  ADD ("engine-goes", test_engine_goes);

  return g_test_run ();
}

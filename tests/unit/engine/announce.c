/* p2phlssrc: tests of what is said of segments, and to whom.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/election.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES

/* --- what natives are told ------------------------------------------------------- */

#define NATIVE_ALICE "-GS0100-alice0000000"
#define NATIVE_BOB "-GS0100-bob000000000"
#define NATIVE_CAROL "-GS0100-carol0000000"
#define BROWSER "-PM0500-brenda000000"

/* A player of a live stream, window 100 to 105, that has played all of it;
 * nothing comes ahead of it from the origin. */
static FakePorts *
playing_live (void)
{
  P2pEngineConfig config = fake_config ();

  config.http_window_us = 0;

  return fake_ports_playing_live (&config, 105);
}

static gint64
claim_of (const char *peer_id, gint64 id)
{
  P2pPeerId peer;

  g_strlcpy (peer.text, peer_id, sizeof peer.text);

  return p2p_election_claim (p2p_election_score (&peer, id));
}

/* @conn says that it has the segments up to @last, gets @loading and has heard
 * of @heard; 0: of none. */
static void
say (FakePorts *fake, FakeConn *conn, gint64 last, gint64 loading, gint64 heard)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };

  command.loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.loading = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.heard = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (gint64 id = 103; id <= last; id++)
    g_array_append_val (command.loaded, id);
  if (loading != 0)
    g_array_append_val (command.loading, loading);
  if (heard != 0)
    g_array_append_val (command.heard, heard);
  fake_conn_command (fake, conn, &command);
}

static GArray *
one_id (gint64 id)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));

  if (id != 0)
    g_array_append_val (ids, id);

  return ids;
}

/* @conn claims and passes on @arriving, has heard of @heard, best claimed by @claim,
 * and of a rumour. */
static void
say_full (FakePorts *fake, FakeConn *conn, gint64 arriving, gint64 heard,
    gint64 claim, gint64 rumoured)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE,
    .loading = one_id (arriving),
    .arriving = one_id (arriving),
    .heard = one_id (heard),
    .rumoured = one_id (rumoured),
    .heard_claim = claim };

  fake_conn_command (fake, conn, &command);
}

/* @conn claims @id, and is not fetching it yet. */
static void
say_open (FakePorts *fake, FakeConn *conn, gint64 id)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE,
    .loading = one_id (id),
    .has_open = TRUE,
    .open = id };

  fake_conn_command (fake, conn, &command);
}

/* Past what keeps word of others from being passed on too often. */
static void
settle (FakePorts *fake)
{
  fake_advance (fake, 30 * 1000);
}

/* As viewers of a live stream do, it has what is listed. */
static FakeConn *
connect_viewer (FakePorts *fake, const char *peer_id)
{
  FakeConn *conn = fake_connect (fake, peer_id);

  say (fake, conn, 105, 0, 0);
  conn->read = conn->messages->len;

  return conn;
}

static FakeConn *
connect_numbered (FakePorts *fake, guint number)
{
  g_autofree char *id = g_strdup_printf ("-GS0100-%012u", number);

  return connect_viewer (fake, id);
}

/* What has been said to @conn since: the last word. Returns: how many. */
static guint
words (FakeConn *conn, P2pCommand *last)
{
  P2pCommand command;
  guint n = 0;

  while (fake_conn_next (conn, &command)) {
    if (command.kind == P2P_COMMAND_ANNOUNCE) {
      n++;
      p2p_command_clear (last);
      *last = command;
    }
  }

  return n;
}

/* A claim travels two connections at once. */
static void
test_word_of_mouth (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };

  say_open (fake, alice, 106);
  g_assert_cmpuint (words (bob, &word), ==, 1);
  g_assert_true (fake_ids_have (word.heard, 106));
  g_assert_false (fake_ids_have (word.loading, 106));
  g_assert_false (fake_ids_have (word.arriving, 106));
  g_assert_cmpint (word.heard_claim, ==, claim_of (NATIVE_ALICE, 106));
  /* And once. */
  say_open (fake, alice, 106);
  settle (fake);
  say (fake, alice, 105, 106, 0);
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_cmpuint (words (bob, &word), ==, 0);
}

/* A claim that has been taken back may be made anew. */
static void
test_claim_comes_again (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };

  for (guint i = 0; i < 3; i++) {
    say_open (fake, alice, 106);
    settle (fake);
    g_assert_cmpuint (words (bob, &word), ==, 1);
    g_assert_true (fake_ids_have (word.heard, 106));
    say (fake, alice, 105, 0, 0);
    settle (fake);
    g_assert_cmpuint (words (bob, &word), ==, 1);
    g_assert_false (fake_ids_have (word.heard, 106));
  }
}

/* However often a peer changes its mind, ours do not hear more than they bear. */
static void
test_word_has_a_pace (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };
  guint n;

  for (guint i = 0; i < 334; i++) {
    if (i % 2 == 0)
      say_open (fake, alice, 106);
    else
      say (fake, alice, 105, 0, 0);
    fake_advance (fake, 3 * 1000);
  }
  n = words (bob, &word);
  g_assert_cmpuint (n, >, 10);
  g_assert_cmpuint (n, <=, 51);
}

static gboolean
hears (FakeConn *conn, P2pCommand *word, gint64 id)
{
  return words (conn, word) > 0 && fake_ids_have (word->heard, id);
}

/* Nobody takes what he has said himself, and hears again, for word of somebody. */
static void
check_no_echo (gboolean from_claimer)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  FakeConn *carol = connect_viewer (fake, NATIVE_CAROL);
  g_auto (P2pCommand) word = { 0 };

  say_open (fake, alice, 106);
  g_assert_true (hears (bob, &word, 106));
  g_assert_true (hears (carol, &word, 106));
  if (!from_claimer)
    say (fake, carol, 105, 0, 106);
  settle (fake);
  words (carol, &word);
  /* What is left of it is what we have said ourselves. */
  if (from_claimer)
    say_full (fake, alice, 0, 0, 0, 106);
  else
    say (fake, alice, 105, 0, 0);
  settle (fake);
  g_assert_cmpuint (words (carol, &word), ==, 1);
  g_assert_false (fake_ids_have (word.heard, 106));
}

static void
test_no_echo_of_a_rumour (void)
{
  check_no_echo (TRUE);
}

static void
test_no_echo_of_hearsay (void)
{
  check_no_echo (FALSE);
}

/* With a claimer goes all word of it. */
static void
test_claimer_goes (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };

  say_open (fake, alice, 106);
  g_assert_true (hears (bob, &word, 106));
  fake_conn_close (fake, alice);
  settle (fake);
  g_assert_cmpuint (words (bob, &word), ==, 1);
  g_assert_false (fake_ids_have (word.heard, 106));
}

/* And a third one to some, who tell nobody. */
static void
test_rumour (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *viewers[20];
  g_auto (P2pCommand) word = { 0 };
  guint told = 0;

  for (guint i = 0; i < G_N_ELEMENTS (viewers); i++)
    viewers[i] = connect_numbered (fake, i);
  say_full (fake, alice, 0, 106, 1000, 0);
  for (guint i = 0; i < G_N_ELEMENTS (viewers); i++) {
    if (words (viewers[i], &word) == 0)
      continue;
    told++;
    g_assert_false (fake_ids_have (word.heard, 106));
    g_assert_true (fake_ids_have (word.rumoured, 106));
    g_assert_cmpint (word.rumoured_claim, ==, 1000);
  }
  g_assert_cmpuint (told, >=, 1);
  g_assert_cmpuint (told, <=, 3);
  /* It goes no further. */
  settle (fake);
  say_full (fake, alice, 0, 106, 1000, 107);
  settle (fake);
  for (guint i = 0; i < G_N_ELEMENTS (viewers); i++)
    g_assert_cmpuint (words (viewers[i], &word), ==, 0);
}

/* Who waits for it is told: what would be his turn is nobody's else. */
static void
check_taken_back (gint64 loading, gint64 heard)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *viewers[20];
  gboolean told[G_N_ELEMENTS (viewers)];
  g_auto (P2pCommand) word = { 0 };
  guint n_told = 0;

  for (guint i = 0; i < G_N_ELEMENTS (viewers); i++)
    viewers[i] = connect_numbered (fake, i);
  say (fake, alice, 105, loading, heard);
  for (guint i = 0; i < G_N_ELEMENTS (viewers); i++) {
    told[i] = words (viewers[i], &word) > 0;
    n_told += told[i];
  }
  g_assert_cmpuint (n_told, >, 0);
  settle (fake);
  say (fake, alice, 105, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (viewers); i++) {
    g_assert_cmpuint (words (viewers[i], &word), ==, told[i]);
    if (!told[i])
      continue;
    g_assert_false (fake_ids_have (word.heard, 106));
    g_assert_false (fake_ids_have (word.rumoured, 106));
  }
}

static void
test_claim_taken_back (void)
{
  check_taken_back (106, 0);
}

static void
test_hearsay_taken_back (void)
{
  check_taken_back (0, 106);
}

/* Two claim the same, who do not see each other: who comes later hears of it. */
static void
test_rivals_hear_of_each_other (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  gboolean alice_first =
      claim_of (NATIVE_ALICE, 106) < claim_of (NATIVE_BOB, 106);
  FakeConn *first, *second, *carol;
  g_auto (P2pCommand) word = { 0 };

  first = connect_viewer (fake, alice_first ? NATIVE_ALICE : NATIVE_BOB);
  second = connect_viewer (fake, alice_first ? NATIVE_BOB : NATIVE_ALICE);
  carol = connect_viewer (fake, NATIVE_CAROL);
  say_open (fake, second, 106);
  g_assert_cmpuint (words (first, &word), ==, 1);
  g_assert_cmpuint (words (carol, &word), ==, 1);
  settle (fake);
  say_open (fake, first, 106);
  g_assert_cmpuint (words (first, &word), ==, 0);
  g_assert_cmpuint (words (second, &word), ==, 1);
  g_assert_true (fake_ids_have (word.heard, 106));
  g_assert_cmpint (word.heard_claim, ==,
      claim_of (alice_first ? NATIVE_ALICE : NATIVE_BOB, 106));
  /* To who does not claim it, it is the same. */
  g_assert_cmpuint (words (carol, &word), ==, 0);
}

/* In whatever order. */
static void
test_rival_comes_later (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  gboolean alice_first =
      claim_of (NATIVE_ALICE, 106) < claim_of (NATIVE_BOB, 106);
  const char *worse = alice_first ? NATIVE_BOB : NATIVE_ALICE;
  FakeConn *teller = connect_viewer (fake, NATIVE_CAROL);
  FakeConn *claimer = connect_viewer (fake, worse);
  g_auto (P2pCommand) word = { 0 };

  say_full (fake, teller, 0, 106, 1, 0);
  words (claimer, &word);
  settle (fake);
  /* A rumour that it may have been told or not. */
  say_open (fake, claimer, 106);
  settle (fake);
  words (claimer, &word);
  g_assert_true (fake_ids_have (word.rumoured, 106));
  g_assert_cmpint (word.rumoured_claim, ==, 1);
}

/* Nor does it matter to who claims it what others claim, once it is on its way. */
static void
test_what_is_on_its_way_has_no_rivals (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };

  say_open (fake, alice, 106);
  words (bob, &word);
  settle (fake);
  say_full (fake, bob, 106, 0, 0, 0);
  g_assert_cmpuint (words (alice, &word), ==, 1);
  g_assert_true (fake_ids_have (word.heard, 106));
  g_assert_cmpint (word.heard_claim, ==, 0);
}

/* Who has heard of it need not hear it again. */
static void
test_word_that_is_known (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };

  say (fake, bob, 105, 0, 106);
  say (fake, alice, 105, 106, 0);
  g_assert_cmpuint (words (bob, &word), ==, 0);
}

/* What a peer has heard of is waited for as what it claims. */
static void
test_word_is_believed (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  gint64 begun_us;

  say (fake, alice, 105, 0, 106);
  fake_list_next (fake);
  fake_advance (fake, 500 * 1000);
  fake_request_segment (fake, 106);
  begun_us = fake->now_us;
  fake_advance (fake, 300 * 1000);
  g_assert_null (fake_http_segment (fake, 106));
  /* Until it is taken back. */
  say (fake, alice, 105, 0, 0);
  while (fake_http_segment (fake, 106) == NULL)
    fake_advance (fake, 10 * 1000);
  g_assert_cmpint (fake->now_us - begun_us, <, 500 * 1000);
}

/* While it comes it may be asked for; who gives it waits to hear that it has
 * come. */
static void
test_what_arrives_is_told (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  FakeConn *browser = connect_viewer (fake, BROWSER);
  g_auto (P2pCommand) word = { 0 };
  P2pCommand asked, heard;
  gboolean whole = FALSE;

  say (fake, alice, 106, 0, 0);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  words (bob, &word);
  g_assert_false (fake_ids_have (word.arriving, 106));
  fake_conn_data (fake, alice, &asked, SIZE);
  g_assert_cmpuint (words (bob, &word), ==, 0);
  fake_conn_segment (fake, alice, &asked, 0, 1000);
  g_assert_cmpuint (words (bob, &word), ==, 1);
  g_assert_true (fake_ids_have (word.arriving, 106));
  g_assert_false (fake_ids_have (word.loading, 106));
  g_assert_false (fake_ids_have (word.loaded, 106));
  g_assert_cmpuint (words (alice, &word), ==, 0);
  fake_conn_segment (fake, alice, &asked, 1000, SIZE - 1000);
  g_assert_cmpuint (words (alice, &word), ==, 1);
  g_assert_true (fake_ids_have (word.loaded, 106));
  /* To who only waits for it, that is the same. */
  g_assert_cmpuint (words (bob, &word), ==, 0);
  settle (fake);
  say (fake, alice, 106, 107, 0);
  g_assert_cmpuint (words (bob, &word), ==, 1);
  g_assert_true (fake_ids_have (word.loaded, 106));
  g_assert_false (fake_ids_have (word.arriving, 106));

  /* A browser hears of it when it is whole. */
  while (fake_conn_next (browser, &heard)) {
    g_assert_null (heard.arriving);
    g_assert_null (heard.heard);
    g_assert_null (heard.rumoured);
    whole = fake_ids_have (heard.loaded, 106);
    p2p_command_clear (&heard);
  }
  g_assert_true (whole);
}

/* Or nobody would ask anybody else for it. */
static void
test_what_is_lost_is_told (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };
  P2pCommand asked;

  say (fake, alice, 106, 0, 0);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_conn_data (fake, alice, &asked, SIZE);
  fake_conn_segment (fake, alice, &asked, 0, 1000);
  words (bob, &word);
  g_assert_true (fake_ids_have (word.arriving, 106));
  fake_conn_close (fake, alice);
  g_assert_cmpuint (words (bob, &word), ==, 1);
  g_assert_false (fake_ids_have (word.arriving, 106));
  g_assert_false (fake_ids_have (word.heard, 106));
}

/* What changes of other segments is no reason to repeat it. */
static void
test_told_once (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };
  P2pCommand asked;

  say (fake, alice, 106, 0, 0);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_conn_serve (fake, alice, &asked);
  words (alice, &word);
  words (bob, &word);
  settle (fake);
  say (fake, bob, 105, 107, 0);
  g_assert_cmpuint (words (alice, &word), ==, 1);
  g_assert_cmpuint (words (bob, &word), ==, 0);
}

/* Word of mouth that many have heard is not spread any more. */
static void
test_word_that_all_know (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };

  for (guint i = 0; i < 5; i++)
    say (fake, connect_numbered (fake, i), 105, 0, 106);
  words (bob, &word);
  say (fake, alice, 105, 106, 0);
  g_assert_cmpuint (words (bob, &word), ==, 0);
  say (fake, alice, 105, 107, 0);
  settle (fake);
  g_assert_cmpuint (words (bob, &word), ==, 1);
  g_assert_true (fake_ids_have (word.heard, 107));
}

static void
test_who_has_it_is_not_told (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *bob = connect_viewer (fake, NATIVE_BOB);
  g_auto (P2pCommand) word = { 0 };
  P2pCommand asked;

  say (fake, alice, 106, 0, 0);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  say (fake, bob, 106, 0, 0);
  words (bob, &word);
  fake_conn_serve (fake, alice, &asked);
  g_assert_cmpuint (words (bob, &word), ==, 0);
}

/* Whatever goes on among natives, browsers hear what they always heard. */
static void
test_browsers_hear_no_more (void)
{
  g_autoptr (FakePorts) fake = playing_live ();
  FakeConn *alice = connect_viewer (fake, NATIVE_ALICE);
  FakeConn *browser = fake_connect (fake, BROWSER);
  P2pCommand word;
  guint n = 0;

  for (gint64 id = 106; id < 116; id++) {
    P2pCommand asked;
    FakeHttp *http;

    fake_publish (fake, id - 5, 6, TRUE);
    fake_request (fake, FAKE_PLAYLIST);
    fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));
    if (id % 3 == 0) {
      say (fake, alice, id - 1, id, 0);
      fake_advance (fake, 50 * 1000);
      say (fake, alice, id, 0, 0);
      if (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked))
        fake_conn_serve (fake, alice, &asked);
    } else if (id % 3 == 1) {
      say (fake, alice, id, 0, id + 1);
    }
    fake_advance (fake, FAKE_SEGMENT_US / 2);
    fake_request_segment (fake, id);
    while ((http = fake_http_segment (fake, id)) != NULL) {
      g_autoptr (GBytes) body = fake_http_begin (fake, http);

      fake_conn_request (fake, alice, id, id, 0);
      fake_http_data (fake, http, g_bytes_get_data (body, NULL), SIZE);
      fake_http_done (fake, http);
    }
    fake_advance (fake, FAKE_SEGMENT_US / 2);
  }
  while (fake_conn_next (browser, &word)) {
    n += word.kind == P2P_COMMAND_ANNOUNCE;
    g_assert_null (word.arriving);
    g_assert_null (word.heard);
    g_assert_null (word.rumoured);
    g_assert_false (word.has_open);
    g_assert_cmpint (word.heard_claim, ==, P2P_NEVER);
    p2p_command_clear (&word);
  }
  g_assert_cmpuint (n, >, 10);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/announce/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("word-of-mouth", test_word_of_mouth);
  ADD ("claim-comes-again", test_claim_comes_again);
  ADD ("word-has-a-pace", test_word_has_a_pace);
  ADD ("no-echo-of-a-rumour", test_no_echo_of_a_rumour);
  ADD ("no-echo-of-hearsay", test_no_echo_of_hearsay);
  ADD ("claimer-goes", test_claimer_goes);
  ADD ("rumour", test_rumour);
  ADD ("claim-taken-back", test_claim_taken_back);
  ADD ("hearsay-taken-back", test_hearsay_taken_back);
  ADD ("rivals-hear-of-each-other", test_rivals_hear_of_each_other);
  ADD ("rival-comes-later", test_rival_comes_later);
  ADD ("what-is-on-its-way-has-no-rivals",
      test_what_is_on_its_way_has_no_rivals);
  ADD ("word-that-is-known", test_word_that_is_known);
  ADD ("word-is-believed", test_word_is_believed);
  ADD ("what-arrives-is-told", test_what_arrives_is_told);
  ADD ("what-is-lost-is-told", test_what_is_lost_is_told);
  ADD ("told-once", test_told_once);
  ADD ("word-that-all-know", test_word_that_all_know);
  ADD ("who-has-it-is-not-told", test_who_has_it_is_not_told);
  ADD ("browsers-hear-no-more", test_browsers_hear_no_more);

  return g_test_run ();
}

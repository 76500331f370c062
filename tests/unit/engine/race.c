/* p2phlssrc: tests of a peer that races a slow origin.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-AA0000-alice0000000"
#define BOB "-BB0000-bob000000000"
/* What a peer must be in front by at least, and more. */
#define LEAD 20000

/* The origin sends what the player waits for, and Alice has it, too. */
typedef struct
{
  FakePorts *fake;
  FakeConn *alice;
  FakeHttp *http;
  FakeRequest *request;
  gint64 id;
  gsize sent;
  P2pCommand asked;
} Race;

static void
ask_origin (Race *race, gint64 id)
{
  race->id = id;
  race->sent = 0;
  race->request = fake_request_segment (race->fake, id);
  while ((race->http = fake_http_segment (race->fake, id)) == NULL)
    fake_advance (race->fake, 10 * 1000);
}

static void
race_init (Race *race)
{
  race->fake = fake_ports_playing (NULL);
  race->fake->resource = SIZE;
  race->alice = fake_connect (race->fake, ALICE);
  ask_origin (race, 4);
  fake_conn_has (race->fake, race->alice, 4);
}

static void
race_clear (Race *race)
{
  fake_ports_free (race->fake);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Race, race_clear)

static void
origin_sends (Race *race, gsize length)
{
  g_autoptr (GBytes) whole = fake_segment (race->id, SIZE);
  const char *data = g_bytes_get_data (whole, NULL);

  fake_http_data (race->fake, race->http, data + race->sent, length);
  race->sent += length;
}

/* Each tenth of a second @step bytes. Returns: whether Alice is asked before the
 * origin has sent @most. */
static gboolean
is_raced (Race *race, gsize step, gsize most)
{
  fake_http_headers (race->fake, race->http, 200, 0, SIZE);
  while (race->sent < most) {
    if (fake_conn_find (race->alice, P2P_COMMAND_REQUEST, &race->asked))
      return TRUE;
    origin_sends (race, MIN (step, SIZE - race->sent));
    if (!race->http->over)
      fake_advance (race->fake, 100 * 1000);
  }

  return FALSE;
}

static void
race_begin (Race *race)
{
  race_init (race);
  g_assert_true (is_raced (race, 1000, 10000));
  g_assert_cmpint (race->asked.segment_id, ==, 4);
  g_assert_cmpuint (race->asked.byte_from, ==, race->sent);
}

/* The origin has not even sent headers. */
static void
race_begin_unanswered (Race *race)
{
  fake_advance (race->fake, FAKE_SEGMENT_US / 2);
  g_assert_true (
      fake_conn_find (race->alice, P2P_COMMAND_REQUEST, &race->asked));
  g_assert_cmpuint (race->asked.byte_from, ==, 0);
}

/* And there is nothing left to play. */
static void
race_begin_dry (Race *race)
{
  race->fake = fake_ports_playing (NULL);
  race->alice = fake_connect (race->fake, ALICE);
  fake_advance (race->fake, 6 * FAKE_SEGMENT_US);
  ask_origin (race, 4);
  fake_conn_has (race->fake, race->alice, 4);
  race_begin_unanswered (race);
}

/* @from: in the segment. */
static void
alice_sends (Race *race, gsize from, gsize length)
{
  if (from == (gsize) race->asked.byte_from)
    fake_conn_data (race->fake, race->alice, &race->asked, SIZE - from);
  fake_conn_segment (race->fake, race->alice, &race->asked, from, length);
}

static void
assert_alice_is_left (Race *race)
{
  P2pCommand command;

  g_assert_true (fake_conn_find (race->alice, P2P_COMMAND_CANCEL, &command));
  g_assert_cmpint (command.request_id, ==, race->asked.request_id);
}

static void
origin_ends (Race *race)
{
  origin_sends (race, SIZE - race->sent);
  fake_http_done (race->fake, race->http);
  fake_assert_segment (race->request, race->id, SIZE);
}

/* What both have sent is used once. */
static void
test_peer_wins (void)
{
  g_auto (Race) race = { 0 };
  g_autoptr (P2pStats) stats = NULL;
  gsize from;

  race_begin (&race);
  from = race.asked.byte_from;
  alice_sends (&race, from, 5000);
  g_assert_false (race.http->over);
  origin_sends (&race, 1000);
  g_assert_cmpuint (race.request->body->len, ==, from + 1000);
  alice_sends (&race, from + 5000, LEAD);
  g_assert_true (race.http->cancelled);
  g_assert_cmpuint (race.request->body->len, ==, from + 5000 + LEAD);
  alice_sends (&race, from + 5000 + LEAD, SIZE - from - 5000 - LEAD);
  fake_assert_segment (race.request, 4, SIZE);
  g_assert_cmpuint (fake_http_segment_count (race.fake, 4), ==, 1);
  stats = fake_stats (race.fake);
  g_assert_cmpuint (stats->overhead_bytes, ==, 1000);
  g_assert_cmpuint (stats->http_bytes, ==, 4 * SIZE + from + 1000);
  g_assert_cmpuint (stats->p2p_bytes, ==, SIZE - from - 1000);
}

/* The whole rest at once, in messages that the origin has partly sent. */
static void
test_peer_sends_all (void)
{
  g_auto (Race) race = { 0 };
  gsize from;

  race_begin (&race);
  from = race.asked.byte_from;
  origin_sends (&race, 30000);
  alice_sends (&race, from, SIZE - from);
  fake_assert_segment (race.request, 4, SIZE);
}

/* A peer that sends a little ends no answer of the origin; and as our line may be
 * what is thin, nobody is asked again soon. */
static void
test_origin_wins (void)
{
  g_auto (Race) race = { 0 };

  race_begin (&race);
  alice_sends (&race, race.asked.byte_from, 1);
  for (guint i = 0; i < 4; i++) {
    origin_sends (&race, 1000);
    fake_advance (race.fake, 100 * 1000);
  }
  assert_alice_is_left (&race);
  g_assert_false (race.http->over);
  origin_ends (&race);
  fake_conn_close (race.fake, race.alice);
  fake_advance (race.fake, 20 * G_USEC_PER_SEC);

  ask_origin (&race, 12);
  race.alice = fake_connect (race.fake, BOB);
  fake_conn_has (race.fake, race.alice, 12);
  g_assert_false (is_raced (&race, 1000, 10000));
}

static void
test_peer_is_silent (void)
{
  g_auto (Race) race = { 0 };

  race_begin (&race);
  for (guint i = 0; i < 21; i++) {
    origin_sends (&race, 1000);
    fake_advance (race.fake, 100 * 1000);
  }
  assert_alice_is_left (&race);
  origin_ends (&race);
}

/* Who gets in front and stops there makes the player wait for a second. Three of
 * them, and nobody else is asked. */
static void
test_peers_win_and_stop (void)
{
  g_auto (Race) race = { 0 };
  guint races = 0;

  race_init (&race);
  fake_http_headers (race.fake, race.http, 200, 0, SIZE);
  for (guint i = 0; i < 50 && !race.request->ended; i++) {
    if (fake_conn_find (race.alice, P2P_COMMAND_REQUEST, &race.asked)
        && race.asked.segment_id == 4) {
      char id[] = "-CC0000-carol000000?";

      races++;
      alice_sends (&race, race.asked.byte_from, LEAD);
      g_assert_true (race.http->over);
      fake_advance (race.fake, 1100 * 1000);
      assert_alice_is_left (&race);
      id[19] = 'a' + races;
      race.alice = fake_connect (race.fake, id);
      fake_conn_has (race.fake, race.alice, 4);
      race.http = fake_http_segment (race.fake, 4);
      g_assert_nonnull (race.http);
      g_assert_cmpuint (race.http->range.start, ==, race.request->body->len);
      race.sent = race.http->range.start;
      fake_http_headers (
          race.fake, race.http, 206, race.sent, SIZE - race.sent);
    }
    origin_sends (&race, 1000);
    fake_advance (race.fake, 100 * 1000);
  }
  g_assert_cmpuint (races, ==, 3);
  origin_ends (&race);
}

/* No headers even: what the segment measures, she says. */
static void
test_origin_does_not_answer (void)
{
  g_auto (Race) race = { 0 };

  race_init (&race);
  race_begin_unanswered (&race);
  alice_sends (&race, 0, LEAD);
  g_assert_true (race.http->cancelled);
  alice_sends (&race, LEAD, SIZE - LEAD);
  fake_assert_segment (race.request, 4, SIZE);
}

/* Although there is nothing left to play: it would be no quicker now than it was. */
static void
test_overtaken_origin_is_left (void)
{
  g_auto (Race) race = { 0 };

  race_begin_dry (&race);
  for (gsize from = 0; from < SIZE; from += LEAD) {
    alice_sends (&race, from, LEAD);
    fake_advance (race.fake, 100 * 1000);
    g_assert_null (fake_http_segment (race.fake, 4));
  }
  fake_assert_segment (race.request, 4, SIZE);
}

/* Who gets in front of a silent origin and trickles then is no help; nor is she
 * asked again. */
static void
test_winner_that_trickles (void)
{
  g_auto (Race) race = { 0 };
  gsize from = LEAD;
  P2pCommand again;

  race_begin_dry (&race);
  alice_sends (&race, 0, LEAD);
  for (guint i = 0; fake_http_segment (race.fake, 4) == NULL; i++) {
    g_assert_cmpuint (i, <, 15);
    fake_advance (race.fake, 100 * 1000);
    alice_sends (&race, from, 100);
    from += 100;
  }
  fake_advance (race.fake, FAKE_SEGMENT_US / 2);
  g_assert_false (fake_conn_find (race.alice, P2P_COMMAND_REQUEST, &again));
}

/* It answers after all, and she has said the same, another thing, or nothing. */
static void
test_origin_answers_late (void)
{
  for (guint i = 0; i < 3; i++) {
    g_auto (Race) race = { 0 };
    P2pCommand cancel;

    race_init (&race);
    race_begin_unanswered (&race);
    if (i < 2)
      fake_conn_data (race.fake, race.alice, &race.asked, SIZE - i);
    fake_http_headers (race.fake, race.http, 200, 0, SIZE);
    g_assert_true (
        fake_conn_find (race.alice, P2P_COMMAND_CANCEL, &cancel) == (i == 1));
    origin_ends (&race);
  }
}

/* She has been asked, or sends: the end of the body is no reason to ask anew. */
static void
test_origin_breaks_off (void)
{
  for (guint begun = 0; begun < 2; begun++) {
    g_auto (Race) race = { 0 };
    gsize from;
    P2pCommand again;

    race_begin (&race);
    from = race.asked.byte_from;
    if (begun)
      alice_sends (&race, from, 1000);
    fake_http_fail (
        race.fake, race.http, P2P_HTTP_FAILURE_TIMEOUT, 0, "broken off");
    alice_sends (&race, begun ? from + 1000 : from,
        begun ? SIZE - from - 1000 : SIZE - from);
    fake_assert_segment (race.request, 4, SIZE);
    g_assert_false (fake_conn_find (race.alice, P2P_COMMAND_REQUEST, &again));
    g_assert_cmpuint (fake_http_segment_count (race.fake, 4), ==, 1);
  }
}

/* It was behind, and had said another length than the next. */
static void
test_origin_breaks_off_in_front (void)
{
  g_auto (Race) race = { 0 };
  FakeConn *bob;
  P2pCommand asked;

  race_init (&race);
  race_begin_unanswered (&race);
  fake_conn_data (race.fake, race.alice, &race.asked, SIZE + 50000);
  fake_conn_segment (race.fake, race.alice, &race.asked, 0, 1000);
  fake_http_headers (race.fake, race.http, 200, 0, P2P_SIZE_UNKNOWN);
  assert_alice_is_left (&race);
  origin_sends (&race, 2000);
  bob = fake_connect (race.fake, BOB);
  fake_conn_has (race.fake, bob, 4);
  fake_http_fail (
      race.fake, race.http, P2P_HTTP_FAILURE_TIMEOUT, 0, "broken off");
  while (!fake_conn_find (bob, P2P_COMMAND_REQUEST, &asked)
      || asked.segment_id != 4)
    fake_advance (race.fake, 100 * 1000);
  g_assert_cmpuint (asked.byte_from, ==, 2000);
  fake_conn_data (race.fake, bob, &asked, SIZE - 2000);
  fake_conn_segment (race.fake, race.alice, &race.asked, 1000, 40000);
  fake_conn_segment (race.fake, bob, &asked, 2000, SIZE - 2000);
  fake_assert_segment (race.request, 4, SIZE);
}

/* It cannot go on from the middle, or does not say how long it is. */
static void
test_origin_answers_otherwise (void)
{
  for (guint i = 0; i < 2; i++) {
    g_auto (Race) race = { 0 };

    race_init (&race);
    race.fake->without_ranges = i == 0;
    race_begin_unanswered (&race);
    fake_http_headers (
        race.fake, race.http, 200, 0, i == 0 ? SIZE : P2P_SIZE_UNKNOWN);
    assert_alice_is_left (&race);
    origin_ends (&race);
  }
}

static void
test_peer_leaves (void)
{
  g_auto (Race) race = { 0 };

  race_begin (&race);
  alice_sends (&race, race.asked.byte_from, 5000);
  fake_conn_close (race.fake, race.alice);
  origin_ends (&race);
}

/* The player goes elsewhere while they race; it comes back. */
static void
test_player_leaves (void)
{
  g_auto (Race) race = { 0 };
  gsize from;

  race_begin (&race);
  from = race.asked.byte_from;
  fake_request_cancel (race.fake, race.request);
  alice_sends (&race, from, LEAD);
  g_assert_true (race.http->cancelled);
  alice_sends (&race, from + LEAD, SIZE - from - LEAD);
  fake_assert_segment (fake_request_segment (race.fake, 4), 4, SIZE);
}

/* It gives the segment as fast as it plays; it could not go on from the middle if
 * the peer failed. */
static void
test_no_race (void)
{
  for (guint i = 0; i < 2; i++) {
    g_auto (Race) race = { 0 };

    race_init (&race);
    race.fake->without_ranges = i == 1;
    g_assert_false (is_raced (&race, i == 1 ? 1000 : SIZE / 18, SIZE));
    fake_http_done (race.fake, race.http);
    fake_assert_segment (race.request, 4, SIZE);
  }
}

/* The line has given @step bytes each tenth of a second, for twelve segments. */
static void
race_init_on_line (Race *race, gsize step)
{
  race_init (race);
  fake_conn_close (race->fake, race->alice);
  for (gint64 id = 4; id < 16; id++) {
    if (id > 4)
      ask_origin (race, id);
    is_raced (race, step, SIZE);
    fake_http_done (race->fake, race->http);
    fake_assert_segment (race->request, id, SIZE);
  }
}

/* The line has not given more lately, from anybody: it is the line that is thin. */
static void
test_thin_line (void)
{
  g_auto (Race) race = { 0 };

  race_init_on_line (&race, 4000);
  ask_origin (&race, 16);
  race.alice = fake_connect (race.fake, BOB);
  fake_conn_has (race.fake, race.alice, 16);
  g_assert_false (is_raced (&race, 4000, SIZE));
}

/* What peers send at the same time takes its part of the line. */
static void
test_line_is_shared (void)
{
  g_auto (Race) race = { 0 };
  FakeConn *bob;
  P2pCommand asked;

  race_init_on_line (&race, 20000);
  fake_advance (race.fake, 300 * 1000);
  race.alice = fake_connect (race.fake, ALICE);
  bob = fake_connect (race.fake, BOB);
  fake_conn_has (race.fake, bob, 17);
  g_assert_true (fake_conn_find (bob, P2P_COMMAND_REQUEST, &asked));
  fake_conn_data (race.fake, bob, &asked, SIZE);
  ask_origin (&race, 16);
  fake_conn_has (race.fake, race.alice, 16);
  fake_http_headers (race.fake, race.http, 200, 0, SIZE);
  origin_sends (&race, 10000);
  fake_conn_segment (race.fake, bob, &asked, 0, SIZE / 2);
  fake_advance (race.fake, 600 * 1000);
  g_assert_false (
      fake_conn_find (race.alice, P2P_COMMAND_REQUEST, &race.asked));
  fake_advance (race.fake, FAKE_SEGMENT_US);
  g_assert_true (fake_conn_find (race.alice, P2P_COMMAND_REQUEST, &race.asked));
}

/* Overtaken once, it is raced from the beginning for some time. */
static void
test_origin_was_slow (void)
{
  g_auto (Race) race = { 0 };
  gsize from;

  race_begin (&race);
  from = race.asked.byte_from;
  alice_sends (&race, from, SIZE - from);
  fake_assert_segment (race.request, 4, SIZE);
  fake_advance (race.fake, 5 * G_USEC_PER_SEC);
  ask_origin (&race, 5);
  fake_conn_has (race.fake, race.alice, 5);
  fake_advance (race.fake, 200 * 1000);
  g_assert_true (fake_conn_find (race.alice, P2P_COMMAND_REQUEST, &race.asked));
  g_assert_cmpint (race.asked.segment_id, ==, 5);
  g_assert_false (race.http->over);
}

#define ADD(name, func) g_test_add_func ("/engine/race/" name, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("peer-wins", test_peer_wins);
  ADD ("peer-sends-all", test_peer_sends_all);
  ADD ("origin-wins", test_origin_wins);
  ADD ("peer-is-silent", test_peer_is_silent);
  ADD ("peers-win-and-stop", test_peers_win_and_stop);
  ADD ("origin-does-not-answer", test_origin_does_not_answer);
  ADD ("overtaken-origin-is-left", test_overtaken_origin_is_left);
  ADD ("winner-that-trickles", test_winner_that_trickles);
  ADD ("origin-answers-late", test_origin_answers_late);
  ADD ("origin-breaks-off", test_origin_breaks_off);
  ADD ("origin-breaks-off-in-front", test_origin_breaks_off_in_front);
  ADD ("origin-answers-otherwise", test_origin_answers_otherwise);
  ADD ("peer-leaves", test_peer_leaves);
  ADD ("player-leaves", test_player_leaves);
  ADD ("no-race", test_no_race);
  ADD ("thin-line", test_thin_line);
  ADD ("line-is-shared", test_line_is_shared);
  ADD ("origin-was-slow", test_origin_was_slow);

  return g_test_run ();
}

/* p2phlssrc: tests of the peer protocol, both roles.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-PM0500-alice0000000"
#define BOB "-PM0500-bob000000000"
#define NATIVE "-GS0100-nora00000000"
#define OTHER_NATIVE "-GS0100-nils00000000"

static guint
connected (FakePorts *fake)
{
  g_autoptr (P2pStats) stats = fake_stats (fake);

  return stats->peers;
}

static guint64
overhead (FakePorts *fake)
{
  g_autoptr (P2pStats) stats = fake_stats (fake);

  return stats->overhead_bytes;
}

/* Whatever a peer did, the player gets its segment, over HTTP if need be. */
static void
assert_player_is_served (FakePorts *fake, FakeRequest *request, gint64 id)
{
  for (guint i = 0; !request->ended && i < 50; i++) {
    FakeHttp *http;

    fake_advance (fake, 100 * 1000);
    http = fake_http_segment (fake, id);
    if (http != NULL)
      fake_http_answer (fake, http);
  }
  fake_assert_segment (request, id, SIZE);
}

/* --- what we ask ------------------------------------------------------------ */

static void
test_request_fields (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand first, second;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &first);
  static const gint64 ids[] = { 5 };

  g_assert_cmpint (first.byte_from, ==, 0);
  g_assert_cmpint (first.request_id, >=, 0);
  /* One at a time. */
  fake_conn_announce (fake, conn, ids, 1, NULL, 0);
  g_assert_false (fake_conn_find (conn, P2P_COMMAND_REQUEST, &second));
  fake_conn_serve (fake, conn, &first);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &second));
  g_assert_cmpint (second.segment_id, ==, 5);
  g_assert_cmpint (second.request_id, !=, first.request_id);
}

static void
test_foreign_data_is_ignored (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked, other;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  other = asked;
  other.request_id++;
  fake_conn_data (fake, conn, &other, 10);
  fake_conn_segment (fake, conn, &other, 0, 10);
  other = asked;
  other.segment_id++;
  fake_conn_data (fake, conn, &other, 10);
  fake_conn_segment (fake, conn, &other, 0, 10);
  g_assert_cmpuint (request->body->len, ==, 0);
  g_assert_cmpuint (overhead (fake), ==, 20);
  /* The right one, and a second time. */
  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_data (fake, conn, &asked, 77);
  fake_conn_segment (fake, conn, &asked, 0, SIZE);
  fake_assert_segment (request, 4, SIZE);
  fake_conn_completed (fake, conn, &asked);
  g_assert_false (conn->over);
}

static void
test_foreign_completed_is_ignored_before_data (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);

  fake_conn_completed (fake, conn, &asked);
  g_assert_false (conn->over);
  asked.request_id += 5;
  fake_conn_completed (fake, conn, &asked);
  g_assert_false (conn->over);
}

static void
test_zero_length_is_no_segment (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_data (fake, conn, &asked, 0);
  g_assert_true (conn->over);
  assert_player_is_served (fake, request, 4);
}

static void
test_sizes_out_of_bounds (void)
{
  static const gint64 sizes[] = { -1, (gint64) P2P_SEGMENT_MAX_BYTES + 1,
    G_GINT64_CONSTANT (1) << 52 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    P2pCommand asked;
    FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
    FakeRequest *request = fake_request_segment (fake, 4);

    fake_conn_data (fake, conn, &asked, sizes[i]);
    g_assert_true (conn->over);
    assert_player_is_served (fake, request, 4);
  }
}

static void
test_overflow (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, SIZE - 10);
  fake_conn_segment (fake, conn, &asked, SIZE - 10, 11);
  g_assert_true (conn->over);
  g_assert_cmpuint (request->body->len, ==, SIZE - 10);
  assert_player_is_served (fake, request, 4);
}

static void
test_completed_too_early (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_data (fake, conn, &asked, SIZE);
  fake_conn_segment (fake, conn, &asked, 0, SIZE - 1);
  fake_conn_completed (fake, conn, &asked);
  g_assert_true (conn->over);
  assert_player_is_served (fake, request, 4);
}

static void
test_completed_another (void)
{
  for (guint how = 0; how < 2; how++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    P2pCommand asked;
    FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
    FakeRequest *request = fake_request_segment (fake, 4);

    fake_conn_data (fake, conn, &asked, SIZE);
    fake_conn_segment (fake, conn, &asked, 0, 100);
    asked.request_id += how;
    asked.segment_id += 1 - how;
    fake_conn_completed (fake, conn, &asked);
    g_assert_true (conn->over);
    assert_player_is_served (fake, request, 4);
  }
}

static void
say_absent (FakePorts *fake, FakeConn *conn, gint64 segment, gint64 request)
{
  P2pCommand absent = {
    .kind = P2P_COMMAND_ABSENT,
    .segment_id = segment,
    .request_id = request,
  };

  fake_conn_command (fake, conn, &absent);
}

static void
test_absent (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked, again;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);

  say_absent (fake, conn, 4, asked.request_id);
  g_assert_false (conn->over);
  /* Not asked for it again, until it announces it anew. */
  fake_advance (fake, 10 * 1000);
  g_assert_false (fake_conn_find (conn, P2P_COMMAND_REQUEST, &again));
  assert_player_is_served (fake, request, 4);
  fake_conn_has (fake, conn, 5);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &again));
  g_assert_cmpint (again.segment_id, ==, 5);
}

static void
test_absent_of_another (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  static const gint64 ids[] = { 4, 5 };
  FakeConn *conn = fake_connect (fake, ALICE);
  P2pCommand asked;

  fake_conn_announce (fake, conn, ids, 2, NULL, 0);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  say_absent (fake, conn, 5, asked.request_id + 7);
  fake_conn_serve (fake, conn, &asked);
  g_assert_cmpint (asked.segment_id, ==, 4);
  g_assert_false (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  g_assert_false (conn->over);
}

/* What has come is said to who knows what to do with it. */
static void
test_cancel_says_what_came (void)
{
  static const char *const ids[] = { ALICE, "-GS0100-nancy0000000" };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    FakeConn *conn = fake_connect (fake, ids[i]);
    P2pCommand asked, cancel;

    fake_conn_has (fake, conn, 4);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
    fake_conn_data (fake, conn, &asked, SIZE);
    fake_conn_segment (fake, conn, &asked, 0, 1000);
    fake_advance (fake, 3 * G_USEC_PER_SEC);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_CANCEL, &cancel));
    g_assert_cmpint (cancel.has_size, ==, i == 1);
    g_assert_cmpint (cancel.size, ==, i == 1 ? 1000 : 0);
  }
}

/* Three silences in a row. */
static void
test_strikes (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  P2pCommand asked, cancel;

  for (guint i = 0; i < 3; i++) {
    g_assert_false (conn->over);
    fake_conn_has (fake, conn, 4 + i);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
    if (i == 1)
      fake_conn_data (fake, conn, &asked, SIZE);
    fake_advance (fake, 3 * G_USEC_PER_SEC);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_CANCEL, &cancel));
    g_assert_cmpint (cancel.request_id, ==, asked.request_id);
    g_assert_cmpint (cancel.segment_id, ==, asked.segment_id);
  }
  g_assert_true (conn->over);
  g_assert_cmpuint (connected (fake), ==, 0);
}

/* A segment that arrives clears them; each byte restarts the clock. */
static void
test_strikes_are_forgiven (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *conn;
  P2pCommand asked;

  /* Nothing ahead over HTTP. */
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, ALICE);

  for (gint64 id = 4; id < 14; id++) {
    fake_request_segment (fake, 3); /* somebody plays */
    fake_conn_has (fake, conn, id);
    fake_advance (fake, 250 * 1000);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
    if (id % 3 == 0) {
      fake_conn_data (fake, conn, &asked, SIZE);
      for (gsize at = 0; at < SIZE; at += SIZE / 4) {
        fake_advance (fake, 3 * G_USEC_PER_SEC / 2);
        fake_conn_segment (fake, conn, &asked, at, SIZE / 4);
      }
      fake_conn_completed (fake, conn, &asked);
    } else {
      fake_advance (fake, 3 * G_USEC_PER_SEC);
    }
    g_assert_false (conn->over);
  }
}

/* What is played soon is asked for at once, what is played in a minute after a
 * while: of a film everybody stores something all the time. */
static void
test_news_of_a_film (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);
  P2pCommand asked;

  fake_conn_has (fake, alice, 30);
  fake_conn_has (fake, bob, 5);
  g_assert_true (fake_conn_find (bob, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, 5);
  fake_conn_has (fake, bob, 31);
  g_assert_false (fake_conn_find (bob, P2P_COMMAND_REQUEST, &asked));
  fake_advance (fake, 250 * 1000);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, 30);
}

static void
test_prefetch_gives_way_to_the_player (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked, cancel;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  static const gint64 ids[] = { 4, 30 };
  FakeRequest *request;

  /* The player jumps: what she prefetches for us gives way. */
  fake_conn_announce (fake, conn, ids, 2, NULL, 0);
  fake->consumer = 1;
  request = fake_request_segment (fake, 30);
  if (fake_http_segment (fake, 30) == NULL) {
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_CANCEL, &cancel));
    g_assert_cmpint (cancel.request_id, ==, asked.request_id);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
    g_assert_cmpint (asked.segment_id, ==, 30);
  }
  assert_player_is_served (fake, request, 30);
}

/* --- natives that are busy, or pass on --------------------------------------------- */

static void
announce_arriving (FakePorts *fake, FakeConn *conn, gint64 id)
{
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };

  command.arriving = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_val (command.arriving, id);
  fake_conn_command (fake, conn, &command);
}

/* Lets time pass until @conn is asked again. Returns: how much. */
static gint64
await_request (FakePorts *fake, FakeConn *conn, P2pCommand *asked)
{
  gint64 begun_us = fake->now_us;

  while (!fake_conn_find (conn, P2P_COMMAND_REQUEST, asked)) {
    fake_advance (fake, 1000);
    g_assert_cmpint (fake->now_us - begun_us, <, 10 * G_USEC_PER_SEC);
  }

  return fake->now_us - begun_us;
}

/* It is asked again soon, later each time, until it says yes. */
static void
test_busy (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *conn;
  P2pCommand asked;
  gint64 waited_us = 0, longest_us = 0;

  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  conn = fake_connect_holder (fake, NATIVE, &asked);
  for (guint refusals = 0; refusals < 10; refusals++) {
    say_absent (fake, conn, 4, asked.request_id);
    waited_us = await_request (fake, conn, &asked);
    g_assert_cmpint (asked.segment_id, ==, 4);
    g_assert_cmpint (waited_us, >=, 80 * 1000);
    longest_us = MAX (longest_us, waited_us);
    if (refusals == 0)
      g_assert_cmpint (waited_us, <=, 161 * 1000);
  }
  g_assert_cmpint (longest_us, >, 500 * 1000);
  g_assert_cmpint (longest_us, <, 1500 * 1000);
  /* A yes is a new beginning. */
  fake_conn_serve (fake, conn, &asked);
  fake_conn_has (fake, conn, 5);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  say_absent (fake, conn, 5, asked.request_id);
  g_assert_cmpint (await_request (fake, conn, &asked), <=, 161 * 1000);
  g_assert_false (conn->over);
}

static void
test_busy_one_is_passed_over (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *busy = fake_connect_holder (fake, NATIVE, &asked);
  FakeConn *other = fake_connect (fake, OTHER_NATIVE);

  fake_conn_has (fake, other, 4);
  g_assert_false (fake_conn_find (other, P2P_COMMAND_REQUEST, &asked));
  say_absent (fake, busy, 4, 1);
  g_assert_true (fake_conn_find (other, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, 4);
}

/* The player is not kept waiting by who never says yes. */
static void
test_busy_for_ever (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, NATIVE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);
  gint64 begun_us = fake->now_us;

  say_absent (fake, conn, 4, asked.request_id);
  while (fake_http_segment (fake, 4) == NULL) {
    if (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked))
      say_absent (fake, conn, 4, asked.request_id);
    fake_advance (fake, 10 * 1000);
  }
  g_assert_cmpint (fake->now_us - begun_us, <, 2 * FAKE_SEGMENT_US);
  assert_player_is_served (fake, request, 4);
  g_assert_false (conn->over);
}

/* What still arrives there can be asked for. */
static void
test_asks_for_what_arrives (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, NATIVE);
  FakeRequest *request;
  P2pCommand asked;

  announce_arriving (fake, conn, 4);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, 4);
  request = fake_request_segment (fake, 4);
  fake_conn_serve (fake, conn, &asked);
  fake_assert_segment (request, 4, SIZE);
}

/* Who passes on may be kept waiting itself: three of its silences are one. */
static void
test_strikes_of_a_relay (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  guint strikes = 0;
  FakeConn *conn;

  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, NATIVE);
  while (!conn->over) {
    P2pCommand asked;

    fake_request_segment (fake, 3); /* somebody plays */
    announce_arriving (fake, conn, 4 + strikes % 4);
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
    fake_advance (fake, 3 * G_USEC_PER_SEC);
    strikes++;
    g_assert_cmpuint (strikes, <, 30);
  }
  g_assert_cmpuint (strikes, ==, 9);
}

/* --- rubbish ------------------------------------------------------------------ */

static void
test_bytes_nobody_asked_for (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  g_autofree char *noise = g_malloc0 (60000);
  guint64 sent = 0;

  /* Some may be the end of what we no longer wanted. */
  while (!conn->over) {
    fake_conn_message (fake, conn, noise, 60000);
    sent += 60000;
    g_assert_cmpuint (sent, <, 64 * 1024 * 1024);
  }
  g_assert_cmpuint (overhead (fake), ==, sent);
  g_assert_cmpuint (connected (fake), ==, 0);
}

static void
send_in_pieces (gsize piece, gboolean is_crumbs)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  FakeRequest *request = fake_request_segment (fake, 4);
  gsize at;

  fake_conn_data (fake, conn, &asked, SIZE);
  for (at = 0; at < SIZE && !conn->over; at += piece)
    fake_conn_segment (fake, conn, &asked, at, MIN (piece, SIZE - at));
  g_assert_true (conn->over == is_crumbs);
  if (is_crumbs)
    g_assert_cmpuint (at, <, 2000);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
}

/* What a message costs beside its bytes is bounded by them. */
static void
test_crumbs (void)
{
  send_in_pieces (1, TRUE);
  send_in_pieces (200, FALSE);
  send_in_pieces (16384, FALSE);
}

static void
test_text (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  const char *text = "{\"c\":3,\"i\":\"stream+V0+2\"}";
  FakeRequest *request = fake_request_segment (fake, 4);

  fake_conn_message (fake, conn, text, strlen (text));
  fake_conn_message (fake, conn, "", 0);
  g_assert_false (conn->over);
  fake_conn_serve (fake, conn, &asked);
  fake_assert_segment (request, 4, SIZE);
}

static void
test_malformed_commands (void)
{
  static const struct
  {
    const char *data;
    gsize length;
  } frames[] = {
    { "cstr\x63"
      "cend",
        9 },           /* no such command */
    { "cstrcend", 8 }, /* nothing in it */
    { "cstr\x01"
      "i\x01\x05"
      "cend",
        12 }, /* no request id */
    { "cstr\x01i\x0f\x01"
      "cend",
        12 }, /* cut off */
    { "cstr\x00l\x10\x05\x01\x00\x09\x01"
      "cend",
        16 }, /* cut off list */
    { "dstr\x01"
      "abcend",
        11 }, /* the end of nothing */
    { "cstr\x00l\xf0\x00"
      "cend",
        12 }, /* no such type */
  };

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
    P2pCommand asked;
    FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
    FakeConn *other = fake_connect (fake, BOB);
    FakeRequest *request = fake_request_segment (fake, 4);

    g_test_message ("frame %u", i);
    fake_conn_message (fake, conn, frames[i].data, frames[i].length);
    g_assert_true (conn->over);
    g_assert_false (other->over);
    g_assert_cmpuint (connected (fake), ==, 1);
    assert_player_is_served (fake, request, 4);
  }
}

static void
test_message_over_the_bound (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  g_autofree char *data = g_malloc0 (P2P_MESSAGE_ACCEPT_BYTES + 1);

  fake_conn_message (fake, conn, data, P2P_MESSAGE_ACCEPT_BYTES + 1);
  g_assert_true (conn->over);
}

static void
test_command_without_end (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  g_autofree char *data = g_malloc0 (65000);
  guint64 sent = 0;

  memcpy (data, "cstr", 4);
  memcpy (data + 65000 - 4, "dend", 4);
  while (!conn->over) {
    fake_conn_message (fake, conn, data, 65000);
    memcpy (data, "dstr", 4);
    sent += 65000;
    g_assert_cmpuint (sent, <=, 2 * P2P_COMMAND_MAX_BYTES);
  }
}

static void
test_a_million_announcements (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  FakeConn *other = fake_connect (fake, BOB);
  guint sent = 0;

  while (!conn->over && sent < 1000 * 1000) {
    fake_conn_has (fake, conn, 100000 + sent++);
    if (sent % 1000 == 0)
      fake_advance (fake, 1000);
  }
  g_assert_true (conn->over);
  g_assert_cmpuint (sent, <=, P2P_ANNOUNCEMENTS_PER_10S + 1);
  g_assert_false (other->over);
}

static void
test_a_million_requests (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  FakeConn *other = fake_connect (fake, BOB);
  guint sent = 0;

  while (!conn->over && sent < 1000 * 1000) {
    fake_conn_request (fake, conn, 30, ++sent, 0);
    if (sent % 1000 == 0)
      fake_advance (fake, 1000);
  }
  g_assert_true (conn->over);
  g_assert_cmpuint (sent, <=, P2P_COMMANDS_PER_10S + 1);
  g_assert_false (other->over);
}

/* A busy one is none. */
static void
test_steady_announcements (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);

  for (guint i = 0; i < 3 * P2P_ANNOUNCEMENTS_PER_10S; i++) {
    fake_conn_has (fake, conn, 100000 + i);
    fake_advance (fake, 10 * 1000);
  }
  g_assert_false (conn->over);
}

static void
test_announced_ids_are_bounded (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  g_autofree gint64 *ids = g_new (gint64, 30000);
  P2pCommand asked;

  /* Many, in a senseless order. */
  for (guint i = 0; i < 30000; i++)
    ids[i] = (i * 7919) % 30000;
  fake_conn_announce (fake, conn, ids, 30000, ids, 30000);
  g_assert_false (conn->over);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked));
}

/* Few announcements that are work to read are a flood as well. */
static void
test_endless_announcements (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  FakeConn *other = fake_connect (fake, BOB);
  g_autofree gint64 *ids = g_new (gint64, 30000);
  guint sent = 0;

  for (guint i = 0; i < 30000; i++)
    ids[i] = (i * 7919) % 30000;
  while (!conn->over && sent < P2P_ANNOUNCEMENTS_PER_10S) {
    fake_conn_announce (fake, conn, ids, 30000, ids, 30000);
    sent++;
  }
  g_assert_true (conn->over);
  g_assert_cmpuint (sent, ==, P2P_ANNOUNCED_IDS_PER_10S / 60000 + 1);
  g_assert_false (other->over);
}

/* --- what it asks of us -------------------------------------------------------- */

static void
assert_upload (FakeConn *conn, gint64 id, gint64 request, gsize from)
{
  g_autoptr (GBytes) expected = fake_segment (id, SIZE);
  const guint8 *data = g_bytes_get_data (expected, NULL);
  P2pCommand command;

  g_assert_true (fake_conn_find (conn, P2P_COMMAND_DATA, &command));
  g_assert_cmpint (command.segment_id, ==, id);
  g_assert_cmpint (command.request_id, ==, request);
  g_assert_cmpint (command.size, ==, SIZE - from);
  g_byte_array_set_size (conn->data, 0);
  g_assert_true (fake_conn_next (conn, &command));
  g_assert_cmpint (command.kind, ==, P2P_COMMAND_COMPLETED);
  g_assert_cmpint (command.segment_id, ==, id);
  g_assert_cmpint (command.request_id, ==, request);
  g_assert_cmpmem (conn->data->data, conn->data->len, data + from, SIZE - from);
}

static void
test_upload (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  g_autoptr (P2pStats) stats = NULL;
  FakeConn *conn = fake_connect (fake, ALICE);
  g_auto (P2pCommand) announcement = { 0 };

  g_assert_true (fake_conn_next (conn, &announcement));
  g_assert_cmpint (announcement.kind, ==, P2P_COMMAND_ANNOUNCE);
  g_assert_cmpuint (announcement.loaded->len, ==, 4);
  fake_conn_request (fake, conn, 2, 17, 0);
  assert_upload (conn, 2, 17, 0);
  fake_conn_request (fake, conn, 3, 0, 150001);
  assert_upload (conn, 3, 0, 150001);
  fake_conn_request (fake, conn, 3, 999999999, SIZE);
  assert_upload (conn, 3, 999999999, SIZE);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->upload_segments, ==, 3);
  g_assert_cmpuint (stats->upload_bytes, ==, SIZE + SIZE - 150001);
}

static void
test_upload_beyond_the_end (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);

  fake_conn_request (fake, conn, 2, 1, G_GINT64_CONSTANT (1) << 50);
  assert_upload (conn, 2, 1, SIZE);
}

static void
test_upload_negative_offset (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);

  fake_conn_request (fake, conn, 2, 1, -5);
  g_assert_true (conn->over);
}

static void
assert_absent (FakePorts *fake, FakeConn *conn, gint64 id)
{
  P2pCommand command;

  fake_conn_request (fake, conn, id, 33, 0);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_ABSENT, &command));
  g_assert_cmpint (command.segment_id, ==, id);
  g_assert_cmpint (command.request_id, ==, 33);
  g_assert_cmpuint (conn->data->len, ==, 0);
}

static void
test_upload_absent (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  FakeHttp *http;

  assert_absent (fake, conn, 20);
  assert_absent (fake, conn, 4000);
  assert_absent (fake, conn, -1);
  /* Half of it is none of it. */
  fake_request_segment (fake, 4);
  fake_advance (fake, G_USEC_PER_SEC);
  http = fake_http_segment (fake, 4);
  fake_http_headers (fake, http, 200, 0, SIZE);
  fake_http_data (fake, http, "abc", 3);
  assert_absent (fake, conn, 4);
}

static void
test_upload_superseded (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  P2pCommand command;

  conn->deaf = TRUE;
  /* The first request fills the channel. */
  for (gint64 request = 1; request <= 4; request++)
    fake_conn_request (fake, conn, 2, request, 0);
  g_assert_cmpuint (
      conn->waiting, <=, P2P_SEND_HIGH_BYTES + 2 * P2P_MESSAGE_MAX_BYTES);
  fake_conn_request (fake, conn, 3, 5, 0);
  while (conn->was_high)
    fake_conn_low_water (fake, conn);

  /* The last is whole, before it no COMPLETED: what is superseded is not sent,
   * and nothing is interleaved. */
  do {
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_DATA, &command));
  } while (command.request_id != 5);
  g_byte_array_set_size (conn->data, 0);
  g_assert_true (fake_conn_next (conn, &command));
  g_assert_cmpint (command.kind, ==, P2P_COMMAND_COMPLETED);
  g_assert_cmpint (command.request_id, ==, 5);
  g_assert_cmpuint (conn->data->len, ==, SIZE);
}

static void
test_upload_cancelled (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  P2pCommand cancel = { .kind = P2P_COMMAND_CANCEL, .segment_id = 2 };
  P2pCommand command;

  conn->deaf = TRUE;
  fake_conn_request (fake, conn, 2, 1, 0);
  fake_conn_request (fake, conn, 2, 2, 0);
  /* Of one that is over: nothing happens. */
  cancel.request_id = 1;
  fake_conn_command (fake, conn, &cancel);
  cancel.request_id = 2;
  fake_conn_command (fake, conn, &cancel);
  while (conn->was_high)
    fake_conn_low_water (fake, conn);
  do {
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_DATA, &command));
  } while (command.request_id != 2);
  g_assert_false (fake_conn_find (conn, P2P_COMMAND_COMPLETED, &command));
  g_assert_false (conn->over);
}

static void
test_upload_waits_for_the_channel (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *conn;

  /* No claim of ours comes between. */
  config.http_window_us = 0;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, ALICE);
  conn->deaf = TRUE;
  for (gint64 request = 1; request <= 3; request++) {
    fake_conn_request (fake, conn, 1, request, 0);
    while (conn->was_high) {
      g_assert_cmpuint (
          conn->waiting, <=, P2P_SEND_HIGH_BYTES + 2 * P2P_MESSAGE_MAX_BYTES);
      fake_advance (fake, 5 * G_USEC_PER_SEC);
      fake_conn_low_water (fake, conn);
    }
    assert_upload (conn, 1, request, 0);
  }
  g_assert_false (conn->over);
}

static void
test_never_reads (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);

  conn->deaf = TRUE;
  fake_conn_request (fake, conn, 1, 1, 0);
  fake_conn_request (fake, conn, 1, 2, 0);
  g_assert_true (conn->was_high);
  fake_advance (fake, 60 * G_USEC_PER_SEC);
  g_assert_true (conn->over);
}

/* It lets us answer and answer. */
static void
test_never_reads_but_asks (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  guint asked = 0;

  conn->deaf = TRUE;
  while (!conn->over) {
    asked++;
    fake_conn_request (fake, conn, asked % 2 ? 1 : 7777, asked, 0);
    g_assert_cmpuint (conn->waiting, <=, 2 * P2P_SEND_MAX_BYTES);
    g_assert_cmpuint (asked, <, 1000 * 1000);
  }
  g_assert_cmpuint (connected (fake), ==, 0);
}

/* Announcements do not pile up for one that does not read. */
static void
test_never_reads_announcements (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  g_auto (P2pCommand) last = { 0 };
  P2pCommand command;
  guint count = 0, before;

  conn->deaf = TRUE;
  fake_conn_request (fake, conn, 1, 1, 0);
  fake_conn_request (fake, conn, 1, 2, 0);
  before = conn->messages->len;
  for (gint64 id = 4; id < 20; id++) {
    fake_request_segment (fake, id);
    fake_advance (fake, 700 * 1000);
    fake_http_answer_all (fake);
  }
  g_assert_cmpuint (conn->messages->len, ==, before);
  /* Once it reads it hears the latest, once. */
  fake_conn_low_water (fake, conn);
  conn->read = before;
  while (fake_conn_next (conn, &command)) {
    if (command.kind == P2P_COMMAND_ANNOUNCE) {
      count++;
      p2p_command_clear (&last);
      last = command;
    }
  }
  g_assert_cmpuint (count, ==, 1);
  g_assert_cmpuint (last.loaded->len, >=, 20);
}

/* What looks like a command is sent in two pieces. */
static void
test_upload_of_lookalikes (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  const char *body = "cstr this only looks like a command cend";
  P2pCommand command;

  g_hash_table_insert (fake->origin, fake_segment_uri (4),
      g_bytes_new_static (body, strlen (body)));
  fake_request_segment (fake, 4);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_http_answer (fake, fake_http_segment (fake, 4));
  fake_conn_request (fake, conn, 4, 1, 0);
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_DATA, &command));
  g_assert_cmpint (command.size, ==, strlen (body));
  g_assert_true (fake_conn_next (conn, &command));
  g_assert_cmpint (command.kind, ==, P2P_COMMAND_COMPLETED);
  g_assert_cmpmem (conn->data->data, conn->data->len, body, strlen (body));
}

static void
test_upload_limit (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *alice, *bob;
  gint64 begun_us;
  P2pCommand command;

  config.max_upload_bps = 800 * 1000;
  fake = fake_ports_playing (&config);
  alice = fake_connect (fake, ALICE);
  bob = fake_connect (fake, BOB);
  begun_us = fake->now_us;
  fake_conn_request (fake, alice, 1, 1, 0);
  fake_conn_request (fake, bob, 2, 1, 0);
  /* 400 kB at 100 kB/s, shared by both. */
  while (!fake_conn_find (alice, P2P_COMMAND_COMPLETED, &command)
      || !fake_conn_find (bob, P2P_COMMAND_COMPLETED, &command)) {
    g_autoptr (P2pStats) stats = fake_stats (fake);

    g_assert_cmpuint (stats->upload_bytes, <=,
        (fake->now_us - begun_us) / 10 + 3 * P2P_MESSAGE_MAX_BYTES);
    g_assert_cmpint (fake->now_us - begun_us, <, 10 * G_USEC_PER_SEC);
    fake_advance (fake, 100 * 1000);
    alice->read = bob->read = 0;
  }
  g_assert_cmpint (fake->now_us - begun_us, >, 2 * G_USEC_PER_SEC);
}

/* What was given away without a limit is no debt under one. */
static void
test_upload_limit_later (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  g_autoptr (P2pStats) before = NULL, after = NULL;
  FakeConn *conn;

  config.max_upload_bps = 80 * 1000;
  fake = fake_ports_playing (&config);
  conn = fake_connect (fake, ALICE);
  fake_conn_request (fake, conn, 1, 1, 0);
  fake->config.max_upload_bps = 0;
  fake_configure (fake);
  for (guint i = 0; i < 100; i++)
    fake_conn_request (fake, conn, 1, 2 + i, 0);
  before = fake_stats (fake);
  g_assert_cmpuint (before->upload_bytes, >=, 100 * SIZE);
  fake->config.max_upload_bps = 80 * 1000;
  fake_configure (fake);
  fake_conn_request (fake, conn, 1, 200, 0);
  fake_advance (fake, 8 * G_USEC_PER_SEC);
  after = fake_stats (fake);
  g_assert_cmpuint (after->upload_bytes - before->upload_bytes, >, 0);
}

/* --- announcements ---------------------------------------------------------------- */

static void
test_announces_what_it_stores_and_fetches (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  FakeConn *conn = fake_connect (fake, ALICE);
  P2pCommand command;

  g_assert_true (fake_conn_next (conn, &command));
  p2p_command_clear (&command);
  fake_request_segment (fake, 4);
  fake_advance (fake, G_USEC_PER_SEC);
  g_assert_nonnull (fake_http_segment (fake, 4));
  g_assert_true (fake_conn_find (conn, P2P_COMMAND_ANNOUNCE, &command));
  g_assert_cmpuint (command.loaded->len, ==, 4);
  g_assert_nonnull (command.loading);
  p2p_command_clear (&command);
  fake_http_answer (fake, fake_http_segment (fake, 4));
  do {
    g_assert_true (fake_conn_find (conn, P2P_COMMAND_ANNOUNCE, &command));
    if (command.loaded->len == 5)
      break;
    p2p_command_clear (&command);
  } while (TRUE);
  g_assert_cmpint (g_array_index (command.loaded, gint64, 4), ==, 4);
  p2p_command_clear (&command);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/peer/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("request-fields", test_request_fields);
  ADD ("foreign-data-is-ignored", test_foreign_data_is_ignored);
  ADD ("foreign-completed-is-ignored-before-data",
      test_foreign_completed_is_ignored_before_data);
  ADD ("zero-length-is-no-segment", test_zero_length_is_no_segment);
  ADD ("sizes-out-of-bounds", test_sizes_out_of_bounds);
  ADD ("overflow", test_overflow);
  ADD ("completed-too-early", test_completed_too_early);
  ADD ("completed-another", test_completed_another);
  ADD ("absent", test_absent);
  ADD ("absent-of-another", test_absent_of_another);
  ADD ("cancel-says-what-came", test_cancel_says_what_came);
  ADD ("strikes", test_strikes);
  ADD ("strikes-are-forgiven", test_strikes_are_forgiven);
  ADD ("news-of-a-film", test_news_of_a_film);
  ADD ("prefetch-gives-way-to-the-player",
      test_prefetch_gives_way_to_the_player);
  ADD ("busy", test_busy);
  ADD ("busy-one-is-passed-over", test_busy_one_is_passed_over);
  ADD ("busy-for-ever", test_busy_for_ever);
  ADD ("asks-for-what-arrives", test_asks_for_what_arrives);
  ADD ("strikes-of-a-relay", test_strikes_of_a_relay);
  ADD ("bytes-nobody-asked-for", test_bytes_nobody_asked_for);
  ADD ("crumbs", test_crumbs);
  ADD ("text", test_text);
  ADD ("malformed-commands", test_malformed_commands);
  ADD ("message-over-the-bound", test_message_over_the_bound);
  ADD ("command-without-end", test_command_without_end);
  ADD ("a-million-announcements", test_a_million_announcements);
  ADD ("a-million-requests", test_a_million_requests);
  ADD ("steady-announcements", test_steady_announcements);
  ADD ("announced-ids-are-bounded", test_announced_ids_are_bounded);
  ADD ("endless-announcements", test_endless_announcements);
  ADD ("upload", test_upload);
  ADD ("upload-beyond-the-end", test_upload_beyond_the_end);
  ADD ("upload-negative-offset", test_upload_negative_offset);
  ADD ("upload-absent", test_upload_absent);
  ADD ("upload-superseded", test_upload_superseded);
  ADD ("upload-cancelled", test_upload_cancelled);
  ADD ("upload-waits-for-the-channel", test_upload_waits_for_the_channel);
  ADD ("never-reads", test_never_reads);
  ADD ("never-reads-but-asks", test_never_reads_but_asks);
  ADD ("never-reads-announcements", test_never_reads_announcements);
  ADD ("upload-of-lookalikes", test_upload_of_lookalikes);
  ADD ("upload-limit", test_upload_limit);
  ADD ("upload-limit-later", test_upload_limit_later);
  ADD ("announces-what-it-stores-and-fetches",
      test_announces_what_it_stores_and_fetches);

  return g_test_run ();
}

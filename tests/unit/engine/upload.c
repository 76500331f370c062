/* p2phlssrc: tests of what is sent to other viewers, and when.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/serve.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-GS0100-alice0000000"
#define BOB "-GS0100-bob000000000"
#define CAROL "-GS0100-carol0000000"
#define BROWSER "-PM0500-brenda000000"

/* As fake_ports_playing(), without anything ahead over HTTP: segments 0 to 3
 * are stored, 200 kB each for two seconds. */
static FakePorts *
sharing (void)
{
  P2pEngineConfig config = fake_config ();

  config.http_window_us = 0;

  return fake_ports_playing (&config);
}

/* The same of a live stream: segments 103 to 105 are stored. */
static FakePorts *
playing_live (gboolean upload, guint64 max_upload_bps)
{
  P2pEngineConfig config = fake_config ();
  FakePorts *fake;

  config.http_window_us = 0;
  config.upload = upload;
  config.max_upload_bps = max_upload_bps;
  fake = fake_ports_new (&config);
  fake_publish (fake, 100, 6, TRUE);
  fake_load_playlist (fake);
  for (gint64 id = 103; id < 106; id++) {
    fake_request_segment (fake, id);
    fake_http_answer (fake, fake_http_segment (fake, id));
  }

  return fake;
}

static FakePorts *
sharing_live (void)
{
  return playing_live (TRUE, 0);
}

/* Lets go of everything: what is still said to be in use cannot be forgotten.
 */
static void
leave (FakePorts *fake)
{
  g_autoptr (P2pStats) stats = NULL;

  fake->config.p2p = FALSE;
  fake_configure (fake);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->stored_bytes, ==, 0);
}

static FakeConn *
connect_native (FakePorts *fake, guint number)
{
  g_autofree char *id = g_strdup_printf ("-GS0100-viewer%06u", number);

  return fake_connect (fake, id);
}

/* Asks for @id from byte @from on. Returns: whether it is sent. */
static gboolean
ask (FakePorts *fake, FakeConn *conn, gint64 id, gint64 from)
{
  static gint64 number;
  P2pCommand answer;

  fake_conn_request (fake, conn, id, ++number, from);
  while (fake_conn_next (conn, &answer)) {
    P2pCommandKind kind = answer.kind;
    gboolean is_ours = answer.request_id == number;

    p2p_command_clear (&answer);
    if (is_ours && (kind == P2P_COMMAND_DATA || kind == P2P_COMMAND_ABSENT)) {
      g_byte_array_set_size (conn->data, 0);
      return kind == P2P_COMMAND_DATA;
    }
  }
  g_assert_not_reached ();
}

/* How many natives that come now are sent segment 1 at once. */
static guint
count_slots (FakePorts *fake)
{
  static guint number;
  guint served = 0;

  while (ask (fake, connect_native (fake, ++number), 1, 0))
    served++;

  return served;
}

/* --- slots ------------------------------------------------------------------ */

static void
test_slots (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);
  FakeConn *carol = fake_connect (fake, CAROL);

  g_assert_cmpuint (P2P_SERVE_UNKNOWN, ==, 2);
  g_assert_true (ask (fake, alice, 1, 0));
  g_assert_true (ask (fake, bob, 1, 0));
  g_assert_false (ask (fake, carol, 1, 0));
  /* Who has one may ask anew. */
  g_assert_true (ask (fake, bob, 1, 100));
  g_assert_false (ask (fake, carol, 1, 0));
  g_assert_cmpuint (carol->data->len, ==, 0);
  leave (fake);
}

static void
test_confirmation_frees_the_slot (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);
  FakeConn *carol = fake_connect (fake, CAROL);

  /* Not from the first byte: nothing is learnt of the uplink. */
  g_assert_true (ask (fake, alice, 1, 1));
  g_assert_true (ask (fake, bob, 1, 1));
  g_assert_false (ask (fake, carol, 1, 0));
  /* Word of something else is none. */
  fake_conn_has (fake, alice, 0);
  g_assert_false (ask (fake, carol, 1, 0));
  fake_conn_has (fake, alice, 1);
  g_assert_true (ask (fake, carol, 1, 0));
  g_assert_cmpuint (count_slots (fake), ==, 0);
}

/* A peer that never says that it has it keeps its slot for two seconds. */
static void
test_never_confirmed (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *carol;

  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
  carol = fake_connect (fake, CAROL);
  fake_advance (fake, 2 * G_USEC_PER_SEC - 1);
  g_assert_false (ask (fake, carol, 1, 0));
  fake_advance (fake, 1);
  g_assert_true (ask (fake, carol, 1, 0));
  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN - 1);
}

static void
test_cancel_frees_the_slot (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  P2pCommand cancel = { .kind = P2P_COMMAND_CANCEL, .segment_id = 1 };
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);
  FakeConn *carol = fake_connect (fake, CAROL);

  alice->deaf = TRUE;
  fake_conn_request (fake, alice, 1, 5, 0);
  fake_conn_request (fake, alice, 1, 6, 0);
  g_assert_true (alice->was_high);
  g_assert_true (ask (fake, bob, 1, 0));
  cancel.request_id = 5;
  fake_conn_command (fake, alice, &cancel);
  g_assert_false (ask (fake, carol, 1, 0));
  cancel.request_id = 6;
  fake_conn_command (fake, alice, &cancel);
  g_assert_true (ask (fake, carol, 1, 0));
  leave (fake);
}

static void
test_closing_frees_the_slot (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *carol = fake_connect (fake, CAROL);

  g_assert_true (ask (fake, alice, 1, 0));
  g_assert_true (ask (fake, fake_connect (fake, BOB), 1, 0));
  g_assert_false (ask (fake, carol, 1, 0));
  fake_conn_close (fake, alice);
  g_assert_true (ask (fake, carol, 1, 0));
}

/* Of a live stream, older ones do not stand in its way, up to one upload more. */
static void
test_newest_goes_first (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *late = connect_native (fake, 999999);

  g_assert_true (ask (fake, fake_connect (fake, ALICE), 103, 0));
  g_assert_true (ask (fake, fake_connect (fake, BOB), 103, 0));
  g_assert_false (ask (fake, late, 103, 0));
  g_assert_true (ask (fake, fake_connect (fake, CAROL), 105, 0));
  g_assert_false (ask (fake, late, 105, 0));
  g_assert_false (ask (fake, late, 103, 0));
}

static void
test_newest_has_no_more_of_its_own (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *carol = fake_connect (fake, CAROL);

  g_assert_true (ask (fake, fake_connect (fake, ALICE), 105, 0));
  g_assert_true (ask (fake, fake_connect (fake, BOB), 105, 0));
  g_assert_false (ask (fake, carol, 105, 0));
  g_assert_false (ask (fake, carol, 103, 0));
}

/* How long it takes until @alice is asked for @id. */
static gint64
asked_within_us (FakePorts *fake, FakeConn *alice, gint64 id)
{
  gint64 waited_us = 0;
  P2pCommand asked;

  while (!fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked)) {
    g_assert_cmpint (waited_us, <, 5 * G_USEC_PER_SEC);
    fake_advance (fake, 10 * 1000);
    waited_us += 10 * 1000;
  }
  g_assert_cmpint (asked.segment_id, ==, id);
  p2p_command_clear (&asked);

  return waited_us;
}

/* The same from when she has offered it. */
static gint64
asked_after_us (FakePorts *fake, FakeConn *alice, gint64 id)
{
  fake_conn_has (fake, alice, id);

  return asked_within_us (fake, alice, id);
}

/* Who gets it first passes it on to everybody else: that is for those who have
 * nothing to do. */
static void
test_newest_is_left_to_the_idle (void)
{
  for (guint uploads = 0; uploads <= P2P_SERVE_UNKNOWN; uploads++) {
    g_autoptr (FakePorts) fake = sharing_live ();
    FakeConn *alice = fake_connect (fake, ALICE);
    gint64 waited_us;

    for (guint i = 0; i < uploads; i++)
      g_assert_true (ask (fake, connect_native (fake, i), 105, 0));
    waited_us = asked_after_us (fake, alice, 106);
    g_assert_cmpint (
        waited_us, ==, p2p_serve_patience_us (uploads, 2 * G_USEC_PER_SEC));
  }
}

/* Who passes nothing on asks as late as who is busy. */
static void
test_newest_is_left_by_who_gives_nothing (void)
{
  g_autoptr (FakePorts) fake = playing_live (FALSE, 0);
  FakeConn *alice = fake_connect (fake, ALICE);

  g_assert_cmpint (asked_after_us (fake, alice, 106), ==,
      p2p_serve_patience_us (P2P_PEERS_MAX, 2 * G_USEC_PER_SEC));
}

static void
test_idle_again (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);

  fake_conn_has (fake, bob, 104);
  g_assert_true (ask (fake, bob, 105, 0));
  fake_conn_has (fake, alice, 106);
  fake_advance (fake, 100 * 1000);
  fake_conn_has (fake, bob, 105);
  g_assert_cmpint (asked_within_us (fake, alice, 106), ==, 0);
}

/* Word of what nobody can know of yet changes nothing. */
static void
test_newest_that_cannot_be (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);

  g_assert_true (ask (fake, bob, 105, 0));
  fake_conn_has (fake, bob, 1000 * 1000);
  g_assert_cmpint (asked_after_us (fake, alice, 106), ==,
      p2p_serve_patience_us (1, 2 * G_USEC_PER_SEC));
}

/* What has begun is gone on with at once: Bob waits for it behind us. */
static void
test_relay_is_not_left_to_the_idle (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);
  FakeConn *carol = fake_connect (fake, CAROL);
  P2pCommand asked, command;

  fake_conn_has (fake, alice, 106);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_conn_data (fake, alice, &asked, SIZE);
  fake_conn_segment (fake, alice, &asked, 0, SIZE / 2);
  g_assert_true (ask (fake, bob, 106, 0));
  fake_conn_has (fake, carol, 106);
  fake_conn_close (fake, alice);
  g_assert_cmpint (asked_within_us (fake, carol, 106), ==, 0);
  while (fake_conn_next (bob, &command)) {
    g_assert_cmpint (command.kind, !=, P2P_COMMAND_ABSENT);
    p2p_command_clear (&command);
  }
  p2p_command_clear (&asked);
}

/* It is older than the newest, which somebody has offered meanwhile. */
static void
test_older_are_not_left_to_the_idle (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);

  g_assert_true (ask (fake, bob, 105, 0));
  fake_conn_has (fake, bob, 107);
  g_assert_cmpint (asked_after_us (fake, alice, 106), ==, 0);
}

/* Its own player is late already: then it takes what it can get. */
static void
test_newest_is_not_left_by_the_late (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);
  P2pCommand asked;

  fake_publish (fake, 101, 6, TRUE);
  g_assert_true (ask (fake, bob, 105, 0));
  fake_request (fake, FAKE_PLAYLIST);
  fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));
  fake_conn_has (fake, bob, 106);
  fake_request_segment (fake, 106);
  g_assert_true (fake_conn_find (bob, P2P_COMMAND_REQUEST, &asked));
  p2p_command_clear (&asked);
  g_assert_cmpint (asked_after_us (fake, alice, 107), ==, 0);
}

/* Of a film, the first segments are what somebody needs who has just come: later
 * ones are no reason to send to one more. */
static void
test_film_has_no_newest (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *carol = fake_connect (fake, CAROL);

  g_assert_true (ask (fake, fake_connect (fake, ALICE), 1, 0));
  g_assert_true (ask (fake, fake_connect (fake, BOB), 1, 0));
  g_assert_false (ask (fake, carol, 3, 0));
}

/* Of a film, nothing may ever be announced again, and what they are refused now
 * they would never ask for; natives step back. */
static void
test_browsers_are_served (void)
{
  g_autoptr (FakePorts) fake = sharing ();

  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
  for (guint i = 0; i < 20; i++) {
    g_autofree char *id = g_strdup_printf ("-PM0500-browser%05u", i);
    FakeConn *conn = fake_connect (fake, id);

    g_assert_true (ask (fake, conn, 1, 0));
  }
  g_assert_cmpuint (count_slots (fake), ==, 0);
}

/* Of a live stream they take turns as everybody does. */
static void
test_browsers_step_back (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();

  for (guint i = 0; i < P2P_SERVE_UNKNOWN; i++) {
    g_autofree char *id = g_strdup_printf ("-PM0500-browser%05u", i);

    g_assert_true (ask (fake, fake_connect (fake, id), 105, 0));
  }
  g_assert_false (ask (fake, fake_connect (fake, BROWSER), 105, 0));
  g_assert_false (ask (fake, connect_native (fake, 999999), 105, 0));
}

/* --- the uplink -------------------------------------------------------------- */

/* How many slots there are once Alice has had a whole segment for @took_us. */
static guint
slots_after (gint64 took_us)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);

  g_assert_true (ask (fake, alice, 2, 0));
  fake_advance (fake, took_us);
  fake_conn_has (fake, alice, 2);

  return count_slots (fake);
}

static void
test_uplink_is_measured (void)
{
  for (gint64 took_us = 100 * 1000; took_us < 2 * G_USEC_PER_SEC;
       took_us += 300 * 1000)
    g_assert_cmpuint (slots_after (took_us), ==,
        p2p_serve_slots (
            SIZE * 8 * (guint64) G_USEC_PER_SEC / took_us, 800 * 1000, FALSE));
}

static void
test_limit_bounds_the_uplink (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;

  config.http_window_us = 0;
  config.max_upload_bps = 900 * 1000;
  fake = fake_ports_playing (&config);
  g_assert_cmpuint (count_slots (fake), ==, 1);
}

/* The end of one takes no time, or mostly the way: nothing is learnt. */
static void
test_ends_are_no_measure (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);

  for (guint i = 0; i < 50; i++) {
    fake_conn_announce (fake, alice, NULL, 0, NULL, 0);
    g_assert_true (ask (fake, alice, 2, i % 2 ? SIZE : SIZE - 10));
    fake_advance (fake, 100 * 1000);
    fake_conn_has (fake, alice, 2);
  }
  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
}

/* How long the origin, that takes @answer_us for a segment, leaves the next one to
 * Alice, who sends it slowly. */
static gint64
left_to_alice_us (gint64 answer_us, gboolean bob_asks)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice, *bob;
  P2pCommand asked;
  gint64 took_us = 0;
  gsize sent = 0;

  fake_request_segment (fake, 4);
  fake_advance (fake, answer_us);
  fake_http_answer (fake, fake_http_segment (fake, 4));
  fake_advance (fake, 8 * G_USEC_PER_SEC - answer_us);
  bob = fake_connect (fake, BOB);
  alice = fake_connect (fake, ALICE);
  fake_conn_has (fake, alice, 5);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_conn_data (fake, alice, &asked, SIZE);
  fake_request_segment (fake, 5);
  if (bob_asks)
    g_assert_true (ask (fake, bob, 1, 0));
  while (fake_http_segment (fake, 5) == NULL) {
    fake_conn_segment (fake, alice, &asked, sent, 1000);
    sent += 1000;
    fake_advance (fake, 50 * 1000);
    took_us += 50 * 1000;
    g_assert_cmpint (took_us, <, 2 * G_USEC_PER_SEC);
  }

  return took_us;
}

/* What we send makes the origin's answers late: it is asked sooner. So it is in
 * any case on a line that what peers send fills. */
static void
test_origin_is_farther_while_sending (void)
{
  const gint64 wide_us = G_USEC_PER_SEC / 10, narrow_us = G_USEC_PER_SEC;

  g_assert_cmpint (
      left_to_alice_us (wide_us, TRUE), <, left_to_alice_us (wide_us, FALSE));
  g_assert_cmpint (left_to_alice_us (narrow_us, FALSE), <,
      left_to_alice_us (wide_us, FALSE));
}

/* --- relaying ------------------------------------------------------------------ */

/* The player waits for segment 4 and the origin has begun to send it. */
static GBytes *
begin_at_the_origin (FakePorts *fake, FakeHttp **http)
{
  fake_request_segment (fake, 4);
  while ((*http = fake_http_segment (fake, 4)) == NULL)
    fake_advance (fake, 10 * 1000);

  return fake_http_begin (fake, *http);
}

static void
assert_got (FakeConn *conn, gint64 id, gsize from, gsize size)
{
  g_autoptr (GBytes) expected = fake_segment (id, SIZE);
  const guint8 *data = g_bytes_get_data (expected, NULL);

  g_assert_cmpmem (conn->data->data, conn->data->len, data + from, size);
}

/* Reads what came; there is no answer among it. */
static void
read_bytes (FakeConn *conn)
{
  P2pCommand command;

  while (fake_conn_next (conn, &command)) {
    g_assert_cmpint (command.kind, ==, P2P_COMMAND_ANNOUNCE);
    p2p_command_clear (&command);
  }
}

static void
assert_completed (FakeConn *conn)
{
  P2pCommand command;

  g_assert_true (fake_conn_find (conn, P2P_COMMAND_COMPLETED, &command));
}

static void
assert_refused (FakeConn *conn)
{
  P2pCommand command;

  g_assert_true (fake_conn_find (conn, P2P_COMMAND_ABSENT, &command));
  g_assert_cmpint (command.segment_id, ==, 4);
}

static void
test_relay (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  g_autoptr (GBytes) body = NULL;
  const char *data;
  FakeHttp *http;
  gsize before = 0;

  body = begin_at_the_origin (fake, &http);
  data = g_bytes_get_data (body, NULL);
  g_assert_true (ask (fake, alice, 4, 0));
  for (gsize at = 0; at < SIZE; at += SIZE / 4) {
    read_bytes (alice);
    g_assert_cmpuint (alice->data->len, >=, before);
    g_assert_cmpuint (alice->data->len, <=, at);
    before = alice->data->len;
    fake_advance (fake, 100 * 1000);
    fake_http_data (fake, http, data + at, SIZE / 4);
  }
  /* What was not passed on by then would wait for the next origin. */
  g_assert_cmpuint (before, >=, SIZE / 2);
  fake_http_done (fake, http);
  assert_completed (alice);
  assert_got (alice, 4, 0, SIZE);
  leave (fake);
}

/* Alice passes segment 4 on as it comes to her, and is asked for it. */
static FakeConn *
connect_relay (FakePorts *fake, P2pCommand *asked)
{
  FakeConn *alice = fake_connect (fake, ALICE);
  g_auto (P2pCommand) word = { .kind = P2P_COMMAND_ANNOUNCE };
  gint64 id = 4;

  word.arriving = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_val (word.arriving, id);
  fake_conn_command (fake, alice, &word);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, asked));

  return alice;
}

/* She may have to wait herself. */
static void
test_relay_before_the_first_byte (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *bob = fake_connect (fake, BOB);
  P2pCommand asked;
  FakeConn *alice = connect_relay (fake, &asked);

  /* How long it is nobody knows yet. */
  g_assert_false (ask (fake, bob, 4, 0));
  fake_conn_data (fake, alice, &asked, SIZE);
  g_assert_true (ask (fake, bob, 4, 0));
  g_assert_cmpuint (bob->data->len, ==, 0);
  fake_conn_segment (fake, alice, &asked, 0, SIZE);
  assert_completed (bob);
  assert_got (bob, 4, 0, SIZE);
  leave (fake);
}

static void
test_relay_of_a_relay (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *bob = fake_connect (fake, BOB);
  P2pCommand asked;
  FakeConn *alice = fake_connect_holder (fake, ALICE, &asked);

  /* Who has it all sends some at once. */
  fake_conn_data (fake, alice, &asked, SIZE);
  g_assert_false (ask (fake, bob, 4, 0));
  fake_conn_segment (fake, alice, &asked, 0, 150000);
  g_assert_true (ask (fake, bob, 4, 0));
  read_bytes (bob);
  g_assert_cmpuint (bob->data->len, >=, 150000 - P2P_SERVE_LEAST_BYTES);
  fake_conn_segment (fake, alice, &asked, 150000, SIZE - 150000);
  assert_completed (bob);
  assert_got (bob, 4, 0, SIZE);
}

/* Or two could wait for each other. */
static void
test_relay_only_to_who_has_less (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  g_autoptr (GBytes) body = NULL;
  FakeHttp *http;

  body = begin_at_the_origin (fake, &http);
  g_assert_false (ask (fake, alice, 4, 1));
  fake_http_data (fake, http, g_bytes_get_data (body, NULL), 50000);
  g_assert_false (ask (fake, alice, 4, 50000));
  g_assert_false (ask (fake, alice, 4, 150000));
  g_assert_false (ask (fake, alice, 4, SIZE));
  g_assert_true (ask (fake, alice, 4, 49999));
  fake_http_data (
      fake, http, (char *) g_bytes_get_data (body, NULL) + 50000, SIZE - 50000);
  fake_http_done (fake, http);
  assert_completed (alice);
  assert_got (alice, 4, 49999, SIZE - 49999);
}

static void
test_no_relay_to_browsers (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *browser = fake_connect (fake, BROWSER);
  g_autoptr (GBytes) body = NULL;
  FakeHttp *http;

  body = begin_at_the_origin (fake, &http);
  fake_http_data (fake, http, g_bytes_get_data (body, NULL), SIZE);
  g_assert_false (ask (fake, browser, 4, 0));
  fake_http_done (fake, http);
  g_assert_true (ask (fake, browser, 4, 0));
}

/* Nor of what no viewer would take for a segment. */
static void
check_no_relay (guint64 length)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeHttp *http;

  fake_request_segment (fake, 4);
  while ((http = fake_http_segment (fake, 4)) == NULL)
    fake_advance (fake, 10 * 1000);
  g_assert_false (ask (fake, alice, 4, 0));
  fake_http_headers (fake, http, 200, 0, length);
  g_assert_false (ask (fake, alice, 4, 0));
}

static void
test_no_relay_of_no_segment (void)
{
  check_no_relay (0);
  check_no_relay (P2P_SIZE_UNKNOWN);
  check_no_relay ((guint64) P2P_SEGMENT_MAX_BYTES + 1);
}

/* Each message costs at every hop, and who waits for a long one waits long. */
static void
test_message_sizes (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  g_autoptr (GBytes) body = NULL;
  const char *data;
  FakeHttp *http;
  gsize sent = 0;
  guint first;

  body = begin_at_the_origin (fake, &http);
  data = g_bytes_get_data (body, NULL);
  g_assert_true (ask (fake, alice, 4, 0));
  first = alice->messages->len;
  for (gsize at = 0; at < SIZE; at += 1000)
    fake_http_data (fake, http, data + at, 1000);
  fake_http_done (fake, http);
  for (guint i = first; i < alice->messages->len; i++) {
    gsize size;
    const guint8 *message = g_bytes_get_data (alice->messages->pdata[i], &size);

    if (p2p_command_is_chunk (message, size))
      continue;
    sent += size;
    if (sent < SIZE)
      g_assert_cmpuint (size, >=, P2P_SERVE_LEAST_BYTES);
    g_assert_cmpuint (size, <=, 2 * P2P_SERVE_LEAST_BYTES);
  }
  g_assert_cmpuint (sent, ==, SIZE);
}

/* A relay is no faster than its source. */
static void
test_relay_is_no_measure (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  g_autoptr (GBytes) body = NULL;
  FakeHttp *http;

  body = begin_at_the_origin (fake, &http);
  g_assert_true (ask (fake, alice, 4, 0));
  fake_advance (fake, 100 * 1000);
  fake_http_data (fake, http, g_bytes_get_data (body, NULL), SIZE);
  fake_http_done (fake, http);
  fake_conn_has (fake, alice, 4);
  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
}

/* Who gives up waiting for it says nothing of the uplink either. */
static void
test_cancelled_relay_is_no_measure (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  P2pCommand cancel = { .kind = P2P_COMMAND_CANCEL, .segment_id = 4 };
  FakeConn *alice = fake_connect (fake, ALICE);
  g_autoptr (GBytes) body = NULL;
  FakeHttp *http;

  body = begin_at_the_origin (fake, &http);
  alice->deaf = TRUE;
  cancel.request_id = 7;
  fake_conn_request (fake, alice, 4, cancel.request_id, 0);
  fake_http_data (fake, http, g_bytes_get_data (body, NULL), 50000);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_conn_command (fake, alice, &cancel);
  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
}

/* Lets @conn ask for @id and give up after a second. @came: bytes, -1: it does not
 * say */
static void
give_up (FakePorts *fake, FakeConn *conn, gint64 id, gint64 came)
{
  P2pCommand cancel = { .kind = P2P_COMMAND_CANCEL,
    .segment_id = id,
    .request_id = 7,
    .has_size = came >= 0,
    .size = came };

  conn->deaf = TRUE;
  fake_conn_request (fake, conn, id, 7, 0);
  fake_advance (fake, G_USEC_PER_SEC);
  fake_conn_command (fake, conn, &cancel);
}

/* It has waited too long for what fills the channel. */
static void
test_cancel_is_a_measure (void)
{
  g_autoptr (FakePorts) fake = sharing ();

  give_up (fake, fake_connect (fake, ALICE), 1, SIZE / 10);
  g_assert_cmpuint (count_slots (fake), ==, 1);
  /* It is not held against us for ever. */
  fake_advance (fake, 60 * G_USEC_PER_SEC);
  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
}

/* Browsers and older ones do not say what has come. */
static void
test_cancel_without_a_size_is_no_measure (void)
{
  g_autoptr (FakePorts) fake = sharing ();

  give_up (fake, fake_connect (fake, ALICE), 1, -1);
  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
}

/* What is said to have come is no more than what was sent, and no less than nothing. */
static void
test_cancel_that_lies (void)
{
  const gint64 came[] = { G_MININT32, G_MAXINT32 };

  for (guint i = 0; i < G_N_ELEMENTS (came); i++) {
    g_autoptr (FakePorts) fake = sharing_live ();
    P2pCommand cancel = { .kind = P2P_COMMAND_CANCEL,
      .segment_id = 103,
      .request_id = 7,
      .has_size = TRUE,
      .size = came[i] };
    FakeConn *alice = fake_connect (fake, ALICE);

    alice->deaf = TRUE;
    fake_conn_request (fake, alice, 103, 7, 0);
    g_assert_true (alice->was_high);
    fake_advance (fake, G_USEC_PER_SEC);
    fake_conn_command (fake, alice, &cancel);
    /* As if what the channel took had come in a second, or nothing. */
    g_assert_true (ask (fake, connect_native (fake, 1), 103, 0));
    g_assert_false (ask (fake, connect_native (fake, 2), 103, 0));
  }
}

/* Nobody gets anything: then nobody asks, and one is tried, later each time. */
static void
check_thin (gboolean limited)
{
  g_autoptr (FakePorts) fake =
      playing_live (TRUE, limited ? 5 * 1000 * 1000 : 0);
  FakeConn *tenth;
  guint i;

  give_up (fake, connect_native (fake, 1), 103, 0);
  /* The first is not believed so much. */
  give_up (fake, connect_native (fake, 2), 103, 0);
  for (i = 3; i < 6; i++)
    give_up (fake, connect_native (fake, i), 103, 0);
  g_assert_false (ask (fake, connect_native (fake, 6), 103, 0));
  fake_advance (fake, p2p_serve_believed_us (1) - 5 * G_USEC_PER_SEC);
  g_assert_false (ask (fake, connect_native (fake, 7), 103, 0));
  fake_advance (fake, 5 * G_USEC_PER_SEC);
  give_up (fake, connect_native (fake, 8), 103, 0);
  fake_advance (fake, p2p_serve_believed_us (1));
  g_assert_false (ask (fake, connect_native (fake, 9), 103, 0));
  fake_advance (fake, p2p_serve_believed_us (2) - p2p_serve_believed_us (1));
  /* One for a try, whatever it is of; when it has come soon, all is well. */
  tenth = connect_native (fake, 10);
  g_assert_true (ask (fake, tenth, 103, 0));
  g_assert_false (ask (fake, connect_native (fake, 11), 103, 0));
  g_assert_false (ask (fake, connect_native (fake, 12), 105, 0));
  fake_advance (fake, 100 * 1000);
  fake_conn_has (fake, tenth, 103);
  g_assert_true (ask (fake, connect_native (fake, 13), 103, 0));
  g_assert_true (ask (fake, connect_native (fake, 14), 105, 0));
}

static void
test_thin_uplink (void)
{
  check_thin (FALSE);
}

static void
test_thin_uplink_with_a_limit (void)
{
  check_thin (TRUE);
}

/* While others get what they ask for, who gives up says little of our line. */
static void
test_hurried_peer (void)
{
  g_autoptr (FakePorts) fake = sharing_live ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);

  for (guint i = 0; i < 8; i++) {
    g_assert_true (ask (fake, bob, 103, 0));
    fake_advance (fake, 100 * 1000);
    fake_conn_has (fake, bob, 103);
    give_up (fake, alice, 103, 0);
    alice->deaf = FALSE;
  }
  g_assert_true (ask (fake, bob, 103, 0));
}

/* What went into others' channels may still be there, or never arrive. */
static void
test_others_count_as_much_each (void)
{
  /* To somebody else meanwhile: never more than to Alice. */
  const guint sent[] = { 0, SIZE / 2, SIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sent); i++) {
    g_autoptr (FakePorts) fake = sharing ();
    FakeConn *alice = fake_connect (fake, ALICE);
    FakeConn *bob = fake_connect (fake, BOB);
    guint64 bps = (SIZE + sent[i]) * 8 * 10;

    g_assert_true (ask (fake, alice, 1, 0));
    if (sent[i] > 0)
      g_assert_true (ask (fake, bob, 1, SIZE - sent[i]));
    fake_advance (fake, 100 * 1000);
    fake_conn_has (fake, alice, 1);
    fake_conn_close (fake, bob);
    g_assert_cmpuint (
        count_slots (fake), ==, p2p_serve_slots (bps, 800 * 1000, FALSE));
  }
}

/* Fits into a channel at once. */
#define SMALL 60000

/* What the channel took at once has left it long since. */
static void
test_channel_has_emptied_itself (void)
{
  for (guint confirmed = 0; confirmed < 2; confirmed++) {
    g_autoptr (FakePorts) fake = sharing ();
    FakeConn *alice;

    g_hash_table_insert (
        fake->origin, fake_segment_uri (4), fake_segment (4, SMALL));
    fake_request_segment (fake, 4);
    fake_http_answer_all (fake);
    alice = fake_connect (fake, ALICE);
    if (confirmed) {
      fake_conn_request (fake, alice, 4, 7, 0);
      fake_advance (fake, G_USEC_PER_SEC);
      fake_conn_has (fake, alice, 4);
    } else {
      give_up (fake, alice, 4, SMALL);
    }
    g_assert_false (alice->was_high);
    g_assert_cmpuint (count_slots (fake), ==,
        confirmed ? p2p_serve_slots (SMALL * 8, 800 * 1000, FALSE)
                  : P2P_SERVE_UNKNOWN);
  }
}

/* --- relays that lose their source -------------------------------------------------- */

/* Alice sends us 50 kB of segment 4, which Bob takes of us. */
static void
relay_from_alice (FakePorts *fake, FakeConn **alice, FakeConn **bob)
{
  P2pCommand asked;

  *bob = fake_connect (fake, BOB);
  *alice = fake_connect_holder (fake, ALICE, &asked);
  fake_conn_data (fake, *alice, &asked, SIZE);
  fake_conn_segment (fake, *alice, &asked, 0, 50000);
  g_assert_true (ask (fake, *bob, 4, 0));
}

static void
test_origin_takes_over (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice, *bob;
  FakeRequest *request;
  FakeHttp *http;

  relay_from_alice (fake, &alice, &bob);
  request = fake_request_segment (fake, 4);
  fake_conn_close (fake, alice);
  while ((http = fake_http_segment (fake, 4)) == NULL)
    fake_advance (fake, 10 * 1000);
  g_assert_cmpuint (http->range.start, ==, 50000);
  read_bytes (bob);
  fake_http_answer (fake, http);
  fake_assert_segment (request, 4, SIZE);
  assert_completed (bob);
  assert_got (bob, 4, 0, SIZE);
  leave (fake);
}

/* Ahead of the player, a peer does. */
static void
test_peer_takes_over (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice, *bob, *carol;
  P2pCommand asked;

  relay_from_alice (fake, &alice, &bob);
  carol = fake_connect (fake, CAROL);
  fake_conn_has (fake, carol, 4);
  fake_conn_close (fake, alice);
  g_assert_true (fake_conn_find (carol, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.byte_from, ==, 50000);
  read_bytes (bob);
  fake_conn_serve (fake, carol, &asked);
  assert_completed (bob);
  assert_got (bob, 4, 0, SIZE);
}

/* Nobody does, and nobody waits for it here: Bob goes on elsewhere, from the
 * byte that he has. */
static void
test_abandoned (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice, *bob;

  relay_from_alice (fake, &alice, &bob);
  fake_conn_close (fake, alice);
  assert_refused (bob);
  assert_got (bob, 4, 0, bob->data->len);
  g_assert_false (bob->over);
  g_assert_false (ask (fake, bob, 4, bob->data->len));
  leave (fake);
}

/* He might be the next whom we ask. */
static void
test_abandoned_without_a_byte (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *bob = fake_connect (fake, BOB);
  P2pCommand asked;
  FakeConn *alice = connect_relay (fake, &asked);

  fake_request_segment (fake, 4);
  fake_conn_data (fake, alice, &asked, SIZE);
  g_assert_true (ask (fake, bob, 4, 0));
  fake_conn_close (fake, alice);
  assert_refused (bob);
  leave (fake);
}

static void
test_failed_origin (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  FakeConn *alice;
  FakeHttp *http = NULL;
  gint64 id;

  /* It fetches ahead of the player. */
  fake = fake_ports_playing (&config);
  alice = fake_connect (fake, ALICE);
  fake_conn_announce (fake, alice, NULL, 0, NULL, 0);
  for (id = 4; id < 40 && http == NULL; id++)
    http = fake_http_segment (fake, id);
  g_assert_nonnull (http);
  fake_http_headers (fake, http, 200, 0, SIZE);
  g_assert_true (ask (fake, alice, id - 1, 0));
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "broken");
  {
    P2pCommand command;

    g_assert_true (fake_conn_find (alice, P2P_COMMAND_ABSENT, &command));
    g_assert_cmpint (command.segment_id, ==, id - 1);
  }
  leave (fake);
}

/* The origin has one of another length than Alice: it is another segment. */
static void
test_another_length (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice, *bob;
  FakeRequest *request;
  FakeHttp *http;
  P2pCommand asked;

  bob = fake_connect (fake, BOB);
  alice = connect_relay (fake, &asked);
  fake_conn_data (fake, alice, &asked, SIZE + 1);
  g_assert_true (ask (fake, bob, 4, 0));
  fake_conn_segment (fake, alice, &asked, 0, 50000);
  fake_conn_close (fake, alice);
  request = fake_request_segment (fake, 4);
  assert_refused (bob);
  while ((http = fake_http_segment (fake, 4)) == NULL)
    fake_advance (fake, 10 * 1000);
  fake_http_answer (fake, http);
  fake_http_answer_all (fake);
  fake_assert_segment (request, 4, SIZE);
  leave (fake);
}

/* The player has some of Alice's when the origin says otherwise. */
static void
test_another_length_too_late (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice, *bob;
  FakeRequest *request;
  FakeHttp *http;

  relay_from_alice (fake, &alice, &bob);
  request = fake_request_segment (fake, 4);
  g_assert_cmpuint (request->body->len, ==, 50000);
  fake_conn_close (fake, alice);
  while ((http = fake_http_segment (fake, 4)) == NULL)
    fake_advance (fake, 10 * 1000);
  read_bytes (bob);
  fake_http_headers (fake, http, 206, 50000, SIZE);
  assert_refused (bob);
  /* From there on it is known. */
  g_assert_true (ask (fake, bob, 4, 0));
  leave (fake);
}

/* --- what is refused ------------------------------------------------------------------- */

static void
test_negative_offset (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  FakeConn *bob = fake_connect (fake, BOB);
  g_autoptr (GBytes) body = NULL;
  FakeHttp *http;

  fake_conn_request (fake, alice, 2, 1, -1);
  g_assert_true (alice->over);
  body = begin_at_the_origin (fake, &http);
  fake_conn_request (fake, bob, 4, 1, -(G_GINT64_CONSTANT (1) << 40));
  g_assert_true (bob->over);
  leave (fake);
}

static void
test_upload_off (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  g_autoptr (GBytes) body = NULL;
  FakeHttp *http;

  body = begin_at_the_origin (fake, &http);
  g_assert_true (ask (fake, alice, 4, 0));
  fake->config.upload = FALSE;
  fake_configure (fake);
  assert_refused (alice);
  g_assert_false (ask (fake, alice, 4, 0));
  g_assert_false (ask (fake, alice, 2, 0));
  fake_http_data (fake, http, g_bytes_get_data (body, NULL), SIZE);
  g_assert_cmpuint (alice->data->len, ==, 0);
  leave (fake);
}

static void
ask_for (FakePorts *fake, FakeConn *conn, gint64 id, gint64 needed_ms)
{
  P2pCommand request = { .kind = P2P_COMMAND_REQUEST,
    .segment_id = id,
    .request_id = 9,
    .needed_ms = needed_ms };

  fake_conn_command (fake, conn, &request);
}

/* Two are sent what they need in a minute; a third waits for what it asks. */
static void
check_makes_way (gint64 needed_ms, gboolean expected)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *patient[P2P_SERVE_UNKNOWN];
  FakeConn *carol = fake_connect (fake, CAROL);
  P2pCommand answer;
  guint ended = 0;

  for (guint i = 0; i < G_N_ELEMENTS (patient); i++) {
    patient[i] = connect_native (fake, 1000 + i);
    patient[i]->deaf = TRUE;
    ask_for (fake, patient[i], 1, 60 * 1000 + i);
  }
  ask_for (fake, carol, 1, needed_ms);
  g_assert_true (fake_conn_find (
      carol, expected ? P2P_COMMAND_COMPLETED : P2P_COMMAND_ABSENT, &answer));
  for (guint i = 0; i < G_N_ELEMENTS (patient); i++)
    ended += fake_conn_find (patient[i], P2P_COMMAND_ABSENT, &answer);
  g_assert_cmpuint (ended, ==, expected);
}

static void
test_what_can_wait_makes_way (void)
{
  check_makes_way (0, TRUE);
  check_makes_way (10 * 1000, TRUE);
  check_makes_way (50 * 1000, FALSE);
  /* Nonsense is no reason to be served. */
  check_makes_way (G_MAXINT32, FALSE);
  check_makes_way (-1, TRUE);
}

/* Browsers that want a film are served beyond all slots: to end one upload makes
 * no room, and nobody is cut off for nothing. */
static void
test_nobody_makes_way_in_vain (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *browsers[] = { fake_connect (fake, "-PM0230-browser00001"),
    fake_connect (fake, "-PM0230-browser00002") };
  FakeConn *patient[P2P_SERVE_UNKNOWN];
  FakeConn *native = connect_native (fake, 2000);
  P2pCommand answer;

  for (guint i = 0; i < G_N_ELEMENTS (patient); i++) {
    patient[i] = connect_native (fake, 1000 + i);
    patient[i]->deaf = TRUE;
    ask_for (fake, patient[i], 1, 60 * 1000);
  }
  for (guint i = 0; i < G_N_ELEMENTS (browsers); i++) {
    browsers[i]->deaf = TRUE;
    ask_for (fake, browsers[i], 1, 0);
    g_assert_true (fake_conn_find (browsers[i], P2P_COMMAND_DATA, &answer));
  }
  ask_for (fake, native, 1, 0);
  g_assert_true (fake_conn_find (native, P2P_COMMAND_ABSENT, &answer));
  for (guint i = 0; i < G_N_ELEMENTS (patient); i++)
    g_assert_false (fake_conn_find (patient[i], P2P_COMMAND_ABSENT, &answer));
}

/* They take both slots and read nothing. */
static void
test_requests_that_never_end (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *hostile[P2P_SERVE_UNKNOWN];
  FakeConn *carol = fake_connect (fake, CAROL);

  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    hostile[i] = connect_native (fake, 1000 + i);
    hostile[i]->deaf = TRUE;
    fake_conn_request (fake, hostile[i], 1, 1, 0);
    fake_conn_request (fake, hostile[i], 1, 2, 0);
    g_assert_true (hostile[i]->was_high);
  }
  g_assert_false (ask (fake, carol, 1, 0));
  fake_advance (fake, 31 * G_USEC_PER_SEC);
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    g_assert_true (hostile[i]->over);
  g_assert_true (ask (fake, carol, 1, 0));
  leave (fake);
}

/* Who is told that we are busy and does not care costs us little. */
static void
test_refused_and_refused (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *carol = fake_connect (fake, CAROL);
  guint sent = 0;

  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN);
  while (!carol->over) {
    fake_conn_request (fake, carol, 1, ++sent, 0);
    g_assert_cmpuint (sent, <=, P2P_COMMANDS_PER_10S + 1);
  }
  g_assert_cmpuint (carol->data->len, ==, 0);
}

/* Whatever a peer asks for, and however often, there is one upload. */
static void
test_one_upload_each (void)
{
  g_autoptr (FakePorts) fake = sharing ();
  FakeConn *alice = fake_connect (fake, ALICE);
  g_autoptr (GBytes) body = NULL;
  FakeHttp *http;

  body = begin_at_the_origin (fake, &http);
  alice->deaf = TRUE;
  for (guint i = 0; i < 199; i++)
    fake_conn_request (fake, alice, i % 5, i, i % 3 * 1000);
  g_assert_cmpuint (
      alice->waiting, <=, P2P_SEND_HIGH_BYTES + 2 * P2P_MESSAGE_MAX_BYTES);
  g_assert_cmpuint (count_slots (fake), ==, P2P_SERVE_UNKNOWN - 1);
  leave (fake);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/upload/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("slots", test_slots);
  ADD ("confirmation-frees-the-slot", test_confirmation_frees_the_slot);
  ADD ("never-confirmed", test_never_confirmed);
  ADD ("cancel-frees-the-slot", test_cancel_frees_the_slot);
  ADD ("closing-frees-the-slot", test_closing_frees_the_slot);
  ADD ("newest-goes-first", test_newest_goes_first);
  ADD ("newest-has-no-more-of-its-own", test_newest_has_no_more_of_its_own);
  ADD ("newest-is-left-to-the-idle", test_newest_is_left_to_the_idle);
  ADD ("newest-is-left-by-who-gives-nothing",
      test_newest_is_left_by_who_gives_nothing);
  ADD ("idle-again", test_idle_again);
  ADD ("newest-that-cannot-be", test_newest_that_cannot_be);
  ADD ("relay-is-not-left-to-the-idle", test_relay_is_not_left_to_the_idle);
  ADD ("older-are-not-left-to-the-idle", test_older_are_not_left_to_the_idle);
  ADD ("newest-is-not-left-by-the-late", test_newest_is_not_left_by_the_late);
  ADD ("film-has-no-newest", test_film_has_no_newest);
  ADD ("browsers-are-served", test_browsers_are_served);
  ADD ("browsers-step-back", test_browsers_step_back);
  ADD ("uplink-is-measured", test_uplink_is_measured);
  ADD ("limit-bounds-the-uplink", test_limit_bounds_the_uplink);
  ADD ("origin-is-farther-while-sending", test_origin_is_farther_while_sending);
  ADD ("ends-are-no-measure", test_ends_are_no_measure);
  ADD ("relay", test_relay);
  ADD ("relay-of-a-relay", test_relay_of_a_relay);
  ADD ("relay-before-the-first-byte", test_relay_before_the_first_byte);
  ADD ("relay-only-to-who-has-less", test_relay_only_to_who_has_less);
  ADD ("no-relay-to-browsers", test_no_relay_to_browsers);
  ADD ("no-relay-of-no-segment", test_no_relay_of_no_segment);
  ADD ("message-sizes", test_message_sizes);
  ADD ("relay-is-no-measure", test_relay_is_no_measure);
  ADD ("cancelled-relay-is-no-measure", test_cancelled_relay_is_no_measure);
  ADD ("cancel-is-a-measure", test_cancel_is_a_measure);
  ADD ("cancel-without-a-size-is-no-measure",
      test_cancel_without_a_size_is_no_measure);
  ADD ("cancel-that-lies", test_cancel_that_lies);
  ADD ("thin-uplink", test_thin_uplink);
  ADD ("thin-uplink-with-a-limit", test_thin_uplink_with_a_limit);
  ADD ("hurried-peer", test_hurried_peer);
  ADD ("others-count-as-much-each", test_others_count_as_much_each);
  ADD ("channel-has-emptied-itself", test_channel_has_emptied_itself);
  ADD ("origin-takes-over", test_origin_takes_over);
  ADD ("peer-takes-over", test_peer_takes_over);
  ADD ("abandoned", test_abandoned);
  ADD ("abandoned-without-a-byte", test_abandoned_without_a_byte);
  ADD ("failed-origin", test_failed_origin);
  ADD ("another-length", test_another_length);
  ADD ("another-length-too-late", test_another_length_too_late);
  ADD ("negative-offset", test_negative_offset);
  ADD ("upload-off", test_upload_off);
  ADD ("requests-that-never-end", test_requests_that_never_end);
  ADD ("what-can-wait-makes-way", test_what_can_wait_makes_way);
  ADD ("nobody-makes-way-in-vain", test_nobody_makes_way_in_vain);
  ADD ("refused-and-refused", test_refused_and_refused);
  ADD ("one-upload-each", test_one_upload_each);

  return g_test_run ();
}

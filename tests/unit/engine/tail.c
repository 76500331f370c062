/* p2phlssrc: tests of segments whose end a second peer sends.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
/* Where the second begins: nothing is known of either's rate. */
#define END (SIZE / 2)
#define ALICE "-AA0000-alice0000000"
#define BOB "-BB0000-bob000000000"

/* Alice sends what the player waits for, and Bob has it, too. */
typedef struct
{
  FakePorts *fake;
  FakeConn *alice, *bob;
  P2pCommand first, second;
  FakeRequest *request;
} Two;

static void
two_init (Two *two)
{
  two->fake = fake_ports_playing (NULL);
  two->fake->resource = SIZE;
  two->alice = fake_connect_holder (two->fake, ALICE, &two->first);
  two->bob = fake_connect (two->fake, BOB);
  two->request = fake_request_segment (two->fake, 4);
  fake_conn_has (two->fake, two->bob, 4);
  fake_conn_data (two->fake, two->alice, &two->first, SIZE);
  g_assert_true (fake_conn_find (two->bob, P2P_COMMAND_REQUEST, &two->second));
  g_assert_cmpint (two->second.segment_id, ==, 4);
  g_assert_cmpint (two->second.byte_from, ==, END);
}

static void
two_clear (Two *two)
{
  fake_ports_free (two->fake);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Two, two_clear)

static void
alice_sends (Two *two, gsize from, gsize length)
{
  fake_conn_segment (two->fake, two->alice, &two->first, from, length);
}

/* @from: in the segment. */
static void
bob_sends (Two *two, gsize from, gsize length)
{
  if (from == END)
    fake_conn_data (two->fake, two->bob, &two->second, SIZE - END);
  fake_conn_segment (two->fake, two->bob, &two->second, from, length);
}

static void
assert_whole (Two *two)
{
  fake_assert_segment (two->request, 4, SIZE);
}

static void
assert_counts (Two *two, guint64 http, guint64 peers, guint64 overhead)
{
  g_autoptr (P2pStats) stats = fake_stats (two->fake);

  g_assert_cmpuint (stats->http_bytes, ==, 4 * SIZE + http);
  g_assert_cmpuint (stats->p2p_bytes, ==, peers);
  g_assert_cmpuint (stats->overhead_bytes, ==, overhead);
}

static void
assert_cancelled (FakeConn *conn, const P2pCommand *request)
{
  P2pCommand command;

  g_assert_true (fake_conn_find (conn, P2P_COMMAND_CANCEL, &command));
  g_assert_cmpint (command.request_id, ==, request->request_id);
}

/* The end is here before what comes before it. */
static void
test_second_ends_first (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  bob_sends (&two, END, SIZE - END);
  alice_sends (&two, 0, 60000);
  g_assert_cmpuint (two.request->body->len, ==, 60000);
  alice_sends (&two, 60000, END - 60000);
  assert_cancelled (two.alice, &two.first);
  assert_whole (&two);
  assert_counts (&two, 0, SIZE, 0);
}

/* Its bytes are next while it still sends: it goes on alone. */
static void
test_second_goes_on (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  bob_sends (&two, END, 30000);
  alice_sends (&two, 0, END);
  assert_cancelled (two.alice, &two.first);
  g_assert_cmpuint (two.request->body->len, ==, END + 30000);
  bob_sends (&two, END + 30000, SIZE - END - 30000);
  assert_whole (&two);
  assert_counts (&two, 0, SIZE, 0);
}

/* A message that goes beyond is used as far as it is wanted. */
static void
test_message_across (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  bob_sends (&two, END, 30000);
  alice_sends (&two, 0, 60000);
  alice_sends (&two, 60000, 50000);
  g_assert_cmpuint (two.request->body->len, ==, END + 30000);
  bob_sends (&two, END + 30000, SIZE - END - 30000);
  assert_whole (&two);
  assert_counts (&two, 0, SIZE, 110000 - END);
}

/* The last message of all, as the second has sent one byte. */
static void
test_last_message_across (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  alice_sends (&two, 0, END - 1);
  bob_sends (&two, END, 1);
  alice_sends (&two, END - 1, 65535);
  bob_sends (&two, END + 1, SIZE - END - 1);
  assert_whole (&two);
}

/* The first is quicker than one that has sent nothing yet. */
static void
test_second_is_not_needed (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  alice_sends (&two, 0, SIZE);
  assert_cancelled (two.bob, &two.second);
  assert_whole (&two);
  assert_counts (&two, 0, SIZE, 0);
}

static void
test_second_leaves (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  bob_sends (&two, END, 30000);
  fake_conn_close (two.fake, two.bob);
  alice_sends (&two, 0, SIZE);
  assert_whole (&two);
  assert_counts (&two, 0, SIZE, 30000);
}

/* One of ours whose uplink is taken; a browser that has lost it. */
static void
test_second_refuses (void)
{
  g_auto (Two) two = { 0 };
  P2pCommand absent = { .kind = P2P_COMMAND_ABSENT, .segment_id = 4 };

  two_init (&two);
  absent.request_id = two.second.request_id;
  fake_conn_command (two.fake, two.bob, &absent);
  g_assert_false (two.bob->over);
  alice_sends (&two, 0, SIZE);
  assert_whole (&two);
}

/* There is another for what comes before it. */
static void
test_first_leaves (void)
{
  g_auto (Two) two = { 0 };
  FakeConn *carol;
  P2pCommand third;

  two_init (&two);
  carol = fake_connect (two.fake, "-CC0000-carol0000000");
  fake_conn_has (two.fake, carol, 4);
  alice_sends (&two, 0, 60000);
  bob_sends (&two, END, 30000);
  fake_conn_close (two.fake, two.alice);
  g_assert_true (fake_conn_find (carol, P2P_COMMAND_REQUEST, &third));
  g_assert_cmpint (third.byte_from, ==, 60000);
  fake_conn_data (two.fake, carol, &third, SIZE - 60000);
  fake_conn_segment (two.fake, carol, &third, 60000, END - 60000);
  assert_cancelled (carol, &third);
  bob_sends (&two, END + 30000, SIZE - END - 30000);
  assert_whole (&two);
  assert_counts (&two, 0, SIZE, 0);
}

/* Nobody else has what comes before the end.
 * @sent: (out): where in the segment the second is
 * Returns: what the origin is asked for. */
static FakeHttp *
lose_first (Two *two, gsize *sent)
{
  FakeHttp *http;

  two_init (two);
  alice_sends (two, 0, 60000);
  bob_sends (two, END, 30000);
  *sent = END + 30000;
  fake_conn_close (two->fake, two->alice);
  while (fake_http_segment_count (two->fake, 4) == 0) {
    g_assert_cmpuint (*sent, <, SIZE);
    bob_sends (two, (*sent)++, 1);
    fake_advance (two->fake, 100 * 1000);
  }
  http = fake_http_segment (two->fake, 4);
  g_assert_cmpuint (http->range.start, ==, 60000);
  g_assert_cmpuint (http->range.end, ==, END - 1);

  return http;
}

/* @from to @to of the segment. */
static void
origin_sends (Two *two, FakeHttp *http, gsize from, gsize to)
{
  g_autoptr (GBytes) whole = fake_segment (4, SIZE);
  const char *data = g_bytes_get_data (whole, NULL);

  fake_http_data (two->fake, http, data + from, to - from);
}

/* The origin gives what the second does not. */
static void
origin_takes_over (guint status)
{
  g_auto (Two) two = { 0 };
  gsize sent;
  FakeHttp *http = lose_first (&two, &sent);

  bob_sends (&two, sent, SIZE - sent);
  if (status == 206) {
    fake_http_headers (two.fake, http, 206, 60000, END - 60000);
    origin_sends (&two, http, 60000, END);
    g_assert_false (http->over);
    fake_http_done (two.fake, http);
  } else {
    fake_http_headers (two.fake, http, 200, 0, SIZE);
    origin_sends (&two, http, 0, 150000);
    g_assert_true (http->over);
  }
  assert_whole (&two);
  assert_counts (&two, END - 60000, SIZE - (END - 60000),
      status == 206 ? 0 : 60000 + 150000 - END);
}

static void
test_origin_takes_over (void)
{
  origin_takes_over (206);
}

static void
test_origin_without_ranges (void)
{
  origin_takes_over (200);
}

/* The second leaves while the origin gives what comes before it. */
static void
test_origin_and_no_end (void)
{
  g_auto (Two) two = { 0 };
  gsize sent;
  FakeHttp *http = lose_first (&two, &sent);

  fake_http_headers (two.fake, http, 206, 60000, END - 60000);
  origin_sends (&two, http, 60000, 61000);
  fake_conn_close (two.fake, two.bob);
  origin_sends (&two, http, 61000, END);
  fake_http_done (two.fake, http);
  http = fake_http_segment (two.fake, 4);
  g_assert_cmpuint (http->range.start, ==, END);
  fake_http_answer (two.fake, http);
  assert_whole (&two);
}

/* The origin fails while the second sends: nobody else is left to ask. */
static void
test_origin_unreachable (void)
{
  g_auto (Two) two = { 0 };
  gsize sent;
  FakeHttp *http = lose_first (&two, &sent);
  P2pCommand again;

  fake_http_fail (two.fake, http, P2P_HTTP_FAILURE_CONNECT, 0, "no way");
  assert_cancelled (two.bob, &two.second);
  g_assert_true (fake_conn_find (two.bob, P2P_COMMAND_REQUEST, &again));
  g_assert_cmpint (again.byte_from, ==, 60000);
  fake_conn_serve (two.fake, two.bob, &again);
  assert_whole (&two);
}

/* After the last byte that it was asked for. */
static void
test_origin_breaks_off (void)
{
  g_auto (Two) two = { 0 };
  gsize sent;
  FakeHttp *http = lose_first (&two, &sent);

  bob_sends (&two, sent, SIZE - sent);
  fake_http_headers (two.fake, http, 206, 60000, P2P_SIZE_UNKNOWN);
  origin_sends (&two, http, 60000, END);
  fake_http_fail (two.fake, http, P2P_HTTP_FAILURE_TIMEOUT, 0, "stalls");
  assert_whole (&two);
  g_assert_cmpuint (fake_http_segment_count (two.fake, 4), ==, 1);
}

/* Two peers agree on a length, and the origin has another one. */
static void
test_origin_has_less (void)
{
  g_auto (Two) two = { 0 };
  gsize sent;
  FakeHttp *http = lose_first (&two, &sent);

  bob_sends (&two, sent, SIZE - sent);
  two.fake->resource = SIZE - 50000;
  fake_http_headers (two.fake, http, 206, 60000, END - 60000);
  origin_sends (&two, http, 60000, END);
  if (!http->over)
    fake_http_done (two.fake, http);
  http = fake_http_segment (two.fake, 4);
  g_assert_cmpuint (http->range.start, ==, END);
  fake_http_headers (two.fake, http, 206, END, SIZE - 50000 - END);
  origin_sends (&two, http, END, SIZE - 50000);
  fake_http_done (two.fake, http);
  fake_assert_segment (two.request, 4, SIZE - 50000);
}

/* A trickle does not keep the origin from being asked for everything in time. */
static void
test_late_second_is_left (void)
{
  g_auto (Two) two = { 0 };
  FakeHttp *http;
  guint sent = 0;

  two_init (&two);
  while (fake_http_segment_count (two.fake, 4) == 0) {
    g_assert_cmpuint (sent, <, 15);
    bob_sends (&two, END + sent, 1);
    alice_sends (&two, sent * 5000, 5000);
    fake_advance (two.fake, 100 * 1000);
    sent++;
  }
  assert_cancelled (two.alice, &two.first);
  assert_cancelled (two.bob, &two.second);
  http = fake_http_segment (two.fake, 4);
  g_assert_cmpuint (http->range.start, ==, sent * 5000);
  g_assert_cmpuint (http->range.end, ==, P2P_SIZE_UNKNOWN);
  fake_http_answer (two.fake, http);
  assert_whole (&two);
}

/* Who has sent what was wanted of it kept nobody waiting. */
static void
test_first_is_forgiven (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  bob_sends (&two, END, SIZE - END);
  alice_sends (&two, 0, END);
  assert_whole (&two);
  for (guint i = 0; i < 2; i++) {
    P2pCommand asked;

    fake_conn_has (two.fake, two.alice, 5 + i);
    g_assert_true (fake_conn_find (two.alice, P2P_COMMAND_REQUEST, &asked));
    fake_advance (two.fake, 3 * G_USEC_PER_SEC);
  }
  g_assert_false (two.alice->over);
}

/* Another player wants something else that only the second has: the first goes
 * on. */
static void
test_second_is_wanted_elsewhere (void)
{
  g_auto (Two) two = { 0 };
  P2pCommand other;

  two_init (&two);
  bob_sends (&two, END, 30000);
  fake_conn_has (two.fake, two.bob, 5);
  two.fake->consumer = 2;
  fake_request_segment (two.fake, 5);
  assert_cancelled (two.bob, &two.second);
  g_assert_true (fake_conn_find (two.bob, P2P_COMMAND_REQUEST, &other));
  g_assert_cmpint (other.segment_id, ==, 5);
  g_assert_false (fake_conn_find (two.alice, P2P_COMMAND_CANCEL, &other));
  alice_sends (&two, 0, SIZE);
  assert_whole (&two);
}

/* It says another length than the first: who of them lies is not known. */
static void
test_second_lies (void)
{
  for (guint i = 0; i < 2; i++) {
    g_auto (Two) two = { 0 };

    two_init (&two);
    fake_conn_data (
        two.fake, two.bob, &two.second, i == 0 ? 0 : SIZE - END + 1);
    assert_cancelled (two.bob, &two.second);
    g_assert_false (two.bob->over);
    g_assert_false (two.alice->over);
    alice_sends (&two, 0, SIZE);
    assert_whole (&two);
  }
}

/* Neither sends much, and the second nothing at last. */
static void
test_second_is_silent (void)
{
  g_auto (Two) two = { 0 };

  two_init (&two);
  bob_sends (&two, END, 30000);
  for (guint i = 0; i < 22; i++) {
    alice_sends (&two, i * 1000, 1000);
    fake_advance (two.fake, 100 * 1000);
  }
  assert_cancelled (two.bob, &two.second);
  fake_http_answer_all (two.fake);
  assert_whole (&two);
}

/* The player goes elsewhere; the session ends. */
static void
test_nobody_waits (void)
{
  for (guint i = 0; i < 2; i++) {
    g_auto (Two) two = { 0 };

    two_init (&two);
    alice_sends (&two, 0, 60000);
    bob_sends (&two, END, 30000);
    if (i == 0)
      continue;
    fake_request_cancel (two.fake, two.request);
    alice_sends (&two, 60000, END - 60000);
    bob_sends (&two, END + 30000, SIZE - END - 30000);
    two.request = fake_request_segment (two.fake, 4);
    assert_whole (&two);
  }
}

/* Who sends the whole in no time needs no help. */
static void
test_quick_first (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand first, second;
  FakeConn *alice = fake_connect_holder (fake, ALICE, &first);
  FakeConn *bob = fake_connect (fake, BOB);

  fake_conn_serve (fake, alice, &first);
  fake_assert_segment (fake_request_segment (fake, 4), 4, SIZE);
  fake_conn_has (fake, alice, 5);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &first));
  fake_conn_has (fake, bob, 5);
  fake_request_segment (fake, 5);
  fake_conn_data (fake, alice, &first, SIZE);
  g_assert_false (fake_conn_find (bob, P2P_COMMAND_REQUEST, &second));
}

#define ADD(name, func) g_test_add_func ("/engine/tail/" name, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("second-ends-first", test_second_ends_first);
  ADD ("second-goes-on", test_second_goes_on);
  ADD ("message-across", test_message_across);
  ADD ("last-message-across", test_last_message_across);
  ADD ("second-is-not-needed", test_second_is_not_needed);
  ADD ("second-leaves", test_second_leaves);
  ADD ("second-refuses", test_second_refuses);
  ADD ("first-leaves", test_first_leaves);
  ADD ("origin-takes-over", test_origin_takes_over);
  ADD ("origin-without-ranges", test_origin_without_ranges);
  ADD ("origin-and-no-end", test_origin_and_no_end);
  ADD ("origin-unreachable", test_origin_unreachable);
  ADD ("origin-breaks-off", test_origin_breaks_off);
  ADD ("origin-has-less", test_origin_has_less);
  ADD ("late-second-is-left", test_late_second_is_left);
  ADD ("first-is-forgiven", test_first_is_forgiven);
  ADD ("second-is-wanted-elsewhere", test_second_is_wanted_elsewhere);
  ADD ("second-lies", test_second_lies);
  ADD ("second-is-silent", test_second_is_silent);
  ADD ("nobody-waits", test_nobody_waits);
  ADD ("quick-first", test_quick_first);

  return g_test_run ();
}

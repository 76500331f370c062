/* p2phlssrc: tests of upload slots and message sizes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/serve.h"

#include "base/limits.h"

#define MBIT (1000 * 1000)

static void
test_unknown (void)
{
  g_assert_cmpuint (p2p_serve_slots (0, MBIT, FALSE), ==, P2P_SERVE_UNKNOWN);
  g_assert_cmpuint (p2p_serve_slots (MBIT, 0, FALSE), ==, P2P_SERVE_UNKNOWN);
  g_assert_cmpuint (p2p_serve_slots (0, 0, FALSE), ==, P2P_SERVE_UNKNOWN);
}

/* Each gets the stream at least as fast as it plays, but who is alone. */
static void
test_slots (void)
{
  guint before = 1;

  for (guint64 up_bps = MBIT / 10; up_bps < 400 * MBIT; up_bps += MBIT / 10) {
    guint slots = p2p_serve_slots (up_bps, 2 * MBIT, FALSE);

    g_assert_cmpuint (slots, >=, before);
    if (slots > 1)
      g_assert_cmpuint (up_bps / slots, >=, 2 * MBIT);
    before = slots;
  }
  g_assert_cmpuint (before, >, 10);
}

/* One is always served, and never more than there can be. */
static void
test_slots_are_bounded (void)
{
  g_assert_cmpuint (p2p_serve_slots (1, G_MAXUINT64 / 4, FALSE), ==, 1);
  g_assert_cmpuint (p2p_serve_slots (G_MAXUINT64, 1, FALSE), ==, P2P_PEERS_MAX);
}

/* A live segment that comes too late is of no use, and one of a film is. */
static void
test_slots_of_live (void)
{
  g_assert_cmpuint (p2p_serve_slots (MBIT, 2 * MBIT, TRUE), ==, 0);
  g_assert_cmpuint (p2p_serve_slots (MBIT, 2 * MBIT, FALSE), ==, 1);
  g_assert_cmpuint (p2p_serve_slots (2 * MBIT, 2 * MBIT, TRUE), ==, 1);
  g_assert_cmpuint (p2p_serve_slots (0, 2 * MBIT, TRUE), ==, P2P_SERVE_UNKNOWN);
}

/* Mostly it is the other end that is slow: what was shown is believed sooner
 * than what was not. */
static void
test_uplink (void)
{
  double up, down;

  g_assert_cmpfloat (p2p_serve_uplink_bps (0, 5 * MBIT), ==, 5 * MBIT);
  up = p2p_serve_uplink_bps (5 * MBIT, 7 * MBIT) - 5 * MBIT;
  down = 5 * MBIT - p2p_serve_uplink_bps (5 * MBIT, 3 * MBIT);
  g_assert_cmpfloat (down, >, 0);
  g_assert_cmpfloat (up, >, 2 * down);
  g_assert_cmpfloat (up, <, 2 * MBIT);
  g_assert_cmpfloat (p2p_serve_uplink_bps (MBIT, MBIT), ==, MBIT);
}

/* Who gives up on us has waited for us: that counts more than one who is slow, and
 * less than one who was quick. */
static void
test_left (void)
{
  double slow = 5 * MBIT - p2p_serve_uplink_bps (5 * MBIT, 0);
  double left = 5 * MBIT - p2p_serve_left_bps (5 * MBIT, 0);

  g_assert_cmpfloat (left, >, 2 * slow);
  g_assert_cmpfloat (left, <, 5 * MBIT / 2);
  g_assert_cmpfloat (p2p_serve_left_bps (5 * MBIT, 7 * MBIT), ==,
      p2p_serve_uplink_bps (5 * MBIT, 7 * MBIT));
  g_assert_cmpfloat (p2p_serve_left_bps (0, MBIT), ==, MBIT);
}

/* The least is too thin, and one good upload shows that it is not. */
static void
test_least (void)
{
  double least = p2p_serve_least_bps (2 * MBIT);

  g_assert_cmpuint (p2p_serve_slots (least, 2 * MBIT, TRUE), ==, 0);
  least = p2p_serve_uplink_bps (least, 100 * MBIT);
  g_assert_cmpuint (p2p_serve_slots (least, 2 * MBIT, TRUE), ==, 1);
}

/* Each time longer, and not for ever. */
static void
test_believed (void)
{
  g_assert_cmpint (p2p_serve_believed_us (0), ==, 30 * G_USEC_PER_SEC);
  g_assert_cmpint (p2p_serve_believed_us (1), ==, 60 * G_USEC_PER_SEC);
  g_assert_cmpint (p2p_serve_believed_us (4), ==, 480 * G_USEC_PER_SEC);
  g_assert_cmpint (p2p_serve_believed_us (G_MAXUINT), ==, 480 * G_USEC_PER_SEC);
}

static void
check_converges (double from_bps, double to_bps)
{
  double bps = from_bps;

  for (guint i = 0; i < 100; i++)
    bps = p2p_serve_uplink_bps (bps, to_bps);
  g_assert_cmpfloat (bps, >, 0.99 * to_bps);
  g_assert_cmpfloat (bps, <, 1.01 * to_bps);
}

static void
test_uplink_converges (void)
{
  check_converges (MBIT, 100.0 * MBIT);
  check_converges (100.0 * MBIT, MBIT);
}

/* Who passes it on waits for a whole one: none takes long. */
static void
test_messages (void)
{
  g_assert_cmpuint (p2p_serve_message_bytes (0, 1), ==, P2P_SERVE_LEAST_BYTES);
  g_assert_cmpuint (
      p2p_serve_message_bytes (MBIT, 50), ==, P2P_SERVE_LEAST_BYTES);
  g_assert_cmpuint (
      p2p_serve_message_bytes (G_MAXUINT64, 1), ==, P2P_MESSAGE_MAX_BYTES);
  g_assert_cmpuint (
      p2p_serve_message_bytes (5 * MBIT, 1), >, P2P_SERVE_LEAST_BYTES);
  g_assert_cmpuint (
      p2p_serve_message_bytes (5 * MBIT, 1), <, P2P_MESSAGE_MAX_BYTES);
  for (guint uploads = 0; uploads < 100; uploads++)
    g_assert_cmpuint (p2p_serve_message_bytes (50 * MBIT, uploads), >=,
        p2p_serve_message_bytes (50 * MBIT, uploads + 1));
}

/* What waits in the line takes the longer the thinner it is; of one that is not
 * known the worst is expected. */
static void
test_delay (void)
{
  g_assert_cmpint (p2p_serve_delay_us (5 * MBIT), ==, 200 * 1000);
  g_assert_cmpint (p2p_serve_delay_us (MBIT), ==, G_USEC_PER_SEC);
  g_assert_cmpint (p2p_serve_delay_us (0), ==, G_USEC_PER_SEC);
  g_assert_cmpint (p2p_serve_delay_us (1), ==, G_USEC_PER_SEC);
  g_assert_cmpint (p2p_serve_delay_us (G_MAXUINT64), ==, 0);
}

/* A tenth of a second's worth, between the marks of a channel. */
static void
test_waiting (void)
{
  g_assert_cmpuint (p2p_serve_waiting_bytes (0), ==, P2P_SEND_LOW_BYTES);
  g_assert_cmpuint (p2p_serve_waiting_bytes (MBIT), ==, P2P_SEND_LOW_BYTES);
  g_assert_cmpuint (p2p_serve_waiting_bytes (10 * MBIT), ==, 125000);
  g_assert_cmpuint (
      p2p_serve_waiting_bytes (1000 * MBIT), ==, P2P_SEND_HIGH_BYTES);
  g_assert_cmpuint (
      p2p_serve_waiting_bytes (G_MAXUINT64), ==, P2P_SEND_HIGH_BYTES);
}

static void
test_gives_way (void)
{
  const gint64 s = G_USEC_PER_SEC;

  g_assert_false (p2p_serve_gives_way (0, 0));
  g_assert_false (p2p_serve_gives_way (4 * s, 0));
  g_assert_true (p2p_serve_gives_way (6 * s, 0));
  g_assert_false (p2p_serve_gives_way (60 * s, 50 * s));
  g_assert_true (p2p_serve_gives_way (600 * s, 50 * s));
  /* Never both ways: nobody takes turns in it. */
  for (gint64 a = 0; a < 100 * s; a += s) {
    for (gint64 b = 0; b < 100 * s; b += s)
      g_assert_false (p2p_serve_gives_way (a, b) && p2p_serve_gives_way (b, a));
  }
}

/* Who sends to nobody does not wait, and nobody for most of a segment. */
static void
test_patience (void)
{
  const gint64 second_us = G_USEC_PER_SEC;

  g_assert_cmpint (p2p_serve_patience_us (0, second_us), ==, 0);
  for (guint uploads = 0; uploads < P2P_PEERS_MAX; uploads++) {
    gint64 wait_us = p2p_serve_patience_us (uploads, second_us);

    g_assert_cmpint (
        wait_us, <=, p2p_serve_patience_us (uploads + 1, second_us));
    g_assert_cmpint (wait_us, <=, second_us / 2);
  }
  g_assert_cmpint (p2p_serve_patience_us (2, second_us), >,
      p2p_serve_patience_us (1, second_us));
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/policy/serve/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("unknown", test_unknown);
  ADD ("slots", test_slots);
  ADD ("slots-are-bounded", test_slots_are_bounded);
  ADD ("slots-of-live", test_slots_of_live);
  ADD ("uplink", test_uplink);
  ADD ("left", test_left);
  ADD ("least", test_least);
  ADD ("believed", test_believed);
  ADD ("uplink-converges", test_uplink_converges);
  ADD ("messages", test_messages);
  ADD ("delay", test_delay);
  ADD ("waiting", test_waiting);
  ADD ("patience", test_patience);
  ADD ("gives-way", test_gives_way);

  return g_test_run ();
}

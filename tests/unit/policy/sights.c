/* p2phlssrc: tests of when the next live segment is looked for.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/sights.h"

#define S G_USEC_PER_SEC
#define MS 1000

/* An encoder that publishes segment n at n times two seconds, seen @late_us
 * later. */
static void
see (P2pSights *sights, gint64 id, gint64 late_us)
{
  p2p_sights_add (sights, id, id * 2 * S + late_us);
}

static void
test_too_little_was_seen (void)
{
  P2pSights sights = { 0 };

  g_assert_cmpint (p2p_sights_expect (&sights, 1, 2 * S), ==, P2P_NEVER);
  see (&sights, 1, 0);
  see (&sights, 2, 0);
  g_assert_cmpint (p2p_sights_expect (&sights, 3, 2 * S), ==, P2P_NEVER);
  see (&sights, 3, 0);
  g_assert_cmpint (p2p_sights_expect (&sights, 4, 2 * S), ==, 8 * S);
}

/* None can have been published later than it was seen. */
static void
test_the_best_counts (void)
{
  P2pSights sights = { 0 };

  see (&sights, 1, 900 * MS);
  see (&sights, 2, 30 * MS);
  see (&sights, 3, 1500 * MS);
  g_assert_cmpint (p2p_sights_expect (&sights, 4, 2 * S), ==, 8 * S + 30 * MS);
  /* Some may be missing between. */
  see (&sights, 7, 20 * MS);
  g_assert_cmpint (p2p_sights_expect (&sights, 8, 2 * S), ==, 16 * S + 20 * MS);
}

static void
test_only_the_first_sight_counts (void)
{
  P2pSights sights = { 0 };

  for (gint64 id = 1; id <= 4; id++)
    see (&sights, id, 500 * MS);
  see (&sights, 4, 0);
  see (&sights, 2, 0);
  see (&sights, -7, 0);
  g_assert_cmpuint (sights.n, ==, 4);
  g_assert_cmpint (
      p2p_sights_expect (&sights, 5, 2 * S), ==, 10 * S + 500 * MS);
}

static void
test_old_sights_are_forgotten (void)
{
  P2pSights sights = { 0 };

  see (&sights, 1, 0);
  for (gint64 id = 2; id <= P2P_SIGHTS_MAX; id++)
    see (&sights, id, 700 * MS);
  g_assert_cmpint (p2p_sights_expect (&sights, 10, 2 * S), ==, 20 * S);
  for (gint64 id = P2P_SIGHTS_MAX + 1; id < 1000; id++) {
    see (&sights, id, 700 * MS);
    g_assert_cmpuint (sights.n, ==, P2P_SIGHTS_MAX);
    g_assert_cmpint (p2p_sights_expect (&sights, id + 1, 2 * S), ==,
        (id + 1) * 2 * S + 700 * MS);
  }
}

/* What it would have published long ago it has not. */
static void
test_an_encoder_that_stood_still (void)
{
  P2pSights sights = { 0 };

  for (gint64 id = 1; id <= 5; id++)
    see (&sights, id, 100 * MS);
  see (&sights, 6, 30 * S);
  g_assert_cmpint (p2p_sights_expect (&sights, 7, 2 * S), ==, 14 * S + 30 * S);
  see (&sights, 7, 30 * S - 50 * MS);
  g_assert_cmpint (
      p2p_sights_expect (&sights, 8, 2 * S), ==, 16 * S + 30 * S - 50 * MS);
}

/* Around what is expected, ever further apart, and over within a second. */
static void
test_looks (void)
{
  gint64 before_us = p2p_sights_look_us (10 * S, 0), gap_us = 0;

  g_assert_cmpint (before_us, <, 10 * S);
  g_assert_cmpint (before_us, >, 10 * S - 100 * MS);
  for (guint look = 1; look < P2P_SIGHTS_LOOKS_MAX; look++) {
    gint64 at_us = p2p_sights_look_us (10 * S, look);

    g_assert_cmpint (at_us - before_us, >, gap_us);
    gap_us = at_us - before_us;
    before_us = at_us;
  }
  g_assert_cmpint (before_us, <, 11 * S);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/policy/sights/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("too-little-was-seen", test_too_little_was_seen);
  ADD ("the-best-counts", test_the_best_counts);
  ADD ("only-the-first-sight-counts", test_only_the_first_sight_counts);
  ADD ("old-sights-are-forgotten", test_old_sights_are_forgotten);
  ADD ("an-encoder-that-stood-still", test_an_encoder_that_stood_still);
  ADD ("looks", test_looks);

  return g_test_run ();
}

/* p2phlssrc: tests of what a demuxer measures, and must not be led to.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/pace.h"

#define K 1000
#define M (1000 * K)

/* What hlsdemux measures may be this much below the pace. */
#define MEASURED 0.98

static void
assert_stays (guint64 bps, guint64 bitrate, guint64 above)
{
  g_assert_cmpuint (p2p_pace_choice (MEASURED * bps), >=, bitrate);
  g_assert_cmpuint (p2p_pace_choice (bps), <, above);
}

static void
test_stays (void)
{
  assert_stays (p2p_pace_bps (0, 1 * M, 2500 * K), 1 * M, 2500 * K);
  assert_stays (p2p_pace_bps (500 * K, 1 * M, 2500 * K), 1 * M, 2500 * K);
  assert_stays (p2p_pace_bps (3 * M, 1 * M, 2500 * K), 1 * M, 2500 * K);
}

/* Some ladders have steps of a tenth. */
static void
test_narrow_steps (void)
{
  assert_stays (p2p_pace_bps (0, 1000 * K, 1100 * K), 1000 * K, 1100 * K);
  assert_stays (p2p_pace_bps (0, 1000 * K, 1200 * K), 1000 * K, 1200 * K);
}

/* 6 Mbit/s carry 2.5 of 1, 2.5 and 5. */
static void
test_climbs_to_what_http_carries (void)
{
  assert_stays (p2p_pace_bps (6 * M, 1 * M, 5 * M), 2500 * K, 5 * M);
}

static void
test_never_slower_than_http (void)
{
  for (guint64 bps = 100 * K; bps < 10 * M; bps += 100 * K)
    g_assert_cmpuint (p2p_pace_bps (bps, 1 * M, 8 * M), >=, bps);
}

static void
test_bytes (void)
{
  gint64 second_us = G_USEC_PER_SEC;

  g_assert_cmpuint (p2p_pace_bytes (8 * M, 0, 4 * second_us, 0), ==, 0);
  g_assert_cmpuint (
      p2p_pace_bytes (8 * M, 2 * M, 4 * second_us, second_us), ==, 1 * M);
  /* Larger than its playlist claims: still there in time. */
  g_assert_cmpuint (
      p2p_pace_bytes (8 * M, 20 * M, 4 * second_us, 3 * second_us), >=, 20 * M);
  g_assert_cmpuint (p2p_pace_bytes (8 * M, 2 * M, 0, 1), >=, 2 * M);
}

static void
test_beside (void)
{
  g_assert_cmpuint (p2p_pace_beside (0, 1 * M, 2), ==, 2);
  g_assert_cmpuint (p2p_pace_beside (1 * M, 0, 2), ==, 2);
  g_assert_cmpuint (p2p_pace_beside (3 * M, 5 * M, 2), ==, 0);
  g_assert_cmpuint (p2p_pace_beside (3 * M, 2 * M, 2), ==, 0);
  g_assert_cmpuint (p2p_pace_beside (3 * M, 1 * M, 2), ==, 1);
  g_assert_cmpuint (p2p_pace_beside (30 * M, 1 * M, 2), ==, 2);
}

static void
test_hostile_claims (void)
{
  guint64 bps = p2p_pace_bps (0, G_MAXUINT64 - 1, G_MAXUINT64);

  g_assert_cmpuint (bps, >, 1000 * (guint64) M);
  g_assert_cmpuint (
      p2p_pace_bytes (bps, G_MAXUINT64, 1, 3600LL * G_USEC_PER_SEC), >, 1 * M);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/policy/pace/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("stays", test_stays);
  ADD ("narrow-steps", test_narrow_steps);
  ADD ("climbs-to-what-http-carries", test_climbs_to_what_http_carries);
  ADD ("never-slower-than-http", test_never_slower_than_http);
  ADD ("bytes", test_bytes);
  ADD ("beside", test_beside);
  ADD ("hostile-claims", test_hostile_claims);
  return g_test_run ();
}

/* p2phlssrc: tests of the rate estimate.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/bandwidth.h"

#define S G_USEC_PER_SEC
#define MB (1000 * 1000)

static void
test_unknown_at_first (void)
{
  P2pBandwidth bandwidth = { 0 };

  g_assert_cmpuint (p2p_bandwidth_bps (&bandwidth, 5 * S), ==, 0);
  p2p_bandwidth_begin (&bandwidth, 5 * S);
  p2p_bandwidth_add (&bandwidth, 1000, 5 * S);
  g_assert_cmpuint (p2p_bandwidth_bps (&bandwidth, 5 * S), ==, 0);
}

static void
test_idle_time_does_not_count (void)
{
  P2pBandwidth bandwidth = { 0 };

  for (gint64 i = 0; i < 3; i++) {
    p2p_bandwidth_begin (&bandwidth, 100 * i * S);
    p2p_bandwidth_add (&bandwidth, MB, 100 * i * S + S);
    p2p_bandwidth_end (&bandwidth, 100 * i * S + S);
  }
  g_assert_cmpuint (p2p_bandwidth_bps (&bandwidth, 900 * S), ==, 8 * MB);
}

/* Two transfers at once share the time, their bytes add up. */
static void
test_parallel (void)
{
  P2pBandwidth bandwidth = { 0 };

  p2p_bandwidth_begin (&bandwidth, 0);
  p2p_bandwidth_begin (&bandwidth, 0);
  p2p_bandwidth_add (&bandwidth, MB, S);
  p2p_bandwidth_add (&bandwidth, MB, S);
  p2p_bandwidth_end (&bandwidth, S);
  p2p_bandwidth_end (&bandwidth, S);
  g_assert_cmpuint (p2p_bandwidth_bps (&bandwidth, S), ==, 16 * MB);
}

static void
test_forgets (void)
{
  P2pBandwidth bandwidth = { 0 };
  gint64 now_us;

  p2p_bandwidth_begin (&bandwidth, 0);
  for (now_us = S; now_us <= 30 * S; now_us += S)
    p2p_bandwidth_add (&bandwidth, 10 * MB, now_us);
  for (; now_us <= 120 * S; now_us += S)
    p2p_bandwidth_add (&bandwidth, MB, now_us);
  g_assert_cmpuint (p2p_bandwidth_bps (&bandwidth, now_us), <, 9 * MB);
  g_assert_cmpuint (p2p_bandwidth_bps (&bandwidth, now_us), >, 7 * MB);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/bandwidth/unknown-at-first", test_unknown_at_first);
  g_test_add_func ("/model/bandwidth/idle-time-does-not-count",
      test_idle_time_does_not_count);
  g_test_add_func ("/model/bandwidth/parallel", test_parallel);
  g_test_add_func ("/model/bandwidth/forgets", test_forgets);

  return g_test_run ();
}

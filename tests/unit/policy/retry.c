/* p2phlssrc: tests of the pauses between attempts.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/retry.h"

static void
test_doubles_to_a_ceiling (void)
{
  P2pPrng prng;

  p2p_prng_init (&prng, 3);
  for (guint i = 0; i < 1000; i++) {
    guint failures = i % 50;
    gint64 exact_us = P2P_RETRY_FIRST_US
        << MIN (failures > 0 ? failures - 1 : 0, 10);
    gint64 delay_us = p2p_retry_delay_us (failures, &prng);

    exact_us = MIN (exact_us, P2P_RETRY_LAST_US);
    g_assert_cmpint (delay_us, >=, exact_us * 8 / 10 - 1);
    g_assert_cmpint (delay_us, <=, exact_us * 12 / 10 + 1);
  }
  g_assert_cmpint (p2p_retry_delay_us (G_MAXUINT, &prng), >, 0);
}

/* Viewers that lose a tracker together do not come back together. */
static void
test_jitter (void)
{
  P2pPrng prng;
  gint64 least_us = P2P_NEVER, most_us = 0;

  p2p_prng_init (&prng, 4);
  for (guint i = 0; i < 200; i++) {
    gint64 delay_us = p2p_retry_delay_us (1, &prng);

    least_us = MIN (least_us, delay_us);
    most_us = MAX (most_us, delay_us);
  }
  g_assert_cmpint (most_us - least_us, >, P2P_RETRY_FIRST_US / 5);
}

static void
test_http (void)
{
  g_assert_cmpint (p2p_retry_http_us (0, 0, 0), ==, 0);
  g_assert_cmpint (p2p_retry_http_us (1, 0, 0), ==, 0);
  g_assert_cmpint (p2p_retry_http_us (2, 0, 0), ==, P2P_RETRY_STEP_US);
  g_assert_cmpint (p2p_retry_http_us (11, 0, 0), ==, G_USEC_PER_SEC);
  g_assert_cmpint (p2p_retry_http_us (G_MAXUINT, 0, 0), ==, G_USEC_PER_SEC);
}

/* The first retry after a byte is at once, whatever is wanted. */
static void
test_http_backoff (void)
{
  const gint64 second = G_USEC_PER_SEC;

  g_assert_cmpint (p2p_retry_http_us (0, second, 60 * second), ==, 0);
  g_assert_cmpint (p2p_retry_http_us (1, second, 60 * second), ==, 2 * second);
  g_assert_cmpint (p2p_retry_http_us (2, second, 60 * second), ==, 4 * second);
  g_assert_cmpint (p2p_retry_http_us (5, second, 60 * second), ==, 32 * second);
  g_assert_cmpint (p2p_retry_http_us (6, second, 60 * second), ==, 60 * second);
  g_assert_cmpint (
      p2p_retry_http_us (G_MAXUINT, second, 60 * second), ==, 60 * second);
  g_assert_cmpint (
      p2p_retry_http_us (62, 1, G_MAXINT64), ==, G_GINT64_CONSTANT (1) << 62);
  g_assert_cmpint (p2p_retry_http_us (63, 1, G_MAXINT64), ==, G_MAXINT64);
  /* No quicker than without. */
  g_assert_cmpint (p2p_retry_http_us (11, 1, 1), ==, second);
  g_assert_cmpint (p2p_retry_http_us (11, second, 0), ==, second);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/policy/retry/doubles-to-a-ceiling", test_doubles_to_a_ceiling);
  g_test_add_func ("/policy/retry/jitter", test_jitter);
  g_test_add_func ("/policy/retry/http", test_http);
  g_test_add_func ("/policy/retry/http-backoff", test_http_backoff);

  return g_test_run ();
}

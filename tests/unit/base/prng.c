/* p2phlssrc: tests of the seeded generator.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/prng.h"

static void
test_known_values (void)
{
  P2pPrng prng;

  /* First outputs of SplitMix64 for seed 1234567, as the reference C program
   * of its authors prints them. */
  p2p_prng_init (&prng, 1234567);
  g_assert_cmpuint (p2p_prng_next (&prng), ==, 6457827717110365317u);
  g_assert_cmpuint (p2p_prng_next (&prng), ==, 3203168211198807973u);
}

static void
test_ranges (void)
{
  P2pPrng prng;
  char text[13];
  guint i;

  p2p_prng_init (&prng, 1);
  g_assert_cmpuint (p2p_prng_below (&prng, 0), ==, 0);
  for (i = 0; i < 1000; i++) {
    double unit = p2p_prng_unit (&prng);

    g_assert_cmpuint (p2p_prng_below (&prng, 7), <, 7);
    g_assert_true (unit >= 0 && unit < 1);
  }
  p2p_prng_alnum (&prng, text, 12);
  for (i = 0; i < 12; i++)
    g_assert_true (g_ascii_isalnum (text[i]));
  g_assert_cmpint (text[12], ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/prng/known-values", test_known_values);
  g_test_add_func ("/base/prng/ranges", test_ranges);

  return g_test_run ();
}

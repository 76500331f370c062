/* p2phlssrc: tests of the bounded set of URLs.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/urlset.h"

static gboolean
contains (P2pUrlSet *set, const char *key, guint64 start)
{
  P2pUrlEntry probe;

  p2p_url_entry_init (
      &probe, key, &(P2pRange){ start, P2P_SIZE_UNKNOWN }, NULL);

  return p2p_url_set_contains (set, &probe);
}

static void
add (P2pUrlSet *set, const char *url)
{
  p2p_url_set_add (set, url, &P2P_RANGE_ALL);
}

static void
test_oldest_goes (void)
{
  P2pUrlSet *set = p2p_url_set_new (2);

  add (set, "https://C/./a");
  add (set, "https://c/b");
  add (set, "https://c/a#x");
  add (set, "skd://k");
  add (set, "https://c/c");
  g_assert_true (contains (set, "https://c/a", 0));
  g_assert_false (contains (set, "https://c/b", 0));
  g_assert_true (contains (set, "https://c/c", 0));
  g_assert_false (contains (set, "https://c/c", 1));
  p2p_url_set_free (set);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/urlset/oldest-goes", test_oldest_goes);

  return g_test_run ();
}

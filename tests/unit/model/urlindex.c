/* p2phlssrc: tests of the table of resources.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/urlindex.h"

#include "base/prng.h"

static void
init (P2pUrlEntry *entry, const char *key, guint64 start, guint64 end)
{
  p2p_url_entry_init (entry, key, &(P2pRange){ start, end }, entry);
}

static void
test_ranges (void)
{
  P2pUrlIndex *index = p2p_url_index_new ();
  P2pUrlEntry entries[3];
  P2pUrlEntry probe;

  init (&entries[0], "a", 0, 9);
  init (&entries[1], "a", 10, 19);
  init (&entries[2], "b", 0, P2P_SIZE_UNKNOWN);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    p2p_url_index_add (index, &entries[i]);

  init (&probe, "a", 10, 19);
  g_assert_true (p2p_url_index_find (index, &probe) == &entries[1]);
  init (&probe, "a", 10, 20);
  g_assert_null (p2p_url_index_find (index, &probe));
  init (&probe, "b", 0, P2P_SIZE_UNKNOWN);
  g_assert_true (p2p_url_index_find (index, &probe) == &entries[2]);
  g_hash_table_unref (index);
}

static void
assert_ring (P2pUrlIndex *index, P2pUrlEntry *entries, const char *expected)
{
  P2pUrlEntry *first = p2p_url_index_find (index, &entries[0]);
  P2pUrlEntry *entry = first;

  if (*expected == '\0') {
    g_assert_null (first);
    return;
  }
  for (; *expected != '\0'; expected++) {
    g_assert_true (entry == &entries[*expected - '0']);
    g_assert_true (entry->next->previous == entry);
    entry = entry->next;
  }
  g_assert_true (entry == first);
}

static void
test_order (void)
{
  P2pUrlIndex *index = p2p_url_index_new ();
  P2pUrlEntry entries[4];

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    init (&entries[i], "a", 0, 9);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    p2p_url_index_add (index, &entries[i]);
  assert_ring (index, entries, "0123");
  p2p_url_index_remove (index, &entries[0]);
  assert_ring (index, entries, "123");
  p2p_url_index_remove (index, &entries[2]);
  p2p_url_index_remove (index, &entries[2]);
  assert_ring (index, entries, "13");
  p2p_url_index_remove (index, &entries[1]);
  p2p_url_index_remove (index, &entries[3]);
  assert_ring (index, entries, "");
  g_assert_false (p2p_url_entry_is_in (&entries[3]));
  g_assert_cmpuint (g_hash_table_size (index), ==, 0);
  g_hash_table_unref (index);
}

/* Whatever comes and goes, what is in is found. */
static void
test_churn (void)
{
  static const char *const keys[] = { "a", "b", "c", "d" };
  P2pUrlIndex *index = p2p_url_index_new ();
  P2pUrlEntry entries[64];
  P2pPrng prng;

  p2p_prng_init (&prng, 3);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    init (&entries[i], keys[i % 4], i % 8 / 4, 9);
  for (guint n = 0; n < 5000; n++) {
    P2pUrlEntry *entry = &entries[p2p_prng_below (&prng, 64)];

    if (p2p_url_entry_is_in (entry))
      p2p_url_index_remove (index, entry);
    else
      p2p_url_index_add (index, entry);
    for (guint i = 0; i < G_N_ELEMENTS (entries); i++) {
      P2pUrlEntry *first = p2p_url_index_find (index, &entries[i]);
      P2pUrlEntry *at = first;

      while (first != NULL && at != &entries[i] && at->next != first)
        at = at->next;
      g_assert_true ((at == &entries[i]) == p2p_url_entry_is_in (&entries[i]));
    }
  }
  g_hash_table_unref (index);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/urlindex/ranges", test_ranges);
  g_test_add_func ("/model/urlindex/order", test_order);
  g_test_add_func ("/model/urlindex/churn", test_churn);

  return g_test_run ();
}

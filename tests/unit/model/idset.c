/* p2phlssrc: tests of the numbers that somebody names.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/idset.h"

static void
take (P2pIdSet *set, const gint64 *ids, guint n)
{
  g_autoptr (GArray) array = g_array_new (FALSE, FALSE, sizeof (gint64));

  g_array_append_vals (array, ids, n);
  p2p_id_set_take (set, &array);
}

#define TAKE(set, ...) \
  take (set, (gint64[]){ __VA_ARGS__ }, \
      G_N_ELEMENTS (((gint64[]){ __VA_ARGS__ })))

static void
test_empty (void)
{
  P2pIdSet set = { 0 };
  GArray *nothing = NULL;

  g_assert_false (p2p_id_set_has (&set, 0));
  g_assert_false (p2p_id_set_has (&set, -1));
  g_assert_false (p2p_id_set_has (&set, G_MININT64));
  g_assert_false (p2p_id_set_has (&set, G_MAXINT64));
  g_assert_cmphex (p2p_id_set_window (&set, -3, 63), ==, 0);
  p2p_id_set_remove (&set, 0);
  p2p_id_set_take (&set, &nothing);
  g_assert_true (p2p_id_set_is_empty (&set));
}

/* What a stranger sends is in any order, and says things twice. */
static void
test_any_order (void)
{
  P2pIdSet set = { 0 };

  TAKE (&set, 9, 3, 9, 7, 3);
  g_assert_false (p2p_id_set_is_empty (&set));
  g_assert_null (set.ids);
  g_assert_true (p2p_id_set_has (&set, 3));
  g_assert_true (p2p_id_set_has (&set, 7));
  g_assert_true (p2p_id_set_has (&set, 9));
  g_assert_false (p2p_id_set_has (&set, 8));
  g_assert_false (p2p_id_set_has (&set, 2));
  p2p_id_set_remove (&set, 8);
  p2p_id_set_remove (&set, 9);
  g_assert_false (p2p_id_set_has (&set, 9));
  g_assert_true (p2p_id_set_has (&set, 7));
  TAKE (&set, 5);
  g_assert_false (p2p_id_set_has (&set, 7));
  p2p_id_set_remove (&set, 5);
  p2p_id_set_remove (&set, 5);
  g_assert_true (p2p_id_set_is_empty (&set));
  g_assert_false (p2p_id_set_has (&set, 5));
}

/* The newest are one word: each number may be the last that is left. */
static void
test_few (void)
{
  P2pIdSet set = { 0 };
  gint64 id, other;

  for (id = -31; id <= 32; id++) {
    TAKE (&set, -31, 0, 1, 32);
    p2p_id_set_remove (&set, id);
    for (other = -40; other < 40; other++)
      g_assert_cmpint (p2p_id_set_has (&set, other), ==,
          other != id
              && (other == -31 || other == 0 || other == 1 || other == 32));
    for (other = 32; other > -31; other--)
      p2p_id_set_remove (&set, other);
    g_assert_cmpint (p2p_id_set_is_empty (&set), ==, id == -31);
    if (id != -31)
      g_assert_cmpint (set.last, ==, -31);
  }
  p2p_id_set_clear (&set);
}

/* Beyond the bits, and at the ends of all numbers. */
static void
test_far_apart (void)
{
  P2pIdSet set = { 0 };
  gint64 id;

  TAKE (&set, G_MININT64, -1, 0, 100, 163, 164, G_MAXINT64);
  g_assert_true (p2p_id_set_has (&set, G_MININT64));
  g_assert_true (p2p_id_set_has (&set, G_MAXINT64));
  g_assert_false (p2p_id_set_has (&set, G_MAXINT64 - 63));
  p2p_id_set_remove (&set, G_MAXINT64);
  for (id = 1; id < 165; id++)
    g_assert_cmpint (
        p2p_id_set_has (&set, id), ==, id == 100 || id == 163 || id == 164);
  p2p_id_set_clear (&set);
}

/* A film of which half is here: two in three, and each third is taken away. */
static void
test_holes (void)
{
  P2pIdSet set = { 0 };
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 id;

  for (id = -300; id < 300; id++) {
    if (id % 3 != 0)
      g_array_append_val (ids, id);
  }
  p2p_id_set_take (&set, &ids);
  g_assert_nonnull (set.map);
  for (id = -400; id < 400; id++)
    g_assert_cmpint (
        p2p_id_set_has (&set, id), ==, id >= -300 && id < 300 && id % 3 != 0);
  for (id = 299; id >= -300; id--) {
    p2p_id_set_remove (&set, id);
    g_assert_false (p2p_id_set_has (&set, id));
    g_assert_cmpint (p2p_id_set_has (&set, -299), ==, id > -299);
  }
  g_assert_true (p2p_id_set_is_empty (&set));
  g_assert_null (set.map);
}

/* Two numbers take no room for all those between them. */
static void
test_no_map_of_nothing (void)
{
  P2pIdSet set = { 0 };

  TAKE (&set, 0, G_GINT64_CONSTANT (1) << 40);
  g_assert_null (set.map);
  g_assert_true (p2p_id_set_has (&set, 0));
  g_assert_false (p2p_id_set_has (&set, 1));
  p2p_id_set_clear (&set);
}

static void
test_window (void)
{
  P2pIdSet set = { 0 };
  gint64 first;
  guint n, i;

  TAKE (&set, -70, 1, 2, 4, 64, 65, 67);
  for (first = -80; first < 80; first++) {
    for (n = 0; n < P2P_ID_SET_BITS; n++) {
      guint64 window = p2p_id_set_window (&set, first, n);

      for (i = 0; i < n; i++)
        g_assert_cmpuint (
            window >> i & 1, ==, p2p_id_set_has (&set, first + i));
      g_assert_cmphex (window >> n, ==, 0);
    }
  }
  p2p_id_set_clear (&set);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/idset/empty", test_empty);
  g_test_add_func ("/model/idset/any-order", test_any_order);
  g_test_add_func ("/model/idset/few", test_few);
  g_test_add_func ("/model/idset/far-apart", test_far_apart);
  g_test_add_func ("/model/idset/holes", test_holes);
  g_test_add_func ("/model/idset/no-map-of-nothing", test_no_map_of_nothing);
  g_test_add_func ("/model/idset/window", test_window);

  return g_test_run ();
}

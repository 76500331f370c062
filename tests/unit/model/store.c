/* p2phlssrc: tests of the segment store.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/store.h"

static void
append (P2pEntry *entry, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  p2p_store_append (entry, bytes);
}

static char *
read_all (const P2pEntry *entry, P2pCursor *cursor, gsize max)
{
  GString *all = g_string_new (NULL);

  while (TRUE) {
    g_autoptr (GBytes) bytes = p2p_store_read (entry, cursor, max);
    gsize size;
    const char *data;

    if (bytes == NULL)
      return g_string_free (all, FALSE);
    data = g_bytes_get_data (bytes, &size);
    g_assert_cmpuint (size, >, 0);
    g_assert_cmpuint (size, <=, max);
    g_string_append_len (all, data, size);
  }
}

static void
test_grow_and_finish (void)
{
  g_autoptr (P2pStore) store = p2p_store_new ();
  P2pEntry *entry = p2p_store_ensure (store, 1, 7);

  g_assert_true (p2p_store_ensure (store, 1, 7) == entry);
  g_assert_null (p2p_store_find (store, 2, 7));
  append (entry, "abc");
  append (entry, "");
  append (entry, "de");
  g_assert_cmpuint (entry->chunks->len, ==, 2);
  g_assert_cmpuint (p2p_store_bytes (store), ==, 5);
  g_assert_cmpuint (p2p_store_complete_count (store), ==, 0);
  g_assert_true (p2p_store_finish (entry));
  g_assert_cmpuint (entry->total, ==, 5);
  g_assert_cmpuint (p2p_store_complete_count (store), ==, 1);

  p2p_store_remove (store, entry);
  g_assert_cmpuint (p2p_store_bytes (store), ==, 0);
  g_assert_cmpuint (p2p_store_complete_count (store), ==, 0);
  g_assert_null (p2p_store_find (store, 1, 7));
}

/* Nothing empty, short or long is ever complete. */
static void
test_refuse_to_finish (void)
{
  g_autoptr (P2pStore) store = p2p_store_new ();
  P2pEntry *entry = p2p_store_ensure (store, 1, 7);

  g_assert_false (p2p_store_finish (entry));
  append (entry, "abc");
  entry->total = 4;
  g_assert_false (p2p_store_finish (entry));
  entry->total = 2;
  g_assert_false (p2p_store_finish (entry));
  g_assert_false (entry->complete);
  entry->total = 3;
  g_assert_true (p2p_store_finish (entry));
}

static void
test_restart (void)
{
  g_autoptr (P2pStore) store = p2p_store_new ();
  P2pEntry *entry = p2p_store_ensure (store, 1, 7);
  P2pCursor cursor = { 0 };
  g_autofree char *text = NULL;

  append (entry, "wrong");
  entry->total = 9;
  p2p_store_restart (entry);
  g_assert_cmpuint (entry->size, ==, 0);
  g_assert_true (entry->total == P2P_SIZE_UNKNOWN);
  g_assert_cmpuint (p2p_store_bytes (store), ==, 0);
  append (entry, "right");
  text = read_all (entry, &cursor, 100);
  g_assert_cmpstr (text, ==, "right");
}

/* Every offset and every size of slice gives the same bytes. */
static void
test_seek_and_read (void)
{
  static const char *const chunks[] = { "a", "bcdefgh", "ij", "klmnopqrstu" };
  const char *all = "abcdefghijklmnopqrstu";
  g_autoptr (P2pStore) store = p2p_store_new ();
  P2pEntry *entry = p2p_store_ensure (store, 3, -4);

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    append (entry, chunks[i]);
  for (gsize offset = 0; offset <= strlen (all); offset++) {
    for (gsize max = 1; max < 25; max++) {
      P2pCursor cursor = p2p_store_seek (entry, offset);
      g_autofree char *text = read_all (entry, &cursor, max);

      g_assert_cmpstr (text, ==, all + offset);
      g_assert_null (p2p_store_read (entry, &cursor, max));
    }
  }
}

static void
test_cursor_follows_growth (void)
{
  g_autoptr (P2pStore) store = p2p_store_new ();
  P2pEntry *entry = p2p_store_ensure (store, 1, 1);
  P2pCursor cursor = { 0 };
  g_autofree char *first = NULL, *second = NULL;

  g_assert_null (p2p_store_read (entry, &cursor, 10));
  append (entry, "one");
  first = read_all (entry, &cursor, 10);
  append (entry, "two");
  second = read_all (entry, &cursor, 10);
  g_assert_cmpstr (first, ==, "one");
  g_assert_cmpstr (second, ==, "two");
}

/* A whole chunk is handed over itself, a part shares its memory. */
static void
test_no_copies (void)
{
  g_autoptr (P2pStore) store = p2p_store_new ();
  P2pEntry *entry = p2p_store_ensure (store, 1, 1);
  g_autoptr (GBytes) chunk = g_bytes_new_static ("0123456789", 10);
  g_autoptr (GBytes) whole = NULL;
  g_autoptr (GBytes) half = NULL;
  P2pCursor cursor = { 0 };
  const char *origin = g_bytes_get_data (chunk, NULL);

  p2p_store_append (entry, chunk);
  whole = p2p_store_read (entry, &cursor, 10);
  g_assert_true (whole == chunk);

  /* No tiny rest: 10 in pieces of at most 9 is 5 and 5. */
  cursor = (P2pCursor){ 0 };
  half = p2p_store_read (entry, &cursor, 9);
  g_assert_cmpuint (g_bytes_get_size (half), ==, 5);
  g_assert_true (g_bytes_get_data (half, NULL) == origin);
}

static void
test_list (void)
{
  g_autoptr (P2pStore) store = p2p_store_new ();
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GPtrArray) all = NULL;
  static const gint64 ids[] = { 5, G_GINT64_CONSTANT (1) << 40, -2, 9 };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    p2p_store_ensure (store, 1, ids[i]);
  p2p_store_ensure (store, 2, 6);
  list = p2p_store_list (store, 1);
  g_assert_cmpuint (list->len, ==, 4);
  for (guint i = 1; i < list->len; i++)
    g_assert_cmpint (((P2pEntry *) list->pdata[i - 1])->id, <,
        ((P2pEntry *) list->pdata[i])->id);
  all = p2p_store_list_all (store);
  g_assert_cmpuint (all->len, ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/store/grow-and-finish", test_grow_and_finish);
  g_test_add_func ("/model/store/refuse-to-finish", test_refuse_to_finish);
  g_test_add_func ("/model/store/restart", test_restart);
  g_test_add_func ("/model/store/seek-and-read", test_seek_and_read);
  g_test_add_func (
      "/model/store/cursor-follows-growth", test_cursor_follows_growth);
  g_test_add_func ("/model/store/no-copies", test_no_copies);
  g_test_add_func ("/model/store/list", test_list);

  return g_test_run ();
}

/* p2phlssrc: a hash table of resources, by URL key and byte range.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "urlindex.h"

static guint
entry_hash (gconstpointer entry)
{
  return ((const P2pUrlEntry *) entry)->hash;
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const P2pUrlEntry *left = a;
  const P2pUrlEntry *right = b;

  return p2p_range_equal (&left->range, &right->range)
      && strcmp (left->key, right->key) == 0;
}

P2pUrlIndex *
p2p_url_index_new (void)
{
  return g_hash_table_new (entry_hash, entry_equal);
}

void
p2p_url_entry_init (
    P2pUrlEntry *entry, const char *key, const P2pRange *range, gpointer owner)
{
  *entry = (P2pUrlEntry){ .key = key, .range = *range, .owner = owner };
  /* Ranges of one file differ in where they start. */
  entry->hash = g_str_hash (key)
      ^ (guint) (range->start * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 32);
}

P2pUrlEntry *
p2p_url_index_find (P2pUrlIndex *index, const P2pUrlEntry *entry)
{
  return g_hash_table_lookup (index, entry);
}

void
p2p_url_index_add (P2pUrlIndex *index, P2pUrlEntry *entry)
{
  P2pUrlEntry *old = g_hash_table_lookup (index, entry);

  if (old != NULL)
    old->is_in = FALSE;
  g_hash_table_add (index, entry);
  entry->is_in = TRUE;
}

void
p2p_url_index_remove (P2pUrlIndex *index, P2pUrlEntry *entry)
{
  if (!entry->is_in)
    return;

  g_assert (g_hash_table_lookup (index, entry) == entry);
  g_hash_table_remove (index, entry);
  entry->is_in = FALSE;
}

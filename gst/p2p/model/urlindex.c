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

/* The table's key is the first entry of each ring. */
void
p2p_url_index_add (P2pUrlIndex *index, P2pUrlEntry *entry)
{
  P2pUrlEntry *first = g_hash_table_lookup (index, entry);

  g_assert (!p2p_url_entry_is_in (entry));

  if (first == NULL) {
    g_hash_table_add (index, entry);
    first = entry;
    first->previous = entry;
  }
  entry->next = first;
  entry->previous = first->previous;
  entry->previous->next = entry;
  entry->next->previous = entry;
}

void
p2p_url_index_remove (P2pUrlIndex *index, P2pUrlEntry *entry)
{
  if (!p2p_url_entry_is_in (entry))
    return;

  if (g_hash_table_lookup (index, entry) == entry) {
    if (entry->next != entry)
      g_hash_table_add (index, entry->next);
    else
      g_hash_table_remove (index, entry);
  }
  entry->next->previous = entry->previous;
  entry->previous->next = entry->next;
  entry->next = NULL;
  entry->previous = NULL;
}

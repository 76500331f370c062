/* p2phlssrc: the bytes of media segments.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "store.h"

/* Neighbours of the playhead, which are asked about all the time. A power of
 * two. */
#define RECENT 16

struct _P2pStore
{
  GHashTable *entries;      /* P2pEntry, itself the key */
  P2pEntry *recent[RECENT]; /* (nullable) what was found last, by id */
  guint64 bytes;
  guint complete;
};

static guint
entry_hash (gconstpointer data)
{
  const P2pEntry *entry = data;

  return entry->stream * 0x9e3779b1u ^ (guint) entry->id
      ^ (guint) (entry->id >> 32);
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const P2pEntry *left = a, *right = b;

  return left->stream == right->stream && left->id == right->id;
}

static void
entry_free (gpointer data)
{
  P2pEntry *entry = data;

  g_ptr_array_unref (entry->chunks);
  g_free (entry);
}

P2pStore *
p2p_store_new (void)
{
  P2pStore *store = g_new0 (P2pStore, 1);

  store->entries =
      g_hash_table_new_full (entry_hash, entry_equal, entry_free, NULL);

  return store;
}

void
p2p_store_free (P2pStore *store)
{
  g_hash_table_unref (store->entries);
  g_free (store);
}

P2pEntry *
p2p_store_find (P2pStore *store, guint stream, gint64 id)
{
  P2pEntry **recent = &store->recent[id & (RECENT - 1)];
  P2pEntry key = { .stream = stream, .id = id };
  P2pEntry *found;

  if (*recent != NULL && entry_equal (*recent, &key))
    return *recent;
  found = g_hash_table_lookup (store->entries, &key);
  if (found != NULL)
    *recent = found;

  return found;
}

P2pEntry *
p2p_store_ensure (P2pStore *store, guint stream, gint64 id)
{
  P2pEntry *entry = p2p_store_find (store, stream, id);

  if (entry != NULL)
    return entry;

  entry = g_new0 (P2pEntry, 1);
  entry->stream = stream;
  entry->id = id;
  entry->total = P2P_SIZE_UNKNOWN;
  entry->chunks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  entry->store = store;
  g_hash_table_add (store->entries, entry);

  return entry;
}

void
p2p_store_append (P2pEntry *entry, GBytes *bytes)
{
  gsize size = g_bytes_get_size (bytes);

  g_assert (!entry->complete);
  if (size == 0)
    return;

  g_ptr_array_add (entry->chunks, g_bytes_ref (bytes));
  entry->size += size;
  entry->store->bytes += size;
}

gboolean
p2p_store_finish (P2pEntry *entry)
{
  g_assert (!entry->complete);
  if (entry->size == 0)
    return FALSE;
  if (entry->total != P2P_SIZE_UNKNOWN && entry->total != entry->size)
    return FALSE;

  entry->total = entry->size;
  entry->complete = TRUE;
  entry->store->complete++;

  return TRUE;
}

void
p2p_store_restart (P2pEntry *entry)
{
  g_assert (!entry->complete);
  entry->store->bytes -= entry->size;
  g_ptr_array_set_size (entry->chunks, 0);
  entry->size = 0;
  entry->total = P2P_SIZE_UNKNOWN;
}

void
p2p_store_remove (P2pStore *store, P2pEntry *entry)
{
  g_assert (entry->users == 0);
  g_assert (store->bytes >= entry->size);

  store->bytes -= entry->size;
  if (entry->complete)
    store->complete--;
  if (store->recent[entry->id & (RECENT - 1)] == entry)
    store->recent[entry->id & (RECENT - 1)] = NULL;
  g_hash_table_remove (store->entries, entry);
}

guint64
p2p_store_bytes (P2pStore *store)
{
  return store->bytes;
}

guint
p2p_store_complete_count (P2pStore *store)
{
  return store->complete;
}

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  const P2pEntry *left = *(P2pEntry *const *) a;
  const P2pEntry *right = *(P2pEntry *const *) b;

  return left->id < right->id ? -1 : left->id > right->id;
}

GPtrArray *
p2p_store_list (P2pStore *store, guint stream)
{
  GPtrArray *list = g_ptr_array_sized_new (g_hash_table_size (store->entries));
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, store->entries);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    if (((P2pEntry *) key)->stream == stream)
      g_ptr_array_add (list, key);
  }
  g_ptr_array_sort (list, compare_ids);

  return list;
}

GPtrArray *
p2p_store_list_all (P2pStore *store)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, store->entries);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (list, key);

  return list;
}

P2pCursor
p2p_store_seek (const P2pEntry *entry, guint64 offset)
{
  P2pCursor cursor = { 0 };

  g_assert (offset <= entry->size);
  while (cursor.chunk < entry->chunks->len) {
    gsize size = g_bytes_get_size (entry->chunks->pdata[cursor.chunk]);

    if (offset < size)
      break;
    offset -= size;
    cursor.chunk++;
  }
  cursor.offset = offset;

  return cursor;
}

GBytes *
p2p_store_read (const P2pEntry *entry, P2pCursor *cursor, gsize max)
{
  GBytes *chunk;
  gsize offset = cursor->offset;
  gsize rest;

  if (cursor->chunk == entry->chunks->len)
    return NULL;

  chunk = entry->chunks->pdata[cursor->chunk];
  rest = g_bytes_get_size (chunk) - offset;
  if (rest <= max) {
    cursor->chunk++;
    cursor->offset = 0;
    if (offset == 0)
      return g_bytes_ref (chunk);
    return g_bytes_new_from_bytes (chunk, offset, rest);
  }

  if (rest < 2 * max)
    max = (rest + 1) / 2;
  cursor->offset += max;

  return g_bytes_new_from_bytes (chunk, offset, max);
}

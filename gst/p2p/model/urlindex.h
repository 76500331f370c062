/* p2phlssrc: a hash table of resources, by URL key and byte range.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. Entries live inside what they name: the table
 * allocates nothing for each.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/**
 * P2pUrlEntry:
 * @key: from p2p_url_key(); not owned
 * @range: of the resource
 * @hash: of both
 * @owner: what it names
 * @next: another entry with the same key and range: a ring, in order
 * @previous: the other way round; %NULL while the index does not hold it
 */
typedef struct _P2pUrlEntry P2pUrlEntry;
struct _P2pUrlEntry
{
  const char *key;
  P2pRange range;
  guint hash;
  gpointer owner;
  P2pUrlEntry *next;
  P2pUrlEntry *previous;
};

typedef GHashTable P2pUrlIndex;

P2pUrlIndex *p2p_url_index_new (void);

/* Fills @entry; it may be looked up by, or added. */
void p2p_url_entry_init (
    P2pUrlEntry *entry, const char *key, const P2pRange *range, gpointer owner);

static inline gboolean
p2p_url_entry_is_in (const P2pUrlEntry *entry)
{
  return entry->previous != NULL;
}

/* The first of the entries that equal @entry, or %NULL. The last one's @next
 * is the first. */
P2pUrlEntry *p2p_url_index_find (P2pUrlIndex *index, const P2pUrlEntry *entry);

/* Adds @entry, which must not be in, behind those that equal it. */
void p2p_url_index_add (P2pUrlIndex *index, P2pUrlEntry *entry);

/* Takes @entry out, if it is in. All are O(1). */
void p2p_url_index_remove (P2pUrlIndex *index, P2pUrlEntry *entry);

G_END_DECLS

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
 * @is_in: whether the table holds it
 */
typedef struct
{
  const char *key;
  P2pRange range;
  guint hash;
  gboolean is_in;
  gpointer owner;
} P2pUrlEntry;

typedef GHashTable P2pUrlIndex;

P2pUrlIndex *p2p_url_index_new (void);

/* Fills @entry; it may be looked up by, or added. */
void p2p_url_entry_init (
    P2pUrlEntry *entry, const char *key, const P2pRange *range, gpointer owner);

/* The entry in the table that equals @entry, or %NULL. */
P2pUrlEntry *p2p_url_index_find (P2pUrlIndex *index, const P2pUrlEntry *entry);

/* Adds @entry in place of one that equals it. */
void p2p_url_index_add (P2pUrlIndex *index, P2pUrlEntry *entry);

/* Takes @entry out, if it is in. */
void p2p_url_index_remove (P2pUrlIndex *index, P2pUrlEntry *entry);

G_END_DECLS

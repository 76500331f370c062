/* p2phlssrc: the bytes of media segments.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. The bytes themselves are shared with buffers
 * downstream and messages to peers; nobody copies them.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

typedef struct _P2pStore P2pStore;

/**
 * P2pEntry:
 * @stream: serial of its stream
 * @id: media sequence number
 * @chunks: (element-type GBytes): in order, without holes, none empty
 * @size: bytes in @chunks
 * @total: bytes of the whole segment, or %P2P_SIZE_UNKNOWN
 * @complete: nothing is missing; a complete entry is never empty
 * @users: requests and transfers that hold it; not evicted while above 0
 * @last_use_us: when somebody last took it
 *
 * A segment, whole or the beginning of one. Written through the functions
 * below only.
 */
typedef struct
{
  guint stream;
  gint64 id;
  GPtrArray *chunks;
  guint64 size;
  guint64 total;
  gboolean complete;
  guint users;
  gint64 last_use_us;
  /*< private >*/
  P2pStore *store;
} P2pEntry;

P2pStore *p2p_store_new (void);
void p2p_store_free (P2pStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pStore, p2p_store_free)

/* The entry, or %NULL. */
P2pEntry *p2p_store_find (P2pStore *store, guint stream, gint64 id);

/* The entry, made empty when there is none. */
P2pEntry *p2p_store_ensure (P2pStore *store, guint stream, gint64 id);

/* Adds what follows. Empty bytes are left out. */
void p2p_store_append (P2pEntry *entry, GBytes *bytes);

/**
 * p2p_store_finish:
 *
 * Declares @entry complete. %FALSE, and nothing is changed, when it is empty
 * or not as long as its total: nothing empty or short is ever stored.
 */
gboolean p2p_store_finish (P2pEntry *entry);

/* Forgets the bytes and the total: the segment begins again. Not on a complete
 * entry, nor under a cursor that has moved. */
void p2p_store_restart (P2pEntry *entry);

/* Forgets the entry. It must have no users. */
void p2p_store_remove (P2pStore *store, P2pEntry *entry);

/* All entries of all streams, complete or not. */
guint64 p2p_store_bytes (P2pStore *store);
guint p2p_store_complete_count (P2pStore *store);

/* Entries of @stream in ascending order of id.
 * Returns: (transfer container) (element-type P2pEntry). */
GPtrArray *p2p_store_list (P2pStore *store, guint stream);

/* Every entry, in no order. Returns: (transfer container). */
GPtrArray *p2p_store_list_all (P2pStore *store);

/**
 * P2pCursor:
 *
 * A place in an entry's bytes. { 0 } is the beginning. Stays valid while the
 * entry grows.
 */
typedef struct
{
  guint chunk;
  gsize offset;
} P2pCursor;

/* The place of byte @offset, at most @entry's size. O(chunks). */
P2pCursor p2p_store_seek (const P2pEntry *entry, guint64 offset);

/**
 * p2p_store_read:
 * @entry: an entry
 * @cursor: (inout): where; moved past what is returned
 * @max: at most this many bytes
 *
 * Returns: (transfer full) (nullable): the next bytes, a slice that shares
 * memory, ending at a chunk's border or before; %NULL at the end of what is
 * there. A rest of a little more than @max is given in halves: no tiny
 * messages.
 */
GBytes *p2p_store_read (const P2pEntry *entry, P2pCursor *cursor, gsize max);

G_END_DECLS

/* p2phlssrc: memory that sockets are read into.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: one owner each; the bytes may be released by any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * P2pReadPool:
 *
 * Segments are kept for other viewers, so the memory they were read into is
 * not used again for the next one, as it would be beneath souphttpsrc. Here
 * reads follow one another in blocks, and a block of which nothing is kept any
 * more is filled again: memory that is new to the process is dear
 * (docs/design/http.md).
 */
typedef struct _P2pReadPool P2pReadPool;

P2pReadPool *p2p_read_pool_new (void);
void p2p_read_pool_free (P2pReadPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pReadPool, p2p_read_pool_free)

/**
 * p2p_read_pool_reserve:
 * @pool: a pool
 * @size: (inout): what is wanted, 1 to P2P_READ_BLOCK_BYTES; less is given
 *   where a block ends, as one that is held by a few bytes costs all of it
 *
 * Returns: (transfer none): room for @size bytes, until the next call
 */
guint8 *p2p_read_pool_reserve (P2pReadPool *pool, gsize *size);

/**
 * p2p_read_pool_take:
 * @pool: a pool
 * @length: how much of what was reserved last has been written; not 0
 *
 * Returns: (transfer full): those bytes. The rest of the room is not lost.
 */
GBytes *p2p_read_pool_take (P2pReadPool *pool, gsize length);

/* bytes of a block: of some reads, as one byte that is held keeps it all. */
#define P2P_READ_BLOCK_BYTES (2 * 1024 * 1024)

G_END_DECLS

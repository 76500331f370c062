/* p2phlssrc: memory that sockets are read into.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "readpool.h"

#include <sys/mman.h>

/* Reads begin at cache lines of their own: two threads use neighbours. */
#define ALIGN_BYTES 64
/* bytes at the end of a block below which a new one is begun. */
#define REST_MIN_BYTES (64 * 1024)

/* Alive while the pool fills it or any of its bytes is held. */
typedef struct
{
  int references; /* atomic, by macros that ThreadSanitizer sees into */
  guint8 *memory;
} Block;

struct _P2pReadPool
{
  Block *block; /* (nullable) */
  gsize used;
  gsize reserved;
};

/* The block freed last, for whoever needs one next: what only passes through
 * turns in the same memory. Exchanged whole, so it needs no lock. */
static Block *spare;

static void
unmap_block (Block *block)
{
  munmap (block->memory, P2P_READ_BLOCK_BYTES);
  g_free (block);
}

static void
block_unref (gpointer data)
{
  Block *block = data;

  if (!g_atomic_int_dec_and_test (&block->references))
    return;
  block = g_atomic_pointer_exchange (&spare, block);
  if (block != NULL)
    unmap_block (block);
}

/* No huge page is asked for: docs/design/http.md. */
static guint8 *
map_block (void)
{
  guint8 *memory = mmap (NULL, P2P_READ_BLOCK_BYTES, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    g_error ("no memory for %d bytes to read into", P2P_READ_BLOCK_BYTES);

  return memory;
}

static Block *
block_new (void)
{
  Block *block = g_atomic_pointer_exchange (&spare, NULL);

  if (block == NULL) {
    block = g_new0 (Block, 1);
    block->memory = map_block ();
  }
  g_atomic_int_set (&block->references, 1);

  return block;
}

P2pReadPool *
p2p_read_pool_new (void)
{
  return g_new0 (P2pReadPool, 1);
}

void
p2p_read_pool_free (P2pReadPool *pool)
{
  g_clear_pointer (&pool->block, block_unref);
  g_free (pool);
}

guint8 *
p2p_read_pool_reserve (P2pReadPool *pool, gsize *size)
{
  g_assert (*size > 0 && *size <= P2P_READ_BLOCK_BYTES);
  /* Nobody holds any of it: what lies in the processor's caches comes first. */
  if (pool->block != NULL && g_atomic_int_get (&pool->block->references) == 1)
    pool->used = 0;
  if (pool->block != NULL
      && P2P_READ_BLOCK_BYTES - pool->used < MIN (*size, REST_MIN_BYTES))
    g_clear_pointer (&pool->block, block_unref);
  if (pool->block == NULL) {
    pool->block = block_new ();
    pool->used = 0;
  }
  *size = MIN (*size, P2P_READ_BLOCK_BYTES - pool->used);
  pool->reserved = *size;

  return pool->block->memory + pool->used;
}

GBytes *
p2p_read_pool_take (P2pReadPool *pool, gsize length)
{
  guint8 *data = pool->block->memory + pool->used;

  g_assert (length > 0 && length <= pool->reserved);
  pool->reserved = 0;
  pool->used += (length + ALIGN_BYTES - 1) & ~(gsize) (ALIGN_BYTES - 1);
  g_atomic_int_inc (&pool->block->references);

  return g_bytes_new_with_free_func (data, length, block_unref, pool->block);
}

/* p2phlssrc: tests of the memory that sockets are read into.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soup/readpool.h"

#include <string.h>

#define READ_BYTES (100 * 1000)

static guint8 *
reserve (P2pReadPool *pool)
{
  gsize room = READ_BYTES;
  guint8 *data = p2p_read_pool_reserve (pool, &room);

  g_assert_cmpuint (room, >, 0);
  g_assert_cmpuint (room, <=, READ_BYTES);

  return data;
}

/* As a socket fills it: with less where a block ends. */
static GBytes *
read_pattern (P2pReadPool *pool, guint8 pattern, gsize *length)
{
  gsize room = *length;
  guint8 *data = p2p_read_pool_reserve (pool, &room);

  *length = room;
  memset (data, pattern, room);

  return p2p_read_pool_take (pool, room);
}

static void
assert_pattern (GBytes *bytes, guint8 pattern, gsize length)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_assert_cmpuint (size, ==, length);
  for (gsize i = 0; i < size; i++)
    g_assert_cmpuint (data[i], ==, pattern);
}

/* Bytes keep what was read, over many blocks and after their pool. */
static void
test_bytes_outlive (void)
{
  P2pReadPool *pool = p2p_read_pool_new ();
  g_autoptr (GPtrArray) held =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gsize lengths[200];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (lengths); i++) {
    lengths[i] = 1 + i * 499;
    g_ptr_array_add (held, read_pattern (pool, i, &lengths[i]));
  }
  p2p_read_pool_free (pool);
  for (i = 0; i < held->len; i++)
    assert_pattern (held->pdata[i], i, lengths[i]);
}

/* What was reserved and not taken is used by the next read. */
static void
test_rest_is_not_lost (void)
{
  g_autoptr (P2pReadPool) pool = p2p_read_pool_new ();
  guint8 *first = reserve (pool);
  g_autoptr (GBytes) bytes G_GNUC_UNUSED = p2p_read_pool_take (pool, 1);
  guint8 *second = reserve (pool);

  g_assert_cmpint (second - first, <, READ_BYTES);
  g_assert_cmpint (second - first, >, 0);
  g_assert_true (second == reserve (pool));
}

/* A block is filled to its end, but for a rest too small to be worth a read:
 * one byte that is held keeps all of it. */
static void
test_blocks_are_filled (void)
{
  g_autoptr (P2pReadPool) pool = p2p_read_pool_new ();
  gsize length = P2P_READ_BLOCK_BYTES - READ_BYTES;
  g_autoptr (GBytes) most = read_pattern (pool, 1, &length);
  gsize rest = P2P_READ_BLOCK_BYTES;
  g_autoptr (GBytes) last = read_pattern (pool, 2, &rest);
  const guint8 *end =
      (const guint8 *) g_bytes_get_data (most, NULL) + P2P_READ_BLOCK_BYTES;

  g_assert_cmpuint (length, ==, P2P_READ_BLOCK_BYTES - READ_BYTES);
  g_assert_true ((const guint8 *) g_bytes_get_data (last, NULL) + rest == end);
}

/* What nobody holds any more is used again at once. */
static void
test_memory_is_used_again (void)
{
  g_autoptr (P2pReadPool) pool = p2p_read_pool_new ();
  guint8 *first = reserve (pool);
  GBytes *held;

  g_bytes_unref (p2p_read_pool_take (pool, READ_BYTES));
  g_assert_true (reserve (pool) == first);
  held = p2p_read_pool_take (pool, READ_BYTES);
  g_assert_true (reserve (pool) != first);
  g_bytes_unref (held);
}

static gpointer
release (gpointer queue)
{
  GBytes *bytes;

  while ((bytes = g_async_queue_pop (queue)) != NULL
      && g_bytes_get_size (bytes) > 1)
    g_bytes_unref (bytes);
  g_bytes_unref (bytes);

  return NULL;
}

/* Another thread lets go of bytes while this one reads. */
static void
test_threads (void)
{
  g_autoptr (P2pReadPool) pool = p2p_read_pool_new ();
  g_autoptr (GAsyncQueue) queue = g_async_queue_new ();
  GThread *thread = g_thread_new ("release", release, queue);
  gsize length;
  guint i;

  for (i = 0; i < 2000; i++) {
    length = READ_BYTES;
    g_async_queue_push (queue, read_pattern (pool, i, &length));
  }
  length = 1;
  g_async_queue_push (queue, read_pattern (pool, 0, &length));
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/adapters/readpool/bytes-outlive", test_bytes_outlive);
  g_test_add_func (
      "/adapters/readpool/rest-is-not-lost", test_rest_is_not_lost);
  g_test_add_func (
      "/adapters/readpool/blocks-are-filled", test_blocks_are_filled);
  g_test_add_func (
      "/adapters/readpool/memory-is-used-again", test_memory_is_used_again);
  g_test_add_func ("/adapters/readpool/threads", test_threads);

  return g_test_run ();
}

/* p2phlssrc: tests of the memory that sockets are read into.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soup/readpool.h"

#include <string.h>

#define READ_BYTES (100 * 1000)

static GBytes *
read_pattern (P2pReadPool *pool, guint8 pattern, gsize length)
{
  memset (p2p_read_pool_reserve (pool, READ_BYTES), pattern, length);

  return p2p_read_pool_take (pool, length);
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
  guint i;

  for (i = 0; i < 200; i++)
    g_ptr_array_add (held, read_pattern (pool, i, 1 + i * 499));
  p2p_read_pool_free (pool);
  for (i = 0; i < held->len; i++)
    assert_pattern (held->pdata[i], i, 1 + i * 499);
}

/* What was reserved and not taken is used by the next read. */
static void
test_rest_is_not_lost (void)
{
  g_autoptr (P2pReadPool) pool = p2p_read_pool_new ();
  guint8 *first = p2p_read_pool_reserve (pool, READ_BYTES);
  g_autoptr (GBytes) bytes G_GNUC_UNUSED = p2p_read_pool_take (pool, 1);
  guint8 *second = p2p_read_pool_reserve (pool, READ_BYTES);

  g_assert_cmpint (second - first, <, READ_BYTES);
  g_assert_cmpint (second - first, >, 0);
  g_assert_true (second == p2p_read_pool_reserve (pool, READ_BYTES));
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
  guint i;

  for (i = 0; i < 2000; i++)
    g_async_queue_push (queue, read_pattern (pool, i, READ_BYTES));
  g_async_queue_push (queue, read_pattern (pool, 0, 1));
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/adapters/readpool/bytes-outlive", test_bytes_outlive);
  g_test_add_func (
      "/adapters/readpool/rest-is-not-lost", test_rest_is_not_lost);
  g_test_add_func ("/adapters/readpool/threads", test_threads);

  return g_test_run ();
}

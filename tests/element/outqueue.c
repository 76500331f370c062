/* p2phlssrc: the queue from the worker to a streaming thread.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "outqueue.h"

#include "base/limits.h"

#include <string.h>

static GBytes *
bytes_of (gsize size)
{
  return g_bytes_new_take (g_malloc0 (size), size);
}

static gsize
push (P2pOutQueue *queue, gsize size)
{
  g_autoptr (GBytes) bytes = bytes_of (size);

  return p2p_out_queue_push (queue, bytes);
}

static void
assert_pop (P2pOutQueue *queue, gsize size, gboolean drained)
{
  g_autoptr (GBytes) bytes = NULL;
  gboolean is_drained;

  g_assert_cmpint (
      p2p_out_queue_pop (queue, &bytes, &is_drained), ==, P2P_OUT_DATA);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
  g_assert_cmpint (is_drained, ==, drained);
}

static P2pOutStatus
pop_status (P2pOutQueue *queue)
{
  g_autoptr (GBytes) bytes = NULL;
  gboolean drained;

  return p2p_out_queue_pop (queue, &bytes, &drained);
}

static void
test_order (void)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (7);

  g_assert_cmpuint (p2p_out_queue_get_request (queue), ==, 7);
  g_assert_cmpuint (push (queue, 1), ==, 1);
  g_assert_cmpuint (push (queue, 2), ==, 3);
  g_assert_cmpuint (push (queue, 0), ==, 3);
  p2p_out_queue_end (queue);
  g_assert_true (p2p_out_queue_is_finished (queue));
  assert_pop (queue, 1, FALSE);
  assert_pop (queue, 2, FALSE);
  g_assert_cmpint (pop_status (queue), ==, P2P_OUT_END);
  g_assert_cmpint (pop_status (queue), ==, P2P_OUT_END);
}

/* The very bytes come out. */
static void
test_no_copy (void)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (1);
  g_autoptr (GBytes) in = bytes_of (10);
  g_autoptr (GBytes) out = NULL;
  gboolean drained;

  p2p_out_queue_push (queue, in);
  p2p_out_queue_pop (queue, &out, &drained);
  g_assert_true (in == out);
}

static void
test_headers (void)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (1);
  g_autoptr (P2pHttpResponse) response = p2p_http_response_new ();
  g_autoptr (P2pHttpResponse) got = NULL;

  g_assert_null (p2p_out_queue_response (queue));
  p2p_out_queue_headers (queue, response);
  g_assert_cmpint (p2p_out_queue_wait_headers (queue), ==, P2P_OUT_HEADERS);
  got = p2p_out_queue_response (queue);
  g_assert_true (got == response);
}

/* What came before a failure is good. */
static void
test_failure (void)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (1);
  g_autoptr (P2pHttpFailure) failure =
      p2p_http_failure_new (P2P_HTTP_FAILURE_IO);
  g_autoptr (P2pHttpFailure) got = NULL;

  push (queue, 5);
  p2p_out_queue_fail (queue, failure);
  g_assert_true (p2p_out_queue_is_finished (queue));
  g_assert_cmpint (p2p_out_queue_wait_headers (queue), ==, P2P_OUT_FAILED);
  assert_pop (queue, 5, FALSE);
  g_assert_cmpint (pop_status (queue), ==, P2P_OUT_FAILED);
  got = p2p_out_queue_failure (queue);
  g_assert_true (got == failure);
}

/* The worker is told once: after the high mark, at the low one. */
static void
test_marks (void)
{
  const gsize piece = P2P_OUTQUEUE_LOW_BYTES;
  const guint pieces = P2P_OUTQUEUE_HIGH_BYTES / piece;
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (1);

  push (queue, piece);
  push (queue, 1);
  assert_pop (queue, piece, FALSE);
  assert_pop (queue, 1, FALSE);

  for (guint i = 0; i < pieces; i++)
    push (queue, piece);
  for (guint i = 0; i < pieces; i++)
    assert_pop (queue, piece, i == pieces - 2);

  /* Nobody waits for room once all is there. */
  for (guint i = 0; i < pieces; i++)
    push (queue, piece);
  p2p_out_queue_end (queue);
  for (guint i = 0; i < pieces; i++)
    assert_pop (queue, piece, FALSE);
}

static void
test_flushing (void)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (1);

  push (queue, 3);
  p2p_out_queue_set_flushing (queue, TRUE);
  g_assert_cmpint (pop_status (queue), ==, P2P_OUT_FLUSHING);
  g_assert_cmpint (p2p_out_queue_wait_headers (queue), ==, P2P_OUT_FLUSHING);
  p2p_out_queue_set_flushing (queue, FALSE);
  assert_pop (queue, 3, FALSE);
}

/* --- threads -------------------------------------------------------------*/

static gpointer
wait_for_headers (gpointer queue)
{
  return GINT_TO_POINTER (p2p_out_queue_wait_headers (queue));
}

static gpointer
wait_for_data (gpointer queue)
{
  return GINT_TO_POINTER (pop_status (queue));
}

static void
test_wake_up (void)
{
  for (guint i = 0; i < 200; i++) {
    g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (1);
    GThread *a = g_thread_new ("headers", wait_for_headers, queue);
    GThread *b = g_thread_new ("data", wait_for_data, queue);

    p2p_out_queue_set_flushing (queue, TRUE);
    g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (a)), ==, P2P_OUT_FLUSHING);
    g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (b)), ==, P2P_OUT_FLUSHING);
  }
}

#define STREAM_CHUNKS 20000

static gpointer
produce (gpointer user_data)
{
  P2pOutQueue *queue = user_data;

  for (guint i = 0; i < STREAM_CHUNKS; i++) {
    g_autoptr (GBytes) bytes = g_bytes_new (&i, sizeof i);

    p2p_out_queue_push (queue, bytes);
    p2p_out_queue_wake (queue);
  }
  p2p_out_queue_end (queue);
  p2p_out_queue_unref (queue);

  return NULL;
}

static void
test_stream (void)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (1);
  GThread *thread =
      g_thread_new ("produce", produce, p2p_out_queue_ref (queue));
  gboolean drained;

  for (guint i = 0; i < STREAM_CHUNKS; i++) {
    g_autoptr (GBytes) bytes = NULL;

    g_assert_cmpint (
        p2p_out_queue_pop (queue, &bytes, &drained), ==, P2P_OUT_DATA);
    g_assert_cmpmem (
        g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &i, sizeof i);
  }
  g_assert_cmpint (pop_status (queue), ==, P2P_OUT_END);
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outqueue/order", test_order);
  g_test_add_func ("/outqueue/no-copy", test_no_copy);
  g_test_add_func ("/outqueue/headers", test_headers);
  g_test_add_func ("/outqueue/failure", test_failure);
  g_test_add_func ("/outqueue/marks", test_marks);
  g_test_add_func ("/outqueue/flushing", test_flushing);
  g_test_add_func ("/outqueue/wake-up", test_wake_up);
  g_test_add_func ("/outqueue/stream", test_stream);

  return g_test_run ();
}

/* p2phlssrc: one request's bytes on their way from the worker to a streaming
 * thread.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "outqueue.h"

#include "lock.h"
#include "base/limits.h"

/* Everything below @lock is guarded by it. */
struct _P2pOutQueue
{
  gatomicrefcount references;
  guint64 request;

  GMutex lock;
  GCond cond;
  gboolean is_awaited; /* a thread sleeps, and nobody has woken it yet */
  GQueue chunks;       /* of GBytes */
  gsize queued_bytes;
  gboolean is_high; /* was at the high mark, not yet below the low one */
  gboolean flushing;
  gboolean ended;
  P2pHttpResponse *response;
  P2pHttpFailure *failure;
};

P2pOutQueue *
p2p_out_queue_new (guint64 request)
{
  P2pOutQueue *queue = g_new0 (P2pOutQueue, 1);

  g_atomic_ref_count_init (&queue->references);
  queue->request = request;
  g_mutex_init (&queue->lock);
  g_cond_init (&queue->cond);
  g_queue_init (&queue->chunks);

  return queue;
}

P2pOutQueue *
p2p_out_queue_ref (P2pOutQueue *queue)
{
  g_atomic_ref_count_inc (&queue->references);
  return queue;
}

void
p2p_out_queue_unref (P2pOutQueue *queue)
{
  P2P_PUBLISH_RELEASE (&queue->references);
  if (!g_atomic_ref_count_dec (&queue->references))
    return;
  P2P_PUBLISH_ACQUIRE (&queue->references);

  g_queue_clear_full (&queue->chunks, (GDestroyNotify) g_bytes_unref);
  g_clear_pointer (&queue->response, p2p_http_response_unref);
  g_clear_pointer (&queue->failure, p2p_http_failure_unref);
  g_mutex_clear (&queue->lock);
  g_cond_clear (&queue->cond);
  g_free (queue);
}

guint64
p2p_out_queue_get_request (P2pOutQueue *queue)
{
  return queue->request;
}

const guint64 *
p2p_out_queue_get_key (P2pOutQueue *queue)
{
  return &queue->request;
}

/* A wake-up is a system call: only when somebody sleeps. Not under the lock,
 * for which whoever wakes up would go to sleep again. */
static void
unlock_and_wake (P2pOutQueue *queue)
{
  gboolean is_awaited = queue->is_awaited;

  queue->is_awaited = FALSE;
  p2p_unlock (&queue->lock);
  if (is_awaited)
    g_cond_broadcast (&queue->cond);
}

static void
wait_locked (P2pOutQueue *queue)
{
  queue->is_awaited = TRUE;
  p2p_wait (&queue->cond, &queue->lock);
}

void
p2p_out_queue_headers (P2pOutQueue *queue, P2pHttpResponse *response)
{
  p2p_lock (&queue->lock);
  if (queue->response == NULL)
    queue->response = p2p_http_response_ref (response);
  p2p_unlock (&queue->lock);
}

gsize
p2p_out_queue_push (P2pOutQueue *queue, GBytes *bytes)
{
  gsize queued_bytes;

  p2p_lock (&queue->lock);
  g_assert (!queue->ended && queue->failure == NULL);
  if (g_bytes_get_size (bytes) > 0) {
    g_queue_push_tail (&queue->chunks, g_bytes_ref (bytes));
    queue->queued_bytes += g_bytes_get_size (bytes);
  }
  if (queue->queued_bytes >= P2P_OUTQUEUE_HIGH_BYTES)
    queue->is_high = TRUE;
  queued_bytes = queue->queued_bytes;
  p2p_unlock (&queue->lock);

  return queued_bytes;
}

void
p2p_out_queue_wake (P2pOutQueue *queue)
{
  p2p_lock (&queue->lock);
  unlock_and_wake (queue);
}

void
p2p_out_queue_end (P2pOutQueue *queue)
{
  p2p_lock (&queue->lock);
  queue->ended = TRUE;
  unlock_and_wake (queue);
}

void
p2p_out_queue_fail (P2pOutQueue *queue, P2pHttpFailure *failure)
{
  p2p_lock (&queue->lock);
  if (!queue->ended && queue->failure == NULL)
    queue->failure = p2p_http_failure_ref (failure);
  unlock_and_wake (queue);
}

P2pOutStatus
p2p_out_queue_wait_headers (P2pOutQueue *queue)
{
  P2pOutStatus status = P2P_OUT_HEADERS;

  p2p_lock (&queue->lock);
  while (!queue->flushing && queue->response == NULL && queue->failure == NULL
      && !queue->ended)
    wait_locked (queue);
  if (queue->flushing)
    status = P2P_OUT_FLUSHING;
  else if (queue->response == NULL)
    status = P2P_OUT_FAILED;
  p2p_unlock (&queue->lock);

  return status;
}

static GBytes *
take_chunk_locked (P2pOutQueue *queue, gboolean *drained)
{
  GBytes *bytes = g_queue_pop_head (&queue->chunks);

  queue->queued_bytes -= g_bytes_get_size (bytes);
  if (queue->is_high && queue->queued_bytes <= P2P_OUTQUEUE_LOW_BYTES) {
    queue->is_high = FALSE;
    *drained = !queue->ended && queue->failure == NULL;
  }

  return bytes;
}

P2pOutStatus
p2p_out_queue_pop (P2pOutQueue *queue, GBytes **bytes, gboolean *drained)
{
  P2pOutStatus status;

  *bytes = NULL;
  *drained = FALSE;
  p2p_lock (&queue->lock);
  while (!queue->flushing && queue->chunks.length == 0 && !queue->ended
      && queue->failure == NULL)
    wait_locked (queue);
  if (queue->flushing) {
    status = P2P_OUT_FLUSHING;
  } else if (queue->chunks.length > 0) {
    *bytes = take_chunk_locked (queue, drained);
    status = P2P_OUT_DATA;
  } else {
    status = queue->failure != NULL ? P2P_OUT_FAILED : P2P_OUT_END;
  }
  p2p_unlock (&queue->lock);

  return status;
}

gboolean
p2p_out_queue_is_finished (P2pOutQueue *queue)
{
  gboolean finished;

  p2p_lock (&queue->lock);
  finished = queue->ended || queue->failure != NULL;
  p2p_unlock (&queue->lock);

  return finished;
}

P2pHttpResponse *
p2p_out_queue_response (P2pOutQueue *queue)
{
  P2pHttpResponse *response = NULL;

  p2p_lock (&queue->lock);
  if (queue->response != NULL)
    response = p2p_http_response_ref (queue->response);
  p2p_unlock (&queue->lock);

  return response;
}

P2pHttpFailure *
p2p_out_queue_failure (P2pOutQueue *queue)
{
  P2pHttpFailure *failure = NULL;

  p2p_lock (&queue->lock);
  if (queue->failure != NULL)
    failure = p2p_http_failure_ref (queue->failure);
  p2p_unlock (&queue->lock);

  return failure;
}

void
p2p_out_queue_set_flushing (P2pOutQueue *queue, gboolean flushing)
{
  p2p_lock (&queue->lock);
  queue->flushing = flushing;
  unlock_and_wake (queue);
}

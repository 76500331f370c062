/* p2phlssrc: a binary heap of deadlines.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "timerq.h"

struct _P2pTimerQueue
{
  GPtrArray *heap; /* of P2pTimer, not owned; [0] is unused */
  guint64 next_order;
};

static gboolean
is_before (const P2pTimer *a, const P2pTimer *b)
{
  if (a->deadline_us != b->deadline_us)
    return a->deadline_us < b->deadline_us;

  return a->order < b->order;
}

static void
place (P2pTimerQueue *queue, guint index, P2pTimer *timer)
{
  queue->heap->pdata[index] = timer;
  timer->index = index;
}

static void
sift_up (P2pTimerQueue *queue, guint index)
{
  P2pTimer *timer = queue->heap->pdata[index];

  while (index > 1 && is_before (timer, queue->heap->pdata[index / 2])) {
    place (queue, index, queue->heap->pdata[index / 2]);
    index /= 2;
  }
  place (queue, index, timer);
}

static void
sift_down (P2pTimerQueue *queue, guint index)
{
  P2pTimer *timer = queue->heap->pdata[index];
  guint n = queue->heap->len;

  while (2 * index < n) {
    guint child = 2 * index;

    if (child + 1 < n
        && is_before (queue->heap->pdata[child + 1], queue->heap->pdata[child]))
      child++;
    if (!is_before (queue->heap->pdata[child], timer))
      break;
    place (queue, index, queue->heap->pdata[child]);
    index = child;
  }
  place (queue, index, timer);
}

P2pTimerQueue *
p2p_timer_queue_new (void)
{
  P2pTimerQueue *queue = g_new0 (P2pTimerQueue, 1);

  queue->heap = g_ptr_array_new ();
  g_ptr_array_add (queue->heap, NULL);

  return queue;
}

void
p2p_timer_queue_free (P2pTimerQueue *queue)
{
  guint i;

  for (i = 1; i < queue->heap->len; i++)
    ((P2pTimer *) queue->heap->pdata[i])->index = 0;
  g_ptr_array_unref (queue->heap);
  g_free (queue);
}

gint64
p2p_timer_queue_next (P2pTimerQueue *queue)
{
  if (queue->heap->len < 2)
    return P2P_NEVER;

  return ((P2pTimer *) queue->heap->pdata[1])->deadline_us;
}

void
p2p_timer_queue_run (P2pTimerQueue *queue, gint64 now_us)
{
  guint64 armed_before = queue->next_order;

  while (queue->heap->len > 1) {
    P2pTimer *timer = queue->heap->pdata[1];

    if (timer->deadline_us > now_us || timer->order >= armed_before)
      break;
    p2p_timer_clear (timer);
    timer->func (timer->owner, now_us);
  }
}

void
p2p_timer_init (
    P2pTimer *timer, P2pTimerQueue *queue, P2pTimerFunc func, gpointer owner)
{
  *timer = (P2pTimer){ .queue = queue, .func = func, .owner = owner };
}

void
p2p_timer_set (P2pTimer *timer, gint64 deadline_us)
{
  P2pTimerQueue *queue = timer->queue;

  if (deadline_us == P2P_NEVER) {
    p2p_timer_clear (timer);
    return;
  }

  timer->deadline_us = deadline_us;
  timer->order = queue->next_order++;
  if (timer->index == 0) {
    g_ptr_array_add (queue->heap, timer);
    timer->index = queue->heap->len - 1;
  }
  sift_up (queue, timer->index);
  sift_down (queue, timer->index);
}

void
p2p_timer_set_sooner (P2pTimer *timer, gint64 deadline_us)
{
  if (timer->index == 0 || deadline_us < timer->deadline_us)
    p2p_timer_set (timer, deadline_us);
}

void
p2p_timer_clear (P2pTimer *timer)
{
  P2pTimerQueue *queue = timer->queue;
  guint index = timer->index;
  P2pTimer *last;

  if (index == 0)
    return;

  last = queue->heap->pdata[queue->heap->len - 1];
  g_ptr_array_set_size (queue->heap, queue->heap->len - 1);
  timer->index = 0;
  if (last != timer) {
    place (queue, index, last);
    sift_up (queue, index);
    sift_down (queue, last->index);
  }
}

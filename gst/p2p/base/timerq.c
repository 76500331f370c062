/* p2phlssrc: a heap of deadlines.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "timerq.h"

/* Children of each place: half the levels of a binary heap, and the four lie
 * side by side. */
#define ARITY 4

/* Room to begin with. */
#define FIRST_SLOTS 16

/* What is compared lies in the heap itself: timers are all over memory. */
typedef struct
{
  gint64 deadline_us;
  guint64 order;
  P2pTimer *timer; /* not owned */
} Slot;

struct _P2pTimerQueue
{
  Slot *heap;
  guint n;
  guint allocated;
  gboolean hole; /* the first has fired, and its place is still empty */
  guint64 next_order;
};

static gboolean
is_before (const Slot *a, const Slot *b)
{
  if (a->deadline_us != b->deadline_us)
    return a->deadline_us < b->deadline_us;

  return a->order < b->order;
}

static void
place (Slot *heap, guint at, const Slot *slot)
{
  heap[at] = *slot;
  slot->timer->index = at + 1;
}

/* Puts @slot at @at, or where it belongs above. */
static void
sift_up (P2pTimerQueue *queue, guint at, Slot slot)
{
  Slot *heap = queue->heap;

  while (at > 0 && is_before (&slot, &heap[(at - 1) / ARITY])) {
    place (heap, at, &heap[(at - 1) / ARITY]);
    at = (at - 1) / ARITY;
  }
  place (heap, at, &slot);
}

/* Of places @from to @end, the soonest. */
static guint
soonest (const Slot *heap, guint from, guint end)
{
  guint first = from;

  while (++from < end)
    first = is_before (&heap[from], &heap[first]) ? from : first;

  return first;
}

/* Puts @slot at @at, or where it belongs below. */
static void
sift_down (P2pTimerQueue *queue, guint at, Slot slot)
{
  Slot *heap = queue->heap;
  guint n = queue->n;

  while (ARITY * at + 1 < n) {
    guint child =
        soonest (heap, ARITY * at + 1, MIN (ARITY * at + 1 + ARITY, n));

    if (!is_before (&heap[child], &slot))
      break;
    place (heap, at, &heap[child]);
    at = child;
  }
  place (heap, at, &slot);
}

/* Whoever fires mostly sets a timer: that takes the empty place, unless something
 * else comes first. */
static void
settle (P2pTimerQueue *queue)
{
  if (!queue->hole)
    return;
  queue->hole = FALSE;
  if (--queue->n > 0)
    sift_down (queue, 0, queue->heap[queue->n]);
}

P2pTimerQueue *
p2p_timer_queue_new (void)
{
  return g_new0 (P2pTimerQueue, 1);
}

void
p2p_timer_queue_free (P2pTimerQueue *queue)
{
  guint i;

  settle (queue);
  for (i = 0; i < queue->n; i++)
    queue->heap[i].timer->index = 0;
  g_free (queue->heap);
  g_free (queue);
}

gint64
p2p_timer_queue_next (P2pTimerQueue *queue)
{
  settle (queue);

  return queue->n == 0 ? P2P_NEVER : queue->heap[0].deadline_us;
}

void
p2p_timer_queue_run (P2pTimerQueue *queue, gint64 now_us)
{
  guint64 armed_before = queue->next_order;

  settle (queue);
  while (queue->n > 0) {
    Slot first = queue->heap[0];
    P2pTimer *timer = first.timer;

    if (first.deadline_us > now_us || first.order >= armed_before)
      break;
    timer->index = 0;
    queue->hole = TRUE;
    timer->func (timer->owner, now_us);
    settle (queue);
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
  Slot slot = { deadline_us, queue->next_order, timer };

  if (deadline_us == P2P_NEVER) {
    p2p_timer_clear (timer);
    return;
  }

  queue->next_order++;
  if (timer->index == 0 && queue->hole) {
    queue->hole = FALSE;
    sift_down (queue, 0, slot);
    return;
  }
  settle (queue);
  if (timer->index == 0) {
    if (queue->n == queue->allocated) {
      queue->allocated = MAX (2 * queue->allocated, FIRST_SLOTS);
      queue->heap = g_renew (Slot, queue->heap, queue->allocated);
    }
    sift_up (queue, queue->n++, slot);
  } else if (is_before (&slot, &queue->heap[timer->index - 1])) {
    sift_up (queue, timer->index - 1, slot);
  } else {
    sift_down (queue, timer->index - 1, slot);
  }
}

void
p2p_timer_set_sooner (P2pTimer *timer, gint64 deadline_us)
{
  if (timer->index == 0
      || deadline_us < timer->queue->heap[timer->index - 1].deadline_us)
    p2p_timer_set (timer, deadline_us);
}

void
p2p_timer_clear (P2pTimer *timer)
{
  P2pTimerQueue *queue = timer->queue;
  guint index;
  Slot last;

  if (timer->index == 0)
    return;

  settle (queue);
  index = timer->index;
  last = queue->heap[--queue->n];
  timer->index = 0;
  if (last.timer == timer)
    return;
  if (is_before (&last, &queue->heap[index - 1]))
    sift_up (queue, index - 1, last);
  else
    sift_down (queue, index - 1, last);
}

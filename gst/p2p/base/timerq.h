/* p2phlssrc: deadlines of the engine, soonest first.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. No clock of its own: the caller brings the time.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

typedef struct _P2pTimerQueue P2pTimerQueue;
typedef struct _P2pTimer P2pTimer;

/**
 * P2pTimerFunc:
 * @owner: what the timer was initialised with
 * @now_us: the time given to p2p_timer_queue_run()
 */
typedef void (*P2pTimerFunc) (gpointer owner, gint64 now_us);

/**
 * P2pTimer:
 *
 * Embedded in the struct that it wakes. Clear it before that struct goes.
 */
struct _P2pTimer
{
  /*< private >*/
  P2pTimerQueue *queue;
  P2pTimerFunc func;
  gpointer owner;
  guint index; /* 1-based place in the heap, 0: not armed */
};

P2pTimerQueue *p2p_timer_queue_new (void);
/* The timers still armed are cleared: they must outlive the queue. */
void p2p_timer_queue_free (P2pTimerQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pTimerQueue, p2p_timer_queue_free)

/* The soonest deadline in monotonic microseconds, or P2P_NEVER. */
gint64 p2p_timer_queue_next (P2pTimerQueue *queue);

/**
 * p2p_timer_queue_run:
 * @queue: a queue
 * @now_us: the time
 *
 * Fires what is due, soonest first, ties in the order of arming, so that a
 * run is the same every time. A timer that is armed again for @now_us or
 * earlier while running waits for the next call: no endless loop.
 */
void p2p_timer_queue_run (P2pTimerQueue *queue, gint64 now_us);

void p2p_timer_init (
    P2pTimer *timer, P2pTimerQueue *queue, P2pTimerFunc func, gpointer owner);

/* Arms, or moves, @timer. P2P_NEVER disarms. */
void p2p_timer_set (P2pTimer *timer, gint64 deadline_us);

/* Arms @timer for @deadline_us unless it is armed for sooner already. */
void p2p_timer_set_sooner (P2pTimer *timer, gint64 deadline_us);

void p2p_timer_clear (P2pTimer *timer);

static inline gboolean
p2p_timer_is_armed (const P2pTimer *timer)
{
  return timer->index != 0;
}

G_END_DECLS

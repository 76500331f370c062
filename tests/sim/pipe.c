/* p2phlssrc: a link whose rate is shared fairly by what goes through it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/pipe.h"

#include <math.h>

typedef struct
{
  gsize bytes;
  gpointer data;
} Item;

/* Less than this is rounding. */
#define EPSILON_BYTES 1e-3

static void
advance (SimPipe *pipe)
{
  gint64 now_us = pipe->world->now_us;

  if (pipe->active->len > 0 && pipe->rate_bps > 0)
    pipe->served += (double) (now_us - pipe->since_us) * pipe->rate_bps / 8
        / G_USEC_PER_SEC / pipe->active->len;
  pipe->since_us = now_us;
}

static SimFlow *
first_due (SimPipe *pipe)
{
  SimFlow *first = NULL;
  guint i;

  for (i = 0; i < pipe->active->len; i++) {
    SimFlow *flow = pipe->active->pdata[i];

    if (first == NULL || flow->due < first->due)
      first = flow;
  }

  return first;
}

static void
arm (SimPipe *pipe)
{
  SimFlow *first = first_due (pipe);
  gint64 now_us = pipe->world->now_us;
  double left;

  if (first == NULL) {
    p2p_timer_clear (&pipe->timer);
    return;
  }
  if (pipe->rate_bps == 0) {
    p2p_timer_set (&pipe->timer, now_us);
    return;
  }
  left = MAX (first->due - pipe->served, 0) * pipe->active->len * 8
      * G_USEC_PER_SEC / pipe->rate_bps;
  p2p_timer_set (&pipe->timer, now_us + (gint64) ceil (left));
}

/* The first item is through; what follows it goes on without a pause. */
static Item *
pop (SimFlow *flow)
{
  SimPipe *pipe = flow->pipe;
  Item *item = g_queue_pop_head (&flow->items);
  Item *next = g_queue_peek_head (&flow->items);

  flow->queued -= item->bytes;
  if (next != NULL)
    flow->due += next->bytes;
  else
    g_ptr_array_remove (pipe->active, flow);

  return item;
}

static void
on_timer (gpointer owner, gint64 now_us)
{
  SimPipe *pipe = owner;
  SimFlow *flow;

  advance (pipe);
  while ((flow = first_due (pipe)) != NULL
      && (pipe->rate_bps == 0 || flow->due <= pipe->served + EPSILON_BYTES)) {
    g_autofree Item *item = pop (flow);

    /* May push, and clear this or other flows: look anew each time. */
    flow->func (flow->owner, item->data);
  }
  arm (pipe);
}

void
sim_pipe_init (SimPipe *pipe, SimWorld *world, guint64 rate_bps)
{
  *pipe = (SimPipe){ .world = world, .rate_bps = rate_bps };
  pipe->since_us = world->now_us;
  pipe->active = g_ptr_array_new ();
  p2p_timer_init (&pipe->timer, world->queue, on_timer, pipe);
}

void
sim_pipe_clear (SimPipe *pipe)
{
  g_assert (pipe->active->len == 0);
  p2p_timer_clear (&pipe->timer);
  g_ptr_array_unref (pipe->active);
}

void
sim_pipe_set_rate (SimPipe *pipe, guint64 rate_bps)
{
  guint i;

  advance (pipe);
  /* Without a limit nothing was counted: what waits begins now. */
  for (i = 0; pipe->rate_bps == 0 && i < pipe->active->len; i++) {
    SimFlow *flow = pipe->active->pdata[i];

    flow->due =
        pipe->served + ((Item *) g_queue_peek_head (&flow->items))->bytes;
  }
  pipe->rate_bps = rate_bps;
  arm (pipe);
}

void
sim_flow_init (SimFlow *flow, SimPipe *pipe, SimFlowFunc func,
    GDestroyNotify item_free, gpointer owner)
{
  *flow = (SimFlow){
    .pipe = pipe, .func = func, .item_free = item_free, .owner = owner
  };
  g_queue_init (&flow->items);
}

void
sim_flow_clear (SimFlow *flow)
{
  SimPipe *pipe = flow->pipe;
  Item *item;

  if (pipe == NULL || g_queue_is_empty (&flow->items))
    return;
  advance (pipe);
  g_ptr_array_remove (pipe->active, flow);
  while ((item = g_queue_pop_head (&flow->items)) != NULL) {
    flow->item_free (item->data);
    g_free (item);
  }
  flow->queued = 0;
  arm (pipe);
}

void
sim_flow_push (SimFlow *flow, gsize bytes, gpointer data)
{
  SimPipe *pipe = flow->pipe;
  Item *item = g_new (Item, 1);

  *item = (Item){ bytes, data };
  g_queue_push_tail (&flow->items, item);
  flow->queued += bytes;
  if (g_queue_get_length (&flow->items) > 1)
    return;
  advance (pipe);
  g_ptr_array_add (pipe->active, flow);
  flow->due = pipe->served + bytes;
  arm (pipe);
}

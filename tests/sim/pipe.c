/* p2phlssrc: a link whose rate is shared fairly by what goes through it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/pipe.h"

#include <math.h>

/* Less than this is rounding. */
#define EPSILON_BYTES 1e-3

/* What a line keeps before it drops is a fifth of a second. Congestion control
 * fills that, loses, and fills it again. */
#define QUEUE_MOST_US (150 * 1000)

static void
advance (SimPipe *pipe)
{
  gint64 now_us = pipe->world->now_us;

  if (now_us == pipe->since_us)
    return;
  if (pipe->active->len > 0 && pipe->rate_bps > 0)
    pipe->served += (double) (now_us - pipe->since_us) * pipe->rate_bps / 8
        / G_USEC_PER_SEC / pipe->active->len;
  pipe->since_us = now_us;
}

/* --- who is through first --------------------------------------------------- */

static SimFlow *
first_due (SimPipe *pipe)
{
  return pipe->active->len > 0 ? pipe->active->pdata[0] : NULL;
}

/* Who began earlier goes first among equals. */
static gboolean
is_before (const SimFlow *a, const SimFlow *b)
{
  return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
place (SimPipe *pipe, guint at, SimFlow *flow)
{
  pipe->active->pdata[at] = flow;
  flow->place = at;
}

static void
sift_up (SimPipe *pipe, guint at, SimFlow *flow)
{
  for (; at > 0; at = (at - 1) / 2) {
    SimFlow *parent = pipe->active->pdata[(at - 1) / 2];

    if (!is_before (flow, parent))
      break;
    place (pipe, at, parent);
  }
  place (pipe, at, flow);
}

static void
sift_down (SimPipe *pipe, guint at, SimFlow *flow)
{
  gpointer *flows = pipe->active->pdata;
  guint n = pipe->active->len;
  guint child;

  while ((child = 2 * at + 1) < n) {
    if (child + 1 < n && is_before (flows[child + 1], flows[child]))
      child++;
    if (!is_before (flows[child], flow))
      break;
    place (pipe, at, flows[child]);
    at = child;
  }
  place (pipe, at, flow);
}

static void
begin (SimFlow *flow)
{
  SimPipe *pipe = flow->pipe;

  flow->order = pipe->next_order++;
  g_ptr_array_add (pipe->active, flow);
  sift_up (pipe, pipe->active->len - 1, flow);
}

static void
end (SimFlow *flow)
{
  SimPipe *pipe = flow->pipe;
  guint at = flow->place;
  SimFlow *last =
      g_ptr_array_steal_index_fast (pipe->active, pipe->active->len - 1);

  if (last == flow)
    return;
  if (is_before (last, flow))
    sift_up (pipe, at, last);
  else
    sift_down (pipe, at, last);
}

/* --- time ------------------------------------------------------------------- */

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
static SimItem *
pop (SimFlow *flow)
{
  SimItem *item = flow->first;

  flow->first = item->next;
  flow->queued -= item->bytes;
  if (flow->first != NULL) {
    flow->due += flow->first->bytes;
    sift_down (flow->pipe, flow->place, flow);
  } else {
    end (flow);
  }

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
    SimItem *item = pop (flow);

    /* May push, and clear this or other flows: look anew each time. */
    flow->func (flow->owner, item);
  }
  arm (pipe);
}

/* --- life ------------------------------------------------------------------- */

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
  if (pipe->rate_bps == 0) {
    for (i = 0; i < pipe->active->len; i++) {
      SimFlow *flow = pipe->active->pdata[i];

      flow->due = pipe->served + flow->first->bytes;
    }
    for (i = pipe->active->len; i > 0; i--)
      sift_down (pipe, i - 1, pipe->active->pdata[i - 1]);
  }
  pipe->rate_bps = rate_bps;
  arm (pipe);
}

gint64
sim_pipe_queue_us (const SimPipe *pipe)
{
  double bytes = 0;
  guint i;

  if (pipe->rate_bps == 0)
    return 0;
  for (i = 0; i < pipe->active->len; i++)
    bytes += ((SimFlow *) pipe->active->pdata[i])->queued;

  return MIN (bytes * 8 * G_USEC_PER_SEC / pipe->rate_bps, QUEUE_MOST_US);
}

void
sim_flow_init (SimFlow *flow, SimPipe *pipe, SimFlowFunc func,
    GDestroyNotify item_free, gpointer owner)
{
  *flow = (SimFlow){
    .pipe = pipe, .func = func, .item_free = item_free, .owner = owner
  };
}

void
sim_flow_clear (SimFlow *flow)
{
  SimPipe *pipe = flow->pipe;
  SimItem *item, *next;

  if (pipe == NULL || flow->first == NULL)
    return;
  advance (pipe);
  end (flow);
  for (item = g_steal_pointer (&flow->first); item != NULL; item = next) {
    next = item->next;
    flow->item_free (item);
  }
  flow->queued = 0;
  arm (pipe);
}

void
sim_flow_push (SimFlow *flow, gsize bytes, SimItem *item)
{
  SimPipe *pipe = flow->pipe;
  gboolean begins = flow->first == NULL;

  item->bytes = bytes;
  item->next = NULL;
  if (begins)
    flow->first = item;
  else
    flow->last->next = item;
  flow->last = item;
  flow->queued += bytes;
  if (!begins)
    return;
  advance (pipe);
  flow->due = pipe->served + bytes;
  begin (flow);
  /* One more makes the first one later: it is soon enough to see that when the
   * timer fires. Often there are fifty at once. */
  if (flow == first_due (pipe) || !p2p_timer_is_armed (&pipe->timer))
    arm (pipe);
}

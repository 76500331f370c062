/* p2phlssrc: a link whose rate is shared fairly by what goes through it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/**
 * SimPipe:
 *
 * Fluid sharing: while n flows have something to send, each gets a n-th of the
 * rate. Counted in "served": the bytes that a flow which never paused would
 * have sent. A flow's message is through when that count has grown by its
 * size, so one timer for each pipe is enough, whatever the number of flows.
 */
typedef struct
{
  P2pTimer timer;
  SimWorld *world;
  guint64 rate_bps; /* 0: no limit */
  double served;
  gint64 since_us;
  GPtrArray *active; /* of SimFlow, not owned, in the order they began */
} SimPipe;

/* @item has left the pipe. */
typedef void (*SimFlowFunc) (gpointer owner, gpointer item);

/**
 * SimFlow:
 *
 * Messages in order through one pipe. Embedded in its owner.
 */
typedef struct
{
  SimPipe *pipe;
  SimFlowFunc func;
  GDestroyNotify item_free;
  gpointer owner;
  GQueue items; /* of Item */
  gsize queued; /* bytes in items */
  double due;   /* count at which the first item is through */
} SimFlow;

void sim_pipe_init (SimPipe *pipe, SimWorld *world, guint64 rate_bps);
void sim_pipe_clear (SimPipe *pipe);
void sim_pipe_set_rate (SimPipe *pipe, guint64 rate_bps);

void sim_flow_init (SimFlow *flow, SimPipe *pipe, SimFlowFunc func,
    GDestroyNotify item_free, gpointer owner);
/* Forgets what is still in it. */
void sim_flow_clear (SimFlow *flow);
/* @item: (transfer full): comes out of the function after @bytes, never from
 * inside this call. */
void sim_flow_push (SimFlow *flow, gsize bytes, gpointer item);

G_END_DECLS

/* p2phlssrc: a link whose rate is shared fairly by what goes through it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/**
 * SimItem:
 *
 * What goes through a link, and often on along a path: first member of
 * messages and the like.
 */
typedef struct _SimItem SimItem;
struct _SimItem
{
  SimPost post;
  SimItem *next; /* in its flow */
  gsize bytes;
};

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
  GPtrArray *active;  /* of SimFlow, not owned: a heap, first due on top */
  guint64 next_order; /* in which flows began */
} SimPipe;

/* @item: (transfer full): has left the pipe. */
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
  SimItem *first; /* (nullable) */
  SimItem *last;
  gsize queued; /* bytes in items */
  double due;   /* count at which the first item is through */
  guint64 order;
  guint place; /* in the pipe's heap */
} SimFlow;

void sim_pipe_init (SimPipe *pipe, SimWorld *world, guint64 rate_bps);
void sim_pipe_clear (SimPipe *pipe);
void sim_pipe_set_rate (SimPipe *pipe, guint64 rate_bps);
/* How long something small would wait that comes now: a real line has one
 * queue. Flows do not wait for each other, as each has some of it anyway. */
gint64 sim_pipe_queue_us (const SimPipe *pipe);

void sim_flow_init (SimFlow *flow, SimPipe *pipe, SimFlowFunc func,
    GDestroyNotify item_free, gpointer owner);
/* Forgets what is still in it. */
void sim_flow_clear (SimFlow *flow);
/* @item: (transfer full): comes out of the function after @bytes, never from
 * inside this call. */
void sim_flow_push (SimFlow *flow, gsize bytes, SimItem *item);

G_END_DECLS

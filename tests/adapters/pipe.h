/* p2phlssrc: two paths that are the ends of one lossy pipe.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "webrtc/stack.h"

#include "base/prng.h"

G_BEGIN_DECLS

/**
 * Pipe:
 * @loss_percent: of datagrams that do not arrive
 * @drop_next: datagrams that do not arrive, from now on
 * @swap: every other pair of datagrams arrives in the wrong order
 *
 * Datagrams arrive when the pipe is pumped, not when they are sent.
 */
typedef struct _Pipe Pipe;
typedef struct _PipeEnd PipeEnd;

struct _PipeEnd
{
  P2pPath path;
  Pipe *pipe;
  PipeEnd *other;
  const P2pPathEvents *events; /* NULL: not in use */
  gpointer owner;
  GQueue incoming; /* GBytes */
  gboolean gathering;
  gboolean has_remote;
  gboolean told_ready;
};

struct _Pipe
{
  PipeEnd ends[2];
  P2pPrng prng;
  guint loss_percent;
  guint drop_next;
  gboolean swap;
  guint64 n_datagrams;
};

Pipe *pipe_new (guint64 seed);
void pipe_free (Pipe *pipe);

/* A path of the pipe; as a P2pPathFunc with a Pipe, the offerer has the
 * first. */
P2pPath *pipe_path (gpointer pipe, gboolean controlling,
    const P2pPathEvents *events, gpointer owner);

/* Delivers what is under way. Returns: whether anything was. */
gboolean pipe_pump (Pipe *pipe);

/* Puts a datagram of a stranger before the end. */
void pipe_inject (PipeEnd *end, const guint8 *data, gsize length);

G_END_DECLS

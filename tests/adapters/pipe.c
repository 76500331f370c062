/* p2phlssrc: two paths that are the ends of one lossy pipe.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "pipe.h"

#include <string.h>

static void
end_gather (P2pPath *path)
{
  ((PipeEnd *) path)->gathering = TRUE;
}

static void
end_local (P2pPath *path, P2pIceParams *params)
{
  memset (params, 0, sizeof *params);
  strcpy (params->ufrag, "pipe");
  strcpy (params->pwd, "0123456789012345678901");
}

static void
end_set_remote (P2pPath *path, const P2pIceParams *params)
{
  ((PipeEnd *) path)->has_remote = TRUE;
}

static void
end_add_remote (P2pPath *path, const P2pCandidate *candidate)
{
}

static gboolean
end_send (P2pPath *path, const guint8 *data, gsize length)
{
  PipeEnd *end = (PipeEnd *) path;
  Pipe *pipe = end->pipe;
  GQueue *queue = &end->other->incoming;
  GBytes *bytes;

  g_assert_cmpuint (length, <=, P2P_DATAGRAM_BYTES);
  pipe->n_datagrams++;
  if (pipe->drop_next > 0) {
    pipe->drop_next--;
    return TRUE;
  }
  if (p2p_prng_below (&pipe->prng, 100) < pipe->loss_percent)
    return TRUE;

  bytes = g_bytes_new (data, length);
  if (pipe->swap && pipe->n_datagrams % 2 == 0 && queue->length > 0)
    g_queue_push_nth (queue, bytes, queue->length - 1);
  else
    g_queue_push_tail (queue, bytes);

  return TRUE;
}

static void
end_remote_address (P2pPath *path, char *text, gsize size)
{
  g_strlcpy (text, "pipe", size);
}

static void
end_free (P2pPath *path)
{
  PipeEnd *end = (PipeEnd *) path;

  end->events = NULL;
}

static const P2pPathOps end_ops = {
  .gather = end_gather,
  .local = end_local,
  .set_remote = end_set_remote,
  .add_remote = end_add_remote,
  .send = end_send,
  .remote_address = end_remote_address,
  .free = end_free,
};

Pipe *
pipe_new (guint64 seed)
{
  Pipe *pipe = g_new0 (Pipe, 1);

  p2p_prng_init (&pipe->prng, seed);
  for (guint i = 0; i < 2; i++) {
    pipe->ends[i].path.ops = &end_ops;
    pipe->ends[i].pipe = pipe;
    pipe->ends[i].other = &pipe->ends[1 - i];
    g_queue_init (&pipe->ends[i].incoming);
  }

  return pipe;
}

void
pipe_free (Pipe *pipe)
{
  for (guint i = 0; i < 2; i++)
    g_queue_clear_full (
        &pipe->ends[i].incoming, (GDestroyNotify) g_bytes_unref);
  g_free (pipe);
}

P2pPath *
pipe_path (gpointer user_data, gboolean controlling,
    const P2pPathEvents *events, gpointer owner)
{
  Pipe *pipe = user_data;
  PipeEnd *end = &pipe->ends[controlling ? 0 : 1];

  g_assert_null (end->events);
  end->events = events;
  end->owner = owner;

  return &end->path;
}

static gboolean
pump_end (PipeEnd *end)
{
  guint n = end->incoming.length;

  if (end->gathering && end->events != NULL) {
    end->gathering = FALSE;
    end->events->gathered (end->owner);
    return TRUE;
  }
  if (end->has_remote && !end->told_ready && end->events != NULL) {
    end->told_ready = TRUE;
    end->events->ready (end->owner);
    return TRUE;
  }
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) bytes = g_queue_pop_head (&end->incoming);
    gsize length;
    const guint8 *data = g_bytes_get_data (bytes, &length);

    if (end->events != NULL)
      end->events->packet (end->owner, data, length);
  }

  return n > 0;
}

gboolean
pipe_pump (Pipe *pipe)
{
  gboolean first = pump_end (&pipe->ends[0]);
  gboolean second = pump_end (&pipe->ends[1]);

  return first || second;
}

void
pipe_inject (PipeEnd *end, const guint8 *data, gsize length)
{
  g_queue_push_tail (&end->incoming, g_bytes_new (data, length));
}

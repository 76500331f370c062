/* p2phlssrc: the end of a segment, from a second peer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "engine-private.h"

gboolean
p2p_tail_is_there (const P2pDownload *download)
{
  return download->tail.chunks != NULL;
}

void
p2p_tail_start (
    P2pDownload *download, P2pPeer *peer, guint64 from, const char *reason)
{
  P2pEngine *engine = download->share->engine;
  P2pTail *tail = &download->tail;

  g_assert (!p2p_tail_is_there (download));
  g_assert (from >= download->entry->size && from < download->entry->total);
  tail->peer = peer;
  tail->from = from;
  tail->total = P2P_SIZE_UNKNOWN;
  tail->chunks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  p2p_source_begin (&tail->source, engine);
  p2p_bandwidth_begin (&engine->all_bandwidth, engine->now_us);
  p2p_bandwidth_begin (&peer->bandwidth, engine->now_us);
  P2P_LOG_DEBUG (P2P_AREA_POLICY, peer->conn,
      "segment %" G_GINT64_FORMAT ", end from byte %" G_GUINT64_FORMAT
      " of peer %s: %s",
      download->id, from, peer->id.text, reason);
  p2p_peer_request (peer, download, from);
}

static P2pPeer *
end_source (P2pDownload *download)
{
  P2pEngine *engine = download->share->engine;
  P2pPeer *peer = g_steal_pointer (&download->tail.peer);

  if (peer != NULL) {
    p2p_bandwidth_end (&peer->bandwidth, engine->now_us);
    p2p_bandwidth_end (&engine->all_bandwidth, engine->now_us);
  }

  return peer;
}

static void
forget (P2pDownload *download)
{
  P2pTail *tail = &download->tail;

  download->share->engine->overhead_bytes += tail->source.bytes;
  g_ptr_array_unref (tail->chunks);
  *tail = (P2pTail){ 0 };
  p2p_share_wants_schedule (download->share);
}

void
p2p_tail_stop (P2pDownload *download)
{
  P2pPeer *peer = end_source (download);

  if (!p2p_tail_is_there (download))
    return;
  forget (download);
  if (peer != NULL)
    p2p_peer_cancel (peer);
}

void
p2p_tail_gone (P2pDownload *download)
{
  end_source (download);
  forget (download);
}

gboolean
p2p_tail_begins (P2pDownload *download, guint64 follows)
{
  P2pTail *tail = &download->tail;
  guint64 total = download->entry->total;

  tail->total = tail->from + follows;

  return total == P2P_SIZE_UNKNOWN
      ? follows > 0 && tail->total <= P2P_SEGMENT_MAX_BYTES
      : tail->total == total;
}

gboolean
p2p_tail_fits (P2pDownload *download, guint64 total)
{
  P2pTail *tail = &download->tail;

  return tail->from < total
      && (tail->total == P2P_SIZE_UNKNOWN || tail->total == total);
}

void
p2p_tail_data (P2pDownload *download, GBytes *bytes)
{
  P2pEngine *engine = download->share->engine;
  P2pTail *tail = &download->tail;
  gsize size = g_bytes_get_size (bytes);

  p2p_source_add (&tail->source, size, engine->now_us);
  p2p_bandwidth_add (&tail->peer->bandwidth, size, engine->now_us);
  p2p_bandwidth_add (&engine->all_bandwidth, size, engine->now_us);
  g_ptr_array_add (tail->chunks, g_bytes_ref (bytes));
}

void
p2p_tail_completed (P2pDownload *download)
{
  end_source (download);
  p2p_share_wants_schedule (download->share);
}

guint64
p2p_tail_room (P2pDownload *download)
{
  P2pEntry *entry = download->entry;
  P2pTail *tail = &download->tail;

  if (p2p_tail_is_there (download) && tail->source.bytes > 0)
    return tail->from - MIN (entry->size, tail->from);

  return P2P_SIZE_UNKNOWN;
}

gboolean
p2p_tail_is_next (P2pDownload *download)
{
  P2pTail *tail = &download->tail;
  guint64 size = download->entry->size;

  return p2p_tail_is_there (download) && tail->from <= size
      && size <= tail->from + tail->source.bytes;
}

guint64
p2p_tail_lead (P2pDownload *download)
{
  P2pTail *tail = &download->tail;
  guint64 size = download->entry->size;
  guint64 end = tail->from + tail->source.bytes;

  return tail->from <= size && size < end ? end - size : 0;
}

void
p2p_tail_fill (P2pDownload *download, P2pTransferView *view)
{
  const P2pTail *tail = &download->tail;
  gint64 sending_us = view->need.now_us - tail->source.first_byte_us;

  view->tail_rest = tail->total - tail->from - tail->source.bytes;
  view->tail_us =
      MAX ((double) view->tail_rest * sending_us / tail->source.bytes, 1);
}

P2pTail
p2p_tail_take (P2pDownload *download)
{
  P2pTail tail = download->tail;

  download->tail = (P2pTail){ 0 };

  return tail;
}

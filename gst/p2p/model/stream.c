/* p2phlssrc: a stream's segments by number.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "registry.h"

gint64
p2p_stream_external_id (
    const P2pStream *stream, P2pProtocol protocol, gint64 id)
{
  id -= stream->id_offset;

  return protocol == P2P_PROTOCOL_V2 ? id - stream->v2_offset : id;
}

gint64
p2p_stream_segment_id (
    const P2pStream *stream, P2pProtocol protocol, gint64 external_id)
{
  gint64 offset =
      stream->id_offset + (protocol == P2P_PROTOCOL_V2 ? stream->v2_offset : 0);
  gint64 id;

  /* A stranger's number. */
  return __builtin_add_overflow (external_id, offset, &id) ? -1 : id;
}

const P2pSegment *
p2p_stream_segment (const P2pStream *stream, gint64 id)
{
  const P2pSegment *first;

  if (stream->segments->len == 0)
    return NULL;
  first = stream->segments->pdata[0];
  if (id < first->id || (guint64) id - first->id >= stream->segments->len)
    return NULL;

  return stream->segments->pdata[id - first->id];
}

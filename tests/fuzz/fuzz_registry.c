/* p2phlssrc: fuzzes the registry with playlists and requests.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Input: records that end in a NUL. "P" begins a playlist: its URL up to a
 * space, where it was found up to the line's end, its text. Anything else is
 * a URL that a player asks for.
 */
#include "model/registry.h"

#include "fuzz.h"

static void
check_stream (P2pRegistry *registry, const P2pStream *stream)
{
  const P2pSegment *before = NULL;

  g_assert (strlen (stream->info_hash_v2.text) == P2P_ID_LENGTH);
  g_assert (strlen (stream->info_hash_v3.text) == P2P_ID_LENGTH);
  for (guint i = 0; i < stream->segments->len; i++) {
    const P2pSegment *segment = g_ptr_array_index (stream->segments, i);
    gint64 external =
        p2p_stream_external_id (stream, P2P_PROTOCOL_V2, segment->id);

    g_assert (p2p_stream_segment (stream, segment->id) == segment);
    g_assert (p2p_stream_segment_id (stream, P2P_PROTOCOL_V2, external)
        == segment->id);
    g_assert (segment->range.start <= segment->range.end);
    if (before != NULL) {
      g_assert (segment->id == before->id + 1);
      g_assert (segment->start_us == before->start_us + before->duration_us);
    }
    if (!segment->gap)
      g_assert (p2p_registry_lookup (
                    registry, segment->uri, &segment->range, NULL, NULL)
          != P2P_RESOURCE_UNKNOWN);
    before = segment;
  }
}

static void
check_all (P2pRegistry *registry)
{
  GPtrArray *streams = p2p_registry_streams (registry);

  for (guint i = 0; i < streams->len; i++)
    check_stream (registry, g_ptr_array_index (streams, i));
}

static void
add_playlist (P2pRegistry *registry, const char *record)
{
  const char *line_end = strchrnul (record, '\n');
  g_autofree char *line = g_strndup (record, line_end - record);
  char *space = strchr (line, ' ');
  g_autoptr (GBytes) body = g_bytes_new (line_end, strlen (line_end));
  g_autoptr (GError) error = NULL;
  P2pStream *stream;
  gboolean ok;

  if (space != NULL)
    *space = '\0';
  ok = p2p_registry_add_playlist (
      registry, line, space != NULL ? space + 1 : line, body, &stream, &error);
  g_assert (ok == (error == NULL));
}

static void
look_up (P2pRegistry *registry, const char *uri)
{
  P2pStream *stream;
  gint64 id;
  P2pResourceKind kind =
      p2p_registry_lookup (registry, uri, &P2P_RANGE_ALL, &stream, &id);

  g_assert ((kind == P2P_RESOURCE_SEGMENT) == (stream != NULL));
  if (stream != NULL)
    g_assert (p2p_stream_segment (stream, id) != NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (P2pRegistry) registry =
      p2p_registry_new (size % 8 == 0 ? "id" : NULL);

  while (size > 0) {
    gsize length = strnlen ((const char *) data, size);
    g_autofree char *record = g_strndup ((const char *) data, length);

    if (record[0] == 'P') {
      add_playlist (registry, record + 1);
      check_all (registry);
    } else if (length > 0) {
      look_up (registry, record);
    }
    length = MIN (length + 1, size);
    data += length;
    size -= length;
  }

  return 0;
}

/* p2phlssrc: fuzzes the playlist reader and the rewriting of URIs.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/m3u8.h"

#include "base/limits.h"
#include "fuzz.h"

#define PREFIX "p2phls+"

static void
check_segments (const P2pM3u8 *playlist)
{
  g_assert (playlist->segments->len <= P2P_PLAYLIST_MAX_SEGMENTS);
  g_assert (playlist->media_sequence <= P2P_M3U8_SEQUENCE_MAX);
  for (guint i = 0; i < playlist->segments->len; i++) {
    const P2pM3u8Segment *segment = g_ptr_array_index (playlist->segments, i);

    g_assert (segment->uri != NULL && segment->duration_us > 0);
    g_assert (segment->range.start <= segment->range.end);
    g_assert (g_utf8_validate (segment->uri, -1, NULL));
  }
}

static void
check_master (const P2pM3u8 *playlist)
{
  g_assert (!playlist->is_master || playlist->variants->len > 0);
  for (guint i = 0; i < playlist->variants->len; i++)
    g_assert (((P2pM3u8Variant *) playlist->variants->pdata[i])->uri != NULL);
  for (guint i = 0; i < playlist->renditions->len; i++) {
    const P2pM3u8Rendition *rendition = playlist->renditions->pdata[i];

    g_assert (rendition->group_id != NULL && rendition->name != NULL);
  }
  for (guint i = 0; i < playlist->others->len; i++) {
    const P2pM3u8Other *other = playlist->others->pdata[i];

    g_assert (other->uri != NULL);
    g_assert (other->range.start <= other->range.end);
  }
}

/* Taking the prefixes out again gives back every byte. */
static void
check_prefix (GBytes *body)
{
  g_autoptr (GBytes) prefixed = p2p_m3u8_prefix_uris (body, PREFIX);
  gsize size;
  gsize new_size;
  const char *old = g_bytes_get_data (body, &size);
  const char *new = g_bytes_get_data (prefixed, &new_size);
  gsize length = strlen (PREFIX);

  while (new_size > 0) {
    if (new_size > length + 4 && memcmp (new, PREFIX, length) == 0
        && g_ascii_strncasecmp (new + length, "http", 4) == 0
        && (size < length || memcmp (old, PREFIX, length) != 0)) {
      new += length;
      new_size -= length;
    }
    g_assert (size > 0 && *old == *new);
    old++;
    new ++;
    size--;
    new_size--;
  }
  g_assert (size == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (P2pM3u8) playlist = p2p_m3u8_parse (body, &error);

  g_assert ((playlist != NULL) == (error == NULL));
  if (playlist != NULL) {
    g_assert (p2p_m3u8_detect ((const char *) data, size));
    check_segments (playlist);
    check_master (playlist);
  }
  check_prefix (body);

  return 0;
}

/* p2phlssrc: a finished HLS playlist told as if it were happening now.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "live.h"

#include <string.h>

typedef struct
{
  char *tags; /* lines before the URI, but key and map */
  char *uri;
  char *key; /* (nullable) the line in effect */
  char *map; /* (nullable) the line in effect */
  gboolean new_key;
  gboolean new_map;
  gboolean ranged;
  guint discontinuities; /* before this segment, since the beginning */
  gint64 end_us;
} Segment;

struct _P2pLivePlaylist
{
  char *head;
  guint64 media_sequence;
  guint64 discontinuity_sequence;
  GPtrArray *segments;
};

/* What reading has in hand. */
typedef struct
{
  P2pLivePlaylist *playlist;
  GString *head;
  GString *tags;
  char *key;
  char *map;
  gboolean new_key;
  gboolean new_map;
  gboolean ranged;
  gboolean started; /* a tag of a segment was seen */
  guint discontinuities;
  gint64 time_us;
  guint64 next_offset;
} Reading;

static void
segment_free (gpointer data)
{
  Segment *segment = data;

  g_free (segment->tags);
  g_free (segment->uri);
  g_free (segment->key);
  g_free (segment->map);
  g_free (segment);
}

static gboolean
is_tag (const char *line, const char *tag)
{
  return g_str_has_prefix (line, tag);
}

static void
keep_line (GString *to, const char *line)
{
  g_string_append (to, line);
  g_string_append_c (to, '\n');
}

static void
read_range (Reading *reading, const char *value)
{
  char *at;
  guint64 length = g_ascii_strtoull (value, &at, 10);
  guint64 offset = reading->next_offset;

  if (*at == '@')
    offset = g_ascii_strtoull (at + 1, NULL, 10);
  reading->next_offset = offset + length;
  reading->ranged = TRUE;
  g_string_append_printf (reading->tags,
      "#EXT-X-BYTERANGE:%" G_GUINT64_FORMAT "@%" G_GUINT64_FORMAT "\n", length,
      offset);
}

static void
read_segment_tag (Reading *reading, const char *line)
{
  reading->started = TRUE;
  if (is_tag (line, "#EXTINF:")) {
    reading->time_us +=
        (gint64) (g_ascii_strtod (line + 8, NULL) * G_USEC_PER_SEC + 0.5);
    keep_line (reading->tags, line);
  } else if (is_tag (line, "#EXT-X-KEY:")) {
    g_free (reading->key);
    reading->key = g_strdup (line);
    reading->new_key = TRUE;
  } else if (is_tag (line, "#EXT-X-MAP:")) {
    g_free (reading->map);
    reading->map = g_strdup (line);
    reading->new_map = TRUE;
  } else if (is_tag (line, "#EXT-X-BYTERANGE:")) {
    read_range (reading, line + strlen ("#EXT-X-BYTERANGE:"));
  } else {
    if (is_tag (line, "#EXT-X-DISCONTINUITY"))
      reading->discontinuities++;
    keep_line (reading->tags, line);
  }
}

static void
read_uri (Reading *reading, const char *line)
{
  Segment *segment = g_new0 (Segment, 1);

  segment->tags = g_strdup (reading->tags->str);
  segment->uri = g_strdup (line);
  segment->key = g_strdup (reading->key);
  segment->map = g_strdup (reading->map);
  segment->new_key = reading->new_key;
  segment->new_map = reading->new_map;
  segment->ranged = reading->ranged;
  segment->discontinuities = reading->discontinuities;
  segment->end_us = reading->time_us;
  g_ptr_array_add (reading->playlist->segments, segment);
  g_string_truncate (reading->tags, 0);
  if (!reading->ranged)
    reading->next_offset = 0;
  reading->new_key = reading->new_map = reading->ranged = FALSE;
}

static gboolean
is_segment_tag (const char *line)
{
  static const char *const tags[] = { "#EXTINF:", "#EXT-X-KEY:", "#EXT-X-MAP:",
    "#EXT-X-BYTERANGE:", "#EXT-X-DISCONTINUITY",
    "#EXT-X-PROGRAM-DATE-TIME:", "#EXT-X-GAP", "#EXT-X-BITRATE:" };
  guint i;

  if (is_tag (line, "#EXT-X-DISCONTINUITY-SEQUENCE:"))
    return FALSE;
  for (i = 0; i < G_N_ELEMENTS (tags); i++) {
    if (is_tag (line, tags[i]))
      return TRUE;
  }

  return FALSE;
}

static void
read_line (Reading *reading, const char *line)
{
  P2pLivePlaylist *playlist = reading->playlist;

  if (*line == '\0' || is_tag (line, "#EXTM3U")
      || is_tag (line, "#EXT-X-ENDLIST")
      || is_tag (line, "#EXT-X-PLAYLIST-TYPE:"))
    return;

  if (is_tag (line, "#EXT-X-MEDIA-SEQUENCE:"))
    playlist->media_sequence = g_ascii_strtoull (line + 22, NULL, 10);
  else if (is_tag (line, "#EXT-X-DISCONTINUITY-SEQUENCE:"))
    playlist->discontinuity_sequence = g_ascii_strtoull (line + 30, NULL, 10);
  else if (*line != '#')
    read_uri (reading, line);
  else if (is_segment_tag (line))
    read_segment_tag (reading, line);
  else
    keep_line (reading->started ? reading->tags : reading->head, line);
}

P2pLivePlaylist *
p2p_live_playlist_parse (const char *text)
{
  g_autoptr (P2pLivePlaylist) playlist = g_new0 (P2pLivePlaylist, 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  Reading reading = { .playlist = playlist };
  guint i;

  playlist->segments = g_ptr_array_new_with_free_func (segment_free);
  if (strstr (text, "#EXTINF:") == NULL)
    return NULL;

  reading.head = g_string_new (NULL);
  reading.tags = g_string_new (NULL);
  for (i = 0; lines[i] != NULL; i++)
    read_line (&reading, g_strchomp (lines[i]));
  playlist->head = g_string_free (reading.head, FALSE);
  g_string_free (reading.tags, TRUE);
  g_free (reading.key);
  g_free (reading.map);
  if (playlist->segments->len == 0)
    return NULL;

  return g_steal_pointer (&playlist);
}

void
p2p_live_playlist_free (P2pLivePlaylist *playlist)
{
  g_free (playlist->head);
  g_ptr_array_unref (playlist->segments);
  g_free (playlist);
}

static const Segment *
segment_at (const P2pLivePlaylist *playlist, guint i)
{
  return g_ptr_array_index (playlist->segments, i);
}

guint
p2p_live_playlist_length (const P2pLivePlaylist *playlist)
{
  return playlist->segments->len;
}

const char *
p2p_live_playlist_uri (const P2pLivePlaylist *playlist, guint i)
{
  return segment_at (playlist, i)->uri;
}

gint64
p2p_live_playlist_end_us (const P2pLivePlaylist *playlist, guint i)
{
  return segment_at (playlist, i)->end_us;
}

gboolean
p2p_live_playlist_is_ranged (const P2pLivePlaylist *playlist, guint i)
{
  return segment_at (playlist, i)->ranged;
}

static void
write_segment (GString *text, const Segment *segment, gboolean first)
{
  if (segment->key != NULL && (first || segment->new_key))
    keep_line (text, segment->key);
  if (segment->map != NULL && (first || segment->new_map))
    keep_line (text, segment->map);
  g_string_append (text, segment->tags);
  keep_line (text, segment->uri);
}

/* Discontinuities that have left the window with their segments. */
static guint
gone_discontinuities (const P2pLivePlaylist *playlist, guint first)
{
  return first > 0 ? segment_at (playlist, first - 1)->discontinuities : 0;
}

char *
p2p_live_playlist_render (const P2pLivePlaylist *playlist, gint64 horizon_us,
    guint window, gboolean end)
{
  GString *text = g_string_new ("#EXTM3U\n");
  guint n = 0, first, i;

  while (n < playlist->segments->len
      && segment_at (playlist, n)->end_us <= horizon_us)
    n++;
  first = window > 0 && n > window ? n - window : 0;

  g_string_append (text, playlist->head);
  g_string_append_printf (text, "#EXT-X-MEDIA-SEQUENCE:%" G_GUINT64_FORMAT "\n",
      playlist->media_sequence + first);
  if (playlist->discontinuity_sequence
          + segment_at (playlist, playlist->segments->len - 1)->discontinuities
      > 0)
    g_string_append_printf (text,
        "#EXT-X-DISCONTINUITY-SEQUENCE:%" G_GUINT64_FORMAT "\n",
        playlist->discontinuity_sequence
            + gone_discontinuities (playlist, first));
  if (window == 0)
    g_string_append (text, "#EXT-X-PLAYLIST-TYPE:EVENT\n");
  for (i = first; i < n; i++)
    write_segment (text, segment_at (playlist, i), i == first);
  if (end && n == playlist->segments->len)
    g_string_append (text, "#EXT-X-ENDLIST\n");

  return g_string_free (text, FALSE);
}

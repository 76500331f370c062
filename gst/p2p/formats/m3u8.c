/* p2phlssrc: HLS playlists, bytes to structs.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "m3u8.h"

#include "base/error.h"
#include "base/limits.h"
#include "m3u8-lex.h"
#include "m3u8-variables.h"

typedef P2pM3u8Span Span;

/* A segment without a length would not move the timeline; m3u8-parser takes
 * this too. */
#define SHORTEST_SEGMENT_US 10000

/* --- state -------------------------------------------------------------- */

typedef struct
{
  P2pM3u8 *playlist;
  P2pM3u8Variables variables;
  const P2pM3u8Other *last_other[P2P_M3U8_N_OTHERS];

  /* What the next URI line belongs to. */
  P2pM3u8Variant *variant;
  gint64 duration_us; /* -1: no EXTINF */
  gboolean has_range;
  gboolean bad_range;
  gboolean gap;
  guint64 range_length;
  guint64 range_start; /* P2P_SIZE_UNKNOWN: follows the previous one */
  gint64 date_time_us; /* -1: unknown; runs on from segment to segment */

  guint64 discontinuity;
  gboolean has_date_time;
} Parser;

static void
variant_free (P2pM3u8Variant *variant)
{
  g_free (variant->uri);
  g_free (variant->codecs);
  g_free (variant->frame_rate);
  g_free (variant->video_range);
  g_free (variant->audio);
  g_free (variant->video);
  g_free (variant->subtitles);
  g_free (variant);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pM3u8Variant, variant_free)

static void
rendition_free (P2pM3u8Rendition *rendition)
{
  g_free (rendition->uri);
  g_free (rendition->group_id);
  g_free (rendition->name);
  g_free (rendition->language);
  g_free (rendition->channels);
  g_free (rendition);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pM3u8Rendition, rendition_free)

static void
other_free (P2pM3u8Other *other)
{
  g_free (other->uri);
  g_free (other);
}

void
p2p_m3u8_free (P2pM3u8 *playlist)
{
  g_ptr_array_unref (playlist->variants);
  g_ptr_array_unref (playlist->renditions);
  g_ptr_array_unref (playlist->segments);
  g_ptr_array_unref (playlist->others);
  g_free (playlist);
}

static P2pM3u8 *
playlist_new (void)
{
  P2pM3u8 *playlist = g_new0 (P2pM3u8, 1);

  playlist->variants =
      g_ptr_array_new_with_free_func ((GDestroyNotify) variant_free);
  playlist->renditions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) rendition_free);
  /* A segment and its URI are one allocation. */
  playlist->segments = g_ptr_array_new_with_free_func (g_free);
  playlist->others =
      g_ptr_array_new_with_free_func ((GDestroyNotify) other_free);

  return playlist;
}

static char *
dup_text (Parser *parser, Span text)
{
  char *replaced = p2p_m3u8_substitute (&parser->variables, text);

  return replaced != NULL ? replaced : g_strndup (text.at, text.length);
}

static void
on_define (Parser *parser, Span list)
{
  p2p_m3u8_define (&parser->variables, list);
}

/* --- multivariant playlists --------------------------------------------- */

static char *
dup_attribute (Parser *parser, Span list, const char *name)
{
  Span value;

  return p2p_m3u8_find_attribute (list, name, &value) ? dup_text (parser, value)
                                                      : NULL;
}

static guint64
integer_attribute (Span list, const char *name)
{
  guint64 value = 0;
  Span text;

  if (p2p_m3u8_find_attribute (list, name, &text))
    p2p_m3u8_take_integer (&text, &value);

  return value;
}

/* Half a resolution is read too: it is part of a v3 name. */
static void
read_resolution (Span list, P2pM3u8Variant *variant)
{
  guint64 value;
  Span text;

  if (!p2p_m3u8_find_attribute (list, "RESOLUTION", &text))
    return;
  if (p2p_m3u8_take_integer (&text, &value))
    variant->width = MIN (value, G_MAXINT);
  if (text.length == 0 || text.at[0] != 'x')
    return;
  text.at++;
  text.length--;
  if (p2p_m3u8_take_integer (&text, &value))
    variant->height = MIN (value, G_MAXINT);
}

static gsize
n_streams (const P2pM3u8 *playlist)
{
  return playlist->variants->len + playlist->renditions->len;
}

static void
on_stream_inf (Parser *parser, Span list)
{
  P2pM3u8Variant *variant = g_new0 (P2pM3u8Variant, 1);

  variant->bandwidth = integer_attribute (list, "BANDWIDTH");
  variant->average_bandwidth = integer_attribute (list, "AVERAGE-BANDWIDTH");
  read_resolution (list, variant);
  variant->codecs = dup_attribute (parser, list, "CODECS");
  variant->frame_rate = dup_attribute (parser, list, "FRAME-RATE");
  variant->video_range = dup_attribute (parser, list, "VIDEO-RANGE");
  variant->audio = dup_attribute (parser, list, "AUDIO");
  variant->video = dup_attribute (parser, list, "VIDEO");
  variant->subtitles = dup_attribute (parser, list, "SUBTITLES");
  g_clear_pointer (&parser->variant, variant_free);
  parser->variant = variant;
}

static gboolean
rendition_type (Span list, P2pM3u8RenditionType *type)
{
  static const char *const names[] = {
    [P2P_M3U8_RENDITION_AUDIO] = "AUDIO",
    [P2P_M3U8_RENDITION_VIDEO] = "VIDEO",
    [P2P_M3U8_RENDITION_SUBTITLES] = "SUBTITLES",
    [P2P_M3U8_RENDITION_CLOSED_CAPTIONS] = "CLOSED-CAPTIONS",
  };
  Span text;

  if (!p2p_m3u8_find_attribute (list, "TYPE", &text))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (p2p_m3u8_span_is (text, names[i])) {
      *type = i;
      return TRUE;
    }
  }

  return FALSE;
}

static void
on_media (Parser *parser, Span list)
{
  g_autoptr (P2pM3u8Rendition) rendition = g_new0 (P2pM3u8Rendition, 1);
  Span is_default;

  rendition->group_id = dup_attribute (parser, list, "GROUP-ID");
  rendition->name = dup_attribute (parser, list, "NAME");
  if (!rendition_type (list, &rendition->type) || rendition->group_id == NULL
      || rendition->name == NULL
      || n_streams (parser->playlist) >= P2P_MASTER_MAX_STREAMS)
    return;

  rendition->uri = dup_attribute (parser, list, "URI");
  rendition->language = dup_attribute (parser, list, "LANGUAGE");
  rendition->channels = dup_attribute (parser, list, "CHANNELS");
  rendition->is_default = p2p_m3u8_find_attribute (list, "DEFAULT", &is_default)
      && p2p_m3u8_span_is (is_default, "YES");
  g_ptr_array_add (parser->playlist->renditions, g_steal_pointer (&rendition));
}

/* --- media playlists ---------------------------------------------------- */

/* "length[@start]". A start that is left out is P2P_SIZE_UNKNOWN. */
static gboolean
read_range (Span text, guint64 *length, guint64 *start)
{
  *start = P2P_SIZE_UNKNOWN;
  if (!p2p_m3u8_take_integer (&text, length) || *length == 0)
    return FALSE;
  if (text.length > 0 && text.at[0] == '@') {
    text.at++;
    text.length--;
    if (!p2p_m3u8_take_integer (&text, start))
      return FALSE;
  }

  return *start == P2P_SIZE_UNKNOWN
      || (*start <= G_MAXINT64 && *length <= G_MAXINT64 - *start);
}

static void
add_other (Parser *parser, P2pM3u8OtherKind kind, Span list)
{
  GPtrArray *others = parser->playlist->others;
  const P2pM3u8Other *last = parser->last_other[kind];
  P2pRange range = P2P_RANGE_ALL;
  P2pM3u8Other *other;
  guint64 length;
  guint64 start;
  Span uri;
  Span text;

  if (others->len >= P2P_REGISTRY_MAX_OTHERS
      || !p2p_m3u8_find_attribute (list, "URI", &uri))
    return;
  if (p2p_m3u8_find_attribute (list, "BYTERANGE", &text)
      && read_range (text, &length, &start)) {
    range.start = start == P2P_SIZE_UNKNOWN ? 0 : start;
    range.end = range.start + length - 1;
  }

  /* Many packagers repeat the key before every segment. */
  if (last != NULL && p2p_range_equal (&last->range, &range)
      && p2p_m3u8_span_is (uri, last->uri))
    return;

  other = g_new0 (P2pM3u8Other, 1);
  other->kind = kind;
  other->uri = dup_text (parser, uri);
  other->range = range;
  g_ptr_array_add (others, other);
  parser->last_other[kind] = other;
}

static void
on_map (Parser *parser, Span list)
{
  add_other (parser, P2P_M3U8_OTHER_MAP, list);
}

static void
on_key (Parser *parser, Span list)
{
  add_other (parser, P2P_M3U8_OTHER_KEY, list);
}

static void
on_part (Parser *parser, Span list)
{
  add_other (parser, P2P_M3U8_OTHER_PART, list);
}

static void
on_preload_hint (Parser *parser, Span list)
{
  Span type;

  if (p2p_m3u8_find_attribute (list, "TYPE", &type)
      && p2p_m3u8_span_is (type, "MAP"))
    add_other (parser, P2P_M3U8_OTHER_MAP, list);
  else
    add_other (parser, P2P_M3U8_OTHER_PART, list);
}

static void
on_rendition_report (Parser *parser, Span list)
{
  add_other (parser, P2P_M3U8_OTHER_REPORT, list);
}

static void
on_i_frame_stream_inf (Parser *parser, Span list)
{
  add_other (parser, P2P_M3U8_OTHER_I_FRAMES, list);
}

static void
on_session_data (Parser *parser, Span list)
{
  add_other (parser, P2P_M3U8_OTHER_SESSION_DATA, list);
}

static void
on_extinf (Parser *parser, Span value)
{
  const char *comma = memchr (value.at, ',', value.length);

  if (comma != NULL)
    value.length = comma - value.at;
  if (!p2p_m3u8_read_duration (value, &parser->duration_us))
    parser->duration_us = 0;
}

static void
on_byterange (Parser *parser, Span value)
{
  parser->has_range =
      read_range (value, &parser->range_length, &parser->range_start);
  parser->bad_range = !parser->has_range;
}

static void
on_media_sequence (Parser *parser, Span value)
{
  guint64 number;

  if (p2p_m3u8_take_integer (&value, &number))
    parser->playlist->media_sequence = MIN (number, P2P_M3U8_SEQUENCE_MAX);
}

static void
on_discontinuity_sequence (Parser *parser, Span value)
{
  if (parser->playlist->segments->len == 0)
    p2p_m3u8_take_integer (&value, &parser->discontinuity);
}

static void
on_discontinuity (Parser *parser, Span value)
{
  parser->discontinuity++;
  parser->has_date_time = FALSE;
}

static void
on_target_duration (Parser *parser, Span value)
{
  p2p_m3u8_read_duration (value, &parser->playlist->target_duration_us);
}

static void
on_playlist_type (Parser *parser, Span value)
{
  parser->playlist->type_vod = p2p_m3u8_span_is (value, "VOD");
  parser->playlist->type_event = p2p_m3u8_span_is (value, "EVENT");
}

static void
on_end_list (Parser *parser, Span value)
{
  parser->playlist->end_list = TRUE;
}

static void
on_i_frames_only (Parser *parser, Span value)
{
  parser->playlist->i_frames_only = TRUE;
}

static void
on_gap (Parser *parser, Span value)
{
  parser->gap = TRUE;
}

static void
on_skip (Parser *parser, Span list)
{
  guint64 skipped = integer_attribute (list, "SKIPPED-SEGMENTS");

  if (parser->playlist->segments->len == 0)
    parser->playlist->skipped_segments =
        MIN (skipped, P2P_PLAYLIST_MAX_SEGMENTS);
}

static void
on_program_date_time (Parser *parser, Span value)
{
  g_autofree char *text = g_strndup (value.at, value.length);
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) date_time = g_date_time_new_from_iso8601 (text, utc);

  if (date_time == NULL)
    return;
  parser->date_time_us =
      g_date_time_to_unix (date_time) * G_GINT64_CONSTANT (1000000)
      + g_date_time_get_microsecond (date_time);
  parser->has_date_time = parser->date_time_us >= 0;
}

/* --- URI lines ---------------------------------------------------------- */

static void
take_variant (Parser *parser, Span uri)
{
  P2pM3u8 *playlist = parser->playlist;

  playlist->is_master = TRUE;
  parser->variant->uri = dup_text (parser, uri);
  if (n_streams (playlist) < P2P_MASTER_MAX_STREAMS)
    g_ptr_array_add (playlist->variants, g_steal_pointer (&parser->variant));
  else
    g_clear_pointer (&parser->variant, variant_free);
}

/* Where a range without a start begins. */
static guint64
next_byte (const P2pM3u8 *playlist, const char *uri)
{
  const P2pM3u8Segment *previous;

  if (playlist->segments->len == 0)
    return 0;
  previous =
      g_ptr_array_index (playlist->segments, playlist->segments->len - 1);
  if (p2p_range_is_all (&previous->range) || !g_str_equal (previous->uri, uri))
    return 0;

  return previous->range.end + 1;
}

static P2pM3u8Segment *
segment_new (Parser *parser, Span uri)
{
  g_autofree char *replaced = p2p_m3u8_substitute (&parser->variables, uri);
  P2pM3u8Segment *segment;
  char *copy;

  if (replaced != NULL)
    uri = (Span){ replaced, strlen (replaced) };
  segment = g_malloc0 (sizeof *segment + uri.length + 1);
  copy = (char *) (segment + 1);
  memcpy (copy, uri.at, uri.length);
  segment->uri = copy;

  return segment;
}

static void
take_range (Parser *parser, P2pM3u8Segment *segment)
{
  guint64 start = parser->range_start;

  segment->range = P2P_RANGE_ALL;
  segment->gap = parser->gap || parser->bad_range;
  if (!parser->has_range)
    return;

  if (start == P2P_SIZE_UNKNOWN)
    start = next_byte (parser->playlist, segment->uri);
  if (parser->range_length > G_MAXINT64 - start) {
    segment->gap = TRUE;
    return;
  }
  segment->range.start = start;
  segment->range.end = start + parser->range_length - 1;
}

/* A URI without EXTINF is a segment too: both browser parsers count it, and
 * the numbers of those after it depend on that. */
static void
take_segment (Parser *parser, Span uri)
{
  P2pM3u8 *playlist = parser->playlist;
  P2pM3u8Segment *segment;

  if (playlist->segments->len >= P2P_PLAYLIST_MAX_SEGMENTS)
    return;

  segment = segment_new (parser, uri);
  take_range (parser, segment);
  segment->duration_us = parser->duration_us >= 0
      ? parser->duration_us
      : playlist->target_duration_us;
  segment->duration_us = MAX (segment->duration_us, SHORTEST_SEGMENT_US);
  segment->discontinuity = parser->discontinuity;
  segment->program_date_time_us = -1;
  if (parser->has_date_time) {
    segment->program_date_time_us = parser->date_time_us;
    parser->date_time_us += segment->duration_us;
  }
  g_ptr_array_add (playlist->segments, segment);

  parser->duration_us = -1;
  parser->has_range = FALSE;
  parser->bad_range = FALSE;
  parser->gap = FALSE;
}

/* --- reading ------------------------------------------------------------ */

/* Most frequent first. */
static const struct
{
  const char *name;
  void (*read) (Parser *parser, Span value);
} tags[] = {
  { "EXTINF", on_extinf },
  { "EXT-X-BYTERANGE", on_byterange },
  { "EXT-X-PROGRAM-DATE-TIME", on_program_date_time },
  { "EXT-X-KEY", on_key },
  { "EXT-X-PART", on_part },
  { "EXT-X-DISCONTINUITY", on_discontinuity },
  { "EXT-X-GAP", on_gap },
  { "EXT-X-MAP", on_map },
  { "EXT-X-MEDIA-SEQUENCE", on_media_sequence },
  { "EXT-X-DISCONTINUITY-SEQUENCE", on_discontinuity_sequence },
  { "EXT-X-TARGETDURATION", on_target_duration },
  { "EXT-X-PLAYLIST-TYPE", on_playlist_type },
  { "EXT-X-ENDLIST", on_end_list },
  { "EXT-X-I-FRAMES-ONLY", on_i_frames_only },
  { "EXT-X-SKIP", on_skip },
  { "EXT-X-PRELOAD-HINT", on_preload_hint },
  { "EXT-X-RENDITION-REPORT", on_rendition_report },
  { "EXT-X-DEFINE", on_define },
  { "EXT-X-STREAM-INF", on_stream_inf },
  { "EXT-X-MEDIA", on_media },
  { "EXT-X-I-FRAME-STREAM-INF", on_i_frame_stream_inf },
  { "EXT-X-SESSION-DATA", on_session_data },
  { "EXT-X-SESSION-KEY", on_key },
};

static void
read_line (Parser *parser, Span line)
{
  Span name;
  Span value;

  if (line.length == 0 || line.length > P2P_PLAYLIST_MAX_LINE)
    return;
  if (p2p_m3u8_split_tag (line, &name, &value)) {
    for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
      if (p2p_m3u8_span_is (name, tags[i].name)) {
        tags[i].read (parser, value);
        return;
      }
    }
    return;
  }
  if (line.at[0] == '#')
    return;

  if (parser->variant != NULL)
    take_variant (parser, line);
  else
    take_segment (parser, line);
}

gboolean
p2p_m3u8_detect (const char *data, gsize length)
{
  static const char magic[] = "#EXTM3U";
  Span text = { data, length };

  p2p_m3u8_skip_bom (&text);
  while (text.length > 0 && g_ascii_isspace (text.at[0])) {
    text.at++;
    text.length--;
  }

  return text.length >= sizeof magic - 1
      && memcmp (text.at, magic, sizeof magic - 1) == 0;
}

static gboolean
fail (GError **error, P2pFormatError code, const char *what)
{
  g_set_error (error, P2P_FORMAT_ERROR, code, "playlist: %s", what);
  return FALSE;
}

static gboolean
check_body (Span text, GError **error)
{
  if (text.length > P2P_PLAYLIST_MAX_BYTES)
    return fail (error, P2P_FORMAT_ERROR_LIMIT, "too long");
  if (!p2p_m3u8_detect (text.at, text.length))
    return fail (error, P2P_FORMAT_ERROR_SYNTAX,
        "does not begin with #EXTM3U (RFC 8216, 4.3.1.1)");
  if (!g_utf8_validate_len (text.at, text.length, NULL))
    return fail (
        error, P2P_FORMAT_ERROR_SYNTAX, "is not UTF-8 (RFC 8216, 4.1)");

  return TRUE;
}

P2pM3u8 *
p2p_m3u8_parse (GBytes *body, GError **error)
{
  g_autoptr (P2pM3u8) playlist = NULL;
  Parser parser = { .duration_us = -1 };
  Span text;
  Span line;

  text.at = g_bytes_get_data (body, &text.length);
  if (!check_body (text, error))
    return NULL;

  playlist = playlist_new ();
  parser.playlist = playlist;
  p2p_m3u8_skip_bom (&text);
  while (p2p_m3u8_next_line (&text, &line))
    read_line (&parser, line);

  g_clear_pointer (&parser.variant, variant_free);
  p2p_m3u8_variables_clear (&parser.variables);

  return g_steal_pointer (&playlist);
}

/* p2phlssrc: tests of the playlist reader.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/m3u8.h"

#include "base/error.h"
#include "base/limits.h"

static P2pM3u8 *
parse (const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  P2pM3u8 *playlist = p2p_m3u8_parse (body, &error);

  g_assert_no_error (error);
  g_assert_nonnull (playlist);

  return playlist;
}

static const P2pM3u8Segment *
segment (const P2pM3u8 *playlist, guint index)
{
  g_assert_cmpuint (index, <, playlist->segments->len);
  return g_ptr_array_index (playlist->segments, index);
}

static void
test_detect (void)
{
  g_assert_true (p2p_m3u8_detect ("#EXTM3U", 7));
  g_assert_true (p2p_m3u8_detect ("\xef\xbb\xbf#EXTM3U8", 11));
  g_assert_true (p2p_m3u8_detect (" \r\n\t#EXTM3U\n", 12));
  g_assert_false (p2p_m3u8_detect ("#EXTM3", 6));
  g_assert_false (p2p_m3u8_detect ("G@\x11\x10", 4));
  g_assert_false (p2p_m3u8_detect (NULL, 0));
}

static void
test_media (void)
{
  g_autoptr (P2pM3u8) playlist = parse (
      "#EXTM3U\r\n#EXT-X-TARGETDURATION:6\r\n#EXT-X-MEDIA-SEQUENCE: 7\r\n"
      "#EXT-X-DISCONTINUITY-SEQUENCE:3\r\n#EXT-X-KEY:METHOD=AES-128,"
      "URI=\"k?a=1,2\",IV=0x1\r\n#EXTINF:5.005,title, with URI=\"x\"\r\n"
      "  a.ts \r\n# comment\r\n#EXT-X-UNKNOWN:A=B\r\n#EXT-X-DISCONTINUITY\r\n"
      "#EXT-X-GAP\r\n#EXTINF:0,\r\nb.ts\r\nc.ts\r\n#EXT-X-ENDLIST");
  const P2pM3u8Other *key;

  g_assert_false (playlist->is_master);
  g_assert_true (playlist->end_list);
  g_assert_cmpint (playlist->target_duration_us, ==, 6000000);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpstr (segment (playlist, 0)->uri, ==, "a.ts");
  g_assert_cmpint (segment (playlist, 0)->duration_us, ==, 5005000);
  g_assert_cmpuint (segment (playlist, 0)->discontinuity, ==, 3);
  g_assert_true (p2p_range_is_all (&segment (playlist, 0)->range));
  g_assert_false (segment (playlist, 0)->gap);
  g_assert_true (segment (playlist, 1)->gap);
  g_assert_cmpint (segment (playlist, 1)->duration_us, ==, 10000);
  g_assert_cmpuint (segment (playlist, 1)->discontinuity, ==, 4);
  g_assert_false (segment (playlist, 2)->gap);
  g_assert_cmpint (segment (playlist, 2)->duration_us, ==, 6000000);
  g_assert_cmpuint (playlist->others->len, ==, 1);
  key = g_ptr_array_index (playlist->others, 0);
  g_assert_cmpint (key->kind, ==, P2P_M3U8_OTHER_KEY);
  g_assert_cmpstr (key->uri, ==, "k?a=1,2");
}

static void
test_sequence (void)
{
  g_autoptr (P2pM3u8) plain = parse ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:42\n");
  g_autoptr (P2pM3u8) huge =
      parse ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:99999999999999999999\n");
  g_autoptr (P2pM3u8) skip = parse ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:50\n"
                                    "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"
                                    "#EXTINF:4,\nx.ts\n");

  g_assert_cmpuint (plain->media_sequence, ==, 42);
  g_assert_cmpuint (huge->media_sequence, ==, P2P_M3U8_SEQUENCE_MAX);
  g_assert_cmpuint (skip->media_sequence, ==, 50);
  g_assert_cmpuint (skip->skipped_segments, ==, 3);
}

static void
test_types (void)
{
  g_autoptr (P2pM3u8) vod = parse ("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:VOD\n");
  g_autoptr (P2pM3u8) event = parse ("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n");
  g_autoptr (P2pM3u8) frames = parse ("#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n");

  g_assert_true (vod->type_vod && !vod->type_event && !vod->end_list);
  g_assert_true (event->type_event && !event->type_vod);
  g_assert_true (frames->i_frames_only);
}

static void
assert_range (const P2pM3u8Segment *actual, guint64 start, guint64 end)
{
  g_assert_false (actual->gap);
  g_assert_cmpuint (actual->range.start, ==, start);
  g_assert_cmpuint (actual->range.end, ==, end);
}

static void
test_ranges (void)
{
  g_autoptr (P2pM3u8) playlist =
      parse ("#EXTM3U\n#EXT-X-MAP:URI=\"m.mp4\",BYTERANGE=\"600@0\"\n"
             "#EXTINF:6,\n#EXT-X-BYTERANGE:1000@600\nm.mp4\n"
             "#EXTINF:6,\n#EXT-X-BYTERANGE:1200\nm.mp4\n"
             "#EXTINF:6,\n#EXT-X-BYTERANGE:10\nother.mp4\n"
             "#EXTINF:6,\nwhole.mp4\n");
  const P2pM3u8Other *map = g_ptr_array_index (playlist->others, 0);

  assert_range (segment (playlist, 0), 600, 1599);
  assert_range (segment (playlist, 1), 1600, 2799);
  assert_range (segment (playlist, 2), 0, 9);
  g_assert_true (p2p_range_is_all (&segment (playlist, 3)->range));
  g_assert_cmpint (map->kind, ==, P2P_M3U8_OTHER_MAP);
  g_assert_cmpuint (map->range.end, ==, 599);
}

/* A range that cannot be read must not stand for the whole file. */
static void
test_bad_ranges (void)
{
  static const char *const bad[] = { "0@5", "x", "", "5@", "5@x",
    "18446744073709551615@18446744073709551614", "9223372036854775807@1",
    "10@9223372036854775808", "10@18446744073709551614",
    "99999999999999999999999" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *text =
        g_strdup_printf ("#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:10@0\na\n"
                         "#EXTINF:6,\n#EXT-X-BYTERANGE:%s\na\n"
                         "#EXTINF:6,\nb\n",
            bad[i]);
    g_autoptr (P2pM3u8) playlist = parse (text);

    g_assert_true (segment (playlist, 1)->gap);
    g_assert_true (p2p_range_is_all (&segment (playlist, 1)->range));
    g_assert_false (segment (playlist, 2)->gap);
  }
}

static void
test_program_date_time (void)
{
  g_autoptr (P2pM3u8) playlist = parse (
      "#EXTM3U\n#EXTINF:4.0,\na7.ts\n"
      "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:10.500Z\n#EXTINF:4.0,\n"
      "a8.ts\n#EXTINF:3.5,\na9.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\nb.ts\n"
      "#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:1,\nc.ts\n"
      "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T01:00:00+01:00\n#EXTINF:1,\nd.ts\n");
  gint64 at = G_GINT64_CONSTANT (1767225610500000);

  g_assert_cmpint (segment (playlist, 0)->program_date_time_us, ==, -1);
  g_assert_cmpint (segment (playlist, 1)->program_date_time_us, ==, at);
  g_assert_cmpint (
      segment (playlist, 2)->program_date_time_us, ==, at + 4000000);
  g_assert_cmpint (segment (playlist, 3)->program_date_time_us, ==, -1);
  g_assert_cmpint (segment (playlist, 4)->program_date_time_us, ==, -1);
  g_assert_cmpint (
      segment (playlist, 5)->program_date_time_us, ==, at - 10500000);
}

static void
assert_other (const P2pM3u8 *playlist, guint index, P2pM3u8OtherKind kind,
    const char *uri)
{
  const P2pM3u8Other *other;

  g_assert_cmpuint (index, <, playlist->others->len);
  other = g_ptr_array_index (playlist->others, index);
  g_assert_cmpint (other->kind, ==, kind);
  g_assert_cmpstr (other->uri, ==, uri);
}

static void
test_others (void)
{
  g_autoptr (P2pM3u8) playlist = parse (
      "#EXTM3U\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n"
      "#EXTINF:4,\na.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n#EXTINF:4,\n"
      "b.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"k2\"\n#EXTINF:4,\nc.ts\n"
      "#EXT-X-PART:DURATION=1.0,URI=\"p0\"\n"
      "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p1\"\n"
      "#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"m\"\n"
      "#EXT-X-RENDITION-REPORT:URI=\"r.m3u8\",LAST-MSN=1\n");

  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpuint (playlist->others->len, ==, 6);
  assert_other (playlist, 0, P2P_M3U8_OTHER_KEY, "k1");
  assert_other (playlist, 1, P2P_M3U8_OTHER_KEY, "k2");
  assert_other (playlist, 2, P2P_M3U8_OTHER_PART, "p0");
  assert_other (playlist, 3, P2P_M3U8_OTHER_PART, "p1");
  assert_other (playlist, 4, P2P_M3U8_OTHER_MAP, "m");
  assert_other (playlist, 5, P2P_M3U8_OTHER_REPORT, "r.m3u8");
}

static void
test_master (void)
{
  g_autoptr (P2pM3u8) playlist = parse (
      "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aud\",NAME=\"A, B\","
      "LANGUAGE=\"en-US\",DEFAULT=YES,CHANNELS=\"6/JOC\",URI=\"a/en.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"E\",URI=\"s.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"E\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"no group\",URI=\"x\"\n"
      "#EXT-X-MEDIA:TYPE=SMELL,GROUP-ID=\"c\",NAME=\"E\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=4521000,AVERAGE-BANDWIDTH=7,CODECS=\"avc1."
      "64002a,mp4a.40.2\",RESOLUTION=1920x1080,FRAME-RATE=29.970,"
      "VIDEO-RANGE=SDR,AUDIO=\"aud\",VIDEO=\"v\",SUBTITLES=\"s\"\n"
      "# comment between\n\nv/1080.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=x,RESOLUTION=1920\nlow.m3u8\n"
      "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"if.m3u8\"\n"
      "#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n"
      "#EXT-X-SESSION-DATA:DATA-ID=\"t\",URI=\"t.json\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=5\n");
  const P2pM3u8Variant *variant;
  const P2pM3u8Rendition *rendition;

  g_assert_true (playlist->is_master);
  g_assert_cmpuint (playlist->variants->len, ==, 2);
  variant = g_ptr_array_index (playlist->variants, 0);
  g_assert_cmpstr (variant->uri, ==, "v/1080.m3u8");
  g_assert_cmpuint (variant->bandwidth, ==, 4521000);
  g_assert_cmpuint (variant->average_bandwidth, ==, 7);
  g_assert_cmpuint (variant->width, ==, 1920);
  g_assert_cmpuint (variant->height, ==, 1080);
  g_assert_cmpstr (variant->codecs, ==, "avc1.64002a,mp4a.40.2");
  g_assert_cmpstr (variant->frame_rate, ==, "29.970");
  g_assert_cmpstr (variant->video_range, ==, "SDR");
  g_assert_cmpstr (variant->audio, ==, "aud");
  g_assert_cmpstr (variant->video, ==, "v");
  g_assert_cmpstr (variant->subtitles, ==, "s");
  variant = g_ptr_array_index (playlist->variants, 1);
  g_assert_cmpuint (variant->bandwidth, ==, 0);
  g_assert_cmpuint (variant->width, ==, 1920);
  g_assert_cmpuint (variant->height, ==, 0);
  g_assert_null (variant->codecs);

  g_assert_cmpuint (playlist->renditions->len, ==, 3);
  rendition = g_ptr_array_index (playlist->renditions, 0);
  g_assert_cmpint (rendition->type, ==, P2P_M3U8_RENDITION_AUDIO);
  g_assert_cmpstr (rendition->name, ==, "A, B");
  g_assert_cmpstr (rendition->language, ==, "en-US");
  g_assert_cmpstr (rendition->channels, ==, "6/JOC");
  g_assert_true (rendition->is_default);
  rendition = g_ptr_array_index (playlist->renditions, 2);
  g_assert_cmpint (rendition->type, ==, P2P_M3U8_RENDITION_CLOSED_CAPTIONS);
  g_assert_null (rendition->uri);

  assert_other (playlist, 0, P2P_M3U8_OTHER_I_FRAMES, "if.m3u8");
  assert_other (playlist, 1, P2P_M3U8_OTHER_KEY, "k");
  assert_other (playlist, 2, P2P_M3U8_OTHER_SESSION_DATA, "t.json");
}

static void
test_variables (void)
{
  g_autoptr (P2pM3u8) playlist = parse (
      "#EXTM3U\n#EXT-X-DEFINE:NAME=\"base\",VALUE=\"https://c/{$x}\"\n"
      "#EXT-X-DEFINE:NAME=\"t\",VALUE=\"\"\n#EXT-X-DEFINE:IMPORT=\"x\"\n"
      "#EXT-X-MAP:URI=\"{$base}/i.mp4\"\n"
      "#EXTINF:1,\n{$base}/{$x}/{$t}{$/a{$base}.ts\n#EXTINF:1,\nplain{$\n");

  g_assert_cmpstr (segment (playlist, 0)->uri, ==,
      "https://c/{$x}/{$x}/{$/ahttps://c/{$x}.ts");
  g_assert_cmpstr (segment (playlist, 1)->uri, ==, "plain{$");
  assert_other (playlist, 0, P2P_M3U8_OTHER_MAP, "https://c/{$x}/i.mp4");
}

/* A short line that names a long value many times. */
static void
test_variable_bomb (void)
{
  g_autofree char *value = g_strnfill (60000, 'v');
  g_autoptr (GString) text = g_string_new ("#EXTM3U\n");
  g_autoptr (P2pM3u8) playlist = NULL;
  gsize total = 0;

  g_string_append_printf (
      text, "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"%s\"\n", value);
  for (guint i = 0; i < 2000; i++)
    g_string_append (text, "{$a}{$a}{$a}{$a}\n");
  playlist = parse (text->str);
  g_assert_cmpuint (playlist->segments->len, ==, 2000);
  for (guint i = 0; i < playlist->segments->len; i++)
    total += strlen (segment (playlist, i)->uri);
  g_assert_cmpuint (total, <=, P2P_PLAYLIST_MAX_BYTES);
}

static void
assert_unreadable (const char *text, gsize length, P2pFormatError code)
{
  g_autoptr (GBytes) body = g_bytes_new (text, length);
  g_autoptr (GError) error = NULL;

  g_assert_null (p2p_m3u8_parse (body, &error));
  g_assert_error (error, P2P_FORMAT_ERROR, (gint) code);
}

static void
test_unreadable (void)
{
  g_autofree char *large = g_strnfill (P2P_PLAYLIST_MAX_BYTES + 1, '\n');

  memcpy (large, "#EXTM3U", 7);
  assert_unreadable ("", 0, P2P_FORMAT_ERROR_SYNTAX);
  assert_unreadable ("<html>", 6, P2P_FORMAT_ERROR_SYNTAX);
  assert_unreadable ("#EXTM3U\na\0b", 11, P2P_FORMAT_ERROR_SYNTAX);
  assert_unreadable ("#EXTM3U\n\xff", 9, P2P_FORMAT_ERROR_SYNTAX);
  assert_unreadable (large, P2P_PLAYLIST_MAX_BYTES + 1, P2P_FORMAT_ERROR_LIMIT);
}

static void
test_bounds (void)
{
  g_autoptr (GString) media = g_string_new ("#EXTM3U\n");
  g_autoptr (GString) master = g_string_new ("#EXTM3U\n");
  g_autoptr (GString) line = g_string_new ("#EXTM3U\n#EXTINF:1,\n");
  g_autofree char *uri = g_strnfill (P2P_PLAYLIST_MAX_LINE + 1, 'a');
  g_autoptr (P2pM3u8) many = NULL;
  g_autoptr (P2pM3u8) streams = NULL;
  g_autoptr (P2pM3u8) longest = NULL;

  for (guint i = 0; i < P2P_PLAYLIST_MAX_SEGMENTS + 5; i++)
    g_string_append (media, "a\n");
  g_string_append (media, "#EXT-X-ENDLIST\n");
  many = parse (media->str);
  g_assert_cmpuint (many->segments->len, ==, P2P_PLAYLIST_MAX_SEGMENTS);
  g_assert_true (many->end_list);

  for (guint i = 0; i < P2P_MASTER_MAX_STREAMS; i++)
    g_string_append (master,
        "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXT-X-MEDIA:TYPE=AUDIO,"
        "GROUP-ID=\"a\",NAME=\"a\",URI=\"a\"\n");
  streams = parse (master->str);
  g_assert_cmpuint (streams->variants->len + streams->renditions->len, ==,
      P2P_MASTER_MAX_STREAMS);

  g_string_append_printf (line, "%s\nb\n", uri);
  longest = parse (line->str);
  g_assert_cmpuint (longest->segments->len, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/m3u8/detect", test_detect);
  g_test_add_func ("/formats/m3u8/media", test_media);
  g_test_add_func ("/formats/m3u8/sequence", test_sequence);
  g_test_add_func ("/formats/m3u8/types", test_types);
  g_test_add_func ("/formats/m3u8/ranges", test_ranges);
  g_test_add_func ("/formats/m3u8/bad-ranges", test_bad_ranges);
  g_test_add_func ("/formats/m3u8/program-date-time", test_program_date_time);
  g_test_add_func ("/formats/m3u8/others", test_others);
  g_test_add_func ("/formats/m3u8/master", test_master);
  g_test_add_func ("/formats/m3u8/variables", test_variables);
  g_test_add_func ("/formats/m3u8/variable-bomb", test_variable_bomb);
  g_test_add_func ("/formats/m3u8/unreadable", test_unreadable);
  g_test_add_func ("/formats/m3u8/bounds", test_bounds);

  return g_test_run ();
}

/* p2phlssrc: tests of playlists without their last segments.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/m3u8.h"

static void
assert_trims (const char *text, guint segments, const char *expected)
{
  g_autoptr (GBytes) body = g_bytes_new_static (text, strlen (text));
  g_autoptr (GBytes) trimmed = p2p_m3u8_trim (body, segments);
  gsize size;
  const char *data = g_bytes_get_data (trimmed, &size);

  g_assert_cmpmem (data, size, expected, strlen (expected));
  /* What stays whole costs nothing. */
  if (size == strlen (text))
    g_assert_true (trimmed == body);
}

#define HEAD "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
#define ONE "#EXTINF:2,\n1.ts\n"
#define TWO "#EXTINF:2,\n2.ts\n"
#define THREE "#EXTINF:2,\n3.ts\n"

static void
test_last_segments (void)
{
  assert_trims (HEAD ONE TWO THREE, 0, HEAD ONE TWO THREE);
  assert_trims (HEAD ONE TWO THREE, 1, HEAD ONE TWO);
  assert_trims (HEAD ONE TWO THREE, 2, HEAD ONE);
}

static void
test_too_few (void)
{
  assert_trims (HEAD ONE TWO THREE, 3, HEAD ONE TWO THREE);
  assert_trims (HEAD ONE TWO THREE, G_MAXUINT, HEAD ONE TWO THREE);
  assert_trims (HEAD ONE, 1, HEAD ONE);
  assert_trims (HEAD, 1, HEAD);
}

static void
test_empty (void)
{
  assert_trims ("", 0, "");
  assert_trims ("", 1, "");
  assert_trims ("\n\n", 1, "\n\n");
  assert_trims ("\r\n \t\r\n", 1, "\r\n \t\r\n");
}

static void
test_line_ends (void)
{
  assert_trims ("#EXTM3U\r\n#EXTINF:2,\r\n1.ts\r\n#EXTINF:2,\r\n2.ts\r\n", 1,
      "#EXTM3U\r\n#EXTINF:2,\r\n1.ts\r\n");
  /* The last line need not end. */
  assert_trims (HEAD ONE "#EXTINF:2,\n2.ts", 1, HEAD ONE);
  assert_trims (HEAD "#EXTINF:2,\n1.ts", 1, HEAD "#EXTINF:2,\n1.ts");
  /* Empty lines are none of them. */
  assert_trims (HEAD "\n" ONE "\n\r\n \n" TWO "\n \n", 1, HEAD "\n" ONE);
  assert_trims (
      HEAD "#EXTINF:2,\n  1.ts\n" TWO, 1, HEAD "#EXTINF:2,\n  1.ts\n");
}

/* They speak of what is not listed any more. */
static void
test_what_follows_the_last (void)
{
  assert_trims (
      HEAD ONE TWO "# a comment\n#EXT-X-PRELOAD-HINT:TYPE=PART\n", 1, HEAD ONE);
  assert_trims (
      HEAD ONE TWO "#EXT-X-PART:URI=\"3.0.mp4\",DURATION=1\n", 1, HEAD ONE);
  /* And stay with it. */
  assert_trims (HEAD ONE "# a comment\n", 1, HEAD ONE "# a comment\n");
}

/* All that belongs to a segment goes with it. */
static void
test_tags_of_a_segment (void)
{
  assert_trims (HEAD ONE "#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n"
                         "#EXT-X-MAP:URI=\"i.mp4\"\n"
                         "#EXT-X-PROGRAM-DATE-TIME:2020-01-01T00:00:00Z\n" TWO,
      1, HEAD ONE);
  assert_trims (HEAD ONE "#EXT-X-GAP\n" TWO THREE, 2, HEAD ONE);
}

static void
test_byte_ranges (void)
{
  assert_trims (HEAD "#EXTINF:2,\n#EXT-X-BYTERANGE:10@0\nall.ts\n"
                     "#EXTINF:2,\n#EXT-X-BYTERANGE:10\nall.ts\n"
                     "#EXT-X-BYTERANGE:10\n#EXTINF:2,\nall.ts\n",
      1,
      HEAD "#EXTINF:2,\n#EXT-X-BYTERANGE:10@0\nall.ts\n"
           "#EXTINF:2,\n#EXT-X-BYTERANGE:10\nall.ts\n");
}

/* What is left is what it was before those segments came. */
static void
test_as_it_was_before (void)
{
  GString *text =
      g_string_new (HEAD "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"i.mp4\"\n");
  gsize lengths[10];

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_string_append_printf (text,
        "#EXT-X-PROGRAM-DATE-TIME:2020-01-01T00:00:%02uZ\n#EXTINF:2,\n%u.mp4\n",
        2 * i, i);
    lengths[i] = text->len;
  }
  for (guint i = 1; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GBytes) body = g_bytes_new (text->str, text->len);
    g_autoptr (GBytes) trimmed = p2p_m3u8_trim (body, i);

    g_assert_cmpmem (g_bytes_get_data (trimmed, NULL),
        g_bytes_get_size (trimmed), text->str,
        lengths[G_N_ELEMENTS (lengths) - 1 - i]);
  }
  g_string_free (text, TRUE);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/formats/m3u8-trim/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("last-segments", test_last_segments);
  ADD ("too-few", test_too_few);
  ADD ("empty", test_empty);
  ADD ("line-ends", test_line_ends);
  ADD ("what-follows-the-last", test_what_follows_the_last);
  ADD ("tags-of-a-segment", test_tags_of_a_segment);
  ADD ("byte-ranges", test_byte_ranges);
  ADD ("as-it-was-before", test_as_it_was_before);

  return g_test_run ();
}

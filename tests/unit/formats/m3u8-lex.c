/* p2phlssrc: tests of the words of playlists.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/m3u8-lex.h"

static P2pM3u8Span
span (const char *text)
{
  return (P2pM3u8Span){ text, strlen (text) };
}

static void
assert_span (P2pM3u8Span actual, const char *expected)
{
  g_autofree char *text = g_strndup (actual.at, actual.length);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_lines (void)
{
  P2pM3u8Span text = span ("\xef\xbb\xbf#EXTM3U\r\n\n  a.ts \t\r\n#x\rlast");
  static const char *const expected[] = { "#EXTM3U", "", "a.ts", "#x\rlast" };
  P2pM3u8Span line;
  guint n = 0;

  p2p_m3u8_skip_bom (&text);
  while (p2p_m3u8_next_line (&text, &line))
    assert_span (line, expected[n++]);
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (expected));
}

static void
test_tags (void)
{
  P2pM3u8Span name;
  P2pM3u8Span value;

  g_assert_true (
      p2p_m3u8_split_tag (span ("#EXT-X-MAP:URI=\"a:b\""), &name, &value));
  assert_span (name, "EXT-X-MAP");
  assert_span (value, "URI=\"a:b\"");
  g_assert_true (p2p_m3u8_split_tag (span ("#EXTM3U"), &name, &value));
  assert_span (name, "EXTM3U");
  assert_span (value, "");
  g_assert_false (p2p_m3u8_split_tag (span ("# EXTINF:4"), &name, &value));
  g_assert_false (p2p_m3u8_split_tag (span ("#EX"), &name, &value));
  g_assert_false (p2p_m3u8_split_tag (span (""), &name, &value));
}

static void
check_attributes (const char *text, const char *const *expected)
{
  P2pM3u8Span list = span (text);
  P2pM3u8Span name;
  P2pM3u8Span value;

  while (p2p_m3u8_next_attribute (&list, &name, &value)) {
    g_assert_nonnull (expected[0]);
    assert_span (name, *expected++);
    assert_span (value, *expected++);
  }
  g_assert_null (*expected);
}

static void
test_attributes (void)
{
  check_attributes ("A=1,B=\"x,y=z\",C='q'",
      (const char *[]){ "A", "1", "B", "x,y=z", "C", "q", NULL });
  check_attributes (
      " A = 1 , B = \" x \" ", (const char *[]){ "A", "1", "B", " x ", NULL });
  check_attributes (
      "junk,,A=,=b,B", (const char *[]){ "A", "", "", "b", NULL });
  check_attributes ("A=\"unclosed,B=2",
      (const char *[]){ "A", "\"unclosed", "B", "2", NULL });
  check_attributes ("A=\"x\"tail,B=a=b",
      (const char *[]){ "A", "\"x\"tail", "B", "a=b", NULL });
  check_attributes ("", (const char *[]){ NULL });
  check_attributes ("A=\"", (const char *[]){ "A", "\"", NULL });
}

static void
test_find_attribute (void)
{
  P2pM3u8Span value;

  g_assert_true (p2p_m3u8_find_attribute (
      span ("AUDIO-X=1,AUDIO=\"a\",AUDIO=b"), "AUDIO", &value));
  assert_span (value, "a");
  g_assert_false (p2p_m3u8_find_attribute (span ("audio=1"), "AUDIO", &value));
}

static void
test_integers (void)
{
  P2pM3u8Span text = span ("1920x1080");
  P2pM3u8Span big = span ("99999999999999999999999");
  P2pM3u8Span max = span ("18446744073709551615");
  P2pM3u8Span bad = span ("-1");
  guint64 value;

  g_assert_true (p2p_m3u8_take_integer (&text, &value));
  g_assert_cmpuint (value, ==, 1920);
  assert_span (text, "x1080");
  g_assert_true (p2p_m3u8_take_integer (&big, &value));
  g_assert_cmpuint (value, ==, G_MAXUINT64);
  assert_span (big, "");
  g_assert_true (p2p_m3u8_take_integer (&max, &value));
  g_assert_cmpuint (value, ==, G_MAXUINT64);
  g_assert_false (p2p_m3u8_take_integer (&bad, &value));
}

static void
test_durations (void)
{
  static const struct
  {
    const char *text;
    gint64 us; /* -1: none */
  } cases[] = {
    { "6", 6000000 },
    { "6.006", 6006000 },
    { " 5.5 ", 5500000 },
    { ".25", 250000 },
    { "4.", 4000000 },
    { "1.0000005", 1000001 },
    { "1.00000049999", 1000000 },
    { "0.9999999", 1000000 },
    { "999999999999999999999", P2P_M3U8_DURATION_MAX_US },
    { "", -1 },
    { ".", -1 },
    { "-3", -1 },
    { "x", -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint64 us = -1;

    g_assert_cmpint (p2p_m3u8_read_duration (span (cases[i].text), &us), ==,
        cases[i].us >= 0);
    g_assert_cmpint (us, ==, cases[i].us);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/m3u8-lex/lines", test_lines);
  g_test_add_func ("/formats/m3u8-lex/tags", test_tags);
  g_test_add_func ("/formats/m3u8-lex/attributes", test_attributes);
  g_test_add_func ("/formats/m3u8-lex/find-attribute", test_find_attribute);
  g_test_add_func ("/formats/m3u8-lex/integers", test_integers);
  g_test_add_func ("/formats/m3u8-lex/durations", test_durations);

  return g_test_run ();
}

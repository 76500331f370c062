/* p2phlssrc: tests of playlists with other URIs in them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/m3u8.h"

static void
assert_prefixed (const char *text, const char *expected)
{
  g_autoptr (GBytes) body = g_bytes_new_static (text, strlen (text));
  g_autoptr (GBytes) result = p2p_m3u8_prefix_uris (body, "p2phls+");
  g_autoptr (GBytes) wanted = g_bytes_new_static (expected, strlen (expected));

  g_assert_true (g_bytes_equal (result, wanted));
  g_assert_true (!g_str_equal (text, expected) || result == body);
}

static void
test_prefix (void)
{
  assert_prefixed ("\xef\xbb\xbf#EXTM3U\r\n#EXTINF:4,http://t URI=\"http://u\""
                   "\r\n  https://c/a.ts \t\r\n\r\n#EXT-X-KEY:METHOD=AES-128,"
                   "URI=\"http://k\",IV=0x1\r\nb.ts\r\n#http://x\r\nHTTP://U/",
      "\xef\xbb\xbf#EXTM3U\r\n#EXTINF:4,http://t URI=\"http://u\""
      "\r\n  p2phls+https://c/a.ts \t\r\n\r\n#EXT-X-KEY:METHOD=AES-128,"
      "URI=\"p2phls+http://k\",IV=0x1\r\nb.ts\r\n#http://x\r\np2phls+HTTP://"
      "U/");
  assert_prefixed ("#EXTM3U\na.ts\n/b.ts\n//c/d.ts\nhttpx://e\nskd://f\n",
      "#EXTM3U\na.ts\n/b.ts\n//c/d.ts\nhttpx://e\nskd://f\n");
  assert_prefixed ("#EXT-X-MEDIA:X-URI=\"http://a\",URI=\"data:http://b\"\n",
      "#EXT-X-MEDIA:X-URI=\"http://a\",URI=\"data:http://b\"\n");
  assert_prefixed ("", "");
}

static char *
count (const char *uri, gpointer user_data)
{
  g_string_append_printf (user_data, "%s|", uri);

  return g_str_has_suffix (uri, ".ts") ? g_strdup ("X") : NULL;
}

static void
test_map (void)
{
  static const char text[] =
      "#EXTM3U\n#EXT-X-DEFINE:NAME=\"d\",VALUE=\"dir\"\n"
      "#EXT-X-MAP:URI=\"{$d}/i.mp4\"\n#EXTINF:2,t.ts\n{$d}/a.ts\n"
      "#EXTINF:2,\n{$e}/b.aac\n";
  g_autoptr (GBytes) body = g_bytes_new_static (text, strlen (text));
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GBytes) result = p2p_m3u8_map_uris (body, count, seen);
  g_autofree char *out =
      g_strndup (g_bytes_get_data (result, NULL), g_bytes_get_size (result));

  g_assert_cmpstr (seen->str, ==, "dir/i.mp4|dir/a.ts|{$e}/b.aac|");
  g_assert_cmpstr (out, ==,
      "#EXTM3U\n#EXT-X-DEFINE:NAME=\"d\",VALUE=\"dir\"\n"
      "#EXT-X-MAP:URI=\"{$d}/i.mp4\"\n#EXTINF:2,t.ts\nX\n"
      "#EXTINF:2,\n{$e}/b.aac\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/m3u8-uris/prefix", test_prefix);
  g_test_add_func ("/formats/m3u8-uris/map", test_map);

  return g_test_run ();
}

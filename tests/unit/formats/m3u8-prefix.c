/* p2phlssrc: tests of the scheme that absolute URIs are given.
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/m3u8-prefix/prefix", test_prefix);

  return g_test_run ();
}

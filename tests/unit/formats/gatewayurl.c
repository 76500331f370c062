/* p2phlssrc: tests of the gateway's addresses.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/gatewayurl.h"

#include <string.h>

#define KEY "0123456789abcdef"

static void
assert_way_back (const char *url, const char *expected)
{
  g_autofree char *address = p2p_gateway_path (KEY, url);
  g_auto (GStrv) parts = NULL;
  g_autofree char *back = NULL;

  g_assert_nonnull (address);
  parts = g_strsplit (address, "?", 2);
  back = p2p_gateway_read (KEY, parts[0], parts[1]);
  g_assert_cmpstr (back, ==, expected);
}

static void
test_there_and_back (void)
{
  assert_way_back ("https://cdn.test/live/a.m3u8?token=x%2Fy&z",
      "https://cdn.test/live/a.m3u8?token=x%2Fy&z");
  assert_way_back (
      "HTTP://CDN.test:80/a/../b c.ts#f", "http://cdn.test/b%20c.ts");
  assert_way_back ("http://[::1]:8080/x", "http://[::1]:8080/x");
  assert_way_back ("http://u:p@h.test:81/", "http://u:p@h.test:81/");
  assert_way_back ("http://h.test", "http://h.test/");
  assert_way_back ("http://h.test/a/b//c%2f.ts", "http://h.test/a/b//c%2f.ts");
}

static void
test_looks (void)
{
  g_autofree char *address =
      p2p_gateway_path (KEY, "https://cdn.test/live/a.m3u8?x=1");

  g_assert_true (g_str_has_suffix (address, "/https/cdn.test/live/a.m3u8?x=1"));
  g_assert_cmpuint (strcspn (address + 1, "/"), ==, 32);
  g_assert_null (p2p_gateway_path (KEY, "file:///etc/passwd"));
  g_assert_null (p2p_gateway_path (KEY, "relative.ts"));
}

static void
assert_refused (const char *path)
{
  g_autofree char *url = p2p_gateway_read (KEY, path, NULL);

  g_assert_null (url);
}

/* It is no proxy: what we did not write ourselves is not read. */
static void
test_forged (void)
{
  g_autofree char *address = p2p_gateway_path (KEY, "http://h.test/a/b.ts");
  g_autofree char *code = g_strndup (address + 1, 32);
  const char *const forged[] = { "http/h.test/a/c.ts", "http/evil.test/a/b.ts",
    "https/h.test/a/b.ts", "http/h.test:81/a/b.ts", "http/h.test/a/b.ts/",
    "http/u@h.test/a/b.ts", "http/h.test/a/../a/b.ts/../c.ts", "", "http",
    "http/h.test", "http/h.test%2Fa/b.ts", "http/h.test%00/a/b.ts" };

  for (guint i = 0; i < G_N_ELEMENTS (forged); i++) {
    g_autofree char *path = g_strdup_printf ("/%s/%s", code, forged[i]);

    assert_refused (path);
  }
  assert_refused (NULL);
  assert_refused ("");
  assert_refused ("/");
  assert_refused ("/http/h.test/a/b.ts");
  assert_refused ("/00000000000000000000000000000000/http/h.test/a/b.ts");
  {
    g_autofree char *with_other_key =
        p2p_gateway_read ("another", address, NULL);

    g_assert_null (with_other_key);
  }
}

/* Clients may spell it otherwise. */
static void
test_spelling (void)
{
  g_autofree char *address = p2p_gateway_path (KEY, "http://h.test/~a/b.ts");
  g_auto (GStrv) parts = g_strsplit (address, "~", 2);
  g_autofree char *other = g_strconcat (parts[0], "%7E", parts[1], NULL);
  g_autofree char *url = p2p_gateway_read (KEY, other, "cmcd=1");

  g_assert_cmpstr (url, ==, "http://h.test/%7Ea/b.ts?cmcd=1");
}

static char *
path_of (const char *url)
{
  return p2p_gateway_path (KEY, url);
}

static void
test_rewrite (void)
{
  static const char text[] = "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n"
                             "#EXTINF:2,\na.ts?t=1\n#EXTINF:2,\n/b.ts\n"
                             "#EXTINF:2,\nhttps://o.test/c.ts\n"
                             "#EXT-X-SESSION-KEY:URI=\"skd://x\"\n";
  g_autoptr (GBytes) playlist = g_bytes_new_static (text, strlen (text));
  g_autoptr (GBytes) result =
      p2p_gateway_rewrite (playlist, "http://h.test/live/m.m3u8", KEY);
  g_autofree char *out =
      g_strndup (g_bytes_get_data (result, NULL), g_bytes_get_size (result));
  g_autofree char *k = path_of ("http://h.test/live/k");
  g_autofree char *a = path_of ("http://h.test/live/a.ts?t=1");
  g_autofree char *b = path_of ("http://h.test/b.ts");
  g_autofree char *c = path_of ("https://o.test/c.ts");
  g_autofree char *wanted = g_strdup_printf (
      "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"%s\"\n#EXTINF:2,\n%s\n"
      "#EXTINF:2,\n%s\n#EXTINF:2,\n%s\n#EXT-X-SESSION-KEY:URI=\"skd://x\"\n",
      k, a, b, c);

  g_assert_cmpstr (out, ==, wanted);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/gatewayurl/there-and-back", test_there_and_back);
  g_test_add_func ("/formats/gatewayurl/looks", test_looks);
  g_test_add_func ("/formats/gatewayurl/forged", test_forged);
  g_test_add_func ("/formats/gatewayurl/spelling", test_spelling);
  g_test_add_func ("/formats/gatewayurl/rewrite", test_rewrite);

  return g_test_run ();
}

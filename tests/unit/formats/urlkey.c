/* p2phlssrc: tests of URL resolution and keys.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/urlkey.h"

#include "unit/vectors.h"

static void
assert_resolved (
    const char *base_url, const char *reference, const char *expected)
{
  g_autoptr (P2pUrlBase) base = p2p_url_base_new (base_url);
  g_autoptr (GString) out = g_string_new ("old");

  g_assert_nonnull (base);
  g_assert_cmpint (
      p2p_url_resolve (base, reference, out), ==, expected != NULL);
  g_assert_cmpstr (out->str, ==, expected != NULL ? expected : "");
}

static void
assert_key (const char *url, const char *expected)
{
  g_autofree char *key = p2p_url_key_of (url);

  g_assert_cmpstr (key, ==, expected);
}

static void
test_resolve_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("url_keys.json");
  JsonArray *vectors = vectors_array (json_node_get_object (root), "resolve");

  for (guint i = 0; i < json_array_get_length (vectors); i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);

    assert_resolved (vectors_text (vector, "base"),
        vectors_text (vector, "uri"), vectors_text (vector, "resolved"));
  }
}

static void
test_key_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("url_keys.json");
  JsonArray *vectors = vectors_array (json_node_get_object (root), "normalize");

  for (guint i = 0; i < json_array_get_length (vectors); i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);

    assert_key (vectors_text (vector, "url"), vectors_text (vector, "key"));
  }
}

/* RFC 3986, 5.4, as browsers answer it. */
static void
test_rfc3986 (void)
{
  static const char *const cases[][2] = {
    { "g", "http://a/b/c/g" },
    { "./g", "http://a/b/c/g" },
    { "g/", "http://a/b/c/g/" },
    { "/g", "http://a/g" },
    { "//g", "http://g/" },
    { "?y", "http://a/b/c/d;p?y" },
    { "g?y", "http://a/b/c/g?y" },
    { "#s", "http://a/b/c/d;p" },
    { "g#s", "http://a/b/c/g" },
    { "g?y#s", "http://a/b/c/g?y" },
    { ";x", "http://a/b/c/;x" },
    { "", "http://a/b/c/d;p" },
    { ".", "http://a/b/c/" },
    { "./", "http://a/b/c/" },
    { "..", "http://a/b/" },
    { "../", "http://a/b/" },
    { "../g", "http://a/b/g" },
    { "../..", "http://a/" },
    { "../../g", "http://a/g" },
    { "../../../g", "http://a/g" },
    { "../../../../g", "http://a/g" },
    { "/./g", "http://a/g" },
    { "/../g", "http://a/g" },
    { "g.", "http://a/b/c/g." },
    { "..g", "http://a/b/c/..g" },
    { "./../g", "http://a/b/g" },
    { "./g/.", "http://a/b/c/g/" },
    { "g/../h", "http://a/b/c/h" },
    { "g;x=1/../y", "http://a/b/c/y" },
    { "g?y/../x", "http://a/b/c/g?y/../x" },
    { "%2e%2E/g", "http://a/b/g" },
    { "..\\g", "http://a/b/g" },
    { "g//../h", "http://a/b/c/g/h" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s", cases[i][0]);
    assert_resolved ("http://a/b/c/d;p?q/r#f", cases[i][0], cases[i][1]);
  }
}

static void
test_refused (void)
{
  static const char *const references[] = { "data:,x", "skd://k", "file:///x",
    "http:g", "http:/g", "https://", "http://:80/", "http://a:x/",
    "http://a b/", "http://::", "http://a:b:80/", "http://[x]/", "http://%41/",
    "http://a[::1]/", "http://u@", "mailto:x", "p2phls+http://a/" };
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (references); i++) {
    assert_resolved ("https://c/d/e", references[i], NULL);
    g_assert_null (p2p_url_base_new (references[i]));
  }
  g_assert_false (p2p_url_resolve (NULL, "relative", out));
}

static void
test_hosts (void)
{
  assert_key (
      "HTTP://User:PW@ExAmple.COM:80/A", "http://User:PW@example.com/A");
  assert_key ("https://c:8443", "https://c:8443/");
  assert_key ("https://c:/x", "https://c/x");
  assert_key ("https://c?x=1", "https://c/?x=1");
  assert_key ("http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x");
  assert_key ("http://[2001:DB8::1]/x", "http://[2001:db8::1]/x");
  assert_key ("http://c:443/", "http://c:443/");
}

/* Spellings of one URL; each pair must meet. */
static void
test_same_key (void)
{
  static const char *const pairs[][2] = {
    { "https://c/a/../b/x.ts", "https://c/b/x.ts" },
    { "https://c/%7euser/%41.ts", "https://c/~user/A.ts" },
    { "https://c/a%2fb", "https://c/a%2Fb" },
    { "https://c/a b{c}|d", "https://c/a%20b%7bc%7D%7Cd" },
    { "https://c/é", "https://c/%c3%a9" },
    { "https://c/x?a=1#t=5", "https://c/x?a=1" },
    { "https://c/x?CMCD=br%3D1&a=1", "https://c/x?a=1" },
    { "https://c/x?a=%7e", "https://c/x?a=~" },
    { "https://c/x?a=\"b\"", "https://c/x?a=%22b%22" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree char *a = p2p_url_key_of (pairs[i][0]);
    g_autofree char *b = p2p_url_key_of (pairs[i][1]);

    g_assert_nonnull (a);
    g_assert_cmpstr (a, ==, b);
  }
}

static void
test_other_key (void)
{
  static const char *const pairs[][2] = {
    { "https://c/a%2Fb", "https://c/a/b" },
    { "https://c/a", "https://c/A" },
    { "https://c/a", "http://c/a" },
    { "https://c/a?x=1", "https://c/a?x=2" },
    { "https://c/a%2541", "https://c/a%41" },
    { "https://c/a?x=%26", "https://c/a?x=&" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree char *a = p2p_url_key_of (pairs[i][0]);
    g_autofree char *b = p2p_url_key_of (pairs[i][1]);

    g_assert_cmpstr (a, !=, b);
  }
}

/* A key is its own key, and broken escapes do not read past the end. */
static void
test_stable (void)
{
  static const char *const urls[] = { "https://c/%", "https://c/%4",
    "https://c/%zz%41%", "https://c/\x01\x7f\xff", "https://c/?%&%C",
    "https://c/?&&CMCD&&", "https://c/?CMCD=1&CMCD", "https://c/%25" };

  for (guint i = 0; i < G_N_ELEMENTS (urls); i++) {
    g_autofree char *once = p2p_url_key_of (urls[i]);
    g_autofree char *twice = p2p_url_key_of (once);

    g_assert_cmpstr (once, ==, twice);
  }
}

/* What text-joined "//host/path" means. */
static void
test_network_path (void)
{
  static const char *const cases[][2] = {
    { "http://c//d/e.ts?x=1", "http://d/e.ts?x=1" },
    { "https://c:8443//D:443/a%7eb", "https://d/a~b" },
    { "http://c//[2001:DB8::1]:80/x", "http://[2001:db8::1]/x" },
    { "http://c//e.ts", "http://e.ts/" },
    { "http://c/d/e.ts", NULL },
    { "http://c/d//e.ts", NULL },
    { "http://c/?x=//e", NULL },
    { "http://c//", NULL },
    { "http://c///e.ts", NULL },
    { "http://c//%41/e.ts", "http://a/e.ts" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *key = p2p_url_key_of (cases[i][0]);
    g_autofree char *meant = p2p_url_network_path_key (key);

    g_assert_cmpstr (meant, ==, cases[i][1]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/urlkey/resolve-vectors", test_resolve_vectors);
  g_test_add_func ("/formats/urlkey/key-vectors", test_key_vectors);
  g_test_add_func ("/formats/urlkey/rfc3986", test_rfc3986);
  g_test_add_func ("/formats/urlkey/refused", test_refused);
  g_test_add_func ("/formats/urlkey/hosts", test_hosts);
  g_test_add_func ("/formats/urlkey/same", test_same_key);
  g_test_add_func ("/formats/urlkey/other", test_other_key);
  g_test_add_func ("/formats/urlkey/stable", test_stable);
  g_test_add_func ("/formats/urlkey/network-path", test_network_path);

  return g_test_run ();
}

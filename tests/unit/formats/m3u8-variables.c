/* p2phlssrc: tests of the variables of playlists.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/m3u8-variables.h"

#include "base/limits.h"

static P2pM3u8Span
span (const char *text)
{
  return (P2pM3u8Span){ text, strlen (text) };
}

static void
assert_substituted (
    P2pM3u8Variables *variables, const char *text, const char *expected)
{
  g_autofree char *result = p2p_m3u8_substitute (variables, span (text));

  g_assert_cmpstr (result, ==, expected);
}

static void
test_none (void)
{
  P2pM3u8Variables variables = { 0 };

  assert_substituted (&variables, "{$a}", NULL);
  p2p_m3u8_define (&variables, span ("NAME=\"a\""));
  p2p_m3u8_define (&variables, span ("IMPORT=\"a\""));
  p2p_m3u8_define (&variables, span ("QUERYPARAM=\"a\",VALUE=\"x\""));
  assert_substituted (&variables, "{$a}", NULL);
  p2p_m3u8_variables_clear (&variables);
}

static void
test_some (void)
{
  g_autofree char *name = g_strnfill (64, 'n');
  g_autofree char *define = g_strdup_printf ("NAME=%s,VALUE=ok", name);
  g_autofree char *use = g_strdup_printf ("{$%s}{$%sn}", name, name);
  g_autofree char *used = g_strdup_printf ("ok{$%sn}", name);
  P2pM3u8Variables variables = { 0 };

  p2p_m3u8_define (&variables, span ("NAME=\"a\",VALUE=\"1\""));
  p2p_m3u8_define (&variables, span ("VALUE=\"{$a}\",NAME=\"b\""));
  p2p_m3u8_define (&variables, span (define));
  assert_substituted (&variables, "no", NULL);
  assert_substituted (&variables, "{$a}{$b}x", "1{$a}x");
  assert_substituted (&variables, "{$c}{${$a}", "{$c}{$1");
  assert_substituted (&variables, "{$a", "{$a");
  assert_substituted (&variables, use, used);
  p2p_m3u8_define (&variables, span ("NAME=\"a\",VALUE=\"2\""));
  assert_substituted (&variables, "{$a}", "2");
  p2p_m3u8_variables_clear (&variables);
}

static void
test_bound (void)
{
  P2pM3u8Variables variables = { 0 };

  for (guint i = 0; i <= P2P_PLAYLIST_MAX_VARIABLES; i++) {
    g_autofree char *define = g_strdup_printf ("NAME=v%u,VALUE=x", i);

    p2p_m3u8_define (&variables, span (define));
  }
  assert_substituted (&variables, "{$v0}{$v255}{$v256}", "xx{$v256}");
  p2p_m3u8_variables_clear (&variables);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/m3u8-variables/none", test_none);
  g_test_add_func ("/formats/m3u8-variables/some", test_some);
  g_test_add_func ("/formats/m3u8-variables/bound", test_bound);

  return g_test_run ();
}

/* p2phlssrc: beside souphttpsrc: what the sources of a pipeline have together:
 * connections and cookies.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

#include <string.h>

static TestHttpServer *server;
static GBytes *body;

static void
set_up (void)
{
  static const char *const cookies[] = { "Set-Cookie", "token=7; Path=/",
    "Set-Cookie", "deep=1; Path=/deep", "Set-Cookie", "gone=1; Max-Age=0",
    "Set-Cookie", "safe=1; Path=/; Secure", NULL };

  server = test_http_server_new ();
  body = test_http_body (100 * 1000 + 11, 15);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
  test_http_server_set (
      server, "/deep/body", &(TestHttpResource){ .body = body });
  test_http_server_set (server, "/login",
      &(TestHttpResource){ .body = body, .headers = cookies });
  test_http_server_set (
      server, "/closes", &(TestHttpResource){ .body = body, .closes = TRUE });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static void
play_another (Player *player, const ParityCase *parity)
{
  g_autofree char *uri = test_http_server_uri (server, parity->data);
  g_autoptr (GBytes) bytes = NULL;

  player_run (player);
  bytes = parity_play_another (player, uri);
  fail_unless (g_bytes_equal (bytes, body));
}

static const char *const pairs[][2] = {
  { "/body", "/body" },
  { "/login", "/body" },
  { "/login", "/deep/body" },
  { "/closes", "/body" },
};

/* One connection, and the cookies that it brought. */
GST_START_TEST (test_another_source)
{
  parity_check (server,
      &(ParityCase){ .path = pairs[__i__][0],
          .play = play_another,
          .data = pairs[__i__][1],
          .body = body });
}

GST_END_TEST;

static const char *const no_keep_alive[] = { "keep-alive", "false", NULL };

/* The second source keeps its connection, but not the first one's. */
GST_START_TEST (test_another_source_without_keep_alive)
{
  parity_check (server,
      &(ParityCase){ .path = "/body",
          .properties = no_keep_alive,
          .play = play_another,
          .data = "/body",
          .body = body });
}

GST_END_TEST;

static void
play_again (Player *player, const ParityCase *parity)
{
  const char *path = parity->data;

  player_run (player);
  player_set_state (player, GST_STATE_READY);
  if (path != NULL) {
    g_autofree char *uri = test_http_server_uri (server, path);

    g_object_set (player->src, "location", uri, NULL);
  }
  g_byte_array_set_size (player->bytes, 0);
  player->eos = FALSE;
  player_run (player);
}

GST_START_TEST (test_again)
{
  parity_check (server,
      &(ParityCase){ .path = pairs[__i__][0],
          .play = play_again,
          .data = pairs[__i__][1],
          .body = body });
}

GST_END_TEST;

GST_START_TEST (test_again_without_keep_alive)
{
  parity_check (server,
      &(ParityCase){ .path = "/body",
          .properties = no_keep_alive,
          .play = play_again,
          .body = body });
}

GST_END_TEST;

static void
play_after_null (Player *player, const ParityCase *parity)
{
  player_run (player);
  player_set_state (player, GST_STATE_NULL);
  g_byte_array_set_size (player->bytes, 0);
  player->eos = FALSE;
  player_run (player);
}

/* souphttpsrc's session stays in the pipeline's context; NULL ends ours, and
 * with it its threads, connections and cookies. */
GST_START_TEST (test_after_null)
{
  ParityCase parity = { .path = "/login", .play = play_after_null };
  g_autofree char *soup = parity_report (server, PARITY_SOUP, &parity);
  g_autofree char *ours = parity_report (server, PARITY_OURS, &parity);

  fail_unless (strstr (soup, "\n  cookie: token=7\n") != NULL, "%s", soup);
  fail_unless (strstr (ours, "cookie: ") == NULL, "%s", ours);
}

GST_END_TEST;

static void
play_twice (Player *player, const ParityCase *parity)
{
  play_again (player, &(ParityCase){ 0 });
}

static void
set_cookies (Player *player, const ParityCase *parity)
{
  g_auto (GStrv) cookies = g_strsplit (parity->data, "|", -1);

  g_object_set (player->src, "cookies", cookies, NULL);
}

static const char *const cookie_lists[] = { "a=1", "a=1|b=2|c=3", "" };

/* The user's own, and then no server's. */
GST_START_TEST (test_cookies)
{
  parity_check (server,
      &(ParityCase){ .path = "/login",
          .prepare = set_cookies,
          .play = __i__ == 0 ? NULL : play_twice,
          .data = cookie_lists[__i__],
          .body = body });
}

GST_END_TEST;

/* Cookies that a redirect brings go to where it leads. */
GST_START_TEST (test_cookies_on_redirect)
{
  static const char *const headers[] = { "Set-Cookie", "way=1; Path=/", NULL };

  test_http_server_set (server, "/moved",
      &(TestHttpResource){
          .status = 302, .location = "/body", .headers = headers });
  parity_check (server, &(ParityCase){ .path = "/moved", .body = body });
}

GST_END_TEST;

static Suite *
parity_session_suite (void)
{
  Suite *suite = suite_create ("parity-session");
  TCase *tests = tcase_create ("session");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_another_source, 0, G_N_ELEMENTS (pairs));
  tcase_add_test (tests, test_another_source_without_keep_alive);
  tcase_add_loop_test (tests, test_again, 0, G_N_ELEMENTS (pairs));
  tcase_add_test (tests, test_again_without_keep_alive);
  tcase_add_test (tests, test_after_null);
  tcase_add_loop_test (tests, test_cookies, 0, G_N_ELEMENTS (cookie_lists));
  tcase_add_test (tests, test_cookies_on_redirect);

  return suite;
}

GST_CHECK_MAIN (parity_session);

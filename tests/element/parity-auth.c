/* p2phlssrc: beside souphttpsrc: logins, at servers and at proxies.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

#include <string.h>

static TestHttpServer *server;
static TestHttpServer *proxy;
static GBytes *body;

static void
set_up (void)
{
  server = test_http_server_new ();
  proxy = test_http_server_new ();
  body = test_http_body (100 * 1000 + 7, 13);
  test_http_server_set (
      server, "/basic/body", &(TestHttpResource){ .body = body });
  test_http_server_set (
      server, "/digest/body", &(TestHttpResource){ .body = body });
  test_http_server_set (
      server, "/open/body", &(TestHttpResource){ .body = body });
  test_http_server_set (proxy, "/body", &(TestHttpResource){ .body = body });
  test_http_server_protect (server, "/basic", FALSE, "user", "pass");
  test_http_server_protect (server, "/digest", TRUE, "user", "pass");
}

static void
tear_down (void)
{
  g_unsetenv ("http_proxy");
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&proxy, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static const char *const right[] = { "user-id", "user", "user-pw", "pass",
  NULL };
static const char *const wrong[] = { "user-id", "user", "user-pw", "past",
  NULL };
static const char *const half[] = { "user-id", "user", NULL };
static const char *const *const logins[] = { right, wrong, half, NULL };
static const char *const paths[] = { "/basic/body", "/digest/body",
  "/open/body" };

GST_START_TEST (test_login)
{
  const char *path = paths[__i__ / G_N_ELEMENTS (logins)];
  const char *const *login = logins[__i__ % G_N_ELEMENTS (logins)];
  gboolean is_good = login == right || g_str_equal (path, "/open/body");

  parity_check (server,
      &(ParityCase){ .path = path,
          .properties = login,
          .body = is_good ? body : NULL,
          .error = is_good ? 0 : GST_RESOURCE_ERROR_NOT_AUTHORIZED });
}

GST_END_TEST;

static char *
uri_with_login (const char *login, const char *path)
{
  g_autofree char *uri = test_http_server_uri (server, path);

  return g_strconcat ("http://", login, "@", uri + strlen ("http://"), NULL);
}

static const struct
{
  const char *login;
  const char *path;
  int error;
} uri_logins[] = {
  { "user:pass", "/basic/body", 0 },
  { "user:pass", "/digest/body", 0 },
  { "user:past", "/basic/body", GST_RESOURCE_ERROR_NOT_AUTHORIZED },
  { "user", "/basic/body", GST_RESOURCE_ERROR_NOT_AUTHORIZED },
  { "us%65r:p%61ss", "/basic/body", 0 },
};

GST_START_TEST (test_login_in_uri)
{
  g_autofree char *uri =
      uri_with_login (uri_logins[__i__].login, uri_logins[__i__].path);

  parity_check (
      server, &(ParityCase){ .uri = uri, .error = uri_logins[__i__].error });
}

GST_END_TEST;

static void
play_segment (Player *player, const ParityCase *parity)
{
  g_autofree char *uri = test_http_server_uri (server, parity->data);
  g_autoptr (GBytes) bytes = NULL;

  player_run (player);
  bytes = parity_play_another (player, uri);
  fail_unless (g_bytes_equal (bytes, body));
}

/* hlsdemux gives no login to the sources of its segments: they have that of
 * the session. */
GST_START_TEST (test_login_is_the_sessions)
{
  parity_check (server,
      &(ParityCase){ .path = paths[__i__],
          .properties = right,
          .play = play_segment,
          .data = paths[__i__],
          .body = body });
}

GST_END_TEST;

GST_START_TEST (test_login_after_redirect)
{
  test_http_server_set (server, "/moved",
      &(TestHttpResource){ .status = 302, .location = "/basic/body" });
  parity_check (server,
      &(ParityCase){ .path = "/moved", .properties = right, .body = body });
}

GST_END_TEST;

/* --- proxies -------------------------------------------------------------*/

#define ORIGIN "http://origin.invalid/body"

static void
check_proxy (const char *const *properties, int error)
{
  parity_check (proxy,
      &(ParityCase){ .uri = ORIGIN,
          .properties = properties,
          .body = error == 0 ? body : NULL,
          .error = error });
}

GST_START_TEST (test_proxy)
{
  g_autofree char *uri = test_http_server_uri (proxy, "");
  const char *const properties[] = { "proxy",
    __i__ == 0 ? uri : uri + strlen ("http://"), NULL };

  check_proxy (properties, 0);
}

GST_END_TEST;

GST_START_TEST (test_proxy_variable)
{
  g_autofree char *uri = test_http_server_uri (proxy, "");

  g_setenv ("http_proxy", __i__ == 0 ? uri : uri + strlen ("http://"), TRUE);
  check_proxy (NULL, 0);
}

GST_END_TEST;

GST_START_TEST (test_proxy_is_away)
{
  static const char *const properties[] = { "proxy", "http://127.0.0.1:1",
    NULL };

  check_proxy (properties, PARITY_BASE_ERROR);
}

GST_END_TEST;

GST_START_TEST (test_proxy_login)
{
  g_autofree char *uri = test_http_server_uri (proxy, "");
  const char *const properties[] = { "proxy", uri, "proxy-id", "p", "proxy-pw",
    "q", NULL };

  test_http_server_protect_proxy (proxy, "p", "q");
  check_proxy (properties, 0);
}

GST_END_TEST;

GST_START_TEST (test_proxy_without_login)
{
  g_autofree char *uri = test_http_server_uri (proxy, "");
  const char *const properties[] = { "proxy", uri, NULL };

  test_http_server_protect_proxy (proxy, "p", "q");
  check_proxy (properties, GST_RESOURCE_ERROR_NOT_AUTHORIZED);
}

GST_END_TEST;

/* souphttpsrc takes the proxy's page for the resource, and a seeking query
 * then trips an assertion of its. */
GST_START_TEST (test_proxy_with_wrong_login)
{
  g_autofree char *uri = test_http_server_uri (proxy, "");
  const char *const properties[] = { "proxy", uri, "proxy-id", "p", "proxy-pw",
    "r", NULL };

  test_http_server_protect_proxy (proxy, "p", "q");
  g_free (parity_report (proxy, PARITY_OURS,
      &(ParityCase){ .uri = ORIGIN,
          .properties = properties,
          .error = GST_RESOURCE_ERROR_NOT_AUTHORIZED }));
}

GST_END_TEST;

static Suite *
parity_auth_suite (void)
{
  Suite *suite = suite_create ("parity-auth");
  TCase *tests = tcase_create ("auth");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (
      tests, test_login, 0, G_N_ELEMENTS (paths) * G_N_ELEMENTS (logins));
  tcase_add_loop_test (tests, test_login_in_uri, 0, G_N_ELEMENTS (uri_logins));
  tcase_add_loop_test (
      tests, test_login_is_the_sessions, 0, G_N_ELEMENTS (paths));
  tcase_add_test (tests, test_login_after_redirect);
  tcase_add_loop_test (tests, test_proxy, 0, 2);
  tcase_add_loop_test (tests, test_proxy_variable, 0, 2);
  tcase_add_test (tests, test_proxy_is_away);
  tcase_add_test (tests, test_proxy_login);
  tcase_add_test (tests, test_proxy_without_login);
  tcase_add_test (tests, test_proxy_with_wrong_login);

  return suite;
}

GST_CHECK_MAIN (parity_auth);

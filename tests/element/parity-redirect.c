/* p2phlssrc: beside souphttpsrc: redirects.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

static TestHttpServer *server;
static TestHttpServer *elsewhere;
static GBytes *body;

static void
set_up (void)
{
  server = test_http_server_new ();
  elsewhere = test_http_server_new ();
  body = test_http_body (100 * 1000 + 5, 12);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
  test_http_server_set (
      elsewhere, "/body", &(TestHttpResource){ .body = body });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&elsewhere, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static void
redirect (const char *path, guint status, const char *location)
{
  test_http_server_set (server, path,
      &(TestHttpResource){ .status = status, .location = location });
}

/* 308 is as permanent as 301 (RFC 9110, 15.4.9), which souphttpsrc does not
 * know. */
static const ParityException is_308[] = { { "permanent", "0", "1" }, { NULL } };

static const guint statuses[] = { 301, 302, 303, 307, 308 };

GST_START_TEST (test_followed)
{
  redirect ("/moved", statuses[__i__], "/body");
  parity_check (server,
      &(ParityCase){ .path = "/moved",
          .body = body,
          .exceptions = statuses[__i__] == 308 ? is_308 : NULL });
}

GST_END_TEST;

GST_START_TEST (test_to_another_host)
{
  g_autofree char *target = test_http_server_uri (elsewhere, "/body");
  static const char *const properties[] = { "cookies", "a=b", "extra-headers",
    "h,X-Mine=(string)here,Authorization=(string)secret", NULL };

  redirect ("/moved", statuses[__i__], target);
  parity_check (server,
      &(ParityCase){ .path = "/moved",
          .properties = properties,
          .body = body,
          .other = elsewhere,
          .exceptions = statuses[__i__] == 308 ? is_308 : NULL });
}

GST_END_TEST;

GST_START_TEST (test_not_followed)
{
  static const char *const properties[] = { "automatic-redirect", "false",
    NULL };

  redirect ("/moved", statuses[__i__], "/body");
  parity_check (server,
      &(ParityCase){ .path = "/moved",
          .properties = properties,
          .error = GST_RESOURCE_ERROR_OPEN_READ });
}

GST_END_TEST;

static const char *const posted[][3] = {
  { "301", "POST", "/body" },
  { "302", "POST", "/body" },
  { "303", "POST", "/body" },
  { "307", "POST", "/body" },
  { "308", "PUT", "/body" },
};

GST_START_TEST (test_of_a_post)
{
  const char *const properties[] = { "method", posted[__i__][1], NULL };

  redirect ("/moved", g_ascii_strtoull (posted[__i__][0], NULL, 10), "/body");
  parity_check (server,
      &(ParityCase){ .path = "/moved",
          .properties = properties,
          .error = PARITY_ANY_END });
}

GST_END_TEST;

/* souphttpsrc goes by the last hop alone; a place that is reached over a
 * temporary one is not where to ask from now on. */
static const ParityException is_mixed[] = { { "permanent", "1", "0" },
  { NULL } };

static const struct
{
  guint first;
  guint second;
  const ParityException *exceptions;
} chains[] = {
  { 301, 301, NULL },
  { 301, 302, NULL },
  { 302, 301, is_mixed },
  { 307, 302, NULL },
};

GST_START_TEST (test_chain)
{
  redirect ("/one", chains[__i__].first, "/two");
  redirect ("/two", chains[__i__].second, "/body");
  parity_check (server,
      &(ParityCase){ .path = "/one",
          .body = body,
          .exceptions = chains[__i__].exceptions });
}

GST_END_TEST;

static const struct
{
  const char *location;
  int error;
} places[] = {
  { "/nothing", GST_RESOURCE_ERROR_NOT_FOUND },
  { "/moved", PARITY_ANY_END },
  { "body", 0 },
  { "./x/../body?q=1#part", 0 },
  { "/body%20", GST_RESOURCE_ERROR_NOT_FOUND },
  { "http://127.0.0.1:1/refused", PARITY_ANY_END },
  { "http://host.invalid/x", PARITY_ANY_END },
  { "", PARITY_ANY_END },
  { NULL, PARITY_ANY_END },
  { "http://[", PARITY_ANY_END },
  { "ftp://127.0.0.1/x", PARITY_ANY_END },
  { "mailto:a@b", PARITY_ANY_END },
};

GST_START_TEST (test_place)
{
  redirect ("/moved", 302, places[__i__].location);
  parity_check (
      server, &(ParityCase){ .path = "/moved", .error = places[__i__].error });
}

GST_END_TEST;

static void
play_twice (Player *player, const ParityCase *parity)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");

  player_run (player);
  player_set_state (player, GST_STATE_READY);
  g_byte_array_set_size (player->bytes, 0);
  player->eos = FALSE;
  if (parity->data != NULL)
    g_object_set (player->src, "location", uri, NULL);
  player_run (player);
}

/* The redirection belongs to the location; asking again goes there again. */
GST_START_TEST (test_again)
{
  redirect ("/moved", 301, "/body");
  parity_check (server,
      &(ParityCase){ .path = "/moved",
          .play = play_twice,
          .data = __i__ == 0 ? NULL : "another location",
          .body = body });
}

GST_END_TEST;

static Suite *
parity_redirect_suite (void)
{
  Suite *suite = suite_create ("parity-redirect");
  TCase *tests = tcase_create ("redirect");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_followed, 0, G_N_ELEMENTS (statuses));
  tcase_add_loop_test (tests, test_to_another_host, 0, G_N_ELEMENTS (statuses));
  tcase_add_loop_test (tests, test_not_followed, 0, G_N_ELEMENTS (statuses));
  tcase_add_loop_test (tests, test_of_a_post, 0, G_N_ELEMENTS (posted));
  tcase_add_loop_test (tests, test_chain, 0, G_N_ELEMENTS (chains));
  tcase_add_loop_test (tests, test_place, 0, G_N_ELEMENTS (places));
  tcase_add_loop_test (tests, test_again, 0, 2);

  return suite;
}

GST_CHECK_MAIN (parity_redirect);

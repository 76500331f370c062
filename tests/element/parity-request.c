/* p2phlssrc: beside souphttpsrc: what properties do to the request and to the
 * buffers.
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
  server = test_http_server_new ();
  body = test_http_body (100 * 1000 + 19, 19);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static const char *const requests[][4] = {
  { "user-agent", "" },
  { "user-agent", "me" },
  { "user-agent", "me " },
  { "user-agent", "me/1.0 (you) " },
  { "extra-headers", "h,X-Number=(int)5" },
  { "extra-headers", "h,X-List=(string){a,b},X-Array=(string)<c,d>" },
  { "extra-headers", "h,X-True=(boolean)true,X-Float=(double)1.5" },
  { "extra-headers", "h,User-Agent=(string)mine" },
  { "extra-headers", "h,Accept-Encoding=(string)br,Cookie=(string)\"a\\=1\"" },
  { "extra-headers", "h,Host=(string)elsewhere" },
  { "extra-headers", "h" },
  { "compress", "true" },
  { "compress", "true", "extra-headers", "h,Accept-Encoding=(string)br" },
  { "keep-alive", "false" },
  { "iradio-mode", "false" },
  { "http-log-level", "none" },
  { "http-log-level", "body" },
  { "timeout", "0" },
  { "timeout", "3600" },
  { "automatic-redirect", "false" },
  { "ssl-strict", "false" },
};

GST_START_TEST (test_request)
{
  const char *const properties[] = { requests[__i__][0], requests[__i__][1],
    requests[__i__][2], requests[__i__][3], NULL };

  parity_check (server,
      &(ParityCase){
          .path = "/body", .properties = properties, .error = PARITY_ANY_END });
}

GST_END_TEST;

/* souphttpsrc 1.26 takes "for ever" for "not even once". */
GST_START_TEST (test_retries_for_ever)
{
  static const char *const properties[] = { "retries", "-1", NULL };
  const ParityCase parity = {
    .path = "/body", .properties = properties, .body = body
  };

  if (parity_since (26))
    g_free (parity_report (server, PARITY_OURS, &parity));
  else
    parity_check (server, &parity);
}

GST_END_TEST;

/* A range that nobody but the server knows of: souphttpsrc takes its length
 * for its end. */
GST_START_TEST (test_range_of_the_users)
{
  static const char *const properties[] = { "extra-headers",
    "h,Range=(string)\"bytes\\=1-5\"", NULL };
  static const ParityException exceptions[] = {
    { "duration", "1, 5", "1, 6" },
    { "seekable", "1, from 0 to 5", "1, from 0 to 6" },
    { NULL },
  };
  g_autoptr (GBytes) wanted = g_bytes_new_from_bytes (body, 1, 5);

  parity_check (server,
      &(ParityCase){ .path = "/body",
          .properties = properties,
          .body = wanted,
          .exceptions = exceptions });
}

GST_END_TEST;

/* Its headers say the length of a body that does not come: souphttpsrc fails
 * for want of it, and asks for it again with HEAD. */
GST_START_TEST (test_head)
{
  static const char *const properties[] = { "method", "HEAD", NULL };
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autofree char *ours = parity_report (server, PARITY_OURS,
      &(ParityCase){
          .path = "/body", .properties = properties, .body = nothing });

  fail_unless (strstr (ours, "\nduration: 1, 100019\n") != NULL, "%s", ours);
}

GST_END_TEST;

static const char *const uris[] = {
  "/body?q=a%20b&c=%C3%A9",
  "/body?",
  "/body#fragment",
  "/bo%64y",
  "//body",
  "/./body",
  "/x/../body",
  "/body with space",
  "/b\xc3\xb6",
  "",
};

/* How an address reaches the server. */
GST_START_TEST (test_spelling)
{
  parity_check (
      server, &(ParityCase){ .path = uris[__i__], .error = PARITY_ANY_END });
}

GST_END_TEST;

/* --- buffers -------------------------------------------------------------*/

static const char *const manners[][4] = {
  { "do-timestamp", "true" },
  { "is-live", "true" },
  { "is-live", "true", "do-timestamp", "true" },
  { "blocksize", "1" },
  { "blocksize", "100000" },
  { "blocksize", "10000000" },
};

GST_START_TEST (test_buffers)
{
  const char *const properties[] = { manners[__i__][0], manners[__i__][1],
    manners[__i__][2], manners[__i__][3], NULL };

  parity_check (server,
      &(ParityCase){ .path = "/body", .properties = properties, .body = body });
}

GST_END_TEST;

static const char *const factories[] = { PARITY_SOUP, PARITY_OURS };

/* How much of the body is in them depends on the network. */
GST_START_TEST (test_num_buffers)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (Player) player = player_new (factories[__i__], uri);

  g_object_set (player->src, "num-buffers", 3, NULL);
  player_run (player);
  fail_unless (player->eos);
  fail_unless_equals_int (player->n_buffers, 3);
}

GST_END_TEST;

static const guint blocksizes[] = { 1, 100, 4096, 50000 };

/* A buffer is no longer than `blocksize`, which full ones let grow. */
GST_START_TEST (test_blocksize)
{
  guint blocksize = blocksizes[__i__ / G_N_ELEMENTS (factories)];
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (Player) player =
      player_new (factories[__i__ % G_N_ELEMENTS (factories)], uri);
  guint after = 0;

  g_object_set (player->src, "blocksize", blocksize, NULL);
  player_run (player);
  g_object_get (player->src, "blocksize", &after, NULL);
  fail_unless (player_has_exactly (player, body));
  fail_unless (player->first_bytes <= blocksize, "%u bytes",
      (guint) player->first_bytes);
  if (blocksize < 4096)
    fail_unless (after > blocksize);
}

GST_END_TEST;

static Suite *
parity_request_suite (void)
{
  Suite *suite = suite_create ("parity-request");
  TCase *tests = tcase_create ("request");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_request, 0, G_N_ELEMENTS (requests));
  tcase_add_test (tests, test_retries_for_ever);
  tcase_add_test (tests, test_range_of_the_users);
  tcase_add_test (tests, test_head);
  tcase_add_loop_test (tests, test_spelling, 0, G_N_ELEMENTS (uris));
  tcase_add_loop_test (tests, test_buffers, 0, G_N_ELEMENTS (manners));
  tcase_add_loop_test (tests, test_num_buffers, 0, G_N_ELEMENTS (factories));
  tcase_add_loop_test (tests, test_blocksize, 0,
      G_N_ELEMENTS (blocksizes) * G_N_ELEMENTS (factories));

  return suite;
}

GST_CHECK_MAIN (parity_request);

/* p2phlssrc: beside souphttpsrc: status codes, methods, and what is no HTTP.
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
  body = test_http_body (100 * 1000 + 3, 11);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static const struct
{
  guint status;
  int error;
} refusals[] = {
  { 300, GST_RESOURCE_ERROR_OPEN_READ },
  { 304, GST_RESOURCE_ERROR_OPEN_READ },
  { 305, GST_RESOURCE_ERROR_OPEN_READ },
  { 400, GST_RESOURCE_ERROR_OPEN_READ },
  { 401, GST_RESOURCE_ERROR_NOT_AUTHORIZED },
  { 402, GST_RESOURCE_ERROR_NOT_AUTHORIZED },
  { 403, GST_RESOURCE_ERROR_NOT_AUTHORIZED },
  { 404, GST_RESOURCE_ERROR_NOT_FOUND },
  { 405, GST_RESOURCE_ERROR_OPEN_READ },
  { 407, GST_RESOURCE_ERROR_NOT_AUTHORIZED },
  { 410, GST_RESOURCE_ERROR_OPEN_READ },
  { 416, GST_RESOURCE_ERROR_OPEN_READ },
  { 418, GST_RESOURCE_ERROR_OPEN_READ },
  { 429, GST_RESOURCE_ERROR_OPEN_READ },
  { 500, GST_RESOURCE_ERROR_OPEN_READ },
  { 501, GST_RESOURCE_ERROR_OPEN_READ },
  { 503, GST_RESOURCE_ERROR_OPEN_READ },
  { 504, GST_RESOURCE_ERROR_OPEN_READ },
};

GST_START_TEST (test_refusals)
{
  const ParityException *exceptions =
      parity_exceptions_to_status (refusals[__i__].status);

  test_http_server_set (server, "/refused",
      &(TestHttpResource){ .status = refusals[__i__].status });
  parity_check (server,
      &(ParityCase){ .path = "/refused",
          .error = refusals[__i__].error,
          .any_connection = exceptions != NULL,
          .exceptions = exceptions });
}

GST_END_TEST;

/* An error page is not for the player. */
GST_START_TEST (test_refusal_with_page)
{
  static const char *const headers[] = { "Retry-After", "3", NULL };
  const ParityException *exceptions = parity_exceptions_to_status (503);

  test_http_server_set (server, "/page",
      &(TestHttpResource){ .status = 503,
          .body = body,
          .content_type = "text/html",
          .headers = headers });
  parity_check (server,
      &(ParityCase){ .path = "/page",
          .error = GST_RESOURCE_ERROR_OPEN_READ,
          .any_connection = exceptions != NULL,
          .exceptions = exceptions });
}

GST_END_TEST;

static const guint successes[] = { 200, 201, 202, 203, 206, 207 };

GST_START_TEST (test_successes)
{
  test_http_server_set (server, "/good",
      &(TestHttpResource){
          .status = successes[__i__], .body = body, .no_ranges = TRUE });
  parity_check (server, &(ParityCase){ .path = "/good", .body = body });
}

GST_END_TEST;

static const guint empties[] = { 200, 204, 205, 206 };

GST_START_TEST (test_empty)
{
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);

  test_http_server_set (
      server, "/empty", &(TestHttpResource){ .status = empties[__i__] });
  parity_check (server, &(ParityCase){ .path = "/empty", .body = nothing });
}

GST_END_TEST;

static const char *const garbage[] = {
  "",
  "\r\n",
  "hello\r\n\r\n",
  "ICY 200 OK\r\nicy-name: old radio\r\n\r\nsound",
  "HTTP/1.1 nonsense\r\n\r\n",
  "HTTP/1.1 99 Too small\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: none of your business\r\n\r\nabc",
  "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 3\r\n\r\nabc",
  "HTTP/1.1 403\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.0 200 OK\r\n\r\nuntil the end",
};

/* Whatever libsoup makes of it, both make the same of that. */
GST_START_TEST (test_garbage)
{
  test_http_server_set (
      server, "/garbage", &(TestHttpResource){ .raw = garbage[__i__] });
  parity_check (
      server, &(ParityCase){ .path = "/garbage", .error = PARITY_ANY_END });
}

GST_END_TEST;

/* souphttpsrc puts it into its error as it is, which GStreamer complains of. */
GST_START_TEST (test_reason_is_no_text)
{
  g_autofree char *ours = NULL;

  test_http_server_set (server, "/reason",
      &(TestHttpResource){
          .raw = "HTTP/1.1 403 \xff\xfe\r\nContent-Length: 0\r\n\r\n" });
  ours = parity_report (server, PARITY_OURS,
      &(ParityCase){
          .path = "/reason", .error = GST_RESOURCE_ERROR_NOT_AUTHORIZED });
  fail_unless (strstr (ours, "; Forbidden\n") != NULL, "%s", ours);
}

GST_END_TEST;

static const char *const methods[][2] = {
  { "POST", "/body" },
  { "PUT", "/body" },
  { "OPTIONS", "/body" },
  { "GET", "/body" },
  { "get", "/body" },
  { "REPORT", "/nothing" },
};

GST_START_TEST (test_methods)
{
  const char *const properties[] = { "method", methods[__i__][0], NULL };

  parity_check (server,
      &(ParityCase){ .path = methods[__i__][1],
          .properties = properties,
          .error = PARITY_ANY_END });
}

GST_END_TEST;

/* Nothing listens, no such name, no such place. */
static const char *const nowhere[] = {
  "http://127.0.0.1:1/refused",
  "http://host.invalid/unresolvable",
  "http://[nonsense/uri",
  "nonsense",
};

GST_START_TEST (test_nowhere)
{
  parity_check (
      server, &(ParityCase){ .uri = nowhere[__i__], .error = PARITY_ANY_END });
}

GST_END_TEST;

/* What souphttpsrc hands to libsoup, which logs a critical or fails without a
 * word. */
static const char *const not_http[] = {
  "http://",
  "http:///path",
  "ftp://127.0.0.1/x",
};

GST_START_TEST (test_not_http)
{
  g_free (parity_report (server, PARITY_OURS,
      &(ParityCase){
          .uri = not_http[__i__], .error = GST_RESOURCE_ERROR_OPEN_READ }));
}

GST_END_TEST;

static Suite *
parity_status_suite (void)
{
  Suite *suite = suite_create ("parity-status");
  TCase *tests = tcase_create ("status");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_refusals, 0, G_N_ELEMENTS (refusals));
  tcase_add_test (tests, test_refusal_with_page);
  tcase_add_loop_test (tests, test_successes, 0, G_N_ELEMENTS (successes));
  tcase_add_loop_test (tests, test_empty, 0, G_N_ELEMENTS (empties));
  tcase_add_loop_test (tests, test_garbage, 0, G_N_ELEMENTS (garbage));
  tcase_add_test (tests, test_reason_is_no_text);
  tcase_add_loop_test (tests, test_methods, 0, G_N_ELEMENTS (methods));
  tcase_add_loop_test (tests, test_nowhere, 0, G_N_ELEMENTS (nowhere));
  tcase_add_loop_test (tests, test_not_http, 0, G_N_ELEMENTS (not_http));

  return suite;
}

GST_CHECK_MAIN (parity_status);

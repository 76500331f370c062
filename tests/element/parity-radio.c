/* p2phlssrc: beside souphttpsrc: what the headers say of the media: radio,
 * caps and tags.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

static TestHttpServer *server;
static GBytes *body;

static void
set_up (void)
{
  server = test_http_server_new ();
  body = test_http_body (50 * 1000 + 1, 16);
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static const char *const radio[] = { "icy-metaint", "8192", "icy-name", "Radio",
  "icy-genre", "Noise", "icy-url", "http://radio", NULL };
static const char *const named[] = { "icy-name", "Only a name", NULL };
static const char *const latin[] = { "icy-name", "Caf\xe9", "icy-genre",
  "Caf\xc3\xa9", NULL };
static const char *const empty_name[] = { "icy-name", "", NULL };
static const char *const metaint_word[] = { "icy-metaint", "x", NULL };
static const char *const metaint_mixed[] = { "icy-metaint", "16x", NULL };
static const char *const metaint_negative[] = { "icy-metaint", "-5", NULL };
static const char *const metaint_zero[] = { "icy-metaint", "0", NULL };
static const char *const metaint_twice[] = { "icy-metaint", "100",
  "icy-metaint", "200", NULL };

static const struct
{
  const char *type;
  const char *const *headers;
} media[] = {
  { NULL, NULL },
  { "audio/mpeg", NULL },
  { "text/html; charset=utf-8", NULL },
  { NULL, radio },
  { "audio/mpeg", radio },
  { "audio/mpeg; charset=x", radio },
  { "AUDIO/MPEG", radio },
  { "audio/mpeg ; a", radio },
  { "", radio },
  { ";", radio },
  { "nonsense", radio },
  { "audio/mpeg", named },
  { "audio/mpeg", latin },
  { "audio/mpeg", empty_name },
  { "audio/mpeg", metaint_word },
  { "audio/mpeg", metaint_mixed },
  { "audio/mpeg", metaint_negative },
  { "audio/mpeg", metaint_zero },
  { "audio/mpeg", metaint_twice },
  { "audio/L16", NULL },
  { "audio/l16", NULL },
  { "audio/L16; rate=48000; channels=6", NULL },
  { "audio/L16; rate=48000;channels=6", NULL },
  { "audio/L16; RATE=48000; Channels=1", NULL },
  { "audio/L16; rate=\"8000\"", NULL },
  { "audio/L16; rate = 8000", NULL },
  { "audio/L16; channels=64", NULL },
  { "audio/L16; channels=63", NULL },
  { "audio/L16; channels=0", NULL },
  { "audio/L16; channels=-1", NULL },
  { "audio/L16; channels=two", NULL },
  { "audio/L16; rate=0", NULL },
  { "audio/L16; rate=2147483646", NULL },
  { "audio/L16; rate=2147483647", NULL },
  { "audio/L16; rate=99999999999999999999", NULL },
  { "audio/L16; rate=8000; rate=9000", NULL },
  { "audio/L16; rate", NULL },
  { "audio/L16; channels=1", radio },
  { "audio/L16; channels=0", radio },
};

GST_START_TEST (test_media)
{
  test_http_server_set (server, "/media",
      &(TestHttpResource){ .body = body,
          .content_type = media[__i__].type,
          .headers = media[__i__].headers });
  parity_check (server, &(ParityCase){ .path = "/media", .body = body });
}

GST_END_TEST;

/* souphttpsrc takes some of its bits. */
GST_START_TEST (test_interval_is_no_number)
{
  static const char *const huge[] = { "icy-metaint", "99999999999", NULL };
  static const ParityException exceptions[] = {
    { "caps",
        "application/x-icy, metadata-interval=(int)1215752191, "
        "content-type=(string)audio/mpeg",
        "none" },
    { NULL },
  };

  test_http_server_set (server, "/media",
      &(TestHttpResource){
          .body = body, .content_type = "audio/mpeg", .headers = huge });
  parity_check (server,
      &(ParityCase){
          .path = "/media", .body = body, .exceptions = exceptions });
}

GST_END_TEST;

static const char *const off[] = { "iradio-mode", "false", NULL };

/* It is only about asking: who sends it all the same is believed. */
GST_START_TEST (test_mode_off)
{
  test_http_server_set (server, "/media",
      &(TestHttpResource){
          .body = body, .content_type = "audio/mpeg", .headers = radio });
  parity_check (server,
      &(ParityCase){ .path = "/media", .properties = off, .body = body });
}

GST_END_TEST;

/* A station never ends, and says no length. */
GST_START_TEST (test_station)
{
  test_http_server_set (server, "/station",
      &(TestHttpResource){ .body = body,
          .content_type = "audio/mpeg",
          .headers = radio,
          .chunked = TRUE,
          .piece_bytes = 5000,
          .piece_delay_ms = 1 });
  parity_check (server, &(ParityCase){ .path = "/station", .body = body });
}

GST_END_TEST;

GST_START_TEST (test_icy_scheme)
{
  g_autofree char *http = test_http_server_uri (server, "/media");
  g_autofree char *uri = g_strconcat (__i__ ? "icy" : "icyx", http + 4, NULL);

  test_http_server_set (server, "/media",
      &(TestHttpResource){
          .body = body, .content_type = "audio/mpeg", .headers = radio });
  parity_check (server, &(ParityCase){ .uri = uri, .body = body });
}

GST_END_TEST;

/* What a refused request brings along. */
GST_START_TEST (test_refused_station)
{
  const ParityException *exceptions = parity_exceptions_to_status (503);

  test_http_server_set (server, "/full",
      &(TestHttpResource){
          .status = 503, .content_type = "audio/mpeg", .headers = radio });
  parity_check (server,
      &(ParityCase){ .path = "/full",
          .error = GST_RESOURCE_ERROR_OPEN_READ,
          .any_connection = exceptions != NULL,
          .exceptions = exceptions });
}

GST_END_TEST;

static Suite *
parity_radio_suite (void)
{
  Suite *suite = suite_create ("parity-radio");
  TCase *tests = tcase_create ("radio");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_media, 0, G_N_ELEMENTS (media));
  tcase_add_test (tests, test_interval_is_no_number);
  tcase_add_test (tests, test_mode_off);
  tcase_add_test (tests, test_station);
  tcase_add_loop_test (tests, test_icy_scheme, 0, 2);
  tcase_add_test (tests, test_refused_station);

  return suite;
}

GST_CHECK_MAIN (parity_radio);

/* p2phlssrc: beside souphttpsrc: bodies: how they come, and how they end.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

#include <gio/gio.h>
#include <string.h>

#define BODY_BYTES (200 * 1000 + 13)

static TestHttpServer *server;
static GBytes *body;

static void
set_up (void)
{
  server = test_http_server_new ();
  body = test_http_body (BODY_BYTES, 17);
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

/* Both ask again for what is missing; souphttpsrc tells of each answer, we of
 * the first, as the rest may as well come from peers. */
#define ONE_OF(n) \
  { \
    { "header messages", n, "1" }, { "last header message", NULL, NULL }, \
        { "header event", NULL, NULL }, \
    { \
      NULL \
    } \
  }

static void
check_whole (TestHttpResource resource, const char *const *properties)
{
  resource.body = body;
  test_http_server_set (server, "/body", &resource);
  parity_check (server,
      &(ParityCase){ .path = "/body", .properties = properties, .body = body });
}

/* --- whole ---------------------------------------------------------------*/

GST_START_TEST (test_whole)
{
  static const gsize sizes[] = { 1, 4095, 4096, 4097, 65536, 2000003 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_bytes_unref (body);
    body = test_http_body (sizes[i], i);
    check_whole ((TestHttpResource){ 0 }, NULL);
  }
}

GST_END_TEST;

GST_START_TEST (test_forms)
{
  check_whole ((TestHttpResource){ .chunked = TRUE }, NULL);
  check_whole ((TestHttpResource){ .closes = TRUE }, NULL);
  check_whole ((TestHttpResource){ .no_ranges = TRUE }, NULL);
  check_whole ((TestHttpResource){ .delay_ms = 20 }, NULL);
  check_whole (
      (TestHttpResource){ .piece_bytes = 7001, .piece_delay_ms = 1 }, NULL);
  check_whole (
      (TestHttpResource){
          .piece_bytes = 7001, .piece_delay_ms = 1, .chunked = TRUE },
      NULL);
}

GST_END_TEST;

/* Neither a length nor chunks: it ends with the connection. */
GST_START_TEST (test_until_close)
{
  test_http_server_set (server, "/old",
      &(TestHttpResource){ .raw = "HTTP/1.0 200 OK\r\n\r\nabcdef" });
  test_http_server_set (server, "/new",
      &(TestHttpResource){
          .raw = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef" });
  test_http_server_set (server, "/long",
      &(TestHttpResource){ .raw = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                                  "\r\nabcdef" });
  parity_check (server, &(ParityCase){ .path = "/old" });
  parity_check (server, &(ParityCase){ .path = "/new" });
  parity_check (server, &(ParityCase){ .path = "/long" });
}

GST_END_TEST;

/* --- compressed ----------------------------------------------------------*/

static GBytes *
compress (GBytes *plain, GZlibCompressorFormat format)
{
  g_autoptr (GConverter) compressor =
      G_CONVERTER (g_zlib_compressor_new (format, -1));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream =
      g_converter_output_stream_new (memory, compressor);

  fail_unless (
      g_output_stream_write_all (stream, g_bytes_get_data (plain, NULL),
          g_bytes_get_size (plain), NULL, NULL, NULL));
  fail_unless (g_output_stream_close (stream, NULL, NULL));

  return g_memory_output_stream_steal_as_bytes (
      G_MEMORY_OUTPUT_STREAM (memory));
}

static const struct
{
  GZlibCompressorFormat format;
  const char *name;
} codings[] = {
  { G_ZLIB_COMPRESSOR_FORMAT_GZIP, "gzip" },
  { G_ZLIB_COMPRESSOR_FORMAT_ZLIB, "deflate" },
};

static ParityCase
packed_case (guint i, gboolean chunked, const char *const *properties)
{
  const char *const headers[] = { "Content-Encoding", codings[i].name, NULL };
  g_autoptr (GBytes) packed = compress (body, codings[i].format);

  test_http_server_set (server, "/packed",
      &(TestHttpResource){
          .body = packed, .headers = headers, .chunked = chunked });

  return (
      ParityCase){ .path = "/packed", .properties = properties, .body = body };
}

static const char *const asked[] = { "compress", "true", NULL };

/* Of no known length; asked for or not. */
GST_START_TEST (test_compressed)
{
  ParityCase parity = packed_case (__i__, TRUE, asked);

  parity_check (server, &parity);
  parity.properties = NULL;
  parity_check (server, &parity);
}

GST_END_TEST;

/* souphttpsrc takes the length of what is sent for that of the body, and asks
 * for parts of it again: what it gives is longer, and wrong. */
GST_START_TEST (test_compressed_with_length)
{
  ParityCase parity = packed_case (__i__, FALSE, asked);
  g_autofree char *ours = parity_report (server, PARITY_OURS, &parity);

  fail_unless (strstr (ours, "\nduration messages: 0\n") != NULL, "%s", ours);
  parity.properties = NULL;
  g_free (parity_report (server, PARITY_OURS, &parity));
}

GST_END_TEST;

GST_START_TEST (test_identity)
{
  static const char *const headers[] = { "Content-Encoding", "identity", NULL };

  check_whole ((TestHttpResource){ .headers = headers }, asked);
}

GST_END_TEST;

/* --- cut off -------------------------------------------------------------*/

static const struct
{
  TestHttpResource resource;
  const char *answers; /* that souphttpsrc tells of */
} cuts[] = {
  { { .ending = TEST_HTTP_CUT, .ending_bytes = BODY_BYTES - 1 }, "2" },
  { { .ending = TEST_HTTP_CUT, .ending_bytes = BODY_BYTES / 2 + 1 }, "2" },
  { { .ending = TEST_HTTP_CUT, .ending_bytes = BODY_BYTES / 9 }, "10" },
  { { .ending = TEST_HTTP_CUT,
        .ending_bytes = BODY_BYTES / 2 + 1,
        .closes = TRUE },
      "2" },
};

GST_START_TEST (test_resumed)
{
  TestHttpResource resource = cuts[__i__].resource;
  const ParityException exceptions[] = ONE_OF (cuts[__i__].answers);

  resource.body = body;
  test_http_server_set (server, "/cut", &resource);
  parity_check (server,
      &(ParityCase){ .path = "/cut", .body = body, .exceptions = exceptions });
}

GST_END_TEST;

static const char *const retries[][3] = {
  { "retries", "0", "1" },
  { "retries", "1", "2" },
  { "retries", "3", "4" },
};

/* Headers, and then nothing of the body, every time. */
GST_START_TEST (test_always_short)
{
  const char *const properties[] = { retries[__i__][0], retries[__i__][1],
    NULL };
  const ParityException exceptions[] = ONE_OF (retries[__i__][2]);

  test_http_server_set (server, "/never",
      &(TestHttpResource){ .body = body, .ending = TEST_HTTP_CUT });
  parity_check (server,
      &(ParityCase){ .path = "/never",
          .properties = properties,
          .error = PARITY_BASE_ERROR,
          .exceptions = exceptions });
}

GST_END_TEST;

/* The connection goes away before any header: that is final. */
GST_START_TEST (test_no_answer)
{
  test_http_server_set (server, "/away", &(TestHttpResource){ .raw = "" });
  parity_check (
      server, &(ParityCase){ .path = "/away", .error = PARITY_BASE_ERROR });
}

GST_END_TEST;

/* The rest cannot be had. souphttpsrc then takes the whole for it, and adds
 * its length to what it had. */
GST_START_TEST (test_cut_without_ranges)
{
  static const ParityException exceptions[] = {
    { "header messages", "2", "1" },
    { "last header message", NULL, NULL },
    { "header event", NULL, NULL },
    { "duration messages", "2", "1" },
    { "duration", "1, 201013", "1, 200013" },
    { "seekable", "0, from 0 to 201013", "0, from 0 to 200013" },
    { NULL },
  };

  test_http_server_set (server, "/once",
      &(TestHttpResource){ .body = body,
          .ending = TEST_HTTP_CUT,
          .ending_bytes = 1000,
          .no_ranges = TRUE });
  parity_check (server,
      &(ParityCase){ .path = "/once",
          .error = GST_RESOURCE_ERROR_SEEK,
          .exceptions = exceptions });
}

GST_END_TEST;

/* Where the last chunk is missing too, libsoup 3.6 ends in an error and 3.2
 * does not: both ask once more, or not. */
GST_START_TEST (test_cut_chunks)
{
  static const ParityException exceptions[] = ONE_OF (NULL);

  test_http_server_set (server, "/chunks",
      &(TestHttpResource){ .body = body,
          .ending = TEST_HTTP_CUT,
          .ending_bytes = BODY_BYTES / 2 + 1,
          .chunked = TRUE });
  parity_check (server,
      &(ParityCase){ .path = "/chunks",
          .error = PARITY_ANY_END,
          .exceptions = exceptions });
}

GST_END_TEST;

/* --- silence -------------------------------------------------------------*/

static const char *const patient[] = { "timeout", "1", NULL };

GST_START_TEST (test_silent)
{
  test_http_server_set (server, "/silent",
      &(TestHttpResource){ .body = body, .delay_ms = 60 * 1000 });
  parity_check (server,
      &(ParityCase){ .path = "/silent",
          .properties = patient,
          .error = PARITY_BASE_ERROR });
}

GST_END_TEST;

/* A body that stops flowing is asked for again, like one that broke off. */
GST_START_TEST (test_stall)
{
  const ParityException exceptions[] = ONE_OF ("2");

  test_http_server_set (server, "/stall",
      &(TestHttpResource){ .body = body,
          .ending = TEST_HTTP_STALL,
          .ending_bytes = BODY_BYTES - 1000 });
  parity_check (server,
      &(ParityCase){ .path = "/stall",
          .properties = patient,
          .body = body,
          .exceptions = exceptions });
}

GST_END_TEST;

static Suite *
parity_body_suite (void)
{
  Suite *suite = suite_create ("parity-body");
  TCase *tests = tcase_create ("body");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, test_whole);
  tcase_add_test (tests, test_forms);
  tcase_add_test (tests, test_until_close);
  tcase_add_loop_test (tests, test_compressed, 0, G_N_ELEMENTS (codings));
  tcase_add_loop_test (
      tests, test_compressed_with_length, 0, G_N_ELEMENTS (codings));
  tcase_add_test (tests, test_identity);
  tcase_add_loop_test (tests, test_resumed, 0, G_N_ELEMENTS (cuts));
  tcase_add_loop_test (tests, test_always_short, 0, G_N_ELEMENTS (retries));
  tcase_add_test (tests, test_no_answer);
  tcase_add_test (tests, test_cut_without_ranges);
  tcase_add_test (tests, test_cut_chunks);
  tcase_add_test (tests, test_silent);
  tcase_add_test (tests, test_stall);

  return suite;
}

GST_CHECK_MAIN (parity_body);

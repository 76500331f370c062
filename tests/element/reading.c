/* p2phlssrc: reading over HTTP, beside souphttpsrc.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "player.h"
#include "support/httpserver.h"

#include <gst/check/gstcheck.h>

#define OURS "p2phlssrc"
#define SOUP "souphttpsrc"
#define BODY_BYTES (3 * 1024 * 1024 + 17)

static TestHttpServer *server;
static GBytes *body;

static void
set_up (void)
{
  server = test_http_server_new ();
  body = test_http_body (BODY_BYTES, 1);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static Player *
play (const char *factory, const char *path)
{
  g_autofree char *uri = test_http_server_uri (server, path);
  Player *player = player_new (factory, uri);

  player_run (player);

  return player;
}

GST_START_TEST (test_whole)
{
  g_autoptr (Player) player = play (OURS, "/body");
  gint64 size = 0;

  fail_unless (player->eos);
  fail_unless (player_has_exactly (player, body));
  fail_unless (
      gst_element_query_duration (player->src, GST_FORMAT_BYTES, &size));
  fail_unless_equals_int (size, BODY_BYTES);
  fail_unless_equals_int (test_http_server_requests (server, "/body"), 1);
}

GST_END_TEST;

GST_START_TEST (test_empty)
{
  g_autoptr (Player) player = NULL;

  test_http_server_set (server, "/empty", &(TestHttpResource){ 0 });
  player = play (OURS, "/empty");
  fail_unless (player->eos);
  fail_unless_equals_int (player->bytes->len, 0);
}

GST_END_TEST;

GST_START_TEST (test_unknown_size)
{
  g_autoptr (Player) player = NULL;
  gint64 size = 0;

  test_http_server_set (
      server, "/chunked", &(TestHttpResource){ .body = body, .chunked = TRUE });
  player = play (OURS, "/chunked");
  fail_unless (player_has_exactly (player, body));
  fail_if (gst_element_query_duration (player->src, GST_FORMAT_BYTES, &size)
      && size >= 0);
}

GST_END_TEST;

GST_START_TEST (test_prefix)
{
  g_autofree char *http_uri = test_http_server_uri (server, "/body");
  g_autofree char *uri = g_strconcat ("p2phls+", http_uri, NULL);
  g_autoptr (Player) player = player_new (OURS, uri);

  player_run (player);
  fail_unless (player_has_exactly (player, body));
}

GST_END_TEST;

static void
find_type (GstTypeFind *find, gpointer user_data)
{
  gst_type_find_suggest_simple (
      find, GST_TYPE_FIND_MAXIMUM, "application/x-body", NULL, NULL);
}

/* A typefinder is next, and nothing follows it. */
static Player *
new_undecided_player (const char *path, GstElement **typefind)
{
  g_autofree char *uri = test_http_server_uri (server, path);
  Player *player = player_new (OURS, uri);

  *typefind = gst_element_factory_make ("typefind", NULL);
  gst_element_unlink (player->src, player->sink);
  gst_bin_add (GST_BIN (player->pipeline), *typefind);
  fail_unless (gst_element_link (player->src, *typefind));

  return player;
}

/* It asks for the URI, whose ending it wants to know, with its own lock held. */
GST_START_TEST (test_typefind)
{
  GstElement *typefind;
  g_autoptr (Player) player = new_undecided_player ("/body", &typefind);
  g_autoptr (GstCaps) caps = NULL;

  fail_unless (gst_element_link (typefind, player->sink));
  gst_type_find_register (
      NULL, "body", GST_RANK_PRIMARY, find_type, NULL, NULL, NULL, NULL);
  player_run (player);
  fail_unless (player->eos);
  fail_unless (player_has_exactly (player, body));
  caps = player_caps (player);
  fail_unless (gst_structure_has_name (
      gst_caps_get_structure (caps, 0), "application/x-body"));
}

GST_END_TEST;

static gboolean
has_typefind_functions (void)
{
  g_autoptr (GstPlugin) plugin =
      gst_registry_find_plugin (gst_registry_get (), "typefindfunctions");

  fail_unless (plugin != NULL);

  return gst_plugin_is_loaded (plugin);
}

/* They are there before there is anything to look at. */
GST_START_TEST (test_typefind_is_prepared)
{
  GstElement *typefind;
  g_autoptr (Player) player = NULL;

  test_http_server_set (server, "/silent",
      &(TestHttpResource){ .body = body, .ending = TEST_HTTP_STALL });
  player = new_undecided_player ("/silent", &typefind);
  fail_if (has_typefind_functions ());
  gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
  wait_until (has_typefind_functions ());
}

GST_END_TEST;

/* --- what goes along with the bytes --------------------------------------*/

/* Without what differs from run to run. */
static char *
comparable (const GstStructure *headers)
{
  g_autoptr (GstStructure) copy = NULL;
  g_autoptr (GstStructure) response = NULL;

  if (headers == NULL)
    return NULL;
  copy = gst_structure_copy (headers);
  gst_structure_get (
      copy, "response-headers", GST_TYPE_STRUCTURE, &response, NULL);
  gst_structure_remove_field (response, "Date");
  gst_structure_set (
      copy, "response-headers", GST_TYPE_STRUCTURE, response, NULL);

  return gst_structure_to_string (copy);
}

static void
check_same_headers (const char *path)
{
  g_autoptr (Player) soup = play (SOUP, path);
  g_autoptr (Player) ours = play (OURS, path);
  g_autoptr (GstStructure) soup_event = player_sticky_headers (soup);
  g_autoptr (GstStructure) our_event = player_sticky_headers (ours);
  g_autofree char *soup_text = comparable (soup->headers);
  g_autofree char *our_text = comparable (ours->headers);
  g_autofree char *soup_event_text = comparable (soup_event);
  g_autofree char *our_event_text = comparable (our_event);

  fail_unless_equals_string (our_text, soup_text);
  fail_unless_equals_string (our_event_text, soup_event_text);
}

static const char *const twice[] = { "X-Twice", "one", "X-Twice", "two",
  "X-Once", "three", NULL };

GST_START_TEST (test_headers)
{
  test_http_server_set (server, "/headers",
      &(TestHttpResource){
          .body = body, .headers = twice, .content_type = "video/mp2t" });
  check_same_headers ("/headers");
}

GST_END_TEST;

GST_START_TEST (test_headers_of_failure)
{
  check_same_headers ("/nothing-here");
}

GST_END_TEST;

static void
check_same_caps (const char *path)
{
  g_autoptr (Player) soup = play (SOUP, path);
  g_autoptr (Player) ours = play (OURS, path);
  g_autoptr (GstCaps) soup_caps = player_caps (soup);
  g_autoptr (GstCaps) our_caps = player_caps (ours);
  g_autofree char *soup_text =
      soup_caps != NULL ? gst_caps_to_string (soup_caps) : NULL;
  g_autofree char *our_text =
      our_caps != NULL ? gst_caps_to_string (our_caps) : NULL;

  fail_unless (g_strcmp0 (our_text, soup_text) == 0, "%s: %s, not %s", path,
      our_text, soup_text);
}

static const char *const radio[] = { "icy-metaint", "8192", "icy-name", "Radio",
  "icy-genre", "Noise", "icy-url", "http://radio", NULL };
static const char *const silly_radio[] = { "icy-metaint", "x", NULL };

GST_START_TEST (test_caps)
{
  static const struct
  {
    const char *path;
    const char *type;
    const char *const *headers;
  } cases[] = {
    { "/none", NULL, NULL },
    { "/typed", "audio/mpeg", NULL },
    { "/radio", "audio/mpeg; charset=x", radio },
    { "/silly", "audio/mpeg", silly_radio },
    { "/l16", "audio/L16", NULL },
    { "/l16-rate", "audio/l16; rate=48000;channels=6", NULL },
    { "/l16-quoted", "audio/L16; rate=\"8000\"", NULL },
    { "/l16-many", "audio/L16; channels=64", NULL },
    { "/l16-radio", "audio/L16; channels=1", radio },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    test_http_server_set (server, cases[i].path,
        &(TestHttpResource){ .body = body,
            .content_type = cases[i].type,
            .headers = cases[i].headers });
    check_same_caps (cases[i].path);
  }
}

GST_END_TEST;

GST_START_TEST (test_redirect)
{
  g_autofree char *target = test_http_server_uri (server, "/body");
  g_autoptr (Player) player = NULL;
  g_autoptr (GstQuery) query = gst_query_new_uri ();
  g_autofree char *uri = NULL;
  gboolean is_permanent = FALSE;

  test_http_server_set (server, "/moved",
      &(TestHttpResource){ .status = 301, .location = "/body" });
  player = play (OURS, "/moved");
  fail_unless (player_has_exactly (player, body));
  fail_unless (gst_element_query (player->src, query));
  gst_query_parse_uri_redirection (query, &uri);
  gst_query_parse_uri_redirection_permanent (query, &is_permanent);
  fail_unless (uri != NULL && g_str_has_suffix (uri, target), "%s", uri);
  fail_unless (is_permanent);
  check_same_headers ("/moved");
}

GST_END_TEST;

/* souphttpsrc is preferred for http:, so a demuxer must be told to come back
 * to us; not so without P2P. */
GST_START_TEST (test_uri_query)
{
  g_autofree char *http_uri = test_http_server_uri (server, "/body");
  g_autofree char *with_prefix = g_strconcat ("p2phls+", http_uri, NULL);
  g_autofree char *answer = NULL;
  g_autofree char *plain_answer = NULL;
  g_autoptr (GstQuery) query = gst_query_new_uri ();
  g_autoptr (Player) player = player_new (OURS, http_uri);

  player_run (player);
  fail_unless (gst_element_query (player->src, query));
  gst_query_parse_uri (query, &answer);
  fail_unless_equals_string (answer, with_prefix);

  g_object_set (player->src, "p2p", FALSE, NULL);
  fail_unless (gst_element_query (player->src, query));
  gst_query_parse_uri (query, &plain_answer);
  fail_unless_equals_string (plain_answer, http_uri);
}

GST_END_TEST;

GST_START_TEST (test_scheduling_query)
{
  g_autoptr (Player) soup = play (SOUP, "/body");
  g_autoptr (Player) ours = play (OURS, "/body");
  Player *players[] = { soup, ours };
  GstSchedulingFlags flags[2];

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstQuery) query = gst_query_new_scheduling ();

    fail_unless (gst_element_query (players[i]->src, query));
    gst_query_parse_scheduling (query, &flags[i], NULL, NULL, NULL);
    fail_unless (gst_query_has_scheduling_mode (query, GST_PAD_MODE_PUSH));
    fail_if (gst_query_has_scheduling_mode (query, GST_PAD_MODE_PULL));
  }
  fail_unless_equals_int (flags[0], flags[1]);
  fail_unless (flags[1] & GST_SCHEDULING_FLAG_BANDWIDTH_LIMITED);
}

GST_END_TEST;

GST_START_TEST (test_request_headers)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (Player) player = player_new (OURS, uri);
  g_autofree char *agent = NULL;
  g_autofree char *extra = NULL;

  gst_util_set_object_arg (G_OBJECT (player->src), "extra-headers",
      "headers,X-Number=(int)5,X-List=(string){a,b}");
  player_run (player);
  agent = test_http_server_header (server, "/body", "User-Agent");
  fail_unless (g_str_has_prefix (agent, "GStreamer souphttpsrc "));
  fail_unless (strstr (agent, " libsoup/") != NULL);
  extra = test_http_server_header (server, "/body", "X-Number");
  fail_unless_equals_string (extra, "5");
  g_free (extra);
  extra = test_http_server_header (server, "/body", "X-List");
  fail_unless_equals_string (extra, "a, b");
}

GST_END_TEST;

GST_START_TEST (test_user_agent_version)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (Player) player = player_new (OURS, uri);
  g_autofree char *agent = NULL;
  g_autofree char *filled = NULL;
  guint major, minor, micro, nano;

  gst_version (&major, &minor, &micro, &nano);
  filled = g_strdup_printf ("{%u.%u.%u}", major, minor, micro);
  g_object_set (player->src, "user-agent", "{{VERSION}}", NULL);
  player_run (player);
  agent = test_http_server_header (server, "/body", "User-Agent");
  fail_unless_equals_string (agent, filled);
}

GST_END_TEST;

/* --- errors --------------------------------------------------------------*/

static void
check_same_errors (Player *soup, Player *ours)
{
  player_run (soup);
  player_run (ours);
  fail_unless_equals_int (ours->eos, soup->eos);
  fail_unless_equals_int (ours->errors->len, soup->errors->len);
  for (guint i = 0; i < soup->errors->len; i++) {
    fail_unless_equals_string (ours->errors->pdata[i], soup->errors->pdata[i]);
  }
  fail_unless_equals_int (ours->bytes->len, soup->bytes->len);
}

static void
check_same_errors_of (const char *uri)
{
  g_autoptr (Player) soup = player_new (SOUP, uri);
  g_autoptr (Player) ours = player_new (OURS, uri);

  check_same_errors (soup, ours);
}

static void
check_same_errors_at (const char *path)
{
  g_autofree char *uri = test_http_server_uri (server, path);

  check_same_errors_of (uri);
}

GST_START_TEST (test_status_errors)
{
  static const guint statuses[] = { 400, 401, 402, 403, 404, 405, 407, 410, 416,
    429, 500, 503 };

  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autofree char *path = g_strdup_printf ("/%u", statuses[i]);

    test_http_server_set (
        server, path, &(TestHttpResource){ .status = statuses[i] });
    check_same_errors_at (path);
  }
}

GST_END_TEST;

GST_START_TEST (test_error_after_redirect)
{
  test_http_server_set (server, "/moved",
      &(TestHttpResource){ .status = 302, .location = "/nothing" });
  check_same_errors_at ("/moved");
}

GST_END_TEST;

GST_START_TEST (test_redirect_not_followed)
{
  g_autofree char *uri = test_http_server_uri (server, "/moved");
  g_autoptr (Player) soup = player_new (SOUP, uri);
  g_autoptr (Player) ours = player_new (OURS, uri);

  test_http_server_set (server, "/moved",
      &(TestHttpResource){ .status = 302, .location = "/body" });
  g_object_set (soup->src, "automatic-redirect", FALSE, NULL);
  g_object_set (ours->src, "automatic-redirect", FALSE, NULL);
  check_same_errors (soup, ours);
}

GST_END_TEST;

GST_START_TEST (test_endless_redirect)
{
  test_http_server_set (server, "/round",
      &(TestHttpResource){ .status = 302, .location = "/round" });
  check_same_errors_at ("/round");
}

GST_END_TEST;

GST_START_TEST (test_no_server)
{
  check_same_errors_of ("http://127.0.0.1:1/refused");
  check_same_errors_of ("http://host.invalid/unresolvable");
  check_same_errors_of ("http://[nonsense/uri");
  check_same_errors_of ("nonsense");
}

GST_END_TEST;

GST_START_TEST (test_no_location)
{
  GstElement *element = gst_element_factory_make (OURS, NULL);

  ASSERT_SET_STATE (element, GST_STATE_READY, GST_STATE_CHANGE_SUCCESS);
  ASSERT_SET_STATE (element, GST_STATE_PAUSED, GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}

GST_END_TEST;

/* The first answer breaks off: asked again from there. */
GST_START_TEST (test_short)
{
  g_autoptr (Player) player = NULL;

  test_http_server_set (server, "/short",
      &(TestHttpResource){ .body = body,
          .ending = TEST_HTTP_CUT,
          .ending_bytes = BODY_BYTES / 2 + 1 });
  player = play (OURS, "/short");
  fail_unless (player->eos);
  fail_unless (player_has_exactly (player, body));
  fail_unless (test_http_server_requests (server, "/short") > 1);
  check_same_errors_at ("/short");
}

GST_END_TEST;

/* Every answer breaks off without a byte. */
GST_START_TEST (test_always_short)
{
  test_http_server_set (server, "/never",
      &(TestHttpResource){ .body = body, .ending = TEST_HTTP_CUT });
  check_same_errors_at ("/never");
}

GST_END_TEST;

GST_START_TEST (test_short_without_ranges)
{
  test_http_server_set (server, "/once",
      &(TestHttpResource){ .body = body,
          .ending = TEST_HTTP_CUT,
          .ending_bytes = 1000,
          .no_ranges = TRUE });
  check_same_errors_at ("/once");
}

GST_END_TEST;

static Suite *
reading_suite (void)
{
  Suite *suite = suite_create ("reading");
  TCase *tests = tcase_create ("reading");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, test_whole);
  tcase_add_test (tests, test_empty);
  tcase_add_test (tests, test_unknown_size);
  tcase_add_test (tests, test_prefix);
  tcase_add_test (tests, test_typefind);
  tcase_add_test (tests, test_typefind_is_prepared);
  tcase_add_test (tests, test_headers);
  tcase_add_test (tests, test_headers_of_failure);
  tcase_add_test (tests, test_caps);
  tcase_add_test (tests, test_redirect);
  tcase_add_test (tests, test_uri_query);
  tcase_add_test (tests, test_scheduling_query);
  tcase_add_test (tests, test_request_headers);
  tcase_add_test (tests, test_user_agent_version);
  tcase_add_test (tests, test_status_errors);
  tcase_add_test (tests, test_error_after_redirect);
  tcase_add_test (tests, test_redirect_not_followed);
  tcase_add_test (tests, test_endless_redirect);
  tcase_add_test (tests, test_no_server);
  tcase_add_test (tests, test_no_location);
  tcase_add_test (tests, test_short);
  tcase_add_test (tests, test_always_short);
  tcase_add_test (tests, test_short_without_ranges);

  return suite;
}

GST_CHECK_MAIN (reading);

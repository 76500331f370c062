/* p2phlssrc: with a SoupSession of the application's.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

#define CONTEXT "gst.soup.session"
#define BODY_BYTES (300 * 1000 + 1)
#define ROUNDS 20

static TestHttpServer *server;
static GBytes *body;
static SoupSession *session;

static void
set_up (void)
{
  static const char *const cookies[] = { "Set-Cookie", "theirs=2; Path=/",
    NULL };

  server = test_http_server_new ();
  body = test_http_body (BODY_BYTES, 20);
  test_http_server_set (
      server, "/body", &(TestHttpResource){ .body = body, .headers = cookies });
  test_http_server_set (
      server, "/safe/body", &(TestHttpResource){ .body = body });
  test_http_server_protect (server, "/safe", FALSE, "user", "pass");
  session = soup_session_new ();
  soup_session_add_feature_by_type (session, SOUP_TYPE_COOKIE_JAR);
}

/* What the test's own context still has to do for libsoup. */
static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
tear_down (void)
{
  settle ();
  g_clear_object (&session);
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&body, g_bytes_unref);
}

static Player *
new_player (const char *path)
{
  g_autofree char *uri = test_http_server_uri (server, path);

  return player_new (PARITY_OURS, uri);
}

static GstContext *
context_with (GType type, gconstpointer value)
{
  GstContext *context = gst_context_new (CONTEXT, TRUE);

  gst_structure_set (
      gst_context_writable_structure (context), "session", type, value, NULL);

  return context;
}

static void
offer (Player *player)
{
  g_autoptr (GstContext) context = context_with (SOUP_TYPE_SESSION, session);

  gst_element_set_context (player->pipeline, context);
}

static SoupCookieJar *
jar (void)
{
  return SOUP_COOKIE_JAR (
      soup_session_get_feature (session, SOUP_TYPE_COOKIE_JAR));
}

static void
add_cookie (const char *name, const char *value)
{
  soup_cookie_jar_add_cookie (
      jar (), soup_cookie_new (name, value, "127.0.0.1", "/", -1));
}

static void
check_cookie (const char *path, const char *expected)
{
  g_autofree char *cookie = test_http_server_header (server, path, "Cookie");

  fail_unless (
      g_strcmp0 (cookie, expected) == 0, "%s, not %s", cookie, expected);
}

static void
check_whole (Player *player)
{
  g_byte_array_set_size (player->bytes, 0);
  player->eos = FALSE;
  player_run (player);
  fail_unless (player->eos);
  fail_unless (player_has_exactly (player, body));
}

/* --- what it brings ------------------------------------------------------*/

/* Both ways: what the jar has is sent, and what servers set is in it. */
GST_START_TEST (test_cookies)
{
  g_autoptr (Player) player = new_player ("/body");
  GSList *cookies;

  add_cookie ("ours", "1");
  offer (player);
  check_whole (player);
  check_cookie ("/body", "ours=1");
  player_set_state (player, GST_STATE_NULL);
  cookies = soup_cookie_jar_all_cookies (jar ());
  fail_unless_equals_int (g_slist_length (cookies), 2);
  g_slist_free_full (cookies, (GDestroyNotify) soup_cookie_free);
  check_whole (player);
  check_cookie ("/body", "ours=1; theirs=2");
}

GST_END_TEST;

GST_START_TEST (test_login)
{
  g_autofree char *text = test_http_server_uri (server, "/safe");
  g_autoptr (GUri) uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, NULL);
  g_autoptr (SoupMessage) message = soup_message_new_from_uri ("GET", uri);
  g_autoptr (SoupAuth) auth =
      soup_auth_new (SOUP_TYPE_AUTH_BASIC, message, "Basic realm=\"tests\"");
  g_autoptr (Player) player = new_player ("/safe/body");

  soup_auth_authenticate (auth, "user", "pass");
  soup_auth_manager_use_auth (SOUP_AUTH_MANAGER (soup_session_get_feature (
                                  session, SOUP_TYPE_AUTH_MANAGER)),
      uri, auth);
  offer (player);
  check_whole (player);
}

GST_END_TEST;

static gboolean
authenticate (
    SoupMessage *message, SoupAuth *auth, gboolean retrying, gpointer data)
{
  if (!retrying)
    soup_auth_authenticate (auth, "user", "pass");

  return FALSE;
}

static void
on_queued (SoupSession *queued_at, SoupMessage *message, gpointer data)
{
  g_atomic_int_inc ((gint *) data);
  g_signal_connect (message, "authenticate", G_CALLBACK (authenticate), NULL);
}

/* An application that is asked for each message; libsoup asks on the thread
 * that sends it. */
GST_START_TEST (test_login_when_asked)
{
  g_autoptr (Player) player = new_player ("/safe/body");
  gint asked = 0;

  g_signal_connect (session, "request-queued", G_CALLBACK (on_queued), &asked);
  offer (player);
  check_whole (player);
  player_set_state (player, GST_STATE_NULL);
  fail_unless (g_atomic_int_get (&asked) == 1);
}

GST_END_TEST;

GST_START_TEST (test_user_agent)
{
  g_autoptr (Player) player = new_player ("/body");
  g_autofree char *agent = NULL;

  soup_session_set_user_agent (session, "application/1");
  offer (player);
  check_whole (player);
  agent = test_http_server_header (server, "/body", "User-Agent");
  fail_unless_equals_string (agent, "application/1");
}

GST_END_TEST;

/* A cache answers from a file, a sniffer looks first; neither is in the way. */
GST_START_TEST (test_features)
{
  g_autofree char *folder = g_dir_make_tmp ("p2phls-cache-XXXXXX", NULL);
  g_autoptr (SoupCache) cache = soup_cache_new (folder, SOUP_CACHE_SINGLE_USER);
  static const char *const headers[] = { "Cache-Control", "max-age=3600",
    "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT", NULL };
  g_autoptr (Player) player = new_player ("/kept");

  test_http_server_set (server, "/kept",
      &(TestHttpResource){
          .body = body, .headers = headers, .content_type = "video/mp2t" });
  soup_session_add_feature (session, SOUP_SESSION_FEATURE (cache));
  soup_session_add_feature_by_type (session, SOUP_TYPE_CONTENT_SNIFFER);
  offer (player);
  for (guint i = 0; i < 3; i++) {
    check_whole (player);
    player_set_state (player, GST_STATE_READY);
  }
  player_set_state (player, GST_STATE_NULL);
  settle ();
  fail_unless_equals_int (test_http_server_requests (server, "/kept"), 3);
  soup_cache_flush (cache);
  soup_cache_clear (cache);
  soup_session_remove_feature (session, SOUP_SESSION_FEATURE (cache));
  g_rmdir (folder);
}

GST_END_TEST;

/* --- how it comes --------------------------------------------------------*/

static GstBusSyncReply
give_context (GstBus *bus, GstMessage *message, gpointer user_data)
{
  const char *type = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_NEED_CONTEXT)
    return GST_BUS_PASS;
  gst_message_parse_context_type (message, &type);
  if (g_strcmp0 (type, CONTEXT) == 0) {
    g_autoptr (GstContext) context = context_with (SOUP_TYPE_SESSION, session);

    gst_element_set_context (GST_ELEMENT (GST_MESSAGE_SRC (message)), context);
  }

  return GST_BUS_PASS;
}

GST_START_TEST (test_need_context)
{
  g_autoptr (Player) player = new_player ("/body");
  g_autoptr (GstBus) bus = gst_element_get_bus (player->pipeline);

  add_cookie ("ours", "1");
  gst_bus_set_sync_handler (bus, give_context, NULL, NULL);
  check_whole (player);
  check_cookie ("/body", "ours=1");
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
}

GST_END_TEST;

/* The sources that a demuxer makes are in the same bin. */
GST_START_TEST (test_another_source)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (Player) player = new_player ("/body");
  g_autoptr (GBytes) bytes = NULL;

  add_cookie ("ours", "1");
  offer (player);
  check_whole (player);
  bytes = parity_play_another (player, uri);
  fail_unless (g_bytes_equal (bytes, body));
  check_cookie ("/body", "ours=1; theirs=2");
}

GST_END_TEST;

/* Given while a session of our own is in use: from the next request on. */
GST_START_TEST (test_given_later)
{
  g_autoptr (Player) player = new_player ("/body");

  add_cookie ("ours", "1");
  check_whole (player);
  check_cookie ("/body", NULL);
  player_set_state (player, GST_STATE_READY);
  offer (player);
  check_whole (player);
  check_cookie ("/body", "ours=1");
}

GST_END_TEST;

static const char *const own_settings[][2] = {
  { "timeout", "20" },
  { "ssl-strict", "false" },
  { "ssl-use-system-ca-file", "false" },
  { "ssl-ca-file", "/etc/ssl/certs/ca-certificates.crt" },
};

/* What a session decides was set on the element: as with souphttpsrc, then it
 * has one of its own. */
GST_START_TEST (test_own_settings)
{
  g_autoptr (Player) player = new_player ("/body");

  add_cookie ("ours", "1");
  gst_util_set_object_arg (
      G_OBJECT (player->src), own_settings[__i__][0], own_settings[__i__][1]);
  offer (player);
  check_whole (player);
  check_cookie ("/body", NULL);
}

GST_END_TEST;

/* --- what is none --------------------------------------------------------*/

GST_START_TEST (test_foreign_structures)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  GstContext *contexts[] = {
    gst_context_new (CONTEXT, TRUE),
    context_with (G_TYPE_STRING, "session"),
    context_with (G_TYPE_POINTER, object),
    context_with (G_TYPE_OBJECT, object),
    context_with (SOUP_TYPE_SESSION, NULL),
  };

  for (guint i = 0; i < G_N_ELEMENTS (contexts); i++) {
    g_autoptr (Player) player = new_player ("/body");

    add_cookie ("ours", "1");
    offer (player);
    gst_element_set_context (player->pipeline, contexts[i]);
    check_whole (player);
    check_cookie ("/body", NULL);
    gst_context_unref (contexts[i]);
  }
}

GST_END_TEST;

/* A SoupSession will do whatever type the field has. */
GST_START_TEST (test_session_as_object)
{
  g_autoptr (Player) player = new_player ("/body");
  g_autoptr (GstContext) context = context_with (G_TYPE_OBJECT, session);

  add_cookie ("ours", "1");
  gst_element_set_context (player->pipeline, context);
  check_whole (player);
  check_cookie ("/body", "ours=1");
}

GST_END_TEST;

/* souphttpsrc shares something of its own under the same name; and finds what
 * is not its own there. */
GST_START_TEST (test_beside_souphttpsrc)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (Player) soup = player_new (PARITY_SOUP, uri);
  g_autoptr (Player) ours = new_player ("/body");
  g_autoptr (GstContext) context = NULL;

  offer (soup);
  check_whole (soup);
  context = gst_element_get_context (soup->src, CONTEXT);
  fail_unless (context != NULL);
  gst_element_set_context (ours->pipeline, context);
  check_whole (ours);
}

GST_END_TEST;

/* --- threads and lives ---------------------------------------------------*/

/* The application forgets it; the pipeline does not. */
GST_START_TEST (test_application_lets_go)
{
  g_autoptr (Player) player = new_player ("/body");
  gpointer watched = session;

  add_cookie ("ours", "1");
  offer (player);
  g_object_add_weak_pointer (G_OBJECT (session), &watched);
  g_clear_object (&session);
  check_whole (player);
  check_cookie ("/body", "ours=1");
  player_set_state (player, GST_STATE_NULL);
  fail_unless (watched != NULL);
  player_free (g_steal_pointer (&player));
  wait_until (g_atomic_pointer_get (&watched) == NULL);
}

GST_END_TEST;

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GBytes) bytes =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, NULL);

  fail_unless (bytes != NULL && g_bytes_equal (bytes, body));
  --*(guint *) user_data;
}

static void
send_from_here (guint *waiting)
{
  g_autofree char *uri = test_http_server_uri (server, "/body");
  g_autoptr (SoupMessage) message = soup_message_new ("GET", uri);

  ++*waiting;
  soup_session_send_and_read_async (
      session, message, G_PRIORITY_DEFAULT, NULL, on_answer, waiting);
}

/* The application sends from its thread, two pipelines from theirs, stopped
 * at any point; what is left of their connections does for the application. */
GST_START_TEST (test_many_threads)
{
  g_autoptr (Player) whole = new_player ("/body");
  g_autoptr (Player) stopped = new_player ("/body");
  guint waiting = 0;

  offer (whole);
  offer (stopped);
  for (guint i = 0; i < ROUNDS; i++) {
    send_from_here (&waiting);
    gst_element_set_state (stopped->pipeline, GST_STATE_PLAYING);
    gst_element_set_state (whole->pipeline, GST_STATE_PLAYING);
    if (i % 3 != 0)
      player_wait_bytes (stopped, 1);
    player_set_state (stopped, GST_STATE_NULL);
    g_byte_array_set_size (stopped->bytes, 0);
    while (waiting > 0)
      g_main_context_iteration (NULL, TRUE);
    player_run (whole);
    fail_unless (player_has_exactly (whole, body));
    player_set_state (whole, GST_STATE_NULL);
    g_byte_array_set_size (whole->bytes, 0);
    whole->eos = FALSE;
  }
  send_from_here (&waiting);
  while (waiting > 0)
    g_main_context_iteration (NULL, TRUE);
}

GST_END_TEST;

static void
on_network_event (SoupMessage *message, GSocketClientEvent event,
    GIOStream *connection, gpointer data)
{
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    g_atomic_int_inc ((gint *) data);
}

static void
watch_handshake (SoupSession *queued_at, SoupMessage *message, gpointer data)
{
  g_signal_connect (
      message, "network-event", G_CALLBACK (on_network_event), data);
}

static void
on_failure (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);

  fail_unless (bytes == NULL && error != NULL);
  *(gboolean *) user_data = TRUE;
}

/* Stopped while a server keeps silent to TLS, again and again: the session's
 * two connections to a host are free for the application afterwards. */
GST_START_TEST (test_stop_in_handshake)
{
  g_autofree char *http = test_http_server_uri (server, "/body");
  g_autofree char *https = g_strconcat ("https", http + strlen ("http"), NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", https);
  gint handshakes = 0;
  gboolean has_failed = FALSE;

  soup_session_set_timeout (session, 1);
  g_signal_connect (
      session, "request-queued", G_CALLBACK (watch_handshake), &handshakes);
  for (gint i = 0; i < 5; i++) {
    g_autoptr (Player) player = player_new (PARITY_OURS, https);

    offer (player);
    gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
    wait_until (g_atomic_int_get (&handshakes) > i);
    player_set_state (player, GST_STATE_NULL);
  }
  soup_session_send_and_read_async (
      session, message, G_PRIORITY_DEFAULT, NULL, on_failure, &has_failed);
  while (!has_failed)
    g_main_context_iteration (NULL, TRUE);
}

GST_END_TEST;

/* The application calls everything off. */
GST_START_TEST (test_abort)
{
  g_autoptr (Player) player = new_player ("/stalled");

  test_http_server_set (server, "/stalled",
      &(TestHttpResource){
          .body = body, .ending = TEST_HTTP_STALL, .ending_bytes = 1000 });
  g_object_set (player->src, "retries", 0, NULL);
  offer (player);
  gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
  player_wait_bytes (player, 1000);
  player_set_state (player, GST_STATE_NULL);
  soup_session_abort (session);
}

GST_END_TEST;

static Suite *
soupsession_suite (void)
{
  Suite *suite = suite_create ("soupsession");
  TCase *tests = tcase_create ("soupsession");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, test_cookies);
  tcase_add_test (tests, test_login);
  tcase_add_test (tests, test_login_when_asked);
  tcase_add_test (tests, test_user_agent);
  tcase_add_test (tests, test_features);
  tcase_add_test (tests, test_need_context);
  tcase_add_test (tests, test_another_source);
  tcase_add_test (tests, test_given_later);
  tcase_add_loop_test (
      tests, test_own_settings, 0, G_N_ELEMENTS (own_settings));
  tcase_add_test (tests, test_foreign_structures);
  tcase_add_test (tests, test_session_as_object);
  tcase_add_test (tests, test_beside_souphttpsrc);
  tcase_add_test (tests, test_application_lets_go);
  tcase_add_test (tests, test_many_threads);
  tcase_add_test (tests, test_stop_in_handshake);
  tcase_add_test (tests, test_abort);

  return suite;
}

GST_CHECK_MAIN (soupsession);

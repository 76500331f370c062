/* p2phlssrc: tests of the tracker, from its reader to its sockets.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "tracker/request.h"
#include "tracker/server.h"
#include "tracker/swarms.h"

#include "base/limits.h"

#include <libsoup/soup.h>
#include <string.h>

#define HASH "hhhhhhhhhhhhhhhhhhhh"
#define OTHER_HASH "gggggggggggggggggggg"
#define PEER_A "-TS0001-aaaaaaaaaaaa"
#define PEER_B "-TS0001-bbbbbbbbbbbb"
#define PEER_C "-TS0001-cccccccccccc"

/* --- reading ------------------------------------------------------------ */

static const char *
parse (const char *text, P2pTrackerServerRequest *request)
{
  return p2p_tracker_server_request_parse (text, strlen (text), request);
}

static void
assert_span (const P2pJsonSpan *span, const char *expected)
{
  g_assert_cmpmem (
      span->start, p2p_json_length (span), expected, strlen (expected));
}

static void
test_announce (void)
{
  P2pTrackerServerRequest request;

  g_assert_null (parse (" { \"action\" : \"announce\",\"info_hash\":\"" HASH
                        "\",\"peer_id\":\"" PEER_A "\",\"left\":0,\"x\":[[],{},"
                        "-1.5e+3,true,null,\"\\u0000\"],\"offers\":["
                        "{\"offer\":{\"sdp\":\"\\\"}]\"},\"offer_id\":\"1\"},"
                        "7,{\"offer\":{}},{\"offer\":1,\"offer_id\":\"2\"},"
                        "{\"offer_id\":\"3\",\"offer\":{}}]} ",
      &request));
  g_assert_cmpint (request.action, ==, P2P_TRACKER_SERVER_ANNOUNCE);
  g_assert_true (request.complete);
  g_assert_cmpmem (request.peer_id, 20, PEER_A, 20);
  g_assert_cmpuint (request.n_offers, ==, 2);
  assert_span (&request.offers[0].offer, "{\"sdp\":\"\\\"}]\"}");
  assert_span (&request.offers[0].offer_id, "\"1\"");
  assert_span (&request.offers[1].offer_id, "\"3\"");
}

/* Binary strings, however they are escaped. */
static void
test_binary_ids (void)
{
  static const guint8 expected[20] = { 0, 0xff, '"', '\\', '/', '\b', '\f',
    '\n', '\r', '\t', 'A', 0x80, 0x7f, 1, 2, 3, 4, 5, 6, 'z' };
  P2pTrackerServerRequest request;
  g_autoptr (GString) text =
      g_string_new ("{\"action\":\"announce\","
                    "\"peer_id\":\"" PEER_A "\",\"info_hash\":");

  g_assert_null (
      parse ("{\"action\":\"announce\",\"peer_id\":\"" PEER_A
             "\",\"info_hash\":\"\\u0000\xc3\xbf\\\"\\\\\\/\\b\\f\\n\\r\\t"
             "\\u0041\\u0080\\u007F\\u0001\\u0002\\u0003\\u0004\\u0005"
             "\\u0006z\"}",
          &request));
  g_assert_cmpmem (request.info_hash, 20, expected, 20);
  p2p_json_append_bytes (text, expected, 20);
  g_string_append_c (text, '}');
  g_assert_null (parse (text->str, &request));
  g_assert_cmpmem (request.info_hash, 20, expected, 20);
}

static void
test_bad_requests (void)
{
  static const char *const bad[] = {
    "",
    "[]",
    "7",
    "{",
    "{}",
    "{}{}",
    "{\"action\":\"announce\"",
    "{\"action\":\"announce\",}",
    "{\"action\":\"announce\" \"a\":1}",
    "{action:1}",
    "{\"action\":\"dance\"}",
    "{\"action\":7}",
    "{\"a\":01}",
    "{\"a\":1.}",
    "{\"a\":tru}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\x01\"}",
    "{\"a\":[1,]}",
    "{\"a\":[1}",
    "{\"a\":[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]}",
    "{\"action\":\"announce\"}",
    "{\"action\":\"announce\",\"info_hash\":\"short\"}",
    "{\"action\":\"announce\",\"info_hash\":\"" HASH "\"}",
    "{\"action\":\"announce\",\"info_hash\":\"" HASH "h\",\"peer_id\":\"" PEER_A
    "\"}",
    "{\"action\":\"announce\",\"info_hash\":\"hhhhhhhhhhhhhhhhhhh\xc4\x80\","
    "\"peer_id\":\"" PEER_A "\"}",
    "{\"action\":\"announce\",\"info_hash\":\"" HASH "\",\"peer_id\":\"" PEER_A
    "\",\"answer\":{}}",
    "{\"action\":\"announce\",\"info_hash\":\"" HASH "\",\"peer_id\":\"" PEER_A
    "\",\"answer\":7,\"to_peer_id\":\"" PEER_B "\",\"offer_id\":\"1\"}",
    "{\"action\":\"announce\",\"info_hash\":\"" HASH "\",\"peer_id\":\"" PEER_A
    "\",\"answer\":{},\"to_peer_id\":\"" PEER_B "\"}",
  };
  P2pTrackerServerRequest request;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_nonnull (parse (bad[i], &request));
}

/* Every message cut anywhere, and every byte spoilt. */
static void
test_spoilt_requests (void)
{
  static const char good[] =
      "{\"action\":\"announce\",\"info_hash\":\"" HASH
      "\",\"peer_id\":\"" PEER_A
      "\",\"n\":-1.5e3,\"offers\":[{\"offer\":{\"a\":\"\\u00ff\\n\"},"
      "\"offer_id\":\"1\"}]}";
  P2pTrackerServerRequest request;
  gsize i;
  guint byte;

  for (i = 0; i < strlen (good); i++) {
    g_autofree char *cut = g_strndup (good, i);
    g_autofree char *exact = g_memdup2 (good, i + 1);

    g_assert_nonnull (parse (cut, &request));
    /* No NUL behind it: the address sanitizer watches. */
    p2p_tracker_server_request_parse (exact, i + 1, &request);
    for (byte = 1; byte < 0x80; byte++) {
      exact[i] = byte;
      p2p_tracker_server_request_parse (exact, i + 1, &request);
    }
  }
}

/* --- tables ------------------------------------------------------------- */

static void
on_leaving (P2pSwarmPeer *peer, gpointer user_data)
{
  ++*(guint *) user_data;
}

static P2pSwarmPeer *
join (P2pSwarms *swarms, guint number)
{
  guint8 id[20] = { 0 };
  gboolean is_new;

  memcpy (id, &number, sizeof number);

  return p2p_swarms_join (swarms, (const guint8 *) HASH, id, &is_new);
}

static void
test_choose (void)
{
  guint left = 0, counts[10] = { 0 }, i, k, n;
  g_autoptr (P2pSwarms) swarms = p2p_swarms_new (on_leaving, &left);
  P2pSwarmPeer *peers[10], *chosen[20];
  P2pPrng prng;

  p2p_prng_init (&prng, 1);
  for (i = 0; i < 10; i++) {
    peers[i] = join (swarms, i);
    peers[i]->seen_us = i;
    peers[i]->socket = &counts[i];
  }
  g_assert_true (join (swarms, 3) == peers[3]);
  g_assert_cmpuint (p2p_swarm_choose (peers[0], &prng, chosen, 20), ==, 9);
  for (k = 0; k < 900; k++) {
    n = p2p_swarm_choose (peers[k % 10], &prng, chosen, 5);
    g_assert_cmpuint (n, ==, 5);
    for (i = 0; i < n; i++) {
      g_assert_true (chosen[i] != peers[k % 10]);
      g_assert_true (i == 0 || chosen[i] != chosen[i - 1]);
      ++*(guint *) chosen[i]->socket;
    }
  }
  for (i = 0; i < 10; i++) {
    g_assert_cmpuint (counts[i], >, 350);
    g_assert_cmpuint (counts[i], <, 550);
  }

  p2p_swarm_set_complete (peers[9], TRUE);
  g_assert_cmpuint (p2p_swarm_n_complete (peers[9]->swarm), ==, 1);
  p2p_swarms_expire (swarms, 9);
  g_assert_cmpuint (left, ==, 9);
  g_assert_cmpuint (p2p_swarm_choose (peers[9], &prng, chosen, 5), ==, 0);
  p2p_swarms_leave (swarms, peers[9]);
  g_assert_cmpuint (p2p_swarms_n_swarms (swarms), ==, 0);
  g_assert_cmpuint (p2p_swarms_n_peers (swarms), ==, 0);
}

static void
test_bounds (void)
{
  guint left = 0, i;
  g_autoptr (P2pSwarms) swarms = p2p_swarms_new (on_leaving, &left);

  for (i = 0; i < P2P_TRACKER_SERVER_PEERS_MAX; i++)
    g_assert_nonnull (join (swarms, i));
  g_assert_null (join (swarms, i));
  g_assert_nonnull (join (swarms, 0));
}

/* --- over sockets ------------------------------------------------------- */

typedef struct
{
  GMainContext *context;
  P2pTrackerServer *server;
  SoupSession *session;
} Fixture;

typedef struct
{
  Fixture *fixture;
  SoupWebsocketConnection *connection;
  GQueue messages; /* char * */
  gboolean closed;
} Client;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  P2pTrackerServerConfig config = { .interval_s = 77 };
  g_autoptr (GError) error = NULL;

  fixture->context = g_main_context_new ();
  g_main_context_push_thread_default (fixture->context);
  fixture->server = p2p_tracker_server_new (&config, &error);
  g_assert_no_error (error);
  fixture->session = soup_session_new_with_options (
      "max-conns", 1000, "max-conns-per-host", 1000, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->server, p2p_tracker_server_free);
  soup_session_abort (fixture->session);
  g_object_unref (fixture->session);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_main_context_pop_thread_default (fixture->context);
  g_main_context_unref (fixture->context);
}

static void
on_message (SoupWebsocketConnection *connection, gint type, GBytes *message,
    Client *client)
{
  gsize length;
  const char *text = g_bytes_get_data (message, &length);

  g_queue_push_tail (&client->messages, g_strndup (text, length));
}

static void
on_closed (SoupWebsocketConnection *connection, Client *client)
{
  client->closed = TRUE;
}

static void
on_connected (GObject *session, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;

  client->connection = soup_session_websocket_connect_finish (
      SOUP_SESSION (session), result, &error);
  g_assert_no_error (error);
}

static Client *
connect_client (Fixture *fixture)
{
  Client *client = g_new0 (Client, 1);
  g_autoptr (SoupMessage) message =
      soup_message_new ("GET", p2p_tracker_server_get_uri (fixture->server));

  client->fixture = fixture;
  soup_session_websocket_connect_async (fixture->session, message, NULL, NULL,
      G_PRIORITY_DEFAULT, NULL, on_connected, client);
  while (client->connection == NULL)
    g_main_context_iteration (fixture->context, TRUE);
  g_signal_connect (
      client->connection, "message", G_CALLBACK (on_message), client);
  g_signal_connect (
      client->connection, "closed", G_CALLBACK (on_closed), client);

  return client;
}

static void
disconnect_client (Client *client)
{
  if (!client->closed
      && soup_websocket_connection_get_state (client->connection)
          == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (client->connection, 1000, NULL);
  while (!client->closed)
    g_main_context_iteration (client->fixture->context, TRUE);
  g_signal_handlers_disconnect_by_data (client->connection, client);
  g_object_unref (client->connection);
  g_queue_clear_full (&client->messages, g_free);
  g_free (client);
}

static void
say (Client *client, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  soup_websocket_connection_send_message (
      client->connection, SOUP_WEBSOCKET_DATA_TEXT, bytes);
}

static char *
hear (Client *client)
{
  while (client->messages.length == 0) {
    g_assert_false (client->closed);
    g_main_context_iteration (client->fixture->context, TRUE);
  }

  return g_queue_pop_head (&client->messages);
}

static void
assert_hears (Client *client, const char *expected)
{
  g_autofree char *text = hear (client);

  g_assert_cmpstr (text, ==, expected);
}

/* Everything sent before has been handled when this is answered. */
static void
assert_hears_nothing_more (Client *client)
{
  say (client, "{\"action\":\"scrape\",\"info_hash\":[]}");
  assert_hears (client,
      "{\"action\":\"scrape\",\"files\":{},"
      "\"flags\":{\"min_request_interval\":77}}");
}

static void
say_announce (
    Client *client, const char *hash, const char *peer_id, const char *more)
{
  g_autofree char *text =
      g_strdup_printf ("{\"action\":\"announce\",\"info_hash\":\"%s\","
                       "\"peer_id\":\"%s\"%s}",
          hash, peer_id, more);

  say (client, text);
}

static void
assert_counts (Client *client, guint incomplete)
{
  g_autofree char *expected =
      g_strdup_printf ("{\"action\":\"announce\",\"info_hash\":\"" HASH
                       "\",\"interval\":77,\"complete\":0,\"incomplete\":%u}",
          incomplete);

  assert_hears (client, expected);
}

static void
test_introduction (Fixture *fixture, gconstpointer data)
{
  Client *a = connect_client (fixture), *b = connect_client (fixture);
  Client *c = connect_client (fixture);

  say_announce (a, HASH, PEER_A,
      ",\"event\":\"started\",\"offers\":[{\"offer\":{\"type\":\"offer\","
      "\"sdp\":\"alone\"},\"offer_id\":\"o1\"}]");
  assert_counts (a, 1);
  say_announce (c, OTHER_HASH, PEER_C, "");
  g_free (hear (c));
  say_announce (b, HASH, PEER_B,
      ",\"event\":\"started\",\"offers\":[{\"offer\":{\"type\":\"offer\","
      "\"sdp\":\"s\\r\\n\"},\"offer_id\":\"\\u0000x\"},{\"offer\":{},"
      "\"offer_id\":\"surplus\"}]");
  assert_counts (b, 2);
  assert_hears (a,
      "{\"action\":\"announce\",\"offer\":{\"type\":\"offer\",\"sdp\":\"s\\r\\n"
      "\"},\"offer_id\":\"\\u0000x\",\"peer_id\":\"" PEER_B
      "\",\"info_hash\":\"" HASH "\"}");
  say_announce (a, HASH, PEER_A,
      ",\"answer\":{\"type\":\"answer\",\"sdp\":\"t\"},\"offer_id\":\"\\u0000x"
      "\",\"to_peer_id\":\"" PEER_B "\"");
  assert_hears (b,
      "{\"action\":\"announce\",\"answer\":{\"type\":\"answer\",\"sdp\":\"t\"},"
      "\"offer_id\":\"\\u0000x\",\"peer_id\":\"" PEER_A
      "\",\"info_hash\":\"" HASH "\"}");
  /* No reply to an answer, nothing to other swarms. */
  assert_hears_nothing_more (a);
  assert_hears_nothing_more (b);
  assert_hears_nothing_more (c);

  say_announce (b, HASH, PEER_B, ",\"event\":\"stopped\"");
  assert_counts (b, 1);
  disconnect_client (a);
  disconnect_client (b);
  disconnect_client (c);
}

/* Nobody speaks for another; a lost socket takes its peers along. */
static void
test_ownership (Fixture *fixture, gconstpointer data)
{
  Client *a = connect_client (fixture), *b = connect_client (fixture);
  Client *again;
  P2pTrackerServerStats stats;

  say_announce (a, HASH, PEER_A, "");
  assert_counts (a, 1);
  say_announce (a, OTHER_HASH, PEER_A, "");
  g_free (hear (a));
  say_announce (b, HASH, PEER_A, ",\"event\":\"stopped\"");
  assert_counts (b, 1);
  say_announce (b, HASH, PEER_B,
      ",\"answer\":{},\"offer_id\":\"x\",\"to_peer_id\":\"" PEER_A "\"");
  assert_hears_nothing_more (b);
  assert_hears_nothing_more (a);

  /* Back on another socket, before the first is seen to be gone. */
  again = connect_client (fixture);
  say_announce (again, HASH, PEER_A, "");
  assert_counts (again, 1);
  disconnect_client (a);
  say_announce (
      b, HASH, PEER_B, ",\"offers\":[{\"offer\":{},\"offer_id\":\"x\"}]");
  assert_counts (b, 2);
  g_free (hear (again));
  p2p_tracker_server_get_stats (fixture->server, &stats);
  g_assert_cmpuint (stats.swarms, ==, 1);
  g_assert_cmpuint (stats.peers, ==, 2);
  disconnect_client (again);
  disconnect_client (b);
  while (stats.peers > 0) {
    g_main_context_iteration (fixture->context, FALSE);
    p2p_tracker_server_get_stats (fixture->server, &stats);
  }
  g_assert_cmpuint (stats.swarms, ==, 0);
}

static void
test_scrape (Fixture *fixture, gconstpointer data)
{
  Client *a = connect_client (fixture);

  say_announce (a, HASH, PEER_A, ",\"left\":0");
  g_free (hear (a));
  say (a, "{\"action\":\"scrape\",\"info_hash\":\"" HASH "\"}");
  assert_hears (a,
      "{\"action\":\"scrape\",\"files\":{\"" HASH
      "\":{\"complete\":1,\"incomplete\":0,\"downloaded\":1}},"
      "\"flags\":{\"min_request_interval\":77}}");
  say (a,
      "{\"action\":\"scrape\",\"info_hash\":[\"" HASH "\",\"" OTHER_HASH
      "\"]}");
  assert_hears (a,
      "{\"action\":\"scrape\",\"files\":{\"" HASH
      "\":{\"complete\":1,\"incomplete\":0,\"downloaded\":1},\"" OTHER_HASH
      "\":{\"complete\":0,\"incomplete\":0,\"downloaded\":0}},"
      "\"flags\":{\"min_request_interval\":77}}");
  say (a, "{\"action\":\"scrape\"}");
  g_free (hear (a));
  say (a, "{\"action\":\"scrape\",\"info_hash\":7}");
  assert_hears (
      a, "{\"action\":\"announce\",\"failure reason\":\"invalid info_hash\"}");
  disconnect_client (a);
}

/* What one socket does costs that socket. */
static void
test_hostile (Fixture *fixture, gconstpointer data)
{
  Client *good = connect_client (fixture), *bad = connect_client (fixture);
  Client *fast = connect_client (fixture), *big = connect_client (fixture);
  g_autofree char *huge = g_strnfill (P2P_TRACKER_MESSAGE_MAX_BYTES + 1, ' ');
  g_autoptr (GBytes) binary = g_bytes_new_static ("\0\xff", 2);
  guint i;

  say_announce (good, HASH, PEER_A, "");
  assert_counts (good, 1);

  soup_websocket_connection_send_message (
      bad->connection, SOUP_WEBSOCKET_DATA_BINARY, binary);
  assert_hears (bad,
      "{\"action\":\"announce\",\"failure reason\":\"not a JSON object\"}");
  for (i = 0; i < P2P_TRACKER_SERVER_REFUSALS_MAX; i++)
    say (bad, "{}");
  while (!bad->closed)
    g_main_context_iteration (fixture->context, TRUE);

  say (big, huge);
  while (!big->closed)
    g_main_context_iteration (fixture->context, TRUE);

  for (i = 0; i < P2P_TRACKER_SERVER_BURST * 2; i++)
    say (fast, "{\"action\":\"scrape\",\"info_hash\":[]}");
  while (!fast->closed)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (fast->connection),
      ==, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION);

  say_announce (good, HASH, PEER_A, "");
  assert_counts (good, 1);
  disconnect_client (good);
  disconnect_client (bad);
  disconnect_client (fast);
  disconnect_client (big);
}

static void
test_peers_per_socket (Fixture *fixture, gconstpointer data)
{
  Client *a = connect_client (fixture);
  g_autofree char *text = NULL;
  guint i;

  for (i = 0; i < P2P_TRACKER_SERVER_PEERS_PER_SOCKET; i++) {
    g_autofree char *hash = g_strdup_printf ("%020u", i);

    say_announce (a, hash, PEER_A, "");
    g_free (hear (a));
  }
  say_announce (a, HASH, PEER_A, "");
  assert_hears (a,
      "{\"action\":\"announce\",\"info_hash\":\"" HASH
      "\",\"failure reason\":\"too many peers\"}");
  say_announce (a, "00000000000000000007", PEER_A, "");
  text = hear (a);
  g_assert_nonnull (strstr (text, "\"incomplete\":1"));
  disconnect_client (a);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/tracker/announce", test_announce);
  g_test_add_func ("/tools/tracker/binary-ids", test_binary_ids);
  g_test_add_func ("/tools/tracker/bad-requests", test_bad_requests);
  g_test_add_func ("/tools/tracker/spoilt-requests", test_spoilt_requests);
  g_test_add_func ("/tools/tracker/choose", test_choose);
  g_test_add_func ("/tools/tracker/bounds", test_bounds);
  g_test_add ("/tools/tracker/introduction", Fixture, NULL, set_up,
      test_introduction, tear_down);
  g_test_add ("/tools/tracker/ownership", Fixture, NULL, set_up, test_ownership,
      tear_down);
  g_test_add (
      "/tools/tracker/scrape", Fixture, NULL, set_up, test_scrape, tear_down);
  g_test_add (
      "/tools/tracker/hostile", Fixture, NULL, set_up, test_hostile, tear_down);
  g_test_add ("/tools/tracker/peers-per-socket", Fixture, NULL, set_up,
      test_peers_per_socket, tear_down);

  return g_test_run ();
}

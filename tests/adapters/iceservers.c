/* p2phlssrc: ICE servers as users write them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "webrtc/iceservers.h"

#include "base/error.h"
#include "base/limits.h"

static void
check (const char *uri, P2pIceServerKind kind, const char *host, guint16 port,
    const char *user, const char *password)
{
  P2pIceServer server;
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (p2p_ice_server_parse (uri, &server, &name, &error));
  g_assert_no_error (error);
  g_assert_cmpint (server.kind, ==, kind);
  g_assert_cmpstr (name, ==, host);
  g_assert_cmpuint (server.port, ==, port);
  g_assert_cmpstr (server.user, ==, user);
  g_assert_cmpstr (server.password, ==, password);
  g_free (server.user);
  g_free (server.password);
}

static void
test_taken (void)
{
  check ("stun://stun.example:19302", P2P_ICE_SERVER_STUN, "stun.example",
      19302, NULL, NULL);
  check (
      "stun://192.0.2.1", P2P_ICE_SERVER_STUN, "192.0.2.1", 3478, NULL, NULL);
  check ("stun://[2001:db8::1]:99", P2P_ICE_SERVER_STUN, "2001:db8::1", 99,
      NULL, NULL);
  check ("turn://u:p@turn.example:3479", P2P_ICE_SERVER_TURN_UDP,
      "turn.example", 3479, "u", "p");
  check ("turn://u:p%40ss@turn.example?transport=tcp", P2P_ICE_SERVER_TURN_TCP,
      "turn.example", 3478, "u", "p@ss");
  check ("turns://u:p@turn.example", P2P_ICE_SERVER_TURN_TLS, "turn.example",
      5349, "u", "p");
}

static void
test_refused (void)
{
  static const char *const uris[] = { "", "stun.example", "http://a:1",
    "stun://", "turn://turn.example", "turn://u@turn.example",
    "stun://a:99999" };

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    P2pIceServer server;
    g_autofree char *name = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_false (p2p_ice_server_parse (uris[i], &server, &name, &error));
    g_assert_nonnull (error);
    g_assert_null (name);
  }
}

static void
on_ready (gpointer user_data)
{
  ++*(guint *) user_data;
}

static void
test_bound (void)
{
  guint n_ready = 0, n;
  P2pIceServers *servers = p2p_ice_servers_new (
      g_main_context_get_thread_default (), on_ready, &n_ready);
  const char *uris[P2P_ICE_SERVERS_MAX + 5] = { NULL };

  for (guint i = 0; i < P2P_ICE_SERVERS_MAX + 4; i++)
    uris[i] = i == 1 ? "rubbish" : "stun://192.0.2.1";
  g_assert_true (p2p_ice_servers_are_ready (servers));
  p2p_ice_servers_set (servers, uris);
  g_assert_cmpuint (n_ready, ==, 1);
  p2p_ice_servers_get (servers, &n);
  g_assert_cmpuint (n, ==, P2P_ICE_SERVERS_MAX);
  p2p_ice_servers_set (servers, NULL);
  p2p_ice_servers_get (servers, &n);
  g_assert_cmpuint (n, ==, 0);
  p2p_ice_servers_free (servers);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/iceservers/taken", test_taken);
  g_test_add_func ("/iceservers/refused", test_refused);
  g_test_add_func ("/iceservers/bound", test_bound);

  return g_test_run ();
}

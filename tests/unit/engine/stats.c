/* p2phlssrc: tests of the counters that users see.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-PM0500-alice0000000"

static void
test_empty (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autoptr (P2pStats) stats = fake_stats (fake);

  g_assert_cmpuint (stats->http_bytes, ==, 0);
  g_assert_cmpuint (stats->trackers->len, ==, 0);
  g_assert_cmpuint (stats->swarms->len, ==, 0);
  g_assert_cmpuint (stats->peer_list->len, ==, 0);
}

static void
test_rows (void)
{
  g_autoptr (FakePorts) fake = fake_ports_playing (NULL);
  P2pCommand asked;
  FakeConn *conn = fake_connect_holder (fake, ALICE, &asked);
  g_autoptr (P2pStats) stats = NULL;
  P2pTrackerStats *tracker;
  P2pSwarmStats *swarm;
  P2pPeerStats *peer;
  P2pInfoHash hash;

  fake_conn_serve (fake, conn, &asked);
  fake_conn_request (fake, conn, 1, 1, 50000);
  fake_info_hash (fake_socket (fake, FAKE_TRACKER), &hash);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->peers, ==, 1);
  g_assert_cmpuint (stats->peers_known, ==, 1);
  g_assert_cmpuint (stats->p2p_bytes, ==, SIZE);
  g_assert_cmpuint (stats->upload_bytes, ==, SIZE - 50000);
  g_assert_cmpuint (stats->upload_segments, ==, 1);
  g_assert_cmpuint (stats->segments_stored, ==, 5);
  g_assert_cmpuint (stats->stored_bytes, ==, 5 * SIZE);

  g_assert_cmpuint (stats->trackers->len, ==, 1);
  tracker = &g_array_index (stats->trackers, P2pTrackerStats, 0);
  g_assert_cmpstr (tracker->url, ==, FAKE_TRACKER);
  g_assert_cmpstr (tracker->state, ==, "connected");
  g_assert_null (tracker->error);

  g_assert_cmpuint (stats->swarms->len, ==, 1);
  swarm = &g_array_index (stats->swarms, P2pSwarmStats, 0);
  g_assert_cmpstr (swarm->info_hash, ==, hash.text);
  g_assert_cmpint (swarm->protocol, ==, P2P_PROTOCOL_V3);
  g_assert_cmpstr (swarm->stream, ==, FAKE_PLAYLIST);
  g_assert_cmpuint (swarm->peers, ==, 1);

  g_assert_cmpuint (stats->peer_list->len, ==, 1);
  peer = &g_array_index (stats->peer_list, P2pPeerStats, 0);
  g_assert_cmpstr (peer->id, ==, ALICE);
  g_assert_cmpuint (peer->down_bytes, ==, SIZE);
  g_assert_cmpuint (peer->up_bytes, ==, SIZE - 50000);
  g_assert_cmpint (peer->rtt_us, ==, 1000);
  g_assert_cmpstr (peer->address, !=, "");
}

/* A query may hold a credential: it is shown to nobody. */
static void
test_no_queries (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autofree char *playlist = fake_playlist (0, 5, FALSE);
  g_autoptr (P2pStats) stats = NULL;

  g_hash_table_insert (fake->origin, g_strdup (FAKE_PLAYLIST "?token=secret"),
      g_bytes_new (playlist, strlen (playlist)));
  fake_request (fake, FAKE_PLAYLIST "?token=secret");
  fake_http_answer_all (fake);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->swarms->len, ==, 1);
  g_assert_cmpstr (g_array_index (stats->swarms, P2pSwarmStats, 0).stream, ==,
      FAKE_PLAYLIST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/stats/empty", test_empty);
  g_test_add_func ("/engine/stats/rows", test_rows);
  g_test_add_func ("/engine/stats/no-queries", test_no_queries);

  return g_test_run ();
}

/* p2phlssrc: tests of the choice of source.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/fetch.h"

#define S G_USEC_PER_SEC
#define MB (1000 * 1000)

/* A player in good health: 2 s segments of 1 MB, 6 s ahead, 40 Mbit/s from
 * the origin, asked for at 100 s, four peers of whom one comes before us. */
static P2pFetchView
healthy (void)
{
  return (P2pFetchView){
    .now_us = 100 * S,
    .asked_us = 100 * S,
    .duration_us = 2 * S,
    .ahead_us = 6 * S,
    .urgent_us = S,
    .size = MB,
    .http_bps = 40 * MB,
    .peers = 4,
    .claim_us = P2P_FETCH_CLAIM_LEAST_US,
    .rank = 1,
  };
}

static void
test_alone_goes_to_http (void)
{
  P2pFetchView view = healthy ();

  view.peers = view.rank = 0;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  view.ahead_us = 0;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
}

static void
test_expected_peers_are_waited_for (void)
{
  P2pFetchView view = healthy ();
  P2pFetchVerdict verdict;

  view.peers = view.rank = 0;
  view.expect_until_us = view.now_us + P2P_FETCH_EXPECT_US;
  verdict = p2p_fetch_required (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  g_assert_cmpint (verdict.until_us, >, view.now_us);
  g_assert_cmpint (verdict.until_us, <=, view.expect_until_us);
  view.now_us = verdict.until_us;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);

  /* Nothing to wait on while the buffer is empty: the first segment. */
  view = healthy ();
  view.peers = view.rank = 0;
  view.expect_until_us = view.now_us + P2P_FETCH_EXPECT_US;
  view.ahead_us = 0;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
}

static void
test_holder (void)
{
  P2pFetchView view = healthy ();

  view.holder_free = TRUE;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_PEER);
  /* Urgent: only from a peer that is known to be quick. */
  view.ahead_us = 0;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  view.peer_bps = 40 * MB;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_PEER);
  view.peer_bps = MB;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
}

static void
test_owner_begins_at_once (void)
{
  P2pFetchView view = healthy ();

  view.rank = 0;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
}

static void
test_turns_are_as_long_as_claims_take (void)
{
  P2pFetchView near = healthy (), far = healthy ();

  far.claim_us = 3 * near.claim_us;
  g_assert_cmpint (p2p_fetch_required (&far).until_us - far.asked_us, ==,
      3 * (p2p_fetch_required (&near).until_us - near.asked_us));
}

/* The later the rank the later the turn, and nobody waits for longer than a
 * quarter of the segment. */
static void
test_ranks_take_turns (void)
{
  gint64 before_us = 0;

  for (guint rank = 1; rank < 100; rank++) {
    P2pFetchView view = healthy ();
    P2pFetchVerdict verdict;

    view.rank = rank;
    verdict = p2p_fetch_required (&view);
    g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
    g_assert_cmpint (verdict.until_us, >=, before_us);
    g_assert_cmpint (
        verdict.until_us, <=, view.asked_us + view.duration_us / 4);
    before_us = verdict.until_us;
    view.now_us = verdict.until_us;
    g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  }
}

static void
test_claim_is_waited_for (void)
{
  P2pFetchView view = healthy ();
  P2pFetchVerdict verdict;

  view.loading = TRUE;
  view.rank = 0;
  verdict = p2p_fetch_required (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  /* Long enough for the claim to be worth something, and never so long that
   * the variant would be lost. */
  g_assert_cmpint (verdict.until_us, >, view.asked_us + view.duration_us / 4);
  g_assert_cmpint (verdict.until_us, <, view.asked_us + view.duration_us);
  view.now_us = verdict.until_us;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);

  /* The emptier the buffer the sooner. */
  view = healthy ();
  view.loading = TRUE;
  view.ahead_us = view.urgent_us + S / 2;
  verdict = p2p_fetch_required (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  g_assert_cmpint (verdict.until_us, <=, view.now_us + S / 2);
  view.ahead_us = view.urgent_us;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
}

/* Whatever the figures, a wait ends later than now. */
static void
test_waits_end (void)
{
  for (guint i = 0; i < 4096; i++) {
    P2pFetchView view = healthy ();
    P2pFetchVerdict verdict;

    view.now_us += (i & 7) * S / 10;
    view.ahead_us = ((i >> 3) & 7) * S / 2;
    view.peers = (i >> 6) & 1 ? 3 : 0;
    view.rank = view.peers == 0 ? 0 : (i >> 7) & 3;
    view.expect_until_us = (i >> 9) & 1 ? 100 * S + S / 2 : 0;
    view.loading = (i >> 10) & 1;
    view.size = (i >> 11) & 1 ? 0 : MB;
    verdict = p2p_fetch_required (&view);
    g_assert_cmpint (verdict.action, !=, P2P_FETCH_PEER);
    if (verdict.action == P2P_FETCH_WAIT)
      g_assert_cmpint (verdict.until_us, >, view.now_us);
    g_assert_nonnull (verdict.reason);
  }
}

/* --- takeover -------------------------------------------------------------- */

static P2pTransferView
transfer (void)
{
  return (P2pTransferView){
    .need = healthy (),
    .begun_us = 100 * S,
    .last_byte_us = 100 * S,
    .rest = P2P_SIZE_UNKNOWN,
  };
}

static void
test_silence (void)
{
  P2pTransferView view = transfer ();
  P2pFetchVerdict verdict = p2p_fetch_takeover (&view);
  gint64 patient_us;

  for (guint i = 0; verdict.action == P2P_FETCH_WAIT; i++) {
    g_assert_cmpuint (i, <, 100);
    g_assert_cmpint (verdict.until_us, >, view.need.now_us);
    view.need.now_us = verdict.until_us;
    verdict = p2p_fetch_takeover (&view);
  }
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_HTTP);
  patient_us = view.need.now_us;
  g_assert_cmpint (patient_us, <=, 102 * S);

  /* With little ahead there is less patience. */
  view = transfer ();
  view.need.ahead_us = view.need.urgent_us;
  view.need.now_us = 100 * S + S / 2;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
}

static void
test_quick_peer_goes_on (void)
{
  P2pTransferView view = transfer ();

  view.need.now_us = view.last_byte_us = 100 * S + S / 2;
  view.bytes = MB / 2;
  view.rest = MB / 2;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_WAIT);
}

/* At once: what it would still send is not worth a stall. */
static void
test_slow_peer_is_replaced (void)
{
  P2pTransferView view = transfer ();

  view.need.now_us = view.last_byte_us = 100 * S + S / 2;
  view.bytes = MB / 10;
  view.rest = MB - MB / 10;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
  /* An origin that is slower still does not help. */
  view.need.http_bps = MB;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_WAIT);
}

static void
test_derived_threshold (void)
{
  g_assert_cmpint (p2p_fetch_urgent_us (2 * S), ==, S);
  g_assert_cmpint (p2p_fetch_urgent_us (S / 10), ==, S / 2);
  g_assert_cmpint (p2p_fetch_urgent_us (60 * S), ==, 4 * S);
  g_assert_cmpint (p2p_fetch_urgent_us (0), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy/fetch/alone-goes-to-http", test_alone_goes_to_http);
  g_test_add_func ("/policy/fetch/expected-peers-are-waited-for",
      test_expected_peers_are_waited_for);
  g_test_add_func ("/policy/fetch/holder", test_holder);
  g_test_add_func (
      "/policy/fetch/owner-begins-at-once", test_owner_begins_at_once);
  g_test_add_func ("/policy/fetch/ranks-take-turns", test_ranks_take_turns);
  g_test_add_func ("/policy/fetch/turns-are-as-long-as-claims-take",
      test_turns_are_as_long_as_claims_take);
  g_test_add_func (
      "/policy/fetch/claim-is-waited-for", test_claim_is_waited_for);
  g_test_add_func ("/policy/fetch/waits-end", test_waits_end);
  g_test_add_func ("/policy/fetch/silence", test_silence);
  g_test_add_func ("/policy/fetch/quick-peer-goes-on", test_quick_peer_goes_on);
  g_test_add_func (
      "/policy/fetch/slow-peer-is-replaced", test_slow_peer_is_replaced);
  g_test_add_func ("/policy/fetch/derived-threshold", test_derived_threshold);

  return g_test_run ();
}

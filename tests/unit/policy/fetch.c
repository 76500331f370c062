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
    .seen_us = 100 * S,
    .duration_us = 2 * S,
    .ahead_us = 6 * S,
    .urgent_us = S,
    .has_variants = TRUE,
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

  /* Late: the same. */
  view = healthy ();
  view.holder_free = TRUE;
  view.now_us += 3 * S / 2;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  view.peer_bps = 40 * MB;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_PEER);
}

/* Who is left at once is asked for nothing but to fill the line. */
static void
test_holder_needs_time_to_begin (void)
{
  P2pFetchView view = healthy ();
  gint64 last_us;

  view.holder_free = TRUE;
  while (p2p_fetch_required (&view).action == P2P_FETCH_PEER)
    view.now_us += S / 1000;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  /* Somebody who had been asked would be left then. */
  last_us = view.now_us;
  while (p2p_fetch_takeover (&(P2pTransferView){ .need = view,
                                 .begun_us = view.now_us,
                                 .last_byte_us = view.now_us,
                                 .rest = MB })
             .action
      == P2P_FETCH_WAIT)
    view.now_us += S / 1000;
  g_assert_cmpint (view.now_us, >=, last_us + S / 5);
}

/* Of short segments, that must not be all the time there is. */
static void
test_holder_of_short_segments (void)
{
  P2pFetchView view = healthy ();

  view.duration_us = S / 2;
  view.http_bps = 0;
  view.holder_free = TRUE;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_PEER);
}

/* Our own line may be full: the next would be silent, too. */
static void
test_quick_peers_one_after_the_other (void)
{
  P2pFetchView view = healthy ();

  view.holder_free = TRUE;
  view.ahead_us = 0;
  view.peer_bps = 40 * MB;
  view.silent = 1;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  /* There is time: somebody else may be nearer, but must begin in that time. */
  view = healthy ();
  view.holder_free = TRUE;
  view.peer_bps = 40 * MB;
  view.silent = 1;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_PEER);
  view.now_us = view.asked_us + 13 * S / 10;
  g_assert_cmpint (p2p_fetch_takeover (&(P2pTransferView){ .need = view,
                                           .begun_us = view.now_us - S / 10,
                                           .last_byte_us = view.now_us - S / 10,
                                           .rest = MB })
                       .action,
      ==, P2P_FETCH_HTTP);
}

/* There is no variant to lose, but the buffer is believed only so far. */
static void
test_alone_may_take_longer (void)
{
  P2pFetchView view = healthy ();
  P2pTransferView transfer;

  view.has_variants = FALSE;
  view.holder_free = TRUE;
  view.now_us += 3 * S / 2;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_PEER);
  transfer = (P2pTransferView){ .need = view,
    .begun_us = view.now_us,
    .first_byte_us = view.now_us,
    .last_byte_us = view.now_us,
    .bytes = MB / 100,
    .rest = MB };
  g_assert_cmpint (p2p_fetch_takeover (&transfer).action, ==, P2P_FETCH_WAIT);
  view.now_us = view.asked_us + 3 * S;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);

  view = healthy ();
  view.has_variants = FALSE;
  view.ahead_us = S;
  view.holder_free = TRUE;
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

/* Long enough for word of a claim to come and of a better one to return, where
 * nobody is very far away. */
static void
test_claims_are_open (void)
{
  P2pFetchView view = { .now_us = 5 * G_USEC_PER_SEC };
  gint64 open_us;

  for (view.claim_us = P2P_FETCH_CLAIM_LEAST_US;
       view.claim_us <= P2P_FETCH_CLAIM_MOST_US; view.claim_us *= 2) {
    open_us = p2p_fetch_claim_until_us (&view) - view.now_us;
    g_assert_cmpint (open_us, >=, MIN (view.claim_us, 200 * 1000));
    g_assert_cmpint (open_us, <, 2 * view.claim_us);
    g_assert_cmpint (open_us, <=, 200 * 1000);
  }
}

/* Turns count from when the segment was listed, not from when the player comes
 * to it. */
static void
test_turns_begin_with_the_listing (void)
{
  P2pFetchView view = healthy ();

  view.seen_us -= S;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  view.loading = TRUE;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_WAIT);
}

/* Twice as many viewers out of sight are one more group to wait for; not even a
 * million keep us for longer than half a segment. */
static void
test_hidden_viewers (void)
{
  P2pFetchView view = healthy ();
  gint64 before_us, first_us;

  view.rank = 0;
  g_assert_cmpint (p2p_fetch_turn_us (&view), ==, view.seen_us);
  view.hidden = 1;
  before_us = p2p_fetch_turn_us (&view);
  first_us = before_us - view.seen_us;
  g_assert_cmpint (first_us, >=, view.claim_us);
  for (view.hidden = 3; view.hidden < 64; view.hidden = 2 * view.hidden + 1) {
    gint64 turn_us = p2p_fetch_turn_us (&view);

    g_assert_cmpint (turn_us, ==, MIN (before_us + first_us, view.seen_us + S));
    before_us = turn_us;
  }
  /* Not all at once, not even beyond half of the segment. */
  view.rank = 50;
  for (view.hidden = 1000; view.hidden < 64000; view.hidden *= 2) {
    gint64 turn_us = p2p_fetch_turn_us (&view);

    g_assert_cmpint (turn_us, >, before_us);
    g_assert_cmpint (turn_us, >, view.seen_us + view.duration_us / 2);
    before_us = turn_us;
  }
  view.hidden = G_MAXDOUBLE;
  g_assert_cmpint (
      p2p_fetch_turn_us (&view), <=, view.seen_us + view.duration_us * 3 / 4);
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

/* Of a tree of relays that has stopped, one goes on after the other. */
static void
test_stopped_trees_go_on (void)
{
  P2pFetchView view = healthy ();
  P2pFetchVerdict verdict;
  gint64 first_us;

  view.loading = TRUE;
  view.rank = 0;
  view.stuck_us = view.now_us;
  verdict = p2p_fetch_required (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  view.now_us = first_us = verdict.until_us;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  view.holder_free = TRUE;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  g_assert_cmpint (first_us, <=, view.stuck_us + S);

  /* The next ones hear that somebody does before it is their turn. */
  for (guint rank = 1; rank < 4; rank++) {
    view.holder_free = FALSE;
    view.rank = rank;
    view.now_us = first_us + rank * view.claim_us - 1;
    g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_WAIT);
    view.now_us++;
    g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_HTTP);
  }

  /* What has not begun has not stopped. */
  view.stuck_us = 0;
  g_assert_cmpint (p2p_fetch_required (&view).action, ==, P2P_FETCH_WAIT);
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
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_LEAVE);
  patient_us = view.need.now_us - view.last_byte_us;
  g_assert_cmpint (patient_us, <=, S);

  /* With little ahead there is less patience. */
  view = transfer ();
  view.need.ahead_us = view.need.urgent_us;
  view.need.now_us = view.last_byte_us + patient_us / 2;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_LEAVE);

  /* Silent is who has stopped as well. */
  view = transfer ();
  view.bytes = view.rest = MB / 2;
  view.first_byte_us = 100 * S;
  view.need.now_us = view.last_byte_us + patient_us;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_LEAVE);
}

/* Whether its sender has been left by then or not. */
static void
test_stopped_peer_is_replaced (void)
{
  P2pTransferView view = transfer ();
  P2pFetchVerdict verdict;

  view.need.ahead_us = 20 * S;
  view.need.rank = 0;
  view.bytes = view.rest = MB / 2;
  view.first_byte_us = 100 * S;
  verdict = p2p_fetch_takeover (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  view.need.stuck_us = view.need.now_us;
  g_assert_cmpint (p2p_fetch_takeover (&view).until_us, <, verdict.until_us);
  view.need.now_us = p2p_fetch_takeover (&view).until_us;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
  view.need.stuck_us = view.need.now_us;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_WAIT);
}

static void
test_quick_peer_goes_on (void)
{
  P2pTransferView view = transfer ();

  view.first_byte_us = 100 * S;
  view.need.now_us = view.last_byte_us = 100 * S + S / 2;
  view.bytes = MB / 2;
  view.rest = MB / 2;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_WAIT);

  /* And when it is late, as long as it will be in time. */
  view.need.now_us = view.last_byte_us = 101 * S + S / 5;
  view.first_byte_us = 100 * S + 9 * S / 10;
  view.bytes = MB - MB / 10;
  view.rest = MB / 10;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_WAIT);
}

/* Every byte of it is one less of the origin's, up to the last moment at which
 * that could still be in time. */
static void
test_slow_peer_is_replaced (void)
{
  P2pTransferView view = transfer ();
  P2pFetchVerdict verdict;

  view.first_byte_us = 100 * S;
  view.need.now_us = view.last_byte_us = 100 * S + S / 2;
  view.bytes = MB / 10;
  view.rest = MB - MB / 10;
  verdict = p2p_fetch_takeover (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  g_assert_cmpint (verdict.until_us, <, 101 * S + 2 * S / 5);
  view.need.now_us = view.last_byte_us = verdict.until_us;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
  /* An origin that is slower still does not help. */
  view.need.http_bps = MB / 2;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_WAIT);

  /* The emptier the buffer the sooner. */
  view = transfer ();
  view.first_byte_us = view.last_byte_us = 100 * S;
  view.need.now_us = 100 * S + S / 10;
  view.need.ahead_us = view.need.urgent_us + S / 10;
  view.bytes = MB / 100;
  view.rest = MB - MB / 100;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
}

/* As soon as the first takes more than a part of the time there is, and nobody
 * helps it yet. */
static void
test_second_peer (void)
{
  P2pTransferView view = transfer ();
  gint64 look_us;

  /* How long it is, is not known. */
  g_assert_cmpint (p2p_fetch_second_us (&view), ==, P2P_NEVER);
  /* It has sent nothing: what is known of it counts. */
  view.rest = MB;
  view.need.peer_bps = 8 * MB;
  g_assert_cmpint (p2p_fetch_second_us (&view), <=, view.need.now_us);
  view.need.peer_bps = 80 * MB;
  g_assert_cmpint (p2p_fetch_second_us (&view), >, view.need.now_us);
  /* Then what it does. */
  view.first_byte_us = 100 * S;
  view.need.now_us = view.last_byte_us = 100 * S + S / 10;
  view.bytes = MB / 2;
  view.rest = MB / 2;
  look_us = p2p_fetch_second_us (&view);
  g_assert_cmpint (look_us, >, view.need.now_us);
  g_assert_cmpint (look_us, <, view.need.now_us + view.need.duration_us);
  view.bytes = MB / 10;
  view.rest = MB - MB / 10;
  g_assert_cmpint (p2p_fetch_second_us (&view), <=, view.need.now_us);
  /* There is one. */
  view.tail_us = S;
  g_assert_cmpint (p2p_fetch_second_us (&view), >, view.need.now_us);
  /* What is left is hardly a message. */
  view.tail_us = 0;
  view.rest = MB / 100;
  g_assert_cmpint (p2p_fetch_second_us (&view), ==, P2P_NEVER);
}

/* It is left when it is later than everything from the origin would be. */
static void
test_late_second (void)
{
  P2pTransferView view = transfer ();

  view.first_byte_us = 100 * S;
  view.need.now_us = view.last_byte_us = 101 * S;
  view.bytes = MB / 2;
  view.rest = view.tail_rest = MB / 4;
  view.tail_us = S / 3;
  g_assert_false (p2p_fetch_second_is_late (&view));
  view.tail_us = S / 2;
  g_assert_true (p2p_fetch_second_is_late (&view));
  /* The origin is no quicker. */
  view.need.http_bps = 8 * MB;
  g_assert_false (p2p_fetch_second_is_late (&view));
}

/* On a line that is full, it would take from the first what it gives. */
static void
test_second_on_a_full_line (void)
{
  P2pTransferView view = transfer ();

  view.first_byte_us = 100 * S;
  view.need.now_us = view.last_byte_us = 100 * S + S / 10;
  view.bytes = view.arrived = MB / 10;
  view.rest = MB - MB / 10;
  g_assert_cmpint (p2p_fetch_second_us (&view), <=, view.need.now_us);
  view.line_bps = 10 * MB;
  g_assert_cmpint (p2p_fetch_second_us (&view), >, view.need.now_us);
  view.line_bps = 20 * MB;
  g_assert_cmpint (p2p_fetch_second_us (&view), <=, view.need.now_us);
}

/* Both must be in time. */
static void
test_slow_second_is_no_help (void)
{
  P2pTransferView view = transfer ();

  view.first_byte_us = 100 * S;
  view.need.http_bps = 4 * MB;
  view.need.now_us = view.last_byte_us = 101 * S + 19 * S / 50;
  view.bytes = MB - MB / 100;
  view.rest = MB / 100;
  view.tail_us = 1000;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_WAIT);
  view.tail_us = 2 * S;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
}

/* --- races ----------------------------------------------------------------- */

/* The origin was asked for 1 MB a second ago, that is half of what it plays, and
 * has sent so much. */
static P2pTransferView
origin_has_sent (guint64 bytes)
{
  P2pTransferView view = transfer ();

  view.first_byte_us = view.begun_us;
  view.need.now_us = view.last_byte_us = view.begun_us + S;
  view.bytes = view.arrived = bytes;
  view.rest = MB - bytes;

  return view;
}

static void
test_slow_origin_is_raced (void)
{
  P2pTransferView view = origin_has_sent (MB / 4);

  g_assert_cmpint (p2p_fetch_race_us (&view), <=, view.need.now_us);
  /* As fast as it plays. */
  view = origin_has_sent (MB / 2);
  g_assert_cmpint (p2p_fetch_race_us (&view), >, view.need.now_us);
  /* It has not shown anything yet. */
  view = origin_has_sent (MB / 100);
  view.begun_us = view.need.now_us;
  g_assert_cmpint (p2p_fetch_race_us (&view), >, view.need.now_us);
  g_assert_cmpint (
      p2p_fetch_race_us (&view), <, view.need.now_us + view.need.duration_us);
  view.was_slow = TRUE;
  g_assert_cmpint (p2p_fetch_race_us (&view), <=, view.need.now_us);
  /* Nearly all is here; nobody knows how much is not. */
  view = origin_has_sent (MB / 4);
  view.rest = MB / 100;
  g_assert_cmpint (p2p_fetch_race_us (&view), ==, P2P_NEVER);
  view.rest = P2P_SIZE_UNKNOWN;
  g_assert_cmpint (p2p_fetch_race_us (&view), >, view.need.now_us);
}

/* It is the line, of which others have a part, or which never gave more. */
static void
test_thin_line_is_no_slow_origin (void)
{
  P2pTransferView view = origin_has_sent (MB / 4);

  view.arrived = 3 * MB / 4;
  view.line_bps = 20 * MB;
  g_assert_cmpint (p2p_fetch_race_us (&view), >, view.need.now_us);
  /* There is room for both. */
  view.line_bps = 0;
  g_assert_cmpint (p2p_fetch_race_us (&view), <=, view.need.now_us);
  view.arrived = MB / 4;
  view.line_bps = 2 * MB;
  g_assert_cmpint (p2p_fetch_race_us (&view), >, view.need.now_us);
  view.line_bps = 4 * MB;
  g_assert_cmpint (p2p_fetch_race_us (&view), <=, view.need.now_us);
}

static void
test_silent_origin_is_raced (void)
{
  P2pTransferView view = origin_has_sent (0);

  view.rest = P2P_SIZE_UNKNOWN;
  g_assert_cmpint (p2p_fetch_race_us (&view), <=, view.need.now_us);
  /* What fills the line may be in its way. */
  view.arrived = MB / 4;
  g_assert_cmpint (p2p_fetch_race_us (&view), <=, view.need.now_us);
  view.line_bps = 2 * MB;
  g_assert_cmpint (p2p_fetch_race_us (&view), >, view.need.now_us);
}

static void
test_race_is_won (void)
{
  P2pTransferView view = origin_has_sent (MB / 4);
  gint64 now_us = view.need.now_us;

  g_assert_true (p2p_fetch_race_is_won (&view, MB / 10, now_us));
  /* One byte shows nothing, nor does what came long ago. */
  g_assert_false (p2p_fetch_race_is_won (&view, 1, now_us));
  g_assert_false (p2p_fetch_race_is_won (&view, MB / 10, now_us - S));
  /* But all of it is all. */
  g_assert_true (p2p_fetch_race_is_won (&view, view.rest, now_us - S));
  /* The quicker the origin, the more. */
  g_assert_true (p2p_fetch_race_is_won (&view, MB / 20, now_us));
  view.bytes = 4 * MB;
  g_assert_false (p2p_fetch_race_is_won (&view, MB / 20, now_us));
}

/* It may be as quick as anybody, and has not answered yet. */
static void
test_race_against_a_round_trip (void)
{
  P2pTransferView view = origin_has_sent (0);
  gint64 now_us = view.need.now_us;

  view.was_slow = TRUE;
  g_assert_true (p2p_fetch_race_is_won (&view, MB / 10, now_us));
  view.begun_us = now_us - S / 10;
  g_assert_false (p2p_fetch_race_is_won (&view, MB / 10, now_us));
  g_assert_true (p2p_fetch_race_is_won (&view, view.rest, now_us));
}

/* Half of what plays it, or what it gave: 1 MB in 2 s are 4 Mbit/s. */
static void
test_raced_origin (void)
{
  P2pTransferView view = origin_has_sent (0);

  g_assert_cmpuint (p2p_fetch_raced_bps (&view, MB), ==, 2 * MB);
  view = origin_has_sent (3 * MB / 8);
  g_assert_cmpuint (p2p_fetch_raced_bps (&view, MB), ==, 3 * MB);
}

static void
test_race_is_lost (void)
{
  P2pTransferView view = origin_has_sent (MB / 4);
  gint64 now_us = view.need.now_us;

  /* The origin has three more seconds to go. */
  view.tail_us = 4 * S;
  g_assert_true (p2p_fetch_race_is_lost (&view, now_us - S));
  g_assert_false (p2p_fetch_race_is_lost (&view, now_us - S / 100));
  view.tail_us = 2 * S;
  g_assert_false (p2p_fetch_race_is_lost (&view, now_us - S));
  /* A silent one does not win. */
  view = origin_has_sent (0);
  view.tail_us = 40 * S;
  g_assert_false (p2p_fetch_race_is_lost (&view, now_us - S));
}

/* Twice what it takes alone must fit in before the buffer becomes urgent. */
static void
test_time_beside (void)
{
  P2pFetchView view = healthy ();

  g_assert_true (p2p_fetch_has_time_beside (&view));
  view.http_bps = 4 * MB;
  view.ahead_us = view.urgent_us + 4 * S;
  g_assert_true (p2p_fetch_has_time_beside (&view));
  view.ahead_us -= S / 10;
  g_assert_false (p2p_fetch_has_time_beside (&view));
}

/* Nobody is asked who would be left at once. */
static void
test_no_time_to_begin (void)
{
  for (gint64 ahead_us = 0; ahead_us < 6 * S; ahead_us += S / 20) {
    P2pFetchView view = healthy ();
    P2pTransferView asked = transfer ();

    view.holder_free = TRUE;
    view.http_bps = 5 * MB;
    view.ahead_us = ahead_us;
    view.has_variants = FALSE;
    if (p2p_fetch_required (&view).action != P2P_FETCH_PEER)
      continue;
    asked.need = view;
    asked.begun_us = asked.last_byte_us = view.now_us;
    g_assert_cmpint (p2p_fetch_takeover (&asked).action, ==, P2P_FETCH_WAIT);
  }
}

/* When the buffer is urgent already, it may send what it will have sent before
 * half of that is gone, and is looked at again before that. */
static void
test_peer_that_is_nearly_there_goes_on (void)
{
  P2pTransferView view = transfer ();
  P2pFetchVerdict verdict;

  view.need.has_variants = FALSE;
  view.need.now_us = view.last_byte_us = 101 * S;
  view.first_byte_us = 100 * S;
  view.need.ahead_us = view.need.urgent_us;
  view.bytes = MB - MB / 5;
  view.rest = MB / 5;
  verdict = p2p_fetch_takeover (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  g_assert_cmpint (verdict.until_us - view.need.now_us, <=, S / 10);
  view.bytes = view.rest = MB / 2;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);

  /* It stops. */
  view.bytes = MB - MB / 100;
  view.rest = MB / 100;
  while (verdict.action == P2P_FETCH_WAIT) {
    view.need.ahead_us -= verdict.until_us - view.need.now_us;
    view.need.now_us = verdict.until_us;
    view.last_byte_us = view.need.now_us;
    verdict = p2p_fetch_takeover (&view);
  }
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_HTTP);
  g_assert_cmpint (view.need.ahead_us, >=, view.need.urgent_us / 2);

  /* The demuxer's patience is no longer than it was. */
  view.need.ahead_us = view.need.urgent_us;
  view.need.has_variants = TRUE;
  view.need.asked_us = view.need.now_us - 2 * S;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
}

/* Who is asked because it is quick may begin, however late it is. */
static void
test_quick_peer_may_begin (void)
{
  P2pTransferView view = transfer ();
  P2pFetchVerdict verdict;

  view.need.ahead_us = 0;
  view.need.holder_free = TRUE;
  view.need.peer_bps = 40 * MB;
  g_assert_cmpint (p2p_fetch_required (&view.need).action, ==, P2P_FETCH_PEER);
  verdict = p2p_fetch_takeover (&view);
  g_assert_cmpint (verdict.action, ==, P2P_FETCH_WAIT);
  g_assert_cmpint (verdict.until_us, <=, view.need.now_us + S / 4);
  view.need.now_us = verdict.until_us;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_LEAVE);

  /* Who was not known to be has begun too late. */
  view = transfer ();
  view.need.ahead_us = 0;
  g_assert_cmpint (p2p_fetch_takeover (&view).action, ==, P2P_FETCH_HTTP);
}

/* Whatever the figures, a wait ends later than now. */
static void
test_takeovers_end (void)
{
  for (guint i = 0; i < 2048; i++) {
    P2pTransferView view = transfer ();
    P2pFetchVerdict verdict;

    view.need.now_us += (i & 7) * S / 5;
    view.need.ahead_us = ((i >> 3) & 7) * S / 2;
    view.last_byte_us += (i & 7) * S / (5 + ((i >> 6) & 1));
    view.bytes = ((i >> 7) & 1) * MB / 10;
    view.first_byte_us = view.bytes > 0 ? 100 * S : 0;
    view.rest = (i >> 8) & 1 ? P2P_SIZE_UNKNOWN : MB;
    view.need.peer_bps = (i >> 9) & 1 ? 40 * MB : 0;
    view.need.http_bps = (i >> 10) & 1 ? MB : 0;
    verdict = p2p_fetch_takeover (&view);
    g_assert_cmpint (verdict.action, !=, P2P_FETCH_PEER);
    if (verdict.action == P2P_FETCH_WAIT)
      g_assert_cmpint (verdict.until_us, >, view.need.now_us);
    g_assert_nonnull (verdict.reason);
  }
}

static void
test_derived_threshold (void)
{
  g_assert_cmpint (p2p_fetch_urgent_us (4 * S, 0), ==, S);
  g_assert_cmpint (p2p_fetch_urgent_us (4 * S, S / 5), ==, S + S / 5);
  g_assert_cmpint (p2p_fetch_urgent_us (4 * S, S), ==, 2 * S);
  g_assert_cmpint (p2p_fetch_urgent_us (4 * S, 3 * S), ==, 2 * S);
  g_assert_cmpint (p2p_fetch_urgent_us (S / 10, 0), ==, S / 2);
  g_assert_cmpint (p2p_fetch_urgent_us (S / 10, S), ==, S / 2);
  g_assert_cmpint (p2p_fetch_urgent_us (60 * S, 0), ==, 4 * S);
  g_assert_cmpint (p2p_fetch_urgent_us (0, 0), >, 0);
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
  g_test_add_func (
      "/policy/fetch/alone-may-take-longer", test_alone_may_take_longer);
  g_test_add_func ("/policy/fetch/ranks-take-turns", test_ranks_take_turns);
  g_test_add_func ("/policy/fetch/turns-are-as-long-as-claims-take",
      test_turns_are_as_long_as_claims_take);
  g_test_add_func ("/policy/fetch/claims-are-open", test_claims_are_open);
  g_test_add_func ("/policy/fetch/turns-begin-with-the-listing",
      test_turns_begin_with_the_listing);
  g_test_add_func ("/policy/fetch/hidden-viewers", test_hidden_viewers);
  g_test_add_func (
      "/policy/fetch/claim-is-waited-for", test_claim_is_waited_for);
  g_test_add_func (
      "/policy/fetch/stopped-trees-go-on", test_stopped_trees_go_on);
  g_test_add_func (
      "/policy/fetch/stopped-peer-is-replaced", test_stopped_peer_is_replaced);
  g_test_add_func ("/policy/fetch/waits-end", test_waits_end);
  g_test_add_func ("/policy/fetch/silence", test_silence);
  g_test_add_func ("/policy/fetch/holder-needs-time-to-begin",
      test_holder_needs_time_to_begin);
  g_test_add_func (
      "/policy/fetch/holder-of-short-segments", test_holder_of_short_segments);
  g_test_add_func ("/policy/fetch/quick-peers-one-after-the-other",
      test_quick_peers_one_after_the_other);
  g_test_add_func ("/policy/fetch/quick-peer-goes-on", test_quick_peer_goes_on);
  g_test_add_func (
      "/policy/fetch/slow-peer-is-replaced", test_slow_peer_is_replaced);
  g_test_add_func ("/policy/fetch/second-peer", test_second_peer);
  g_test_add_func ("/policy/fetch/late-second", test_late_second);
  g_test_add_func (
      "/policy/fetch/second-on-a-full-line", test_second_on_a_full_line);
  g_test_add_func (
      "/policy/fetch/slow-second-is-no-help", test_slow_second_is_no_help);
  g_test_add_func (
      "/policy/fetch/slow-origin-is-raced", test_slow_origin_is_raced);
  g_test_add_func ("/policy/fetch/thin-line-is-no-slow-origin",
      test_thin_line_is_no_slow_origin);
  g_test_add_func (
      "/policy/fetch/silent-origin-is-raced", test_silent_origin_is_raced);
  g_test_add_func ("/policy/fetch/race-is-won", test_race_is_won);
  g_test_add_func ("/policy/fetch/race-against-a-round-trip",
      test_race_against_a_round_trip);
  g_test_add_func ("/policy/fetch/raced-origin", test_raced_origin);
  g_test_add_func ("/policy/fetch/race-is-lost", test_race_is_lost);
  g_test_add_func ("/policy/fetch/time-beside", test_time_beside);
  g_test_add_func ("/policy/fetch/no-time-to-begin", test_no_time_to_begin);
  g_test_add_func ("/policy/fetch/peer-that-is-nearly-there-goes-on",
      test_peer_that_is_nearly_there_goes_on);
  g_test_add_func (
      "/policy/fetch/quick-peer-may-begin", test_quick_peer_may_begin);
  g_test_add_func ("/policy/fetch/takeovers-end", test_takeovers_end);
  g_test_add_func ("/policy/fetch/derived-threshold", test_derived_threshold);

  return g_test_run ();
}

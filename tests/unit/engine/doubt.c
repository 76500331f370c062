/* p2phlssrc: tests of word of a live segment that nobody gives.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/fakeports.h"

/* The segment that all is about. */
#define ID 106

#define LIAR "-GS0100-liar00000000"
#define N_OTHERS 3

/* Looks at all so often. */
#define LOOK_US (10 * 1000)

/* Half a second; and the latest turn that there is, with an open claim. */
#define UNCLAIMED_US (500 * 1000)
#define TURN_US (FAKE_SEGMENT_US / 4 + 300 * 1000)

typedef struct
{
  FakePorts *fake;
  FakeConn *liar;
  FakeConn *others[N_OTHERS]; /* the last is a browser */
} Viewers;

static void
viewers_init (Viewers *viewers, const char *liar)
{
  P2pEngineConfig config = fake_config ();
  gint64 loaded[] = { 103, 104, 105 };

  config.max_playlist_delay_us = 0;
  viewers->fake = fake_ports_playing_live (&config, ID - 1);
  fake_tracker_up (viewers->fake);
  viewers->liar = fake_connect (viewers->fake, liar);
  for (guint i = 0; i < N_OTHERS; i++) {
    g_autofree char *id = g_strdup_printf (
        "-%s-other%07u", i + 1 < N_OTHERS ? "GS0100" : "PM0500", i);

    viewers->others[i] = fake_connect (viewers->fake, id);
    fake_conn_announce (viewers->fake, viewers->others[i], loaded,
        G_N_ELEMENTS (loaded), NULL, 0);
  }
}

/* @liar says that it has the segment, before anybody can. */
static void
viewers_init_lied_to (Viewers *viewers, const char *liar)
{
  viewers_init (viewers, liar);
  fake_conn_has (viewers->fake, viewers->liar, ID);
  fake_list_next (viewers->fake);
}

static void
viewers_clear (Viewers *viewers)
{
  g_clear_pointer (&viewers->fake, fake_ports_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Viewers, viewers_clear)

/* Whoever is asked for it has no slot free. */
static void
refuse (Viewers *viewers, FakeConn *conn)
{
  P2pCommand asked;

  while (fake_conn_find (conn, P2P_COMMAND_REQUEST, &asked)) {
    P2pCommand absent = { .kind = P2P_COMMAND_ABSENT,
      .segment_id = asked.segment_id,
      .request_id = asked.request_id };

    fake_conn_command (viewers->fake, conn, &absent);
  }
}

/* Lets time pass, but no more than @us. Returns: whether it is fetched. */
static gboolean
wait_for_fetch (Viewers *viewers, gint64 us)
{
  gint64 until_us = viewers->fake->now_us + us;

  while (fake_http_segment (viewers->fake, ID) == NULL) {
    refuse (viewers, viewers->liar);
    for (guint i = 0; i < N_OTHERS; i++)
      refuse (viewers, viewers->others[i]);
    if (viewers->fake->now_us >= until_us)
      return FALSE;
    fake_advance (viewers->fake, LOOK_US);
  }

  return TRUE;
}

static void
claims (Viewers *viewers, FakeConn *conn)
{
  gint64 id = ID;

  fake_conn_announce (viewers->fake, conn, NULL, 0, &id, 1);
}

static void
test_is_not_waited_for (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init_lied_to (&viewers, LIAR);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  g_assert_true (wait_for_fetch (&viewers, TURN_US));
}

/* Nor a browser that does not answer. */
static void
test_browser_is_not_waited_for (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init_lied_to (&viewers, "-PM0500-liar00000000");
  fake_advance (viewers.fake, 2 * UNCLAIMED_US + TURN_US);
  g_assert_nonnull (fake_http_segment (viewers.fake, ID));
}

/* Of what somebody has gone to the origin for, a slow uplink may be full. */
static void
test_who_claimed_has_longer (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init (&viewers, LIAR);
  fake_list_next (viewers.fake);
  claims (&viewers, viewers.liar);
  fake_conn_has (viewers.fake, viewers.liar, ID);
  g_assert_false (wait_for_fetch (&viewers, FAKE_SEGMENT_US / 2 - LOOK_US));
  g_assert_true (wait_for_fetch (&viewers, TURN_US));
}

/* A size, and then not a byte: nobody is told that it comes, and it is not waited for
 * in vain. */
static void
test_hollow (void)
{
  g_auto (Viewers) viewers = { 0 };
  gint64 until_us;

  viewers_init_lied_to (&viewers, LIAR);
  until_us = viewers.fake->now_us + 2 * UNCLAIMED_US + TURN_US;
  while (fake_http_segment (viewers.fake, ID) == NULL) {
    P2pCommand command;

    g_assert_cmpint (viewers.fake->now_us, <, until_us);
    while (fake_conn_find (viewers.liar, P2P_COMMAND_REQUEST, &command))
      fake_conn_data (viewers.fake, viewers.liar, &command, FAKE_SEGMENT_BYTES);
    while (fake_conn_next (viewers.others[0], &command)) {
      g_assert_false (fake_ids_have (command.arriving, ID));
      p2p_command_clear (&command);
    }
    fake_advance (viewers.fake, LOOK_US);
  }
}

/* A claim after it makes it no better. */
static void
test_claim_comes_first (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init (&viewers, LIAR);
  fake_list_next (viewers.fake);
  fake_conn_has (viewers.fake, viewers.liar, ID);
  claims (&viewers, viewers.liar);
  fake_conn_has (viewers.fake, viewers.liar, ID);
  g_assert_true (wait_for_fetch (&viewers, UNCLAIMED_US + TURN_US));
}

/* One gives it to the next. */
static void
test_more_and_more_give_it (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init_lied_to (&viewers, LIAR);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  fake_conn_has (viewers.fake, viewers.others[0], ID);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  g_assert_true (wait_for_fetch (&viewers, TURN_US));
}

/* Who takes it back and says it again is not one more. */
static void
test_over_and_over (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init_lied_to (&viewers, LIAR);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  fake_conn_has (viewers.fake, viewers.liar, ID - 1);
  fake_conn_has (viewers.fake, viewers.liar, ID);
  g_assert_true (wait_for_fetch (&viewers, TURN_US));
}

/* When most have it, one of them will be free. */
static void
test_most_are_believed (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init (&viewers, LIAR);
  fake_list_next (viewers.fake);
  fake_conn_has (viewers.fake, viewers.liar, ID);
  fake_conn_has (viewers.fake, viewers.others[0], ID);
  fake_conn_has (viewers.fake, viewers.others[1], ID);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US + TURN_US));
}

/* Whoever says that it goes to the origin is believed. */
static void
test_rescuer_is_believed (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init_lied_to (&viewers, LIAR);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  claims (&viewers, viewers.others[0]);
  g_assert_false (wait_for_fetch (&viewers, TURN_US));
}

/* The one that nobody believes has it now; who has fetched it meanwhile does. */
static void
test_rescuer_gives (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init_lied_to (&viewers, LIAR);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  claims (&viewers, viewers.others[0]);
  g_assert_false (wait_for_fetch (&viewers, 10 * LOOK_US));
  fake_conn_has (viewers.fake, viewers.others[0], ID);
  g_assert_false (wait_for_fetch (&viewers, TURN_US));
}

/* Who says it and takes it back makes nobody doubt those who come later. */
static void
test_taken_back (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init (&viewers, LIAR);
  fake_conn_has (viewers.fake, viewers.liar, ID);
  fake_conn_has (viewers.fake, viewers.liar, ID - 1);
  fake_advance (viewers.fake, UNCLAIMED_US);
  fake_conn_has (viewers.fake, viewers.others[0], ID);
  fake_list_next (viewers.fake);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - 2 * LOOK_US));
}

/* Those who come one after the other do so twice as long at most. */
static void
test_one_after_the_other (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init (&viewers, LIAR);
  for (guint i = 0; i < 4; i++) {
    g_autofree char *id = g_strdup_printf ("-GS0100-viewer%06u", i);

    fake_connect (viewers.fake, id);
  }
  fake_conn_has (viewers.fake, viewers.liar, ID);
  fake_list_next (viewers.fake);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  fake_conn_has (viewers.fake, viewers.others[0], ID);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  fake_conn_has (viewers.fake, viewers.others[1], ID);
  g_assert_true (wait_for_fetch (&viewers, TURN_US + UNCLAIMED_US / 4));
}

/* And asked, when it has it. */
static void
test_all_are_asked (void)
{
  g_auto (Viewers) viewers = { 0 };
  P2pCommand asked;

  viewers_init_lied_to (&viewers, LIAR);
  g_assert_false (wait_for_fetch (&viewers, UNCLAIMED_US - LOOK_US));
  claims (&viewers, viewers.others[0]);
  fake_advance (viewers.fake, 2 * LOOK_US);
  fake_conn_has (viewers.fake, viewers.others[0], ID);
  g_assert_true (
      fake_conn_find (viewers.others[0], P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, ID);
}

/* Whether @conn has last been told that we have heard of it, @told if nothing since. */
static gboolean
is_told_of_it (FakeConn *conn, gboolean told)
{
  P2pCommand word;

  while (fake_conn_next (conn, &word)) {
    if (word.kind == P2P_COMMAND_ANNOUNCE)
      told = fake_ids_have (word.heard, ID);
    p2p_command_clear (&word);
  }

  return told;
}

/* Others wait for it as long as we say that somebody gives it. */
static void
test_is_not_passed_on (void)
{
  g_auto (Viewers) viewers = { 0 };
  FakeConn *bob;

  viewers_init (&viewers, LIAR);
  bob = viewers.others[0];
  fake_conn_has (viewers.fake, viewers.liar, ID);
  fake_list_next (viewers.fake);
  fake_advance (viewers.fake, 50 * 1000);
  g_assert_true (is_told_of_it (bob, FALSE));
  for (gint64 us = 0; us < UNCLAIMED_US; us += LOOK_US) {
    refuse (&viewers, viewers.liar);
    fake_advance (viewers.fake, LOOK_US);
  }
  g_assert_false (is_told_of_it (bob, TRUE));
}

/* Nor what was too far off when it was said. */
static void
test_far_ahead (void)
{
  gint64 last = ID + 4;
  g_auto (Viewers) viewers = { 0 };
  gint64 until_us;

  viewers_init (&viewers, LIAR);
  fake_conn_has (viewers.fake, viewers.liar, last);
  fake_publish (viewers.fake, last - 5, 6, TRUE);
  fake_request (viewers.fake, FAKE_PLAYLIST);
  fake_http_answer (viewers.fake, fake_http (viewers.fake, FAKE_PLAYLIST));
  until_us = viewers.fake->now_us + 5 * TURN_US;
  while (fake_http_segment (viewers.fake, last) == NULL) {
    g_assert_cmpint (viewers.fake->now_us, <, until_us);
    refuse (&viewers, viewers.liar);
    for (gint64 id = ID; id < last; id++) {
      FakeHttp *http = fake_http_segment (viewers.fake, id);

      if (http != NULL)
        fake_http_answer (viewers.fake, http);
    }
    fake_advance (viewers.fake, LOOK_US);
  }
}

/* Whatever was said first. */
static void
test_next_one_first (void)
{
  g_auto (Viewers) viewers = { 0 };

  viewers_init (&viewers, LIAR);
  fake_conn_has (viewers.fake, viewers.liar, ID + 1);
  fake_conn_has (viewers.fake, viewers.liar, ID);
  fake_list_next (viewers.fake);
  g_assert_true (wait_for_fetch (&viewers, UNCLAIMED_US + TURN_US));
}

/* Some of it has come: then it is as with any tree that stops. */
static void
test_not_once_it_comes (void)
{
  g_auto (Viewers) viewers = { 0 };
  FakeConn *bob;
  P2pCommand asked;

  viewers_init (&viewers, LIAR);
  bob = viewers.others[0];
  fake_conn_has (viewers.fake, viewers.liar, ID);
  fake_list_next (viewers.fake);
  g_assert_true (fake_conn_find (viewers.liar, P2P_COMMAND_REQUEST, &asked));
  fake_conn_data (viewers.fake, viewers.liar, &asked, FAKE_SEGMENT_BYTES);
  fake_conn_segment (viewers.fake, viewers.liar, &asked, 0, 1000);
  fake_advance (viewers.fake, 50 * 1000);
  is_told_of_it (bob, TRUE);
  fake_advance (viewers.fake, UNCLAIMED_US);
  g_assert_true (is_told_of_it (bob, TRUE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/doubt/is-not-waited-for", test_is_not_waited_for);
  g_test_add_func (
      "/doubt/browser-is-not-waited-for", test_browser_is_not_waited_for);
  g_test_add_func (
      "/doubt/who-claimed-has-longer", test_who_claimed_has_longer);
  g_test_add_func ("/doubt/hollow", test_hollow);
  g_test_add_func ("/doubt/claim-comes-first", test_claim_comes_first);
  g_test_add_func ("/doubt/more-and-more-give-it", test_more_and_more_give_it);
  g_test_add_func ("/doubt/over-and-over", test_over_and_over);
  g_test_add_func ("/doubt/most-are-believed", test_most_are_believed);
  g_test_add_func ("/doubt/rescuer-is-believed", test_rescuer_is_believed);
  g_test_add_func ("/doubt/rescuer-gives", test_rescuer_gives);
  g_test_add_func ("/doubt/taken-back", test_taken_back);
  g_test_add_func ("/doubt/one-after-the-other", test_one_after_the_other);
  g_test_add_func ("/doubt/all-are-asked", test_all_are_asked);
  g_test_add_func ("/doubt/is-not-passed-on", test_is_not_passed_on);
  g_test_add_func ("/doubt/far-ahead", test_far_ahead);
  g_test_add_func ("/doubt/next-one-first", test_next_one_first);
  g_test_add_func ("/doubt/not-once-it-comes", test_not_once_it_comes);

  return g_test_run ();
}

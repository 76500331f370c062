/* p2phlssrc: tests of the inferred playhead.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/playback.h"

#define S G_USEC_PER_SEC

/* Segment @n of 2 s, asked for and handed over at once. */
static gboolean
play (P2pPlayback *playback, gint64 n, gint64 now_us)
{
  gboolean seek =
      p2p_playback_request (playback, 1, FALSE, 2 * n * S, 2 * S, now_us);

  p2p_playback_delivered (playback, 2 * (n + 1) * S, now_us);

  return seek;
}

static void
test_starts_empty (void)
{
  P2pPlayback playback = { 0 };

  g_assert_cmpint (p2p_playback_ahead (&playback, 5 * S), ==, 0);
  g_assert_false (
      p2p_playback_request (&playback, 1, FALSE, 10 * S, 2 * S, 5 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 9 * S), ==, 0);
  p2p_playback_delivered (&playback, 12 * S, 10 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 10 * S), ==, 2 * S);
}

/* It plays what comes as it comes, and again when it has run dry. */
static void
test_first_bytes (void)
{
  P2pPlayback playback = { 0 };

  p2p_playback_request (&playback, 1, FALSE, 10 * S, 2 * S, 5 * S);
  p2p_playback_arrives (&playback, 6 * S);
  p2p_playback_arrives (&playback, 7 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 7 * S), ==, 0);
  p2p_playback_delivered (&playback, 12 * S, 7 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 7 * S), ==, S);
  /* Nothing is lost while there is something ahead. */
  p2p_playback_request (&playback, 1, FALSE, 12 * S, 2 * S, 7 * S);
  p2p_playback_arrives (&playback, 7 * S);
  p2p_playback_delivered (&playback, 14 * S, 15 * S / 2);
  g_assert_cmpint (p2p_playback_ahead (&playback, 15 * S / 2), ==, 5 * S / 2);
  /* Dry from 10 on, while nothing comes. */
  p2p_playback_request (&playback, 1, FALSE, 14 * S, 2 * S, 9 * S);
  p2p_playback_arrives (&playback, 20 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 21 * S), ==, 0);
  p2p_playback_delivered (&playback, 16 * S, 21 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 21 * S), ==, S);
  /* Dry while it comes: it has gone on with what had come by then. */
  p2p_playback_request (&playback, 1, FALSE, 16 * S, 2 * S, 21 * S);
  p2p_playback_arrives (&playback, 43 * S / 2);
  g_assert_cmpint (p2p_playback_ahead (&playback, 43 * S / 2), ==, S / 2);
  g_assert_cmpint (p2p_playback_ahead (&playback, 23 * S), ==, 0);
  p2p_playback_delivered (&playback, 18 * S, 47 * S / 2);
  g_assert_cmpint (p2p_playback_ahead (&playback, 47 * S / 2), ==, S / 2);
  p2p_playback_request (&playback, 1, FALSE, 18 * S, 2 * S, 24 * S);
  p2p_playback_arrives (&playback, 24 * S);
  p2p_playback_delivered (&playback, 20 * S, 25 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 25 * S), ==, S);
  /* It came more slowly than it plays. */
  p2p_playback_request (&playback, 1, FALSE, 20 * S, 2 * S, 26 * S);
  p2p_playback_arrives (&playback, 26 * S);
  p2p_playback_delivered (&playback, 22 * S, 30 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 30 * S), ==, 0);
  /* What has begun to come when it seeks says nothing of what it seeks to. */
  p2p_playback_request (&playback, 1, FALSE, 22 * S, 2 * S, 30 * S);
  p2p_playback_arrives (&playback, 30 * S);
  g_assert_true (
      p2p_playback_request (&playback, 1, FALSE, 90 * S, 2 * S, 31 * S));
  p2p_playback_delivered (&playback, 92 * S, 40 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 40 * S), ==, 2 * S);
}

static void
test_runs_in_real_time (void)
{
  P2pPlayback playback = { 0 };

  for (gint64 n = 0; n < 5; n++)
    g_assert_false (play (&playback, n, 100 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 100 * S), ==, 10 * S);
  g_assert_cmpint (p2p_playback_ahead (&playback, 104 * S), ==, 6 * S);
  /* An empty player waits, it does not fall behind. */
  g_assert_cmpint (p2p_playback_ahead (&playback, 150 * S), ==, 0);
  g_assert_false (play (&playback, 5, 150 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 150 * S), ==, 2 * S);
}

static void
test_seek (void)
{
  P2pPlayback playback = { 0 };

  play (&playback, 0, 10 * S);
  play (&playback, 1, 10 * S);
  g_assert_true (play (&playback, 40, 11 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 11 * S), ==, 2 * S);
  g_assert_true (play (&playback, 3, 12 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 12 * S), ==, 2 * S);
}

/* The demuxer waits for one segment at a time: if it asks anew before it has
 * that, its queue has been emptied. */
static void
test_seek_nearby (void)
{
  for (gint64 n = 2; n <= 3; n++) {
    P2pPlayback playback = { 0 };

    play (&playback, 0, 10 * S);
    play (&playback, 1, 10 * S);
    g_assert_false (
        p2p_playback_request (&playback, 1, FALSE, 4 * S, 2 * S, 10 * S));
    g_assert_true (play (&playback, n, 10 * S));
    g_assert_cmpint (p2p_playback_ahead (&playback, 10 * S), ==, 2 * S);
    g_assert_false (play (&playback, n + 1, 10 * S));
    g_assert_cmpint (p2p_playback_ahead (&playback, 10 * S), ==, 4 * S);
  }
}

/* What has been handed over is not asked for again by who plays on. */
static void
test_seek_back (void)
{
  P2pPlayback playback = { 0 };

  for (gint64 n = 0; n < 4; n++)
    g_assert_false (play (&playback, n, 10 * S));
  g_assert_true (play (&playback, 3, 10 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 10 * S), ==, 2 * S);
  g_assert_true (play (&playback, 2, 10 * S));
  g_assert_false (play (&playback, 3, 10 * S));
  /* Another rendition takes the place of the end of this one. */
  g_assert_false (
      p2p_playback_request (&playback, 2, FALSE, 6 * S, 2 * S, 10 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 10 * S), ==, 2 * S);
}

/* A gap of less than a segment and a half is playback's own inexactness. */
static void
test_small_gaps (void)
{
  P2pPlayback playback = { 0 };

  play (&playback, 0, 10 * S);
  g_assert_false (p2p_playback_request (
      &playback, 1, FALSE, 2 * S + S / 10, 2 * S, 10 * S));
  g_assert_cmpint (p2p_playback_ahead (&playback, 10 * S), ==, 2 * S);
}

/* Live renditions count from where each was first read. */
static void
test_variant_switch (void)
{
  P2pPlayback live = { 0 }, vod = { 0 };

  play (&live, 10, 10 * S);
  play (&vod, 10, 10 * S);
  g_assert_false (p2p_playback_request (&live, 2, TRUE, 0, 2 * S, 11 * S));
  g_assert_cmpint (p2p_playback_ahead (&live, 11 * S), ==, S);
  g_assert_false (p2p_playback_request (&vod, 2, FALSE, 22 * S, 2 * S, 11 * S));
  g_assert_true (p2p_playback_request (&vod, 3, FALSE, 0, 2 * S, 11 * S));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/playback/starts-empty", test_starts_empty);
  g_test_add_func ("/model/playback/first-bytes", test_first_bytes);
  g_test_add_func ("/model/playback/runs-in-real-time", test_runs_in_real_time);
  g_test_add_func ("/model/playback/seek", test_seek);
  g_test_add_func ("/model/playback/seek-nearby", test_seek_nearby);
  g_test_add_func ("/model/playback/seek-back", test_seek_back);
  g_test_add_func ("/model/playback/small-gaps", test_small_gaps);
  g_test_add_func ("/model/playback/variant-switch", test_variant_switch);

  return g_test_run ();
}

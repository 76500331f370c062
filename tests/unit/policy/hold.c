/* p2phlssrc: tests of how long a live playlist may wait.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/hold.h"

#define S G_USEC_PER_SEC
#define MB (1000 * 1000)

/* 2 s segments of 1 MB, 6 s ahead of which one is urgent, 40 Mbit/s from the
 * origin. */
static P2pFetchView
healthy (void)
{
  return (P2pFetchView){
    .now_us = 100 * S,
    .duration_us = 2 * S,
    .ahead_us = 6 * S,
    .urgent_us = S,
    .size = MB,
    .http_bps = 40 * MB,
  };
}

static gint64
longest_us (const P2pFetchView *view)
{
  return p2p_hold_until_us (view, S) - view->now_us;
}

/* An application may ask something of hlsdemux meanwhile. */
static void
test_never_for_long (void)
{
  P2pFetchView view = healthy ();
  gint64 usual_us = longest_us (&view);

  g_assert_cmpint (usual_us, >, 0);
  g_assert_cmpint (usual_us, <=, S);
  g_assert_cmpint (usual_us, <, view.duration_us);
  view.duration_us = 60 * S;
  view.ahead_us = 1000 * S;
  g_assert_cmpint (longest_us (&view), ==, S);
  g_assert_cmpint (p2p_hold_until_us (&view, 50) - view.now_us, ==, 50);
  g_assert_cmpint (p2p_hold_until_us (&view, 0), ==, view.now_us);
  /* Much ahead makes no difference. */
  view = healthy ();
  view.ahead_us = 1000 * S;
  g_assert_cmpint (longest_us (&view), ==, usual_us);
}

/* What is urgent stays, and time for the origin. */
static void
test_never_beyond_the_buffer (void)
{
  gint64 before_us = 0;

  for (gint64 ahead_us = 0; ahead_us < 8 * S; ahead_us += S / 20) {
    P2pFetchView view = healthy ();
    gint64 left_us;

    view.ahead_us = ahead_us;
    left_us = ahead_us - MAX (longest_us (&view), 0);
    g_assert_cmpint (MAX (longest_us (&view), 0), >=, before_us);
    before_us = MAX (longest_us (&view), 0);
    if (before_us > 0)
      g_assert_cmpint (
          left_us, >, view.urgent_us + p2p_fetch_transfer_us (&view));
  }
  g_assert_cmpint (before_us, >, 0);
}

static void
test_not_at_all (void)
{
  P2pFetchView view = healthy ();

  view.ahead_us = view.urgent_us;
  g_assert_cmpint (longest_us (&view), <=, 0);
  view = healthy ();
  view.ahead_us = 0;
  g_assert_cmpint (longest_us (&view), <=, 0);
  /* The origin would take longer than what is there. */
  view = healthy ();
  view.http_bps = MB;
  g_assert_cmpint (longest_us (&view), <=, 0);
}

/* The buffer, with what the player knows of, must last until it asks again. */
static void
test_trim (void)
{
  P2pFetchView view = healthy ();

  g_assert_true (p2p_hold_may_trim (&view, view.duration_us));
  view.ahead_us = view.urgent_us;
  g_assert_false (p2p_hold_may_trim (&view, 0));
  g_assert_false (p2p_hold_may_trim (&view, view.duration_us));
  g_assert_true (p2p_hold_may_trim (&view, 2 * view.duration_us));
  view = healthy ();
  view.ahead_us = 0;
  g_assert_false (p2p_hold_may_trim (&view, view.duration_us));
}

/* More ahead, or more to go on with, never forbids what less allowed. */
static void
test_trim_is_steady (void)
{
  for (gint64 listed_us = 0; listed_us <= 6 * S; listed_us += 2 * S) {
    gboolean before = FALSE;

    for (gint64 ahead_us = 0; ahead_us < 8 * S; ahead_us += S / 10) {
      P2pFetchView view = healthy ();
      gboolean may;

      view.ahead_us = ahead_us;
      may = p2p_hold_may_trim (&view, listed_us);
      g_assert_true (may || !before);
      g_assert_true (p2p_hold_may_trim (&view, listed_us + 2 * S) || !may);
      before = may;
    }
    g_assert_true (before);
  }
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/policy/hold/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("never-for-long", test_never_for_long);
  ADD ("never-beyond-the-buffer", test_never_beyond_the_buffer);
  ADD ("not-at-all", test_not_at_all);
  ADD ("trim", test_trim);
  ADD ("trim-is-steady", test_trim_is_steady);

  return g_test_run ();
}

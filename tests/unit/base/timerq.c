/* p2phlssrc: tests of the deadline heap.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/timerq.h"
#include "base/prng.h"

typedef struct
{
  P2pTimer timer;
  GArray *log;
  guint name;
  gint64 again_us;
  gint64 set_us;
  guint order;
} Probe;

static void
set (Probe *probe, gint64 deadline_us)
{
  static guint last_order;

  probe->set_us = deadline_us;
  probe->order = ++last_order;
  p2p_timer_set (&probe->timer, deadline_us);
}

static void
fire (gpointer owner, gint64 now_us)
{
  Probe *probe = owner;

  g_array_append_val (probe->log, probe->name);
  if (probe->again_us != 0)
    p2p_timer_set (&probe->timer, probe->again_us);
}

static void
test_order (void)
{
  g_autoptr (P2pTimerQueue) queue = p2p_timer_queue_new ();
  g_autoptr (GArray) log = g_array_new (FALSE, FALSE, sizeof (guint));
  Probe probes[100] = { 0 };
  P2pPrng prng;
  guint i;

  p2p_prng_init (&prng, 7);
  for (i = 0; i < G_N_ELEMENTS (probes); i++) {
    probes[i].log = log;
    probes[i].name = i;
    p2p_timer_init (&probes[i].timer, queue, fire, &probes[i]);
    set (&probes[i], 10 + (gint64) p2p_prng_below (&prng, 20));
  }
  for (i = 0; i < G_N_ELEMENTS (probes); i += 3)
    set (&probes[i], 100 - i);
  for (i = 0; i < G_N_ELEMENTS (probes); i += 6)
    set (&probes[i], 15);
  for (i = 1; i < G_N_ELEMENTS (probes); i += 3)
    p2p_timer_clear (&probes[i].timer);

  p2p_timer_queue_run (queue, 50);
  p2p_timer_queue_run (queue, 200);
  g_assert_cmpuint (log->len, ==, 67);
  for (i = 1; i < log->len; i++) {
    Probe *a = &probes[g_array_index (log, guint, i - 1)];
    Probe *b = &probes[g_array_index (log, guint, i)];

    g_assert_cmpint (a->set_us, <=, b->set_us);
    if (a->set_us == b->set_us)
      g_assert_cmpuint (a->order, <, b->order);
  }
  g_assert_cmpint (p2p_timer_queue_next (queue), ==, P2P_NEVER);
}

static void
test_again_waits (void)
{
  g_autoptr (P2pTimerQueue) queue = p2p_timer_queue_new ();
  g_autoptr (GArray) log = g_array_new (FALSE, FALSE, sizeof (guint));
  Probe probe = { .log = log, .name = 1, .again_us = 5 };

  p2p_timer_init (&probe.timer, queue, fire, &probe);
  p2p_timer_set (&probe.timer, 5);
  p2p_timer_set_sooner (&probe.timer, 9);
  g_assert_cmpint (p2p_timer_queue_next (queue), ==, 5);
  p2p_timer_queue_run (queue, 10);
  g_assert_cmpuint (log->len, ==, 1);
  p2p_timer_queue_run (queue, 10);
  g_assert_cmpuint (log->len, ==, 2);
  p2p_timer_set (&probe.timer, P2P_NEVER);
  g_assert_false (p2p_timer_is_armed (&probe.timer));
}

/* Timers that set, move and clear others as they fire. */
typedef struct
{
  P2pTimerQueue *queue;
  P2pPrng prng;
  Probe probes[60];
  gboolean armed[60];
  guint fired;
} Crowd;

static Crowd *crowd;

static void
set_one (guint i, gint64 deadline_us)
{
  crowd->armed[i] = TRUE;
  set (&crowd->probes[i], deadline_us);
}

static gboolean
is_before (const Probe *a, const Probe *b)
{
  return a->set_us != b->set_us ? a->set_us < b->set_us : a->order < b->order;
}

static void
fire_in_crowd (gpointer owner, gint64 now_us)
{
  Probe *probe = owner;
  gint64 set_us = probe->set_us;
  guint i, turns;

  crowd->fired++;
  crowd->armed[probe->name] = FALSE;
  g_assert_false (p2p_timer_is_armed (&probe->timer));
  for (i = 0; i < G_N_ELEMENTS (crowd->probes); i++) {
    g_assert_cmpint (
        crowd->armed[i], ==, p2p_timer_is_armed (&crowd->probes[i].timer));
    g_assert_false (crowd->armed[i] && is_before (&crowd->probes[i], probe));
  }
  for (turns = p2p_prng_below (&crowd->prng, 5); turns > 0; turns--) {
    i = p2p_prng_below (&crowd->prng, G_N_ELEMENTS (crowd->probes));
    if (p2p_prng_below (&crowd->prng, 4) == 0) {
      crowd->armed[i] = FALSE;
      p2p_timer_clear (&crowd->probes[i].timer);
    } else {
      set_one (i, now_us + p2p_prng_below (&crowd->prng, 30));
    }
    if (p2p_prng_below (&crowd->prng, 8) == 0)
      g_assert_cmpint (p2p_timer_queue_next (crowd->queue), >=, set_us);
  }
}

static void
test_from_inside (void)
{
  /* Freed last: the queue marks the timers left in it as out of it. */
  g_autofree Crowd *all = g_new0 (Crowd, 1);
  g_autoptr (P2pTimerQueue) queue = p2p_timer_queue_new ();
  gint64 now_us;
  guint i;

  crowd = all;
  crowd->queue = queue;
  p2p_prng_init (&crowd->prng, 11);
  for (i = 0; i < G_N_ELEMENTS (crowd->probes); i++) {
    crowd->probes[i].name = i;
    p2p_timer_init (
        &crowd->probes[i].timer, queue, fire_in_crowd, &crowd->probes[i]);
  }
  for (now_us = 1; now_us < 3000; now_us++) {
    set_one (now_us % G_N_ELEMENTS (crowd->probes), now_us + 1);
    p2p_timer_queue_run (queue, now_us);
  }
  g_assert_cmpuint (crowd->fired, >, 3000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/timerq/order", test_order);
  g_test_add_func ("/base/timerq/again-waits", test_again_waits);
  g_test_add_func ("/base/timerq/from-inside", test_from_inside);

  return g_test_run ();
}

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
} Probe;

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
    p2p_timer_set (&probes[i].timer, 10 + (gint64) p2p_prng_below (&prng, 20));
  }
  for (i = 0; i < G_N_ELEMENTS (probes); i += 3)
    p2p_timer_set (&probes[i].timer, 100 - i);
  for (i = 1; i < G_N_ELEMENTS (probes); i += 3)
    p2p_timer_clear (&probes[i].timer);

  p2p_timer_queue_run (queue, 50);
  p2p_timer_queue_run (queue, 200);
  g_assert_cmpuint (log->len, ==, 67);
  for (i = 1; i < log->len; i++) {
    Probe *a = &probes[g_array_index (log, guint, i - 1)];
    Probe *b = &probes[g_array_index (log, guint, i)];

    g_assert_cmpint (a->timer.deadline_us, <=, b->timer.deadline_us);
    if (a->timer.deadline_us == b->timer.deadline_us)
      g_assert_cmpuint (a->timer.order, <, b->timer.order);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/timerq/order", test_order);
  g_test_add_func ("/base/timerq/again-waits", test_again_waits);

  return g_test_run ();
}

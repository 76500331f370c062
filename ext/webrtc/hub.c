/* p2phlssrc: the thread that all WebRTC of the process runs in.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hub.h"

#include "webrtc/resolve.h"

#include "nice/niceice.h"
#include "usrsctp/assoc.h"

#include <pthread.h>

/* How often SCTP's clock moves while packets do, and while none do: then only
 * heartbeats are waiting, whose timers are seconds. */
#define TICK_BUSY_US (10 * 1000)
#define TICK_IDLE_US (250 * 1000)

/* Packets moved within this time: busy. Longer than the first
 * retransmissions take, which wait for nothing but the clock. */
#define BUSY_US (3 * G_USEC_PER_SEC)

/* How long the end of the thread waits for TURN servers to hear that their
 * allocations are no longer needed. */
#define SETTLE_US (300 * 1000)

typedef struct
{
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;

  /* The thread's own. */
  GSource *tick;
  gint64 ticked_us; /* SCTP's clock shows this */
  gint64 busy_until_us;
} Hub;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static guint n_users; /* under lock */
static Hub hub;       /* made and unmade under lock */

static void
advance (gint64 now_us)
{
  guint elapsed_ms = (now_us - hub.ticked_us) / 1000;

  hub.ticked_us += (gint64) elapsed_ms * 1000;
  if (elapsed_ms > 0)
    p2p_sctp_advance (elapsed_ms);
}

static gboolean
tick_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean busy = now_us < hub.busy_until_us;

  advance (now_us);
  g_source_set_ready_time (
      source, now_us + (busy ? TICK_BUSY_US : TICK_IDLE_US));

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs tick_funcs = { .dispatch = tick_dispatch };

void
p2p_hub_busy (void)
{
  gint64 now_us = g_get_monotonic_time ();

  /* Coming out of the slow tick: a timer started against a clock that is
   * behind would fire at once. */
  if (now_us >= hub.busy_until_us) {
    hub.busy_until_us = now_us + BUSY_US;
    advance (now_us);
    g_source_set_ready_time (hub.tick, now_us + TICK_BUSY_US);
  }
  hub.busy_until_us = now_us + BUSY_US;
}

static gboolean
settle_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  p2p_nice_forget_closing ();

  return G_SOURCE_REMOVE;
}

static GSourceFuncs settle_funcs = { .dispatch = settle_dispatch };

/* What was begun in this context ends in it. */
static void
settle (void)
{
  GSource *source = g_source_new (&settle_funcs, sizeof (GSource));

  g_source_set_ready_time (source, g_get_monotonic_time () + SETTLE_US);
  g_source_attach (source, hub.context);
  p2p_resolve_cancel_all ();
  while (p2p_resolve_n_pending () > 0 || p2p_nice_n_closing () > 0)
    g_main_context_iteration (hub.context, TRUE);
  g_source_destroy (source);
  g_source_unref (source);
}

static gpointer
run (gpointer data)
{
  g_main_context_push_thread_default (hub.context);
  p2p_sctp_begin ();
  hub.ticked_us = g_get_monotonic_time ();
  hub.busy_until_us = 0;
  hub.tick = g_source_new (&tick_funcs, sizeof (GSource));
  g_source_set_ready_time (hub.tick, hub.ticked_us + TICK_IDLE_US);
  g_source_attach (hub.tick, hub.context);

  g_main_loop_run (hub.loop);
  settle ();

  g_source_destroy (hub.tick);
  g_source_unref (hub.tick);
  p2p_sctp_end ();
  g_main_context_pop_thread_default (hub.context);

  return NULL;
}

GMainContext *
p2p_hub_acquire (void)
{
  pthread_mutex_lock (&lock);
  if (n_users++ == 0) {
    hub.context = g_main_context_new ();
    hub.loop = g_main_loop_new (hub.context, FALSE);
    hub.thread = g_thread_new ("p2phls-webrtc", run, NULL);
  }
  pthread_mutex_unlock (&lock);

  return hub.context;
}

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (hub.loop);

  return G_SOURCE_REMOVE;
}

void
p2p_hub_release (void)
{
  pthread_mutex_lock (&lock);
  g_assert (n_users > 0);
  if (--n_users == 0) {
    GSource *source = g_idle_source_new ();

    /* From inside the loop: a quit before its start would be lost. */
    g_source_set_callback (source, quit, NULL, NULL);
    g_source_attach (source, hub.context);
    g_source_unref (source);
    g_thread_join (hub.thread);
    g_clear_pointer (&hub.loop, g_main_loop_unref);
    g_clear_pointer (&hub.context, g_main_context_unref);
  }
  pthread_mutex_unlock (&lock);
}

/* p2phlssrc: the worker, without a player.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "worker.h"

#include "gstlog.h"
#include "base/limits.h"
#include "support/httpserver.h"

typedef struct
{
  TestHttpServer *server;
  P2pWorker *worker;
  P2pHttpProfile *profile;
  GBytes *body;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (P2pConfig) config = NULL;
  P2pSettings settings;

  p2p_settings_init (&settings);
  g_assert_true (p2p_settings_read_defaults (
      &settings, "trackers=none;ice-servers=none", NULL));
  config = p2p_config_new (&settings, NULL);
  p2p_settings_clear (&settings);
  fixture->worker = p2p_worker_new (config);
  fixture->profile = p2p_http_profile_new ();
  fixture->server = test_http_server_new ();
  fixture->body = test_http_body (4 * P2P_OUTQUEUE_HIGH_BYTES, 5);
  test_http_server_set (
      fixture->server, "/body", &(TestHttpResource){ .body = fixture->body });
  test_http_server_set (fixture->server, "/silent",
      &(TestHttpResource){ .delay_ms = 1000 * 1000 });
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->worker, p2p_worker_free);
  g_clear_pointer (&fixture->profile, p2p_http_profile_unref);
  g_clear_pointer (&fixture->server, test_http_server_free);
  g_clear_pointer (&fixture->body, g_bytes_unref);
}

/* @path: (nullable): %NULL for a URI that cannot be asked */
static P2pOutQueue *
ask (Fixture *fixture, guint64 number, const char *path)
{
  g_autofree char *uri = path != NULL
      ? test_http_server_uri (fixture->server, path)
      : g_strdup ("http://[nonsense");
  P2pOutQueue *queue = p2p_out_queue_new (number);

  p2p_worker_request (fixture->worker, queue,
      &(P2pRequest){ .uri = uri,
          .range = P2P_RANGE_ALL,
          .consumer = 1,
          .profile = fixture->profile });

  return queue;
}

/* All of a body that is larger than what may wait. */
static void
test_body (Fixture *fixture, gconstpointer data)
{
  g_autoptr (P2pOutQueue) queue = ask (fixture, 1, "/body");
  g_autoptr (GByteArray) got = g_byte_array_new ();
  P2pOutStatus status;

  g_assert_cmpint (p2p_out_queue_wait_headers (queue), ==, P2P_OUT_HEADERS);
  do {
    g_autoptr (GBytes) bytes = NULL;
    gboolean drained;

    status = p2p_out_queue_pop (queue, &bytes, &drained);
    if (bytes != NULL)
      g_byte_array_append (
          got, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    if (drained)
      p2p_worker_drained (fixture->worker, queue);
  } while (status == P2P_OUT_DATA);
  g_assert_cmpint (status, ==, P2P_OUT_END);
  g_assert_cmpmem (got->data, got->len, g_bytes_get_data (fixture->body, NULL),
      g_bytes_get_size (fixture->body));
}

/* What is cancelled gets nothing more, and may be cancelled again. */
static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (P2pOutQueue) queue = ask (fixture, 1, "/silent");
  g_autoptr (P2pStats) stats = NULL;

  p2p_worker_cancel (fixture->worker, queue);
  p2p_worker_cancel (fixture->worker, queue);
  p2p_worker_drained (fixture->worker, queue);
  /* All letters have been read when this one is answered. */
  stats = p2p_worker_get_stats (fixture->worker);
  g_assert_nonnull (stats);
  g_assert_false (p2p_out_queue_is_finished (queue));
}

/* The worker ends whatever it is doing. */
static void
test_end_while_asking (Fixture *fixture, gconstpointer data)
{
  g_autoptr (P2pOutQueue) silent = ask (fixture, 1, "/silent");
  g_autoptr (P2pOutQueue) full = ask (fixture, 2, "/body");

  g_assert_cmpint (p2p_out_queue_wait_headers (full), ==, P2P_OUT_HEADERS);
  g_clear_pointer (&fixture->worker, p2p_worker_free);
  g_assert_false (p2p_out_queue_is_finished (silent));
}

/* --- the worker's own calls ----------------------------------------------*/

typedef struct
{
  GMutex lock;
  GCond cond;
  guint reports;
  gboolean hold; /* the worker must not go on */
  gboolean destroyed;
} Reports;

static void
on_stats (gpointer user_data, const P2pStats *stats)
{
  Reports *reports = user_data;

  g_mutex_lock (&reports->lock);
  reports->reports++;
  g_cond_broadcast (&reports->cond);
  while (reports->hold)
    g_cond_wait (&reports->cond, &reports->lock);
  g_mutex_unlock (&reports->lock);
}

static void
on_destroyed (gpointer user_data)
{
  Reports *reports = user_data;

  g_mutex_lock (&reports->lock);
  reports->destroyed = TRUE;
  g_cond_broadcast (&reports->cond);
  g_mutex_unlock (&reports->lock);
}

static void
wait_reports (Reports *reports, guint count)
{
  g_mutex_lock (&reports->lock);
  while (reports->reports < count)
    g_cond_wait (&reports->cond, &reports->lock);
  g_mutex_unlock (&reports->lock);
}

/* While the worker is held, more requests than are allowed at once come in:
 * the surplus is refused, the others are answered. */
static void
test_too_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) queues =
      g_ptr_array_new_with_free_func ((GDestroyNotify) p2p_out_queue_unref);
  Reports reports = { .hold = TRUE };

  p2p_worker_report_stats (fixture->worker, 1, on_stats, &reports, NULL);
  wait_reports (&reports, 1);
  p2p_worker_report_stats (fixture->worker, 0, NULL, NULL, NULL);
  for (guint64 i = 1; i <= P2P_REQUESTS_MAX + 2; i++)
    g_ptr_array_add (queues, ask (fixture, i, NULL));
  g_mutex_lock (&reports.lock);
  reports.hold = FALSE;
  g_cond_broadcast (&reports.cond);
  g_mutex_unlock (&reports.lock);

  for (guint i = 0; i < queues->len; i++) {
    g_autoptr (P2pHttpFailure) failure = NULL;

    g_assert_cmpint (
        p2p_out_queue_wait_headers (queues->pdata[i]), ==, P2P_OUT_FAILED);
    failure = p2p_out_queue_failure (queues->pdata[i]);
    g_assert_cmpint (failure->kind, ==,
        i < P2P_REQUESTS_MAX ? P2P_HTTP_FAILURE_URI : P2P_HTTP_FAILURE_IO);
  }
}

static void
test_reports (Fixture *fixture, gconstpointer data)
{
  Reports reports = { 0 };

  p2p_worker_report_stats (
      fixture->worker, 1, on_stats, &reports, on_destroyed);
  wait_reports (&reports, 3);
  p2p_worker_report_stats (fixture->worker, 0, NULL, NULL, NULL);
  g_mutex_lock (&reports.lock);
  while (!reports.destroyed)
    g_cond_wait (&reports.cond, &reports.lock);
  g_mutex_unlock (&reports.lock);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  p2p_gst_log_init ();
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/worker/body", Fixture, NULL, set_up, test_body, tear_down);
  g_test_add (
      "/worker/too-many", Fixture, NULL, set_up, test_too_many, tear_down);
  g_test_add ("/worker/cancel", Fixture, NULL, set_up, test_cancel, tear_down);
  g_test_add ("/worker/end-while-asking", Fixture, NULL, set_up,
      test_end_while_asking, tear_down);
  g_test_add (
      "/worker/reports", Fixture, NULL, set_up, test_reports, tear_down);

  return g_test_run ();
}

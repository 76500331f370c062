/* p2phlssrc: the thread on which everything is decided.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "worker.h"

#include "gstlog.h"
#include "lock.h"
#include "mailbox.h"
#include "base/limits.h"
#include "soup/soupgateway.h"
#include "soup/souphttp.h"
#include "soup/soupws.h"
#include "webrtc/transport.h"

/* The engine's next deadline, as a source of the worker's context. Its own
 * prepare() and check() because g_source_set_ready_time() would wake the very
 * thread that calls it, after each batch. */
typedef struct
{
  GSource source;
  gint64 deadline_us;
} DeadlineSource;

/* @sink comes first: the engine hands it back. Everything but @mailbox,
 * @context and @thread belongs to the worker thread. */
struct _P2pWorker
{
  P2pSinkPort sink;

  GThread *thread;
  GMainContext *context;
  P2pMailbox *mailbox;
  P2pConfig *config; /* the first one, for building */

  P2pHttpPort *http;
  P2pWebSocketPort *websocket;
  P2pTransportPort *transport;
  P2pEngine *engine;
  P2pSoupGateway *gateway; /* (nullable) */

  GHashTable *queues; /* request number, inside the P2pOutQueue that owns it */
  GPtrArray *unwoken; /* of P2pOutQueue: news, and nobody woken yet */
  DeadlineSource *deadline;
  GSource *stats_timer;
  gboolean inside_engine;
  gboolean is_dirty; /* an event came: the engine wants its step */
  gboolean stop;
};

static inline void
assert_owner (P2pWorker *worker)
{
  g_assert (g_main_context_is_owner (worker->context));
}

/* --- the engine ----------------------------------------------------------*/

static void
handle (P2pWorker *worker, const P2pEvent *event)
{
  assert_owner (worker);
  /* Ports answer later, never from inside a call (ports/http.h). */
  g_assert (!worker->inside_engine);

  worker->inside_engine = TRUE;
  p2p_engine_handle (worker->engine, event, g_get_monotonic_time ());
  worker->inside_engine = FALSE;
  worker->is_dirty = TRUE;
}

static void
on_event (gpointer user_data, const P2pEvent *event)
{
  handle (user_data, event);
}

/* A wake-up is a switch of threads: one for a whole turn of the loop. */
static void
wake_later (P2pWorker *worker, P2pOutQueue *queue)
{
  guint last = worker->unwoken->len;

  if (last == 0 || worker->unwoken->pdata[last - 1] != queue)
    g_ptr_array_add (worker->unwoken, p2p_out_queue_ref (queue));
}

static void
wake_players (P2pWorker *worker)
{
  for (guint i = 0; i < worker->unwoken->len; i++)
    p2p_out_queue_wake (worker->unwoken->pdata[i]);
  g_ptr_array_set_size (worker->unwoken, 0);
}

static void
step (P2pWorker *worker)
{
  worker->is_dirty = FALSE;
  p2p_gst_log_update ();
  /* The player goes first: it has work of its own while the engine thinks. */
  wake_players (worker);
  worker->inside_engine = TRUE;
  worker->deadline->deadline_us =
      p2p_engine_step (worker->engine, g_get_monotonic_time ());
  worker->inside_engine = FALSE;
  wake_players (worker);
}

static gboolean
deadline_prepare (GSource *source, int *timeout_ms)
{
  gint64 deadline_us = ((DeadlineSource *) source)->deadline_us;
  gint64 left_us;

  *timeout_ms = -1;
  if (deadline_us == P2P_NEVER)
    return FALSE;
  left_us = deadline_us - g_source_get_time (source);
  if (left_us <= 0)
    return TRUE;
  *timeout_ms = MIN ((left_us + 999) / 1000, G_MAXINT);

  return FALSE;
}

static gboolean
deadline_check (GSource *source)
{
  gint64 deadline_us = ((DeadlineSource *) source)->deadline_us;

  return deadline_us != P2P_NEVER && g_source_get_time (source) >= deadline_us;
}

static gboolean
deadline_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs deadline_source_funcs = {
  .prepare = deadline_prepare,
  .check = deadline_check,
  .dispatch = deadline_dispatch,
};

static gboolean
on_deadline (gpointer user_data)
{
  P2pWorker *worker = user_data;

  worker->deadline->deadline_us = P2P_NEVER;
  worker->is_dirty = TRUE;

  return G_SOURCE_CONTINUE;
}

/* --- the sink port: what the engine gives to the player ------------------*/

/* Where the answer goes when it is not for an element, or NULL. */
static P2pSinkPort *
find_gateway (P2pSinkPort *port, guint64 request)
{
  P2pWorker *worker = (P2pWorker *) port;

  return p2p_soup_gateway_owns (request) && worker->gateway != NULL
      ? p2p_soup_gateway_sink (worker->gateway)
      : NULL;
}

static P2pOutQueue *
find_queue (P2pSinkPort *port, guint64 request)
{
  P2pWorker *worker = (P2pWorker *) port;

  assert_owner (worker);
  return g_hash_table_lookup (worker->queues, &request);
}

static void
sink_headers (P2pSinkPort *port, guint64 request, P2pHttpResponse *response)
{
  P2pOutQueue *queue = find_queue (port, request);
  P2pSinkPort *gateway = find_gateway (port, request);

  if (gateway != NULL)
    gateway->ops->headers (gateway, request, response);
  if (queue == NULL)
    return;
  p2p_out_queue_headers (queue, response);
  wake_later ((P2pWorker *) port, queue);
}

static gsize
sink_data (P2pSinkPort *port, guint64 request, GBytes *bytes)
{
  P2pOutQueue *queue = find_queue (port, request);
  P2pSinkPort *gateway = find_gateway (port, request);

  if (gateway != NULL)
    return gateway->ops->data (gateway, request, bytes);
  if (queue == NULL)
    return 0;
  wake_later ((P2pWorker *) port, queue);

  return p2p_out_queue_push (queue, bytes);
}

static void
sink_end (P2pSinkPort *port, guint64 request)
{
  P2pOutQueue *queue = find_queue (port, request);
  P2pSinkPort *gateway = find_gateway (port, request);

  if (gateway != NULL)
    gateway->ops->end (gateway, request);
  if (queue == NULL)
    return;
  p2p_out_queue_end (queue);
  g_hash_table_remove (((P2pWorker *) port)->queues, &request);
}

static void
sink_fail (P2pSinkPort *port, guint64 request, P2pHttpFailure *failure)
{
  P2pOutQueue *queue = find_queue (port, request);
  P2pSinkPort *gateway = find_gateway (port, request);

  if (gateway != NULL)
    gateway->ops->fail (gateway, request, failure);
  if (queue == NULL)
    return;
  p2p_out_queue_fail (queue, failure);
  g_hash_table_remove (((P2pWorker *) port)->queues, &request);
}

static const P2pSinkOps sink_ops = {
  .headers = sink_headers,
  .data = sink_data,
  .end = sink_end,
  .fail = sink_fail,
};

/* --- letters -------------------------------------------------------------*/

static void
refuse (P2pOutQueue *queue)
{
  g_autoptr (P2pHttpFailure) failure =
      p2p_http_failure_new (P2P_HTTP_FAILURE_IO);

  P2P_LOG_WARNING (P2P_AREA_SRC, p2p_out_queue_get_request (queue),
      "more than %d requests at once", P2P_REQUESTS_MAX);
  failure->reason = g_strdup ("too many requests at once");
  p2p_out_queue_fail (queue, failure);
}

static void
take_request (P2pWorker *worker, const P2pMail *mail)
{
  if (g_hash_table_size (worker->queues) >= P2P_REQUESTS_MAX) {
    refuse (mail->queue);
    return;
  }
  g_hash_table_insert (worker->queues,
      (gpointer) p2p_out_queue_get_key (mail->queue),
      p2p_out_queue_ref (mail->queue));
  handle (worker,
      &(P2pEvent){
          .kind = P2P_EVENT_REQUEST,
          .id = mail->id,
          .request = &mail->request,
      });
}

/* The request may have ended meanwhile; then the engine has forgotten it. */
static void
take_cancel (P2pWorker *worker, const P2pMail *mail)
{
  if (g_hash_table_remove (worker->queues, &mail->id))
    handle (worker,
        &(P2pEvent){ .kind = P2P_EVENT_REQUEST_CANCEL, .id = mail->id });
}

static void
take_drained (P2pWorker *worker, const P2pMail *mail)
{
  if (g_hash_table_contains (worker->queues, &mail->id))
    handle (worker,
        &(P2pEvent){ .kind = P2P_EVENT_REQUEST_DRAINED, .id = mail->id });
}

static void
take_style (P2pWorker *worker, const P2pMail *mail)
{
  P2pRequest answer = mail->request;

  if (!g_hash_table_contains (worker->queues, &mail->id))
    return;
  if (worker->gateway != NULL)
    answer.gateway_key = p2p_soup_gateway_key (worker->gateway);
  handle (worker,
      &(P2pEvent){
          .kind = P2P_EVENT_REQUEST_STYLE,
          .id = mail->id,
          .request = &answer,
      });
}

static void
on_mail (gpointer user_data, const P2pMail *mail)
{
  switch (mail->kind) {
    case P2P_MAIL_REQUEST:
      take_request (user_data, mail);
      break;
    case P2P_MAIL_CANCEL:
      take_cancel (user_data, mail);
      break;
    case P2P_MAIL_DRAINED:
      take_drained (user_data, mail);
      break;
    case P2P_MAIL_STYLE:
      take_style (user_data, mail);
      break;
    case P2P_MAIL_CALL:
      mail->call (mail->data);
      break;
  }
}

/* --- the thread ----------------------------------------------------------*/

static void
build (P2pWorker *worker)
{
  P2pEnginePorts ports;

  worker->http = p2p_soup_http_new (worker->context, on_event, worker);
  worker->websocket = p2p_soup_ws_new (worker->context, on_event, worker);
  worker->transport =
      p2p_webrtc_transport_new (worker->context, on_event, worker);
  worker->deadline = (DeadlineSource *) g_source_new (
      &deadline_source_funcs, sizeof (DeadlineSource));
  worker->deadline->deadline_us = P2P_NEVER;
  g_source_set_callback (&worker->deadline->source, on_deadline, worker, NULL);
  g_source_set_static_name (&worker->deadline->source, "p2p-deadline");
  g_source_attach (&worker->deadline->source, worker->context);

  ports = (P2pEnginePorts){
    .http = worker->http,
    .websocket = worker->websocket,
    .transport = worker->transport,
    .sink = &worker->sink,
  };
  worker->engine =
      p2p_engine_new (&worker->config->engine, &ports, g_get_monotonic_time ());
}

static void
drop_stats_timer (P2pWorker *worker)
{
  if (worker->stats_timer == NULL)
    return;
  g_source_destroy (worker->stats_timer);
  g_clear_pointer (&worker->stats_timer, g_source_unref);
}

static void
take_down (P2pWorker *worker)
{
  drop_stats_timer (worker);
  g_clear_pointer (&worker->engine, p2p_engine_free);
  g_clear_pointer (&worker->gateway, p2p_soup_gateway_free);
  p2p_webrtc_transport_free (worker->transport);
  p2p_soup_ws_free (worker->websocket);
  p2p_soup_http_free (worker->http);
  g_source_destroy (&worker->deadline->source);
  g_source_unref (&worker->deadline->source);
  g_hash_table_remove_all (worker->queues);
  /* GLib finishes what the adapters have cancelled in later iterations. */
  while (g_main_context_iteration (worker->context, FALSE))
    continue;
}

static gpointer
worker_main (gpointer data)
{
  P2pWorker *worker = data;

  g_main_context_push_thread_default (worker->context);
  build (worker);
  step (worker);
  while (!worker->stop) {
    g_main_context_iteration (worker->context, TRUE);
    if (worker->is_dirty)
      step (worker);
  }
  take_down (worker);
  g_main_context_pop_thread_default (worker->context);

  return NULL;
}

P2pWorker *
p2p_worker_new (P2pConfig *config)
{
  P2pWorker *worker = g_new0 (P2pWorker, 1);

  worker->sink.ops = &sink_ops;
  worker->config = p2p_config_ref (config);
  worker->context = g_main_context_new ();
  worker->mailbox = p2p_mailbox_new (worker->context, on_mail, worker);
  worker->queues = g_hash_table_new_full (
      g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) p2p_out_queue_unref);
  worker->unwoken =
      g_ptr_array_new_with_free_func ((GDestroyNotify) p2p_out_queue_unref);
  worker->thread = g_thread_new ("p2phls-worker", worker_main, worker);

  return worker;
}

static void
ask_to_stop (gpointer data)
{
  P2pWorker *worker = data;

  worker->stop = TRUE;
}

void
p2p_worker_free (P2pWorker *worker)
{
  g_assert (g_thread_self () != worker->thread);

  p2p_mailbox_post (worker->mailbox, ask_to_stop, worker, NULL);
  g_thread_join (worker->thread);
  g_clear_pointer (&worker->mailbox, p2p_mailbox_free);
  g_clear_pointer (&worker->queues, g_hash_table_unref);
  g_clear_pointer (&worker->unwoken, g_ptr_array_unref);
  g_clear_pointer (&worker->context, g_main_context_unref);
  g_clear_pointer (&worker->config, p2p_config_unref);
  g_free (worker);
}

/* --- from other threads --------------------------------------------------*/

void
p2p_worker_request (
    P2pWorker *worker, P2pOutQueue *queue, const P2pRequest *request)
{
  p2p_mailbox_request (worker->mailbox, queue, request);
}

void
p2p_worker_cancel (P2pWorker *worker, P2pOutQueue *queue)
{
  p2p_mailbox_cancel (worker->mailbox, p2p_out_queue_get_request (queue));
}

void
p2p_worker_drained (P2pWorker *worker, P2pOutQueue *queue)
{
  p2p_mailbox_drained (worker->mailbox, p2p_out_queue_get_request (queue));
}

void
p2p_worker_style (P2pWorker *worker, P2pOutQueue *queue, P2pPlaylistStyle style)
{
  p2p_mailbox_style (worker->mailbox, p2p_out_queue_get_request (queue), style);
}

typedef struct
{
  P2pWorker *worker;
  guint16 port;
  P2pHttpProfile *get;
  P2pHttpProfile *head;
  const char *url;
  char *address;
  GError *error;
} GatewayCall;

static void
take_gateway (gpointer data)
{
  GatewayCall *call = data;
  P2pWorker *worker = call->worker;

  if (worker->gateway == NULL)
    worker->gateway = p2p_soup_gateway_new (
        worker->context, call->port, on_event, worker, &call->error);
  if (worker->gateway == NULL)
    return;
  p2p_soup_gateway_set_profiles (worker->gateway, call->get, call->head);
  call->address = p2p_soup_gateway_address (worker->gateway, call->url);
  if (call->address == NULL)
    g_set_error (&call->error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "%s is no http: or https: URL", call->url);
}

char *
p2p_worker_open_gateway (P2pWorker *worker, guint16 port, P2pHttpProfile *get,
    P2pHttpProfile *head, const char *url, GError **error)
{
  GatewayCall call = { worker, port, get, head, url, NULL, NULL };

  p2p_mailbox_call (worker->mailbox, take_gateway, &call);
  if (call.error != NULL)
    g_propagate_error (error, call.error);

  return call.address;
}

typedef struct
{
  P2pWorker *worker;
  P2pConfig *config;
} ConfigureCall;

static void
configure_call_free (gpointer data)
{
  ConfigureCall *call = data;

  p2p_config_unref (call->config);
  g_free (call);
}

static void
take_configure (gpointer data)
{
  ConfigureCall *call = data;
  P2pWorker *worker = call->worker;

  worker->inside_engine = TRUE;
  p2p_engine_configure (
      worker->engine, &call->config->engine, g_get_monotonic_time ());
  worker->inside_engine = FALSE;
  worker->is_dirty = TRUE;
}

void
p2p_worker_configure (P2pWorker *worker, P2pConfig *config)
{
  ConfigureCall *call = g_new0 (ConfigureCall, 1);

  call->worker = worker;
  call->config = p2p_config_ref (config);
  p2p_mailbox_post (worker->mailbox, take_configure, call, configure_call_free);
}

static P2pStats *
snapshot (P2pWorker *worker)
{
  assert_owner (worker);
  return p2p_engine_get_stats (worker->engine, g_get_monotonic_time ());
}

typedef struct
{
  P2pWorker *worker;
  P2pStats *stats;
} StatsCall;

static void
take_stats (gpointer data)
{
  StatsCall *call = data;

  call->stats = snapshot (call->worker);
}

P2pStats *
p2p_worker_get_stats (P2pWorker *worker)
{
  StatsCall call = { .worker = worker };

  /* A handler of our own stats message may well ask for them again. */
  if (g_thread_self () == worker->thread)
    return snapshot (worker);
  p2p_mailbox_call (worker->mailbox, take_stats, &call);

  return call.stats;
}

/* --- stats, again and again ----------------------------------------------*/

typedef struct
{
  P2pWorker *worker;
  guint interval_ms;
  P2pStatsFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
} Report;

static void
report_free (gpointer data)
{
  Report *report = data;

  if (report->destroy != NULL)
    report->destroy (report->user_data);
  g_free (report);
}

static gboolean
on_stats_timer (gpointer data)
{
  Report *report = data;
  g_autoptr (P2pStats) stats = snapshot (report->worker);

  report->func (report->user_data, stats);

  return G_SOURCE_CONTINUE;
}

static void
take_report (gpointer data)
{
  Report **report = data;
  P2pWorker *worker = (*report)->worker;
  guint interval_ms = (*report)->interval_ms;

  drop_stats_timer (worker);
  if (interval_ms == 0)
    return;
  worker->stats_timer = g_timeout_source_new (interval_ms);
  g_source_set_callback (worker->stats_timer, on_stats_timer,
      g_steal_pointer (report), report_free);
  g_source_set_static_name (worker->stats_timer, "p2p-stats");
  g_source_attach (worker->stats_timer, worker->context);
}

static void
report_slot_free (gpointer data)
{
  Report **report = data;

  g_clear_pointer (report, report_free);
  g_free (report);
}

void
p2p_worker_report_stats (P2pWorker *worker, guint interval_ms,
    P2pStatsFunc func, gpointer user_data, GDestroyNotify destroy)
{
  Report **slot = g_new0 (Report *, 1);

  *slot = g_new0 (Report, 1);
  (*slot)->worker = worker;
  (*slot)->interval_ms = interval_ms;
  (*slot)->func = func;
  (*slot)->user_data = user_data;
  (*slot)->destroy = destroy;
  p2p_mailbox_post (worker->mailbox, take_report, slot, report_slot_free);
}

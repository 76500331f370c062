/* p2phlssrc: HTTP over libsoup 3.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "souphttp.h"
#include "readpool.h"
#include "soupmessage.h"
#include "soupsession.h"

#include "base/limits.h"
#include "base/log.h"

/* bytes read for one transfer before the others have their turn: what a
 * socket holds on a fast path, in one read. */
#define TURN_BYTES (1024 * 1024)
/* bytes of an error page that are read so that its connection can be used
 * again. */
#define DRAIN_BYTES (16 * 1024)
/* milliseconds at most that the end waits for libsoup to let go of what was
 * cancelled, which takes as long as a thread of GIO's needs to notice. */
#define LETTING_GO_MS 500

typedef struct
{
  P2pHttpPort port;
  GMainContext *context;
  P2pEventFunc func;
  gpointer user_data;
  GHashTable *transfers; /* id → Transfer, owned */
  P2pSoupSessions sessions;
  guint *sends; /* that libsoup has not finished; shared with them */
  P2pReadPool *pool;
} SoupHttp;

/* One request. Reference counted: libsoup's callback holds one, and a turn
 * of reading another, as the engine may cancel from inside an event. */
typedef struct
{
  SoupHttp *owner; /* NULL: ended, nobody wants to hear of it */
  guint64 id;
  char *uri;
  P2pRange range;
  SoupSession *session;
  SoupMessage *message;
  guint *sends;              /* (nullable) counts this one */
  GCancellable *cancellable; /* while the headers are awaited */
  GInputStream *stream;      /* from the headers on */
  GSource *source;           /* what wakes us next */
  P2pSoupRedirects redirects;
  P2pHttpFailure *failure; /* known before anything was sent */
  guint64 length;          /* of the body; P2P_SIZE_UNKNOWN */
  guint64 received;
  gboolean paused;
} Transfer;

static void
transfer_clear (gpointer data)
{
  Transfer *transfer = data;

  g_assert (transfer->source == NULL);
  g_free (transfer->uri);
  g_clear_object (&transfer->stream);
  g_clear_object (&transfer->message);
  g_clear_object (&transfer->session);
  g_clear_object (&transfer->cancellable);
  g_clear_pointer (&transfer->failure, p2p_http_failure_unref);
}

static void
transfer_unref (Transfer *transfer)
{
  g_rc_box_release_full (transfer, transfer_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Transfer, transfer_unref)

static void
stop_waiting (Transfer *transfer)
{
  if (transfer->source == NULL)
    return;
  g_source_destroy (transfer->source);
  g_clear_pointer (&transfer->source, g_source_unref);
}

static gboolean
on_cancel (gpointer user_data)
{
  Transfer *transfer = user_data;

  if (transfer->cancellable != NULL)
    g_cancellable_cancel (transfer->cancellable);

  return G_SOURCE_REMOVE;
}

/* libsoup 3.6 lets go of a message twice when it is cancelled between its
 * headers and the callback that tells of them, which is then on its way. So
 * whatever is on its way comes first. */
static void
cancel_soon (Transfer *transfer, GMainContext *context)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, on_cancel, g_rc_box_acquire (transfer),
      (GDestroyNotify) transfer_unref);
  g_source_attach (source, context);
}

/* No event any more. Letting go of a stream in the middle of its body closes
 * its connection (HTTP/1) or resets it (HTTP/2). */
static void
transfer_end (gpointer data)
{
  Transfer *transfer = data;

  if (transfer->cancellable != NULL)
    cancel_soon (transfer, transfer->owner->context);
  transfer->owner = NULL;
  stop_waiting (transfer);
  if (transfer->message != NULL)
    g_signal_handlers_disconnect_by_data (transfer->message, transfer);
  g_clear_object (&transfer->stream);
  transfer_unref (transfer);
}

static void
emit (Transfer *transfer, P2pEvent *event)
{
  SoupHttp *self = transfer->owner;

  event->id = transfer->id;
  self->func (self->user_data, event);
}

/* The last event: the transfer is forgotten first, so that the engine can do
 * what it likes from inside. */
static void
emit_last (Transfer *transfer, P2pEvent *event)
{
  SoupHttp *self = transfer->owner;

  event->id = transfer->id;
  g_hash_table_remove (self->transfers, &transfer->id);
  self->func (self->user_data, event);
}

static void
fail (Transfer *transfer, P2pHttpFailure *failure)
{
  P2pEvent event = { .kind = P2P_EVENT_HTTP_FAILED, .failure = failure };

  P2P_LOG_DEBUG (P2P_AREA_HTTP, transfer->id,
      "failed after %" G_GUINT64_FORMAT " bytes: kind %d, status %u, %s",
      transfer->received, failure->kind, failure->status,
      failure->reason != NULL ? failure->reason : "no reason");
  emit_last (transfer, &event);
}

static void
fail_with_error (Transfer *transfer, const GError *error)
{
  g_autoptr (P2pHttpFailure) failure = p2p_soup_message_breakage (
      transfer->message, transfer->uri, &transfer->redirects, error);

  P2P_LOG_DEBUG (P2P_AREA_HTTP, transfer->id, "%s", error->message);
  fail (transfer, failure);
}

/* --- reading ------------------------------------------------------------ */

static void wait_readable (Transfer *transfer);
static void wait_turn (Transfer *transfer);

/* The stream says that all is there; libsoup does not check that when the
 * connection is closed after the response, so we do. */
static void
finish (Transfer *transfer)
{
  P2pEvent event = { .kind = P2P_EVENT_HTTP_DONE };

  if (transfer->length != P2P_SIZE_UNKNOWN
      && transfer->received < transfer->length) {
    g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR,
        G_IO_ERROR_PARTIAL_INPUT, "The body ended before its length");

    fail_with_error (transfer, error);
    return;
  }

  P2P_LOG_LOG (P2P_AREA_HTTP, transfer->id, "done, %" G_GUINT64_FORMAT " bytes",
      transfer->received);
  emit_last (transfer, &event);
}

static void
deliver (Transfer *transfer, gsize length)
{
  g_autoptr (GBytes) bytes = p2p_read_pool_take (transfer->owner->pool, length);
  P2pEvent event = { .kind = P2P_EVENT_HTTP_DATA };

  transfer->received += length;
  event.bytes = bytes;
  P2P_LOG_TRACE (
      P2P_AREA_HTTP, transfer->id, "%" G_GSIZE_FORMAT " bytes", length);
  emit (transfer, &event);
}

/* Reads once, @room bytes at most. FALSE: nothing more for now, or ended. */
static gboolean
read_some (Transfer *transfer, gsize room)
{
  g_autoptr (GError) error = NULL;
  guint8 *data;
  gssize length;

  if (transfer->length != P2P_SIZE_UNKNOWN)
    room = MIN (room,
        MAX (transfer->length - MIN (transfer->received, transfer->length), 1));
  data = p2p_read_pool_reserve (transfer->owner->pool, &room);
  length = g_pollable_input_stream_read_nonblocking (
      G_POLLABLE_INPUT_STREAM (transfer->stream), data, room, NULL, &error);

  if (length > 0) {
    gboolean full = (gsize) length == room;

    deliver (transfer, length);
    /* A read that was not filled has emptied the socket. */
    return full || transfer->length == P2P_SIZE_UNKNOWN
        || transfer->received >= transfer->length;
  }
  if (length == 0)
    finish (transfer);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    fail_with_error (transfer, error);

  return FALSE;
}

/* One turn. Reading without GTask between: a read that finds its bytes costs
 * no iteration of the main loop. */
static gboolean
on_readable (gpointer user_data)
{
  g_autoptr (Transfer) transfer = g_rc_box_acquire (user_data);
  guint64 turn_end = transfer->received + TURN_BYTES;
  gboolean more = TRUE;

  stop_waiting (transfer);
  while (more && transfer->received < turn_end) {
    more = read_some (transfer, turn_end - transfer->received);
    if (transfer->owner == NULL || transfer->paused)
      return G_SOURCE_REMOVE;
  }
  if (more)
    wait_turn (transfer);
  else
    wait_readable (transfer);

  return G_SOURCE_REMOVE;
}

static gboolean
on_pollable (GObject *stream, gpointer user_data)
{
  return on_readable (user_data);
}

/* Waits for the socket. Only for a stream that has just said that it is empty:
 * what HTTP/2 has buffered does not wake its source. A new source each time,
 * as the streams decide when it is made what they wait for. */
static void
wait_readable (Transfer *transfer)
{
  stop_waiting (transfer);
  transfer->source = g_pollable_input_stream_create_source (
      G_POLLABLE_INPUT_STREAM (transfer->stream), NULL);
  g_source_set_callback (
      transfer->source, G_SOURCE_FUNC (on_pollable), transfer, NULL);
  g_source_attach (transfer->source, transfer->owner->context);
}

/* Waits for its turn. */
static void
wait_turn (Transfer *transfer)
{
  stop_waiting (transfer);
  transfer->source = g_idle_source_new ();
  g_source_set_priority (transfer->source, G_PRIORITY_DEFAULT);
  g_source_set_callback (transfer->source, on_readable, transfer, NULL);
  g_source_attach (transfer->source, transfer->owner->context);
}

/* --- headers ------------------------------------------------------------ */

/* Reads a small error page that is there already: its end lets libsoup use
 * the connection again, and a demuxer will soon ask again. */
static void
drain (GInputStream *stream)
{
  char page[DRAIN_BYTES];
  gsize left = sizeof page;
  gssize length = 1;

  while (left > 0 && length > 0) {
    length = g_pollable_input_stream_read_nonblocking (
        G_POLLABLE_INPUT_STREAM (stream), page, left, NULL, NULL);
    left -= MAX (length, 0);
  }
}

static void
on_restarted (SoupMessage *message, Transfer *transfer)
{
  guint status = soup_message_get_status (message);

  if (!SOUP_STATUS_IS_REDIRECTION (status))
    return;

  transfer->redirects.hops++;
  if (status == SOUP_STATUS_MOVED_PERMANENTLY
      || status == SOUP_STATUS_PERMANENT_REDIRECT)
    transfer->redirects.permanent_hops++;
  P2P_LOG_DEBUG (P2P_AREA_HTTP, transfer->id, "redirect %u", status);
}

static void
on_refused (Transfer *transfer)
{
  g_autoptr (P2pHttpFailure) failure = p2p_soup_message_refusal (
      transfer->message, transfer->uri, &transfer->redirects);

  drain (transfer->stream);
  fail (transfer, failure);
}

static void
on_headers (Transfer *transfer)
{
  g_autoptr (P2pHttpResponse) response = p2p_soup_message_response (
      transfer->message, transfer->uri, &transfer->range, &transfer->redirects);
  P2pEvent event = { .kind = P2P_EVENT_HTTP_HEADERS, .response = response };

  P2P_LOG_DEBUG (P2P_AREA_HTTP, transfer->id,
      "status %u, length %" G_GINT64_FORMAT, response->status,
      (gint64) response->content_length);
  if (soup_message_get_method (transfer->message) != SOUP_METHOD_HEAD)
    transfer->length = response->content_length;
  emit (transfer, &event);
  if (transfer->owner != NULL && !transfer->paused)
    on_readable (transfer);
}

static void
on_sent (GObject *session, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Transfer) transfer = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (session), result, &error);

  --*transfer->sends;
  g_clear_pointer (&transfer->sends, g_rc_box_release);
  g_clear_object (&transfer->cancellable);
  if (transfer->owner == NULL)
    return;

  if (stream == NULL) {
    fail_with_error (transfer, error);
    return;
  }
  transfer->stream = g_steal_pointer (&stream);
  /* A HEAD that is refused is an answer too: it asks whether. */
  if (SOUP_STATUS_IS_SUCCESSFUL (soup_message_get_status (transfer->message))
      || soup_message_get_method (transfer->message) == SOUP_METHOD_HEAD)
    on_headers (transfer);
  else
    on_refused (transfer);
}

/* --- the port ----------------------------------------------------------- */

static gboolean
on_stillborn (gpointer user_data)
{
  g_autoptr (Transfer) transfer = g_rc_box_acquire (user_data);

  stop_waiting (transfer);
  fail (transfer, transfer->failure);

  return G_SOURCE_REMOVE;
}

/* Nothing is ever answered from inside a call. */
static void
fail_later (Transfer *transfer, P2pHttpFailureKind kind, const char *reason)
{
  transfer->failure = p2p_http_failure_new (kind);
  transfer->failure->reason = g_strdup (reason);
  transfer->failure->uri = g_strdup (transfer->uri);
  transfer->source = g_idle_source_new ();
  g_source_set_priority (transfer->source, G_PRIORITY_DEFAULT);
  g_source_set_callback (transfer->source, on_stillborn, transfer, NULL);
  g_source_attach (transfer->source, transfer->owner->context);
}

static void
send (Transfer *transfer)
{
  transfer->cancellable = g_cancellable_new ();
  transfer->sends = g_rc_box_acquire (transfer->owner->sends);
  ++*transfer->sends;
  g_signal_connect (
      transfer->message, "restarted", G_CALLBACK (on_restarted), transfer);
  soup_session_send_async (transfer->session, transfer->message,
      G_PRIORITY_DEFAULT, transfer->cancellable, on_sent,
      g_rc_box_acquire (transfer));
}

static void
http_start (P2pHttpPort *port, guint64 http, const P2pHttpRequest *request)
{
  SoupHttp *self = (SoupHttp *) port;
  Transfer *transfer = g_rc_box_new0 (Transfer);
  g_autoptr (GError) error = NULL;

  g_assert (g_main_context_is_owner (self->context));
  g_assert (!g_hash_table_contains (self->transfers, &http));

  transfer->owner = self;
  transfer->id = http;
  transfer->uri = g_strdup (request->uri);
  transfer->range = request->range;
  transfer->length = P2P_SIZE_UNKNOWN;
  g_hash_table_insert (self->transfers, &transfer->id, transfer);

  transfer->message =
      p2p_soup_message_build (request->uri, &request->range, request->profile);
  if (transfer->message == NULL) {
    fail_later (transfer, P2P_HTTP_FAILURE_URI, "Not an HTTP URI");
    return;
  }
  transfer->session =
      p2p_soup_sessions_get (&self->sessions, request->profile, &error);
  if (transfer->session == NULL) {
    fail_later (transfer, P2P_HTTP_FAILURE_TLS, error->message);
    return;
  }
  send (transfer);
}

static void
http_pause (P2pHttpPort *port, guint64 http)
{
  SoupHttp *self = (SoupHttp *) port;
  Transfer *transfer = g_hash_table_lookup (self->transfers, &http);

  if (transfer == NULL)
    return;
  transfer->paused = TRUE;
  if (transfer->stream != NULL)
    stop_waiting (transfer);
}

static void
http_resume (P2pHttpPort *port, guint64 http)
{
  SoupHttp *self = (SoupHttp *) port;
  Transfer *transfer = g_hash_table_lookup (self->transfers, &http);

  if (transfer == NULL)
    return;
  transfer->paused = FALSE;
  if (transfer->stream != NULL && transfer->source == NULL)
    wait_turn (transfer);
}

static void
http_cancel (P2pHttpPort *port, guint64 http)
{
  SoupHttp *self = (SoupHttp *) port;

  g_assert (g_main_context_is_owner (self->context));
  g_hash_table_remove (self->transfers, &http);
}

static const P2pHttpOps http_ops = {
  .start = http_start,
  .pause = http_pause,
  .resume = http_resume,
  .cancel = http_cancel,
};

P2pHttpPort *
p2p_soup_http_new (GMainContext *context, P2pEventFunc func, gpointer user_data)
{
  SoupHttp *self = g_new0 (SoupHttp, 1);

  self->port.ops = &http_ops;
  self->context = g_main_context_ref (context);
  self->func = func;
  self->user_data = user_data;
  self->transfers =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, transfer_end);
  p2p_soup_sessions_init (&self->sessions);
  self->sends = g_rc_box_new0 (guint);
  self->pool = p2p_read_pool_new ();

  return &self->port;
}

static gboolean
on_waited_enough (gpointer is_late)
{
  *(gboolean *) is_late = TRUE;

  return G_SOURCE_REMOVE;
}

/* A send that nobody finishes would keep one of the connections of an
 * application's session for as long as that lives; and to abort our own is to
 * cancel at once. */
static void
let_go_of_sessions (SoupHttp *self)
{
  g_autoptr (GSource) timer = NULL;
  gboolean is_late = FALSE;

  if (*self->sends == 0)
    return;
  timer = g_timeout_source_new (LETTING_GO_MS);
  g_source_set_callback (timer, on_waited_enough, &is_late, NULL);
  g_source_attach (timer, self->context);
  while (*self->sends > 0 && !is_late)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (timer);
  if (is_late)
    P2P_LOG_WARNING (
        P2P_AREA_HTTP, 0, "libsoup holds on to %u requests", *self->sends);
}

void
p2p_soup_http_free (P2pHttpPort *port)
{
  SoupHttp *self = (SoupHttp *) port;

  g_hash_table_unref (self->transfers);
  let_go_of_sessions (self);
  g_rc_box_release (self->sends);
  p2p_soup_sessions_clear (&self->sessions);
  p2p_read_pool_free (self->pool);
  g_main_context_unref (self->context);
  g_free (self);
}

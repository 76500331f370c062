/* p2phlssrc: how the element reads.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gstp2phlssrc-private.h"

#include "downstream.h"
#include "gstlog.h"
#include "httpmsg.h"
#include "location.h"

#define GST_CAT_DEFAULT (p2p_gst_log_category (P2P_AREA_SRC))

/* How souphttpsrc moves its `blocksize`, which bounds a buffer: doubled by a
 * full one, halved by so many in a row that fill less than a part of it, and
 * then not below the default. */
#define SMALL_BUFFER_PART 5
#define SMALL_BUFFERS_MAX 2
#define BLOCKSIZE_MIN_BYTES 4096

#define HTTP_OK_FIRST 200
#define HTTP_OK_LAST 299
#define HTTP_UNAUTHORIZED 401
#define HTTP_RANGE_NOT_SATISFIABLE 416

/* Numbers for requests, unique in the process, so that a log tells sessions'
 * requests apart. */
static guint64
next_request (void)
{
  static guint64 last;

  return __atomic_add_fetch (&last, 1, __ATOMIC_RELAXED);
}

/* --- asking --------------------------------------------------------------*/

/* What goes into the letter, @request, and what it points into. */
typedef struct
{
  char *location;
  P2pHttpProfile *profile;
  P2pRequest request;
} Question;

static void
question_clear (Question *question)
{
  g_clear_pointer (&question->location, g_free);
  g_clear_pointer (&question->profile, p2p_http_profile_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Question, question_clear)

/* Returns: whether the location can be asked for. */
static gboolean
question_fill (Question *question, GstP2pHlsSrc *src, gboolean is_head)
{
  gst_p2p_hls_src_lock (src);
  question->location = g_strdup (src->location);
  question->profile = is_head ? p2p_http_props_get_head_profile (&src->http)
                              : p2p_http_props_get_profile (&src->http);
  question->request = (P2pRequest){
    .uri = p2p_location_request_uri (question->location),
    .range = P2P_RANGE_ALL,
    .consumer = src->consumer,
    .profile = question->profile,
    .p2p = !is_head && p2p_http_props_is_get (&src->http)
        && gst_p2p_hls_src_is_p2p_locked (src),
    .style = P2P_PLAYLIST_ASK,
  };
  gst_p2p_hls_src_unlock (src);

  return question->request.uri != NULL;
}

/* Puts @queue where unlock() finds it. Returns: FALSE when flushing, or when
 * another thread was first. */
static gboolean
install (GstP2pHlsSrc *src, P2pOutQueue **slot, P2pOutQueue *queue)
{
  gboolean is_free;

  gst_p2p_hls_src_lock (src);
  is_free = !src->flushing && *slot == NULL;
  if (is_free)
    *slot = p2p_out_queue_ref (queue);
  gst_p2p_hls_src_unlock (src);

  return is_free;
}

static P2pOutQueue *
take (GstP2pHlsSrc *src, P2pOutQueue **slot)
{
  P2pOutQueue *queue;

  gst_p2p_hls_src_lock (src);
  queue = g_steal_pointer (slot);
  gst_p2p_hls_src_unlock (src);

  return queue;
}

/* The session and its worker, kept until leave_worker(). */
static P2pWorker *
enter_worker (GstP2pHlsSrc *src, P2pSession **session)
{
  P2pWorker *worker;

  gst_p2p_hls_src_lock (src);
  *session = src->session != NULL ? p2p_session_ref (src->session) : NULL;
  gst_p2p_hls_src_unlock (src);
  if (*session == NULL)
    return NULL;
  worker = p2p_session_enter (*session);
  if (worker == NULL)
    g_clear_pointer (session, p2p_session_unref);

  return worker;
}

static void
leave_worker (P2pSession *session)
{
  p2p_session_exit (session);
  p2p_session_unref (session);
}

static gboolean
post_request (GstP2pHlsSrc *src, P2pOutQueue *queue, const P2pRequest *request)
{
  P2pSession *session;
  P2pWorker *worker = enter_worker (src, &session);

  if (worker == NULL)
    return FALSE;
  GST_DEBUG_OBJECT (src,
      "request #%" G_GUINT64_FORMAT ", bytes %" G_GUINT64_FORMAT
      " to %" G_GINT64_FORMAT ", p2p %d",
      p2p_out_queue_get_request (queue), request->range.start,
      (gint64) request->range.end, request->p2p);
  p2p_worker_request (worker, queue, request);
  leave_worker (session);

  return TRUE;
}

/* Takes the queue out of @slot and lets the worker forget it. */
static void
drop (GstP2pHlsSrc *src, P2pOutQueue **slot)
{
  g_autoptr (P2pOutQueue) queue = take (src, slot);
  P2pSession *session;
  P2pWorker *worker;

  if (queue == NULL || p2p_out_queue_is_finished (queue))
    return;
  worker = enter_worker (src, &session);
  if (worker == NULL)
    return;
  p2p_worker_cancel (worker, queue);
  leave_worker (session);
}

void
gst_p2p_hls_src_drop_request (GstP2pHlsSrc *src)
{
  drop (src, &src->queue);
  g_clear_pointer (&src->rest, g_bytes_unref);
  src->is_answered = FALSE;
}

static GstFlowReturn
bad_uri (GstP2pHlsSrc *src)
{
  GST_ELEMENT_ERROR (src, RESOURCE, OPEN_READ, ("Cannot read this URL."),
      ("URL: %s", src->asked_location));
  return GST_FLOW_ERROR;
}

static void
remember (GstP2pHlsSrc *src, const Question *question)
{
  g_free (src->asked_location);
  src->asked_location = g_strdup (question->location);
  g_clear_pointer (&src->asked_profile, p2p_http_profile_unref);
  src->asked_profile = p2p_http_profile_ref (question->profile);
}

static GstFlowReturn
start_request (GstP2pHlsSrc *src)
{
  g_autoptr (P2pOutQueue) queue = NULL;
  g_auto (Question) question = { 0 };
  gboolean is_good = question_fill (&question, src, FALSE);

  remember (src, &question);
  if (src->position == src->stop)
    return GST_FLOW_EOS;
  if (!is_good)
    return bad_uri (src);

  question.request.range.start = src->position;
  if (src->stop != P2P_SIZE_UNKNOWN)
    question.request.range.end = src->stop - 1;
  queue = p2p_out_queue_new (next_request ());
  src->is_answered = FALSE;
  if (!install (src, &src->queue, queue))
    return GST_FLOW_FLUSHING;

  if (!post_request (src, queue, &question.request))
    return GST_FLOW_ERROR;
  p2p_prepare_reader (GST_BASE_SRC_PAD (src));

  return GST_FLOW_OK;
}

/* --- headers -------------------------------------------------------------*/

static void
post_headers (GstP2pHlsSrc *src, const GstStructure *headers)
{
  gst_element_post_message (GST_ELEMENT (src),
      gst_message_new_element (GST_OBJECT (src), gst_structure_copy (headers)));
}

static void
set_redirection_locked (
    GstP2pHlsSrc *src, const char *uri, gboolean is_permanent)
{
  g_free (src->redirection_uri);
  src->redirection_uri = g_strdup (uri);
  src->redirection_permanent = is_permanent;
}

static char *
dup_redirection (GstP2pHlsSrc *src)
{
  char *uri;

  gst_p2p_hls_src_lock (src);
  uri = g_strdup (src->redirection_uri);
  gst_p2p_hls_src_unlock (src);

  return uri;
}

/* What the headers say about the resource. Its size is where the asked range
 * ends, as souphttpsrc has it. Returns: whether the size is news. */
static gboolean
learn_locked (GstP2pHlsSrc *src, const P2pHttpResponse *response)
{
  gboolean has_news = FALSE;

  if (response->redirected)
    set_redirection_locked (src, response->uri, response->permanent_redirect);
  src->got_headers = TRUE;
  if (response->content_length != P2P_SIZE_UNKNOWN
      && response->status >= HTTP_OK_FIRST
      && response->status <= HTTP_OK_LAST) {
    guint64 size = response->range_start + response->content_length;

    if (!src->has_size || src->size != size) {
      has_news = TRUE;
      src->size = size;
      src->has_size = TRUE;
      src->seekable = TRUE;
      GST_BASE_SRC (src)->segment.duration = size;
    }
  }
  if (!response->accepts_ranges)
    src->seekable = FALSE;

  return has_news;
}

static void
learn (GstP2pHlsSrc *src, const P2pHttpResponse *response)
{
  gboolean has_news;

  gst_p2p_hls_src_lock (src);
  has_news = learn_locked (src, response);
  gst_p2p_hls_src_unlock (src);

  if (has_news)
    gst_element_post_message (
        GST_ELEMENT (src), gst_message_new_duration_changed (GST_OBJECT (src)));
}

static void
announce_media (GstP2pHlsSrc *src, char **headers)
{
  g_autoptr (GstCaps) caps = p2p_http_caps (headers);
  GstTagList *tags = p2p_http_tags (headers);

  if (caps != NULL)
    gst_base_src_set_caps (GST_BASE_SRC (src), caps);
  if (tags != NULL)
    gst_pad_push_event (GST_BASE_SRC_PAD (src), gst_event_new_tag (tags));
}

/* The server gave another part of the resource than was asked for. */
static GstFlowReturn
no_ranges (GstP2pHlsSrc *src, guint status)
{
  g_autofree char *redirection_uri = dup_redirection (src);
  const char *redirect = GST_STR_NULL (redirection_uri);

  gst_p2p_hls_src_lock (src);
  src->seekable = FALSE;
  gst_p2p_hls_src_unlock (src);
  GST_ELEMENT_ERROR_WITH_DETAILS (src, RESOURCE, SEEK,
      ("The server does not support seeking."),
      ("No Range in the answer, URL: %s, Redirect to: %s", src->asked_location,
          redirect),
      ("http-status-code", G_TYPE_UINT, status, "http-redirection-uri",
          G_TYPE_STRING, redirect, NULL));

  return GST_FLOW_ERROR;
}

/* A typefinder chooses the demuxer by caps, and who that is decides how the
 * playlist is written: it must have them before any of the playlist's bytes. */
static P2pReader
find_reader (GstP2pHlsSrc *src)
{
  P2pReader reader = p2p_find_reader (GST_BASE_SRC_PAD (src));
  g_autoptr (GstCaps) caps = NULL;

  if (reader != P2P_READER_UNDECIDED)
    return reader;
  caps = gst_caps_new_empty_simple ("application/x-hls");
  gst_base_src_set_caps (GST_BASE_SRC (src), caps);

  return p2p_find_reader (GST_BASE_SRC_PAD (src));
}

/* Where the demuxer below shall go on. FALSE: at the origin, without us. */
static gboolean
open_gateway (GstP2pHlsSrc *src)
{
  P2pSession *session;
  P2pWorker *worker = enter_worker (src, &session);
  g_autoptr (P2pHttpProfile) head = NULL;
  g_autoptr (GError) error = NULL;
  char *address;

  if (worker == NULL)
    return FALSE;
  gst_p2p_hls_src_lock (src);
  head = p2p_http_props_get_head_profile (&src->http);
  gst_p2p_hls_src_unlock (src);
  address = p2p_worker_open_gateway (worker, 0, src->asked_profile, head,
      p2p_location_request_uri (src->asked_location), &error);
  leave_worker (session);
  if (address == NULL)
    GST_WARNING_OBJECT (
        src, "no gateway, nothing is shared: %s", error->message);

  gst_p2p_hls_src_lock (src);
  g_free (src->gateway_uri);
  src->gateway_uri = address;
  gst_p2p_hls_src_unlock (src);

  return address != NULL;
}

static P2pPlaylistStyle
choose_style (GstP2pHlsSrc *src)
{
  gboolean keeps_scheme;

  if (find_reader (src) == P2P_READER_FETCHES)
    return open_gateway (src) ? P2P_PLAYLIST_GATEWAY : P2P_PLAYLIST_AS_IT_IS;

  gst_p2p_hls_src_lock (src);
  keeps_scheme = gst_p2p_hls_src_keeps_scheme_locked (src);
  gst_p2p_hls_src_unlock (src);

  return keeps_scheme ? P2P_PLAYLIST_PREFIXED : P2P_PLAYLIST_AS_IT_IS;
}

static void
tell_style (GstP2pHlsSrc *src)
{
  P2pPlaylistStyle style = choose_style (src);
  P2pSession *session;
  P2pWorker *worker = enter_worker (src, &session);

  if (worker == NULL)
    return;
  p2p_worker_style (worker, src->queue, style);
  leave_worker (session);
}

static GstFlowReturn
take_response (GstP2pHlsSrc *src, P2pHttpResponse *response)
{
  g_autofree char *redirection_uri = NULL;
  GstStructure *headers;

  learn (src, response);
  redirection_uri = dup_redirection (src);
  headers = p2p_http_headers_structure (src->asked_location, response->status,
      redirection_uri, response->request_headers, response->response_headers);
  post_headers (src, headers);
  announce_media (src, response->response_headers);
  src->is_answered = TRUE;
  if (src->position > 0 && response->range_start != src->position) {
    gst_structure_free (headers);
    return no_ranges (src, response->status);
  }
  gst_pad_push_event (GST_BASE_SRC_PAD (src),
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, headers));
  if (response->is_playlist)
    tell_style (src);

  return GST_FLOW_OK;
}

/* --- failures ------------------------------------------------------------*/

/* souphttpsrc names the target of redirects that it has followed. Nobody asks
 * again, with HEAD, whether a place that has just refused could seek. */
static void
learn_from_failure (GstP2pHlsSrc *src, const P2pHttpFailure *failure)
{
  gst_p2p_hls_src_lock (src);
  src->got_headers = TRUE;
  if (failure->redirection_uri != NULL)
    set_redirection_locked (src, failure->redirection_uri, FALSE);
  gst_p2p_hls_src_unlock (src);
}

static void
post_failed_headers (GstP2pHlsSrc *src, const P2pHttpFailure *failure)
{
  g_autofree char *redirection_uri = dup_redirection (src);
  g_autoptr (GstStructure) headers =
      p2p_http_headers_structure (src->asked_location, failure->status,
          redirection_uri, failure->request_headers, failure->response_headers);

  post_headers (src, headers);
}

/* After a body of unknown size, asking for what follows it is no error. */
static gboolean
is_past_the_end (GstP2pHlsSrc *src, const P2pHttpFailure *failure)
{
  return failure->status == HTTP_RANGE_NOT_SATISFIABLE && src->had_body
      && (!src->has_size || src->position >= src->size);
}

static GstFlowReturn
take_status (GstP2pHlsSrc *src, const P2pHttpFailure *failure)
{
  g_autofree char *redirection_uri = NULL;

  learn_from_failure (src, failure);
  if (!src->is_answered) {
    post_failed_headers (src, failure);
    /* souphttpsrc does so for all but these. */
    if (failure->status != HTTP_UNAUTHORIZED)
      announce_media (src, failure->response_headers);
  }
  if (is_past_the_end (src, failure))
    return GST_FLOW_EOS;
  redirection_uri = dup_redirection (src);
  p2p_http_post_status_error (GST_ELEMENT (src), src->asked_location,
      redirection_uri, failure->status, failure->reason);

  return GST_FLOW_ERROR;
}

/* The connection, not the server, let us down. souphttpsrc posts no error of
 * its own for one that never answered (GstBaseSrc does), and asks again for
 * the rest of a body that broke off. */
static GstFlowReturn
take_breakage (GstP2pHlsSrc *src, const P2pHttpFailure *failure)
{
  GST_WARNING_OBJECT (src, "%s after %" G_GUINT64_FORMAT " bytes: %s",
      src->is_answered ? "broke off" : "no answer", src->position,
      GST_STR_NULL (failure->reason));
  /* The engine has tried again as often as it may. */
  if (src->is_answered)
    return GST_FLOW_ERROR;
  learn_from_failure (src, failure);
  post_failed_headers (src, failure);

  return GST_FLOW_ERROR;
}

static GstFlowReturn
take_failure (GstP2pHlsSrc *src)
{
  g_autoptr (P2pHttpFailure) failure = p2p_out_queue_failure (src->queue);

  if (failure == NULL) /* ended without headers: nothing to give */
    return GST_FLOW_EOS;

  switch (failure->kind) {
    case P2P_HTTP_FAILURE_CANCELLED:
      return GST_FLOW_FLUSHING;
    case P2P_HTTP_FAILURE_URI:
      return bad_uri (src);
    case P2P_HTTP_FAILURE_RANGE:
      return no_ranges (src, failure->status);
    case P2P_HTTP_FAILURE_STATUS:
    case P2P_HTTP_FAILURE_REDIRECT:
      if (failure->status != 0)
        return take_status (src, failure);
      return take_breakage (src, failure);
    case P2P_HTTP_FAILURE_RESOLVE:
    case P2P_HTTP_FAILURE_CONNECT:
    case P2P_HTTP_FAILURE_TLS:
    case P2P_HTTP_FAILURE_TIMEOUT:
    case P2P_HTTP_FAILURE_SHORT:
    case P2P_HTTP_FAILURE_IO:
      return take_breakage (src, failure);
  }
  g_assert_not_reached ();
}

/* --- reading -------------------------------------------------------------*/

static GstFlowReturn
ensure_answer (GstP2pHlsSrc *src)
{
  g_autoptr (P2pHttpResponse) response = NULL;
  GstFlowReturn flow;

  if (src->restart)
    gst_p2p_hls_src_drop_request (src);
  src->restart = FALSE;
  if (src->queue == NULL) {
    flow = start_request (src);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  if (src->is_answered)
    return GST_FLOW_OK;

  switch (p2p_out_queue_wait_headers (src->queue)) {
    case P2P_OUT_FLUSHING:
      return GST_FLOW_FLUSHING;
    case P2P_OUT_FAILED:
      return take_failure (src);
    case P2P_OUT_HEADERS:
    case P2P_OUT_DATA:
    case P2P_OUT_END:
      break;
  }
  response = p2p_out_queue_response (src->queue);

  return take_response (src, response);
}

/* The resource has grown since its size was told. */
static void
grow (GstP2pHlsSrc *src)
{
  gboolean has_grown;

  gst_p2p_hls_src_lock (src);
  has_grown = src->has_size && src->position > src->size;
  if (has_grown) {
    src->size = src->position;
    GST_BASE_SRC (src)->segment.duration = src->size;
  }
  gst_p2p_hls_src_unlock (src);

  if (has_grown)
    gst_element_post_message (
        GST_ELEMENT (src), gst_message_new_duration_changed (GST_OBJECT (src)));
}

/* The very bytes that came from the socket, as read-only memory: the store
 * holds them too, and peers are served them. */
static GstBuffer *
wrap (GstP2pHlsSrc *src, GBytes *bytes)
{
  GstBuffer *buffer;

  if (src->stop != P2P_SIZE_UNKNOWN
      && g_bytes_get_size (bytes) > src->stop - src->position) {
    g_autoptr (GBytes) wanted =
        g_bytes_new_from_bytes (bytes, 0, src->stop - src->position);

    buffer = gst_buffer_new_wrapped_bytes (wanted);
  } else {
    buffer = gst_buffer_new_wrapped_bytes (bytes);
  }
  GST_BUFFER_OFFSET (buffer) = GST_BASE_SRC (src)->segment.position;

  return buffer;
}

static void
tell_drained (GstP2pHlsSrc *src)
{
  P2pSession *session;
  P2pWorker *worker = enter_worker (src, &session);

  if (worker == NULL)
    return;
  p2p_worker_drained (worker, src->queue);
  leave_worker (session);
}

static void
move_blocksize (GstP2pHlsSrc *src, gsize given)
{
  gulong blocksize = gst_base_src_get_blocksize (GST_BASE_SRC (src));

  if (given >= blocksize / SMALL_BUFFER_PART)
    src->small_buffers = 0;
  else
    src->small_buffers++;

  if (given >= blocksize && blocksize <= G_MAXUINT / 2) {
    gst_base_src_set_blocksize (GST_BASE_SRC (src), blocksize * 2);
  } else if (src->small_buffers >= SMALL_BUFFERS_MAX) {
    src->small_buffers = 0;
    gst_base_src_set_blocksize (
        GST_BASE_SRC (src), MAX (blocksize / 2, BLOCKSIZE_MIN_BYTES));
  }
}

/* Keeps back what is too much for one buffer. */
static void
split (GstP2pHlsSrc *src, GBytes **bytes)
{
  gsize size = g_bytes_get_size (*bytes);
  gsize most = gst_base_src_get_blocksize (GST_BASE_SRC (src));
  g_autoptr (GBytes) all = NULL;

  if (size > most) {
    all = g_steal_pointer (bytes);
    *bytes = g_bytes_new_from_bytes (all, 0, most);
    src->rest = g_bytes_new_from_bytes (all, most, size - most);
  }
  move_blocksize (src, MIN (size, most));
}

static P2pOutStatus
next_piece (GstP2pHlsSrc *src, GBytes **bytes)
{
  P2pOutStatus status = P2P_OUT_DATA;
  gboolean drained = FALSE;

  if (src->rest != NULL)
    *bytes = g_steal_pointer (&src->rest);
  else
    status = p2p_out_queue_pop (src->queue, bytes, &drained);
  if (drained)
    tell_drained (src);

  return status;
}

static GstFlowReturn
read_bytes (GstP2pHlsSrc *src, GstBuffer **buffer)
{
  g_autoptr (GBytes) bytes = NULL;

  switch (next_piece (src, &bytes)) {
    case P2P_OUT_FLUSHING:
      return GST_FLOW_FLUSHING;
    case P2P_OUT_FAILED:
      return take_failure (src);
    case P2P_OUT_END:
      src->had_body = TRUE;
      return GST_FLOW_EOS;
    case P2P_OUT_HEADERS:
    case P2P_OUT_DATA:
      break;
  }
  if (src->position >= src->stop)
    return GST_FLOW_EOS;
  split (src, &bytes);
  *buffer = wrap (src, bytes);
  src->position += gst_buffer_get_size (*buffer);
  grow (src);

  return GST_FLOW_OK;
}

GstFlowReturn
gst_p2p_hls_src_read (GstP2pHlsSrc *src, GstBuffer **buffer)
{
  GstFlowReturn flow = ensure_answer (src);

  if (flow == GST_FLOW_OK)
    flow = read_bytes (src, buffer);
  /* A flushed request goes on when nobody has sought elsewhere meanwhile. */
  if (flow != GST_FLOW_OK && flow != GST_FLOW_FLUSHING)
    gst_p2p_hls_src_drop_request (src);

  return flow;
}

/* --- learning before reading ---------------------------------------------*/

static gboolean
needs_headers (GstP2pHlsSrc *src, P2pOutQueue **queue)
{
  gboolean needs;

  gst_p2p_hls_src_lock (src);
  needs = !src->got_headers && !src->flushing && src->session != NULL
      && GST_STATE (src) >= GST_STATE_PAUSED;
  *queue = needs && src->queue != NULL ? p2p_out_queue_ref (src->queue) : NULL;
  gst_p2p_hls_src_unlock (src);

  return needs;
}

static void
learn_from (GstP2pHlsSrc *src, P2pOutQueue *queue)
{
  g_autoptr (P2pHttpResponse) response = NULL;

  if (p2p_out_queue_wait_headers (queue) != P2P_OUT_HEADERS)
    return;
  response = p2p_out_queue_response (queue);
  learn (src, response);
}

static void
ask_head (GstP2pHlsSrc *src)
{
  g_autoptr (P2pOutQueue) probe = p2p_out_queue_new (next_request ());
  g_auto (Question) question = { 0 };

  if (!question_fill (&question, src, TRUE)
      || !install (src, &src->probe, probe))
    return;
  if (post_request (src, probe, &question.request))
    learn_from (src, probe);
  drop (src, &src->probe);
}

void
gst_p2p_hls_src_learn_headers (GstP2pHlsSrc *src)
{
  g_autoptr (P2pOutQueue) queue = NULL;

  if (!needs_headers (src, &queue))
    return;
  if (queue != NULL)
    learn_from (src, queue);
  else
    ask_head (src);
}

void
gst_p2p_hls_src_set_flushing (GstP2pHlsSrc *src, gboolean flushing)
{
  gst_p2p_hls_src_lock (src);
  src->flushing = flushing;
  if (src->queue != NULL)
    p2p_out_queue_set_flushing (src->queue, flushing);
  if (src->probe != NULL)
    p2p_out_queue_set_flushing (src->probe, flushing);
  gst_p2p_hls_src_unlock (src);
}

void
gst_p2p_hls_src_reset (GstP2pHlsSrc *src)
{
  gst_p2p_hls_src_drop_request (src);
  src->position = 0;
  src->stop = P2P_SIZE_UNKNOWN;
  src->restart = FALSE;
  src->had_body = FALSE;
  g_clear_pointer (&src->asked_location, g_free);
  g_clear_pointer (&src->asked_profile, p2p_http_profile_unref);

  gst_p2p_hls_src_lock (src);
  src->got_headers = FALSE;
  src->has_size = FALSE;
  src->seekable = FALSE;
  src->size = 0;
  gst_p2p_hls_src_unlock (src);
}

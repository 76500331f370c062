/* p2phlssrc: one request's bytes on their way from the worker to a streaming
 * thread.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Shared state, one lock, never held while calling out.
 */
#pragma once

#include "ports/http.h"

G_BEGIN_DECLS

typedef struct _P2pOutQueue P2pOutQueue;

/**
 * P2pOutStatus:
 * @P2P_OUT_HEADERS: the response is known (p2p_out_queue_response())
 * @P2P_OUT_DATA: bytes were taken
 * @P2P_OUT_END: all bytes were taken
 * @P2P_OUT_FAILED: no more bytes; p2p_out_queue_failure() says why
 * @P2P_OUT_FLUSHING: p2p_out_queue_set_flushing() woke us
 */
typedef enum
{
  P2P_OUT_HEADERS,
  P2P_OUT_DATA,
  P2P_OUT_END,
  P2P_OUT_FAILED,
  P2P_OUT_FLUSHING,
} P2pOutStatus;

/* @request: the request's number, for both ends to refer to. */
P2pOutQueue *p2p_out_queue_new (guint64 request);
P2pOutQueue *p2p_out_queue_ref (P2pOutQueue *queue);
void p2p_out_queue_unref (P2pOutQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pOutQueue, p2p_out_queue_unref)

guint64 p2p_out_queue_get_request (P2pOutQueue *queue);

/* Where the number is kept, for a hash table that owns the queue. */
const guint64 *p2p_out_queue_get_key (P2pOutQueue *queue);

/* --- the worker's end: never waits ---------------------------------------*/

/* Headers and bytes wake nobody yet: one p2p_out_queue_wake() for all that a
 * turn of the main loop brings. The end and a failure wake at once. */
void p2p_out_queue_headers (P2pOutQueue *queue, P2pHttpResponse *response);

/* Returns: the bytes that now wait. */
gsize p2p_out_queue_push (P2pOutQueue *queue, GBytes *bytes);
void p2p_out_queue_wake (P2pOutQueue *queue);
void p2p_out_queue_end (P2pOutQueue *queue);
void p2p_out_queue_fail (P2pOutQueue *queue, P2pHttpFailure *failure);

/* --- the streaming thread's end ------------------------------------------*/

/**
 * p2p_out_queue_wait_headers:
 * @queue: the queue
 *
 * Waits until the response or the failure is there. May be called by another
 * thread than the one that pops.
 *
 * Returns: %P2P_OUT_HEADERS, %P2P_OUT_FAILED or %P2P_OUT_FLUSHING.
 */
P2pOutStatus p2p_out_queue_wait_headers (P2pOutQueue *queue);

/**
 * p2p_out_queue_pop:
 * @queue: the queue
 * @bytes: (out) (transfer full): the next bytes, for %P2P_OUT_DATA
 * @drained: (out): whether the worker should be told that there is room again
 *
 * Waits for bytes, the end, a failure or flushing; what was pushed before a
 * failure is given out first. Flushing wins over everything and loses nothing.
 *
 * Returns: anything but %P2P_OUT_HEADERS.
 */
P2pOutStatus p2p_out_queue_pop (
    P2pOutQueue *queue, GBytes **bytes, gboolean *drained);

/* Whether end or failure is there: the worker has forgotten the request. */
gboolean p2p_out_queue_is_finished (P2pOutQueue *queue);

/* Returns: (transfer full) (nullable). */
P2pHttpResponse *p2p_out_queue_response (P2pOutQueue *queue);

/* Returns: (transfer full) (nullable). */
P2pHttpFailure *p2p_out_queue_failure (P2pOutQueue *queue);

/* While set, waiting calls return P2P_OUT_FLUSHING at once. */
void p2p_out_queue_set_flushing (P2pOutQueue *queue, gboolean flushing);

G_END_DECLS

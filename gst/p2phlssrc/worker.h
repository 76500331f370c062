/* p2phlssrc: the thread on which everything is decided.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any, as each call only posts a letter; p2p_worker_new() and
 * p2p_worker_free() app or streaming, never the worker itself.
 */
#pragma once

#include "config.h"
#include "outqueue.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/**
 * P2pWorker:
 *
 * One thread with a GMainContext of its own. It builds the adapters, owns them
 * and the engine, and is the only thread that touches them. libsoup runs on it;
 * libnice, OpenSSL and usrsctp run on a thread of all sessions, behind their
 * adapter (docs/threads.md).
 */
typedef struct _P2pWorker P2pWorker;

/**
 * P2pStatsFunc:
 * @user_data: from p2p_worker_report_stats()
 * @stats: (transfer none): a snapshot
 *
 * Threads: worker.
 */
typedef void (*P2pStatsFunc) (gpointer user_data, const P2pStats *stats);

/* Starts the thread. Letters may be posted at once. */
P2pWorker *p2p_worker_new (P2pConfig *config);

/* Ends the engine, the adapters and the thread, and waits for it: for what
 * trackers (P2P_TRACKER_LINGER_MS) and relays (0.3 s) are told at the end, and
 * for nobody else. Requests that are still open get no answer. */
void p2p_worker_free (P2pWorker *worker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pWorker, p2p_worker_free)

/* Asks for @request; the answer comes through @queue, whose number must be
 * new. Bounds: P2P_REQUESTS_MAX at once, one more fails through @queue. */
void p2p_worker_request (
    P2pWorker *worker, P2pOutQueue *queue, const P2pRequest *request);

/* The player no longer wants it: the queue gets nothing more. */
void p2p_worker_cancel (P2pWorker *worker, P2pOutQueue *queue);

/* The queue has room again, see p2p_out_queue_pop(). */
void p2p_worker_drained (P2pWorker *worker, P2pOutQueue *queue);

/* What p2p_out_queue_response() has called a playlist is wanted in @style;
 * the queue gets nothing before that. */
void p2p_worker_style (
    P2pWorker *worker, P2pOutQueue *queue, P2pPlaylistStyle style);

/**
 * p2p_worker_open_gateway:
 * @worker: the worker
 * @port: to listen to on the loopback addresses; 0: any
 * @get: how the gateway asks the origin from now on
 * @head: the same with HEAD
 * @url: the first URL to be had there
 * @error: (out): why there is no gateway
 *
 * Lets players that fetch by themselves come to the session. There is one
 * gateway for each session, opened once, until the session's end. Waits for
 * the worker, which never waits for anybody.
 *
 * Returns: (transfer full) (nullable): the address of @url at the gateway.
 */
char *p2p_worker_open_gateway (P2pWorker *worker, guint16 port,
    P2pHttpProfile *get, P2pHttpProfile *head, const char *url, GError **error);

void p2p_worker_configure (P2pWorker *worker, P2pConfig *config);

/* Waits for the worker, which never waits for anybody. Returns: (transfer
 * full). */
P2pStats *p2p_worker_get_stats (P2pWorker *worker);

/**
 * p2p_worker_report_stats:
 * @worker: the worker
 * @interval_ms: how often, 0: not any more
 * @func: (nullable): takes the snapshots, on the worker
 * @user_data: for @func
 * @destroy: (nullable): frees @user_data, on the worker
 *
 * Replaces what was reported before.
 */
void p2p_worker_report_stats (P2pWorker *worker, guint interval_ms,
    P2pStatsFunc func, gpointer user_data, GDestroyNotify destroy);

G_END_DECLS

/* p2phlssrc: the engine. Events in, policy asked, ports called.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: one owner, asserted. No clock, no randomness, no I/O of its own:
 * the same code runs beneath the element and in the simulator.
 */
#pragma once

#include "base/types.h"
#include "engine/stats.h"
#include "ports/event.h"
#include "ports/http.h"
#include "ports/sink.h"
#include "ports/transport.h"
#include "ports/websocket.h"

G_BEGIN_DECLS

typedef struct _P2pEngine P2pEngine;

/**
 * P2pEngineConfig:
 *
 * What a session is told. All but @swarm_id, @protocols, @cache_bytes and
 * @seed can change while it runs. Times in microseconds.
 */
typedef struct
{
  gboolean p2p;
  gboolean upload;
  const char *swarm_id;        /* (nullable): derived from the manifest's URL */
  const char *const *trackers; /* NULL-terminated ws: and wss: URLs */
  const char *const *ice_servers; /* NULL-terminated */
  guint protocols;                /* P2pProtocol flags */
  guint max_peers;                /* per stream, both generations */
  guint64 max_upload_bps;         /* 0: no limit */
  guint64 cache_bytes;
  gint64 urgent_buffer_us; /* -1: derived */
  gint64 http_window_us;
  gint64 p2p_window_us;
  gint64 max_playlist_delay_us; /* 0: live playlists never wait */
  guint64 seed;                 /* for peer id, offer ids, random choices */
} P2pEngineConfig;

/**
 * P2pEnginePorts:
 *
 * The outside world. Not owned; must outlive the engine.
 */
typedef struct
{
  P2pHttpPort *http;
  P2pWebSocketPort *websocket;
  P2pTransportPort *transport;
  P2pSinkPort *sink;
} P2pEnginePorts;

P2pEngine *p2p_engine_new (
    const P2pEngineConfig *config, const P2pEnginePorts *ports, gint64 now_us);

/* Closes every connection and socket through the ports (trackers are told
 * "stopped"), cancels HTTP; requests that still wait get no answer. */
void p2p_engine_free (P2pEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pEngine, p2p_engine_free)

/* Takes the settings that can change while running; others are ignored. */
void p2p_engine_configure (
    P2pEngine *engine, const P2pEngineConfig *config, gint64 now_us);

/**
 * p2p_engine_handle:
 * @engine: the engine
 * @event: (transfer none): what happened
 * @now_us: when, monotonic; never goes back
 *
 * Takes one event and acts on it through the ports. Must not be called from
 * inside a port's call.
 */
void p2p_engine_handle (
    P2pEngine *engine, const P2pEvent *event, gint64 now_us);

/**
 * p2p_engine_step:
 * @engine: the engine
 * @now_us: the time
 *
 * Does what is due. Call it after every batch of events and at the deadline
 * it returned.
 *
 * Returns: when it wants to be called next, or %P2P_NEVER.
 */
gint64 p2p_engine_step (P2pEngine *engine, gint64 now_us);

/* A snapshot of the counters. Returns: (transfer full). */
P2pStats *p2p_engine_get_stats (P2pEngine *engine, gint64 now_us);

G_END_DECLS

/* p2phlssrc: one viewer: an engine, its ports, a player, a line to the world.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "engine/engine.h"
#include "sim/browser.h"
#include "sim/cdn.h"
#include "sim/liar.h"
#include "sim/net.h"
#include "sim/player.h"
#include "sim/tracker.h"

G_BEGIN_DECLS

/**
 * SimNode:
 * @number: its place in the world's nodes
 * @kind: what it is
 * @browser: (nullable): in place of an engine and @player
 * @engine: (nullable): not before it joins, not after it has gone
 * @liar: (nullable): what it says goes through this
 * @lag: segments that its way to the origin hides at the end of playlists
 * @latency_us: one way to the backbone
 * @up: its uplink
 * @down: its downlink
 * @prng: what it draws by itself
 * @join_us: when it joins
 * @gone: it has joined and gone for good
 */
struct _SimNode
{
  SimWorld *world;
  guint number;
  SimKind kind;
  SimBrowser *browser;
  P2pEngine *engine;
  SimHttp *http;
  SimSocket *sockets;
  SimNet *net;
  SimLiar *liar;
  guint lag;
  SimPlayer *player;
  gint64 latency_us;
  SimPipe up;
  SimPipe down;
  P2pPrng prng;
  P2pTimer join_timer;
  P2pTimer wake;
  gint64 wake_us; /* what it is set to */
  gint64 join_us;
  gboolean gone;
  P2pStats *last_stats; /* (nullable) when it went */
};

SimNode *sim_node_new (SimWorld *world, guint number, gint64 join_us);
void sim_node_free (SimNode *node);

/**
 * sim_node_deliver:
 *
 * Tells the engine, lets it do what is due, and sets its alarm. Nothing when
 * the viewer has gone.
 */
void sim_node_deliver (SimNode *node, const P2pEvent *event);

/* Asserts that a port is called by the engine it belongs to, from inside. */
void sim_node_assert_inside (SimNode *node);

/* It has joined and not gone. */
gboolean sim_node_is_on (SimNode *node);

/* Its data channels. */
P2pTransportPort *sim_node_transport (SimNode *node);

/* Ends the engine, at the end of the world. */
void sim_node_stop (SimNode *node);

/* Leaves in good order: peers and the tracker are told. */
void sim_node_leave (SimNode *node);

/* Leaves as a process that is killed: nobody is told. */
void sim_node_vanish (SimNode *node);

/* Returns: (transfer full). */
P2pStats *sim_node_stats (SimNode *node);

G_END_DECLS

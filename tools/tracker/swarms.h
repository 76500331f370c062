/* p2phlssrc: who is in which swarm.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: one owner. Knows no sockets, no clock, and no randomness but what
 * it is given.
 */
#pragma once

#include "bounds.h"

#include "base/prng.h"

G_BEGIN_DECLS

typedef struct _P2pSwarms P2pSwarms;
typedef struct _P2pSwarm P2pSwarm;

/**
 * P2pSwarmPeer:
 * @socket: where it is reached; the socket's owner lists it in @link
 *
 * One peer id in one swarm.
 */
typedef struct
{
  P2pSwarm *swarm;
  guint8 id[20];
  gpointer socket;
  GList link;     /* in the socket's list */
  gint64 seen_us; /* last announce */
  gboolean complete;
  guint index; /* place among the swarm's peers */
} P2pSwarmPeer;

/**
 * P2pSwarmPeerFunc:
 *
 * A peer is about to go: take it off its socket's list.
 */
typedef void (*P2pSwarmPeerFunc) (P2pSwarmPeer *peer, gpointer user_data);

P2pSwarms *p2p_swarms_new (P2pSwarmPeerFunc leaving, gpointer user_data);
void p2p_swarms_free (P2pSwarms *swarms);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pSwarms, p2p_swarms_free)

guint p2p_swarms_n_swarms (P2pSwarms *swarms);
guint p2p_swarms_n_peers (P2pSwarms *swarms);

/* Returns: (transfer none) (nullable). */
P2pSwarm *p2p_swarms_lookup (P2pSwarms *swarms, const guint8 *info_hash);

/* Finds or adds. %NULL when a bound is reached. @is_new tells which; a new one
 * has no socket yet. Returns: (transfer none) (nullable). */
P2pSwarmPeer *p2p_swarms_join (P2pSwarms *swarms, const guint8 *info_hash,
    const guint8 *peer_id, gboolean *is_new);

/* Removes @peer, and its swarm when it was the last. */
void p2p_swarms_leave (P2pSwarms *swarms, P2pSwarmPeer *peer);

/* Removes every peer last seen before @before_us. */
void p2p_swarms_expire (P2pSwarms *swarms, gint64 before_us);

const guint8 *p2p_swarm_info_hash (P2pSwarm *swarm);
guint p2p_swarm_n_complete (P2pSwarm *swarm);
guint p2p_swarm_n_incomplete (P2pSwarm *swarm);
void p2p_swarm_set_complete (P2pSwarmPeer *peer, gboolean complete);

/* Returns: (transfer none) (nullable). */
P2pSwarmPeer *p2p_swarm_lookup (P2pSwarm *swarm, const guint8 *peer_id);

/* Writes up to @n different peers other than @peer, each choice as likely as
 * any other. Returns: how many. O(@n). */
guint p2p_swarm_choose (
    P2pSwarmPeer *peer, P2pPrng *prng, P2pSwarmPeer **chosen, guint n);

/* Calls for up to @n swarms. */
typedef void (*P2pSwarmFunc) (P2pSwarm *swarm, gpointer user_data);
void p2p_swarms_foreach (
    P2pSwarms *swarms, guint n, P2pSwarmFunc func, gpointer user_data);

G_END_DECLS

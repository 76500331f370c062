/* p2phlssrc: who is in which swarm.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "swarms.h"

#include <string.h>

struct _P2pSwarm
{
  guint8 info_hash[20];
  GHashTable *by_id;
  GPtrArray *peers; /* in no order */
  guint n_complete;
};

struct _P2pSwarms
{
  GHashTable *swarms;
  guint n_peers;
  P2pSwarmPeerFunc leaving;
  gpointer user_data;
};

/* Ids are chosen by strangers: all of the bytes count. */
static guint
id_hash (gconstpointer key)
{
  const guint8 *id = key;
  guint hash = 5381, i;

  for (i = 0; i < 20; i++)
    hash = hash * 33 + id[i];

  return hash;
}

static gboolean
id_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, 20) == 0;
}

static P2pSwarm *
swarm_new (const guint8 *info_hash)
{
  P2pSwarm *swarm = g_new0 (P2pSwarm, 1);

  memcpy (swarm->info_hash, info_hash, sizeof swarm->info_hash);
  swarm->by_id = g_hash_table_new (id_hash, id_equal);
  swarm->peers = g_ptr_array_new ();

  return swarm;
}

static void
swarm_free (gpointer data)
{
  P2pSwarm *swarm = data;

  g_hash_table_unref (swarm->by_id);
  g_ptr_array_unref (swarm->peers);
  g_free (swarm);
}

P2pSwarms *
p2p_swarms_new (P2pSwarmPeerFunc leaving, gpointer user_data)
{
  P2pSwarms *swarms = g_new0 (P2pSwarms, 1);

  swarms->swarms = g_hash_table_new_full (id_hash, id_equal, NULL, swarm_free);
  swarms->leaving = leaving;
  swarms->user_data = user_data;

  return swarms;
}

void
p2p_swarms_free (P2pSwarms *swarms)
{
  p2p_swarms_expire (swarms, G_MAXINT64);
  g_hash_table_unref (swarms->swarms);
  g_free (swarms);
}

guint
p2p_swarms_n_swarms (P2pSwarms *swarms)
{
  return g_hash_table_size (swarms->swarms);
}

guint
p2p_swarms_n_peers (P2pSwarms *swarms)
{
  return swarms->n_peers;
}

P2pSwarm *
p2p_swarms_lookup (P2pSwarms *swarms, const guint8 *info_hash)
{
  return g_hash_table_lookup (swarms->swarms, info_hash);
}

static P2pSwarmPeer *
add_peer (P2pSwarms *swarms, P2pSwarm *swarm, const guint8 *peer_id)
{
  P2pSwarmPeer *peer = g_new0 (P2pSwarmPeer, 1);

  peer->swarm = swarm;
  memcpy (peer->id, peer_id, sizeof peer->id);
  peer->link.data = peer;
  peer->index = swarm->peers->len;
  g_ptr_array_add (swarm->peers, peer);
  g_hash_table_insert (swarm->by_id, peer->id, peer);
  swarms->n_peers++;

  return peer;
}

P2pSwarmPeer *
p2p_swarms_join (P2pSwarms *swarms, const guint8 *info_hash,
    const guint8 *peer_id, gboolean *is_new)
{
  P2pSwarm *swarm = p2p_swarms_lookup (swarms, info_hash);
  P2pSwarmPeer *peer = swarm != NULL ? p2p_swarm_lookup (swarm, peer_id) : NULL;

  *is_new = peer == NULL;
  if (peer != NULL)
    return peer;
  if (swarm == NULL) {
    if (p2p_swarms_n_swarms (swarms) >= P2P_TRACKER_SERVER_SWARMS_MAX)
      return NULL;
    swarm = swarm_new (info_hash);
    g_hash_table_insert (swarms->swarms, swarm->info_hash, swarm);
  }
  if (swarm->peers->len >= P2P_TRACKER_SERVER_PEERS_MAX)
    return NULL;

  return add_peer (swarms, swarm, peer_id);
}

static void
move_to (P2pSwarm *swarm, P2pSwarmPeer *peer, guint index)
{
  P2pSwarmPeer *other = g_ptr_array_index (swarm->peers, index);

  g_ptr_array_index (swarm->peers, peer->index) = other;
  other->index = peer->index;
  g_ptr_array_index (swarm->peers, index) = peer;
  peer->index = index;
}

void
p2p_swarms_leave (P2pSwarms *swarms, P2pSwarmPeer *peer)
{
  P2pSwarm *swarm = peer->swarm;

  swarms->leaving (peer, swarms->user_data);
  if (peer->complete)
    swarm->n_complete--;
  move_to (swarm, peer, swarm->peers->len - 1);
  g_ptr_array_set_size (swarm->peers, swarm->peers->len - 1);
  g_hash_table_remove (swarm->by_id, peer->id);
  swarms->n_peers--;
  g_free (peer);
  if (swarm->peers->len == 0)
    g_hash_table_remove (swarms->swarms, swarm->info_hash);
}

void
p2p_swarms_expire (P2pSwarms *swarms, gint64 before_us)
{
  g_autoptr (GPtrArray) old = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;
  guint i;

  g_hash_table_iter_init (&iter, swarms->swarms);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    P2pSwarm *swarm = value;

    for (i = 0; i < swarm->peers->len; i++) {
      P2pSwarmPeer *peer = g_ptr_array_index (swarm->peers, i);

      if (peer->seen_us < before_us)
        g_ptr_array_add (old, peer);
    }
  }
  for (i = 0; i < old->len; i++)
    p2p_swarms_leave (swarms, g_ptr_array_index (old, i));
}

const guint8 *
p2p_swarm_info_hash (P2pSwarm *swarm)
{
  return swarm->info_hash;
}

guint
p2p_swarm_n_complete (P2pSwarm *swarm)
{
  return swarm->n_complete;
}

guint
p2p_swarm_n_incomplete (P2pSwarm *swarm)
{
  return swarm->peers->len - swarm->n_complete;
}

void
p2p_swarm_set_complete (P2pSwarmPeer *peer, gboolean complete)
{
  if (peer->complete == complete)
    return;
  peer->complete = complete;
  peer->swarm->n_complete += complete ? 1 : -1;
}

P2pSwarmPeer *
p2p_swarm_lookup (P2pSwarm *swarm, const guint8 *peer_id)
{
  return g_hash_table_lookup (swarm->by_id, peer_id);
}

/* Shuffles as many to the front as are wanted; the order has no meaning. */
guint
p2p_swarm_choose (
    P2pSwarmPeer *peer, P2pPrng *prng, P2pSwarmPeer **chosen, guint n)
{
  P2pSwarm *swarm = peer->swarm;
  guint others = swarm->peers->len - 1, i;

  move_to (swarm, peer, others);
  n = MIN (n, others);
  for (i = 0; i < n; i++) {
    guint from = i + p2p_prng_below (prng, others - i);

    chosen[i] = g_ptr_array_index (swarm->peers, from);
    move_to (swarm, chosen[i], i);
  }

  return n;
}

void
p2p_swarms_foreach (
    P2pSwarms *swarms, guint n, P2pSwarmFunc func, gpointer user_data)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, swarms->swarms);
  while (n-- > 0 && g_hash_table_iter_next (&iter, NULL, &value))
    func (value, user_data);
}

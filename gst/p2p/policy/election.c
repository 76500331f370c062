/* p2phlssrc: who fetches a segment from the origin for all.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "election.h"

#define FNV_OFFSET 0x811c9dc5u
#define FNV_PRIME 0x01000193u

guint32
p2p_election_hash (const char *text)
{
  guint32 hash = FNV_OFFSET;

  for (; *text != '\0'; text++) {
    hash ^= (guint8) *text;
    hash *= FNV_PRIME;
  }
  hash ^= hash >> 16;
  hash *= 0x85ebca6bu;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35u;
  hash ^= hash >> 16;

  return hash;
}

guint32
p2p_election_score (const P2pPeerId *peer, gint64 external_id)
{
  char text[P2P_ID_LENGTH + 24];

  g_snprintf (
      text, sizeof (text), "%s|%" G_GINT64_FORMAT, peer->text, external_id);

  return p2p_election_hash (text);
}

gint64
p2p_election_claim (guint32 score)
{
  return (gint64) score + 1;
}

gboolean
p2p_election_is_before (const P2pPeerId *peer, guint32 score,
    const P2pPeerId *other, guint32 other_score)
{
  return score < other_score
      || (score == other_score && strcmp (peer->text, other->text) < 0);
}

guint
p2p_election_rank (const P2pPeerId *own, const P2pPeerId *const *peers,
    guint n_peers, gint64 external_id)
{
  guint32 own_score = p2p_election_score (own, external_id);
  guint rank = 0;
  guint i;

  for (i = 0; i < n_peers; i++) {
    guint32 score = p2p_election_score (peers[i], external_id);

    rank += p2p_election_is_before (peers[i], score, own, own_score);
  }

  return rank;
}

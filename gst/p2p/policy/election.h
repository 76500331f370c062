/* p2phlssrc: who fetches a segment from the origin for all.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure. Source: docs/design/fetch.md; golden vectors in
 * tests/vectors/election.json.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* 32-bit score of @text (ASCII): FNV-1a, then murmur3's finaliser. */
guint32 p2p_election_hash (const char *text);

/* Score of @peer for segment @external_id; the lowest owns it. */
guint32 p2p_election_score (const P2pPeerId *peer, gint64 external_id);

/* A @score as a claim: the least is the best, and 0 better than all, as it goes to
 * the origin already. */
gint64 p2p_election_claim (guint32 score);

/* Whether @peer, whose score is @score, comes before @other. */
gboolean p2p_election_is_before (const P2pPeerId *peer, guint32 score,
    const P2pPeerId *other, guint32 other_score);

/**
 * p2p_election_rank:
 * @own: our peer id
 * @peers: (array length=n_peers): the other candidates
 * @n_peers: how many
 * @external_id: the segment as v3 numbers it
 *
 * The same election as P2P Media Loader 5, so that a mixed swarm agrees.
 *
 * Returns: how many of @peers come before us; 0: we own it.
 */
guint p2p_election_rank (const P2pPeerId *own, const P2pPeerId *const *peers,
    guint n_peers, gint64 external_id);

G_END_DECLS

/* p2phlssrc: when the owner of the next live segment looks for it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. Pure but for what it is given. Source:
 * docs/design/refresh.md.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* Segments whose first sight is remembered. */
#define P2P_SIGHTS_MAX 8

/* Looks for one segment, at most. */
#define P2P_SIGHTS_LOOKS_MAX 6

/**
 * P2pSights:
 *
 * When the newest segments of a live playlist were first known of, here or by
 * what peers said: none can have been published later. What an encoder is early
 * with once is forgotten after P2P_SIGHTS_MAX segments, or as soon as it has
 * stood still.
 */
typedef struct
{
  gint64 ids[P2P_SIGHTS_MAX];
  gint64 sights_us[P2P_SIGHTS_MAX];
  guint n;
} P2pSights;

/* Segment @id is known of. Only the first time counts. */
void p2p_sights_add (P2pSights *sights, gint64 id, gint64 now_us);

/**
 * p2p_sights_expect:
 * @sights: what was seen
 * @id: a segment that was not
 * @duration_us: of each segment, about
 *
 * Returns: when it was published at the latest, if the encoder keeps its pace;
 * %P2P_NEVER: too little was seen.
 */
gint64 p2p_sights_expect (
    const P2pSights *sights, gint64 id, gint64 duration_us);

/* When to look for the @look-th time (0: first) at what is expected by
 * @expected_us. */
gint64 p2p_sights_look_us (gint64 expected_us, guint look);

G_END_DECLS

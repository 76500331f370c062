/* p2phlssrc: the numbers of segments that somebody names.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* Bits for the highest numbers. */
#define P2P_ID_SET_BITS 64

/**
 * P2pIdSet:
 *
 * Every event asks each peer for the newest few segments of all that it has
 * named: those are in one word. A viewer of a film asks each for all that lies
 * ahead. All zero is the empty set.
 */
typedef struct
{
  gint64 last;    /* the highest number */
  guint64 newest; /* bit i: @last - 63 + i is in it */
  GArray *ids;    /* (nullable): all of them, ascending, each once; not if
                   * the bits are all */
  guint64 *map;   /* (nullable): bit i: @first + i is in it */
  gint64 first;   /* of @map */
} P2pIdSet;

void p2p_id_set_clear (P2pIdSet *set);

/**
 * p2p_id_set_take:
 * @ids: (inout) (nullable): is put in order; %NULL if it is kept
 *
 * What was in the set before is forgotten.
 */
void p2p_id_set_take (P2pIdSet *set, GArray **ids);

/* Without @id from now on. */
void p2p_id_set_remove (P2pIdSet *set, gint64 id);

/* Whether @id is in @set, by all of its numbers. */
gboolean p2p_id_set_search (const P2pIdSet *set, gint64 id);

/* The same, mostly by one bit. */
static inline gboolean
p2p_id_set_has (const P2pIdSet *set, gint64 id)
{
  guint64 behind = (guint64) set->last - (guint64) id;

  if (id > set->last)
    return FALSE;
  if (behind < P2P_ID_SET_BITS)
    return set->newest >> (P2P_ID_SET_BITS - 1 - behind) & 1;

  return set->ids != NULL && p2p_id_set_search (set, id);
}

/* Of @n numbers from @first on, by all of the set's; see below. */
guint64 p2p_id_set_search_window (const P2pIdSet *set, gint64 first, guint n);

/**
 * p2p_id_set_window:
 * @n: less than 64
 *
 * Returns: bit i: @first + i is in @set, for the @n numbers from @first on.
 */
static inline guint64
p2p_id_set_window (const P2pIdSet *set, gint64 first, guint n)
{
  guint64 behind = (guint64) set->last - (guint64) first;

  if (first > set->last)
    return 0;
  if (behind < P2P_ID_SET_BITS)
    return set->newest >> (P2P_ID_SET_BITS - 1 - behind)
        & ((G_GUINT64_CONSTANT (1) << n) - 1);

  return set->ids != NULL ? p2p_id_set_search_window (set, first, n) : 0;
}

/* Whether @set has no number at all. */
static inline gboolean
p2p_id_set_is_empty (const P2pIdSet *set)
{
  return set->newest == 0;
}

G_END_DECLS

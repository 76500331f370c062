/* p2phlssrc: the numbers of segments that somebody names.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "idset.h"

#define MAP_BITS 64

void
p2p_id_set_clear (P2pIdSet *set)
{
  g_clear_pointer (&set->ids, g_array_unref);
  g_clear_pointer (&set->map, g_free);
  set->last = 0;
  set->newest = 0;
}

static guint64 *
word_of (const P2pIdSet *set, gint64 id)
{
  return &set->map[((guint64) id - (guint64) set->first) / MAP_BITS];
}

static guint64
bit_of (const P2pIdSet *set, gint64 id)
{
  return G_GUINT64_CONSTANT (1)
      << ((guint64) id - (guint64) set->first) % MAP_BITS;
}

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

static gboolean
is_ascending (const GArray *ids)
{
  guint i;

  for (i = 1; i < ids->len; i++) {
    if (g_array_index (ids, gint64, i) <= g_array_index (ids, gint64, i - 1))
      return FALSE;
  }

  return TRUE;
}

/* A stranger may name one twice. */
static void
put_in_order (GArray *ids)
{
  guint kept = 0;
  guint i;

  g_array_sort (ids, compare_ids);
  for (i = 0; i < ids->len; i++) {
    gint64 id = g_array_index (ids, gint64, i);

    if (kept == 0 || id != g_array_index (ids, gint64, kept - 1))
      g_array_index (ids, gint64, kept++) = id;
  }
  g_array_set_size (ids, kept);
}

static void
find_newest (P2pIdSet *set, const GArray *ids)
{
  guint i = ids->len;

  set->last = g_array_index (ids, gint64, i - 1);
  set->newest = 0;
  while (i-- > 0) {
    guint64 behind =
        (guint64) set->last - (guint64) g_array_index (ids, gint64, i);

    if (behind >= P2P_ID_SET_BITS)
      break;
    set->newest |= G_GUINT64_CONSTANT (1) << (P2P_ID_SET_BITS - 1 - behind);
  }
}

static guint64
span_of (const P2pIdSet *set, const GArray *ids)
{
  return (guint64) set->last - (guint64) g_array_index (ids, gint64, 0);
}

/* No larger than the numbers themselves: a stranger may name two that are far
 * apart. Where there are no holes, none is needed. */
static void
draw_map (P2pIdSet *set)
{
  gint64 first = g_array_index (set->ids, gint64, 0);
  guint64 span = span_of (set, set->ids);
  guint i;

  if (span == set->ids->len - 1 || span / MAP_BITS >= set->ids->len)
    return;
  set->first = first;
  set->map = g_new0 (guint64, span / MAP_BITS + 1);
  for (i = 0; i < set->ids->len; i++)
    *word_of (set, g_array_index (set->ids, gint64, i)) |=
        bit_of (set, g_array_index (set->ids, gint64, i));
}

void
p2p_id_set_take (P2pIdSet *set, GArray **ids)
{
  p2p_id_set_clear (set);
  if (*ids == NULL || (*ids)->len == 0)
    return;
  if (!is_ascending (*ids))
    put_in_order (*ids);
  find_newest (set, *ids);
  if (span_of (set, *ids) < P2P_ID_SET_BITS)
    return;
  set->ids = g_steal_pointer (ids);
  draw_map (set);
}

static gboolean
find (const P2pIdSet *set, gint64 id, guint *index)
{
  gint64 first;

  if (set->ids == NULL)
    return FALSE;
  first = g_array_index (set->ids, gint64, 0);
  if (id < first || id > set->last)
    return FALSE;
  /* Mostly there are no holes. */
  if (span_of (set, set->ids) == set->ids->len - 1) {
    *index = id - first;
    return TRUE;
  }

  return g_array_binary_search (set->ids, &id, compare_ids, index);
}

gboolean
p2p_id_set_search (const P2pIdSet *set, gint64 id)
{
  guint index;

  if (set->map != NULL)
    return id >= set->first && id <= set->last
        && (*word_of (set, id) & bit_of (set, id)) != 0;

  return find (set, id, &index);
}

static void
remove_bit (P2pIdSet *set, gint64 id)
{
  guint64 behind = (guint64) set->last - (guint64) id;
  guint empty;

  if (id > set->last || behind >= P2P_ID_SET_BITS)
    return;
  set->newest &= ~(G_GUINT64_CONSTANT (1) << (P2P_ID_SET_BITS - 1 - behind));
  if (set->newest == 0) {
    p2p_id_set_clear (set);
    return;
  }
  empty = __builtin_clzll (set->newest);
  set->newest <<= empty;
  set->last -= empty;
}

void
p2p_id_set_remove (P2pIdSet *set, gint64 id)
{
  guint index;

  if (set->ids == NULL) {
    remove_bit (set, id);
    return;
  }
  if (!find (set, id, &index))
    return;
  g_array_remove_index (set->ids, index);
  if (set->map != NULL)
    *word_of (set, id) &= ~bit_of (set, id);
  if (set->ids->len == 0)
    p2p_id_set_clear (set);
  else
    find_newest (set, set->ids);
}

guint64
p2p_id_set_search_window (const P2pIdSet *set, gint64 first, guint n)
{
  guint64 window = 0;
  guint i;

  for (i = 0; i < n; i++)
    window |= (guint64) p2p_id_set_has (set, first + i) << i;

  return window;
}

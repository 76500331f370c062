/* p2phlssrc: when the owner of the next live segment looks for it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sights.h"

/* Sights to begin with. */
#define SIGHTS_LEAST 3

/* The first look comes this much before what was seen at best: sights are
 * always late, and owners find out by how much. */
#define LEAD_US (60 * 1000)

/* Between looks; later ones further apart. */
#define AGAIN_US (60 * 1000)

static gboolean
was_seen (const P2pSights *sights, gint64 id)
{
  guint i;

  for (i = 0; i < sights->n; i++) {
    if (sights->ids[i] >= id)
      return TRUE;
  }

  return FALSE;
}

void
p2p_sights_add (P2pSights *sights, gint64 id, gint64 now_us)
{
  guint at = sights->n;

  if (was_seen (sights, id))
    return;
  if (at == P2P_SIGHTS_MAX) {
    at--;
    memmove (sights->ids, sights->ids + 1, at * sizeof (sights->ids[0]));
    memmove (sights->sights_us, sights->sights_us + 1,
        at * sizeof (sights->sights_us[0]));
  }
  sights->ids[at] = id;
  sights->sights_us[at] = now_us;
  sights->n = at + 1;
}

gint64
p2p_sights_expect (const P2pSights *sights, gint64 id, gint64 duration_us)
{
  gint64 best_us = P2P_NEVER;
  guint i;

  if (sights->n < SIGHTS_LEAST)
    return P2P_NEVER;
  for (i = 0; i < sights->n; i++) {
    gint64 by_this_us =
        sights->sights_us[i] + (id - sights->ids[i]) * duration_us;

    /* Before: the encoder has stood still since. */
    if (by_this_us >= sights->sights_us[sights->n - 1])
      best_us = MIN (best_us, by_this_us);
  }

  return best_us;
}

gint64
p2p_sights_look_us (gint64 expected_us, guint look)
{
  return expected_us - LEAD_US + (gint64) look * (look + 1) / 2 * AGAIN_US;
}

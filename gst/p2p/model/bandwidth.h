/* p2phlssrc: what the network has given lately.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/**
 * P2pBandwidth:
 *
 * Bytes received per time in which at least one transfer was under way, over
 * about the last fifteen seconds of such time: idle gaps between segments do
 * not count.
 */
typedef struct
{
  guint active;
  gint64 since_us; /* active since, or last folded in */
  double busy_us;  /* decayed */
  double bytes;    /* decayed */
} P2pBandwidth;

/* A transfer begins; ends. */
void p2p_bandwidth_begin (P2pBandwidth *bandwidth, gint64 now_us);
void p2p_bandwidth_end (P2pBandwidth *bandwidth, gint64 now_us);

void p2p_bandwidth_add (P2pBandwidth *bandwidth, gsize bytes, gint64 now_us);

/* Bits per second, 0: not known yet. */
guint64 p2p_bandwidth_bps (P2pBandwidth *bandwidth, gint64 now_us);

G_END_DECLS

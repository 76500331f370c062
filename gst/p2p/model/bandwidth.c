/* p2phlssrc: what the network has given lately.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "bandwidth.h"

/* Microseconds of busy time that are remembered: P2P Media Loader's window. */
#define WINDOW_US (15 * G_USEC_PER_SEC)

/* Less than this says nothing about a rate: one read of a socket. */
#define LEAST_BYTES (16 * 1024)

static void
fold (P2pBandwidth *bandwidth, gint64 now_us)
{
  if (bandwidth->active > 0)
    bandwidth->busy_us += now_us - bandwidth->since_us;
  bandwidth->since_us = now_us;
  if (bandwidth->busy_us > WINDOW_US) {
    bandwidth->bytes *= WINDOW_US / bandwidth->busy_us;
    bandwidth->busy_us = WINDOW_US;
  }
}

void
p2p_bandwidth_begin (P2pBandwidth *bandwidth, gint64 now_us)
{
  fold (bandwidth, now_us);
  bandwidth->active++;
}

void
p2p_bandwidth_end (P2pBandwidth *bandwidth, gint64 now_us)
{
  g_assert (bandwidth->active > 0);
  fold (bandwidth, now_us);
  bandwidth->active--;
}

void
p2p_bandwidth_add (P2pBandwidth *bandwidth, gsize bytes, gint64 now_us)
{
  bandwidth->bytes += bytes;
  fold (bandwidth, now_us);
}

guint64
p2p_bandwidth_bps (P2pBandwidth *bandwidth, gint64 now_us)
{
  fold (bandwidth, now_us);
  if (bandwidth->bytes < LEAST_BYTES)
    return 0;

  return bandwidth->bytes * 8 * G_USEC_PER_SEC / MAX (bandwidth->busy_us, 1);
}

/* p2phlssrc: what a demuxer measures, and must not be led to.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "pace.h"

/* hlsdemux and hlsdemux2 choose a variant of at most this share of what they
 * measure: the default of "bitrate-limit" and of "bandwidth-target-ratio". */
#define CHOICE_SHARE 0.8

/* How near to the variant above: its measure is never above the pace. */
#define NEAR 0.9

/* Share of its duration that a segment takes at the most, whatever its playlist
 * claims: playback comes first. */
#define LONGEST 0.7

/* Playlists claim what they like. */
static guint64
bounded (double amount)
{
  return MIN (amount, (double) G_MAXINT64);
}

guint64
p2p_pace_choice (guint64 bps)
{
  return CHOICE_SHARE * bps;
}

guint64
p2p_pace_bps (guint64 http_bps, guint64 bitrate, guint64 above)
{
  double target = MAX (NEAR * above, ((double) bitrate + above) / 2);

  return MAX (http_bps, bounded (target / CHOICE_SHARE));
}

guint64
p2p_pace_bytes (
    guint64 bps, guint64 size, gint64 duration_us, gint64 elapsed_us)
{
  double paced = (double) bps / 8 * elapsed_us / G_USEC_PER_SEC;
  double least = (double) size * elapsed_us / MAX (LONGEST * duration_us, 1);

  return bounded (MAX (paced, least));
}

guint
p2p_pace_beside (guint64 http_bps, guint64 bitrate, guint most)
{
  guint64 carried;

  if (http_bps == 0 || bitrate == 0)
    return most;
  carried = p2p_pace_choice (http_bps) / bitrate;

  return carried > 0 ? MIN (carried - 1, most) : 0;
}

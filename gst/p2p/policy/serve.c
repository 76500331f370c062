/* p2phlssrc: how many peers are sent something at once, and in what pieces.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "serve.h"

#include "base/limits.h"

/* How much faster than it plays each peer shall get the stream. */
#define HASTE 2

/* Share of a live stream's bitrate that is no use to anybody: most of the segment
 * comes from the origin all the same, and later. */
#define KEEPS_UP 0.75

/* Often it is the other end's downlink that is slow: more counts more. */
#define UPWARDS 0.5
#define DOWNWARDS 0.1

/* Who gives up has mostly waited for us: that counts more than one who is slow. */
#define LEFT 0.3

/* Of the bitrate; GROWTH_MAX times that, half counted, is KEEPS_UP and more. */
#define LEAST 0.5

/* An uplink is believed to be what was measured for so long. To try one that is too
 * thin costs those who wait for it: twice as long each time, so many times. */
#define BELIEVED_US (30 * G_USEC_PER_SEC)
#define BELIEVED_DOUBLINGS 4

/* One that claims to have been served in no time moves what is believed by no
 * more than this. */
#define GROWTH_MAX 3

/* What is needed so many times later, and so much more, can wait. */
#define YIELD_TIMES 2
#define YIELD_US (5 * G_USEC_PER_SEC)

/* For each upload this share of a segment, and for no more than so many: half a
 * segment later, who has just begun to send is idle again. */
#define PATIENCE_SHARE 0.25
#define PATIENCE_UPLOADS 2

/* How long one message may take: who passes it on has to wait for its end. */
#define MESSAGE_SECONDS 0.05

/* Who sends to peers keeps so much waiting in the line: a question to the origin
 * took 0.2 s longer at 5 Mbit/s, and a second at 1 Mbit/s. */
#define QUEUED_BITS (1000 * G_GINT64_CONSTANT (1000))

/* An uplink of which nothing is known may be as thin as that. */
#define UNPROVEN_BPS (1000 * 1000)

/* How long what is said next may have to wait behind it. */
#define WAITING_SECONDS 0.1

guint
p2p_serve_slots (guint64 up_bps, guint64 bitrate, gboolean live)
{
  if (up_bps == 0 || bitrate == 0)
    return P2P_SERVE_UNKNOWN;
  if (live && up_bps < KEEPS_UP * bitrate)
    return 0;

  return CLAMP ((double) up_bps / (HASTE * bitrate) + 0.5, 1, P2P_PEERS_MAX);
}

gboolean
p2p_serve_gives_way (gint64 theirs_us, gint64 needed_us)
{
  return theirs_us > YIELD_TIMES * needed_us + YIELD_US;
}

gint64
p2p_serve_patience_us (guint uploads, gint64 duration_us)
{
  return MIN (uploads, PATIENCE_UPLOADS) * PATIENCE_SHARE * duration_us;
}

double
p2p_serve_uplink_bps (double before_bps, double shown_bps)
{
  double share = shown_bps > before_bps ? UPWARDS : DOWNWARDS;

  if (before_bps == 0)
    return MAX (shown_bps, 1);
  shown_bps = MIN (shown_bps, GROWTH_MAX * before_bps);

  return before_bps + share * (shown_bps - before_bps);
}

double
p2p_serve_left_bps (double before_bps, double shown_bps)
{
  if (before_bps == 0 || shown_bps > before_bps)
    return p2p_serve_uplink_bps (before_bps, shown_bps);

  return before_bps + LEFT * (shown_bps - before_bps);
}

double
p2p_serve_least_bps (double bitrate)
{
  return LEAST * bitrate;
}

gint64
p2p_serve_believed_us (guint times)
{
  return BELIEVED_US << MIN (times, BELIEVED_DOUBLINGS);
}

gsize
p2p_serve_waiting_bytes (guint64 up_bps)
{
  return CLAMP (
      up_bps / 8 * WAITING_SECONDS, P2P_SEND_LOW_BYTES, P2P_SEND_HIGH_BYTES);
}

gint64
p2p_serve_delay_us (guint64 up_bps)
{
  return QUEUED_BITS * G_USEC_PER_SEC / MAX (up_bps, UNPROVEN_BPS);
}

gsize
p2p_serve_message_bytes (guint64 up_bps, guint uploads)
{
  double each = (double) up_bps / 8 / MAX (uploads, 1);

  return CLAMP (
      each * MESSAGE_SECONDS, P2P_SERVE_LEAST_BYTES, P2P_MESSAGE_MAX_BYTES);
}

/* p2phlssrc: from where the segment that the player waits for comes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "fetch.h"

/* hlsdemux measures a fragment from request to end and takes 0.8 of that rate
 * (its "bandwidth-usage" default): past this share of the segment's duration
 * the wait itself would cost the variant. */
#define VARIANT_SHARE 0.7

/* A silent peer is given up after this long, if the buffer allows. */
#define SILENCE_MIN_US (250 * 1000)
#define SILENCE_MAX_US (500 * 1000)

/* A rate needs this long to say something. */
#define RATE_AFTER_US (200 * 1000)

/* Derived threshold: half a segment, within these. */
#define URGENT_MIN_US (500 * 1000)
#define URGENT_MAX_US (4 * G_USEC_PER_SEC)

static P2pFetchVerdict
http (const char *reason)
{
  return (P2pFetchVerdict){ P2P_FETCH_HTTP, P2P_NEVER, reason };
}

static P2pFetchVerdict
wait_until (gint64 until_us, const char *reason)
{
  return (P2pFetchVerdict){ P2P_FETCH_WAIT, until_us, reason };
}

static gint64
transfer_us (const P2pFetchView *view, guint64 bytes, guint64 bps)
{
  if (bytes == 0 || bps == 0)
    return view->duration_us / 4;

  return bytes * 8.0 * G_USEC_PER_SEC / bps;
}

/* When the origin must have been asked at the latest: before the buffer runs
 * into the urgent part, and before the demuxer takes us for a slow network. */
static gint64
latest_start_us (const P2pFetchView *view)
{
  gint64 need_us = transfer_us (view, view->size, view->http_bps);
  gint64 buffer_us = view->now_us + view->ahead_us - view->urgent_us - need_us;
  gint64 variant_us =
      view->asked_us + (gint64) (VARIANT_SHARE * view->duration_us) - need_us;

  return MIN (buffer_us, variant_us);
}

static gboolean
peer_is_quick (const P2pFetchView *view)
{
  return view->peer_bps != 0
      && transfer_us (view, view->size, view->peer_bps)
      <= view->duration_us / 4;
}

P2pFetchVerdict
p2p_fetch_required (const P2pFetchView *view)
{
  gint64 latest_us = latest_start_us (view);
  gint64 turn_us;

  if (view->holder_free) {
    if (view->ahead_us >= view->urgent_us || peer_is_quick (view))
      return (P2pFetchVerdict){ P2P_FETCH_PEER, P2P_NEVER, "held by a peer" };
    return http ("urgent");
  }
  if (view->now_us >= latest_us)
    return http (view->ahead_us < view->urgent_us ? "urgent" : "time is up");
  if (view->loading)
    return wait_until (latest_us, "a peer is fetching it");
  if (view->now_us < view->expect_until_us)
    return wait_until (
        MIN (view->expect_until_us, latest_us), "peers are connecting");
  if (view->peers == 0)
    return http ("no peers");

  turn_us = view->asked_us + view->rank * view->claim_us;
  turn_us = MIN (turn_us, view->asked_us + view->duration_us / 4);
  if (view->rank == 0 || view->now_us >= turn_us)
    return http (view->rank == 0 ? "owner" : "our turn");

  return wait_until (MIN (turn_us, latest_us), "others come first");
}

P2pFetchVerdict
p2p_fetch_takeover (const P2pTransferView *view)
{
  const P2pFetchView *need = &view->need;
  gint64 room_us = MAX (need->ahead_us - need->urgent_us, 0);
  gint64 silence_us = CLAMP (room_us / 2, SILENCE_MIN_US, SILENCE_MAX_US);
  gint64 silent_until_us = view->last_byte_us + silence_us;
  gint64 elapsed_us = need->now_us - view->begun_us;
  gint64 due_us, rest_us, origin_us;

  if (need->now_us >= silent_until_us)
    return http ("the peer is silent");
  if (elapsed_us < RATE_AFTER_US)
    return wait_until (
        MIN (view->begun_us + RATE_AFTER_US, silent_until_us), "just begun");
  if (view->bytes == 0 || view->rest == P2P_SIZE_UNKNOWN)
    return wait_until (silent_until_us, "no rate yet");

  /* Whichever comes first: an empty buffer, or a lost variant; but the origin
   * takes over only where it would be sooner. */
  due_us = MIN (need->now_us + room_us,
      need->asked_us + (gint64) (VARIANT_SHARE * need->duration_us));
  rest_us = (double) view->rest * elapsed_us / view->bytes;
  origin_us = transfer_us (need, view->rest, need->http_bps);
  if (need->now_us + rest_us > due_us && origin_us < rest_us)
    return http ("the peer is too slow");

  return wait_until (
      MIN (need->now_us + RATE_AFTER_US, silent_until_us), "on time");
}

gint64
p2p_fetch_urgent_us (gint64 duration_us)
{
  return CLAMP (duration_us / 2, URGENT_MIN_US, URGENT_MAX_US);
}

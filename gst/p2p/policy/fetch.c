/* p2phlssrc: from where the segment that the player waits for comes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "fetch.h"

#include <math.h>

/* hlsdemux measures a fragment from request to end and takes 0.8 of that rate
 * (its "bandwidth-usage" default): past this share of the segment's duration
 * the wait itself would cost the variant. */
#define VARIANT_SHARE 0.7

/* Of a live stream with nothing else to go to. What is behind the demuxer is
 * known by what it asked for: not everything is spent on that belief. */
#define ALONE_SHARE 1.5

/* Claims that one group of viewers out of sight waits for the one before it. */
#define HIDDEN_CLAIMS 2

/* Claims that a claim is open for better ones, and at most: one peer that is far
 * away holds up nobody else. */
#define OPEN_CLAIMS 1.5
#define OPEN_MOST_US (200 * 1000)

/* A silent peer is given up after this long, if the buffer allows. */
#define SILENCE_MIN_US (250 * 1000)
#define SILENCE_MAX_US (1000 * 1000)

/* To begin takes as long, of short segments no more than this part of one. */
#define BEGIN_PART 8

/* Nobody waits for half of a segment and then for his turn, too, but for such a
 * part of that: all of them at once would all go. */
#define BEYOND 4

/* How often a transfer is looked at once its last moment has come. */
#define LOOK_US (100 * 1000)

/* What the origin takes may be this much longer than it is thought to. */
#define ORIGIN_SAFETY 1.5

/* And the rest of what a peer sends. */
#define PEER_SAFETY 1.5

/* A second peer is asked when the first will take more than this share of the
 * time there is. */
#define SECOND_SHARE 0.3
/* It is looked at so many times until then, as rates change. */
#define SECOND_LOOKS 4
/* And this much is missing: half of it is a few messages. */
#define SECOND_LEAST_BYTES (64 * 1024)

/* An origin is slow that takes so many times as long as the segment plays. */
#define SLOW 1.2

/* A line that is not wide is full when it gives this share of what it gave lately. */
#define LINE_SHARE 0.7

/* How fast the origin gives a segment is looked at after this share of it. */
#define RACE_FROM 0.25

/* A peer that races it has won when it is in front by so much of what the origin
 * sends, and has lost when it has sent for so long and will be last. */
#define RACE_LEAD_US (150 * 1000)
#define RACE_LEAD_BYTES (16 * 1024)
#define RACE_SHOW_US (150 * 1000)

/* An origin that was overtaken is believed to give at least this share of what the
 * segment plays: who has overtaken it must. */
#define RACED_SHARE 0.5

/* Derived threshold: these shares of a segment, within these times. */
#define URGENT_LEAST 0.25
#define URGENT_MOST 0.5
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

/* When the demuxer begins to take us for a slow network. */
static gint64
variant_us (const P2pFetchView *view)
{
  double share = view->has_variants ? VARIANT_SHARE : ALONE_SHARE;

  return view->asked_us + (gint64) (share * view->duration_us);
}

/* When the origin must have been asked at the latest: before the buffer runs
 * into the urgent part, and before the demuxer takes us for a slow network. */
static gint64
latest_start_us (const P2pFetchView *view)
{
  gint64 need_us = transfer_us (view, view->size, view->http_bps);
  gint64 buffer_us = view->now_us + view->ahead_us - view->urgent_us;

  return MIN (buffer_us, variant_us (view)) - need_us;
}

/* Not where one was silent: it may be our own line that is full, and what each of
 * them had sent when it was left still comes. */
static gboolean
peer_is_quick (const P2pFetchView *view)
{
  return view->silent == 0 && view->peer_bps != 0
      && transfer_us (view, view->size, view->peer_bps)
      <= view->duration_us / 4;
}

static gint64
room_us_of (const P2pFetchView *need)
{
  return MAX (need->ahead_us - need->urgent_us, 0);
}

/* Whichever comes first: an empty buffer, or a lost variant. */
static gint64
due_us (const P2pFetchView *need)
{
  return MIN (need->now_us + room_us_of (need), variant_us (need));
}

/* Until when a peer is not left for the origin. */
static gint64
last_us_of (const P2pFetchView *need, gint64 origin_us)
{
  return due_us (need) - (gint64) (ORIGIN_SAFETY * origin_us);
}

/* Who is asked and left at once sends what was on its way all the same: on a thin
 * line that is a part of a second. So there must be time for its first bytes. */
static gboolean
has_time_to_begin (const P2pFetchView *view)
{
  gint64 origin_us = transfer_us (view, view->size, view->http_bps);
  gint64 begin_us = MIN (SILENCE_MIN_US, view->duration_us / BEGIN_PART);

  return view->now_us + begin_us < last_us_of (view, origin_us);
}

/* Rivals one after the other; those whom we cannot see in groups, each twice as
 * large as the one before: somebody's claim comes to us from peer to peer. */
gint64
p2p_fetch_turn_us (const P2pFetchView *view)
{
  gint64 rivals_us = MIN (view->rank * view->claim_us, view->duration_us / 4);
  gint64 hidden_us = HIDDEN_CLAIMS * view->claim_us * log2 (1 + view->hidden);
  gint64 most_us = view->duration_us / 2;
  gint64 more_us = MAX (rivals_us + hidden_us - most_us, 0);

  return view->seen_us + MIN (rivals_us + hidden_us, most_us)
      + MIN (more_us / BEYOND, view->duration_us / 4);
}

gint64
p2p_fetch_claim_until_us (const P2pFetchView *view)
{
  return view->now_us
      + MIN ((gint64) (OPEN_CLAIMS * view->claim_us), OPEN_MOST_US);
}

gint64
p2p_fetch_rescue_us (const P2pFetchView *view)
{
  P2pFetchView stuck = *view;

  if (view->stuck_us == 0)
    return P2P_NEVER;
  stuck.seen_us = view->stuck_us + P2P_FETCH_STUCK_US;

  return p2p_fetch_turn_us (&stuck);
}

/* Both take half of the line. */
gboolean
p2p_fetch_has_time_beside (const P2pFetchView *view)
{
  return view->ahead_us - view->urgent_us
      >= 2 * transfer_us (view, view->size, view->http_bps);
}

P2pFetchVerdict
p2p_fetch_required (const P2pFetchView *view)
{
  gint64 rescue_us = p2p_fetch_rescue_us (view);
  gint64 latest_us = MIN (latest_start_us (view), rescue_us);
  gint64 turn_us;

  if (view->now_us >= rescue_us)
    return http ("nobody goes on");
  if (view->holder_free && (has_time_to_begin (view) || peer_is_quick (view)))
    return (P2pFetchVerdict){ P2P_FETCH_PEER, P2P_NEVER, "held by a peer" };
  if (view->holder_free && view->now_us < latest_us)
    return http ("no time for a peer to begin");
  if (view->now_us >= latest_us)
    return http (view->ahead_us < view->urgent_us ? "urgent" : "time is up");
  if (view->loading)
    return wait_until (latest_us, "a peer is fetching it");
  if (view->now_us < view->expect_until_us)
    return wait_until (
        MIN (view->expect_until_us, latest_us), "peers are connecting");
  if (view->peers == 0)
    return http ("no peers");

  turn_us = p2p_fetch_turn_us (view);
  if (view->now_us >= turn_us)
    return http (view->rank == 0 ? "owner" : "our turn");

  return wait_until (MIN (turn_us, latest_us), "others come first");
}

/* What the rest takes at the rate so far, P2P_NEVER: there is none. */
static gint64
rest_us (const P2pTransferView *view)
{
  gint64 sending_us = view->need.now_us - view->first_byte_us;

  if (view->bytes == 0 || view->rest == P2P_SIZE_UNKNOWN)
    return P2P_NEVER;

  return (double) view->rest * sending_us / view->bytes;
}

/* Until when a peer that will have sent the rest in @peer_us may go on. What
 * makes a segment urgent is for an answer that is late: half of it will do where
 * one is coming. */
static gint64
nearly_until_us (const P2pFetchView *need, gint64 peer_us)
{
  gint64 dry_us = need->now_us + need->ahead_us - need->urgent_us / 2;
  gint64 bounded_us = MIN (peer_us, P2P_NEVER / 4);

  return MIN (dry_us, variant_us (need)) - (gint64) (PEER_SAFETY * bounded_us);
}

static gboolean
is_line_full (const P2pTransferView *view)
{
  gint64 since_us = view->bytes > 0 ? view->first_byte_us : view->begun_us;
  gint64 sending_us = MAX (view->need.now_us - since_us, 1);

  return view->line_bps != 0
      && view->arrived * 8.0 * G_USEC_PER_SEC
      >= LINE_SHARE * view->line_bps * sending_us;
}

gint64
p2p_fetch_second_us (const P2pTransferView *view)
{
  const P2pFetchView *need = &view->need;
  gint64 left_us = due_us (need) - need->now_us;
  gint64 look_us = need->now_us + MAX (left_us / SECOND_LOOKS, LOOK_US);
  gint64 peer_us;

  if (view->rest == P2P_SIZE_UNKNOWN || view->rest < SECOND_LEAST_BYTES)
    return P2P_NEVER;
  if (view->tail_us != 0 || is_line_full (view))
    return look_us;
  peer_us = view->bytes > 0 ? rest_us (view)
                            : transfer_us (need, view->rest, need->peer_bps);

  return peer_us > SECOND_SHARE * left_us ? need->now_us : look_us;
}

gboolean
p2p_fetch_second_is_late (const P2pTransferView *view)
{
  const P2pFetchView *need = &view->need;

  return view->tail_us > due_us (need) - need->now_us
      && view->tail_us
      > transfer_us (need, view->rest + view->tail_rest, need->http_bps);
}

/* When it is known how fast the origin is this time. */
static gint64
race_from_us (const P2pTransferView *view)
{
  return view->begun_us + (gint64) (RACE_FROM * view->need.duration_us);
}

/* It will take longer than it plays, for want of the origin and not of the line. */
static gboolean
origin_is_slow (const P2pTransferView *view)
{
  const P2pFetchView *need = &view->need;
  gint64 end_us = view->begun_us + (gint64) (SLOW * need->duration_us);
  gint64 sending_us = need->now_us - view->first_byte_us;
  /* What came from elsewhere took its part of a line that is not wide. */
  guint64 arrived = view->line_bps != 0 ? view->arrived : view->bytes;

  if (is_line_full (view))
    return FALSE;
  if (view->bytes == 0)
    return TRUE;

  return need->now_us + (double) view->rest * sending_us / arrived > end_us;
}

gint64
p2p_fetch_race_us (const P2pTransferView *view)
{
  gint64 now_us = view->need.now_us;
  gint64 from_us = view->was_slow ? view->begun_us : race_from_us (view);

  if (view->rest == P2P_SIZE_UNKNOWN ? view->bytes > 0
                                     : view->rest < RACE_LEAD_BYTES)
    return P2P_NEVER;
  if (now_us < from_us)
    return from_us;

  return view->was_slow || origin_is_slow (view) ? now_us : now_us + LOOK_US;
}

/* What is worth being called a lead. */
static guint64
race_lead (const P2pTransferView *view)
{
  gint64 sending_us = MAX (view->need.now_us - view->first_byte_us, 1);
  guint64 lead = (double) view->bytes * RACE_LEAD_US / sending_us;

  return MIN (MAX (lead, RACE_LEAD_BYTES), view->rest);
}

gboolean
p2p_fetch_race_is_won (
    const P2pTransferView *view, guint64 lead, gint64 peer_last_us)
{
  if (lead >= view->rest)
    return TRUE;
  /* An origin that was slow a moment ago must have had time to answer, too. */
  if (view->bytes == 0 && view->need.now_us < race_from_us (view))
    return FALSE;

  return lead >= race_lead (view)
      && view->need.now_us < peer_last_us + SILENCE_MIN_US;
}

guint64
p2p_fetch_raced_bps (const P2pTransferView *view, guint64 size)
{
  const P2pFetchView *need = &view->need;
  gint64 sending_us = MAX (need->now_us - view->begun_us, 1);

  return MAX (view->bytes * 8.0 * G_USEC_PER_SEC / sending_us,
      RACED_SHARE * size * 8 * G_USEC_PER_SEC / MAX (need->duration_us, 1));
}

gboolean
p2p_fetch_race_is_lost (const P2pTransferView *view, gint64 peer_first_us)
{
  return view->need.now_us >= peer_first_us + RACE_SHOW_US
      && view->tail_us >= rest_us (view);
}

P2pFetchVerdict
p2p_fetch_takeover (const P2pTransferView *view)
{
  const P2pFetchView *need = &view->need;
  guint64 rest = view->rest == P2P_SIZE_UNKNOWN ? need->size : view->rest;
  guint64 more = p2p_fetch_second_is_late (view) ? view->tail_rest : 0;
  gint64 room_us = room_us_of (need);
  gint64 silence_us = CLAMP (room_us / 3, SILENCE_MIN_US, SILENCE_MAX_US);
  gint64 silent_until_us = view->last_byte_us + silence_us;
  gint64 rescue_us = p2p_fetch_rescue_us (need);
  gint64 origin_us = transfer_us (need, rest + more, need->http_bps);
  gint64 last_us, peer_us, nearly_us;

  if (need->now_us >= rescue_us)
    return http ("nobody goes on");
  if (need->now_us >= silent_until_us)
    return (P2pFetchVerdict){ P2P_FETCH_LEAVE, P2P_NEVER, "it is silent" };
  silent_until_us = MIN (silent_until_us, rescue_us);

  /* Until the last moment at which the origin could still be in time, every byte
   * of the peer is one less of the origin's. */
  last_us = last_us_of (need, origin_us);
  if (need->now_us < last_us)
    return wait_until (MIN (last_us, silent_until_us), "there is time");
  /* Asked although, or as, it is late: it must be given time to begin. */
  if (view->bytes == 0 && peer_is_quick (need))
    return wait_until (silent_until_us, "it is quick");
  peer_us = MAX (rest_us (view), view->tail_us);
  if (peer_us <= origin_us || peer_us <= due_us (need) - need->now_us)
    return wait_until (
        MIN (need->now_us + LOOK_US, silent_until_us), "on time");
  nearly_us = nearly_until_us (need, peer_us);
  if (need->now_us < nearly_us)
    return wait_until (
        MIN (MIN (need->now_us + LOOK_US, nearly_us), silent_until_us),
        "nearly there");

  return http ("the peer is too slow");
}

gint64
p2p_fetch_transfer_us (const P2pFetchView *view)
{
  return transfer_us (view, view->size, view->http_bps);
}

gint64
p2p_fetch_urgent_us (gint64 duration_us, gint64 delay_us)
{
  gint64 most_us = URGENT_MOST * duration_us;
  gint64 least_us = URGENT_LEAST * duration_us;

  return CLAMP (
      MIN (least_us + delay_us, most_us), URGENT_MIN_US, URGENT_MAX_US);
}

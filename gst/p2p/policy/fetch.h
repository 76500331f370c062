/* p2phlssrc: from where the segment that the player waits for comes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure. Source: docs/design/fetch.md.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* Each rank lets the ones before it begin for as long as a claim takes to be
 * heard, which is within these. */
#define P2P_FETCH_CLAIM_LEAST_US (60 * 1000)
#define P2P_FETCH_CLAIM_MOST_US (400 * 1000)

/* How long peers that a tracker knows of may take to connect while segments
 * wait for them. Once for each stream: who cannot be reached costs nobody
 * more. Our offers and the tracker's answers take three round trips, ICE, DTLS
 * and SCTP about six. */
#define P2P_FETCH_EXPECT_US (1000 * 1000)

/* How long a peer that has just connected may take to say what it holds. */
#define P2P_FETCH_HEAR_US (250 * 1000)

/* A tree of relays has stopped when nothing has come for so long. */
#define P2P_FETCH_STUCK_US (500 * 1000)

/* An origin that a peer has overtaken is taken for slow for so long, before it is
 * measured again. */
#define P2P_FETCH_SLOW_US (10 * G_USEC_PER_SEC)

/* After a race that the origin has won there is none for so long: it may be our
 * line that is thin. */
#define P2P_FETCH_LOST_US (30 * G_USEC_PER_SEC)

typedef enum
{
  P2P_FETCH_HTTP,  /* ask the origin now */
  P2P_FETCH_PEER,  /* ask a peer that holds it */
  P2P_FETCH_WAIT,  /* look again at until_us, or when something changes */
  P2P_FETCH_LEAVE, /* leave this peer, and decide anew */
} P2pFetchAction;

typedef struct
{
  P2pFetchAction action;
  gint64 until_us;
  const char *reason; /* for the log */
} P2pFetchVerdict;

/**
 * P2pFetchView:
 * @now_us: the time
 * @asked_us: when the player asked for the segment
 * @seen_us: when it could have been asked for: it was listed
 * @duration_us: the segment's media time
 * @ahead_us: media that the player has ahead of its playhead
 * @urgent_us: below this much the segment is urgent
 * @size: its expected bytes, 0: not known
 * @http_bps: what HTTP gave lately, 0: not known
 * @peer_bps: what the best free holder gave lately, 0: not known
 * @peers: connected
 * @expect_until_us: until then peers that are known to exist connect, or say
 *   what they hold; in the past when none are
 * @holder_free: a connected peer has it and can be asked
 * @silent: how many have just been asked one after the other, and sent nothing
 * @loading: a connected peer says that it is fetching it
 * @claim_us: what a claim takes to be heard, at most, of those before us
 * @rank: how many rivals (docs/design/claims.md) the election puts before us
 * @hidden: how many viewers that we are not connected to it is likely to put
 *   before us
 * @stuck_us: since when nobody has sent any more of a live segment of which some
 *   is here, nor said that the origin does, 0: that is not known
 */
typedef struct
{
  gint64 now_us;
  gint64 asked_us;
  gint64 seen_us;
  gint64 duration_us;
  gint64 ahead_us;
  gint64 urgent_us;
  gboolean has_variants;
  guint64 size;
  guint64 http_bps;
  guint64 peer_bps;
  guint peers;
  gint64 expect_until_us;
  gboolean holder_free;
  guint silent;
  gboolean loading;
  gint64 claim_us;
  guint rank;
  double hidden;
  gint64 stuck_us;
} P2pFetchView;

/* Whether another transfer beside the player's own leaves that in time, on a line
 * that both fill. */
gboolean p2p_fetch_has_time_beside (const P2pFetchView *view);

/* A segment that the player waits for and that nobody is fetching for us. */
P2pFetchVerdict p2p_fetch_required (const P2pFetchView *view);

/**
 * P2pTransferView:
 * @need: the player's side; only its times, @urgent_us, @size, @http_bps and
 *   @peer_bps, of this peer, count
 * @begun_us: when the peer was asked
 * @first_byte_us: when it first sent some, 0: not yet
 * @last_byte_us: when it last sent some; @begun_us at first
 * @bytes: how many it sent
 * @rest: how many are still to come from it, %P2P_SIZE_UNKNOWN
 * @tail_us: what the rest of a second peer's part takes, 0: there is none
 * @tail_rest: how many bytes that is
 * @arrived: bytes of segments that came from anywhere since @begun_us
 * @was_slow: the origin was a moment ago
 * @line_bps: what a line that is not wide gave before that, 0: not known
 *
 * A segment that the player waits for while a peer sends it, or the origin does.
 */
typedef struct
{
  P2pFetchView need;
  gint64 begun_us;
  gint64 first_byte_us;
  gint64 last_byte_us;
  guint64 bytes;
  guint64 rest;
  gint64 tail_us;
  guint64 tail_rest;
  guint64 arrived;
  gboolean was_slow;
  guint64 line_bps;
} P2pTransferView;

/* %P2P_FETCH_WAIT: the peer may go on; %P2P_FETCH_LEAVE: it is silent;
 * %P2P_FETCH_HTTP: the origin takes over from the byte reached. */
P2pFetchVerdict p2p_fetch_takeover (const P2pTransferView *view);

/* When to look whether a second peer should send the end of it: now or before:
 * it should. %P2P_NEVER: it is not worth it. */
gint64 p2p_fetch_second_us (const P2pTransferView *view);

/* Whether the second peer is no help: the origin would give everything sooner. */
gboolean p2p_fetch_second_is_late (const P2pTransferView *view);

/* When to look whether the origin is so slow that a peer should race it for the
 * end: now or before: it should. %P2P_NEVER: it is not worth it. */
gint64 p2p_fetch_race_us (const P2pTransferView *view);

/* Whether a peer whose last byte came at @peer_last_us, and that is @lead bytes in
 * front of the origin, may have the rest for itself. */
gboolean p2p_fetch_race_is_won (
    const P2pTransferView *view, guint64 lead, gint64 peer_last_us);

/* What an origin that has lost gives, in bit/s, from then on; the segment has @size
 * bytes. */
guint64 p2p_fetch_raced_bps (const P2pTransferView *view, guint64 size);

/* Whether a peer that sends since @peer_first_us, and whose rest takes @tail_us,
 * will be last. */
gboolean p2p_fetch_race_is_lost (
    const P2pTransferView *view, gint64 peer_first_us);

/* When it is our turn to ask the origin for a segment that nobody claims; only
 * @seen_us, @duration_us, @claim_us, @rank and @hidden count. */
gint64 p2p_fetch_turn_us (const P2pFetchView *view);

/* Until when a claim of ours that is made now gives way to a better one; only
 * @now_us and @claim_us count. */
gint64 p2p_fetch_claim_until_us (const P2pFetchView *view);

/* When it is our turn to go on with a segment that has stopped on its way through
 * a tree of relays, %P2P_NEVER; what counts is @stuck_us and the same. */
gint64 p2p_fetch_rescue_us (const P2pFetchView *view);

/* What @view's segment takes over HTTP. */
gint64 p2p_fetch_transfer_us (const P2pFetchView *view);

/* The threshold when the user gave none; @delay_us: how much later an answer of
 * the origin may come for what we send. */
gint64 p2p_fetch_urgent_us (gint64 duration_us, gint64 delay_us);

G_END_DECLS

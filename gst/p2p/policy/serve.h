/* p2phlssrc: how many peers are sent something at once, and in what pieces.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure. Source: docs/design/serve.md.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* Slots while nothing is known of the uplink. */
#define P2P_SERVE_UNKNOWN 2

/* Bytes of one message at least; P2P_MESSAGE_MAX_BYTES at most. */
#define P2P_SERVE_LEAST_BYTES (16 * 1024)

/**
 * p2p_serve_slots:
 * @up_bps: what the uplink carries, 0: not known
 * @bitrate: of the stream, 0: not known
 *
 * @live: a segment that comes late is of no use
 *
 * Returns: how many uploads at once about keep up with a stream twice as fast,
 * each; 1 at least, but none where even one would not keep up with a live one.
 */
guint p2p_serve_slots (guint64 up_bps, guint64 bitrate, gboolean live);

/* Whether what a peer needs in @theirs_us makes way for what another needs in
 * @needed_us. */
gboolean p2p_serve_gives_way (gint64 theirs_us, gint64 needed_us);

/* How long who sends to @uploads peers leaves the newest segment of a live stream,
 * of @duration_us, to those who send to nobody. */
gint64 p2p_serve_patience_us (guint uploads, gint64 duration_us);

/* What the uplink carries, by what it was taken to carry (0: not known) and by
 * what an upload has shown. */
double p2p_serve_uplink_bps (double before_bps, double shown_bps);

/* The same, by what had arrived when somebody gave up on us. */
double p2p_serve_left_bps (double before_bps, double shown_bps);

/* What a good upload counts from at least, where live streams of @bitrate are played:
 * too thin for them, and one such upload away from not being so. */
double p2p_serve_least_bps (double bitrate);

/* For how long that is believed of an uplink that has been too thin @times in a
 * row. */
gint64 p2p_serve_believed_us (guint times);

/* Bytes that may wait in a channel. */
gsize p2p_serve_waiting_bytes (guint64 up_bps);

/* How much later an answer of the origin may come while we send to peers;
 * @up_bps: 0: not known. */
gint64 p2p_serve_delay_us (guint64 up_bps);

/* Bytes of one message when @uploads share @up_bps. */
gsize p2p_serve_message_bytes (guint64 up_bps, guint uploads);

G_END_DECLS

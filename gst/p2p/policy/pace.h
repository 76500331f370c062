/* p2phlssrc: what a demuxer measures, and must not be led to.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure. Source: docs/design/pacing.md.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* The highest bitrate that a demuxer chooses when it measures @bps. */
guint64 p2p_pace_choice (guint64 bps);

/* The rate at which a demuxer that plays @bitrate stays below @above, the
 * lowest variant that HTTP does not carry. Never slower than HTTP. */
guint64 p2p_pace_bps (guint64 http_bps, guint64 bitrate, guint64 above);

/* How much of a segment may have left @elapsed_us after it was asked for.
 * @size: its bytes, or what is known of them */
guint64 p2p_pace_bytes (
    guint64 bps, guint64 size, gint64 duration_us, gint64 elapsed_us);

/* How many transfers of at most @most may go to the origin beside the player's
 * own without costing it its variant. */
guint p2p_pace_beside (guint64 http_bps, guint64 bitrate, guint most);

G_END_DECLS

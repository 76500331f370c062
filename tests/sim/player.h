/* p2phlssrc: a player modelled on hlsdemux, and the sink it takes bytes from.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/simulator.md.
 */
#pragma once

#include "ports/sink.h"
#include "sim/world.h"

G_BEGIN_DECLS

typedef struct _SimPlayer SimPlayer;

/**
 * SimPlayerResult:
 * @state: in a word
 * @playing: it has begun and has something to play, or has seen the end
 * @first_byte_us: from joining, which is asking for the manifest, to the
 *   first byte of media, -1: never
 * @startup_us: from joining to the first whole segment, -1: never
 * @stalls: times that it ran dry
 * @stalled_us: and for how long in all
 * @segments: handed over whole
 * @slow_segments: of these, those that took so long that hlsdemux would have
 *   left the variant
 * @switches: of the variant
 * @bitrates: of the variants of these segments, added up
 * @spoiled: segments with bytes that are not the origin's
 * @longest_us: that a segment took from request to end
 * @quiet_seeks: that nobody can tell from playing on
 * @behind_us: from the end of a live stream to the playhead
 */
typedef struct
{
  const char *state;
  gboolean playing;
  gint64 first_byte_us;
  gint64 startup_us;
  guint stalls;
  gint64 stalled_us;
  guint segments;
  guint slow_segments;
  guint switches;
  guint64 bitrates;
  guint spoiled;
  gint64 longest_us;
  guint quiet_seeks;
  gint64 behind_us;
} SimPlayerResult;

SimPlayer *sim_player_new (SimNode *node);
void sim_player_free (SimPlayer *player);
P2pSinkPort *sim_player_sink (SimPlayer *player);
void sim_player_start (SimPlayer *player);
void sim_player_stop (SimPlayer *player);
/* Stands still for @for_us; what is on its way still comes. */
void sim_player_pause (SimPlayer *player, gint64 for_us);

/* Goes elsewhere in a film: @place is 0 to 1 of its length. Nothing in a live
 * stream. */
void sim_player_seek (SimPlayer *player, double place);

SimPlayerResult sim_player_result (SimPlayer *player);

G_END_DECLS

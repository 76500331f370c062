/* p2phlssrc: what a world is like, every two seconds.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

#define SIM_SAMPLE_US (2 * (gint64) G_USEC_PER_SEC)

/**
 * SimSample:
 * @at_us: when it was taken
 * @viewers: that are there
 * @origin_bytes: of segments that have come from the origin so far
 * @uplink_bytes: that have left viewers so far
 * @peer_bytes: of segments that have come from viewers so far
 * @stalls: of all viewers so far
 */
typedef struct
{
  gint64 at_us;
  guint viewers;
  guint64 origin_bytes;
  guint64 uplink_bytes;
  guint64 peer_bytes;
  guint stalls;
} SimSample;

/* Takes the first, and one each SIM_SAMPLE_US from then on. Ends the world
 * when all have seen the end of a film, and nothing more is to go wrong. */
void sim_samples_begin (SimWorld *world);
void sim_samples_free (SimWorld *world);

G_END_DECLS

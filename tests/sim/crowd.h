/* p2phlssrc: who comes to a world, and who goes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/* After the last fault, a swarm has found together again. */
#define SIM_SETTLE_US (30 * (gint64) G_USEC_PER_SEC)

/* Plans all joins and leaves, and with them the end. The same with and without
 * P2P, so that both can be compared. */
void sim_crowd_plan (SimWorld *world);
void sim_crowd_free (SimWorld *world);

/* What the uplink of viewer @number carries, 0: no limit. Slow ones are spread
 * evenly among the others. */
guint64 sim_crowd_uplink_bps (const SimConfig *config, guint number);

/* Whether viewer @number came with the crowd. */
gboolean sim_crowd_is_of (const SimConfig *config, guint number);

G_END_DECLS

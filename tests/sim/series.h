/* p2phlssrc: a run over time, for tables and charts.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/**
 * SimRow:
 * @seconds: since the beginning; what follows is of the two seconds before
 * @viewers: that are there
 * @copies: of the segments published then, NAN: none that counts
 * @origin_bps: from the origin, segments alone
 * @uplink_bps: from all viewers, with all headers
 * @p2p_share: of the media that arrived, from peers, 0 to 1, NAN: none did
 * @stalls: so far
 */
typedef struct
{
  double seconds;
  guint viewers;
  double copies;
  double origin_bps;
  double uplink_bps;
  double p2p_share;
  guint stalls;
} SimRow;

/* After the run. Returns: (transfer full) (element-type SimRow). */
GArray *sim_series_new (SimWorld *world);

/* The names of columns, and the lines of one seed. */
void sim_series_csv_header (GString *csv);
void sim_series_csv (GArray *rows, guint64 seed, GString *csv);

/* A picture of it. @joined_us: as the world says. Returns: (transfer full). */
char *sim_series_svg (GArray *rows, const char *title, gint64 joined_us);

G_END_DECLS

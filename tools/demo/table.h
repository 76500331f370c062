/* p2phlssrc: the demonstration's table, as text.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: app.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What one viewer has last said of itself. */
typedef struct
{
  const char *state; /* static */
  gint64 played_ms;
  gint64 peers;
  gint64 http_bytes;
  gint64 p2p_bytes;
  gint64 upload_bytes;
  gint64 stalls;
} P2pDemoViewer;

/* How often a segment has left the origin. */
typedef struct
{
  guint number;
  double copies;
} P2pDemoSegment;

/**
 * p2p_demo_table:
 * @viewers: (array length=n_viewers): the viewers that have joined
 * @n_viewers: entries in @viewers
 * @segments: (array length=n_segments): oldest first
 * @n_segments: entries in @segments
 *
 * Returns: (transfer full): lines of at most 80 columns.
 */
char *p2p_demo_table (const P2pDemoViewer *viewers, guint n_viewers,
    const P2pDemoSegment *segments, guint n_segments);

/* Copies of each segment on average. */
double p2p_demo_copies (const P2pDemoSegment *segments, guint n_segments);

G_END_DECLS

/* p2phlssrc: the demonstration's table, as text.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "table.h"

/* As many as 80 columns hold. */
#define SEGMENTS_SHOWN 14

static void
add_viewer (GString *text, guint number, const P2pDemoViewer *viewer)
{
  g_string_append_printf (text,
      "%6u  %-9s %4" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT
      "  %5" G_GINT64_FORMAT "  %8.2f MB  %8.2f MB  %8.2f MB  "
      "%6" G_GINT64_FORMAT "\n",
      number, viewer->state, viewer->played_ms / 60000,
      viewer->played_ms / 1000 % 60, viewer->peers, viewer->http_bytes / 1e6,
      viewer->p2p_bytes / 1e6, viewer->upload_bytes / 1e6, viewer->stalls);
}

static void
add_segments (GString *text, const P2pDemoSegment *segments, guint count)
{
  guint first = count > SEGMENTS_SHOWN ? count - SEGMENTS_SHOWN : 0;

  if (count == 0)
    return;
  g_string_append (text, "\nsegment ");
  for (guint i = first; i < count; i++)
    g_string_append_printf (text, "%5u", segments[i].number);
  g_string_append (text, "\nfetched ");
  for (guint i = first; i < count; i++)
    g_string_append_printf (text, "%5.2g", segments[i].copies);
  g_string_append_printf (text,
      "\nEach segment has left the origin %.2f times.\n",
      p2p_demo_copies (segments, count));
}

char *
p2p_demo_table (const P2pDemoViewer *viewers, guint n_viewers,
    const P2pDemoSegment *segments, guint n_segments)
{
  GString *text =
      g_string_new ("viewer  state      time  peers     from CDN   from peers"
                    "        given  stalls\n");

  for (guint i = 0; i < n_viewers; i++)
    add_viewer (text, i + 1, &viewers[i]);
  add_segments (text, segments, n_segments);
  return g_string_free (text, FALSE);
}

double
p2p_demo_copies (const P2pDemoSegment *segments, guint n_segments)
{
  double sum = 0;

  for (guint i = 0; i < n_segments; i++)
    sum += segments[i].copies;
  return n_segments > 0 ? sum / n_segments : 0;
}

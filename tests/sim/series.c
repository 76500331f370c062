/* p2phlssrc: a run over time, for tables and charts.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/series.h"

#include "sim/chart.h"
#include "sim/report.h"
#include "sim/sample.h"

#include <math.h>

/* Copies of what was published between two samples. What is not over yet says
 * nothing. */
static double
copies_of (SimWorld *world, gint64 from_us, gint64 to_us)
{
  double copies;

  if (world->config.vod || to_us > world->end_us - 2 * world->config.segment_us)
    return NAN;
  copies = sim_report_copies (world, from_us, to_us - 1);

  return copies > 0 ? copies : NAN;
}

static void
add_row (SimWorld *world, const SimSample *sample, GArray *rows)
{
  const SimSample *last = sample - 1;
  double seconds = (sample->at_us - last->at_us) / 1e6;
  guint64 origin = sample->origin_bytes - last->origin_bytes;
  guint64 peers = sample->peer_bytes - last->peer_bytes;
  SimRow row = {
    .seconds = (sample->at_us - SIM_BEGIN_US) / 1e6,
    .viewers = sample->viewers,
    .copies = copies_of (world, last->at_us, sample->at_us),
    .origin_bps = origin * 8 / seconds,
    .uplink_bps = (sample->uplink_bytes - last->uplink_bytes) * 8 / seconds,
    .p2p_share = origin + peers > 0 ? (double) peers / (origin + peers) : NAN,
    .stalls = sample->stalls,
  };

  g_array_append_val (rows, row);
}

GArray *
sim_series_new (SimWorld *world)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (SimRow));
  guint i;

  for (i = 1; i < world->samples->len; i++)
    add_row (world, &g_array_index (world->samples, SimSample, i), rows);

  return rows;
}

/* --- as a table ------------------------------------------------------------- */

void
sim_series_csv_header (GString *csv)
{
  g_string_append (csv,
      "seed,seconds,viewers,copies,origin_bps,uplink_bps,"
      "p2p_share,stalls\n");
}

/* Nothing where there is nothing to say. */
static void
append_number (GString *csv, const char *format, double value)
{
  if (!isnan (value))
    g_string_append_printf (csv, format, value);
}

void
sim_series_csv (GArray *rows, guint64 seed, GString *csv)
{
  guint i;

  for (i = 0; i < rows->len; i++) {
    const SimRow *row = &g_array_index (rows, SimRow, i);

    g_string_append_printf (csv, "%" G_GUINT64_FORMAT ",%.0f,%u,", seed,
        row->seconds, row->viewers);
    append_number (csv, "%.3f", row->copies);
    g_string_append_printf (
        csv, ",%.0f,%.0f,", row->origin_bps, row->uplink_bps);
    append_number (csv, "%.4f", row->p2p_share);
    g_string_append_printf (csv, ",%u\n", row->stalls);
  }
}

/* --- as a picture ------------------------------------------------------------- */

char *
sim_series_svg (GArray *rows, const char *title, gint64 joined_us)
{
  g_autoptr (SimChart) chart = sim_chart_new (title);
  guint i;

  sim_chart_mark (chart, (joined_us - SIM_BEGIN_US) / 1e6, "all have joined");
  sim_chart_panel (chart, "Viewers", "", SIM_SCALE_LINEAR, 4);
  sim_chart_panel (
      chart, "Copies per segment, when it was published", "", SIM_SCALE_LOG, 5);
  sim_chart_panel (chart, "Bits sent", "Mbit/s", SIM_SCALE_LINEAR, 1);
  sim_chart_panel (chart, "Media from peers", "%", SIM_SCALE_LINEAR, 100);
  sim_chart_panel (chart, "Stalls so far", "", SIM_SCALE_LINEAR, 4);
  sim_chart_line (chart, 0, "viewers");
  sim_chart_line (chart, 1, "copies");
  sim_chart_line (chart, 2, "origin");
  sim_chart_line (chart, 2, "all uplinks");
  sim_chart_line (chart, 3, "share");
  sim_chart_line (chart, 4, "stalls");
  for (i = 0; i < rows->len; i++) {
    const SimRow *row = &g_array_index (rows, SimRow, i);
    const double values[] = { row->viewers, row->copies, row->origin_bps / 1e6,
      row->uplink_bps / 1e6, 100 * row->p2p_share, row->stalls };

    sim_chart_point (chart, row->seconds, values);
  }

  return sim_chart_svg (chart);
}

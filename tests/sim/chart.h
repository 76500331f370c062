/* p2phlssrc: lines over time as an SVG picture.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. No script, no fonts and nothing from elsewhere; its colours
 * follow the reader's, light or dark.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SIM_PANELS_MAX 8
#define SIM_LINES_MAX 12
/* Lines that one panel has colours for. */
#define SIM_LINE_COLOURS 2

typedef enum
{
  SIM_SCALE_LINEAR, /* from 0 */
  SIM_SCALE_LOG,    /* from one half */
} SimScale;

/**
 * SimChart:
 *
 * Panels one above the other, which share the axis of time. Panels and lines
 * first, then points.
 */
typedef struct _SimChart SimChart;

SimChart *sim_chart_new (const char *title);
void sim_chart_free (SimChart *chart);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimChart, sim_chart_free)

/* One more below the others. Its axis goes up to @least, or higher. */
void sim_chart_panel (SimChart *chart, const char *title, const char *unit,
    SimScale scale, double least);

/* One more line in @panel. */
void sim_chart_line (SimChart *chart, guint panel, const char *name);

/* @values: one for each line; NAN: none, the line goes straight on. */
void sim_chart_point (SimChart *chart, double seconds, const double *values);

/* A vertical line through all panels. */
void sim_chart_mark (SimChart *chart, double seconds, const char *text);

/* Returns: (transfer full): the picture. */
char *sim_chart_svg (SimChart *chart);

G_END_DECLS

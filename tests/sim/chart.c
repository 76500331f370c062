/* p2phlssrc: lines over time as an SVG picture.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/chart.h"

#include <math.h>

/* All in pixels. */
#define WIDTH 960
#define LEFT 72
#define RIGHT 24
#define TOP 36
#define BOTTOM 52
#define PLOT_HEIGHT 120
#define PANEL_HEIGHT 172

/* Intervals between ticks, at most. */
#define TICKS_Y 4
#define TICKS_X 10

/* A scale of powers begins here, and has ticks of 2 and 5 up to that. */
#define LOG_LEAST 0.5
#define LOG_ALL_TICKS 60

typedef struct
{
  const char *title;
  const char *unit;
  SimScale scale;
  guint lines;
  double most; /* top of the axis */
} Panel;

typedef struct
{
  const char *name;
  guint panel;
  guint colour;
  GArray *values; /* of double */
} Line;

struct _SimChart
{
  char *title;
  Panel panels[SIM_PANELS_MAX];
  guint n_panels;
  Line lines[SIM_LINES_MAX];
  guint n_lines;
  GArray *seconds; /* of double */
  double mark;
  const char *mark_text; /* (nullable) */
};

/* --- what is drawn ---------------------------------------------------------- */

SimChart *
sim_chart_new (const char *title)
{
  SimChart *chart = g_new0 (SimChart, 1);

  chart->title = g_strdup (title);
  chart->seconds = g_array_new (FALSE, FALSE, sizeof (double));

  return chart;
}

void
sim_chart_free (SimChart *chart)
{
  guint i;

  for (i = 0; i < chart->n_lines; i++)
    g_array_unref (chart->lines[i].values);
  g_array_unref (chart->seconds);
  g_free (chart->title);
  g_free (chart);
}

void
sim_chart_panel (SimChart *chart, const char *title, const char *unit,
    SimScale scale, double least)
{
  g_assert (chart->n_panels < SIM_PANELS_MAX && least > 0);
  chart->panels[chart->n_panels++] =
      (Panel){ .title = title, .unit = unit, .scale = scale, .most = least };
}

void
sim_chart_line (SimChart *chart, guint panel, const char *name)
{
  Line *line = &chart->lines[chart->n_lines];

  g_assert (chart->n_lines < SIM_LINES_MAX && panel < chart->n_panels);
  g_assert (chart->panels[panel].lines < SIM_LINE_COLOURS);
  chart->n_lines++;
  line->name = name;
  line->panel = panel;
  line->colour = chart->panels[panel].lines++;
  line->values = g_array_new (FALSE, FALSE, sizeof (double));
}

void
sim_chart_point (SimChart *chart, double seconds, const double *values)
{
  guint i;

  g_array_append_val (chart->seconds, seconds);
  for (i = 0; i < chart->n_lines; i++) {
    Panel *panel = &chart->panels[chart->lines[i].panel];

    g_array_append_val (chart->lines[i].values, values[i]);
    if (!isnan (values[i]))
      panel->most = MAX (panel->most, values[i]);
  }
}

void
sim_chart_mark (SimChart *chart, double seconds, const char *text)
{
  chart->mark = seconds;
  chart->mark_text = text;
}

/* --- scales ------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten: the least that makes at most @n intervals of
 * @range. */
static double
tick_step (double range, guint n)
{
  static const double steps[] = { 1, 2, 5, 10 };
  double power = pow (10, floor (log10 (range / n)));
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps) - 1; i++) {
    if (steps[i] * power * n >= range)
      break;
  }

  return steps[i] * power;
}

/* Time is read in minutes, not in hundreds of seconds. */
static double
time_step (double seconds)
{
  static const double steps[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps) - 1; i++) {
    if (steps[i] * TICKS_X >= seconds)
      break;
  }

  return steps[i];
}

/* 0.5, 1, 2, 5, 10, 20, … */
static double
next_log_tick (double tick)
{
  double power = pow (10, floor (log10 (tick) + 1e-9));

  return tick / power < 1.5 || tick / power > 4 ? tick * 2 : tick * 2.5;
}

static gboolean
is_power_of_ten (double tick)
{
  double exponent = log10 (tick);

  return fabs (exponent - round (exponent)) < 1e-6;
}

static double
log_top (double most)
{
  double tick = LOG_LEAST;

  while (tick < most)
    tick = next_log_tick (tick);

  return tick;
}

static void
settle_top (Panel *panel)
{
  double step;

  if (panel->scale == SIM_SCALE_LOG) {
    panel->most = log_top (panel->most);
    return;
  }
  step = tick_step (panel->most, TICKS_Y);
  panel->most = ceil (panel->most / step - 1e-9) * step;
}

static double
plot_top (guint panel)
{
  return TOP + panel * PANEL_HEIGHT + (PANEL_HEIGHT - PLOT_HEIGHT);
}

static double
y_of (SimChart *chart, guint number, double value)
{
  Panel *panel = &chart->panels[number];
  double part = value / panel->most;

  if (panel->scale == SIM_SCALE_LOG)
    part = log (MAX (value, LOG_LEAST) / LOG_LEAST)
        / log (panel->most / LOG_LEAST);

  return plot_top (number) + PLOT_HEIGHT * (1 - part);
}

static double
length_of (SimChart *chart)
{
  guint n = chart->seconds->len;

  return n > 0 ? g_array_index (chart->seconds, double, n - 1) : 1;
}

static double
x_of (SimChart *chart, double seconds)
{
  return LEFT + (WIDTH - LEFT - RIGHT) * seconds / length_of (chart);
}

/* --- SVG ---------------------------------------------------------------------- */

/* Classes, not variables: simple renderers know no variables, and then show
 * the light one. */
static const char style[] =
    "<style>\n"
    "text { font: 12px system-ui, sans-serif; fill: #57606a; }\n"
    ".title { font-size: 15px; font-weight: 600; fill: #1f2328; }\n"
    ".panel { font-weight: 600; fill: #1f2328; }\n"
    ".end { text-anchor: end; } .middle { text-anchor: middle; }\n"
    ".paper { fill: #ffffff; }\n"
    ".grid { stroke: #e4e7ea; } .axis { stroke: #8c959f; }\n"
    ".mark { stroke: #8c959f; stroke-dasharray: 4 3; }\n"
    ".line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }\n"
    ".c0 { stroke: #0a66c2; } .c1 { stroke: #c2570a; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "text { fill: #9da7b1; } .title, .panel { fill: #e6edf3; }\n"
    ".paper { fill: #0d1117; }\n"
    ".grid { stroke: #262c34; } .axis, .mark { stroke: #6e7681; }\n"
    ".c0 { stroke: #58a6ff; } .c1 { stroke: #f0883e; }\n"
    "}\n"
    "</style>\n";

static void
draw_text (
    GString *svg, double x, double y, const char *class_name, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  g_string_append_printf (svg,
      "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class_name,
      escaped);
}

static void
draw_stroke (GString *svg, double x1, double y1, double x2, double y2,
    const char *class_name)
{
  g_string_append_printf (svg,
      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
      x1, y1, x2, y2, class_name);
}

static void
draw_tick_y (SimChart *chart, GString *svg, guint number, double value)
{
  double y = y_of (chart, number, value);
  g_autofree char *text = g_strdup_printf ("%.10g", value);

  draw_stroke (svg, LEFT, y, WIDTH - RIGHT, y, value == 0 ? "axis" : "grid");
  draw_text (svg, LEFT - 8, y + 4, "end", text);
}

static void
draw_ticks_y (SimChart *chart, GString *svg, guint number)
{
  const Panel *panel = &chart->panels[number];
  double step, value;
  guint i;

  if (panel->scale == SIM_SCALE_LOG) {
    for (value = LOG_LEAST; value <= panel->most * 1.001;
         value = next_log_tick (value)) {
      if (panel->most <= LOG_ALL_TICKS || is_power_of_ten (value))
        draw_tick_y (chart, svg, number, value);
    }
    return;
  }
  step = tick_step (panel->most, TICKS_Y);
  for (i = 0; i * step <= panel->most * 1.001; i++)
    draw_tick_y (chart, svg, number, i * step);
}

static void
draw_ticks_x (SimChart *chart, GString *svg)
{
  double step = time_step (length_of (chart));
  double bottom = plot_top (chart->n_panels - 1) + PLOT_HEIGHT;
  guint i, panel;

  for (i = 0; i * step <= length_of (chart); i++) {
    double x = x_of (chart, i * step);
    g_autofree char *text = g_strdup_printf ("%.0f", i * step);

    for (panel = 0; panel < chart->n_panels; panel++)
      draw_stroke (svg, x, plot_top (panel), x, plot_top (panel) + PLOT_HEIGHT,
          i == 0 ? "axis" : "grid");
    draw_text (svg, x, bottom + 18, "middle", text);
  }
  draw_text (svg, (LEFT + WIDTH - RIGHT) / 2.0, bottom + 38, "middle",
      "seconds since the beginning");
}

static void
draw_mark (SimChart *chart, GString *svg)
{
  double x = x_of (chart, chart->mark);
  gboolean on_left = chart->mark > 0.8 * length_of (chart);
  guint panel;

  if (chart->mark_text == NULL || chart->mark > length_of (chart))
    return;
  for (panel = 0; panel < chart->n_panels; panel++)
    draw_stroke (
        svg, x, plot_top (panel), x, plot_top (panel) + PLOT_HEIGHT, "mark");
  draw_text (svg, x + (on_left ? -6 : 6), plot_top (0) + PLOT_HEIGHT - 8,
      on_left ? "end" : "", chart->mark_text);
}

static void
draw_line (SimChart *chart, GString *svg, const Line *line)
{
  guint i;

  g_string_append_printf (
      svg, "<polyline class=\"line c%u\" points=\"", line->colour);
  for (i = 0; i < line->values->len; i++) {
    double value = g_array_index (line->values, double, i);

    if (!isnan (value))
      g_string_append_printf (svg, "%.1f,%.1f ",
          x_of (chart, g_array_index (chart->seconds, double, i)),
          y_of (chart, line->panel, value));
  }
  g_string_append (svg, "\"/>\n");
}

/* Which colour is which, where there are two: right of the panel's title. */
static void
draw_legend (SimChart *chart, GString *svg, guint number)
{
  double x = WIDTH - RIGHT, y = plot_top (number) - 10;
  guint i;

  for (i = chart->n_lines; i-- > 0;) {
    const Line *line = &chart->lines[i];
    g_autofree char *class_name = g_strdup_printf ("line c%u", line->colour);

    if (line->panel != number || chart->panels[number].lines < 2)
      continue;
    draw_text (svg, x, y, "end", line->name);
    x -= 6 + 6 * strlen (line->name);
    draw_stroke (svg, x - 22, y - 4, x, y - 4, class_name);
    x -= 40;
  }
}

static void
draw_panel (SimChart *chart, GString *svg, guint number)
{
  const Panel *panel = &chart->panels[number];
  g_autofree char *title = *panel->unit == '\0'
      ? g_strdup (panel->title)
      : g_strdup_printf ("%s, %s", panel->title, panel->unit);
  guint i;

  draw_ticks_y (chart, svg, number);
  draw_text (svg, LEFT, plot_top (number) - 10, "panel", title);
  draw_legend (chart, svg, number);
  for (i = 0; i < chart->n_lines; i++) {
    if (chart->lines[i].panel == number)
      draw_line (chart, svg, &chart->lines[i]);
  }
}

char *
sim_chart_svg (SimChart *chart)
{
  GString *svg = g_string_new (NULL);
  guint height = TOP + chart->n_panels * PANEL_HEIGHT + BOTTOM;
  guint i;

  g_string_append_printf (svg,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" "
      "width=\"%d\" height=\"%u\">\n",
      WIDTH, height, WIDTH, height);
  g_string_append (svg, style);
  g_string_append (
      svg, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
  draw_text (svg, LEFT, 36, "title", chart->title);
  for (i = 0; i < chart->n_panels; i++)
    settle_top (&chart->panels[i]);
  draw_ticks_x (chart, svg);
  for (i = 0; i < chart->n_panels; i++)
    draw_panel (chart, svg, i);
  draw_mark (chart, svg);
  g_string_append (svg, "</svg>\n");

  return g_string_free (svg, FALSE);
}

/* p2phlssrc: one way of playing a URI from a program.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. What the pipeline says comes to the main thread as messages.
 */
#pragma once

#include "watch.h"

G_BEGIN_DECLS

/**
 * Engine:
 *
 * A program's end of a player's API. Each order returns at once.
 */
typedef struct
{
  const char *name;
  gpointer (*open) (const char *uri, Watch *watch);
  /* (transfer none): the outermost bin */
  GstElement *(*pipeline) (gpointer self);
  void (*set_playing) (gpointer self, gboolean playing);
  void (*seek) (gpointer self, GstClockTime position);
  /* (nullable): all its tracks come out at once */
  void (*set_audio) (gpointer self, guint track);
  void (*close) (gpointer self);
  /* Pauses to fill its buffers without being told. */
  gboolean buffers_itself;
} Engine;

extern const Engine engine_playbin;
extern const Engine engine_playbin3;
extern const Engine engine_uridecodebin;
extern const Engine engine_gstplay;

G_END_DECLS

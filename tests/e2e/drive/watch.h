/* p2phlssrc: what reaches a player's sinks.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any; a Watch has one lock.
 */
#pragma once

#include <gst/gst.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * Watch:
 *
 * Looks at the buffers that come to sinks: how many, how far their time goes
 * without a gap, and how long the sink had to wait for them.
 */
typedef struct _Watch Watch;

Watch *watch_new (void);
void watch_free (Watch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Watch, watch_free)

/* Returns: (transfer floating): a sink that keeps time, shows nothing and is
 * looked at. @kind is its name in the report. */
GstElement *watch_sink (Watch *watch, const char *kind);

/* Media time that every sink that got anything has seen, in nanoseconds. */
guint64 watch_played (Watch *watch);

/* An order was given: waiting for the next buffer is no stall. */
void watch_forgive (Watch *watch);

/* The next member of an object: an array with one object for each sink that
 * got anything. */
void watch_report (Watch *watch, JsonBuilder *builder);

G_END_DECLS

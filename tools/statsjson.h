/* p2phlssrc: a GstStructure as JSON.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <gst/gst.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * p2p_stats_json_add:
 * @builder: inside an object
 * @structure: what the element's "stats" property gives
 *
 * Adds each field as a member: numbers, booleans, strings, and arrays of
 * structures as arrays of objects. What has no shape in JSON is written as
 * GStreamer prints it, so that nothing is lost on the way to a script.
 */
void p2p_stats_json_add (JsonBuilder *builder, const GstStructure *structure);

/* One line of text for the builder's finished value. */
char *p2p_stats_json_line (JsonBuilder *builder);

G_END_DECLS

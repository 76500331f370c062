/* p2phlssrc: JSON looked at in place.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. A tracker forwards offers that it has no reason to understand,
 * and ids whose binary strings (NUL included) must come out as they went in.
 * So values are spans of the message, checked and never rewritten. No
 * recursion: depth is bounded by P2P_TRACKER_SERVER_DEPTH_MAX.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Part of a message: from the first byte of a value to after its last. Nothing
 * there: @start is %NULL. */
typedef struct
{
  const char *start;
  const char *end;
} P2pJsonSpan;

/* Goes through the members of an object or the elements of an array. */
typedef struct
{
  const char *at;
  const char *end;
  char close; /* ] or } */
  gboolean first;
} P2pJsonCursor;

/* A whole message: one valid value, and nothing else. */
gboolean p2p_json_check (const char *text, gsize length, P2pJsonSpan *value);

/* On a value that p2p_json_check() has been through. %FALSE: not an object, or
 * not an array. */
gboolean p2p_json_open_object (const P2pJsonSpan *value, P2pJsonCursor *cursor);
gboolean p2p_json_open_array (const P2pJsonSpan *value, P2pJsonCursor *cursor);

/* The next member (@name without quotes) or element (@name %NULL). */
gboolean p2p_json_next (
    P2pJsonCursor *cursor, P2pJsonSpan *name, P2pJsonSpan *value);

static inline gsize
p2p_json_length (const P2pJsonSpan *span)
{
  return span->end - span->start;
}

gboolean p2p_json_is_object (const P2pJsonSpan *value);
gboolean p2p_json_is_string (const P2pJsonSpan *value);
gboolean p2p_json_equal (const P2pJsonSpan *span, const char *text);

/* Reads a string of exactly @length characters U+0000 to U+00FF, each a byte,
 * as trackers write binary values. */
gboolean p2p_json_read_bytes (
    const P2pJsonSpan *value, guint8 *bytes, gsize length);

/* Writes bytes the same way, quotes included. */
void p2p_json_append_bytes (GString *text, const guint8 *bytes, gsize length);

G_END_DECLS

/* p2phlssrc: words of HLS playlists: lines, attribute lists, numbers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Nothing here copies or allocates: spans point into the
 * playlist.
 */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/**
 * P2pM3u8Span:
 *
 * A piece of a playlist, not NUL-terminated.
 */
typedef struct
{
  const char *at;
  gsize length;
} P2pM3u8Span;

static inline gboolean
p2p_m3u8_span_is (P2pM3u8Span span, const char *text)
{
  return span.length == strlen (text)
      && memcmp (span.at, text, span.length) == 0;
}

static inline gboolean
p2p_m3u8_span_equal (P2pM3u8Span a, P2pM3u8Span b)
{
  return a.length == b.length
      && (a.length == 0 || memcmp (a.at, b.at, a.length) == 0);
}

/* Takes a byte order mark off the front of @text. */
void p2p_m3u8_skip_bom (P2pM3u8Span *text);

/* Takes the next line off the front of @text, without what ends it and
 * without white space around it. %FALSE at the end. */
gboolean p2p_m3u8_next_line (P2pM3u8Span *text, P2pM3u8Span *line);

/* Splits "#EXT-X-NAME:value" into name (without #) and value, which is empty
 * without a colon. %FALSE: the line is no tag. */
gboolean p2p_m3u8_split_tag (
    P2pM3u8Span line, P2pM3u8Span *name, P2pM3u8Span *value);

/**
 * p2p_m3u8_next_attribute:
 * @list: (inout): an attribute list; the attribute is taken off its front
 * @name: (out): as written
 * @value: (out): without quotes
 *
 * Commas inside quotes do not separate. Single quotes are taken off as well,
 * though they do not protect commas, because m3u8-parser does so and its
 * reading decides names of swarms. What is no name=value is skipped.
 *
 * Returns: %FALSE at the end.
 */
gboolean p2p_m3u8_next_attribute (
    P2pM3u8Span *list, P2pM3u8Span *name, P2pM3u8Span *value);

/* The value of attribute @name: the first one, if there are several.
 * %FALSE: missing. */
gboolean p2p_m3u8_find_attribute (
    P2pM3u8Span list, const char *name, P2pM3u8Span *value);

/* Digits at the front of @text, which they are taken off; saturates.
 * %FALSE: there are none. */
gboolean p2p_m3u8_take_integer (P2pM3u8Span *text, guint64 *value);

/* Seconds with a decimal point, as microseconds; at most
 * P2P_M3U8_DURATION_MAX_US. %FALSE: no number. */
gboolean p2p_m3u8_read_duration (P2pM3u8Span text, gint64 *duration_us);

/* Eleven days: no segment is longer, and sums cannot overflow. */
#define P2P_M3U8_DURATION_MAX_US G_GINT64_CONSTANT (1000000000000)

G_END_DECLS

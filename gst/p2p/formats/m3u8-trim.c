/* p2phlssrc: a playlist without its last segments.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "m3u8.h"

/* The end of the line at @at, past its newline. */
static const char *
line_end (const char *at, const char *end)
{
  const char *newline = memchr (at, '\n', end - at);

  return newline != NULL ? newline + 1 : end;
}

static gboolean
is_uri (const char *line, const char *end)
{
  while (line < end && g_ascii_isspace (*line))
    line++;

  return line < end && *line != '#';
}

GBytes *
p2p_m3u8_trim (GBytes *body, guint segments)
{
  gsize size;
  const char *text = g_bytes_get_data (body, &size);
  const char *end = text + size;
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  const char *line, *next;

  for (line = text; line < end; line = next) {
    gsize offset;

    next = line_end (line, end);
    offset = next - text;
    if (is_uri (line, next))
      g_array_append_val (ends, offset);
  }
  if (segments == 0 || ends->len <= segments)
    return g_bytes_ref (body);

  return g_bytes_new_from_bytes (
      body, 0, g_array_index (ends, gsize, ends->len - 1 - segments));
}

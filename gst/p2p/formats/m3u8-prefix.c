/* p2phlssrc: absolute URIs in playlists, given a scheme of ours.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "m3u8.h"

#include "m3u8-lex.h"

typedef P2pM3u8Span Span;

static gboolean
is_absolute_http (Span uri)
{
  return (uri.length > 5 && g_ascii_strncasecmp (uri.at, "http:", 5) == 0)
      || (uri.length > 6 && g_ascii_strncasecmp (uri.at, "https:", 6) == 0);
}

/* The URI in @line that must change, or an empty span. */
static Span
find_absolute (Span line)
{
  Span nothing = { line.at, 0 };
  Span name;
  Span uri = line;

  if (line.length > 0 && line.at[0] == '#') {
    /* The title of EXTINF is free text. */
    if (!p2p_m3u8_split_tag (line, &name, &uri)
        || p2p_m3u8_span_is (name, "EXTINF")
        || !p2p_m3u8_find_attribute (uri, "URI", &uri))
      return nothing;
  }

  return is_absolute_http (uri) ? uri : nothing;
}

GBytes *
p2p_m3u8_prefix_uris (GBytes *body, const char *prefix)
{
  g_autoptr (GByteArray) out = NULL;
  const char *copied;
  Span text;
  Span line;

  text.at = g_bytes_get_data (body, &text.length);
  copied = text.at;
  p2p_m3u8_skip_bom (&text);
  while (p2p_m3u8_next_line (&text, &line)) {
    Span uri = find_absolute (line);

    if (uri.length == 0)
      continue;
    if (out == NULL)
      out = g_byte_array_sized_new (g_bytes_get_size (body) * 5 / 4);
    g_byte_array_append (out, (const guint8 *) copied, uri.at - copied);
    g_byte_array_append (out, (const guint8 *) prefix, strlen (prefix));
    copied = uri.at;
  }
  if (out == NULL)
    return g_bytes_ref (body);

  g_byte_array_append (
      out, (const guint8 *) copied, text.at + text.length - copied);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

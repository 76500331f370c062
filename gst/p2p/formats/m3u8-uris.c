/* p2phlssrc: playlists with other URIs in them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "m3u8.h"

#include "m3u8-lex.h"
#include "m3u8-variables.h"

typedef P2pM3u8Span Span;

/* The URI in @line, or an empty span. Variables are taken in passing. */
static Span
find_uri (Span line, P2pM3u8Variables *variables)
{
  Span nothing = { line.at, 0 };
  Span name;
  Span uri = line;

  if (line.length == 0 || line.at[0] != '#')
    return line;
  /* The title of EXTINF is free text. */
  if (!p2p_m3u8_split_tag (line, &name, &uri)
      || p2p_m3u8_span_is (name, "EXTINF"))
    return nothing;
  if (p2p_m3u8_span_is (name, "EXT-X-DEFINE"))
    p2p_m3u8_define (variables, uri);

  return p2p_m3u8_find_attribute (uri, "URI", &uri) ? uri : nothing;
}

static char *
map (Span uri, P2pM3u8Variables *variables, P2pM3u8UriFunc func,
    gpointer user_data)
{
  g_autofree char *text = p2p_m3u8_substitute (variables, uri);

  if (text == NULL)
    text = g_strndup (uri.at, uri.length);

  return func (text, user_data);
}

GBytes *
p2p_m3u8_map_uris (GBytes *body, P2pM3u8UriFunc func, gpointer user_data)
{
  g_auto (P2pM3u8Variables) variables = { 0 };
  g_autoptr (GByteArray) out = NULL;
  const char *copied;
  Span text;
  Span line;

  text.at = g_bytes_get_data (body, &text.length);
  copied = text.at;
  p2p_m3u8_skip_bom (&text);
  while (p2p_m3u8_next_line (&text, &line)) {
    Span uri = find_uri (line, &variables);
    g_autofree char *mapped = NULL;

    if (uri.length > 0)
      mapped = map (uri, &variables, func, user_data);
    if (mapped == NULL)
      continue;
    if (out == NULL)
      out = g_byte_array_sized_new (g_bytes_get_size (body) * 5 / 4);
    g_byte_array_append (out, (const guint8 *) copied, uri.at - copied);
    g_byte_array_append (out, (const guint8 *) mapped, strlen (mapped));
    copied = uri.at + uri.length;
  }
  if (out == NULL)
    return g_bytes_ref (body);

  g_byte_array_append (
      out, (const guint8 *) copied, text.at + text.length - copied);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

static char *
prefix_absolute (const char *uri, gpointer prefix)
{
  if (g_ascii_strncasecmp (uri, "http:", 5) != 0
      && g_ascii_strncasecmp (uri, "https:", 6) != 0)
    return NULL;

  return g_strconcat (prefix, uri, NULL);
}

GBytes *
p2p_m3u8_prefix_uris (GBytes *body, const char *prefix)
{
  return p2p_m3u8_map_uris (body, prefix_absolute, (gpointer) prefix);
}

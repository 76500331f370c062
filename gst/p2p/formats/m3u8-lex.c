/* p2phlssrc: words of HLS playlists.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "m3u8-lex.h"

#define BOM "\xef\xbb\xbf"
#define BOM_LENGTH 3

#define US_PER_S 1000000

static void
skip (P2pM3u8Span *span, gsize length)
{
  span->at += length;
  span->length -= length;
}

static P2pM3u8Span
trim (P2pM3u8Span span)
{
  while (span.length > 0 && g_ascii_isspace (span.at[0]))
    skip (&span, 1);
  while (span.length > 0 && g_ascii_isspace (span.at[span.length - 1]))
    span.length--;

  return span;
}

void
p2p_m3u8_skip_bom (P2pM3u8Span *text)
{
  if (text->length >= BOM_LENGTH && memcmp (text->at, BOM, BOM_LENGTH) == 0)
    skip (text, BOM_LENGTH);
}

gboolean
p2p_m3u8_next_line (P2pM3u8Span *text, P2pM3u8Span *line)
{
  const char *end;

  if (text->length == 0)
    return FALSE;

  end = memchr (text->at, '\n', text->length);
  line->at = text->at;
  line->length = end != NULL ? (gsize) (end - text->at) : text->length;
  skip (text, end != NULL ? line->length + 1 : line->length);
  *line = trim (*line);

  return TRUE;
}

gboolean
p2p_m3u8_split_tag (P2pM3u8Span line, P2pM3u8Span *name, P2pM3u8Span *value)
{
  const char *colon;

  if (line.length < 4 || memcmp (line.at, "#EXT", 4) != 0)
    return FALSE;

  skip (&line, 1);
  colon = memchr (line.at, ':', line.length);
  *name = line;
  *value = (P2pM3u8Span){ line.at + line.length, 0 };
  if (colon != NULL) {
    name->length = colon - line.at;
    skip (&line, name->length + 1);
    *value = line;
  }

  return TRUE;
}

/* The value at the front of @list, up to the comma after it. */
static P2pM3u8Span
take_value (P2pM3u8Span *list)
{
  P2pM3u8Span value = *list;
  const char *end = NULL;

  if (list->length > 0 && list->at[0] == '"') {
    end = memchr (list->at + 1, '"', list->length - 1);
    if (end != NULL)
      skip (list, end + 1 - list->at);
  }
  end = list->length > 0 ? memchr (list->at, ',', list->length) : NULL;
  if (end == NULL)
    end = list->at + list->length;
  value.length = end - value.at;
  skip (list, end - list->at);
  if (list->length > 0)
    skip (list, 1);

  return value;
}

static P2pM3u8Span
unquote (P2pM3u8Span value)
{
  value = trim (value);
  if (value.length >= 2 && (value.at[0] == '"' || value.at[0] == '\'')
      && value.at[value.length - 1] == value.at[0]) {
    skip (&value, 1);
    value.length--;
  }

  return value;
}

gboolean
p2p_m3u8_next_attribute (
    P2pM3u8Span *list, P2pM3u8Span *name, P2pM3u8Span *value)
{
  while (list->length > 0) {
    gsize length = 0;

    while (length < list->length && list->at[length] != '='
        && list->at[length] != ',')
      length++;
    *name = trim ((P2pM3u8Span){ list->at, length });
    if (length == list->length || list->at[length] == ',') {
      skip (list, MIN (length + 1, list->length));
      continue;
    }
    skip (list, length + 1);
    *value = unquote (take_value (list));
    return TRUE;
  }

  return FALSE;
}

gboolean
p2p_m3u8_find_attribute (P2pM3u8Span list, const char *name, P2pM3u8Span *value)
{
  P2pM3u8Span found;

  while (p2p_m3u8_next_attribute (&list, &found, value)) {
    if (p2p_m3u8_span_is (found, name))
      return TRUE;
  }

  return FALSE;
}

gboolean
p2p_m3u8_take_integer (P2pM3u8Span *text, guint64 *value)
{
  guint64 sum = 0;

  if (text->length == 0 || !g_ascii_isdigit (text->at[0]))
    return FALSE;

  while (text->length > 0 && g_ascii_isdigit (text->at[0])) {
    guint digit = text->at[0] - '0';

    if (sum > (G_MAXUINT64 - digit) / 10)
      sum = G_MAXUINT64;
    else
      sum = sum * 10 + digit;
    skip (text, 1);
  }
  *value = sum;

  return TRUE;
}

gboolean
p2p_m3u8_read_duration (P2pM3u8Span text, gint64 *duration_us)
{
  guint64 seconds = 0;
  gint64 fraction_us = 0;
  gint64 digit_us = US_PER_S / 10;
  gboolean has_digits;

  text = trim (text);
  has_digits = p2p_m3u8_take_integer (&text, &seconds);
  if (text.length > 0 && text.at[0] == '.') {
    skip (&text, 1);
    for (; text.length > 0 && g_ascii_isdigit (text.at[0]); skip (&text, 1)) {
      /* The seventh digit rounds. */
      if (digit_us == 0 && text.at[0] >= '5')
        fraction_us++;
      if (digit_us == 0)
        break;
      fraction_us += (text.at[0] - '0') * digit_us;
      digit_us /= 10;
      has_digits = TRUE;
    }
  }
  if (!has_digits)
    return FALSE;

  *duration_us = seconds >= P2P_M3U8_DURATION_MAX_US / US_PER_S
      ? P2P_M3U8_DURATION_MAX_US
      : (gint64) seconds * US_PER_S + fraction_us;

  return TRUE;
}

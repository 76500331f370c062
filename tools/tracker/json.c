/* p2phlssrc: JSON looked at in place.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "json.h"
#include "bounds.h"

#include <string.h>

/* --- the grammar of RFC 8259 -------------------------------------------- */

static const char *
skip_space (const char *at, const char *end)
{
  while (at < end && strchr (" \t\r\n", *at) != NULL && *at != '\0')
    at++;

  return at;
}

/* All skip functions: where it ends, or NULL for what is none. */
static const char *
skip_string (const char *at, const char *end)
{
  guint i;

  for (at++; at < end && *at != '"'; at++) {
    if ((guchar) *at < 0x20)
      return NULL;
    if (*at != '\\')
      continue;
    if (++at == end || *at == '\0' || strchr ("\"\\/bfnrtu", *at) == NULL)
      return NULL;
    if (*at != 'u')
      continue;
    for (i = 0; i < 4; i++) {
      if (++at == end || !g_ascii_isxdigit (*at))
        return NULL;
    }
  }

  return at < end ? at + 1 : NULL;
}

static const char *
skip_digits (const char *at, const char *end)
{
  const char *start = at;

  while (at < end && g_ascii_isdigit (*at))
    at++;

  return at > start ? at : NULL;
}

static const char *
skip_number (const char *at, const char *end)
{
  if (*at == '-')
    at++;
  if (at < end && *at == '0')
    at++;
  else
    at = skip_digits (at, end);
  if (at != NULL && at < end && *at == '.')
    at = skip_digits (at + 1, end);
  if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-'))
      at++;
    at = skip_digits (at, end);
  }

  return at;
}

static const char *
skip_word (const char *at, const char *end)
{
  static const char *const words[] = { "true", "false", "null" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i]);

    if ((gsize) (end - at) >= length && memcmp (at, words[i], length) == 0)
      return at + length;
  }

  return NULL;
}

static const char *
skip_scalar (const char *at, const char *end)
{
  if (at == end)
    return NULL;
  if (*at == '"')
    return skip_string (at, end);
  if (*at == '-' || g_ascii_isdigit (*at))
    return skip_number (at, end);

  return skip_word (at, end);
}

/* A member's name and its colon. */
static const char *
skip_name (const char *at, const char *end)
{
  if (at == end || *at != '"')
    return NULL;
  at = skip_string (at, end);
  if (at == NULL)
    return NULL;
  at = skip_space (at, end);

  return at < end && *at == ':' ? skip_space (at + 1, end) : NULL;
}

/* Closes what can be closed after a value; leaves @at before the next value,
 * or after the last bracket. */
static const char *
skip_after_value (const char *at, const char *end, char *open, guint *depth)
{
  while (*depth > 0) {
    at = skip_space (at, end);
    if (at == end)
      return NULL;
    if (*at == ',') {
      at = skip_space (at + 1, end);
      return open[*depth - 1] == '{' ? skip_name (at, end) : at;
    }
    if (*at != (open[*depth - 1] == '{' ? '}' : ']'))
      return NULL;
    at++;
    --*depth;
  }

  return at;
}

static const char *
skip_value (const char *at, const char *end)
{
  char open[P2P_TRACKER_SERVER_DEPTH_MAX];
  guint depth = 0;

  do {
    if (at < end && (*at == '{' || *at == '[')) {
      char bracket = *at;

      if (depth == G_N_ELEMENTS (open))
        return NULL;
      at = skip_space (at + 1, end);
      if (at < end && *at == (bracket == '{' ? '}' : ']')) {
        at++;
      } else {
        open[depth++] = bracket;
        if (bracket == '{')
          at = skip_name (at, end);
        if (at == NULL)
          return NULL;
        continue;
      }
    } else {
      at = skip_scalar (at, end);
      if (at == NULL)
        return NULL;
    }
    at = skip_after_value (at, end, open, &depth);
  } while (at != NULL && depth > 0);

  return at;
}

gboolean
p2p_json_check (const char *text, gsize length, P2pJsonSpan *value)
{
  const char *end = text + length;

  value->start = skip_space (text, end);
  value->end = skip_value (value->start, end);

  return value->end != NULL && skip_space (value->end, end) == end;
}

/* --- looking in --------------------------------------------------------- */

static gboolean
open_with (const P2pJsonSpan *value, P2pJsonCursor *cursor, char bracket)
{
  if (value->start == NULL || *value->start != bracket)
    return FALSE;

  cursor->at = value->start + 1;
  cursor->end = value->end;
  cursor->close = bracket == '{' ? '}' : ']';
  cursor->first = TRUE;

  return TRUE;
}

gboolean
p2p_json_open_object (const P2pJsonSpan *value, P2pJsonCursor *cursor)
{
  return open_with (value, cursor, '{');
}

gboolean
p2p_json_open_array (const P2pJsonSpan *value, P2pJsonCursor *cursor)
{
  return open_with (value, cursor, '[');
}

gboolean
p2p_json_next (P2pJsonCursor *cursor, P2pJsonSpan *name, P2pJsonSpan *value)
{
  const char *at = skip_space (cursor->at, cursor->end);

  if (*at == cursor->close)
    return FALSE;
  if (!cursor->first)
    at = skip_space (at + 1, cursor->end); /* the comma */
  cursor->first = FALSE;
  if (cursor->close == '}') {
    name->start = at + 1;
    name->end = skip_string (at, cursor->end) - 1;
    at = skip_name (at, cursor->end);
  }
  value->start = at;
  value->end = cursor->at = skip_value (at, cursor->end);
  g_assert (value->end != NULL);

  return TRUE;
}

gboolean
p2p_json_is_object (const P2pJsonSpan *value)
{
  return value->start != NULL && *value->start == '{';
}

gboolean
p2p_json_is_string (const P2pJsonSpan *value)
{
  return value->start != NULL && *value->start == '"';
}

gboolean
p2p_json_equal (const P2pJsonSpan *span, const char *text)
{
  return span->start != NULL && p2p_json_length (span) == strlen (text)
      && memcmp (span->start, text, p2p_json_length (span)) == 0;
}

/* --- binary strings ----------------------------------------------------- */

static guint
read_hex (const char *at)
{
  guint value = 0, i;

  for (i = 0; i < 4; i++)
    value = value << 4 | g_ascii_xdigit_value (at[i]);

  return value;
}

static const char *
read_character (const char *at, gunichar *character)
{
  static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  const char *escape;

  if (*at != '\\') {
    *character = g_utf8_get_char (at);
    return g_utf8_next_char (at);
  }
  if (at[1] == 'u') {
    *character = read_hex (at + 2);
    return at + 6;
  }
  for (escape = escapes; *escape != at[1]; escape += 2)
    ;
  *character = escape[1];

  return at + 2;
}

gboolean
p2p_json_read_bytes (const P2pJsonSpan *value, guint8 *bytes, gsize length)
{
  const char *at, *end;
  gsize i;

  if (!p2p_json_is_string (value))
    return FALSE;

  at = value->start + 1;
  end = value->end - 1;
  for (i = 0; i < length; i++) {
    gunichar character;

    if (at >= end)
      return FALSE;
    at = read_character (at, &character);
    if (character > 0xff)
      return FALSE;
    bytes[i] = character;
  }

  return at == end;
}

void
p2p_json_append_bytes (GString *text, const guint8 *bytes, gsize length)
{
  gsize i;

  g_string_append_c (text, '"');
  for (i = 0; i < length; i++) {
    if (bytes[i] < 0x20 || bytes[i] >= 0x7f || bytes[i] == '"'
        || bytes[i] == '\\')
      g_string_append_printf (text, "\\u%04x", bytes[i]);
    else
      g_string_append_c (text, bytes[i]);
  }
  g_string_append_c (text, '"');
}

/* p2phlssrc: variables of HLS playlists.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "m3u8-variables.h"

#include "base/limits.h"

typedef P2pM3u8Span Span;

/* Characters of a name; those of streaming services have a few. */
#define NAME_MAX_LENGTH 64

void
p2p_m3u8_variables_clear (P2pM3u8Variables *variables)
{
  g_clear_pointer (&variables->values, g_hash_table_unref);
}

void
p2p_m3u8_define (P2pM3u8Variables *variables, Span list)
{
  Span name;
  Span value;

  if (!p2p_m3u8_find_attribute (list, "NAME", &name)
      || !p2p_m3u8_find_attribute (list, "VALUE", &value))
    return;
  if (variables->values == NULL)
    variables->values =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (g_hash_table_size (variables->values) < P2P_PLAYLIST_MAX_VARIABLES)
    g_hash_table_replace (variables->values, g_strndup (name.at, name.length),
        g_strndup (value.at, value.length));
}

/* The value of the variable that @open begins, and how long its reference
 * is; NULL when it is no reference to a variable we know. */
static const char *
find_variable (const P2pM3u8Variables *variables, Span open, gsize *length)
{
  char name[NAME_MAX_LENGTH + 1];
  const char *start = open.at + 2;
  const char *close = memchr (start, '}', MIN (open.length - 2, sizeof name));
  const char *value;

  if (close == NULL)
    return NULL;
  memcpy (name, start, close - start);
  name[close - start] = '\0';
  value = g_hash_table_lookup (variables->values, name);
  if (value != NULL)
    *length = close + 1 - open.at;

  return value;
}

char *
p2p_m3u8_substitute (P2pM3u8Variables *variables, Span text)
{
  g_autoptr (GString) out = NULL;
  const char *end = text.at + text.length;
  const char *open;

  if (variables->values == NULL)
    return NULL;

  while ((open = memmem (text.at, text.length, "{$", 2)) != NULL) {
    gsize length = 2; /* unknown: the two characters stand for themselves */
    const char *value =
        find_variable (variables, (Span){ open, end - open }, &length);

    if (out == NULL)
      out = g_string_new (NULL);
    g_string_append_len (out, text.at, open - text.at);
    if (value != NULL) {
      g_string_append (out, value);
      variables->substituted += strlen (value);
    } else {
      g_string_append_len (out, open, length);
    }
    text = (Span){ open + length, end - open - length };
    if (variables->substituted > P2P_PLAYLIST_MAX_BYTES)
      return g_strdup ("");
  }
  if (out == NULL)
    return NULL;

  g_string_append_len (out, text.at, text.length);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* p2phlssrc: swarm ids and info hashes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "identity.h"

#include <math.h>
#include <stdlib.h>

/* Bytes of a SHA-1 that become the info hash; base64 makes 20 characters of
 * them, as long as trackers want it. */
#define INFO_HASH_BYTES 15
#define SHA1_BYTES 20

/* Digits after which every double reads back as itself. */
#define DOUBLE_DIGITS 17

/* --- numbers as JavaScript prints them ---------------------------------- */

/* The fewest digits that read back as @value, without a point, and the
 * decimal exponent of the first one. */
static int
shortest_digits (double value, char digits[DOUBLE_DIGITS + 1])
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  int n = 0;

  for (int precision = 0; precision < DOUBLE_DIGITS; precision++) {
    char format[8];

    g_snprintf (format, sizeof format, "%%.%de", precision);
    g_ascii_formatd (text, sizeof text, format, value);
    if (g_ascii_strtod (text, NULL) == value)
      break;
  }
  for (const char *at = text; *at != 'e'; at++) {
    if (g_ascii_isdigit (*at))
      digits[n++] = *at;
  }
  digits[n] = '\0';

  return atoi (strchr (text, 'e') + 1);
}

char *
p2p_identity_number (double value)
{
  g_autoptr (GString) out = g_string_new (NULL);
  char digits[DOUBLE_DIGITS + 1];
  int exponent;
  int n_digits;

  if (isnan (value))
    return g_strdup ("NaN");
  if (value == 0)
    return g_strdup ("0");
  if (value < 0)
    g_string_append_c (out, '-');
  if (isinf (value)) {
    g_string_append (out, "Infinity");
    return g_string_free (g_steal_pointer (&out), FALSE);
  }

  exponent = shortest_digits (fabs (value), digits);
  n_digits = strlen (digits);
  if (exponent >= 21 || exponent < -6) {
    g_string_append_c (out, digits[0]);
    if (n_digits > 1)
      g_string_append_printf (out, ".%s", digits + 1);
    g_string_append_printf (out, "e%+d", exponent);
  } else if (exponent < 0) {
    g_string_append (out, "0.");
    for (int i = -1; i > exponent; i--)
      g_string_append_c (out, '0');
    g_string_append (out, digits);
  } else {
    for (int i = 0; i <= exponent; i++)
      g_string_append_c (out, i < n_digits ? digits[i] : '0');
    if (n_digits > exponent + 1)
      g_string_append_printf (out, ".%s", digits + exponent + 1);
  }

  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* --- text as JavaScript changes it -------------------------------------- */

static gboolean
is_space (gunichar c)
{
  return (c >= 0x09 && c <= 0x0d) || c == 0xfeff || c == 0x2028 || c == 0x2029
      || g_unichar_type (c) == G_UNICODE_SPACE_SEPARATOR;
}

static char *
trim (const char *text)
{
  const char *end;

  while (is_space (g_utf8_get_char (text)) && *text != '\0')
    text = g_utf8_next_char (text);
  end = text + strlen (text);
  while (end > text) {
    const char *last = g_utf8_prev_char (end);

    if (!is_space (g_utf8_get_char (last)))
      break;
    end = last;
  }

  return g_strndup (text, end - text);
}

/* g_utf8_strdown() would follow the locale, where a Turkish I has no dot;
 * all viewers must agree. Knows the two characters whose lower case is not
 * one character of its own: a dotted capital I, and sigma at a word's end. */
static char *
to_lower (const char *text)
{
  GString *out = g_string_new (NULL);
  gboolean after_letter = FALSE;

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (c == 0x130)
      g_string_append (out, "i\xcc\x87");
    else if (c == 0x3a3 && after_letter
        && !g_unichar_isalpha (g_utf8_get_char (g_utf8_next_char (at))))
      g_string_append_unichar (out, 0x3c2);
    else
      g_string_append_unichar (out, g_unichar_tolower (c));
    after_letter = g_unichar_isalpha (c);
  }

  return g_string_free (out, FALSE);
}

static char *
to_upper (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    g_string_append_unichar (out, g_unichar_toupper (g_utf8_get_char (at)));

  return g_string_free (out, FALSE);
}

/* --- what v2 makes of the properties ------------------------------------ */

/* A decimal number without leading zeros, as JavaScript prints it; else -1. */
static gint64
plain_decimal (const char *text)
{
  gsize length = strspn (text, "0123456789");

  if (length == 0 || length > 15 || text[length] != '\0'
      || (text[0] == '0' && length > 1))
    return -1;

  return g_ascii_strtoll (text, NULL, 10);
}

/* avc1.66.30 (RFC 4281) is avc1.42001e (RFC 6381). */
static char *
normal_codec (const char *codec)
{
  g_autofree char *trimmed = trim (codec);
  char *lower = to_lower (trimmed);
  g_auto (GStrv) parts = g_strsplit (lower, ".", 4);
  gint64 profile;
  gint64 level;

  if (g_strv_length (parts) != 3
      || (!g_str_equal (parts[0], "avc1") && !g_str_equal (parts[0], "avc")))
    return lower;
  profile = plain_decimal (parts[1]);
  level = plain_decimal (parts[2]);
  if (profile < 0 || level < 0)
    return lower;

  g_free (lower);
  return g_strdup_printf ("%s.%02" G_GINT64_MODIFIER "x00%02" G_GINT64_MODIFIER
                          "x",
      parts[0], profile, level);
}

static int
compare_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char *
normal_codecs (const char *codecs)
{
  g_auto (GStrv) parts = NULL;
  guint n;

  if (codecs == NULL || *codecs == '\0')
    return g_strdup ("");

  parts = g_strsplit (codecs, ",", -1);
  n = g_strv_length (parts);
  for (guint i = 0; i < n; i++) {
    char *normal = normal_codec (parts[i]);

    g_free (parts[i]);
    parts[i] = normal;
  }
  qsort (parts, n, sizeof *parts, compare_text);

  return g_strjoinv (",", parts);
}

static char *
normal_language (const char *language)
{
  g_autofree char *first = NULL;

  if (language == NULL || g_str_equal (language, "und"))
    return g_strdup ("");
  first = g_utf8_substring (language, 0, MIN (2, g_utf8_strlen (language, -1)));

  return to_lower (first);
}

/* Up to the slash: the number alone. A count of 0 says nothing. */
static char *
normal_channels (const char *channels)
{
  if (channels == NULL || g_str_equal (channels, "0"))
    return g_strdup ("");

  return g_strndup (channels, strcspn (channels, "/"));
}

static char *
normal_name (const char *name)
{
  g_autofree char *lower = to_lower (name != NULL ? name : "");

  return trim (lower);
}

/* JavaScript's Number (), but for hexadecimal, octal and binary. */
static double
to_number (const char *text)
{
  g_autofree char *trimmed = trim (text);
  char *end;
  double value;

  if (trimmed[strspn (trimmed, "0123456789+-.eE")] != '\0')
    return NAN;
  value = g_ascii_strtod (trimmed, &end);

  return *end == '\0' ? value : NAN;
}

static char *
normal_frame_rate (const P2pStreamProperties *properties)
{
  double rate = properties->frame_rate_text != NULL
      ? to_number (properties->frame_rate_text)
      : properties->has_frame_rate ? properties->frame_rate
                                   : 0;

  /* A text of "0" is text to JavaScript, and so not nothing. */
  if (isnan (rate)
      || (rate == 0
          && (properties->frame_rate_text == NULL
              || *properties->frame_rate_text == '\0')))
    return g_strdup ("");

  return p2p_identity_number (rate);
}

static char *
normal_video_range (const char *range)
{
  g_autofree char *upper = to_upper (range != NULL ? range : "");

  return trim (upper);
}

/* --- public ------------------------------------------------------------- */

static char *
number_or_empty (gboolean has, double value)
{
  return has ? p2p_identity_number (value) : g_strdup ("");
}

static const char *
text_or_empty (const char *text)
{
  return text != NULL ? text : "";
}

/* The nine fields; only the order and the dashes are common to both. */
static char *
join (const P2pStreamProperties *properties, const char *codecs,
    const char *language, const char *channels, const char *name,
    const char *frame_rate, const char *video_range)
{
  g_autofree char *bitrate =
      p2p_identity_number (properties->has_bitrate ? properties->bitrate : 0);
  g_autofree char *width =
      number_or_empty (properties->has_width, properties->width);
  g_autofree char *height =
      number_or_empty (properties->has_height, properties->height);

  return g_strjoin ("-", bitrate, codecs, width, height, language, channels,
      name, frame_rate, video_range, NULL);
}

static char *
input_v2 (const P2pStreamProperties *properties)
{
  g_autofree char *codecs = normal_codecs (properties->codecs);
  g_autofree char *language = normal_language (properties->language);
  g_autofree char *channels = normal_channels (properties->channels);
  g_autofree char *name = normal_name (properties->name);
  g_autofree char *frame_rate = normal_frame_rate (properties);
  g_autofree char *video_range = normal_video_range (properties->video_range);

  return join (
      properties, codecs, language, channels, name, frame_rate, video_range);
}

static char *
input_v3 (const P2pStreamProperties *properties)
{
  g_autofree char *frame_rate = properties->has_frame_rate
      ? p2p_identity_number (properties->frame_rate)
      : g_strdup (text_or_empty (properties->frame_rate_text));

  return join (properties, text_or_empty (properties->codecs),
      text_or_empty (properties->language),
      text_or_empty (properties->channels), text_or_empty (properties->name),
      frame_rate, text_or_empty (properties->video_range));
}

void
p2p_stream_properties_clear (P2pStreamProperties *properties)
{
  g_clear_pointer (&properties->codecs, g_free);
  g_clear_pointer (&properties->language, g_free);
  g_clear_pointer (&properties->channels, g_free);
  g_clear_pointer (&properties->name, g_free);
  g_clear_pointer (&properties->frame_rate_text, g_free);
  g_clear_pointer (&properties->video_range, g_free);
}

char *
p2p_identity_input (P2pProtocol protocol, const P2pStreamProperties *properties)
{
  switch (protocol) {
    case P2P_PROTOCOL_V2:
      return input_v2 (properties);
    case P2P_PROTOCOL_V3:
      return input_v3 (properties);
  }

  g_assert_not_reached ();
}

static void
sha1 (const char *text, guint8 digest[SHA1_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  gsize length = SHA1_BYTES;

  g_checksum_update (checksum, (const guchar *) text, -1);
  g_checksum_get_digest (checksum, digest, &length);
  g_assert (length == SHA1_BYTES);
}

char *
p2p_identity_hash (P2pProtocol protocol, const P2pStreamProperties *properties)
{
  g_autofree char *input = p2p_identity_input (protocol, properties);
  guint8 digest[SHA1_BYTES];

  sha1 (input, digest);

  return g_base64_encode (digest, SHA1_BYTES);
}

char *
p2p_identity_stream_swarm_id (P2pProtocol protocol, const char *swarm_id,
    P2pStreamType type, const char *identity_hash)
{
  return g_strjoin ("-", protocol == P2P_PROTOCOL_V2 ? "v2" : "v3", swarm_id,
      type == P2P_STREAM_MAIN ? "main" : "secondary", identity_hash, NULL);
}

void
p2p_identity_info_hash (const char *stream_swarm_id, P2pInfoHash *out)
{
  g_autofree char *text = NULL;
  guint8 digest[SHA1_BYTES];

  sha1 (stream_swarm_id, digest);
  text = g_base64_encode (digest, INFO_HASH_BYTES);
  g_assert (strlen (text) == P2P_ID_LENGTH);
  memcpy (out->text, text, sizeof out->text);
}

char *
p2p_identity_swarm_id_from_url (const char *url)
{
  return g_strndup (url, strcspn (url, "?"));
}

/* p2phlssrc: URLs resolved as browsers do, and made comparable.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "urlkey.h"

#include <string.h>

struct _P2pUrlBase
{
  char *origin;           /* "https://host:port" */
  gsize scheme_length;    /* of it, with the colon */
  char *path;             /* as resolved; begins with a slash */
  gsize directory_length; /* of it, with the slash */
};

/* --- characters --------------------------------------------------------- */

static gboolean
is_unreserved (guchar c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* RFC 3986's reserved characters: encoded or not is a difference. */
static gboolean
is_reserved (guchar c)
{
  return c != '\0' && strchr (":/?#[]@!$&'()*+,;=", c) != NULL;
}

/* What a browser encodes in a path or a query. */
static gboolean
must_encode (guchar c, gboolean in_query)
{
  if (c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>')
    return TRUE;

  return in_query ? c == '\'' : strchr ("?^`{}", c) != NULL;
}

static void
append_encoded (GString *out, guchar c)
{
  static const char digits[] = "0123456789ABCDEF";

  g_string_append_c (out, '%');
  g_string_append_c (out, digits[c >> 4]);
  g_string_append_c (out, digits[c & 0x0f]);
}

/* --- taking apart ------------------------------------------------------- */

static gboolean
is_slash (char c)
{
  return c == '/' || c == '\\';
}

/* Length of a scheme with its colon at the front of @url, or 0. */
static gsize
scheme_length (const char *url)
{
  gsize length = 0;

  if (!g_ascii_isalpha (url[0]))
    return 0;
  while (g_ascii_isalnum (url[length]) || url[length] == '+'
      || url[length] == '-' || url[length] == '.')
    length++;

  return url[length] == ':' ? length + 1 : 0;
}

/* Whether a browser would take it for a host; names of other alphabets are
 * left as they are. */
static gboolean
is_host (const char *host, gsize length)
{
  if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
    for (gsize i = 1; i < length - 1; i++) {
      if (!g_ascii_isxdigit (host[i]) && host[i] != ':' && host[i] != '.')
        return FALSE;
    }
    return TRUE;
  }
  for (gsize i = 0; i < length; i++) {
    if ((guchar) host[i] <= ' ' || host[i] == 0x7f
        || strchr ("\"%<>[]^|:`{}", host[i]) != NULL)
      return FALSE;
  }

  return length > 0;
}

/* The colon before the port in an authority from @host to @end, or @end. */
static const char *
find_port (const char *host, const char *end)
{
  const char *colon = memrchr (host, ':', end - host);

  if (colon == NULL || memchr (colon, ']', end - colon) != NULL)
    return end; /* none, or inside an IPv6 address */

  return colon;
}

static gboolean
is_port (const char *digits, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isdigit (digits[i]))
      return FALSE;
  }

  return TRUE;
}

/* Appends host and port from the front of @at, without the scheme's own
 * port; user names keep their case. Returns what follows, NULL when there is
 * no host. */
static const char *
append_authority (GString *out, const char *at, const char *default_port)
{
  gsize length = strcspn (at, "/\\?#");
  const char *end = at + length;
  const char *user_end = memrchr (at, '@', length);
  const char *host = user_end != NULL ? user_end + 1 : at;
  const char *port = find_port (host, end);
  gsize port_length = port < end ? end - port - 1 : 0;

  if (!is_host (host, port - host)
      || (port < end && !is_port (port + 1, port_length)))
    return NULL;

  g_string_append_len (out, at, host - at);
  for (; host < port; host++)
    g_string_append_c (out, g_ascii_tolower (*host));
  if (port_length > 0
      && (port_length != strlen (default_port)
          || memcmp (port + 1, default_port, port_length) != 0))
    g_string_append_len (out, port, end - port);

  return end;
}

/* Drops the last segment of the path that begins at @root in @out. */
static void
pop_segment (GString *out, gsize root)
{
  gsize length = out->len - 1; /* before the slash at the end */

  while (length > root && out->str[length - 1] != '/')
    length--;
  g_string_truncate (out, MAX (length, root + 1));
}

/* How many dots, plain or encoded, @segment consists of; 0: other text. */
static guint
count_dots (const char *segment, gsize length)
{
  guint dots = 0;

  while (length > 0) {
    gsize step = segment[0] == '.'                                    ? 1
        : length >= 3 && g_ascii_strncasecmp (segment, "%2e", 3) == 0 ? 3
                                                                      : 0;

    if (step == 0 || ++dots > 2)
      return 0;
    segment += step;
    length -= step;
  }

  return dots;
}

static void
append_text (GString *out, const char *text, gsize length, gboolean in_query)
{
  gsize plain = 0;

  for (gsize i = 0; i < length; i++) {
    if (!must_encode (text[i], in_query))
      continue;
    g_string_append_len (out, text + plain, i - plain);
    append_encoded (out, text[i]);
    plain = i + 1;
  }
  g_string_append_len (out, text + plain, length - plain);
}

/* Appends path segments after the slash that @out ends with; @root is where
 * the path begins. Returns what follows the path. */
static const char *
append_path (GString *out, gsize root, const char *at)
{
  for (;;) {
    gsize length = strcspn (at, "/\\?#");
    guint dots = count_dots (at, length);

    if (dots == 2)
      pop_segment (out, root);
    else if (dots == 0)
      append_text (out, at, length, FALSE);
    at += length;
    if (!is_slash (*at))
      return at;
    if (dots == 0)
      g_string_append_c (out, '/');
    at++;
  }
}

/* @at is at the query, the fragment or the end. */
static void
append_query (GString *out, const char *at)
{
  gsize length;

  if (*at != '?')
    return;
  length = strcspn (at, "#");
  append_text (out, at, length, TRUE);
}

/* --- public ------------------------------------------------------------- */

static const char *
default_port (gboolean secure)
{
  return secure ? "443" : "80";
}

/* Appends "//host/path?query" after the scheme in @out. */
static gboolean
append_absolute (GString *out, const char *at, gboolean secure)
{
  gsize root;

  g_string_append (out, "//");
  at = append_authority (out, at + 2, default_port (secure));
  if (at == NULL)
    return FALSE;
  root = out->len;
  g_string_append_c (out, '/');
  at = append_path (out, root, is_slash (*at) ? at + 1 : at);
  append_query (out, at);

  return TRUE;
}

static gboolean
resolve_absolute (const char *url, gsize scheme, GString *out)
{
  gboolean secure = scheme == strlen ("https:");

  if (g_ascii_strncasecmp (url, secure ? "https:" : "http:", scheme) != 0
      || !is_slash (url[scheme]) || !is_slash (url[scheme + 1]))
    return FALSE;
  g_string_append (out, secure ? "https:" : "http:");

  return append_absolute (out, url + scheme, secure);
}

static gboolean
resolve_relative (const P2pUrlBase *base, const char *reference, GString *out)
{
  gsize root;

  if (is_slash (reference[0]) && is_slash (reference[1])) {
    g_string_append_len (out, base->origin, base->scheme_length);
    return append_absolute (
        out, reference, base->scheme_length == strlen ("https:"));
  }

  g_string_append (out, base->origin);
  root = out->len;
  if (*reference == '\0' || *reference == '?' || *reference == '#') {
    g_string_append (out, base->path);
  } else if (is_slash (*reference)) {
    g_string_append_c (out, '/');
    reference = append_path (out, root, reference + 1);
  } else {
    g_string_append_len (out, base->path, base->directory_length);
    reference = append_path (out, root, reference);
  }
  append_query (out, reference);

  return TRUE;
}

gboolean
p2p_url_resolve (const P2pUrlBase *base, const char *reference, GString *out)
{
  gsize scheme = scheme_length (reference);
  gboolean ok = FALSE;

  g_string_truncate (out, 0);
  if (scheme == strlen ("http:") || scheme == strlen ("https:"))
    ok = resolve_absolute (reference, scheme, out);
  else if (scheme == 0 && base != NULL)
    ok = resolve_relative (base, reference, out);
  if (!ok)
    g_string_truncate (out, 0);

  return ok;
}

P2pUrlBase *
p2p_url_base_new (const char *url)
{
  g_autoptr (GString) out = g_string_new (NULL);
  P2pUrlBase *base;
  const char *path;

  if (!p2p_url_resolve (NULL, url, out))
    return NULL;

  g_string_truncate (out, strcspn (out->str, "?"));
  base = g_new0 (P2pUrlBase, 1);
  base->scheme_length = scheme_length (out->str);
  path = strchr (out->str + base->scheme_length + 2, '/');
  g_assert (path != NULL);
  base->origin = g_strndup (out->str, path - out->str);
  base->path = g_strdup (path);
  base->directory_length = strrchr (path, '/') + 1 - path;

  return base;
}

void
p2p_url_base_free (P2pUrlBase *base)
{
  g_free (base->origin);
  g_free (base->path);
  g_free (base);
}

/* --- keys --------------------------------------------------------------- */

static gboolean
is_cmcd (const char *parameter, gsize length)
{
  return length >= 4 && memcmp (parameter, "CMCD", 4) == 0
      && (length == 4 || parameter[4] == '=');
}

/* Takes CMCD out of the query, in place: text only gets shorter. */
static void
drop_cmcd (GString *url)
{
  char *query = strchr (url->str, '?');
  char *from;
  char *to;

  if (query == NULL || strstr (query, "CMCD") == NULL)
    return;

  from = to = query + 1;
  for (;;) {
    gsize length = strcspn (from, "&");
    gboolean last = from[length] == '\0';

    if (!is_cmcd (from, length)) {
      if (to != query + 1)
        *to++ = '&';
      memmove (to, from, length);
      to += length;
    }
    if (last)
      break;
    from += length + 1;
  }
  g_string_truncate (url, to == query + 1 ? query - url->str : to - url->str);
}

/* The byte that "%XX" at @at stands for, or -1. */
static int
decode (const char *at)
{
  if (at[0] != '%' || !g_ascii_isxdigit (at[1]) || !g_ascii_isxdigit (at[2]))
    return -1;

  return g_ascii_xdigit_value (at[1]) << 4 | g_ascii_xdigit_value (at[2]);
}

void
p2p_url_key (GString *url)
{
  g_autofree char *old = NULL;
  gsize plain = 0;

  drop_cmcd (url);
  while (is_unreserved (url->str[plain]) || is_reserved (url->str[plain]))
    plain++;
  if (plain == url->len)
    return;

  old = g_strdup (url->str + plain);
  g_string_truncate (url, plain);
  for (const char *at = old; *at != '\0'; at++) {
    int byte = decode (at);

    if (byte < 0 && (is_unreserved (*at) || is_reserved (*at)))
      g_string_append_c (url, *at);
    else if (byte >= 0 && is_unreserved (byte))
      g_string_append_c (url, byte);
    else
      append_encoded (url, byte >= 0 ? byte : *at);
    if (byte >= 0)
      at += 2;
  }
}

char *
p2p_url_key_of (const char *url)
{
  g_autoptr (GString) key = g_string_new (NULL);

  if (!p2p_url_resolve (NULL, url, key))
    return NULL;
  p2p_url_key (key);

  return g_string_free (g_steal_pointer (&key), FALSE);
}

char *
p2p_url_network_path_key (const char *key)
{
  gsize scheme = scheme_length (key);
  const char *path = strchr (key + scheme + strlen ("//"), '/');
  g_autofree char *meant = NULL;

  if (path[1] != '/')
    return NULL;
  meant = g_strdup_printf ("%.*s%s", (int) scheme, key, path);

  return p2p_url_key_of (meant);
}

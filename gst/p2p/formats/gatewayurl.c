/* p2phlssrc: addresses of the loopback gateway.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gatewayurl.h"

#include "m3u8.h"
#include "urlkey.h"

#include <string.h>

/* Hexadecimal digits of the code: 128 bits. */
#define CODE_LENGTH 32

/* What is written between brackets in a URL's host is an IPv6 address;
 * brackets have no place in a path (RFC 3986, 3.3). */
#define HOST_CHARACTERS "!$&'()*+,;=:@"

static char *
code_of (const char *key, const char *url)
{
  g_autofree char *bare = g_strndup (url, strcspn (url, "?"));
  g_autofree char *spelling = p2p_url_key_of (bare);
  char *code;

  if (spelling == NULL)
    return NULL;
  code = g_compute_hmac_for_string (G_CHECKSUM_SHA256, (const guchar *) key,
      strlen (key), spelling, strlen (spelling));
  code[CODE_LENGTH] = '\0';

  return code;
}

static gboolean
same_code (const char *a, const char *b)
{
  guint difference = 0;

  /* Takes the same time wherever they differ. */
  for (gsize i = 0; i < CODE_LENGTH; i++)
    difference |= (guint) (a[i] ^ b[i]);

  return difference == 0;
}

char *
p2p_gateway_path (const char *key, const char *url)
{
  g_autofree char *code = NULL;
  g_autofree char *authority = NULL;
  g_autoptr (GString) resolved = g_string_new (NULL);
  const char *host;
  gsize scheme_length;

  if (!p2p_url_resolve (NULL, url, resolved))
    return NULL;
  code = code_of (key, resolved->str);
  if (code == NULL)
    return NULL;
  scheme_length = strcspn (resolved->str, ":");
  host = resolved->str + scheme_length + strlen ("://");
  authority = g_strndup (host, strcspn (host, "/?"));
  host += strlen (authority);
  {
    g_autofree char *escaped =
        g_uri_escape_string (authority, HOST_CHARACTERS "%", FALSE);

    return g_strdup_printf ("/%s/%.*s/%s%s%s", code, (int) scheme_length,
        resolved->str, escaped, *host == '/' ? "" : "/", host);
  }
}

char *
p2p_gateway_read (const char *key, const char *path, const char *query)
{
  g_auto (GStrv) parts = NULL;
  g_autofree char *authority = NULL;
  g_autofree char *url = NULL;
  g_autofree char *code = NULL;

  if (path == NULL || *path != '/')
    return NULL;
  parts = g_strsplit (path + 1, "/", 4); /* code, scheme, authority, path */
  if (g_strv_length (parts) != 4 || strlen (parts[0]) != CODE_LENGTH
      || (!g_str_equal (parts[1], "http") && !g_str_equal (parts[1], "https")))
    return NULL;
  authority = g_uri_unescape_string (parts[2], "/?#");
  if (authority == NULL)
    return NULL;
  url = g_strdup_printf ("%s://%s/%s", parts[1], authority, parts[3]);
  code = code_of (key, url);
  if (code == NULL || !same_code (code, parts[0]))
    return NULL;
  if (query == NULL)
    return g_steal_pointer (&url);

  return g_strdup_printf ("%s?%s", url, query);
}

typedef struct
{
  P2pUrlBase *base; /* (nullable) */
  const char *key;
  GString *resolved;
} Rewriting;

static char *
rewrite_uri (const char *uri, gpointer user_data)
{
  Rewriting *rewriting = user_data;

  if (!p2p_url_resolve (rewriting->base, uri, rewriting->resolved))
    return NULL;

  return p2p_gateway_path (rewriting->key, rewriting->resolved->str);
}

GBytes *
p2p_gateway_rewrite (GBytes *playlist, const char *url, const char *key)
{
  g_autoptr (P2pUrlBase) base = p2p_url_base_new (url);
  g_autoptr (GString) resolved = g_string_new (NULL);
  Rewriting rewriting = { base, key, resolved };

  return p2p_m3u8_map_uris (playlist, rewrite_uri, &rewriting);
}

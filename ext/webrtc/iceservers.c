/* p2phlssrc: the ICE servers of a session and their addresses.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "iceservers.h"

#include "base/error.h"
#include "base/log.h"

#include <gio/gio.h>

#include <string.h>

#define PORT_PLAIN 3478
#define PORT_TLS 5349

struct _P2pIceServers
{
  GMainContext *context;
  P2pIceServer entries[P2P_ICE_SERVERS_MAX];
  char *hosts[P2P_ICE_SERVERS_MAX];
  guint n;
};

static gboolean
has_word (GUri *uri, const char *word)
{
  const char *query = g_uri_get_query (uri);

  return query != NULL && strstr (query, word) != NULL;
}

static gboolean
read_scheme (GUri *uri, P2pIceServer *server)
{
  const char *scheme = g_uri_get_scheme (uri);

  if (strcmp (scheme, "stun") == 0)
    server->kind = P2P_ICE_SERVER_STUN;
  else if (strcmp (scheme, "turns") == 0)
    server->kind = P2P_ICE_SERVER_TURN_TLS;
  else if (strcmp (scheme, "turn") == 0)
    server->kind = has_word (uri, "transport=tcp") ? P2P_ICE_SERVER_TURN_TCP
                                                   : P2P_ICE_SERVER_TURN_UDP;
  else
    return FALSE;

  return TRUE;
}

gboolean
p2p_ice_server_parse (
    const char *text, P2pIceServer *server, char **host, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD, error);

  memset (server, 0, sizeof *server);
  *host = NULL;
  if (uri == NULL)
    return FALSE;
  if (!read_scheme (uri, server) || g_uri_get_host (uri) == NULL
      || *g_uri_get_host (uri) == '\0'
      || (server->kind != P2P_ICE_SERVER_STUN
          && (g_uri_get_user (uri) == NULL
              || g_uri_get_password (uri) == NULL))) {
    g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE,
        "an ICE server is stun://host:port or "
        "turn(s)://user:password@host:port");
    return FALSE;
  }

  server->port = g_uri_get_port (uri) > 0       ? g_uri_get_port (uri)
      : server->kind == P2P_ICE_SERVER_TURN_TLS ? PORT_TLS
                                                : PORT_PLAIN;
  if (g_hostname_is_ip_address (g_uri_get_host (uri)))
    g_strlcpy (server->address, g_uri_get_host (uri), sizeof server->address);
  server->user = g_strdup (g_uri_get_user (uri));
  server->password = g_strdup (g_uri_get_password (uri));
  *host = g_strdup (g_uri_get_host (uri));

  return TRUE;
}

static void
clear (P2pIceServers *servers)
{
  for (guint i = 0; i < servers->n; i++) {
    g_free (servers->entries[i].user);
    g_free (servers->entries[i].password);
    g_free (servers->hosts[i]);
  }
  servers->n = 0;
}

P2pIceServers *
p2p_ice_servers_new (GMainContext *context)
{
  P2pIceServers *servers = g_new0 (P2pIceServers, 1);

  servers->context = context;

  return servers;
}

void
p2p_ice_servers_free (P2pIceServers *servers)
{
  clear (servers);
  g_free (servers);
}

void
p2p_ice_servers_set (P2pIceServers *servers, const char *const *uris)
{
  clear (servers);
  for (guint i = 0;
       uris != NULL && uris[i] != NULL && servers->n < P2P_ICE_SERVERS_MAX;
       i++) {
    g_autoptr (GError) error = NULL;

    if (p2p_ice_server_parse (uris[i], &servers->entries[servers->n],
            &servers->hosts[servers->n], &error))
      servers->n++;
    else
      P2P_LOG_WARNING (P2P_AREA_ICE, 0, "ICE server %u: %s", i, error->message);
  }
}

const P2pIceServer *
p2p_ice_servers_get (P2pIceServers *servers, guint *n)
{
  *n = servers->n;

  return servers->entries;
}

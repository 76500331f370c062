/* p2phlssrc: the ICE servers of a session and their addresses.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "iceservers.h"

#include "webrtc/resolve.h"

#include "base/error.h"
#include "base/log.h"

#include <gio/gio.h>

#include <string.h>

#define PORT_PLAIN 3478
#define PORT_TLS 5349

typedef struct
{
  P2pIceServers *servers;
  P2pIceServer *entry;
  char *host;
  P2pResolve *resolve; /* (nullable): under way */
  gboolean asked;      /* and answered, once at least */
} Name;

struct _P2pIceServers
{
  GMainContext *context;
  void (*ready) (gpointer);
  gpointer user_data;
  P2pIceServer entries[P2P_ICE_SERVERS_MAX];
  Name names[P2P_ICE_SERVERS_MAX];
  guint n;
  gint64 looked_up_us;
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

/* --- their addresses ------------------------------------------------------ */

static void
on_address (gpointer user_data, const char *address)
{
  Name *name = user_data;
  P2pIceServers *servers = name->servers;
  gboolean first = !name->asked;

  g_clear_pointer (&name->resolve, p2p_resolve_free);
  name->asked = TRUE;
  /* One that cannot be found any more is used where it was last. */
  if (address != NULL)
    g_strlcpy (name->entry->address, address, sizeof name->entry->address);
  else
    P2P_LOG_INFO (P2P_AREA_ICE, 0, "ICE server %s: no address", name->host);
  if (first && p2p_ice_servers_are_ready (servers))
    servers->ready (servers->user_data);
}

static void
look_up (P2pIceServers *servers)
{
  servers->looked_up_us = g_get_monotonic_time ();
  for (guint i = 0; i < servers->n; i++) {
    Name *name = &servers->names[i];

    if (!g_hostname_is_ip_address (name->host) && name->resolve == NULL)
      name->resolve =
          p2p_resolve_new (servers->context, name->host, on_address, name);
  }
}

gboolean
p2p_ice_servers_are_ready (const P2pIceServers *servers)
{
  for (guint i = 0; i < servers->n; i++)
    if (!servers->names[i].asked)
      return FALSE;

  return TRUE;
}

static void
clear (P2pIceServers *servers)
{
  for (guint i = 0; i < servers->n; i++) {
    g_free (servers->entries[i].user);
    g_free (servers->entries[i].password);
    g_free (servers->names[i].host);
    g_clear_pointer (&servers->names[i].resolve, p2p_resolve_free);
  }
  servers->n = 0;
}

P2pIceServers *
p2p_ice_servers_new (
    GMainContext *context, void (*ready) (gpointer), gpointer user_data)
{
  P2pIceServers *servers = g_new0 (P2pIceServers, 1);

  servers->context = context;
  servers->ready = ready;
  servers->user_data = user_data;

  return servers;
}

void
p2p_ice_servers_free (P2pIceServers *servers)
{
  clear (servers);
  g_free (servers);
}

static gboolean
add (P2pIceServers *servers, const char *uri, GError **error)
{
  P2pIceServer *entry = &servers->entries[servers->n];
  Name *name = &servers->names[servers->n];

  memset (name, 0, sizeof *name);
  if (!p2p_ice_server_parse (uri, entry, &name->host, error))
    return FALSE;

  name->servers = servers;
  name->entry = entry;
  name->asked = entry->address[0] != '\0';
  servers->n++;

  return TRUE;
}

void
p2p_ice_servers_set (P2pIceServers *servers, const char *const *uris)
{
  clear (servers);
  for (guint i = 0;
       uris != NULL && uris[i] != NULL && servers->n < P2P_ICE_SERVERS_MAX;
       i++) {
    g_autoptr (GError) error = NULL;

    /* Not the URI itself: it may hold a password. */
    if (!add (servers, uris[i], &error))
      P2P_LOG_WARNING (P2P_AREA_ICE, 0, "ICE server %u: %s", i, error->message);
  }
  look_up (servers);
  if (p2p_ice_servers_are_ready (servers))
    servers->ready (servers->user_data);
}

const P2pIceServer *
p2p_ice_servers_get (P2pIceServers *servers, guint *n)
{
  if (g_get_monotonic_time () - servers->looked_up_us > P2P_RESOLVE_LIFETIME_US)
    look_up (servers);
  *n = servers->n;

  return servers->entries;
}

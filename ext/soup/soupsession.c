/* p2phlssrc: one SoupSession for each distinct set of session-wide settings.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soupsession.h"

#include "base/limits.h"
#include "base/log.h"

typedef struct
{
  P2pHttpProfile *profile; /* of its settings and, once known, its login */
  SoupSession *session;
} Entry;

static void
entry_free (Entry *entry)
{
  p2p_http_profile_unref (entry->profile);
  g_object_unref (entry->session);
  g_free (entry);
}

static gboolean
has_login (const P2pHttpProfile *profile)
{
  return profile->user_id != NULL && profile->user_pw != NULL;
}

/* Who brings no login is let in with the session's: a demuxer does not give
 * its segments' sources the login that its playlist's source was given. */
static gboolean
can_share_login (const P2pHttpProfile *a, const P2pHttpProfile *b)
{
  return !has_login (a) || !has_login (b)
      || (g_str_equal (a->user_id, b->user_id)
          && g_str_equal (a->user_pw, b->user_pw));
}

static gboolean
same_session (const P2pHttpProfile *a, const P2pHttpProfile *b)
{
  if (a == b)
    return TRUE;

  return can_share_login (a, b) && a->timeout_s == b->timeout_s
      && a->ssl_strict == b->ssl_strict
      && a->ssl_use_system_ca_file == b->ssl_use_system_ca_file
      && a->tls_database == b->tls_database
      && a->tls_interaction == b->tls_interaction
      && a->log_level == b->log_level && g_strcmp0 (a->proxy, b->proxy) == 0
      && g_strcmp0 (a->proxy_id, b->proxy_id) == 0
      && g_strcmp0 (a->proxy_pw, b->proxy_pw) == 0
      && g_strcmp0 (a->ssl_ca_file, b->ssl_ca_file) == 0;
}

static void
print_log (SoupLogger *logger, SoupLoggerLogLevel level, char direction,
    const char *data, gpointer user_data)
{
  P2P_LOG_TRACE (P2P_AREA_HTTP, 0, "%c %s", direction, data);
}

/* Building the text costs much, so only when somebody reads it. */
static void
add_logger (SoupSession *session, guint level)
{
  g_autoptr (SoupLogger) logger = NULL;

  if (level == SOUP_LOGGER_LOG_NONE
      || p2p_log_threshold[P2P_AREA_HTTP] < P2P_LOG_LEVEL_TRACE)
    return;

  logger = soup_logger_new (MIN (level, SOUP_LOGGER_LOG_BODY));
  soup_logger_set_printer (logger, print_log, NULL, NULL);
  soup_session_add_feature (session, SOUP_SESSION_FEATURE (logger));
}

static void
set_proxy (SoupSession *session, const char *proxy)
{
  g_autofree char *uri = NULL;
  g_autoptr (GProxyResolver) resolver = NULL;

  if (proxy == NULL || *proxy == '\0')
    return;

  uri = strstr (proxy, "://") != NULL ? g_strdup (proxy)
                                      : g_strconcat ("http://", proxy, NULL);
  resolver = g_simple_proxy_resolver_new (uri, NULL);
  soup_session_set_proxy_resolver (session, resolver);
}

static gboolean
set_tls (SoupSession *session, const P2pHttpProfile *profile, GError **error)
{
  if (profile->tls_interaction != NULL)
    soup_session_set_tls_interaction (
        session, G_TLS_INTERACTION (profile->tls_interaction));

  if (profile->tls_database != NULL) {
    soup_session_set_tls_database (
        session, G_TLS_DATABASE (profile->tls_database));
  } else if (profile->ssl_ca_file != NULL) {
    g_autoptr (GTlsDatabase) database =
        g_tls_file_database_new (profile->ssl_ca_file, error);

    if (database == NULL)
      return FALSE;
    soup_session_set_tls_database (session, database);
  } else if (!profile->ssl_use_system_ca_file) {
    soup_session_set_tls_database (session, NULL);
  }

  return TRUE;
}

static SoupSession *
make_session (const P2pHttpProfile *profile, GError **error)
{
  g_autoptr (SoupSession) session = NULL;

  session = soup_session_new_with_options ("max-conns",
      P2P_HTTP_CONNECTIONS_MAX, "max-conns-per-host", P2P_HTTP_CONNECTIONS_MAX,
      "timeout", profile->timeout_s, NULL);
  if (!set_tls (session, profile, error))
    return NULL;
  set_proxy (session, profile->proxy);
  add_logger (session, profile->log_level);
  soup_session_add_feature_by_type (session, SOUP_TYPE_COOKIE_JAR);

  return g_steal_pointer (&session);
}

void
p2p_soup_prepare (void)
{
  g_type_ensure (G_TYPE_INET_SOCKET_ADDRESS);
}

void
p2p_soup_sessions_init (P2pSoupSessions *sessions)
{
  p2p_soup_prepare ();
  g_queue_init (&sessions->entries);
}

void
p2p_soup_sessions_clear (P2pSoupSessions *sessions)
{
  Entry *entry;

  while ((entry = g_queue_pop_head (&sessions->entries)) != NULL) {
    soup_session_abort (entry->session);
    entry_free (entry);
  }
}

SoupSession *
p2p_soup_sessions_get (
    P2pSoupSessions *sessions, P2pHttpProfile *profile, GError **error)
{
  GList *link;
  SoupSession *session;
  Entry *entry;

  if (profile->soup_session != NULL)
    return g_object_ref (SOUP_SESSION (profile->soup_session));

  for (link = sessions->entries.head; link != NULL; link = link->next) {
    entry = link->data;
    if (!same_session (entry->profile, profile))
      continue;
    g_queue_unlink (&sessions->entries, link);
    g_queue_push_head_link (&sessions->entries, link);
    if (has_login (profile) && !has_login (entry->profile)) {
      p2p_http_profile_unref (entry->profile);
      entry->profile = p2p_http_profile_ref (profile);
    }
    return g_object_ref (entry->session);
  }

  session = make_session (profile, error);
  if (session == NULL)
    return NULL;

  entry = g_new0 (Entry, 1);
  entry->profile = p2p_http_profile_ref (profile);
  entry->session = g_object_ref (session);
  g_queue_push_head (&sessions->entries, entry);
  if (sessions->entries.length > P2P_HTTP_SESSIONS_MAX)
    entry_free (g_queue_pop_tail (&sessions->entries));

  return session;
}

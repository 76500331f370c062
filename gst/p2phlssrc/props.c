/* p2phlssrc: how the element asks over HTTP: souphttpsrc's properties.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "props.h"

#include "base/log.h"
#include "soup/souploglevel.h"

#include <gio/gio.h>

/* Defaults and ranges of souphttpsrc 1.22 to 1.26. */
#define DEFAULT_TIMEOUT_S 15
#define MAX_TIMEOUT_S 3600
#define DEFAULT_RETRIES 3
#define DEFAULT_RETRY_BACKOFF_FACTOR_S 0.0
#define DEFAULT_RETRY_BACKOFF_MAX_S 60.0
#define DEFAULT_LOG_LEVEL 2 /* headers */

/* No number of microseconds can be as large as the property: a year. */
#define LONGEST_BACKOFF_S (365.0 * 24 * 3600)

/* In a user agent, since souphttpsrc 1.24: the version of GStreamer. */
#define VERSION_PLACEHOLDER "{VERSION}"
#define VERSION_PLACEHOLDER_SINCE_MINOR 24

/* Since when souphttpsrc asks again after 500 and 503. */
#define RETRY_UNAVAILABLE_SINCE_MINOR 26

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)

static GParamSpec *
string_spec (const char *name, const char *nick, const char *blurb,
    const char *default_value)
{
  return g_param_spec_string (name, nick, blurb, default_value, FLAGS);
}

static GParamSpec *
boolean_spec (const char *name, const char *nick, const char *blurb,
    gboolean default_value)
{
  return g_param_spec_boolean (name, nick, blurb, default_value, FLAGS);
}

static gboolean
runs_in (guint since_minor)
{
  guint major, minor, micro, nano;

  gst_version (&major, &minor, &micro, &nano);

  return minor >= since_minor;
}

/* A user agent as it is sent, but for libsoup's name. */
static char *
fill_in_version (const char *user_agent)
{
  guint major, minor, micro, nano;
  g_autofree char *version = NULL;
  g_auto (GStrv) parts = NULL;

  if (user_agent == NULL)
    return NULL;
  gst_version (&major, &minor, &micro, &nano);
  version = g_strdup_printf ("%u.%u.%u", major, minor, micro);
  parts = g_strsplit (user_agent, VERSION_PLACEHOLDER, -1);

  return g_strjoinv (version, parts);
}

/* Origins tell players apart by it, so it is souphttpsrc's of the GStreamer
 * that we run in. libsoup's name is added for the space at the end. */
static GParamSpec *
user_agent_spec (void)
{
  const char *text = "GStreamer souphttpsrc " VERSION_PLACEHOLDER " ";
  g_autofree char *filled = NULL;

  if (!runs_in (VERSION_PLACEHOLDER_SINCE_MINOR))
    text = filled = fill_in_version (text);

  return string_spec ("user-agent", "User agent",
      "What the User-Agent header says; {VERSION} stands for GStreamer's, and "
      "after a space at the end comes the HTTP library's name",
      text);
}

static GParamSpec *
seconds_spec (
    const char *name, const char *nick, const char *blurb, double default_value)
{
  return g_param_spec_double (
      name, nick, blurb, 0.0, G_MAXDOUBLE, default_value, FLAGS);
}

static GParamSpec *
who_spec (P2pHttpProp prop)
{
  switch ((guint) prop) {
    case P2P_HTTP_PROP_PROXY:
      /**
       * GstP2pHlsSrc:proxy:
       *
       * URI of the HTTP proxy to go through; without a scheme, `http:` is
       * meant. Default: the environment variable `http_proxy`, else the
       * system's. Can change in any state, and is taken with the next
       * request.
       *
       * Since: 0.1
       */
      return string_spec (
          "proxy", "Proxy", "URI of the HTTP proxy to go through", "");
    case P2P_HTTP_PROP_USER_ID:
      /**
       * GstP2pHlsSrc:user-id:
       *
       * User name for a server that asks for one. Default: %NULL. Can change
       * in any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return string_spec (
          "user-id", "User", "User name for a server that asks for one", "");
    case P2P_HTTP_PROP_USER_PW:
      /**
       * GstP2pHlsSrc:user-pw:
       *
       * Password for a server that asks for one. Default: %NULL. Can change
       * in any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return string_spec ("user-pw", "User's password",
          "Password for a server that asks for one", "");
    case P2P_HTTP_PROP_PROXY_ID:
      /**
       * GstP2pHlsSrc:proxy-id:
       *
       * User name for a proxy that asks for one. Default: %NULL. Can change
       * in any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return string_spec ("proxy-id", "Proxy user",
          "User name for a proxy that asks for one", "");
    case P2P_HTTP_PROP_PROXY_PW:
      /**
       * GstP2pHlsSrc:proxy-pw:
       *
       * Password for a proxy that asks for one. Default: %NULL. Can change in
       * any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return string_spec ("proxy-pw", "Proxy user's password",
          "Password for a proxy that asks for one", "");
    case P2P_HTTP_PROP_COOKIES:
      /**
       * GstP2pHlsSrc:cookies:
       *
       * Cookies to send with each request, as `name=value` each. Servers' own
       * are then neither kept nor sent. Default: %NULL. Can change in any
       * state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return g_param_spec_boxed ("cookies", "Cookies",
          "Cookies to send with each request", G_TYPE_STRV, FLAGS);
    case P2P_HTTP_PROP_EXTRA_HEADERS:
      /**
       * GstP2pHlsSrc:extra-headers:
       *
       * More headers for each request: a field for each, a list or an array
       * for several of one name. Default: %NULL. Can change in any state, and
       * is taken with the next request.
       *
       * Since: 0.1
       */
      return g_param_spec_boxed ("extra-headers", "Extra headers",
          "More headers for each request: a field for each, a list or an array "
          "for several of one name",
          GST_TYPE_STRUCTURE, FLAGS);
    default:
      g_assert_not_reached ();
  }
}

static GParamSpec *
tls_spec (P2pHttpProp prop)
{
  switch ((guint) prop) {
    case P2P_HTTP_PROP_SSL_STRICT:
      /**
       * GstP2pHlsSrc:ssl-strict:
       *
       * Whether to refuse servers whose certificate does not hold. Default:
       * %TRUE. Can change in any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return boolean_spec ("ssl-strict", "Strict TLS",
          "Refuse servers whose certificate does not hold", TRUE);
    case P2P_HTTP_PROP_SSL_CA_FILE:
      /**
       * GstP2pHlsSrc:ssl-ca-file:
       *
       * File of the authorities to trust in place of the system's, in PEM.
       * Not looked at when #GstP2pHlsSrc:tls-database is set. Default: %NULL.
       * Can change in any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return string_spec ("ssl-ca-file", "CA file",
          "File of the authorities to trust in place of the system's", NULL);
    case P2P_HTTP_PROP_SSL_USE_SYSTEM_CA_FILE:
      /**
       * GstP2pHlsSrc:ssl-use-system-ca-file:
       *
       * Whether to trust the system's authorities. Not looked at when
       * #GstP2pHlsSrc:ssl-ca-file or #GstP2pHlsSrc:tls-database is set.
       * Default: %TRUE. Can change in any state, and is taken with the next
       * request.
       *
       * Since: 0.1
       */
      return boolean_spec ("ssl-use-system-ca-file", "System's CA file",
          "Trust the system's authorities", TRUE);
    case P2P_HTTP_PROP_TLS_DATABASE:
      /**
       * GstP2pHlsSrc:tls-database:
       *
       * Authorities to check the server's certificate against. Default:
       * %NULL, the system's. Can change in any state, and is taken with the
       * next request.
       *
       * Since: 0.1
       */
      return g_param_spec_object ("tls-database", "TLS database",
          "Authorities to check the server's certificate against",
          G_TYPE_TLS_DATABASE, FLAGS);
    case P2P_HTTP_PROP_TLS_INTERACTION:
      /**
       * GstP2pHlsSrc:tls-interaction:
       *
       * Asks the user for the passwords and certificates that a connection
       * needs; called on the worker. Default: %NULL. Can change in any state,
       * and is taken with the next request.
       *
       * Since: 0.1
       */
      return g_param_spec_object ("tls-interaction", "TLS interaction",
          "Asks the user for the passwords and certificates that a "
          "connection needs",
          G_TYPE_TLS_INTERACTION, FLAGS);
    default:
      g_assert_not_reached ();
  }
}

GParamSpec *
p2p_http_prop_spec (P2pHttpProp prop)
{
  switch (prop) {
    case P2P_HTTP_PROP_USER_AGENT:
      /**
       * GstP2pHlsSrc:user-agent:
       *
       * What the User-Agent header says; `{VERSION}` stands for the version of
       * the running GStreamer, and after a space at the end comes the name and
       * version of libsoup. Default: that of souphttpsrc, with the version of
       * the running GStreamer. Can change in any state, and is taken with the
       * next request.
       *
       * Since: 0.1
       */
      return user_agent_spec ();
    case P2P_HTTP_PROP_AUTOMATIC_REDIRECT:
      /**
       * GstP2pHlsSrc:automatic-redirect:
       *
       * Whether to follow redirects. Default: %TRUE. Can change in any state,
       * and is taken with the next request.
       *
       * Since: 0.1
       */
      return boolean_spec ("automatic-redirect", "Follow redirects",
          "Follow redirects (HTTP status 3xx)", TRUE);
    case P2P_HTTP_PROP_PROXY:
    case P2P_HTTP_PROP_USER_ID:
    case P2P_HTTP_PROP_USER_PW:
    case P2P_HTTP_PROP_PROXY_ID:
    case P2P_HTTP_PROP_PROXY_PW:
    case P2P_HTTP_PROP_COOKIES:
    case P2P_HTTP_PROP_EXTRA_HEADERS:
      return who_spec (prop);
    case P2P_HTTP_PROP_TIMEOUT:
      /**
       * GstP2pHlsSrc:timeout:
       *
       * How long to wait for a silent server, in seconds, 0 to 3600; 0 is for
       * ever. Default: 15. Can change in any state, and is taken with the
       * next request.
       *
       * Since: 0.1
       */
      return g_param_spec_uint ("timeout", "Timeout",
          "How long to wait for a silent server, in seconds (0 = for ever)", 0,
          MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S, FLAGS);
    case P2P_HTTP_PROP_IRADIO_MODE:
      /**
       * GstP2pHlsSrc:iradio-mode:
       *
       * Whether to ask for the titles that radio stations put between their
       * data; the caps are then `application/x-icy`. Default: %TRUE. Can
       * change in any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return boolean_spec ("iradio-mode", "Internet radio",
          "Ask for the titles that radio stations put between their data",
          TRUE);
    case P2P_HTTP_PROP_HTTP_LOG_LEVEL:
      /**
       * GstP2pHlsSrc:http-log-level:
       *
       * How much of HTTP goes into the debug log, category `p2p-http`, level
       * TRACE. Default: headers. Can change in any state, and is taken with
       * the next request.
       *
       * Since: 0.1
       */
      return g_param_spec_enum ("http-log-level", "HTTP log level",
          "How much of HTTP goes into the debug log, at its level TRACE",
          p2p_soup_log_level_get_type (), DEFAULT_LOG_LEVEL, FLAGS);
    case P2P_HTTP_PROP_COMPRESS:
      /**
       * GstP2pHlsSrc:compress:
       *
       * Whether to accept compressed bodies, which are decompressed; saves
       * bytes for playlists. Default: %FALSE. Can change in any state, and is
       * taken with the next request.
       *
       * Since: 0.1
       */
      return boolean_spec ("compress", "Compress",
          "Accept compressed bodies, and decompress them", FALSE);
    case P2P_HTTP_PROP_KEEP_ALIVE:
      /**
       * GstP2pHlsSrc:keep-alive:
       *
       * Whether to use connections more than once. Default: %TRUE. Can change
       * in any state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return boolean_spec (
          "keep-alive", "Keep alive", "Use connections more than once", TRUE);
    case P2P_HTTP_PROP_SSL_STRICT:
    case P2P_HTTP_PROP_SSL_CA_FILE:
    case P2P_HTTP_PROP_SSL_USE_SYSTEM_CA_FILE:
    case P2P_HTTP_PROP_TLS_DATABASE:
    case P2P_HTTP_PROP_TLS_INTERACTION:
      return tls_spec (prop);
    case P2P_HTTP_PROP_RETRIES:
      /**
       * GstP2pHlsSrc:retries:
       *
       * How often to ask again for the rest of a body that broke off, with no
       * byte in between; -1 is for ever. With GStreamer 1.26 also how many
       * answers of 500 or 503 in a row are final. Default: 3. Can change in any
       * state, and is taken with the next request.
       *
       * Since: 0.1
       */
      return g_param_spec_int ("retries", "Retries",
          "How often to ask again for the rest of a body that broke off "
          "(-1 = for ever)",
          -1, G_MAXINT, DEFAULT_RETRIES, FLAGS);
    case P2P_HTTP_PROP_RETRY_BACKOFF_FACTOR:
      /**
       * GstP2pHlsSrc:retry-backoff-factor:
       *
       * How long to wait before a retry after which no byte came, in seconds;
       * doubled with each retry, before the first already. Default: 0, which
       * waits 0.1 s longer each time, 1 s at most. Can change in any state, and
       * is taken with the next request.
       *
       * Since: 0.1
       */
      return seconds_spec ("retry-backoff-factor", "Retry delay",
          "How long to wait before a retry, in seconds, doubled each time",
          DEFAULT_RETRY_BACKOFF_FACTOR_S);
    case P2P_HTTP_PROP_RETRY_BACKOFF_MAX:
      /**
       * GstP2pHlsSrc:retry-backoff-max:
       *
       * The longest delay that #GstP2pHlsSrc:retry-backoff-factor may grow to,
       * in seconds. Default: 60. Can change in any state, and is taken with the
       * next request.
       *
       * Since: 0.1
       */
      return seconds_spec ("retry-backoff-max", "Longest retry delay",
          "What the delay before a retry may grow to, in seconds",
          DEFAULT_RETRY_BACKOFF_MAX_S);
    case P2P_HTTP_PROP_METHOD:
      /**
       * GstP2pHlsSrc:method:
       *
       * Method of the request. What is asked with another one than GET is not
       * shared. Default: %NULL, GET. Can change in any state, and is taken
       * with the next request.
       *
       * Since: 0.1
       */
      return string_spec (
          "method", "HTTP method", "Method of the request (null: GET)", NULL);
    case P2P_N_HTTP_PROPS:
      break;
  }
  g_assert_not_reached ();
}

/* --- values --------------------------------------------------------------*/

static gboolean
set_proxy (P2pHttpProps *props, const char *text)
{
  GValue *value = &props->values[P2P_HTTP_PROP_PROXY];
  g_autofree char *with_scheme = NULL;
  g_autoptr (GUri) uri = NULL;

  g_value_set_static_string (value, "");
  if (text == NULL || *text == '\0')
    return TRUE;
  if (strstr (text, "://") == NULL)
    text = with_scheme = g_strconcat ("http://", text, NULL);
  uri =
      g_uri_parse (text, G_URI_FLAGS_ENCODED | G_URI_FLAGS_HAS_PASSWORD, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return FALSE;
  g_value_take_string (value, g_uri_to_string (uri));

  return TRUE;
}

/* souphttpsrc's strings begin as null although it declares them as "". */
static gboolean
begins_as_null (GParamSpec *spec)
{
  const GValue *value = g_param_spec_get_default_value (spec);

  return G_IS_PARAM_SPEC_STRING (spec)
      && g_strcmp0 (g_value_get_string (value), "") == 0;
}

void
p2p_http_props_init (P2pHttpProps *props)
{
  memset (props, 0, sizeof *props);
  for (guint i = 0; i < P2P_N_HTTP_PROPS; i++) {
    GParamSpec *spec = g_param_spec_ref_sink (p2p_http_prop_spec (i));

    g_value_init (&props->values[i], spec->value_type);
    if (!begins_as_null (spec))
      g_value_copy (g_param_spec_get_default_value (spec), &props->values[i]);
    g_param_spec_unref (spec);
  }
  set_proxy (props, g_getenv ("http_proxy"));
}

void
p2p_http_props_clear (P2pHttpProps *props)
{
  for (guint i = 0; i < P2P_N_HTTP_PROPS; i++)
    g_value_unset (&props->values[i]);
  g_clear_object (&props->soup_session);
  g_clear_pointer (&props->profile, p2p_http_profile_unref);
}

void
p2p_http_props_set_soup_session (P2pHttpProps *props, GObject *session)
{
  g_set_object (&props->soup_session, session);
  g_clear_pointer (&props->profile, p2p_http_profile_unref);
}

gboolean
p2p_http_props_set (P2pHttpProps *props, P2pHttpProp prop, const GValue *value)
{
  g_clear_pointer (&props->profile, p2p_http_profile_unref);
  if (prop == P2P_HTTP_PROP_PROXY)
    return set_proxy (props, g_value_get_string (value));
  g_value_copy (value, &props->values[prop]);

  return TRUE;
}

static const char *
get_string (const P2pHttpProps *props, P2pHttpProp prop)
{
  return g_value_get_string (&props->values[prop]);
}

static gboolean
get_boolean (const P2pHttpProps *props, P2pHttpProp prop)
{
  return g_value_get_boolean (&props->values[prop]);
}

gboolean
p2p_http_props_is_get (const P2pHttpProps *props)
{
  const char *method = get_string (props, P2P_HTTP_PROP_METHOD);

  return method == NULL || g_str_equal (method, "GET");
}

/* --- freezing ------------------------------------------------------------*/

static gboolean
add_header (GStrvBuilder *headers, const char *name, const GValue *value)
{
  g_auto (GValue) text = G_VALUE_INIT;

  g_value_init (&text, G_TYPE_STRING);
  if (!g_value_transform (value, &text) || g_value_get_string (&text) == NULL)
    return FALSE;
  g_strv_builder_add (headers, name);
  g_strv_builder_add (headers, g_value_get_string (&text));

  return TRUE;
}

static gboolean
add_headers (GQuark field, const GValue *value, gpointer user_data)
{
  const char *name = g_quark_to_string (field);
  gboolean is_good = TRUE;

  if (GST_VALUE_HOLDS_ARRAY (value)) {
    for (guint i = 0; i < gst_value_array_get_size (value) && is_good; i++)
      is_good =
          add_header (user_data, name, gst_value_array_get_value (value, i));
  } else if (GST_VALUE_HOLDS_LIST (value)) {
    for (guint i = 0; i < gst_value_list_get_size (value) && is_good; i++)
      is_good =
          add_header (user_data, name, gst_value_list_get_value (value, i));
  } else {
    is_good = add_header (user_data, name, value);
  }
  if (!is_good)
    P2P_LOG_ERROR (
        P2P_AREA_SRC, 0, "extra-headers: the value of %s is no text", name);

  return is_good;
}

static char **
flatten_headers (const P2pHttpProps *props)
{
  const GstStructure *structure =
      g_value_get_boxed (&props->values[P2P_HTTP_PROP_EXTRA_HEADERS]);
  g_autoptr (GStrvBuilder) headers = NULL;

  if (structure == NULL)
    return NULL;
  headers = g_strv_builder_new ();
  gst_structure_foreach (structure, add_headers, headers);

  return g_strv_builder_end (headers);
}

static char *
dup_proxy (const P2pHttpProps *props)
{
  const char *proxy = get_string (props, P2P_HTTP_PROP_PROXY);

  return proxy != NULL && *proxy != '\0' ? g_strdup (proxy) : NULL;
}

/* Where a session of the application's would go against what the user has set
 * here, souphttpsrc makes one of its own. */
static gboolean
leaves_session_as_it_is (const P2pHttpProps *props)
{
  const GValue *values = props->values;

  return g_value_get_uint (&values[P2P_HTTP_PROP_TIMEOUT]) == DEFAULT_TIMEOUT_S
      && g_value_get_boxed (&values[P2P_HTTP_PROP_COOKIES]) == NULL
      && get_boolean (props, P2P_HTTP_PROP_SSL_STRICT)
      && get_boolean (props, P2P_HTTP_PROP_SSL_USE_SYSTEM_CA_FILE)
      && get_string (props, P2P_HTTP_PROP_SSL_CA_FILE) == NULL
      && *get_string (props, P2P_HTTP_PROP_PROXY) == '\0'
      && g_value_get_object (&values[P2P_HTTP_PROP_TLS_DATABASE]) == NULL
      && g_value_get_object (&values[P2P_HTTP_PROP_TLS_INTERACTION]) == NULL;
}

static gint64
get_delay_us (const P2pHttpProps *props, P2pHttpProp prop)
{
  double delay_s = g_value_get_double (&props->values[prop]);

  return MIN (delay_s, LONGEST_BACKOFF_S) * G_USEC_PER_SEC;
}

static P2pHttpProfile *
freeze (const P2pHttpProps *props, const char *method)
{
  const GValue *values = props->values;
  P2pHttpProfile *profile = p2p_http_profile_new ();

  profile->user_agent =
      fill_in_version (get_string (props, P2P_HTTP_PROP_USER_AGENT));
  profile->cookies = g_value_dup_boxed (&values[P2P_HTTP_PROP_COOKIES]);
  profile->extra_headers = flatten_headers (props);
  profile->method = g_strdup (method);
  profile->proxy = dup_proxy (props);
  profile->proxy_id = g_strdup (get_string (props, P2P_HTTP_PROP_PROXY_ID));
  profile->proxy_pw = g_strdup (get_string (props, P2P_HTTP_PROP_PROXY_PW));
  profile->user_id = g_strdup (get_string (props, P2P_HTTP_PROP_USER_ID));
  profile->user_pw = g_strdup (get_string (props, P2P_HTTP_PROP_USER_PW));
  profile->timeout_s = g_value_get_uint (&values[P2P_HTTP_PROP_TIMEOUT]);
  profile->retries = g_value_get_int (&values[P2P_HTTP_PROP_RETRIES]);
  profile->retry_backoff_us =
      get_delay_us (props, P2P_HTTP_PROP_RETRY_BACKOFF_FACTOR);
  profile->retry_backoff_max_us =
      get_delay_us (props, P2P_HTTP_PROP_RETRY_BACKOFF_MAX);
  profile->retry_unavailable = runs_in (RETRY_UNAVAILABLE_SINCE_MINOR);
  profile->automatic_redirect =
      get_boolean (props, P2P_HTTP_PROP_AUTOMATIC_REDIRECT);
  profile->compress = get_boolean (props, P2P_HTTP_PROP_COMPRESS);
  profile->keep_alive = get_boolean (props, P2P_HTTP_PROP_KEEP_ALIVE);
  profile->iradio_mode = get_boolean (props, P2P_HTTP_PROP_IRADIO_MODE);
  profile->ssl_strict = get_boolean (props, P2P_HTTP_PROP_SSL_STRICT);
  profile->ssl_use_system_ca_file =
      get_boolean (props, P2P_HTTP_PROP_SSL_USE_SYSTEM_CA_FILE);
  profile->ssl_ca_file =
      g_strdup (get_string (props, P2P_HTTP_PROP_SSL_CA_FILE));
  profile->tls_database =
      g_value_dup_object (&values[P2P_HTTP_PROP_TLS_DATABASE]);
  profile->tls_interaction =
      g_value_dup_object (&values[P2P_HTTP_PROP_TLS_INTERACTION]);
  if (props->soup_session != NULL && leaves_session_as_it_is (props))
    profile->soup_session = g_object_ref (props->soup_session);
  profile->log_level = g_value_get_enum (&values[P2P_HTTP_PROP_HTTP_LOG_LEVEL]);

  return profile;
}

P2pHttpProfile *
p2p_http_props_get_profile (P2pHttpProps *props)
{
  if (props->profile == NULL)
    props->profile = freeze (props, get_string (props, P2P_HTTP_PROP_METHOD));

  return p2p_http_profile_ref (props->profile);
}

P2pHttpProfile *
p2p_http_props_get_head_profile (const P2pHttpProps *props)
{
  return freeze (props, "HEAD");
}

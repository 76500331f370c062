/* p2phlssrc: a session's settings, from a user's words to the engine's.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:p2phlssrc-environment
 * @title: Environment
 *
 * - `GST_P2PHLS`: other defaults for all sessions of the process, as
 *   `name=value;name=value`. The names are those of the properties from
 *   #GstP2pHlsSrc:p2p to #GstP2pHlsSrc:stats-interval, the values are written
 *   as for gst-launch-1.0. What is set on an element goes before it. An
 *   unknown name or a bad value is an error of the first element, and names
 *   the setting.
 * - `http_proxy`: the default of #GstP2pHlsSrc:proxy.
 * - `GST_PLUGIN_FEATURE_RANK`: GStreamer's; `p2phlssrc:MAX` makes it the
 *   source for every `http:` and `https:` URI, `p2phlssrc:NONE` for none.
 * - `GST_DEBUG`: GStreamer's; `p2p*:4` shows one line for each event in the
 *   life of a stream, peer and tracker, `p2p*:5` each decision too.
 * - `GST_ICY_TAG_ENCODING`, `GST_TAG_ENCODING`: GStreamer's; the encoding of
 *   a radio station's name and genre, if it is not UTF-8.
 */
#include "config.h"

#include "lock.h"
#include "base/error.h"
#include "base/limits.h"

/* Public WebTorrent trackers that P2P Media Loader 2 and 5 announce to by
 * default, and the STUN servers that they use. */
#define DEFAULT_TRACKERS \
  "wss://tracker.webtorrent.dev," \
  "wss://tracker.openwebtorrent.com," \
  "wss://tracker.novage.com.ua"
#define DEFAULT_ICE_SERVERS \
  "stun://stun.l.google.com:19302,stun://global.stun.twilio.com:3478"
#define DEFAULT_MAX_PEERS 50
#define DEFAULT_CACHE_BYTES (G_GUINT64_CONSTANT (256) * 1024 * 1024)
#define DEFAULT_HTTP_WINDOW (3000 * GST_SECOND)
#define DEFAULT_P2P_WINDOW (6000 * GST_SECOND)
#define DEFAULT_PLAYLIST_DELAY (1 * GST_SECOND)

/* The word for an empty list, so that it can be told from "not given". */
#define NONE "none"

#define MUTABLE \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define FIXED \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static const struct
{
  const char *name;
  gboolean is_mutable;
} names[P2P_N_SETTINGS] = {
  [P2P_SETTING_P2P] = { "p2p", TRUE },
  [P2P_SETTING_UPLOAD] = { "upload", TRUE },
  [P2P_SETTING_SWARM_ID] = { "swarm-id", FALSE },
  [P2P_SETTING_TRACKERS] = { "trackers", TRUE },
  [P2P_SETTING_ICE_SERVERS] = { "ice-servers", TRUE },
  [P2P_SETTING_PROTOCOLS] = { "protocols", FALSE },
  [P2P_SETTING_MAX_PEERS] = { "max-peers", TRUE },
  [P2P_SETTING_MAX_UPLOAD_BITRATE] = { "max-upload-bitrate", TRUE },
  [P2P_SETTING_CACHE_SIZE] = { "cache-size", FALSE },
  [P2P_SETTING_URGENT_BUFFER] = { "urgent-buffer", TRUE },
  [P2P_SETTING_HTTP_WINDOW] = { "http-window", TRUE },
  [P2P_SETTING_P2P_WINDOW] = { "p2p-window", TRUE },
  [P2P_SETTING_MAX_PLAYLIST_DELAY] = { "max-playlist-delay", TRUE },
  [P2P_SETTING_STATS_INTERVAL] = { "stats-interval", TRUE },
};

GType
p2p_protocols_get_type (void)
{
  static gsize type;
  static const GFlagsValue values[] = {
    { P2P_PROTOCOL_V3, "P2P Media Loader 5", "v3" },
    { P2P_PROTOCOL_V2, "P2P Media Loader 2.3 to 4", "v2" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType registered =
        g_flags_register_static ("GstP2pHlsSrcProtocols", values);

    g_once_init_leave (&type, registered);
  }

  return type;
}

const char *
p2p_setting_name (P2pSetting setting)
{
  return names[setting].name;
}

gboolean
p2p_setting_is_mutable (P2pSetting setting)
{
  return names[setting].is_mutable;
}

GParamSpec *
p2p_setting_spec (P2pSetting setting)
{
  switch (setting) {
    case P2P_SETTING_P2P:
      /**
       * GstP2pHlsSrc:p2p:
       *
       * Whether to take part in swarms; %FALSE is plain HTTP. Set before the
       * element starts, it begins the session, or, in a session that another
       * element has begun, says whether this element's own requests are
       * shared. Set while it runs, it is the whole session's. Default: %TRUE.
       * Can change in any state.
       *
       * Since: 0.1
       */
      return g_param_spec_boolean ("p2p", "Peer to peer",
          "Take part in swarms; false: plain HTTP", TRUE, MUTABLE);
    case P2P_SETTING_UPLOAD:
      /**
       * GstP2pHlsSrc:upload:
       *
       * Whether to serve segments to peers. Default: %TRUE. Can change in any
       * state.
       *
       * Since: 0.1
       */
      return g_param_spec_boolean (
          "upload", "Upload", "Serve segments to peers", TRUE, MUTABLE);
    case P2P_SETTING_SWARM_ID:
      /**
       * GstP2pHlsSrc:swarm-id:
       *
       * Identifier of the content. Viewers with the same identifier, tracker
       * and protocol meet, wherever their manifests come from. Default:
       * %NULL, the manifest's URL without its query. Can change in the NULL
       * and READY states; a running session keeps its own.
       *
       * Since: 0.1
       */
      return g_param_spec_string ("swarm-id", "Swarm id",
          "Identifier of the content, common to all its viewers "
          "(null: the manifest's URL without its query)",
          NULL, FIXED);
    case P2P_SETTING_TRACKERS:
      /**
       * GstP2pHlsSrc:trackers:
       *
       * Comma-separated `ws:` and `wss:` URLs of WebTorrent trackers, at most
       * 16, or `none`. Default: public trackers. Can change in any state.
       *
       * Since: 0.1
       */
      return g_param_spec_string ("trackers", "Trackers",
          "WebTorrent trackers: comma-separated ws:// and wss:// URLs, or none",
          DEFAULT_TRACKERS, MUTABLE);
    case P2P_SETTING_ICE_SERVERS:
      /**
       * GstP2pHlsSrc:ice-servers:
       *
       * Comma-separated `stun://host:port` and
       * `turn(s)://user:password@host:port`, as webrtcbin writes them, at
       * most 16, or `none`. TURN goes over UDP, with `?transport=tcp` behind
       * the address over TCP; `turns:` is TCP to the port of TLS, without
       * encryption of its own. Default: public STUN servers. Can change in any
       * state; connections that are there keep theirs.
       *
       * Since: 0.1
       */
      return g_param_spec_string ("ice-servers", "ICE servers",
          "STUN and TURN servers: comma-separated stun://host:port and "
          "turn(s)://user:password@host:port, or none",
          DEFAULT_ICE_SERVERS, MUTABLE);
    case P2P_SETTING_PROTOCOLS:
      /**
       * GstP2pHlsSrc:protocols:
       *
       * Generations of the peer protocol to speak: `v3` (P2P Media Loader 5)
       * and `v2` (2.3 to 4); a swarm for each. Default: `v3+v2`. Can change
       * in the NULL and READY states; a running session keeps its own.
       *
       * Since: 0.1
       */
      return g_param_spec_flags ("protocols", "Protocols",
          "Generations of the peer protocol to speak",
          p2p_protocols_get_type (), P2P_PROTOCOL_ALL, FIXED);
    case P2P_SETTING_MAX_PEERS:
      /**
       * GstP2pHlsSrc:max-peers:
       *
       * Connections for each stream that are looked for, 0 to 1000; half as
       * many again may come in. Default: 50. Can change in any state.
       *
       * Since: 0.1
       */
      return g_param_spec_uint ("max-peers", "Maximum peers",
          "Connections for each stream that are looked for; half as many again "
          "may come in",
          0, P2P_PEERS_MAX, DEFAULT_MAX_PEERS, MUTABLE);
    case P2P_SETTING_MAX_UPLOAD_BITRATE:
      /**
       * GstP2pHlsSrc:max-upload-bitrate:
       *
       * Limit of what is sent to all peers together, in bits per second; 0 is
       * no limit. Default: 0. Can change in any state.
       *
       * Since: 0.1
       */
      return g_param_spec_uint64 ("max-upload-bitrate",
          "Maximum upload bitrate",
          "Limit for all peers together, in bits per second (0 = no limit)", 0,
          G_MAXUINT64, 0, MUTABLE);
    case P2P_SETTING_CACHE_SIZE:
      /**
       * GstP2pHlsSrc:cache-size:
       *
       * Memory for segments that were played or are to be played, in bytes.
       * Default: 268435456 (256 MiB). Can change in the NULL and READY
       * states; a running session keeps its own.
       *
       * Since: 0.1
       */
      return g_param_spec_uint64 ("cache-size", "Cache size",
          "Memory for segments, in bytes", 0, G_MAXUINT64, DEFAULT_CACHE_BYTES,
          FIXED);
    case P2P_SETTING_URGENT_BUFFER:
      /**
       * GstP2pHlsSrc:urgent-buffer:
       *
       * Below this much media ahead of the playhead a segment is urgent and
       * goes to HTTP at once, unless a quick peer has it, in nanoseconds.
       * Default: #GST_CLOCK_TIME_NONE, derived from the stream. Can change in
       * any state.
       *
       * Since: 0.1
       */
      return g_param_spec_uint64 ("urgent-buffer", "Urgent buffer",
          "Below this much media ahead of the playhead a segment goes to HTTP "
          "at once, unless a quick peer has it, in nanoseconds (-1 = derived)",
          0, G_MAXUINT64, GST_CLOCK_TIME_NONE, MUTABLE);
    case P2P_SETTING_HTTP_WINDOW:
      /**
       * GstP2pHlsSrc:http-window:
       *
       * How far ahead of the playhead segments are fetched over HTTP, by the
       * viewer that is elected for them, in nanoseconds. Default: 3000 s. Can
       * change in any state.
       *
       * Since: 0.1
       */
      return g_param_spec_uint64 ("http-window", "HTTP window",
          "How far ahead of the playhead segments are fetched over HTTP by "
          "election, in nanoseconds",
          0, G_MAXUINT64, DEFAULT_HTTP_WINDOW, MUTABLE);
    case P2P_SETTING_P2P_WINDOW:
      /**
       * GstP2pHlsSrc:p2p-window:
       *
       * How far ahead of the playhead segments are fetched from peers, in
       * nanoseconds. Default: 6000 s. Can change in any state.
       *
       * Since: 0.1
       */
      return g_param_spec_uint64 ("p2p-window", "P2P window",
          "How far ahead of the playhead segments are fetched from peers, in "
          "nanoseconds",
          0, G_MAXUINT64, DEFAULT_P2P_WINDOW, MUTABLE);
    case P2P_SETTING_MAX_PLAYLIST_DELAY:
      /**
       * GstP2pHlsSrc:max-playlist-delay:
       *
       * How long a refreshed live playlist may be kept back at the most until
       * its newest segment has come from a peer, in nanoseconds. It is never
       * kept for longer than half a segment, nor than the player's buffer
       * allows; 0: every playlist is handed on at once and whole. What it came
       * to is in #GstP2pHlsSrc:stats. Default: 1 s. Can change in any state.
       *
       * Since: 0.1
       */
      return g_param_spec_uint64 ("max-playlist-delay",
          "Maximum playlist delay",
          "How long a live playlist may be kept back until its newest segment "
          "has come from a peer, in nanoseconds (0 = not at all)",
          0, G_MAXUINT64, DEFAULT_PLAYLIST_DELAY, MUTABLE);
    case P2P_SETTING_STATS_INTERVAL:
      /**
       * GstP2pHlsSrc:stats-interval:
       *
       * How often #GstP2pHlsSrc:stats are posted as an element message named
       * `p2phls-stats`, in milliseconds; 0 is never. One element of a session
       * posts them, the oldest that was asked to. Default: 0. Can change in
       * any state.
       *
       * Since: 0.1
       */
      return g_param_spec_uint ("stats-interval", "Stats interval",
          "Post stats as an element message named p2phls-stats this often, in "
          "milliseconds (0 = never)",
          0, G_MAXUINT, 0, MUTABLE);
    case P2P_N_SETTINGS:
      break;
  }
  g_assert_not_reached ();
}

/* One specification for each setting, kept for reading and checking text. */
static GParamSpec *
known_spec (P2pSetting setting)
{
  static GParamSpec *specs[P2P_N_SETTINGS];
  static gsize ready;

  if (g_once_init_enter (&ready)) {
    for (guint i = 0; i < P2P_N_SETTINGS; i++)
      specs[i] = g_param_spec_ref_sink (p2p_setting_spec (i));
    P2P_PUBLISH_RELEASE (&ready);
    g_once_init_leave (&ready, 1);
  }
  P2P_PUBLISH_ACQUIRE (&ready);

  return specs[setting];
}

void
p2p_settings_init (P2pSettings *settings)
{
  memset (settings, 0, sizeof *settings);
  for (guint i = 0; i < P2P_N_SETTINGS; i++) {
    GParamSpec *spec = known_spec (i);

    g_value_init (&settings->values[i], spec->value_type);
    g_value_copy (g_param_spec_get_default_value (spec), &settings->values[i]);
  }
}

void
p2p_settings_clear (P2pSettings *settings)
{
  for (guint i = 0; i < P2P_N_SETTINGS; i++)
    g_value_unset (&settings->values[i]);
}

void
p2p_settings_copy (P2pSettings *copy, const P2pSettings *settings)
{
  *copy = *settings;
  for (guint i = 0; i < P2P_N_SETTINGS; i++) {
    copy->values[i] = (GValue) G_VALUE_INIT;
    g_value_init (&copy->values[i], G_VALUE_TYPE (&settings->values[i]));
    g_value_copy (&settings->values[i], &copy->values[i]);
  }
}

void
p2p_settings_set (
    P2pSettings *settings, P2pSetting setting, const GValue *value)
{
  g_value_copy (value, &settings->values[setting]);
  settings->is_explicit[setting] = TRUE;
}

void
p2p_settings_merge (P2pSettings *settings, const P2pSettings *from)
{
  for (guint i = 0; i < P2P_N_SETTINGS; i++) {
    if (from->is_explicit[i])
      p2p_settings_set (settings, i, &from->values[i]);
  }
}

gboolean
p2p_settings_agree (const P2pSettings *settings, const P2pSettings *wanted)
{
  for (guint i = 0; i < P2P_N_SETTINGS; i++) {
    if (!wanted->is_explicit[i] || i == P2P_SETTING_STATS_INTERVAL)
      continue;
    if (g_param_values_cmp (
            known_spec (i), &settings->values[i], &wanted->values[i])
        != 0)
      return FALSE;
  }
  return TRUE;
}

/* --- the environment variable --------------------------------------------*/

static int
find_setting (const char *name)
{
  for (guint i = 0; i < P2P_N_SETTINGS; i++) {
    if (g_strcmp0 (names[i].name, name) == 0)
      return i;
  }
  return -1;
}

/* GStreamer reads less than nothing as nearly everything; -1 is how it writes
 * a time that is not given. */
static gboolean
is_negative_size (GParamSpec *spec, const char *text)
{
  if (*text != '-'
      || !(G_IS_PARAM_SPEC_UINT (spec) || G_IS_PARAM_SPEC_UINT64 (spec)))
    return FALSE;

  return strcmp (text, "-1") != 0 || !G_IS_PARAM_SPEC_UINT64 (spec)
      || G_PARAM_SPEC_UINT64 (spec)->default_value != GST_CLOCK_TIME_NONE;
}

gboolean
p2p_value_read (
    GParamSpec *spec, const char *text, GValue *value, GError **error)
{
  g_value_init (value, spec->value_type);
  if (G_IS_PARAM_SPEC_STRING (spec)) {
    g_value_set_string (value, *text != '\0' ? text : NULL);
    return TRUE;
  }
  if (!is_negative_size (spec, text)
      && gst_value_deserialize_with_pspec (value, text, spec)
      && !g_param_value_validate (spec, value))
    return TRUE;
  g_value_unset (value);
  g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE,
      "“%s” is no value for %s (%s)", text, spec->name,
      g_param_spec_get_blurb (spec));

  return FALSE;
}

gboolean
p2p_settings_read (
    P2pSettings *settings, const char *name, const char *text, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  int setting = find_setting (name);

  if (setting < 0) {
    g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_NAME,
        "there is no setting named “%s”", name);
    return FALSE;
  }
  if (text == NULL) {
    g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE,
        "%s has no value", name);
    return FALSE;
  }
  if (!p2p_value_read (known_spec (setting), text, &value, error))
    return FALSE;
  g_value_copy (&value, &settings->values[setting]);

  return TRUE;
}

static gboolean
read_item (P2pSettings *settings, char *item, GError **error)
{
  char *equals = strchr (item, '=');

  if (equals != NULL)
    *equals = '\0';

  return p2p_settings_read (settings, g_strstrip (item),
      equals != NULL ? g_strstrip (equals + 1) : NULL, error);
}

gboolean
p2p_settings_read_defaults (
    P2pSettings *settings, const char *text, GError **error)
{
  g_auto (GStrv) items = g_strsplit (text != NULL ? text : "", ";", -1);

  for (char **item = items; *item != NULL; item++) {
    g_strstrip (*item);
    if (**item != '\0' && !read_item (settings, *item, error))
      return FALSE;
  }
  return TRUE;
}

/* --- lists of URLs -------------------------------------------------------*/

/**
 * UrlRule:
 * @setting: whose list
 * @schemes: what a URL may begin with
 * @max: URLs in the list
 * @expected: how a URL looks, for a person
 */
typedef struct
{
  P2pSetting setting;
  const char *const *schemes;
  guint max;
  const char *expected;
} UrlRule;

static const UrlRule tracker_rule = {
  .setting = P2P_SETTING_TRACKERS,
  .schemes = (const char *const[]){ "ws", "wss", NULL },
  .max = P2P_TRACKERS_MAX,
  .expected = "ws://host:port/path or wss://host/path",
};

static const UrlRule ice_rule = {
  .setting = P2P_SETTING_ICE_SERVERS,
  .schemes = (const char *const[]){ "stun", "turn", "turns", NULL },
  .max = P2P_ICE_SERVERS_MAX,
  .expected = "stun://host:port or turn://user:password@host:port",
};

/* Relays cost their owners money: none answers without credentials. */
static gboolean
has_needed_user (GUri *uri)
{
  if (!g_str_has_prefix (g_uri_get_scheme (uri), "turn"))
    return TRUE;
  return g_uri_get_user (uri) != NULL && g_uri_get_password (uri) != NULL;
}

static gboolean
is_url (const UrlRule *rule, const char *text)
{
  g_autoptr (GUri) uri =
      g_uri_parse (text, G_URI_FLAGS_ENCODED | G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (uri == NULL || g_uri_get_host (uri) == NULL
      || *g_uri_get_host (uri) == '\0')
    return FALSE;
  return g_strv_contains (rule->schemes, g_uri_get_scheme (uri))
      && has_needed_user (uri);
}

/* A password must not reach a log or a screen with the error. */
static char *
without_user (const char *url)
{
  const char *at = strrchr (url, '@');
  const char *slashes = strstr (url, "://");

  if (at == NULL || slashes == NULL || at < slashes)
    return g_strdup (url);
  return g_strdup_printf ("%.*s…%s", (int) (slashes - url) + 3, url, at);
}

static char **
read_urls (const UrlRule *rule, const char *text, GError **error)
{
  g_autoptr (GStrvBuilder) urls = g_strv_builder_new ();
  g_auto (GStrv) parts = g_strsplit (text != NULL ? text : "", ",", -1);
  guint count = 0;

  if (g_strcmp0 (text, NONE) == 0)
    return g_strv_builder_end (urls);

  for (char **part = parts; *part != NULL; part++) {
    g_strstrip (*part);
    if (**part == '\0')
      continue;
    if (!is_url (rule, *part)) {
      g_autofree char *shown = without_user (*part);

      g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE,
          "%s: “%s” cannot be used; expected %s, or %s",
          names[rule->setting].name, shown, rule->expected, NONE);
      return NULL;
    }
    if (++count > rule->max) {
      g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE,
          "%s: more than %u URLs", names[rule->setting].name, rule->max);
      return NULL;
    }
    g_strv_builder_add (urls, *part);
  }

  return g_strv_builder_end (urls);
}

/* --- the configuration ---------------------------------------------------*/

static gint64
microseconds (const P2pSettings *settings, P2pSetting setting)
{
  return g_value_get_uint64 (&settings->values[setting]) / GST_USECOND;
}

static void
fill_engine (P2pConfig *config, const P2pSettings *settings)
{
  const GValue *values = settings->values;
  P2pEngineConfig *engine = &config->engine;

  engine->p2p = g_value_get_boolean (&values[P2P_SETTING_P2P]);
  engine->upload = g_value_get_boolean (&values[P2P_SETTING_UPLOAD]);
  engine->swarm_id = config->swarm_id;
  engine->trackers = (const char *const *) config->trackers;
  engine->ice_servers = (const char *const *) config->ice_servers;
  engine->protocols = g_value_get_flags (&values[P2P_SETTING_PROTOCOLS]);
  engine->max_peers = g_value_get_uint (&values[P2P_SETTING_MAX_PEERS]);
  engine->max_upload_bps =
      g_value_get_uint64 (&values[P2P_SETTING_MAX_UPLOAD_BITRATE]);
  engine->cache_bytes = g_value_get_uint64 (&values[P2P_SETTING_CACHE_SIZE]);
  engine->urgent_buffer_us = -1;
  if (g_value_get_uint64 (&values[P2P_SETTING_URGENT_BUFFER])
      != GST_CLOCK_TIME_NONE)
    engine->urgent_buffer_us =
        microseconds (settings, P2P_SETTING_URGENT_BUFFER);
  engine->http_window_us = microseconds (settings, P2P_SETTING_HTTP_WINDOW);
  engine->p2p_window_us = microseconds (settings, P2P_SETTING_P2P_WINDOW);
  engine->max_playlist_delay_us =
      microseconds (settings, P2P_SETTING_MAX_PLAYLIST_DELAY);
  engine->seed = (guint64) g_random_int () << 32 | g_random_int ();
}

P2pConfig *
p2p_config_new (const P2pSettings *settings, GError **error)
{
  g_autoptr (P2pConfig) config = g_atomic_rc_box_new0 (P2pConfig);
  const GValue *values = settings->values;

  config->trackers = read_urls (
      &tracker_rule, g_value_get_string (&values[P2P_SETTING_TRACKERS]), error);
  if (config->trackers == NULL)
    return NULL;
  config->ice_servers = read_urls (
      &ice_rule, g_value_get_string (&values[P2P_SETTING_ICE_SERVERS]), error);
  if (config->ice_servers == NULL)
    return NULL;
  config->swarm_id = g_value_dup_string (&values[P2P_SETTING_SWARM_ID]);
  config->stats_interval_ms =
      g_value_get_uint (&values[P2P_SETTING_STATS_INTERVAL]);
  fill_engine (config, settings);

  return g_steal_pointer (&config);
}

P2pConfig *
p2p_config_ref (P2pConfig *config)
{
  return g_atomic_rc_box_acquire (config);
}

static void
config_clear (gpointer data)
{
  P2pConfig *config = data;

  g_free (config->swarm_id);
  g_strfreev (config->trackers);
  g_strfreev (config->ice_servers);
}

void
p2p_config_unref (P2pConfig *config)
{
  g_atomic_rc_box_release_full (config, config_clear);
}

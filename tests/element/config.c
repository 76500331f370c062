/* p2phlssrc: settings, from words to the engine's configuration.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "config.h"

#include "base/error.h"
#include "base/limits.h"

static void
set_text (P2pSettings *settings, P2pSetting setting, const char *text)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, text);
  p2p_settings_set (settings, setting, &value);
}

static void
set_uint (P2pSettings *settings, P2pSetting setting, guint number)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, number);
  p2p_settings_set (settings, setting, &value);
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2pConfig) config = NULL;
  P2pSettings settings;

  p2p_settings_init (&settings);
  config = p2p_config_new (&settings, &error);
  g_assert_no_error (error);
  g_assert_true (config->engine.p2p);
  g_assert_true (config->engine.upload);
  g_assert_null (config->engine.swarm_id);
  g_assert_cmpuint (g_strv_length ((char **) config->engine.trackers), ==, 3);
  g_assert_cmpuint (
      g_strv_length ((char **) config->engine.ice_servers), ==, 2);
  g_assert_cmpuint (config->engine.protocols, ==, P2P_PROTOCOL_ALL);
  g_assert_cmpuint (config->engine.max_peers, ==, 50);
  g_assert_cmpuint (config->engine.cache_bytes, ==, 268435456);
  g_assert_cmpint (config->engine.urgent_buffer_us, ==, -1);
  g_assert_cmpint (
      config->engine.http_window_us, ==, G_GINT64_CONSTANT (3000000000));
  g_assert_cmpint (
      config->engine.p2p_window_us, ==, G_GINT64_CONSTANT (6000000000));
  g_assert_cmpint (config->engine.max_playlist_delay_us, ==, 1000000);
  g_assert_cmpuint (config->stats_interval_ms, ==, 0);
  p2p_settings_clear (&settings);
}

/* No two sessions are alike to the others. */
static void
test_seed (void)
{
  g_autoptr (P2pConfig) a = NULL;
  g_autoptr (P2pConfig) b = NULL;
  P2pSettings settings;

  p2p_settings_init (&settings);
  a = p2p_config_new (&settings, NULL);
  b = p2p_config_new (&settings, NULL);
  g_assert_cmpuint (a->engine.seed, !=, b->engine.seed);
  p2p_settings_clear (&settings);
}

static void
test_variable (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2pConfig) config = NULL;
  P2pSettings settings;

  p2p_settings_init (&settings);
  g_assert_true (p2p_settings_read_defaults (&settings,
      " trackers = ws://127.0.0.1:8000/a?b=c , wss://[::1]/x ;"
      "ice-servers=none;;p2p=false;upload=no;swarm-id=a=b;protocols=v2;"
      "max-peers=7;max-upload-bitrate=1000;cache-size=5;"
      "urgent-buffer=4000000000;http-window=1000;p2p-window=2000;"
      "max-playlist-delay=3000;stats-interval=1000;",
      &error));
  g_assert_no_error (error);
  config = p2p_config_new (&settings, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (config->engine.trackers[0], ==, "ws://127.0.0.1:8000/a?b=c");
  g_assert_cmpstr (config->engine.trackers[1], ==, "wss://[::1]/x");
  g_assert_null (config->engine.trackers[2]);
  g_assert_null (config->engine.ice_servers[0]);
  g_assert_false (config->engine.p2p);
  g_assert_false (config->engine.upload);
  g_assert_cmpstr (config->engine.swarm_id, ==, "a=b");
  g_assert_cmpuint (config->engine.protocols, ==, P2P_PROTOCOL_V2);
  g_assert_cmpuint (config->engine.max_peers, ==, 7);
  g_assert_cmpuint (config->engine.max_upload_bps, ==, 1000);
  g_assert_cmpuint (config->engine.cache_bytes, ==, 5);
  g_assert_cmpint (config->engine.urgent_buffer_us, ==, 4000000);
  g_assert_cmpint (config->engine.http_window_us, ==, 1);
  g_assert_cmpint (config->engine.p2p_window_us, ==, 2);
  g_assert_cmpint (config->engine.max_playlist_delay_us, ==, 3);
  g_assert_cmpuint (config->stats_interval_ms, ==, 1000);
  for (guint i = 0; i < P2P_N_SETTINGS; i++)
    g_assert_false (settings.is_explicit[i]);
  p2p_settings_clear (&settings);
}

/* One setting, whose value may have what separates them in the variable. */
static void
test_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2pConfig) config = NULL;
  P2pSettings settings;

  p2p_settings_init (&settings);
  g_assert_true (p2p_settings_read (&settings, "swarm-id", " a;b=c", &error));
  g_assert_true (p2p_settings_read (&settings, "max-peers", "7", &error));
  g_assert_no_error (error);
  config = p2p_config_new (&settings, &error);
  g_assert_cmpstr (config->engine.swarm_id, ==, " a;b=c");
  g_assert_cmpuint (config->engine.max_peers, ==, 7);
  g_assert_false (p2p_settings_read (&settings, "max-peers", NULL, &error));
  g_assert_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE);
  g_clear_error (&error);
  g_assert_false (p2p_settings_read (&settings, "max", "7", &error));
  g_assert_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_NAME);
  p2p_settings_clear (&settings);
}

/* The text names what is wrong. */
static void
assert_refused (const char *text, int code, const char *named)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2pConfig) config = NULL;
  P2pSettings settings;

  p2p_settings_init (&settings);
  if (p2p_settings_read_defaults (&settings, text, &error))
    config = p2p_config_new (&settings, &error);
  g_assert_error (error, P2P_CONFIG_ERROR, code);
  g_assert_nonnull (strstr (error->message, named));
  g_assert_null (strstr (error->message, "secret"));
  p2p_settings_clear (&settings);
}

static void
test_refused (void)
{
  static const char *const bad_values[][2] = {
    { "p2p", "p2p" },
    { "p2p=maybe", "maybe" },
    { "max-peers=-1", "max-peers" },
    { "max-peers=1001", "max-peers" },
    { "max-peers=many", "many" },
    { "protocols=v9", "v9" },
    { "cache-size=1MB", "cache-size" },
    { "cache-size=-1", "cache-size" },
    { "stats-interval=-5", "stats-interval" },
    { "urgent-buffer=-2", "urgent-buffer" },
    { "trackers=http://h", "http://h" },
    { "trackers=ws://a,nonsense", "nonsense" },
    { "trackers=ws://", "ws://" },
    { "ice-servers=stun:h:1", "stun:h:1" },
    { "ice-servers=turn://h:1", "turn://h:1" },
    { "ice-servers=turn://only@h:1", "h:1" },
    { "ice-servers=http://user:secret@h:1", "h:1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad_values); i++)
    assert_refused (bad_values[i][0], P2P_CONFIG_ERROR_VALUE, bad_values[i][1]);
  assert_refused ("tracker=none", P2P_CONFIG_ERROR_NAME, "tracker");
  assert_refused ("stats=x", P2P_CONFIG_ERROR_NAME, "stats");
  assert_refused ("location=x", P2P_CONFIG_ERROR_NAME, "location");
  assert_refused ("=x", P2P_CONFIG_ERROR_NAME, "");
}

static void
assert_too_many (P2pSetting setting, const char *url, guint max)
{
  g_autoptr (GString) urls = g_string_new (url);
  g_autoptr (GError) error = NULL;
  g_autoptr (P2pConfig) config = NULL;
  P2pSettings settings;

  p2p_settings_init (&settings);
  for (guint i = 1; i < max; i++)
    g_string_append_printf (urls, ",%s", url);
  set_text (&settings, setting, urls->str);
  config = p2p_config_new (&settings, &error);
  g_assert_no_error (error);
  g_string_append_printf (urls, ",%s", url);
  set_text (&settings, setting, urls->str);
  g_assert_null (p2p_config_new (&settings, &error));
  g_assert_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE);
  p2p_settings_clear (&settings);
}

static void
test_bounds (void)
{
  assert_too_many (P2P_SETTING_TRACKERS, "ws://t", P2P_TRACKERS_MAX);
  assert_too_many (
      P2P_SETTING_ICE_SERVERS, "stun://s:3478", P2P_ICE_SERVERS_MAX);
}

static void
test_urls (void)
{
  static const char *const good[] = {
    "stun://h:1",
    "stun://h",
    "stun://[::1]:3478",
    "turn://u:p@h:1?transport=tcp",
    "turns://u%40x:p%3Aq@h:1",
    "none",
    "",
    NULL,
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (P2pConfig) config = NULL;
    P2pSettings settings;

    p2p_settings_init (&settings);
    set_text (&settings, P2P_SETTING_ICE_SERVERS, good[i]);
    config = p2p_config_new (&settings, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (g_strv_length ((char **) config->engine.ice_servers), ==,
        good[i] != NULL && strstr (good[i], "://") != NULL);
    p2p_settings_clear (&settings);
  }
}

static void
test_merge_and_agree (void)
{
  P2pSettings session, element;

  p2p_settings_init (&session);
  p2p_settings_init (&element);
  set_uint (&session, P2P_SETTING_MAX_PEERS, 3);
  /* What was not set agrees with anything. */
  g_assert_true (p2p_settings_agree (&session, &element));
  set_uint (&element, P2P_SETTING_STATS_INTERVAL, 3);
  g_assert_true (p2p_settings_agree (&session, &element));
  set_uint (&element, P2P_SETTING_MAX_PEERS, 4);
  g_assert_false (p2p_settings_agree (&session, &element));
  set_text (&session, P2P_SETTING_SWARM_ID, "kept");
  p2p_settings_merge (&session, &element);
  g_assert_true (p2p_settings_agree (&session, &element));
  g_assert_cmpuint (
      g_value_get_uint (&session.values[P2P_SETTING_MAX_PEERS]), ==, 4);
  g_assert_cmpstr (
      g_value_get_string (&session.values[P2P_SETTING_SWARM_ID]), ==, "kept");
  p2p_settings_clear (&session);
  p2p_settings_clear (&element);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults", test_defaults);
  g_test_add_func ("/config/seed", test_seed);
  g_test_add_func ("/config/variable", test_variable);
  g_test_add_func ("/config/read", test_read);
  g_test_add_func ("/config/refused", test_refused);
  g_test_add_func ("/config/bounds", test_bounds);
  g_test_add_func ("/config/urls", test_urls);
  g_test_add_func ("/config/merge-and-agree", test_merge_and_agree);

  return g_test_run ();
}

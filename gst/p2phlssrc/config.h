/* p2phlssrc: a session's settings, from a user's words to the engine's.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. P2pSettings has one owner, P2pConfig is immutable.
 */
#pragma once

#include <gst/gst.h>

#include "engine/engine.h"

G_BEGIN_DECLS

/* The name of the environment variable with a process's defaults. */
#define P2P_SETTINGS_VARIABLE "GST_P2PHLS"

/**
 * P2pSetting:
 *
 * What can be set about peers; each is a property of the element with the
 * name in p2p_setting_name().
 */
typedef enum
{
  P2P_SETTING_P2P,
  P2P_SETTING_UPLOAD,
  P2P_SETTING_SWARM_ID,
  P2P_SETTING_TRACKERS,
  P2P_SETTING_ICE_SERVERS,
  P2P_SETTING_PROTOCOLS,
  P2P_SETTING_MAX_PEERS,
  P2P_SETTING_MAX_UPLOAD_BITRATE,
  P2P_SETTING_CACHE_SIZE,
  P2P_SETTING_URGENT_BUFFER,
  P2P_SETTING_HTTP_WINDOW,
  P2P_SETTING_P2P_WINDOW,
  P2P_SETTING_MAX_PLAYLIST_DELAY,
  P2P_SETTING_STATS_INTERVAL,
  P2P_N_SETTINGS,
} P2pSetting;

GType p2p_protocols_get_type (void);

const char *p2p_setting_name (P2pSetting setting);

/* Whether a running session takes a new value. */
gboolean p2p_setting_is_mutable (P2pSetting setting);

/* Returns: (transfer full): a new floating specification, with type, range,
 * default and text, for a class to install. */
GParamSpec *p2p_setting_spec (P2pSetting setting);

/**
 * P2pSettings:
 * @values: one for each setting, of its type
 * @is_explicit: whether the user has set it on this element; defaults, be
 *   they ours or the environment's, are not explicit
 */
typedef struct
{
  GValue values[P2P_N_SETTINGS];
  gboolean is_explicit[P2P_N_SETTINGS];
} P2pSettings;

/* Our defaults. */
void p2p_settings_init (P2pSettings *settings);
void p2p_settings_clear (P2pSettings *settings);
void p2p_settings_copy (P2pSettings *copy, const P2pSettings *settings);

/* Sets a value of the setting's type and marks it explicit. */
void p2p_settings_set (
    P2pSettings *settings, P2pSetting setting, const GValue *value);

/* Takes over what is explicit in @from, and marks it so. */
void p2p_settings_merge (P2pSettings *settings, const P2pSettings *from);

/* Whether all that is explicit in @wanted has that value in @settings;
 * `stats-interval` says where messages go, not how a session is. */
gboolean p2p_settings_agree (
    const P2pSettings *settings, const P2pSettings *wanted);

/**
 * p2p_value_read:
 * @spec: whose value
 * @text: as in gst-launch-1.0, without quotes
 * @value: (out): filled in when it can be read, left unset else
 * @error: names @spec, and says what it takes
 *
 * Returns: whether @text is a value for @spec.
 */
gboolean p2p_value_read (
    GParamSpec *spec, const char *text, GValue *value, GError **error);

/**
 * p2p_settings_read:
 * @settings: the settings
 * @name: a setting's
 * @text: (nullable): its value; %NULL is an error
 * @error: P2P_CONFIG_ERROR_NAME for a @name that is none
 *
 * Changes a default; it does not become explicit.
 *
 * Returns: whether both were understood.
 */
gboolean p2p_settings_read (
    P2pSettings *settings, const char *name, const char *text, GError **error);

/**
 * p2p_settings_read_defaults:
 * @settings: the settings
 * @text: (nullable): `name=value;name=value`, the environment variable's
 *   syntax. Values are written as in gst-launch-1.0, without quotes
 * @error: names what cannot be used
 *
 * Changes defaults; nothing becomes explicit.
 *
 * Returns: whether all of @text was understood.
 */
gboolean p2p_settings_read_defaults (
    P2pSettings *settings, const char *text, GError **error);

/**
 * P2pConfig:
 * @engine: what the engine is told; points into the rest
 * @stats_interval_ms: 0: no messages
 *
 * Settings that were found good. Reference counted, immutable.
 */
typedef struct
{
  P2pEngineConfig engine;
  guint stats_interval_ms;
  /*< private >*/
  char *swarm_id;
  char **trackers;
  char **ice_servers;
} P2pConfig;

/**
 * p2p_config_new:
 * @settings: the settings
 * @error: names the setting and the part of it that cannot be used
 *
 * Reads the lists of URLs.
 *
 * Returns: (transfer full) (nullable): the configuration.
 * Bounds: P2P_TRACKERS_MAX, P2P_ICE_SERVERS_MAX.
 */
P2pConfig *p2p_config_new (const P2pSettings *settings, GError **error);
P2pConfig *p2p_config_ref (P2pConfig *config);
void p2p_config_unref (P2pConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pConfig, p2p_config_unref)

G_END_DECLS

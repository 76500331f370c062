/* p2phlssrc: the gateway program's settings: the element's properties.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gateway/settings.h"

#include "base/error.h"

#include <string.h>

/* Where --help begins to say what a setting does. */
#define HELP_COLUMN 25
#define HELP_WIDTH 79

/* What has no text to be written as, and what would change what the gateway
 * answers. */
static gboolean
can_set_http (P2pHttpProp prop)
{
  return prop != P2P_HTTP_PROP_METHOD && prop != P2P_HTTP_PROP_IRADIO_MODE
      && prop != P2P_HTTP_PROP_TLS_DATABASE
      && prop != P2P_HTTP_PROP_TLS_INTERACTION;
}

/* Stats go to the status page. */
static gboolean
can_set_p2p (P2pSetting setting)
{
  return setting != P2P_SETTING_STATS_INTERVAL;
}

void
p2p_tool_settings_init (P2pToolSettings *settings)
{
  g_auto (GValue) off = G_VALUE_INIT;

  p2p_settings_init (&settings->p2p);
  p2p_http_props_init (&settings->http);
  g_value_init (&off, G_TYPE_BOOLEAN);
  p2p_http_props_set (&settings->http, P2P_HTTP_PROP_IRADIO_MODE, &off);
}

void
p2p_tool_settings_clear (P2pToolSettings *settings)
{
  p2p_settings_clear (&settings->p2p);
  p2p_http_props_clear (&settings->http);
}

/* Returns: (transfer full) (nullable): of the property with this name. */
static GParamSpec *
find_http (const char *name, P2pHttpProp *prop)
{
  for (*prop = 0; *prop < P2P_N_HTTP_PROPS; (*prop)++) {
    g_autoptr (GParamSpec) spec =
        g_param_spec_ref_sink (p2p_http_prop_spec (*prop));

    if (can_set_http (*prop) && g_str_equal (spec->name, name))
      return g_steal_pointer (&spec);
  }

  return NULL;
}

static gboolean
set_http (P2pHttpProps *props, P2pHttpProp prop, GParamSpec *spec,
    const char *text, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (spec->value_type == G_TYPE_STRV) {
    g_value_init (&value, G_TYPE_STRV);
    g_value_take_boxed (&value, g_strsplit (text, ";", -1));
  } else if (!p2p_value_read (spec, text, &value, error)) {
    return FALSE;
  }
  if (p2p_http_props_set (props, prop, &value))
    return TRUE;
  g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE,
      "“%s” is no value for %s (%s)", text, spec->name,
      g_param_spec_get_blurb (spec));

  return FALSE;
}

gboolean
p2p_tool_settings_set (
    P2pToolSettings *settings, const char *assignment, GError **error)
{
  g_autofree char *name = g_strndup (assignment, strcspn (assignment, "="));
  const char *equals = strchr (assignment, '=');
  g_autoptr (GParamSpec) spec = NULL;
  P2pHttpProp prop;

  spec = find_http (name, &prop);
  if (spec != NULL && equals != NULL)
    return set_http (&settings->http, prop, spec, equals + 1, error);
  if (spec != NULL) {
    g_set_error (error, P2P_CONFIG_ERROR, P2P_CONFIG_ERROR_VALUE,
        "%s has no value", name);
    return FALSE;
  }

  return p2p_settings_read (
      &settings->p2p, name, equals != NULL ? equals + 1 : NULL, error);
}

static void
describe (GString *text, GParamSpec *floating)
{
  g_autoptr (GParamSpec) spec = g_param_spec_ref_sink (floating);
  g_auto (GStrv) words = g_strsplit (g_param_spec_get_blurb (spec), " ", -1);
  gsize column = HELP_COLUMN;

  g_string_append_printf (text, "\n  %-*s", HELP_COLUMN - 3, spec->name);
  for (char **word = words; *word != NULL; word++) {
    if (column + strlen (*word) > HELP_WIDTH) {
      g_string_append_printf (text, "\n%*s", HELP_COLUMN - 1, "");
      column = HELP_COLUMN;
    }
    g_string_append_printf (text, " %s", *word);
    column += strlen (*word) + 1;
  }
}

char *
p2p_tool_settings_describe (void)
{
  GString *text = g_string_new ("Settings, the element's properties:");

  for (guint i = 0; i < P2P_N_SETTINGS; i++) {
    if (can_set_p2p (i))
      describe (text, p2p_setting_spec (i));
  }
  for (guint i = 0; i < P2P_N_HTTP_PROPS; i++) {
    if (can_set_http (i))
      describe (text, p2p_http_prop_spec (i));
  }

  return g_string_free (text, FALSE);
}

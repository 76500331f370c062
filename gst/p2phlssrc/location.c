/* p2phlssrc: what the user asks for, and who else could answer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "location.h"

const char *const *
p2p_location_protocols (void)
{
  static const char *const protocols[] = {
    "http",
    "https",
    P2P_SCHEME_PREFIX "http",
    P2P_SCHEME_PREFIX "https",
    NULL,
  };

  return protocols;
}

char *
p2p_location_normalize (const char *uri)
{
  static const char *const radio[] = { "icy://", "icyx://" };

  for (guint i = 0; i < G_N_ELEMENTS (radio); i++) {
    if (g_str_has_prefix (uri, radio[i]))
      return g_strconcat ("http://", uri + strlen (radio[i]), NULL);
  }

  return g_strdup (uri);
}

gboolean
p2p_location_has_prefix (const char *location)
{
  return g_ascii_strncasecmp (
             location, P2P_SCHEME_PREFIX, strlen (P2P_SCHEME_PREFIX))
      == 0;
}

const char *
p2p_location_request_uri (const char *location)
{
  if (p2p_location_has_prefix (location))
    location += strlen (P2P_SCHEME_PREFIX);
  if (g_ascii_strncasecmp (location, "http://", 7) != 0
      && g_ascii_strncasecmp (location, "https://", 8) != 0)
    return NULL;

  return location;
}

char *
p2p_location_with_prefix (const char *uri)
{
  if (p2p_location_has_prefix (uri))
    return g_strdup (uri);

  return g_strconcat (P2P_SCHEME_PREFIX, uri, NULL);
}

static gboolean
handles_http (GstElementFactory *factory)
{
  const char *const *protocols =
      gst_element_factory_get_uri_protocols (factory);

  return gst_element_factory_get_uri_type (factory) == GST_URI_SRC
      && protocols != NULL && g_strv_contains (protocols, "http");
}

static gboolean
is_rival (GstPluginFeature *feature, gpointer user_data)
{
  GstPluginFeature *own = user_data;

  return GST_IS_ELEMENT_FACTORY (feature)
      && g_strcmp0 (GST_OBJECT_NAME (feature), GST_OBJECT_NAME (own)) != 0
      && gst_plugin_feature_get_rank (feature)
      >= gst_plugin_feature_get_rank (own)
      && handles_http (GST_ELEMENT_FACTORY (feature));
}

gboolean
p2p_location_is_outranked (GstElementFactory *factory)
{
  GList *rivals = gst_registry_feature_filter (
      gst_registry_get (), is_rival, TRUE, factory);
  gboolean is_outranked = rivals != NULL;

  gst_plugin_feature_list_free (rivals);

  return is_outranked;
}

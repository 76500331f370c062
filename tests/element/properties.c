/* p2phlssrc: the properties, beside souphttpsrc's.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/check/gstcheck.h>

#include <string.h>

/* Newer versions have some of them that say no more than what to print. */
#define FLAGS_FOR_DOCUMENTATION \
  (GST_PARAM_DOC_SHOW_DEFAULT | GST_PARAM_CONDITIONALLY_AVAILABLE)

/* What souphttpsrc has, from its base classes too. */
static const char *const shared[] = {
  "automatic-redirect",
  "blocksize",
  "compress",
  "cookies",
  "do-timestamp",
  "extra-headers",
  "http-log-level",
  "iradio-mode",
  "is-live",
  "keep-alive",
  "location",
  "method",
  "num-buffers",
  "proxy",
  "proxy-id",
  "proxy-pw",
  "retries",
  "ssl-ca-file",
  "ssl-strict",
  "ssl-use-system-ca-file",
  "timeout",
  "tls-database",
  "tls-interaction",
  "user-agent",
  "user-id",
  "user-pw",
};

static const struct
{
  const char *name;
  const char *type;
  const char *value;
} own[] = {
  { "p2p", "gboolean", "true" },
  { "upload", "gboolean", "true" },
  { "swarm-id", "gchararray", NULL },
  { "trackers", "gchararray",
      "wss://tracker.webtorrent.dev,wss://tracker.openwebtorrent.com,"
      "wss://tracker.novage.com.ua" },
  { "ice-servers", "gchararray",
      "stun://stun.l.google.com:19302,stun://global.stun.twilio.com:3478" },
  { "protocols", "GstP2pHlsSrcProtocols", "3" },
  { "max-peers", "guint", "50" },
  { "max-upload-bitrate", "guint64", "0" },
  { "cache-size", "guint64", "268435456" },
  { "urgent-buffer", "guint64", "18446744073709551615" },
  { "http-window", "guint64", "3000000000000" },
  { "p2p-window", "guint64", "6000000000000" },
  { "max-playlist-delay", "guint64", "1000000000" },
  { "stats-interval", "guint", "0" },
  /* These souphttpsrc has had since 1.26; here they do not depend on it. */
  { "retry-backoff-factor", "gdouble", "0" },
  { "retry-backoff-max", "gdouble", "60" },
};

static GParamSpec *
spec_of (GstElement *element, const char *name)
{
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), name);

  fail_unless (spec != NULL, "%s has no %s", GST_OBJECT_NAME (element), name);

  return spec;
}

static char *
value_text (const GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_BOXED (value) || G_VALUE_HOLDS_OBJECT (value))
    return g_strdup (g_value_peek_pointer (value) != NULL ? "set" : NULL);
  if (G_VALUE_HOLDS_FLAGS (value))
    return g_strdup_printf ("%u", g_value_get_flags (value));
  return gst_value_serialize (value);
}

static char *
current_text (GstElement *element, GParamSpec *spec)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, spec->value_type);
  g_object_get_property (G_OBJECT (element), spec->name, &value);

  return value_text (&value);
}

static void
check_range (GParamSpec *a, GParamSpec *b)
{
  if (G_IS_PARAM_SPEC_UINT (a)) {
    fail_unless_equals_int (
        G_PARAM_SPEC_UINT (a)->minimum, G_PARAM_SPEC_UINT (b)->minimum);
    fail_unless_equals_int (
        G_PARAM_SPEC_UINT (a)->maximum, G_PARAM_SPEC_UINT (b)->maximum);
  } else if (G_IS_PARAM_SPEC_INT (a)) {
    fail_unless_equals_int (
        G_PARAM_SPEC_INT (a)->minimum, G_PARAM_SPEC_INT (b)->minimum);
    fail_unless_equals_int (
        G_PARAM_SPEC_INT (a)->maximum, G_PARAM_SPEC_INT (b)->maximum);
  } else if (G_IS_PARAM_SPEC_DOUBLE (a)) {
    fail_unless (
        G_PARAM_SPEC_DOUBLE (a)->minimum == G_PARAM_SPEC_DOUBLE (b)->minimum);
    fail_unless (
        G_PARAM_SPEC_DOUBLE (a)->maximum == G_PARAM_SPEC_DOUBLE (b)->maximum);
  }
}

static void
check_same (GstElement *soup, GstElement *ours, const char *name)
{
  GParamSpec *a = spec_of (soup, name), *b = spec_of (ours, name);
  g_autofree char *default_a = value_text (g_param_spec_get_default_value (a));
  g_autofree char *default_b = value_text (g_param_spec_get_default_value (b));
  g_autofree char *current_a = current_text (soup, a);
  g_autofree char *current_b = current_text (ours, b);

  fail_unless_equals_string (
      g_type_name (a->value_type), g_type_name (b->value_type));
  fail_unless_equals_int (a->flags & ~FLAGS_FOR_DOCUMENTATION, b->flags);
  check_range (a, b);
  fail_unless (g_strcmp0 (default_a, default_b) == 0, "%s: %s, not %s", name,
      default_b, default_a);
  /* With libsoup 3, souphttpsrc forgets what it is told here. */
  if (strcmp (name, "ssl-use-system-ca-file") != 0)
    fail_unless (g_strcmp0 (current_a, current_b) == 0, "%s: %s, not %s", name,
        current_b, current_a);
  fail_unless (strlen (g_param_spec_get_blurb (b)) > 0);
}

GST_START_TEST (test_same_as_souphttpsrc)
{
  GstElement *soup = gst_element_factory_make ("souphttpsrc", NULL);
  GstElement *ours = gst_element_factory_make ("p2phlssrc", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (shared); i++)
    check_same (soup, ours, shared[i]);
  gst_object_unref (soup);
  gst_object_unref (ours);
}

GST_END_TEST;

/* What a version learned that the tests did not name; then so should we. */
GST_START_TEST (test_none_forgotten)
{
  GstElement *soup = gst_element_factory_make ("souphttpsrc", NULL);
  GstElement *ours = gst_element_factory_make ("p2phlssrc", NULL);
  g_autofree GParamSpec **specs = NULL;
  guint count;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (soup), &count);
  for (guint i = 0; i < count; i++)
    if (specs[i]->owner_type != GST_TYPE_OBJECT)
      check_same (soup, ours, specs[i]->name);
  gst_object_unref (soup);
  gst_object_unref (ours);
}

GST_END_TEST;

GST_START_TEST (test_own_properties)
{
  GstElement *ours = gst_element_factory_make ("p2phlssrc", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (own); i++) {
    GParamSpec *spec = spec_of (ours, own[i].name);
    g_autofree char *declared =
        value_text (g_param_spec_get_default_value (spec));
    g_autofree char *current = current_text (ours, spec);

    fail_unless_equals_string (g_type_name (spec->value_type), own[i].type);
    fail_unless_equals_string (declared, own[i].value);
    fail_unless_equals_string (current, own[i].value);
  }
  fail_unless_equals_int (spec_of (ours, "stats")->flags & G_PARAM_WRITABLE, 0);
  gst_object_unref (ours);
}

GST_END_TEST;

/* Each property gives back what it was given. */
GST_START_TEST (test_set_and_get)
{
  static const char *const texts[][2] = {
    { "user-agent", "me/1" },
    { "method", "POST" },
    { "proxy", "http://127.0.0.1:1" },
    { "user-id", "u" },
    { "user-pw", "p" },
    { "timeout", "3" },
    { "retries", "-1" },
    { "retry-backoff-factor", "0.5" },
    { "retry-backoff-max", "90" },
    { "compress", "true" },
    { "keep-alive", "false" },
    { "ssl-strict", "false" },
    { "ssl-use-system-ca-file", "false" },
    { "iradio-mode", "false" },
    { "http-log-level", "none" },
    { "location", "http://h/x" },
    { "p2p", "false" },
    { "swarm-id", "s" },
    { "urgent-buffer", "4000000000" },
    { "cache-size", "1048576" },
  };
  GstElement *ours = gst_element_factory_make ("p2phlssrc", NULL);
  guint protocols;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    GParamSpec *spec = spec_of (ours, texts[i][0]);
    g_autofree char *current = NULL;

    gst_util_set_object_arg (G_OBJECT (ours), texts[i][0], texts[i][1]);
    current = current_text (ours, spec);
    fail_unless_equals_string (current, texts[i][1]);
  }
  gst_util_set_object_arg (G_OBJECT (ours), "protocols", "v3");
  g_object_get (ours, "protocols", &protocols, NULL);
  fail_unless_equals_int (protocols, 2);
  gst_object_unref (ours);
}

GST_END_TEST;

GST_START_TEST (test_proxy_spelling)
{
  GstElement *ours = gst_element_factory_make ("p2phlssrc", NULL);
  g_autofree char *proxy = NULL;

  g_object_set (ours, "proxy", "127.0.0.1:8080", NULL);
  g_object_get (ours, "proxy", &proxy, NULL);
  fail_unless_equals_string (proxy, "http://127.0.0.1:8080");
  g_clear_pointer (&proxy, g_free);
  g_object_set (ours, "proxy", "http://[", NULL);
  g_object_get (ours, "proxy", &proxy, NULL);
  fail_unless_equals_string (proxy, "");
  gst_object_unref (ours);
}

GST_END_TEST;

GST_START_TEST (test_factory)
{
  GstElementFactory *factory = gst_element_factory_find ("p2phlssrc");
  const char *const *protocols =
      gst_element_factory_get_uri_protocols (factory);

  fail_unless_equals_int (
      gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory)),
      GST_RANK_MARGINAL);
  fail_unless_equals_string (
      gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS),
      "Source/Network");
  fail_unless_equals_int (
      gst_element_factory_get_uri_type (factory), GST_URI_SRC);
  fail_unless (g_strv_contains (protocols, "http"));
  fail_unless (g_strv_contains (protocols, "https"));
  fail_unless (g_strv_contains (protocols, "p2phls+http"));
  fail_unless (g_strv_contains (protocols, "p2phls+https"));
  gst_object_unref (factory);
}

GST_END_TEST;

/* Installing the plugin changes nothing for http:; the prefix is ours. */
GST_START_TEST (test_uri_handler)
{
  GstElement *element =
      gst_element_make_from_uri (GST_URI_SRC, "http://h/x", NULL, NULL);
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autofree char *uri = NULL;

  fail_unless_equals_string (GST_OBJECT_NAME (factory), "souphttpsrc");
  gst_object_unref (element);

  element =
      gst_element_make_from_uri (GST_URI_SRC, "p2phls+https://h/x", NULL, NULL);
  factory = gst_element_get_factory (element);
  fail_unless_equals_string (GST_OBJECT_NAME (factory), "p2phlssrc");
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (element));
  fail_unless_equals_string (uri, "p2phls+https://h/x");
  gst_object_unref (element);
}

GST_END_TEST;

static Suite *
properties_suite (void)
{
  Suite *suite = suite_create ("properties");
  TCase *tests = tcase_create ("properties");

  g_unsetenv ("GST_P2PHLS"); /* our defaults, not the tests' */
  suite_add_tcase (suite, tests);
  tcase_add_test (tests, test_same_as_souphttpsrc);
  tcase_add_test (tests, test_none_forgotten);
  tcase_add_test (tests, test_own_properties);
  tcase_add_test (tests, test_set_and_get);
  tcase_add_test (tests, test_proxy_spelling);
  tcase_add_test (tests, test_factory);
  tcase_add_test (tests, test_uri_handler);

  return suite;
}

GST_CHECK_MAIN (properties);

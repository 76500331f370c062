/* p2phlssrc: the element.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-p2phlssrc
 * @title: p2phlssrc
 * @short_description: HTTP source that shares HLS segments with other viewers
 *
 * Reads over HTTP like souphttpsrc, and takes its place beneath hlsdemux: it
 * reads the playlists that pass through it, and takes each media segment from
 * the origin or from other viewers of the same stream, over WebRTC data
 * channels. What it has, it serves. Viewers are found with WebTorrent
 * trackers; browsers that run P2P Media Loader share with it. With
 * #GstP2pHlsSrc:p2p set to %FALSE, or with nobody else there, it is a plain
 * HTTP source with the same properties, errors, messages and events as
 * souphttpsrc. So it is for all that is no HLS: DASH is not shared.
 *
 * Sharing uses the viewer's uplink, so nothing changes by installing the
 * plugin. It is chosen by the `p2phls+http:` and `p2phls+https:` URI schemes,
 * by `GST_PLUGIN_FEATURE_RANK=p2phlssrc:MAX`, or by name. The prefix is taken
 * off what is requested, and keeps on this element whatever a playlist names.
 *
 * All p2phlssrc elements of a pipeline share one session: its worker thread,
 * HTTP connections, segments and peers. The elements that a demuxer makes take
 * the settings of the session that the first one has made, so the properties
 * of the one element within reach are the whole pipeline's.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 playbin3 uri=p2phls+https://example.com/live/master.m3u8
 * ]| Plays a stream and shares it with its other viewers.
 * |[
 * gst-launch-1.0 -m p2phlssrc location=http://127.0.0.1:8000/master.m3u8 \
 *   trackers=ws://127.0.0.1:8001 ice-servers=none stats-interval=1000 ! \
 *   hlsdemux ! fakesink
 * ]| Shares within one machine, and shows each second what was shared.
 * |[
 * GST_PLUGIN_FEATURE_RANK=p2phlssrc:MAX GST_P2PHLS="max-peers=8;upload=false" \
 *   gst-play-1.0 https://example.com/live/master.m3u8
 * ]| Any player; looks for eight peers of each stream, gives nothing.
 * |[
 * gst-launch-1.0 p2phlssrc location=http://127.0.0.1:8000/file.bin ! \
 *   filesink location=file.bin
 * ]| Plain HTTP: what is no segment of a playlist is never shared.
 *
 * Since: 0.1
 */

/**
 * GstP2pHlsSrc!src:
 *
 * The bytes of the resource.
 *
 * Since: 0.1
 */

#include "gstp2phlssrc-private.h"

#include "downstream.h"
#include "gstlog.h"
#include "gststats.h"
#include "location.h"
#include "soup/soupvalue.h"

#define GST_CAT_DEFAULT (p2p_gst_log_category (P2P_AREA_SRC))

/* The context in which souphttpsrc looks for a session. */
#define SOUP_SESSION_CONTEXT "gst.soup.session"

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_IS_LIVE,
  PROP_STATS,
  PROP_FIRST_HTTP,
  PROP_FIRST_SETTING = PROP_FIRST_HTTP + P2P_N_HTTP_PROPS,
  PROP_END = PROP_FIRST_SETTING + P2P_N_SETTINGS,
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_p2p_hls_src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstP2pHlsSrc, gst_p2p_hls_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_URI_HANDLER, gst_p2p_hls_src_uri_handler_init));

GST_ELEMENT_REGISTER_DEFINE (
    p2phlssrc, "p2phlssrc", GST_RANK_MARGINAL, GST_TYPE_P2P_HLS_SRC);

/* --- location ------------------------------------------------------------*/

static void
set_location (GstP2pHlsSrc *src, const char *uri)
{
  gst_p2p_hls_src_lock (src);
  g_free (src->location);
  src->location = p2p_location_normalize (uri);
  g_clear_pointer (&src->redirection_uri, g_free);
  g_clear_pointer (&src->gateway_uri, g_free);
  gst_p2p_hls_src_unlock (src);
}

static char *
dup_location (GstP2pHlsSrc *src)
{
  char *location;

  gst_p2p_hls_src_lock (src);
  location = g_strdup (src->location);
  gst_p2p_hls_src_unlock (src);

  return location;
}

gboolean
gst_p2p_hls_src_is_p2p_locked (GstP2pHlsSrc *src)
{
  if (src->settings.is_explicit[P2P_SETTING_P2P] || src->session == NULL)
    return g_value_get_boolean (&src->settings.values[P2P_SETTING_P2P]);

  return p2p_session_get_p2p (src->session);
}

gboolean
gst_p2p_hls_src_keeps_scheme_locked (GstP2pHlsSrc *src)
{
  if (src->location != NULL && p2p_location_has_prefix (src->location))
    return TRUE;

  return src->is_outranked && gst_p2p_hls_src_is_p2p_locked (src);
}

static GstURIType
uri_get_type (GType type)
{
  return GST_URI_SRC;
}

static const char *const *
uri_get_protocols (GType type)
{
  return p2p_location_protocols ();
}

static char *
uri_get_uri (GstURIHandler *handler)
{
  return dup_location (GST_P2P_HLS_SRC (handler));
}

static gboolean
uri_set_uri (GstURIHandler *handler, const char *uri, GError **error)
{
  set_location (GST_P2P_HLS_SRC (handler), uri);
  return TRUE;
}

static void
gst_p2p_hls_src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = uri_get_type;
  handler->get_protocols = uri_get_protocols;
  handler->get_uri = uri_get_uri;
  handler->set_uri = uri_set_uri;
}

/* --- session -------------------------------------------------------------*/

static P2pSession *
dup_session (GstP2pHlsSrc *src)
{
  P2pSession *session;

  gst_p2p_hls_src_lock (src);
  session = src->session != NULL ? p2p_session_ref (src->session) : NULL;
  gst_p2p_hls_src_unlock (src);

  return session;
}

static P2pSession *
dup_offered (GstP2pHlsSrc *src)
{
  P2pSession *session;

  gst_p2p_hls_src_lock (src);
  session = src->offered != NULL ? p2p_session_ref (src->offered) : NULL;
  gst_p2p_hls_src_unlock (src);

  return session;
}

static P2pSession *
join_offered (GstP2pHlsSrc *src, const P2pSettings *settings)
{
  g_autoptr (P2pSession) session = dup_offered (src);

  if (session == NULL
      || !p2p_session_join (session, GST_ELEMENT (src), settings))
    return NULL;

  return g_steal_pointer (&session);
}

/* A source has no upstream: the peer of its pad, then whoever holds it. */
static void
ask_for_context (GstP2pHlsSrc *src, const char *type)
{
  g_autoptr (GstQuery) query = gst_query_new_context (type);
  GstContext *context = NULL;

  if (gst_pad_peer_query (GST_BASE_SRC_PAD (src), query))
    gst_query_parse_context (query, &context);
  if (context != NULL)
    gst_element_set_context (GST_ELEMENT (src), context);
  else
    gst_element_post_message (GST_ELEMENT (src),
        gst_message_new_need_context (GST_OBJECT (src), type));
}

static P2pSession *
create_session (
    GstP2pHlsSrc *src, const P2pSettings *settings, P2pConfig *config)
{
  P2pSession *session = p2p_session_new (settings, config, GST_ELEMENT (src));
  g_autoptr (GstContext) context = p2p_session_to_context (session);

  GST_INFO_OBJECT (src, "new session %p", session);
  gst_element_set_context (GST_ELEMENT (src), context);
  gst_element_post_message (GST_ELEMENT (src),
      gst_message_new_have_context (
          GST_OBJECT (src), g_steal_pointer (&context)));

  return session;
}

static gboolean
has_parent (GstP2pHlsSrc *src)
{
  gboolean has;

  gst_p2p_hls_src_lock (src);
  has = GST_OBJECT_PARENT (src) != NULL;
  gst_p2p_hls_src_unlock (src);

  return has;
}

static P2pSession *
find_session (GstP2pHlsSrc *src, const P2pSettings *settings, P2pConfig *config)
{
  P2pSession *session = join_offered (src, settings);

  if (session == NULL) {
    ask_for_context (src, P2P_SESSION_CONTEXT);
    session = join_offered (src, settings);
  }
  if (session == NULL && !has_parent (src))
    session = p2p_session_join_any (GST_ELEMENT (src), settings);
  if (session == NULL)
    session = create_session (src, settings, config);

  return session;
}

/* A copy of the settings, read. Returns: %FALSE with an error posted. */
static gboolean
read_settings (GstP2pHlsSrc *src, P2pSettings *settings, P2pConfig **config)
{
  g_autoptr (GError) error = NULL;

  gst_p2p_hls_src_lock (src);
  p2p_settings_copy (settings, &src->settings);
  if (src->variable_error != NULL)
    error = g_error_copy (src->variable_error);
  gst_p2p_hls_src_unlock (src);

  *config = error == NULL ? p2p_config_new (settings, &error) : NULL;
  if (*config == NULL) {
    GST_ELEMENT_ERROR (src, RESOURCE, SETTINGS, ("%s", error->message),
        ("see the properties of p2phlssrc"));
    p2p_settings_clear (settings);
  }

  return *config != NULL;
}

static gboolean
open_session (GstP2pHlsSrc *src)
{
  g_autoptr (P2pSession) known = dup_session (src);
  g_autoptr (P2pConfig) config = NULL;
  P2pSettings settings;
  P2pSession *session;
  gboolean is_outranked;

  if (known != NULL)
    return TRUE;
  if (!read_settings (src, &settings, &config))
    return FALSE;

  ask_for_context (src, SOUP_SESSION_CONTEXT);
  session = find_session (src, &settings, config);
  p2p_settings_clear (&settings);
  is_outranked =
      p2p_location_is_outranked (gst_element_get_factory (GST_ELEMENT (src)));
  gst_p2p_hls_src_lock (src);
  src->session = session;
  src->is_outranked = is_outranked;
  gst_p2p_hls_src_unlock (src);

  return TRUE;
}

static void
close_session (GstP2pHlsSrc *src)
{
  g_autoptr (P2pSession) session = NULL;

  gst_p2p_hls_src_lock (src);
  session = g_steal_pointer (&src->session);
  gst_p2p_hls_src_unlock (src);

  if (session != NULL)
    p2p_session_leave (session, GST_ELEMENT (src));
}

/* souphttpsrc of 1.22 puts a wrapper there that is private to it. What is no
 * SoupSession is passed over, and takes away what was there before. */
static void
take_soup_session (GstP2pHlsSrc *src, GstContext *context)
{
  const GstStructure *structure = gst_context_get_structure (context);
  g_autoptr (GObject) session = p2p_soup_session_from_value (
      gst_structure_get_value (structure, "session"));

  GST_DEBUG_OBJECT (
      src, "%s holds %" GST_PTR_FORMAT, SOUP_SESSION_CONTEXT, structure);
  gst_p2p_hls_src_lock (src);
  p2p_http_props_set_soup_session (&src->http, session);
  gst_p2p_hls_src_unlock (src);
}

static void
gst_p2p_hls_src_set_context (GstElement *element, GstContext *context)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (element);
  P2pSession *session = p2p_session_from_context (context);

  if (gst_context_has_context_type (context, SOUP_SESSION_CONTEXT))
    take_soup_session (src, context);
  if (session != NULL) {
    gst_p2p_hls_src_lock (src);
    g_clear_pointer (&src->offered, p2p_session_unref);
    src->offered = session;
    gst_p2p_hls_src_unlock (src);
  }
  GST_ELEMENT_CLASS (gst_p2p_hls_src_parent_class)
      ->set_context (element, context);
}

/* --- base class ----------------------------------------------------------*/

static gboolean
gst_p2p_hls_src_start (GstBaseSrc *base)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (base);
  g_autofree char *location = dup_location (src);

  if (location == NULL) {
    GST_ELEMENT_ERROR (src, RESOURCE, OPEN_READ, ("No URL is set."),
        ("the location property is empty"));
    return FALSE;
  }

  return open_session (src);
}

static gboolean
gst_p2p_hls_src_stop (GstBaseSrc *base)
{
  gst_p2p_hls_src_reset (GST_P2P_HLS_SRC (base));
  return TRUE;
}

/* A demuxer stops and starts its source for each segment: only NULL ends the
 * session. */
static GstStateChangeReturn
gst_p2p_hls_src_change_state (GstElement *element, GstStateChange transition)
{
  GstStateChangeReturn result = GST_ELEMENT_CLASS (gst_p2p_hls_src_parent_class)
                                    ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    close_session (GST_P2P_HLS_SRC (element));

  return result;
}

static gboolean
gst_p2p_hls_src_interrupt (GstBaseSrc *base)
{
  gst_p2p_hls_src_set_flushing (GST_P2P_HLS_SRC (base), TRUE);
  return TRUE;
}

static gboolean
gst_p2p_hls_src_interrupt_stop (GstBaseSrc *base)
{
  gst_p2p_hls_src_set_flushing (GST_P2P_HLS_SRC (base), FALSE);
  return TRUE;
}

static gboolean
gst_p2p_hls_src_get_size (GstBaseSrc *base, guint64 *size)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (base);
  gboolean has_size;

  gst_p2p_hls_src_lock (src);
  has_size = src->has_size;
  *size = src->size;
  gst_p2p_hls_src_unlock (src);

  return has_size;
}

static gboolean
gst_p2p_hls_src_is_seekable (GstBaseSrc *base)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (base);
  gboolean seekable;

  gst_p2p_hls_src_learn_headers (src);
  gst_p2p_hls_src_lock (src);
  seekable = src->seekable;
  gst_p2p_hls_src_unlock (src);

  return seekable;
}

/* Without headers nobody knows whether the server can: create() will see. */
static gboolean
is_known_unseekable (GstP2pHlsSrc *src)
{
  gboolean is_known;

  gst_p2p_hls_src_lock (src);
  is_known = src->got_headers && !src->seekable;
  gst_p2p_hls_src_unlock (src);

  return is_known;
}

static gboolean
gst_p2p_hls_src_do_seek (GstBaseSrc *base, GstSegment *segment)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (base);

  if (src->position == segment->start && src->stop == segment->stop
      && !src->restart)
    return TRUE;

  gst_p2p_hls_src_learn_headers (src);
  if (is_known_unseekable (src)) {
    GST_WARNING_OBJECT (src, "the server does not support seeking");
    return FALSE;
  }
  if (segment->rate < 0.0 || segment->format != GST_FORMAT_BYTES) {
    GST_WARNING_OBJECT (src, "only forward, and in bytes");
    return FALSE;
  }

  src->position = segment->start;
  src->stop = segment->stop;
  src->restart = TRUE;

  return TRUE;
}

static GstFlowReturn
gst_p2p_hls_src_create (GstPushSrc *push, GstBuffer **buffer)
{
  return gst_p2p_hls_src_read (GST_P2P_HLS_SRC (push), buffer);
}

/* --- queries -------------------------------------------------------------*/

static char *
answer_uri (const char *uri, gboolean keeps_scheme)
{
  return keeps_scheme && p2p_location_request_uri (uri) != NULL
      ? p2p_location_with_prefix (uri)
      : g_strdup (uri);
}

/* A demuxer that fetches by itself is sent to the gateway, or to the origin:
 * our scheme means nothing to it. */
static void
query_uri (GstP2pHlsSrc *src, GstQuery *query)
{
  gboolean fetches =
      p2p_find_reader (GST_BASE_SRC_PAD (src)) == P2P_READER_FETCHES;
  g_autofree char *uri = NULL;
  g_autofree char *redirection = NULL;
  gboolean keeps_scheme, is_permanent;

  gst_p2p_hls_src_lock (src);
  keeps_scheme = !fetches && gst_p2p_hls_src_keeps_scheme_locked (src);
  if (fetches && src->gateway_uri != NULL)
    uri = g_strdup (src->gateway_uri);
  else if (fetches && src->location != NULL)
    uri = g_strdup (p2p_location_request_uri (src->location));
  else if (src->location != NULL)
    uri = answer_uri (src->location, keeps_scheme);
  if (src->redirection_uri != NULL && src->gateway_uri == NULL)
    redirection = answer_uri (src->redirection_uri, keeps_scheme);
  is_permanent = src->redirection_permanent;
  gst_p2p_hls_src_unlock (src);

  gst_query_set_uri (query, uri);
  if (redirection == NULL)
    return;
  gst_query_set_uri_redirection (query, redirection);
  gst_query_set_uri_redirection_permanent (query, is_permanent);
}

static gboolean
query_context (GstP2pHlsSrc *src, GstQuery *query)
{
  g_autoptr (P2pSession) session = dup_session (src);
  g_autoptr (GstContext) context = NULL;
  const char *type;

  gst_query_parse_context_type (query, &type);
  if (session == NULL || g_strcmp0 (type, P2P_SESSION_CONTEXT) != 0)
    return FALSE;
  context = p2p_session_to_context (session);
  gst_query_set_context (query, context);

  return TRUE;
}

static gboolean
query_scheduling (GstBaseSrc *base, GstQuery *query)
{
  GstSchedulingFlags flags;
  int min, max, align;

  if (!GST_BASE_SRC_CLASS (gst_p2p_hls_src_parent_class)->query (base, query))
    return FALSE;
  gst_query_parse_scheduling (query, &flags, &min, &max, &align);
  gst_query_set_scheduling (
      query, flags | GST_SCHEDULING_FLAG_BANDWIDTH_LIMITED, min, max, align);

  return TRUE;
}

static gboolean
gst_p2p_hls_src_query (GstBaseSrc *base, GstQuery *query)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (base);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_URI:
      query_uri (src, query);
      return TRUE;
    case GST_QUERY_SCHEDULING:
      return query_scheduling (base, query);
    case GST_QUERY_CONTEXT:
      if (query_context (src, query))
        return TRUE;
      break;
    default:
      break;
  }

  return GST_BASE_SRC_CLASS (gst_p2p_hls_src_parent_class)->query (base, query);
}

/* --- properties ----------------------------------------------------------*/

static GstStructure *
get_stats (GstP2pHlsSrc *src)
{
  g_autoptr (P2pSession) session = dup_session (src);
  g_autoptr (P2pStats) stats = NULL;
  P2pWorker *worker = session != NULL ? p2p_session_enter (session) : NULL;

  if (worker != NULL) {
    stats = p2p_worker_get_stats (worker);
    p2p_session_exit (session);
  } else {
    stats = p2p_stats_new ();
  }

  return p2p_stats_to_structure (stats, P2P_STATS_STRUCTURE);
}

static void
set_http_prop (GstP2pHlsSrc *src, P2pHttpProp prop, const GValue *value)
{
  gboolean is_good;

  gst_p2p_hls_src_lock (src);
  is_good = p2p_http_props_set (&src->http, prop, value);
  gst_p2p_hls_src_unlock (src);

  if (!is_good)
    GST_WARNING_OBJECT (src, "this is no proxy's URI");
}

/* Before the session it is kept; a running session takes it, or goes on with
 * the last good value and says so. */
static void
set_setting (GstP2pHlsSrc *src, P2pSetting setting, const GValue *value)
{
  g_autoptr (P2pSession) session = dup_session (src);
  g_autoptr (GError) error = NULL;
  P2pSettings settings;

  gst_p2p_hls_src_lock (src);
  p2p_settings_set (&src->settings, setting, value);
  p2p_settings_copy (&settings, &src->settings);
  gst_p2p_hls_src_unlock (src);

  if (session != NULL
      && !p2p_session_reconfigure (
          session, GST_ELEMENT (src), &settings, setting, &error))
    GST_ELEMENT_WARNING (src, RESOURCE, SETTINGS, ("%s", error->message),
        ("the session keeps what it had"));
  p2p_settings_clear (&settings);
}

static void
gst_p2p_hls_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (object);

  if (id == PROP_LOCATION && g_value_get_string (value) == NULL)
    GST_WARNING_OBJECT (src, "the location cannot be null");
  else if (id == PROP_LOCATION)
    set_location (src, g_value_get_string (value));
  else if (id == PROP_IS_LIVE)
    gst_base_src_set_live (GST_BASE_SRC (src), g_value_get_boolean (value));
  else if (id >= PROP_FIRST_HTTP && id < PROP_FIRST_SETTING)
    set_http_prop (src, id - PROP_FIRST_HTTP, value);
  else if (id >= PROP_FIRST_SETTING && id < PROP_END)
    set_setting (src, id - PROP_FIRST_SETTING, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
copy_value (GstP2pHlsSrc *src, const GValue *from, GValue *to)
{
  gst_p2p_hls_src_lock (src);
  g_value_copy (from, to);
  gst_p2p_hls_src_unlock (src);
}

static void
gst_p2p_hls_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (object);

  if (id == PROP_LOCATION)
    g_value_take_string (value, dup_location (src));
  else if (id == PROP_IS_LIVE)
    g_value_set_boolean (value, gst_base_src_is_live (GST_BASE_SRC (src)));
  else if (id == PROP_STATS)
    g_value_take_boxed (value, get_stats (src));
  else if (id >= PROP_FIRST_HTTP && id < PROP_FIRST_SETTING)
    copy_value (src, &src->http.values[id - PROP_FIRST_HTTP], value);
  else if (id >= PROP_FIRST_SETTING && id < PROP_END)
    copy_value (src, &src->settings.values[id - PROP_FIRST_SETTING], value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
install_properties (GObjectClass *class)
{
  /**
   * GstP2pHlsSrc:location:
   *
   * What to read: an `http:`, `https:`, `p2phls+http:` or `p2phls+https:`
   * URI. With the prefix, everything that a playlist names is read by this
   * element too. Default: %NULL. A new value is taken with the next request.
   *
   * Since: 0.1
   */
  g_object_class_install_property (class, PROP_LOCATION,
      g_param_spec_string ("location", "Location", "What to read", "",
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  /**
   * GstP2pHlsSrc:is-live:
   *
   * Whether to act like a live source: no data in PAUSED. Default: %FALSE. Can
   * change in the NULL and READY states.
   *
   * Since: 0.1
   */
  g_object_class_install_property (class, PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live", "Act like a live source",
          FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  /**
   * GstP2pHlsSrc:stats:
   *
   * Counters of the whole session, since its first element started, as a
   * structure named `application/x-p2phls-stats`. Before and after the session
   * all are 0. Read-only.
   *
   * Since: 0.1
   */
  g_object_class_install_property (class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counters of the session: bytes, segments, peers, trackers, swarms",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  for (guint i = 0; i < P2P_N_HTTP_PROPS; i++)
    g_object_class_install_property (
        class, PROP_FIRST_HTTP + i, p2p_http_prop_spec (i));
  for (guint i = 0; i < P2P_N_SETTINGS; i++)
    g_object_class_install_property (
        class, PROP_FIRST_SETTING + i, p2p_setting_spec (i));
}

/* --- life ----------------------------------------------------------------*/

static guint64
next_consumer (void)
{
  static guint64 last;

  return __atomic_add_fetch (&last, 1, __ATOMIC_RELAXED);
}

static void
gst_p2p_hls_src_init (GstP2pHlsSrc *src)
{
  const char *variable = g_getenv (P2P_SETTINGS_VARIABLE);
  g_autoptr (GError) error = NULL;

  src->consumer = next_consumer ();
  src->stop = P2P_SIZE_UNKNOWN;
  p2p_http_props_init (&src->http);
  p2p_settings_init (&src->settings);
  if (!p2p_settings_read_defaults (&src->settings, variable, &error)) {
    g_prefix_error (&error, "%s: ", P2P_SETTINGS_VARIABLE);
    src->variable_error = g_steal_pointer (&error);
  }
  /* The size from the headers is a guess; the last byte says what it is. */
  gst_base_src_set_automatic_eos (GST_BASE_SRC (src), FALSE);
}

static void
gst_p2p_hls_src_dispose (GObject *object)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (object);

  close_session (src);
  g_clear_pointer (&src->offered, p2p_session_unref);
  G_OBJECT_CLASS (gst_p2p_hls_src_parent_class)->dispose (object);
}

static void
gst_p2p_hls_src_finalize (GObject *object)
{
  GstP2pHlsSrc *src = GST_P2P_HLS_SRC (object);

  gst_p2p_hls_src_reset (src);
  g_clear_pointer (&src->location, g_free);
  g_clear_pointer (&src->redirection_uri, g_free);
  g_clear_pointer (&src->gateway_uri, g_free);
  g_clear_error (&src->variable_error);
  p2p_http_props_clear (&src->http);
  p2p_settings_clear (&src->settings);
  G_OBJECT_CLASS (gst_p2p_hls_src_parent_class)->finalize (object);
}

static void
gst_p2p_hls_src_class_init (GstP2pHlsSrcClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (class);

  object_class->set_property = gst_p2p_hls_src_set_property;
  object_class->get_property = gst_p2p_hls_src_get_property;
  object_class->dispose = gst_p2p_hls_src_dispose;
  object_class->finalize = gst_p2p_hls_src_finalize;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Peer-to-peer HLS source", "Source/Network",
      "Read over HTTP, and share HLS segments with other viewers over WebRTC",
      "p2phlssrc developers");
  element_class->change_state = gst_p2p_hls_src_change_state;
  element_class->set_context = gst_p2p_hls_src_set_context;

  base_class->start = gst_p2p_hls_src_start;
  base_class->stop = gst_p2p_hls_src_stop;
  base_class->unlock = gst_p2p_hls_src_interrupt;
  base_class->unlock_stop = gst_p2p_hls_src_interrupt_stop;
  base_class->get_size = gst_p2p_hls_src_get_size;
  base_class->is_seekable = gst_p2p_hls_src_is_seekable;
  base_class->do_seek = gst_p2p_hls_src_do_seek;
  base_class->query = gst_p2p_hls_src_query;
  GST_PUSH_SRC_CLASS (class)->create = gst_p2p_hls_src_create;
  gst_type_mark_as_plugin_api (p2p_protocols_get_type (), 0);
}

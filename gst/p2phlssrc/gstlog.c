/* p2phlssrc: the core's messages in GStreamer's debug log.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gstlog.h"

static const struct
{
  const char *name;
  const char *description;
} areas[P2P_N_AREAS] = {
  [P2P_AREA_SRC] = { "p2phlssrc", "p2phlssrc: element, session, worker" },
  [P2P_AREA_MANIFEST] = { "p2p-manifest", "p2phlssrc: playlists" },
  [P2P_AREA_POLICY] = { "p2p-policy", "p2phlssrc: which source for what" },
  [P2P_AREA_STORE] = { "p2p-store", "p2phlssrc: segment memory" },
  [P2P_AREA_PEER] = { "p2p-peer", "p2phlssrc: remote peers" },
  [P2P_AREA_TRACKER] = { "p2p-tracker", "p2phlssrc: trackers" },
  [P2P_AREA_HTTP] = { "p2p-http", "p2phlssrc: HTTP" },
  [P2P_AREA_ICE] = { "p2p-ice", "p2phlssrc: connectivity" },
  [P2P_AREA_DTLS] = { "p2p-dtls", "p2phlssrc: encryption" },
  [P2P_AREA_SCTP] = { "p2p-sctp", "p2phlssrc: data channels" },
};

static GstDebugCategory *categories[P2P_N_AREAS];

GstDebugCategory *
p2p_gst_log_category (P2pLogArea area)
{
  return categories[area];
}

#ifndef GST_DISABLE_GST_DEBUG

static const GstDebugLevel gst_levels[] = {
  [P2P_LOG_LEVEL_ERROR] = GST_LEVEL_ERROR,
  [P2P_LOG_LEVEL_WARNING] = GST_LEVEL_WARNING,
  [P2P_LOG_LEVEL_INFO] = GST_LEVEL_INFO,
  [P2P_LOG_LEVEL_DEBUG] = GST_LEVEL_DEBUG,
  [P2P_LOG_LEVEL_LOG] = GST_LEVEL_LOG,
  [P2P_LOG_LEVEL_TRACE] = GST_LEVEL_TRACE,
  [P2P_LOG_LEVEL_NONE] = GST_LEVEL_NONE,
};

static void
log_sink (P2pLogArea area, P2pLogLevel level, const char *file,
    const char *function, int line, guint64 id, const char *format,
    va_list args)
{
  char text[24] = "";

  if (id != 0)
    g_snprintf (text, sizeof text, "#%" G_GUINT64_FORMAT, id);
  gst_debug_log_id_valist (categories[area], gst_levels[level], file, function,
      line, id != 0 ? text : NULL, format, args);
}

/* The highest level of ours that GStreamer's threshold lets through. ERROR
 * always passes: rare, and GStreamer's own handlers look again. */
static P2pLogLevel
level_of (GstDebugLevel threshold)
{
  switch (threshold) {
    case GST_LEVEL_NONE:
    case GST_LEVEL_ERROR:
      return P2P_LOG_LEVEL_ERROR;
    case GST_LEVEL_WARNING:
    case GST_LEVEL_FIXME:
      return P2P_LOG_LEVEL_WARNING;
    case GST_LEVEL_INFO:
      return P2P_LOG_LEVEL_INFO;
    case GST_LEVEL_DEBUG:
      return P2P_LOG_LEVEL_DEBUG;
    case GST_LEVEL_LOG:
      return P2P_LOG_LEVEL_LOG;
    default:
      return P2P_LOG_LEVEL_TRACE;
  }
}

void
p2p_gst_log_init (void)
{
  for (guint i = 0; i < P2P_N_AREAS; i++)
    GST_DEBUG_CATEGORY_INIT (
        categories[i], areas[i].name, 0, areas[i].description);
  p2p_gst_log_update ();
  p2p_log_set_sink (log_sink);
}

void
p2p_gst_log_update (void)
{
  for (guint i = 0; i < P2P_N_AREAS; i++) {
    P2pLogLevel level =
        level_of (gst_debug_category_get_threshold (categories[i]));

    /* Written only when it changes: the table is read by every thread. */
    if (p2p_log_threshold[i] != level)
      p2p_log_threshold[i] = level;
  }
}

#else

void
p2p_gst_log_init (void)
{
}

void
p2p_gst_log_update (void)
{
}

#endif

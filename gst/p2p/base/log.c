/* p2phlssrc: logging for code that may not know GStreamer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "log.h"

#include <string.h>

#define ESCAPE_MAX 120

P2pLogLevel p2p_log_threshold[P2P_N_AREAS] = {
  [P2P_AREA_SRC] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_MANIFEST] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_POLICY] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_STORE] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_PEER] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_TRACKER] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_HTTP] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_ICE] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_DTLS] = P2P_LOG_LEVEL_WARNING,
  [P2P_AREA_SCTP] = P2P_LOG_LEVEL_WARNING,
};

static P2pLogFunc sink;

void
p2p_log_set_sink (P2pLogFunc func)
{
  sink = func;
}

void
p2p_log (P2pLogArea area, P2pLogLevel level, const char *file,
    const char *function, int line, guint64 id, const char *format, ...)
{
  va_list args;

  if (sink == NULL)
    return;

  va_start (args, format);
  sink (area, level, file, function, line, id, format, args);
  va_end (args);
}

char *
p2p_log_escape (const char *text, gssize length)
{
  g_autofree char *cut = NULL;

  if (length < 0)
    length = strlen (text);
  cut = g_strndup (text, MIN (length, ESCAPE_MAX));

  return g_strescape (cut, NULL);
}

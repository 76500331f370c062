/* p2phlssrc: logging for code that may not know GStreamer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. The sink is set once, before the first message.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * P2pLogLevel:
 *
 * ERROR playback stops; WARNING something was lost; INFO once per life of a
 * stream, peer or tracker; DEBUG a decision with its inputs; LOG per message;
 * TRACE per chunk. The same names as GStreamer's.
 */
typedef enum
{
  P2P_LOG_LEVEL_ERROR,
  P2P_LOG_LEVEL_WARNING,
  P2P_LOG_LEVEL_INFO,
  P2P_LOG_LEVEL_DEBUG,
  P2P_LOG_LEVEL_LOG,
  P2P_LOG_LEVEL_TRACE,
  P2P_LOG_LEVEL_NONE,
} P2pLogLevel;

/**
 * P2pLogArea:
 *
 * What a message is about; the element maps each to a debug category.
 */
typedef enum
{
  P2P_AREA_SRC,
  P2P_AREA_MANIFEST,
  P2P_AREA_POLICY,
  P2P_AREA_STORE,
  P2P_AREA_PEER,
  P2P_AREA_TRACKER,
  P2P_AREA_HTTP,
  P2P_AREA_ICE,
  P2P_AREA_DTLS,
  P2P_AREA_SCTP,
  P2P_N_AREAS,
} P2pLogArea;

/**
 * P2pLogFunc:
 * @area: what it is about
 * @level: how much it matters
 * @file: source file
 * @function: C function
 * @line: source line
 * @id: the connection, request or swarm number, 0 for none
 * @format: printf format
 * @args: its arguments
 */
typedef void (*P2pLogFunc) (P2pLogArea area, P2pLogLevel level,
    const char *file, const char *function, int line, guint64 id,
    const char *format, va_list args);

/* Messages above this level of an area are not even formatted. */
extern P2pLogLevel p2p_log_threshold[P2P_N_AREAS];

void p2p_log_set_sink (P2pLogFunc func);

void p2p_log (P2pLogArea area, P2pLogLevel level, const char *file,
    const char *function, int line, guint64 id, const char *format, ...)
    G_GNUC_PRINTF (7, 8);

#define P2P_LOG_AT(level, area, id, ...) \
  G_STMT_START \
    { \
      if (G_UNLIKELY ((level) <= p2p_log_threshold[(area)])) \
        p2p_log ((area), (level), __FILE__, G_STRFUNC, __LINE__, (id), \
            __VA_ARGS__); \
    } \
  G_STMT_END

#define P2P_LOG_ERROR(area, id, ...) \
  P2P_LOG_AT (P2P_LOG_LEVEL_ERROR, area, id, __VA_ARGS__)
#define P2P_LOG_WARNING(area, id, ...) \
  P2P_LOG_AT (P2P_LOG_LEVEL_WARNING, area, id, __VA_ARGS__)
#define P2P_LOG_INFO(area, id, ...) \
  P2P_LOG_AT (P2P_LOG_LEVEL_INFO, area, id, __VA_ARGS__)
#define P2P_LOG_DEBUG(area, id, ...) \
  P2P_LOG_AT (P2P_LOG_LEVEL_DEBUG, area, id, __VA_ARGS__)
#define P2P_LOG_LOG(area, id, ...) \
  P2P_LOG_AT (P2P_LOG_LEVEL_LOG, area, id, __VA_ARGS__)
#define P2P_LOG_TRACE(area, id, ...) \
  P2P_LOG_AT (P2P_LOG_LEVEL_TRACE, area, id, __VA_ARGS__)

/* Text of a stranger, fit for a log: its first 120 bytes, escaped.
 * Returns: (transfer full). */
char *p2p_log_escape (const char *text, gssize length);

G_END_DECLS

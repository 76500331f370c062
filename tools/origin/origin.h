/* p2phlssrc: a small HTTP origin for demonstrations, benchmarks and tests.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the one whose thread-default context it was made in.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _P2pOrigin P2pOrigin;

/**
 * P2pOriginConfig:
 * @directory: what is served
 * @address: IP address to listen on; %NULL: 127.0.0.1
 * @port: 0: any
 * @live: tell the finished HLS playlists below @directory as live ones, from
 *   now on; their segments are 404 before their time
 * @window: (live) segments in a playlist; 0: all so far, an event
 * @ready: (live) segments that are there at once; 0: @window, at least 3
 * @end: (live) say ENDLIST when the material is over
 * @delay_ms: wait this long before each answer
 * @fail_status: status of failures
 * @fail_every: every so many requests for something that is not a playlist
 *   fail; 0: none
 * @max_bitrate: bits per second of one response; 0: no limit
 */
typedef struct
{
  const char *directory;
  const char *address;
  guint16 port;
  gboolean live;
  guint window;
  guint ready;
  gboolean end;
  guint delay_ms;
  guint fail_status;
  guint fail_every;
  guint64 max_bitrate;
} P2pOriginConfig;

/**
 * p2p_origin_new:
 * @config: borrowed for the call
 * @error: (out): why it cannot be served
 *
 * Serves a directory: types, single byte ranges, HEAD, CORS for every page,
 * nothing cached by anybody, and a report at /_stats (p2p_origin_dup_stats()).
 *
 * Returns: (transfer full) (nullable): the origin.
 * Source: docs/design/origin.md.
 */
P2pOrigin *p2p_origin_new (const P2pOriginConfig *config, GError **error);
void p2p_origin_free (P2pOrigin *origin);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pOrigin, p2p_origin_free)

/* "http://127.0.0.1:PORT", without a slash. Returns: (transfer none). */
const char *p2p_origin_get_uri (P2pOrigin *origin);

/**
 * p2p_origin_dup_stats:
 * @origin: an origin
 *
 * The report as JSON: `uptime_ms`, `requests`, `bytes` (of bodies),
 * `errors` (4xx and 5xx), and `files`: for each path that was asked for and
 * exists, `size`, `requests` (GET), `bytes` (sent), `complete` (whole files
 * sent), `partial` (byte ranges sent to their end). Copies of a segment are
 * `bytes` / `size`. For playlists of @live, `size` is 0.
 *
 * Returns: (transfer full): one JSON object.
 */
char *p2p_origin_dup_stats (P2pOrigin *origin);

G_END_DECLS

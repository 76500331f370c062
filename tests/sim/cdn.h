/* p2phlssrc: the origin, and each viewer's way to it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "ports/http.h"
#include "sim/pipe.h"

G_BEGIN_DECLS

/**
 * SimCdnCount:
 * @requests: for this segment
 * @bytes: of it that reached viewers over HTTP
 */
typedef struct
{
  guint requests;
  guint64 bytes;
} SimCdnCount;

SimCdn *sim_cdn_new (SimWorld *world);
void sim_cdn_free (SimCdn *cdn);

/* What a viewer is given to play. */
const char *sim_cdn_url (void);

/* The media playlist while segments [0, @published) exist. */
char *sim_cdn_playlist (SimCdn *cdn, guint published);

/* Segments that exist at @at_us. */
guint sim_cdn_published (SimCdn *cdn, gint64 at_us);
/* When segment @id came into being. */
gint64 sim_cdn_published_us (SimCdn *cdn, guint id);

/* The bytes of a segment. Returns: (transfer none). Keeps them as long as
 * viewers may ask for it. */
GBytes *sim_cdn_segment (SimCdn *cdn, guint id);
gsize sim_cdn_segment_size (SimCdn *cdn, guint id);
SimCdnCount sim_cdn_count (SimCdn *cdn, guint id);

/* The number in the segment's URI, -1 for another. */
gint64 sim_cdn_segment_of (const char *uri);

/* How the origin misbehaves from now on: @status instead of segments (0:
 * none), @slow_us more before each answer, @rate_bps for all together. */
void sim_cdn_misbehave (
    SimCdn *cdn, guint status, gint64 slow_us, guint64 rate_bps);
void sim_cdn_heal (SimCdn *cdn);

/**
 * SimHttp:
 *
 * The HTTP port of one viewer.
 */
typedef struct _SimHttp SimHttp;

SimHttp *sim_http_new (SimNode *node);
/* The viewer is dead: nothing comes any more. */
void sim_http_vanish (SimHttp *http);
void sim_http_free (SimHttp *http);
P2pHttpPort *sim_http_port (SimHttp *http);

G_END_DECLS

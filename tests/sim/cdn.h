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
 * @bytes_of: the same by kind of viewer
 */
typedef struct
{
  guint requests;
  guint64 bytes;
  guint64 bytes_of[SIM_N_KINDS];
} SimCdnCount;

SimCdn *sim_cdn_new (SimWorld *world);
void sim_cdn_free (SimCdn *cdn);

/* What a viewer is given to play. */
const char *sim_cdn_url (void);

/* Bitrate of a variant; 0 is the lowest. */
guint64 sim_cdn_bps (SimCdn *cdn, guint variant);

/* The media playlist while segments [0, @published) exist. */
char *sim_cdn_playlist (SimCdn *cdn, guint variant, guint published);

/* Reads one: it lists [@first, @end). FALSE: the origin never had it, not even
 * with more at its end. */
gboolean sim_cdn_read_playlist (
    SimCdn *cdn, guint variant, const char *text, gint64 *first, gint64 *end);

/* Segments of each variant that exist at @at_us. */
guint sim_cdn_published (SimCdn *cdn, gint64 at_us);

/* What names segment @number of a variant among all: all of one time follow each
 * other. With one variant, it is @number. */
guint sim_cdn_id (SimCdn *cdn, guint number, guint variant);
/* One past the last of them that exists. */
guint sim_cdn_end (SimCdn *cdn);
/* When segment @id came into being. */
gint64 sim_cdn_published_us (SimCdn *cdn, guint id);

/* The bytes of a segment. Returns: (transfer none). Keeps them as long as
 * viewers may ask for it. */
GBytes *sim_cdn_segment (SimCdn *cdn, guint id);
gsize sim_cdn_segment_size (SimCdn *cdn, guint id);
SimCdnCount sim_cdn_count (SimCdn *cdn, guint id);

/* The URI of segment @id. */
char *sim_cdn_segment_uri (SimCdn *cdn, guint id);

/* The segment at @uri, -1: there is none. */
gint64 sim_cdn_segment_of (SimCdn *cdn, const char *uri);

/* How the origin misbehaves from now on: @status instead of segments (0:
 * none), @slow_us more before each answer, @rate_bps for all together. */
void sim_cdn_misbehave (
    SimCdn *cdn, guint status, gint64 slow_us, guint64 rate_bps);

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

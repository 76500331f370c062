/* p2phlssrc: the element's state, and how it reads.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: as said for each part.
 */
#pragma once

#include "gstp2phlssrc.h"

#include "config.h"
#include "lock.h"
#include "outqueue.h"
#include "props.h"
#include "session.h"

G_BEGIN_DECLS

struct _GstP2pHlsSrc
{
  GstPushSrc parent;

  guint64 consumer; /* this element's number in the process, constant */

  /* Guarded by the object lock: properties. */
  char *location;
  P2pHttpProps http;
  P2pSettings settings;
  GError *variable_error; /* the environment variable cannot be used */

  /* Guarded by the object lock: the session. */
  P2pSession *session; /* joined */
  P2pSession *offered; /* from a context */
  gboolean is_outranked;

  /* Guarded by the object lock: what unlock() must be able to wake. */
  gboolean flushing;
  P2pOutQueue *queue;
  P2pOutQueue *probe; /* of a HEAD request */

  /* Guarded by the object lock: what headers have told. */
  gboolean got_headers;
  gboolean has_size;
  gboolean seekable;
  guint64 size;
  char *redirection_uri;
  gboolean redirection_permanent;
  char *gateway_uri; /* (nullable): where the demuxer below goes on */

  /* Under the stream lock. What the running request was made of: the user may
   * set something else meanwhile. */
  char *asked_location;
  P2pHttpProfile *asked_profile;

  /* Under the stream lock. */
  guint64 position;     /* of the next byte to hand out */
  guint64 stop;         /* first byte not wanted, P2P_SIZE_UNKNOWN: all */
  gboolean restart;     /* a seek: what is in the queue is not wanted */
  gboolean is_answered; /* the queue's headers were handled */
  gboolean had_body;
  GBytes *rest;        /* (nullable) of a piece longer than a buffer may be */
  guint small_buffers; /* the last ones in a row */
};

/* The object lock, published to ThreadSanitizer. Threads: any. */
static inline void
gst_p2p_hls_src_lock (GstP2pHlsSrc *src)
{
  GST_OBJECT_LOCK (src);
  P2P_PUBLISH_ACQUIRE (src);
}

static inline void
gst_p2p_hls_src_unlock (GstP2pHlsSrc *src)
{
  P2P_PUBLISH_RELEASE (src);
  GST_OBJECT_UNLOCK (src);
}

/* Threads: streaming, under the stream lock. */
GstFlowReturn gst_p2p_hls_src_read (GstP2pHlsSrc *src, GstBuffer **buffer);

/* Lets go of the request. Threads: streaming, or stopped. */
void gst_p2p_hls_src_drop_request (GstP2pHlsSrc *src);

/* Waits for headers, or asks for them with a HEAD request, unless they are
 * known or the element is not yet reading. Threads: any. */
void gst_p2p_hls_src_learn_headers (GstP2pHlsSrc *src);

/* Wakes whoever waits, until it is unset. Threads: any. */
void gst_p2p_hls_src_set_flushing (GstP2pHlsSrc *src, gboolean flushing);

/* Forgets all about the last stream. Threads: app, stopped. */
void gst_p2p_hls_src_reset (GstP2pHlsSrc *src);

/* Whether this element's requests may be shared. Threads: any, with the
 * object lock held. */
gboolean gst_p2p_hls_src_is_p2p_locked (GstP2pHlsSrc *src);

/* Whether the URIs below this element's must be given the prefix to stay on
 * it. Threads: any, with the object lock held. */
gboolean gst_p2p_hls_src_keeps_scheme_locked (GstP2pHlsSrc *src);

G_END_DECLS

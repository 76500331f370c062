/* p2phlssrc: what the engine asks of HTTP.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner, unless said otherwise. Answers come later as a
 * P2pEvent.
 */
#pragma once

#include "base/types.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _P2pHttpPort P2pHttpPort;
typedef struct _P2pHttpProfile P2pHttpProfile;

/**
 * P2pHttpProfile:
 *
 * How an element wants its HTTP requests made: souphttpsrc's properties,
 * frozen. Immutable once shared; reference counted because requests, the
 * element and prefetches of the same stream hold it. The engine never looks
 * inside. Strings may be %NULL, arrays are %NULL-terminated and may be %NULL.
 */
struct _P2pHttpProfile
{
  char *user_agent;     /* a space at the end: the library adds its name */
  char **cookies;       /* values of Cookie headers */
  char **extra_headers; /* name, value, name, value, …, NULL */
  char *method;         /* NULL: GET */
  char *proxy;          /* URI; NULL: the system's */
  char *proxy_id;
  char *proxy_pw;
  char *user_id;
  char *user_pw;
  guint timeout_s;         /* 0: none */
  int retries;             /* -1: for ever */
  gint64 retry_backoff_us; /* 0: none */
  gint64 retry_backoff_max_us;
  gboolean retry_unavailable; /* 500 and 503, too */
  gboolean automatic_redirect;
  gboolean compress;
  gboolean keep_alive;
  gboolean iradio_mode;
  gboolean ssl_strict;
  gboolean ssl_use_system_ca_file;
  char *ssl_ca_file;
  GObject *tls_database;    /* (nullable) GTlsDatabase */
  GObject *tls_interaction; /* (nullable) GTlsInteraction */
  GObject *soup_session;    /* (nullable) the application's SoupSession */
  guint log_level;          /* SoupLoggerLogLevel */
};

/* Threads: any. */
P2pHttpProfile *p2p_http_profile_new (void);
P2pHttpProfile *p2p_http_profile_ref (P2pHttpProfile *profile);
void p2p_http_profile_unref (P2pHttpProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pHttpProfile, p2p_http_profile_unref)

/**
 * P2pHttpResponse:
 *
 * What is known once the final response's headers are there. Reference
 * counted and immutable, as it crosses from the worker to the streaming
 * thread.
 */
typedef struct
{
  guint status; /* 2xx; of a HEAD request any */
  char *reason;
  char *uri; /* after redirects */
  gboolean redirected;
  gboolean permanent_redirect; /* every hop was 301 or 308 */
  char *content_type;          /* (nullable) with parameters, as sent */
  guint64 content_length;      /* of this body; P2P_SIZE_UNKNOWN */
  guint64 range_start;         /* first byte of the body within the resource */
  guint64 total_size;          /* of the resource; P2P_SIZE_UNKNOWN */
  gboolean accepts_ranges;     /* Accept-Ranges does not say none */
  gboolean is_playlist;        /* HLS; read, and handed on as the player says
                                  (P2P_PLAYLIST_ASK) */
  char **request_headers;      /* name, value, …, NULL */
  char **response_headers;     /* name, value, …, NULL */
} P2pHttpResponse;

/* Threads: any. */
P2pHttpResponse *p2p_http_response_new (void);
P2pHttpResponse *p2p_http_response_ref (P2pHttpResponse *response);
void p2p_http_response_unref (P2pHttpResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pHttpResponse, p2p_http_response_unref)

/**
 * P2pHttpFailureKind:
 * @P2P_HTTP_FAILURE_STATUS: the server answered with an error status
 * @P2P_HTTP_FAILURE_RESOLVE: the host name has no address
 * @P2P_HTTP_FAILURE_CONNECT: no connection to the host
 * @P2P_HTTP_FAILURE_TLS: the handshake or the certificate
 * @P2P_HTTP_FAILURE_TIMEOUT: nothing came for the profile's timeout
 * @P2P_HTTP_FAILURE_SHORT: the body ended before its length
 * @P2P_HTTP_FAILURE_IO: the connection broke
 * @P2P_HTTP_FAILURE_URI: the URI cannot be requested
 * @P2P_HTTP_FAILURE_REDIRECT: too many or unusable redirects
 * @P2P_HTTP_FAILURE_RANGE: the server answers with another part than was
 *   asked for, as of a body that broke off (made by the engine)
 * @P2P_HTTP_FAILURE_CANCELLED: by us
 */
typedef enum
{
  P2P_HTTP_FAILURE_STATUS,
  P2P_HTTP_FAILURE_RESOLVE,
  P2P_HTTP_FAILURE_CONNECT,
  P2P_HTTP_FAILURE_TLS,
  P2P_HTTP_FAILURE_TIMEOUT,
  P2P_HTTP_FAILURE_SHORT,
  P2P_HTTP_FAILURE_IO,
  P2P_HTTP_FAILURE_URI,
  P2P_HTTP_FAILURE_REDIRECT,
  P2P_HTTP_FAILURE_RANGE,
  P2P_HTTP_FAILURE_CANCELLED,
} P2pHttpFailureKind;

/**
 * P2pHttpFailure:
 *
 * Why a request ended without its whole body. Reference counted, immutable.
 */
typedef struct
{
  P2pHttpFailureKind kind;
  guint status;            /* 0 unless the server answered */
  char *reason;            /* (nullable) reason phrase or library text */
  char *uri;               /* what was asked, after redirects */
  char *redirection_uri;   /* (nullable) where redirects led */
  char **request_headers;  /* (nullable) name, value, …, NULL */
  char **response_headers; /* (nullable) name, value, …, NULL */
} P2pHttpFailure;

/* Threads: any. */
P2pHttpFailure *p2p_http_failure_new (P2pHttpFailureKind kind);
P2pHttpFailure *p2p_http_failure_ref (P2pHttpFailure *failure);
void p2p_http_failure_unref (P2pHttpFailure *failure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pHttpFailure, p2p_http_failure_unref)

/**
 * P2pHttpRequest:
 * @uri: http: or https:
 * @range: bytes wanted; P2P_RANGE_ALL sends no Range header
 * @profile: how to ask
 */
typedef struct
{
  const char *uri;
  P2pRange range;
  P2pHttpProfile *profile;
} P2pHttpRequest;

/**
 * P2pHttpOps:
 * @start: asks. Then %P2P_EVENT_HTTP_HEADERS, any number of
 *   %P2P_EVENT_HTTP_DATA and %P2P_EVENT_HTTP_DONE come; or at any point
 *   %P2P_EVENT_HTTP_FAILED, which ends it. Does not retry
 * @pause: no more data is read from the socket (at most one read in flight
 *   still arrives)
 * @resume: reading goes on
 * @cancel: ends it and forgets it: no event for it comes any more
 *
 * Request numbers are chosen by the engine and never reused. DONE means that
 * the body is complete: a body shorter than its Content-Length is
 * P2P_HTTP_FAILURE_SHORT.
 */
typedef struct
{
  void (*start) (
      P2pHttpPort *port, guint64 http, const P2pHttpRequest *request);
  void (*pause) (P2pHttpPort *port, guint64 http);
  void (*resume) (P2pHttpPort *port, guint64 http);
  void (*cancel) (P2pHttpPort *port, guint64 http);
} P2pHttpOps;

struct _P2pHttpPort
{
  const P2pHttpOps *ops;
};

G_END_DECLS

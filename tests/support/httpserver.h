/* p2phlssrc: an HTTP server inside the test's process, with scripted moods.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. The server runs on a thread of its own.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TestHttpServer TestHttpServer;

/**
 * TestHttpEnding:
 * @TEST_HTTP_COMPLETE: the whole body comes
 * @TEST_HTTP_CUT: the connection is dropped after some bytes
 * @TEST_HTTP_STALL: nothing more comes after some bytes; the connection stays
 */
typedef enum
{
  TEST_HTTP_COMPLETE,
  TEST_HTTP_CUT,
  TEST_HTTP_STALL,
} TestHttpEnding;

/**
 * TestHttpResource:
 *
 * How one path is answered. Everything zero: 200, no body. GET and HEAD, with
 * ranges, by libsoup; a resource with @ending or @piece_bytes by hand, which
 * does ranges too.
 */
typedef struct
{
  GBytes *body;               /* (nullable) */
  guint status;               /* 0: 200, or 206 for a range */
  const guint *statuses;      /* (nullable) 0-terminated: the first requests
                                 are answered with these, without the body */
  const char *content_type;   /* (nullable) */
  const char *location;       /* (nullable) header of a redirect */
  const char *const *headers; /* (nullable) name, value, …, NULL */
  gboolean no_ranges;         /* Range is not understood */
  gboolean chunked;           /* no Content-Length */
  gboolean closes;            /* says Connection: close */
  guint delay_ms;             /* before the headers */
  gsize piece_bytes;          /* 0: all at once */
  guint piece_delay_ms;       /* between pieces */
  TestHttpEnding ending;
  gsize ending_bytes; /* of the body that come before @ending */
  const char *raw;    /* (nullable) sent as it is, in place of an answer */
} TestHttpResource;

/* On 127.0.0.1, on a port of its own. */
TestHttpServer *test_http_server_new (void);

/* The same with TLS, HTTP/2 offered, and a certificate made for this run. */
TestHttpServer *test_http_server_new_tls (gboolean http2);

/* The same, with @certificate. */
TestHttpServer *test_http_server_new_with (
    GTlsCertificate *certificate, gboolean http2);

/* The same, HTTP/1.1, for those alone who show a certificate themselves. */
TestHttpServer *test_http_server_new_asking (GTlsCertificate *certificate);

/* Drops every connection. */
void test_http_server_free (TestHttpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestHttpServer, test_http_server_free)

/* A database that trusts the certificate. Returns: (transfer full). */
GTlsDatabase *test_http_server_dup_trust (TestHttpServer *server);

/* Returns: (transfer full): "http://127.0.0.1:PORT" and @path. */
char *test_http_server_uri (TestHttpServer *server, const char *path);

/* Answers @path like this from now on; unknown paths are 404. Copies. */
void test_http_server_set (
    TestHttpServer *server, const char *path, const TestHttpResource *resource);

/* Asks for a login below @path. */
void test_http_server_protect (TestHttpServer *server, const char *path,
    gboolean digest, const char *user, const char *password);

/* Asks proxy users for a login. */
void test_http_server_protect_proxy (
    TestHttpServer *server, const char *user, const char *password);

/* Requests for @path so far; %NULL: for any. */
guint test_http_server_requests (TestHttpServer *server, const char *path);

/* Connections that requests came on so far. */
guint test_http_server_connections (TestHttpServer *server);

/* A header of the last request for @path, all its values joined by ", ".
 * Returns: (transfer full) (nullable). */
char *test_http_server_header (
    TestHttpServer *server, const char *path, const char *name);

/* Every request since the last call, those that want a login too, with its
 * headers sorted by name and the number of its connection. What is random in
 * Digest is left out. Starts all counts and scripts afresh.
 * Returns: (transfer full). */
char *test_http_server_take_log (TestHttpServer *server);

/* @length bytes that differ everywhere. Returns: (transfer full). */
GBytes *test_http_body (gsize length, guint seed);

G_END_DECLS

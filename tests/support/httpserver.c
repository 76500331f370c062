/* p2phlssrc: an HTTP server inside the test's process, with scripted moods.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/httpserver.h"
#include "support/testcert.h"

#include "soup/listener.h"

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <pthread.h>
#include <string.h>

typedef struct
{
  TestHttpResource answer; /* strings and bytes owned */
  guint requests;
  GHashTable *last_headers; /* lower-case name → value */
} Resource;

struct _TestHttpServer
{
  pthread_mutex_t lock; /* guards resources, connections, domain, log;
                           not GLib's, which ThreadSanitizer cannot see */
  pthread_cond_t changed;
  SoupAuthDomain *domain; /* on its way to the server's thread */
  GHashTable *resources;
  GHashTable *connections; /* remote address as text */
  GString *log;
  GPtrArray *log_connections; /* likewise, in the order of their numbers */
  guint requests;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  SoupServer *soup;
  P2pListener *listener; /* without TLS */
  GTlsCertificate *certificate;
  char *origin;
  char *trust_path; /* GnuTLS reads it when it pleases */
  GQueue writers;   /* answers by hand under way; the server's thread */
};

/* libsoup 3.2 leaks what it listens with and a GSocket for each connection
 * that it accepts; LeakSanitizer, where it is linked, need not tell us. */
void __lsan_disable (void) __attribute__ ((weak));
void __lsan_enable (void) __attribute__ ((weak));

/* --- resources ---------------------------------------------------------- */

static void
answer_copy (TestHttpResource *to, const TestHttpResource *from)
{
  *to = *from;
  to->body = from->body != NULL ? g_bytes_ref (from->body)
                                : g_bytes_new_static ("", 0);
  to->content_type = g_strdup (from->content_type);
  to->location = g_strdup (from->location);
  to->raw = g_strdup (from->raw);
  to->headers = (const char *const *) g_strdupv ((char **) from->headers);
  if (from->statuses != NULL) {
    gsize n = 0;

    while (from->statuses[n] != 0)
      n++;
    to->statuses = g_memdup2 (from->statuses, (n + 1) * sizeof (guint));
  }
}

static void
answer_clear (TestHttpResource *answer)
{
  g_bytes_unref (answer->body);
  g_free ((char *) answer->content_type);
  g_free ((char *) answer->location);
  g_free ((char *) answer->raw);
  g_strfreev ((char **) answer->headers);
  g_free ((guint *) answer->statuses);
}

static void
resource_free (Resource *resource)
{
  answer_clear (&resource->answer);
  g_hash_table_unref (resource->last_headers);
  g_free (resource);
}

static void
remember_header (const char *name, const char *value, gpointer user_data)
{
  GHashTable *headers = user_data;
  char *key = g_ascii_strdown (name, -1);
  const char *before = g_hash_table_lookup (headers, key);

  g_hash_table_replace (headers, key,
      before != NULL ? g_strdup_printf ("%s, %s", before, value)
                     : g_strdup (value));
}

/* --- the log ------------------------------------------------------------- */

static char *
remote_address (SoupServerMessage *message)
{
  return g_socket_connectable_to_string (
      G_SOCKET_CONNECTABLE (soup_server_message_get_remote_address (message)));
}

static guint
connection_number_locked (TestHttpServer *server, SoupServerMessage *message)
{
  g_autofree char *remote = remote_address (message);
  guint number;

  if (!g_ptr_array_find_with_equal_func (
          server->log_connections, remote, g_str_equal, &number)) {
    number = server->log_connections->len;
    g_ptr_array_add (server->log_connections, g_steal_pointer (&remote));
  }

  return number;
}

static void
add_log_header (const char *name, const char *value, gpointer user_data)
{
  GPtrArray *lines = user_data;
  g_autofree char *key = g_ascii_strdown (name, -1);

  if (g_str_has_prefix (value, "Digest "))
    value = "Digest";
  g_ptr_array_add (lines, g_strdup_printf ("  %s: %s\n", key, value));
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
on_request_read (
    SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  TestHttpServer *server = user_data;
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *uri = g_uri_to_string_partial (
      soup_server_message_get_uri (message), G_URI_HIDE_USERINFO);

  soup_message_headers_foreach (
      soup_server_message_get_request_headers (message), add_log_header, lines);
  g_ptr_array_sort (lines, compare_lines);
  pthread_mutex_lock (&server->lock);
  g_string_append_printf (server->log,
      "%s %s, HTTP version %d, connection %u\n",
      soup_server_message_get_method (message), uri,
      soup_server_message_get_http_version (message),
      connection_number_locked (server, message));
  for (guint i = 0; i < lines->len; i++)
    g_string_append (server->log, lines->pdata[i]);
  pthread_mutex_unlock (&server->lock);
}

char *
test_http_server_take_log (TestHttpServer *server)
{
  GHashTableIter iterator;
  gpointer resource;
  char *log;

  pthread_mutex_lock (&server->lock);
  log = g_strdup (server->log->str);
  g_string_truncate (server->log, 0);
  g_ptr_array_set_size (server->log_connections, 0);
  g_hash_table_remove_all (server->connections);
  server->requests = 0;
  g_hash_table_iter_init (&iterator, server->resources);
  while (g_hash_table_iter_next (&iterator, NULL, &resource))
    ((Resource *) resource)->requests = 0;
  pthread_mutex_unlock (&server->lock);

  return log;
}

/* --- answers ------------------------------------------------------------- */

/* Counts, and copies how to answer. FALSE: unknown path. */
static gboolean
look_up (TestHttpServer *server, SoupServerMessage *message, const char *path,
    TestHttpResource *answer, guint *status)
{
  g_autofree char *remote = remote_address (message);
  Resource *resource;

  pthread_mutex_lock (&server->lock);
  server->requests++;
  g_hash_table_add (server->connections, g_steal_pointer (&remote));
  resource = g_hash_table_lookup (server->resources, path);
  if (resource != NULL) {
    guint n = resource->requests++, i = 0;

    g_hash_table_remove_all (resource->last_headers);
    soup_message_headers_foreach (
        soup_server_message_get_request_headers (message), remember_header,
        resource->last_headers);
    answer_copy (answer, &resource->answer);
    *status = answer->status;
    while (answer->statuses != NULL && answer->statuses[i] != 0 && i < n)
      i++;
    if (answer->statuses != NULL && answer->statuses[i] != 0)
      *status = answer->statuses[i];
  }
  pthread_mutex_unlock (&server->lock);

  return resource != NULL;
}

/* --- by hand ------------------------------------------------------------ */

typedef struct
{
  TestHttpServer *server;
  GIOStream *stream;
  GBytes *data; /* headers and the part of the body that comes */
  gsize sent;
  gsize head_bytes;
  gsize piece_bytes;
  guint piece_delay_ms;
  TestHttpEnding ending;
  GSource *source;
} Writer;

static void write_piece (Writer *writer);

static void
writer_free (Writer *writer)
{
  g_queue_remove (&writer->server->writers, writer);
  if (writer->source != NULL) {
    g_source_destroy (writer->source);
    g_source_unref (writer->source);
  }
  g_bytes_unref (writer->data);
  g_io_stream_close (writer->stream, NULL, NULL);
  g_object_unref (writer->stream);
  g_free (writer);
}

static gboolean
on_piece_due (gpointer user_data)
{
  write_piece (user_data);

  return G_SOURCE_REMOVE;
}

static gboolean
on_writable (GObject *output, gpointer user_data)
{
  write_piece (user_data);

  return G_SOURCE_REMOVE;
}

static void
writer_wait (Writer *writer, GSource *source, GSourceFunc func)
{
  if (writer->source != NULL)
    g_source_unref (writer->source);
  writer->source = source;
  g_source_set_callback (source, func, writer, NULL);
  g_source_attach (source, writer->server->context);
}

static void
write_piece (Writer *writer)
{
  GPollableOutputStream *output =
      G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (writer->stream));
  gsize size, piece;
  const guint8 *data = g_bytes_get_data (writer->data, &size);
  g_autoptr (GError) error = NULL;
  gssize n;

  if (writer->sent == size) {
    /* A stalled one keeps its connection until the server goes. */
    if (writer->ending != TEST_HTTP_STALL)
      writer_free (writer);
    return;
  }

  piece = size - writer->sent;
  if (writer->sent < writer->head_bytes)
    piece = writer->head_bytes - writer->sent;
  else if (writer->piece_bytes > 0)
    piece = MIN (piece, writer->piece_bytes);
  n = g_pollable_output_stream_write_nonblocking (
      output, data + writer->sent, piece, NULL, &error);
  if (n < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
    writer_free (writer);
    return;
  }
  writer->sent += MAX (n, 0);

  if (n > 0 && writer->piece_delay_ms > 0)
    writer_wait (
        writer, g_timeout_source_new (writer->piece_delay_ms), on_piece_due);
  else
    writer_wait (writer, g_pollable_output_stream_create_source (output, NULL),
        G_SOURCE_FUNC (on_writable));
}

static GBytes *
ranged_body (SoupServerMessage *message, const TestHttpResource *answer,
    guint *status, GString *head)
{
  goffset total = g_bytes_get_size (answer->body);
  SoupRange *ranges;
  goffset start, end;
  int n = 0;

  if (answer->no_ranges
      || !soup_message_headers_get_ranges (
          soup_server_message_get_request_headers (message), total, &ranges,
          &n))
    return g_bytes_ref (answer->body);

  start = ranges[0].start;
  end = MIN (ranges[0].end, total - 1);
  g_free (ranges);
  if (start >= total) {
    *status = SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE;
    return g_bytes_new_static ("", 0);
  }
  *status = SOUP_STATUS_PARTIAL_CONTENT;
  g_string_append_printf (head,
      "Content-Range: bytes %" G_GOFFSET_FORMAT "-%" G_GOFFSET_FORMAT
      "/%" G_GOFFSET_FORMAT "\r\n",
      start, end, total);

  return g_bytes_new_from_bytes (answer->body, start, end - start + 1);
}

/* Something that is no HTTP. */
static void
answer_raw (TestHttpServer *server, SoupServerMessage *message, const char *raw)
{
  Writer *writer = g_new0 (Writer, 1);

  writer->server = server;
  writer->data = g_bytes_new (raw, strlen (raw));
  writer->stream = soup_server_message_steal_connection (message);
  g_queue_push_tail (&server->writers, writer);
  write_piece (writer);
}

static void
answer_by_hand (TestHttpServer *server, SoupServerMessage *message,
    const TestHttpResource *answer, guint status)
{
  Writer *writer = g_new0 (Writer, 1);
  GString *head = g_string_new (NULL);
  g_autofree char *line = NULL;
  g_autoptr (GBytes) body = ranged_body (message, answer, &status, head);
  gsize length = g_bytes_get_size (body);
  gsize i;

  line = g_strdup_printf (
      "HTTP/1.1 %u %s\r\n", status, soup_status_get_phrase (status));
  g_string_prepend (head, line);
  if (answer->content_type != NULL)
    g_string_append_printf (head, "Content-Type: %s\r\n", answer->content_type);
  for (i = 0; answer->headers != NULL && answer->headers[i] != NULL; i += 2)
    g_string_append_printf (
        head, "%s: %s\r\n", answer->headers[i], answer->headers[i + 1]);
  if (answer->closes || answer->chunked)
    g_string_append (head, "Connection: close\r\n");
  if (answer->chunked)
    g_string_append_printf (head,
        "Transfer-Encoding: chunked\r\n\r\n%" G_GSIZE_MODIFIER "x\r\n", length);
  else
    g_string_append_printf (
        head, "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n", length);

  writer->server = server;
  writer->head_bytes = head->len;
  if (answer->ending != TEST_HTTP_COMPLETE)
    length = MIN (length, answer->ending_bytes);
  g_string_append_len (head, g_bytes_get_data (body, NULL), length);
  if (answer->chunked && answer->ending == TEST_HTTP_COMPLETE)
    g_string_append (head, "\r\n0\r\n\r\n");
  writer->data = g_string_free_to_bytes (head);
  writer->piece_bytes = answer->piece_bytes;
  writer->piece_delay_ms = answer->piece_delay_ms;
  writer->ending = answer->ending;
  writer->stream = soup_server_message_steal_connection (message);
  g_queue_push_tail (&server->writers, writer);
  write_piece (writer);
}

/* --- by libsoup --------------------------------------------------------- */

static void
answer_by_soup (
    SoupServerMessage *message, const TestHttpResource *answer, guint status)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  SoupMessageBody *body = soup_server_message_get_response_body (message);
  gsize i;

  soup_server_message_set_status (
      message, status != 0 ? status : SOUP_STATUS_OK, NULL);
  if (answer->no_ranges) {
    soup_message_headers_remove (
        soup_server_message_get_request_headers (message), "Range");
    soup_message_headers_append (headers, "Accept-Ranges", "none");
  }
  if (answer->content_type != NULL)
    soup_message_headers_append (headers, "Content-Type", answer->content_type);
  if (answer->location != NULL)
    soup_message_headers_append (headers, "Location", answer->location);
  for (i = 0; answer->headers != NULL && answer->headers[i] != NULL; i += 2)
    soup_message_headers_append (
        headers, answer->headers[i], answer->headers[i + 1]);
  if (answer->closes)
    soup_message_headers_append (headers, "Connection", "close");
  if (answer->chunked)
    soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  if (status == answer->status && g_bytes_get_size (answer->body) > 0)
    soup_message_body_append_bytes (body, answer->body);
  soup_message_body_complete (body);
}

typedef struct
{
  TestHttpServer *server;
  SoupServerMessage *message;
  TestHttpResource answer;
  guint status;
} Pending;

static void
pending_free (Pending *pending)
{
  g_object_unref (pending->message);
  answer_clear (&pending->answer);
  g_free (pending);
}

static void
answer_now (Pending *pending)
{
  const TestHttpResource *answer = &pending->answer;

  if (answer->raw != NULL)
    answer_raw (pending->server, pending->message, answer->raw);
  else if (pending->status == answer->status
      && (answer->ending != TEST_HTTP_COMPLETE || answer->piece_bytes > 0))
    answer_by_hand (pending->server, pending->message, answer,
        answer->status != 0 ? answer->status : SOUP_STATUS_OK);
  else
    answer_by_soup (pending->message, answer, pending->status);
}

static gboolean
on_delay_over (gpointer user_data)
{
  Pending *pending = user_data;

  soup_server_message_unpause (pending->message);
  answer_now (pending);

  return G_SOURCE_REMOVE;
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  TestHttpServer *server = user_data;
  Pending *pending = g_new0 (Pending, 1);
  GSource *source;

  if (!look_up (server, message, path, &pending->answer, &pending->status)) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    g_free (pending);
    return;
  }
  pending->server = server;
  pending->message = g_object_ref (message);
  if (pending->answer.delay_ms == 0) {
    answer_now (pending);
    pending_free (pending);
    return;
  }

  soup_server_message_pause (message);
  source = g_timeout_source_new (pending->answer.delay_ms);
  g_source_set_callback (
      source, on_delay_over, pending, (GDestroyNotify) pending_free);
  g_source_attach (source, server->context);
  g_source_unref (source);
}

/* --- the server --------------------------------------------------------- */

static gpointer
run (gpointer user_data)
{
  TestHttpServer *server = user_data;

  if (server->certificate != NULL && __lsan_disable != NULL)
    __lsan_disable ();
  g_main_context_push_thread_default (server->context);
  g_main_loop_run (server->loop);
  while (server->writers.head != NULL)
    writer_free (server->writers.head->data);
  g_clear_pointer (&server->listener, p2p_listener_free);
  soup_server_disconnect (server->soup);
  g_clear_object (&server->soup);
  /* libsoup's handshakes end with a call to their connection, which is gone. */
  while (server->certificate == NULL
      && g_main_context_iteration (server->context, FALSE))
    ;
  g_main_context_pop_thread_default (server->context);
  if (server->certificate != NULL && __lsan_enable != NULL)
    __lsan_enable ();

  return NULL;
}

/* TLS and HTTP/2 are only to be had from libsoup's own listening. */
static void
listen_tls (TestHttpServer *server)
{
  g_autoptr (GError) error = NULL;
  GSList *uris;

  if (__lsan_disable != NULL)
    __lsan_disable ();
  soup_server_listen_local (server->soup, 0,
      SOUP_SERVER_LISTEN_IPV4_ONLY | SOUP_SERVER_LISTEN_HTTPS, &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (server->soup);
  if (__lsan_enable != NULL)
    __lsan_enable ();
  server->origin =
      g_strdup_printf ("https://127.0.0.1:%d", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
}

static void
listen_plain (TestHttpServer *server)
{
  g_autoptr (GError) error = NULL;

  server->listener = p2p_listener_new (server->soup, "127.0.0.1", 0, &error);
  g_assert_no_error (error);
  server->origin = p2p_listener_get_uri (server->listener, "http");
}

/* Any certificate will do. */
static gboolean
on_accept_certificate (SoupServerMessage *message, GTlsCertificate *certificate,
    GTlsCertificateFlags errors, gpointer user_data)
{
  return TRUE;
}

static void
on_request_started (
    SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  g_signal_connect (
      message, "accept-certificate", G_CALLBACK (on_accept_certificate), NULL);
}

static TestHttpServer *
server_new (GTlsCertificate *certificate, gboolean http2, gboolean asks)
{
  TestHttpServer *server = g_new0 (TestHttpServer, 1);

  pthread_mutex_init (&server->lock, NULL);
  pthread_cond_init (&server->changed, NULL);
  server->resources = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) resource_free);
  server->connections =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  server->log = g_string_new (NULL);
  server->log_connections = g_ptr_array_new_with_free_func (g_free);
  server->context = g_main_context_new ();
  server->loop = g_main_loop_new (server->context, FALSE);
  server->certificate = certificate;

  if (http2)
    g_setenv ("SOUP_SERVER_HTTP2", "1", TRUE);
  g_main_context_push_thread_default (server->context);
  server->soup = soup_server_new ("tls-certificate", certificate, NULL);
  if (http2)
    g_unsetenv ("SOUP_SERVER_HTTP2");
  soup_server_add_handler (server->soup, NULL, on_request, server, NULL);
  g_signal_connect (
      server->soup, "request-read", G_CALLBACK (on_request_read), server);
  if (asks) {
    soup_server_set_tls_auth_mode (server->soup, G_TLS_AUTHENTICATION_REQUIRED);
    g_signal_connect (
        server->soup, "request-started", G_CALLBACK (on_request_started), NULL);
  }
  if (certificate != NULL)
    listen_tls (server);
  else
    listen_plain (server);
  g_main_context_pop_thread_default (server->context);
  server->thread = g_thread_new ("test-http", run, server);

  return server;
}

TestHttpServer *
test_http_server_new (void)
{
  return server_new (NULL, FALSE, FALSE);
}

TestHttpServer *
test_http_server_new_tls (gboolean http2)
{
  return server_new (test_certificate_new (), http2, FALSE);
}

TestHttpServer *
test_http_server_new_with (GTlsCertificate *certificate, gboolean http2)
{
  return server_new (g_object_ref (certificate), http2, FALSE);
}

TestHttpServer *
test_http_server_new_asking (GTlsCertificate *certificate)
{
  return server_new (g_object_ref (certificate), FALSE, TRUE);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
test_http_server_free (TestHttpServer *server)
{
  GSource *source = g_idle_source_new ();

  /* From inside: a loop that does not run yet would not hear of it. */
  g_source_set_callback (source, quit, server->loop, NULL);
  g_source_attach (source, server->context);
  g_source_unref (source);
  g_thread_join (server->thread);
  g_main_loop_unref (server->loop);
  g_main_context_unref (server->context);
  g_hash_table_unref (server->resources);
  g_hash_table_unref (server->connections);
  g_string_free (server->log, TRUE);
  g_ptr_array_unref (server->log_connections);
  g_clear_object (&server->certificate);
  pthread_mutex_destroy (&server->lock);
  pthread_cond_destroy (&server->changed);
  if (server->trust_path != NULL)
    g_unlink (server->trust_path);
  g_free (server->trust_path);
  g_free (server->origin);
  g_free (server);
}

GTlsDatabase *
test_http_server_dup_trust (TestHttpServer *server)
{
  g_autofree char *pem = NULL;
  g_autoptr (GError) error = NULL;
  GTlsDatabase *database;
  int fd;

  g_assert_null (server->trust_path);
  fd = g_file_open_tmp ("p2phls-trust-XXXXXX.pem", &server->trust_path, &error);
  g_assert_no_error (error);
  g_assert_true (g_close (fd, NULL));
  g_object_get (server->certificate, "certificate-pem", &pem, NULL);
  g_file_set_contents (server->trust_path, pem, -1, &error);
  g_assert_no_error (error);
  database = g_tls_file_database_new (server->trust_path, &error);
  g_assert_no_error (error);

  return database;
}

char *
test_http_server_uri (TestHttpServer *server, const char *path)
{
  return g_strconcat (server->origin, path, NULL);
}

void
test_http_server_set (
    TestHttpServer *server, const char *path, const TestHttpResource *answer)
{
  Resource *resource = g_new0 (Resource, 1);

  answer_copy (&resource->answer, answer);
  resource->last_headers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  pthread_mutex_lock (&server->lock);
  g_hash_table_replace (server->resources, g_strdup (path), resource);
  pthread_mutex_unlock (&server->lock);
}

typedef struct
{
  char *user;
  char *password;
} Login;

static void
login_free (gpointer data)
{
  Login *login = data;

  g_free (login->user);
  g_free (login->password);
  g_free (login);
}

static gboolean
check_basic (SoupAuthDomain *domain, SoupServerMessage *message,
    const char *user, const char *password, gpointer user_data)
{
  Login *login = user_data;

  return g_str_equal (user, login->user)
      && g_str_equal (password, login->password);
}

static char *
check_digest (SoupAuthDomain *domain, SoupServerMessage *message,
    const char *user, gpointer user_data)
{
  Login *login = user_data;

  if (!g_str_equal (user, login->user))
    return NULL;

  return soup_auth_domain_digest_encode_password (
      user, "tests", login->password);
}

static gboolean
add_domain (gpointer user_data)
{
  TestHttpServer *server = user_data;

  pthread_mutex_lock (&server->lock);
  soup_server_add_auth_domain (server->soup, server->domain);
  g_clear_object (&server->domain);
  pthread_cond_signal (&server->changed);
  pthread_mutex_unlock (&server->lock);

  return G_SOURCE_REMOVE;
}

/* Takes @domain. Waits, or a request could overtake it. */
static void
protect (TestHttpServer *server, SoupAuthDomain *domain, const char *path)
{
  soup_auth_domain_add_path (domain, path);
  pthread_mutex_lock (&server->lock);
  server->domain = domain;
  pthread_mutex_unlock (&server->lock);
  g_main_context_invoke (server->context, add_domain, server);
  pthread_mutex_lock (&server->lock);
  while (server->domain != NULL)
    pthread_cond_wait (&server->changed, &server->lock);
  pthread_mutex_unlock (&server->lock);
}

void
test_http_server_protect (TestHttpServer *server, const char *path,
    gboolean digest, const char *user, const char *password)
{
  SoupAuthDomain *domain;
  Login *login = g_new0 (Login, 1);

  login->user = g_strdup (user);
  login->password = g_strdup (password);
  if (digest) {
    domain = soup_auth_domain_digest_new ("realm", "tests", NULL);
    soup_auth_domain_digest_set_auth_callback (
        domain, check_digest, login, login_free);
  } else {
    domain = soup_auth_domain_basic_new ("realm", "tests", NULL);
    soup_auth_domain_basic_set_auth_callback (
        domain, check_basic, login, login_free);
  }
  protect (server, domain, path);
}

void
test_http_server_protect_proxy (
    TestHttpServer *server, const char *user, const char *password)
{
  SoupAuthDomain *domain =
      soup_auth_domain_basic_new ("realm", "tests", "proxy", TRUE, NULL);
  Login *login = g_new0 (Login, 1);

  login->user = g_strdup (user);
  login->password = g_strdup (password);
  soup_auth_domain_basic_set_auth_callback (
      domain, check_basic, login, login_free);
  protect (server, domain, "");
}

guint
test_http_server_requests (TestHttpServer *server, const char *path)
{
  Resource *resource;
  guint n;

  pthread_mutex_lock (&server->lock);
  resource =
      path != NULL ? g_hash_table_lookup (server->resources, path) : NULL;
  n = path == NULL       ? server->requests
      : resource != NULL ? resource->requests
                         : 0;
  pthread_mutex_unlock (&server->lock);

  return n;
}

guint
test_http_server_connections (TestHttpServer *server)
{
  guint n;

  pthread_mutex_lock (&server->lock);
  n = g_hash_table_size (server->connections);
  pthread_mutex_unlock (&server->lock);

  return n;
}

char *
test_http_server_header (
    TestHttpServer *server, const char *path, const char *name)
{
  g_autofree char *key = g_ascii_strdown (name, -1);
  Resource *resource;
  char *value = NULL;

  pthread_mutex_lock (&server->lock);
  resource = g_hash_table_lookup (server->resources, path);
  if (resource != NULL)
    value = g_strdup (g_hash_table_lookup (resource->last_headers, key));
  pthread_mutex_unlock (&server->lock);

  return value;
}

GBytes *
test_http_body (gsize length, guint seed)
{
  guint8 *data = g_malloc (length);
  guint32 state = seed * 2654435761u + 1;
  gsize i;

  for (i = 0; i < length; i++) {
    state = state * 1664525u + 1013904223u;
    data[i] = state >> 24;
  }

  return g_bytes_new_take (data, length);
}

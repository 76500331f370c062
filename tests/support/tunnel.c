/* p2phlssrc: a proxy for TLS: it opens a way to a server, and looks away.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "support/tunnel.h"

#include <gio/gio.h>
#include <string.h>

#define REFUSAL \
  "HTTP/1.1 407 Proxy Authentication Required\r\n" \
  "Proxy-Authenticate: Basic realm=\"realm\"\r\n" \
  "Content-Length: 0\r\n\r\n"
#define CONSENT "HTTP/1.1 200 Go on\r\n\r\n"

struct _TestTunnel
{
  GSocket *socket;
  GCancellable *end;
  GThread *thread;
  GPtrArray *clients; /* a GThread each; the thread's */
  char *login;        /* (nullable): a line of the head */
  int opened;
};

/* --- bytes, both ways -----------------------------------------------------*/

static void
pass_on (GIOStream *from, GIOStream *to)
{
  g_output_stream_splice (g_io_stream_get_output_stream (to),
      g_io_stream_get_input_stream (from), G_OUTPUT_STREAM_SPLICE_NONE, NULL,
      NULL);
  g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (to)),
      FALSE, TRUE, NULL);
}

static gpointer
pass_back (gpointer data)
{
  GIOStream **ends = data;

  pass_on (ends[1], ends[0]);

  return NULL;
}

static void
join (GIOStream *client, GIOStream *server)
{
  GIOStream *ends[] = { client, server };
  GThread *back = g_thread_new ("test-tunnel", pass_back, ends);

  pass_on (client, server);
  g_thread_join (back);
}

/* --- a client -------------------------------------------------------------*/

/* What follows CONNECT in the first line, and whether the login is among the
 * others. Returns: (nullable): NULL when the client has gone. */
static char *
read_head (TestTunnel *tunnel, GDataInputStream *input, gboolean *may_pass)
{
  g_autofree char *first =
      g_data_input_stream_read_line (input, NULL, NULL, NULL);
  g_auto (GStrv) words = g_strsplit (first != NULL ? first : "", " ", -1);

  *may_pass = tunnel->login == NULL;
  for (;;) {
    g_autofree char *line =
        g_data_input_stream_read_line (input, NULL, NULL, NULL);

    if (line == NULL)
      return NULL;
    if (*line == '\0')
      break;
    *may_pass = *may_pass || g_strcmp0 (line, tunnel->login) == 0;
  }

  return g_strv_length (words) == 3 ? g_strdup (words[1]) : NULL;
}

static void
say (GIOStream *client, const char *text)
{
  g_output_stream_write_all (g_io_stream_get_output_stream (client), text,
      strlen (text), NULL, NULL, NULL);
}

static void
serve (TestTunnel *tunnel, GIOStream *client, GDataInputStream *input)
{
  g_autoptr (GSocketClient) connector = g_socket_client_new ();
  g_autoptr (GSocketConnection) server = NULL;
  g_autofree char *place = NULL;
  gboolean may_pass = FALSE;

  while ((place = read_head (tunnel, input, &may_pass)) != NULL && !may_pass) {
    say (client, REFUSAL);
    g_clear_pointer (&place, g_free);
  }
  if (place == NULL)
    return;
  g_socket_client_set_enable_proxy (connector, FALSE);
  server = g_socket_client_connect_to_host (connector, place, 443, NULL, NULL);
  if (server == NULL)
    return;
  g_atomic_int_inc (&tunnel->opened);
  say (client, CONSENT);
  join (client, G_IO_STREAM (server));
}

typedef struct
{
  TestTunnel *tunnel;
  GSocket *socket;
} Visit;

static gpointer
run_visit (gpointer data)
{
  g_autofree Visit *visit = data;
  g_autoptr (GSocketConnection) client =
      g_socket_connection_factory_create_connection (visit->socket);
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (
      g_io_stream_get_input_stream (G_IO_STREAM (client)));

  g_data_input_stream_set_newline_type (
      input, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  serve (visit->tunnel, G_IO_STREAM (client), input);
  g_object_unref (visit->socket);

  return NULL;
}

static void
await_visit (gpointer thread)
{
  g_thread_join (thread);
}

static gpointer
run (gpointer data)
{
  TestTunnel *tunnel = data;
  GSocket *socket;

  while (
      (socket = g_socket_accept (tunnel->socket, tunnel->end, NULL)) != NULL) {
    Visit *visit = g_new0 (Visit, 1);

    visit->tunnel = tunnel;
    visit->socket = socket;
    g_ptr_array_add (
        tunnel->clients, g_thread_new ("test-tunnel", run_visit, visit));
  }

  return NULL;
}

/* --- public ---------------------------------------------------------------*/

static char *
login_line (const char *user, const char *password)
{
  g_autofree char *login = g_strconcat (user, ":", password, NULL);
  g_autofree char *coded =
      g_base64_encode ((const guchar *) login, strlen (login));

  return g_strconcat ("Proxy-Authorization: Basic ", coded, NULL);
}

TestTunnel *
test_tunnel_new (const char *user, const char *password)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  TestTunnel *tunnel = g_new0 (TestTunnel, 1);

  if (user != NULL)
    tunnel->login = login_line (user, password);
  tunnel->end = g_cancellable_new ();
  tunnel->clients = g_ptr_array_new_with_free_func (await_visit);
  tunnel->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_socket_bind (tunnel->socket, address, TRUE, &error);
  g_assert_no_error (error);
  g_socket_listen (tunnel->socket, &error);
  g_assert_no_error (error);
  tunnel->thread = g_thread_new ("test-tunnel", run, tunnel);

  return tunnel;
}

void
test_tunnel_free (TestTunnel *tunnel)
{
  g_cancellable_cancel (tunnel->end);
  g_thread_join (tunnel->thread);
  g_ptr_array_unref (tunnel->clients);
  g_object_unref (tunnel->socket);
  g_object_unref (tunnel->end);
  g_free (tunnel->login);
  g_free (tunnel);
}

char *
test_tunnel_uri (TestTunnel *tunnel)
{
  g_autoptr (GSocketAddress) address =
      g_socket_get_local_address (tunnel->socket, NULL);

  return g_strdup_printf ("http://127.0.0.1:%u",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
}

guint
test_tunnel_opened (TestTunnel *tunnel)
{
  return (guint) g_atomic_int_get (&tunnel->opened);
}

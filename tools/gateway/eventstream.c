/* p2phlssrc: server-sent events to a few web pages.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The format is that of the HTML standard, 9.2.5 (text/event-stream).
 */
#include "gateway/eventstream.h"

#include <string.h>

struct _P2pEventStream
{
  GPtrArray *clients; /* of Client, owned */
};

typedef struct
{
  P2pEventStream *owner;
  SoupServerMessage *message;
  gsize waiting; /* bytes that are not in the socket yet */
  guint missed;  /* events since it took one */
} Client;

static void
client_free (gpointer data)
{
  Client *client = data;

  g_signal_handlers_disconnect_by_data (client->message, client);
  g_object_unref (client->message);
  g_free (client);
}

P2pEventStream *
p2p_event_stream_new (void)
{
  P2pEventStream *stream = g_new0 (P2pEventStream, 1);

  stream->clients = g_ptr_array_new_with_free_func (client_free);

  return stream;
}

void
p2p_event_stream_free (P2pEventStream *stream)
{
  g_ptr_array_unref (stream->clients);
  g_free (stream);
}

char *
p2p_event_text (const char *name, const char *json)
{
  g_assert (strpbrk (json, "\r\n") == NULL);

  return g_strdup_printf ("event: %s\ndata: %s\n\n", name, json);
}

static void
on_wrote (SoupServerMessage *message, guint length, Client *client)
{
  client->waiting -= MIN (length, client->waiting);
}

static void
on_finished (SoupServerMessage *message, Client *client)
{
  g_ptr_array_remove_fast (client->owner->clients, client);
}

static void
tell (Client *client, const char *text)
{
  soup_message_body_append (
      soup_server_message_get_response_body (client->message), SOUP_MEMORY_COPY,
      text, strlen (text));
  client->waiting += strlen (text);
  client->missed = 0;
  soup_server_message_unpause (client->message);
}

/* Closing makes the message finish, which takes it out of the list. */
static void
drop (Client *client)
{
  g_autoptr (SoupServerMessage) message = g_object_ref (client->message);
  g_autoptr (GIOStream) connection = NULL;

  g_ptr_array_remove_fast (client->owner->clients, client);
  connection = soup_server_message_steal_connection (message);
  if (connection != NULL)
    g_io_stream_close (connection, NULL, NULL);
}

static void
set_headers (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Content-Type", "text/event-stream");
  soup_message_headers_set_encoding (headers,
      soup_server_message_get_http_version (message) == SOUP_HTTP_1_0
          ? SOUP_ENCODING_EOF
          : SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (
      soup_server_message_get_response_body (message), FALSE);
}

void
p2p_event_stream_add (
    P2pEventStream *stream, SoupServerMessage *message, const char *first)
{
  g_autofree char *text =
      g_strdup_printf ("retry: %d\n\n%s", P2P_EVENT_STREAM_RETRY_MS, first);
  Client *client;

  if (stream->clients->len >= P2P_EVENT_STREAM_CLIENTS_MAX) {
    soup_server_message_set_status (
        message, SOUP_STATUS_SERVICE_UNAVAILABLE, NULL);
    return;
  }
  client = g_new0 (Client, 1);
  client->owner = stream;
  client->message = g_object_ref (message);
  g_ptr_array_add (stream->clients, client);
  g_signal_connect (message, "wrote-body-data", G_CALLBACK (on_wrote), client);
  g_signal_connect (message, "finished", G_CALLBACK (on_finished), client);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  set_headers (message);
  tell (client, text);
}

void
p2p_event_stream_send (P2pEventStream *stream, const char *event)
{
  /* From the end, as dropping moves the last one. */
  for (guint i = stream->clients->len; i > 0; i--) {
    Client *client = stream->clients->pdata[i - 1];

    if (client->waiting == 0)
      tell (client, event);
    else if (++client->missed > P2P_EVENT_STREAM_MISSED_MAX)
      drop (client);
  }
}

guint
p2p_event_stream_clients (P2pEventStream *stream)
{
  return stream->clients->len;
}

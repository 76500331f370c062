/* p2phlssrc: a bound for whole WebSocket messages.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "wsguard.h"

/* bytes that come with a message beyond its payload: frame headers, pings,
 * and the part of the next message that is read along. */
#define GUARD_SLACK_BYTES (64 * 1024)
/* bytes of them that are forgiven in a second: a ping of the largest size each
 * four seconds. */
#define GUARD_FORGIVEN_BYTES_PER_S 32
#define GUARD_KEY "p2p-ws-guard"

typedef struct
{
  GIOStream *stream; /* owns this */
  gsize max_bytes;
  gsize unpaid; /* read, and not of a message that was delivered */
  gint64 forgiven_at_us;
  gboolean tripped;
} Guard;

static void
pay (Guard *guard, gsize bytes)
{
  guard->unpaid -= MIN (bytes, guard->unpaid);
}

static void
forgive (Guard *guard)
{
  gint64 seconds =
      (g_get_monotonic_time () - guard->forgiven_at_us) / G_USEC_PER_SEC;

  guard->forgiven_at_us += seconds * G_USEC_PER_SEC;
  pay (guard, seconds * GUARD_FORGIVEN_BYTES_PER_S);
}

/* libsoup reads as long as there is something to read, so the end has to come
 * from inside its reading. */
static void
on_read (GInputStream *stream, guint length, Guard *guard)
{
  forgive (guard);
  guard->unpaid += length;
  if (guard->unpaid <= guard->max_bytes || guard->tripped)
    return;

  guard->tripped = TRUE;
  g_io_stream_close (guard->stream, NULL, NULL);
}

/* The shortest header of its frame (RFC 6455, 5.2): what came between pays for
 * nothing, or small messages would buy any number of pings. */
static void
on_message (SoupWebsocketConnection *connection, gint type, GBytes *message,
    Guard *guard)
{
  gsize length = g_bytes_get_size (message);

  pay (guard, length + (length < 126 ? 2 : length <= G_MAXUINT16 ? 4 : 10));
}

void
p2p_ws_guard (SoupWebsocketConnection *connection, gsize max_bytes)
{
  GIOStream *stream = soup_websocket_connection_get_io_stream (connection);
  GInputStream *input = g_io_stream_get_input_stream (stream);
  Guard *guard = g_new0 (Guard, 1);

  guard->stream = stream;
  guard->max_bytes = max_bytes + GUARD_SLACK_BYTES;
  guard->forgiven_at_us = g_get_monotonic_time ();
  soup_websocket_connection_set_max_incoming_payload_size (
      connection, max_bytes);
  g_object_set_data_full (G_OBJECT (stream), GUARD_KEY, guard, g_free);
  g_signal_connect (connection, "message", G_CALLBACK (on_message), guard);
  /* libsoup's filter stream tells what it reads; by name, as its type is
   * private. */
  if (g_signal_lookup ("read-data", G_OBJECT_TYPE (input)) != 0)
    g_signal_connect (input, "read-data", G_CALLBACK (on_read), guard);
}

gboolean
p2p_ws_guard_tripped (SoupWebsocketConnection *connection)
{
  Guard *guard = g_object_get_data (
      G_OBJECT (soup_websocket_connection_get_io_stream (connection)),
      GUARD_KEY);

  return guard != NULL && guard->tripped;
}

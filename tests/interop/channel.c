/* p2phlssrc: one end of a data channel, for tests against other makers' ends.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     channel offer|answer [--send BYTES] [--expect BYTES] [--message BYTES]
 *             [--plain]
 *
 * Lines of JSON. In: {"sdp": …} the other description, {"go": true} begins to
 * send, {"close": true} closes; the end of input ends the program. Out: {"sdp": …}, {"open": true},
 * {"sent": bytes}, {"received": bytes, "bad": messages, "seconds": s},
 * {"closed": reason}. channel.mjs and chromium.mjs speak the same.
 *
 * Message n begins with n as 32 bits, big-endian; byte i after it is i & 0xff,
 * and the receiver looks at every byte of it. With --plain the numbers are
 * left out, nothing is looked at and one buffer is sent over and over: so are
 * segments, when several peers want them.
 */
#include "webrtc/transport.h"

#include "base/limits.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>

#include <stdio.h>
#include <string.h>

#define CONN 1
#define NUMBER_BYTES 4

static gint64 send_bytes, expect_bytes;
static int message_bytes = 65535;
static gboolean plain;
static char **ice_servers;

typedef struct
{
  GMainLoop *loop;
  P2pTransportPort *port;
  gboolean offerer;
  guint8 *pattern;
  GBytes *plain_message;
  guint64 sent, received;
  guint32 n_sent, n_received, n_bad;
  gint64 began_us;
} Channel;

static GOptionEntry entries[] = {
  { "send", 0, 0, G_OPTION_ARG_INT64, &send_bytes, "bytes to send", "BYTES" },
  { "expect", 0, 0, G_OPTION_ARG_INT64, &expect_bytes, "bytes to receive",
      "BYTES" },
  { "message", 0, 0, G_OPTION_ARG_INT, &message_bytes, "bytes of a message",
      "BYTES" },
  { "plain", 0, 0, G_OPTION_ARG_NONE, &plain, "nothing is looked at", NULL },
  { "ice-server", 0, 0, G_OPTION_ARG_STRING_ARRAY, &ice_servers,
      "stun:// or turn(s)://", "URI" },
  { NULL },
};

static void
say_text (const char *name, const char *value)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), value);
  g_autofree char *text = json_to_string (node, FALSE);

  printf ("{\"%s\": %s}\n", name, text);
  fflush (stdout);
}

/* --- messages ------------------------------------------------------------ */

static GBytes *
next_message (Channel *channel)
{
  gsize length = MIN ((guint64) message_bytes, send_bytes - channel->sent);
  guint32 number = GUINT32_TO_BE (channel->n_sent);
  guint8 *data;

  if (plain && length == (gsize) message_bytes)
    return g_bytes_ref (channel->plain_message);

  length = MAX (length, NUMBER_BYTES);
  data = g_memdup2 (channel->pattern, length);
  memcpy (data, &number, NUMBER_BYTES);

  return g_bytes_new_take (data, length);
}

static void
send_more (Channel *channel)
{
  while (channel->sent < (guint64) send_bytes) {
    g_autoptr (GBytes) message = next_message (channel);

    channel->sent += g_bytes_get_size (message);
    channel->n_sent++;
    if (channel->port->ops->send (channel->port, CONN, message)
        >= P2P_SEND_HIGH_BYTES)
      break;
  }
  if (channel->sent >= (guint64) send_bytes && send_bytes > 0) {
    printf ("{\"sent\": %" G_GUINT64_FORMAT "}\n", channel->sent);
    fflush (stdout);
    send_bytes = 0;
  }
}

static gboolean
is_good (Channel *channel, const guint8 *data, gsize length)
{
  guint32 number;

  if (length < NUMBER_BYTES || length > (gsize) message_bytes)
    return FALSE;
  memcpy (&number, data, NUMBER_BYTES);

  return GUINT32_FROM_BE (number) == channel->n_received
      && memcmp (data + NUMBER_BYTES, channel->pattern + NUMBER_BYTES,
             length - NUMBER_BYTES)
      == 0;
}

static void
receive (Channel *channel, GBytes *message)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);
  double seconds;

  if (channel->n_received == 0)
    channel->began_us = g_get_monotonic_time ();
  if (!plain && !is_good (channel, data, length))
    channel->n_bad++;
  channel->n_received++;
  channel->received += length;
  if (expect_bytes > 0 && channel->received >= (guint64) expect_bytes) {
    seconds = (g_get_monotonic_time () - channel->began_us) / 1e6;
    printf ("{\"received\": %" G_GUINT64_FORMAT
            ", \"bad\": %u, \"seconds\": %.6f}\n",
        channel->received, channel->n_bad, seconds);
    fflush (stdout);
    expect_bytes = 0;
  }
}

static void
on_event (gpointer user_data, const P2pEvent *event)
{
  Channel *channel = user_data;

  if (event->kind == P2P_EVENT_CONN_SDP) {
    say_text ("sdp", event->text);
  } else if (event->kind == P2P_EVENT_CONN_OPEN) {
    printf ("{\"open\": true}\n");
    fflush (stdout);
  } else if (event->kind == P2P_EVENT_CONN_MESSAGE) {
    receive (channel, event->bytes);
  } else if (event->kind == P2P_EVENT_CONN_LOW_WATER) {
    send_more (channel);
  } else if (event->kind == P2P_EVENT_CONN_CLOSED) {
    say_text ("closed", event->text);
  }
}

/* --- standard input ------------------------------------------------------ */

static void
obey (Channel *channel, const char *line)
{
  g_autoptr (JsonNode) node = json_from_string (line, NULL);
  JsonObject *object;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;

  object = json_node_get_object (node);
  if (json_object_has_member (object, "go"))
    send_more (channel);
  if (json_object_has_member (object, "close"))
    channel->port->ops->close (channel->port, CONN);
  if (json_object_has_member (object, "sdp")) {
    const char *sdp = json_object_get_string_member (object, "sdp");

    if (channel->offerer)
      channel->port->ops->set_answer (channel->port, CONN, sdp);
    else
      channel->port->ops->answer (channel->port, CONN, sdp);
  }
}

static gboolean
on_input (GIOChannel *input, GIOCondition condition, gpointer user_data)
{
  Channel *channel = user_data;
  g_autofree char *line = NULL;

  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL)
      == G_IO_STATUS_NORMAL) {
    obey (channel, line);
    return G_SOURCE_CONTINUE;
  }
  g_main_loop_quit (channel->loop);

  return G_SOURCE_REMOVE;
}

static void
prepare (Channel *channel)
{
  message_bytes = CLAMP (message_bytes, NUMBER_BYTES, P2P_MESSAGE_ACCEPT_BYTES);
  channel->pattern = g_malloc (P2P_MESSAGE_ACCEPT_BYTES);
  for (gsize i = 0; i < P2P_MESSAGE_ACCEPT_BYTES; i++)
    channel->pattern[i] = i & 0xff;
  channel->plain_message = g_bytes_new (channel->pattern, message_bytes);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) options = g_option_context_new ("offer|answer");
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);
  Channel channel = { 0 };

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) || argc != 2) {
    fprintf (stderr, "%s\n", error != NULL ? error->message : "offer|answer");
    return 2;
  }

  prepare (&channel);
  channel.offerer = strcmp (argv[1], "offer") == 0;
  channel.loop = g_main_loop_new (NULL, FALSE);
  channel.port =
      p2p_webrtc_transport_new (g_main_context_default (), on_event, &channel);
  channel.port->ops->configure (
      channel.port, (const char *const *) ice_servers);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, on_input, &channel);
  if (channel.offerer)
    channel.port->ops->offer (channel.port, CONN, "webtorrent");
  g_main_loop_run (channel.loop);

  p2p_webrtc_transport_free (channel.port);
  g_main_loop_unref (channel.loop);
  g_bytes_unref (channel.plain_message);
  g_free (channel.pattern);
  g_strfreev (ice_servers);

  return 0;
}

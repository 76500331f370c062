/* p2phlssrc: tests of the WebSocket port over libsoup.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/limits.h"
#include "soup/listener.h"
#include "soup/soupws.h"

#include <libsoup/soup.h>
#include <string.h>

#define MESSAGE_BYTES (8 * 1024)

typedef struct
{
  GString *order; /* O, M, C */
  GPtrArray *messages;
  char *reason;
  gboolean open;
  gboolean closed;
  gboolean close_at_message;
} Record;

typedef struct
{
  GMainContext *context;
  SoupServer *soup;
  P2pListener *listener;
  P2pWebSocketPort *port;
  GHashTable *records;
  gboolean inside_call;
  /* the server's end */
  GPtrArray *connections;
  GPtrArray *heard; /* char * */
  guint n_closed;
} Fixture;

static void
record_free (gpointer data)
{
  Record *record = data;

  g_string_free (record->order, TRUE);
  g_ptr_array_unref (record->messages);
  g_free (record->reason);
  g_free (record);
}

static void
on_event (gpointer user_data, const P2pEvent *event)
{
  Fixture *fixture = user_data;
  Record *record = g_hash_table_lookup (fixture->records, &event->id);

  g_assert_false (fixture->inside_call);
  g_assert_nonnull (record);
  g_assert_false (record->closed);
  switch ((int) event->kind) {
    case P2P_EVENT_WS_OPEN:
      g_string_append_c (record->order, 'O');
      record->open = TRUE;
      break;
    case P2P_EVENT_WS_MESSAGE:
      g_string_append_c (record->order, 'M');
      g_ptr_array_add (record->messages, g_bytes_ref (event->bytes));
      if (record->close_at_message) {
        record->closed = TRUE;
        fixture->port->ops->close (fixture->port, event->id);
      }
      break;
    case P2P_EVENT_WS_CLOSED:
      g_string_append_c (record->order, 'C');
      record->reason = g_strdup (event->text);
      record->closed = TRUE;
      break;
    default:
      g_assert_not_reached ();
  }
}

/* --- the server's end --------------------------------------------------- */

static void
on_server_message (SoupWebsocketConnection *connection, gint type,
    GBytes *message, Fixture *fixture)
{
  gsize length;
  const char *text = g_bytes_get_data (message, &length);

  g_assert_cmpint (type, ==, SOUP_WEBSOCKET_DATA_TEXT);
  g_ptr_array_add (fixture->heard, g_strndup (text, length));
}

static void
on_server_closed (SoupWebsocketConnection *connection, Fixture *fixture)
{
  fixture->n_closed++;
}

static void
on_server_socket (SoupServer *soup, SoupServerMessage *message,
    const char *path, SoupWebsocketConnection *connection, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_ptr_array_add (fixture->connections, g_object_ref (connection));
  soup_websocket_connection_set_max_incoming_payload_size (connection, 0);
  g_signal_connect (
      connection, "message", G_CALLBACK (on_server_message), fixture);
  g_signal_connect (
      connection, "closed", G_CALLBACK (on_server_closed), fixture);
}

/* Takes the connection and never says anything. */
static void
on_mute (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  soup_server_message_pause (message);
}

static void
on_gone (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  soup_server_message_set_status (message, SOUP_STATUS_GONE, NULL);
}

static SoupWebsocketConnection *
last_connection (Fixture *fixture)
{
  g_assert_cmpuint (fixture->connections->len, >, 0);

  return g_ptr_array_index (
      fixture->connections, fixture->connections->len - 1);
}

/* --- fixture ------------------------------------------------------------ */

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->context = g_main_context_new ();
  g_main_context_push_thread_default (fixture->context);
  fixture->soup = soup_server_new (NULL, NULL);
  soup_server_add_handler (fixture->soup, "/gone", on_gone, NULL, NULL);
  soup_server_add_handler (fixture->soup, "/mute", on_mute, NULL, NULL);
  soup_server_add_websocket_handler (
      fixture->soup, "/ws", NULL, NULL, on_server_socket, fixture, NULL);
  fixture->listener = p2p_listener_new (fixture->soup, "127.0.0.1", 0, &error);
  g_assert_no_error (error);
  fixture->connections = g_ptr_array_new_with_free_func (g_object_unref);
  fixture->heard = g_ptr_array_new_with_free_func (g_free);
  fixture->records =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, record_free);
  fixture->port = p2p_soup_ws_new (fixture->context, on_event, fixture);
}

static void
free_port (Fixture *fixture)
{
  fixture->inside_call = TRUE;
  g_clear_pointer (&fixture->port, p2p_soup_ws_free);
  fixture->inside_call = FALSE;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  guint i;

  free_port (fixture);
  for (i = 0; i < fixture->connections->len; i++)
    g_signal_handlers_disconnect_by_data (
        g_ptr_array_index (fixture->connections, i), fixture);
  g_ptr_array_unref (fixture->connections);
  p2p_listener_free (fixture->listener);
  soup_server_disconnect (fixture->soup);
  g_object_unref (fixture->soup);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_main_context_pop_thread_default (fixture->context);
  g_main_context_unref (fixture->context);
  g_ptr_array_unref (fixture->heard);
  g_hash_table_unref (fixture->records);
}

static Record *
open_url (Fixture *fixture, guint64 id, const char *url)
{
  Record *record = g_new0 (Record, 1);

  record->order = g_string_new (NULL);
  record->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_hash_table_insert (fixture->records, g_memdup2 (&id, sizeof id), record);
  fixture->inside_call = TRUE;
  fixture->port->ops->open (fixture->port, id, url);
  fixture->inside_call = FALSE;

  return record;
}

static Record *
open_path (Fixture *fixture, guint64 id, const char *path)
{
  g_autofree char *uri = p2p_listener_get_uri (fixture->listener, "ws");
  g_autofree char *url = g_strconcat (uri, path, NULL);

  return open_url (fixture, id, url);
}

static void
wait_for (Fixture *fixture, const gboolean *flag)
{
  while (!*flag)
    g_main_context_iteration (fixture->context, TRUE);
}

static void
send_text (Fixture *fixture, guint64 id, const char *text)
{
  fixture->inside_call = TRUE;
  fixture->port->ops->send_text (fixture->port, id, text);
  fixture->inside_call = FALSE;
}

static void
close_socket (Fixture *fixture, guint64 id)
{
  fixture->inside_call = TRUE;
  fixture->port->ops->close (fixture->port, id);
  fixture->inside_call = FALSE;
}

static Record *
open_ready (Fixture *fixture, guint64 id)
{
  guint before = fixture->connections->len;
  Record *record = open_path (fixture, id, "/ws");

  wait_for (fixture, &record->open);
  while (fixture->connections->len == before)
    g_main_context_iteration (fixture->context, TRUE);

  return record;
}

static void
assert_lost (Fixture *fixture, Record *record, const char *reason)
{
  wait_for (fixture, &record->closed);
  if (!g_str_has_prefix (record->reason, reason))
    g_error ("\"%s\" instead of \"%s\"", record->reason, reason);
}

/* --- tests -------------------------------------------------------------- */

static void
test_talk (Fixture *fixture, gconstpointer data)
{
  Record *record = open_ready (fixture, 1);
  g_autoptr (GBytes) binary = g_bytes_new_static ("\0\xff", 2);
  g_autofree char *large = g_strnfill (200 * 1000, 'x');

  send_text (fixture, 1, "h\xc3\xa9llo");
  send_text (fixture, 1, large);
  while (fixture->heard->len < 2)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpstr (g_ptr_array_index (fixture->heard, 0), ==, "h\xc3\xa9llo");
  g_assert_cmpstr (g_ptr_array_index (fixture->heard, 1), ==, large);

  soup_websocket_connection_send_text (last_connection (fixture), "text");
  soup_websocket_connection_send_message (
      last_connection (fixture), SOUP_WEBSOCKET_DATA_BINARY, binary);
  while (record->messages->len < 2)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_true (
      g_bytes_equal (g_ptr_array_index (record->messages, 1), binary));

  soup_websocket_connection_close (last_connection (fixture), 1001, "bye\n");
  assert_lost (fixture, record, "closed by the tracker: 1001 bye\\n");
  g_assert_cmpstr (record->order->str, ==, "OMMC");
  send_text (fixture, 1, "nobody");
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  assert_lost (fixture, open_path (fixture, 1, "/gone"),
      "no WebSocket there: status 410");
  assert_lost (
      fixture, open_url (fixture, 2, "ws://127.0.0.1:1/"), "Could not connect");
  assert_lost (fixture, open_url (fixture, 3, "http://127.0.0.1/"),
      "not a ws: or wss: URL");
  assert_lost (fixture, open_url (fixture, 4, "wss:"), "not a ws: or wss: URL");
  assert_lost (fixture, open_url (fixture, 5, "ws://nowhere.invalid/"),
      "Error resolving");
}

static void
test_close (Fixture *fixture, gconstpointer data)
{
  Record *early = open_path (fixture, 1, "/ws"), *late, *mute;

  early->closed = TRUE;
  close_socket (fixture, 1);
  close_socket (fixture, 1);
  late = open_ready (fixture, 2);
  late->close_at_message = TRUE;
  soup_websocket_connection_send_text (last_connection (fixture), "one");
  soup_websocket_connection_send_text (last_connection (fixture), "two");
  wait_for (fixture, &late->closed);
  mute = open_path (fixture, 3, "/mute");
  mute->closed = TRUE;
  open_url (fixture, 4, "nonsense")->closed = TRUE;
  close_socket (fixture, 4);
  /* on_event would complain about an event for a closed one. */
  while (fixture->n_closed == 0)
    g_main_context_iteration (fixture->context, TRUE);
  close_socket (fixture, 3);
  g_assert_cmpstr (late->order->str, ==, "OM");
  g_assert_cmpuint (
      soup_websocket_connection_get_close_code (last_connection (fixture)), ==,
      SOUP_WEBSOCKET_CLOSE_NORMAL);
}

/* What was said last arrives although the port is freed at once. */
static void
test_last_words (Fixture *fixture, gconstpointer data)
{
  guint i;

  for (i = 1; i <= 5; i++)
    open_ready (fixture, i)->closed = TRUE;
  for (i = 1; i <= 5; i++)
    send_text (fixture, i, "stopped");
  close_socket (fixture, 2);
  free_port (fixture);
  while (fixture->n_closed < 5)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (fixture->heard->len, ==, 5);
}

static void
test_dropped (Fixture *fixture, gconstpointer data)
{
  Record *record = open_ready (fixture, 1);

  g_io_stream_close (
      soup_websocket_connection_get_io_stream (last_connection (fixture)), NULL,
      NULL);
  assert_lost (fixture, record, "the tracker dropped the connection");
}

static void
test_too_long (Fixture *fixture, gconstpointer data)
{
  Record *record = open_ready (fixture, 1);
  g_autofree char *huge = g_strnfill (P2P_TRACKER_MESSAGE_MAX_BYTES + 1, 'x');
  g_autofree char *fits = g_strnfill (P2P_TRACKER_MESSAGE_MAX_BYTES, 'x');

  soup_websocket_connection_send_text (last_connection (fixture), fits);
  soup_websocket_connection_send_text (last_connection (fixture), fits);
  while (record->messages->len < 2)
    g_main_context_iteration (fixture->context, TRUE);
  soup_websocket_connection_send_text (last_connection (fixture), huge);
  assert_lost (fixture, record, "Received WebSocket payload");
}

/* A message that never ends, in frames that are each allowed. */
static void
test_endless_fragments (Fixture *fixture, gconstpointer data)
{
  Record *record = open_ready (fixture, 1);
  GOutputStream *output = g_io_stream_get_output_stream (
      soup_websocket_connection_get_io_stream (last_connection (fixture)));
  guint8 frame[4 + 1024] = { 0x01, 126, 4, 0 }; /* text, not final */
  gsize sent = 0;

  while (!record->closed) {
    gsize at = sent % sizeof frame;
    gssize n = g_pollable_output_stream_write_nonblocking (
        G_POLLABLE_OUTPUT_STREAM (output), frame + at, sizeof frame - at, NULL,
        NULL);

    sent += MAX (n, 0);
    if (sent >= sizeof frame)
      frame[0] = 0x00; /* goes on */
    g_main_context_iteration (fixture->context, n <= 0);
  }
  g_assert_cmpstr (record->reason, ==, "the tracker's message is too long");
  g_assert_cmpuint (sent, >, P2P_TRACKER_MESSAGE_MAX_BYTES);
  g_assert_cmpuint (record->messages->len, ==, 0);
}

/* Pings that nobody asked for: each has to be answered, and libsoup's queue of
 * answers is slower the longer it is. Messages in between make them no better,
 * but are no reason to close. */
static void
test_pings (Fixture *fixture, gconstpointer data)
{
  Record *record = open_ready (fixture, 1);
  GOutputStream *output = g_io_stream_get_output_stream (
      soup_websocket_connection_get_io_stream (last_connection (fixture)));
  g_autoptr (GByteArray) turn = g_byte_array_new ();
  gsize most = 2 * P2P_TRACKER_MESSAGE_MAX_BYTES;
  gsize sent = 0;
  guint8 ping[2 + 125] = { 0x89, 125 };
  guint i;

  for (i = 0; i < 100; i++)
    g_byte_array_append (turn, ping, sizeof ping);
  g_byte_array_append (turn, (const guint8 *) "\x81\x02{}", 4);
  while (!record->closed && sent < most) {
    gsize at = sent % turn->len;
    gssize n = g_pollable_output_stream_write_nonblocking (
        G_POLLABLE_OUTPUT_STREAM (output), turn->data + at, turn->len - at,
        NULL, NULL);

    sent += MAX (n, 0);
    g_main_context_iteration (fixture->context, n <= 0);
  }
  assert_lost (fixture, record, "the tracker's message is too long");
  g_assert_cmpuint (record->messages->len, >, 0);
}

/* Any number of messages of any length is fine. */
static void
test_many_messages (Fixture *fixture, gconstpointer data)
{
  Record *record = open_ready (fixture, 1);
  gsize lengths[] = { 2, 125, 126, 65535, 65536, 200 * 1000 };
  guint i;

  for (i = 0; i < 3 * 1000; i++) {
    gsize length = i < 200 ? lengths[i % G_N_ELEMENTS (lengths)] : 2;
    g_autofree char *text = g_strnfill (length, 'x');

    soup_websocket_connection_send_text (last_connection (fixture), text);
  }
  while (!record->closed && record->messages->len < i)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (record->messages->len, ==, i);
}

/* A tracker that does not read: the main loop does not run meanwhile. */
static void
test_full (Fixture *fixture, gconstpointer data)
{
  Record *record = open_ready (fixture, 1);
  g_autofree char *text = g_strnfill (64 * 1024, 'x');
  guint i;

  for (i = 0; i < 1000; i++)
    send_text (fixture, 1, text);
  assert_lost (fixture, record, "the tracker does not read");
}

/* Says so much at once, before the other side can read any of it. */
static gboolean
arrives (Fixture *fixture, guint64 id, guint n_messages)
{
  Record *record = open_ready (fixture, id);
  g_autofree char *padding = g_strnfill (MESSAGE_BYTES, 'x');
  guint i;

  g_ptr_array_set_size (fixture->heard, 0);
  for (i = 0; i < n_messages; i++) {
    g_autofree char *text = g_strdup_printf ("%u %s", i, padding);

    send_text (fixture, id, text);
  }
  while (!record->closed && fixture->heard->len < n_messages)
    g_main_context_iteration (fixture->context, TRUE);
  for (i = 0; i < fixture->heard->len; i++)
    g_assert_cmpuint (
        g_ascii_strtoull (g_ptr_array_index (fixture->heard, i), NULL, 10), ==,
        i);

  return !record->closed;
}

/* One that reads late gets everything, in order, as long as no more waits than
 * may. How much the kernel takes is its own business, so more and more is
 * tried, in steps of half a queue: at least one lies in between. */
static void
test_waiting (Fixture *fixture, gconstpointer data)
{
  guint step = P2P_TRACKER_QUEUE_MAX_BYTES / 2 / MESSAGE_BYTES;
  guint64 id = 1;

  while (arrives (fixture, id, id * step))
    id++;
  g_assert_cmpuint (id, >, 2);
}

static void
add (const char *name, void (*test) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/adapters/soupws/", name, NULL);

  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("talk", test_talk);
  add ("refused", test_refused);
  add ("close", test_close);
  add ("last-words", test_last_words);
  add ("dropped", test_dropped);
  add ("too-long", test_too_long);
  add ("endless-fragments", test_endless_fragments);
  add ("pings", test_pings);
  add ("many-messages", test_many_messages);
  add ("full", test_full);
  add ("waiting", test_waiting);

  return g_test_run ();
}

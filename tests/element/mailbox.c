/* p2phlssrc: letters to the worker.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "mailbox.h"

#define POSTERS 4
#define LETTERS 5000

typedef struct
{
  GMainContext *context;
  P2pMailbox *mailbox;
  GArray *ids; /* of guint64, in the order of reading */
  guint requests;
  gboolean stop;
} Reader;

static void
on_mail (gpointer user_data, const P2pMail *mail)
{
  Reader *reader = user_data;

  switch (mail->kind) {
    case P2P_MAIL_REQUEST:
      g_assert_cmpstr (mail->request.uri, ==, "http://h/x");
      g_assert_cmpuint (mail->request.consumer, ==, 9);
      g_assert_cmpuint (p2p_out_queue_get_request (mail->queue), ==, mail->id);
      reader->requests++;
      break;
    case P2P_MAIL_CANCEL:
    case P2P_MAIL_DRAINED:
    case P2P_MAIL_STYLE:
      g_array_append_val (reader->ids, mail->id);
      break;
    case P2P_MAIL_CALL:
      mail->call (mail->data);
      break;
  }
}

static void
reader_init (Reader *reader)
{
  *reader = (Reader){ .context = g_main_context_new () };
  reader->ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  reader->mailbox = p2p_mailbox_new (reader->context, on_mail, reader);
}

static void
reader_clear (Reader *reader)
{
  g_clear_pointer (&reader->mailbox, p2p_mailbox_free);
  g_array_unref (reader->ids);
  g_main_context_unref (reader->context);
}

static void
post_request (P2pMailbox *mailbox, guint64 id)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (id);
  g_autoptr (P2pHttpProfile) profile = p2p_http_profile_new ();
  g_autofree char *uri = g_strdup ("http://h/x");

  p2p_mailbox_request (mailbox, queue,
      &(P2pRequest){ .uri = uri, .profile = profile, .consumer = 9 });
}

static void
test_order (void)
{
  Reader reader;

  reader_init (&reader);
  for (guint64 i = 0; i < 10; i++)
    p2p_mailbox_cancel (reader.mailbox, i);
  post_request (reader.mailbox, 77);
  p2p_mailbox_drained (reader.mailbox, 10);
  g_assert_cmpuint (reader.ids->len, ==, 0);

  while (g_main_context_iteration (reader.context, FALSE))
    continue;
  g_assert_cmpuint (reader.ids->len, ==, 11);
  g_assert_cmpuint (reader.requests, ==, 1);
  for (guint64 i = 0; i < 11; i++)
    g_assert_cmpuint (g_array_index (reader.ids, guint64, i), ==, i);
  reader_clear (&reader);
}

static void
count_destroy (gpointer data)
{
  (*(guint *) data)++;
}

static void
never_called (gpointer data)
{
  g_assert_not_reached ();
}

/* Whatever is in a letter is freed with it. */
static void
test_unread (void)
{
  guint destroyed = 0;
  Reader reader;

  reader_init (&reader);
  post_request (reader.mailbox, 1);
  p2p_mailbox_post (reader.mailbox, never_called, &destroyed, count_destroy);
  reader_clear (&reader);
  g_assert_cmpuint (destroyed, ==, 1);
}

/* --- threads -------------------------------------------------------------*/

static gpointer
read_until_stopped (gpointer user_data)
{
  Reader *reader = user_data;

  while (!reader->stop)
    g_main_context_iteration (reader->context, TRUE);

  return NULL;
}

static void
stop_reading (gpointer data)
{
  ((Reader *) data)->stop = TRUE;
}

typedef struct
{
  P2pMailbox *mailbox;
  guint64 first;
} Poster;

static gpointer
post_many (gpointer user_data)
{
  Poster *poster = user_data;

  for (guint64 i = 0; i < LETTERS; i++)
    p2p_mailbox_drained (poster->mailbox, poster->first + i);

  return NULL;
}

/* From several threads nothing is lost, and each one's order is kept. */
static void
test_posters (void)
{
  GThread *threads[POSTERS], *worker;
  Poster posters[POSTERS];
  guint64 next[POSTERS];
  Reader reader;

  reader_init (&reader);
  worker = g_thread_new ("reader", read_until_stopped, &reader);
  for (guint i = 0; i < POSTERS; i++) {
    next[i] = i * LETTERS;
    posters[i] = (Poster){ .mailbox = reader.mailbox, .first = next[i] };
    threads[i] = g_thread_new ("poster", post_many, &posters[i]);
  }
  for (guint i = 0; i < POSTERS; i++)
    g_thread_join (threads[i]);
  p2p_mailbox_post (reader.mailbox, stop_reading, &reader, NULL);
  g_thread_join (worker);

  g_assert_cmpuint (reader.ids->len, ==, POSTERS * LETTERS);
  for (guint i = 0; i < reader.ids->len; i++) {
    guint64 id = g_array_index (reader.ids, guint64, i);

    g_assert_cmpuint (id, ==, next[id / LETTERS]);
    next[id / LETTERS]++;
  }
  reader_clear (&reader);
}

static void
add_one (gpointer data)
{
  (*(guint *) data)++;
}

/* A call has happened when it returns. */
static void
test_call (void)
{
  guint count = 0;
  GThread *worker;
  Reader reader;

  reader_init (&reader);
  worker = g_thread_new ("reader", read_until_stopped, &reader);
  for (guint i = 0; i < 1000; i++) {
    p2p_mailbox_call (reader.mailbox, add_one, &count);
    g_assert_cmpuint (count, ==, i + 1);
  }
  p2p_mailbox_post (reader.mailbox, stop_reading, &reader, NULL);
  g_thread_join (worker);
  reader_clear (&reader);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mailbox/order", test_order);
  g_test_add_func ("/mailbox/unread", test_unread);
  g_test_add_func ("/mailbox/posters", test_posters);
  g_test_add_func ("/mailbox/call", test_call);

  return g_test_run ();
}

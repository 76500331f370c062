/* p2phlssrc: what other threads ask of the worker.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "mailbox.h"

#include "lock.h"

/* The source that the worker's context polls. */
typedef struct
{
  GSource source;
  P2pMailbox *mailbox;
} MailSource;

/* @letters and the flags that they point to are guarded by @lock. */
struct _P2pMailbox
{
  GMainContext *context;
  P2pMailFunc func;
  gpointer user_data;
  GSource *source;

  GMutex lock;
  GCond answered;
  GPtrArray *letters; /* of P2pMail, in order */
};

static void
mail_free (gpointer data)
{
  P2pMail *mail = data;

  if (mail->destroy != NULL)
    mail->destroy (mail->data);
  g_clear_pointer (&mail->queue, p2p_out_queue_unref);
  g_clear_pointer (&mail->request.profile, p2p_http_profile_unref);
  g_free ((char *) mail->request.uri);
  g_free (mail);
}

static gboolean
has_letters (P2pMailbox *mailbox)
{
  gboolean has;

  p2p_lock (&mailbox->lock);
  has = mailbox->letters->len > 0;
  p2p_unlock (&mailbox->lock);

  return has;
}

static gboolean
mail_prepare (GSource *source, int *timeout_ms)
{
  *timeout_ms = -1;
  return has_letters (((MailSource *) source)->mailbox);
}

static gboolean
mail_check (GSource *source)
{
  return has_letters (((MailSource *) source)->mailbox);
}

static gboolean
mail_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  P2pMailbox *mailbox = ((MailSource *) source)->mailbox;
  g_autoptr (GPtrArray) letters = NULL;

  p2p_lock (&mailbox->lock);
  letters = g_steal_pointer (&mailbox->letters);
  mailbox->letters = g_ptr_array_new_with_free_func (mail_free);
  p2p_unlock (&mailbox->lock);

  for (guint i = 0; i < letters->len; i++) {
    P2pMail *mail = letters->pdata[i];

    mailbox->func (mailbox->user_data, mail);
    if (mail->done == NULL)
      continue;
    p2p_lock (&mailbox->lock);
    *mail->done = TRUE;
    g_cond_broadcast (&mailbox->answered);
    p2p_unlock (&mailbox->lock);
  }

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs mail_source_funcs = {
  .prepare = mail_prepare,
  .check = mail_check,
  .dispatch = mail_dispatch,
};

P2pMailbox *
p2p_mailbox_new (GMainContext *context, P2pMailFunc func, gpointer user_data)
{
  P2pMailbox *mailbox = g_new0 (P2pMailbox, 1);

  mailbox->context = g_main_context_ref (context);
  mailbox->func = func;
  mailbox->user_data = user_data;
  g_mutex_init (&mailbox->lock);
  g_cond_init (&mailbox->answered);
  mailbox->letters = g_ptr_array_new_with_free_func (mail_free);
  mailbox->source = g_source_new (&mail_source_funcs, sizeof (MailSource));
  ((MailSource *) mailbox->source)->mailbox = mailbox;
  g_source_set_static_name (mailbox->source, "p2p-mailbox");
  g_source_attach (mailbox->source, context);

  return mailbox;
}

void
p2p_mailbox_free (P2pMailbox *mailbox)
{
  g_source_destroy (mailbox->source);
  g_clear_pointer (&mailbox->source, g_source_unref);
  g_clear_pointer (&mailbox->letters, g_ptr_array_unref);
  g_clear_pointer (&mailbox->context, g_main_context_unref);
  g_cond_clear (&mailbox->answered);
  g_mutex_clear (&mailbox->lock);
  g_free (mailbox);
}

/* A letter on a heap of unread ones needs no second wake-up. Waking is done
 * under the lock: once the last element has seen its last letter answered it
 * may free the mailbox. */
static void
put_locked (P2pMailbox *mailbox, P2pMail *mail)
{
  g_ptr_array_add (mailbox->letters, mail);
  if (mailbox->letters->len == 1)
    g_main_context_wakeup (mailbox->context);
}

static void
put (P2pMailbox *mailbox, P2pMail *mail)
{
  p2p_lock (&mailbox->lock);
  put_locked (mailbox, mail);
  p2p_unlock (&mailbox->lock);
}

static P2pMail *
mail_new (P2pMailKind kind, guint64 id)
{
  P2pMail *mail = g_new0 (P2pMail, 1);

  mail->kind = kind;
  mail->id = id;

  return mail;
}

void
p2p_mailbox_request (
    P2pMailbox *mailbox, P2pOutQueue *queue, const P2pRequest *request)
{
  P2pMail *mail =
      mail_new (P2P_MAIL_REQUEST, p2p_out_queue_get_request (queue));

  mail->queue = p2p_out_queue_ref (queue);
  mail->request = *request;
  mail->request.uri = g_strdup (request->uri);
  mail->request.profile = p2p_http_profile_ref (request->profile);
  put (mailbox, mail);
}

void
p2p_mailbox_cancel (P2pMailbox *mailbox, guint64 id)
{
  put (mailbox, mail_new (P2P_MAIL_CANCEL, id));
}

void
p2p_mailbox_drained (P2pMailbox *mailbox, guint64 id)
{
  put (mailbox, mail_new (P2P_MAIL_DRAINED, id));
}

void
p2p_mailbox_style (P2pMailbox *mailbox, guint64 id, P2pPlaylistStyle style)
{
  P2pMail *mail = mail_new (P2P_MAIL_STYLE, id);

  mail->request.style = style;
  put (mailbox, mail);
}

void
p2p_mailbox_post (P2pMailbox *mailbox, void (*call) (gpointer data),
    gpointer data, GDestroyNotify destroy)
{
  P2pMail *mail = mail_new (P2P_MAIL_CALL, 0);

  mail->call = call;
  mail->data = data;
  mail->destroy = destroy;
  put (mailbox, mail);
}

void
p2p_mailbox_call (
    P2pMailbox *mailbox, void (*call) (gpointer data), gpointer data)
{
  P2pMail *mail = mail_new (P2P_MAIL_CALL, 0);
  gboolean done = FALSE;

  mail->call = call;
  mail->data = data;
  mail->done = &done;
  p2p_lock (&mailbox->lock);
  put_locked (mailbox, mail);
  while (!done)
    p2p_wait (&mailbox->answered, &mailbox->lock);
  p2p_unlock (&mailbox->lock);
}

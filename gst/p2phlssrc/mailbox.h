/* p2phlssrc: what other threads ask of the worker.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any but the worker for p2p_mailbox_call(), the owner of the worker
 * for new and free, any for the rest. Shared state, one lock, never held while
 * calling out.
 */
#pragma once

#include "outqueue.h"
#include "ports/event.h"

G_BEGIN_DECLS

typedef struct _P2pMailbox P2pMailbox;

/**
 * P2pMailKind:
 * @P2P_MAIL_REQUEST: @queue is the request's, @request says what is wanted
 * @P2P_MAIL_CANCEL: the player no longer wants request @id
 * @P2P_MAIL_DRAINED: the queue of request @id has room again
 * @P2P_MAIL_STYLE: the player of request @id wants the playlist in the style
 *   of @request
 * @P2P_MAIL_CALL: run @call with @data
 */
typedef enum
{
  P2P_MAIL_REQUEST,
  P2P_MAIL_CANCEL,
  P2P_MAIL_DRAINED,
  P2P_MAIL_STYLE,
  P2P_MAIL_CALL,
} P2pMailKind;

typedef struct
{
  P2pMailKind kind;
  guint64 id;
  P2pOutQueue *queue;
  P2pRequest request;
  void (*call) (gpointer data);
  gpointer data;
  GDestroyNotify destroy;
  gboolean *done; /* p2p_mailbox_call() waits for it; guarded by the lock */
} P2pMail;

/**
 * P2pMailFunc:
 * @user_data: what the mailbox was made with
 * @mail: (transfer none): one letter, in the order of posting
 */
typedef void (*P2pMailFunc) (gpointer user_data, const P2pMail *mail);

/* @context: the worker's. Letters may be posted at once; they wait until the
 * worker runs its context. */
P2pMailbox *p2p_mailbox_new (
    GMainContext *context, P2pMailFunc func, gpointer user_data);

/* Letters that nobody has read are thrown away; whoever waits for one in
 * p2p_mailbox_call() would wait for ever, so the owner must not allow it. */
void p2p_mailbox_free (P2pMailbox *mailbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pMailbox, p2p_mailbox_free)

/* Each posts one letter and returns at once. */
void p2p_mailbox_request (
    P2pMailbox *mailbox, P2pOutQueue *queue, const P2pRequest *request);
void p2p_mailbox_cancel (P2pMailbox *mailbox, guint64 id);
void p2p_mailbox_drained (P2pMailbox *mailbox, guint64 id);
void p2p_mailbox_style (
    P2pMailbox *mailbox, guint64 id, P2pPlaylistStyle style);
void p2p_mailbox_post (P2pMailbox *mailbox, void (*call) (gpointer data),
    gpointer data, GDestroyNotify destroy);

/* Runs @call on the worker and waits until it has returned. Never from the
 * worker itself. */
void p2p_mailbox_call (
    P2pMailbox *mailbox, void (*call) (gpointer data), gpointer data);

G_END_DECLS

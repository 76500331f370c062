/* p2phlssrc: what all sources of one pipeline share.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any but the worker, unless said otherwise.
 */
#pragma once

#include "config.h"
#include "worker.h"

G_BEGIN_DECLS

/* The type of the GstContext that carries a session to other elements. */
#define P2P_SESSION_CONTEXT "gst.p2phls.session"

/**
 * P2pSession:
 *
 * A worker and the elements that use it, its members. It lives from its first
 * member to its last one: contexts stay in bins long after that, so a
 * reference keeps this struct but no worker. A session that has lost its last
 * member is over and takes no new one.
 */
typedef struct _P2pSession P2pSession;

#define P2P_TYPE_SESSION (p2p_session_get_type ())
GType p2p_session_get_type (void);

P2pSession *p2p_session_ref (P2pSession *session);
void p2p_session_unref (P2pSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pSession, p2p_session_unref)

/* A session with @member as its first one. @config is @settings, read.
 * Returns: (transfer full). */
P2pSession *p2p_session_new (
    const P2pSettings *settings, P2pConfig *config, GstElement *member);

/**
 * p2p_session_join:
 * @session: a session, perhaps over
 * @member: an element that is in no session
 * @settings: what the user has set on it
 *
 * What is explicit in @settings becomes the session's, but for `p2p`: that
 * says whether @member itself asks peers. What a running session cannot
 * change is logged and left.
 *
 * Returns: whether @member is in; the session may be over.
 */
gboolean p2p_session_join (
    P2pSession *session, GstElement *member, const P2pSettings *settings);

/* Finds the newest live session whose settings agree with what is explicit
 * in @settings, and joins it. For elements that no context reaches. Returns:
 * (transfer full) (nullable). */
P2pSession *p2p_session_join_any (
    GstElement *member, const P2pSettings *settings);

/* The last member's leaving ends the worker, and waits for that. */
void p2p_session_leave (P2pSession *session, GstElement *member);

/* The user has set @setting on @member while it is in @session. Returns:
 * whether the value can be used. */
gboolean p2p_session_reconfigure (P2pSession *session, GstElement *member,
    const P2pSettings *settings, P2pSetting setting, GError **error);

/* Whether peers are asked by members that say nothing about it. */
gboolean p2p_session_get_p2p (P2pSession *session);

/* The worker, which stays until p2p_session_exit() whoever leaves meanwhile.
 * Returns: (nullable): %NULL when the session is over: no exit then. Threads:
 * any. */
P2pWorker *p2p_session_enter (P2pSession *session);
void p2p_session_exit (P2pSession *session);

/* Returns: (transfer full). */
GstContext *p2p_session_to_context (P2pSession *session);

/* Returns: (transfer full) (nullable): %NULL if it carries none. */
P2pSession *p2p_session_from_context (GstContext *context);

G_END_DECLS

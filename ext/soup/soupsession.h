/* p2phlssrc: one SoupSession for each distinct set of session-wide settings.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: worker.
 */
#pragma once

#include "ports/http.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * p2p_soup_prepare:
 *
 * To be called before a #SoupSession is made. GLib initialises a class under a
 * lock that registering a type with interfaces takes, too, and the class of
 * sessions registers #GInetSocketAddress: with a thread that is registering it
 * just then, each would wait for the other for ever.
 */
void p2p_soup_prepare (void);

/**
 * P2pSoupSessions:
 *
 * A small cache, most recently used first. A session that falls out of it
 * lives on until its last request has ended.
 */
typedef struct
{
  GQueue entries;
} P2pSoupSessions;

void p2p_soup_sessions_init (P2pSoupSessions *sessions);

/* Aborts and forgets every session of ours. */
void p2p_soup_sessions_clear (P2pSoupSessions *sessions);

/**
 * p2p_soup_sessions_get:
 * @sessions: the cache
 * @profile: how a request is to be made
 * @error: (out): why @profile cannot be used
 *
 * Finds or makes the session for @profile: the application's own if it gave
 * one (libsoup 3.2 lets several threads send on one session, and nothing
 * else), else one that
 * shares proxy, TLS settings, timeout and logging with @profile, and has no
 * other login. Strictness is part of it because libsoup keeps a connection
 * that was accepted without verification for later messages. A @profile
 * without a login gets the session used last, with its login.
 *
 * Returns: (transfer full) (nullable): the session
 * Errors: %G_FILE_ERROR or %G_TLS_ERROR when the CA file cannot be read.
 */
SoupSession *p2p_soup_sessions_get (
    P2pSoupSessions *sessions, P2pHttpProfile *profile, GError **error);

G_END_DECLS

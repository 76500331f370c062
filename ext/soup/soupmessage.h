/* p2phlssrc: between the HTTP port's values and SoupMessage.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: worker.
 */
#pragma once

#include "ports/http.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* A URI of one of two schemes with a host, as libsoup insists on; %NULL for
 * any other. Returns: (transfer full) (nullable). */
GUri *p2p_soup_parse_uri (
    const char *text, const char *scheme, const char *secure);

/**
 * p2p_soup_message_build:
 * @uri: http: or https:
 * @range: bytes wanted
 * @profile: how to ask
 *
 * Makes the message with every header that @profile and @range call for. No
 * signal is connected but the two that need nothing but @profile:
 * authentication, and acceptance of any certificate when it is not strict.
 *
 * Returns: (transfer full) (nullable): the message, %NULL for a URI that
 *   cannot be requested.
 */
SoupMessage *p2p_soup_message_build (
    const char *uri, const P2pRange *range, P2pHttpProfile *profile);

/**
 * P2pSoupRedirects:
 *
 * What the hops of one request add up to.
 */
typedef struct
{
  guint hops;
  guint permanent_hops;
} P2pSoupRedirects;

/* Once the final headers are there. Returns: (transfer full). */
P2pHttpResponse *p2p_soup_message_response (SoupMessage *message,
    const char *asked_uri, const P2pRange *range,
    const P2pSoupRedirects *redirects);

/* The server answered, but not with the body. Returns: (transfer full). */
P2pHttpFailure *p2p_soup_message_refusal (SoupMessage *message,
    const char *asked_uri, const P2pSoupRedirects *redirects);

/* libsoup or GIO gave up. Returns: (transfer full). */
P2pHttpFailure *p2p_soup_message_breakage (SoupMessage *message,
    const char *asked_uri, const P2pSoupRedirects *redirects,
    const GError *error);

/* The kind that @error is. */
P2pHttpFailureKind p2p_soup_failure_kind (const GError *error);

G_END_DECLS

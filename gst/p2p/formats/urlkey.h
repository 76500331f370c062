/* p2phlssrc: URLs resolved as browsers do, and made comparable.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Only http: and https:. Source: WHATWG URL (read 2026-11),
 * RFC 3986; docs/design/registry.md.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * P2pUrlBase:
 *
 * A URL taken apart once, so that the many references of one playlist
 * resolve quickly.
 */
typedef struct _P2pUrlBase P2pUrlBase;

/* Returns: (transfer full) (nullable): %NULL: not an http(s) URL. */
P2pUrlBase *p2p_url_base_new (const char *url);
void p2p_url_base_free (P2pUrlBase *base);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pUrlBase, p2p_url_base_free)

/**
 * p2p_url_resolve:
 * @base: (nullable): what a relative reference is relative to
 * @reference: as a playlist writes it
 * @out: (out): cleared, then given the URL to ask for
 *
 * Scheme and host in lower case, no default port, no dot segments, no
 * fragment; what a browser would encode is encoded, what is encoded stays.
 *
 * Returns: %FALSE: not an http(s) URL; @out is empty.
 */
gboolean p2p_url_resolve (
    const P2pUrlBase *base, const char *reference, GString *out);

/**
 * p2p_url_key:
 * @url: (inout): a URL that p2p_url_resolve() made
 *
 * Makes equal what differs in spelling only: unreserved characters are not
 * percent-encoded, others that are no delimiters always are, hexadecimal
 * digits are capitals, query parameters named CMCD (CTA-5004) are gone.
 */
void p2p_url_key (GString *url);

/* Both of the above for a URL as a player spells it. Returns: (transfer full)
 * (nullable): %NULL: not an http(s) URL. */
char *p2p_url_key_of (const char *url);

/**
 * p2p_url_network_path_key:
 * @key: what p2p_url_key_of() made
 *
 * "//host/path" (RFC 3986, 4.2) is on another host than the playlist, but
 * hlsdemux writes it behind the playlist's own host, as if it were a path.
 *
 * Returns: (transfer full) (nullable): the key of what was meant, %NULL when
 * @key does not look like that.
 */
char *p2p_url_network_path_key (const char *key);

G_END_DECLS

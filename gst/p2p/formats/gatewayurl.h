/* p2phlssrc: addresses of the loopback gateway.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Source: docs/design/gateway.md.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * p2p_gateway_path:
 * @key: the gateway's secret
 * @url: what is to be had there, http: or https:
 *
 * Returns: (transfer full) (nullable): "/code/https/host/path?query", where
 * the code is a keyed hash of all but the query: whoever does not know @key
 * cannot make one. %NULL: no http(s) URL.
 */
char *p2p_gateway_path (const char *key, const char *url);

/**
 * p2p_gateway_read:
 * @key: the gateway's secret
 * @path: (nullable): of a request, percent-encoded
 * @query: (nullable): of a request, percent-encoded
 *
 * The way back. Returns: (transfer full) (nullable): %NULL: we never gave out
 * such a path.
 */
char *p2p_gateway_read (const char *key, const char *path, const char *query);

/**
 * p2p_gateway_rewrite:
 * @playlist: as the origin wrote it
 * @url: where it was found, after redirects
 * @key: the gateway's secret
 *
 * Leads every http(s) URI of the playlist, relative ones too, to the gateway.
 *
 * Returns: (transfer full): the playlist for the gateway's clients.
 */
GBytes *p2p_gateway_rewrite (
    GBytes *playlist, const char *url, const char *key);

G_END_DECLS

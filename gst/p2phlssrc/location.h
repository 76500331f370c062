/* p2phlssrc: what the user asks for, and who else could answer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Plain values.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* In front of http: and https:, it keeps a stream on this element. */
#define P2P_SCHEME_PREFIX "p2phls+"

/* The protocols of GstURIHandler, NULL-terminated. */
const char *const *p2p_location_protocols (void);

/* What is stored for what the user gave: souphttpsrc understands icy: and
 * icyx: as http:. Returns: (transfer full). */
char *p2p_location_normalize (const char *uri);

gboolean p2p_location_has_prefix (const char *location);

/* The URI to request, a part of @location. Returns: (nullable): %NULL when it
 * is neither http: nor https:. */
const char *p2p_location_request_uri (const char *location);

/* @uri with the prefix. Returns: (transfer full). */
char *p2p_location_with_prefix (const char *uri);

/* Whether an http: or https: URI would be given to another element than
 * @factory's: one of the same or a higher rank. Reads the registry. */
gboolean p2p_location_is_outranked (GstElementFactory *factory);

G_END_DECLS

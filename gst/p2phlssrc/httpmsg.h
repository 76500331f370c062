/* p2phlssrc: HTTP's answers as what GStreamer knows.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <gst/gst.h>

#include "ports/http.h"

G_BEGIN_DECLS

/**
 * p2p_http_headers_structure:
 * @location: what was asked
 * @status: HTTP's, 0 when there was no answer
 * @redirection_uri: (nullable): where it was found
 * @request_headers: (nullable): name, value, …, NULL
 * @response_headers: (nullable): likewise
 *
 * Returns: (transfer full): the structure that souphttpsrc posts and pushes
 * under the name `http-headers`.
 */
GstStructure *p2p_http_headers_structure (const char *location, guint status,
    const char *redirection_uri, char **request_headers,
    char **response_headers);

/* The caps that follow from an answer's @headers (name, value, …, NULL): radio
 * with titles in between, raw audio of RFC 2586. Returns: (transfer full)
 * (nullable): %NULL for any. */
GstCaps *p2p_http_caps (char **headers);

/* What a radio station says about itself. Returns: (transfer full)
 * (nullable). */
GstTagList *p2p_http_tags (char **headers);

/* Posts the error that souphttpsrc posts for an HTTP status. */
void p2p_http_post_status_error (GstElement *element, const char *location,
    const char *redirection_uri, guint status, const char *reason);

G_END_DECLS

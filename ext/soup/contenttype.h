/* p2phlssrc: media types by the ends of names.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a resource is whose path ends as @path does, "application/octet-stream"
 * when that tells nothing. Source: RFC 8216bis-15, 4 and 10; IANA's registry
 * of media types. */
const char *p2p_content_type (const char *path);

G_END_DECLS

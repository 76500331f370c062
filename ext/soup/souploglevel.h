/* p2phlssrc: the type of souphttpsrc's http-log-level.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* SoupLoggerLogLevel, for an element that does not know libsoup. */
GType p2p_soup_log_level_get_type (void);

G_END_DECLS

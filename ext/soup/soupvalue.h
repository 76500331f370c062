/* p2phlssrc: an application's SoupSession, found in a value.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* For an element that does not know libsoup. Returns: (transfer full)
 * (nullable): the SoupSession in @value; %NULL when it holds anything else, or
 * nothing. */
GObject *p2p_soup_session_from_value (const GValue *value);

G_END_DECLS

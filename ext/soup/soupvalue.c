/* p2phlssrc: an application's SoupSession, found in a value.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soupvalue.h"

#include <libsoup/soup.h>

GObject *
p2p_soup_session_from_value (const GValue *value)
{
  GObject *object = NULL;

  if (value != NULL && G_VALUE_HOLDS_OBJECT (value))
    object = g_value_get_object (value);

  return SOUP_IS_SESSION (object) ? g_object_ref (object) : NULL;
}

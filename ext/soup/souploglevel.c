/* p2phlssrc: the type of souphttpsrc's http-log-level.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "souploglevel.h"

#include <libsoup/soup.h>

GType
p2p_soup_log_level_get_type (void)
{
  return soup_logger_log_level_get_type ();
}

/* p2phlssrc: the plugin.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gstlog.h"
#include "gstp2phlssrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  p2p_gst_log_init ();

  return GST_ELEMENT_REGISTER (p2phlssrc, plugin);
}

#define PACKAGE "p2phlssrc"

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, p2phls,
    "HLS over HTTP, shared with other viewers over WebRTC", plugin_init,
    PACKAGE_VERSION, "LGPL", "p2phlssrc", "Unknown package origin")

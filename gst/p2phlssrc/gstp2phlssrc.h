/* p2phlssrc: the element.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: app and streaming, as GStreamer calls.
 */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_P2P_HLS_SRC (gst_p2p_hls_src_get_type ())
G_DECLARE_FINAL_TYPE (
    GstP2pHlsSrc, gst_p2p_hls_src, GST, P2P_HLS_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (p2phlssrc);

G_END_DECLS

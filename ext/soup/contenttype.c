/* p2phlssrc: media types by the ends of names.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "contenttype.h"

const char *
p2p_content_type (const char *path)
{
  static const struct
  {
    const char *suffix;
    const char *type;
  } types[] = {
    { ".m3u8", "application/vnd.apple.mpegurl" },
    { ".mpd", "application/dash+xml" },
    { ".ts", "video/mp2t" },
    { ".m4s", "video/iso.segment" },
    { ".mp4", "video/mp4" },
    { ".m4v", "video/mp4" },
    { ".cmfv", "video/mp4" },
    { ".m4a", "audio/mp4" },
    { ".cmfa", "audio/mp4" },
    { ".aac", "audio/aac" },
    { ".mp3", "audio/mpeg" },
    { ".vtt", "text/vtt" },
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".mjs", "text/javascript; charset=utf-8" },
    { ".json", "application/json" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    if (g_str_has_suffix (path, types[i].suffix))
      return types[i].type;
  }

  return "application/octet-stream";
}

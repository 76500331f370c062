/* p2phlssrc: the demonstration's stream.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "media.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

#define FRAMES_PER_SECOND 15
#define SEGMENT_SECONDS 2

typedef struct
{
  const char *name;
  int width, height;
  int video_kbps;
} Variant;

static const Variant variants[] = {
  { "low", 320, 180, 300 },
  { "high", 640, 360, 800 },
};

/* A ball that swings, a tick each second: whoever opens the stream in a player
 * sees at once whether it runs. */
static char *
describe (const Variant *variant, const char *folder, guint seconds)
{
  return g_strdup_printf (
      "hlssink2 name=out target-duration=%d max-files=0 playlist-length=0 "
      "location=\"%s/%%05d.ts\" playlist-location=\"%s/media.m3u8\" "
      "videotestsrc name=source pattern=ball num-buffers=%u ! "
      "video/x-raw,width=%d,height=%d,framerate=%d/1 ! "
      "x264enc speed-preset=ultrafast bitrate=%d key-int-max=%d ! h264parse ! "
      "out.video "
      "audiotestsrc wave=ticks num-buffers=%u samplesperbuffer=1024 ! "
      "audio/x-raw,rate=48000,channels=2 ! avenc_aac bitrate=64000 ! "
      "aacparse ! out.audio",
      SEGMENT_SECONDS, folder, folder, seconds * FRAMES_PER_SECOND,
      variant->width, variant->height, FRAMES_PER_SECOND, variant->video_kbps,
      SEGMENT_SECONDS * FRAMES_PER_SECOND, seconds * 48000 / 1024);
}

/* Waits for the end, and tells how far the pipeline is. */
static gboolean
run (GstElement *pipeline, guint seconds, int begin, int share,
    P2pDemoProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, GST_SECOND / 5, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    gint64 position = 0;

    if (message == NULL) {
      gst_element_query_position (pipeline, GST_FORMAT_TIME, &position);
      progress (
          begin + (int) (position * share / (seconds * GST_SECOND)), user_data);
      continue;
    }
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, error, NULL);
    return GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  }
}

static gboolean
encode (const Variant *variant, const char *folder, guint seconds, int begin,
    int share, P2pDemoProgress progress, gpointer user_data, GError **error)
{
  g_autofree char *own = g_build_filename (folder, variant->name, NULL);
  g_autofree char *description = describe (variant, own, seconds);
  g_autoptr (GstElement) pipeline = gst_parse_launch_full (
      description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  gboolean done;

  if (pipeline == NULL)
    return FALSE;
  g_mkdir_with_parents (own, 0755);
  done = run (pipeline, seconds, begin, share, progress, user_data, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return done;
}

static gboolean
write_master (const char *folder, GError **error)
{
  g_autoptr (GString) text = g_string_new ("#EXTM3U\n#EXT-X-VERSION:3\n");
  g_autofree char *path = g_build_filename (folder, "master.m3u8", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (variants); i++)
    g_string_append_printf (text,
        "#EXT-X-STREAM-INF:BANDWIDTH=%d,RESOLUTION=%dx%d\n%s/media.m3u8\n",
        (variants[i].video_kbps + 150) * 1000, variants[i].width,
        variants[i].height, variants[i].name);
  return g_file_set_contents (path, text->str, -1, error);
}

char *
p2p_demo_media_make (
    guint seconds, P2pDemoProgress progress, gpointer user_data, GError **error)
{
  g_autofree char *name = g_strdup_printf ("demo-%us", seconds);
  g_autofree char *folder =
      g_build_filename (g_get_user_cache_dir (), "p2phlssrc", name, NULL);
  g_autofree char *master = g_build_filename (folder, "master.m3u8", NULL);
  int share = 100 / (int) G_N_ELEMENTS (variants);

  /* The master playlist is written last: where it is, all is. */
  if (g_file_test (master, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&folder);

  for (guint i = 0; i < G_N_ELEMENTS (variants); i++)
    if (!encode (&variants[i], folder, seconds, (int) i * share, share,
            progress, user_data, error))
      return NULL;
  if (!write_master (folder, error))
    return NULL;
  return g_steal_pointer (&folder);
}

/* p2phlssrc: GstPlay, the library's player.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Its library is there wherever hlsdemux is. Its headers are in a package that
 * wants OpenCV and hundreds of megabytes with it, and Python's bindings want
 * Debian's own Python; so the few functions are looked up by name.
 */
#include "engine.h"

#include <gmodule.h>

static struct
{
  gpointer (*new) (gpointer renderer);
  GstElement *(*get_pipeline) (gpointer play);
  void (*set_uri) (gpointer play, const char *uri);
  void (*play) (gpointer play);
  void (*pause) (gpointer play);
  void (*stop) (gpointer play);
  void (*seek) (gpointer play, GstClockTime position);
  gboolean (*set_audio_track) (gpointer play, int track);
} gst_play;

static void
look_up (GModule *library, const char *name, gpointer function)
{
  if (!g_module_symbol (library, name, function))
    g_error ("%s", g_module_error ());
}

static void
load (void)
{
  GModule *library = g_module_open ("libgstplay-1.0.so.0", G_MODULE_BIND_LAZY);

  if (library == NULL)
    g_error ("%s", g_module_error ());
  g_module_make_resident (library);
  look_up (library, "gst_play_new", &gst_play.new);
  look_up (library, "gst_play_get_pipeline", &gst_play.get_pipeline);
  look_up (library, "gst_play_set_uri", &gst_play.set_uri);
  look_up (library, "gst_play_play", &gst_play.play);
  look_up (library, "gst_play_pause", &gst_play.pause);
  look_up (library, "gst_play_stop", &gst_play.stop);
  look_up (library, "gst_play_seek", &gst_play.seek);
  look_up (library, "gst_play_set_audio_track", &gst_play.set_audio_track);
}

static gpointer
gstplay_open (const char *uri, Watch *watch)
{
  g_autoptr (GstElement) pipeline = NULL;
  gpointer play;

  load ();
  play = gst_play.new(NULL);
  pipeline = gst_play.get_pipeline (play);
  g_object_set (pipeline, "video-sink", watch_sink (watch, "video"),
      "audio-sink", watch_sink (watch, "audio"), NULL);
  gst_play.set_uri (play, uri);

  return play;
}

static GstElement *
gstplay_pipeline (gpointer self)
{
  /* The player holds it as long as it lives. */
  g_autoptr (GstElement) pipeline = gst_play.get_pipeline (self);

  return pipeline;
}

static void
gstplay_set_playing (gpointer self, gboolean playing)
{
  if (playing)
    gst_play.play (self);
  else
    gst_play.pause (self);
}

static void
gstplay_seek (gpointer self, GstClockTime position)
{
  gst_play.seek (self, position);
}

static void
gstplay_set_audio (gpointer self, guint track)
{
  if (!gst_play.set_audio_track (self, (int) track))
    g_printerr ("there is no audio track %u\n", track);
}

/* Its own thread stops the pipeline; until then it is not let go of. */
static void
gstplay_close (gpointer self)
{
  g_autoptr (GstElement) pipeline = gst_play.get_pipeline (self);

  gst_play.stop (self);
  while (GST_STATE (pipeline) > GST_STATE_READY)
    g_usleep (G_USEC_PER_SEC / 100);
  gst_object_unref (self);
}

const Engine engine_gstplay = {
  .name = "gstplay",
  .open = gstplay_open,
  .pipeline = gstplay_pipeline,
  .set_playing = gstplay_set_playing,
  .seek = gstplay_seek,
  .set_audio = gstplay_set_audio,
  .close = gstplay_close,
  .buffers_itself = TRUE,
};

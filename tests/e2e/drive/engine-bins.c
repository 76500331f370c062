/* p2phlssrc: playbin, playbin3 and uridecodebin.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "engine.h"

static void
bin_set_playing (gpointer self, gboolean playing)
{
  gst_element_set_state (self, playing ? GST_STATE_PLAYING : GST_STATE_PAUSED);
}

static void
bin_seek (gpointer self, GstClockTime position)
{
  if (!gst_element_seek_simple (self, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, (gint64) position))
    g_printerr ("the seek is refused\n");
}

static GstElement *
bin_pipeline (gpointer self)
{
  return self;
}

static void
bin_close (gpointer self)
{
  gst_element_set_state (self, GST_STATE_NULL);
  gst_object_unref (self);
}

/* --- playbin -------------------------------------------------------------*/

static gpointer
open_playbin (const char *factory, const char *uri, Watch *watch)
{
  GstElement *playbin = gst_element_factory_make (factory, NULL);

  g_object_set (playbin, "uri", uri, "video-sink", watch_sink (watch, "video"),
      "audio-sink", watch_sink (watch, "audio"), NULL);

  return gst_object_ref_sink (playbin);
}

static gpointer
playbin_open (const char *uri, Watch *watch)
{
  return open_playbin ("playbin", uri, watch);
}

static gpointer
playbin3_open (const char *uri, Watch *watch)
{
  return open_playbin ("playbin3", uri, watch);
}

static void
playbin_set_audio (gpointer self, guint track)
{
  g_object_set (self, "current-audio", (int) track, NULL);
}

const Engine engine_playbin = {
  .name = "playbin",
  .open = playbin_open,
  .pipeline = bin_pipeline,
  .set_playing = bin_set_playing,
  .seek = bin_seek,
  .set_audio = playbin_set_audio,
  .close = bin_close,
};

/* --- playbin3 ------------------------------------------------------------*/

/* The first video stream and one of the audio streams. */
static void
playbin3_set_audio (gpointer self, guint track)
{
  GstStreamCollection *collection =
      g_object_get_data (self, "stream-collection");
  GList *chosen = NULL;
  gboolean has_video = FALSE;

  if (collection == NULL)
    return;
  for (guint i = 0; i < gst_stream_collection_get_size (collection); i++) {
    GstStream *stream = gst_stream_collection_get_stream (collection, i);
    GstStreamType type = gst_stream_get_stream_type (stream);
    gboolean is_wanted =
        type == GST_STREAM_TYPE_VIDEO ? !has_video : track-- == 0;

    if (is_wanted)
      chosen =
          g_list_append (chosen, (char *) gst_stream_get_stream_id (stream));
    has_video = has_video || type == GST_STREAM_TYPE_VIDEO;
  }
  gst_element_send_event (self, gst_event_new_select_streams (chosen));
  g_list_free (chosen);
}

const Engine engine_playbin3 = {
  .name = "playbin3",
  .open = playbin3_open,
  .pipeline = bin_pipeline,
  .set_playing = bin_set_playing,
  .seek = bin_seek,
  .set_audio = playbin3_set_audio,
  .close = bin_close,
};

/* --- uridecodebin --------------------------------------------------------*/

/* The pads of a variant go, and those of another come: the sinks stay. */
static void
on_pad_added (GstElement *decoder, GstPad *pad, gpointer data)
{
  GstBin *pipeline = data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const char *media = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  g_autoptr (GstElement) sink = gst_bin_get_by_name (
      pipeline, g_str_has_prefix (media, "video/") ? "video" : "audio");
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");

  gst_pad_link (pad, sink_pad);
}

static void
remove_unlinked (GstBin *pipeline, const char *name)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (pipeline, name);

  if (sink == NULL || gst_pad_is_linked (GST_PAD (sink->sinkpads->data)))
    return;
  gst_bin_remove (pipeline, sink);
  gst_element_set_state (sink, GST_STATE_NULL);
}

static gboolean
remove_unlinked_sinks (gpointer data)
{
  remove_unlinked (data, "video");
  remove_unlinked (data, "audio");

  return G_SOURCE_REMOVE;
}

/* An image has no sound, a radio has no picture. The main thread may be in the
 * middle of a state change: it removes the sink when it has come through. */
static void
on_no_more_pads (GstElement *decoder, gpointer data)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, remove_unlinked_sinks,
      gst_object_ref (data), gst_object_unref);
}

/* In the pipeline from the beginning, so that it waits for them. */
static void
add_sink (GstBin *pipeline, Watch *watch, const char *kind)
{
  GstElement *sink = watch_sink (watch, kind);

  gst_object_set_name (GST_OBJECT (sink), kind);
  gst_bin_add (pipeline, sink);
}

static gpointer
uridecodebin_open (const char *uri, Watch *watch)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *decoder = gst_element_factory_make ("uridecodebin", NULL);

  g_object_set (decoder, "uri", uri, NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (on_pad_added), pipeline);
  g_signal_connect (
      decoder, "no-more-pads", G_CALLBACK (on_no_more_pads), pipeline);
  gst_bin_add (GST_BIN (pipeline), decoder);
  add_sink (GST_BIN (pipeline), watch, "video");
  add_sink (GST_BIN (pipeline), watch, "audio");

  return gst_object_ref_sink (pipeline);
}

const Engine engine_uridecodebin = {
  .name = "uridecodebin",
  .open = uridecodebin_open,
  .pipeline = bin_pipeline,
  .set_playing = bin_set_playing,
  .seek = bin_seek,
  .close = bin_close,
};

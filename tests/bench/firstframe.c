/* p2phlssrc: how long a player shows nothing.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Plays the URI with playbin until a first frame is decoded, and prints the
 * milliseconds from the beginning to it as a line of JSON.
 */
#include <gst/gst.h>

#include <stdio.h>

/* Nobody waits longer for a picture. */
#define PATIENCE (60 * GST_SECOND)

static GstElement *
make (const char *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element == NULL)
    g_error ("no element %s", factory);

  return element;
}

/* In the streaming thread: the pipeline has nothing else to say. */
static void
on_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer pipeline)
{
  gst_element_post_message (pipeline,
      gst_message_new_application (
          pipeline, gst_structure_new_empty ("first-frame")));
}

static GstElement *
new_player (const char *uri)
{
  GstElement *playbin = make ("playbin");
  GstElement *frames = make ("fakesink");

  g_object_set (frames, "signal-handoffs", TRUE, NULL);
  g_signal_connect (frames, "preroll-handoff", G_CALLBACK (on_frame), playbin);
  g_object_set (playbin, "uri", uri, "video-sink", frames, "audio-sink",
      make ("fakesink"), NULL);

  return playbin;
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElement) playbin = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  gint64 began_us;
  gboolean is_good;

  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("usage: firstframe URI\n");
    return 2;
  }
  playbin = gst_object_ref_sink (new_player (argv[1]));
  bus = gst_element_get_bus (playbin);
  began_us = g_get_monotonic_time ();
  gst_element_set_state (playbin, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_APPLICATION | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  is_good =
      message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION;
  if (is_good)
    printf ("{\"first-frame-ms\": %.3f}\n",
        (g_get_monotonic_time () - began_us) / 1000.0);
  else
    g_printerr ("no frame\n");
  gst_element_set_state (playbin, GST_STATE_NULL);

  return is_good ? 0 : 1;
}

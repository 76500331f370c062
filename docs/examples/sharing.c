/* Plays a stream, and prints each second what sharing does for it.
 * cc sharing.c -o sharing $(pkg-config --cflags --libs gstreamer-1.0) */
#include <gst/gst.h>

static void
print_stats (const char *when, const GstStructure *stats)
{
  guint64 origin = 0, peers = 0, given = 0;
  guint connected = 0;

  gst_structure_get (stats, "http-bytes", G_TYPE_UINT64, &origin, "p2p-bytes",
      G_TYPE_UINT64, &peers, "upload-bytes", G_TYPE_UINT64, &given, "peers",
      G_TYPE_UINT, &connected, NULL);
  g_print ("%s: origin %.0f kB, peers %.0f kB, given %.0f kB, connected %u\n",
      when, origin / 1e3, peers / 1e3, given / 1e3, connected);
}

/* playbin makes the source; what is no http: URI has another one. */
static void
on_source_setup (GstElement *playbin, GstElement *source, gpointer kept)
{
  if (!g_str_equal (G_OBJECT_TYPE_NAME (source), "GstP2pHlsSrc"))
    return;
  g_object_set (source, "stats-interval", 1000, NULL);
  gst_object_replace (kept, GST_OBJECT (source));
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElement) playbin = NULL, source = NULL;
  g_autoptr (GstStructure) stats = NULL;
  g_autoptr (GstBus) bus = NULL;
  gboolean playing = TRUE;

  gst_init (&argc, &argv);
  playbin = gst_element_factory_make ("playbin", NULL);
  bus = gst_element_get_bus (playbin);
  g_object_set (playbin, "uri", argv[1], NULL); /* p2phls+https://… */
  g_signal_connect (
      playbin, "source-setup", G_CALLBACK (on_source_setup), &source);
  gst_element_set_state (playbin, GST_STATE_PLAYING);

  while (playing) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (bus, -1);

    if (gst_message_has_name (message, "p2phls-stats"))
      print_stats ("now", gst_message_get_structure (message));
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      gst_printerrln ("%" GST_PTR_FORMAT, message);
    playing =
        !(GST_MESSAGE_TYPE (message) & (GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  }
  if (source != NULL) {
    g_object_get (source, "stats", &stats, NULL);
    print_stats ("in the end", stats);
  }
  gst_element_set_state (playbin, GST_STATE_NULL);
  return 0;
}

/* p2phlssrc: a viewer without a screen, for demonstrations and measurements.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Plays one HLS stream through a demuxer at the pace of its timestamps, as a
 * player would, but parses instead of decoding, so that ten of them fit on a
 * small machine. Says what happens as lines of JSON: one each second, and one
 * with "final": true.
 *
 * The source element is whatever GStreamer finds for the URI:
 * p2phls+http:// is p2phlssrc, http:// is souphttpsrc.
 */
#include "statsjson.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* A buffer that comes to the player's queue later than this after it was due is
 * a stall that a viewer would see; earlier ones hide in a player's own latency
 * and in the noise of a shared machine. */
#define STALL_US (300 * G_TIME_SPAN_MILLISECOND)
/* What playbin keeps between demuxer and decoders for adaptive streams. */
#define QUEUE_TIME (5 * GST_SECOND)

/* What the demuxer says of a fragment that it has. */
typedef struct
{
  char *uri;
  gint64 wall_ms;
  gint64 download_ms; /* from request to end: what it measures */
} Fragment;

typedef struct
{
  GMainLoop *loop;
  GstElement *pipeline;
  GstElement *source;
  GstElement *demux;
  gint64 started_us;
  guint n_outputs;
  int exit_code;
  char *error; /* (nullable) */
  int http_status;
  gboolean ended;
  GArray *fragments; /* of Fragment, since the last report */

  /* The rest is shared with the streaming threads. */
  GMutex lock;
  GCond wake; /* the pace is given up */
  gboolean quit;
  gboolean flushing;
  gint64 epoch_us;  /* when running time 0 is due; 0: nothing has come yet */
  gint64 origin_us; /* running time of the first buffer */
  gint64 first_us;  /* first bytes out of the demuxer */
  gint64 played_us;
  gint64 stalled_us;
  gint64 starved_us; /* it was there in time, and no processor to play it */
  gint64 latest_us;  /* worst lateness that was no stall */
  guint stalls;
  guint64 bytes; /* out of the demuxer */
} Viewer;

static char *opt_uri;
static int opt_seconds;
static int opt_kbps;
static gboolean opt_flat_out;
static gboolean opt_linger;
static int opt_behind;
static char *opt_dump;
static char *opt_demuxer = "hlsdemux";
static char **opt_rest;

static const GOptionEntry entries[] = {
  { "seconds", 's', 0, G_OPTION_ARG_INT, &opt_seconds,
      "Leave after SECONDS (default: at the end of the stream)", "SECONDS" },
  { "connection-speed", 'c', 0, G_OPTION_ARG_INT, &opt_kbps,
      "Keep the demuxer on the best variant below KBPS", "KBPS" },
  { "flat-out", 'f', 0, G_OPTION_ARG_NONE, &opt_flat_out,
      "As fast as bytes come, without parsing", NULL },
  { "behind", 'b', 0, G_OPTION_ARG_INT, &opt_behind,
      "Go back SECONDS from the edge of a live stream, or as far as it goes",
      "SECONDS" },
  { "linger", 'l', 0, G_OPTION_ARG_NONE, &opt_linger,
      "Stay in the swarm at the end of the stream", NULL },
  { "demuxer", 'x', 0, G_OPTION_ARG_STRING, &opt_demuxer,
      "hlsdemux (default) or hlsdemux2", "NAME" },
  { "dump", 'd', 0, G_OPTION_ARG_FILENAME, &opt_dump,
      "Write what the demuxer puts out to PREFIX-0, PREFIX-1, …", "PREFIX" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_rest, NULL,
      "URI" },
  G_OPTION_ENTRY_NULL,
};

/* --- pace --------------------------------------------------------------- */

static GstCaps *
arrival_caps (void)
{
  static GstCaps *caps;

  if (g_once_init_enter (&caps))
    g_once_init_leave (
        &caps, gst_caps_new_empty_simple ("timestamp/x-arrival"));
  return caps;
}

static GstPadProbeReturn
on_arriving_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer =
      gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));

  gst_buffer_add_reference_timestamp_meta (buffer, arrival_caps (),
      (guint64) g_get_monotonic_time () * GST_USECOND, GST_CLOCK_TIME_NONE);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;

  return GST_PAD_PROBE_OK;
}

static gint64
arrived_us (GstBuffer *buffer)
{
  const GstReferenceTimestampMeta *meta =
      gst_buffer_get_reference_timestamp_meta (buffer, arrival_caps ());

  return meta != NULL ? (gint64) (meta->timestamp / GST_USECOND)
                      : g_get_monotonic_time ();
}

/* Waits until a buffer is due. A late one moves everything after it, as a
 * player that has run dry pauses. */
static void
keep_pace (Viewer *viewer, gint64 running_us, gint64 came_us)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&viewer->lock);
  gint64 now_us = g_get_monotonic_time ();
  gint64 late_us;

  if (viewer->epoch_us == 0) {
    viewer->epoch_us = now_us - running_us;
    viewer->origin_us = running_us;
    viewer->played_us = running_us;
  }

  late_us = now_us - (viewer->epoch_us + running_us);
  if (late_us > STALL_US) {
    if (came_us - (viewer->epoch_us + running_us) > STALL_US) {
      viewer->stalls++;
      viewer->stalled_us += late_us;
    } else {
      viewer->starved_us += late_us;
    }
    viewer->epoch_us += late_us;
  } else if (late_us > viewer->latest_us) {
    viewer->latest_us = late_us;
  }

  while (!viewer->quit && !viewer->flushing
      && g_get_monotonic_time () < viewer->epoch_us + running_us)
    g_cond_wait_until (
        &viewer->wake, &viewer->lock, viewer->epoch_us + running_us);

  viewer->played_us = MAX (viewer->played_us, running_us);
}

static GstPadProbeReturn
on_paced_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer viewer)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment = NULL;
  guint64 running = GST_CLOCK_TIME_NONE;

  if (event != NULL)
    gst_event_parse_segment (event, &segment);
  if (segment != NULL && segment->format == GST_FORMAT_TIME
      && GST_BUFFER_DTS_OR_PTS (buffer) != GST_CLOCK_TIME_NONE)
    running = gst_segment_to_running_time (
        segment, GST_FORMAT_TIME, GST_BUFFER_DTS_OR_PTS (buffer));
  if (running != GST_CLOCK_TIME_NONE)
    keep_pace (viewer, (gint64) (running / GST_USECOND), arrived_us (buffer));

  return GST_PAD_PROBE_OK;
}

/* After a seek, running time and pace begin anew. */
static GstPadProbeReturn
on_flush (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Viewer *viewer = data;

  g_mutex_lock (&viewer->lock);
  viewer->flushing =
      GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_FLUSH_START;
  viewer->epoch_us = 0;
  g_cond_broadcast (&viewer->wake);
  g_mutex_unlock (&viewer->lock);

  return GST_PAD_PROBE_OK;
}

/* --- pipeline ----------------------------------------------------------- */

static GstPadProbeReturn
on_demuxed_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Viewer *viewer = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&viewer->lock);

  if (viewer->first_us == 0) {
    viewer->first_us = g_get_monotonic_time ();
    if (opt_behind > 0)
      gst_element_post_message (viewer->demux,
          gst_message_new_application (GST_OBJECT (viewer->demux),
              gst_structure_new_empty ("demuxing")));
  }
  viewer->bytes += gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_dumped_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer file)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstMapInfo map;

  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    fwrite (map.data, 1, map.size, file);
    gst_buffer_unmap (buffer, &map);
  }
  return GST_PAD_PROBE_OK;
}

static void
close_dump (gpointer file)
{
  fclose (file);
}

static GstElement *
add_element (Viewer *viewer, const char *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element == NULL)
    g_error ("this viewer needs the GStreamer element %s", factory);
  gst_bin_add (GST_BIN (viewer->pipeline), element);
  return element;
}

static void
link_and_start (GstPad *pad, GstElement *element)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");

  gst_pad_link (pad, sink);
  gst_element_sync_state_with_parent (element);
}

static GstElement *
add_sink (Viewer *viewer)
{
  GstElement *sink = add_element (viewer, "fakesink");

  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  return sink;
}

/* parsebin has found an elementary stream: queue it and keep its pace. */
static void
on_parsed_pad (GstElement *parsebin, GstPad *pad, gpointer data)
{
  Viewer *viewer = data;
  GstElement *queue = add_element (viewer, "queue");
  GstElement *sink = add_sink (viewer);
  g_autoptr (GstPad) queue_pad = gst_element_get_static_pad (queue, "sink");
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");

  g_object_set (queue, "max-size-time", (guint64) QUEUE_TIME, "max-size-bytes",
      0, "max-size-buffers", 0, NULL);
  gst_pad_add_probe (
      queue_pad, GST_PAD_PROBE_TYPE_BUFFER, on_arriving_buffer, NULL, NULL);
  gst_pad_add_probe (
      sink_pad, GST_PAD_PROBE_TYPE_BUFFER, on_paced_buffer, viewer, NULL);
  gst_pad_add_probe (
      sink_pad, GST_PAD_PROBE_TYPE_EVENT_FLUSH, on_flush, viewer, NULL);
  gst_element_link (queue, sink);
  gst_element_sync_state_with_parent (sink);
  link_and_start (pad, queue);
}

static void
on_demuxed_pad (GstElement *demux, GstPad *pad, gpointer data)
{
  Viewer *viewer = data;
  GstElement *next;

  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, on_demuxed_buffer, viewer, NULL);
  if (opt_dump != NULL) {
    g_autofree char *path =
        g_strdup_printf ("%s-%u", opt_dump, viewer->n_outputs++);
    FILE *file = fopen (path, "wb");

    if (file == NULL)
      g_error ("cannot write %s", path);
    gst_pad_add_probe (
        pad, GST_PAD_PROBE_TYPE_BUFFER, on_dumped_buffer, file, close_dump);
  }

  if (opt_flat_out) {
    next = add_sink (viewer);
  } else {
    next = add_element (viewer, "parsebin");
    g_signal_connect (next, "pad-added", G_CALLBACK (on_parsed_pad), viewer);
  }
  link_and_start (pad, next);
}

static gboolean
build_pipeline (Viewer *viewer, GError **error)
{
  viewer->source =
      gst_element_make_from_uri (GST_URI_SRC, opt_uri, "source", error);
  if (viewer->source == NULL)
    return FALSE;

  viewer->pipeline = gst_pipeline_new ("viewer");
  gst_bin_add (GST_BIN (viewer->pipeline), viewer->source);
  /* The newer demuxers want to be asked which streams to give; without an
   * answer they give one of each kind. */
  GST_OBJECT_FLAG_SET (viewer->pipeline, GST_BIN_FLAG_STREAMS_AWARE);
  viewer->demux = add_element (viewer, opt_demuxer);
  if (opt_kbps > 0)
    g_object_set (viewer->demux, "connection-speed", (guint) opt_kbps, NULL);
  g_signal_connect (
      viewer->demux, "pad-added", G_CALLBACK (on_demuxed_pad), viewer);
  gst_element_link (viewer->source, viewer->demux);
  return TRUE;
}

/* --- what it says ------------------------------------------------------- */

static void
add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static gint64
resident_kib (void)
{
  g_autofree char *text = NULL;
  long pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*d %ld", &pages);
  return pages * 4;
}

static gint64
cpu_ms (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000
      + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static const char *
state_name (const Viewer *viewer)
{
  gint64 due_us = viewer->epoch_us + viewer->played_us;

  if (viewer->error != NULL)
    return "error";
  if (viewer->ended)
    return "ended";
  if (viewer->first_us == 0)
    return "starting";
  if (!opt_flat_out
      && g_get_monotonic_time () - due_us > G_TIME_SPAN_SECOND + STALL_US)
    return "stalled";
  return "playing";
}

static void
add_progress (JsonBuilder *builder, Viewer *viewer)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&viewer->lock);

  add_string (builder, "state", state_name (viewer));
  add_int (
      builder, "played-ms", (viewer->played_us - viewer->origin_us) / 1000);
  add_int (builder, "stalls", viewer->stalls);
  add_int (builder, "stalled-ms", viewer->stalled_us / 1000);
  add_int (builder, "starved-ms", viewer->starved_us / 1000);
  add_int (builder, "latest-ms", viewer->latest_us / 1000);
  add_int (builder, "bytes", (gint64) viewer->bytes);
  if (viewer->first_us != 0)
    add_int (builder, "first-buffer-us", viewer->first_us - viewer->started_us);
}

static void
add_stats (JsonBuilder *builder, Viewer *viewer)
{
  g_autoptr (GstStructure) stats = NULL;

  if (g_object_class_find_property (
          G_OBJECT_GET_CLASS (viewer->source), "stats")
      == NULL)
    return;
  g_object_get (viewer->source, "stats", &stats, NULL);
  if (stats == NULL)
    return;

  json_builder_set_member_name (builder, "stats");
  json_builder_begin_object (builder);
  p2p_stats_json_add (builder, stats);
  json_builder_end_object (builder);
}

static gint64
wall_ms (const Viewer *viewer)
{
  return (g_get_monotonic_time () - viewer->started_us) / 1000;
}

static void
add_fragments (JsonBuilder *builder, Viewer *viewer)
{
  guint i;

  json_builder_set_member_name (builder, "fragments");
  json_builder_begin_array (builder);
  for (i = 0; i < viewer->fragments->len; i++) {
    const Fragment *fragment = &g_array_index (viewer->fragments, Fragment, i);

    json_builder_begin_object (builder);
    add_string (builder, "uri", fragment->uri);
    add_int (builder, "wall-ms", fragment->wall_ms);
    add_int (builder, "download-ms", fragment->download_ms);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  g_array_set_size (viewer->fragments, 0);
}

static void
report (Viewer *viewer, gboolean final)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *line = NULL;

  json_builder_begin_object (builder);
  add_int (builder, "wall-ms", wall_ms (viewer));
  add_int (builder, "cpu-ms", cpu_ms ());
  add_int (builder, "rss-kib", resident_kib ());
  add_progress (builder, viewer);
  add_fragments (builder, viewer);
  add_stats (builder, viewer);
  if (viewer->error != NULL) {
    add_string (builder, "error", viewer->error);
    add_int (builder, "http-status", viewer->http_status);
  }
  json_builder_set_member_name (builder, "final");
  json_builder_add_boolean_value (builder, final);
  json_builder_end_object (builder);

  line = p2p_stats_json_line (builder);
  printf ("%s\n", line);
  fflush (stdout);
}

/* --- running ------------------------------------------------------------ */

static void
take_error (Viewer *viewer, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  const GstStructure *details = NULL;
  guint status = 0;

  gst_message_parse_error (message, &error, NULL);
  gst_message_parse_error_details (message, &details);
  if (details != NULL)
    gst_structure_get_uint (details, "http-status-code", &status);
  /* The first error is the cause, the rest its echo. */
  if (viewer->error == NULL) {
    viewer->error = g_strdup_printf ("%s/%d: %s",
        g_quark_to_string (error->domain), error->code, error->message);
    viewer->http_status = (int) status;
  }
  viewer->exit_code = 1;
  g_main_loop_quit (viewer->loop);
}

static void
go_back (Viewer *viewer)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_TIME);
  gboolean seekable = FALSE;
  gint64 first = 0, last = 0;

  if (gst_element_query (viewer->demux, query))
    gst_query_parse_seeking (query, NULL, &seekable, &first, &last);
  if (!seekable
      || !gst_element_seek_simple (viewer->demux, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT,
          MAX (first, last - opt_behind * (gint64) GST_SECOND)))
    g_printerr ("p2phls-viewer: this stream does not go back\n");
}

static void
clear_fragment (gpointer fragment)
{
  g_free (((Fragment *) fragment)->uri);
}

/* The message has other fields when it tells of a switch. */
static void
take_fragment (Viewer *viewer, const GstStructure *statistics)
{
  Fragment fragment = { .wall_ms = wall_ms (viewer) };
  GstClockTime download_time;

  if (!gst_structure_has_name (statistics, "adaptive-streaming-statistics")
      || !gst_structure_get_clock_time (
          statistics, "fragment-download-time", &download_time))
    return;
  fragment.uri = g_strdup (gst_structure_get_string (statistics, "uri"));
  fragment.download_ms = (gint64) GST_TIME_AS_MSECONDS (download_time);
  g_array_append_val (viewer->fragments, fragment);
}

/* In the thread that posts. Played flat out, hlsdemux2 posts more of these than
 * there are packets; nobody waits for a level here. */
static GstBusSyncReply
on_posted (GstBus *bus, GstMessage *message, gpointer viewer)
{
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_BUFFERING ? GST_BUS_DROP
                                                             : GST_BUS_PASS;
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Viewer *viewer = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    take_error (viewer, message);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION) {
    go_back (viewer);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT) {
    take_fragment (viewer, gst_message_get_structure (message));
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
    viewer->ended = TRUE;
    if (!opt_linger)
      g_main_loop_quit (viewer->loop);
  }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_second (gpointer viewer)
{
  report (viewer, FALSE);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_leave (gpointer data)
{
  Viewer *viewer = data;

  g_main_loop_quit (viewer->loop);
  return G_SOURCE_CONTINUE;
}

static void
give_up_pace (Viewer *viewer)
{
  g_mutex_lock (&viewer->lock);
  viewer->quit = TRUE;
  g_cond_broadcast (&viewer->wake);
  g_mutex_unlock (&viewer->lock);
}

static void
play (Viewer *viewer)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (viewer->pipeline);
  guint watch = gst_bus_add_watch (bus, on_message, viewer);

  gst_bus_set_sync_handler (bus, on_posted, viewer, NULL);
  g_timeout_add_seconds (1, on_second, viewer);
  g_unix_signal_add (SIGINT, on_leave, viewer);
  g_unix_signal_add (SIGTERM, on_leave, viewer);
  if (opt_seconds > 0)
    g_timeout_add_seconds ((guint) opt_seconds, on_leave, viewer);

  viewer->started_us = g_get_monotonic_time ();
  gst_element_set_state (viewer->pipeline, GST_STATE_PLAYING);
  g_main_loop_run (viewer->loop);

  report (viewer, TRUE);
  give_up_pace (viewer);
  gst_element_set_state (viewer->pipeline, GST_STATE_NULL);
  g_source_remove (watch);
}

static gboolean
parse_arguments (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- watch an HLS stream without a screen");

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (opt_rest == NULL || g_strv_length (opt_rest) != 1) {
    g_set_error_literal (
        error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "one URI is wanted");
    return FALSE;
  }
  opt_uri = opt_rest[0];
  return TRUE;
}

int
main (int argc, char **argv)
{
  Viewer viewer = { 0 };
  g_autoptr (GError) error = NULL;

  if (!parse_arguments (&argc, &argv, &error)
      || !build_pipeline (&viewer, &error)) {
    g_printerr ("p2phls-viewer: %s\n", error->message);
    return 2;
  }
  g_mutex_init (&viewer.lock);
  g_cond_init (&viewer.wake);
  viewer.loop = g_main_loop_new (NULL, FALSE);
  viewer.fragments = g_array_new (FALSE, FALSE, sizeof (Fragment));
  g_array_set_clear_func (viewer.fragments, clear_fragment);

  play (&viewer);

  gst_object_unref (viewer.pipeline);
  g_main_loop_unref (viewer.loop);
  g_array_unref (viewer.fragments);
  g_cond_clear (&viewer.wake);
  g_mutex_clear (&viewer.lock);
  g_free (viewer.error);
  g_strfreev (opt_rest);
  g_free (opt_dump);
  return viewer.exit_code;
}

/* p2phlssrc: what reaches a player's sinks.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "watch.h"

/* Timestamps in 90 kHz and rounded durations jitter; a lost packet is more. */
#define GAP_MIN (60 * GST_MSECOND)
/* More than a first frame waits for its time. */
#define STALL_MIN_US G_TIME_SPAN_SECOND

typedef struct
{
  Watch *watch; /* outlives it */
  char *kind;
  GstPad *pad;
  guint64 played; /* nanoseconds of media */
  guint64 frames; /* since the last flush, like all below */
  guint64 first, last;
  guint64 end; /* running time that should follow */
  guint gaps, overlaps;
  GstClockTime gap_time;
  GChecksum *digest;
  guint lead_in;     /* frames to come that the digest leaves out */
  gint64 arrived_us; /* 0: the next one is forgiven */
  guint stalls;      /* since the beginning, like what follows */
  char *stream_id;   /* (nullable): of what comes now */
  guint switches;    /* to another */
  gint64 waited_us;  /* the longest */
} Track;

struct _Watch
{
  GMutex lock; /* guards the tracks' fields */
  GPtrArray *tracks;
};

static void
track_free (gpointer data)
{
  Track *track = data;

  g_free (track->kind);
  g_free (track->stream_id);
  gst_clear_object (&track->pad);
  g_checksum_free (track->digest);
  g_free (track);
}

static void
begin_anew (Track *track)
{
  track->frames = 0;
  track->first = track->last = track->end = GST_CLOCK_TIME_NONE;
  track->gaps = track->overlaps = 0;
  track->gap_time = 0;
  track->arrived_us = 0;
  g_checksum_reset (track->digest);
}

static void
note_arrival (Track *track)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 waited_us = track->arrived_us != 0 ? now_us - track->arrived_us : 0;

  track->arrived_us = now_us;
  track->waited_us = MAX (track->waited_us, waited_us);
  if (waited_us > STALL_MIN_US)
    track->stalls++;
}

static void
note_time (Track *track, guint64 running, GstClockTime duration)
{
  if (track->end != GST_CLOCK_TIME_NONE && running > track->end + GAP_MIN) {
    track->gaps++;
    track->gap_time += running - track->end;
  } else if (track->end != GST_CLOCK_TIME_NONE
      && running + GAP_MIN < track->end) {
    track->overlaps++;
  }
  track->end = running + duration;
}

static void
note_content (Track *track, GstBuffer *buffer)
{
  guint64 pts = GST_BUFFER_PTS (buffer);
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  g_checksum_update (track->digest, (const guchar *) &pts, sizeof pts);
  g_checksum_update (track->digest, map.data, (gssize) map.size);
  gst_buffer_unmap (buffer, &map);
}

static void
note_buffer (Track *track, GstBuffer *buffer, const GstSegment *segment)
{
  guint64 pts = GST_BUFFER_PTS (buffer);
  GstClockTime duration =
      GST_BUFFER_DURATION_IS_VALID (buffer) ? GST_BUFFER_DURATION (buffer) : 0;

  note_arrival (track);
  note_content (track, buffer);
  track->frames++;
  track->played += duration;
  if (pts == GST_CLOCK_TIME_NONE || segment == NULL
      || segment->format != GST_FORMAT_TIME)
    return;

  track->last = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
  if (track->first == GST_CLOCK_TIME_NONE)
    track->first = track->last;
  pts = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  if (pts != GST_CLOCK_TIME_NONE)
    note_time (track, pts, duration);
}

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Track *track = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&track->watch->lock);
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment = NULL;

  if (event != NULL)
    gst_event_parse_segment (event, &segment);
  note_buffer (track, GST_PAD_PROBE_INFO_BUFFER (info), segment);

  return GST_PAD_PROBE_OK;
}

static void
note_stream (Track *track, GstEvent *event)
{
  const char *stream_id;

  gst_event_parse_stream_start (event, &stream_id);
  if (track->stream_id != NULL && g_strcmp0 (track->stream_id, stream_id) != 0)
    track->switches++;
  g_free (track->stream_id);
  track->stream_id = g_strdup (stream_id);
}

static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Track *track = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&track->watch->lock);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    begin_anew (track);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    note_stream (track, event);

  return GST_PAD_PROBE_OK;
}

Watch *
watch_new (void)
{
  Watch *watch = g_new0 (Watch, 1);

  g_mutex_init (&watch->lock);
  watch->tracks = g_ptr_array_new_with_free_func (track_free);

  return watch;
}

void
watch_free (Watch *watch)
{
  g_ptr_array_unref (watch->tracks);
  g_mutex_clear (&watch->lock);
  g_free (watch);
}

GstElement *
watch_sink (Watch *watch, const char *kind)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  Track *track = g_new0 (Track, 1);

  g_object_set (sink, "sync", TRUE, NULL);
  track->watch = watch;
  track->kind = g_strdup (kind);
  track->pad = gst_element_get_static_pad (sink, "sink");
  track->digest = g_checksum_new (G_CHECKSUM_SHA256);
  begin_anew (track);
  gst_pad_add_probe (
      track->pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, track, NULL);
  gst_pad_add_probe (track->pad,
      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      on_event, track, NULL);
  g_mutex_lock (&watch->lock);
  g_ptr_array_add (watch->tracks, track);
  g_mutex_unlock (&watch->lock);

  return sink;
}

guint64
watch_played (Watch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&watch->lock);
  guint64 played = G_MAXUINT64;

  for (guint i = 0; i < watch->tracks->len; i++) {
    const Track *track = g_ptr_array_index (watch->tracks, i);

    if (track->played > 0)
      played = MIN (played, track->played);
  }

  return played == G_MAXUINT64 ? 0 : played;
}

void
watch_forgive (Watch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&watch->lock);

  for (guint i = 0; i < watch->tracks->len; i++) {
    Track *track = g_ptr_array_index (watch->tracks, i);

    track->arrived_us = 0;
  }
}

static void
add_int (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) value);
}

static void
report_track (Track *track, JsonBuilder *builder)
{
  /* A checksum that was read takes no more. */
  g_autoptr (GChecksum) digest = g_checksum_copy (track->digest);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "kind");
  json_builder_add_string_value (builder, track->kind);
  add_int (builder, "played-ms", track->played / GST_MSECOND);
  add_int (builder, "frames", track->frames);
  add_int (builder, "first-ms", track->first / GST_MSECOND);
  add_int (builder, "last-ms", track->last / GST_MSECOND);
  add_int (builder, "gaps", track->gaps);
  add_int (builder, "gap-ms", track->gap_time / GST_MSECOND);
  add_int (builder, "overlaps", track->overlaps);
  add_int (builder, "stalls", track->stalls);
  add_int (builder, "switches", track->switches);
  add_int (builder, "waited-ms", (guint64) track->waited_us / 1000);
  json_builder_set_member_name (builder, "digest");
  json_builder_add_string_value (builder, g_checksum_get_string (digest));
  json_builder_end_object (builder);
}

void
watch_report (Watch *watch, JsonBuilder *builder)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED =
      g_mutex_locker_new (&watch->lock);

  json_builder_set_member_name (builder, "tracks");
  json_builder_begin_array (builder);
  for (guint i = 0; i < watch->tracks->len; i++) {
    Track *track = g_ptr_array_index (watch->tracks, i);

    if (track->frames > 0)
      report_track (track, builder);
  }
  json_builder_end_array (builder);
}

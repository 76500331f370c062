/* p2phlssrc: gives a player orders and tells what came of them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * drive ENGINE URI ORDER…
 *
 * Orders follow one another:
 *   play, pause     PLAYING, PAUSED
 *   for=SECONDS     until the sinks have got that much more media
 *   wait=SECONDS    on the wall's clock
 *   seek=SECONDS    to that position
 *   audio=NUMBER    to that audio track
 *   speed=KBPS      the connection that the demuxer believes to have
 *   end             until the end of the stream
 * With the last one, or an error, it writes one line of JSON and leaves.
 */
#include "engine.h"

#include "../../../tools/statsjson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 20
#define TITLES_MAX 100
#define AHEAD_MAX (5 * GST_SECOND)

typedef struct
{
  const Engine *engine;
  gpointer player;
  Watch *watch;
  GMainLoop *loop;
  char **orders; /* what is still to be done */
  gboolean has_begun;
  gint64 began_us;
  guint64 played; /* when the order began */
  gboolean wants_playing;

  /* The rest is shared with threads of the player. */
  GMutex lock;
  GstElement *source; /* the first one */
  GstElement *demuxer;
  gboolean ended;
  char *error;
  int buffering; /* per cent */
  guint bufferings, dips;
  GPtrArray *titles;
} Driver;

/* --- what the pipeline says ----------------------------------------------*/

static void
take_error (Driver *driver, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  if (driver->error == NULL)
    driver->error = g_strdup_printf ("%s/%d: %s",
        g_quark_to_string (error->domain), error->code, error->message);
}

static void
take_buffering (Driver *driver, GstMessage *message)
{
  int before = driver->buffering;

  gst_message_parse_buffering (message, &driver->buffering);
  driver->bufferings++;
  if (before == 100 && driver->buffering < 100)
    driver->dips++;
}

static void
take_tags (Driver *driver, GstMessage *message)
{
  g_autoptr (GstTagList) tags = NULL;
  g_autofree char *title = NULL;
  GPtrArray *titles = driver->titles;

  gst_message_parse_tag (message, &tags);
  if (!gst_tag_list_get_string (tags, GST_TAG_TITLE, &title)
      || titles->len >= TITLES_MAX
      || g_ptr_array_find_with_equal_func (titles, title, g_str_equal, NULL))
    return;
  g_ptr_array_add (titles, g_steal_pointer (&title));
}

static void
take_collection (Driver *driver, GstMessage *message)
{
  GstStreamCollection *collection = NULL;

  gst_message_parse_stream_collection (message, &collection);
  g_object_set_data_full (G_OBJECT (driver->engine->pipeline (driver->player)),
      "stream-collection", collection, gst_object_unref);
}

static void
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Driver *driver = data;

  g_mutex_lock (&driver->lock);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    take_error (driver, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    driver->ended = TRUE;
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_BUFFERING)
    take_buffering (driver, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_TAG)
    take_tags (driver, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_STREAM_COLLECTION)
    take_collection (driver, message);
  g_mutex_unlock (&driver->lock);
}

static gboolean
is_named (GstElement *element, const char *prefix)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL
      && g_str_has_prefix (GST_OBJECT_NAME (factory), prefix);
}

/* hlsdemux2 would read half a minute ahead, beyond all orders. */
static void
bound_reading (GstElement *demuxer)
{
  if (g_object_class_find_property (
          G_OBJECT_GET_CLASS (demuxer), "max-buffering-time")
      != NULL)
    g_object_set (demuxer, "max-buffering-time", AHEAD_MAX, NULL);
}

static void
on_element (GstBin *bin, GstBin *inner, GstElement *element, gpointer data)
{
  Driver *driver = data;

  if (is_named (element, "hlsdemux"))
    bound_reading (element);
  g_mutex_lock (&driver->lock);
  if (driver->source == NULL && is_named (element, "p2phlssrc"))
    driver->source = gst_object_ref (element);
  if (is_named (element, "hlsdemux"))
    gst_object_replace ((GstObject **) &driver->demuxer, GST_OBJECT (element));
  g_mutex_unlock (&driver->lock);
}

/* --- orders --------------------------------------------------------------*/

static void
set_speed (Driver *driver, guint kbps)
{
  g_autoptr (GstElement) demuxer = NULL;

  g_mutex_lock (&driver->lock);
  gst_object_replace ((GstObject **) &demuxer, GST_OBJECT (driver->demuxer));
  g_mutex_unlock (&driver->lock);
  /* It takes its own lock, beneath which it adds elements: on_element(). */
  if (demuxer != NULL)
    g_object_set (demuxer, "connection-speed", kbps, NULL);
}

static void
set_playing (Driver *driver, gboolean playing)
{
  driver->wants_playing = playing;
  driver->engine->set_playing (driver->player, playing);
}

/* As gst-play-1.0 does: not while its buffers are being filled. But one change
 * of state after the other: GstBin forgets that it is to go on to PLAYING if it
 * hears PAUSED and PLAYING just when its last sink has prerolled. */
static void
obey_buffering (Driver *driver)
{
  GstState current, pending, wanted;

  if (driver->engine->buffers_itself || !driver->wants_playing)
    return;
  gst_element_get_state (
      driver->engine->pipeline (driver->player), &current, &pending, 0);
  g_mutex_lock (&driver->lock);
  wanted = driver->buffering == 100 ? GST_STATE_PLAYING : GST_STATE_PAUSED;
  g_mutex_unlock (&driver->lock);
  if (pending == GST_STATE_VOID_PENDING && current != wanted)
    driver->engine->set_playing (driver->player, wanted == GST_STATE_PLAYING);
}

static void
begin (Driver *driver, const char *order, double value)
{
  driver->has_begun = TRUE;
  driver->began_us = g_get_monotonic_time ();
  driver->played = watch_played (driver->watch);

  if (g_str_equal (order, "play") || g_str_equal (order, "pause"))
    set_playing (driver, g_str_equal (order, "play"));
  else if (g_str_has_prefix (order, "seek="))
    driver->engine->seek (driver->player, (GstClockTime) (value * GST_SECOND));
  else if (g_str_has_prefix (order, "audio=")
      && driver->engine->set_audio != NULL)
    driver->engine->set_audio (driver->player, (guint) value);
  else if (g_str_has_prefix (order, "speed="))
    set_speed (driver, (guint) value);
  else
    return;
  watch_forgive (driver->watch);
}

static gboolean
has_ended (Driver *driver)
{
  gboolean ended;

  g_mutex_lock (&driver->lock);
  ended = driver->ended || driver->error != NULL;
  g_mutex_unlock (&driver->lock);

  return ended;
}

static gboolean
is_done (Driver *driver, const char *order, double value)
{
  if (g_str_equal (order, "end"))
    return has_ended (driver);
  if (g_str_has_prefix (order, "for="))
    return watch_played (driver->watch) - driver->played
        >= (guint64) (value * GST_SECOND);
  if (g_str_has_prefix (order, "wait="))
    return g_get_monotonic_time () - driver->began_us
        >= (gint64) (value * G_USEC_PER_SEC);

  return TRUE;
}

static gboolean
on_step (gpointer data)
{
  Driver *driver = data;

  obey_buffering (driver);
  while (*driver->orders != NULL && !has_ended (driver)) {
    const char *equals = strchr (*driver->orders, '=');
    double value = equals != NULL ? atof (equals + 1) : 0;

    if (!driver->has_begun)
      begin (driver, *driver->orders, value);
    if (!is_done (driver, *driver->orders, value))
      return G_SOURCE_CONTINUE;
    driver->orders++;
    driver->has_begun = FALSE;
  }
  g_main_loop_quit (driver->loop);

  return G_SOURCE_REMOVE;
}

/* --- the report ----------------------------------------------------------*/

static void
add_stats (Driver *driver, JsonBuilder *builder)
{
  g_autoptr (GstStructure) stats = NULL;

  if (driver->source == NULL)
    return;
  g_object_get (driver->source, "stats", &stats, NULL);
  json_builder_set_member_name (builder, "stats");
  json_builder_begin_object (builder);
  p2p_stats_json_add (builder, stats);
  json_builder_end_object (builder);
}

static void
add_titles (Driver *driver, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "titles");
  json_builder_begin_array (builder);
  for (guint i = 0; i < driver->titles->len; i++)
    json_builder_add_string_value (
        builder, g_ptr_array_index (driver->titles, i));
  json_builder_end_array (builder);
}

static void
report (Driver *driver)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *line = NULL;

  g_mutex_lock (&driver->lock);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "ended");
  json_builder_add_boolean_value (builder, driver->ended);
  json_builder_set_member_name (builder, "error");
  json_builder_add_string_value (builder, driver->error);
  json_builder_set_member_name (builder, "undone");
  json_builder_add_string_value (builder, *driver->orders);
  json_builder_set_member_name (builder, "bufferings");
  json_builder_add_int_value (builder, driver->bufferings);
  json_builder_set_member_name (builder, "dips");
  json_builder_add_int_value (builder, driver->dips);
  add_titles (driver, builder);
  watch_report (driver->watch, builder);
  add_stats (driver, builder);
  json_builder_end_object (builder);
  g_mutex_unlock (&driver->lock);

  line = p2p_stats_json_line (builder);
  printf ("%s\n", line);
}

/* --- running -------------------------------------------------------------*/

static const Engine *
find_engine (const char *name)
{
  static const Engine *const engines[] = { &engine_playbin, &engine_playbin3,
    &engine_uridecodebin, &engine_gstplay };

  for (guint i = 0; i < G_N_ELEMENTS (engines); i++) {
    if (g_str_equal (engines[i]->name, name))
      return engines[i];
  }

  return NULL;
}

static void
run (Driver *driver, const char *uri)
{
  g_autoptr (GstBus) bus = NULL;

  driver->player = driver->engine->open (uri, driver->watch);
  bus = gst_element_get_bus (driver->engine->pipeline (driver->player));
  if (!driver->engine->buffers_itself)
    gst_bus_add_signal_watch (bus);
  g_signal_connect (bus, "message", G_CALLBACK (on_message), driver);
  g_signal_connect (driver->engine->pipeline (driver->player),
      "deep-element-added", G_CALLBACK (on_element), driver);

  g_timeout_add (STEP_MS, on_step, driver);
  g_main_loop_run (driver->loop);
  report (driver);

  g_signal_handlers_disconnect_by_data (bus, driver);
  g_signal_handlers_disconnect_by_data (
      driver->engine->pipeline (driver->player), driver);
  gst_clear_object (&driver->source);
  gst_clear_object (&driver->demuxer);
  if (!driver->engine->buffers_itself)
    gst_bus_remove_signal_watch (bus);
  driver->engine->close (driver->player);
}

int
main (int argc, char **argv)
{
  Driver driver = { .buffering = 100 };
  gboolean is_good;

  gst_init (&argc, &argv);
  driver.engine = argc > 3 ? find_engine (argv[1]) : NULL;
  if (driver.engine == NULL) {
    g_printerr ("usage: drive playbin|playbin3|uridecodebin|gstplay URI "
                "ORDER…\n");
    return 2;
  }
  g_mutex_init (&driver.lock);
  driver.watch = watch_new ();
  driver.loop = g_main_loop_new (NULL, FALSE);
  driver.titles = g_ptr_array_new_with_free_func (g_free);
  driver.orders = argv + 3;

  run (&driver, argv[2]);

  is_good = driver.error == NULL;
  g_ptr_array_unref (driver.titles);
  g_main_loop_unref (driver.loop);
  watch_free (driver.watch);
  g_free (driver.error);
  g_mutex_clear (&driver.lock);

  return is_good ? 0 : 1;
}

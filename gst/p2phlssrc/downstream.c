/* p2phlssrc: who reads what the element gives.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "downstream.h"

/* Pads looked at, ghost pads counted: queues, typefinders and bins stand
 * between a source and its demuxer, seldom more than three. */
#define PADS_MAX 64

/* The plugin of hlsdemux2, dashdemux2 and mssdemux2. */
#define FETCHING_PLUGIN "adaptivedemux2"

#define TYPEFIND_PLUGIN "typefindfunctions"

static gboolean
fetches (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL
      && g_strcmp0 (
             gst_plugin_feature_get_plugin_name (GST_PLUGIN_FEATURE (factory)),
             FETCHING_PLUGIN)
      == 0;
}

static gboolean
is_typefinder (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL && g_str_equal (GST_OBJECT_NAME (factory), "typefind");
}

/* A typefinder asks for the URI with its own lock held, which the pads of an
 * element are read under. Its two are there as long as it is. */
static GstPad *
typefinder_source (GstElement *typefind)
{
  return gst_object_ref (typefind->srcpads->data);
}

/* The only source pad that @pad, a sink pad, leads to inside its element.
 * Returns: (transfer full) (nullable). */
static GstPad *
way_through (GstPad *pad)
{
  GstIterator *links = gst_pad_iterate_internal_links (pad);
  GValue item = G_VALUE_INIT;
  GstPad *next = NULL;

  if (links == NULL)
    return NULL;
  if (gst_iterator_next (links, &item) == GST_ITERATOR_OK)
    next = g_value_dup_object (&item);
  g_value_unset (&item);
  gst_iterator_free (links);

  return next;
}

P2pReader
p2p_find_reader (GstPad *pad)
{
  g_autoptr (GstPad) source = gst_object_ref (pad);

  for (guint i = 0; i < PADS_MAX; i++) {
    g_autoptr (GstPad) sink = gst_pad_get_peer (source);
    g_autoptr (GstElement) element = NULL;
    gboolean is_typefind;

    /* Into a bin, and out of one: a ghost pad and its inner half lead to each
     * other like the pads of an element. */
    if (sink == NULL)
      return P2P_READER_ORDINARY;
    element = gst_pad_get_parent_element (sink);
    if (element != NULL && fetches (element))
      return P2P_READER_FETCHES;
    is_typefind = element != NULL && is_typefinder (element);
    gst_object_replace ((GstObject **) &source, NULL);
    source = is_typefind ? typefinder_source (element) : way_through (sink);
    if (source == NULL)
      return P2P_READER_ORDINARY;
    if (is_typefind && !gst_pad_is_linked (source))
      return P2P_READER_UNDECIDED;
  }

  return P2P_READER_ORDINARY;
}

void
p2p_prepare_reader (GstPad *pad)
{
  g_autoptr (GstPlugin) plugin G_GNUC_UNUSED = NULL;

  if (p2p_find_reader (pad) == P2P_READER_UNDECIDED)
    plugin = gst_plugin_load_by_name (TYPEFIND_PLUGIN);
}

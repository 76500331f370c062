/* p2phlssrc: a GstStructure as JSON.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "statsjson.h"

static void add_value (JsonBuilder *builder, const GValue *value);

static void
add_number (JsonBuilder *builder, const GValue *value)
{
  GValue integer = G_VALUE_INIT;

  g_value_init (&integer, G_TYPE_INT64);
  g_value_transform (value, &integer);
  json_builder_add_int_value (builder, g_value_get_int64 (&integer));
}

static void
add_array (JsonBuilder *builder, const GValue *value)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < gst_value_array_get_size (value); i++)
    add_value (builder, gst_value_array_get_value (value, i));
  json_builder_end_array (builder);
}

static void
add_structure (JsonBuilder *builder, const GValue *value)
{
  json_builder_begin_object (builder);
  p2p_stats_json_add (builder, gst_value_get_structure (value));
  json_builder_end_object (builder);
}

static void
add_value (JsonBuilder *builder, const GValue *value)
{
  if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    add_structure (builder, value);
  } else if (GST_VALUE_HOLDS_ARRAY (value)) {
    add_array (builder, value);
  } else if (G_VALUE_HOLDS_STRING (value)) {
    json_builder_add_string_value (builder, g_value_get_string (value));
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    json_builder_add_boolean_value (builder, g_value_get_boolean (value));
  } else if (G_VALUE_HOLDS_DOUBLE (value)) {
    json_builder_add_double_value (builder, g_value_get_double (value));
  } else if (g_value_type_transformable (G_VALUE_TYPE (value), G_TYPE_INT64)) {
    add_number (builder, value);
  } else {
    g_autofree char *text = gst_value_serialize (value);

    json_builder_add_string_value (builder, text);
  }
}

static gboolean
add_field (GQuark name, const GValue *value, gpointer builder)
{
  json_builder_set_member_name (builder, g_quark_to_string (name));
  add_value (builder, value);
  return TRUE;
}

void
p2p_stats_json_add (JsonBuilder *builder, const GstStructure *structure)
{
  gst_structure_foreach (structure, add_field, builder);
}

char *
p2p_stats_json_line (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);

  return json_to_string (root, FALSE);
}

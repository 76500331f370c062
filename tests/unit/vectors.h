/* p2phlssrc: reading golden vectors.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. For tests; P2P_VECTORS_DIR is defined by the build.
 */
#pragma once

#include <json-glib/json-glib.h>

/* A file of tests/vectors, read whole. Returns: (transfer full). */
static inline JsonNode *
vectors_load (const char *name)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autofree char *path = g_build_filename (P2P_VECTORS_DIR, name, NULL);
  g_autoptr (GError) error = NULL;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);

  return json_node_ref (json_parser_get_root (parser));
}

/* Member @name of object @object as an array that must not be empty. */
static inline JsonArray *
vectors_array (JsonObject *object, const char *name)
{
  JsonArray *array = json_object_get_array_member (object, name);

  g_assert_nonnull (array);
  g_assert_cmpuint (json_array_get_length (array), >, 0);

  return array;
}

static inline gint64
vectors_int (JsonObject *object, const char *name, gint64 missing)
{
  if (!json_object_has_member (object, name)
      || json_object_get_null_member (object, name))
    return missing;

  return json_object_get_int_member (object, name);
}

/* (nullable) */
static inline const char *
vectors_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  return json_node_get_string (node);
}

/* Returns: (transfer full). */
static inline GBytes *
vectors_hex (const char *hex)
{
  gsize length = strlen (hex) / 2;
  guint8 *bytes = g_malloc (length + 1);

  for (gsize i = 0; i < length; i++)
    bytes[i] = g_ascii_xdigit_value (hex[2 * i]) << 4
        | g_ascii_xdigit_value (hex[2 * i + 1]);

  return g_bytes_new_take (bytes, length);
}

/* p2phlssrc: fills the registry that the element's tests start from.
 *
 * A program that finds no registry scans the plugins, and where it has to do
 * so itself, which a sanitizer asks for, has them all loaded from then on.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <glib/gstdio.h>
#include <gst/gst.h>

int
main (int argc, char **argv)
{
  g_autoptr (GstPluginFeature) element = NULL;

  /* One that still holds is left as it is, and older than what made it. */
  g_remove (g_getenv ("GST_REGISTRY_1_0"));
  gst_init (&argc, &argv);
  element = gst_registry_lookup_feature (gst_registry_get (), "p2phlssrc");
  if (element == NULL) {
    g_printerr ("p2phlssrc is not among the plugins\n");
    return 1;
  }

  return 0;
}

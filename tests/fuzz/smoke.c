/* p2phlssrc: runs a fuzz target without libFuzzer: its seeds, then a fixed
 * number of mutations of them, the same in every run.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * usage: fuzz-NAME-smoke RUNS SEED-FOLDER | FILE…
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "fuzz.h"

static void
run (const guint8 *data, gsize size)
{
  /* A block of its own, so that the sanitizers see every byte past it. */
  g_autofree guint8 *copy = g_memdup2 (data, size);

  LLVMFuzzerTestOneInput (copy, size);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
load_file (GPtrArray *seeds, const char *path)
{
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &error))
    g_error ("%s", error->message);
  g_ptr_array_add (seeds, g_bytes_new_take (data, size));
}

static void
load_folder (GPtrArray *seeds, const char *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    load_file (seeds, names->pdata[i]);
}

/* Some bytes changed, cut out, doubled, or taken from another seed. */
static void
mutate (P2pPrng *prng, GByteArray *input, GBytes *other)
{
  guint n = 1 + p2p_prng_below (prng, 8);

  while (n-- > 0 && input->len > 0) {
    guint at = p2p_prng_below (prng, input->len);
    guint wanted = 1 + p2p_prng_below (prng, 16);
    guint length = MIN (wanted, input->len - at);
    g_autoptr (GBytes) part = NULL;
    gsize other_size;
    const guint8 *other_data = g_bytes_get_data (other, &other_size);

    switch (p2p_prng_below (prng, 5)) {
      case 0:
        input->data[at] = p2p_prng_next (prng);
        break;
      case 1:
        input->data[at] ^= 1 << p2p_prng_below (prng, 8);
        break;
      case 2:
        g_byte_array_remove_range (input, at, length);
        break;
      case 3:
        part = g_bytes_new (input->data + at, length);
        g_byte_array_append (
            input, g_bytes_get_data (part, NULL), g_bytes_get_size (part));
        break;
      default:
        if (other_size > 0)
          memcpy (input->data + at,
              other_data
                  + p2p_prng_below (
                      prng, other_size - MIN (length, other_size) + 1),
              MIN (length, other_size));
        break;
    }
  }
}

static GBytes *
pick (P2pPrng *prng, GPtrArray *seeds)
{
  return seeds->pdata[p2p_prng_below (prng, seeds->len)];
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) seeds =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  guint runs;
  P2pPrng prng;

  if (argc < 3) {
    fprintf (stderr, "usage: %s RUNS SEED-FOLDER | FILE...\n", argv[0]);
    return 2;
  }
  runs = atoi (argv[1]);
  for (int i = 2; i < argc; i++) {
    if (g_file_test (argv[i], G_FILE_TEST_IS_DIR))
      load_folder (seeds, argv[i]);
    else
      load_file (seeds, argv[i]);
  }
  g_assert (seeds->len > 0);

  p2p_prng_init (&prng, 1);
  run (NULL, 0);
  for (guint i = 0; i < seeds->len; i++)
    run (g_bytes_get_data (seeds->pdata[i], NULL),
        g_bytes_get_size (seeds->pdata[i]));
  for (guint i = 0; i < runs; i++) {
    GBytes *seed = pick (&prng, seeds);
    g_autoptr (GByteArray) input = g_byte_array_new ();

    g_byte_array_append (
        input, g_bytes_get_data (seed, NULL), g_bytes_get_size (seed));
    mutate (&prng, input, pick (&prng, seeds));
    run (input->data, input->len);
  }
  printf ("%u seeds, %u mutations\n", seeds->len, runs);

  return 0;
}

/* p2phlssrc: a seeded generator.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "prng.h"

void
p2p_prng_init (P2pPrng *prng, guint64 seed)
{
  prng->state = seed;
}

guint64
p2p_prng_next (P2pPrng *prng)
{
  guint64 z = (prng->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);

  return z ^ (z >> 31);
}

guint64
p2p_prng_below (P2pPrng *prng, guint64 bound)
{
  /* The bias of the remainder is under 2^-32 for the small bounds we use. */
  return bound == 0 ? 0 : p2p_prng_next (prng) % bound;
}

double
p2p_prng_unit (P2pPrng *prng)
{
  return (p2p_prng_next (prng) >> 11) * 0x1.0p-53;
}

void
p2p_prng_alnum (P2pPrng *prng, char *out, gsize length)
{
  static const char alphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  gsize i;

  for (i = 0; i < length; i++)
    out[i] = alphabet[p2p_prng_below (prng, sizeof (alphabet) - 1)];
  out[length] = '\0';
}

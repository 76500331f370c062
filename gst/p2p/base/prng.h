/* p2phlssrc: a seeded generator, so that a run can be replayed.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: one owner each. Not for secrets: certificates and ICE credentials
 * come from OpenSSL and libnice.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * P2pPrng:
 *
 * SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014): one word of state, passes BigCrush, every seed is good.
 */
typedef struct
{
  guint64 state;
} P2pPrng;

void p2p_prng_init (P2pPrng *prng, guint64 seed);

/* A uniform 64-bit word. */
guint64 p2p_prng_next (P2pPrng *prng);

/* Uniform in [0, @bound); 0 for a bound of 0. */
guint64 p2p_prng_below (P2pPrng *prng, guint64 bound);

/* Uniform in [0, 1). */
double p2p_prng_unit (P2pPrng *prng);

/* Writes @length characters of [A-Za-z0-9] and a NUL. */
void p2p_prng_alnum (P2pPrng *prng, char *out, gsize length);

G_END_DECLS

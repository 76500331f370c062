/* p2phlssrc: when to try again.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "retry.h"

#define JITTER 0.2

gint64
p2p_retry_delay_us (guint failures, P2pPrng *prng)
{
  guint doublings = MIN (failures > 0 ? failures - 1 : 0, 16);
  gint64 delay_us = MIN (P2P_RETRY_FIRST_US << doublings, P2P_RETRY_LAST_US);

  return delay_us * (1 + JITTER * (2 * p2p_prng_unit (prng) - 1));
}

gint64
p2p_retry_http_us (guint failures)
{
  guint steps = failures > 0 ? failures - 1 : 0;

  return P2P_RETRY_STEP_US * MIN (steps, P2P_RETRY_STEPS_MAX);
}

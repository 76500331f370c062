/* p2phlssrc: when to try again.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "retry.h"

#define JITTER 0.2
#define BITS 63 /* of a positive gint64 */

gint64
p2p_retry_delay_us (guint failures, P2pPrng *prng)
{
  guint doublings = MIN (failures > 0 ? failures - 1 : 0, 16);
  gint64 delay_us = MIN (P2P_RETRY_FIRST_US << doublings, P2P_RETRY_LAST_US);

  return delay_us * (1 + JITTER * (2 * p2p_prng_unit (prng) - 1));
}

static gint64
doubled_us (guint doublings, gint64 first_us, gint64 most_us)
{
  if (doublings >= BITS || first_us > most_us >> doublings)
    return most_us;

  return first_us << doublings;
}

gint64
p2p_retry_http_us (guint failures, gint64 backoff_us, gint64 backoff_max_us)
{
  guint steps = failures > 0 ? failures - 1 : 0;
  gint64 step_us = P2P_RETRY_STEP_US * MIN (steps, P2P_RETRY_STEPS_MAX);

  if (failures == 0 || backoff_us == 0)
    return step_us;

  return MAX (step_us, doubled_us (failures, backoff_us, backoff_max_us));
}

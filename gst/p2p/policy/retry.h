/* p2phlssrc: when to try again.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure but for the generator it is given.
 */
#pragma once

#include "base/prng.h"
#include "base/types.h"

G_BEGIN_DECLS

/* Tracker sockets: 1 s, doubled up to 30 s, ±20 %, as P2P Media Loader 5. */
#define P2P_RETRY_FIRST_US ((gint64) 1 * G_USEC_PER_SEC)
#define P2P_RETRY_LAST_US ((gint64) 30 * G_USEC_PER_SEC)

/* How long to wait after failure number @failures (1 is the first). */
gint64 p2p_retry_delay_us (guint failures, P2pPrng *prng);

/* An HTTP request that broke off goes on at once, then 0.1 s later each time,
 * at most 1 s: `retries` may be without end, and the origin in trouble. */
#define P2P_RETRY_STEP_US ((gint64) 100 * 1000)
#define P2P_RETRY_STEPS_MAX 10

/* How long a broken HTTP request waits after failure number @failures. */
gint64 p2p_retry_http_us (guint failures);

G_END_DECLS

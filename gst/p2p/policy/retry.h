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

/**
 * p2p_retry_http_us:
 * @failures: since the last byte
 * @backoff_us: what the application wants to wait, doubled with each failure
 * @backoff_max_us: the most of that
 *
 * How long a broken HTTP request waits, as beneath souphttpsrc 1.26 but never
 * less than the steps above.
 */
gint64 p2p_retry_http_us (
    guint failures, gint64 backoff_us, gint64 backoff_max_us);

G_END_DECLS

/* p2phlssrc: a lock that sanitizers can see.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* ThreadSanitizer follows what it was compiled into. GLib's GMutex is a futex
 * inside an uninstrumented library, so the order that it gives is published
 * by hand when the sanitizer is on. */
#if defined(__SANITIZE_THREAD__)
#define P2P_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define P2P_TSAN 1
#endif
#endif

#ifdef P2P_TSAN
void __tsan_acquire (void *address);
void __tsan_release (void *address);
#define P2P_PUBLISH_ACQUIRE(address) __tsan_acquire (address)
#define P2P_PUBLISH_RELEASE(address) __tsan_release (address)
#else
#define P2P_PUBLISH_ACQUIRE(address) ((void) (address))
#define P2P_PUBLISH_RELEASE(address) ((void) (address))
#endif

static inline void
p2p_lock (GMutex *mutex)
{
  g_mutex_lock (mutex);
  P2P_PUBLISH_ACQUIRE (mutex);
}

static inline void
p2p_unlock (GMutex *mutex)
{
  P2P_PUBLISH_RELEASE (mutex);
  g_mutex_unlock (mutex);
}

/* Waits on @cond, with @mutex held before and after. */
static inline void
p2p_wait (GCond *cond, GMutex *mutex)
{
  P2P_PUBLISH_RELEASE (mutex);
  g_cond_wait (cond, mutex);
  P2P_PUBLISH_ACQUIRE (mutex);
}

G_END_DECLS

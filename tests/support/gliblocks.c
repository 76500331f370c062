/* p2phlssrc: GLib's locks, where ThreadSanitizer can see them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Linked into programs built with -Db_sanitize=thread. Their definitions come
 * before GLib's, for GStreamer and libsoup as well; GLib itself goes on using
 * its own.
 */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name) ((__typeof__ (&name)) real (&real_##name, #name))

static gpointer real_g_mutex_lock, real_g_mutex_unlock, real_g_mutex_trylock;
static gpointer real_g_cond_wait, real_g_cond_wait_until;

static gpointer
real (gpointer *known, const char *name)
{
  gpointer found = __atomic_load_n (known, __ATOMIC_RELAXED);

  if (found == NULL) {
    found = dlsym (RTLD_NEXT, name);
    __atomic_store_n (known, found, __ATOMIC_RELAXED);
  }

  return found;
}

#define EXPORT __attribute__ ((visibility ("default")))

#undef g_mutex_lock
#undef g_mutex_unlock
#undef g_mutex_trylock

EXPORT void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock) (mutex);
  __tsan_acquire (mutex);
}

EXPORT gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked = REAL (g_mutex_trylock) (mutex);

  if (locked)
    __tsan_acquire (mutex);

  return locked;
}

EXPORT void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_mutex_unlock) (mutex);
}

EXPORT void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
}

EXPORT gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  __tsan_release (mutex);
  signalled = REAL (g_cond_wait_until) (cond, mutex, end_time);
  __tsan_acquire (mutex);

  return signalled;
}

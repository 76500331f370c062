/* p2phlssrc: a box that one thread fills and another empties.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "post.h"

#include <pthread.h>

/* A pthread mutex and not a GMutex: ThreadSanitizer knows what it orders. */
struct _P2pPost
{
  P2pPostFunc func;
  gpointer user_data;
  GSource *source;
  GPtrArray *reading; /* reader's: being given out */
  guint next;         /* reader's: index in @reading */
  gboolean *freed;    /* reader's: (nullable): tells a dispatch to stop */
  gboolean made;      /* atomic: all of the above is set */

  pthread_mutex_t lock;
  GPtrArray *items; /* under lock */
};

/* What has come until now becomes what is given out. */
static void
take_round (P2pPost *post)
{
  GPtrArray *empty;

  pthread_mutex_lock (&post->lock);
  empty = post->reading;
  g_ptr_array_set_size (empty, 0);
  post->next = 0;
  post->reading = post->items;
  post->items = empty;
  pthread_mutex_unlock (&post->lock);
}

/* One round only, so that other sources of the context get their turn. */
static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  P2pPost *post = user_data;
  gboolean freed = FALSE;

  /* The context has ordered this already, in a lock that ThreadSanitizer does
   * not see. */
  g_assert (__atomic_load_n (&post->made, __ATOMIC_ACQUIRE));

  g_source_set_ready_time (source, -1);
  take_round (post);
  post->freed = &freed;
  while (post->next < post->reading->len) {
    post->func (post->user_data, post->reading->pdata[post->next++]);
    if (freed)
      return G_SOURCE_REMOVE;
  }
  post->freed = NULL;

  return G_SOURCE_CONTINUE;
}

static gboolean
never_called (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

P2pPost *
p2p_post_new (GMainContext *context, P2pPostFunc func, gpointer user_data)
{
  P2pPost *post = g_new0 (P2pPost, 1);

  post->func = func;
  post->user_data = user_data;
  post->reading = g_ptr_array_new ();
  post->items = g_ptr_array_new ();
  pthread_mutex_init (&post->lock, NULL);
  post->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (post->source, never_called, post, NULL);
  __atomic_store_n (&post->made, TRUE, __ATOMIC_RELEASE);
  g_source_attach (post->source, context);

  return post;
}

void
p2p_post_free (P2pPost *post, GDestroyNotify discard)
{
  if (post->freed != NULL)
    *post->freed = TRUE;
  g_source_destroy (post->source);
  g_source_unref (post->source);
  while (post->next < post->reading->len)
    discard (post->reading->pdata[post->next++]);
  take_round (post);
  while (post->next < post->reading->len)
    discard (post->reading->pdata[post->next++]);
  g_ptr_array_unref (post->reading);
  g_ptr_array_unref (post->items);
  pthread_mutex_destroy (&post->lock);
  g_free (post);
}

void
p2p_post_push (P2pPost *post, gpointer item)
{
  pthread_mutex_lock (&post->lock);
  g_ptr_array_add (post->items, item);
  if (post->items->len == 1)
    g_source_set_ready_time (post->source, 0);
  pthread_mutex_unlock (&post->lock);
}

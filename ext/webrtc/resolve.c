/* p2phlssrc: names to addresses, by the system's resolver.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "resolve.h"

#include "base/limits.h"
#include "base/log.h"

#include <gio/gio.h>

/* What the system works on; outlives the one who asked. */
typedef struct
{
  GCancellable *cancellable;
  P2pResolve *resolve; /* (nullable): who still wants to know */
} Lookup;

struct _P2pResolve
{
  P2pResolveFunc func;
  gpointer user_data;
  Lookup *lookup; /* (nullable) */
  GSource *deadline;
};

static GQueue pending = G_QUEUE_INIT; /* Lookup; the transport thread's */

static void
answer (P2pResolve *resolve, const char *address)
{
  if (resolve->lookup != NULL)
    resolve->lookup->resolve = NULL;
  resolve->lookup = NULL;
  g_source_set_ready_time (resolve->deadline, -1);
  resolve->func (resolve->user_data, address);
}

static char *
choose (GList *addresses)
{
  GInetAddress *chosen = NULL;

  for (GList *l = addresses; l != NULL; l = l->next)
    if (chosen == NULL
        || (g_inet_address_get_family (chosen) != G_SOCKET_FAMILY_IPV4
            && g_inet_address_get_family (l->data) == G_SOCKET_FAMILY_IPV4))
      chosen = l->data;

  return chosen != NULL ? g_inet_address_to_string (chosen) : NULL;
}

static void
on_answer (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  Lookup *lookup = user_data;
  g_autoptr (GError) error = NULL;
  GList *addresses =
      g_resolver_lookup_by_name_finish (G_RESOLVER (resolver), result, &error);
  g_autofree char *address = choose (addresses);

  g_resolver_free_addresses (addresses);
  if (error != NULL)
    P2P_LOG_DEBUG (P2P_AREA_ICE, 0, "lookup: %s", error->message);
  g_queue_remove (&pending, lookup);
  if (lookup->resolve != NULL)
    answer (lookup->resolve, address);
  g_object_unref (lookup->cancellable);
  g_free (lookup);
}

static gboolean
deadline_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  answer (user_data, NULL);

  return G_SOURCE_CONTINUE;
}

static gboolean
never_called (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs deadline_funcs = { .dispatch = deadline_dispatch };

P2pResolve *
p2p_resolve_new (GMainContext *context, const char *host, P2pResolveFunc func,
    gpointer user_data)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  P2pResolve *resolve = g_new0 (P2pResolve, 1);
  Lookup *lookup = g_new0 (Lookup, 1);

  resolve->func = func;
  resolve->user_data = user_data;
  resolve->lookup = lookup;
  resolve->deadline = g_source_new (&deadline_funcs, sizeof (GSource));
  g_source_set_callback (resolve->deadline, never_called, resolve, NULL);
  g_source_set_ready_time (
      resolve->deadline, g_get_monotonic_time () + P2P_RESOLVE_TIMEOUT_US);
  g_source_attach (resolve->deadline, context);

  lookup->resolve = resolve;
  lookup->cancellable = g_cancellable_new ();
  g_queue_push_tail (&pending, lookup);
  g_resolver_lookup_by_name_async (
      resolver, host, lookup->cancellable, on_answer, lookup);

  return resolve;
}

void
p2p_resolve_free (P2pResolve *resolve)
{
  if (resolve->lookup != NULL)
    resolve->lookup->resolve = NULL;
  g_source_destroy (resolve->deadline);
  g_source_unref (resolve->deadline);
  g_free (resolve);
}

guint
p2p_resolve_n_pending (void)
{
  return g_queue_get_length (&pending);
}

void
p2p_resolve_cancel_all (void)
{
  for (GList *l = pending.head; l != NULL; l = l->next) {
    Lookup *lookup = l->data;

    g_cancellable_cancel (lookup->cancellable);
  }
}

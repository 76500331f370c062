/* p2phlssrc: a bounded set of URLs.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "urlset.h"

#include "formats/urlkey.h"

struct _P2pUrlSet
{
  P2pUrlIndex *index;
  GQueue order; /* of Member, oldest first */
  guint max;
};

/* The key follows. */
typedef struct
{
  P2pUrlEntry entry;
  GList link;
} Member;

P2pUrlSet *
p2p_url_set_new (guint max)
{
  P2pUrlSet *set = g_new0 (P2pUrlSet, 1);

  set->index = p2p_url_index_new ();
  g_queue_init (&set->order);
  set->max = max;

  return set;
}

static void
forget (P2pUrlSet *set, Member *member)
{
  g_queue_unlink (&set->order, &member->link);
  p2p_url_index_remove (set->index, &member->entry);
  g_free (member);
}

void
p2p_url_set_free (P2pUrlSet *set)
{
  while (set->order.head != NULL)
    forget (set, set->order.head->data);
  g_hash_table_unref (set->index);
  g_free (set);
}

static Member *
member_new (const char *key, const P2pRange *range)
{
  gsize size = strlen (key) + 1;
  Member *member = g_malloc0 (sizeof *member + size);

  memcpy (member + 1, key, size);
  p2p_url_entry_init (
      &member->entry, (const char *) (member + 1), range, member);
  member->link.data = member;

  return member;
}

void
p2p_url_set_add (P2pUrlSet *set, const char *url, const P2pRange *range)
{
  g_autofree char *key = p2p_url_key_of (url);
  P2pUrlEntry probe;
  P2pUrlEntry *known;
  Member *member;

  if (key == NULL)
    return;

  p2p_url_entry_init (&probe, key, range, NULL);
  known = p2p_url_index_find (set->index, &probe);
  if (known != NULL) {
    member = known->owner;
    g_queue_unlink (&set->order, &member->link);
  } else {
    member = member_new (key, range);
    p2p_url_index_add (set->index, &member->entry);
  }
  g_queue_push_tail_link (&set->order, &member->link);
  if (set->order.length > set->max)
    forget (set, set->order.head->data);
}

gboolean
p2p_url_set_contains (P2pUrlSet *set, const P2pUrlEntry *probe)
{
  return p2p_url_index_find (set->index, probe) != NULL;
}

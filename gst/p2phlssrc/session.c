/* p2phlssrc: what all sources of one pipeline share.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:p2phlssrc-contexts
 * @title: Contexts
 *
 * `gst.p2phls.session` is how the p2phlssrc elements of a pipeline find their
 * session. An element that starts asks its downstream peer, then its bin, with
 * a `need-context` message; whoever finds none begins a session and announces
 * it with `have-context`. Bins answer by themselves: an application need do
 * nothing. One that keeps the context and sets it on another pipeline makes
 * both share one session. The session ends when its last element goes to
 * NULL, whoever still holds the context. An element without a parent joins a
 * session of the process whose settings agree with its own.
 *
 * `gst.soup.session` is an application's: one that has a #SoupSession with
 * cookies or logins of its own can have it used, by setting a persistent
 * context of this type, with the session in its field `session`, on the
 * pipeline. Signals of its messages then come on the worker thread. The
 * session's limits apply: give it a large `max-conns-per-host`. Elements that
 * set a proxy, a timeout, cookies or anything of TLS do not use it, and what
 * is no #SoupSession is passed over.
 */
#include "session.h"

#include "gststats.h"
#include "lock.h"
#include "base/log.h"

/**
 * Member:
 * @element: not owned: an element leaves before it dies
 * @stats_interval_ms: how often it wants stats posted
 */
typedef struct
{
  GstElement *element;
  guint stats_interval_ms;
} Member;

/* All but @references is guarded by sessions_lock. @worker is set once; the
 * thread that takes the last member out frees it, after unlocking. */
struct _P2pSession
{
  gatomicrefcount references;
  P2pSettings settings;
  P2pWorker *worker; /* NULL: the session is over */
  GArray *members;   /* of Member, oldest first */
  guint guests;      /* between enter and exit */
};

/* The process's live sessions, newest first. The worker never takes this
 * lock, and nothing but the mailbox's is taken under it. */
static GMutex sessions_lock;
static GCond sessions_left; /* a guest has left */
static GList *sessions;

G_DEFINE_BOXED_TYPE (
    P2pSession, p2p_session, p2p_session_ref, p2p_session_unref)

P2pSession *
p2p_session_ref (P2pSession *session)
{
  g_atomic_ref_count_inc (&session->references);
  return session;
}

void
p2p_session_unref (P2pSession *session)
{
  P2P_PUBLISH_RELEASE (session);
  if (!g_atomic_ref_count_dec (&session->references))
    return;
  P2P_PUBLISH_ACQUIRE (session);

  g_assert (session->worker == NULL && session->members->len == 0);
  p2p_settings_clear (&session->settings);
  g_array_unref (session->members);
  g_free (session);
}

/* --- stats on the bus ----------------------------------------------------*/

static void
post_stats (gpointer user_data, const P2pStats *stats)
{
  g_autoptr (GstElement) element = g_weak_ref_get (user_data);
  GstStructure *structure;

  if (element == NULL)
    return;
  structure = p2p_stats_to_structure (stats, P2P_STATS_MESSAGE);
  gst_element_post_message (
      element, gst_message_new_element (GST_OBJECT (element), structure));
}

static void
weak_ref_free (gpointer data)
{
  GWeakRef *weak = data;

  g_weak_ref_clear (weak);
  g_free (weak);
}

static void
report_to (P2pSession *session, const Member *member)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, member->element);
  p2p_worker_report_stats (session->worker, member->stats_interval_ms,
      post_stats, weak, weak_ref_free);
}

static const Member *
find_reporter (P2pSession *session)
{
  for (guint i = 0; i < session->members->len; i++) {
    const Member *member = &g_array_index (session->members, Member, i);

    if (member->stats_interval_ms > 0)
      return member;
  }
  return NULL;
}

/* One member's messages are enough: the oldest that wants any, which is the
 * one whose bus the user reads. */
static void
choose_reporter_locked (P2pSession *session)
{
  const Member *reporter = find_reporter (session);

  if (reporter != NULL)
    report_to (session, reporter);
  else
    p2p_worker_report_stats (session->worker, 0, NULL, NULL, NULL);
}

static guint
interval_of (const P2pSettings *settings)
{
  return g_value_get_uint (&settings->values[P2P_SETTING_STATS_INTERVAL]);
}

/* --- members -------------------------------------------------------------*/

static int
find_member (P2pSession *session, GstElement *element)
{
  for (guint i = 0; i < session->members->len; i++) {
    if (g_array_index (session->members, Member, i).element == element)
      return i;
  }
  return -1;
}

static void
add_member_locked (
    P2pSession *session, GstElement *element, const P2pSettings *settings)
{
  Member member = {
    .element = element,
    .stats_interval_ms = interval_of (settings),
  };
  gboolean had_reporter = find_reporter (session) != NULL;

  g_assert (find_member (session, element) < 0);
  g_array_append_val (session->members, member);
  if (!had_reporter && member.stats_interval_ms > 0)
    choose_reporter_locked (session);
}

P2pSession *
p2p_session_new (
    const P2pSettings *settings, P2pConfig *config, GstElement *member)
{
  P2pSession *session = g_new0 (P2pSession, 1);

  g_atomic_ref_count_init (&session->references);
  p2p_settings_copy (&session->settings, settings);
  session->members = g_array_new (FALSE, FALSE, sizeof (Member));
  session->worker = p2p_worker_new (config);

  p2p_lock (&sessions_lock);
  sessions = g_list_prepend (sessions, session);
  add_member_locked (session, member, settings);
  p2p_unlock (&sessions_lock);

  return session;
}

/* Takes one explicit value, if a running session can. Returns: whether
 * anything is different now. */
static gboolean
adopt_locked (
    P2pSession *session, const P2pSettings *settings, P2pSetting setting)
{
  P2pSettings only;
  gboolean is_same;

  p2p_settings_copy (&only, settings);
  memset (only.is_explicit, 0, sizeof only.is_explicit);
  only.is_explicit[setting] = TRUE;
  is_same = p2p_settings_agree (&session->settings, &only);
  if (!is_same && p2p_setting_is_mutable (setting))
    p2p_settings_merge (&session->settings, &only);
  else if (!is_same)
    P2P_LOG_WARNING (P2P_AREA_SRC, 0, "%s cannot change while the session runs",
        p2p_setting_name (setting));
  p2p_settings_clear (&only);

  return !is_same && p2p_setting_is_mutable (setting);
}

static void
configure_locked (P2pSession *session)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2pConfig) config = p2p_config_new (&session->settings, &error);

  /* Every value was read once before it came here. */
  g_assert_no_error (error);
  p2p_worker_configure (session->worker, config);
}

static void
adopt_explicit_locked (P2pSession *session, const P2pSettings *settings)
{
  gboolean changed = FALSE;

  for (guint i = 0; i < P2P_N_SETTINGS; i++) {
    if (i != P2P_SETTING_P2P && settings->is_explicit[i])
      changed |= adopt_locked (session, settings, i);
  }
  if (changed)
    configure_locked (session);
}

gboolean
p2p_session_join (
    P2pSession *session, GstElement *member, const P2pSettings *settings)
{
  gboolean is_live;

  p2p_lock (&sessions_lock);
  is_live = session->worker != NULL;
  if (is_live) {
    add_member_locked (session, member, settings);
    adopt_explicit_locked (session, settings);
  }
  p2p_unlock (&sessions_lock);

  return is_live;
}

P2pSession *
p2p_session_join_any (GstElement *member, const P2pSettings *settings)
{
  P2pSession *found = NULL;

  p2p_lock (&sessions_lock);
  for (GList *node = sessions; node != NULL; node = node->next) {
    P2pSession *session = node->data;

    if (p2p_settings_agree (&session->settings, settings)) {
      add_member_locked (session, member, settings);
      found = p2p_session_ref (session);
      break;
    }
  }
  p2p_unlock (&sessions_lock);

  return found;
}

void
p2p_session_leave (P2pSession *session, GstElement *member)
{
  P2pWorker *ended = NULL;
  const Member *reporter;
  gboolean was_reporter;
  int index;

  p2p_lock (&sessions_lock);
  index = find_member (session, member);
  g_assert (index >= 0);
  reporter = find_reporter (session);
  was_reporter = reporter != NULL && reporter->element == member;
  g_array_remove_index (session->members, index);
  if (session->members->len == 0) {
    sessions = g_list_remove (sessions, session);
    ended = g_steal_pointer (&session->worker);
    while (session->guests > 0)
      p2p_wait (&sessions_left, &sessions_lock);
  } else if (was_reporter) {
    choose_reporter_locked (session);
  }
  p2p_unlock (&sessions_lock);

  g_clear_pointer (&ended, p2p_worker_free);
}

gboolean
p2p_session_reconfigure (P2pSession *session, GstElement *member,
    const P2pSettings *settings, P2pSetting setting, GError **error)
{
  g_autoptr (P2pConfig) config = p2p_config_new (settings, error);
  int index;

  if (config == NULL)
    return FALSE;

  p2p_lock (&sessions_lock);
  index = find_member (session, member);
  if (index < 0 || session->worker == NULL) {
    /* It has just left, in another thread. */
  } else if (setting == P2P_SETTING_STATS_INTERVAL) {
    g_array_index (session->members, Member, index).stats_interval_ms =
        config->stats_interval_ms;
    choose_reporter_locked (session);
  } else if (adopt_locked (session, settings, setting)) {
    configure_locked (session);
  }
  p2p_unlock (&sessions_lock);

  return TRUE;
}

gboolean
p2p_session_get_p2p (P2pSession *session)
{
  gboolean p2p;

  p2p_lock (&sessions_lock);
  p2p = g_value_get_boolean (&session->settings.values[P2P_SETTING_P2P]);
  p2p_unlock (&sessions_lock);

  return p2p;
}

P2pWorker *
p2p_session_enter (P2pSession *session)
{
  P2pWorker *worker;

  p2p_lock (&sessions_lock);
  worker = session->worker;
  if (worker != NULL)
    session->guests++;
  p2p_unlock (&sessions_lock);

  return worker;
}

void
p2p_session_exit (P2pSession *session)
{
  p2p_lock (&sessions_lock);
  g_assert (session->guests > 0);
  session->guests--;
  g_cond_broadcast (&sessions_left);
  p2p_unlock (&sessions_lock);
}

/* --- contexts ------------------------------------------------------------*/

GstContext *
p2p_session_to_context (P2pSession *session)
{
  GstContext *context = gst_context_new (P2P_SESSION_CONTEXT, TRUE);

  gst_structure_set (gst_context_writable_structure (context), "session",
      P2P_TYPE_SESSION, session, NULL);

  return context;
}

P2pSession *
p2p_session_from_context (GstContext *context)
{
  P2pSession *session = NULL;

  if (gst_context_has_context_type (context, P2P_SESSION_CONTEXT))
    gst_structure_get (gst_context_get_structure (context), "session",
        P2P_TYPE_SESSION, &session, NULL);

  return session;
}

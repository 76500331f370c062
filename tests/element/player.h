/* p2phlssrc: a source played to its end, and what came of it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the test's.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * Player:
 * @pipeline: `source ! fakesink`
 * @src: the source
 * @sink: the fakesink, which collects into @bytes
 * @errors: "domain code details" of each error message, in order
 * @texts: their messages for people
 * @headers: (nullable): the last `http-headers` message
 * @n_headers: how many of them came
 * @n_durations: messages that the duration has changed
 * @notes: what else a test has seen
 * @n_buffers: that reached the sink; the next ones are about these
 * @n_stamped: had a timestamp
 * @first_offset: the first one's offset
 * @first_bytes: its size
 */
typedef struct
{
  GstElement *pipeline;
  GstElement *src;
  GstElement *sink;
  GByteArray *bytes;
  GPtrArray *errors;
  GPtrArray *texts;
  GstStructure *headers;
  guint n_headers;
  guint n_durations;
  GString *notes;
  guint n_buffers;
  guint n_stamped;
  guint64 first_offset;
  gsize first_bytes;
  gboolean eos;
} Player;

Player *player_new (const char *factory, const char *location);
void player_free (Player *player);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Player, player_free)

/* Plays until EOS, or until the source has posted all its errors. */
void player_run (Player *player);

/* Waits for a state that was asked for. */
void player_set_state (Player *player, GstState state);

/* Waits for a message of one of @types and returns it. (transfer full) */
GstMessage *player_wait (Player *player, GstMessageType types);

/* Waits until @bytes has at least @count. */
void player_wait_bytes (Player *player, guint count);

/* Bytes collected so far. */
guint player_count (Player *player);

/* Returns: (transfer full) (nullable): what the sink has. */
GstStructure *player_sticky_headers (Player *player);
GstCaps *player_caps (Player *player);
GstTagList *player_tags (Player *player);

gboolean player_has_exactly (Player *player, GBytes *body);

/* Calls @check until it is true; fails the test when it never becomes. */
#define wait_until(condition) \
  G_STMT_START \
    { \
      gint64 wait_end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC; \
      while (!(condition)) { \
        fail_unless ( \
            g_get_monotonic_time () < wait_end, "never: " #condition); \
        g_usleep (1000); \
      } \
    } \
  G_STMT_END

/* Threads of this process whose name begins with @name; "" for all. A thread
 * that has just begun has no name of its own yet. */
guint count_threads (const char *name);

G_END_DECLS

/* p2phlssrc: commands between peers and their binary coding (P2P Media
 * Loader, generations v2 and v3).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Source: docs/design/peer-protocol.md; golden vectors in
 * tests/vectors/commands.json.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

typedef enum
{
  P2P_COMMAND_ANNOUNCE = 0,
  P2P_COMMAND_REQUEST = 1,
  P2P_COMMAND_DATA = 2,
  P2P_COMMAND_COMPLETED = 3,
  P2P_COMMAND_ABSENT = 4,
  P2P_COMMAND_CANCEL = 5,
} P2pCommandKind;

/**
 * P2pCommand:
 * @segment_id: field i
 * @request_id: field r
 * @byte_from: field b of REQUEST, 0 when absent
 * @needed_ms: field n of REQUEST, among native peers: it is not needed sooner
 *   than so many milliseconds from now, 0 when absent
 * @size: field s of DATA; of CANCEL, among native peers: bytes that have come
 * @has_size: field s is there
 * @loaded: (nullable): gint64 ids, field l of ANNOUNCE
 * @loading: (nullable): gint64 ids, field p of ANNOUNCE
 * @arriving: (nullable): gint64 ids, field a of ANNOUNCE, among native peers:
 *   may be asked for although not whole yet
 * @heard: (nullable): gint64 ids, field k of ANNOUNCE, among native peers: known
 *   by what others said to be on their way to somebody
 * @heard_claim: field e of ANNOUNCE, goes with @heard, about the newest of it: the
 *   best of those that claim it (p2p_election_claim()), 0: it is on its way,
 *   %P2P_NEVER when absent
 * @rumoured: (nullable): gint64 ids, field j of ANNOUNCE, among native peers: known
 *   by what others said that they had heard
 * @rumoured_claim: field d of ANNOUNCE, the same for @rumoured
 * @has_open: field o is there
 * @open: field o of ANNOUNCE, among native peers: of @loading, this is claimed and not
 *   being fetched yet
 */
typedef struct
{
  P2pCommandKind kind;
  gint64 segment_id;
  gint64 request_id;
  gint64 byte_from;
  gint64 needed_ms;
  gint64 size;
  gboolean has_size;
  gint64 heard_claim;
  gint64 rumoured_claim;
  gboolean has_open;
  gint64 open;
  GArray *loaded;
  GArray *loading;
  GArray *arriving;
  GArray *heard;
  GArray *rumoured;
} P2pCommand;

void p2p_command_clear (P2pCommand *command);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2pCommand, p2p_command_clear)

/**
 * p2p_command_encode:
 * @command: what to say
 * @max_message: bytes of one data channel message
 *
 * Returns: (transfer full) (element-type GBytes): the messages to send back
 * to back, usually one. Ids beyond what every decoder reads (255 groups of
 * 255) are left out, oldest (first) first.
 */
GPtrArray *p2p_command_encode (const P2pCommand *command, gsize max_message);

/* Whether one message is a chunk of a command and not segment data. */
gboolean p2p_command_is_chunk (const guint8 *data, gsize length);

/**
 * P2pCommandJoiner:
 *
 * Puts split commands together; one for each peer.
 */
typedef struct _P2pCommandJoiner P2pCommandJoiner;

P2pCommandJoiner *p2p_command_joiner_new (void);
void p2p_command_joiner_free (P2pCommandJoiner *joiner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pCommandJoiner, p2p_command_joiner_free)

typedef enum
{
  P2P_JOIN_MORE,  /* the command is not complete yet */
  P2P_JOIN_DONE,  /* @command is filled */
  P2P_JOIN_ERROR, /* framing or coding is wrong: @error is set */
} P2pJoinResult;

/**
 * p2p_command_joiner_push:
 * @joiner: a joiner
 * @message: a message for which p2p_command_is_chunk() holds
 * @command: (out caller-allocates): the command when %P2P_JOIN_DONE
 * @error: (nullable): why it is wrong
 *
 * Strict as generation v3: an unknown code, a missing field, a truncated or
 * oversized number is an error (which closes that connection).
 */
P2pJoinResult p2p_command_joiner_push (P2pCommandJoiner *joiner,
    GBytes *message, P2pCommand *command, GError **error);

G_END_DECLS

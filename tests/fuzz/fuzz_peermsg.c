/* p2phlssrc: fuzzes the reader of peer commands; what it accepts must come
 * back from the writer.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Input: messages, each after its length in two bytes, big-endian.
 */
#include "formats/peermsg.h"

#include "base/limits.h"
#include "fuzz.h"

static void
assert_same_ids (const GArray *sent, const GArray *received)
{
  guint n_sent = sent != NULL ? sent->len : 0;
  guint n_received = received != NULL ? received->len : 0;
  g_autoptr (GHashTable) ids = g_hash_table_new (g_int64_hash, g_int64_equal);

  g_assert (n_sent <= P2P_ANNOUNCEMENT_MAX_IDS && n_received <= n_sent);
  for (guint i = 0; i < n_sent; i++)
    g_hash_table_add (ids, &g_array_index (sent, gint64, i));
  for (guint i = 0; i < n_received; i++)
    g_assert (
        g_hash_table_contains (ids, &g_array_index (received, gint64, i)));
}

/* It says nothing without an id that it is about. */
static void
assert_same_claim (const GArray *about, gint64 said, gint64 read)
{
  if (about != NULL && about->len > 0)
    g_assert (said == read);
}

static void
check_round_trip (const P2pCommand *command, gsize max_message)
{
  g_autoptr (GPtrArray) messages = p2p_command_encode (command, max_message);
  g_autoptr (P2pCommandJoiner) joiner = p2p_command_joiner_new ();
  g_auto (P2pCommand) back = { 0 };
  P2pJoinResult result = P2P_JOIN_MORE;

  for (guint i = 0; i < messages->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (messages->pdata[i], &size);

    g_assert (size <= max_message && p2p_command_is_chunk (data, size));
    g_assert (result == P2P_JOIN_MORE);
    result = p2p_command_joiner_push (joiner, messages->pdata[i], &back, NULL);
  }
  g_assert (result == P2P_JOIN_DONE);
  g_assert (back.kind == command->kind);
  if (command->kind == P2P_COMMAND_ANNOUNCE) {
    assert_same_ids (command->loaded, back.loaded);
    assert_same_ids (command->loading, back.loading);
    assert_same_ids (command->arriving, back.arriving);
    assert_same_ids (command->heard, back.heard);
    assert_same_ids (command->rumoured, back.rumoured);
    assert_same_claim (command->heard, command->heard_claim, back.heard_claim);
    assert_same_claim (
        command->rumoured, command->rumoured_claim, back.rumoured_claim);
    g_assert (command->has_open == back.has_open);
    g_assert (command->open == back.open);
    return;
  }
  g_assert (back.segment_id == command->segment_id);
  g_assert (back.request_id == command->request_id);
  if (command->kind == P2P_COMMAND_REQUEST)
    g_assert (back.byte_from == command->byte_from);
  if (command->kind == P2P_COMMAND_DATA
      || (command->kind == P2P_COMMAND_CANCEL && command->has_size))
    g_assert (back.size == command->size && back.has_size);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (P2pCommandJoiner) joiner = p2p_command_joiner_new ();

  while (size >= 2) {
    gsize length = MIN ((gsize) data[0] << 8 | data[1], size - 2);
    g_autoptr (GBytes) message = g_bytes_new (data + 2, length);
    g_auto (P2pCommand) command = { 0 };
    g_autoptr (GError) error = NULL;
    P2pJoinResult result;

    data += 2 + length;
    size -= 2 + length;
    if (!p2p_command_is_chunk (g_bytes_get_data (message, NULL), length))
      continue;
    result = p2p_command_joiner_push (joiner, message, &command, &error);
    g_assert ((result == P2P_JOIN_ERROR) == (error != NULL));
    if (result == P2P_JOIN_DONE) {
      check_round_trip (&command, P2P_MESSAGE_MAX_BYTES);
      check_round_trip (&command, 9 + length % 64);
    }
  }

  return 0;
}

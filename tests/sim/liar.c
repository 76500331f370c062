/* p2phlssrc: viewers that lie to others, and who may be wrong for it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sim/liar.h"

#include "base/limits.h"
#include "formats/peermsg.h"
#include "sim/node.h"

/* What is changed in a message of segment bytes: one in the middle, so that it
 * does not become a command. Shorter ones are let be. */
#define SPOIL_LEAST_BYTES 32
#define SPOIL_BITS 0x55

struct _SimLiar
{
  P2pTransportPort port;
  P2pTransportPort *inner;
  SimNode *node;
  guint lies;          /* SimLie */
  GHashTable *spoiled; /* connections that send a segment with wrong bytes */
  GHashTable *muted;   /* connections that have kept some of a segment back */
};

/* --- what it says ----------------------------------------------------------- */

/* All segments that there are. */
static GBytes *
boast (SimLiar *liar, P2pCommand *command, GBytes *honest)
{
  SimWorld *world = liar->node->world;
  gint64 end = sim_cdn_published (world->cdn, world->now_us);
  gint64 id = world->config.vod ? 0 : MAX (end - world->config.window, 0);
  g_autoptr (GPtrArray) messages = NULL;

  g_clear_pointer (&command->loaded, g_array_unref);
  command->loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (; id < end; id++)
    g_array_append_val (command->loaded, id);
  messages = p2p_command_encode (command, P2P_MESSAGE_MAX_BYTES);

  return g_bytes_ref (messages->len == 1 ? messages->pdata[0] : honest);
}

static GBytes *
spoil (GBytes *honest)
{
  gsize size = g_bytes_get_size (honest);
  guint8 *data;

  if (size < SPOIL_LEAST_BYTES)
    return g_bytes_ref (honest);
  data = g_memdup2 (g_bytes_get_data (honest, NULL), size);
  data[size / 2] ^= SPOIL_BITS;

  return g_bytes_new_take (data, size);
}

/* Who has kept a part of a segment back cannot go on with the rest of it. */
static GBytes *
keep_back (SimLiar *liar, guint64 number)
{
  g_hash_table_add (liar->muted, g_memdup2 (&number, sizeof (number)));

  return NULL;
}

/* As if it came: the size of @command's segment, and then nothing. */
static GBytes *
begin_hollow (SimLiar *liar, const P2pCommand *command, GBytes *honest)
{
  SimWorld *world = liar->node->world;
  P2pCommand data = { .kind = P2P_COMMAND_DATA,
    .segment_id = command->segment_id,
    .request_id = command->request_id };
  g_autoptr (GPtrArray) messages = NULL;

  if (command->segment_id >= sim_cdn_published (world->cdn, world->now_us))
    return g_bytes_ref (honest);
  data.size = sim_cdn_segment_size (world->cdn, command->segment_id);
  messages = p2p_command_encode (&data, P2P_MESSAGE_MAX_BYTES);

  return g_bytes_ref (messages->pdata[0]);
}

static GBytes *
change_command (
    SimLiar *liar, guint64 number, P2pCommand *command, GBytes *honest)
{
  gboolean answers = FALSE;

  switch (command->kind) {
    case P2P_COMMAND_ANNOUNCE:
      if (liar->lies & (SIM_LIE_ABSENT | SIM_LIE_HOLLOW))
        return boast (liar, command, honest);
      break;
    case P2P_COMMAND_DATA:
      answers = TRUE;
      g_hash_table_remove (liar->muted, &number);
      if (liar->lies & SIM_LIE_BYTES)
        g_hash_table_add (liar->spoiled, g_memdup2 (&number, sizeof (number)));
      else
        g_hash_table_remove (liar->spoiled, &number);
      break;
    case P2P_COMMAND_ABSENT:
      if (liar->lies & SIM_LIE_HOLLOW)
        return begin_hollow (liar, command, honest);
      answers = TRUE;
      break;
    case P2P_COMMAND_COMPLETED:
      answers = TRUE;
      break;
    case P2P_COMMAND_REQUEST:
    case P2P_COMMAND_CANCEL:
      break;
  }
  if (answers && (liar->lies & SIM_LIE_MUTE))
    return keep_back (liar, number);

  return g_bytes_ref (honest);
}

/* Returns: (transfer full) (nullable): what is said instead. */
static GBytes *
change (SimLiar *liar, guint64 number, GBytes *honest)
{
  g_autoptr (P2pCommandJoiner) joiner = NULL;
  g_auto (P2pCommand) command = { 0 };
  gsize size;
  const guint8 *data = g_bytes_get_data (honest, &size);

  if (!p2p_command_is_chunk (data, size)) {
    if (liar->lies & SIM_LIE_MUTE
        || g_hash_table_contains (liar->muted, &number))
      return keep_back (liar, number);
    return g_hash_table_contains (liar->spoiled, &number)
        ? spoil (honest)
        : g_bytes_ref (honest);
  }
  joiner = p2p_command_joiner_new ();
  if (p2p_command_joiner_push (joiner, honest, &command, NULL) != P2P_JOIN_DONE)
    return g_bytes_ref (honest);

  return change_command (liar, number, &command, honest);
}

/* --- the port --------------------------------------------------------------- */

static P2pTransportPort *
inner (P2pTransportPort *port)
{
  return ((SimLiar *) port)->inner;
}

static void
configure (P2pTransportPort *port, const char *const *ice_servers)
{
  inner (port)->ops->configure (inner (port), ice_servers);
}

static void
offer (P2pTransportPort *port, guint64 number, const char *label)
{
  inner (port)->ops->offer (inner (port), number, label);
}

static void
answer (P2pTransportPort *port, guint64 number, const char *sdp)
{
  inner (port)->ops->answer (inner (port), number, sdp);
}

static void
set_answer (P2pTransportPort *port, guint64 number, const char *sdp)
{
  inner (port)->ops->set_answer (inner (port), number, sdp);
}

static gsize
send_message (P2pTransportPort *port, guint64 number, GBytes *honest)
{
  SimLiar *liar = (SimLiar *) port;
  g_autoptr (GBytes) said = change (liar, number, honest);

  return said != NULL ? inner (port)->ops->send (inner (port), number, said)
                      : 0;
}

static void
get_info (P2pTransportPort *port, guint64 number, P2pTransportInfo *info)
{
  inner (port)->ops->info (inner (port), number, info);
}

static void
close_conn (P2pTransportPort *port, guint64 number)
{
  g_hash_table_remove (((SimLiar *) port)->spoiled, &number);
  g_hash_table_remove (((SimLiar *) port)->muted, &number);
  inner (port)->ops->close (inner (port), number);
}

static const P2pTransportOps ops = {
  .configure = configure,
  .offer = offer,
  .answer = answer,
  .set_answer = set_answer,
  .send = send_message,
  .info = get_info,
  .close = close_conn,
};

SimLiar *
sim_liar_new (SimNode *node, P2pTransportPort *inner_port)
{
  SimLiar *liar = g_new0 (SimLiar, 1);

  liar->port.ops = &ops;
  liar->inner = inner_port;
  liar->node = node;
  liar->spoiled =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  liar->muted =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  return liar;
}

void
sim_liar_free (SimLiar *liar)
{
  g_hash_table_unref (liar->spoiled);
  g_hash_table_unref (liar->muted);
  g_free (liar);
}

P2pTransportPort *
sim_liar_port (SimLiar *liar)
{
  return &liar->port;
}

void
sim_liar_set (SimLiar *liar, SimLie lie, gboolean on)
{
  liar->lies = on ? liar->lies | lie : liar->lies & ~lie;
}

gboolean
sim_liar_spoils (SimLiar *liar)
{
  return liar != NULL && (liar->lies & SIM_LIE_BYTES);
}

/* --- who may be wrong ------------------------------------------------------- */

struct _SimTaint
{
  GHashTable *holders; /* of Holding, owned */
};

/* A viewer and a segment. */
typedef struct
{
  guint viewer;
  gint64 segment;
  gboolean tainted;
  GArray *offered_to; /* of guint */
} Holding;

static guint
holding_hash (gconstpointer data)
{
  const Holding *holding = data;

  return holding->viewer * 4099 + (guint) holding->segment;
}

static gboolean
holding_equal (gconstpointer a, gconstpointer b)
{
  const Holding *left = a, *right = b;

  return left->viewer == right->viewer && left->segment == right->segment;
}

static void
holding_free (gpointer data)
{
  Holding *holding = data;

  g_array_unref (holding->offered_to);
  g_free (holding);
}

SimTaint *
sim_taint_new (void)
{
  SimTaint *taint = g_new (SimTaint, 1);

  taint->holders =
      g_hash_table_new_full (holding_hash, holding_equal, holding_free, NULL);

  return taint;
}

void
sim_taint_free (SimTaint *taint)
{
  g_hash_table_unref (taint->holders);
  g_free (taint);
}

static Holding *
ensure_holding (SimTaint *taint, guint viewer, gint64 segment)
{
  Holding key = { .viewer = viewer, .segment = segment };
  Holding *holding = g_hash_table_lookup (taint->holders, &key);

  if (holding == NULL) {
    holding = g_new (Holding, 1);
    *holding = key;
    holding->offered_to = g_array_new (FALSE, FALSE, sizeof (guint));
    g_hash_table_add (taint->holders, holding);
  }

  return holding;
}

/* It may have been on its way to others already. */
static void
spread (SimTaint *taint, guint viewer, gint64 segment)
{
  Holding *holding = ensure_holding (taint, viewer, segment);
  guint i;

  if (holding->tainted)
    return;
  holding->tainted = TRUE;
  for (i = 0; i < holding->offered_to->len; i++)
    spread (taint, g_array_index (holding->offered_to, guint, i), segment);
}

void
sim_taint_offer (
    SimTaint *taint, guint from, guint to, gint64 segment, gboolean spoiled)
{
  Holding *holding = ensure_holding (taint, from, segment);

  g_array_append_val (holding->offered_to, to);
  if (spoiled || holding->tainted)
    spread (taint, to, segment);
}

gboolean
sim_taint_is_on (SimTaint *taint, guint viewer, gint64 segment)
{
  Holding key = { .viewer = viewer, .segment = segment };
  Holding *holding =
      taint != NULL ? g_hash_table_lookup (taint->holders, &key) : NULL;

  return holding != NULL && holding->tainted;
}

/* p2phlssrc: what we say of segments, and to whom.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/claims.md.
 */
#include "engine-private.h"
#include "policy/election.h"

static void
add_external (GArray *ids, P2pShare *share, P2pProtocol protocol, gint64 id)
{
  gint64 external = p2p_stream_external_id (share->stream, protocol, id);

  g_array_append_val (ids, external);
}

/* Of a live stream, those that peers may lack: the one before the newest and
 * what follows. */
#define N_NEWEST (2 + P2P_ANNOUNCED_AHEAD)

static gint64
first_of_newest (P2pShare *share)
{
  return share->newest - 1;
}

/* Word that so many peers speak has reached nearly everybody. */
#define SPOKEN_WIDELY 6

/* A rumour is told to one peer in so many: nearly everybody is two connections away
 * from a claim and hears of it without; who is not has as many peers as we. */
#define RUMOUR_SPREAD 10

/* Of these there is hearsay: the one before the newest is no news, and what nobody
 * can know of yet would stand before what is. */
#define IS_NEWS (G_GUINT64_CONSTANT (0xe))

/* What others say makes us speak no more often: 500 in 10 s are far from what peers
 * take for a flood. */
#define WORD_PACE_US (20 * 1000)

/* @bits: not 0 */
static guint
bit_of_newest (guint64 bits)
{
  return 63 - __builtin_clzll (bits);
}

const P2pWords *
p2p_announce_words_of (P2pPeer *peer)
{
  P2pShare *share = peer->share;
  gint64 first = p2p_stream_external_id (
      share->stream, peer->swarm->protocol, first_of_newest (share));

  if (!peer->has_words || peer->words_first != first) {
    peer->words = p2p_peer_words (peer, first_of_newest (share), N_NEWEST);
    peer->words.gives &=
        ~p2p_doubt_window (peer, first_of_newest (share), N_NEWEST);
    peer->words_first = first;
    peer->has_words = TRUE;
  }

  return &peer->words;
}

/* Which of them our peers get, by their own word, and which they have heard of. What
 * is a rumour to them is not passed on.
 * @widely: (out) (optional): those of which many peers speak */
static void
hear_peers (P2pShare *share, P2pWords *words, guint64 *widely)
{
  guint64 spoken[SPOKEN_WIDELY] = { 0 }; /* by one more than the index */
  guint64 heard = 0, rumoured = 0;
  guint i, k;

  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];
    const P2pWords *theirs;
    guint64 all;

    if (peer->state != P2P_PEER_OPEN)
      continue;
    theirs = p2p_announce_words_of (peer);
    heard |= theirs->gives | theirs->loading;
    rumoured |= theirs->heard;
    all = theirs->gives | theirs->loading | theirs->heard | theirs->rumoured;
    for (k = SPOKEN_WIDELY - 1; k > 0; k--)
      spoken[k] |= spoken[k - 1] & all;
    spoken[0] |= all;
  }
  words->heard = heard & IS_NEWS;
  words->rumoured = rumoured & IS_NEWS;
  if (widely != NULL)
    *widely = spoken[SPOKEN_WIDELY - 1];
}

/* Of the newest that they speak of, the best claims. */
static void
hear_claims (P2pShare *share, P2pWords *words)
{
  guint heard = 0, rumoured = 0;
  guint i;

  if (words->heard != 0) {
    heard = bit_of_newest (words->heard);
    words->heard_claim = P2P_NEVER;
  }
  if (words->rumoured != 0) {
    rumoured = bit_of_newest (words->rumoured);
    words->rumoured_claim = P2P_NEVER;
  }
  for (i = 0; i < share->peers->len
       && (words->heard_claim > 0 || words->rumoured_claim > 0);
       i++) {
    P2pPeer *peer = share->peers->pdata[i];
    const P2pWords *theirs;

    if (peer->state != P2P_PEER_OPEN)
      continue;
    theirs = p2p_announce_words_of (peer);
    if (words->heard != 0 && ((theirs->gives | theirs->loading) >> heard & 1))
      words->heard_claim = MIN (words->heard_claim,
          p2p_peer_own_claim (peer, first_of_newest (share) + heard));
    if (words->rumoured != 0 && (theirs->heard >> rumoured & 1))
      words->rumoured_claim = MIN (words->rumoured_claim,
          p2p_peer_heard_claim (peer, first_of_newest (share) + rumoured));
  }
}

/* What we say of them to natives. */
static P2pWords
find_words (P2pShare *share, guint64 *widely)
{
  P2pWords words = { 0 };
  guint i;

  if (!share->engine->upload || !share->stream->live)
    return words;
  for (i = 0; i < N_NEWEST; i++) {
    gint64 id = first_of_newest (share) + i;
    P2pDownload *download = p2p_download_find (share, id);

    if (p2p_download_is_here (share, id)
        || (download != NULL && p2p_upload_relays (download)))
      words.gives |= 1u << i;
    if ((download != NULL && download->http != 0)
        || p2p_claim_is_open (share, id))
      words.loading |= 1u << i;
  }
  hear_peers (share, &words, widely);
  hear_claims (share, &words);

  return words;
}

static void
add_newest (GArray *ids, P2pShare *share, P2pProtocol protocol, guint64 bits)
{
  for (; bits != 0; bits &= bits - 1)
    add_external (
        ids, share, protocol, first_of_newest (share) + __builtin_ctzll (bits));
}

/* What @swarm is told: the loaded ids and those loading over HTTP, as it numbers
 * them; to natives also those that are passed on as they arrive, and of the
 * newest those that were heard of. */
static GPtrArray *
write_announcement (P2pShare *share, const P2pSwarm *swarm, gboolean native,
    const P2pWords *words)
{
  P2pProtocol protocol = swarm->protocol;
  g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };
  g_autoptr (GPtrArray) entries = NULL;
  guint i;

  if (!share->engine->upload)
    return p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);

  entries = p2p_store_list (share->engine->store, share->stream->serial);
  command.loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.loading = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.arriving = g_array_new (FALSE, FALSE, sizeof (gint64));
  command.heard = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (i = 0; i < entries->len; i++) {
    P2pEntry *entry = entries->pdata[i];

    if (entry->complete)
      add_external (command.loaded, share, protocol, entry->id);
  }
  for (i = 0; i < share->downloads->len; i++) {
    P2pDownload *download = share->downloads->pdata[i];

    if (download->http != 0)
      add_external (command.loading, share, protocol, download->id);
    if (native && p2p_upload_relays (download))
      add_external (command.arriving, share, protocol, download->id);
  }
  if (share->claim_until_us != 0)
    add_external (command.loading, share, protocol, share->claim);
  if (native) {
    command.has_open = share->claim_until_us != 0;
    command.open =
        p2p_stream_external_id (share->stream, protocol, share->claim);
    command.rumoured = g_array_new (FALSE, FALSE, sizeof (gint64));
    add_newest (command.heard, share, protocol, words->heard);
    add_newest (command.rumoured, share, protocol, words->rumoured);
    command.heard_claim = words->heard_claim;
    command.rumoured_claim = words->rumoured_claim;
  }

  return p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
}

/* Whether @messages is what was announced last; notes it if not. */
static gboolean
is_told (GBytes **last, GPtrArray *messages)
{
  GBytes *first = messages->pdata[0];

  if (messages->len == 1 && *last != NULL && g_bytes_equal (*last, first))
    return TRUE;
  g_clear_pointer (last, g_bytes_unref);
  *last = g_bytes_ref (first);

  return FALSE;
}

/* @words from segment @first on, of the newest as they are now. */
static P2pWords
moved_on (P2pShare *share, const P2pWords *words, gint64 first)
{
  guint64 passed = first_of_newest (share) - first;
  P2pWords moved = *words;

  if (passed >= N_NEWEST)
    return (P2pWords){ 0 };
  moved.gives >>= passed;
  moved.loading >>= passed;
  moved.heard >>= passed;
  moved.rumoured >>= passed;

  return moved;
}

/* What @peer has been told of the newest segments, as they are now. */
static P2pWords
told_words (P2pShare *share, P2pPeer *peer)
{
  return moved_on (share, &peer->told, peer->told_first);
}

/* The best claim of what has bit @i, by hearsay; P2P_NEVER: of none. */
static gint64
best_claim (const P2pWords *words, guint i)
{
  gint64 best = P2P_NEVER;

  if (words->heard >> i & 1)
    best = words->heard_claim;
  if (words->rumoured >> i & 1)
    best = MIN (best, words->rumoured_claim);

  return best;
}

/* Whether it claims the newest segment, and does not know that somebody comes
 * before it. */
static gboolean
has_rival (P2pShare *share, P2pPeer *peer, const P2pWords *words,
    const P2pWords *told, const P2pWords *theirs)
{
  guint64 all = words->heard | words->rumoured;
  guint newest = all != 0 ? bit_of_newest (all) : 0;
  gint64 best;

  if (all == 0 || !((theirs->loading & ~theirs->gives) >> newest & 1))
    return FALSE;
  best = best_claim (words, newest);

  return best < best_claim (told, newest)
      && best < p2p_peer_own_claim (peer, first_of_newest (share) + newest);
}

/* In a live stream everybody has the old segments, and who gets the newest does
 * not look for another who does. Word of what we have got is only for those who
 * lack it and have not heard of it, and for who gave it: it waits to know. */
static gboolean
is_worth_telling (
    P2pShare *share, P2pPeer *peer, const P2pWords *words, guint64 widely)
{
  guint64 claims = words->gives | words->loading;
  guint64 hearsay = words->heard | words->rumoured;
  const P2pWords *theirs;
  P2pWords told;
  guint64 told_claims, told_hearsay, fresh, news, gone;

  if (!share->engine->upload || !peer->announced || peer->awaits_word)
    return TRUE;
  told = told_words (share, peer);
  told_claims = told.gives | told.loading;
  told_hearsay = told.heard | told.rumoured;
  theirs = p2p_announce_words_of (peer);
  /* What we claimed and do not any more is news to who claims it, too. */
  if (has_rival (share, peer, words, &told, theirs)
      || (told.loading & ~claims) != 0)
    return TRUE;
  fresh = words->heard;
  if ((peer->conn + share->newest) % RUMOUR_SPREAD == 0)
    fresh |= words->rumoured;
  fresh &=
      ~(told_claims | told_hearsay | theirs->heard | theirs->rumoured | widely);
  news = (words->gives & ~told.gives) | (words->loading & ~told_claims) | fresh;
  /* Or what some have from each other would keep itself alive. */
  gone = (told.gives & ~words->gives) | (told.heard & ~(claims | words->heard))
      | (told.rumoured & ~(claims | hearsay));

  return ((news | gone) & ~(theirs->gives | theirs->loading)) != 0;
}

static void
note_told (P2pShare *share, P2pPeer *peer, const P2pWords *words)
{
  peer->told = *words;
  peer->told_first = first_of_newest (share);
}

GPtrArray *
p2p_announce_tell (P2pShare *share, P2pPeer *peer)
{
  P2pWords words = find_words (share, NULL);

  note_told (share, peer, &words);

  return write_announcement (
      share, peer->swarm, p2p_peer_is_native (peer), &words);
}

void
p2p_announce (P2pShare *share)
{
  /* Natives hear more. */
  GPtrArray *messages[2 * G_N_ELEMENTS (share->swarms)] = { NULL };
  gboolean is_old[G_N_ELEMENTS (messages)] = { FALSE };
  guint64 widely = 0;
  P2pWords words = find_words (share, &widely);
  guint i;

  share->announce_wanted = FALSE;
  share->said = words;
  share->said_first = first_of_newest (share);
  for (i = 0; i < share->peers->len; i++) {
    P2pPeer *peer = share->peers->pdata[i];
    gboolean native = p2p_peer_is_native (peer);
    guint k = 2 * (peer->swarm - share->swarms) + native;

    if (peer->state != P2P_PEER_OPEN
        || (native && share->stream->live
            && !is_worth_telling (share, peer, &words, widely)))
      continue;
    if (messages[k] == NULL) {
      messages[k] = write_announcement (share, peer->swarm, native, &words);
      is_old[k] = is_told (&share->last_told[k], messages[k]);
    }
    /* A step may change this and back. */
    if (is_old[k] && peer->announced && !(native && share->stream->live))
      continue;
    note_told (share, peer, &words);
    p2p_peer_send_announcement (peer, messages[k]);
  }
  for (i = 0; i < G_N_ELEMENTS (messages); i++)
    g_clear_pointer (&messages[i], g_ptr_array_unref);
}

void
p2p_announce_due (gpointer owner, gint64 now_us)
{
  P2pShare *share = owner;

  share->word_us = now_us;
  p2p_share_wants_announce (share);
}

void
p2p_announce_words (P2pShare *share)
{
  gint64 now_us = share->engine->now_us;

  if (!share->stream->live || !share->engine->upload)
    return;
  if (now_us >= share->word_us + WORD_PACE_US)
    p2p_announce_due (share, now_us);
  else
    p2p_timer_set_sooner (&share->word_timer, share->word_us + WORD_PACE_US);
}

/* What we would pass on of it. */
static guint64
first_hand (const P2pWords *words)
{
  return (words->gives | words->loading | words->heard) & IS_NEWS;
}

/* Word of a segment goes further than its bytes do so soon. */
void
p2p_announce_heard (P2pPeer *peer, const P2pWords *before)
{
  P2pShare *share = peer->share;
  const P2pWords *theirs = p2p_announce_words_of (peer);
  P2pWords said = moved_on (share, &share->said, share->said_first);
  guint64 hearsay = (said.heard | said.rumoured) & IS_NEWS;
  guint64 news = first_hand (theirs) & ~(said.gives | said.loading | hearsay);
  guint64 gone = first_hand (before) & ~first_hand (theirs) & hearsay;
  gint64 id;

  if ((news | gone) != 0) {
    p2p_announce_words (share);
    return;
  }
  if (hearsay == 0)
    return;
  id = first_of_newest (share) + bit_of_newest (hearsay);
  /* Somebody comes before all, or claims it after one who does. */
  if (MIN (p2p_peer_own_claim (peer, id), p2p_peer_heard_claim (peer, id))
          < best_claim (&said, bit_of_newest (hearsay))
      || (theirs->loading & ~before->loading) >> bit_of_newest (hearsay) & 1)
    p2p_announce_words (share);
}

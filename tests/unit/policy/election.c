/* p2phlssrc: tests of the election, against golden vectors.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "policy/election.h"

#include "unit/vectors.h"

static void
set_id (P2pPeerId *id, const char *text)
{
  g_assert_cmpuint (strlen (text), ==, P2P_ID_LENGTH);
  g_strlcpy (id->text, text, sizeof (id->text));
}

static void
test_hashes (void)
{
  g_autoptr (JsonNode) root = vectors_load ("election.json");
  JsonArray *vectors = vectors_array (json_node_get_object (root), "hash32");

  for (guint i = 0; i < json_array_get_length (vectors); i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);
    g_autoptr (GError) error = NULL;
    /* JavaScript hashes UTF-16 units: up to U+00FF one byte each. */
    g_autofree char *input = g_convert (vectors_text (vector, "input"), -1,
        "ISO-8859-1", "UTF-8", NULL, NULL, &error);

    g_assert_no_error (error);
    g_assert_cmpint (
        p2p_election_hash (input), ==, vectors_int (vector, "hash", -1));
  }
}

static void
check_rank (JsonArray *vectors, JsonObject *vector)
{
  gint64 id = vectors_int (vector, "external_id", -1);
  P2pPeerId own, others[16];
  const P2pPeerId *peers[16];
  guint n = 0;

  set_id (&own, vectors_text (vector, "peer"));
  for (guint i = 0; i < json_array_get_length (vectors); i++) {
    JsonObject *other = json_array_get_object_element (vectors, i);

    if (other == vector || vectors_int (other, "external_id", -1) != id)
      continue;
    g_assert_cmpuint (n, <, G_N_ELEMENTS (others));
    set_id (&others[n], vectors_text (other, "peer"));
    peers[n] = &others[n];
    n++;
  }
  g_assert_cmpuint (n, >, 0);
  g_assert_cmpint (
      p2p_election_score (&own, id), ==, vectors_int (vector, "score", -1));
  g_assert_cmpint (p2p_election_rank (&own, peers, n, id), ==,
      vectors_int (vector, "rank", -1));
}

static void
test_scores_and_ranks (void)
{
  g_autoptr (JsonNode) root = vectors_load ("election.json");
  JsonArray *vectors = vectors_array (json_node_get_object (root), "scores");

  for (guint i = 0; i < json_array_get_length (vectors); i++)
    check_rank (vectors, json_array_get_object_element (vectors, i));
}

static void
test_alone_owns (void)
{
  P2pPeerId own;

  set_id (&own, "-GS0100-aaaaaaaaaaaa");
  g_assert_cmpuint (p2p_election_rank (&own, NULL, 0, 5), ==, 0);
}

/* Each of three owns its share, and exactly one owns each segment. */
static void
test_fair (void)
{
  static const char *const names[] = {
    "-PM0400-aaaaaaaaaaaa",
    "-PM0400-bbbbbbbbbbbb",
    "-PM0400-cccccccccccc",
  };
  guint owned[3] = { 0 };
  P2pPeerId ids[3];

  for (guint i = 0; i < 3; i++)
    set_id (&ids[i], names[i]);
  for (gint64 segment = 0; segment < 600; segment++) {
    guint owners = 0;

    for (guint i = 0; i < 3; i++) {
      const P2pPeerId *others[] = { &ids[(i + 1) % 3], &ids[(i + 2) % 3] };

      if (p2p_election_rank (&ids[i], others, 2, segment) != 0)
        continue;
      owned[i]++;
      owners++;
    }
    g_assert_cmpuint (owners, ==, 1);
  }
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (owned[i], >=, 150);
    g_assert_cmpuint (owned[i], <=, 250);
  }
}

/* Nobody's claim is as good as what is on its way, and of two the first in the
 * election's order has the better one. */
static void
test_claims (void)
{
  P2pPeerId one, other;
  const P2pPeerId *others[] = { &other };

  set_id (&one, "-GS0100-000000000001");
  set_id (&other, "-GS0100-000000000002");
  for (gint64 segment = 0; segment < 100; segment++) {
    gboolean is_first = p2p_election_rank (&one, others, 1, segment) == 0;
    guint32 other_score = p2p_election_score (&other, segment);
    gint64 claim = p2p_election_claim (p2p_election_score (&one, segment));

    g_assert_cmpint (claim, >, 0);
    g_assert_cmpint (claim, <=, (gint64) G_MAXUINT32 + 1);
    g_assert_cmpint (claim < p2p_election_claim (other_score), ==, is_first);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy/election/hashes", test_hashes);
  g_test_add_func ("/policy/election/scores-and-ranks", test_scores_and_ranks);
  g_test_add_func ("/policy/election/alone-owns", test_alone_owns);
  g_test_add_func ("/policy/election/fair", test_fair);
  g_test_add_func ("/policy/election/claims", test_claims);

  return g_test_run ();
}

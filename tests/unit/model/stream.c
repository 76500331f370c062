/* p2phlssrc: tests of segment numbers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/registry.h"

static void
test_numbers (void)
{
  g_autoptr (GPtrArray) segments = g_ptr_array_new ();
  P2pSegment some[] = { { .id = 1010 }, { .id = 1011 } };
  P2pStream stream = {
    .segments = segments, .id_offset = 1000, .v2_offset = 10
  };

  g_assert_null (p2p_stream_segment (&stream, 0));
  g_ptr_array_add (segments, &some[0]);
  g_ptr_array_add (segments, &some[1]);
  g_assert_true (p2p_stream_segment (&stream, 1011) == &some[1]);
  g_assert_null (p2p_stream_segment (&stream, 1012));
  g_assert_null (p2p_stream_segment (&stream, G_MININT64));
  g_assert_null (p2p_stream_segment (&stream, G_MAXINT64));
  g_assert_cmpint (
      p2p_stream_external_id (&stream, P2P_PROTOCOL_V3, 1011), ==, 11);
  g_assert_cmpint (
      p2p_stream_external_id (&stream, P2P_PROTOCOL_V2, 1011), ==, 1);
  g_assert_cmpint (
      p2p_stream_segment_id (&stream, P2P_PROTOCOL_V3, 11), ==, 1011);
  g_assert_cmpint (
      p2p_stream_segment_id (&stream, P2P_PROTOCOL_V2, 1), ==, 1011);
  g_assert_cmpint (
      p2p_stream_segment_id (&stream, P2P_PROTOCOL_V2, G_MAXINT64), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/stream/numbers", test_numbers);

  return g_test_run ();
}

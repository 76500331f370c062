/* p2phlssrc: batches arrive as the datagrams they were made of.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "nice/batch.h"

#include "base/limits.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  int from, to;
  P2pBatch *batch;
} Sockets;

static int
bound_socket (struct sockaddr_in *address)
{
  int fd = socket (AF_INET, SOCK_DGRAM, 0);
  socklen_t length = sizeof *address;

  memset (address, 0, sizeof *address);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (fd, (struct sockaddr *) address, length), ==, 0);
  g_assert_cmpint (
      getsockname (fd, (struct sockaddr *) address, &length), ==, 0);

  return fd;
}

static void
sockets_init (Sockets *sockets, gboolean without_checksums)
{
  struct sockaddr_in from, to;
  int on = without_checksums;

  sockets->from = bound_socket (&from);
  sockets->to = bound_socket (&to);
  /* The kernel cuts nothing without them. */
  g_assert_cmpint (
      setsockopt (sockets->from, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), ==,
      0);
  sockets->batch = p2p_batch_new ();
  g_assert_false (p2p_batch_has_target (sockets->batch));
  p2p_batch_set_target (
      sockets->batch, sockets->from, (struct sockaddr *) &to, sizeof to);
  g_assert_true (p2p_batch_has_target (sockets->batch));
}

static void
sockets_clear (Sockets *sockets)
{
  p2p_batch_free (sockets->batch);
  close (sockets->from);
  close (sockets->to);
}

static void
add (Sockets *sockets, gsize length, guint8 fill)
{
  guint8 data[P2P_DATAGRAM_BYTES];

  memset (data, fill, length);
  p2p_batch_add (sockets->batch, data, length);
}

static void
expect (Sockets *sockets, gsize length, guint8 fill)
{
  guint8 data[64 * 1024];
  gssize received = recv (sockets->to, data, sizeof data, 0);

  g_assert_cmpint (received, ==, length);
  for (gsize i = 0; i < length; i++)
    g_assert_cmpuint (data[i], ==, fill);
}

static void
expect_nothing (Sockets *sockets)
{
  guint8 byte;

  g_assert_cmpint (recv (sockets->to, &byte, 1, MSG_DONTWAIT), ==, -1);
}

/* Sizes as SCTP makes them: full ones, a shorter end, acknowledgements. */
static void
run (gboolean without_checksums)
{
  static const gsize lengths[] = { 1232, 1232, 1232, 400, 1232, 65, 65, 69, 65,
    1232, 1, 1232, 1231, 1231 };
  Sockets sockets;

  sockets_init (&sockets, without_checksums);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
      add (&sockets, lengths[i], i);
    p2p_batch_flush (sockets.batch);
    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
      expect (&sockets, lengths[i], i);
    expect_nothing (&sockets);
  }

  /* A batch that is full does not wait. */
  for (guint i = 0; i < 40; i++)
    add (&sockets, 1000, i);
  for (guint i = 0; i < 32; i++)
    expect (&sockets, 1000, i);
  expect_nothing (&sockets);
  p2p_batch_set_target (sockets.batch, -1, NULL, 0);
  for (guint i = 32; i < 40; i++)
    expect (&sockets, 1000, i);
  sockets_clear (&sockets);
}

static void
test_at_once (void)
{
  run (FALSE);
}

static void
test_one_by_one (void)
{
  run (TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batch/at-once", test_at_once);
  g_test_add_func ("/batch/one-by-one", test_one_by_one);

  return g_test_run ();
}

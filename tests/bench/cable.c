/* p2phlssrc: a long cable between two TUN devices, for benchmarks.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     cable MICROSECONDS FD FD
 *
 * What one device sends comes out of the other that much later, in order and
 * unchanged. tc's netem would do that, where a kernel has it. Rates, queues and
 * losses are those of the qdiscs on the devices; this program only reads on
 * when it has room. Ends with its devices.
 */
#include <glib-unix.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A device's MTU, which is the default. */
#define PACKET_MAX_BYTES 1500

/* On their way in one direction: more than 100 Mbit/s for 100 ms. */
#define PACKETS_MAX 1024

typedef struct
{
  gint64 due_us;
  gssize length;
  guint8 data[PACKET_MAX_BYTES];
} Packet;

/* One direction. */
typedef struct
{
  int from;
  int to;
  guint first; /* counts on; modulo PACKETS_MAX it is an index */
  guint end;
  Packet packets[PACKETS_MAX];
} Way;

static gint64 delay_us;

static gboolean
has_room (const Way *way)
{
  return way->end - way->first < PACKETS_MAX;
}

/* Returns: FALSE once the device is gone. */
static gboolean
take (Way *way)
{
  while (has_room (way)) {
    Packet *packet = &way->packets[way->end % PACKETS_MAX];

    packet->length = read (way->from, packet->data, sizeof packet->data);
    if (packet->length < 0)
      return errno == EAGAIN || errno == EINTR;
    packet->due_us = g_get_monotonic_time () + delay_us;
    way->end++;
  }

  return TRUE;
}

/* Returns: when the next is due, G_MAXINT64: none. */
static gint64
give (Way *way)
{
  while (way->first != way->end) {
    Packet *packet = &way->packets[way->first % PACKETS_MAX];

    if (packet->due_us > g_get_monotonic_time ())
      return packet->due_us;
    /* A device that is down, or whose host does not want it, loses it. */
    if (write (way->to, packet->data, packet->length) < 0 && errno == EBADFD)
      exit (EXIT_SUCCESS);
    way->first++;
  }

  return G_MAXINT64;
}

static void
wait_until (const Way *ways, gint64 due_us)
{
  struct pollfd fds[2];
  struct timespec left = { 0 };
  gint64 left_us = MAX (due_us - g_get_monotonic_time (), 0);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = (struct pollfd){ .fd = ways[i].from,
      .events = has_room (&ways[i]) ? POLLIN : 0 };
  left.tv_sec = left_us / G_USEC_PER_SEC;
  left.tv_nsec = left_us % G_USEC_PER_SEC * 1000;
  ppoll (fds, G_N_ELEMENTS (fds), due_us == G_MAXINT64 ? NULL : &left, NULL);
}

int
main (int argc, char **argv)
{
  static Way ways[2];
  guint i;

  if (argc != 4) {
    g_printerr ("usage: cable MICROSECONDS FD FD\n");
    return EXIT_FAILURE;
  }
  delay_us = g_ascii_strtoll (argv[1], NULL, 10);
  for (i = 0; i < 2; i++) {
    ways[i].from = atoi (argv[2 + i]);
    ways[i].to = atoi (argv[3 - i]);
    if (!g_unix_set_fd_nonblocking (ways[i].from, TRUE, NULL))
      return EXIT_FAILURE;
  }
  /* The kernel rounds 50 us up where nobody minds. */
  prctl (PR_SET_TIMERSLACK, 1UL);
  while (take (&ways[0]) && take (&ways[1]))
    wait_until (ways, MIN (give (&ways[0]), give (&ways[1])));

  return EXIT_SUCCESS;
}

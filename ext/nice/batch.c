/* p2phlssrc: several datagrams to one address in one system call.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "batch.h"

#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* linux/udp.h; older C libraries do not have it. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Datagrams of one batch. Enough to make the system call cheap, and no longer
 * burst than SCTP makes by itself. */
#define BATCH_DATAGRAMS 16

struct _P2pBatch
{
  int fd;
  struct sockaddr_storage address;
  socklen_t address_length;
  guint8 *data; /* (nullable): made when it is needed */
  gsize length;
  gsize segment; /* bytes of every datagram but the last */
  gsize last;    /* bytes of the last */
  guint n;
  gboolean one_by_one;
};

P2pBatch *
p2p_batch_new (void)
{
  P2pBatch *batch = g_new0 (P2pBatch, 1);

  batch->fd = -1;

  return batch;
}

void
p2p_batch_free (P2pBatch *batch)
{
  g_free (batch->data);
  g_free (batch);
}

gboolean
p2p_batch_has_target (const P2pBatch *batch)
{
  return batch->fd >= 0;
}

void
p2p_batch_set_target (
    P2pBatch *batch, int fd, const struct sockaddr *address, socklen_t length)
{
  g_assert (length <= sizeof batch->address);

  p2p_batch_flush (batch);
  batch->fd = fd;
  batch->address_length = length;
  if (length > 0)
    memcpy (&batch->address, address, length);
}

static gboolean
send_at_once (P2pBatch *batch)
{
  guint16 segment = batch->segment;
  union
  {
    char bytes[CMSG_SPACE (sizeof segment)];
    struct cmsghdr aligned;
  } control = { 0 };
  struct iovec vector = { .iov_base = batch->data, .iov_len = batch->length };
  struct msghdr message = { .msg_name = &batch->address,
    .msg_namelen = batch->address_length,
    .msg_iov = &vector,
    .msg_iovlen = 1 };
  struct cmsghdr *header;

  if (batch->n > 1) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    header = CMSG_FIRSTHDR (&message);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN (sizeof segment);
    memcpy (CMSG_DATA (header), &segment, sizeof segment);
  }

  return sendmsg (batch->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0
      || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
}

static void
send_one_by_one (P2pBatch *batch)
{
  gsize offset = 0;

  while (offset < batch->length) {
    gsize length = MIN (batch->segment, batch->length - offset);

    sendto (batch->fd, batch->data + offset, length,
        MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *) &batch->address,
        batch->address_length);
    offset += length;
  }
}

void
p2p_batch_flush (P2pBatch *batch)
{
  if (batch->n == 0)
    return;

  if (batch->one_by_one && batch->n > 1) {
    send_one_by_one (batch);
  } else if (!send_at_once (batch) && batch->n > 1) {
    /* An old kernel, or a route without checksum offload. */
    P2P_LOG_DEBUG (P2P_AREA_ICE, 0, "no batches: %s", g_strerror (errno));
    batch->one_by_one = TRUE;
    send_one_by_one (batch);
  }
  batch->n = 0;
  batch->length = 0;
}

void
p2p_batch_add (P2pBatch *batch, const guint8 *data, gsize length)
{
  g_assert (length <= P2P_DATAGRAM_BYTES);

  /* Only the last datagram of a batch may be shorter than the others. */
  if (batch->n > 0 && (length > batch->segment || batch->last < batch->segment))
    p2p_batch_flush (batch);
  if (batch->data == NULL)
    batch->data = g_malloc (BATCH_DATAGRAMS * P2P_DATAGRAM_BYTES);

  if (batch->n == 0)
    batch->segment = length;
  memcpy (batch->data + batch->length, data, length);
  batch->length += length;
  batch->last = length;
  if (++batch->n == BATCH_DATAGRAMS)
    p2p_batch_flush (batch);
}

/* p2phlssrc: a network that swallows UDP, for one process.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Preloaded. Datagrams to other hosts leave the program and arrive nowhere,
 * as behind a firewall that drops them; no privilege is needed for it.
 */
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/types.h>

static int
is_datagram (int socket_fd)
{
  int type = 0;
  struct sockaddr_storage address;
  socklen_t length = sizeof type;

  if (getsockopt (socket_fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0
      || type != SOCK_DGRAM)
    return 0;
  length = sizeof address;
  return getsockname (socket_fd, (struct sockaddr *) &address, &length) == 0
      && (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

static size_t
message_size (const struct msghdr *message)
{
  size_t size = 0;

  for (size_t i = 0; i < message->msg_iovlen; i++)
    size += message->msg_iov[i].iov_len;
  return size;
}

__attribute__ ((visibility ("default"))) ssize_t
sendto (int fd, const void *data, size_t size, int flags,
    const struct sockaddr *to, socklen_t length)
{
  ssize_t (*next) (int, const void *, size_t, int, const struct sockaddr *,
      socklen_t) = dlsym (RTLD_NEXT, "sendto");

  return is_datagram (fd) ? (ssize_t) size
                          : next (fd, data, size, flags, to, length);
}

__attribute__ ((visibility ("default"))) ssize_t
send (int fd, const void *data, size_t size, int flags)
{
  ssize_t (*next) (int, const void *, size_t, int) = dlsym (RTLD_NEXT, "send");

  return is_datagram (fd) ? (ssize_t) size : next (fd, data, size, flags);
}

__attribute__ ((visibility ("default"))) ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  ssize_t (*next) (int, const struct msghdr *, int) =
      dlsym (RTLD_NEXT, "sendmsg");

  return is_datagram (fd) ? (ssize_t) message_size (message)
                          : next (fd, message, flags);
}

__attribute__ ((visibility ("default"))) int
sendmmsg (int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
  int (*next) (int, struct mmsghdr *, unsigned int, int) =
      dlsym (RTLD_NEXT, "sendmmsg");

  if (!is_datagram (fd))
    return next (fd, messages, count, flags);
  for (unsigned int i = 0; i < count; i++)
    messages[i].msg_len = (unsigned int) message_size (&messages[i].msg_hdr);
  return (int) count;
}

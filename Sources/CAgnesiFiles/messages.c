#ifdef __linux__
#define _GNU_SOURCE
#endif
#include "messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agnesi_files.h"

typedef union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
} control;

bool agnesi_message_send(int socket, const void *bytes, size_t size, int descriptor) {
  const char *rest = bytes;
  while (size > 0) {
    struct iovec part = {.iov_base = (void *)rest, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    control control = {0};
    if (descriptor >= 0) {
      message.msg_control = control.bytes;
      message.msg_controllen = sizeof control.bytes;
      struct cmsghdr *header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof descriptor);
      memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
#ifdef MSG_NOSIGNAL
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
#else
    ssize_t sent = sendmsg(socket, &message, 0);
#endif
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    descriptor = -1;
    rest += sent;
    size -= (size_t)sent;
  }
  return true;
}

bool agnesi_message_receive(int socket, void *bytes, size_t size, int *descriptor) {
  *descriptor = -1;
  char *rest = bytes;
  while (size > 0) {
    struct iovec part = {.iov_base = rest, .iov_len = size};
    control control = {0};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes};
#ifdef MSG_CMSG_CLOEXEC
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
#else
    ssize_t received = recvmsg(socket, &message, 0);
#endif
    if (received < 0 && errno == EINTR) continue;
    if (received > 0) {
      struct cmsghdr *header = CMSG_FIRSTHDR(&message);
      if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        if (*descriptor >= 0) close(*descriptor);
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
      }
      rest += received;
      size -= (size_t)received;
      continue;
    }
    if (received == 0) errno = 0;
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
    return false;
  }
  return true;
}

int agnesi_memory_create(size_t size) {
#ifdef __linux__
  int result = memfd_create("agnesi", MFD_CLOEXEC | MFD_ALLOW_SEALING);
#else
  // A name that is free is taken and given up at once.
  static unsigned counter;
  char name[32];
  int result = -1;
  for (int tries = 0; result < 0 && tries < 100; tries++) {
    unsigned number = __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
    snprintf(name, sizeof name, "/agnesi-%d-%u", (int)getpid(), number);
    result = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (result < 0 && errno != EEXIST) break;
  }
  if (result >= 0) shm_unlink(name);
#endif
  if (result < 0) return -1;
  if (ftruncate(result, (off_t)size) == 0) return result;
  int code = errno;
  close(result);
  errno = code;
  return -1;
}

int agnesi_memory_with(const void *bytes, size_t size) {
  int result = agnesi_memory_create(size);
  if (result < 0) return -1;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, result, 0);
  if (memory == MAP_FAILED) {
    int code = errno;
    close(result);
    errno = code;
    return -1;
  }
  memcpy(memory, bytes, size);
  munmap(memory, size);
  return result;
}

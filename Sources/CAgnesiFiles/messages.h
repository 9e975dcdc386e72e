// Messages of fixed size over a stream socket, each with at most one descriptor.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// The variable that tells a program that it is a worker; its value is the socket's descriptor.
#define AGNESI_WORKER_VARIABLE "AGNESI_FILE_WORKER"
/// What a worker says when it is up.
#define AGNESI_WORKER_GREETING "agnesi.1"
enum { agnesi_greeting_size = 8, agnesi_worker_socket = 3 };

/// Sends all of `size` bytes, with a copy of `descriptor` unless it is negative.
bool agnesi_message_send(int socket, const void *bytes, size_t size, int descriptor);

/// Receives exactly `size` bytes; `*descriptor` becomes the one that came with them, or -1. On false
/// there is none: the other side is gone, or `errno` says why.
bool agnesi_message_receive(int socket, void *bytes, size_t size, int *descriptor);

/// Memory that two processes can map; its size is set once. -1 with `errno` set on failure.
int agnesi_memory_create(size_t size);

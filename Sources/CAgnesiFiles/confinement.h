// What a worker may do: take memory and time within limits, and nothing else.
#pragma once

#include "agnesi_files.h"

/// For good: the signals that the libraries of the program had taken over are given back, every
/// descriptor but `socket` and the standard three is closed, no core is written, and on Linux every
/// system call is refused that decoding does not need (nothing is opened, started or connected).
void agnesi_confine_process(int socket);

/// For one job: memory and processor time as `request` allows.
void agnesi_confine_job(const agnesi_request *request);
void agnesi_release_job(void);

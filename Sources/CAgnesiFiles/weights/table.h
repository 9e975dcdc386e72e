// The table that tells what a file of weights holds; `agnesi_files.h` describes its bytes.
#pragma once

#include "../job.h"

typedef struct agnesi_table {
  agnesi_job *job;
  uint8_t *bytes;
  size_t size, room;
} agnesi_table;

/// Appends bytes; false after having failed the job.
bool agnesi_table_append(agnesi_table *table, const void *bytes, size_t size);

bool agnesi_table_append32(agnesi_table *table, size_t number);

bool agnesi_table_append64(agnesi_table *table, uint64_t number);

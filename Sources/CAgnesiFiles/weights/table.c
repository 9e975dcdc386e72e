#include "table.h"

#include <stdlib.h>
#include <string.h>

/// A table names things; what is larger is an attack.
static const size_t largest_table = 1 << 26;

static bool grow(agnesi_table *table, size_t size) {
  size_t wanted = table->room > 0 ? table->room * 2 : 1 << 16;
  while (wanted < size) wanted *= 2;
  uint8_t *bytes = realloc(table->bytes, wanted);
  if (!bytes) return agnesi_job_fail(table->job, AGNESI_STATUS_NO_MEMORY, "no memory is left");
  table->bytes = bytes;
  table->room = wanted;
  return true;
}

bool agnesi_table_append(agnesi_table *table, const void *bytes, size_t size) {
  if (size > largest_table - table->size) {
    return agnesi_job_fail(
        table->job, AGNESI_STATUS_BROKEN, "its names and texts take more than %zu MB",
        largest_table >> 20);
  }
  if (table->size + size > table->room && !grow(table, table->size + size)) return false;
  if (size > 0) memcpy(table->bytes + table->size, bytes, size);
  table->size += size;
  return true;
}

bool agnesi_table_append32(agnesi_table *table, size_t number) {
  uint32_t narrow = (uint32_t)number;
  return agnesi_table_append(table, &narrow, sizeof narrow);
}

bool agnesi_table_append64(agnesi_table *table, uint64_t number) {
  return agnesi_table_append(table, &number, sizeof number);
}

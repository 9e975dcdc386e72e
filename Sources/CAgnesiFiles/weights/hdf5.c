// HDF5 by libhdf5: datasets of numbers, and the texts of groups' attributes.
//
// The library gets the file as memory and opens nothing: data in other files (external storage,
// virtual datasets, links) and filters that are loaded at run time are refused.
#define H5_USE_110_API
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../job.h"
#include "table.h"

enum { most_datasets = 1 << 16, most_axes = 64, most_texts = 1 << 16 };

/// A dataset whose elements go into the result.
typedef struct packed {
  char *name;
  uint64_t place;
} packed;

typedef struct reader {
  agnesi_job *job;
  agnesi_table table;
  packed *packed;
  size_t packed_count, packed_room;
  uint64_t packed_size;
  size_t count, datasets;
  /// The object whose attributes are read.
  const char *object;
} reader;

static bool broken(reader *reader, const char *format, const char *name) {
  return agnesi_job_fail(reader->job, AGNESI_STATUS_BROKEN, format, name);
}

// MARK: - The file in memory

static void *give_image(size_t size, H5FD_file_image_op_t operation, void *job) {
  (void)size, (void)operation;
  return (void *)((agnesi_job *)job)->bytes;
}

static void *keep_image(
    void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *job) {
  (void)from, (void)size, (void)operation, (void)job;
  return to;
}

static void *refuse_growth(void *image, size_t size, H5FD_file_image_op_t operation, void *job) {
  (void)image, (void)size, (void)operation, (void)job;
  return NULL;
}

static herr_t release_nothing(void *image, H5FD_file_image_op_t operation, void *job) {
  (void)image, (void)operation, (void)job;
  return 0;
}

static void *same_job(void *job) { return job; }

static herr_t leave_job(void *job) {
  (void)job;
  return 0;
}

static hid_t open_file(agnesi_job *job) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5FD_file_image_callbacks_t callbacks = {
      give_image, keep_image, refuse_growth, release_nothing, same_job, leave_job, job};
  bool is_ready = H5Pset_fapl_core(access, 1 << 16, false) >= 0 &&
                  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
                  H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
                  H5Pset_file_image(access, (void *)job->bytes, job->size) >= 0;
  hid_t file = is_ready ? H5Fopen("memory", H5F_ACC_RDONLY, access) : H5I_INVALID_HID;
  H5Pclose(access);
  return file;
}

// MARK: - Types of elements

static bool has_fields(
    hid_t type, size_t sign, size_t exponent, size_t exponent_size, size_t mantissa_size,
    size_t bias) {
  size_t s, e, es, m, ms;
  return H5Tget_fields(type, &s, &e, &es, &m, &ms) >= 0 && s == sign && e == exponent &&
         es == exponent_size && m == 0 && ms == mantissa_size && H5Tget_ebias(type) == bias &&
         H5Tget_norm(type) == H5T_NORM_IMPLIED;
}

static agnesi_element float_element(hid_t type) {
  switch (H5Tget_size(type)) {
    case 2:
      return has_fields(type, 15, 10, 5, 10, 15)  ? AGNESI_ELEMENT_FLOAT16
             : has_fields(type, 15, 7, 8, 7, 127) ? AGNESI_ELEMENT_BFLOAT16
                                                  : AGNESI_ELEMENT_OTHER;
    case 4:
      return has_fields(type, 31, 23, 8, 23, 127) ? AGNESI_ELEMENT_FLOAT32 : AGNESI_ELEMENT_OTHER;
    case 8:
      return has_fields(type, 63, 52, 11, 52, 1023) ? AGNESI_ELEMENT_FLOAT64
                                                    : AGNESI_ELEMENT_OTHER;
    default: return AGNESI_ELEMENT_OTHER;
  }
}

static agnesi_element integer_element(hid_t type) {
  size_t size = H5Tget_size(type);
  if (H5Tget_precision(type) != 8 * size || H5Tget_offset(type) != 0) return AGNESI_ELEMENT_OTHER;
  bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
  switch (size) {
    case 1: return is_signed ? AGNESI_ELEMENT_INT8 : AGNESI_ELEMENT_UINT8;
    case 2: return is_signed ? AGNESI_ELEMENT_INT16 : AGNESI_ELEMENT_UINT16;
    case 4: return is_signed ? AGNESI_ELEMENT_INT32 : AGNESI_ELEMENT_UINT32;
    case 8: return is_signed ? AGNESI_ELEMENT_INT64 : AGNESI_ELEMENT_UINT64;
    default: return AGNESI_ELEMENT_OTHER;
  }
}

static agnesi_element element_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT: return float_element(type);
    case H5T_INTEGER: return integer_element(type);
    // h5py's bools.
    case H5T_ENUM:
      return H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2 ? AGNESI_ELEMENT_BOOL
                                                                  : AGNESI_ELEMENT_OTHER;
    default: return AGNESI_ELEMENT_OTHER;
  }
}

// MARK: - Datasets

/// Bytes of a dataset's elements; false where that does not fit into 62 bits.
static bool byte_count(const hsize_t *sizes, size_t rank, size_t element, uint64_t *result) {
  uint64_t product = element;
  for (size_t axis = 0; axis < rank; axis++) {
    if (__builtin_mul_overflow(product, (uint64_t)sizes[axis], &product)) return false;
  }
  *result = product;
  return product < UINT64_C(1) << 62;
}

static bool add_packed(reader *reader, const char *name, uint64_t size, uint64_t *place) {
  uint64_t most = reader->job->request->memory;
  if (reader->packed_size > most || size > most - reader->packed_size) {
    return agnesi_job_fail(
        reader->job, AGNESI_STATUS_NO_MEMORY,
        "its datasets unpack to more than the %llu MB that are allowed",
        (unsigned long long)(most >> 20));
  }
  if (reader->packed_count == reader->packed_room) {
    size_t room = reader->packed_room * 2 + 64;
    packed *grown = realloc(reader->packed, room * sizeof *grown);
    if (!grown) return broken(reader, "no memory is left for %s", name);
    reader->packed = grown;
    reader->packed_room = room;
  }
  char *copy = strdup(name);
  if (!copy) return broken(reader, "no memory is left for %s", name);
  *place = reader->packed_size;
  reader->packed[reader->packed_count++] = (packed){copy, *place};
  reader->packed_size += (size + 63) & ~UINT64_C(63);
  return true;
}

/// Whether the elements lie in the file as they are to be read, and where.
static bool is_plain(hid_t dataset, hid_t type, uint64_t size, uint64_t file_size, uint64_t *place) {
  hid_t creation = H5Dget_create_plist(dataset);
  bool is_contiguous = H5Pget_layout(creation) == H5D_CONTIGUOUS;
  H5Pclose(creation);
  bool is_little = H5Tget_size(type) == 1 || H5Tget_order(type) == H5T_ORDER_LE;
  haddr_t offset = H5Dget_offset(dataset);
  if (!is_contiguous || !is_little || offset == HADDR_UNDEF) return false;
  *place = offset;
  return offset <= file_size && size <= file_size - offset;
}

/// Whether the elements are in this file.
static bool is_inside(hid_t dataset) {
  hid_t creation = H5Dget_create_plist(dataset);
  bool is_elsewhere =
      H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) > 0;
  H5Pclose(creation);
  return !is_elsewhere;
}

static bool add_entry(
    reader *reader, agnesi_entry kind, agnesi_element element, size_t count, const char *name) {
  agnesi_table *table = &reader->table;
  reader->count++;
  return agnesi_table_append32(table, kind) && agnesi_table_append32(table, element) &&
         agnesi_table_append32(table, count) && agnesi_table_append32(table, strlen(name)) &&
         agnesi_table_append(table, name, strlen(name));
}

static bool add_numbers(
    reader *reader, hid_t dataset, hid_t type, hid_t space, const char *name) {
  hsize_t sizes[H5S_MAX_RANK] = {0};
  int rank = H5Sget_simple_extent_ndims(space);
  agnesi_element element = element_of(type);
  bool is_numbers = rank >= 0 && rank <= H5S_MAX_RANK &&
                    H5Sget_simple_extent_type(space) != H5S_NULL && element != AGNESI_ELEMENT_OTHER;
  if (!is_numbers) return add_entry(reader, AGNESI_ENTRY_OTHER, element, 0, name);
  if (H5Sget_simple_extent_dims(space, sizes, NULL) < 0) {
    return broken(reader, "the sizes of its dataset %s are damaged", name);
  }
  if (!is_inside(dataset)) return broken(reader, "the data of %s are in other files", name);
  uint64_t size, place = 0;
  if (!byte_count(sizes, (size_t)rank, H5Tget_size(type), &size)) {
    return broken(reader, "the sizes of its dataset %s are too large", name);
  }
  bool plain = is_plain(dataset, type, size, reader->job->size, &place);
  if (!plain && !add_packed(reader, name, size, &place)) return false;
  agnesi_entry kind = plain ? AGNESI_ENTRY_IN_FILE : AGNESI_ENTRY_IN_RESULT;
  if (!add_entry(reader, kind, element, (size_t)rank, name)) return false;
  for (int axis = 0; axis < rank; axis++) {
    if (!agnesi_table_append64(&reader->table, sizes[axis])) return false;
  }
  return agnesi_table_append64(&reader->table, place);
}

static bool add_dataset(reader *reader, hid_t dataset, const char *name) {
  hid_t type = H5Dget_type(dataset);
  hid_t space = H5Dget_space(dataset);
  bool is_good = type >= 0 && space >= 0
                     ? add_numbers(reader, dataset, type, space, name)
                     : broken(reader, "its dataset %s is damaged", name);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return is_good;
}

/// Reads a dataset's elements to `target`, the small byte first.
static bool unpack(reader *reader, hid_t file, const packed *packed, uint8_t *target) {
  hid_t dataset = H5Dopen2(file, packed->name, H5P_DEFAULT);
  // The type of a dataset itself cannot be changed.
  hid_t stored = H5Dget_type(dataset);
  hid_t type = H5Tcopy(stored);
  H5Tclose(stored);
  if (H5Tget_class(type) != H5T_ENUM) H5Tset_order(type, H5T_ORDER_LE);
  bool is_read = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, target) >= 0;
  H5Tclose(type);
  H5Dclose(dataset);
  return is_read ||
         broken(
             reader, "its dataset %s is damaged, or packed by a filter that is not known",
             packed->name);
}

// MARK: - Attributes

static bool add_texts(reader *reader, hid_t attribute, hid_t type, hid_t space, size_t count) {
  size_t size = H5Tget_size(type);
  bool is_variable = H5Tis_variable_str(type) > 0;
  uint64_t total;
  if (!byte_count(&(hsize_t){count}, 1, size, &total) || total > 1 << 26) {
    return broken(reader, "the texts of %s are too long", reader->object);
  }
  char *texts = agnesi_job_allocate(reader->job, total);
  if (!texts) return false;
  memset(texts, 0, total);
  hid_t memory = H5Tcopy(type);
  bool is_good = H5Aread(attribute, memory, texts) >= 0 ||
                 broken(reader, "an attribute of %s is damaged", reader->object);
  for (size_t i = 0; i < count && is_good; i++) {
    const char *text = is_variable ? ((char **)(void *)texts)[i] : texts + i * size;
    size_t length = !text ? 0 : is_variable ? strlen(text) : strnlen(text, size);
    is_good = agnesi_table_append32(&reader->table, length) &&
              agnesi_table_append(&reader->table, text, length);
  }
  if (is_variable) H5Dvlen_reclaim(memory, space, H5P_DEFAULT, texts);
  H5Tclose(memory);
  free(texts);
  return is_good;
}

static bool add_attribute(reader *reader, hid_t attribute, const char *name) {
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  hssize_t count = H5Sget_simple_extent_npoints(space);
  bool is_texts = H5Tget_class(type) == H5T_STRING && count >= 0 && count <= most_texts;
  bool is_good = true;
  if (is_texts) {
    size_t length = strlen(reader->object) + strlen(name) + 2;
    char *full = agnesi_job_allocate(reader->job, length);
    if (!full) return false;
    snprintf(full, length, "%s@%s", reader->object, name);
    is_good = add_entry(reader, AGNESI_ENTRY_TEXTS, AGNESI_ELEMENT_OTHER, (size_t)count, full) &&
              add_texts(reader, attribute, type, space, (size_t)count);
    free(full);
  }
  H5Sclose(space);
  H5Tclose(type);
  return is_good;
}

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data) {
  (void)info;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute < 0) return broken(data, "the attribute %s is damaged", name) ? 0 : -1;
  bool is_good = add_attribute(data, attribute, name);
  H5Aclose(attribute);
  return is_good ? 0 : -1;
}

// MARK: - The whole

static herr_t visit(hid_t root, const char *name, const H5O_info_t *info, void *data) {
  reader *reader = data;
  bool is_good = true;
  if (info->type == H5O_TYPE_DATASET) {
    if (++reader->datasets > most_datasets) {
      broken(reader, "it has too many datasets, up to %s", name);
      return -1;
    }
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT);
    is_good = dataset >= 0 ? add_dataset(reader, dataset, name)
                           : broken(reader, "its dataset %s is damaged", name);
    if (dataset >= 0) H5Dclose(dataset);
  } else if (info->type == H5O_TYPE_GROUP) {
    reader->object = name;
    hid_t group = H5Gopen2(root, name, H5P_DEFAULT);
    is_good = (group >= 0 && H5Aiterate2(
                                 group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute,
                                 reader) >= 0) ||
              broken(reader, "its group %s is damaged", name);
    if (group >= 0) H5Gclose(group);
  }
  return is_good ? 0 : -1;
}

static bool write_result(reader *reader, hid_t file) {
  agnesi_job *job = reader->job;
  uint64_t start = (reader->table.size + 63) & ~UINT64_C(63);
  uint8_t *result = agnesi_job_result(job, start + reader->packed_size);
  if (!result) return false;
  memcpy(result, reader->table.bytes, reader->table.size);
  job->answer->numbers[AGNESI_WEIGHTS_ENTRIES] = (int64_t)reader->count;
  job->answer->numbers[AGNESI_WEIGHTS_TABLE_SIZE] = (int64_t)reader->table.size;
  job->answer->numbers[AGNESI_WEIGHTS_DATA_START] = (int64_t)start;
  for (size_t i = 0; i < reader->packed_count; i++) {
    const packed *packed = &reader->packed[i];
    if (!unpack(reader, file, packed, result + start + packed->place)) return false;
  }
  return true;
}

bool agnesi_read_hdf5(agnesi_job *job) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
  reader reader = {.job = job, .table = {.job = job}};
  hid_t file = open_file(job);
  if (file < 0) {
    return agnesi_job_fail(
        job, AGNESI_STATUS_BROKEN, "it is no HDF5 file, is damaged, or is cut short");
  }
  bool is_good = H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, &reader) >= 0 ||
                 broken(&reader, "its %s are damaged", "groups");
  is_good = is_good && (reader.count > 0 || broken(&reader, "it has no %s", "datasets")) &&
            write_result(&reader, file);
  H5Fclose(file);
  for (size_t i = 0; i < reader.packed_count; i++) free(reader.packed[i].name);
  free(reader.packed);
  free(reader.table.bytes);
  return is_good;
}

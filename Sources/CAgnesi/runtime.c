#include "agnesi.h"

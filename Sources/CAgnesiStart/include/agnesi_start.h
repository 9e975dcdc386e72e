/// What an executable has to settle before the libraries that it is linked with begin: linking this
/// target is enough.
#pragma once

/// How many rounds a thread of the pool waits awake for its next work before it sleeps, where the
/// environment does not say (`GOMP_SPINCOUNT`, `OMP_WAIT_POLICY`).
enum { agnesi_start_spin_count = 1000 };

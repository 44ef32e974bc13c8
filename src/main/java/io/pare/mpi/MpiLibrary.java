package io.pare.mpi;

import java.lang.foreign.MemorySegment;

/**
 * The functions of an MPI library, all over the communicator of all processes. They give MPI's status code, 0 for success. A
 * request is memory of {@link #REQUEST_BYTES} bytes, which the library fills.
 */
sealed interface MpiLibrary permits OpenMpi, Mpich {
    /** Enough for a handle of either library. */
    long REQUEST_BYTES = Long.BYTES;

    /** {@code MPI_Init_thread}, for one thread at a time; then errors come back as status codes. */
    int init(MemorySegment provided);

    int rank(MemorySegment into);

    int size(MemorySegment into);

    int version(MemorySegment text, MemorySegment length);

    int host(MemorySegment text, MemorySegment length);

    int error(int status, MemorySegment text, MemorySegment length);

    int broadcastBytes(MemorySegment memory, int bytes, int root);

    int startSum(MemorySegment floats, int count, MemorySegment request);

    int startExchange(MemorySegment send, MemorySegment receive, int bytesEach, MemorySegment request);

    int startSpread(MemorySegment parts, int bytesEach, MemorySegment request);

    int test(MemorySegment request, MemorySegment flag);

    int abort(int code);

    int finish();
}

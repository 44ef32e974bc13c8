package io.pare.mpi;

import io.pare.ffm.mpich.mpi_h;
import java.lang.foreign.MemorySegment;

/** MPICH and what shares its binary interface, such as Intel MPI and MVAPICH2: handles are numbers. */
final class Mpich implements MpiLibrary {

    @Override
    public int init(MemorySegment provided) {
        int status = mpi_h.MPI_Init_thread(MemorySegment.NULL, MemorySegment.NULL, mpi_h.MPI_THREAD_SERIALIZED(),
                provided);
        return status != mpi_h.MPI_SUCCESS() ? status
                : mpi_h.MPI_Comm_set_errhandler(mpi_h.MPI_COMM_WORLD(), mpi_h.MPI_ERRORS_RETURN());
    }

    @Override
    public int rank(MemorySegment into) {
        return mpi_h.MPI_Comm_rank(mpi_h.MPI_COMM_WORLD(), into);
    }

    @Override
    public int size(MemorySegment into) {
        return mpi_h.MPI_Comm_size(mpi_h.MPI_COMM_WORLD(), into);
    }

    @Override
    public int version(MemorySegment text, MemorySegment length) {
        return mpi_h.MPI_Get_library_version(text, length);
    }

    @Override
    public int host(MemorySegment text, MemorySegment length) {
        return mpi_h.MPI_Get_processor_name(text, length);
    }

    @Override
    public int error(int status, MemorySegment text, MemorySegment length) {
        return mpi_h.MPI_Error_string(status, text, length);
    }

    @Override
    public int broadcastBytes(MemorySegment memory, int bytes, int root) {
        return mpi_h.MPI_Bcast(memory, bytes, mpi_h.MPI_BYTE(), root, mpi_h.MPI_COMM_WORLD());
    }

    @Override
    public int startSum(MemorySegment floats, int count, MemorySegment request) {
        return mpi_h.MPI_Iallreduce(mpi_h.MPI_IN_PLACE(), floats, count, mpi_h.MPI_FLOAT(), mpi_h.MPI_SUM(),
                mpi_h.MPI_COMM_WORLD(), request);
    }

    @Override
    public int startExchange(MemorySegment send, MemorySegment receive, int bytesEach, MemorySegment request) {
        return mpi_h.MPI_Ialltoall(send, bytesEach, mpi_h.MPI_BYTE(), receive, bytesEach, mpi_h.MPI_BYTE(),
                mpi_h.MPI_COMM_WORLD(), request);
    }

    @Override
    public int startSpread(MemorySegment parts, int bytesEach, MemorySegment request) {
        return mpi_h.MPI_Iallgather(mpi_h.MPI_IN_PLACE(), bytesEach, mpi_h.MPI_BYTE(), parts, bytesEach,
                mpi_h.MPI_BYTE(), mpi_h.MPI_COMM_WORLD(), request);
    }

    @Override
    public int test(MemorySegment request, MemorySegment flag) {
        return mpi_h.MPI_Test(request, flag, mpi_h.MPI_STATUS_IGNORE());
    }

    @Override
    public int abort(int code) {
        return mpi_h.MPI_Abort(mpi_h.MPI_COMM_WORLD(), code);
    }

    @Override
    public int finish() {
        return mpi_h.MPI_Finalize();
    }
}

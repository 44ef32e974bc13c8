package io.pare.mpi;

import io.pare.ffm.openmpi.mpi_h;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/** Open MPI 4 and 5, whose handles are addresses of variables of the library, and whose constants are small addresses. */
final class OpenMpi implements MpiLibrary {
    /** A variable that no other library has. */
    static final String MARK = "ompi_mpi_comm_world";
    private static final MemorySegment IN_PLACE = MemorySegment.ofAddress(1);

    private final MemorySegment world;
    private final MemorySegment octets;
    private final MemorySegment singles;
    private final MemorySegment sum;
    private final MemorySegment returning;

    /** Finds the variables. */
    OpenMpi(SymbolLookup library) {
        this.world = library.findOrThrow(MARK);
        this.octets = library.findOrThrow("ompi_mpi_byte");
        this.singles = library.findOrThrow("ompi_mpi_float");
        this.sum = library.findOrThrow("ompi_mpi_op_sum");
        this.returning = library.findOrThrow("ompi_mpi_errors_return");
    }

    @Override
    public int init(MemorySegment provided) {
        int status = mpi_h.MPI_Init_thread(MemorySegment.NULL, MemorySegment.NULL, mpi_h.MPI_THREAD_SERIALIZED(),
                provided);
        return status != mpi_h.MPI_SUCCESS() ? status : mpi_h.MPI_Comm_set_errhandler(world, returning);
    }

    @Override
    public int rank(MemorySegment into) {
        return mpi_h.MPI_Comm_rank(world, into);
    }

    @Override
    public int size(MemorySegment into) {
        return mpi_h.MPI_Comm_size(world, into);
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
        return mpi_h.MPI_Bcast(memory, bytes, octets, root, world);
    }

    @Override
    public int startSum(MemorySegment floats, int count, MemorySegment request) {
        return mpi_h.MPI_Iallreduce(IN_PLACE, floats, count, singles, sum, world, request);
    }

    @Override
    public int startExchange(MemorySegment send, MemorySegment receive, int bytesEach, MemorySegment request) {
        return mpi_h.MPI_Ialltoall(send, bytesEach, octets, receive, bytesEach, octets, world, request);
    }

    @Override
    public int startSpread(MemorySegment parts, int bytesEach, MemorySegment request) {
        return mpi_h.MPI_Iallgather(IN_PLACE, bytesEach, octets, parts, bytesEach, octets, world, request);
    }

    @Override
    public int test(MemorySegment request, MemorySegment flag) {
        return mpi_h.MPI_Test(request, flag, MemorySegment.NULL);
    }

    @Override
    public int abort(int code) {
        return mpi_h.MPI_Abort(world, code);
    }

    @Override
    public int finish() {
        return mpi_h.MPI_Finalize();
    }
}

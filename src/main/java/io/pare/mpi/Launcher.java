package io.pare.mpi;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who started this process with others, by what it left in the environment.
 *
 * @param name in words
 * @param rank of this process
 * @param size number of processes; 0 where only MPI knows it
 * @param libraries whose processes it starts, by file name, the likeliest first
 */
record Launcher(String name, int rank, int size, List<String> libraries) {
    private static final List<String> OPEN_MPI =
            List.of("libmpi.so.40", "libmpi.so", "libmpi.40.dylib", "libmpi.dylib");
    private static final List<String> MPICH = List.of("libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib");
    static final List<String> ANY =
            List.of("libmpi.so.40", "libmpich.so.12", "libmpi.so.12", "libmpi.so", "libmpi.40.dylib",
                    "libmpi.12.dylib");

    /** The launcher of this process, unless {@code -Dpare.mpi=off}. */
    static Optional<Launcher> found() {
        return wanted() ? of(System.getenv()) : Optional.empty();
    }

    static boolean wanted() {
        String word = System.getProperty(LaunchedRanks.PROPERTY, "auto");
        return switch (word) {
            case "auto" -> true;
            case "off" -> false;
            default -> throw new IllegalArgumentException(
                    "-D" + LaunchedRanks.PROPERTY + "=" + word + ": use auto or off");
        };
    }

    /** The launcher that an environment tells of. A process that it started alone needs none. */
    static Optional<Launcher> of(Map<String, String> environment) {
        Optional<Launcher> found =
                named(environment, "mpirun of Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                        OPEN_MPI)
                        .or(() -> named(environment, "a launcher with PMI", "PMI_RANK", "PMI_SIZE", MPICH))
                        .or(() -> named(environment, "a launcher with PMIx", "PMIX_RANK", "", ANY));
        return found.filter(launcher -> launcher.size() != 1);
    }

    private static Optional<Launcher> named(Map<String, String> environment, String name, String rank, String size,
            List<String> libraries) {
        return number(environment.get(rank)).flatMap(own -> (size.isEmpty()
                ? Optional.of(0)
                : number(environment.get(size))).map(all -> new Launcher(name, own, all, libraries)));
    }

    private static Optional<Integer> number(String text) {
        return text != null && text.matches("\\d{1,9}") ? Optional.of(Integer.valueOf(text)) : Optional.empty();
    }
}

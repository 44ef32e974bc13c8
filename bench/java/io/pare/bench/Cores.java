package io.pare.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The cores that this process may use: one processor of each, where the system tells which share a core.
 *
 * @param processors as the system numbers them, of one core each
 * @param all how many processors may be used, those that share a core included
 */
record Cores(List<Integer> processors, int all) {
    private static final Path TASKSET = Path.of("/usr/bin/taskset");

    static Cores ofThisProcess() {
        List<List<Integer>> cores = io.pare.cli.sweep.Cores.cores();
        return new Cores(cores.stream().map(List::getFirst).toList(), cores.stream().mapToInt(List::size).sum());
    }

    private static String field(Path file, String name) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.matches(name + "\\s*:.*")).findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    int count() {
        return processors.size();
    }

    boolean canPin() {
        return Files.isExecutable(TASKSET);
    }

    /** Pins what it starts to so many cores, where that can be done. */
    void pin(ProcessBuilder builder, int cores) {
        if (canPin()) {
            builder.command().addAll(0, List.of(TASKSET.toString(), "-c", processors.subList(0, cores).stream()
                    .map(String::valueOf).collect(Collectors.joining(","))));
        }
    }

    String describe() {
        return count() + " cores, " + all + " processors, " + field(Path.of("/proc/meminfo"), "MemTotal")
                + " of memory";
    }

    /** The processor's name, family and model. */
    String model() {
        Path info = Path.of("/proc/cpuinfo");
        String name = field(info, "model name");
        return (name.isEmpty() ? System.getProperty("os.arch") : name) + ", family " + field(info, "cpu family")
                + " model " + field(info, "model");
    }

    /** The system's load in the last minute. */
    static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }
}

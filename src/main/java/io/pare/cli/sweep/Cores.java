package io.pare.cli.sweep;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * The cores of this machine, split among jobs that run side by side.
 *
 * @param parts the numbers of the cores of each job
 * @param taskset the program that pins a process to cores; {@code null} where there is none
 */
public record Cores(List<List<Integer>> parts, Path taskset) {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String ALLOWED = "Cpus_allowed_list:";

    /** Splits the cores that this process may use; processors of one core stay together as far as can be. */
    public static Cores split(int jobs) {
        return split(cores().stream().flatMap(List::stream).toList(), jobs, installed());
    }

    /** As equal parts as can be; where there are more jobs than cores, several share one. */
    static Cores split(List<Integer> cores, int jobs, Path taskset) {
        List<List<Integer>> parts = new ArrayList<>();
        for (int job = 0; job < jobs; job++) {
            int from = job * cores.size() / jobs;
            int to = Math.max(from + 1, (job + 1) * cores.size() / jobs);
            parts.add(List.copyOf(cores.subList(from, to)));
        }
        return new Cores(parts, taskset);
    }

    /** What stands before a command so that it keeps to the cores of a job; nothing where it cannot be pinned. */
    public List<String> pin(int job) {
        return taskset == null ? List.of() : List.of(taskset.toString(), "--cpu-list", list(parts.get(job)));
    }

    /** How runs are kept apart, in words. */
    public String text() {
        return taskset == null
                ? "not pinned to cores, for there is no taskset here"
                : "pinned by taskset to cores "
                        + parts.stream().map(Cores::list).collect(Collectors.joining(" and "));
    }

    private static String list(List<Integer> cores) {
        return cores.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** The processors that this process may use, a list for each core: two that share one slow each other down. */
    public static List<List<Integer>> cores() {
        return grouped(allowed(), Cores::siblings);
    }

    static List<List<Integer>> grouped(List<Integer> processors, IntFunction<String> core) {
        Map<String, List<Integer>> cores = new LinkedHashMap<>();
        processors.forEach(processor -> cores.computeIfAbsent(core.apply(processor), _ -> new ArrayList<>())
                .add(processor));
        return List.copyOf(cores.values());
    }

    /** The processors of a processor's core in the system's words; itself alone where the system does not say. */
    private static String siblings(int processor) {
        try {
            return Files.readString(
                    Path.of("/sys/devices/system/cpu/cpu" + processor + "/topology/thread_siblings_list")).strip();
        } catch (IOException e) {
            return Integer.toString(processor);
        }
    }

    /** As the system numbers them; counted where it does not say. */
    private static List<Integer> allowed() {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(ALLOWED)) {
                    return parsed(line.substring(ALLOWED.length()).strip());
                }
            }
        } catch (IOException e) {
            // Systems other than Linux have no such file, and no taskset.
        }
        return counted();
    }

    private static List<Integer> counted() {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
            all.add(i);
        }
        return all;
    }

    /** Reads lists such as 0-3,8. */
    static List<Integer> parsed(String list) {
        List<Integer> cores = new ArrayList<>();
        for (String range : list.split(",")) {
            String[] ends = range.split("-");
            for (int core = Integer.parseInt(ends[0]); core <= Integer.parseInt(ends[ends.length - 1]); core++) {
                cores.add(core);
            }
        }
        return cores;
    }

    private static Path installed() {
        String path = System.getenv("PATH");
        return path == null ? null
                : Arrays.stream(path.split(File.pathSeparator)).filter(folder -> !folder.isEmpty())
                        .map(folder -> Path.of(folder, "taskset")).filter(Files::isExecutable).findFirst()
                        .orElse(null);
    }
}

package io.pare.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.blas.Blas;
import io.pare.dnnl.DnnlEngine;
import io.pare.kernel.Kernels;
import io.pare.natives.Natives;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Measures on this machine what Pare promises, beside its peers, and says what is met.
 *
 * <p>{@code Bars [--quick] [--only projections,kmeans,training,inference,start] [--threads N] [--out bars.json]}. Every
 * group runs in JVMs of its own, pinned to as many cores as it has threads. A peer that is missing is named in its rows.
 */
public final class Bars {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FACTS = "FACTS ";
    private static final String BAR = "BAR ";
    private static final String END = "END";
    /** Variables that change what the libraries do, ours and the peers'. */
    private static final String VARIABLES = "(ONEDNN|DNNL|OPENBLAS|ATEN|MKL|OMP|GOMP|KMP)_.*";

    /** A JVM that measures. */
    private record Part(String group, String name, int threads) {}

    private final boolean quick;
    private final List<Bar> bars = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();

    private Bars(boolean quick) {
        this.quick = quick;
    }

    public static void main(String[] args) throws Throwable {
        if (args.length == 4 && args[0].equals("part")) {
            part(args[1], Integer.parseInt(args[2]), Boolean.parseBoolean(args[3]));
            return;
        }
        boolean quick = false;
        int threads = Cores.ofThisProcess().count();
        List<String> only = List.of("projections", "kmeans", "training", "inference", "start");
        Path file = Path.of("target/bars.json");
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--quick" -> quick = true;
                case "--only" -> only = List.of(args[++i].split(","));
                case "--threads" -> threads = Integer.parseInt(args[++i]);
                case "--out" -> file = Path.of(args[++i]);
                default -> throw new IllegalArgumentException(
                        args[i] + " is none of --quick, --only GROUPS, --threads N, --out FILE");
            }
        }
        System.exit(new Bars(quick).run(only, threads, file));
    }

    private static List<Part> parts(String group, int threads) {
        return switch (group) {
            case "projections" -> List.of(new Part(group, "projections-1", 1), new Part(group, "projections-2", 2),
                    new Part(group, "projections-n", threads));
            case "kmeans" -> List.of(new Part(group, "kmeans", 1));
            case "training" -> List.of(new Part(group, "training-1", 1), new Part(group, "training-2", 2),
                    new Part(group, "training-n", threads));
            case "inference" -> List.of(new Part(group, "inference", 1));
            case "start" -> List.of(new Part(group, "start", 0));
            default -> throw new IllegalArgumentException(
                    group + " is none of projections, kmeans, training, inference, start");
        };
    }

    private int run(List<String> groups, int threads, Path file) throws IOException, InterruptedException {
        List<Part> parts = groups.stream().flatMap(group -> parts(group, threads).stream()).toList();
        Map<String, Object> machine = machine(threads);
        start(new Part("machine", "machine", threads), machine);
        machine.forEach((name, value) -> System.out.printf("%-24s %s%n", name, value));
        System.out.println(
                "\n| what | Pare, median / least | beside | ratio (by the least) | bar | |\n|---|---|---|---|---|---|");
        for (Part part : parts) {
            start(part, machine);
        }
        failures.forEach(failure -> System.out.println("\nfailed: " + failure));
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("machine", machine);
        all.put("bars", bars.stream().map(Bars::json).toList());
        all.put("failures", failures);
        Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n");
        System.out.printf("%n%d bars: %d met, %d missed, %d not measured; %s%n", bars.size(), count("met"),
                count("missed"), count("not"), file);
        return failures.isEmpty() ? 0 : 1;
    }

    private long count(String verdict) {
        return bars.stream().filter(bar -> bar.verdict().startsWith(verdict)).count();
    }

    /** Runs a part in a JVM of its own and takes over what it says. */
    private void start(Part part, Map<String, Object> machine) throws InterruptedException {
        Cores cores = Cores.ofThisProcess();
        if (part.threads > cores.count()) {
            failures.add(part.name + ": " + part.threads + " threads are asked for, " + cores.count()
                    + " cores may be used");
            return;
        }
        ProcessBuilder builder = Jvm.command(List.of("-Dai.djl.offline=true", "-cp",
                System.getProperty("java.class.path"), Bars.class.getName(), "part", part.name,
                Integer.toString(part.threads), Boolean.toString(quick)));
        if (part.threads > 0) {
            builder.environment().put("OMP_NUM_THREADS", Integer.toString(part.threads));
            cores.pin(builder, part.threads);
        }
        boolean[] done = new boolean[1];
        try {
            Jvm.run(builder, line -> {
                take(line, machine);
                done[0] |= line.equals(END);
            });
        } catch (IOException e) {
            // With all said and done, libtorch's threads may still abort the process when it ends.
            if (!done[0]) {
                failures.add(part.name + ": " + e.getMessage());
            }
        }
    }

    private void take(String line, Map<String, Object> machine) {
        try {
            if (line.startsWith(FACTS)) {
                JSON.readTree(line.substring(FACTS.length())).properties()
                        .forEach(fact -> machine.put(fact.getKey(), fact.getValue().asText()));
            } else if (line.startsWith(BAR)) {
                Bar bar = JSON.readValue(line.substring(BAR.length()), Bar.class);
                bars.add(bar);
                System.out.println(bar.row());
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(line, e);
        }
    }

    private static void part(String name, int threads, boolean quick) throws Throwable {
        Consumer<Bar> out = bar -> System.out.println(BAR + text(bar));
        double seconds = quick ? 1 : 4;
        switch (name) {
            case "machine" -> System.out.println(FACTS + text(libraries()));
            case "projections-1" -> new ProjectionBars(out, seconds / 4).oneThread();
            case "projections-2" -> new ProjectionBars(out, seconds / 4).threads(2, 37_748_736);
            case "projections-n" -> new ProjectionBars(out, seconds / 2).threads(threads, 102_760_448);
            case "kmeans" -> new ProjectionBars(out, seconds).kMeans();
            case "training-1" -> new TrainingBars(out, 2 * seconds).oneThread();
            case "training-2" -> new TrainingBars(out, 2 * seconds).twoThreads();
            case "training-n" -> new TrainingBars(out, 2 * seconds).threads(threads);
            case "inference" -> new InferenceBars(out, seconds / 2).run();
            case "start" -> new StartBars(out, quick ? 3 : 9).run();
            default -> throw new IllegalArgumentException(name);
        }
        System.out.println(END);
    }

    private static String text(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, Object> json(Bar bar) {
        Map<String, Object> fields = new LinkedHashMap<>();
        JSON.valueToTree(bar).properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
        fields.put("verdict", bar.verdict());
        return fields;
    }

    private static Map<String, Object> machine(int threads) throws IOException {
        Map<String, Object> facts = new LinkedHashMap<>();
        Cores cores = Cores.ofThisProcess();
        facts.put("processor", cores.model());
        facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch"));
        facts.put("cores", cores.describe());
        facts.put("load", Cores.load());
        facts.put("threads", "1, 2 and " + threads + "; " + (cores.canPin() ? "pinned to as many cores by taskset"
                : "not pinned: there is no taskset"));
        facts.put("jdk", Runtime.version() + ", " + System.getProperty("java.vm.name") + ", options " + Jvm.options());
        facts.put("commit", commit());
        new TreeMap<>(System.getenv()).forEach((name, value) -> {
            if (name.matches(VARIABLES)) {
                facts.put(name, value);
            }
        });
        return facts;
    }

    /** Each as the part's JVM finds it, under this one's options. */
    private static Map<String, Object> libraries() {
        Map<String, Object> facts = new LinkedHashMap<>();
        // libtorch first: Pare sets how long OpenMP's threads spin, for libraries that are loaded after its own.
        String torch = Peers.torch();
        facts.put("kernels", Kernels.active().name());
        facts.put("oneDNN", Natives.enabled() ? DnnlEngine.get().version() + ", code for " + DnnlEngine.get().isa()
                : "off: " + Natives.status().reason());
        facts.put("OpenBLAS", Natives.enabled() ? Blas.config().trim() + ", kernels for " + Blas.core() : "off");
        facts.put("libtorch", torch);
        facts.put("ONNX Runtime", Peers.onnxRuntime());
        if (Baselines.obstacle() == null) {
            Baselines cpp = new Baselines();
            facts.put("C++", cpp.build() + "; quickselect on vectors of " + cpp.quickselectBits() + " bits");
        } else {
            facts.put("C++", Baselines.obstacle());
        }
        return facts;
    }

    private static String commit() throws IOException {
        Properties build = new Properties();
        try (InputStream in = Bars.class.getResourceAsStream("/io/pare/cli/build.properties")) {
            if (in != null) {
                build.load(in);
            }
        }
        return build.getProperty("commit", "unknown");
    }
}

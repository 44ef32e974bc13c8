package io.pare.bench;

import io.pare.kernel.Projections;
import io.pare.mem.Region;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The bars of what is slow only once in a process. Each call is a JVM of its own. */
final class StartBars {
    private static final String GROUP = "start";
    private static final int SHORT = 400_000;
    private static final int IMAGES = 128;

    private final Consumer<Bar> out;
    private final int runs;

    StartBars(Consumer<Bar> out, int runs) {
        this.out = out;
        this.runs = runs;
    }

    void run() throws IOException, InterruptedException {
        first(SHORT, 0.25);
        first(16_800_000, 0.55);
        Path engine = Path.of("target/engine.jar");
        boolean jar = Files.exists(engine);
        String remark = jar ? "" : "without " + engine + ", by the class path of the benchmarks";
        List<String> pare = jar ? List.of("-jar", engine.toString())
                : List.of("-cp", System.getProperty("java.class.path"), "io.pare.Main");
        command("--version, start to exit", 0.3, remark, pare, List.of("--version"));
        Path folder = Files.createTempDirectory("bars");
        try {
            writeDigits(folder, "train", IMAGES);
            writeDigits(folder, "t10k", IMAGES / 2);
            command("a run of one training step, start to exit", 2.5, remark, pare,
                    List.of("train", "lenet5", "--data", folder.toString(), "--epochs", "1", "--validation", "64",
                            "--out", folder.resolve("run").toString()));
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).forEach(StartBars::delete);
            }
        }
    }

    private static void delete(Path path) {
        try {
            Files.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void first(long n, double bar) throws IOException, InterruptedException {
        double[] seconds = new double[runs];
        for (int run = 0; run < runs; run++) {
            seconds[run] = Double.parseDouble(Jvm.run(Jvm.command(List.of("-cp", System.getProperty("java.class.path"),
                    StartBars.class.getName(), Long.toString(n)))).strip());
        }
        out.accept(Bar.seconds(GROUP, String.format(Locale.ROOT, "first projection of a JVM, top-k of %,d", n),
                Turns.Times.of(seconds), bar, ""));
    }

    private void command(String what, double bar, String remark, List<String> pare, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> rest = new ArrayList<>(pare);
        rest.addAll(arguments);
        double[] seconds = new double[runs];
        // One more, which does not count: it unpacks libraries and brings files into memory.
        for (int run = -1; run < runs; run++) {
            long start = System.nanoTime();
            Jvm.run(Jvm.plain(rest));
            if (run >= 0) {
                seconds[run] = (System.nanoTime() - start) * 1e-9;
            }
        }
        out.accept(Bar.seconds(GROUP, what, Turns.Times.of(seconds), bar, remark));
    }

    /** MNIST's files with random images: a magic number, sizes, bytes. */
    private static void writeDigits(Path folder, String name, int count) throws IOException {
        Random random = new Random(1);
        byte[] pixels = new byte[count * 28 * 28];
        random.nextBytes(pixels);
        try (DataOutputStream images = new DataOutputStream(
                Files.newOutputStream(folder.resolve(name + "-images-idx3-ubyte")));
                DataOutputStream labels = new DataOutputStream(
                        Files.newOutputStream(folder.resolve(name + "-labels-idx1-ubyte")))) {
            for (int word : new int[]{0x803, count, 28, 28}) {
                images.writeInt(word);
            }
            images.write(pixels);
            labels.writeInt(0x801);
            labels.writeInt(count);
            for (int i = 0; i < count; i++) {
                labels.writeByte(i % 10);
            }
        }
    }

    /** In a new JVM: the seconds of its first projection. */
    public static void main(String[] args) {
        long n = Long.parseLong(args[0]);
        SplittableRandom random = new SplittableRandom(1);
        float[] some = new float[SHORT];
        for (int i = 0; i < some.length; i++) {
            some[i] = (float) (0.02 * random.nextGaussian());
        }
        try (Region region = Region.shared("bars"); Projections p = Projections.open(1)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            // Bulk copies compile nothing that the projection runs.
            for (long at = 0; at < n; at += some.length) {
                MemorySegment.copy(some, 0, x, ValueLayout.JAVA_FLOAT, at * 4, (int) Math.min(some.length, n - at));
            }
            long start = System.nanoTime();
            p.topK(x, 0, z, 0, n, n / 10);
            System.out.println((System.nanoTime() - start) * 1e-9);
        }
    }
}

package io.pare.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pare.descent.Optimizer;
import io.pare.exec.Tape;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.NativeThreads;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.train.Network;
import io.pare.train.Weight;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Resident memory of training steps, SGD with momentum, ours and libtorch's: each in a process of its own, which reads
 * the peak and the present from {@code /proc/self/status} after so many steps.
 *
 * <p>{@code StepMemory NETWORK BATCH STEPS FILE.json}, on one thread.
 */
public final class StepMemory {
    private StepMemory() {}

    /** Starts both processes, or is one of them. */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length == 4 && (args[3].equals("pare") || args[3].equals("torch"))) {
            Net model = Models.byName(args[0]);
            int batch = Integer.parseInt(args[1]);
            int steps = Integer.parseInt(args[2]);
            System.out.println(args[3].equals("pare") ? pare(model, batch, steps) : torch(model, batch, steps));
            return;
        }
        List<String> lines = new ArrayList<>();
        double[] peaks = new double[2];
        for (String who : List.of("pare", "torch")) {
            String line = child(args, who);
            lines.add("  {\"who\": \"" + who + "\", \"network\": \"" + args[0] + "\", \"batch\": " + args[1]
                    + ", \"steps\": " + args[2] + ", " + line + "}");
            peaks[who.equals("pare") ? 0 : 1] = Double.parseDouble(line.replaceAll(".*\"peakMB\": ([0-9.]+).*", "$1"));
        }
        Files.writeString(Path.of(args[3]), "[\n" + String.join(",\n", lines) + "\n]\n");
        System.out.println(String.join("\n", lines));
        System.out.printf(Locale.ROOT, "peak, ours to libtorch's: %.3f%n", peaks[0] / peaks[1]);
    }

    private static String child(String[] args, String who) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), StepMemory.class.getName(), args[0], args[1], args[2], who);
        builder.environment().put("OMP_NUM_THREADS", "1");
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(who + " failed: " + out);
        }
        return out.lines().filter(line -> line.startsWith("\"")).findFirst().orElseThrow();
    }

    private static String pare(Net model, int batch, int steps) throws IOException {
        NativeThreads.set(1);
        Optimizer optimizer = Optimizer.sgd(0.9, 5e-4);
        double before = megabytes("VmRSS");
        try (Network network = Network.create(model, 1, true)) {
            network.prepare(optimizer);
            Tape tape = network.trainingTape(batch, true);
            Random random = new Random(1);
            FloatTensor images = tape.input(Network.IMAGES);
            for (long i = 0; i < images.count(); i++) {
                images.set(i, (float) random.nextGaussian());
            }
            for (int i = 0; i < batch; i++) {
                tape.labels().setAtIndex(JAVA_INT, i, random.nextInt(model.classes()));
            }
            double loss = 0;
            for (int step = 1; step <= steps; step++) {
                tape.forward(step);
                tape.backward();
                for (Weight weight : network.weights()) {
                    if (weight.parameter().trained()) {
                        optimizer.step(weight, 1e-4, step);
                    }
                }
                loss = tape.loss();
            }
            return status(loss, before) + String.format(Locale.ROOT, ", \"offHeapMB\": %.1f",
                    Region.liveBytes() / 1e6);
        }
    }

    private static String torch(Net model, int batch, int steps) throws IOException {
        TorchThreads.engine(1);
        double before = megabytes("VmRSS");
        try (TorchNetwork network = new TorchNetwork(model, 1, batch)) {
            float loss = 0;
            for (int step = 1; step <= steps; step++) {
                loss = network.step();
            }
            return status(loss, before);
        }
    }

    private static String status(double loss, double before) throws IOException {
        double peak = megabytes("VmHWM");
        double now = megabytes("VmRSS");
        Runtime runtime = Runtime.getRuntime();
        return String.format(Locale.ROOT,
                "\"peakMB\": %.1f, \"residentMB\": %.1f, \"beforeMB\": %.1f, \"heapMB\": %.1f, \"loss\": %.5f", peak,
                now,
                before, runtime.totalMemory() / 1e6, loss);
    }

    private static double megabytes(String field) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(field + ":")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1e6;
            }
        }
        throw new IOException("no " + field + " in /proc/self/status");
    }
}

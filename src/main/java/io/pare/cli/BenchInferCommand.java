package io.pare.cli;

import io.pare.infer.CompressedModel;
import io.pare.infer.Session;
import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedWeights;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Gives a quick look at how fast a network predicts; claims come from the JMH benchmarks. */
@Command(name = "bench-infer", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Time predictions of a network on one thread: a quick look.", optionListHeading = "%nOptions:%n",
        footer = {"", "Examples:", "  pare bench-infer lenet5.pare", "  pare bench-infer lenet5.pare --batch 64"})
final class BenchInferCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "256",
            description = "Images of a batch (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "2",
            description = "Time for each of the measurements (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || batch > 1 << 16 || !(seconds > 0 && seconds <= 3600)) {
            throw new UsageException("--batch is " + batch + " (1 to 65536), --seconds is " + seconds
                    + " (above 0, at most 3600)");
        }
        long start = System.nanoTime();
        CompressedWeights weights = source.read(spec.commandLine().getErr()::println);
        try (CompressedModel model = CompressedModel.of(weights)) {
            SplittableRandom random = new SplittableRandom(1);
            float[] images = new float[batch * model.model().input().features()];
            for (int i = 0; i < images.length; i++) {
                images[i] = (float) random.nextDouble();
            }
            float[] logits = new float[batch * model.model().classes()];
            Session session = model.session();
            session.logits(images, 1, logits);
            double first = (System.nanoTime() - start) / 1e6;
            double[] one = times(session, images, 1, logits);
            double[] many = times(session, images, batch, logits);
            PrintWriter out = spec.commandLine().getOut();
            out.printf(Locale.ROOT, "file to first prediction  %.1f ms, in a JVM that had compiled nothing%n", first);
            out.printf(Locale.ROOT, "one image                 %.2f us median, %.2f us 99th percentile%n",
                    one[one.length / 2], one[one.length * 99 / 100]);
            out.printf(Locale.ROOT, "batch of %-5d            %.2f us an image, %.0f images a second%n", batch,
                    many[many.length / 2] / batch, 1e6 * batch / many[many.length / 2]);
            out.printf("kernels                   %s, 1 thread%n", SparseKernels.active().name());
            out.printf("layers                    %s%n", String.join("; ", model.describe()));
            out.flush();
        }
        return Commands.OK;
    }

    /** Microseconds of each call, ascending, after a warm-up of the same length. */
    private double[] times(Session session, float[] images, int count, float[] logits) {
        double[] times = new double[1 << 20];
        int calls = 0;
        for (int round = 0; round < 2; round++) {
            calls = 0;
            long end = System.nanoTime() + (long) (seconds * 1e9 / 2);
            long now = System.nanoTime();
            while (now < end && calls < times.length || calls == 0) {
                session.logits(images, count, logits);
                long after = System.nanoTime();
                times[calls++] = (after - now) / 1e3;
                now = after;
            }
        }
        double[] sorted = Arrays.copyOf(times, calls);
        Arrays.sort(sorted);
        return sorted;
    }
}

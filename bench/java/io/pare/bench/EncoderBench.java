package io.pare.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pare.exec.Tape;
import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxModel;
import io.pare.format.onnx.Port;
import io.pare.infer.CompressedModel;
import io.pare.mem.Region;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import io.pare.train.Network;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A sentence encoder from an ONNX file, which takes tokens, a mask and types: both engines against ONNX Runtime, on one
 * thread. The candidates take turns in one process, and CPU time is counted.
 *
 * <p>{@code io.pare.bench.EncoderBench FILE ROUNDS TOKENSxSAMPLES ...}
 */
public final class EncoderBench {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int WARM_UP = 9;
    /** Rounds of the sparse engine, which takes far longer. */
    private static final int SPARSE_ROUNDS = 3;

    private EncoderBench() {}

    private interface Candidate {
        void run() throws OrtException;
    }

    public static void main(String[] args) throws OrtException, IOException {
        NativeThreads.set(1);
        for (int i = 2; i < args.length; i++) {
            String[] sizes = args[i].split("x");
            measure(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(sizes[0]),
                    Integer.parseInt(sizes[1]));
        }
    }

    private static void measure(Path file, int rounds, int tokens, int samples) throws OrtException, IOException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        try (OrtSession session = environment.createSession(file.toString(), options)) {
            Bindings bindings = Bindings.NONE;
            for (String name : session.getInputNames()) {
                bindings = bindings.with(name + ":1", tokens);
            }
            OnnxModel model = OnnxFile.model(file, bindings);
            SplittableRandom random = new SplittableRandom(1);
            Map<String, OnnxTensor> given = new HashMap<>();
            float[] vectors = new float[samples * model.weights().model().input().features()];
            for (Port port : model.inputs()) {
                long[] values = new long[samples * tokens];
                float[] floats = new float[values.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = switch (port.name()) {
                        case "input_ids" -> random.nextInt(30_000);
                        // The last tokens of each sample but the first are padding.
                        case "attention_mask" -> i < tokens || i % tokens < tokens - tokens / 4 ? 1 : 0;
                        default -> 0;
                    };
                    floats[i] = values[i];
                }
                port.pack(floats, samples, vectors);
                given.put(port.name(),
                        OnnxTensor.createTensor(environment, LongBuffer.wrap(values), new long[]{samples, tokens}));
            }
            measure(model, vectors, samples, rounds, session, given, file.getFileName() + " " + tokens + " tokens, "
                    + samples + " samples");
            given.values().forEach(OnnxTensor::close);
        }
    }

    private static void measure(OnnxModel model, float[] vectors, int samples, int rounds, OrtSession session,
            Map<String, OnnxTensor> given, String title) throws OrtException {
        try (Network network = Network.create(model.weights().model(), 0, Natives.enabled());
                CompressedModel compressed = CompressedModel.of(model.weights())) {
            network.copyFrom(model.weights());
            long before = Region.liveBytes();
            Tape tape = network.inferenceTape(samples);
            long bytes = Region.liveBytes() - before;
            tape.input(Network.IMAGES).copyFrom(vectors);
            float[] outputs = new float[samples * model.weights().model().classes()];
            double[][] times = times(rounds, () -> session.run(given).close(), () -> tape.forward(0));
            double[][] sparse = times(samples > 1 ? 0 : -WARM_UP, SPARSE_ROUNDS,
                    samples > 1 ? () -> {
                        // It takes too long.
                    } : () -> compressed.logits(vectors, samples, outputs));
            float[] dense = tape.output().toArray();
            double difference = 0;
            double largest = 0;
            try (OrtSession.Result result = session.run(given)) {
                for (Port port : model.outputs()) {
                    float[] own = port.unpack(dense, samples);
                    float[] other = new float[own.length];
                    ((OnnxTensor) result.get(port.name()).orElseThrow()).getFloatBuffer().get(other);
                    for (int i = 0; i < own.length; i++) {
                        difference = Math.max(difference, Math.abs(own[i] - other[i]));
                        largest = Math.max(largest, Math.abs(other[i]));
                    }
                }
            }
            System.out.printf(Locale.ROOT,
                    "%s: %d nodes, tape %.2f MB, off by %.1e; ms median least: dense %.2f %.2f, sparse %.1f %.1f,"
                            + " ONNX Runtime %.2f %.2f%n",
                    title, model.weights().model().nodes().size(), bytes / 1e6, difference / largest,
                    median(times[1]), times[1][0], median(sparse[0]), sparse[0][0], median(times[0]), times[0][0]);
        }
    }

    private static double median(double... sorted) {
        return sorted[sorted.length / 2];
    }

    private static double[][] times(int rounds, Candidate... candidates) throws OrtException {
        return times(-WARM_UP, rounds, candidates);
    }

    /** Milliseconds of CPU of each candidate, ascending. */
    private static double[][] times(int first, int rounds, Candidate... candidates) throws OrtException {
        double[][] millis = new double[candidates.length][rounds];
        for (int round = first; round < rounds; round++) {
            for (int i = 0; i < candidates.length; i++) {
                long start = THREADS.getCurrentThreadCpuTime();
                candidates[i].run();
                if (round >= 0) {
                    millis[i][round] = (THREADS.getCurrentThreadCpuTime() - start) / 1e6;
                }
            }
        }
        Arrays.stream(millis).forEach(Arrays::sort);
        return millis;
    }
}

package io.pare.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pare.exec.Tape;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.train.Network;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * Networks that are read from an ONNX file, on the dense engine against ONNX Runtime, on one thread: as validations run in a
 * training, whose weights change, and frozen, as all predictions run.
 *
 * <p>The candidates take turns in one process, and CPU time is counted, so that other programs on the machine hit all alike.
 * {@code java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar
 * io.pare.bench.OnnxInferBench [rounds [networks or files]]}. Several files are compared with the first on ONNX Runtime
 * alone, as before and after units were taken out.
 */
public final class OnnxInferBench {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int WARM_UP = 3;
    private static final int[] BATCHES = {1, 16};
    private static final List<String> NETWORKS = List.of("lenet5", "resnet18", "mobilenet-v2");

    private OnnxInferBench() {}

    /** One way to compute a network's logits. */
    private interface Candidate extends AutoCloseable {
        void run() throws OrtException;

        float[] logits() throws OrtException;

        @Override
        void close() throws OrtException;
    }

    public static void main(String[] args) throws OrtException, IOException {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 15;
        List<String> names = args.length > 1 ? List.of(args).subList(1, args.length) : NETWORKS;
        NativeThreads.set(1);
        if (names.getFirst().endsWith(".onnx")) {
            for (int batch : BATCHES) {
                compare(names, batch, rounds);
            }
            return;
        }
        for (String name : names) {
            Net model = Models.byName(name);
            byte[] file = OnnxFile.encode(random(model), OnnxWeights.FLOATS);
            for (int batch : BATCHES) {
                measure(model, file, batch, rounds);
            }
        }
    }

    /** {@code "pare"}, frozen, and {@code "ort"}; to be closed. */
    static AutoCloseable candidates(String name, int batch, Turns turns) throws OrtException {
        Net model = Models.byName(name);
        byte[] file = OnnxFile.encode(random(model), OnnxWeights.FLOATS);
        float[] images = images(model, batch);
        Candidate peer = onnxRuntime(file, model.input(), batch, images);
        Candidate pare = pare(file, OnnxInferBench::frozen, batch, images);
        check(peer.logits(), pare.logits());
        turns.put("ort", peer::run);
        turns.put("pare", pare::run);
        return () -> {
            peer.close();
            pare.close();
        };
    }

    /** Files by turns on ONNX Runtime, each with the time of the first over its own. */
    private static void compare(List<String> files, int batch, int rounds) throws OrtException, IOException {
        Candidate[] candidates = new Candidate[files.size()];
        for (int i = 0; i < candidates.length; i++) {
            byte[] file = Files.readAllBytes(Path.of(files.get(i)));
            Net model = OnnxFile.decode(file).model();
            candidates[i] = onnxRuntime(file, model.input(), batch, images(model, batch));
        }
        double[] medians = medians(rounds, candidates);
        for (int i = 0; i < candidates.length; i++) {
            System.out.printf(Locale.ROOT, "%-40s batch %2d  ms: ONNX Runtime %8.3f (%.2f)%n", files.get(i), batch,
                    medians[i], medians[0] / medians[i]);
            candidates[i].close();
        }
    }

    private static float[] images(Net model, int batch) {
        float[] images = new float[batch * model.input().features()];
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < images.length; i++) {
            images[i] = (float) random.nextGaussian();
        }
        return images;
    }

    private static void measure(Net model, byte[] file, int batch, int rounds) throws OrtException {
        float[] images = images(model, batch);
        try (Candidate peer = onnxRuntime(file, model.input(), batch, images);
                Candidate trained = pare(file, OnnxInferBench::trained, batch, images);
                Candidate frozen = pare(file, OnnxInferBench::frozen, batch, images)) {
            check(peer.logits(), trained.logits());
            check(peer.logits(), frozen.logits());
            double[] medians = medians(rounds, peer, trained, frozen);
            System.out.printf(Locale.ROOT,
                    "%-12s batch %2d  ms: ONNX Runtime %8.3f  in training %8.3f (%.2f)  frozen %8.3f (%.2f)%n",
                    model.name(), batch, medians[0], medians[1], medians[0] / medians[1], medians[2],
                    medians[0] / medians[2]);
        }
    }

    /** Median milliseconds of CPU of one run of each. */
    private static double[] medians(int rounds, Candidate... candidates) throws OrtException {
        double[][] millis = new double[candidates.length][rounds];
        for (int round = -WARM_UP; round < rounds; round++) {
            for (int i = 0; i < candidates.length; i++) {
                long start = THREADS.getCurrentThreadCpuTime();
                candidates[i].run();
                if (round >= 0) {
                    millis[i][round] = (THREADS.getCurrentThreadCpuTime() - start) / 1e6;
                }
            }
        }
        return Arrays.stream(millis).mapToDouble(row -> {
            Arrays.sort(row);
            return row[rounds / 2];
        }).toArray();
    }

    private static void check(float[] expected, float[] actual) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(expected[i] - actual[i]) <= 1e-3 * largest)) {
                throw new IllegalStateException("logit " + i + " is " + actual[i] + ", ONNX Runtime gives "
                        + expected[i]);
            }
        }
    }

    private static Candidate onnxRuntime(byte[] file, Shape shape, int batch, float[] images) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        OrtSession session = environment.createSession(file, options);
        FloatBuffer buffer = ByteBuffer.allocateDirect(images.length * Float.BYTES).order(ByteOrder.nativeOrder())
                .asFloatBuffer().put(images).flip();
        OnnxTensor input = OnnxTensor.createTensor(environment, buffer,
                new long[]{batch, shape.channels(), shape.height(), shape.width()});
        String name = session.getInputNames().iterator().next();
        return new Candidate() {
            @Override
            public void run() throws OrtException {
                session.run(Map.of(name, input)).close();
            }

            @Override
            public float[] logits() throws OrtException {
                try (OrtSession.Result result = session.run(Map.of(name, input))) {
                    FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
                    float[] logits = new float[values.remaining()];
                    values.get(logits);
                    return logits;
                }
            }

            @Override
            public void close() throws OrtException {
                input.close();
                session.close();
            }
        };
    }

    private static Network trained(CompressedWeights weights) {
        Network network = Network.create(weights.model(), 0, Natives.enabled());
        network.copyFrom(weights);
        return network;
    }

    private static Network frozen(CompressedWeights weights) {
        return Network.frozen(weights, Natives.enabled());
    }

    private static Candidate pare(byte[] file, Function<CompressedWeights, Network> maker, int batch, float[] images) {
        Network network = maker.apply(OnnxFile.decode(file));
        Tape tape = network.inferenceTape(batch);
        tape.input(Network.IMAGES).copyFrom(images);
        return new Candidate() {
            @Override
            public void run() {
                tape.forward(0);
                tape.output();
            }

            @Override
            public float[] logits() {
                run();
                return tape.output().toArray();
            }

            @Override
            public void close() {
                network.close();
            }
        };
    }

    /** Weights that keep a signal's size, and normalisations that are not trivial. */
    private static CompressedWeights random(Net model) {
        SplittableRandom random = new SplittableRandom(1);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters()) {
            float[] values = new float[(int) parameter.count()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) switch (parameter.kind()) {
                    case WEIGHT -> random.nextGaussian(0, Math.sqrt(2.0 / parameter.fanIn()));
                    case SCALE, VARIANCE -> random.nextDouble(0.5, 1);
                    case BIAS, MEAN -> random.nextGaussian(0, 0.1);
                    case CONSTANT -> 0;
                };
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        }
        return new CompressedWeights(model, tensors,
                model.input().channels() == 3 ? InputScale.IMAGENET : InputScale.MNIST);
    }
}

package io.pare.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pare.format.NetworkFile;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxNames;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.infer.CompressedModel;
import io.pare.infer.Session;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * LeNet-5 with 2,570 weights left (167 times fewer) from its compressed form, against the dense network in the same
 * engine and in ONNX Runtime, on one thread. Pin the process to one core. {@code -p file=net.pare} takes a network that
 * was really compressed in place of a random one.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@State(Scope.Benchmark)
public class InferBench {
    private static final Map<String, Integer> KEPT = Map.of("conv1.weight", 100, "conv2.weight", 1530, "fc1.weight",
            590, "fc2.weight", 350);

    @Param({"1", "256"})
    private int batch;

    @Param("random")
    private String file;

    private float[] images;
    private float[] logits;
    private Path path;
    private CompressedModel sparse;
    private CompressedModel dense;
    private Session sparseSession;
    private Session denseSession;
    private OrtSession ort;
    private Map<String, OnnxTensor> ortInput;

    /** The state outside JMH. */
    static InferBench of(int batch) throws IOException, OrtException {
        InferBench state = new InferBench();
        state.batch = batch;
        state.file = "random";
        state.open();
        return state;
    }

    private static CompressedWeights network(boolean pruned) {
        SplittableRandom random = new SplittableRandom(1);
        Net model = Models.lenet5();
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters()) {
            float[] values = new float[(int) parameter.count()];
            int kept = pruned ? KEPT.getOrDefault(parameter.name(), values.length) : values.length;
            for (int left = kept; left > 0;) {
                int at = kept == values.length ? left - 1 : random.nextInt(values.length);
                if (values[at] == 0) {
                    values[at] = (1 + random.nextInt(4)) * (random.nextBoolean() ? 0.0625f : -0.0625f);
                    left--;
                }
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        }
        return new CompressedWeights(model, tensors, InputScale.MNIST);
    }

    @Setup(Level.Trial)
    public void open() throws IOException, OrtException {
        SplittableRandom random = new SplittableRandom(2);
        images = new float[batch * 784];
        for (int i = 0; i < images.length; i++) {
            images[i] = (float) random.nextDouble();
        }
        logits = new float[batch * 10];
        CompressedWeights weights = file.equals("random") ? network(true) : NetworkFile.read(Path.of(file));
        path = Files.createTempFile("bench", ".pare");
        PareFile.write(path, weights);
        sparse = CompressedModel.of(weights);
        dense = CompressedModel.of(network(false));
        sparseSession = sparse.session();
        denseSession = dense.session();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        ort = environment.createSession(OnnxFile.encode(dense.weights(), OnnxWeights.FLOATS), options);
        FloatBuffer buffer = ByteBuffer.allocateDirect(images.length * Float.BYTES).order(ByteOrder.nativeOrder())
                .asFloatBuffer().put(images).flip();
        ortInput = Map.of(OnnxNames.usual(dense.model()).input(),
                OnnxTensor.createTensor(environment, buffer, new long[]{batch, 1, 28, 28}));
        check();
    }

    /** What is timed must be right: the dense network by both engines. */
    private void check() throws OrtException {
        denseSession.logits(images, batch, logits);
        float[][] expected;
        try (OrtSession.Result result = ort.run(ortInput)) {
            expected = (float[][]) result.get(0).getValue();
        }
        for (int i = 0; i < logits.length; i++) {
            float wanted = expected[i / 10][i % 10];
            if (Math.abs(logits[i] - wanted) > 1e-3 * (1 + Math.abs(wanted))) {
                throw new IllegalStateException("logit " + i + " is " + logits[i] + ", ONNX Runtime gives " + wanted);
            }
        }
    }

    @TearDown(Level.Trial)
    public void close() throws IOException, OrtException {
        sparse.close();
        dense.close();
        ortInput.values().forEach(OnnxTensor::close);
        ort.close();
        Files.delete(path);
    }

    /** All images from the compressed form. */
    @Benchmark
    public float[] compressed() {
        sparseSession.logits(images, batch, logits);
        return logits;
    }

    /** All images by the dense network in this engine. */
    @Benchmark
    public float[] denseInJava() {
        denseSession.logits(images, batch, logits);
        return logits;
    }

    /** All images by the dense network in ONNX Runtime. */
    @Benchmark
    public long denseInOnnxRuntime() throws OrtException {
        try (OrtSession.Result result = ort.run(ortInput)) {
            return result.size();
        }
    }

    /** From the file to the first prediction, in a JVM that has done it before. */
    @Benchmark
    public float[] loadAndPredictOne() throws IOException {
        try (CompressedModel model = CompressedModel.load(path)) {
            return model.predict(images, 1);
        }
    }
}

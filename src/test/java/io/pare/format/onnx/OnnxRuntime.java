package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pare.infer.ReferenceNet;
import io.pare.net.CompressedWeights;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;

/** ONNX Runtime as the judge of what an ONNX file computes. */
public final class OnnxRuntime {
    /** Of the largest output: both sum thousands of products in floats. */
    private static final double TOLERANCE = 1e-4;

    private OnnxRuntime() {}

    /** The first output, row after row, for one input of that shape. */
    public static float[] run(byte[] file, float[] values, long... shape) throws OrtException {
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file)) {
            return run(session, values, shape);
        }
    }

    private static float[] run(OrtSession session, float[] values, long... shape) throws OrtException {
        String input = session.getInputNames().iterator().next();
        try (OnnxTensor tensor = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), FloatBuffer.wrap(values),
                shape); OrtSession.Result result = session.run(Map.of(input, tensor))) {
            FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] outputs = new float[buffer.remaining()];
            buffer.get(outputs);
            return outputs;
        }
    }

    /** Compares what ONNX Runtime computes of a file, for random inputs, with what its import computes. */
    static void assertComputesTheSame(byte[] file) throws OrtException {
        CompressedWeights weights = OnnxFile.decode(file);
        int features = weights.model().input().features();
        long[] shape;
        float[] values;
        float[] expected;
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file)) {
            shape = ((TensorInfo) session.getInputInfo().values().iterator().next().getInfo()).getShape();
            shape[0] = Math.max(1, shape[0]);
            values = new float[Math.toIntExact(shape[0]) * features];
            Random random = new Random(1);
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextFloat() * 2 - 1;
            }
            expected = run(session, values, shape);
        }
        ReferenceNet net = new ReferenceNet(weights);
        int classes = weights.model().classes();
        assertEquals(shape[0] * classes, expected.length);
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < shape[0]; i++) {
            double[] logits = net.logits(Arrays.copyOfRange(values, i * features, (i + 1) * features));
            for (int c = 0; c < classes; c++) {
                assertEquals(expected[i * classes + c], logits[c], TOLERANCE * largest, "sample " + i + " output " + c);
            }
        }
    }
}

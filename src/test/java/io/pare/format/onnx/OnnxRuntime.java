package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pare.run.Engine;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
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

    /** The same where products with integers of 4 bits are to be those of floats. */
    static float[] runInFloats(byte[] file, float[] values, long... shape) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.addConfigEntry("session.qdq_matmulnbits_accuracy_level", "1");
            try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file, options)) {
                return run(session, values, shape);
            }
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
        assertComputesTheSame(file, Bindings.NONE, 3, 2);
    }

    /**
     * The same with sizes of free dimensions.
     *
     * @param samples to compute at once where any number will do
     * @param integers bound of random integers, exclusive
     */
    static void assertComputesTheSame(byte[] file, Bindings bindings, int samples, int integers) throws OrtException {
        OnnxModel model = OnnxFile.model(file, bindings);
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file)) {
            assertComputesTheSame(session, model, samples, integers);
        }
    }

    static void assertComputesTheSame(OrtSession session, OnnxModel model, int samples, int integers)
            throws OrtException {
        int n = model.inputs().stream().filter(port -> port.batchAxis() >= 0)
                .mapToInt(port -> (int) port.shape()[port.batchAxis()]).max().orElse(1);
        n = n < 0 ? samples : n;
        float[] vectors = new float[n * model.weights().model().input().features()];
        Random random = new Random(1);
        Map<String, OnnxTensor> given = new HashMap<>();
        for (Port port : model.inputs()) {
            float[] values = new float[n * port.features()];
            for (int i = 0; i < values.length; i++) {
                values[i] = port.type().isFloating() ? random.nextFloat() * 2 - 1 : random.nextInt(integers);
            }
            port.pack(values, n, vectors);
            given.put(port.name(), tensor(port, values, shape(port, n)));
        }
        for (String unread : session.getInputNames()) {
            if (!given.containsKey(unread)) {
                long[] shape = ((TensorInfo) session.getInputInfo().get(unread).getInfo()).getShape();
                long count = Arrays.stream(shape).reduce(1, (x, y) -> x * Math.max(1, y));
                given.put(unread, OnnxTensor.createTensor(OrtEnvironment.getEnvironment(),
                        FloatBuffer.wrap(new float[(int) count]), shape));
            }
        }
        try (OrtSession.Result result = session.run(given)) {
            for (Engine engine : Engine.values()) {
                float[] outputs = engine.outputs(model.weights(), vectors, n);
                for (Port port : model.outputs()) {
                    OnnxTensor expected = (OnnxTensor) result.get(port.name()).orElseThrow();
                    assertArrayEquals(shape(port, n), expected.getInfo().getShape(), "shape of " + port.name());
                    assertClose(floats(expected), port.unpack(outputs, n), engine + " " + port.name());
                }
            }
        } finally {
            given.values().forEach(OnnxTensor::close);
        }
    }

    private static long[] shape(Port port, int samples) {
        long[] shape = port.shape();
        if (port.batchAxis() >= 0) {
            shape[port.batchAxis()] = samples;
        }
        return shape;
    }

    private static OnnxTensor tensor(Port port, float[] values, long... shape) throws OrtException {
        OnnxConstant typed = OnnxConstant.of(values, shape).cast(port.type());
        ByteBuffer data = ByteBuffer.allocateDirect(typed.data().remaining()).order(ByteOrder.LITTLE_ENDIAN);
        data.put(typed.data().duplicate()).flip();
        return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), data, shape,
                OnnxJavaType.valueOf(port.type().name()));
    }

    private static float[] floats(OnnxTensor tensor) {
        TensorInfo info = tensor.getInfo();
        ByteBuffer data = tensor.getByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        return new OnnxConstant(OnnxConstant.Type.valueOf(info.type.name()), info.getShape(), data).decimals();
    }

    private static void assertClose(float[] expected, float[] actual, String what) {
        double largest = Float.MIN_NORMAL;
        for (float value : expected) {
            largest = Math.max(largest, Float.isFinite(value) ? Math.abs(value) : 0);
        }
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], TOLERANCE * largest, what + " " + i);
        }
    }
}

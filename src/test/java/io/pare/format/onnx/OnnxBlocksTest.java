package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.integer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.OnnxImportTest.Onnx;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxBlocksTest {
    private static CompressedWeights network() {
        NetBuilder net = new NetBuilder("blocks", Shape.of(3, 40));
        net.add("wide", new TensorOp.Projection(40, 24, true));
        net.add("narrow", new TensorOp.Projection(24, 18, false));
        return weights(net.build());
    }

    private static CompressedWeights weights(Net net) {
        SplittableRandom random = new SplittableRandom(3);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : net.parameters()) {
            float[] values = new float[(int) parameter.count()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        }
        return new CompressedWeights(net, tensors, InputScale.UNIT);
    }

    /**
     * Of a product with a DequantizeLinear of 4 bits ONNX Runtime makes a MatMulNBits, which multiplies with inputs of 8 bits
     * unless the session asks for floats.
     */
    private static void assertRunsLike(byte[] file, byte[] floats, double tolerance) throws OrtException {
        SplittableRandom random = new SplittableRandom(11);
        float[] inputs = new float[2 * 3 * 40];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = (float) random.nextGaussian();
        }
        float[] expected = OnnxRuntime.run(floats, inputs, 2, 3, 40);
        float largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertArrayEquals(expected, OnnxRuntime.run(file, inputs, 2, 3, 40), (float) (tolerance * largest));
        assertArrayEquals(expected, OnnxRuntime.runInFloats(file, inputs, 2, 3, 40), 1e-5f * largest);
    }

    @ParameterizedTest
    @CsvSource({"4, 16", "4, 32", "8, 16"})
    void aNetworkIsWrittenAndReadBackAsIntegers(int bits, int block) throws OrtException {
        CompressedWeights weights = network();
        byte[] file = OnnxFile.encode(weights, OnnxWeights.blocks(bits, block));
        CompressedWeights read = OnnxFile.decode(file);
        assertRunsLike(file, OnnxFile.encode(read, OnnxWeights.FLOATS), bits == 4 ? 0.02 : 1e-5);
        CompressedWeights own = OnnxFile.decode(OnnxFile.encode(weights, OnnxWeights.FLOATS));
        for (String name : own.tensors().keySet()) {
            float[] before = own.tensor(name).toArray();
            float[] after = read.tensor(name).toArray();
            float most = bits == 4 ? 0.4f : 0.03f;
            assertArrayEquals(before, after, name.endsWith("weight") ? most : 0, name);
        }
    }

    /** What lies on grids stays there, and is found without being asked for. */
    @Test
    void gridsAreFound() {
        NetBuilder net = new NetBuilder("grids", Shape.of(3, 160));
        net.add("wide", new TensorOp.Projection(160, 128, true));
        CompressedWeights read = OnnxFile.decode(OnnxFile.encode(weights(net.build()), OnnxWeights.blocks(4, 32)));
        byte[] again = OnnxFile.encode(read, OnnxWeights.AS_THEY_ARE);
        assertTrue(again.length < OnnxFile.encode(read, OnnxWeights.FLOATS).length / 4);
        CompressedWeights twice = OnnxFile.decode(again);
        for (String name : read.tensors().keySet()) {
            assertArrayEquals(read.tensor(name).toArray(), twice.tensor(name).toArray(), 1e-5f, name);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"UINT4", "INT4", "UINT8", "INT8"})
    void blocksAreReadAsOnnxRuntimeReadsThem(Type type) throws OrtException {
        for (int axis : new int[]{0, 1}) {
            long[] shape = {40, 34};
            long[] ofBlocks = shape.clone();
            ofBlocks[axis] = Math.ceilDiv(shape[axis], 16);
            new Onnx(-1, 40, 34).opset(21).tensor(integers("codes", type, shape))
                    .tensor(integers("zeros", type, ofBlocks))
                    .weights("steps", ofBlocks)
                    .node("DequantizeLinear", "codes steps zeros", "w", integer("axis", axis),
                            integer("block_size", 16))
                    .node("Add", "x w", "y").computesTheSame();
        }
        new Onnx(-1, 40).opset(21).tensor(integers("codes", type, 40, 34)).weights("steps", 3, 32)
                .node("DequantizeLinear", "codes steps", "w", integer("axis", 0), integer("block_size", 16))
                .node("MatMul", "x w", "y").refused("has blocks of 16 and scales of shape [3, 32]");
    }

    private static Writer integers(String name, Type type, long... shape) {
        SplittableRandom random = new SplittableRandom(7);
        byte[] codes = new byte[(int) (shape[0] * shape[1])];
        random.nextBytes(codes);
        return OnnxNodes.tensor(name, type, shape, type.packed(codes));
    }

    private static byte[] rewritten(byte[] file, OnnxWeights form, CompressedWeights weights) {
        return new OnnxRewriter(ByteBuffer.wrap(file), null, form, weights).run();
    }

    private static byte[] product() {
        return new Onnx(-1, 160).weights("w", 160, 128).weights("b", 128).node("MatMul", "x w", "m")
                .node("Add", "m b", "y").bytes();
    }

    @ParameterizedTest
    @CsvSource({"4, 32", "4, 128", "8, 64"})
    void productsOfAFileBecomeThoseOfIntegers(int bits, int block) throws OrtException {
        byte[] file = product();
        byte[] small = rewritten(file, OnnxWeights.blocks(bits, block), null);
        assertTrue(small.length < file.length * (bits + 4) / 32, small.length + " of " + file.length);
        OnnxRuntime.assertComputesTheSame(small);
        CompressedWeights read = OnnxFile.decode(small);
        assertArrayEquals(OnnxFile.decode(file).tensor("fc1.weight").toArray(), read.tensor("fc1.weight").toArray(),
                bits == 4 ? 0.1f : 0.006f);
        byte[] again = rewritten(file, OnnxWeights.blocks(bits, block), read);
        assertArrayEquals(read.tensor("fc1.weight").toArray(), OnnxFile.decode(again).tensor("fc1.weight").toArray(),
                1e-5f);
        String message = assertThrows(FormatException.class,
                () -> rewritten(small, OnnxWeights.blocks(bits, block), null)).getMessage();
        assertTrue(message.contains("no matrix"), message);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void rowsOfAFileAreLookedUpAsIntegers(int bits) throws OrtException {
        byte[] file = new Onnx(-1, 5).weights("table", 200, 128).number("many", 90)
                .node("Abs", "x", "a").node("Mul", "a many", "s").node("Floor", "s", "f")
                .node("Cast", "f", "ids", integer("to", 7))
                .node("Gather", "table ids", "y").bytes();
        byte[] small = rewritten(file, OnnxWeights.blocks(bits, 32), null);
        OnnxRuntime.assertComputesTheSame(small);
        assertTrue(small.length < file.length * (bits + 3) / 32, small.length + " of " + file.length);
    }

    @Test
    void weightsOfAnotherNetworkAreRefused() {
        String message = assertThrows(FormatException.class,
                () -> rewritten(product(), OnnxWeights.blocks(4, 32), network())).getMessage();
        assertTrue(message.contains("no place for a matrix of shape [24, 40]"), message);
        assertThrows(IllegalArgumentException.class, () -> OnnxWeights.blocks(4, 24));
        assertThrows(IllegalArgumentException.class, () -> OnnxWeights.blocks(3, 32));
        assertEquals(OnnxWeights.Kind.BLOCKS, OnnxWeights.blocks(8, 256).kind());
    }
}

package io.pare.format.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Published sentence encoders, which take tokens, a mask and types of any number and length: as ONNX Runtime computes
 * them. {@code -Dpare.test.encoders=DIR} names their folder.
 */
class OnnxEncodersTest {
    private static final Path ENCODERS = Path.of(System.getProperty("pare.test.encoders", "../encoders"));

    @TestFactory
    Stream<DynamicTest> encodersGiveTheSameStates() throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(ENCODERS), "no encoders: set -Dpare.test.encoders=DIR");
        try (Stream<Path> files = Files.list(ENCODERS)) {
            return files.filter(path -> path.toString().endsWith(".onnx")).sorted().toList().stream()
                    .map(path -> DynamicTest.dynamicTest(path.getFileName().toString(), () -> check(path)));
        }
    }

    private static void check(Path path) throws Exception {
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(path.toString())) {
            for (int length : List.of(5, 16)) {
                long start = System.nanoTime();
                OnnxModel model = OnnxFile.model(path, lengths(path, length));
                System.out.printf("%s of %d tokens: read in %d ms, %d nodes %s%n", path.getFileName(), length,
                        (System.nanoTime() - start) / 1_000_000, model.weights().model().nodes().size(), model.notes());
                for (int samples : List.of(1, 3)) {
                    OnnxRuntime.assertComputesTheSame(session, model, samples, 2);
                }
            }
        }
    }

    /** The length of every free dimension but the first. */
    private static Bindings lengths(Path path, int length) throws IOException {
        Bindings bindings = Bindings.NONE;
        for (var input : new OnnxGraph(ByteBuffer.wrap(Files.readAllBytes(path)), null).inputs().entrySet()) {
            for (int axis = 1; axis < input.getValue().shape().length; axis++) {
                bindings = bindings.with(input.getKey() + ":" + axis, length);
            }
        }
        return bindings;
    }
}

package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.integer;
import static io.pare.format.onnx.OnnxNodes.integers;

import io.pare.format.onnx.OnnxImportTest.Onnx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** An ONNX file that leaves open how large its images are, and which of its outputs is wanted. */
public final class OpenGraph {
    private OpenGraph() {}

    /**
     * A network of grey images: input x of [n, 1, n2, n3]; output y of 10 classes, and the features f before them.
     */
    public static Path write(Path file) throws IOException {
        return Files.write(file, new Onnx(-1, 1, -1, -1).weights("w", 4, 1, 3, 3).node("Conv", "x w", "c")
                .node("Relu", "c", "r")
                .node("MaxPool", "r", "p", integers("kernel_shape", 8, 8), integers("strides", 8, 8))
                .node("Flatten", "p", "f").weights("v", 10, 36).weights("b", 10)
                .node("Gemm", "f v b", "y", integer("transB", 1))
                .output("f").bytes());
    }
}

package io.pare.format.onnx;

import io.pare.format.protobuf.Protobuf.Reader;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.format.safetensors.Safetensors;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files as other tools write them: with weights, but without a word about how pixels become inputs. */
public final class Bare {
    private Bare() {}

    /** An ONNX file without properties. */
    public static void onnx(Path path, CompressedWeights weights) throws IOException {
        Reader from = new Reader(OnnxFile.encode(weights, OnnxWeights.FLOATS));
        Writer into = new Writer();
        while (from.next()) {
            switch (from.field()) {
                case 1 -> into.number(1, from.number());
                case 14 -> {
                    // The properties.
                }
                default -> {
                    ByteBuffer value = from.bytes();
                    byte[] bytes = new byte[value.remaining()];
                    value.get(bytes);
                    into.bytes(from.field(), bytes);
                }
            }
        }
        Files.write(path, into.toByteArray());
    }

    /** A safetensors file without metadata. */
    public static void safetensors(Path path, CompressedWeights weights) throws IOException {
        try (Region region = Region.confined("bare")) {
            Safetensors.Writer writer = new Safetensors.Writer();
            weights.dense(region).forEach(writer::add);
            writer.write(path);
        }
    }
}

package io.pare.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Makes small .npy and .npz files as NumPy writes them. */
public final class Numpy {
    private final Map<String, byte[]> arrays = new LinkedHashMap<>();

    /** A .npy file of elements by their place: u1, i8, f4 or f8. */
    public static byte[] npy(String type, IntToDoubleFunction element, int... shape) {
        String sizes = Arrays.stream(shape).mapToObj(Integer::toString).collect(Collectors.joining(", "));
        String header = "{'descr': '" + (type.equals("u1") ? "|" : "<") + type + "', 'fortran_order': False, 'shape': ("
                + sizes + (shape.length == 1 ? ",), }" : "), }");
        header += " ".repeat(63 - (10 + header.length()) % 64) + "\n";
        int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        ByteBuffer bytes = ByteBuffer.allocate(10 + header.length() + 8 * count).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0)
                .putShort((short) header.length()).put(header.getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < count; i++) {
            double value = element.applyAsDouble(i);
            switch (type) {
                case "u1" -> bytes.put((byte) (int) value);
                case "i8" -> bytes.putLong((long) value);
                case "f4" -> bytes.putFloat((float) value);
                case "f8" -> bytes.putDouble(value);
                default -> throw new IllegalArgumentException(type);
            }
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    /** Adds an array to the file. */
    public Numpy add(String name, String type, IntToDoubleFunction element, int... shape) {
        arrays.put(name, npy(type, element, shape));
        return this;
    }

    /** Writes what was added as a .npz file. */
    public Path write(Path file) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Map.Entry<String, byte[]> array : arrays.entrySet()) {
                zip.putNextEntry(new ZipEntry(array.getKey() + ".npy"));
                zip.write(array.getValue());
                zip.closeEntry();
            }
        }
        return file;
    }
}
